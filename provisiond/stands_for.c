/*
 * Reads typed names: emails by their domain, short names by their record or by the tenants' username formats.
 */
#include "provisiond/stands_for.h"

#include <string.h>

static bool gives_whole_local_part(const struct tenant *tenant)
{
	return !tenant->username_claim && username_format_is_plain(&tenant->format);
}

const struct tenant *owner_of_short_name(const struct config *config, const char *name)
{
	const struct tenant *fallback = config->default_tenant;

	for (size_t i = 0; i < config->tenant_count; i++) {
		const struct tenant *tenant = &config->tenants[i];

		if (!tenant->username_claim && !gives_whole_local_part(tenant) &&
		    username_format_matches(&tenant->format, name))
			return tenant;
	}
	return fallback && (fallback->username_claim || gives_whole_local_part(fallback)) ? fallback : NULL;
}

static void refuse(struct stands_for *stands, enum reason reason, const char *fault)
{
	stands->reason = reason;
	stands->fault = fault;
}

static void name_stands_for_itself(const char *name, struct stands_for *stands)
{
	if (!account_name_ok(name))
		refuse(stands, REASON_NAME_UNFIT, account_name_fault(name));
	else
		account_name_copy(name, stands->account);
}

static void email_stands_for(const struct config *config, const char *typed, const struct account_record *record,
			     const struct expected *expected, struct stands_for *stands)
{
	char name[EMAIL_LOCAL_MAX + 2 * USERNAME_FORMAT_MAX + 1];

	if (!email_parse(typed, &stands->email)) {
		refuse(stands, REASON_NAME_UNFIT, "is not an email address");
		return;
	}
	stands->tenant = config_tenant_of_domain(config, stands->email.domain);
	if (!stands->tenant) {
		refuse(stands, REASON_UNKNOWN_DOMAIN, NULL);
		return;
	}
	if (record) {
		account_name_copy(record->name, stands->account);
		return;
	}
	if (expected) {
		name_stands_for_itself(expected->name, stands);
		return;
	}
	if (stands->tenant->username_claim)
		return;
	if (!username_format_expand(&stands->tenant->format, stands->email.local, name, sizeof(name)))
		refuse(stands, REASON_NAME_UNFIT, "is too long");
	else if (!account_name_ok(name))
		refuse(stands, REASON_NAME_UNFIT, account_name_fault(name));
	else if (owner_of_short_name(config, name) != stands->tenant)
		refuse(stands, REASON_NAME_UNFIT, "would read like a name of another organization on this machine");
	else
		account_name_copy(name, stands->account);
}

const struct tenant *tenant_of_record(const struct config *config, const struct account_record *record)
{
	const struct tenant *tenant = config_tenant_named(config, record->tenant);

	for (size_t i = 0; i < config->tenant_count && !tenant; i++)
		if (strcmp(config->tenants[i].issuer, record->issuer) == 0)
			tenant = &config->tenants[i];
	return tenant;
}

static void short_name_stands_for(const struct config *config, const char *typed, const struct account_record *record,
				  const struct expected *expected, struct stands_for *stands)
{
	stands->tenant = record     ? tenant_of_record(config, record)
			 : expected ? config_tenant_named(config, expected->tenant)
				    : owner_of_short_name(config, typed);
	if (!stands->tenant)
		/* Of a tenant that is not configured any more, nobody can vouch for people. */
		refuse(stands, record || expected ? REASON_TENANT_GONE : REASON_NOT_OURS, NULL);
	else
		name_stands_for_itself(typed, stands);
}

void stands_for(const struct config *config, const char *typed, const struct account_record *record,
		const struct expected *expected, struct stands_for *ret_stands)
{
	struct stands_for stands = { .reason = REASON_NONE, .is_email = strchr(typed, '@') != NULL };

	if (strcmp(typed, "root") == 0)
		refuse(&stands, REASON_NOT_OURS, NULL);
	else if (stands.is_email)
		email_stands_for(config, typed, record, expected, &stands);
	else
		short_name_stands_for(config, typed, record, expected, &stands);
	if (stands.reason != REASON_NONE)
		stands.tenant = NULL;
	*ret_stands = stands;
}
