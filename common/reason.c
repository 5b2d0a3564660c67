/*
 * The one table of ends: name on the wire, class, sentence.
 */
#include "common/reason.h"

#include <stddef.h>
#include <string.h>

struct row {
	const char *name;
	enum reason_class class;
	const char *sentence;
};

#define ROW(code, wire, group, text) [REASON_##code] = { wire, REASON_CLASS_##group, text }

static const struct row rows[] = {
	ROW(NONE, "none", UNAVAILABLE, ""),
	ROW(NOT_OURS, "not_ours", NOT_OURS, ""),
	ROW(UNKNOWN_DOMAIN, "unknown_domain", DENIED,
	    "This machine takes no sign-ins from that email's domain. Check the spelling, or ask your administrator."),
	ROW(NAME_UNFIT, "name_unfit", DENIED,
	    "That name cannot be an account on this machine. Ask your administrator to prepare one for you."),
	ROW(NAME_RESERVED, "name_reserved", DENIED,
	    "That name belongs to the system or to a local user here. Ask your administrator to prepare an account for you."),
	ROW(USE_SHORT_NAME, "use_short_name", DENIED,
	    "Over SSH this machine takes the short name, the part of your email before the @."),
	ROW(DEACTIVATED, "deactivated", DENIED, "This account was deactivated. Ask your administrator."),
	ROW(REMOVED, "removed", DENIED, "This account was removed. Ask your administrator."),
	ROW(TENANT_GONE, "tenant_gone", DENIED,
	    "Your organization's people may not sign in to this machine any more. Ask your administrator."),
	ROW(REMOTE_FROM, "remote_from", DENIED,
	    "Your organization's people may not sign in to this machine from where you are. Connect from your organization's network, or ask your administrator."),
	ROW(NOT_ASSIGNED, "not_assigned", DENIED,
	    "You are not assigned to this application in Okta. Ask your administrator to assign you."),
	ROW(POLICY, "policy", DENIED, "Your organization's policy refused this sign-in. Ask your administrator."),
	ROW(DENIED, "denied", DENIED, "The request was refused on the approval page. Nothing was changed."),
	ROW(NETWORK_ZONE, "network_zone", DENIED,
	    "Your organization does not allow sign-ins from this network. Ask your administrator."),
	ROW(EXPIRED, "expired", FAILED, "The code has expired before it was approved. Start again for a new one."),
	ROW(TOO_MANY_CODES, "too_many_codes", FAILED,
	    "Okta has handed out too many codes just now. Wait a minute, then start again."),
	ROW(MISCONFIGURED, "misconfigured", UNAVAILABLE,
	    "Sign-in with Okta is not set up correctly on this machine. Tell your administrator; the system log says why."),
	ROW(ISSUER_UNREACHABLE, "issuer_unreachable", UNAVAILABLE,
	    "Okta cannot be reached from this machine right now. Try again in a moment."),
	ROW(TOKEN_INVALID, "token_invalid", DENIED,
	    "Okta's answer could not be verified, so you were not signed in. Tell your administrator; the system log says why."),
	ROW(AMR_MISSING, "amr_missing", DENIED,
	    "This machine requires a stronger way of signing in to Okta than you used. Sign out of Okta in the browser, then start again and use it."),
	ROW(AUTH_TOO_OLD, "auth_too_old", DENIED,
	    "You signed in to Okta too long ago. Sign out of Okta in the browser, then start again."),
	ROW(WRONG_TENANT, "wrong_tenant", DENIED,
	    "You signed in at another organization than this name belongs to. Start again with your own name."),
	ROW(WRONG_DOMAIN, "wrong_domain", DENIED,
	    "Your email's domain is not one of the domains that may sign in here. Ask your administrator."),
	ROW(EMAIL_UNVERIFIED, "email_unverified", DENIED,
	    "Okta has not verified your email address. Verify it in Okta, or ask your administrator."),
	ROW(EMAIL_INVALID, "email_invalid", DENIED,
	    "Okta gave no usable email address for you. Ask your administrator."),
	ROW(OTHER_PERSON, "other_person", DENIED,
	    "The code was approved by somebody else than the person signing in. Start again and approve it yourself."),
	ROW(SUBJECT_CHANGED, "subject_changed", DENIED,
	    "This account belongs to somebody who had your address before you. Ask your administrator."),
	ROW(REASSIGNED, "reassigned", DENIED,
	    "You have no account under this name any more: it was given to somebody else. Ask your administrator."),
	ROW(GROUP_MISSING, "group_missing", DENIED,
	    "You are in none of the Okta groups that may sign in here. Ask your administrator."),
	ROW(UID_TAKEN, "uid_taken", DENIED,
	    "No account could be made: its user id is already in use here. Ask your administrator to reserve another."),
	ROW(UID_CHANGED, "uid_changed", DENIED,
	    "Your account has another user id than this session began with. Start again."),
	ROW(HOME_EXISTS, "home_exists", DENIED,
	    "No account could be made: its home directory already exists. Ask your administrator."),
	ROW(STORAGE, "storage", DENIED,
	    "Your account could not be stored, and nothing was changed. Tell your administrator; the system log says why."),
	ROW(LIMIT, "limit", FAILED, "Too many sign-ins are waiting just now. Try again in a minute."),
	ROW(CANCELLED, "cancelled", FAILED, "The sign-in was cancelled."),
	ROW(NOT_ANSWERED, "not_answered", FAILED, "The question was not answered in time. Start again."),
	ROW(TICKET, "ticket", DENIED,
	    "The sign-in could not be confirmed on this machine. Start again; if it happens twice, tell your administrator."),
	ROW(RESTARTED, "restarted", FAILED,
	    "The sign-in service of this machine was restarted just now: please start again."),
	ROW(SERVICE_DOWN, "service_down", UNAVAILABLE,
	    "The sign-in service of this machine does not answer. Tell your administrator."),
	ROW(INTERNAL, "internal", UNAVAILABLE,
	    "Something went wrong on this machine. Tell your administrator; the system log says what."),
};

_Static_assert(sizeof(rows) / sizeof(rows[0]) == REASON_COUNT, "every reason has its row");

static const struct row *row_of(enum reason reason)
{
	return &rows[(unsigned)reason < REASON_COUNT ? reason : REASON_INTERNAL];
}

const char *reason_name(enum reason reason)
{
	return row_of(reason)->name;
}

enum reason reason_from_name(const char *name)
{
	for (int i = 0; name && i < REASON_COUNT; i++)
		if (strcmp(rows[i].name, name) == 0)
			return (enum reason)i;
	return REASON_INTERNAL;
}

enum reason_class reason_class(enum reason reason)
{
	return row_of(reason)->class;
}

const char *reason_sentence(enum reason reason)
{
	return row_of(reason)->sentence;
}
