/*
 * The daemons' listening sockets, and who is on the other end of a connection.
 */
#ifndef COMMON_LISTEN_H
#define COMMON_LISTEN_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

/* The socket that the service manager passed (LISTEN_FDS, sd_listen_fds(3)), or a new SOCK_SEQPACKET socket at `path` with
 * mode 0666 (callers are judged by their credentials, not by the file's mode); a stale socket file is replaced, a live
 * one is not. Returns the descriptor (CLOEXEC, non-blocking) or -errno, -EADDRINUSE when another daemon is answering. */
int listen_at(const char *path);
/* Accepts one connection (CLOEXEC, non-blocking) and tells who made it. Returns the descriptor or -errno. */
int listen_accept(int listener, struct ucred *ret_peer);
/* Tells the service manager a state such as "READY=1" (sd_notify(3)); does nothing without one. */
void notify_manager(const char *state);
/* Tells it that a reload begins; READY=1 ends it. */
void notify_manager_reloading(void);

#endif
