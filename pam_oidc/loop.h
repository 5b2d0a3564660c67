/*
 * The daemon's one loop: descriptors, timers, and whatever waits for both (the HTTP client's curl_multi_poll(3)).
 *
 * Callbacks may add and remove any watch and timer, their own included.
 */
#ifndef PAM_OIDC_LOOP_H
#define PAM_OIDC_LOOP_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct loop_watch;

/* Waits for the descriptor, which stands for all that are watched, and for its own transfers, at most timeout_ms, and
 * fills revents. Returns false only when waiting itself failed. */
typedef bool loop_wait(void *context, struct pollfd *fd, int timeout_ms);
typedef void loop_ready(void *context, short revents);

/* A timer lives in its owner. Zero it before the first use. */
struct loop_timer {
	int64_t due_ms; /* of wire_now_ms() */
	void (*fire)(void *context);
	void *context;
	size_t place; /* in the heap, counted from 1; 0: not set */
};

/* NULL with errno set when memory or descriptors ran out. */
struct loop *loop_create(loop_wait *wait, void *context);
/* Frees the loop and its watches; timers must have been cleared. Takes NULL. */
void loop_free(struct loop *loop);

/* Watches a descriptor, which stays the caller's, for poll(2)'s events; it is told as often as one of them is there.
 * NULL with errno set: memory or the kernel's room for watches ran out (epoll_ctl(2)), the descriptor is watched
 * already (EEXIST), or is one that is always ready, like a file (EPERM). */
struct loop_watch *loop_watch(struct loop *loop, int fd, short events, loop_ready *ready, void *context);
/* No callback will come. Goes before closing the descriptor: the kernel watches on for as long as it has copies. Takes
 * NULL. */
void loop_unwatch(struct loop *loop, struct loop_watch *watch);

/* Sets or moves a timer. False when memory ran out. */
bool loop_set_timer(struct loop *loop, struct loop_timer *timer, int64_t due_ms, void (*fire)(void *context),
		    void *context);
/* Takes a timer that is not set. */
void loop_clear_timer(struct loop *loop, struct loop_timer *timer);

/* Runs until loop_stop(). False when waiting failed. */
bool loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

#endif
