/*
 * Making an account while something fails: each allocation, each system call, each call of the database. Whatever it
 * is, whoever asked is answered once; the account is there as a whole or nothing of it is; and the next attempt
 * succeeds.
 */
#include "provisiond/lifecycle.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include "alices_account.h"
#include "failing_each.h"

static const struct failing_manner manners[] = {
	{ "no memory, once", FAILING_MEMORY, ENOMEM, FAILING_ONCE },
	{ "no memory any more", FAILING_MEMORY, ENOMEM, FAILING_FOREVER },
	{ "an I/O error, once", FAILING_CALLS, EIO, FAILING_ONCE },
	{ "I/O errors from then on", FAILING_CALLS, EIO, FAILING_FOREVER },
	{ "an interruption, once", FAILING_CALLS, EINTR, FAILING_ONCE },
	{ "a full disk", FAILING_DISK | FAILING_DATABASE, ENOSPC, FAILING_FOREVER },
	{ "a disk that has become read-only", FAILING_DISK | FAILING_DATABASE, EROFS, FAILING_FOREVER },
	{ "a database without memory, once", FAILING_LIBRARY, ENOMEM, FAILING_ONCE },
	{ "a database without memory from then on", FAILING_LIBRARY, ENOMEM, FAILING_FOREVER },
	{ "a database with an I/O error, once", FAILING_DATABASE, EIO, FAILING_ONCE },
	{ "a database with I/O errors from then on", FAILING_DATABASE, EIO, FAILING_FOREVER },
};

static unsigned complaints;

static void count_complaints(int priority, const char *line)
{
	(void)line;
	complaints += priority <= LOG_ERR;
}

/* All four files have the rows, or none has. */
static bool rows_of_alice(const struct small_machine *machine)
{
	bool there = machine_has_row(machine, account_file_paths[0], "alice");

	for (size_t i = 1; i < sizeof(account_file_paths) / sizeof(account_file_paths[0]); i++)
		assert_int_equal(machine_has_row(machine, account_file_paths[i], "alice"), there);
	return there;
}

static struct order make_while_failing(struct small_machine *machine, const struct failing_manner *manner, unsigned n,
				       bool *ret_failed)
{
	struct order order = { .machine = machine, .reason = REASON_COUNT };
	const struct lifecycle_work work = { .decide = decide, .done = done, .context = &order };
	struct lifecycle *lifecycle;

	complaints = 0;
	failing_arm(manner->kinds, n, manner->error, manner->times);
	lifecycle = lifecycle_new(machine->store, machine->files, &machine->homes);
	if (lifecycle) {
		lifecycle_configure(lifecycle, &machine->accounts);
		lifecycle_queue(lifecycle, &work, 0);
		lifecycle_run(lifecycle, 0);
		lifecycle_free(lifecycle);
	}
	*ret_failed = failing_disarm();
	if (lifecycle)
		assert_int_equal(order.answers, 1);
	return order;
}

/* Where only one call failed, the files agree at once; else at the latest when provisiond starts the next time. */
static bool make_account(void *context, const struct failing_manner *manner, unsigned n)
{
	unsigned *made = context;
	struct small_machine machine;
	struct order order;
	bool failed;

	machine_make(&machine);
	order = make_while_failing(&machine, manner, n, &failed);
	if (manner->times == FAILING_ONCE)
		assert_int_equal(rows_of_alice(&machine), order.made);
	assert_int_equal(order.made, order.reason == REASON_NONE);
	if (order.answers > 0 && !order.made)
		assert_in_range(complaints, 1, 1000);
	machine_close(&machine);
	machine_open(&machine);
	(void)serve(&machine, false);
	if (assert_whole_or_none(&machine))
		++*made;
	else
		assert_false(order.made);
	order = serve(&machine, true);
	assert_int_equal(order.reason, REASON_NONE);
	assert_true(assert_whole_or_none(&machine));
	machine_remove(&machine);
	return failed;
}

static void whatever_fails_leaves_a_whole_account_or_none(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(manners) / sizeof(manners[0]); i++) {
		unsigned made = 0, calls = failing_each(make_account, &made, &manners[i]);

		print_message("%s: at %u calls, %u accounts made all the same\n", manners[i].name, calls, made);
		assert_in_range(calls, 1, FAILING_N_MAX - 1);
	}
}

/* Somebody else's folder stands where the home should be, so that the account is taken back. */
static bool take_back(void *context, const struct failing_manner *manner, unsigned n)
{
	struct small_machine machine;
	struct account_record record = { 0 };
	struct order order;
	bool failed;

	(void)context;
	machine_make(&machine);
	machine_folder(&machine, "/home/alice", 0700);
	order = make_while_failing(&machine, manner, n, &failed);
	assert_false(order.made);
	machine_close(&machine);
	machine_open(&machine);
	(void)serve(&machine, false);
	assert_int_equal(store_account_by_name(machine.store, "alice", &record), STORE_NONE);
	assert_false(rows_of_alice(&machine));
	assert_true(machine_has(&machine, "/home/alice"));
	assert_int_equal(count_entries(&machine, "/home"), 1);
	machine_remove(&machine);
	return failed;
}

static void whatever_fails_while_an_account_is_taken_back_leaves_nothing_of_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(manners) / sizeof(manners[0]); i++)
		assert_in_range(failing_each(take_back, NULL, &manners[i]), 1, FAILING_N_MAX - 1);
}

/* A start that finds an account half made, and everything fails in turn. */
static bool recover_while_failing(void *context, const struct failing_manner *manner, unsigned n)
{
	static const struct failing_manner cut = { "", FAILING_CALLS, EIO, FAILING_FOREVER };
	unsigned cut_at = *(unsigned *)context;
	struct small_machine machine;
	struct lifecycle *lifecycle;
	bool failed;

	machine_make(&machine);
	(void)make_while_failing(&machine, &cut, cut_at, &failed);
	failing_arm(manner->kinds, n, manner->error, manner->times);
	lifecycle = lifecycle_new(machine.store, machine.files, &machine.homes);
	if (lifecycle) {
		lifecycle_configure(lifecycle, &machine.accounts);
		lifecycle_recover(lifecycle);
		lifecycle_run(lifecycle, 0);
	}
	failed = failing_disarm();
	/* What could not be ended is tried again within a minute or so. */
	if (lifecycle) {
		int64_t due_ms = lifecycle_deadline_ms(lifecycle);

		assert_in_range(due_ms + 1, 0, 60001);
		if (due_ms >= 0)
			lifecycle_run(lifecycle, due_ms);
		lifecycle_free(lifecycle);
	}
	/* Old versions that could not be tidied away after a change are, at the latest at the next start. */
	if (!lifecycle || manner->times == FAILING_FOREVER)
		(void)serve(&machine, false);
	(void)assert_whole_or_none(&machine);
	assert_int_equal(serve(&machine, true).reason, REASON_NONE);
	assert_true(assert_whole_or_none(&machine));
	machine_remove(&machine);
	return failed;
}

static void whatever_fails_while_recovering_is_recovered_later(void **state)
{
	/* Cut before, between and after the renames, and while the home is made. */
	static const unsigned cuts[] = { 20, 50, 66, 70, 74, 78, 90 };

	(void)state;
	for (size_t i = 0; i < sizeof(manners) / sizeof(manners[0]); i++)
		for (size_t c = 0; c < sizeof(cuts) / sizeof(cuts[0]); c++) {
			unsigned cut_at = cuts[c];

			(void)failing_each(recover_while_failing, &cut_at, &manners[i]);
		}
}

/* Opening what provisiond keeps open. */
static bool open_machine(void *context, const struct failing_manner *manner, unsigned n)
{
	const char *root = context;
	struct account_files *files = NULL;
	struct store *store = NULL;
	char path[256], fault[512] = "";
	bool failed;
	int opened;

	(void)snprintf(path, sizeof(path), "%s/var/new.db", root);
	failing_arm(manner->kinds, n, manner->error, manner->times);
	opened = account_files_open(root, geteuid(), &files);
	store = store_open(path, fault, sizeof(fault));
	failed = failing_disarm();
	assert_int_equal(opened == 0, files != NULL);
	assert_int_equal(store == NULL, fault[0] != '\0');
	account_files_close(files);
	store_close(store);
	/* Whatever was left behind of the database can be used. */
	fault[0] = '\0';
	store = store_open(path, fault, sizeof(fault));
	if (!store)
		fail_msg("%s", fault);
	store_close(store);
	(void)unlink(path);
	return failed;
}

static void whatever_fails_while_opening_is_told_and_can_be_opened_later(void **state)
{
	struct small_machine machine;

	(void)state;
	machine_make(&machine);
	for (size_t i = 0; i < sizeof(manners) / sizeof(manners[0]); i++)
		assert_in_range(failing_each(open_machine, machine.root, &manners[i]), 1, FAILING_N_MAX - 1);
	machine_remove(&machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(whatever_fails_while_opening_is_told_and_can_be_opened_later, say_where),
		cmocka_unit_test_teardown(whatever_fails_leaves_a_whole_account_or_none, say_where),
		cmocka_unit_test_teardown(whatever_fails_while_an_account_is_taken_back_leaves_nothing_of_it,
					  say_where),
		cmocka_unit_test_teardown(whatever_fails_while_recovering_is_recovered_later, say_where),
	};

	if (geteuid() != 0) {
		print_message("skipped: only root can make homes that belong to others\n");
		return 0;
	}
	failing_open_doors();
	log_divert(count_complaints);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
