/*
 * Loads secrets, makes providers, counts users. See realm.h.
 */
#include "pam_oidc/realm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/trusted_file.h"

#define SECRET_MAX_BYTES ((size_t)16 * 1024)

struct realm {
	unsigned users;
	struct config *config;
	struct provider **providers; /* one for each tenant, in the configuration's order */
};

/* Which key of the configuration names the tenant's secret, and the file; NULL when it needs none. */
static const char *secret_key(const struct tenant *tenant, const char **ret_path)
{
	switch (tenant->client_auth) {
	case CLIENT_AUTH_BASIC:
	case CLIENT_AUTH_POST:
		*ret_path = tenant->client_secret_file;
		return "client_secret_file";
	case CLIENT_AUTH_PRIVATE_KEY_JWT:
		*ret_path = tenant->private_key_file;
		return "private_key_file";
	case CLIENT_AUTH_NONE:
		break;
	}
	return NULL;
}

/* NULL, and fault names key and file and says what is wrong. */
static struct client_credentials *load_credentials(const struct tenant *tenant, uid_t uid, gid_t gid, char *fault,
						   size_t fault_size)
{
	_cleanup_secret_ struct secret material = { 0 };
	struct client_credentials *credentials = NULL;
	const char *path = NULL, *key = secret_key(tenant, &path);
	char why[256];

	if (key && !trusted_file_read_secret(path, SECRET_MAX_BYTES, uid, gid, &material, why, sizeof(why))) {
		(void)snprintf(fault, fault_size, "%s: %s %s", key, path, why);
		return NULL;
	}
	if (!client_credentials_load(tenant->client_auth, key ? &material : NULL, &credentials, why, sizeof(why)))
		(void)snprintf(fault, fault_size, "%s: %s %s", key ? key : "client_auth", path ? path : "", why);
	return credentials;
}

static struct client_credentials *load_or_log(const struct config *config, const struct tenant *tenant, uid_t uid,
					      gid_t gid)
{
	char fault[512];
	struct client_credentials *credentials = load_credentials(tenant, uid, gid, fault, sizeof(fault));

	if (!credentials)
		log_error("%s:%u: [tenant %s] %s", config->path, tenant->line, tenant->name, fault);
	return credentials;
}

bool realm_check_secret(const struct tenant *tenant, uid_t uid, gid_t gid, const char **ret_path, char *fault,
			size_t fault_size)
{
	_cleanup_client_credentials_ struct client_credentials *credentials =
		load_credentials(tenant, uid, gid, fault, fault_size);
	const char *path = NULL;

	if (!credentials)
		return false;
	(void)secret_key(tenant, &path);
	*ret_path = path;
	return true;
}

bool realm_check_secrets(const struct config *config, uid_t uid, gid_t gid)
{
	bool good = true;

	for (size_t i = 0; i < config->tenant_count; i++) {
		_cleanup_client_credentials_ struct client_credentials *credentials =
			load_or_log(config, &config->tenants[i], uid, gid);

		good = good && credentials;
	}
	return good;
}

struct realm *realm_create(struct loop *loop, struct http *http, struct config *config, uid_t uid, gid_t gid)
{
	struct realm *realm = calloc(1, sizeof(*realm));

	if (!realm) {
		config_free(config);
		return NULL;
	}
	*realm = (struct realm){ .users = 1, .config = config };
	realm->providers = calloc(config->tenant_count, sizeof(struct provider *));
	if (!realm->providers) {
		realm_unref(realm);
		return NULL;
	}
	for (size_t i = 0; i < config->tenant_count; i++) {
		struct client_credentials *credentials = load_or_log(config, &config->tenants[i], uid, gid);

		if (credentials)
			realm->providers[i] =
				provider_create(loop, http, &config->login, &config->tenants[i], credentials);
		if (!realm->providers[i]) {
			realm_unref(realm);
			return NULL;
		}
	}
	return realm;
}

struct realm *realm_ref(struct realm *realm)
{
	realm->users++;
	return realm;
}

void realm_unref(struct realm *realm)
{
	if (!realm || --realm->users > 0)
		return;
	for (size_t i = 0; realm->providers && i < realm->config->tenant_count; i++)
		provider_free(realm->providers[i]);
	free(realm->providers);
	config_free(realm->config);
	free(realm);
}

const struct config *realm_config(const struct realm *realm)
{
	return realm->config;
}

size_t realm_provider_count(const struct realm *realm)
{
	return realm->config->tenant_count;
}

struct provider *realm_provider_at(struct realm *realm, size_t index)
{
	return realm->providers[index];
}

struct provider *realm_provider(struct realm *realm, const char *tenant)
{
	for (size_t i = 0; i < realm->config->tenant_count; i++)
		if (strcmp(realm->config->tenants[i].name, tenant) == 0)
			return realm->providers[i];
	return NULL;
}
