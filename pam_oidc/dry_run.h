/*
 * Tries tenants in turn, as a sign-in would go, and tells what it finds: the discovery document with the server's
 * certificate and clock, the keys, this machine's application there, a device code, and, where somebody is there to
 * approve it, what their token says.
 */
#ifndef PAM_OIDC_DRY_RUN_H
#define PAM_OIDC_DRY_RUN_H

#include <stdbool.h>

#include "pam_oidc/device_grant.h"
#include "pam_oidc/finding.h"
#include "pam_oidc/identity.h"
#include "pam_oidc/loop.h"
#include "pam_oidc/realm.h"

struct dry_run;

struct dry_run_options {
	const char *tenant; /* only this one, which must be in the realm; NULL: all */
	/* Ask for a device code. Without, the client is tried at the token endpoint instead, with a code that nobody
	 * gave. */
	bool code;
};

/* None comes from within dry_run_start(). What they are given lives until they return. */
struct dry_run_events {
	finding_found *found;
	/* Somebody shall approve this code, which is waited for then. NULL: no code is waited for. Nor is one when
	 * there are no keys that could verify a token. */
	void (*show)(void *context, const struct tenant *tenant, const struct device_authorization *authorization);
	/* Who approved it, by a token that was verified in full. May be NULL. */
	void (*identified)(void *context, const struct tenant *tenant, const struct identity *identity);
	/* Once at the end, unless it was cancelled; the run is gone then. all_good: nothing was FINDING_BAD. */
	void (*done)(void *context, bool all_good);
	void *context;
};

/* NULL when memory ran out. */
struct dry_run *dry_run_start(struct loop *loop, struct realm *realm, const struct dry_run_options *options,
			      const struct dry_run_events *events);
/* Goes on without the approval that is being waited for; nothing when none is. Not from within an event. */
void dry_run_skip_approval(struct dry_run *run);
/* Takes NULL. Not from within an event. */
void dry_run_cancel(struct dry_run *run);

#endif
