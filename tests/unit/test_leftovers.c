/*
 * What other programs keep under an account's name: put away whole, and nobody else's touched.
 */
#include "provisiond/leftovers.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/scratch.h"

#define ALICE 2022975774u
#define BOB 2000300000u

struct fixture {
	struct scratch scratch;
	char fault[256];
};

static int set_up(void **state)
{
	static const char *const directories[] = {
		"var",      "var/spool", "var/spool/cron",  "var/spool/cron/crontabs",
		"var/mail", "var/lib",   "var/lib/systemd", "var/lib/systemd/linger"
	};
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	scratch_must(fixture);
	scratch_make(&fixture->scratch);
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
		scratch_mkdir(&fixture->scratch, directories[i], 0755);
	scratch_must(fchmodat(fixture->scratch.fd, "var/spool/cron/crontabs", 01730, 0) == 0);
	scratch_must(fchmodat(fixture->scratch.fd, "var/mail", 02775, 0) == 0);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	scratch_remove(&fixture->scratch);
	free(fixture);
	return 0;
}

static void file_of(const struct fixture *fixture, const char *path, const char *text, uid_t uid)
{
	scratch_write(&fixture->scratch, path, text, 0600);
	if (fchownat(fixture->scratch.fd, path, uid, 0, AT_SYMLINK_NOFOLLOW) != 0)
		skip(); /* it takes root to give files away */
}

static void assert_text(const struct fixture *fixture, const char *path, const char *expected)
{
	char *text = scratch_read(&fixture->scratch, path);

	if (expected)
		assert_string_equal(text ? text : "no file", expected);
	else
		assert_null(text);
	free(text);
}

static int put_away(struct fixture *fixture, const char *name, uid_t uid)
{
	fixture->fault[0] = '\0';
	return leftovers_put_away(fixture->scratch.path, name, uid, fixture->fault, sizeof(fixture->fault));
}

static void crontab_and_mailbox_are_put_away(void **state)
{
	struct fixture *fixture = *state;

	file_of(fixture, "var/spool/cron/crontabs/alice", "* * * * * id\n", ALICE);
	file_of(fixture, "var/spool/cron/crontabs/bob", "bob's\n", BOB);
	file_of(fixture, "var/mail/alice", "From carol\n", ALICE);
	assert_int_equal(put_away(fixture, "alice", ALICE), 0);
	assert_text(fixture, "var/spool/cron/crontabs/alice", NULL);
	assert_text(fixture, "var/spool/cron/crontabs/.alice.2022975774", "* * * * * id\n");
	assert_text(fixture, "var/mail/alice", NULL);
	assert_text(fixture, "var/mail/.alice.2022975774", "From carol\n");
	assert_text(fixture, "var/spool/cron/crontabs/bob", "bob's\n");
	assert_int_equal(put_away(fixture, "alice", ALICE), 0);
}

static void what_was_put_away_before_is_kept(void **state)
{
	struct fixture *fixture = *state;

	file_of(fixture, "var/mail/alice", "first\n", ALICE);
	assert_int_equal(put_away(fixture, "alice", ALICE), 0);
	file_of(fixture, "var/mail/alice", "second\n", ALICE);
	assert_int_equal(put_away(fixture, "alice", ALICE), 0);
	assert_text(fixture, "var/mail/.alice.2022975774", "first\n");
	assert_text(fixture, "var/mail/.alice.2022975774.2", "second\n");
}

/* cronie's tables are its owner's or root's. */
static void roots_own_file_for_that_name_is_put_away(void **state)
{
	struct fixture *fixture = *state;

	scratch_write(&fixture->scratch, "var/spool/cron/alice", "cronie\n", 0600);
	assert_int_equal(put_away(fixture, "alice", ALICE), 0);
	assert_text(fixture, "var/spool/cron/.alice.2022975774", "cronie\n");
}

static void what_belongs_to_somebody_else_stays_and_is_told(void **state)
{
	struct fixture *fixture = *state;

	file_of(fixture, "var/spool/cron/crontabs/alice", "bob's\n", BOB);
	file_of(fixture, "var/mail/alice", "alice's\n", ALICE);
	assert_int_equal(put_away(fixture, "alice", ALICE), -EPERM);
	assert_string_equal(fixture->fault, "/var/spool/cron/crontabs/alice: Operation not permitted");
	assert_text(fixture, "var/spool/cron/crontabs/alice", "bob's\n");
	/* All else is done nevertheless. */
	assert_text(fixture, "var/mail/.alice.2022975774", "alice's\n");
}

static void links_are_not_followed(void **state)
{
	struct fixture *fixture = *state;

	scratch_mkdir(&fixture->scratch, "elsewhere", 0755);
	scratch_write(&fixture->scratch, "elsewhere/alice", "untouched\n", 0600);
	scratch_must(symlinkat("../../elsewhere", fixture->scratch.fd, "var/spool/mail") == 0);
	assert_int_equal(put_away(fixture, "alice", ALICE), 0);
	scratch_must(symlinkat("../../elsewhere/alice", fixture->scratch.fd, "var/mail/alice") == 0);
	assert_int_equal(put_away(fixture, "alice", ALICE), -EPERM);
	assert_text(fixture, "elsewhere/alice", "untouched\n");
}

static void a_directory_that_anybody_can_write_to_is_left_alone(void **state)
{
	struct fixture *fixture = *state;

	file_of(fixture, "var/mail/alice", "alice's\n", ALICE);
	scratch_must(fchmodat(fixture->scratch.fd, "var/mail", 0777, 0) == 0);
	assert_int_equal(put_away(fixture, "alice", ALICE), -EPERM);
	assert_text(fixture, "var/mail/alice", "alice's\n");
	scratch_must(fchmodat(fixture->scratch.fd, "var/mail", 01777, 0) == 0);
	assert_int_equal(put_away(fixture, "alice", ALICE), 0);
}

static void a_name_that_is_none_is_refused(void **state)
{
	static const char *const names[] = { "", ".", "..", "../mail/bob", "a/b", "-rf", "Alice" };
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(put_away(fixture, names[i], ALICE), -EINVAL);
		assert_int_equal(leftovers_stop_lingering(fixture->scratch.path, names[i]), -EINVAL);
	}
}

static void services_stop_lingering(void **state)
{
	struct fixture *fixture = *state;

	scratch_write(&fixture->scratch, "var/lib/systemd/linger/alice", "", 0644);
	scratch_write(&fixture->scratch, "var/lib/systemd/linger/bob", "", 0644);
	assert_int_equal(leftovers_stop_lingering(fixture->scratch.path, "alice"), 0);
	assert_text(fixture, "var/lib/systemd/linger/alice", NULL);
	assert_text(fixture, "var/lib/systemd/linger/bob", "");
	assert_int_equal(leftovers_stop_lingering(fixture->scratch.path, "alice"), 0);
	scratch_must(unlinkat(fixture->scratch.fd, "var/lib/systemd/linger/bob", 0) == 0 &&
		     unlinkat(fixture->scratch.fd, "var/lib/systemd/linger", AT_REMOVEDIR) == 0);
	assert_int_equal(leftovers_stop_lingering(fixture->scratch.path, "alice"), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(crontab_and_mailbox_are_put_away),
		TEST(what_was_put_away_before_is_kept),
		TEST(roots_own_file_for_that_name_is_put_away),
		TEST(what_belongs_to_somebody_else_stays_and_is_told),
		TEST(links_are_not_followed),
		TEST(a_directory_that_anybody_can_write_to_is_left_alone),
		TEST(a_name_that_is_none_is_refused),
		TEST(services_stop_lingering),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
