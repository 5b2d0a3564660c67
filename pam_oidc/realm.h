/*
 * One configuration in force: its tenants' providers, with the credentials they need. Kept while a sign-in uses it, so
 * that a reload disturbs nobody who waits.
 */
#ifndef PAM_OIDC_REALM_H
#define PAM_OIDC_REALM_H

#include <stddef.h>
#include <sys/types.h>

#include "common/config.h"
#include "pam_oidc/provider.h"

struct realm;

/* Reads the secrets of every tenant and begins to fetch their metadata. Faults are logged, naming file, tenant and key.
 * The configuration is taken over, also on failure (NULL). uid and gid are those of _pam_oidc, which may own and read
 * secrets. */
struct realm *realm_create(struct loop *loop, struct http *http, struct config *config, uid_t uid, gid_t gid);

struct realm *realm_ref(struct realm *realm);
/* Frees it when nobody uses it any more. Takes NULL. */
void realm_unref(struct realm *realm);

const struct config *realm_config(const struct realm *realm);
size_t realm_provider_count(const struct realm *realm);
struct provider *realm_provider_at(struct realm *realm, size_t index);
/* NULL when there is no tenant of that name. */
struct provider *realm_provider(struct realm *realm, const char *tenant);

/* Only the part that a check of the configuration needs: reads every secret and key file and reports what is wrong. */
bool realm_check_secrets(const struct config *config, uid_t uid, gid_t gid);

/* The same of one tenant. True, and *ret_path is the file, or NULL where it needs none; or false, and fault names key
 * and file and says what is wrong. Logs nothing. */
bool realm_check_secret(const struct tenant *tenant, uid_t uid, gid_t gid, const char **ret_path, char *fault,
			size_t fault_size);

#endif
