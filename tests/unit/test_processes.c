/*
 * Ending what runs as a uid: all of it, and nothing else. Needs root, to become other users.
 */
#include "provisiond/processes.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "provisiond/passwd.h"

#define ALICE 2022975774u
#define BOB 2000300000u
#define SUBIDS 500000u

/* A process that waits with these uids until it is ended. */
static pid_t start(uid_t real, uid_t effective, uid_t saved, const char *name)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)close(ready[0]);
		if (name)
			(void)prctl(PR_SET_NAME, name);
		if (setresuid(real, effective, saved) != 0)
			_exit(1);
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			(void)pause();
	}
	(void)close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);
	return pid;
}

static int need_root(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	return 0;
}

static void assert_ended_by(pid_t pid, int signal_number)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), signal_number);
}

static void assert_lives(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

static size_t signalled(uid_t uid, uint32_t first_subid, int signal_number)
{
	size_t count = 99;

	assert_int_equal(processes_signal("/proc", uid, first_subid, signal_number, &count), 0);
	return count;
}

static void all_of_a_user_are_signalled_and_nobody_else(void **state)
{
	pid_t one = start(ALICE, ALICE, ALICE, NULL), other = start(ALICE, ALICE, ALICE, NULL);
	pid_t bob = start(BOB, BOB, BOB, NULL), root = start(0, 0, 0, NULL);

	(void)state;
	assert_int_equal(signalled(ALICE, 0, SIGTERM), 2);
	assert_ended_by(one, SIGTERM);
	assert_ended_by(other, SIGTERM);
	assert_int_equal(signalled(ALICE, 0, SIGKILL), 0);
	assert_lives(bob);
	assert_lives(root);
}

/* su and sudo have the person's uid as one of several. */
static void any_of_the_uids_counts(void **state)
{
	pid_t real = start(ALICE, BOB, BOB, NULL), effective = start(BOB, ALICE, BOB, NULL),
	      saved = start(BOB, BOB, ALICE, NULL);

	(void)state;
	assert_int_equal(signalled(ALICE, 0, SIGKILL), 3);
	assert_ended_by(real, SIGKILL);
	assert_ended_by(effective, SIGKILL);
	assert_ended_by(saved, SIGKILL);
}

static void subordinate_uids_are_ended_too(void **state)
{
	pid_t first = start(SUBIDS, SUBIDS, SUBIDS, NULL);
	pid_t last = start(SUBIDS + SUBID_COUNT - 1, SUBIDS + SUBID_COUNT - 1, SUBIDS + SUBID_COUNT - 1, NULL);
	pid_t before = start(SUBIDS - 1, SUBIDS - 1, SUBIDS - 1, NULL);
	pid_t behind = start(SUBIDS + SUBID_COUNT, SUBIDS + SUBID_COUNT, SUBIDS + SUBID_COUNT, NULL);

	(void)state;
	assert_int_equal(signalled(ALICE, 0, SIGKILL), 0);
	assert_int_equal(signalled(ALICE, SUBIDS, SIGKILL), 2);
	assert_ended_by(first, SIGKILL);
	assert_ended_by(last, SIGKILL);
	assert_lives(before);
	assert_lives(behind);
}

/* A process may call itself what it likes. */
static void a_name_is_not_taken_for_a_uid(void **state)
{
	char name[16];
	pid_t bob;

	(void)state;
	(void)snprintf(name, sizeof(name), "\nUid:\t%lu", (unsigned long)10001);
	bob = start(BOB, BOB, BOB, name);
	assert_int_equal(signalled(10001, 0, SIGKILL), 0);
	assert_lives(bob);
}

static void one_that_has_ended_does_not_count(void **state)
{
	pid_t zombie = start(ALICE, ALICE, ALICE, NULL);
	siginfo_t info;

	(void)state;
	assert_int_equal(kill(zombie, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, (id_t)zombie, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(signalled(ALICE, 0, SIGKILL), 0);
	assert_ended_by(zombie, SIGKILL);
}

/* As kernels before 5.3 answer, and valgrind. For this process and its children, and for good. */
static bool refuse_to_hold(void)
{
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { .len = sizeof(program) / sizeof(program[0]), .filter = program };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

static void where_none_can_be_held_they_are_ended_all_the_same(void **state)
{
	pid_t alice = start(ALICE, ALICE, ALICE, NULL), bob = start(BOB, BOB, BOB, NULL), child = fork();
	int status;

	(void)state;
	if (child == 0) {
		size_t count = 99;

		if (!refuse_to_hold())
			_exit(2);
		_exit(processes_signal("/proc", ALICE, 0, SIGKILL, &count) == 0 && count == 1 ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
		skip();
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_ended_by(alice, SIGKILL);
	assert_lives(bob);
}

static void the_systems_own_are_never_ended(void **state)
{
	static const uid_t never[] = { 0, 1, 999, (uid_t)-1 };
	size_t count = 99;

	(void)state;
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		assert_int_equal(processes_signal("/proc", never[i], 0, 0, &count), -EINVAL);
	assert_int_equal(processes_signal("/proc", ALICE, 999, 0, &count), -EINVAL);
	assert_int_equal(count, 99);
}

static void without_the_right_to_signal_it_is_said(void **state)
{
	pid_t alice = start(ALICE, ALICE, ALICE, NULL);
	size_t count = 99;

	(void)state;
	assert_int_equal(seteuid(BOB), 0);
	assert_int_equal(processes_signal("/proc", ALICE, 0, SIGKILL, &count), -EPERM);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(count, 1);
	assert_lives(alice);
}

static void without_proc_nothing_is_known(void **state)
{
	size_t count = 99;

	(void)state;
	assert_int_equal(processes_signal("/proc/nowhere", ALICE, 0, SIGKILL, &count), -ENOENT);
	assert_int_equal(count, 99);
}

#define TEST(function) cmocka_unit_test_setup(function, need_root)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_of_a_user_are_signalled_and_nobody_else),
		TEST(any_of_the_uids_counts),
		TEST(subordinate_uids_are_ended_too),
		TEST(a_name_is_not_taken_for_a_uid),
		TEST(one_that_has_ended_does_not_count),
		TEST(where_none_can_be_held_they_are_ended_all_the_same),
		TEST(the_systems_own_are_never_ended),
		TEST(without_the_right_to_signal_it_is_said),
		TEST(without_proc_nothing_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
