/*
 * The second half of a dry run: a device code is waited for until somebody approves it, and what comes for it is judged
 * as in a sign-in, but admits nobody.
 */
#ifndef PAM_OIDC_APPROVAL_H
#define PAM_OIDC_APPROVAL_H

#include "pam_oidc/device_grant.h"
#include "pam_oidc/finding.h"
#include "pam_oidc/identity.h"
#include "pam_oidc/loop.h"
#include "pam_oidc/provider.h"

struct approval;

struct approval_events {
	/* "approval", "token", "userinfo", and what person_findings.h lists. */
	finding_found *found;
	/* Who approved it, from a fully verified token, completed from userinfo where a sign-in would be. */
	void (*identified)(void *context, const struct tenant *tenant, const struct identity *identity);
	/* Once, at the end, unless it was cancelled; the approval is gone then. */
	void (*over)(void *context);
	void *context;
};

/* Begins to poll. Takes the authorization over, which lives as long as the approval. NULL when memory ran out; then it
 * stays the caller's. No event comes from within this call. */
struct approval *approval_start(struct loop *loop, struct provider *provider,
				struct device_authorization *authorization, const struct approval_events *events);
/* Ends it with a warning that nobody was waited for. Not from within an event. */
void approval_skip(struct approval *approval);
/* Wipes and frees. Takes NULL. Not from within an event. */
void approval_cancel(struct approval *approval);

#endif
