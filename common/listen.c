/*
 * Makes or inherits a daemon's listening socket and identifies its callers. Speaks sd_listen_fds(3)'s and
 * sd_notify(3)'s few lines of protocol itself, for the reason given in log.c.
 */
#include "common/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/wire.h"

#define FIRST_PASSED_FD 3
#define BACKLOG 512
#define CLOSING_PATIENCE_US 1000
#define MINUTE_MS 60000

/* Since Linux 6.16; Debian's headers do not know it yet. */
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

static int set_flags(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
		return -errno;
	return fd;
}

/* Connections inherit it. Older kernels have no such option, which peer_receive() and peer_close() make up for. */
static void refuse_descriptors(int listener)
{
	int no = 0;

	(void)setsockopt(listener, SOL_SOCKET, SO_PASSRIGHTS, &no, sizeof(no));
}

static int passed_by_manager(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	int type = 0;
	socklen_t length = sizeof(type);

	if (!pid || !count || strtol(pid, NULL, 10) != getpid() || strtol(count, NULL, 10) != 1)
		return -ENOENT;
	if (getsockopt(FIRST_PASSED_FD, SOL_SOCKET, SO_TYPE, &type, &length) != 0)
		return -errno;
	if (type != SOCK_SEQPACKET)
		return -EPROTOTYPE;
	refuse_descriptors(FIRST_PASSED_FD);
	return set_flags(FIRST_PASSED_FD);
}

/* connect(2) is refused by whatever is no socket, too. */
static bool is_socket(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int passed = passed_by_manager(), answering;
	_cleanup_fd_ int fd = -1;

	if (passed != -ENOENT)
		return passed;
	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	answering = wire_connect(path, wire_now_ms() + 100);
	if (answering >= 0) {
		(void)close(answering);
		return -EADDRINUSE;
	}
	if (answering == -ETIMEDOUT)
		return -EADDRINUSE;
	if (answering == -ECONNREFUSED && is_socket(path))
		(void)unlink(path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	refuse_descriptors(fd);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || chmod(path, 0666) != 0 ||
	    listen(fd, BACKLOG) != 0)
		return -errno;
	return take_fd(&fd);
}

int listen_accept(int listener, struct ucred *ret_peer)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	socklen_t length = sizeof(*ret_peer);

	if (fd < 0)
		return -errno;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ret_peer, &length) != 0) {
		peer_close(fd);
		return -errno;
	}
	return fd;
}

/* ---- what a peer passes along ---- */

static void interrupt(int signal_number)
{
	(void)signal_number;
}

/* From here to patience_ends(), a signal ends whatever waits. It comes again and again: the first may come before the
 * wait. */
static void patience_begins(void)
{
	static const struct itimerval soon = { { 0, CLOSING_PATIENCE_US }, { 0, CLOSING_PATIENCE_US } };
	static bool taken;
	/* Without SA_RESTART, but receiving and closing do not fail by it: the wait comes after them. */
	struct sigaction action = { .sa_handler = interrupt };

	if (!taken)
		(void)sigaction(SIGALRM, &action, NULL);
	taken = true;
	(void)setitimer(ITIMER_REAL, &soon, NULL);
}

static void patience_ends(void)
{
	static const struct itimerval never = { { 0, 0 }, { 0, 0 } };

	(void)setitimer(ITIMER_REAL, &never, NULL);
}

/* Whether descriptors hang on the next packet, which stays where it is, and they with it: the kernel tells by
 * MSG_CTRUNC that there is no room for them here. 1, 0 or -errno. */
static int brings_descriptors(int fd)
{
	struct msghdr header = { 0 };

	while (recvmsg(fd, &header, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0)
		if (errno != EINTR)
			return -errno;
	return (header.msg_flags & MSG_CTRUNC) != 0;
}

/* Setting the timer can cost more than all the rest of a look-up, so it is set only for those who give reason. */
ssize_t peer_receive(int fd, char *buffer, size_t capacity)
{
	int brings = brings_descriptors(fd);
	ssize_t n;

	if (brings < 0)
		return brings;
	if (brings == 0)
		return wire_receive(fd, buffer, capacity, 0);
	patience_begins();
	n = wire_receive(fd, buffer, capacity, 0);
	patience_ends();
	return n;
}

/* Here there is no telling: while one looks, more can come. */
void peers_close(const int *fds, size_t count)
{
	int saved = errno;

	if (count == 0)
		return;
	patience_begins();
	for (size_t i = 0; i < count; i++)
		(void)close(fds[i]);
	patience_ends();
	errno = saved;
}

void peer_close(int fd)
{
	if (fd >= 0)
		peers_close(&fd, 1);
}

/* ---- what a peer does wrong ---- */

bool complaints_allow(struct complaints *complaints, int64_t now_ms, unsigned *ret_left_out)
{
	if (now_ms - complaints->minute_began_ms >= MINUTE_MS || complaints->minute_began_ms == 0) {
		complaints->minute_began_ms = now_ms;
		complaints->written = 0;
	}
	if (complaints->written >= COMPLAINTS_PER_MINUTE) {
		complaints->left_out++;
		return false;
	}
	complaints->written++;
	*ret_left_out = complaints->left_out;
	complaints->left_out = 0;
	return true;
}

void peer_complain(const struct ucred *peer, const char *what)
{
	static struct complaints complaints;
	unsigned left_out;

	if (!complaints_allow(&complaints, wire_now_ms(), &left_out))
		return;
	if (left_out > 0)
		log_warning("%u more disconnections were not logged", left_out);
	log_warning("disconnected pid %ld of uid %lu: %s", (long)peer->pid, (unsigned long)peer->uid, what);
}

void notify_manager(const char *state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	_cleanup_fd_ int fd = -1;
	size_t length;

	if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof(address.sun_path))
		return;
	length = strlen(path);
	memcpy(address.sun_path, path, length);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address,
			     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
}

void notify_manager_reloading(void)
{
	struct timespec now;
	char state[64];

	/* Which reload it is, the manager tells by this clock (Type=notify-reload). */
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	(void)snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%lld",
		       (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	notify_manager(state);
}
