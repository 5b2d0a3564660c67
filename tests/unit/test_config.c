/*
 * The configuration: a right file gives every value, a wrong one names the line and what was expected, and nothing is
 * ignored silently.
 */
#include "common/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define CLINIC                                                                                               \
	"[tenant clinic]\nissuer = https://clinic.okta.com/oauth2/default\nclient_id = 0oa1b2c3\ndomains = " \
	"clinic.example\n"
#define LAB "[tenant lab]\norg = lab.okta.com\nclient_id = 0oa9\ndomains = lab.example\n"

static char faults[4096];

static void note_fault(void *context, const char *path, unsigned line, const char *message)
{
	size_t used = strlen(faults);

	(void)context;
	(void)snprintf(faults + used, sizeof(faults) - used, "%s:%u: %s\n", path, line, message);
}

static struct config *read_config(const char *text)
{
	struct config *config = NULL;

	faults[0] = '\0';
	if (!config_parse("/etc/pam_oidc.conf", text, note_fault, NULL, &config))
		assert_string_not_equal(faults, "");
	else
		assert_string_equal(faults, "");
	return config;
}

/* Reads a file that must be refused with this complaint. */
static void refused(const char *text, const char *complaint)
{
	struct config *config = read_config(text);

	if (config || !strstr(faults, complaint))
		fail_msg("for\n%s\nexpected: %s\ngot: %s", text, complaint, faults);
}

static void a_short_file_gives_the_defaults(void **state)
{
	struct config *config = read_config(CLINIC);
	const struct tenant *tenant;

	(void)state;
	assert_non_null(config);
	tenant = config->default_tenant;
	assert_ptr_equal(tenant, &config->tenants[0]);
	assert_string_equal(tenant->issuer, "https://clinic.okta.com/oauth2/default");
	assert_string_equal(tenant->scopes, "openid profile email");
	assert_int_equal(tenant->client_auth, CLIENT_AUTH_NONE);
	assert_int_equal(tenant->email_verified, EMAIL_VERIFIED_REQUIRE);
	assert_true(string_list_contains(&tenant->id_token_signing_algs, "RS256"));
	assert_int_equal(tenant->id_token_signing_algs.count, 1);
	assert_true(username_format_is_plain(&tenant->format));
	assert_int_equal(config->login.max_pending, 256);
	assert_int_equal(config->accounts.uid_first, 2000200001);
	assert_int_equal(config->accounts.uid_last, 2147352575);
	assert_int_equal(config->accounts.home_mode, 0700);
	assert_true(config->accounts.create_home);
	assert_false(config->accounts.email_over_ssh);
	config_free(config);
}

static void every_value_of_a_full_file_is_taken(void **state)
{
	struct config *config = read_config(
		"[login]\nca_file = /etc/ssl/clinic.pem\nproxy = http://proxy.clinic.example:3128\n"
		"max_pending = 10\nmax_pending_per_address = 4\nmax_pending_per_account = 2\n"
		"max_starts_per_minute = 7\nunlimited_from = 10.0.0.0/8, 2001:db8::/32\n"
		"[accounts]\nuid_range = 70000-79999\nhome = /srv/home/%u\nshell = /bin/sh\nskeleton = /srv/skel\n"
		"home_mode = 0750\ncreate_home = no\nreserved_names = backup, scanner\ndefault_tenant = clinic\n"
		"email_over_ssh = yes\n" CLINIC
		"client_auth = basic\nclient_secret_file = /etc/pam_oidc.secret\nscopes = openid email groups\n"
		"email_verified = if-present\nallowed_groups = Nurses, \"Doctors, senior\"\nrequired_amr = mfa\n"
		"remote_from = 10.0.0.0/8, 2001:db8:1::/48, 192.0.2.7\nmax_auth_age = 12h\nid_token_signing_algs = "
		"RS256, ES256\npassword = never\n" LAB "username = %l.%t\n");
	const struct tenant *clinic;

	(void)state;
	assert_non_null(config);
	clinic = config_tenant_named(config, "clinic");
	assert_ptr_equal(config->default_tenant, clinic);
	assert_string_equal(config->login.proxy, "http://proxy.clinic.example:3128");
	assert_int_equal(config->login.unlimited_from.count, 2);
	assert_int_equal(config->accounts.uid_last, 79999);
	assert_int_equal(config->accounts.home_mode, 0750);
	assert_true(string_list_contains(&config->accounts.reserved_names, "scanner"));
	assert_string_equal(clinic->client_secret_file, "/etc/pam_oidc.secret");
	assert_string_equal(clinic->allowed_groups.items[1], "Doctors, senior");
	assert_int_equal(clinic->max_auth_age_s, 12 * 3600);
	assert_int_equal(clinic->id_token_signing_algs.count, 2);
	assert_int_equal(clinic->remote_from.count, 3);
	assert_int_equal(config_tenant_named(config, "lab")->remote_from.count, 0);
	assert_string_equal(config_tenant_named(config, "lab")->issuer, "https://lab.okta.com");
	assert_ptr_equal(config_tenant_of_domain(config, "LAB.example"), config_tenant_named(config, "lab"));
	assert_null(config_tenant_of_domain(config, "sub.lab.example"));
	config_free(config);
}

static void faults_name_file_line_and_what_was_expected(void **state)
{
	(void)state;
	refused(CLINIC "email_verified = maybe\n", "/etc/pam_oidc.conf:5: `email_verified` in [tenant clinic] is not "
						   "right; expected require, if-present or ignore");
	refused("[login]\nmax_pending = 0\n" CLINIC,
		":2: `max_pending` in [login] is not right; expected a whole number from 1 to 100000");
	refused("[login]\nmax_pending = 5x\n" CLINIC, ":2: `max_pending`");
	refused("[accounts]\nuid_range = 500-9999\n" CLINIC, ":2: `uid_range`");
	refused("[accounts]\nuid_range = 60000-70000\n" CLINIC, ":2: `uid_range`");
	refused("[accounts]\nhome = /home\n" CLINIC, ":2: `home`");
	refused("[accounts]\nhome_mode = 0777\n" CLINIC, ":2: `home_mode`");
	refused("[accounts]\nshell = bash\n" CLINIC, ":2: `shell`");
	refused("[login]\nunlimited_from = 10.0.0.1/8\n" CLINIC, ":2: `unlimited_from`");
}

static void unknown_doubled_and_indented_keys_are_errors(void **state)
{
	(void)state;
	refused(CLINIC "colour = red\n", ":5: unknown key `colour` in [tenant clinic]");
	refused(CLINIC "client_id = 2\n", ":5: Duplicate key");
	refused(CLINIC "  scopes = openid\n", ":5: Invalid space");
	refused(CLINIC "\tscopes = openid\n", ":5: Invalid");
	refused("[network]\nx = y\n" CLINIC, "unknown section [network]");
	refused("early = 1\n" CLINIC, "before the first section");
	refused(CLINIC CLINIC, "Duplicate section");
	refused(CLINIC "just words\n", ":5: Equal sign is missing");
}

static void a_missing_key_or_a_placeholder_is_an_error(void **state)
{
	(void)state;
	refused("", "no [tenant NAME] section");
	refused("[tenant clinic]\nissuer = https://a.example\ndomains = clinic.example\n", "lacks `client_id`");
	refused("[tenant clinic]\nclient_id = 1\ndomains = clinic.example\n", "lacks `issuer`");
	refused("[tenant clinic]\nissuer = https://a.example\nclient_id = <client id>\ndomains = clinic.example\n",
		":3: `client_id` in [tenant clinic] still holds a placeholder");
	refused("[tenant clinic]\nissuer = https://your-org.okta.com\nclient_id = 1\ndomains = clinic.example\n",
		":2: `issuer`");
	refused(CLINIC "org = clinic.okta.com\n", "both `issuer` and `org`");
}

static void issuers_are_https_without_query_or_user(void **state)
{
	static const char *const bad[] = { "http://a.example",
					   "https://",
					   "https://a.example?x=1",
					   "https://a.example#x",
					   "https://user@a.example",
					   "https://a b.example",
					   "ftp://a.example",
					   "https://a.example:123456",
					   "https://[clinic]",
					   "https://[2001:db8::1",
					   "https://[]" };
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(text, sizeof(text),
			       "[tenant clinic]\nissuer = %s\nclient_id = 1\ndomains = clinic.example\n", bad[i]);
		refused(text, ":2: `issuer`");
	}
}

static void an_org_is_a_host(void **state)
{
	static const char *const bad[] = { "https://a.example", "a.example/b", "[tenant lab]", "[", "a b.example" };
	static const char *const good[] = { "a.example", "a.example:8443", "192.0.2.1", "[2001:db8::1]:8443" };
	char text[512], issuer[64];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(text, sizeof(text),
			       "[tenant clinic]\norg = %s\nclient_id = 1\ndomains = clinic.example\n", bad[i]);
		refused(text, ":2: `org`");
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct config *config;

		(void)snprintf(text, sizeof(text),
			       "[tenant clinic]\norg = %s\nclient_id = 1\ndomains = clinic.example\n", good[i]);
		(void)snprintf(issuer, sizeof(issuer), "https://%s", good[i]);
		config = read_config(text);
		if (!config)
			fail_msg("for %s: %s", good[i], faults);
		assert_string_equal(config->tenants[0].issuer, issuer);
		config_free(config);
	}
}

static void a_client_id_is_printable_ascii(void **state)
{
	struct config *config = read_config("[tenant clinic]\norg = a.example\nclient_id = 0oa-1_b~ 2\n"
					    "domains = clinic.example\n");

	(void)state;
	assert_non_null(config);
	assert_string_equal(config->tenants[0].client_id, "0oa-1_b~ 2");
	config_free(config);
	refused("[tenant clinic]\norg = a.example\nclient_id = 0oa\xc3\xa9\ndomains = clinic.example\n",
		":3: `client_id`");
}

static void secrets_go_with_the_ways_that_need_them(void **state)
{
	(void)state;
	refused(CLINIC "client_auth = basic\n", "`client_secret_file` goes with");
	refused(CLINIC "client_secret_file = /etc/s\n", "`client_secret_file` goes with");
	refused(CLINIC "client_auth = private_key_jwt\n", "`private_key_file` goes with");
	refused(CLINIC "client_auth = basic\nclient_secret_file = /etc/s\nprivate_key_file = /etc/k\n",
		"`private_key_file` goes with");
}

static void groups_and_their_map_are_names_of_groups(void **state)
{
	struct config *config = read_config(CLINIC "local_groups = video, audio\ngroup_map = Clinic IT:sudo, Radiology:"
						   "radiology, \"PACS: a, b\":radiology, Clinic IT:adm\n");
	const struct tenant *tenant;

	(void)state;
	assert_non_null(config);
	tenant = &config->tenants[0];
	assert_int_equal(tenant->local_groups.count, 2);
	assert_string_equal(tenant->local_groups.items[1], "audio");
	assert_int_equal(tenant->group_map.count, 4);
	assert_string_equal(tenant->group_map.items[2].okta_group, "PACS: a, b");
	assert_string_equal(tenant->group_map.items[2].local_group, "radiology");
	config_free(config);
	refused(CLINIC "group_map = Clinic IT\n", ":5: `group_map` in [tenant clinic] is not right; expected pairs");
	refused(CLINIC "group_map = Clinic IT:\n", ":5: `group_map`");
	refused(CLINIC "group_map = :sudo\n", ":5: `group_map`");
	refused(CLINIC "group_map = Clinic IT:Sudo\n", ":5: `group_map`");
	refused(CLINIC "group_map = Clinic IT:sudo:adm\n", ":5: `group_map`");
	refused(CLINIC "group_map = Clinic IT:0\n", ":5: `group_map`");
	refused(CLINIC "group_map = Clinic IT:sudo,\n", ":5: `group_map`");
	refused(CLINIC "group_map = Clinic IT:sudo, Lab:lab, Clinic IT:sudo\n", ":5: `group_map`");
	refused(CLINIC "group_map = <okta group>:sudo\n", ":5: `group_map`");
	refused(CLINIC "local_groups = video, video\n", ":5: `local_groups`");
	refused(CLINIC "local_groups = Video\n", ":5: `local_groups`");
	refused(CLINIC "local_groups = 44\n", ":5: `local_groups`");
	refused(CLINIC "local_groups =\n", ":5: `local_groups`");
}

static void rooms_can_stand_in_gecos_and_be_chosen_by_number(void **state)
{
	static const char *const bad[] = { "\"A, B\"", "A:B",  "A\"B",      "O'Brien's",    "`A`", "Exam 1, Exam 1",
					   "Exam 1,",  "",     "\" Exam\"", "\"Exam \"",    "1",   "Exam 1, 99",
					   "<room>",   "A\tB", "A\xc2\x85", "A\xe2\x80\x8b" };
	struct config *config = read_config(CLINIC "rooms = Exam 1, Front desk, R\xc3\xb6ntgen (2), 101, A & B = C\n");
	char text[8192];
	size_t used;

	(void)state;
	assert_non_null(config);
	assert_int_equal(config->tenants[0].rooms.count, 5);
	assert_string_equal(config->tenants[0].rooms.items[2], "R\xc3\xb6ntgen (2)");
	config_free(config);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(text, sizeof(text), CLINIC "rooms = %s\n", bad[i]);
		refused(text, ":5: `rooms` in [tenant clinic]");
	}
	refused(CLINIC "rooms = R\xf6ntgen\n", ":5: is not UTF-8 text");
	/* 64 bytes, and 99 rooms. */
	for (int length = 64; length <= 65; length++) {
		(void)snprintf(text, sizeof(text), CLINIC "rooms = %0*d\n", length, 1);
		config = read_config(text);
		assert_true((config != NULL) == (length == 64));
		config_free(config);
	}
	used = (size_t)snprintf(text, sizeof(text), CLINIC "rooms = Room 1");
	for (int i = 2; i <= 100; i++) {
		used += (size_t)snprintf(text + used, sizeof(text) - used, ", Room %d", i);
		config = read_config(text);
		assert_true((config != NULL) == (i < 100));
		config_free(config);
	}
}

static void passwords_are_never_or_fallback(void **state)
{
	struct config *config = read_config(CLINIC);

	(void)state;
	assert_non_null(config);
	assert_int_equal(config->tenants[0].password, PASSWORD_NEVER);
	config_free(config);
	config = read_config(CLINIC "password = fallback\n");
	assert_non_null(config);
	assert_int_equal(config->tenants[0].password, PASSWORD_FALLBACK);
	config_free(config);
	refused(CLINIC "password = always\n",
		":5: `password` in [tenant clinic] is not right; expected never or fallback");
	refused(CLINIC "password = Never\n", ":5: `password`");
}

static void max_signin_age_is_a_time(void **state)
{
	struct config *config = read_config("[accounts]\nmax_signin_age = 30d\n" CLINIC);

	(void)state;
	assert_non_null(config);
	assert_int_equal(config->accounts.max_signin_age_s, 30 * 86400);
	config_free(config);
	config = read_config(CLINIC);
	assert_non_null(config);
	assert_int_equal(config->accounts.max_signin_age_s, 0);
	config_free(config);
	refused("[accounts]\nmax_signin_age = 30\n" CLINIC, ":2: `max_signin_age`");
	refused("[accounts]\nmax_signin_age = 0d\n" CLINIC, ":2: `max_signin_age`");
}

/* A mistake here would shut everybody out, or let everybody in. */
static void networks_are_exact_or_refused(void **state)
{
	static const char *const bad[] = {
		"",          "10.0.0.0/33",       "10.0.0.1/8",     "any",           "10.0.0.0/8;",
		"10.0.0.0/", "10.0.0.0-10.0.0.9", "clinic.example", "fe80::%eth0/10"
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(text, sizeof(text), CLINIC "remote_from = %s\n", bad[i]);
		refused(text, ":5: `remote_from` in [tenant clinic]");
		(void)snprintf(text, sizeof(text), "[login]\nunlimited_from = %s\n" CLINIC, bad[i]);
		refused(text, ":2: `unlimited_from` in [login]");
	}
}

static void tenants_share_no_domain_issuer_or_name(void **state)
{
	struct config *config;

	(void)state;
	refused(CLINIC LAB, "could give one name to two people");
	refused("[accounts]\ndefault_tenant = clinic\n" CLINIC LAB, "could give one name to two people");
	refused(CLINIC LAB "username = %l.%t\n", "could give one name");
	refused("[accounts]\ndefault_tenant = lab\n" CLINIC LAB "username = %l.%t\n", "could give one name");
	refused("[accounts]\ndefault_tenant = nobody\n" CLINIC, "no [tenant nobody]");
	refused(CLINIC "[tenant lab]\norg = lab.okta.com\nclient_id = 1\ndomains = Clinic.Example\nusername = %l.%t\n",
		"the domain clinic.example belongs to");
	refused(CLINIC "[tenant lab]\nissuer = https://clinic.okta.com/oauth2/default\nclient_id = 1\ndomains = "
		       "lab.example\nusername = %l.%t\n",
		"have the same issuer");
	config = read_config(CLINIC "username = %l.%t\n" LAB "username = %l.%t\n");
	assert_non_null(config);
	assert_null(config->default_tenant);
	config_free(config);
}

static void usernames_are_a_format_or_a_claim(void **state)
{
	struct config *config = read_config(CLINIC "username = claim:linux_name\n");

	(void)state;
	assert_non_null(config);
	assert_string_equal(config->tenants[0].username_claim, "linux_name");
	config_free(config);
	refused(CLINIC "username = alice\n", "`username` is not right");
	refused(CLINIC "username = %l%l\n", "`username` is not right");
	refused(CLINIC "username = %x%l\n", "`username` is not right");
	refused(CLINIC "username = claim:\n", "`username` is not right");
}

/* Writes a configuration with an owner and a mode, and expects a complaint about them. */
static void load_refused(const char *path, mode_t mode, uid_t owner, const char *complaint)
{
	struct config *config = NULL;

	faults[0] = '\0';
	assert_int_equal(chmod(path, mode), 0);
	assert_int_equal(chown(path, owner, 0), 0);
	assert_false(config_load(path, note_fault, NULL, &config));
	if (!strstr(faults, complaint))
		fail_msg("expected: %s\ngot: %s", complaint, faults);
}

static void only_a_file_of_root_that_others_cannot_write_is_read(void **state)
{
	char path[] = "/tmp/pam_oidc.conf.XXXXXX", link_path[64];
	int fd = mkstemp(path);
	struct config *config = NULL;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, CLINIC, strlen(CLINIC)), strlen(CLINIC));
	(void)close(fd);
	if (geteuid() != 0) {
		(void)unlink(path);
		skip();
	}
	assert_int_equal(chmod(path, 0644), 0);
	assert_true(config_load(path, note_fault, NULL, &config));
	config_free(config);
	load_refused(path, 0664, 0, "must not be writable by group or others");
	load_refused(path, 0646, 0, "must not be writable by group or others");
	load_refused(path, 0644, 12345, "must belong to root");
	(void)snprintf(link_path, sizeof(link_path), "%s.link", path);
	assert_int_equal(symlink(path, link_path), 0);
	assert_false(config_load(link_path, note_fault, NULL, &config));
	assert_non_null(strstr(faults, "symbolic link"));
	(void)unlink(link_path);
	(void)unlink(path);
	assert_false(config_load("/nonexistent/pam_oidc.conf", note_fault, NULL, &config));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_short_file_gives_the_defaults),
		cmocka_unit_test(every_value_of_a_full_file_is_taken),
		cmocka_unit_test(faults_name_file_line_and_what_was_expected),
		cmocka_unit_test(unknown_doubled_and_indented_keys_are_errors),
		cmocka_unit_test(a_missing_key_or_a_placeholder_is_an_error),
		cmocka_unit_test(issuers_are_https_without_query_or_user),
		cmocka_unit_test(an_org_is_a_host),
		cmocka_unit_test(a_client_id_is_printable_ascii),
		cmocka_unit_test(secrets_go_with_the_ways_that_need_them),
		cmocka_unit_test(groups_and_their_map_are_names_of_groups),
		cmocka_unit_test(rooms_can_stand_in_gecos_and_be_chosen_by_number),
		cmocka_unit_test(passwords_are_never_or_fallback),
		cmocka_unit_test(max_signin_age_is_a_time),
		cmocka_unit_test(networks_are_exact_or_refused),
		cmocka_unit_test(tenants_share_no_domain_issuer_or_name),
		cmocka_unit_test(usernames_are_a_format_or_a_claim),
		cmocka_unit_test(only_a_file_of_root_that_others_cannot_write_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
