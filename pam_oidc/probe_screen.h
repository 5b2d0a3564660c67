/*
 * What a person who probes sees besides findings: the code that they are to approve, and who they turned out to be.
 */
#ifndef PAM_OIDC_PROBE_SCREEN_H
#define PAM_OIDC_PROBE_SCREEN_H

#include <stdbool.h>
#include <stdio.h>

#include "pam_oidc/device_grant.h"
#include "pam_oidc/identity.h"

/* utf8: whether it may be used. The QR code is drawn on a terminal alone. */
void probe_screen_show(const struct device_authorization *authorization, bool utf8, FILE *out);
void probe_screen_identity(const struct identity *identity, bool utf8, FILE *out);

#endif
