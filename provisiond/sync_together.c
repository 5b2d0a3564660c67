/*
 * The kernel's asynchronous I/O, for nothing but fsync(2). Its context is made once: to end one takes longer than what
 * is saved.
 */
#include "provisiond/sync_together.h"

#include <errno.h>
#include <linux/aio_abi.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "provisiond/sync_files.h"

static aio_context_t context;

static bool set_up(void)
{
	return context != 0 || syscall(SYS_io_setup, SYNC_FILES_MAX, &context) == 0;
}

/* How many of them were begun: the first ones. */
static size_t submit(const int *fds, size_t count)
{
	struct iocb requests[SYNC_FILES_MAX] = { 0 }, *list[SYNC_FILES_MAX];
	long n;

	for (size_t i = 0; i < count; i++) {
		requests[i].aio_lio_opcode = IOCB_CMD_FSYNC;
		requests[i].aio_fildes = (unsigned)fds[i];
		requests[i].aio_data = i;
		list[i] = &requests[i];
	}
	n = syscall(SYS_io_submit, context, (long)count, list);
	/* A forked process has no context, and makes one the next time. If it is the file that is unfit, ours goes. */
	if (n < 0 && errno == EINVAL) {
		(void)syscall(SYS_io_destroy, context);
		context = 0;
	}
	return n > 0 ? (size_t)n : 0;
}

/* Waits for all that was begun. */
static bool collect(size_t begun, int *ret_errors)
{
	while (begun > 0) {
		struct io_event events[SYNC_FILES_MAX];
		long n = syscall(SYS_io_getevents, context, (long)begun, (long)begun, events, NULL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		for (long i = 0; i < n; i++)
			if (events[i].res < 0 && ret_errors[events[i].data] == 0)
				ret_errors[events[i].data] = (int)-events[i].res;
		begun -= (size_t)n;
	}
	return true;
}

bool sync_together(const int *fds, size_t count, int *ret_errors)
{
	size_t begun = count <= SYNC_FILES_MAX && set_up() ? submit(fds, count) : 0;

	return collect(begun, ret_errors) && begun == count;
}
