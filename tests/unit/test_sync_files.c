/*
 * Syncing of several files: every failure is told for the file it belongs to, whichever call of the kernel's tells it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "provisiond/sync_files.h"
#include "tests/unit/scratch.h"

#define FILES 3

/* What the calls answer for one descriptor, instead of what the kernel would. */
static struct {
	int fd;
	int content_error, sync_error;
	bool no_context;           /* the kernel has no asynchronous I/O, or does not let us */
	unsigned interrupted_left; /* waits that end by a signal */
} failing;
static unsigned synced, begun; /* one by one, and all at once */
static unsigned contexts;      /* that there are */

static void fail_events(struct io_event *events, long count, const int *fds)
{
	for (long i = 0; i < count; i++)
		if (failing.sync_error && fds[events[i].data] == failing.fd)
			events[i].res = -failing.sync_error;
}

static const int *fds_now; /* the descriptors of the test that runs */

/* The linker sends the product's calls here. */
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
long __wrap_syscall(long number, ...)
{
	long arguments[5], result;
	va_list list;

	va_start(list, number);
	for (size_t i = 0; i < 5; i++)
		arguments[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_io_setup && failing.no_context) {
		errno = ENOSYS;
		return -1;
	}
	if (number == SYS_io_getevents && failing.interrupted_left > 0) {
		failing.interrupted_left--;
		errno = EINTR;
		return -1;
	}
	result = __real_syscall(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4]);
	contexts += number == SYS_io_setup && result == 0;
	contexts -= number == SYS_io_destroy && result == 0;
	if (number == SYS_io_submit && result > 0)
		begun += (unsigned)result;
	if (number == SYS_io_getevents && result > 0)
		fail_events((struct io_event *)arguments[3], result, fds_now); /* NOLINT(performance-no-int-to-ptr) */
	return result;
}

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
	failing.no_context = false;
	failing.interrupted_left = 0;
	synced = begun = 0;
	fds_now = fixture.fds;
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

static void expect_errors(struct fixture *fixture, int first, int second, int third)
{
	synced = begun = 0;
	sync_files(fixture->fds, FILES, fixture->errors);
	assert_int_equal(fixture->errors[0], first);
	assert_int_equal(fixture->errors[1], second);
	assert_int_equal(fixture->errors[2], third);
}

/* In both ways. The context that was made once stays: only a forked process has none. */
static void sync_and_expect(struct fixture *fixture, int first, int second, int third)
{
	pid_t child;
	int status;

	expect_errors(fixture, first, second, third);
	assert_int_equal(begun, FILES);
	assert_int_equal(synced, 0);
	child = fork();
	if (child == 0) {
		failing.no_context = true;
		expect_errors(fixture, first, second, third); /* the context is its parent's, and invalid */
		expect_errors(fixture, first, second, third); /* and there is no other one */
		_exit(begun == 0 && synced == FILES ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
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

static void a_signal_does_not_end_the_waiting(void **state)
{
	failing.interrupted_left = 3;
	sync_and_expect(*state, 0, 0, 0);
	assert_int_equal(failing.interrupted_left, 0);
}

static void after_a_fork_they_are_synced_all_the_same(void **state)
{
	struct fixture *fixture = *state;
	pid_t child;
	int status;

	expect_errors(fixture, 0, 0, 0);
	child = fork();
	if (child == 0) {
		expect_errors(fixture, 0, 0, 0);
		if (begun != 0 || synced != FILES)
			_exit(1);
		expect_errors(fixture, 0, 0, 0); /* by a context of its own */
		_exit(begun == FILES && synced == 0 ? 0 : 2);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void what_the_kernel_does_not_begin_is_synced_alone(void **state)
{
	struct fixture *fixture = *state;
	int ends[2], mine = fixture->fds[1];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	fixture->fds[1] = ends[1];
	expect_errors(fixture, 0, EINVAL, 0);
	assert_int_equal(begun, 1);
	assert_int_equal(synced, FILES);
	fixture->fds[1] = mine;
	/* Also as the first; and it costs the kernel nothing that lasts. */
	mine = fixture->fds[0];
	fixture->fds[0] = ends[1];
	for (int i = 0; i < 3; i++) {
		expect_errors(fixture, EINVAL, 0, 0);
		assert_int_equal(begun, 0);
		assert_int_equal(synced, FILES);
		assert_int_equal(contexts, 0);
	}
	fixture->fds[0] = mine;
	mine = fixture->fds[1];
	(void)close(ends[0]);
	(void)close(ends[1]);
	/* What cannot be synced at all, before anything else. */
	fixture->fds[1] = -1;
	expect_errors(fixture, 0, EBADF, 0);
	fixture->fds[1] = mine;
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
	sync_and_expect(fixture, 0, 0, ENOSPC);
}

static void a_kernel_without_that_call_is_no_failure(void **state)
{
	static const int unknown[] = { ENOSYS, EINVAL, ESPIPE, EOPNOTSUPP, EPERM };
	struct fixture *fixture = *state;

	failing.fd = fixture->fds[0];
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		failing.content_error = unknown[i];
		sync_and_expect(fixture, 0, 0, 0);
	}
}

static void a_directory_is_synced_too(void **state)
{
	struct fixture *fixture = *state;
	int error = -1;

	sync_files(&fixture->scratch.fd, 1, &error);
	assert_int_equal(error, 0);
	assert_int_equal(synced, 1); /* alone, so in the plain way */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(all_are_synced),
		TEST(a_file_that_cannot_be_synced_is_named_and_the_others_are_synced),
		TEST(a_signal_does_not_end_the_waiting),
		TEST(after_a_fork_they_are_synced_all_the_same),
		TEST(what_the_kernel_does_not_begin_is_synced_alone),
		TEST(content_that_did_not_reach_the_disk_is_told_though_fsync_says_nothing),
		TEST(a_kernel_without_that_call_is_no_failure),
		TEST(a_directory_is_synced_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
