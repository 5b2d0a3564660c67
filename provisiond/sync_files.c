/*
 * fsync(2) is the only way to the disk that is a promise for one file on every file system. What it would have to wait
 * for is made to be under way, and finished, for all files before the first of them is synced; then all are at once,
 * where the kernel can, or one after the other.
 */
#include "provisiond/sync_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

#include "provisiond/sync_together.h"

void sync_files_begin(int fd)
{
	(void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

/* Whether it is only that this kernel, file system or kind of file does not know the call. */
static bool is_not_for_this_file(int error)
{
	return error == ENOSYS || error == EINVAL || error == ESPIPE || error == EOPNOTSUPP || error == EPERM;
}

/* A disk that fails tells so once for each descriptor: fsync() would not say again what is said here. */
static int await_content(int fd)
{
	if (sync_file_range(fd, 0, 0,
			    SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER) == 0)
		return 0;
	return is_not_for_this_file(errno) ? 0 : errno;
}

void sync_files(const int *fds, size_t count, int *ret_errors)
{
	for (size_t i = 0; i < count; i++)
		sync_files_begin(fds[i]);
	for (size_t i = 0; i < count; i++)
		ret_errors[i] = await_content(fds[i]);
	if (count > 1 && sync_together(fds, count, ret_errors))
		return;
	for (size_t i = 0; i < count; i++)
		if (fsync(fds[i]) != 0 && ret_errors[i] == 0)
			ret_errors[i] = errno;
}
