/*
 * provisiond killed while it makes an account: before each of its system calls, one after the other. Whatever is there
 * then, the next start leaves a whole account or none.
 */
#include "provisiond/lifecycle.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "common/log.h"
#include "alices_account.h"

#define STEPS_MAX 5000
#define NO_PTRACE 99 /* exit status where the kernel does not let us */

/* Makes the account in a child and kills that before its system call number `step`. False when it had ended by then. */
static bool make_and_be_killed(const char *root, long step, enum reason expected)
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		struct small_machine machine = { 0 };

		(void)strcpy(machine.root, root);
		machine_open(&machine);
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
			_exit(NO_PTRACE);
		(void)raise(SIGSTOP);
		_exit((int)serve(&machine, true).reason);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == NO_PTRACE)
		skip();
	assert_true(WIFSTOPPED(status));
	assert_int_equal(ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)(PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD)),
			 0);
	/* Each call stops twice: before and after. */
	for (long stops = 0; stops < 2 * step - 1; stops++) {
		assert_int_equal(ptrace(PTRACE_SYSCALL, child, NULL, NULL), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		if (WIFEXITED(status)) {
			assert_int_equal(WEXITSTATUS(status), expected);
			return false;
		}
		assert_true(WIFSTOPPED(status) && WSTOPSIG(status) == (SIGTRAP | 0x80));
	}
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	return true;
}

/* Returns whether there was such a step. */
static bool kill_at(long step, unsigned *finished, unsigned *undone)
{
	struct small_machine machine;
	struct order order;
	bool killed;

	machine_make(&machine);
	machine_close(&machine);
	killed = make_and_be_killed(machine.root, step, REASON_NONE);
	machine_open(&machine);
	(void)serve(&machine, false);
	if (assert_whole_or_none(&machine))
		(*finished)++;
	else
		(*undone)++;
	/* And the person gets in at the next attempt. */
	order = serve(&machine, true);
	assert_int_equal(order.reason, REASON_NONE);
	assert_true(assert_whole_or_none(&machine));
	machine_remove(&machine);
	return killed;
}

static void a_kill_before_any_system_call_leaves_a_whole_account_or_none(void **state)
{
	unsigned finished = 0, undone = 0;
	long step = 1;

	(void)state;
	while (step < STEPS_MAX && kill_at(step, &finished, &undone))
		step++;
	print_message("killed at %ld system calls: %u accounts finished, %u undone\n", step - 1, finished, undone);
	assert_in_range(step, 50, STEPS_MAX - 1);
	assert_in_range(undone, 10, STEPS_MAX);
	assert_in_range(finished, 10, STEPS_MAX);
}

/* Somebody else's folder stands where the home should be, so the account is taken back again. */
static bool kill_at_undoing(long step)
{
	struct small_machine machine;
	struct account_record record = { 0 };
	bool killed;

	machine_make(&machine);
	machine_folder(&machine, "/home/alice", 0700);
	machine_close(&machine);
	killed = make_and_be_killed(machine.root, step, REASON_HOME_EXISTS);
	machine_open(&machine);
	(void)serve(&machine, false);
	assert_int_equal(store_account_by_name(machine.store, "alice", &record), STORE_NONE);
	for (size_t i = 0; i < sizeof(account_file_paths) / sizeof(account_file_paths[0]); i++)
		assert_false(machine_has_row(&machine, account_file_paths[i], "alice"));
	assert_true(machine_has(&machine, "/home/alice"));
	assert_int_equal(count_entries(&machine, "/home"), 1);
	machine_remove(&machine);
	return killed;
}

static void a_kill_while_an_account_is_taken_back_leaves_nothing_of_it(void **state)
{
	long step = 1;

	(void)state;
	while (step < STEPS_MAX && kill_at_undoing(step))
		step++;
	print_message("killed at %ld system calls\n", step - 1);
	assert_in_range(step, 50, STEPS_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kill_before_any_system_call_leaves_a_whole_account_or_none),
		cmocka_unit_test(a_kill_while_an_account_is_taken_back_leaves_nothing_of_it),
	};

	if (geteuid() != 0) {
		print_message("skipped: only root can make homes that belong to others\n");
		return 0;
	}
	log_divert(say_nothing);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
