/*
 * provisiond as its callers see it while memory, system calls or the database fail: every question gets the right
 * answer, "unavailable", a refusal or a hang-up. Nobody is admitted who would not be otherwise, no ticket serves twice,
 * and nobody of ours is told to be somebody else's.
 */
#include "provisiond/requests.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "alices_account.h"
#include "common/listen.h"
#include "failing_each.h"
#include "two_tenants.h"

#define PAM_OIDC_UID 64000 /* of nobody here */
#define PATIENCE_MS 20000
#define ALICE "2022975774"
#define FIELDS_MAX 16

static const struct failing_manner manners[] = {
	{ "no memory, once", FAILING_MEMORY, ENOMEM, FAILING_ONCE },
	{ "no memory any more", FAILING_MEMORY, ENOMEM, FAILING_FOREVER },
	{ "an I/O error, once", FAILING_CALLS, EIO, FAILING_ONCE },
	{ "an interruption, once", FAILING_CALLS, EINTR, FAILING_ONCE },
	{ "no descriptors, once", FAILING_CALLS, EMFILE, FAILING_ONCE },
	{ "no connection any more, once", FAILING_CALLS, ECONNRESET, FAILING_ONCE },
	{ "a database without memory, once", FAILING_LIBRARY, ENOMEM, FAILING_ONCE },
	{ "a database without memory", FAILING_LIBRARY, ENOMEM, FAILING_FOREVER },
	{ "a database with I/O errors", FAILING_DATABASE, EIO, FAILING_FOREVER },
	{ "a full disk", FAILING_DISK | FAILING_DATABASE, ENOSPC, FAILING_FOREVER },
};

/* ---- the daemon ---- */

static struct {
	struct small_machine machine;
	char socket[256];
	struct sources *sources;
	struct service service;
} bench;

/* As at the daemon's end: whoever still waits is answered before the server goes. */
static void end_work(void)
{
	lifecycle_free(bench.service.lifecycle);
	bench.service.lifecycle = NULL;
}

static void begin_work(void)
{
	bench.service.lifecycle = lifecycle_new(bench.machine.store, bench.machine.files, &bench.machine.homes);
	assert_non_null(bench.service.lifecycle);
	lifecycle_configure(bench.service.lifecycle, &bench.service.config->accounts);
}

static void start(void)
{
	char nsswitch[256];

	machine_path(&bench.machine, "/var/nsswitch.conf", nsswitch);
	machine_path(&bench.machine, "/socket", bench.socket);
	bench.sources = sources_start(nsswitch);
	assert_non_null(bench.sources);
	bench.service = (struct service){
		.config = config_of(ONE_TENANT),
		.store = bench.machine.store,
		.files = bench.machine.files,
		.homes = bench.machine.homes,
		.inquiries = inquiries_new(bench.sources),
		.tickets = tickets_new(),
		.pam_oidc_uid = PAM_OIDC_UID,
	};
	assert_int_equal(system_names_load((const char *const[]){ NULL }, &bench.service.system_names), 0);
	begin_work();
}

static void stop(void)
{
	inquiries_free(bench.service.inquiries);
	end_work();
	sources_stop(bench.sources);
	tickets_free(bench.service.tickets);
	system_names_free(bench.service.system_names);
	config_free(bench.service.config);
}

static void make_bench(void)
{
	machine_make(&bench.machine);
	machine_write(&bench.machine, "/var/nsswitch.conf", 0644, "passwd: files oidc\ngroup: files\n");
	start();
}

static void remove_bench(void)
{
	stop();
	machine_remove(&bench.machine);
}

/* ---- its caller, on the daemon's own loop ---- */

static struct {
	struct server *server;
	int fd;
	int64_t until_ms;
	char bytes[WIRE_MAX]; /* of the last answer */
	struct wire_message message;
	const char *status; /* of the last answer, NULL: none came */
	unsigned answers;
	bool list;   /* rows go on until the end */
	bool silent; /* neither an answer nor a hang-up came in time */
} caller;

static int64_t caller_deadline(void *context)
{
	(void)context;
	return caller.until_ms;
}

static void caller_listens(void *context, int64_t now_ms)
{
	ssize_t n;

	(void)context;
	failing_hold();
	while ((n = wire_receive(caller.fd, caller.bytes, sizeof(caller.bytes), 0)) > 0) {
		assert_true(wire_parse(caller.bytes, (size_t)n, &caller.message));
		caller.status = wire_kind(&caller.message, "status");
		caller.answers++;
		if (!caller.list || strcmp(caller.status, "account") != 0)
			break;
	}
	caller.silent = now_ms >= caller.until_ms;
	if (n > 0 || n == 0 || n == -ECONNRESET || caller.silent)
		server_stop(caller.server);
	failing_release();
}

/* The status of the answer, or NULL when the connection was ended instead. Nothing fails with manner NULL. */
static const char *ask(uid_t uid, const char *const *fields, const struct failing_manner *manner, unsigned n,
		       bool *ret_failed)
{
	static const struct server_limits limits = { 8, 8, 8, 8, PATIENCE_MS };
	char packet[2048];
	size_t length = 0;
	bool failed;

	caller.server = server_new(listen_at(bench.socket), &limits, requests_handle, &bench.service);
	assert_non_null(caller.server);
	server_set_privileged_user(caller.server, PAM_OIDC_UID);
	server_attach(caller.server,
		      &(struct server_attachment){ -1, lifecycle_deadline_ms, lifecycle_run, bench.service.lifecycle });
	server_attach(caller.server, &(struct server_attachment){ -1, admit_deadline_ms, admit_run, &bench.service });
	assert_int_equal(seteuid(uid), 0);
	caller.fd = wire_connect(bench.socket, wire_now_ms() + PATIENCE_MS);
	assert_int_equal(seteuid(0), 0);
	assert_true(caller.fd >= 0);
	server_attach(caller.server, &(struct server_attachment){ caller.fd, caller_deadline, caller_listens, NULL });
	for (const char *const *field = fields; *field; field++) {
		size_t size = strlen(*field) + 1;

		assert_true(length + size <= sizeof(packet));
		memcpy(packet + length, *field, size);
		length += size;
	}
	assert_int_equal(send(caller.fd, packet, length, 0), length);
	caller.status = NULL;
	caller.answers = 0;
	caller.list = strcmp(fields[0], "op=list") == 0;
	caller.silent = false;
	caller.until_ms = wire_now_ms() + PATIENCE_MS;
	if (manner)
		failing_arm(manner->kinds, n, manner->error, manner->times);
	(void)server_run(caller.server);
	failed = failing_disarm();
	assert_false(caller.silent);
	(void)close(caller.fd);
	end_work();
	server_free(caller.server);
	begin_work();
	if (ret_failed)
		*ret_failed = failed;
	return caller.status;
}

#define FIELDS(...) ((const char *const[FIELDS_MAX]){ __VA_ARGS__, NULL })

static bool status_is(const char *status)
{
	return caller.status && strcmp(caller.status, status) == 0;
}

static bool field_is(const char *key, const char *expected)
{
	const char *value = wire_get(&caller.message, key);

	return value && strcmp(value, expected) == 0;
}

/* What every question may end in while something fails. */
static bool is_no_answer(void)
{
	return !caller.status || status_is("unavailable");
}

/* ---- questions that change nothing ---- */

enum state { NOBODY, EXPECTED, ACTIVE, DEACTIVATED };

struct asking {
	const char *const *fields;
	enum state state; /* of Alice's account */
	uid_t uid;
	const char *status; /* of the right answer */
	const char *key, *value;
};

static const char *const admit_alice[FIELDS_MAX] = {
	"op=admit",
	"name=alice",
	"tenant=clinic",
	"issuer=https://clinic.example",
	"client_id=clinic-client",
	"subject=00ualice",
	"email=alice@clinic.example",
	"email_verified=true",
	"full_name=Alice Example",
	"service=sshd",
};

/* Another person whose email was Alice's before. */
static const char *const admit_mallory[FIELDS_MAX] = {
	"op=admit",
	"name=alice",
	"tenant=clinic",
	"issuer=https://clinic.example",
	"client_id=clinic-client",
	"subject=00umallory",
	"email=alice@clinic.example",
	"email_verified=true",
	"full_name=Mallory Example",
	"service=sshd",
};

/* The small machine's user `local` waits for Alice. */
static const char *const admit_to_link[FIELDS_MAX] = {
	"op=admit",
	"name=local",
	"tenant=clinic",
	"issuer=https://clinic.example",
	"client_id=clinic-client",
	"subject=00ualice",
	"email=alice@clinic.example",
	"email_verified=true",
	"full_name=Alice Example",
	"service=sshd",
};

static void expect_alice(void)
{
	const struct expected expected = {
		.kind = EXPECTED_LINK,
		.name = "local",
		.tenant = "clinic",
		.email = "alice@clinic.example",
		.subject = "",
		.uid = 1000,
		.made_at = (int64_t)time(NULL),
		.expires_at = (int64_t)time(NULL) + EXPECTED_LINK_LIFE_S,
	};

	assert_int_equal(store_expect(bench.machine.store, &expected), 0);
}

static bool ask_while_failing(void *context, const struct failing_manner *manner, unsigned n)
{
	const struct asking *asking = context;
	bool failed, right;

	(void)ask(asking->uid, asking->fields, manner, n, &failed);
	right = status_is(asking->status) && (!asking->key || field_is(asking->key, asking->value));
	if (caller.list) {
		/* All rows and the end; or no end, which tells that it is not all. */
		assert_true(right ? caller.answers == 2 : !caller.status || status_is("account"));
		return failed;
	}
	if (!right && !is_no_answer() && !(status_is("refused") && asking->uid == PAM_OIDC_UID))
		fail_msg("%s %s: %s", asking->fields[0], asking->fields[1], caller.status);
	return failed;
}

static void a_question_is_answered_rightly_or_not_at_all(void **state)
{
	struct asking rows[] = {
		{ FIELDS("op=lookup", "name=alice", "purpose=nss"), NOBODY, 0, "entry", "uid", ALICE },
		{ FIELDS("op=lookup", "name=alice", "purpose=login"), NOBODY, 0, "entry", "kind", "promised" },
		{ FIELDS("op=lookup", "name=alice@clinic.example", "purpose=login"), NOBODY, 0, "entry", "uid", ALICE },
		{ FIELDS("op=lookup", "name=local", "purpose=nss"), NOBODY, 0, "not_ours", NULL, NULL },
		{ FIELDS("op=lookup", "name=local", "purpose=login"), NOBODY, 0, "not_ours", NULL, NULL },
		{ FIELDS("op=lookup", "name=radiology", "purpose=login"), NOBODY, 0, "refused", "reason",
		  "name_reserved" },
		{ FIELDS("op=lookup", "name=alice", "purpose=nss"), ACTIVE, 0, "entry", "kind", "active" },
		{ FIELDS("op=lookup", "name=alice@clinic.example", "purpose=login"), ACTIVE, 0, "entry", "account",
		  "alice" },
		{ FIELDS("op=lookup", "name=alice", "purpose=login"), DEACTIVATED, 0, "refused", "reason",
		  "deactivated" },
		{ FIELDS("op=standing", "name=alice"), NOBODY, 0, "promised", NULL, NULL },
		{ FIELDS("op=standing", "name=local"), NOBODY, 0, "not_ours", NULL, NULL },
		{ FIELDS("op=standing", "name=alice"), ACTIVE, 0, "active", "uid", ALICE },
		{ FIELDS("op=standing", "name=alice@clinic.example"), ACTIVE, 0, "active", "account", "alice" },
		{ FIELDS("op=standing", "name=alice"), ACTIVE, ALICE_UID, "active", "uid", ALICE },
		{ FIELDS("op=standing", "name=alice"), DEACTIVATED, 0, "deactivated", NULL, NULL },
		{ FIELDS("op=show", "name=alice"), ACTIVE, 0, "account", "subject", "00ualice" },
		{ FIELDS("op=show", "name=bob"), ACTIVE, 0, "unknown", NULL, NULL },
		{ FIELDS("op=list", "x="), ACTIVE, 0, "end", NULL, NULL },
		{ FIELDS("op=redeem", "ticket=made-up", "name=alice"), ACTIVE, 0, "no", NULL, NULL },
		{ FIELDS("op=lookup", "name=local", "purpose=login"), EXPECTED, 0, "entry", "fallback", "1" },
		{ FIELDS("op=lookup", "name=locum", "purpose=login"), EXPECTED, 0, "not_ours", NULL, NULL },
		{ FIELDS("op=lookup", "name=alice@clinic.example", "purpose=login"), EXPECTED, 0, "entry", "uid",
		  "1000" },
		{ FIELDS("op=standing", "name=local"), EXPECTED, 0, "expected", NULL, NULL },
		{ FIELDS("op=refused", "name=alice", "tenant=clinic", "reason=denied"), ACTIVE, PAM_OIDC_UID, "noted",
		  NULL, NULL },
		{ FIELDS("op=answer", "name=alice", "uid=" ALICE, "room=Exam 1"), ACTIVE, 0, "refused", NULL, NULL },
		{ admit_mallory, ACTIVE, PAM_OIDC_UID, "refused", NULL, NULL },
		{ admit_alice, DEACTIVATED, PAM_OIDC_UID, "refused", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct asking *asking = &rows[i];

		make_bench();
		if (asking->state == EXPECTED)
			expect_alice();
		if (asking->state == ACTIVE || asking->state == DEACTIVATED) {
			(void)ask(PAM_OIDC_UID, admit_alice, NULL, 0, NULL);
			assert_true(status_is("admitted"));
		}
		if (asking->state == DEACTIVATED)
			assert_int_equal(store_set_state(bench.machine.store, "alice", ACCOUNT_DEACTIVATED), 0);
		(void)ask(asking->uid, asking->fields, NULL, 0, NULL);
		if (!status_is(asking->status))
			fail_msg("row %zu: %s", i, caller.status ? caller.status : "no answer");
		for (size_t m = 0; m < sizeof(manners) / sizeof(manners[0]); m++)
			(void)failing_each(ask_while_failing, asking, &manners[m]);
		remove_bench();
	}
}

/* ---- admission ---- */

static void restart(void)
{
	stop();
	machine_close(&bench.machine);
	machine_open(&bench.machine);
	start();
	lifecycle_recover(bench.service.lifecycle);
	lifecycle_run(bench.service.lifecycle, wire_now_ms());
}

static bool admit_while_failing(void *context, const struct failing_manner *manner, unsigned n)
{
	char ticket[128] = "";
	bool failed, admitted;

	(void)context;
	make_bench();
	(void)ask(PAM_OIDC_UID, admit_alice, manner, n, &failed);
	admitted = status_is("admitted");
	assert_true(admitted || status_is("refused") || !caller.status);
	if (admitted) {
		assert_true(field_is("account", "alice") && field_is("uid", ALICE));
		(void)snprintf(ticket, sizeof(ticket), "ticket=%s", wire_get(&caller.message, "ticket"));
		(void)ask(0, FIELDS("op=redeem", ticket, "name=alice", "uid=" ALICE), NULL, 0, NULL);
		assert_true(status_is("confirmed"));
		(void)ask(0, FIELDS("op=redeem", ticket, "name=alice", "uid=" ALICE), NULL, 0, NULL);
		assert_true(status_is("no"));
	} else if (status_is("refused")) {
		assert_non_null(wire_get(&caller.message, "text"));
	}
	restart();
	if (admitted)
		assert_true(assert_whole_or_none(&bench.machine));
	/* Without an answer, it may have been made all the same. */
	(void)ask(PAM_OIDC_UID, admit_alice, NULL, 0, NULL);
	assert_true(status_is("admitted"));
	assert_true(field_is("account", "alice") && field_is("uid", ALICE));
	remove_bench();
	return failed;
}

static void a_new_person_is_admitted_whole_or_not_at_all(void **state)
{
	(void)state;
	for (size_t m = 0; m < sizeof(manners) / sizeof(manners[0]); m++)
		assert_in_range(failing_each(admit_while_failing, NULL, &manners[m]), 1, FAILING_N_MAX - 1);
}

/* ---- changes ---- */

static bool row_is(const char *name, const char *row)
{
	char path[256], line[512];
	bool same = false;
	FILE *file;

	machine_path(&bench.machine, "/etc/passwd", path);
	file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
			same = strcmp(line, row) == 0;
	(void)fclose(file);
	return same;
}

#define ROW_BEFORE "alice:x:" ALICE ":" ALICE ":Alice Example:/home/alice:/bin/bash\n"
#define ROW_AFTER "alice:x:" ALICE ":" ALICE ":Alice Jones:/home/alice:/bin/bash\n"

static const char *const admit_jones[FIELDS_MAX] = {
	"op=admit",
	"name=alice",
	"tenant=clinic",
	"issuer=https://clinic.example",
	"client_id=clinic-client",
	"subject=00ualice",
	"email=alice.jones@clinic.example",
	"email_verified=true",
	"full_name=Alice Jones",
	"service=sshd",
};

/* Whoever has an account is let in even when what changed cannot be brought up to date now; it is the next time. */
static bool update_while_failing(void *context, const struct failing_manner *manner, unsigned n)
{
	bool failed;

	(void)context;
	make_bench();
	(void)ask(PAM_OIDC_UID, admit_alice, NULL, 0, NULL);
	assert_true(status_is("admitted"));
	(void)ask(PAM_OIDC_UID, admit_jones, manner, n, &failed);
	assert_true(status_is("admitted") || status_is("refused") || !caller.status);
	if (status_is("admitted"))
		assert_true(field_is("account", "alice") && field_is("uid", ALICE) && field_is("created", "0"));
	restart();
	assert_true(row_is("alice", ROW_BEFORE) || row_is("alice", ROW_AFTER));
	(void)ask(PAM_OIDC_UID, admit_jones, NULL, 0, NULL);
	assert_true(status_is("admitted"));
	assert_true(row_is("alice", ROW_AFTER));
	remove_bench();
	return failed;
}

/* The local account is taken or waits on; it is never lost, and nobody else takes it meanwhile. */
static bool link_while_failing(void *context, const struct failing_manner *manner, unsigned n)
{
	bool failed, admitted;

	(void)context;
	make_bench();
	expect_alice();
	(void)ask(PAM_OIDC_UID, admit_to_link, manner, n, &failed);
	admitted = status_is("admitted");
	assert_true(admitted || status_is("refused") || !caller.status);
	restart();
	(void)ask(0, FIELDS("op=standing", "name=local"), NULL, 0, NULL);
	assert_true(status_is("active") || (!admitted && status_is("expected")));
	(void)ask(PAM_OIDC_UID, admit_to_link, NULL, 0, NULL);
	assert_true(status_is("admitted"));
	assert_true(field_is("account", "local") && field_is("uid", "1000") && field_is("created", "0"));
	assert_true(row_is("local", "local:x:1000:1000:Alice Example:/home/local:/bin/sh\n"));
	remove_bench();
	return failed;
}

/* One manner of each kind: what the lifecycle makes of all of them is its own tests' business. */
static void a_change_is_made_whole_or_not_at_all(void **state)
{
	static const size_t chosen[] = { 0, 2, 6, 9 };

	(void)state;
	for (size_t i = 0; i < sizeof(chosen) / sizeof(chosen[0]); i++) {
		const struct failing_manner *manner = &manners[chosen[i]];

		assert_in_range(failing_each(update_while_failing, NULL, manner), 1, FAILING_N_MAX - 1);
		assert_in_range(failing_each(link_while_failing, NULL, manner), 1, FAILING_N_MAX - 1);
	}
}

/* Somebody who has the account already; also with the disk full. */
static bool admit_again_while_failing(void *context, const struct failing_manner *manner, unsigned n)
{
	bool failed;

	(void)context;
	(void)ask(PAM_OIDC_UID, admit_alice, manner, n, &failed);
	if (status_is("admitted"))
		assert_true(field_is("account", "alice") && field_is("uid", ALICE) && field_is("created", "0"));
	else
		assert_true(status_is("refused") || !caller.status);
	(void)ask(PAM_OIDC_UID, admit_alice, NULL, 0, NULL);
	assert_true(status_is("admitted"));
	return failed;
}

static bool redeem_while_failing(void *context, const struct failing_manner *manner, unsigned n)
{
	char ticket[128];
	bool failed, confirmed;

	(void)context;
	(void)ask(PAM_OIDC_UID, admit_alice, NULL, 0, NULL);
	assert_true(status_is("admitted"));
	(void)snprintf(ticket, sizeof(ticket), "ticket=%s", wire_get(&caller.message, "ticket"));
	(void)ask(0, FIELDS("op=redeem", ticket, "name=alice", "uid=" ALICE), manner, n, &failed);
	confirmed = status_is("confirmed");
	if (confirmed)
		assert_true(field_is("account", "alice") && field_is("uid", ALICE));
	else
		assert_true(status_is("no") || !caller.status);
	(void)ask(0, FIELDS("op=redeem", ticket, "name=alice", "uid=" ALICE), NULL, 0, NULL);
	if (confirmed)
		assert_true(status_is("no"));
	return failed;
}

static void tickets_serve_once_and_their_owner_only(void **state)
{
	(void)state;
	make_bench();
	(void)ask(PAM_OIDC_UID, admit_alice, NULL, 0, NULL);
	for (size_t m = 0; m < sizeof(manners) / sizeof(manners[0]); m++) {
		(void)failing_each(admit_again_while_failing, NULL, &manners[m]);
		(void)failing_each(redeem_while_failing, NULL, &manners[m]);
	}
	remove_bench();
}

/* ---- the start ---- */

static bool start_while_failing(void *context, const struct failing_manner *manner, unsigned n)
{
	static const struct server_limits limits = { 8, 8, 8, 8, PATIENCE_MS };
	struct system_names *names = NULL;
	struct tickets *tickets;
	struct server *server = NULL;
	int listener, loaded;
	bool failed;

	(void)context;
	failing_arm(manner->kinds, n, manner->error, manner->times);
	loaded = system_names_load(NULL, &names);
	tickets = tickets_new();
	listener = listen_at(bench.socket);
	if (listener >= 0)
		server = server_new(listener, &limits, requests_handle, NULL);
	failed = failing_disarm();
	/* No name is forgotten: all are there, or it is told that they cannot be read. */
	assert_int_equal(loaded == 0, names != NULL);
	if (loaded == 0)
		assert_true(system_names_contains(names, "nobody"));
	assert_true(!failed || loaded != 0 || !tickets || !server || manner->times == FAILING_ONCE);
	server_free(server);
	tickets_free(tickets);
	system_names_free(names);
	return failed;
}

static void a_start_that_fails_leaves_nothing_behind(void **state)
{
	(void)state;
	make_bench();
	for (size_t m = 0; m < 6; m++)
		assert_in_range(failing_each(start_while_failing, NULL, &manners[m]), 1, FAILING_N_MAX - 1);
	remove_bench();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_start_that_fails_leaves_nothing_behind, say_where),
		cmocka_unit_test_teardown(a_question_is_answered_rightly_or_not_at_all, say_where),
		cmocka_unit_test_teardown(a_new_person_is_admitted_whole_or_not_at_all, say_where),
		cmocka_unit_test_teardown(a_change_is_made_whole_or_not_at_all, say_where),
		cmocka_unit_test_teardown(tickets_serve_once_and_their_owner_only, say_where),
	};

	if (geteuid() != 0) {
		print_message("skipped: only root can make homes that belong to others\n");
		return 0;
	}
	failing_open_doors();
	log_divert(say_nothing);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
