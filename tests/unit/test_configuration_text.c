/*
 * Tests the configuration as setup writes it: made anew it is one that the daemons take; changed, everything else in it
 * stays byte for byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/cleanup.h"
#include "common/config.h"
#include "provisiond/ctl/setup/configuration_text.h"

static const char clinic[] = "# Ours, 2026\n"
			     "[login]\n"
			     "max_pending = 12\n"
			     "\n"
			     "[tenant clinic]\n"
			     "# the org server\n"
			     "org   =   clinic.okta.com  \n"
			     "client_id = 0oa1\n"
			     "domains = clinic.example, ward.example\n"
			     "rooms = Exam 1, Exam 2\n"
			     "\n"
			     "# the end\n";

static struct company company(const char *tenant, const char *issuer, const char *domains)
{
	struct company made = { .is_org = !strstr(issuer, "://") };

	(void)snprintf(made.tenant, sizeof(made.tenant), "%s", tenant);
	(void)snprintf(made.issuer, sizeof(made.issuer), "%s", issuer);
	(void)snprintf(made.client_id, sizeof(made.client_id), "0oa9");
	(void)snprintf(made.domains, sizeof(made.domains), "%s", domains);
	return made;
}

static void report(void *context, const char *path, unsigned line, const char *message)
{
	(void)context;
	fail_msg("%s:%u: %s", path, line, message);
}

static struct config *taken(const char *text)
{
	struct config *config = NULL;

	if (!config_parse("pam_oidc.conf", text, report, NULL, &config))
		fail_msg("the daemons do not take:\n%s", text);
	return config;
}

static void a_new_file_is_one_that_the_daemons_take(void **state)
{
	struct company made = company("clinic", "https://clinic.okta.com", "clinic.example, ward.example");
	_cleanup_free_ char *text = NULL;
	struct config *config;

	(void)state;
	made.auth = CLIENT_AUTH_BASIC;
	(void)snprintf(made.ca_file, sizeof(made.ca_file), "/etc/ssl/ca.pem");
	(void)snprintf(made.email_verified, sizeof(made.email_verified), "if-present");
	text = configuration_with(NULL, &made, "/etc/pam_oidc/clinic.secret");
	assert_non_null(text);
	config = taken(text);
	assert_int_equal(config->tenant_count, 1);
	assert_string_equal(config->login.ca_file, "/etc/ssl/ca.pem");
	assert_string_equal(config->tenants[0].issuer, "https://clinic.okta.com");
	assert_int_equal(config->tenants[0].client_auth, CLIENT_AUTH_BASIC);
	assert_string_equal(config->tenants[0].client_secret_file, "/etc/pam_oidc/clinic.secret");
	assert_int_equal(config->tenants[0].domains.count, 2);
	assert_int_equal(config->tenants[0].email_verified, EMAIL_VERIFIED_IF_PRESENT);
	config_free(config);
}

static void what_setup_wrote_it_leaves_as_it_is_the_next_time(void **state)
{
	struct company made = company("clinic", "clinic.okta.com", "clinic.example"), read = { 0 };
	_cleanup_free_ char *once = NULL;
	_cleanup_free_ char *twice = NULL;

	(void)state;
	made.auth = CLIENT_AUTH_PRIVATE_KEY_JWT;
	once = configuration_with(NULL, &made, "/etc/pam_oidc/clinic.key");
	(void)snprintf(read.tenant, sizeof(read.tenant), "clinic");
	configuration_company(once, &read);
	assert_true(read.is_org);
	assert_string_equal(read.issuer, "clinic.okta.com");
	assert_int_equal(read.auth, CLIENT_AUTH_PRIVATE_KEY_JWT);
	twice = configuration_with(once, &read, NULL);
	assert_string_equal(twice, once);
}

static void changing_a_company_leaves_everything_else_byte_for_byte(void **state)
{
	struct company made =
		company("clinic", "https://clinic.okta.com/oauth2/default", "clinic.example, ward.example");
	_cleanup_free_ char *text = configuration_with(clinic, &made, NULL);

	(void)state;
	assert_string_equal(text, "# Ours, 2026\n"
				  "[login]\n"
				  "max_pending = 12\n"
				  "\n"
				  "[tenant clinic]\n"
				  "# the org server\n"
				  "client_id = 0oa9\n"
				  "domains = clinic.example, ward.example\n"
				  "rooms = Exam 1, Exam 2\n"
				  "issuer = https://clinic.okta.com/oauth2/default\n"
				  "\n"
				  "# the end\n");
	config_free(taken(text));
}

static void a_second_company_leaves_short_names_to_the_first(void **state)
{
	struct company made = company("lab", "lab.okta.com", "lab.example");
	_cleanup_free_ char *text = configuration_with(clinic, &made, NULL);
	struct config *config;

	(void)state;
	assert_memory_equal(text, clinic, strlen(clinic));
	config = taken(text);
	assert_int_equal(config->tenant_count, 2);
	assert_string_equal(config->default_tenant->name, "clinic");
	assert_string_equal(config_tenant_named(config, "lab")->username, "%l.%t");
	config_free(config);
}

static void a_default_tenant_that_is_there_stays(void **state)
{
	static const char before[] =
		"[accounts]\ndefault_tenant = clinic\n[tenant clinic]\norg = a.b\nclient_id = 0oa1\n"
		"domains = clinic.example";
	struct company made = company("lab", "lab.okta.com", "lab.example");
	_cleanup_free_ char *text = configuration_with(before, &made, NULL);

	(void)state;
	assert_memory_equal(text, before, strlen(before));
	assert_non_null(strstr(text, "clinic.example\n\n[tenant lab]\n"));
	config_free(taken(text));
}

static void client_authentication_changes_with_its_file(void **state)
{
	static const char before[] = "[tenant clinic]\norg = a.b\nclient_id = 0oa1\ndomains = clinic.example\n"
				     "client_auth = post\nclient_secret_file = /etc/old\n";
	struct company made = company("clinic", "a.b", "clinic.example");
	_cleanup_free_ char *none = NULL;
	_cleanup_free_ char *key = NULL;
	_cleanup_free_ char *same = NULL;

	(void)state;
	none = configuration_with(before, &made, NULL);
	assert_null(strstr(none, "client_secret_file"));
	assert_non_null(strstr(none, "client_auth = none\n"));
	config_free(taken(none));
	made.auth = CLIENT_AUTH_PRIVATE_KEY_JWT;
	key = configuration_with(before, &made, "/etc/pam_oidc/clinic.key");
	assert_null(strstr(key, "client_secret_file"));
	assert_non_null(strstr(key, "private_key_file = /etc/pam_oidc/clinic.key\n"));
	config_free(taken(key));
	made.auth = CLIENT_AUTH_BASIC;
	same = configuration_with(before, &made, NULL);
	assert_non_null(strstr(same, "client_secret_file = /etc/old\n"));
	config_free(taken(same));
}

static void keys_are_found_in_their_section_only(void **state)
{
	char value[COMPANY_VALUE_MAX];

	(void)state;
	assert_true(configuration_get(clinic, "tenant clinic", "org", value));
	assert_string_equal(value, "clinic.okta.com");
	assert_false(configuration_get(clinic, "login", "org", value));
	assert_string_equal(value, "");
	assert_false(configuration_get(clinic, "tenant clinic", "the", value));
	assert_false(configuration_get("#[login]\n#a = b\n", "login", "a", value));
	assert_true(configuration_get("[login]\na=b", "login", "a", value));
	assert_string_equal(value, "b");
}

static void tenants_are_counted_and_found_by_their_domains(void **state)
{
	static const char two[] =
		"[tenant a]\ndomains = a.example, b.example\n[login]\n[tenant b]\ndomains=c.example\n[tenant]\n"
		"[tenant c";
	char name[COMPANY_VALUE_MAX];

	(void)state;
	assert_int_equal(configuration_tenant_count(two), 2);
	assert_true(configuration_tenant(two, 1, name));
	assert_string_equal(name, "b");
	assert_true(configuration_has_tenant(two, "a"));
	assert_false(configuration_has_tenant(two, "c"));
	assert_true(configuration_tenant_of(two, "B.example", name));
	assert_string_equal(name, "a");
	assert_false(configuration_tenant_of(two, "b.exampl", name));
	assert_false(configuration_tenant_of("", "b.example", name));
}

static void a_key_is_set_added_and_taken_away(void **state)
{
	static const struct {
		const char *text, *value, *expected;
	} rows[] = {
		{ "", "v", "[s]\nk = v\n" },
		{ "[s]\n", "v", "[s]\nk = v\n" },
		{ "[s]", "v", "[s]\nk = v\n" },
		{ "[s]\nk = u", "v", "[s]\nk = v\n" },
		{ "[s]\nk=u\n# c\nl = m\n", "v", "[s]\nk = v\n# c\nl = m\n" },
		{ "[s]\nl = m\n\n[t]\nk = u\n", "v", "[s]\nl = m\nk = v\n\n[t]\nk = u\n" },
		{ "[t]\nk = u\n", "v", "[t]\nk = u\n\n[s]\nk = v\n" },
		{ "[s]\nk = u\nl = m\n", NULL, "[s]\nl = m\n" },
		{ "[s]\nl = m", NULL, "[s]\nl = m" },
		{ "[s]\nkk = u\n", "v", "[s]\nkk = u\nk = v\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_free_ char *text = configuration_set(rows[i].text, "s", "k", rows[i].value);

		assert_string_equal(text, rows[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_file_is_one_that_the_daemons_take),
		cmocka_unit_test(what_setup_wrote_it_leaves_as_it_is_the_next_time),
		cmocka_unit_test(changing_a_company_leaves_everything_else_byte_for_byte),
		cmocka_unit_test(a_second_company_leaves_short_names_to_the_first),
		cmocka_unit_test(a_default_tenant_that_is_there_stays),
		cmocka_unit_test(client_authentication_changes_with_its_file),
		cmocka_unit_test(keys_are_found_in_their_section_only),
		cmocka_unit_test(tenants_are_counted_and_found_by_their_domains),
		cmocka_unit_test(a_key_is_set_added_and_taken_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
