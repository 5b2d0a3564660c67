/*
 * Syncing of several files: every failure is told for the file it belongs to, whichever call of the kernel's tells it.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "provisiond/sync_files.h"
#include "tests/unit/scratch.h"

#define FILES 3

/* What the two calls answer for one descriptor, instead of what the kernel would. */
static struct {
	int fd;
	int content_error, sync_error;
} failing;
static unsigned synced;

/* In place of the C library's. */
int sync_file_range(int fd, off64_t offset, off64_t length, unsigned flags)
{
	if (fd == failing.fd && failing.content_error && (flags & SYNC_FILE_RANGE_WAIT_AFTER)) {
		errno = failing.content_error;
		return -1;
	}
	return (int)syscall(SYS_sync_file_range, fd, offset, length, flags);
}

int fsync(int fd)
{
	synced++;
	if (fd == failing.fd && failing.sync_error) {
		errno = failing.sync_error;
		return -1;
	}
	return (int)syscall(SYS_fsync, fd);
}

struct fixture {
	struct scratch scratch;
	int fds[FILES], errors[FILES];
};

static int setup(void **state)
{
	static struct fixture fixture;

	scratch_make(&fixture.scratch);
	for (int i = 0; i < FILES; i++) {
		const char name[] = { (char)('a' + i), '\0' };

		fixture.fds[i] = openat(fixture.scratch.fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		assert_true(fixture.fds[i] >= 0);
		assert_int_equal(write(fixture.fds[i], "content\n", 8), 8);
		fixture.errors[i] = -1;
	}
	failing.fd = -1;
	failing.content_error = failing.sync_error = 0;
	synced = 0;
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < FILES; i++)
		(void)close(fixture->fds[i]);
	scratch_remove(&fixture->scratch);
	return 0;
}

static void sync_and_expect(struct fixture *fixture, int first, int second, int third)
{
	sync_files(fixture->fds, FILES, fixture->errors);
	assert_int_equal(fixture->errors[0], first);
	assert_int_equal(fixture->errors[1], second);
	assert_int_equal(fixture->errors[2], third);
	assert_int_equal(synced, FILES);
}

static void all_are_synced(void **state)
{
	sync_and_expect(*state, 0, 0, 0);
}

static void a_file_that_cannot_be_synced_is_named_and_the_others_are_synced(void **state)
{
	struct fixture *fixture = *state;

	failing.fd = fixture->fds[1];
	failing.sync_error = EIO;
	sync_and_expect(fixture, 0, EIO, 0);
}

/* The kernel tells a failed write once for each descriptor; a later fsync() says that all is well. */
static void content_that_did_not_reach_the_disk_is_told_though_fsync_says_nothing(void **state)
{
	struct fixture *fixture = *state;

	failing.fd = fixture->fds[2];
	failing.content_error = EIO;
	sync_and_expect(fixture, 0, 0, EIO);
	failing.content_error = ENOSPC;
	failing.sync_error = EIO;
	synced = 0;
	sync_and_expect(fixture, 0, 0, ENOSPC);
}

static void a_kernel_without_that_call_is_no_failure(void **state)
{
	static const int unknown[] = { ENOSYS, EINVAL, ESPIPE, EOPNOTSUPP, EPERM };
	struct fixture *fixture = *state;

	failing.fd = fixture->fds[0];
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		failing.content_error = unknown[i];
		synced = 0;
		sync_and_expect(fixture, 0, 0, 0);
	}
}

static void a_directory_is_synced_too(void **state)
{
	struct fixture *fixture = *state;
	int error = -1;

	sync_files(&fixture->scratch.fd, 1, &error);
	assert_int_equal(error, 0);
	assert_int_equal(synced, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(all_are_synced),
		TEST(a_file_that_cannot_be_synced_is_named_and_the_others_are_synced),
		TEST(content_that_did_not_reach_the_disk_is_told_though_fsync_says_nothing),
		TEST(a_kernel_without_that_call_is_no_failure),
		TEST(a_directory_is_synced_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
