/*
 * Asks nscd to drop what it remembers of users and groups, through its socket.
 *
 * The protocol is that of glibc's nscd/nscd-client.h, version 2, unchanged since 1998: a header of three numbers, then
 * the key, here the name of a cache. `nscd -i passwd` sends the same. nscd obeys root alone, and answers once the
 * cache is empty; it also watches the files by inotify (unless told not to), but notices later than the next
 * question may come.
 *
 * sssd is not told, and need not be. What it caches are the users of its domains; those of /etc/passwd are answered by
 * `files`, which stands before `sss` in nsswitch.conf and asks nobody. Where a domain of sssd's own serves the files
 * (its files provider, with `sss` before `files`), it watches both by inotify, and sends questions on to `files` while
 * it is behind. That it once did not find a name in its domains stays true when the name comes to be in a file. There
 * is no socket to say so, either: sss_cache(8) writes into sssd's database and sends it SIGHUP, which makes it forget
 * what every other person's sign-in then has to fetch from the network again.
 *
 * systemd's nss-systemd, and nsncd, keep nothing.
 */
#include "provisiond/caches.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"

#define NSCD_VERSION 2
#define NSCD_INVALIDATE 10
#define PATIENCE_MS 50 /* for all of it: nscd takes some tenths of a millisecond */

static const char *const caches[] = { "passwd", "group" };

#define CACHES (sizeof(caches) / sizeof(caches[0]))

struct nscd_request {
	int32_t version;
	int32_t type;
	int32_t key_length; /* with its NUL */
	char key[8];
};

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* -1 when nscd does not run, or is too busy to be told. */
static int connect_to(const char *root, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_fd_ int fd = -1;
	int length =
		snprintf(address.sun_path, sizeof(address.sun_path), "%s%s", strcmp(root, "/") == 0 ? "" : root, path);

	if (length < 0 || (size_t)length >= sizeof(address.sun_path))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		return -1;
	return take_fd(&fd);
}

/* Where /var/run is no link to /run, glibc means the former. */
static int connect_to_nscd(const char *root)
{
	int fd = connect_to(root, "/var/run/nscd/socket");

	return fd >= 0 ? fd : connect_to(root, "/run/nscd/socket");
}

/* A connection on which the cache was asked to be emptied, or -1. */
static int ask(const char *root, const char *cache)
{
	struct nscd_request request = { .version = NSCD_VERSION,
					.type = NSCD_INVALIDATE,
					.key_length = (int32_t)strlen(cache) + 1 };
	size_t length = offsetof(struct nscd_request, key) + (size_t)request.key_length;
	_cleanup_fd_ int fd = connect_to_nscd(root);

	if (fd < 0)
		return -1;
	(void)snprintf(request.key, sizeof(request.key), "%s", cache);
	return send(fd, &request, length, MSG_NOSIGNAL) == (ssize_t)length ? take_fd(&fd) : -1;
}

/* Waits until each has answered or hung up, so that whoever asks next is told what is true now. What nscd answers does
 * not matter: there is nothing else to try. */
static void await_answers(struct pollfd connections[CACHES], int64_t until_ms)
{
	for (;;) {
		int64_t left = until_ms - now_ms();
		bool waiting = false;

		for (size_t i = 0; i < CACHES; i++)
			waiting = waiting || connections[i].fd >= 0;
		if (!waiting || left <= 0 || poll(connections, CACHES, (int)left) <= 0)
			return;
		for (size_t i = 0; i < CACHES; i++)
			if (connections[i].fd >= 0 && connections[i].revents) {
				(void)close(connections[i].fd);
				connections[i].fd = -1;
			}
	}
}

void caches_forget_users(const char *root)
{
	int64_t until_ms = now_ms() + PATIENCE_MS;
	struct pollfd connections[CACHES];

	for (size_t i = 0; i < CACHES; i++)
		connections[i] = (struct pollfd){ .fd = ask(root, caches[i]), .events = POLLIN };
	await_answers(connections, until_ms);
	for (size_t i = 0; i < CACHES; i++)
		if (connections[i].fd >= 0)
			(void)close(connections[i].fd);
}
