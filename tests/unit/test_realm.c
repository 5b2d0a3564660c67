/*
 * A configuration in force: its secrets are read or it is refused with a word on each, its tenants are found by name,
 * and it lives for as long as somebody uses it. And the dry run over all of its tenants.
 */
#include "pam_oidc/realm.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "pam_oidc/dry_run.h"
#include "tests/daemon/stage.h"

static char code[64];

static void write_secret(const char *text, mode_t mode)
{
	int fd = open("secret", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	(void)close(fd);
}

static int end(void **state)
{
	(void)unlink("secret");
	return stage_end_scene(state);
}

static void unexpected(void *context, const char *path, unsigned line, const char *message)
{
	(void)context;
	fail_msg("%s:%u: %s", path, line, message);
}

/* Two tenants: the clinic with a secret in the test's folder, the lab at an issuer that is not there. */
static struct config *two_tenants(void)
{
	_cleanup_free_ char *text = NULL;
	struct config *config = NULL;

	assert_true(asprintf(&text,
			     "[login]\nca_file = %s\n[accounts]\ndefault_tenant = clinic\n"
			     "[tenant clinic]\nissuer = %s\nclient_id = clinic-basic\nclient_auth = basic\n"
			     "client_secret_file = %s/secret\ndomains = clinic.example\n"
			     "[tenant lab]\nissuer = https://localhost:1\nclient_id = 0oa1\ndomains = lab.example\n"
			     "username = %%l.%%t\n",
			     stage.ca_file, stage.issuer, stage.folder) > 0);
	assert_true(config_parse("pam_oidc.conf", text, unexpected, NULL, &config));
	return config;
}

static struct realm *make(void)
{
	return realm_create(stage.loop, stage.http, two_tenants(), geteuid(), getegid());
}

/* The server takes up the two tenants. */
static void use_secret(void)
{
	struct realm *realm = make();

	assert_non_null(realm);
	signin_server_use_realm(stage.server, realm);
	realm_unref(stage.realm);
	stage.realm = realm;
}

static bool check(void)
{
	struct config *config = two_tenants();
	bool good = realm_check_secrets(config, geteuid(), getegid());

	config_free(config);
	return good;
}

static void tenants_are_found_by_name(void **state)
{
	struct realm *realm;

	(void)state;
	write_secret("basic-secret-0123456789\n", 0600);
	assert_true(check());
	realm = make();
	assert_non_null(realm);
	assert_int_equal(realm_provider_count(realm), 2);
	assert_ptr_equal(realm_provider(realm, "lab"), realm_provider_at(realm, 1));
	assert_string_equal(provider_tenant(realm_provider(realm, "clinic"))->client_id, "clinic-basic");
	assert_null(realm_provider(realm, "Clinic"));
	assert_null(realm_provider(realm, ""));
	realm_unref(realm);
	realm_unref(NULL);
}

static void a_secret_that_cannot_be_used_refuses_the_whole(void **state)
{
	static const struct {
		const char *text;
		mode_t mode;
		const char *complaint;
	} rows[] = {
		{ "x", 0644, "must not be open to others" },
		{ "", 0600, "is empty" },
		{ NULL, 0, "cannot be opened: No such file" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)unlink("secret");
		if (rows[i].text)
			write_secret(rows[i].text, rows[i].mode);
		stage.log[0] = '\0';
		assert_null(make());
		assert_non_null(strstr(stage.log, rows[i].complaint));
		assert_non_null(strstr(stage.log, "pam_oidc.conf:"));
		assert_non_null(strstr(stage.log, "[tenant clinic] client_secret_file: "));
		assert_non_null(strstr(stage.log, "/secret "));
		assert_false(check());
	}
}

static void it_lives_as_long_as_somebody_uses_it(void **state)
{
	struct realm *realm;

	(void)state;
	write_secret("basic-secret-0123456789\n", 0600);
	realm = make();
	assert_ptr_equal(realm_ref(realm), realm);
	realm_unref(realm);
	assert_int_equal(realm_config(realm)->tenant_count, 2);
	assert_non_null(realm_provider(realm, "clinic"));
	realm_unref(realm);
}

static void the_secret_of_its_file_signs_people_in(void **state)
{
	struct caller *caller;

	(void)state;
	write_secret("basic-secret-0123456789\n", 0600);
	use_secret();
	caller = caller_shown("alice", "", code, sizeof(code));
	stage_approve("alice", code);
	stage_advance(5100);
	(void)caller_hear_status(caller, "admitted");
	assert_string_equal(asked(stage.provisiond.admit_asked, "client_id"), "clinic-basic");
	assert_null(strstr(stage.log, "basic-secret"));
	caller_hang_up(caller);
}

static void a_wrong_secret_signs_nobody_in(void **state)
{
	struct caller *caller;

	(void)state;
	write_secret("basic-secret-012345678\n", 0600);
	use_secret();
	caller = caller_signs_in("alice", "");
	(void)caller_refused(caller, "misconfigured");
	assert_non_null(strstr(stage.log, "invalid_client"));
	assert_null(strstr(stage.log, "basic-secret"));
	caller_hang_up(caller);
}

/* --- the dry run --- */

#define CLINIC_IS_THERE "clinic discovery good\nclinic tls good\nclinic clock good\n"

static char findings[4096];
static bool over, all_good;

static void note_finding(void *context, const struct finding *finding)
{
	size_t used = strlen(findings);

	(void)context;
	assert_string_not_equal(finding->text, "");
	assert_true((finding->level == FINDING_GOOD) == (finding->remedy == NULL));
	(void)snprintf(findings + used, sizeof(findings) - used, "%s %s %s\n", finding->tenant, finding->item,
		       finding_level_name(finding->level));
}

static void note_end(void *context, bool good)
{
	(void)context;
	over = true;
	all_good = good;
}

static bool is_over(void *context)
{
	(void)context;
	return over;
}

static struct dry_run *begin(struct realm *realm, const struct dry_run_options *options)
{
	const struct dry_run_events events = { .found = note_finding, .done = note_end };

	findings[0] = '\0';
	over = false;
	return dry_run_start(stage.loop, realm, options, &events);
}

static struct dry_run *begin_dry_run(struct realm *realm)
{
	return begin(realm, &(struct dry_run_options){ .code = true });
}

static void a_dry_run_goes_on_after_a_tenant_that_fails(void **state)
{
	struct realm *realm;

	(void)state;
	write_secret("basic-secret-0123456789\n", 0600);
	realm = make();
	assert_non_null(begin_dry_run(realm));
	/* The run alone keeps it. */
	realm_unref(realm);
	assert_true(stage_run_until(is_over, NULL));
	assert_false(all_good);
	assert_string_equal(findings, CLINIC_IS_THERE "clinic keys good\nclinic client good\nclinic device_code good\n"
						      "lab discovery bad\n");
}

static void a_dry_run_without_faults_is_all_good(void **state)
{
	(void)state;
	assert_non_null(begin_dry_run(stage.realm));
	assert_string_equal(findings, "");
	assert_true(stage_run_until(is_over, NULL));
	assert_true(all_good);
}

static void keys_that_are_of_no_use_are_found(void **state)
{
	(void)state;
	(void)stage_control("settings", "{'keys':{'raw':{'keys':[]}}}");
	stage_restart("", "");
	assert_non_null(begin_dry_run(stage.realm));
	assert_true(stage_run_until(is_over, NULL));
	assert_false(all_good);
	assert_string_equal(findings, CLINIC_IS_THERE "clinic keys bad\nclinic client good\nclinic device_code good\n");
}

static void only_the_tenant_that_was_asked_for_is_tried(void **state)
{
	struct realm *realm;

	(void)state;
	write_secret("basic-secret-0123456789\n", 0600);
	realm = make();
	assert_non_null(begin(realm, &(struct dry_run_options){ .tenant = "clinic", .code = true }));
	assert_true(stage_run_until(is_over, NULL));
	assert_true(all_good);
	assert_non_null(begin(realm, &(struct dry_run_options){ .tenant = "lab", .code = true }));
	realm_unref(realm);
	assert_true(stage_run_until(is_over, NULL));
	assert_string_equal(findings, "lab discovery bad\n");
}

static void without_a_code_the_client_is_tried_alone(void **state)
{
	struct realm *realm;

	(void)state;
	write_secret("basic-secret-0123456789\n", 0600);
	realm = make();
	assert_non_null(begin(realm, &(struct dry_run_options){ .tenant = "clinic" }));
	realm_unref(realm);
	assert_true(stage_run_until(is_over, NULL));
	assert_true(all_good);
	assert_string_equal(findings, CLINIC_IS_THERE "clinic keys good\nclinic client good\n");
	assert_int_equal(stage_requests("device"), 0);
	assert_int_equal(stage_requests("token"), 1);
}

static void without_a_code_a_wrong_secret_is_found(void **state)
{
	struct realm *realm;

	(void)state;
	write_secret("basic-secret-012345678\n", 0600);
	realm = make();
	assert_non_null(begin(realm, &(struct dry_run_options){ .tenant = "clinic" }));
	realm_unref(realm);
	assert_true(stage_run_until(is_over, NULL));
	assert_false(all_good);
	assert_string_equal(findings, CLINIC_IS_THERE "clinic keys good\nclinic client bad\n");
}

static void a_cancelled_dry_run_calls_nobody(void **state)
{
	(void)state;
	dry_run_cancel(begin_dry_run(stage.realm));
	dry_run_cancel(NULL);
	stage_settle();
	assert_false(over);
	assert_string_equal(findings, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_begin_scene, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tenants_are_found_by_name),
		TEST(a_secret_that_cannot_be_used_refuses_the_whole),
		TEST(it_lives_as_long_as_somebody_uses_it),
		TEST(the_secret_of_its_file_signs_people_in),
		TEST(a_wrong_secret_signs_nobody_in),
		TEST(a_dry_run_goes_on_after_a_tenant_that_fails),
		TEST(a_dry_run_without_faults_is_all_good),
		TEST(keys_that_are_of_no_use_are_found),
		TEST(only_the_tenant_that_was_asked_for_is_tried),
		TEST(without_a_code_the_client_is_tried_alone),
		TEST(without_a_code_a_wrong_secret_is_found),
		TEST(a_cancelled_dry_run_calls_nobody),
	};

	return stage_here(true) ? cmocka_run_group_tests(tests, stage_open, stage_close) : 0;
}
