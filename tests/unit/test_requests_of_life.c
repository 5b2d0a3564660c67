/*
 * What becomes of accounts by the questions that provisiond is asked: people who are expected, rooms, groups, names
 * that change, people who come back, and what waits for another program's lock. What each plan of a change says is
 * tested beside plan.c; here it is who may have it carried out.
 */
#include <fcntl.h>
#include <time.h>

#include "daemon_bench.h"
#include "provisiond/plan.h"

#define LOCAL_UID 1000 /* of the small machine's user `local` */
#define LOCKED_MS 3500 /* longer than an existing account waits, shorter than work is kept */

#define ROOMS "rooms = Exam 1, Front desk\n"
#define GROUPS "local_groups = radiology\ngroup_map = Clinic IT:wardens\n"

static const struct account_record alice = {
	.name = "alice",
	.uid = 5001,
	.gid = 5001,
	.tenant = "clinic",
	.issuer = "https://clinic.example",
	.subject = "00ualice",
	.email = "alice@clinic.example",
	.full_name = "Alice Example",
	.home = "/home/alice",
	.shell = "/bin/bash",
	.state = ACCOUNT_ACTIVE,
	.room = "",
	.groups_given = "",
	.groups_taken = "",
	.gecos_before = "",
	.ageing_before = "",
	.expiry_before = "",
	.expiry_given = "",
	.refusal = "",
};

/* ---- what is there before ---- */

static void put_on_record(struct small_machine *machine, const struct account_record *record)
{
	struct account_record added = *record;

	added.created_at = added.state_at = (int64_t)time(NULL) - 1000;
	if (added.last_signin_at == 0)
		added.last_signin_at = added.created_at;
	added.state = ACCOUNT_CREATING;
	assert_int_equal(store_add(machine->store, &added), 0);
	assert_int_equal(store_set_state(machine->store, record->name, record->state), 0);
}

static void put_rows(struct small_machine *machine, const struct account_record *record, const char *expiry)
{
	const struct account_entry entry = {
		.name = record->name,
		.uid = record->uid,
		.gid = record->gid,
		.gecos = record->full_name,
		.home = record->home,
		.shell = record->shell,
		.expiry = expiry,
	};

	assert_int_equal(account_files_lock(machine->files), 0);
	assert_int_equal(account_files_add(machine->files, &entry, 1, (int64_t)time(NULL)), ACCOUNT_FILES_DONE);
	account_files_unlock(machine->files);
}

static void put_expected(struct small_machine *machine, enum expected_kind kind, const char *name, const char *email,
			 const char *subject, int64_t made_ago_s)
{
	int64_t made_at = (int64_t)time(NULL) - made_ago_s;
	const struct expected expected = {
		.kind = kind,
		.name = name,
		.tenant = "clinic",
		.email = email,
		.subject = subject,
		.uid = kind == EXPECTED_LINK ? LOCAL_UID : 0,
		.made_at = made_at,
		.expires_at = kind == EXPECTED_LINK ? made_at + EXPECTED_LINK_LIFE_S : 0,
	};

	assert_int_equal(store_expect(machine->store, &expected), 0);
}

static void a_link_waits(struct small_machine *machine)
{
	put_expected(machine, EXPECTED_LINK, "local", "alice@clinic.example", "", 10);
}

static void a_link_waits_for_a_subject(struct small_machine *machine)
{
	put_expected(machine, EXPECTED_LINK, "local", "alice@clinic.example", "00ualice", 10);
}

static void a_link_is_over(struct small_machine *machine)
{
	put_expected(machine, EXPECTED_LINK, "local", "alice@clinic.example", "", EXPECTED_LINK_LIFE_S);
}

static void obrien_is_expected(struct small_machine *machine)
{
	put_expected(machine, EXPECTED_ADD, "obrien", "o'brien@clinic.example", "", 1000 * 86400);
}

static void alice_was_removed(struct small_machine *machine)
{
	struct account_record removed = alice;

	removed.state = ACCOUNT_REMOVED;
	put_on_record(machine, &removed);
}

static void alice_is_of_a_tenant_that_is_gone(struct small_machine *machine)
{
	struct account_record record = alice;

	record.tenant = "old";
	record.issuer = "https://old.example";
	put_on_record(machine, &record);
	put_rows(machine, &record, NULL);
}

static void alice_signed_in_long_ago(struct small_machine *machine)
{
	struct account_record record = alice;

	record.last_signin_at = 86400;
	record.expiry_given = "4";
	put_on_record(machine, &record);
	put_rows(machine, &record, "4");
}

/* Alice's name waits for her successor, who is to have the uid 6001. */
static void alice_was_reassigned(struct small_machine *machine)
{
	_cleanup_planned_change_ struct planned_change change = { 0 };
	struct account_record record = alice;

	put_on_record(machine, &record);
	record.created_at = record.state_at = record.last_signin_at = (int64_t)time(NULL) - 1000;
	assert_int_equal(plan_reassign(&record, 6001, (int64_t)time(NULL), &change), 0);
	assert_int_equal(store_begin_change(machine->store, &change), 0);
	assert_int_equal(store_end_change(machine->store, &change, (int64_t)time(NULL)), 0);
}

static void a_local_users_name_is_added(struct small_machine *machine)
{
	put_expected(machine, EXPECTED_ADD, "local", "alice@clinic.example", "", 10);
}

static void alice_of_the_front_desk_was_removed(struct small_machine *machine)
{
	struct account_record record = alice;

	record.state = ACCOUNT_REMOVED;
	record.room = "Front desk";
	put_on_record(machine, &record);
}

static void there_are_wardens(struct small_machine *machine)
{
	machine_write(machine, "/etc/group", 0644,
		      "root:x:0:\nlocal:x:1000:\nradiology:x:2000:carol\nwardens:x:2001:\nsudo:x:27:\n");
	machine_write(machine, "/etc/gshadow", 0640,
		      "root:*::\nlocal:!::\nradiology:!::carol\nwardens:!::\nsudo:!::\n");
}

static const struct bench_setting plain = { .configuration = ONE_TENANT };
static const struct bench_setting link_waits = { ONE_TENANT, a_link_waits };
static const struct bench_setting link_waits_for_a_subject = { ONE_TENANT, a_link_waits_for_a_subject };
static const struct bench_setting link_is_over = { ONE_TENANT, a_link_is_over };
static const struct bench_setting link_waits_over_ssh = { "[accounts]\nemail_over_ssh = yes\n" CLINIC, a_link_waits };
static const struct bench_setting link_waits_with_fallback = { CLINIC "password = fallback\n", a_link_waits };
static const struct bench_setting with_obrien = { ONE_TENANT, obrien_is_expected };
/* Short names are nobody's there. */
static const struct bench_setting with_obrien_among_formats = {
	"[tenant clinic]\nissuer = https://clinic.example\nclient_id = clinic-client\ndomains = clinic.example\n"
	"username = %l.%t\n" LAB,
	obrien_is_expected
};
static const struct bench_setting removed = { ONE_TENANT, alice_was_removed };
static const struct bench_setting without_tenant = { ONE_TENANT, alice_is_of_a_tenant_that_is_gone };
static const struct bench_setting idle = { "[accounts]\nmax_signin_age = 30d\n" CLINIC, alice_signed_in_long_ago };
static const struct bench_setting reassigned = { ONE_TENANT, alice_was_reassigned };
static const struct bench_setting local_name_added = { ONE_TENANT, a_local_users_name_is_added };
static const struct bench_setting aged = { "[accounts]\nmax_signin_age = 30d\n" CLINIC, NULL };
static const struct bench_setting removed_with_room = { CLINIC ROOMS, alice_of_the_front_desk_was_removed };
static const struct bench_setting with_groups = { CLINIC GROUPS, there_are_wardens };
static const struct bench_setting with_rooms = { CLINIC ROOMS, NULL };
static const struct bench_setting two_tenants = { TWO_TENANTS, NULL };

/* ---- asking ---- */

static const char *admit_named(struct bench *bench, const char *typed, const char *subject, const char *email,
			       const char *full_name)
{
	return ASK(bench, PAM_OIDC_UID, "op=admit", typed, "tenant=clinic", "issuer=https://clinic.example",
		   "client_id=clinic-client", subject, email, "email_verified=true", full_name, "service=sshd");
}

static void assert_status(const char *status, const char *expected)
{
	if (!status)
		fail_msg("no answer, where %s was expected", expected);
	else
		assert_string_equal(status, expected);
}

static void assert_no_field(const struct bench *bench, const char *key)
{
	assert_false(wire_has(&bench->answer, key));
}

/* The line of that name; "" when there is none. */
static const char *row_of(const struct bench *bench, const char *path, const char *name)
{
	static char line[512];
	char full[256];
	FILE *file;

	machine_path(&bench->machine, path, full);
	file = fopen(full, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':') {
			line[strcspn(line, "\n")] = '\0';
			(void)fclose(file);
			return line;
		}
	(void)fclose(file);
	line[0] = '\0';
	return line;
}

/* ---- links ---- */

static void a_local_user_with_a_link_is_offered_okta_and_remains_a_local_user(void **state)
{
	struct bench *bench = *state;

	assert_status(LOOKUP(bench, "name=local", "purpose=login", "service=sshd"), "entry");
	assert_field(bench, "kind", "active");
	assert_field(bench, "account", "local");
	assert_field(bench, "tenant", "clinic");
	assert_field(bench, "uid", "1000");
	assert_field(bench, "gid", "1000");
	assert_field(bench, "home", "/home/local");
	assert_field(bench, "shell", "/bin/sh");
	assert_field(bench, "fallback", "1");
	assert_status(ASK(bench, 0, "op=standing", "name=local"), "expected");
	assert_status(ASK(bench, LOCAL_UID, "op=standing", "name=local"), "expected");
	/* At the console, the email does as well; it is no way around Okta. */
	assert_status(LOOKUP(bench, "name=alice@clinic.example", "purpose=login", "service=login"), "entry");
	assert_field(bench, "account", "local");
	assert_field(bench, "uid", "1000");
	assert_status(ASK(bench, 0, "op=standing", "name=alice@clinic.example"), "promised");
	/* Another local user of the same machine is not concerned. */
	assert_status(LOOKUP(bench, "name=locum", "purpose=login"), "not_ours");
	assert_status(ASK(bench, 0, "op=standing", "name=locum"), "not_ours");
}

static void over_ssh_a_linked_email_is_told_the_local_name(void **state)
{
	struct bench *bench = *state;

	assert_refused(bench, LOOKUP(bench, "name=alice@clinic.example", "purpose=login", "service=sshd"),
		       "use_short_name");
	assert_non_null(strstr(wire_get(&bench->answer, "text"), "as local."));
	assert_status(LOOKUP(bench, "name=alice@clinic.example", "purpose=nss"), "not_ours");
}

static void where_emails_may_be_typed_over_ssh_a_linked_one_has_its_entry(void **state)
{
	assert_status(LOOKUP(*state, "name=alice@clinic.example", "purpose=nss"), "entry");
	assert_field(*state, "account", "local");
	assert_field(*state, "uid", "1000");
	assert_status(ASK(*state, 0, "op=standing", "name=alice@clinic.example"), "promised");
}

static void only_whoever_is_expected_takes_the_local_account(void **state)
{
	struct bench *bench = *state;
	char ticket[128];

	assert_refused(bench, admit(bench, "name=local", "subject=00ubob", "email=bob@clinic.example"), "other_person");
	assert_refused(bench, admit(bench, "name=local", "subject=00ulocal", "email=local@clinic.example"),
		       "other_person");
	/* Nor do they get any other account. */
	assert_refused(bench, admit(bench, "name=alice", "subject=00ualice", "email=alice@clinic.example"),
		       "other_person");
	assert_non_null(strstr(wire_get(&bench->answer, "text"), "as local."));
	assert_status(admit(bench, "name=local", "subject=00ualice", "email=Alice@clinic.example"), "admitted");
	assert_field(bench, "account", "local");
	assert_field(bench, "uid", "1000");
	assert_field(bench, "created", "0");
	assert_field(bench, "home", "/home/local");
	(void)snprintf(ticket, sizeof(ticket), "ticket=%s", wire_get(&bench->answer, "ticket"));
	assert_status(ASK(bench, 0, "op=redeem", ticket, "name=local", "uid=1000"), "confirmed");
	assert_no_field(bench, "ask");
	assert_status(ASK(bench, 0, "op=standing", "name=local"), "active");
	assert_field(bench, "email", "Alice@clinic.example");
	assert_status(ASK(bench, 0, "op=show", "name=local"), "account");
	assert_field(bench, "subject", "00ualice");
	/* The password is of no use any more, and the link taken for good. */
	assert_status(LOOKUP(bench, "name=local", "purpose=login"), "entry");
	assert_no_field(bench, "fallback");
	assert_refused(bench, admit(bench, "name=local", "subject=00ubob", "email=alice@clinic.example"),
		       "subject_changed");
}

static void with_a_subject_named_the_email_alone_is_not_enough(void **state)
{
	assert_refused(*state, admit(*state, "name=local", "subject=00ubob", "email=alice@clinic.example"),
		       "other_person");
	assert_status(admit(*state, "name=local", "subject=00ualice", "email=alice@clinic.example"), "admitted");
}

static void a_link_that_nobody_took_in_time_is_over(void **state)
{
	struct bench *bench = *state;

	assert_status(LOOKUP(bench, "name=local", "purpose=login"), "not_ours");
	assert_status(ASK(bench, 0, "op=standing", "name=local"), "not_ours");
	assert_refused(bench, admit(bench, "name=local", "subject=00ualice", "email=alice@clinic.example"),
		       "other_person");
	assert_status(admit(bench, "name=alice", "subject=00ualice", "email=alice@clinic.example"), "admitted");
	assert_field(bench, "account", "alice");
}

static void a_linked_user_who_was_made_anew_is_somebody_else(void **state)
{
	struct bench *bench = *state;

	machine_write(&bench->machine, "/etc/passwd", 0644,
		      "root:x:0:0:root:/root:/bin/bash\nlocal:x:1007:1007::/home/local:/bin/sh\n");
	assert_status(LOOKUP(bench, "name=local", "purpose=login"), "not_ours");
	assert_status(ASK(bench, 0, "op=standing", "name=local"), "not_ours");
	assert_refused(bench, LOOKUP(bench, "name=alice@clinic.example", "purpose=login", "service=login"),
		       "name_reserved");
	assert_refused(bench, admit(bench, "name=local", "subject=00ualice", "email=alice@clinic.example"),
		       "name_reserved");
	/* Without any such user, the name is still nobody else's. */
	machine_write(&bench->machine, "/etc/passwd", 0644, "root:x:0:0:root:/root:/bin/bash\n");
	machine_write(&bench->machine, "/etc/shadow", 0640, "root:*:19000:0:99999:7:::\n");
	machine_write(&bench->machine, "/etc/group", 0644, "root:x:0:\n");
	assert_refused(bench, LOOKUP(bench, "name=local", "purpose=login"), "name_reserved");
	assert_refused(bench, admit(bench, "name=local", "subject=00ulocal", "email=local@clinic.example"),
		       "other_person");
	assert_refused(bench, admit(bench, "name=local", "subject=00ualice", "email=alice@clinic.example"),
		       "name_reserved");
}

static void a_local_user_stays_one_under_a_name_that_was_added(void **state)
{
	assert_status(LOOKUP(*state, "name=local", "purpose=login"), "not_ours");
	assert_status(ASK(*state, 0, "op=standing", "name=local"), "not_ours");
	assert_refused(*state, admit(*state, "name=local", "subject=00ualice", "email=alice@clinic.example"),
		       "name_reserved");
}

static void with_fallback_a_linked_user_may_choose(void **state)
{
	/* Whose account was made has no password. */
	assert_status(admit(*state, "name=bob", "subject=00ubob", "email=bob@clinic.example"), "admitted");
	assert_status(LOOKUP(*state, "name=bob", "purpose=login"), "entry");
	assert_no_field(*state, "fallback");
	assert_status(admit(*state, "name=local", "subject=00ualice", "email=alice@clinic.example"), "admitted");
	assert_status(LOOKUP(*state, "name=local", "purpose=login"), "entry");
	assert_field(*state, "fallback", "1");
}

/* ---- chosen names ---- */

static void whoever_is_expected_gets_the_chosen_name_and_nobody_else_does(void **state)
{
	struct bench *bench = *state;
	char uid[16];

	assert_status(LOOKUP(bench, "name=o'brien@clinic.example", "purpose=login", "service=login"), "entry");
	assert_field(bench, "account", "obrien");
	assert_status(ASK(bench, 0, "op=standing", "name=obrien"), "promised");
	assert_status(LOOKUP(bench, "name=obrien", "purpose=nss"), "entry");
	assert_field(bench, "kind", "promised");
	(void)snprintf(uid, sizeof(uid), "%s", wire_get(&bench->answer, "uid"));
	assert_refused(bench, LOOKUP(bench, "name=obrien@clinic.example", "purpose=login", "service=login"),
		       "name_reserved");
	assert_refused(bench, admit(bench, "name=obrien", "subject=00ux", "email=obrien@clinic.example"),
		       "other_person");
	assert_status(admit(bench, "name=obrien", "subject=00uob", "email=O'Brien@clinic.example"), "admitted");
	assert_field(bench, "account", "obrien");
	assert_field(bench, "uid", uid);
	assert_field(bench, "created", "1");
	/* Expected no more: their account is theirs by subject now. */
	assert_status(admit(bench, "name=obrien", "subject=00uob", "email=obrien2@clinic.example"), "admitted");
}

static void a_chosen_name_needs_no_format_that_could_give_it(void **state)
{
	assert_status(ASK(*state, 0, "op=standing", "name=sobrien"), "not_ours");
	assert_status(ASK(*state, 0, "op=standing", "name=obrien"), "promised");
	assert_status(admit(*state, "name=obrien", "subject=00uob", "email=O'Brien@clinic.example"), "admitted");
	assert_field(*state, "account", "obrien");
}

/* ---- names that change ---- */

static void a_new_email_and_surname_are_brought_up_to_date(void **state)
{
	struct bench *bench = *state;
	char ticket[128];

	admit_alice(bench, ticket);
	assert_status(admit_named(bench, "name=alice", "subject=00ualice", "email=alice.jones@clinic.example",
				  "full_name=Alice Jones"),
		      "admitted");
	assert_field(bench, "account", "alice");
	assert_field(bench, "uid", ALICE_UID);
	assert_field(bench, "created", "0");
	assert_string_equal(row_of(bench, "/etc/passwd", "alice"),
			    "alice:x:" ALICE_UID ":" ALICE_UID ":Alice Jones:/home/alice:/bin/bash");
	assert_status(ASK(bench, 0, "op=standing", "name=alice"), "active");
	assert_field(bench, "email", "alice.jones@clinic.example");
	/* An issuer that says no name takes none away. */
	assert_status(
		admit_named(bench, "name=alice", "subject=00ualice", "email=alice.jones@clinic.example", "full_name="),
		"admitted");
	assert_status(ASK(bench, 0, "op=show", "name=alice"), "account");
	assert_field(bench, "full_name", "Alice Jones");
	/* The address that she had is another's account's business now: nobody gets hers with it. */
	assert_refused(bench, admit(bench, "name=alice", "subject=00unew", "email=alice@clinic.example"),
		       "subject_changed");
}

static void a_removed_person_returns_with_the_uid_they_had(void **state)
{
	struct bench *bench = *state;

	assert_status(LOOKUP(bench, "name=alice", "purpose=nss"), "entry");
	assert_field(bench, "kind", "promised");
	assert_field(bench, "uid", "5001");
	assert_status(LOOKUP(bench, "name=alice@clinic.example", "purpose=login", "service=login"), "entry");
	assert_field(bench, "uid", "5001");
	/* She may sign in, and until then nobody may come as her with a key. */
	assert_status(ASK(bench, 0, "op=standing", "name=alice"), "promised");
	assert_refused(bench, admit(bench, "name=alice", "subject=00unew", "email=alice@clinic.example"), "removed");
	assert_status(admit(bench, "name=alice", "subject=00ualice", "email=alice@clinic.example"), "admitted");
	assert_field(bench, "uid", "5001");
	assert_field(bench, "created", "1");
	assert_string_equal(row_of(bench, "/etc/passwd", "alice"),
			    "alice:x:5001:5001:Alice Example:/home/alice:/bin/bash");
	assert_status(ASK(bench, 0, "op=standing", "name=alice"), "active");
}

static void who_returns_has_their_own_home_again_and_nobody_elses(void **state)
{
	struct bench *bench = *state;
	char home[256];

	machine_folder(&bench->machine, "/home/alice", 0700);
	assert_refused(bench, LOOKUP(bench, "name=alice", "purpose=login"), "home_exists");
	assert_refused(bench, admit(bench, "name=alice", "subject=00ualice", "email=alice@clinic.example"),
		       "home_exists");
	machine_path(&bench->machine, "/home/alice", home);
	assert_int_equal(chown(home, 5001, 5001), 0);
	machine_write(&bench->machine, "/home/alice/diary", 0600, "dear diary\n");
	assert_status(admit(bench, "name=alice", "subject=00ualice", "email=alice@clinic.example"), "admitted");
	assert_field(bench, "uid", "5001");
	assert_true(machine_has(&bench->machine, "/home/alice/diary"));
}

static void nobody_returns_to_a_uid_that_somebody_has_by_now(void **state)
{
	struct bench *bench = *state;

	machine_write(&bench->machine, "/etc/passwd", 0644,
		      "root:x:0:0:root:/root:/bin/bash\nmallory:x:5001:5001::/home/mallory:/bin/sh\n");
	assert_refused(bench, LOOKUP(bench, "name=alice", "purpose=login"), "uid_taken");
	assert_refused(bench, admit(bench, "name=alice", "subject=00ualice", "email=alice@clinic.example"),
		       "uid_taken");
}

static void a_successor_has_a_fresh_uid_and_who_was_before_has_nothing(void **state)
{
	struct bench *bench = *state;

	assert_refused(bench, admit(bench, "name=alice", "subject=00ualice", "email=alice@clinic.example"),
		       "reassigned");
	assert_status(LOOKUP(bench, "name=alice", "purpose=nss"), "entry");
	assert_field(bench, "uid", "6001");
	assert_status(admit(bench, "name=alice", "subject=00unew", "email=alice@clinic.example"), "admitted");
	assert_field(bench, "uid", "6001");
	assert_refused(bench, admit(bench, "name=alice", "subject=00ualice", "email=alice@clinic.example"),
		       "reassigned");
	/* Under a new name they are somebody new; their old uid is nobody's. */
	assert_status(admit(bench, "name=alice.jones", "subject=00ualice", "email=alice.jones@clinic.example"),
		      "admitted");
	assert_field(bench, "account", "alice.jones");
	assert_string_not_equal(wire_get(&bench->answer, "uid"), "5001");
}

static void who_returns_is_not_asked_again_for_a_room(void **state)
{
	struct bench *bench = *state;

	assert_status(admit(bench, "name=alice", "subject=00ualice", "email=alice@clinic.example"), "admitted");
	assert_status(ASK(bench, 0, "op=standing", "name=alice"), "active");
	assert_field(bench, "room", "Front desk");
}

/* ---- groups ---- */

static const char *admit_of_groups(struct bench *bench, const char *group)
{
	return ASK(bench, PAM_OIDC_UID, "op=admit", "name=alice", "tenant=clinic", "issuer=https://clinic.example",
		   "client_id=clinic-client", "subject=00ualice", "email=alice@clinic.example", "email_verified=true",
		   "full_name=Alice Example", "service=sshd", "group=Everyone", group);
}

static void memberships_follow_the_rules_at_each_sign_in(void **state)
{
	struct bench *bench = *state;

	/* A group of that name at Okta gives nothing that the file does not name. */
	assert_status(admit_of_groups(bench, "group=sudo"), "admitted");
	assert_string_equal(row_of(bench, "/etc/group", "radiology"), "radiology:x:2000:carol,alice");
	assert_string_equal(row_of(bench, "/etc/group", "wardens"), "wardens:x:2001:");
	assert_string_equal(row_of(bench, "/etc/group", "sudo"), "sudo:x:27:");
	assert_status(admit_of_groups(bench, "group=Clinic IT"), "admitted");
	assert_string_equal(row_of(bench, "/etc/group", "wardens"), "wardens:x:2001:alice");
	assert_status(admit_of_groups(bench, "group=clinic it"), "admitted");
	assert_string_equal(row_of(bench, "/etc/group", "wardens"), "wardens:x:2001:");
	assert_string_equal(row_of(bench, "/etc/group", "radiology"), "radiology:x:2000:carol,alice");
}

static void a_group_that_became_another_name_of_roots_is_given_to_nobody(void **state)
{
	struct bench *bench = *state;

	machine_write(&bench->machine, "/etc/group", 0644,
		      "root:x:0:\nlocal:x:1000:\nradiology:x:0:\nwardens:x:2001:\n");
	assert_status(admit_of_groups(bench, "group=Clinic IT"), "admitted");
	assert_string_equal(row_of(bench, "/etc/group", "radiology"), "radiology:x:0:");
	assert_string_equal(row_of(bench, "/etc/group", "wardens"), "wardens:x:2001:alice");
	machine_write(&bench->machine, "/etc/group", 0644,
		      "root:x:0:\nlocal:x:1000:\nalice:x:" ALICE_UID ":\nradiology:x:2000:\nwardens:x:0:\n");
	assert_status(admit_of_groups(bench, "group=Clinic IT"), "admitted");
	assert_string_equal(row_of(bench, "/etc/group", "radiology"), "radiology:x:2000:alice");
	assert_string_equal(row_of(bench, "/etc/group", "wardens"), "wardens:x:0:");
}

/* ---- rooms ---- */

/* Signs Alice in and redeems her ticket. */
static void sign_alice_in(struct bench *bench)
{
	char ticket[128];

	admit_alice(bench, ticket);
	assert_status(ASK(bench, 0, "op=redeem", ticket, "name=alice", "uid=" ALICE_UID), "confirmed");
}

static void a_new_person_is_asked_for_a_room_until_they_answer(void **state)
{
	struct bench *bench = *state;
	size_t cursor = 0;

	for (int i = 0; i < 2; i++) {
		sign_alice_in(bench);
		assert_field(bench, "ask", "room");
		cursor = 0;
		assert_string_equal(wire_next(&bench->answer, "room", &cursor), "Exam 1");
		assert_string_equal(wire_next(&bench->answer, "room", &cursor), "Front desk");
		assert_null(wire_next(&bench->answer, "room", &cursor));
		assert_status(ASK(bench, 0, "op=standing", "name=alice"), "incomplete");
		assert_status(LOOKUP(bench, "name=alice", "purpose=login"), "entry");
		assert_field(bench, "kind", "incomplete");
	}
	assert_status(ASK(bench, 0, "op=answer", "name=alice", "uid=" ALICE_UID, "room=Front desk"), "done");
	assert_status(ASK(bench, 0, "op=standing", "name=alice"), "active");
	assert_field(bench, "room", "Front desk");
	assert_field(bench, "email", "alice@clinic.example");
	assert_non_null(strstr(row_of(bench, "/etc/passwd", "alice"), ":Alice Example,Front desk"));
	sign_alice_in(bench);
	assert_no_field(bench, "ask");
	assert_no_field(bench, "room");
}

static void only_a_room_of_the_list_answers_and_only_once(void **state)
{
	struct bench *bench = *state;

	sign_alice_in(bench);
	assert_status(ASK(bench, 0, "op=answer", "name=alice", "uid=" ALICE_UID, "room=exam 1"), "refused");
	assert_non_null(wire_get(&bench->answer, "text"));
	assert_status(ASK(bench, 0, "op=answer", "name=alice", "uid=5000", "room=Exam 1"), "refused");
	assert_status(ASK(bench, 0, "op=answer", "name=bob", "uid=" ALICE_UID, "room=Exam 1"), "refused");
	assert_status(ASK(bench, 0, "op=standing", "name=alice"), "incomplete");
	assert_status(ASK(bench, 0, "op=answer", "name=alice", "uid=" ALICE_UID, "room=Exam 1"), "done");
	assert_status(ASK(bench, 0, "op=answer", "name=alice", "uid=" ALICE_UID, "room=Exam 1"), "done");
	assert_status(ASK(bench, 0, "op=answer", "name=alice", "uid=" ALICE_UID, "room=Front desk"), "refused");
	assert_non_null(strstr(wire_get(&bench->answer, "text"), "on record already"));
	assert_status(ASK(bench, 0, "op=standing", "name=alice"), "active");
	assert_field(bench, "room", "Exam 1");
}

static void an_answer_opens_no_account_that_the_admin_expired(void **state)
{
	struct bench *bench = *state;

	sign_alice_in(bench);
	machine_write(&bench->machine, "/etc/shadow", 0640, "root:*:19000:0:99999:7:::\nalice:!*:19000:::::0:\n");
	assert_status(ASK(bench, 0, "op=answer", "name=alice", "uid=" ALICE_UID, "room=Exam 1"), "refused");
	assert_status(ASK(bench, 0, "op=standing", "name=alice"), "deactivated");
	assert_refused(bench, admit(bench, "name=alice", "subject=00ualice", "email=alice@clinic.example"),
		       "deactivated");
}

/* ---- leaving ---- */

static void who_signed_in_too_long_ago_is_revived_by_signing_in(void **state)
{
	struct bench *bench = *state;

	assert_status(ASK(bench, 0, "op=standing", "name=alice"), "lapsed");
	assert_status(LOOKUP(bench, "name=alice", "purpose=login"), "entry");
	assert_status(admit(bench, "name=alice", "subject=00ualice", "email=alice@clinic.example"), "admitted");
	assert_status(ASK(bench, 0, "op=standing", "name=alice"), "active");
	assert_null(strstr(row_of(bench, "/etc/shadow", "alice"), ":4:"));
}

static void a_new_account_ends_with_the_time_of_its_sign_in(void **state)
{
	struct bench *bench = *state;
	char expiry[32], ticket[128];

	admit_alice(bench, ticket);
	(void)snprintf(expiry, sizeof(expiry), ":%ld:", (long)((time(NULL) + 30 * 86400) / 86400 + 1));
	assert_non_null(strstr(row_of(bench, "/etc/shadow", "alice"), expiry));
}

static void a_ticket_ends_with_the_account(void **state)
{
	struct bench *bench = *state;
	char ticket[128];

	admit_alice(bench, ticket);
	assert_status(ASK(bench, 0, "op=deactivate", "name=alice"), "done");
	assert_status(ASK(bench, 0, "op=redeem", ticket, "name=alice", "uid=" ALICE_UID), "no");
	assert_refused(bench, admit(bench, "name=alice", "subject=00ualice", "email=alice@clinic.example"),
		       "deactivated");
	assert_status(ASK(bench, 0, "op=standing", "name=alice"), "deactivated");
	assert_refused(bench, LOOKUP(bench, "name=alice", "purpose=login"), "deactivated");
}

static void accounts_of_a_tenant_that_is_gone_let_nobody_in(void **state)
{
	struct bench *bench = *state;

	assert_refused(bench, LOOKUP(bench, "name=alice", "purpose=login"), "tenant_gone");
	assert_status(LOOKUP(bench, "name=alice", "purpose=nss"), "refused");
	assert_status(ASK(bench, 0, "op=standing", "name=alice"), "deactivated");
	assert_status(ASK(bench, 5001, "op=standing", "name=alice"), "deactivated");
	assert_refused(bench, admit(bench, "name=alice", "subject=00ualice", "email=alice@clinic.example"),
		       "tenant_gone");
}

static void a_refusal_of_the_issuers_is_noted_with_the_account(void **state)
{
	struct bench *bench = *state;
	char ticket[128];

	admit_alice(bench, ticket);
	assert_status(ASK(bench, PAM_OIDC_UID, "op=refused", "name=alice", "tenant=other", "reason=denied"), "noted");
	assert_status(ASK(bench, PAM_OIDC_UID, "op=refused", "name=alice", "tenant=clinic", "reason=expired"), "noted");
	assert_status(ASK(bench, PAM_OIDC_UID, "op=refused", "name=alice", "tenant=clinic", "reason=\033[2J"), "noted");
	assert_status(ASK(bench, PAM_OIDC_UID, "op=refused", "name=nobody.here", "tenant=clinic", "reason=denied"),
		      "noted");
	assert_status(ASK(bench, 0, "op=show", "name=alice"), "account");
	assert_field(bench, "refusal", "");
	assert_status(ASK(bench, PAM_OIDC_UID, "op=refused", "name=alice@clinic.example", "tenant=clinic",
			  "reason=not_assigned"),
		      "noted");
	assert_status(ASK(bench, 0, "op=show", "name=alice"), "account");
	assert_field(bench, "refusal", "not_assigned");
	/* It is a note: they may still come in where the issuer lets them. */
	assert_status(ASK(bench, 0, "op=standing", "name=alice"), "active");
	admit_alice(bench, ticket);
}

/* ---- the lock ---- */

/* Holds the system's lock on the account files, as vipw does. */
static int take_lock(const struct bench *bench)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[256];
	int fd;

	machine_path(&bench->machine, "/etc/.pwd.lock", path);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_SETLKW, &lock), 0);
	return fd;
}

static void who_has_an_account_does_not_wait_for_an_editor(void **state)
{
	struct bench *bench = *state;
	char ticket[128];
	int64_t began_ms, took_ms;
	int lock;

	admit_alice(bench, ticket);
	lock = take_lock(bench);
	/* Nothing changes: nothing is waited for. */
	began_ms = wire_now_ms();
	admit_alice(bench, ticket);
	assert_true(wire_now_ms() - began_ms < 1500);
	began_ms = wire_now_ms();
	assert_status(admit_named(bench, "name=alice", "subject=00ualice", "email=alice.jones@clinic.example",
				  "full_name=Alice Jones"),
		      "admitted");
	took_ms = wire_now_ms() - began_ms;
	assert_true(took_ms >= 1500 && took_ms < 4500);
	assert_non_null(strstr(row_of(bench, "/etc/passwd", "alice"), ":Alice Example:"));
	assert_status(ASK(bench, 0, "op=standing", "name=alice"), "active");
	assert_field(bench, "email", "alice.jones@clinic.example");
	/* What was to be changed is, when the editor has gone. */
	(void)close(lock);
	for (int i = 0; i < 500 && !strstr(row_of(bench, "/etc/passwd", "alice"), ":Alice Jones:"); i++)
		(void)poll(NULL, 0, 20);
	assert_non_null(strstr(row_of(bench, "/etc/passwd", "alice"), ":Alice Jones:"));
}

/* Another process that holds the lock for that long, from now on. */
static pid_t begin_editor(const struct bench *bench, void (*edit)(const struct bench *bench))
{
	int ready[2];
	pid_t editor;
	char byte;

	assert_int_equal(pipe(ready), 0);
	editor = fork();
	if (editor == 0) {
		(void)take_lock(bench);
		(void)close(ready[0]);
		(void)close(ready[1]);
		(void)poll(NULL, 0, LOCKED_MS);
		if (edit)
			edit(bench);
		_exit(0);
	}
	assert_true(editor > 0);
	(void)close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 0);
	(void)close(ready[0]);
	return editor;
}

/* Her account would let nobody in as it is, so she waits until it is mended. */
static void who_must_be_revived_waits_for_it(void **state)
{
	struct bench *bench = *state;
	pid_t editor = begin_editor(bench, NULL);

	assert_status(admit(bench, "name=alice", "subject=00ualice", "email=alice@clinic.example"), "admitted");
	assert_int_equal(waitpid(editor, NULL, WNOHANG), editor);
	assert_status(ASK(bench, 0, "op=standing", "name=alice"), "active");
}

static void make_local_anew(const struct bench *bench)
{
	machine_write(&bench->machine, "/etc/passwd", 0644,
		      "root:x:0:0:root:/root:/bin/bash\nlocal:x:1007:1007::/home/local:/bin/sh\n");
}

/* What counts is what is true when the files are locked. */
static void whom_an_editor_made_anew_meanwhile_is_not_linked(void **state)
{
	struct bench *bench = *state;
	pid_t editor = begin_editor(bench, make_local_anew);

	assert_refused(bench, admit(bench, "name=local", "subject=00ualice", "email=alice@clinic.example"),
		       "name_reserved");
	assert_int_equal(waitpid(editor, NULL, 0), editor);
	assert_status(ASK(bench, 0, "op=standing", "name=local"), "not_ours");
}

/* ---- files that cannot be written ---- */

static void spoil_gshadow(const struct bench *bench)
{
	char path[256];

	machine_path(&bench->machine, "/etc/gshadow", path);
	assert_int_equal(chmod(path, 0666), 0);
}

static void who_has_an_account_is_let_in_though_nothing_can_be_changed(void **state)
{
	struct bench *bench = *state;
	char ticket[128];

	admit_alice(bench, ticket);
	spoil_gshadow(bench);
	assert_status(admit_named(bench, "name=alice", "subject=00ualice", "email=alice.jones@clinic.example",
				  "full_name=Alice Jones"),
		      "admitted");
	assert_non_null(strstr(row_of(bench, "/etc/passwd", "alice"), ":Alice Example:"));
	assert_status(ASK(bench, 0, "op=standing", "name=alice"), "active");
	assert_field(bench, "email", "alice.jones@clinic.example");
}

static void who_cannot_be_revived_is_told_so(void **state)
{
	spoil_gshadow(*state);
	assert_refused(*state, admit(*state, "name=alice", "subject=00ualice", "email=alice@clinic.example"),
		       "storage");
}

/* ---- two tenants ---- */

static void each_tenants_alice_has_an_account_of_her_own(void **state)
{
	struct bench *bench = *state;
	char ticket[128];

	admit_alice(bench, ticket);
	assert_status(ASK(bench, PAM_OIDC_UID, "op=admit", "name=alice.lab", "tenant=lab", "issuer=https://lab.example",
			  "client_id=lab-client", "subject=00ualice", "email=alice@lab.example", "email_verified=true",
			  "service=sshd"),
		      "admitted");
	assert_field(bench, "account", "alice.lab");
	assert_string_not_equal(wire_get(&bench->answer, "uid"), ALICE_UID);
	/* The same subject of another issuer is nobody here. */
	assert_refused(bench,
		       ASK(bench, PAM_OIDC_UID, "op=admit", "name=alice", "tenant=lab", "issuer=https://lab.example",
			   "client_id=lab-client", "subject=00ualice", "email=alice@lab.example", "email_verified=true",
			   "service=sshd"),
		       "wrong_tenant");
}

#define TEST(name) TEST_WITH(name, &plain)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_WITH(a_local_user_with_a_link_is_offered_okta_and_remains_a_local_user, &link_waits),
		TEST_WITH(over_ssh_a_linked_email_is_told_the_local_name, &link_waits),
		TEST_WITH(where_emails_may_be_typed_over_ssh_a_linked_one_has_its_entry, &link_waits_over_ssh),
		TEST_WITH(only_whoever_is_expected_takes_the_local_account, &link_waits),
		TEST_WITH(with_a_subject_named_the_email_alone_is_not_enough, &link_waits_for_a_subject),
		TEST_WITH(a_link_that_nobody_took_in_time_is_over, &link_is_over),
		TEST_WITH(a_linked_user_who_was_made_anew_is_somebody_else, &link_waits),
		TEST_WITH(a_local_user_stays_one_under_a_name_that_was_added, &local_name_added),
		TEST_WITH(with_fallback_a_linked_user_may_choose, &link_waits_with_fallback),
		TEST_WITH(whoever_is_expected_gets_the_chosen_name_and_nobody_else_does, &with_obrien),
		TEST_WITH(a_chosen_name_needs_no_format_that_could_give_it, &with_obrien_among_formats),
		TEST(a_new_email_and_surname_are_brought_up_to_date),
		TEST_WITH(a_removed_person_returns_with_the_uid_they_had, &removed),
		TEST_WITH(who_returns_has_their_own_home_again_and_nobody_elses, &removed),
		TEST_WITH(nobody_returns_to_a_uid_that_somebody_has_by_now, &removed),
		TEST_WITH(a_successor_has_a_fresh_uid_and_who_was_before_has_nothing, &reassigned),
		TEST_WITH(who_returns_is_not_asked_again_for_a_room, &removed_with_room),
		TEST_WITH(memberships_follow_the_rules_at_each_sign_in, &with_groups),
		TEST_WITH(a_group_that_became_another_name_of_roots_is_given_to_nobody, &with_groups),
		TEST_WITH(a_new_person_is_asked_for_a_room_until_they_answer, &with_rooms),
		TEST_WITH(only_a_room_of_the_list_answers_and_only_once, &with_rooms),
		TEST_WITH(an_answer_opens_no_account_that_the_admin_expired, &with_rooms),
		TEST_WITH(who_signed_in_too_long_ago_is_revived_by_signing_in, &idle),
		TEST_WITH(a_new_account_ends_with_the_time_of_its_sign_in, &aged),
		TEST(a_ticket_ends_with_the_account),
		TEST_WITH(accounts_of_a_tenant_that_is_gone_let_nobody_in, &without_tenant),
		TEST(a_refusal_of_the_issuers_is_noted_with_the_account),
		TEST(who_has_an_account_does_not_wait_for_an_editor),
		TEST_WITH(who_must_be_revived_waits_for_it, &idle),
		TEST_WITH(whom_an_editor_made_anew_meanwhile_is_not_linked, &link_waits),
		TEST(who_has_an_account_is_let_in_though_nothing_can_be_changed),
		TEST_WITH(who_cannot_be_revived_is_told_so, &idle),
		TEST_WITH(each_tenants_alice_has_an_account_of_her_own, &two_tenants),
	};

	if (geteuid() != 0) {
		print_message("skipped: only root can make accounts, and connect as other users\n");
		return 0;
	}
	log_divert(say_nothing);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
