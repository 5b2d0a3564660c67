/*
 * provisiond killed while it makes an account: before each of its system calls, one after the other. Whatever is there
 * then, the next start leaves a whole account or none.
 */
#include "provisiond/lifecycle.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "common/log.h"
#include "small_machine.h"

#define ALICE_UID 2022975774U
#define STEPS_MAX 5000
#define NO_PTRACE 99 /* exit status where the kernel does not let us */

static const char *const files[] = { "/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow" };

static void say_nothing(int priority, const char *line)
{
	(void)priority;
	(void)line;
}

struct order {
	struct small_machine *machine;
	bool made;
	enum reason reason;
};

static enum lifecycle_decision decide(void *context, struct account_record *ret_record)
{
	struct order *order = context;
	struct account_record there = { 0 };
	enum store_answer found = store_account_by_name(order->machine->store, "alice", &there);

	account_record_clear(&there);
	if (found != STORE_NONE)
		return LIFECYCLE_NOTHING;
	*ret_record = (struct account_record){
		.name = "alice",
		.uid = ALICE_UID,
		.gid = ALICE_UID,
		.tenant = "clinic",
		.issuer = "https://clinic.example",
		.subject = "00ualice",
		.email = "alice@clinic.example",
		.full_name = "Alice Example",
		.home = "/home/alice",
		.shell = "/bin/bash",
		.created_at = 1700000000,
		.last_signin_at = 1700000000,
	};
	return LIFECYCLE_CREATE;
}

static void done(void *context, enum reason reason, bool created)
{
	struct order *order = context;

	order->made = created;
	order->reason = reason;
}

/* One start of provisiond: recovery, then Alice's account. */
static struct order serve(struct small_machine *machine, bool create)
{
	struct order order = { .machine = machine };
	const struct lifecycle_work work = { .decide = decide, .done = done, .context = &order };
	struct lifecycle *lifecycle = lifecycle_new(machine->store, machine->files, &machine->homes);

	lifecycle_configure(lifecycle, &machine->accounts);
	lifecycle_recover(lifecycle);
	if (create)
		lifecycle_queue(lifecycle, &work, 0);
	lifecycle_run(lifecycle, 0);
	lifecycle_free(lifecycle);
	return order;
}

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

static unsigned count_entries(const struct small_machine *machine, const char *path)
{
	char full[256];
	unsigned count = 0;
	DIR *folder;

	machine_path(machine, path, full);
	folder = opendir(full);
	assert_non_null(folder);
	while (readdir(folder))
		count++;
	(void)closedir(folder);
	return count - 2;
}

/* In /etc are the files, the copies before the last change that other tools keep too, and nothing else. */
static void assert_nothing_temporary(const struct small_machine *machine)
{
	static const char *const names[] = { ".",     "..",      ".pwd.lock", "skel",    "passwd", "shadow",
					     "group", "gshadow", "passwd-",   "shadow-", "group-", "gshadow-" };
	const struct dirent *entry;
	char full[256];
	DIR *folder;

	machine_path(machine, "/etc", full);
	folder = opendir(full);
	assert_non_null(folder);
	while ((entry = readdir(folder)) != NULL) {
		bool known = false;

		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			known |= strcmp(entry->d_name, names[i]) == 0;
		if (!known)
			fail_msg("%s was left in /etc", entry->d_name);
	}
	(void)closedir(folder);
}

/* Whole or not there; nothing in between, and nothing beside. Returns whether it is there. */
static bool assert_whole_or_none(const struct small_machine *machine)
{
	struct account_record record = { 0 };
	bool there = store_account_by_name(machine->store, "alice", &record) == STORE_FOUND;

	if (there)
		assert_int_equal(record.state, ACCOUNT_ACTIVE);
	account_record_clear(&record);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		assert_int_equal(machine_has_row(machine, files[i], "alice"), there);
	assert_int_equal(machine_has(machine, "/home/alice"), there);
	assert_int_equal(machine_has(machine, "/home/alice/.profile"), there);
	assert_int_equal(count_entries(machine, "/home"), there);
	assert_nothing_temporary(machine);
	assert_true(machine_has_row(machine, "/etc/passwd", "root"));
	assert_true(machine_has_row(machine, "/etc/shadow", "local"));
	return there;
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
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		assert_false(machine_has_row(&machine, files[i], "alice"));
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
