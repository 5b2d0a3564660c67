/*
 * Judges an identity by its tenant's rules, one function a claim. provisiond applies the same rules to everybody who
 * signs in, and decides; here they are explained to an administrator.
 */
#include "pam_oidc/person_findings.h"

#include <string.h>

#include "common/names.h"
#include "pam_oidc/okta_remedy.h"

#define LIST_MAX 320

/* The items with commas between; what does not fit is counted. "none" when there are none. */
static void list(const struct identity_strings *strings, char *ret_list, size_t size)
{
	size_t used = 0;

	(void)snprintf(ret_list, size, "none");
	for (size_t i = 0; i < strings->count; i++) {
		size_t wanted = strlen(strings->items[i]) + (i > 0 ? 2 : 0);

		if (used + wanted + sizeof(", and 1000 more") > size) {
			(void)snprintf(ret_list + used, size - used, "%sand %zu more", i > 0 ? ", " : "",
				       strings->count - i);
			return;
		}
		(void)snprintf(ret_list + used, size - used, "%s%s", i > 0 ? ", " : "", strings->items[i]);
		used += wanted;
	}
}

static struct finding find_email(const struct tenant *tenant, const struct identity *identity)
{
	struct email email;

	if (!identity->email)
		return finding_say(tenant->name, "email", FINDING_BAD, okta_remedy(REMEDY_EMAIL), "%s%s",
				   identity->email_fault ? "the email " : "neither the token nor userinfo has an email",
				   identity->email_fault ? identity->email_fault : "");
	if (!email_parse(identity->email, &email))
		return finding_say(tenant->name, "email", FINDING_BAD, okta_remedy(REMEDY_EMAIL),
				   "%s is no email address that can be used here", identity->email);
	if (!string_list_contains(&tenant->domains, email.domain))
		return finding_say(tenant->name, "email", FINDING_BAD, okta_remedy(REMEDY_EMAIL_DOMAIN),
				   "%s is not of one of the company's domains", identity->email);
	return finding_say(tenant->name, "email", FINDING_GOOD, NULL, "%s", identity->email);
}

static struct finding find_email_verified(const struct tenant *tenant, const struct identity *identity)
{
	enum email_verified_policy policy = tenant->email_verified;
	const char *told = identity->email_verified == EMAIL_VERIFICATION_TRUE    ? "Okta says that it is verified"
			   : identity->email_verified == EMAIL_VERIFICATION_FALSE ? "Okta says that it is not verified"
										  : "Okta does not say";
	bool fits = identity->email_verified == EMAIL_VERIFICATION_TRUE || policy == EMAIL_VERIFIED_IGNORE ||
		    (policy == EMAIL_VERIFIED_IF_PRESENT && identity->email_verified == EMAIL_VERIFICATION_ABSENT);

	return finding_say(tenant->name, "email_verified", fits ? FINDING_GOOD : FINDING_BAD,
			   okta_remedy(REMEDY_EMAIL_VERIFIED), "%s%s", told,
			   fits ? "" : ", and email_verified in the configuration wants it");
}

static bool is_in_allowed_group(const struct tenant *tenant, const struct identity *identity)
{
	for (size_t i = 0; i < identity->groups.count; i++)
		if (string_list_contains(&tenant->allowed_groups, identity->groups.items[i]))
			return true;
	return false;
}

static struct finding find_groups(const struct tenant *tenant, const struct identity *identity)
{
	bool narrowed = tenant->allowed_groups.count > 0, mapped = tenant->group_map.count > 0;
	char groups[LIST_MAX];

	if (!identity->groups_known && (narrowed || mapped))
		return finding_say(tenant->name, "groups", narrowed ? FINDING_BAD : FINDING_WARNING,
				   okta_remedy(REMEDY_GROUPS_CLAIM), "there is no groups claim, which %s needs",
				   narrowed ? "allowed_groups" : "group_map");
	if (!identity->groups_known)
		return finding_say(tenant->name, "groups", FINDING_GOOD, NULL,
				   "there is no groups claim, and the configuration needs none");
	list(&identity->groups, groups, sizeof(groups));
	if (narrowed && !is_in_allowed_group(tenant, identity))
		return finding_say(tenant->name, "groups", FINDING_BAD, okta_remedy(REMEDY_NOT_IN_GROUPS),
				   "none of allowed_groups is among this person's groups: %s", groups);
	return finding_say(tenant->name, "groups", FINDING_GOOD, NULL, "%s", groups);
}

/* A method that is required and missing has refused the token before. */
static struct finding find_amr(const struct tenant *tenant, const struct identity *identity)
{
	char methods[LIST_MAX];

	list(&identity->amr, methods, sizeof(methods));
	return finding_say(tenant->name, "amr", FINDING_GOOD, NULL, "signed in at Okta by: %s", methods);
}

static struct finding find_username(const struct tenant *tenant, const struct identity *identity)
{
	if (!identity->username)
		return finding_say(tenant->name, "username", FINDING_BAD, okta_remedy(REMEDY_USERNAME_CLAIM),
				   "neither the token nor userinfo has the claim %s, which names the account",
				   tenant->username_claim);
	return finding_say(tenant->name, "username", FINDING_GOOD, NULL, "%s is %s", tenant->username_claim,
			   identity->username);
}

void find_about_person(const struct tenant *tenant, const struct identity *identity, finding_found *found,
		       void *context)
{
	typedef struct finding find(const struct tenant *tenant, const struct identity *identity);
	static find *const finds[] = { find_email, find_email_verified, find_groups, find_amr, find_username };
	struct finding finding;

	for (size_t i = 0; i < sizeof(finds) / sizeof(finds[0]); i++) {
		if ((finds[i] == find_username && !tenant->username_claim) ||
		    (finds[i] == find_email_verified && !identity->email))
			continue;
		finding = finds[i](tenant, identity);
		found(context, &finding);
	}
}
