/*
 * What typed names stand for.
 */
#include "provisiond/stands_for.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "two_tenants.h"

/* Decides one name by the configuration's text. The tenant's name is copied, since the configuration goes. */
static struct stands_for decide_expecting(const char *text, const char *typed, const struct account_record *record,
					  const struct expected *expected, char tenant[32])
{
	struct config *config = config_of(text);
	struct stands_for stands;

	stands_for(config, typed, record, expected, &stands);
	tenant[0] = '\0';
	if (stands.tenant)
		(void)strncat(tenant, stands.tenant->name, 31);
	config_free(config);
	stands.tenant = NULL;
	return stands;
}

static struct stands_for decide(const char *text, const char *typed, const struct account_record *record,
				char tenant[32])
{
	return decide_expecting(text, typed, record, NULL, tenant);
}

static void assert_account(const char *text, const char *typed, const char *expected_tenant,
			   const char *expected_account)
{
	char tenant[32];
	struct stands_for stands = decide(text, typed, NULL, tenant);

	assert_string_equal(reason_name(stands.reason), reason_name(REASON_NONE));
	assert_string_equal(tenant, expected_tenant);
	assert_string_equal(stands.account, expected_account);
}

static void assert_refused(const char *text, const char *typed, enum reason reason)
{
	char tenant[32];
	struct stands_for stands = decide(text, typed, NULL, tenant);

	assert_string_equal(reason_name(stands.reason), reason_name(reason));
	assert_string_equal(tenant, "");
	assert_string_equal(stands.account, "");
	assert_int_equal(stands.fault != NULL, reason == REASON_NAME_UNFIT);
}

static void a_short_name_is_the_only_tenants(void **state)
{
	(void)state;
	assert_account(ONE_TENANT, "alice", "clinic", "alice");
	assert_account(ONE_TENANT, "alice.lab", "clinic", "alice.lab");
}

static void an_emails_domain_decides_its_tenant(void **state)
{
	(void)state;
	assert_account(TWO_TENANTS, "alice@clinic.example", "clinic", "alice");
	assert_account(TWO_TENANTS, "alice@hospital.example", "clinic", "alice");
	assert_account(TWO_TENANTS, "Alice@Clinic.EXAMPLE", "clinic", "alice");
	assert_account(TWO_TENANTS, "alice@lab.example", "lab", "alice.lab");
}

static void another_domain_is_unknown_whatever_it_looks_like(void **state)
{
	static const char *const typed[] = {
		"alice@evil.example",           "alice@mail.clinic.example", "alice@clinic.example.evil.example",
		"alice@cIinic.example",         "alice@clinic.exampl",       "alice@xclinic.example",
		"alice@clinic-example.example",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(typed) / sizeof(typed[0]); i++)
		assert_refused(TWO_TENANTS, typed[i], REASON_UNKNOWN_DOMAIN);
}

static void what_is_no_email_and_no_name_is_unfit(void **state)
{
	static const char *const typed[] = {
		"alice@@clinic.example",  "@clinic.example",       "alice@", "alice@clinic.example@evil.example",
		"alice\n@clinic.example", "alice@clinic..example",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(typed) / sizeof(typed[0]); i++)
		assert_refused(TWO_TENANTS, typed[i], REASON_NAME_UNFIT);
	assert_refused(ONE_TENANT, "Alice", REASON_NAME_UNFIT);
	assert_refused(ONE_TENANT, "9lives", REASON_NAME_UNFIT);
	assert_refused(ONE_TENANT, "../etc", REASON_NAME_UNFIT);
	assert_refused(ONE_TENANT, "", REASON_NAME_UNFIT);
	assert_refused(ONE_TENANT, "abcdefghijklmnopqrstuvwxyz0123456", REASON_NAME_UNFIT);
	assert_refused(ONE_TENANT, "o'brien@clinic.example", REASON_NAME_UNFIT);
	assert_refused(ONE_TENANT, "a-local-part-that-is-longer-than-32@clinic.example", REASON_NAME_UNFIT);
}

static void a_short_name_made_by_another_tenants_format_is_that_tenants(void **state)
{
	(void)state;
	assert_account(TWO_TENANTS, "alice.lab", "lab", "alice.lab");
	assert_account(TWO_TENANTS, "alice", "clinic", "alice");
	assert_account(TWO_TENANTS, "lab", "clinic", "lab");
}

/* Else the clinic's alice.lab@clinic.example would get the name of the lab's Alice. */
static void an_email_never_gives_a_name_of_another_tenant(void **state)
{
	(void)state;
	assert_refused(TWO_TENANTS, "alice.lab@clinic.example", REASON_NAME_UNFIT);
}

static void a_short_name_without_an_owner_is_not_ours(void **state)
{
	(void)state;
	assert_refused("[tenant clinic]\nissuer = https://clinic.example\nclient_id = c\ndomains = clinic.example\n"
		       "username = %l.%t\n" LAB,
		       "alice", REASON_NOT_OURS);
}

static void root_is_never_ours(void **state)
{
	const struct account_record record = { .name = "root", .tenant = "clinic", .issuer = "https://clinic.example" };
	char tenant[32];
	struct stands_for stands;

	(void)state;
	assert_refused(ONE_TENANT, "root", REASON_NOT_OURS);
	stands = decide(ONE_TENANT, "root", &record, tenant);
	assert_int_equal(stands.reason, REASON_NOT_OURS);
}

static void a_record_decides_the_tenant_of_its_name(void **state)
{
	const struct account_record record = { .name = "alice", .tenant = "lab", .issuer = "https://lab.example" };
	char tenant[32];
	struct stands_for stands = decide(TWO_TENANTS, "alice", &record, tenant);

	(void)state;
	assert_int_equal(stands.reason, REASON_NONE);
	assert_string_equal(tenant, "lab");
}

static void a_renamed_tenant_is_found_by_its_issuer(void **state)
{
	const struct account_record record = { .name = "alice", .tenant = "old", .issuer = "https://lab.example" };
	char tenant[32];
	struct stands_for stands = decide(TWO_TENANTS, "alice", &record, tenant);

	(void)state;
	assert_int_equal(stands.reason, REASON_NONE);
	assert_string_equal(tenant, "lab");
}

static void an_account_of_a_tenant_that_is_gone_is_refused(void **state)
{
	const struct account_record record = { .name = "alice", .tenant = "old", .issuer = "https://old.example" };
	char tenant[32];

	(void)state;
	assert_int_equal(decide(TWO_TENANTS, "alice", &record, tenant).reason, REASON_TENANT_GONE);
}

static void an_email_on_record_stands_for_its_persons_account(void **state)
{
	const struct account_record record = { .name = "alice",
					       .tenant = "clinic",
					       .email = "alice.jones@clinic.example" };
	char tenant[32];
	struct stands_for stands = decide(ONE_TENANT, "alice.jones@clinic.example", &record, tenant);

	(void)state;
	assert_int_equal(stands.reason, REASON_NONE);
	assert_string_equal(stands.account, "alice");
}

static void with_a_claim_an_emails_account_is_unknown_and_any_short_name_may_stand(void **state)
{
	(void)state;
	assert_account(CLAIM_TENANT, "o'brien@clinic.example", "clinic", "");
	assert_account(CLAIM_TENANT, "obrien", "clinic", "obrien");
	assert_refused(CLAIM_TENANT, "O'Brien", REASON_NAME_UNFIT);
}

/* ---- who is expected ---- */

static const struct expected obrien = {
	.kind = EXPECTED_ADD, .name = "obrien", .tenant = "lab", .email = "o'brien@lab.example", .subject = ""
};

static void whoever_is_expected_has_the_name_that_the_admin_chose(void **state)
{
	char tenant[32];
	struct stands_for stands = decide_expecting(TWO_TENANTS, "o'brien@lab.example", NULL, &obrien, tenant);

	(void)state;
	assert_int_equal(stands.reason, REASON_NONE);
	assert_string_equal(stands.account, "obrien");
	assert_string_equal(tenant, "lab");
	/* The name would be the clinic's otherwise. */
	stands = decide_expecting(TWO_TENANTS, "obrien", NULL, &obrien, tenant);
	assert_int_equal(stands.reason, REASON_NONE);
	assert_string_equal(stands.account, "obrien");
	assert_string_equal(tenant, "lab");
}

static void what_is_on_record_comes_before_who_is_expected(void **state)
{
	const struct account_record record = { .name = "obrien",
					       .tenant = "clinic",
					       .issuer = "https://clinic.example" };
	char tenant[32];

	(void)state;
	(void)decide_expecting(TWO_TENANTS, "obrien", &record, &obrien, tenant);
	assert_string_equal(tenant, "clinic");
}

static void nobody_is_expected_of_a_tenant_that_is_gone_and_as_root_or_what_is_no_name(void **state)
{
	struct expected expected = obrien;
	char tenant[32];

	(void)state;
	expected.tenant = "old";
	assert_int_equal(decide_expecting(TWO_TENANTS, "obrien", NULL, &expected, tenant).reason, REASON_TENANT_GONE);
	expected.tenant = "lab";
	expected.name = "root";
	assert_int_equal(decide_expecting(TWO_TENANTS, "root", NULL, &expected, tenant).reason, REASON_NOT_OURS);
	expected.name = "O'Brien";
	assert_int_equal(decide_expecting(TWO_TENANTS, "o'brien@lab.example", NULL, &expected, tenant).reason,
			 REASON_NAME_UNFIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_short_name_is_the_only_tenants),
		cmocka_unit_test(an_emails_domain_decides_its_tenant),
		cmocka_unit_test(another_domain_is_unknown_whatever_it_looks_like),
		cmocka_unit_test(what_is_no_email_and_no_name_is_unfit),
		cmocka_unit_test(a_short_name_made_by_another_tenants_format_is_that_tenants),
		cmocka_unit_test(an_email_never_gives_a_name_of_another_tenant),
		cmocka_unit_test(a_short_name_without_an_owner_is_not_ours),
		cmocka_unit_test(root_is_never_ours),
		cmocka_unit_test(a_record_decides_the_tenant_of_its_name),
		cmocka_unit_test(a_renamed_tenant_is_found_by_its_issuer),
		cmocka_unit_test(an_account_of_a_tenant_that_is_gone_is_refused),
		cmocka_unit_test(an_email_on_record_stands_for_its_persons_account),
		cmocka_unit_test(with_a_claim_an_emails_account_is_unknown_and_any_short_name_may_stand),
		cmocka_unit_test(whoever_is_expected_has_the_name_that_the_admin_chose),
		cmocka_unit_test(what_is_on_record_comes_before_who_is_expected),
		cmocka_unit_test(nobody_is_expected_of_a_tenant_that_is_gone_and_as_root_or_what_is_no_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
