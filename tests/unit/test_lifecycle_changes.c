/*
 * How accounts are changed: what each kind of change comes to, what happens when the files contradict or cannot be
 * written, how sessions end, and what the journal is told. (What a kill, a fault or a power cut leaves is in
 * test_lifecycle_killed.c, _faults.c and _power_cuts.c.)
 */
#include <sys/wait.h>
#include <time.h>

#include "account_lives.h"

/* ---- what the journal is told ---- */

static char journal[65536];

static void keep_journal(int priority, const char *line)
{
	size_t used = strlen(journal);

	(void)priority;
	(void)snprintf(journal + used, sizeof(journal) - used, "%s\n", line);
}

static unsigned told(const char *text)
{
	unsigned count = 0;

	for (const char *at = journal; (at = strstr(at, text)) != NULL; at++)
		count++;
	return count;
}

/* ---- a machine with its lifecycle ---- */

struct bench {
	struct small_machine machine;
	struct lifecycle *lifecycle;
	char proc[256];
	pid_t session;
};

static void start(struct bench *bench)
{
	bench->lifecycle = lifecycle_new(bench->machine.store, bench->machine.files, &bench->machine.homes);
	assert_non_null(bench->lifecycle);
	machine_path(&bench->machine, "/proc", bench->proc);
	lifecycle_configure(bench->lifecycle, &bench->machine.accounts);
	lifecycle_use_root(bench->lifecycle, bench->machine.root, bench->proc);
}

static int make(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	journal[0] = '\0';
	log_divert(keep_journal);
	machine_make(&bench->machine);
	start(bench);
	*state = bench;
	return 0;
}

static int unmake(void **state)
{
	struct bench *bench = *state;

	lifecycle_free(bench->lifecycle);
	if (bench->session > 0) {
		(void)kill(bench->session, SIGKILL);
		(void)waitpid(bench->session, NULL, 0);
	}
	machine_remove(&bench->machine);
	free(bench);
	return 0;
}

static void queue(struct bench *bench, struct life_run *run, const struct life_order *order, bool tells)
{
	const struct lifecycle_work work = { .decide = life_decide, .done = life_done, .context = run, .tells = tells };

	*run = (struct life_run){ .machine = &bench->machine, .order = order, .reason = REASON_COUNT };
	lifecycle_queue(bench->lifecycle, &work, 0);
}

static void assert_done(const struct life_run *run)
{
	assert_int_equal(run->answers, 1);
	assert_string_equal(reason_name(run->reason), reason_name(REASON_NONE));
	assert_true(run->done);
}

static void assert_refused(const struct life_run *run)
{
	assert_int_equal(run->answers, 1);
	assert_string_equal(reason_name(run->reason), reason_name(REASON_STORAGE));
	assert_false(run->done);
}

static const struct life_order bobs_creation = CREATE("bob", is_usable, make_bob);
static const struct life_order update = CHANGE("alice", is_updated, make_update);
static const struct life_order deactivation = CHANGE("alice", is_deactivated, make_deactivation);
static const struct life_order reactivation = CHANGE("alice", is_active, make_reactivation);
static const struct life_order removal = CHANGE("alice", is_removed, make_removal);

static enum account_state state_of(const struct bench *bench, const char *account)
{
	_cleanup_record_ struct account_record record = { 0 };

	assert_int_equal(store_account_by_name(bench->machine.store, account, &record), STORE_FOUND);
	return record.state;
}

static bool is_unfinished(const struct bench *bench)
{
	_cleanup_planned_change_ struct planned_change change = { 0 };
	enum store_answer found = store_change_of(bench->machine.store, "alice", &change);

	assert_int_not_equal(found, STORE_FAILED);
	return found == STORE_FOUND;
}

static void alice_loses_her_rows(const struct bench *bench)
{
	const struct account_identity alice = { .name = "alice", .uid = ALICES_UID, .gid = ALICES_UID, .whole = true };

	assert_int_equal(account_files_lock(bench->machine.files), 0);
	assert_int_equal(account_files_remove(bench->machine.files, &alice, 1), ACCOUNT_FILES_DONE);
	account_files_unlock(bench->machine.files);
}

static void set_shadow_mode(const struct bench *bench, mode_t mode)
{
	char path[256];

	machine_path(&bench->machine, "/etc/shadow", path);
	assert_int_equal(chmod(path, mode), 0);
}

/* ---- each kind ---- */

static bool has_line(const char *dump, const char *line)
{
	const char *at = strstr(dump, line);

	return at && (at == dump || at[-1] == '\n');
}

static void every_kind_of_change_comes_to_what_it_says(void **state)
{
	static const struct {
		const char *scenario, *lines[6];
	} expected[] = {
		{ "creation",
		  { "in radiology\n", "/etc/shadow alice:*:DAY::::::\n", "/etc/subuid alice:165536:65536\n",
		    "/home/alice 40700 2022975774:2022975774 0\n", "record active ", "/home/alice/.profile" } },
		{ "creation with an open question", { "/etc/shadow alice:!*:DAY:::::1:\n", "record incomplete " } },
		{ "return", { "/etc/subuid alice:300000:65536\n", "/home/alice/letter ", "record active " } },
		{ "update",
		  { "in wards\n", "/etc/passwd alice:x:2022975774:2022975774:Alice New:/home/alice:/bin/bash\n" } },
		{ "answer", { "/etc/shadow alice:*:DAY::::::\n", "record active " } },
		{ "link",
		  { "/etc/shadow locum:!$y$locum:DAY::::::\n",
		    "/etc/passwd locum:x:1003:1000:New Locum:/home/locum:/bin/sh\n", "in radiology\n" } },
		{ "unlink",
		  { "/etc/shadow locum:$y$locum:DAY:0:99999:7:::\n",
		    "/etc/passwd locum:x:1003:1000:Old Locum:/home/locum:/bin/sh\n" } },
		{ "deactivation", { "/etc/shadow alice:!*:DAY:::::1:\n", "record deactivated ", "in radiology\n" } },
		{ "reactivation", { "/etc/shadow alice:*:DAY::::::\n", "record active " } },
		{ "removal", { "/var/spool/cron/crontabs/.alice.2022975774 ", "record removed " } },
		{ "reassignment",
		  { "/home/alice.2022975774 40700 2022975774:2022975774 0\n", "reserved 2011111111\n", "former\n" } },
	};

	(void)state;
	for (size_t i = 0; i < SCENARIOS; i++) {
		struct life life;

		life_begin(&scenarios[i], &life);
		for (size_t n = 0; n < sizeof(expected) / sizeof(expected[0]); n++)
			for (size_t l = 0; l < 6 && strcmp(expected[n].scenario, scenarios[i].name) == 0; l++)
				if (expected[n].lines[l] && !has_line(life.after[0], expected[n].lines[l]))
					fail_msg("%s: no %s in\n%s", scenarios[i].name, expected[n].lines[l],
						 life.after[0]);
		life_end(&life);
	}
}

static void nothing_of_a_removed_account_is_left_in_the_files(void **state)
{
	struct bench *bench = *state;
	struct life_run run;

	alice_is_active(&bench->machine);
	queue(bench, &run, &removal, false);
	lifecycle_run(bench->lifecycle, 0);
	assert_done(&run);
	for (size_t i = 0; i < LIFE_FILES; i++) {
		char *text = life_read(&bench->machine, life_files[i]);

		assert_null(strstr(text, "alice"));
		free(text);
	}
	assert_false(machine_has(&bench->machine, "/home/alice"));
	assert_false(machine_has(&bench->machine, "/var/lib/systemd/linger/alice"));
}

/* ---- together ---- */

static void two_orders_for_one_account_are_carried_out_one_after_the_other(void **state)
{
	struct bench *bench = *state;
	struct life_run one, other;

	alice_is_active(&bench->machine);
	queue(bench, &one, &update, false);
	queue(bench, &other, &deactivation, false);
	lifecycle_run(bench->lifecycle, 0);
	assert_done(&one);
	assert_int_equal(other.answers, 0);
	assert_int_equal(lifecycle_state(bench->lifecycle).waiting, 1);
	lifecycle_run(bench->lifecycle, 0);
	assert_done(&other);
	assert_int_equal(state_of(bench, "alice"), ACCOUNT_DEACTIVATED);
	assert_false(is_unfinished(bench));
}

static void an_order_that_contradicts_the_files_takes_no_other_with_it(void **state)
{
	struct bench *bench = *state;
	struct life_run contradicting, other;

	alice_is_active(&bench->machine);
	alice_loses_her_rows(bench);
	queue(bench, &contradicting, &update, false);
	queue(bench, &other, &bobs_creation, false);
	lifecycle_run(bench->lifecycle, 0);
	assert_refused(&contradicting);
	assert_done(&other);
	assert_true(machine_has_row(&bench->machine, "/etc/passwd", "bob"));
	assert_true(machine_has(&bench->machine, "/home/bob"));
	assert_false(is_unfinished(bench));
}

/* ---- the files contradict ---- */

static void a_change_of_rows_that_are_gone_leaves_the_record_as_it_was(void **state)
{
	struct bench *bench = *state;
	_cleanup_record_ struct account_record record = { 0 };
	struct life_run run;

	alice_is_active(&bench->machine);
	alice_loses_her_rows(bench);
	queue(bench, &run, &update, false);
	lifecycle_run(bench->lifecycle, 0);
	assert_refused(&run);
	assert_int_equal(store_account_by_name(bench->machine.store, "alice", &record), STORE_FOUND);
	assert_string_equal(record.email, "alice@clinic.example");
	assert_false(is_unfinished(bench));
	assert_int_equal(lifecycle_deadline_ms(bench->lifecycle), -1);
}

static void who_has_left_is_deactivated_and_removed_even_where_the_rows_are_gone(void **state)
{
	struct bench *bench = *state;
	struct life_run one, other;

	alice_is_active(&bench->machine);
	alice_loses_her_rows(bench);
	queue(bench, &one, &deactivation, false);
	lifecycle_run(bench->lifecycle, 0);
	assert_done(&one);
	assert_int_equal(state_of(bench, "alice"), ACCOUNT_DEACTIVATED);
	queue(bench, &other, &removal, false);
	lifecycle_run(bench->lifecycle, 0);
	assert_done(&other);
	assert_int_equal(state_of(bench, "alice"), ACCOUNT_REMOVED);
	assert_false(machine_has(&bench->machine, "/home/alice"));
}

static void the_rows_of_another_user_of_that_name_stay_when_the_account_goes(void **state)
{
	struct bench *bench = *state;
	struct account_user user;
	struct life_run run;

	alice_is_active(&bench->machine);
	alice_loses_her_rows(bench);
	life_rows(&bench->machine, "alice", 1500, "$y$another", "");
	queue(bench, &run, &removal, false);
	lifecycle_run(bench->lifecycle, 0);
	assert_done(&run);
	assert_int_equal(account_files_user_named(bench->machine.files, "alice", &user), 1);
	assert_int_equal(user.uid, 1500);
}

static void somebody_whose_link_is_refused_by_the_files_is_still_expected(void **state)
{
	static const struct life_order link = CHANGE("locum", is_usable, make_link);
	struct bench *bench = *state;
	_cleanup_expected_ struct expected expected = { 0 };
	_cleanup_record_ struct account_record record = { 0 };
	struct life_run run;

	locum_is_expected(&bench->machine);
	set_shadow_mode(bench, 0666);
	queue(bench, &run, &link, false);
	lifecycle_run(bench->lifecycle, 0);
	assert_refused(&run);
	assert_int_equal(store_account_by_name(bench->machine.store, "locum", &record), STORE_NONE);
	assert_int_equal(store_expected_named(bench->machine.store, "locum", &expected), STORE_FOUND);
	set_shadow_mode(bench, 0640);
	queue(bench, &run, &link, false);
	lifecycle_run(bench->lifecycle, 0);
	assert_done(&run);
}

/* ---- the files cannot be written ---- */

static void a_change_that_the_files_do_not_take_leaves_the_record_as_it_was(void **state)
{
	struct bench *bench = *state;
	struct life_run run;

	alice_is_deactivated(&bench->machine);
	set_shadow_mode(bench, 0666);
	queue(bench, &run, &reactivation, false);
	lifecycle_run(bench->lifecycle, 0);
	assert_refused(&run);
	assert_int_equal(state_of(bench, "alice"), ACCOUNT_DEACTIVATED);
	assert_false(is_unfinished(bench));
}

static void who_has_left_is_out_at_once_and_recovery_does_the_rest(void **state)
{
	struct bench *bench = *state;
	struct life_run run;

	alice_is_active(&bench->machine);
	set_shadow_mode(bench, 0666);
	queue(bench, &run, &deactivation, false);
	lifecycle_run(bench->lifecycle, 0);
	assert_refused(&run);
	assert_int_equal(state_of(bench, "alice"), ACCOUNT_DEACTIVATED);
	assert_true(is_unfinished(bench));
	assert_int_equal(told("the account was deactivated"), 0);
	set_shadow_mode(bench, 0640);
	assert_in_range(lifecycle_deadline_ms(bench->lifecycle), 1, 60000);
	lifecycle_run(bench->lifecycle, 60000);
	assert_false(is_unfinished(bench));
	assert_int_equal(told("the account was deactivated"), 1);
}

static void the_next_order_for_an_account_has_its_unfinished_change_finished_first(void **state)
{
	struct bench *bench = *state;
	struct life_run one, other;

	alice_is_active(&bench->machine);
	set_shadow_mode(bench, 0666);
	queue(bench, &one, &deactivation, false);
	lifecycle_run(bench->lifecycle, 0);
	assert_refused(&one);
	set_shadow_mode(bench, 0640);
	queue(bench, &other, &reactivation, false);
	lifecycle_run(bench->lifecycle, 1);
	assert_int_equal(other.answers, 0);
	lifecycle_run(bench->lifecycle, 2);
	assert_done(&other);
	assert_int_equal(state_of(bench, "alice"), ACCOUNT_ACTIVE);
	/* And where it cannot be finished, the order is refused, and waits for nothing. */
	set_shadow_mode(bench, 0666);
	queue(bench, &one, &deactivation, false);
	lifecycle_run(bench->lifecycle, 3);
	queue(bench, &other, &reactivation, false);
	lifecycle_run(bench->lifecycle, 4);
	lifecycle_run(bench->lifecycle, 5);
	assert_refused(&other);
}

/* ---- sessions ---- */

static void run_until(struct bench *bench, int64_t from_ms, int64_t to_ms)
{
	for (int64_t now_ms = from_ms; now_ms <= to_ms; now_ms += 100) {
		lifecycle_run(bench->lifecycle, now_ms);
		(void)usleep(300);
	}
}

static bool session_has_ended(struct bench *bench)
{
	return waitpid(bench->session, NULL, WNOHANG) == bench->session && (bench->session = 0) == 0;
}

static bool session_ends(struct bench *bench)
{
	for (int i = 0; i < 5000; i++) {
		if (session_has_ended(bench))
			return true;
		(void)usleep(1000);
	}
	return false;
}

static void a_session_is_killed_three_seconds_after_it_was_told_to_end(void **state)
{
	struct bench *bench = *state;
	struct life_run run;

	alice_is_active(&bench->machine);
	bench->session = life_start_session(&bench->machine);
	queue(bench, &run, &deactivation, false);
	lifecycle_run(bench->lifecycle, 0);
	assert_done(&run); /* although it is still there */
	assert_true(is_unfinished(bench));
	run_until(bench, 100, 2900);
	assert_false(session_has_ended(bench));
	assert_true(is_unfinished(bench));
	run_until(bench, 3000, 3600);
	assert_true(session_ends(bench));
	run_until(bench, 3700, 4700);
	assert_false(is_unfinished(bench));
	assert_int_equal(lifecycle_deadline_ms(bench->lifecycle), -1);
	assert_int_equal(told("the account was deactivated"), 1);
	assert_int_equal(told("was ended"), 1);
}

static void the_next_order_for_an_account_waits_for_its_sessions(void **state)
{
	struct bench *bench = *state;
	struct life_run one, other, bobs;

	alice_is_active(&bench->machine);
	bench->session = life_start_session(&bench->machine);
	queue(bench, &one, &deactivation, false);
	lifecycle_run(bench->lifecycle, 0);
	queue(bench, &other, &reactivation, false);
	queue(bench, &bobs, &bobs_creation, false);
	run_until(bench, 100, 2900);
	assert_done(&bobs);
	assert_int_equal(other.answers, 0);
	run_until(bench, 3000, 6000);
	assert_true(session_ends(bench));
	run_until(bench, 6100, 10500);
	assert_done(&other);
	assert_int_equal(state_of(bench, "alice"), ACCOUNT_ACTIVE);
}

static void provisiond_that_ends_meanwhile_goes_on_with_sessions_at_its_next_start(void **state)
{
	struct bench *bench = *state;
	struct life_run run;

	alice_is_active(&bench->machine);
	bench->session = life_start_session(&bench->machine);
	queue(bench, &run, &deactivation, false);
	lifecycle_run(bench->lifecycle, 0);
	lifecycle_free(bench->lifecycle);
	assert_true(is_unfinished(bench));
	start(bench);
	lifecycle_recover(bench->lifecycle);
	run_until(bench, 0, 4000);
	assert_true(session_ends(bench));
	run_until(bench, 4100, 10500);
	assert_false(is_unfinished(bench));
	assert_int_equal(told("the account was deactivated"), 1);
}

/* What cannot be killed: a process that has ended and nobody has asked about, with a status that says otherwise. */
static void start_immortal(struct bench *bench)
{
	char path[128], text[128];

	bench->session = fork();
	if (bench->session == 0)
		_exit(0);
	(void)snprintf(path, sizeof(path), "/proc/%d", (int)bench->session);
	machine_folder(&bench->machine, path, 0755);
	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)bench->session);
	(void)snprintf(text, sizeof(text), "Name:\tsh\nState:\tD (disk sleep)\nUid:\t%u\t%u\t%u\t%u\n", ALICES_UID,
		       ALICES_UID, ALICES_UID, ALICES_UID);
	machine_write(&bench->machine, path, 0644, text);
}

static void what_cannot_be_killed_is_given_up_on_after_ten_seconds(void **state)
{
	struct bench *bench = *state;
	struct life_run run;

	alice_is_active(&bench->machine);
	start_immortal(bench);
	queue(bench, &run, &deactivation, false);
	run_until(bench, 0, 9900);
	assert_done(&run);
	assert_true(is_unfinished(bench));
	run_until(bench, 10000, 11000);
	assert_false(is_unfinished(bench));
	assert_int_equal(told("do not end, although they were killed"), 1);
}

/* ---- max_signin_age ---- */

static void sign_in(const struct bench *bench, int64_t seconds_ago)
{
	assert_int_equal(store_note_signin(bench->machine.store, "alice", "alice@clinic.example", "Alice Example",
					   (int64_t)time(NULL) - seconds_ago),
			 0);
}

static void limit_signin_age(struct bench *bench, int64_t seconds)
{
	bench->machine.accounts.max_signin_age_s = seconds;
	lifecycle_configure(bench->lifecycle, &bench->machine.accounts);
}

static void the_sessions_of_those_whose_time_is_over_are_ended_once(void **state)
{
	struct bench *bench = *state;

	alice_is_active(&bench->machine);
	sign_in(bench, 7200);
	limit_signin_age(bench, 3600);
	bench->session = life_start_session(&bench->machine);
	run_until(bench, 0, 4000);
	assert_true(session_ends(bench));
	run_until(bench, 4100, 5500);
	assert_int_equal(told("was ended"), 1);
	assert_false(machine_has(&bench->machine, "/var/lib/systemd/linger/alice"));
	assert_int_equal(state_of(bench, "alice"), ACCOUNT_ACTIVE);
	bench->session = life_start_session(&bench->machine);
	run_until(bench, 5600, 130000);
	assert_false(session_has_ended(bench));
}

static void nobody_is_ended_whose_time_is_not_over(void **state)
{
	struct bench *bench = *state;

	alice_is_active(&bench->machine);
	sign_in(bench, 1800);
	limit_signin_age(bench, 3600);
	bench->session = life_start_session(&bench->machine);
	run_until(bench, 0, 5000);
	assert_false(session_has_ended(bench));
	assert_true(machine_has(&bench->machine, "/var/lib/systemd/linger/alice"));
	assert_in_range(lifecycle_deadline_ms(bench->lifecycle), 5001, 65000);
}

static void who_signs_in_while_old_sessions_are_ended_keeps_the_new_ones(void **state)
{
	struct bench *bench = *state;

	alice_is_active(&bench->machine);
	sign_in(bench, 7200);
	limit_signin_age(bench, 3600);
	bench->session = life_start_session(&bench->machine);
	run_until(bench, 0, 1000);
	sign_in(bench, 0);
	run_until(bench, 1100, 11000);
	assert_false(session_has_ended(bench));
}

/* ---- the lock, the journal, the policies ---- */

static void a_lock_that_another_program_holds_is_told_from_ours(void **state)
{
	struct bench *bench = *state;
	struct account_files *editor;

	assert_false(lifecycle_lock_is_foreign(bench->lifecycle)); /* nobody ever took it */
	assert_int_equal(account_files_open(bench->machine.root, geteuid(), &editor), 0);
	assert_int_equal(account_files_lock(editor), 0);
	assert_true(lifecycle_lock_is_foreign(bench->lifecycle));
	account_files_close(editor);
	assert_false(lifecycle_lock_is_foreign(bench->lifecycle));
}

static void work_waits_for_more_that_is_expected_but_not_for_long(void **state)
{
	struct bench *bench = *state;
	struct life_run run;

	life_machine(&bench->machine);
	lifecycle_expect(bench->lifecycle, 2);
	queue(bench, &run, &bobs_creation, false);
	lifecycle_expect(bench->lifecycle, -1);
	assert_int_equal(lifecycle_deadline_ms(bench->lifecycle), LIFECYCLE_GATHER_MS);
	lifecycle_run(bench->lifecycle, LIFECYCLE_GATHER_MS - 1);
	assert_int_equal(run.answers, 0);
	lifecycle_run(bench->lifecycle, LIFECYCLE_GATHER_MS);
	assert_done(&run);
	lifecycle_expect(bench->lifecycle, -1);
}

static void the_journal_is_told_once_unless_the_one_who_asked_tells(void **state)
{
	struct bench *bench = *state;
	struct life_run run;

	alice_is_active(&bench->machine);
	queue(bench, &run, &update, false);
	lifecycle_run(bench->lifecycle, 0);
	assert_int_equal(told("the account was brought up to date"), 1);
	queue(bench, &run, &deactivation, true);
	lifecycle_run(bench->lifecycle, 0);
	assert_done(&run);
	assert_int_equal(told("the account was deactivated"), 0);
	queue(bench, &run, &bobs_creation, false);
	lifecycle_run(bench->lifecycle, 0);
	assert_int_equal(told("bob: the account was made"), 1);
}

static void a_policy_that_has_changed_is_applied_to_those_who_are_linked(void **state)
{
	static const char text[] = "[tenant clinic]\nissuer = https://clinic.example\nclient_id = machine\n"
				   "domains = clinic.example\npassword = %s\n";
	struct bench *bench = *state;
	struct config *configs[2];
	struct account_shadow shadow;
	char full[512];

	for (int i = 0; i < 2; i++) {
		(void)snprintf(full, sizeof(full), text, i == 0 ? "fallback" : "never");
		assert_true(config_parse("pam_oidc.conf", full, config_report_to_log, NULL, &configs[i]));
	}
	locum_is_linked(&bench->machine);
	for (int i = 0; i < 2; i++) {
		lifecycle_apply_policies(bench->lifecycle, configs[i]);
		lifecycle_run(bench->lifecycle, 0);
		assert_int_equal(account_files_shadow_named(bench->machine.files, "locum", &shadow), 1);
		assert_int_equal(shadow.locks, i);
		assert_int_equal(told("the policies of the configuration were applied"), i + 1);
		/* A second time changes nothing. */
		lifecycle_apply_policies(bench->lifecycle, configs[i]);
		lifecycle_run(bench->lifecycle, 0);
		assert_int_equal(told("the policies of the configuration were applied"), i + 1);
	}
	config_free(configs[0]);
	config_free(configs[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_change_comes_to_what_it_says),
		TEST(nothing_of_a_removed_account_is_left_in_the_files),
		TEST(two_orders_for_one_account_are_carried_out_one_after_the_other),
		TEST(an_order_that_contradicts_the_files_takes_no_other_with_it),
		TEST(a_change_of_rows_that_are_gone_leaves_the_record_as_it_was),
		TEST(who_has_left_is_deactivated_and_removed_even_where_the_rows_are_gone),
		TEST(the_rows_of_another_user_of_that_name_stay_when_the_account_goes),
		TEST(somebody_whose_link_is_refused_by_the_files_is_still_expected),
		TEST(a_change_that_the_files_do_not_take_leaves_the_record_as_it_was),
		TEST(who_has_left_is_out_at_once_and_recovery_does_the_rest),
		TEST(the_next_order_for_an_account_has_its_unfinished_change_finished_first),
		TEST(a_session_is_killed_three_seconds_after_it_was_told_to_end),
		TEST(the_next_order_for_an_account_waits_for_its_sessions),
		TEST(provisiond_that_ends_meanwhile_goes_on_with_sessions_at_its_next_start),
		TEST(what_cannot_be_killed_is_given_up_on_after_ten_seconds),
		TEST(the_sessions_of_those_whose_time_is_over_are_ended_once),
		TEST(nobody_is_ended_whose_time_is_not_over),
		TEST(who_signs_in_while_old_sessions_are_ended_keeps_the_new_ones),
		TEST(a_lock_that_another_program_holds_is_told_from_ours),
		TEST(work_waits_for_more_that_is_expected_but_not_for_long),
		TEST(the_journal_is_told_once_unless_the_one_who_asked_tells),
		TEST(a_policy_that_has_changed_is_applied_to_those_who_are_linked),
	};

	if (geteuid() != 0) {
		print_message("skipped: only root can make homes that belong to others\n");
		return 0;
	}
	log_divert(say_nothing);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
