/*
 * What is found about a person by a tenant's rules: as provisiond would judge them, with what to do about it.
 */
#include "pam_oidc/person_findings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pam_oidc/tenant_rules.h"

static char name[] = "clinic", domain[] = "clinic.example", email[] = "alice@clinic.example";
static char it[] = "Clinic IT", everyone[] = "Everyone", sudo_group[] = "sudo";
static char *domains[] = { domain }, *allowed[] = { it }, *groups[] = { everyone, it };
static struct group_mapping mappings[] = { { .okta_group = it, .local_group = sudo_group } };

static struct tenant plain(void)
{
	return (struct tenant){ .name = name, .domains = { domains, 1 } };
}

static struct identity alice(void)
{
	return (struct identity){ .email = email, .email_verified = EMAIL_VERIFICATION_TRUE };
}

static struct finding last[8];
static size_t count;

static void note(void *context, const struct finding *finding)
{
	(void)context;
	assert_true(count < sizeof(last) / sizeof(last[0]));
	last[count++] = *finding;
}

/* NULL when nothing was found about it. */
static const struct finding *about(const struct tenant *tenant, const struct identity *identity, const char *item)
{
	const struct finding *found = NULL;

	count = 0;
	find_about_person(tenant, identity, note, NULL);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(last[i].item, item) != 0)
			continue;
		assert_null(found);
		found = &last[i];
	}
	return found;
}

static void an_email_must_be_there_fit_and_be_of_the_company(void **state)
{
	static const struct {
		const char *email, *fault;
		enum finding_level level;
	} rows[] = {
		{ "alice@clinic.example", NULL, FINDING_GOOD },
		{ "Alice@Clinic.EXAMPLE", NULL, FINDING_GOOD },
		{ "alice@evil.example", NULL, FINDING_BAD },
		{ "alice@sub.clinic.example", NULL, FINDING_BAD },
		{ "alice", NULL, FINDING_BAD },
		{ "a@b@clinic.example", NULL, FINDING_BAD },
		{ NULL, NULL, FINDING_BAD },
		{ NULL, "has control characters in it", FINDING_BAD },
	};
	const struct tenant tenant = plain();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[64];
		struct identity identity = alice();

		(void)snprintf(text, sizeof(text), "%s", rows[i].email ? rows[i].email : "");
		identity.email = rows[i].email ? text : NULL;
		identity.email_fault = rows[i].fault;
		assert_int_equal(about(&tenant, &identity, "email")->level, rows[i].level);
		if (rows[i].fault)
			assert_non_null(strstr(about(&tenant, &identity, "email")->text, rows[i].fault));
	}
}

static void email_verified_follows_the_policy(void **state)
{
	static const enum finding_level levels[3][3] = {
		[EMAIL_VERIFIED_REQUIRE] = { [EMAIL_VERIFICATION_ABSENT] = FINDING_BAD,
					     [EMAIL_VERIFICATION_FALSE] = FINDING_BAD,
					     [EMAIL_VERIFICATION_TRUE] = FINDING_GOOD },
		[EMAIL_VERIFIED_IF_PRESENT] = { [EMAIL_VERIFICATION_ABSENT] = FINDING_GOOD,
						[EMAIL_VERIFICATION_FALSE] = FINDING_BAD,
						[EMAIL_VERIFICATION_TRUE] = FINDING_GOOD },
		[EMAIL_VERIFIED_IGNORE] = { [EMAIL_VERIFICATION_ABSENT] = FINDING_GOOD,
					    [EMAIL_VERIFICATION_FALSE] = FINDING_GOOD,
					    [EMAIL_VERIFICATION_TRUE] = FINDING_GOOD },
	};

	(void)state;
	for (int policy = 0; policy < 3; policy++) {
		for (int said = 0; said < 3; said++) {
			struct tenant tenant = plain();
			struct identity identity = alice();

			tenant.email_verified = (enum email_verified_policy)policy;
			identity.email_verified = (enum email_verification)said;
			assert_int_equal(about(&tenant, &identity, "email_verified")->level, levels[policy][said]);
			identity.email = NULL;
			assert_null(about(&tenant, &identity, "email_verified"));
		}
	}
}

static void groups_matter_where_the_configuration_needs_them(void **state)
{
	struct tenant none = plain(), narrowed = plain(), mapped = plain();
	struct identity without = alice(), with = alice(), other = alice();

	(void)state;
	narrowed.allowed_groups = (struct string_list){ allowed, 1 };
	mapped.group_map = (struct group_map){ mappings, 1 };
	with.groups_known = other.groups_known = true;
	with.groups = (struct identity_strings){ groups, 2 };
	other.groups = (struct identity_strings){ groups, 1 };
	assert_int_equal(about(&none, &without, "groups")->level, FINDING_GOOD);
	assert_int_equal(about(&narrowed, &without, "groups")->level, FINDING_BAD);
	assert_int_equal(about(&mapped, &without, "groups")->level, FINDING_WARNING);
	assert_int_equal(about(&narrowed, &with, "groups")->level, FINDING_GOOD);
	assert_string_equal(about(&narrowed, &with, "groups")->text, "Everyone, Clinic IT");
	assert_int_equal(about(&narrowed, &other, "groups")->level, FINDING_BAD);
	assert_int_equal(about(&mapped, &other, "groups")->level, FINDING_GOOD);
}

static void many_groups_are_counted_where_they_do_not_fit(void **state)
{
	char *many[200];
	const struct tenant tenant = plain();
	struct identity identity = alice();

	(void)state;
	for (size_t i = 0; i < 200; i++)
		many[i] = it;
	identity.groups_known = true;
	identity.groups = (struct identity_strings){ many, 200 };
	assert_non_null(strstr(about(&tenant, &identity, "groups")->text, ", Clinic IT, and 1"));
	assert_non_null(strstr(about(&tenant, &identity, "groups")->text, " more"));
}

static void a_claim_that_names_accounts_must_be_there(void **state)
{
	struct tenant tenant = plain();
	struct identity identity = alice();
	char sobrien[] = "sobrien";

	(void)state;
	assert_null(about(&tenant, &identity, "username"));
	tenant.username_claim = "linux_name";
	assert_int_equal(about(&tenant, &identity, "username")->level, FINDING_BAD);
	identity.username = sobrien;
	assert_int_equal(about(&tenant, &identity, "username")->level, FINDING_GOOD);
}

static void groups_are_fetched_for_whatever_hangs_on_them(void **state)
{
	struct tenant tenant = plain();

	(void)state;
	assert_false(tenant_needs(&tenant).groups);
	tenant.allowed_groups = (struct string_list){ allowed, 1 };
	assert_true(tenant_needs(&tenant).groups);
	tenant = plain();
	tenant.group_map = (struct group_map){ mappings, 1 };
	assert_true(tenant_needs(&tenant).groups);
	assert_true(tenant_needs(&tenant).email_verified);
	tenant.email_verified = EMAIL_VERIFIED_IF_PRESENT;
	assert_false(tenant_needs(&tenant).email_verified);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_email_must_be_there_fit_and_be_of_the_company),
		cmocka_unit_test(email_verified_follows_the_policy),
		cmocka_unit_test(groups_matter_where_the_configuration_needs_them),
		cmocka_unit_test(many_groups_are_counted_where_they_do_not_fit),
		cmocka_unit_test(a_claim_that_names_accounts_must_be_there),
		cmocka_unit_test(groups_are_fetched_for_whatever_hangs_on_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
