/*
 * A dry run against every tenant: its discovery document, its keys, and a device code that nobody approves.
 */
#ifndef PAM_OIDC_DRY_RUN_H
#define PAM_OIDC_DRY_RUN_H

#include <stdbool.h>

#include "pam_oidc/loop.h"
#include "pam_oidc/realm.h"

struct dry_run;

/* One finding: item is "discovery", "keys" or "device_code"; text is a sentence. */
typedef void dry_run_found(void *context, const char *tenant, const char *item, bool good, const char *text);
/* Called once at the end, unless it was cancelled; the run is gone then. */
typedef void dry_run_done(void *context, bool all_good);

/* Neither callback comes from within this call. NULL when memory ran out. */
struct dry_run *dry_run_start(struct loop *loop, struct realm *realm, dry_run_found *found, dry_run_done *done,
			      void *context);
/* Takes NULL. */
void dry_run_cancel(struct dry_run *run);

#endif
