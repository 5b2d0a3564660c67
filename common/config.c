/*
 * Reads /etc/pam_oidc.conf with libini_config and checks it whole: every fault is reported with its line, and a file
 * with one fault is not used. What single values look like stands in config_values.c, which keys there are in
 * config_keys.c.
 */
#include "common/config.h"

#include <ini_configobj.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"
#include "common/config_keys.h"
#include "common/log.h"
#include "common/names.h"
#include "common/trusted_file.h"
#include "common/utf8.h"

/* gcc's analyzer loses what is reached through an array, and calls it leaked; the leak checks of the tests see it
 * freed. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif

#define CONFIG_MAX_BYTES ((size_t)256 * 1024)

/* A reading of one file: where faults go, and whether there was one. */
struct reading {
	struct ini_cfgobj *ini;
	const char *text; /* of the file */
	struct config *config;
	config_report *report;
	void *context;
	bool faulty;
};

static void fault(struct reading *reading, unsigned line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void fault(struct reading *reading, unsigned line, const char *format, ...)
{
	char message[512];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	reading->report(reading->context, reading->config->path, line, message);
	reading->faulty = true;
}

static void cleanup_file_ctx(struct ini_cfgfile **file)
{
	if (*file)
		ini_config_file_destroy(*file);
}

static void cleanup_ini(struct ini_cfgobj **ini)
{
	if (*ini)
		ini_config_destroy(*ini);
}

static void cleanup_config(struct config **config)
{
	config_free(*config);
}

/* Reports what the parser of the INI format found: "Error (5) on line 10: Equal sign is missing." */
static void report_format_error(struct reading *reading, const char *error)
{
	const char *line = strstr(error, " on line ");
	char *end = NULL;
	unsigned long number = line ? strtoul(line + strlen(" on line "), &end, 10) : 0;

	if (number > 0 && number <= UINT_MAX && strncmp(end, ": ", 2) == 0)
		fault(reading, (unsigned)number, "%s", end + 2);
	else
		fault(reading, 0, "%s", error);
}

static void report_format_errors(struct reading *reading)
{
	unsigned count = ini_config_error_count(reading->ini);
	char **errors = NULL;

	if (count == 0 || ini_config_get_errors(reading->ini, &errors) != 0 || !errors) {
		fault(reading, 0, "is not an INI file");
		return;
	}
	/* ini_config_free_errors() reads past the array, which libini_config 0.6.2 does not end with NULL. */
	for (unsigned i = 0; i < count; i++) {
		report_format_error(reading, errors[i]);
		free(errors[i]);
	}
	free(errors);
}

/* libini_config would say the same of it as of a lack of memory. */
static bool check_encoding(struct reading *reading, const char *text)
{
	unsigned line = 1;

	while (*text) {
		uint32_t point = 0;
		size_t length = utf8_decode(text, &point);

		if (length == 0) {
			fault(reading, line, "is not UTF-8 text; write the file anew in that encoding");
			return false;
		}
		line += point == '\n';
		text += length;
	}
	return true;
}

static bool parse_format(struct reading *reading, const char *text)
{
	_cleanup_(cleanup_file_ctx) struct ini_cfgfile *file = NULL;
	_cleanup_free_ char *copy = strdup(text);

	if (!copy || ini_config_create(&reading->ini) != 0 ||
	    ini_config_file_from_mem(copy, (uint32_t)strlen(copy), &file) != 0) {
		fault(reading, 0, "cannot be read: out of memory");
		return false;
	}
	/* Without these flags an indented key would silently become part of the value before it, and a second one win.
	 */
	if (ini_config_parse(file, INI_STOP_ON_NONE, INI_MV1S_ERROR | INI_MV2S_ERROR | INI_MS_ERROR,
			     INI_PARSE_NOWRAP | INI_PARSE_NOSPACE | INI_PARSE_NOTAB | INI_PARSE_NO_C_COMMENTS,
			     reading->ini) == 0)
		return true;
	report_format_errors(reading);
	return false;
}

/* Whether the line is this section's heading. */
static bool is_heading(const char *line, size_t length, const char *section)
{
	size_t n = strlen(section);

	return length >= n + 2 && line[0] == '[' && strncmp(line + 1, section, n) == 0 && line[n + 1] == ']';
}

static bool is_assignment(const char *line, size_t length, const char *key)
{
	size_t n = strlen(key);

	return length > n && strncasecmp(line, key, n) == 0 && strchr(" \t=", line[n]);
}

/* Where a key stands, counted from 1; 0 when it is not found. libini_config 0.7 does not tell any more. That it takes
 * the file means that no key is indented, doubled or wrapped, and no section comes twice. */
static unsigned line_of(const char *text, const char *section, const char *key)
{
	bool inside = strcmp(section, INI_DEFAULT_SECTION) == 0;

	for (unsigned number = 1; *text; number++) {
		size_t length = strcspn(text, "\n");

		if (text[0] == '[')
			inside = is_heading(text, length, section);
		else if (inside && is_assignment(text, length, key))
			return number;
		text += length + (text[length] == '\n');
	}
	return 0;
}

/* The value of a key as text (the caller frees) and its line; NULL when the section has no such key. */
static char *value_of(struct reading *reading, const char *section, const char *key, unsigned *ret_line)
{
	struct value_obj *value = NULL;
	char *text;

	if (ini_get_config_valueobj(section, key, reading->ini, INI_GET_FIRST_VALUE, &value) != 0 || !value)
		return NULL;
	text = ini_get_string_config_value(value, NULL);
	if (text)
		*ret_line = line_of(reading->text, section, key);
	return text;
}

static void refuse_unknown_keys(struct reading *reading, const char *title, enum config_section section)
{
	int count = 0;
	char **keys = ini_get_attribute_list(reading->ini, title, &count, NULL);

	for (int i = 0; keys && i < count; i++) {
		unsigned line = 0;
		_cleanup_free_ char *text = NULL;

		if (config_key_named(section, keys[i]))
			continue;
		text = value_of(reading, title, keys[i], &line);
		fault(reading, line, "unknown key `%s` in [%s]", keys[i], title);
	}
	if (keys)
		ini_free_attribute_list(keys);
}

static void read_key(struct reading *reading, const char *title, const struct config_key *key, void *target,
		     unsigned *ret_first_line)
{
	void *field = (char *)target + key->offset;
	unsigned line = 0;
	_cleanup_free_ char *text = value_of(reading, title, key->name, &line);

	if (!text) {
		if (key->required)
			fault(reading, 0, "[%s] lacks `%s`; expected %s", title, key->name, key->expected);
		if (key->fallback && !key->parse(key, key->fallback, field))
			fault(reading, 0, "cannot be read: out of memory");
		return;
	}
	if (*ret_first_line == 0 || line < *ret_first_line)
		*ret_first_line = line;
	if (value_is_placeholder(text))
		fault(reading, line, "`%s` in [%s] still holds a placeholder; expected %s", key->name, title,
		      key->expected);
	else if (!key->parse(key, text, field))
		fault(reading, line, "`%s` in [%s] is not right; expected %s", key->name, title, key->expected);
}

static unsigned read_section(struct reading *reading, const char *title, enum config_section section, void *target)
{
	unsigned first_line = 0;

	for (size_t i = 0; i < config_key_count; i++)
		if (config_keys[i].section == section)
			read_key(reading, title, &config_keys[i], target, &first_line);
	refuse_unknown_keys(reading, title, section);
	return first_line;
}

static bool tenant_name_ok(const char *name)
{
	return account_name_ok(name) && name[0] != '_' && !strpbrk(name, ".");
}

static void read_tenant(struct reading *reading, const char *title)
{
	struct config *config = reading->config;
	const char *name = title + strlen("tenant ");
	struct tenant *tenant;

	if (!tenant_name_ok(name)) {
		fault(reading, 0, "[%s]: a tenant's name is 1 to 32 of a-z, 0-9, hyphen and underscore, a letter first",
		      title);
		return;
	}
	tenant = &config->tenants[config->tenant_count];
	tenant->name = strdup(name);
	if (!tenant->name) {
		fault(reading, 0, "cannot be read: out of memory");
		return;
	}
	config->tenant_count++;
	tenant->line = read_section(reading, title, SECTION_TENANT, tenant);
}

static void read_sections(struct reading *reading)
{
	struct config *config = reading->config;
	int count = 0;
	char **titles = ini_get_section_list(reading->ini, &count, NULL);

	(void)read_section(reading, "login", SECTION_LOGIN, &config->login);
	(void)read_section(reading, "accounts", SECTION_ACCOUNTS, &config->accounts);
	config->tenants = calloc(count > 0 ? (size_t)count : 1, sizeof(*config->tenants));
	if (!config->tenants)
		fault(reading, 0, "cannot be read: out of memory");
	for (int i = 0; config->tenants && titles && i < count; i++) {
		if (strncmp(titles[i], "tenant ", strlen("tenant ")) == 0)
			read_tenant(reading, titles[i]);
		else if (strcmp(titles[i], INI_DEFAULT_SECTION) == 0)
			fault(reading, 1,
			      "a key stands before the first section; expected [login], [accounts] or [tenant NAME]");
		else if (strcmp(titles[i], "login") != 0 && strcmp(titles[i], "accounts") != 0)
			fault(reading, 0, "unknown section [%s]; expected [login], [accounts] or [tenant NAME]",
			      titles[i]);
	}
	if (titles)
		ini_free_section_list(titles);
}

/* org = HOST becomes issuer = https://HOST. */
static void settle_issuer(struct reading *reading, struct tenant *tenant)
{
	if (tenant->issuer && tenant->org) {
		fault(reading, tenant->line, "[tenant %s] has both `issuer` and `org`; keep the one that Okta shows",
		      tenant->name);
	} else if (!tenant->issuer && !tenant->org) {
		fault(reading, tenant->line,
		      "[tenant %s] lacks `issuer`; expected https://HOST[/PATH], or `org` = HOST", tenant->name);
	} else if (tenant->org && asprintf(&tenant->issuer, "https://%s", tenant->org) < 0) {
		tenant->issuer = NULL;
		fault(reading, 0, "cannot be read: out of memory");
	}
}

static void check_client_auth(struct reading *reading, const struct tenant *tenant)
{
	bool secret = tenant->client_auth == CLIENT_AUTH_BASIC || tenant->client_auth == CLIENT_AUTH_POST;
	bool key = tenant->client_auth == CLIENT_AUTH_PRIVATE_KEY_JWT;

	if (secret != (tenant->client_secret_file != NULL))
		fault(reading, tenant->line,
		      "[tenant %s]: `client_secret_file` goes with `client_auth` = basic or post, and only with these",
		      tenant->name);
	if (key != (tenant->private_key_file != NULL))
		fault(reading, tenant->line,
		      "[tenant %s]: `private_key_file` goes with `client_auth` = private_key_jwt, and only with this",
		      tenant->name);
}

static void settle_username(struct reading *reading, struct tenant *tenant)
{
	static const char claim[] = "claim:";

	if (!tenant->username)
		return;
	if (strncmp(tenant->username, claim, strlen(claim)) == 0 && tenant->username[strlen(claim)] != '\0')
		tenant->username_claim = tenant->username + strlen(claim);
	else if (!username_format_parse(tenant->username, tenant->name, &tenant->format))
		fault(reading, tenant->line,
		      "[tenant %s]: `username` is not right; expected a format with one %%l, such as %%l or %%l.%%t, "
		      "or claim:NAME",
		      tenant->name);
}

/* Whether the tenant can give any name at all, so that it owns all that no other tenant's format makes. */
static bool names_are_open(const struct tenant *tenant)
{
	return tenant->username_claim || username_format_is_plain(&tenant->format);
}

static void check_names_apart(struct reading *reading, const struct tenant *one, const struct tenant *other)
{
	const struct tenant *owner = reading->config->default_tenant;
	bool apart;

	if (names_are_open(one) || names_are_open(other))
		apart = names_are_open(one) != names_are_open(other) && owner == (names_are_open(one) ? one : other);
	else
		apart = !username_formats_overlap(&one->format, &other->format);
	if (!apart)
		fault(reading, other->line,
		      "[tenant %s] and [tenant %s] could give one name to two people; give one of them `username` = "
		      "%%l.%%t and make the other `default_tenant`",
		      one->name, other->name);
}

static void check_tenants_apart(struct reading *reading, const struct tenant *one, const struct tenant *other)
{
	if (one->issuer && other->issuer && strcmp(one->issuer, other->issuer) == 0)
		fault(reading, other->line, "[tenant %s] and [tenant %s] have the same issuer", one->name, other->name);
	for (size_t i = 0; i < other->domains.count; i++)
		if (string_list_contains(&one->domains, other->domains.items[i]))
			fault(reading, other->line, "the domain %s belongs to [tenant %s] and to [tenant %s]",
			      other->domains.items[i], one->name, other->name);
	check_names_apart(reading, one, other);
}

static void settle_default_tenant(struct reading *reading)
{
	struct config *config = reading->config;
	const char *name = config->accounts.default_tenant;

	config->default_tenant = config->tenant_count == 1 ? &config->tenants[0] : NULL;
	if (!name)
		return;
	config->default_tenant = config_tenant_named(config, name);
	if (!config->default_tenant)
		fault(reading, 0, "`default_tenant` in [accounts] names %s, but there is no [tenant %s]", name, name);
}

static void check_whole(struct reading *reading)
{
	struct config *config = reading->config;

	if (config->tenant_count == 0)
		fault(reading, 0, "there is no [tenant NAME] section; add one with issuer, client_id and domains");
	settle_default_tenant(reading);
	for (size_t i = 0; i < config->tenant_count; i++) {
		settle_issuer(reading, &config->tenants[i]);
		check_client_auth(reading, &config->tenants[i]);
		settle_username(reading, &config->tenants[i]);
	}
	for (size_t i = 0; i < config->tenant_count; i++)
		for (size_t j = i + 1; j < config->tenant_count; j++)
			check_tenants_apart(reading, &config->tenants[i], &config->tenants[j]);
}

bool config_parse(const char *path, const char *text, config_report *report, void *context, struct config **ret_config)
{
	_cleanup_(cleanup_config) struct config *config = calloc(1, sizeof(*config));
	_cleanup_(cleanup_ini) struct ini_cfgobj *ini = NULL;
	struct reading reading = { .text = text, .config = config, .report = report, .context = context };
	bool well_formed;

	if (!config || !(config->path = strdup(path))) {
		report(context, path, 0, "cannot be read: out of memory");
		return false;
	}
	well_formed = check_encoding(&reading, text) && parse_format(&reading, text);
	ini = reading.ini;
	if (!well_formed)
		return false;
	read_sections(&reading);
	/* A value that is not right would be missed a second time, as one that is not there. */
	if (!reading.faulty)
		check_whole(&reading);
	if (reading.faulty)
		return false;
	*ret_config = take_pointer(config);
	return true;
}

bool config_load(const char *path, config_report *report, void *context, struct config **ret_config)
{
	_cleanup_free_ char *text = NULL;
	char message[256];

	if (!trusted_file_read(path, CONFIG_MAX_BYTES, &text, message, sizeof(message))) {
		report(context, path, 0, message);
		return false;
	}
	return config_parse(path, text, report, context, ret_config);
}

static void free_tenant(struct tenant *tenant)
{
	free(tenant->name);
	free(tenant->issuer);
	free(tenant->org);
	free(tenant->client_id);
	free(tenant->client_secret_file);
	free(tenant->private_key_file);
	free(tenant->scopes);
	free(tenant->username);
	free(tenant->remote_from.items);
	string_list_free(&tenant->domains);
	string_list_free(&tenant->allowed_groups);
	string_list_free(&tenant->required_amr);
	string_list_free(&tenant->id_token_signing_algs);
	string_list_free(&tenant->local_groups);
	string_list_free(&tenant->rooms);
	group_map_free(&tenant->group_map);
}

void config_free(struct config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < config->tenant_count; i++)
		free_tenant(&config->tenants[i]);
	free(config->tenants);
	free(config->login.ca_file);
	free(config->login.proxy);
	free(config->login.unlimited_from.items);
	free(config->accounts.home);
	free(config->accounts.shell);
	free(config->accounts.skeleton);
	free(config->accounts.default_tenant);
	string_list_free(&config->accounts.reserved_names);
	free(config->path);
	free(config);
}

void config_report_to_log(void *context, const char *path, unsigned line, const char *message)
{
	(void)context;
	if (line > 0)
		log_error("%s:%u: %s", path, line, message);
	else
		log_error("%s: %s", path, message);
}

void config_print_keys(FILE *out)
{
	for (size_t i = 0; i < config_key_count; i++) {
		const struct config_key *key = &config_keys[i];

		(void)fprintf(out, "%s\t%s\t%s\t%s\t%s\n", config_section_title(key->section), key->name,
			      key->fallback ? key->fallback : "-", key->expected, key->help);
	}
}

const struct tenant *config_tenant_named(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->tenant_count; i++)
		/* The analyzer loses sight of tenant_count: a tenant without a name is never counted. */
		if (strcmp(config->tenants[i].name, name) == 0) /* NOLINT(clang-analyzer-core.NonNullParamChecker) */
			return &config->tenants[i];
	return NULL;
}

const struct tenant *config_tenant_of_domain(const struct config *config, const char *domain)
{
	for (size_t i = 0; i < config->tenant_count; i++)
		for (size_t j = 0; j < config->tenants[i].domains.count; j++)
			if (domain_equal(config->tenants[i].domains.items[j], domain))
				return &config->tenants[i];
	return NULL;
}

bool string_list_contains(const struct string_list *list, const char *item)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i], item) == 0)
			return true;
	return false;
}
