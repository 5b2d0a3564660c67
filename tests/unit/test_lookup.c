/*
 * What other name services (tests/unit/sources) know, in provisiond's answers: sshd is told of a person unless the name
 * is another service's user; who begins to sign in, unless a group has the name or anybody the uid; and whoever is told
 * of is let in by none of these answers.
 */
#include "daemon_bench.h"
#include "tests/unit/own_libraries.h"

#define TAKEN_UID 4242 /* as a user's, at the name service */

static void seed(struct small_machine *machine)
{
	machine_write(machine, "/etc/nsswitch.conf", 0644, "passwd: files first oidc\ngroup: files first\n");
	assert_int_equal(store_reserve(machine->store, "bob", TAKEN_UID, 1), 0);
}

static const struct bench_setting with_a_source = { .configuration = ONE_TENANT, .seed = seed };

static void whom_nobody_knows_is_promised_an_account(void **state)
{
	assert_string_equal(LOOKUP(*state, "name=alice", "purpose=nss"), "entry");
	assert_field(*state, "uid", ALICE_UID);
	assert_string_equal(LOOKUP(*state, "name=alice", "purpose=login"), "entry");
	assert_string_equal(ASK(*state, 0, "op=standing", "name=alice"), "promised");
	assert_string_equal(admit(*state, "name=alice", "subject=00ualice", "email=alice@clinic.example"), "admitted");
}

static void another_services_user_is_not_ours(void **state)
{
	assert_string_equal(LOOKUP(*state, "name=known", "purpose=nss"), "not_ours");
	assert_string_equal(LOOKUP(*state, "name=known", "purpose=login"), "not_ours");
	assert_string_equal(ASK(*state, 0, "op=standing", "name=known"), "not_ours");
	assert_refused(*state, admit(*state, "name=known", "subject=00uk", "email=known@clinic.example"),
		       "name_reserved");
}

static void while_a_service_is_silent_nothing_is_known(void **state)
{
	assert_string_equal(LOOKUP(*state, "name=down", "purpose=nss"), "unavailable");
	assert_string_equal(LOOKUP(*state, "name=down", "purpose=login"), "unavailable");
	assert_string_equal(ASK(*state, 0, "op=standing", "name=down"), "unavailable");
}

/* An entry for sshd must never meet a standing that leaves the decision to others. */
static void another_services_group_is_in_the_way_of_signing_in(void **state)
{
	assert_string_equal(LOOKUP(*state, "name=known-group", "purpose=nss"), "entry");
	assert_string_equal(ASK(*state, 0, "op=standing", "name=known-group"), "promised");
	assert_string_not_equal(LOOKUP(*state, "name=known-group", "purpose=login"), "entry");
	assert_refused(*state, admit(*state, "name=known-group", "subject=00ug", "email=known-group@clinic.example"),
		       "name_reserved");
}

static void so_is_a_uid_that_another_service_has(void **state)
{
	assert_string_equal(LOOKUP(*state, "name=bob", "purpose=nss"), "entry");
	assert_field(*state, "uid", "4242");
	assert_string_equal(ASK(*state, 0, "op=standing", "name=bob"), "promised");
	assert_refused(*state, LOOKUP(*state, "name=bob", "purpose=login"), "uid_taken");
	assert_refused(*state, admit(*state, "name=bob", "subject=00ubob", "email=bob@clinic.example"), "uid_taken");
}

/* Those who guess names mostly guess these, and a service that hangs holds each guess up. */
static void for_sshd_nobody_is_asked_about_a_reserved_name(void **state)
{
	struct bench *bench = *state;

	machine_write(&bench->machine, "/etc/nsswitch.conf", 0644, "passwd: ?\n");
	assert_refused(*state, LOOKUP(*state, "name=admin", "purpose=nss"), "name_reserved");
	assert_string_equal(LOOKUP(*state, "name=admin", "purpose=login"), "unavailable");
}

#define TEST(name) TEST_WITH(name, &with_a_source)

int main(int count, char **arguments)
{
	const struct CMUnitTest tests[] = {
		TEST(whom_nobody_knows_is_promised_an_account),
		TEST(another_services_user_is_not_ours),
		TEST(while_a_service_is_silent_nothing_is_known),
		TEST(another_services_group_is_in_the_way_of_signing_in),
		TEST(so_is_a_uid_that_another_service_has),
		TEST(for_sshd_nobody_is_asked_about_a_reserved_name),
	};

	(void)count;
	if (geteuid() != 0) {
		print_message("skipped: only root can make accounts, and connect as other users\n");
		return 0;
	}
	look_for_libraries_here_too(arguments);
	log_divert(say_nothing);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
