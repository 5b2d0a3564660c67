/*
 * A thread for each file but the first: fsync(2) is the only way to the disk that is a promise for one file on every
 * file system, and it waits.
 */
#include "provisiond/sync_files.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

#define STACK_SIZE ((size_t)PTHREAD_STACK_MIN + 65536)

struct work {
	int fd;
	int error;
	bool handed; /* to a thread of its own */
	pthread_t thread;
};

static void *sync_one(void *context)
{
	struct work *work = context;

	work->error = fsync(work->fd) != 0 ? errno : 0;
	return NULL;
}

static void hand_out(struct work *works, size_t count)
{
	pthread_attr_t attributes;

	if (pthread_attr_init(&attributes) != 0)
		return;
	(void)pthread_attr_setstacksize(&attributes, STACK_SIZE);
	for (size_t i = 1; i < count; i++)
		works[i].handed = pthread_create(&works[i].thread, &attributes, sync_one, &works[i]) == 0;
	(void)pthread_attr_destroy(&attributes);
}

void sync_files(const int *fds, size_t count, int *ret_errors)
{
	struct work works[SYNC_FILES_MAX] = { 0 };
	sigset_t all, before;

	for (size_t i = 0; i < count; i++)
		works[i].fd = fds[i];
	/* Signals are for the thread that runs the loop. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	hand_out(works, count);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	for (size_t i = 0; i < count; i++)
		if (!works[i].handed)
			(void)sync_one(&works[i]);
	for (size_t i = 0; i < count; i++) {
		if (works[i].handed)
			(void)pthread_join(works[i].thread, NULL);
		ret_errors[i] = works[i].error;
	}
}
