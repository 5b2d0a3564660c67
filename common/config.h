/*
 * The configuration, /etc/pam_oidc.conf: read whole, checked whole, and then constant.
 *
 * Both daemons read it. Every key is described by one table in config.c (name, parser, default, help).
 */
#ifndef COMMON_CONFIG_H
#define COMMON_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "common/network.h"
#include "common/username_format.h"

#ifndef PAM_OIDC_CONF
#define PAM_OIDC_CONF "/etc/pam_oidc.conf"
#endif

struct string_list {
	char **items;
	size_t count;
};

struct network_list {
	struct network *items;
	size_t count;
};

enum client_auth { CLIENT_AUTH_NONE, CLIENT_AUTH_BASIC, CLIENT_AUTH_POST, CLIENT_AUTH_PRIVATE_KEY_JWT };
enum password_policy { PASSWORD_NEVER, PASSWORD_FALLBACK };
enum email_verified_policy { EMAIL_VERIFIED_REQUIRE, EMAIL_VERIFIED_IF_PRESENT, EMAIL_VERIFIED_IGNORE };

/* One pair of group_map: members of the Okta group are members of the local one. */
struct group_mapping {
	char *okta_group;
	char *local_group;
};

struct group_map {
	struct group_mapping *items;
	size_t count;
};

struct login_config {
	char *ca_file; /* NULL: the system's */
	char *proxy;   /* NULL: none */
	long max_pending;
	long max_pending_per_address;
	long max_pending_per_account;
	long max_starts_per_minute;
	struct network_list unlimited_from;
};

struct accounts_config {
	uid_t uid_first, uid_last; /* both included */
	char *home;                /* with %u */
	char *shell;
	char *skeleton;
	mode_t home_mode;
	bool create_home;
	struct string_list reserved_names;
	char *default_tenant; /* as written; see config.default_tenant */
	bool email_over_ssh;
	int64_t max_signin_age_s; /* 0: none */
};

struct tenant {
	char *name;
	unsigned line; /* of its section's first key, for messages */
	char *issuer;  /* also when the file says org = */
	char *org;
	char *client_id;
	enum client_auth client_auth;
	char *client_secret_file;
	char *private_key_file;
	char *scopes;
	struct string_list domains; /* lower case; the first names the uid space */
	char *username;             /* as written */
	struct username_format format; /* unless username_claim is set */
	const char *username_claim; /* for claim:NAME, inside `username`; else NULL */
	enum email_verified_policy email_verified;
	struct string_list allowed_groups; /* empty: any */
	struct string_list required_amr;   /* empty: none */
	int64_t max_auth_age_s;            /* 0: any */
	struct string_list id_token_signing_algs; /* RS256 unless set */
	struct string_list local_groups;
	struct group_map group_map;
	struct string_list rooms;
	struct network_list remote_from; /* empty: any */
	enum password_policy password;
};

struct config {
	char *path;
	struct login_config login;
	struct accounts_config accounts;
	struct tenant *tenants;
	size_t tenant_count; /* at least 1 */
	const struct tenant *default_tenant; /* owner of short names; NULL when there are several and none is named */
};

/* Called once for each thing that is wrong. line is 0 where no line is to blame. */
typedef void config_report(void *context, const char *path, unsigned line, const char *message);

/* Reads and checks the file. True, and the caller frees *ret_config with config_free(); or false after at least one report. */
bool config_load(const char *path, config_report *report, void *context, struct config **ret_config);
/* The same for text in memory. */
bool config_parse(const char *path, const char *text, config_report *report, void *context, struct config **ret_config);
void config_free(struct config *config);

/* Reports to the log, as "path:line: message". For config_load()'s `report`. */
void config_report_to_log(void *context, const char *path, unsigned line, const char *message);
/* Prints every key, tab-separated: section, name, default ("-" for none), what is expected, help. */
void config_print_keys(FILE *out);

const struct tenant *config_tenant_named(const struct config *config, const char *name);
/* The tenant one of whose domains equals this one exactly (case folded), or NULL. */
const struct tenant *config_tenant_of_domain(const struct config *config, const char *domain);
bool string_list_contains(const struct string_list *list, const char *item);

#endif
