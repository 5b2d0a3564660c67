/*
 * What is known about uids, local users and groups when an account is to have them.
 */
#include "provisiond/facts.h"

#include <time.h>

#include "common/log.h"
#include "provisiond/account_uid.h"
#include "provisiond/plan.h"
#include "small_machine.h"
#include "two_tenants.h"

static const struct account_record alice = {
	.name = "alice",
	.tenant = "clinic",
	.issuer = "https://clinic.example",
	.subject = "00ualice",
	.email = "alice@clinic.example",
	.full_name = "",
	.home = "/home/alice",
	.shell = "/bin/bash",
	.state = ACCOUNT_CREATING,
	.room = "",
	.groups_given = "",
	.groups_taken = "",
	.gecos_before = "",
	.ageing_before = "",
	.expiry_before = "",
	.expiry_given = "",
	.refusal = "",
};

static char said[1024]; /* the last line of the log */

static void keep_line(int priority, const char *line)
{
	(void)priority;
	(void)snprintf(said, sizeof(said), "%s", line);
}

struct bench {
	struct small_machine machine;
	struct service service;
	const struct tenant *tenant;
};

static int make(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	machine_make(&bench->machine);
	bench->service = (struct service){ .config = config_of(ONE_TENANT),
					   .store = bench->machine.store,
					   .files = bench->machine.files,
					   .homes = bench->machine.homes };
	bench->tenant = bench->service.config->default_tenant ? bench->service.config->default_tenant
							      : &bench->service.config->tenants[0];
	*state = bench;
	return 0;
}

static int unmake(void **state)
{
	struct bench *bench = *state;

	config_free(bench->service.config);
	machine_remove(&bench->machine);
	free(bench);
	return 0;
}

static uid_t generation(const struct bench *bench, unsigned number)
{
	const struct accounts_config *accounts = &bench->service.config->accounts;

	return account_uid("clinic.example", "alice", number, accounts->uid_first, accounts->uid_last);
}

static void put_on_record(struct bench *bench, const char *name, uid_t uid, enum account_state state)
{
	struct account_record record = alice;

	record.name = name;
	record.subject = name;
	record.uid = record.gid = uid;
	record.created_at = record.state_at = record.last_signin_at = (int64_t)time(NULL);
	assert_int_equal(store_add(bench->machine.store, &record), 0);
	assert_int_equal(store_set_state(bench->machine.store, name, state), 0);
}

static uid_t fresh_uid(const struct bench *bench)
{
	uid_t uid = 0;

	assert_true(facts_fresh_uid(&bench->service, bench->tenant, "alice", &uid));
	return uid;
}

/* ---- uids ---- */

static void a_successor_gets_the_first_generation_that_is_free(void **state)
{
	struct bench *bench = *state;
	char rows[512];

	assert_int_equal(fresh_uid(bench), generation(bench, 1));
	/* Of a local user, of somebody on record, and of the very account when it was removed. */
	(void)snprintf(rows, sizeof(rows), "root:x:0:0:root:/root:/bin/bash\ncarol:x:%u:100::/:/bin/sh\n",
		       generation(bench, 1));
	machine_write(&bench->machine, "/etc/passwd", 0644, rows);
	assert_int_equal(fresh_uid(bench), generation(bench, 2));
	put_on_record(bench, "bob", generation(bench, 2), ACCOUNT_ACTIVE);
	assert_int_equal(fresh_uid(bench), generation(bench, 3));
	put_on_record(bench, "alice", generation(bench, 3), ACCOUNT_REMOVED);
	assert_int_equal(fresh_uid(bench), generation(bench, 4));
	/* Reserved for somebody else; for this name is fine. */
	assert_int_equal(store_reserve(bench->machine.store, "dave", generation(bench, 4), 1), 0);
	assert_int_equal(fresh_uid(bench), generation(bench, 5));
	assert_int_equal(store_reserve(bench->machine.store, "alice", generation(bench, 5), 1), 0);
	assert_int_equal(fresh_uid(bench), generation(bench, 5));
}

static void a_uid_that_was_a_former_accounts_is_nobodys(void **state)
{
	_cleanup_planned_change_ struct planned_change change = { 0 };
	_cleanup_record_ struct account_record record = { 0 };
	struct bench *bench = *state;
	struct account_facts facts = { 0 };

	put_on_record(bench, "alice", generation(bench, 1), ACCOUNT_ACTIVE);
	assert_int_equal(store_account_by_name(bench->machine.store, "alice", &record), STORE_FOUND);
	assert_int_equal(plan_reassign(&record, generation(bench, 2), (int64_t)time(NULL), &change), 0);
	assert_int_equal(store_begin_change(bench->machine.store, &change), 0);
	assert_int_equal(store_end_change(bench->machine.store, &change, (int64_t)time(NULL)), 0);
	assert_int_equal(facts_uid_holder(&bench->service, "bob", generation(bench, 1), &facts), UID_FORMER);
	assert_string_equal(facts.holder, "alice");
	assert_int_equal(facts_uid_holder(&bench->service, "alice", generation(bench, 1), &facts), UID_FORMER);
	assert_int_equal(facts_uid_holder(&bench->service, "alice", generation(bench, 2), &facts), UID_FREE);
	assert_int_equal(facts_uid_holder(&bench->service, "bob", generation(bench, 2), &facts), UID_RESERVED);
}

static void a_systems_uid_is_nobodys(void **state)
{
	struct bench *bench = *state;
	struct account_facts facts = { 0 };

	assert_int_equal(facts_uid_holder(&bench->service, "alice", 999, &facts), UID_OUT_OF_RANGE);
}

/* ---- local users ---- */

static void a_local_user_is_told_with_who_has_the_uid_on_record(void **state)
{
	struct bench *bench = *state;
	struct local_account local;

	facts_local_account(&bench->service, "local", &local);
	assert_true(local.there);
	assert_int_equal(local.uid, 1000);
	assert_int_equal(local.gid, 1000);
	assert_int_equal(local.holder, UID_FREE);
	put_on_record(bench, "alice", 1000, ACCOUNT_REMOVED);
	facts_local_account(&bench->service, "local", &local);
	assert_int_equal(local.holder, UID_ON_RECORD);
	facts_local_account(&bench->service, "nobody.here", &local);
	assert_false(local.there);
	assert_false(local.unreadable);
}

/* ---- groups ---- */

static void assert_usable(struct bench *bench, const char *groups, const char *expected)
{
	char *usable = facts_usable_groups(&bench->service, "alice", groups);

	assert_non_null(usable);
	assert_string_equal(usable, expected);
	free(usable);
}

static void only_groups_that_are_there_under_their_own_name_can_be_given(void **state)
{
	struct bench *bench = *state;

	machine_write(&bench->machine, "/etc/group", 0644,
		      "root:x:0:\nsudo:x:27:\nwheel:x:0:\nadmins:x:27:\nradiology:x:2000:\nimaging:x:2000:\n");
	assert_usable(bench, "radiology,sudo", "radiology,sudo");
	assert_usable(bench, "", "");
	/* Of a group of people, another name is no way up. */
	assert_usable(bench, "imaging", "imaging");
	said[0] = '\0';
	assert_usable(bench, "wheel,radiology", "radiology");
	assert_non_null(strstr(said, "alice: cannot be made a member of wheel"));
	assert_usable(bench, "radiology,admins", "radiology");
	said[0] = '\0';
	assert_usable(bench, "theatre,sudo", "sudo");
	assert_non_null(strstr(said, "theatre"));
	assert_usable(bench, "root", "root");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_successor_gets_the_first_generation_that_is_free),
		TEST(a_uid_that_was_a_former_accounts_is_nobodys),
		TEST(a_systems_uid_is_nobodys),
		TEST(a_local_user_is_told_with_who_has_the_uid_on_record),
		TEST(only_groups_that_are_there_under_their_own_name_can_be_given),
	};

	log_divert(keep_line);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
