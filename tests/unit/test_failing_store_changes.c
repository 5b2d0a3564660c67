/*
 * Changes of several rows while memory or the disk fails under them, and when the process ends in the middle: each is
 * on record as a whole or not at all, by itself and as a part of a transaction. Likewise the bringing up to date of an
 * earlier version's database.
 */
#include "provisiond/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

#include "failing_each.h"
#include "store_version_1.h"

#define NOW 1800000000

static const struct failing_manner manners[] = {
	{ "no memory for SQLite, once", FAILING_LIBRARY, ENOMEM, FAILING_ONCE },
	{ "no memory for SQLite any more", FAILING_LIBRARY, ENOMEM, FAILING_FOREVER },
	{ "no memory for us", FAILING_MEMORY, ENOMEM, FAILING_ONCE },
	{ "an I/O error, once", FAILING_DATABASE, EIO, FAILING_ONCE },
	{ "I/O errors", FAILING_DATABASE, EIO, FAILING_FOREVER },
	{ "a full disk", FAILING_DATABASE, ENOSPC, FAILING_FOREVER },
};

#define MANNERS (sizeof(manners) / sizeof(manners[0]))

/* ---- a database in which everything is under way ---- */

static struct account_record person(const char *name, uid_t number, enum account_state state)
{
	static char subjects[32][16];
	struct account_record record = bob();

	(void)snprintf(subjects[number], sizeof(subjects[number]), "00u%s", name);
	record.name = name;
	record.uid = record.gid = 2000400000 + number;
	record.subject = subjects[number];
	record.email = name;
	record.state = state;
	return record;
}

#define ALICE person("alice", 1, ACCOUNT_ACTIVE)
#define REMOVED person("removed", 2, ACCOUNT_REMOVED)
#define CREATING person("creating", 3, ACCOUNT_CREATING)
#define REVIVED person("revived", 4, ACCOUNT_REMOVED)
#define EXPECTED person("expected", 5, ACCOUNT_ACTIVE)
#define UPDATED person("updated", 6, ACCOUNT_ACTIVE)
#define REASSIGNED person("reassigned", 7, ACCOUNT_ACTIVE)
#define UNLINKED person("unlinked", 8, ACCOUNT_ACTIVE)
#define LINKED person("linked", 9, ACCOUNT_ACTIVE)
#define LEAVING person("leaving", 10, ACCOUNT_DEACTIVATED)
#define NEW person("new", 11, ACCOUNT_CREATING)

static struct planned_change change_of(enum change_kind kind, struct account_record record)
{
	struct planned_change change = planned_change_none(kind, &record);

	change.record.home = "/srv/home";
	if (kind == CHANGE_REASSIGN) {
		change.home = HOME_IS_MOVED;
		change.home_to = "/srv/home.2";
		change.next_uid = 2000400000 + 20;
	}
	if (kind == CHANGE_REMOVE)
		change.state_after = ACCOUNT_REMOVED;
	return change;
}

static struct expected expect(const char *name, const char *email, int64_t made_at)
{
	return (struct expected){
		.kind = EXPECTED_LINK,
		.name = name,
		.tenant = "clinic",
		.email = email,
		.made_at = made_at,
		.expires_at = made_at + EXPECTED_LINK_LIFE_S,
	};
}

static void must(struct store *store, int result)
{
	if (result != 0)
		fail_msg("%d: %s", result, store_fault(store));
}

static void begin(struct store *store, enum change_kind kind, struct account_record record)
{
	struct planned_change change = change_of(kind, record);

	if (kind != CHANGE_LINK)
		must(store, store_add(store, &record));
	must(store, store_begin_change(store, &change));
}

static void fill(struct store *store)
{
	const struct account_record added[] = { ALICE, REMOVED, CREATING, REVIVED };
	const struct expected expected[] = {
		expect("expected", "expected", NOW),
		expect("linked", "linked", NOW),
		expect("over", "over", 1000),
	};

	for (size_t i = 0; i < sizeof(added) / sizeof(added[0]); i++)
		must(store, store_add(store, &added[i]));
	must(store, store_revive(store, &added[3]));
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		must(store, store_expect(store, &expected[i]));
	must(store, store_reserve(store, "reassigned", 5000, NOW));
	begin(store, CHANGE_UPDATE, UPDATED);
	begin(store, CHANGE_REASSIGN, REASSIGNED);
	begin(store, CHANGE_UNLINK, UNLINKED);
	begin(store, CHANGE_LINK, LINKED);
	begin(store, CHANGE_REMOVE, LEAVING);
}

/* ---- what is done to it ---- */

static int do_add(struct store *store)
{
	struct account_record record = NEW;

	return store_add(store, &record);
}

static int do_revive(struct store *store)
{
	struct account_record record = REMOVED;

	return store_revive(store, &record);
}

static int do_forget_creating(struct store *store)
{
	return store_forget_creating(store, "creating");
}

static int do_forget_revived(struct store *store)
{
	return store_forget_creating(store, "revived");
}

static int do_begin_link(struct store *store)
{
	struct planned_change change = change_of(CHANGE_LINK, EXPECTED);

	return store_begin_change(store, &change);
}

static int do_begin_deactivation(struct store *store)
{
	struct planned_change change = change_of(CHANGE_DEACTIVATE, ALICE);

	change.record.state = ACCOUNT_DEACTIVATED;
	change.state_after = ACCOUNT_DEACTIVATED;
	return store_begin_change(store, &change);
}

static int end(struct store *store, enum change_kind kind, struct account_record record)
{
	struct planned_change change = change_of(kind, record);

	return store_end_change(store, &change, NOW);
}

static int do_end_update(struct store *store)
{
	return end(store, CHANGE_UPDATE, UPDATED);
}

static int do_end_reassignment(struct store *store)
{
	return end(store, CHANGE_REASSIGN, REASSIGNED);
}

static int do_end_unlinking(struct store *store)
{
	return end(store, CHANGE_UNLINK, UNLINKED);
}

static int do_end_link(struct store *store)
{
	return end(store, CHANGE_LINK, LINKED);
}

static int do_end_removal(struct store *store)
{
	return end(store, CHANGE_REMOVE, LEAVING);
}

static int do_drop_update(struct store *store)
{
	struct account_record before = UPDATED;

	return store_drop_change(store, "updated", &before);
}

static int do_drop_link(struct store *store)
{
	return store_drop_change(store, "linked", NULL);
}

static int do_expect_who_was_over(struct store *store)
{
	struct expected expected = expect("other", "over", NOW);

	return store_expect(store, &expected);
}

static int do_expect_another(struct store *store)
{
	struct expected expected = expect("expected", "another", NOW);

	return store_expect(store, &expected);
}

static int do_forget_expected(struct store *store)
{
	return store_forget_expected(store, "expected");
}

static int do_reserve(struct store *store)
{
	return store_reserve(store, "reassigned", 6000, NOW);
}

static int do_set_state(struct store *store)
{
	return store_set_state(store, "revived", ACCOUNT_ACTIVE);
}

static int do_note_refusal(struct store *store)
{
	return store_note_refusal(store, "updated", "denied", NOW);
}

static int do_note_sessions_ended(struct store *store)
{
	return store_note_sessions_ended(store, "updated", NOW);
}

static const struct deed {
	const char *name;
	int (*run)(struct store *store);
} deeds[] = {
	{ "add", do_add },
	{ "revive", do_revive },
	{ "forget creating", do_forget_creating },
	{ "forget revived", do_forget_revived },
	{ "begin link", do_begin_link },
	{ "begin deactivation", do_begin_deactivation },
	{ "end update", do_end_update },
	{ "end reassignment", do_end_reassignment },
	{ "end unlinking", do_end_unlinking },
	{ "end link", do_end_link },
	{ "end removal", do_end_removal },
	{ "drop update", do_drop_update },
	{ "drop link", do_drop_link },
	{ "expect who was over", do_expect_who_was_over },
	{ "expect another", do_expect_another },
	{ "forget expected", do_forget_expected },
	{ "reserve", do_reserve },
	{ "set state", do_set_state },
	{ "note refusal", do_note_refusal },
	{ "note sessions ended", do_note_sessions_ended },
};

#define DEEDS (sizeof(deeds) / sizeof(deeds[0]))

/* Each deed has one before it and one behind it when it is a part of a transaction. */
enum { BEFORE = 1, DEED = 2, BEHIND = 4, COMBINATIONS = 8 };

static int do_before(struct store *store)
{
	return store_note_signin(store, "alice", "new@clinic.example", "Alice", NOW);
}

static int do_behind(struct store *store)
{
	return store_note_refusal(store, "alice", "policy", NOW);
}

/* ---- the same database again and again ---- */

struct image {
	char *bytes;
	size_t size;
};

struct scene {
	struct place *place;
	const struct deed *deed;
	struct image filled;          /* the database's file */
	char *expected[COMBINATIONS]; /* what it holds when these were done */
};

static void read_image(const char *path, struct image *ret_image)
{
	FILE *file = fopen(path, "re");

	assert_non_null(file);
	(void)fseek(file, 0, SEEK_END);
	ret_image->size = (size_t)ftell(file);
	rewind(file);
	ret_image->bytes = malloc(ret_image->size + 1);
	assert_int_equal(fread(ret_image->bytes, 1, ret_image->size, file), ret_image->size);
	(void)fclose(file);
}

static void write_image(const char *path, const struct image *image)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(image->bytes, 1, image->size, file), image->size);
	(void)fclose(file);
}

static void log_path(const struct scene *scene, char *path, size_t size)
{
	(void)snprintf(path, size, "%s-wal", scene->place->path);
}

/* Closed, and as it was in the beginning. */
static void restore(struct scene *scene)
{
	char wal[160];

	close_place(scene->place);
	log_path(scene, wal, sizeof(wal));
	(void)unlink(wal);
	write_image(scene->place->path, &scene->filled);
}

static void know_what_comes_of(struct scene *scene)
{
	for (int done = 0; done < COMBINATIONS; done++) {
		restore(scene);
		open_place(scene->place);
		if (done & BEFORE)
			must(scene->place->store, do_before(scene->place->store));
		if (done & DEED)
			must(scene->place->store, scene->deed->run(scene->place->store));
		if (done & BEHIND)
			must(scene->place->store, do_behind(scene->place->store));
		close_place(scene->place);
		scene->expected[done] = dump(scene->place);
	}
	assert_string_not_equal(scene->expected[0], scene->expected[DEED]);
}

static void forget_what_comes_of(struct scene *scene)
{
	for (int done = 0; done < COMBINATIONS; done++)
		free(take_pointer(scene->expected[done]));
}

static void assert_done(struct scene *scene, int done)
{
	char *there;

	close_place(scene->place);
	there = dump(scene->place);
	if (strcmp(there, scene->expected[done]) != 0)
		print_error("%s: not as after %d\n", scene->deed->name, done);
	assert_string_equal(there, scene->expected[done]);
	free(there);
}

static int make_scene(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	void *place = NULL;

	if (make(&place) != 0)
		return -1;
	scene->place = place;
	fill(scene->place->store);
	close_place(scene->place);
	read_image(scene->place->path, &scene->filled);
	*state = scene;
	return 0;
}

static int unmake_scene(void **state)
{
	struct scene *scene = *state;
	void *place = scene->place;

	failing_say_where();
	forget_what_comes_of(scene);
	free(scene->filled.bytes);
	free(scene);
	return unmake(&place);
}

/* `stride`: of the allocations, of which there are many. */
static void for_each_deed(struct scene *scene, failing_scene *run, unsigned stride)
{
	for (size_t i = 0; i < DEEDS; i++) {
		scene->deed = &deeds[i];
		know_what_comes_of(scene);
		for (size_t j = 0; j < MANNERS; j++)
			(void)failing_some(run, scene, &manners[j], manners[j].kinds == FAILING_LIBRARY ? stride : 1);
		forget_what_comes_of(scene);
	}
}

/* ---- by itself ---- */

static bool fail_alone(void *context, const struct failing_manner *manner, unsigned n)
{
	struct scene *scene = context;
	bool failed;
	int r;

	restore(scene);
	open_place(scene->place);
	failing_arm(manner->kinds, n, manner->error, manner->times);
	r = scene->deed->run(scene->place->store);
	failed = failing_disarm();
	assert_true(r == 0 || r == -EIO);
	if (r != 0)
		assert_string_not_equal(store_fault(scene->place->store), "");
	/* No transaction is left open, which closing would hide. */
	must(scene->place->store, store_begin(scene->place->store));
	store_rollback(scene->place->store);
	assert_done(scene, r == 0 ? DEED : 0);
	return failed;
}

static void a_change_is_whole_or_did_not_happen(void **state)
{
	for_each_deed(*state, fail_alone, 1);
}

/* ---- as a part of a transaction ---- */

static bool fail_together(void *context, const struct failing_manner *manner, unsigned n)
{
	struct scene *scene = context;
	struct store *store;
	int done = 0, begun, committed = -1;
	bool failed;

	restore(scene);
	open_place(scene->place);
	store = scene->place->store;
	failing_arm(manner->kinds, n, manner->error, manner->times);
	begun = store_begin(store);
	if (begun == 0) {
		done |= do_before(store) == 0 ? BEFORE : 0;
		done |= scene->deed->run(store) == 0 ? DEED : 0;
		done |= do_behind(store) == 0 ? BEHIND : 0;
		committed = store_commit(store);
	}
	failed = failing_disarm();
	must(store, store_begin(store));
	store_rollback(store);
	assert_done(scene, committed == 0 ? done : 0);
	return failed;
}

static void what_a_commit_says_is_on_record_is_and_nothing_else(void **state)
{
	for_each_deed(*state, fail_together, 5);
}

/* ---- when the process ends in the middle ---- */

/* What is on the disk when the machine stops before the n-th call: from there on, none does anything, and nothing is
 * tidied up by closing. Whether it came to that. */
static bool end_in_the_middle(struct scene *scene, unsigned n, bool *ret_done)
{
	struct image database, log;
	char wal[160];
	bool failed;

	restore(scene);
	open_place(scene->place);
	failing_arm(FAILING_DATABASE, n, EIO, FAILING_FOREVER);
	*ret_done = scene->deed->run(scene->place->store) == 0;
	failed = failing_disarm();
	log_path(scene, wal, sizeof(wal));
	read_image(scene->place->path, &database);
	read_image(wal, &log);
	close_place(scene->place);
	write_image(scene->place->path, &database);
	write_image(wal, &log);
	free(database.bytes);
	free(log.bytes);
	return failed;
}

static void a_crash_leaves_a_change_whole_or_nothing_of_it(void **state)
{
	struct scene *scene = *state;

	for (size_t i = 0; i < DEEDS; i++) {
		bool failed = true;

		scene->deed = &deeds[i];
		know_what_comes_of(scene);
		for (unsigned n = 1; failed; n++) {
			char *there;
			bool done;

			failed = end_in_the_middle(scene, n, &done);
			open_place(scene->place);
			close_place(scene->place);
			there = dump(scene->place);
			/* What was not said to be done may be there all the same: whole. */
			if (done || strcmp(there, scene->expected[0]) != 0)
				assert_string_equal(there, scene->expected[DEED]);
			free(there);
		}
		forget_what_comes_of(scene);
	}
}

/* ---- asking ---- */

struct answers {
	enum store_answer answer;
	struct account_record record;
	struct planned_change change;
	struct expected expected;
	char name[64];
	uint32_t number;
};

static enum store_answer ask(struct store *store, int question, struct answers *answers)
{
	switch (question) {
	case 0:
		return store_change_of(store, "reassigned", &answers->change);
	case 1:
		return store_change_after(store, "reassigned", &answers->change);
	case 2:
		return store_expected_named(store, "over", &answers->expected);
	case 3:
		return store_expected_by_email(store, "clinic", "EXPECTED", &answers->expected);
	case 4:
		return store_expected_after(store, "", &answers->expected);
	case 5:
		return store_reserved_uid(store, "reassigned", &answers->number);
	case 6:
		return store_uid_reserved_for(store, 2000400000 + 20, answers->name, sizeof(answers->name));
	case 7:
		return store_idle_after(store, "alice", NOW, &answers->record);
	case 8:
		return store_highest_subid(store, &answers->number);
	case 9:
		return store_linked_after(store, "", &answers->record);
	case 10:
		return store_former_uid(store, 5000, answers->name, sizeof(answers->name));
	case 11:
		return store_former_subject(store, "https://clinic.example", "00ualice", answers->name,
					    sizeof(answers->name));
	default:
		return STORE_FAILED;
	}
}

#define QUESTIONS 12
#define FIRST_WITHOUT_ANSWER 9

static void text_of(const struct answers *answers, char *text, size_t size)
{
	const struct account_record *record = answers->change.record.name ? &answers->change.record : &answers->record;

	(void)snprintf(text, size, "%d %s %u %s %s %d | %d %s %s %u | %s %s %s %lld | %s %u", (int)answers->answer,
		       record->name ? record->name : "", record->uid, record->name ? record->subject : "",
		       record->name ? record->home : "", (int)record->state, (int)answers->change.kind,
		       answers->change.home_to ? answers->change.home_to : "",
		       answers->change.gecos ? answers->change.gecos : "(as it is)", answers->change.next_uid,
		       answers->expected.name ? answers->expected.name : "",
		       answers->expected.name ? answers->expected.email : "",
		       answers->expected.name ? answers->expected.subject : "", (long long)answers->expected.expires_at,
		       answers->name, answers->number);
}

static void forget(struct answers *answers)
{
	account_record_clear(&answers->record);
	planned_change_clear(&answers->change);
	expected_clear(&answers->expected);
}

struct asking {
	struct scene *scene;
	int question;
	char expected[1024];
};

static bool ask_while_failing(void *context, const struct failing_manner *manner, unsigned n)
{
	struct asking *asking = context;
	struct answers answers = { 0 };
	char text[1024];
	bool failed;

	/* From a cold start, so that nothing is in SQLite's cache. */
	open_place(asking->scene->place);
	failing_arm(manner->kinds, n, manner->error, manner->times);
	answers.answer = ask(asking->scene->place->store, asking->question, &answers);
	failed = failing_disarm();
	text_of(&answers, text, sizeof(text));
	if (answers.answer == STORE_FAILED) {
		assert_string_not_equal(store_fault(asking->scene->place->store), "");
		assert_null(answers.record.name);
		assert_null(answers.change.record.name);
		assert_null(answers.expected.name);
	} else {
		assert_string_equal(text, asking->expected);
	}
	forget(&answers);
	return failed;
}

static void a_question_is_answered_rightly_or_not_at_all(void **state)
{
	struct asking asking = { .scene = *state };

	restore(asking.scene);
	for (asking.question = 0; asking.question < QUESTIONS; asking.question++) {
		struct answers answers = { 0 };

		open_place(asking.scene->place);
		answers.answer = ask(asking.scene->place->store, asking.question, &answers);
		assert_int_equal(answers.answer, asking.question < FIRST_WITHOUT_ANSWER ? STORE_FOUND : STORE_NONE);
		text_of(&answers, asking.expected, sizeof(asking.expected));
		forget(&answers);
		for (size_t i = 0; i < MANNERS; i++)
			(void)failing_each(ask_while_failing, &asking, &manners[i]);
	}
}

/* ---- databases of version 1 ---- */

static void begin_with_version_1(struct place *place)
{
	char wal[160];

	close_place(place);
	(void)snprintf(wal, sizeof(wal), "%s-wal", place->path);
	(void)unlink(wal);
	(void)unlink(place->path);
	make_version_1(place);
}

static bool fail_to_open(void *context, const struct failing_manner *manner, unsigned n)
{
	struct place *place = context;
	char fault[512] = "";
	bool failed;

	begin_with_version_1(place);
	failing_arm(manner->kinds, n, manner->error, manner->times);
	place->store = store_open(place->path, fault, sizeof(fault));
	failed = failing_disarm();
	if (!place->store)
		assert_string_not_equal(fault, "");
	open_place(place);
	assert_version_1_rows(place->store);
	return failed;
}

static void an_earlier_version_is_brought_up_to_date_or_stays(void **state)
{
	for (size_t i = 0; i < MANNERS; i++) {
		/* Memory is asked for some thousand times. */
		unsigned stride = manners[i].kinds == FAILING_LIBRARY ? 41 : 1;

		(void)failing_some(fail_to_open, *state, &manners[i], stride);
	}
}

static void a_crash_while_it_is_brought_up_to_date_loses_nothing(void **state)
{
	struct place *place = *state;
	int status = 1;

	for (unsigned n = 1; status != 0; n++) {
		pid_t child;

		begin_with_version_1(place);
		child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			char fault[512];

			failing_arm(FAILING_DATABASE, n, EIO, FAILING_FOREVER);
			(void)store_open(place->path, fault, sizeof(fault));
			_exit(failing_disarm());
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status));
		open_place(place);
		assert_version_1_rows(place->store);
	}
}

#define SCENE(name) cmocka_unit_test_setup_teardown(name, make_scene, unmake_scene)
#define PLACE(name) cmocka_unit_test_setup_teardown(name, make_folder, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(a_change_is_whole_or_did_not_happen),
		SCENE(what_a_commit_says_is_on_record_is_and_nothing_else),
		SCENE(a_crash_leaves_a_change_whole_or_nothing_of_it),
		SCENE(a_question_is_answered_rightly_or_not_at_all),
		PLACE(an_earlier_version_is_brought_up_to_date_or_stays),
		PLACE(a_crash_while_it_is_brought_up_to_date_loses_nothing),
	};

	failing_open_doors();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
