/*
 * Accounts that are altered: account_files_apply() and what account_files_remove() takes along, on copies in a
 * directory of the test's own. What is added alone is in test_passwd.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>

#include "provisiond/account_files.h"
#include "provisiond/passwd.h"
#include "tests/unit/failing_calls.h"
#include "tests/unit/scratch.h"

#define NOW 1700000000 /* day 19675 */
#define FILES 6

/* In the order in which they are replaced. */
static const char *const names[FILES] = { "etc/group",  "etc/gshadow", "etc/subuid",
					  "etc/subgid", "etc/shadow",  "etc/passwd" };

static const char *const texts_before[FILES] = {
	"root:x:0:\n"
	"sudo:x:27:bob,carol\n"
	"radiology:x:2000:\n"
	"bob:x:1000:\n"
	"carol:x:1001:\n",
	"root:*::\n"
	"sudo:*::bob,carol\n"
	"radiology:!::\n"
	"bob:!::\n"
	"carol:!::\n",
	"bob:100000:65536\n",
	"bob:100000:65536\n",
	"root:*:19000:0:99999:7:::\n"
	"bob:$y$j9T$abc$def:19000:0:99999:7::20000:\n"
	"carol:$y$j9T$ghi$jkl:19001:1:90:7:14::\n",
	"root:x:0:0:root:/:/bin/bash\n"
	"bob:x:1000:1000:Bob,,,:/:/bin/bash\n"
	"carol:x:1001:1001:Carol,Exam 1,,:/:/bin/bash\n",
};

static const struct account_entry alice = { .name = "alice",
					    .uid = 2000200001,
					    .gid = 2000200001,
					    .gecos = "Alice",
					    .home = "/",
					    .shell = "/bin/bash",
					    .first_subid = 165536 };

#define BOB                                             \
	{                                               \
		.name = "bob", .uid = 1000, .gid = 1000 \
	}
#define CAROL                                             \
	{                                                 \
		.name = "carol", .uid = 1001, .gid = 1001 \
	}

struct fixture {
	struct scratch scratch;
	struct account_files *files;
};

static void put_files(const struct scratch *scratch)
{
	for (size_t i = 0; i < FILES; i++)
		scratch_write(scratch, names[i], texts_before[i], i == 1 || i == 4 ? 0640 : 0644);
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	scratch_must(fixture);
	scratch_make(&fixture->scratch);
	scratch_mkdir(&fixture->scratch, "etc", 0755);
	put_files(&fixture->scratch);
	assert_int_equal(account_files_open(fixture->scratch.path, geteuid(), &fixture->files), 0);
	assert_int_equal(account_files_lock(fixture->files), 0);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	memset(&calls, 0, sizeof(calls));
	account_files_close(fixture->files);
	scratch_remove(&fixture->scratch);
	free(fixture);
	return 0;
}

static struct account_alteration nothing(struct account_identity who)
{
	return (struct account_alteration){ .who = who, .locks = -1 };
}

static enum account_files_result alter(struct fixture *fixture, const struct account_alteration *alteration)
{
	const struct account_edits edits = { .altered = alteration, .altered_count = 1 };

	return account_files_apply(fixture->files, &edits, NOW);
}

static enum account_files_result alter_groups(struct fixture *fixture, const char *in, const char *out)
{
	struct account_alteration alteration = nothing((struct account_identity)BOB);

	alteration.groups_in = in;
	alteration.groups_out = out;
	return alter(fixture, &alteration);
}

static enum account_files_result alter_locks(struct fixture *fixture, int locks)
{
	struct account_alteration alteration = nothing((struct account_identity)BOB);

	alteration.locks = locks;
	return alter(fixture, &alteration);
}

static void assert_fault(struct fixture *fixture, const char *part)
{
	if (!strstr(account_files_fault(fixture->files), part))
		fail_msg("the fault is '%s' and lacks '%s'", account_files_fault(fixture->files), part);
}

static bool has_row(struct fixture *fixture, const char *file, const char *row)
{
	char *text = scratch_read(&fixture->scratch, file), *at;
	size_t length = strlen(row);
	bool found = false;

	scratch_must(text);
	for (at = strstr(text, row); at && !found; at = strstr(at + 1, row))
		found = (at == text || at[-1] == '\n') && at[length] == '\n';
	if (!found)
		(void)fprintf(stderr, "%s lacks '%s':\n%s\n", file, row, text);
	free(text);
	return found;
}

/* All files as they are at one moment. */
struct texts {
	char *of[FILES];
};

static void texts_free(struct texts *texts)
{
	for (size_t i = 0; i < FILES; i++)
		free(texts->of[i]);
}

#define _cleanup_texts_ _cleanup_(texts_free)

static struct texts texts_now(struct fixture *fixture)
{
	struct texts texts;

	for (size_t i = 0; i < FILES; i++)
		texts.of[i] = scratch_read(&fixture->scratch, names[i]);
	return texts;
}

static bool is_same(const struct texts *one, const struct texts *other, size_t file)
{
	return one->of[file] && other->of[file] ? strcmp(one->of[file], other->of[file]) == 0
						: one->of[file] == other->of[file];
}

static void assert_same(const struct texts *one, const struct texts *other)
{
	for (size_t i = 0; i < FILES; i++)
		if (!is_same(one, other, i))
			fail_msg("%s is\n%s\nand was\n%s", names[i], other->of[i], one->of[i]);
}

static void assert_all_old(struct fixture *fixture)
{
	for (size_t i = 0; i < FILES; i++)
		assert_true(scratch_has(&fixture->scratch, names[i], texts_before[i]));
}

/* ---- passwd and shadow ---- */

static void the_full_name_changes_and_nothing_else(void **state)
{
	struct fixture *fixture = *state;
	struct account_alteration alteration = nothing((struct account_identity)BOB);

	scratch_write(
		&fixture->scratch, "etc/passwd",
		"# bob:x:1000:1000\n\nnonsense\n  bob:x: 01000:1000:Bob,,,:/home/bob:/bin/bash:more:\r\n+bob::::::\n"
		"root:x:0:0:root:/root:/bin/bash",
		0644);
	alteration.gecos = "Robert,Exam 1,,";
	assert_int_equal(alter(fixture, &alteration), ACCOUNT_FILES_DONE);
	assert_true(scratch_has(&fixture->scratch, "etc/passwd",
				"# bob:x:1000:1000\n\nnonsense\n  bob:x: 01000:1000:Robert,Exam "
				"1,,:/home/bob:/bin/bash:more:\r\n+bob::::::\nroot:x:0:0:root:/root:/bin/bash\n"));
	assert_true(scratch_has(&fixture->scratch, "etc/shadow", texts_before[4]));
}

static void a_name_in_another_encoding_is_put_back_as_it_was(void **state)
{
	struct fixture *fixture = *state;
	struct account_alteration alteration = nothing((struct account_identity)BOB);

	alteration.gecos = "J\xfcrgen\t(OP)";
	assert_int_equal(alter(fixture, &alteration), ACCOUNT_FILES_DONE);
	assert_true(has_row(fixture, "etc/passwd", "bob:x:1000:1000:J\xfcrgen\t(OP):/:/bin/bash"));
}

static void locks_are_counted_and_the_hash_stays(void **state)
{
	static const int locks[] = { 1, 1, 2, 0, 3, 1, 0 };
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(locks) / sizeof(locks[0]); i++) {
		char row[80];

		assert_int_equal(alter_locks(fixture, locks[i]), ACCOUNT_FILES_DONE);
		(void)snprintf(row, sizeof(row), "bob:%.*s$y$j9T$abc$def:19000:0:99999:7::20000:", locks[i], "!!!");
		assert_true(has_row(fixture, "etc/shadow", row));
	}
	assert_all_old(fixture);
}

static void nobody_gets_an_account_without_a_password(void **state)
{
	static const struct {
		const char *before, *after;
		int locks;
	} cases[] = { { "!", "!", 0 }, { "!!", "!", 0 }, { "!*", "*", 0 },
		      { "", "!", 1 },  { "", "", 0 },    { "!", "!!", 2 } };
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char before[32], after[32];

		(void)snprintf(before, sizeof(before), "bob:%s:1::::::\n", cases[i].before);
		(void)snprintf(after, sizeof(after), "bob:%s:1::::::\n", cases[i].after);
		scratch_write(&fixture->scratch, "etc/shadow", before, 0640);
		assert_int_equal(alter_locks(fixture, cases[i].locks), ACCOUNT_FILES_DONE);
		assert_true(scratch_has(&fixture->scratch, "etc/shadow", after));
	}
}

static void ageing_and_expiry_are_as_told(void **state)
{
	struct fixture *fixture = *state;
	struct account_alteration alteration = nothing((struct account_identity)CAROL);

	alteration.ageing = "19001::::";
	alteration.expiry = "20100";
	assert_int_equal(alter(fixture, &alteration), ACCOUNT_FILES_DONE);
	assert_true(has_row(fixture, "etc/shadow", "carol:$y$j9T$ghi$jkl:19001:::::20100:"));
	alteration.ageing = "19001:1:90:7:14";
	alteration.expiry = "";
	assert_int_equal(alter(fixture, &alteration), ACCOUNT_FILES_DONE);
	assert_all_old(fixture);
}

static void a_row_that_is_too_short_becomes_a_whole_one(void **state)
{
	struct fixture *fixture = *state;
	struct account_alteration alteration = nothing((struct account_identity)BOB);

	scratch_write(&fixture->scratch, "etc/shadow", "bob:$y$hash\n", 0640);
	scratch_write(&fixture->scratch, "etc/passwd", "bob:x:1000:1000\n", 0640);
	alteration.expiry = "1";
	alteration.gecos = "Bob";
	assert_int_equal(alter(fixture, &alteration), ACCOUNT_FILES_DONE);
	assert_true(scratch_has(&fixture->scratch, "etc/shadow", "bob:$y$hash::::::1:\n"));
	assert_true(scratch_has(&fixture->scratch, "etc/passwd", "bob:x:1000:1000:Bob\n"));
}

static void an_account_can_begin_closed_or_with_an_end(void **state)
{
	struct fixture *fixture = *state;
	struct account_entry both[2] = { alice, alice };
	_cleanup_texts_ struct texts once = { 0 }, twice = { 0 };

	both[0].closed = true;
	both[0].expiry = "20100"; /* not looked at */
	both[1].name = "dora";
	both[1].uid = both[1].gid = 2000200002;
	both[1].first_subid = 0;
	both[1].expiry = "20100";
	assert_int_equal(account_files_add(fixture->files, both, 2, NOW), ACCOUNT_FILES_DONE);
	assert_true(has_row(fixture, "etc/shadow", "alice:!*:19675:::::1:"));
	assert_true(has_row(fixture, "etc/shadow", "dora:*:19675:::::20100:"));
	once = texts_now(fixture);
	assert_int_equal(account_files_add(fixture->files, both, 2, NOW + 86400), ACCOUNT_FILES_DONE);
	twice = texts_now(fixture);
	assert_same(&once, &twice);
	both[0].closed = false; /* another row than the one that is there */
	assert_int_equal(account_files_add(fixture->files, both, 2, NOW), ACCOUNT_FILES_TAKEN);
}

static void what_stands_against_an_alteration_is_told_with_its_line(void **state)
{
	static const struct {
		const char *file, *text, *fault;
	} cases[] = {
		{ "etc/passwd", "bob:x:1007:1000:::\n", "etc/passwd:1: the row of bob stands against account bob" },
		{ "etc/passwd", "bobby:x:1000:1000:::\n", "etc/passwd: account bob has no row" },
		{ "etc/passwd", "bob:x:1000:1000:::\neve:x:1:1:::\nbob:x:1000:1000:::\n",
		  "etc/passwd:3: the row of bob" },
		{ "etc/passwd", "bob:$y$hash:1000:1000:::\n", "etc/passwd:1: the row of bob" },
		{ "etc/passwd", "bob::1000:1000:::\n", "its password is here and not in shadow" },
		{ "etc/shadow", "root:*:::::::\n", "etc/shadow: account bob has no row (pwconv makes it)" },
		{ "etc/shadow", "bob:*:::::::\nbob:*:::::::\n", "etc/shadow:2: the row of bob" },
	};
	struct fixture *fixture = *state;
	struct account_alteration alteration = nothing((struct account_identity)BOB);

	alteration.locks = 1;
	alteration.groups_in = "radiology";
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put_files(&fixture->scratch);
		scratch_write(&fixture->scratch, cases[i].file, cases[i].text, 0640);
		assert_int_equal(alter(fixture, &alteration), ACCOUNT_FILES_TAKEN);
		assert_fault(fixture, cases[i].fault);
		assert_true(scratch_has(&fixture->scratch, cases[i].file, cases[i].text));
		assert_true(scratch_has(&fixture->scratch, "etc/group", texts_before[0]));
	}
}

static void values_that_would_break_a_row_are_refused(void **state)
{
	struct fixture *fixture = *state;
	const struct account_alteration none = nothing((struct account_identity)BOB);
	struct account_alteration bad[9];
	char long_gecos[5000];
	size_t count = 0;

	memset(long_gecos, 'a', sizeof(long_gecos) - 1);
	long_gecos[sizeof(long_gecos) - 1] = '\0';
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		bad[i] = none;
	bad[count++].gecos = "Bob:/:/bin/sh";
	bad[count++].gecos = "Bob\nroot::0:0::/:/bin/sh";
	bad[count++].gecos = long_gecos;
	bad[count++].locks = 1000;
	bad[count++].ageing = "1:2:3";
	bad[count++].ageing = "1:2:3:4:5:6";
	bad[count++].ageing = "1:2:3\n:4:5";
	bad[count++].expiry = "1:";
	bad[count++].who = (struct account_identity){ .name = "root" };
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(alter(fixture, &bad[i]), ACCOUNT_FILES_INVALID);
		assert_fault(fixture, "cannot be written");
	}
	assert_all_old(fixture);
}

/* ---- groups ---- */

static const struct {
	const char *before, *in, *out, *after;
} group_cases[] = {
	{ "radiology:x:2000:", "radiology", NULL, "radiology:x:2000:bob" },
	{ "radiology:x:2000", "radiology", NULL, "radiology:x:2000:bob" },
	{ "radiology:x:2000:carol", "radiology", NULL, "radiology:x:2000:carol,bob" },
	{ "radiology:x:2000:carol,", "radiology", NULL, "radiology:x:2000:carol,bob" },
	{ "radiology:x:2000: ", "radiology", NULL, "radiology:x:2000:bob" },
	{ "radiology:x:2000: carol, dora", "radiology", NULL, "radiology:x:2000: carol, dora,bob" },
	{ "radiology:x:2000:bobby,carol", "radiology", NULL, "radiology:x:2000:bobby,carol,bob" },
	{ "radiology:x:2000:carol, bob", "radiology", NULL, "radiology:x:2000:carol, bob" },
	{ "radiology:x:2000:carol,bob ,dora", "radiology", NULL, "radiology:x:2000:carol,bob ,dora,bob" },
	{ " radiology:: 02000:eve", "radiology", NULL, " radiology:: 02000:eve,bob" },
	{ "radiology:x:2000:bob", NULL, "radiology", "radiology:x:2000:" },
	{ "radiology:x:2000:bob,carol", NULL, "radiology", "radiology:x:2000:carol" },
	{ "radiology:x:2000:carol,bob", NULL, "radiology", "radiology:x:2000:carol" },
	{ "radiology:x:2000: carol, bob, dora", NULL, "radiology", "radiology:x:2000: carol, dora" },
	{ "radiology:x:2000:bob,,bob,carol,bobby", NULL, "radiology", "radiology:x:2000:,carol,bobby" },
	{ "radiology:x:2000:bobby", NULL, "radiology", "radiology:x:2000:bobby" },
	{ "radiology:x:2000::bob,carol", NULL, "radiology", "radiology:x:2000::bob,carol" },
	{ "radiology:x:2000::,bob,carol", NULL, "radiology", "radiology:x:2000::,carol" },
	{ "radiology:x:2000:bob", "sudo", NULL, "radiology:x:2000:bob" },
	{ "radiology:x:2000:bob", NULL, "*", "radiology:x:2000:" },
	{ "radiology:x:2000:bob", "radiology", "*", "radiology:x:2000:bob" },
	{ "radiology:x:2000:", "radiology", "*", "radiology:x:2000:bob" },
	{ "bob:x:1000:bob", NULL, "*", "bob:x:1000:bob" },
	{ "#radiology:x:2000:bob", NULL, "*", "#radiology:x:2000:bob" },
	{ "+radiology:x:2000:bob", NULL, "*", "+radiology:x:2000:bob" },
	{ "radiology:x:none:bob", NULL, "*", "radiology:x:none:bob" },
	{ "radiology", NULL, "*", "radiology" },
};

/* As glibc reads the row. */
static bool is_member_for_glibc(const char *row)
{
	_cleanup_file_ FILE *stream = NULL;
	const struct group *group;
	bool found = false;
	char text[128];

	(void)snprintf(text, sizeof(text), "%s\n", row);
	stream = fmemopen(text, strlen(text), "re");
	group = fgetgrent(stream);
	for (char **member = group ? group->gr_mem : NULL; member && *member; member++)
		found = found || strcmp(*member, "bob") == 0;
	return found;
}

static void a_list_changes_only_by_who_comes_and_goes(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(group_cases) / sizeof(group_cases[0]); i++) {
		const char *in = group_cases[i].in, *out = group_cases[i].out;
		char before[256], after[256];

		(void)snprintf(before, sizeof(before),
			       "root:x:0:\n%s\nsudo:x:27:bob\n\nlast:x:1:", group_cases[i].before);
		(void)snprintf(after, sizeof(after), "root:x:0:\n%s\nsudo:x:27:%s\n\nlast:x:1:%s", group_cases[i].after,
			       out && strcmp(out, "*") == 0 ? "" : "bob",
			       strcmp(group_cases[i].before, group_cases[i].after) != 0 ||
					       (out && strcmp(out, "*") == 0)
				       ? "\n"
				       : "");
		scratch_write(&fixture->scratch, "etc/group", before, 0644);
		assert_int_equal(alter_groups(fixture, in, out), ACCOUNT_FILES_DONE);
		assert_true(scratch_has(&fixture->scratch, "etc/group", after));
		if (in && strcmp(in, "radiology") == 0)
			assert_true(is_member_for_glibc(group_cases[i].after));
		assert_int_equal(alter_groups(fixture, in, out), ACCOUNT_FILES_DONE);
		assert_true(scratch_has(&fixture->scratch, "etc/group", after));
	}
}

static void gshadow_follows_group(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(alter_groups(fixture, "radiology", "sudo"), ACCOUNT_FILES_DONE);
	assert_true(has_row(fixture, "etc/group", "radiology:x:2000:bob"));
	assert_true(has_row(fixture, "etc/gshadow", "radiology:!::bob"));
	assert_true(has_row(fixture, "etc/group", "sudo:x:27:carol"));
	assert_true(has_row(fixture, "etc/gshadow", "sudo:*::carol"));
	/* Out of step before: brought into step. */
	scratch_write(&fixture->scratch, "etc/gshadow", "sudo:*:carol:bob,carol\nradiology:!\n", 0640);
	assert_int_equal(alter_groups(fixture, "radiology", "sudo"), ACCOUNT_FILES_DONE);
	assert_true(scratch_has(&fixture->scratch, "etc/gshadow", "sudo:*:carol:carol\nradiology:!::bob\n"));
	/* A group that gshadow does not have gets no row there. */
	scratch_write(&fixture->scratch, "etc/gshadow", "sudo:*::\n", 0640);
	assert_int_equal(alter_groups(fixture, "radiology", "sudo"), ACCOUNT_FILES_DONE);
	assert_true(scratch_has(&fixture->scratch, "etc/gshadow", "sudo:*::\n"));
}

static void who_leaves_all_groups_administers_none(void **state)
{
	struct fixture *fixture = *state;

	scratch_write(&fixture->scratch, "etc/gshadow", "sudo:*:bob,carol:bob,carol\nradiology:!:bob:\nbob:!:bob:\n",
		      0640);
	assert_int_equal(alter_groups(fixture, NULL, "*"), ACCOUNT_FILES_DONE);
	assert_true(scratch_has(&fixture->scratch, "etc/gshadow", "sudo:*:carol:carol\nradiology:!::\nbob:!:bob:\n"));
	assert_true(has_row(fixture, "etc/group", "sudo:x:27:carol"));
}

static void without_gshadow_group_is_enough(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(unlinkat(fixture->scratch.fd, "etc/gshadow", 0), 0);
	assert_int_equal(alter_groups(fixture, "radiology", "sudo"), ACCOUNT_FILES_DONE);
	assert_true(has_row(fixture, "etc/group", "radiology:x:2000:bob"));
	assert_int_equal(faccessat(fixture->scratch.fd, "etc/gshadow", F_OK, 0), -1);
}

/* All rows of a name count for glibc, so leaving means all of them. */
static void a_group_that_stands_twice_is_left_twice_and_joined_once(void **state)
{
	struct fixture *fixture = *state;

	scratch_write(&fixture->scratch, "etc/group", "radiology:x:2000:\nradiology:x:2001:bob\n", 0644);
	assert_int_equal(alter_groups(fixture, "radiology", NULL), ACCOUNT_FILES_DONE);
	assert_true(scratch_has(&fixture->scratch, "etc/group", "radiology:x:2000:bob\nradiology:x:2001:bob\n"));
	assert_int_equal(alter_groups(fixture, NULL, "radiology"), ACCOUNT_FILES_DONE);
	assert_true(scratch_has(&fixture->scratch, "etc/group", "radiology:x:2000:\nradiology:x:2001:\n"));
	/* glibc skips rows whose number is none. */
	scratch_write(&fixture->scratch, "etc/group",
		      "radiology:x:-1:\nradiology:x:none:\nradiology:x:99999999999:\nradiology:x:2001:\n", 0644);
	assert_int_equal(alter_groups(fixture, "radiology", NULL), ACCOUNT_FILES_DONE);
	assert_true(
		scratch_has(&fixture->scratch, "etc/group",
			    "radiology:x:-1:\nradiology:x:none:\nradiology:x:99999999999:\nradiology:x:2001:bob\n"));
}

static void a_missing_group_is_told_and_all_else_is_done(void **state)
{
	struct fixture *fixture = *state;
	struct account_entry entry = alice;
	const char *const groups[] = { "surgery", "radiology" };

	assert_int_equal(alter_groups(fixture, "surgery,radiology,surgery,attic", "cellar"), ACCOUNT_FILES_DONE);
	assert_fault(fixture, "etc/group: there is no group surgery, attic;");
	assert_true(has_row(fixture, "etc/group", "radiology:x:2000:bob"));
	entry.groups = groups;
	entry.group_count = 2;
	assert_int_equal(account_files_add(fixture->files, &entry, 1, NOW), ACCOUNT_FILES_DONE);
	assert_fault(fixture, "etc/group: there is no group surgery;");
	assert_true(has_row(fixture, "etc/group", "radiology:x:2000:bob,alice"));
	assert_true(has_row(fixture, "etc/gshadow", "radiology:!::bob,alice"));
	assert_int_equal(alter_groups(fixture, "radiology", NULL), ACCOUNT_FILES_DONE);
	assert_string_equal(account_files_fault(fixture->files), "");
}

static void several_accounts_join_and_leave_one_group_together(void **state)
{
	struct fixture *fixture = *state;
	const char *const groups[] = { "sudo" };
	struct account_entry entry = alice;
	struct account_alteration altered[2] = { nothing((struct account_identity)BOB),
						 nothing((struct account_identity)CAROL) };
	const struct account_edits edits = {
		.added = &entry, .added_count = 1, .altered = altered, .altered_count = 2
	};

	entry.groups = groups;
	entry.group_count = 1;
	altered[0].groups_out = "*";
	altered[0].groups_in = "radiology";
	altered[1].groups_in = "radiology,sudo";
	assert_int_equal(account_files_apply(fixture->files, &edits, NOW), ACCOUNT_FILES_DONE);
	assert_true(has_row(fixture, "etc/group", "sudo:x:27:carol,alice"));
	assert_true(has_row(fixture, "etc/gshadow", "sudo:*::carol,alice"));
	assert_true(has_row(fixture, "etc/group", "radiology:x:2000:bob,carol"));
	assert_true(has_row(fixture, "etc/gshadow", "radiology:!::bob,carol"));
	assert_true(has_row(fixture, "etc/passwd", "alice:x:2000200001:2000200001:Alice:/:/bin/bash"));
}

static void edits_that_contradict_each_other_are_refused(void **state)
{
	struct fixture *fixture = *state;
	struct account_alteration altered[2] = { nothing((struct account_identity)BOB),
						 nothing((struct account_identity)BOB) };
	struct account_entry entry = alice;
	struct account_edits edits = { .altered = altered, .altered_count = 2 };

	assert_int_equal(account_files_apply(fixture->files, &edits, NOW), ACCOUNT_FILES_INVALID);
	assert_int_equal(alter_groups(fixture, "radiology", "sudo,radiology"), ACCOUNT_FILES_INVALID);
	assert_fault(fixture, "account bob cannot be written: it is to be a member of a group and not to be one");
	entry.name = "bob";
	edits = (struct account_edits){ .added = &entry, .added_count = 1, .altered = altered, .altered_count = 1 };
	assert_int_equal(account_files_apply(fixture->files, &edits, NOW), ACCOUNT_FILES_INVALID);
	entry.name = "alice";
	entry.uid = 1000;
	assert_int_equal(account_files_apply(fixture->files, &edits, NOW), ACCOUNT_FILES_INVALID);
	assert_all_old(fixture);
}

/* ---- subordinate ids ---- */

static void subordinate_ids_are_given_where_the_system_has_them(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(account_files_add(fixture->files, &alice, 1, NOW), ACCOUNT_FILES_DONE);
	assert_true(has_row(fixture, "etc/subuid", "alice:165536:65536"));
	assert_true(has_row(fixture, "etc/subgid", "alice:165536:65536"));
	assert_int_equal(account_files_add(fixture->files, &alice, 1, NOW), ACCOUNT_FILES_DONE);
	assert_true(scratch_has(&fixture->scratch, "etc/subuid", "bob:100000:65536\nalice:165536:65536\n"));
	put_files(&fixture->scratch);
	assert_int_equal(unlinkat(fixture->scratch.fd, "etc/subuid", 0), 0);
	assert_int_equal(account_files_add(fixture->files, &alice, 1, NOW), ACCOUNT_FILES_DONE);
	assert_int_equal(faccessat(fixture->scratch.fd, "etc/subuid", F_OK, 0), -1);
	assert_true(has_row(fixture, "etc/subgid", "alice:165536:65536"));
}

static void ids_that_a_newcomer_would_inherit_or_share_stand_against_it(void **state)
{
	static const struct {
		const char *text, *fault;
		uint32_t first;
	} cases[] = {
		{ "alice:300000:65536\n", "etc/subgid:1: the row of alice", 165536 },
		{ "alice:165536:65535\n", "etc/subgid:1: the row of alice", 165536 },
		{ "alice:165536:65536\n", "etc/subgid:1: the row of alice", 0 },
		{ "2000200001:300000:1\n", "etc/subgid:1: the row of 2000200001", 165536 },
		{ "eve:1:2\nbob:165535:2\n", "etc/subgid:2: the row of bob", 165536 },
		{ "bob:231071:1\n", "it has the subordinate id 165536", 165536 },
		{ "bob:0:4294967295\n", "etc/subgid:1: the row of bob", 165536 },
		{ "eve:100:5000000\nbob:200:10\n", "etc/subgid:1: the row of eve", 165536 },
		{ "eve:170000:10\nbob:200:10\n", "etc/subgid:1: the row of eve", 165536 },
	};
	static const char *const harmless[] = { "bob:231072:65536\neve:100000:65536\n",
						"bob:165536:0\n",
						"bob:165536\n",
						"bob:many:65536\n",
						"#bob:165536:65536\n",
						"alicia:1:1\n" };
	struct fixture *fixture = *state;
	struct account_entry entry = alice;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put_files(&fixture->scratch);
		scratch_write(&fixture->scratch, "etc/subgid", cases[i].text, 0644);
		entry.first_subid = cases[i].first;
		assert_int_equal(account_files_add(fixture->files, &entry, 1, NOW), ACCOUNT_FILES_TAKEN);
		assert_fault(fixture, cases[i].fault);
		assert_true(scratch_has(&fixture->scratch, "etc/subuid", texts_before[2]));
	}
	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
		put_files(&fixture->scratch);
		scratch_write(&fixture->scratch, "etc/subgid", harmless[i], 0644);
		assert_int_equal(account_files_add(fixture->files, &alice, 1, NOW), ACCOUNT_FILES_DONE);
	}
}

static void two_newcomers_do_not_share_ids(void **state)
{
	struct fixture *fixture = *state;
	struct account_entry both[2] = { alice, alice };

	both[1].name = "dora";
	both[1].uid = both[1].gid = 2000200002;
	both[1].first_subid += 65535;
	assert_int_equal(account_files_add(fixture->files, both, 2, NOW), ACCOUNT_FILES_INVALID);
	assert_all_old(fixture);
	both[1].first_subid++;
	assert_int_equal(account_files_add(fixture->files, both, 2, NOW), ACCOUNT_FILES_DONE);
}

static const struct {
	const char *subuid, *subgid, *login_defs;
	uint32_t at_least, first; /* 0: none */
	const char *fault;
} free_cases[] = {
	{ "", "", NULL, 0, 100000, "" },
	{ "bob:100000:65536\n", "bob:100000:65536\n", NULL, 0, 165536, "" },
	{ "bob:100000:65536\n", NULL, NULL, 0, 165536, "" },
	{ NULL, NULL, NULL, 0, 0, "there is neither subuid nor subgid" },
	{ "bob:165536:1\n", "eve:300000:10\ncarol:235000:1\n", NULL, 0, 100000, "" },
	{ "bob:165535:1\n", "eve:300000:10\ncarol:235000:1\n", NULL, 0, 165536, "" },
	{ "", "", NULL, 500000, 500000, "" },
	{ "bob:500001:65536\n", "", NULL, 500000, 565537, "" },
	{ "c:300000:65536\nb:165536:134464\na:100000:65536\n", "", NULL, 0, 365536, "" },
	{ "bob:0:4294967295\n", "", NULL, 0, 0, "no range is left" },
	{ "bob:4294967295:4294967295\n", "", NULL, 0, 100000, "" },
	{ "", "", "SUB_UID_MIN 200000\nSUB_GID_MIN\t\t0x40000\n", 0, 262144, "" },
	{ "", "", "# SUB_UID_MIN 200000\nSUB_UID_MINIMUM 7\nSUB_UID_MIN nonsense\n", 0, 100000, "" },
	{ "", "", "SUB_GID_MAX 165534\n", 0, 0, "no range is left" },
	{ "", "", "SUB_GID_MAX 165535\n", 0, 100000, "" },
	{ "", "", "SUB_UID_COUNT 0\n", 0, 0, "SUB_UID_COUNT or SUB_GID_COUNT is 0" },
	{ "", "", NULL, 600034466, 0, "no range is left" },
	{ "", "", NULL, 600034465, 600034465, "" },
	{ "", "", "SUB_UID_MAX 99999999999\nSUB_GID_MAX 99999999999\n", 4294901760u, 0, "no range is left" },
};

static void put_or_remove(const struct scratch *scratch, const char *name, const char *text)
{
	if (text)
		scratch_write(scratch, name, text, 0644);
	else
		(void)unlinkat(scratch->fd, name, 0);
}

static void a_free_range_is_nobodys(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(free_cases) / sizeof(free_cases[0]); i++) {
		uint32_t first = 0, behind = 0;

		put_or_remove(&fixture->scratch, "etc/subuid", free_cases[i].subuid);
		put_or_remove(&fixture->scratch, "etc/subgid", free_cases[i].subgid);
		put_or_remove(&fixture->scratch, "etc/login.defs", free_cases[i].login_defs);
		assert_int_equal(account_files_free_subid(fixture->files, free_cases[i].at_least, &first, &behind),
				 free_cases[i].first != 0);
		if (first != free_cases[i].first)
			fail_msg("case %zu: %" PRIu32 " instead of %" PRIu32, i, first, free_cases[i].first);
		assert_fault(fixture, free_cases[i].fault);
	}
}

static void a_free_range_holds_no_uid_or_gid_of_the_files(void **state)
{
	struct fixture *fixture = *state;
	uint32_t first = 0, behind = 0;

	scratch_write(&fixture->scratch, "etc/subuid", "", 0644);
	scratch_write(&fixture->scratch, "etc/subgid", "", 0644);
	scratch_write(&fixture->scratch, "etc/passwd", "svc:x:100005:300000::/:/bin/sh\n", 0644);
	scratch_write(&fixture->scratch, "etc/group", "svc:x:165541:\n", 0644);
	assert_int_equal(account_files_free_subid(fixture->files, 0, &first, &behind), 1);
	assert_int_equal(first, 165542);
	assert_int_equal(behind, 300000);
	assert_int_equal(account_files_free_subid(fixture->files, 300000, &first, &behind), 1);
	assert_int_equal(first, 300001);
	assert_int_equal(behind, 600100001); /* SUB_UID_MAX is the last one */
}

/* ---- removing ---- */

static void who_is_removed_leaves_nothing_behind(void **state)
{
	struct fixture *fixture = *state;
	struct account_identity bob = { .name = "bob", .uid = 1000, .gid = 1000, .whole = true, .groups = "*" };
	_cleanup_texts_ struct texts once = { 0 }, twice = { 0 };

	scratch_write(&fixture->scratch, "etc/subuid", "bob:100000:65536\nbobby:1:1\n1000:7:7\nbob:1:1\n", 0644);
	assert_int_equal(account_files_remove(fixture->files, &bob, 1), ACCOUNT_FILES_DONE);
	for (size_t i = 0; i < FILES; i++) {
		char *text = scratch_read(&fixture->scratch, names[i]);

		if (strstr(text, "bob") != strstr(text, "bobby"))
			fail_msg("%s still has bob:\n%s", names[i], text);
		free(text);
	}
	assert_true(scratch_has(&fixture->scratch, "etc/subuid", "bobby:1:1\n"));
	assert_true(has_row(fixture, "etc/group", "sudo:x:27:carol"));
	assert_true(has_row(fixture, "etc/gshadow", "sudo:*::carol"));
	once = texts_now(fixture);
	assert_int_equal(account_files_remove(fixture->files, &bob, 1), ACCOUNT_FILES_DONE);
	twice = texts_now(fixture);
	assert_same(&once, &twice);
}

static void who_are_removed_together_do_not_keep_each_others_groups(void **state)
{
	struct fixture *fixture = *state;
	struct account_identity both[2] = { { .name = "bob", .uid = 1000, .gid = 1000, .groups = "*" },
					    { .name = "carol", .uid = 1001, .gid = 1001, .groups = "*" } };

	scratch_write(&fixture->scratch, "etc/group", "bob:x:1000:carol\ncarol:x:1001:bob,carol\nsudo:x:27:bob\n",
		      0644);
	assert_int_equal(account_files_remove(fixture->files, both, 2), ACCOUNT_FILES_DONE);
	assert_true(scratch_has(&fixture->scratch, "etc/group", "sudo:x:27:\n"));
}

static void a_group_that_others_use_stays_without_who_is_removed(void **state)
{
	struct fixture *fixture = *state;
	struct account_identity bob = { .name = "bob", .uid = 1000, .gid = 1000, .whole = true, .groups = "*" };

	scratch_write(&fixture->scratch, "etc/group", "bob:x:1000:bob,carol\n", 0644);
	scratch_write(&fixture->scratch, "etc/gshadow", "bob:!:bob:bob,carol\n", 0640);
	assert_int_equal(account_files_remove(fixture->files, &bob, 1), ACCOUNT_FILES_DONE);
	assert_true(scratch_has(&fixture->scratch, "etc/group", "bob:x:1000:carol\n"));
	assert_true(scratch_has(&fixture->scratch, "etc/gshadow", "bob:!::carol\n"));
}

/* A crash lay between passwd and the rest. */
static void what_a_whole_account_left_goes_however_it_looks(void **state)
{
	struct fixture *fixture = *state;
	struct account_identity bob = { .name = "bob", .uid = 1000, .gid = 1000, .groups = "*" };

	scratch_write(&fixture->scratch, "etc/passwd", "root:x:0:0:root:/:/bin/bash\n", 0644);
	assert_int_equal(account_files_remove(fixture->files, &bob, 1), ACCOUNT_FILES_DONE);
	assert_true(has_row(fixture, "etc/shadow", "bob:$y$j9T$abc$def:19000:0:99999:7::20000:"));
	assert_true(has_row(fixture, "etc/subuid", "bob:100000:65536"));
	bob.whole = true;
	assert_int_equal(account_files_remove(fixture->files, &bob, 1), ACCOUNT_FILES_DONE);
	assert_true(scratch_has(&fixture->scratch, "etc/subuid", ""));
	assert_true(scratch_has(&fixture->scratch, "etc/subgid", ""));
	assert_true(scratch_has(&fixture->scratch, "etc/shadow",
				"root:*:19000:0:99999:7:::\ncarol:$y$j9T$ghi$jkl:19001:1:90:7:14::\n"));
	/* A gshadow row without its group: the crash lay between these two. */
	scratch_write(&fixture->scratch, "etc/gshadow", "bob:!:bob:carol\n", 0640);
	assert_int_equal(account_files_remove(fixture->files, &bob, 1), ACCOUNT_FILES_DONE);
	assert_true(scratch_has(&fixture->scratch, "etc/gshadow", ""));
}

static void undoing_a_creation_leaves_no_trace_and_touches_nobody_elses_rows(void **state)
{
	struct fixture *fixture = *state;
	const char *const groups[] = { "sudo", "radiology" };
	struct account_entry entry = alice;
	struct account_identity identity = {
		.name = "alice", .uid = 2000200001, .gid = 2000200001, .groups = "sudo,radiology", .first_subid = 165536
	};

	entry.groups = groups;
	entry.group_count = 2;
	entry.closed = true;
	assert_int_equal(account_files_add(fixture->files, &entry, 1, NOW), ACCOUNT_FILES_DONE);
	assert_int_equal(account_files_remove(fixture->files, &identity, 1), ACCOUNT_FILES_DONE);
	assert_all_old(fixture);
	/* What stood against it stays. */
	scratch_write(&fixture->scratch, "etc/shadow", "alice:!$y$hash:1::::::\n", 0640);
	scratch_write(&fixture->scratch, "etc/subuid", "alice:300000:65536\nalice:165536:65536\n", 0644);
	assert_int_equal(account_files_remove(fixture->files, &identity, 1), ACCOUNT_FILES_DONE);
	assert_true(scratch_has(&fixture->scratch, "etc/shadow", "alice:!$y$hash:1::::::\n"));
	assert_true(scratch_has(&fixture->scratch, "etc/subuid", "alice:300000:65536\n"));
}

/* ---- the whole at once: again, killed, failing ---- */

static enum account_files_result change_all(struct fixture *fixture)
{
	static const char *const groups[] = { "radiology", "sudo" };
	struct account_entry entry = alice;
	struct account_alteration altered[2] = { nothing((struct account_identity)BOB),
						 nothing((struct account_identity)CAROL) };
	const struct account_edits edits = {
		.added = &entry, .added_count = 1, .altered = altered, .altered_count = 2
	};

	entry.groups = groups;
	entry.group_count = 2;
	altered[0].locks = 1;
	altered[0].expiry = "1";
	altered[0].groups_out = "*";
	altered[0].gecos = "Robert,,,";
	altered[1].ageing = "19001::::";
	altered[1].groups_in = "radiology";
	return account_files_apply(fixture->files, &edits, NOW);
}

static enum account_files_result remove_all(struct fixture *fixture)
{
	const struct account_identity both[2] = {
		{ .name = "bob", .uid = 1000, .gid = 1000, .whole = true, .groups = "*" },
		{ .name = "alice", .uid = 2000200001, .gid = 2000200001, .whole = true, .groups = "*" }
	};

	return account_files_remove(fixture->files, both, 2);
}

typedef enum account_files_result change_function(struct fixture *);

static void a_change_that_is_repeated_changes_nothing(void **state)
{
	change_function *const changes[] = { change_all, remove_all };
	struct fixture *fixture = *state;

	for (size_t i = 0; i < 2; i++) {
		_cleanup_texts_ struct texts once = { 0 }, twice = { 0 };
		struct stat before[FILES], after[FILES];

		assert_int_equal(changes[i](fixture), ACCOUNT_FILES_DONE);
		once = texts_now(fixture);
		for (size_t file = 0; file < FILES; file++)
			assert_int_equal(fstatat(fixture->scratch.fd, names[file], &before[file], 0), 0);
		assert_int_equal(changes[i](fixture), ACCOUNT_FILES_DONE);
		twice = texts_now(fixture);
		assert_same(&once, &twice);
		for (size_t file = 0; file < FILES; file++) {
			assert_int_equal(fstatat(fixture->scratch.fd, names[file], &after[file], 0), 0);
			assert_int_equal(before[file].st_ino, after[file].st_ino); /* not even rewritten */
		}
	}
}

/* When the lock is given back; until then the old files wait to become backups. */
static unsigned leftovers(struct fixture *fixture)
{
	account_files_unlock(fixture->files);
	assert_int_equal(account_files_lock(fixture->files), 0);
	return scratch_count(&fixture->scratch, "etc", ".provisiond");
}

static void one_rewrite_does_it_and_keeps_what_was_before(void **state)
{
	struct fixture *fixture = *state;

	memset(&calls, 0, sizeof(calls));
	assert_int_equal(change_all(fixture), ACCOUNT_FILES_DONE);
	assert_int_equal(calls.fsyncs_before_rename, FILES);
	assert_int_equal(calls.fsyncs, FILES + 1); /* and the directory */
	assert_int_equal(leftovers(fixture), 0);
	for (size_t i = 0; i < FILES; i++) {
		char backup[32];

		(void)snprintf(backup, sizeof(backup), "%s-", names[i]);
		assert_true(scratch_has(&fixture->scratch, backup, texts_before[i]));
	}
}

static void what_others_edit_between_two_rewrites_stays(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(change_all(fixture), ACCOUNT_FILES_DONE);
	/* As usermod and vipw do it, under the lock, each in a file of its own. */
	scratch_write(&fixture->scratch, "etc/group",
		      "# by hand\nroot:x:0:\nsudo:x:27:carol,dora,alice\nradiology:x:2000:eve,alice,carol\n"
		      "bob:x:1000:\nbroken line\ncarol:x:1001:\nalice:x:2000200001:\ndora:x:1002:\n",
		      0644);
	scratch_write(&fixture->scratch, "etc/shadow",
		      "root:*:19000:0:99999:7:::\nbob:!!$y$new:19900:0:99999:7::1:\ncarol:$y$j9T$ghi$jkl:19001:::::: \n"
		      "alice:*:19675::::::\ndora:$y$dora:19900:0:99999:7:::\n",
		      0640);
	assert_int_equal(alter_locks(fixture, 3), ACCOUNT_FILES_DONE);
	assert_int_equal(alter_groups(fixture, "radiology", "sudo"), ACCOUNT_FILES_DONE);
	assert_true(
		scratch_has(&fixture->scratch, "etc/group",
			    "# by hand\nroot:x:0:\nsudo:x:27:carol,dora,alice\nradiology:x:2000:eve,alice,carol,bob\n"
			    "bob:x:1000:\nbroken line\ncarol:x:1001:\nalice:x:2000200001:\ndora:x:1002:\n"));
	assert_true(scratch_has(
		&fixture->scratch, "etc/shadow",
		"root:*:19000:0:99999:7:::\nbob:!!!$y$new:19900:0:99999:7::1:\ncarol:$y$j9T$ghi$jkl:19001:::::: \n"
		"alice:*:19675::::::\ndora:$y$dora:19900:0:99999:7:::\n"));
}

/* Each file is what it was or what it will be, and those that are new are the first of them. */
static void assert_state_is_harmless(struct fixture *fixture, const struct texts *old, const struct texts *new,
				     bool removing)
{
	static const size_t order_of_removing[FILES] = { 5, 4, 3, 2, 1, 0 };
	_cleanup_texts_ struct texts now = texts_now(fixture);
	bool was_new = true;

	for (size_t i = 0; i < FILES; i++) {
		size_t file = removing ? order_of_removing[i] : i;
		bool is_new = is_same(&now, new, file);

		assert_true(is_new || is_same(&now, old, file));
		if (!is_same(old, new, file)) {
			assert_true(was_new || !is_new);
			was_new = is_new;
		}
	}
}

/* Dies before the n-th call, then the same again. False when there were fewer calls. */
static bool killed_at(struct fixture *fixture, change_function *change, const struct texts *old,
		      const struct texts *new, unsigned n)
{
	int status;
	pid_t child;

	for (size_t i = 0; i < FILES; i++)
		scratch_write(&fixture->scratch, names[i], old->of[i], 0640);
	child = fork();
	if (child == 0) {
		calls_arm(CALLS_KILL, n, 0);
		_exit(change(fixture) == ACCOUNT_FILES_DONE ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_state_is_harmless(fixture, old, new, change == remove_all);
	if (!WIFSIGNALED(status)) {
		assert_int_equal(WEXITSTATUS(status), 0);
		return false;
	}
	assert_int_equal(change(fixture), ACCOUNT_FILES_DONE);
	_cleanup_texts_ struct texts now = texts_now(fixture);
	assert_same(new, &now);
	assert_int_equal(leftovers(fixture), 0);
	return true;
}

/* From the n-th call on, `mode`. False when there were fewer calls. */
static bool failed_at(struct fixture *fixture, change_function *change, const struct texts *old,
		      const struct texts *new, unsigned n, int error)
{
	enum account_files_result result;
	bool was_hit;

	for (size_t i = 0; i < FILES; i++)
		scratch_write(&fixture->scratch, names[i], old->of[i], 0640);
	calls_arm(CALLS_FAIL_ONCE, n, error);
	result = change(fixture);
	was_hit = calls.mode == CALLS_WORK;
	calls_arm(CALLS_WORK, 0, 0);
	_cleanup_texts_ struct texts now = texts_now(fixture);
	assert_same(result == ACCOUNT_FILES_DONE ? new : old, &now);
	if (result != ACCOUNT_FILES_DONE) {
		assert_int_equal(result, ACCOUNT_FILES_STORAGE);
		assert_fault(fixture, strerror(error));
		assert_int_equal(account_files_sweep(fixture->files), 0);
	}
	assert_int_equal(leftovers(fixture), 0);
	return was_hit;
}

/* The states before and after each of the two changes. */
static void make_states(struct fixture *fixture, struct texts states[3])
{
	states[0] = texts_now(fixture);
	assert_int_equal(change_all(fixture), ACCOUNT_FILES_DONE);
	states[1] = texts_now(fixture);
	assert_int_equal(remove_all(fixture), ACCOUNT_FILES_DONE);
	states[2] = texts_now(fixture);
}

static void assert_every_step_may_fail(struct fixture *fixture)
{
	static const int errors[] = { ENOSPC, EIO, EROFS, EMFILE };
	change_function *const changes[2] = { change_all, remove_all };
	struct texts states[3];
	unsigned kills = 0, faults = 0;

	make_states(fixture, states);
	for (size_t i = 0; i < 2; i++) {
		for (unsigned n = 1; killed_at(fixture, changes[i], &states[i], &states[i + 1], n); n++)
			kills++;
		for (size_t e = 0; e < sizeof(errors) / sizeof(errors[0]); e++)
			for (unsigned n = 1; failed_at(fixture, changes[i], &states[i], &states[i + 1], n, errors[e]);
			     n++)
				faults++;
	}
	for (size_t i = 0; i < 3; i++)
		texts_free(&states[i]);
	assert_true(kills > 60 && faults > 240);
	print_message("             %u kills and %u faults between two calls\n", kills, faults);
}

static void a_kill_or_a_fault_at_any_step_leaves_whole_files(void **state)
{
	assert_every_step_may_fail(*state);
}

static void so_it_is_where_files_cannot_be_exchanged(void **state)
{
	calls.no_exchange = true;
	assert_every_step_may_fail(*state);
}

/* ---- what other tools say of the files ---- */

/* Runs a program that looks at /etc, where it finds the test's. 77 when that is not allowed here. */
static int run(const struct fixture *fixture, const char *program)
{
	char etc[128];
	int status;
	pid_t child = fork();

	(void)snprintf(etc, sizeof(etc), "%s/etc", fixture->scratch.path);
	if (child == 0) {
		if (unshare(CLONE_NEWNS) != 0 || mount("", "/", "", MS_REC | MS_PRIVATE, "") != 0 ||
		    mount(etc, "/etc", "", MS_BIND, "") != 0)
			_exit(77);
		(void)dup2(STDERR_FILENO, STDOUT_FILENO);
		(void)execl(program, program, "-r", (char *)NULL);
		_exit(127);
	}
	(void)waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void assert_checked_clean(const struct fixture *fixture)
{
	assert_int_equal(run(fixture, "/usr/sbin/pwck"), 0);
	assert_int_equal(run(fixture, "/usr/sbin/grpck"), 0);
}

static void pwck_and_grpck_have_nothing_to_say(void **state)
{
	struct fixture *fixture = *state;

	if (access("/usr/sbin/pwck", X_OK) != 0 || run(fixture, "/bin/true") == 77)
		skip(); /* needs root */
	assert_checked_clean(fixture);
	assert_int_equal(change_all(fixture), ACCOUNT_FILES_DONE);
	assert_checked_clean(fixture);
	assert_int_equal(remove_all(fixture), ACCOUNT_FILES_DONE);
	assert_checked_clean(fixture);
	scratch_write(&fixture->scratch, "etc/group", "root:x:0:\n", 0644);
	assert_int_not_equal(run(fixture, "/usr/sbin/pwck"), 0); /* it would have had something to say */
	assert_int_not_equal(run(fixture, "/usr/sbin/grpck"), 0);
}

/* ---- reading ---- */

static void shadow_tells_locks_and_dates_as_they_stand_there(void **state)
{
	static const struct {
		const char *row, *ageing, *expiry;
		int locks;
		bool locked, has_expiry;
	} cases[] = {
		{ "bob:$y$hash:19000:0:99999:7::20000:", "19000:0:99999:7:", "20000", 0, false, true },
		{ "bob:!!$y$hash:19000:1:90:7:14::", "19000:1:90:7:14", "", 2, true, false },
		{ "bob:!*:::::::", "::::", "", 1, true, false },
		{ "bob:*:1::::::", "1::::", "", 0, true, false },
		{ "bob:!:1:::::0:", "1::::", "0", 1, true, true },
		{ "bob::1:::::-1:", "1::::", "-1", 0, false, false },
		{ "bob:$y$h!sh!", "::::", "", 0, false, false },
		{ "bob", "::::", "", 0, false, false },
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct account_shadow shadow;
		char text[128];

		(void)snprintf(text, sizeof(text), "root:*:1::::::\n%s\n", cases[i].row);
		scratch_write(&fixture->scratch, "etc/shadow", text, 0640);
		assert_int_equal(account_files_shadow_named(fixture->files, "bob", &shadow), 1);
		assert_int_equal(shadow.locks, cases[i].locks);
		assert_int_equal(shadow.locked, cases[i].locked);
		assert_int_equal(shadow.has_expiry, cases[i].has_expiry);
		assert_string_equal(shadow.ageing, cases[i].ageing);
		assert_string_equal(shadow.expiry, cases[i].expiry);
		assert_int_equal(shadow.line, 2);
	}
}

static void no_password_hash_stays_in_memory(void **state)
{
	struct fixture *fixture = *state;
	const struct account_rows *rows = &fixture->files->cache[ACCOUNT_FILE_SHADOW].rows;
	struct account_shadow shadow;

	scratch_write(&fixture->scratch, "etc/shadow",
		      "bob:!!$y$j9T$secret1$secret2:1:::::9:\nroot:$6$secret3:1::::::\neve:*secret4\n", 0640);
	assert_int_equal(account_files_shadow_named(fixture->files, "bob", &shadow), 1);
	assert_non_null(rows->text);
	assert_null(memmem(rows->text, rows->length, "secret", 6));
	assert_null(memmem(rows->text, rows->length, "$", 1));
	assert_string_equal(shadow.expiry, "9");
}

static void all_of_an_account_can_be_had_at_once(void **state)
{
	struct fixture *fixture = *state;
	struct account_now now = { 0 };

	scratch_write(&fixture->scratch, "etc/group",
		      "sudo:x:27:bob,carol\nradiology:x:2000: "
		      "bob\nsudo:x:28:bob\na,b:x:5:bob\nnot:x:6:bobby\nbob:x:1000:bob\n",
		      0644);
	assert_int_equal(account_files_now(fixture->files, "bob", &now), 1);
	assert_string_equal(now.user.name, "bob");
	assert_int_equal(now.user.uid, 1000);
	assert_string_equal(now.user.gecos, "Bob,,,");
	assert_string_equal(now.user.home, "/");
	assert_string_equal(now.user.shell, "/bin/bash");
	assert_string_equal(now.shadow.ageing, "19000:0:99999:7:");
	assert_string_equal(now.shadow.expiry, "20000");
	assert_int_equal(now.shadow.locks, 0);
	assert_string_equal(now.groups, "sudo,radiology,bob");
	account_now_clear(&now);
	scratch_write(&fixture->scratch, "etc/shadow", "", 0640);
	assert_int_equal(account_files_now(fixture->files, "carol", &now), 1);
	assert_string_equal(now.groups, "sudo");
	assert_string_equal(now.shadow.ageing, "");
	assert_string_equal(now.shadow.expiry, "");
	assert_false(now.shadow.locked);
	account_now_clear(&now);
	assert_int_equal(account_files_now(fixture->files, "alice", &now), 0);
	assert_int_equal(unlinkat(fixture->scratch.fd, "etc/shadow", 0), 0);
	assert_int_equal(account_files_now(fixture->files, "bob", &now), -ENOENT);
	assert_null(now.storage);
}

/* What was read can be put back: linking and unlinking. */
static void what_was_read_puts_an_account_back_as_it_was(void **state)
{
	struct fixture *fixture = *state;
	struct account_alteration away = nothing((struct account_identity)CAROL), back = away;
	_cleanup_account_now_ struct account_now now = { 0 };

	assert_int_equal(account_files_now(fixture->files, "carol", &now), 1);
	away.gecos = "Carol of Okta,,,";
	away.locks = now.shadow.locks + 1;
	away.ageing = "19001::::";
	away.expiry = "1";
	away.groups_in = "radiology";
	assert_int_equal(alter(fixture, &away), ACCOUNT_FILES_DONE);
	back.gecos = now.user.gecos;
	back.locks = now.shadow.locks;
	back.ageing = now.shadow.ageing;
	back.expiry = now.shadow.expiry;
	back.groups_out = "radiology";
	assert_int_equal(alter(fixture, &back), ACCOUNT_FILES_DONE);
	assert_all_old(fixture);
}

/* ---- size ---- */

#define MANY 10000

static double milliseconds_since(const struct timespec *begin)
{
	struct timespec end;

	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	return (double)(end.tv_sec - begin->tv_sec) * 1e3 + (double)(end.tv_nsec - begin->tv_nsec) / 1e6;
}

struct crowd {
	char name[MANY][16];
	struct account_entry entries[MANY];
	struct account_alteration alterations[MANY];
	struct account_identity identities[MANY];
};

static void make_crowd(struct crowd *crowd)
{
	static const char *const groups[] = { "radiology", "sudo" };

	for (unsigned i = 0; i < MANY; i++) {
		const char *name = crowd->name[i];

		(void)snprintf(crowd->name[i], sizeof(crowd->name[i]), "user%05u", i * 7919 % MANY);
		crowd->entries[i] = alice;
		crowd->entries[i].name = name;
		crowd->entries[i].uid = crowd->entries[i].gid = 2000200001 + i;
		crowd->entries[i].first_subid = 165536 + i * SUBID_COUNT;
		crowd->entries[i].groups = groups;
		crowd->entries[i].group_count = 2;
		crowd->identities[i] = (struct account_identity){
			.name = name, .uid = 2000200001 + i, .gid = 2000200001 + i, .whole = true, .groups = "*"
		};
		crowd->alterations[i] = nothing(crowd->identities[i]);
		crowd->alterations[i].locks = 1;
		crowd->alterations[i].gecos = "Somebody Else";
		crowd->alterations[i].expiry = "1";
		crowd->alterations[i].groups_in = "bob";
		crowd->alterations[i].groups_out = "*";
	}
}

/* Ten thousand at once, as after a change of the configuration: no walk through all rows for each of them. */
static void ten_thousand_accounts_change_in_one_rewrite(void **state)
{
	struct fixture *fixture = *state;
	struct crowd *crowd = calloc(1, sizeof(*crowd));
	struct account_edits edits = { 0 };
	struct timespec begin;
	double added, altered, removed;
	uint32_t first, behind;

	scratch_must(crowd);
	make_crowd(crowd);
	edits = (struct account_edits){ .added = crowd->entries, .added_count = MANY };
	(void)clock_gettime(CLOCK_MONOTONIC, &begin);
	assert_int_equal(account_files_apply(fixture->files, &edits, NOW), ACCOUNT_FILES_DONE);
	added = milliseconds_since(&begin);
	edits = (struct account_edits){ .altered = crowd->alterations, .altered_count = MANY };
	(void)clock_gettime(CLOCK_MONOTONIC, &begin);
	assert_int_equal(account_files_apply(fixture->files, &edits, NOW), ACCOUNT_FILES_DONE);
	altered = milliseconds_since(&begin);
	assert_true(has_row(fixture, "etc/group", "sudo:x:27:bob,carol"));
	assert_int_equal(account_files_free_subid(fixture->files, 0, &first, &behind), 0); /* all are given */
	(void)clock_gettime(CLOCK_MONOTONIC, &begin);
	assert_int_equal(account_files_remove(fixture->files, crowd->identities, MANY), ACCOUNT_FILES_DONE);
	removed = milliseconds_since(&begin);
	print_message("             %d accounts added in %.0f ms, altered in %.0f ms, removed in %.0f ms\n", MANY,
		      added, altered, removed);
	assert_all_old(fixture);
	free(crowd);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_full_name_changes_and_nothing_else),
		CASE(a_name_in_another_encoding_is_put_back_as_it_was),
		CASE(locks_are_counted_and_the_hash_stays),
		CASE(nobody_gets_an_account_without_a_password),
		CASE(ageing_and_expiry_are_as_told),
		CASE(a_row_that_is_too_short_becomes_a_whole_one),
		CASE(an_account_can_begin_closed_or_with_an_end),
		CASE(what_stands_against_an_alteration_is_told_with_its_line),
		CASE(values_that_would_break_a_row_are_refused),
		CASE(a_list_changes_only_by_who_comes_and_goes),
		CASE(gshadow_follows_group),
		CASE(who_leaves_all_groups_administers_none),
		CASE(without_gshadow_group_is_enough),
		CASE(a_group_that_stands_twice_is_left_twice_and_joined_once),
		CASE(a_missing_group_is_told_and_all_else_is_done),
		CASE(several_accounts_join_and_leave_one_group_together),
		CASE(edits_that_contradict_each_other_are_refused),
		CASE(subordinate_ids_are_given_where_the_system_has_them),
		CASE(ids_that_a_newcomer_would_inherit_or_share_stand_against_it),
		CASE(two_newcomers_do_not_share_ids),
		CASE(a_free_range_is_nobodys),
		CASE(a_free_range_holds_no_uid_or_gid_of_the_files),
		CASE(who_is_removed_leaves_nothing_behind),
		CASE(who_are_removed_together_do_not_keep_each_others_groups),
		CASE(a_group_that_others_use_stays_without_who_is_removed),
		CASE(what_a_whole_account_left_goes_however_it_looks),
		CASE(undoing_a_creation_leaves_no_trace_and_touches_nobody_elses_rows),
		CASE(a_change_that_is_repeated_changes_nothing),
		CASE(one_rewrite_does_it_and_keeps_what_was_before),
		CASE(what_others_edit_between_two_rewrites_stays),
		CASE(a_kill_or_a_fault_at_any_step_leaves_whole_files),
		CASE(so_it_is_where_files_cannot_be_exchanged),
		CASE(pwck_and_grpck_have_nothing_to_say),
		CASE(shadow_tells_locks_and_dates_as_they_stand_there),
		CASE(no_password_hash_stays_in_memory),
		CASE(all_of_an_account_can_be_had_at_once),
		CASE(what_was_read_puts_an_account_back_as_it_was),
		CASE(ten_thousand_accounts_change_in_one_rewrite),
	};

	return cmocka_run_group_tests_name("passwd, applied", tests, NULL, NULL);
}
