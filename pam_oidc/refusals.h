/*
 * Tells provisiond that the issuer refused somebody, for its record: "not assigned" is what an administrator looks for
 * when a person cannot sign in any more.
 */
#ifndef PAM_OIDC_REFUSALS_H
#define PAM_OIDC_REFUSALS_H

#include "common/reason.h"
#include "pam_oidc/loop.h"

struct refusals;

/* NULL when memory ran out. The loop must outlive it. */
struct refusals *refusals_create(struct loop *loop);
/* Drops what was not answered yet. Takes NULL. */
void refusals_free(struct refusals *refusals);
/* name: as typed. Nobody waits for it, and nothing depends on it: what cannot be told now is not told. Takes NULL. */
void refusals_tell(struct refusals *refusals, const char *name, const char *tenant, enum reason reason);

#endif
