/*
 * The daemons' listening sockets, who is on the other end of a connection, and what a daemon must not let them do to
 * it: make it wait, or fill its log.
 */
#ifndef COMMON_LISTEN_H
#define COMMON_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

/* The socket that the service manager passed (LISTEN_FDS, sd_listen_fds(3)), or a new SOCK_SEQPACKET socket at `path`
 * with mode 0666 (callers are judged by their credentials, not by the file's mode); a stale socket file is replaced, a
 * live one is not. Returns the descriptor (CLOEXEC, non-blocking) or -errno, -EADDRINUSE when another daemon is
 * answering. Where the kernel can refuse to pass descriptors over it (Linux 6.16), it does. */
int listen_at(const char *path);
/* Accepts one connection (CLOEXEC, non-blocking) and tells who made it. Returns the descriptor or -errno. */
int listen_accept(int listener, struct ucred *ret_peer);

/*
 * A peer may pass descriptors along that nobody asked for. We discard them, and where ours was the last reference, the
 * kernel closes what they stand for in our name: a TCP socket with SO_LINGER waits then for as long as the peer likes.
 * So whatever a peer's packets may hang on is received and closed by these, which wait for a millisecond or two at
 * most. They use ITIMER_REAL and take SIGALRM; for one thread of a process.
 */

/* wire_receive() of what is there: its length, 0 when the peer closed, or -errno; -EAGAIN when nothing is there. */
ssize_t peer_receive(int fd, char *buffer, size_t capacity);
/* Closes the connection with all that is unread in it. Takes -1. Keeps errno. */
void peer_close(int fd);
/* Closes so many of them: the timer costs as much as for one. */
void peers_close(const int *fds, size_t count);

/* Logs that a peer misbehaved: "disconnected pid 12 of uid 1000: WHAT". Anybody can cause such lines, so there are a
 * few a minute; how many were left out is said with the next one. */
void peer_complain(const struct ucred *peer, const char *what);
/* Whether one more line that anybody can cause may be logged. Pure but for the budget. now_ms: wire_now_ms(). */
struct complaints {
	int64_t minute_began_ms;
	unsigned written, left_out;
};
#define COMPLAINTS_PER_MINUTE 30
/* When it may, *ret_left_out lines were left out since the last one. */
bool complaints_allow(struct complaints *complaints, int64_t now_ms, unsigned *ret_left_out);

/* Tells the service manager a state such as "READY=1" (sd_notify(3)); does nothing without one. */
void notify_manager(const char *state);
/* Tells it that a reload begins; READY=1 ends it. */
void notify_manager_reloading(void);

#endif
