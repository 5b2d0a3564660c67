/*
 * Descriptors in an epoll set, so that a wake costs the same however many wait; timers in a binary heap. See loop.h.
 * Knows nothing of what it watches.
 */
#include "pam_oidc/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "common/cleanup.h"
#include "common/wire.h"

#define READY_MAX 64 /* of one round; the others are still ready in the next */

_Static_assert(EPOLLIN == POLLIN && EPOLLPRI == POLLPRI && EPOLLOUT == POLLOUT && EPOLLERR == POLLERR &&
		       EPOLLHUP == POLLHUP && EPOLLRDHUP == POLLRDHUP,
	       "epoll's events are poll's");

struct loop_watch {
	int fd;
	uint32_t number; /* no other one has it: a descriptor is soon given out anew */
	loop_ready *ready;
	void *context;
};

struct loop {
	loop_wait *wait;
	void *wait_context;
	int epoll;
	struct loop_watch **watches; /* by descriptor; NULL: not watched */
	size_t watch_room;
	uint32_t last_number;
	struct loop_timer **heap; /* heap[0] is due first */
	size_t timer_count, timer_room;
	bool stopped;
};

struct loop *loop_create(loop_wait *wait, void *context)
{
	_cleanup_fd_ int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct loop *loop = epoll >= 0 ? calloc(1, sizeof(*loop)) : NULL;

	if (loop)
		*loop = (struct loop){ .wait = wait, .wait_context = context, .epoll = take_fd(&epoll) };
	return loop;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	for (size_t fd = 0; fd < loop->watch_room; fd++)
		free(loop->watches[fd]);
	free(loop->watches);
	free(loop->heap);
	cleanup_fd(&loop->epoll);
	free(loop);
}

static bool make_watch_room(struct loop *loop, int fd)
{
	size_t room = loop->watch_room ? loop->watch_room : 16;
	struct loop_watch **watches;

	if (fd < 0) {
		errno = EBADF;
		return false;
	}
	while (room <= (size_t)fd)
		room *= 2;
	if (room == loop->watch_room)
		return true;
	watches = reallocarray(loop->watches, room, sizeof(struct loop_watch *));
	if (!watches)
		return false;
	for (size_t i = loop->watch_room; i < room; i++)
		watches[i] = NULL;
	loop->watches = watches;
	loop->watch_room = room;
	return true;
}

static uint64_t tag_of(const struct loop_watch *watch)
{
	return (uint64_t)watch->number << 32 | (uint32_t)watch->fd;
}

struct loop_watch *loop_watch(struct loop *loop, int fd, short events, loop_ready *ready, void *context)
{
	_cleanup_free_ struct loop_watch *watch = malloc(sizeof(*watch));
	struct epoll_event event = { .events = (uint32_t)events };

	if (!watch || !make_watch_room(loop, fd))
		return NULL;
	*watch = (struct loop_watch){ .fd = fd, .number = ++loop->last_number, .ready = ready, .context = context };
	event.data.u64 = tag_of(watch);
	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		return NULL;
	loop->watches[fd] = watch;
	return take_pointer(watch);
}

void loop_unwatch(struct loop *loop, struct loop_watch *watch)
{
	if (!watch)
		return;
	/* Another one has the number by now where the descriptor was closed before. */
	if (loop->watches[watch->fd] == watch) {
		(void)epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
		loop->watches[watch->fd] = NULL;
	}
	free(watch);
}

static void put(struct loop *loop, size_t at, struct loop_timer *timer)
{
	loop->heap[at] = timer;
	timer->place = at + 1;
}

/* Moves a timer up or down to where its time belongs. */
static void settle(struct loop *loop, size_t at)
{
	struct loop_timer *timer = loop->heap[at];

	for (size_t parent; at > 0 && loop->heap[parent = (at - 1) / 2]->due_ms > timer->due_ms; at = parent)
		put(loop, at, loop->heap[parent]);
	for (size_t child; (child = 2 * at + 1) < loop->timer_count; at = child) {
		if (child + 1 < loop->timer_count && loop->heap[child + 1]->due_ms < loop->heap[child]->due_ms)
			child++;
		if (loop->heap[child]->due_ms >= timer->due_ms)
			break;
		put(loop, at, loop->heap[child]);
	}
	put(loop, at, timer);
}

static bool make_timer_room(struct loop *loop)
{
	size_t room = loop->timer_room ? 2 * loop->timer_room : 16;
	struct loop_timer **heap;

	if (loop->timer_count < loop->timer_room)
		return true;
	heap = reallocarray(loop->heap, room, sizeof(*heap));
	if (!heap)
		return false;
	loop->heap = heap;
	loop->timer_room = room;
	return true;
}

bool loop_set_timer(struct loop *loop, struct loop_timer *timer, int64_t due_ms, void (*fire)(void *context),
		    void *context)
{
	size_t place = timer->place;

	if (place == 0) {
		if (!make_timer_room(loop))
			return false;
		place = ++loop->timer_count;
	}
	*timer = (struct loop_timer){ .due_ms = due_ms, .fire = fire, .context = context };
	put(loop, place - 1, timer);
	settle(loop, place - 1);
	return true;
}

void loop_clear_timer(struct loop *loop, struct loop_timer *timer)
{
	size_t at = timer->place - 1;
	struct loop_timer *last;

	if (timer->place == 0)
		return;
	timer->place = 0;
	last = loop->heap[--loop->timer_count];
	if (last == timer)
		return;
	put(loop, at, last);
	settle(loop, at);
}

static int until_next_timer(const struct loop *loop)
{
	int64_t left;

	if (loop->timer_count == 0)
		return 60 * 1000;
	left = loop->heap[0]->due_ms - wire_now_ms();
	return left <= 0 ? 0 : left > 60 * 1000 ? 60 * 1000 : (int)left;
}

static void fire_due_timers(struct loop *loop)
{
	int64_t now = wire_now_ms();

	while (loop->timer_count > 0 && loop->heap[0]->due_ms <= now && !loop->stopped) {
		struct loop_timer *timer = loop->heap[0];

		loop_clear_timer(loop, timer);
		timer->fire(timer->context);
	}
}

/* The one that an event is of. NULL when it was removed, in this round or, where the kernel did not let go of it,
 * before. */
static const struct loop_watch *watch_of(struct loop *loop, const struct epoll_event *event)
{
	int fd = (int)(uint32_t)event->data.u64;
	const struct loop_watch *watch = loop->watches[fd];

	if (watch && tag_of(watch) == event->data.u64)
		return watch;
	if (!watch)
		(void)epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL);
	return NULL;
}

static bool tell_ready(struct loop *loop)
{
	struct epoll_event events[READY_MAX];
	int count = epoll_wait(loop->epoll, events, READY_MAX, 0);

	if (count < 0)
		return errno == EINTR;
	for (int i = 0; i < count && !loop->stopped; i++) {
		const struct loop_watch *watch = watch_of(loop, &events[i]);

		/* Which may be gone when it returns. */
		if (watch)
			watch->ready(watch->context, (short)events[i].events);
	}
	return true;
}

static bool wait_once(struct loop *loop)
{
	struct pollfd set = { .fd = loop->epoll, .events = POLLIN };

	return loop->wait(loop->wait_context, &set, until_next_timer(loop)) && (!set.revents || tell_ready(loop));
}

bool loop_run(struct loop *loop)
{
	loop->stopped = false;
	while (!loop->stopped) {
		if (!wait_once(loop))
			return false;
		fire_due_timers(loop);
	}
	return true;
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
}
