/*
 * Edits the configuration line by line.
 */
#include "provisiond/ctl/setup/configuration_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"
#include "provisiond/ctl/setup/printed.h"

#define BLANKS " \t\r"
#define SECTION_MAX (COMPANY_VALUE_MAX + sizeof("tenant "))

static const char heading[] =
	"# pam_oidc: with which company people sign in to this machine. Written by: provisionctl setup\n"
	"# Every key: man pam_oidc.conf. After a change: systemctl reload provisiond pam_oidcd\n";

/* ---- lines ---- */

static const char *next_line(const char *line)
{
	line += strcspn(line, "\n");
	return *line ? line + 1 : line;
}

/* What stands in [ ], when the line is a heading. */
static bool heading_of(const char *line, const char **ret_name, size_t *ret_length)
{
	size_t end = strcspn(line, "]\n");

	if (line[0] != '[' || line[end] != ']')
		return false;
	*ret_name = line + 1;
	*ret_length = end - 1;
	return true;
}

static bool is_heading(const char *line, const char *section)
{
	const char *name = NULL;
	size_t length = 0;

	return heading_of(line, &name, &length) && length == strlen(section) && strncasecmp(name, section, length) == 0;
}

/* Where its value begins; NULL when the line is no assignment to the key. */
static const char *value_on(const char *line, const char *key)
{
	size_t n = strlen(key);

	if (strncasecmp(line, key, n) != 0)
		return NULL;
	line += n + strspn(line + n, BLANKS);
	return *line == '=' ? line + 1 + strspn(line + 1, BLANKS) : NULL;
}

static bool is_assignment(const char *line)
{
	size_t length = strcspn(line, "\n");

	return *line != '#' && *line != ';' && *line != '[' && memchr(line, '=', length);
}

/* Where a key stands, or would. */
struct place {
	const char *section; /* its heading; NULL: no such section */
	const char *line;    /* of the key; NULL: none */
	const char *behind;  /* the line behind the last key, or behind the heading */
};

static struct place find(const char *text, const char *section, const char *key)
{
	struct place place = { 0 };
	bool inside = false;

	for (const char *line = text; *line; line = next_line(line)) {
		if (*line == '[')
			inside = is_heading(line, section);
		if (!inside)
			continue;
		if (*line == '[')
			place.section = line;
		if (*line == '[' || is_assignment(line))
			place.behind = next_line(line);
		if (*line != '[' && !place.line && value_on(line, key))
			place.line = line;
	}
	return place;
}

/* ---- reading ---- */

bool configuration_get(const char *text, const char *section, const char *key, char ret_value[static COMPANY_VALUE_MAX])
{
	struct place place = find(text, section, key);
	const char *value = place.line ? value_on(place.line, key) : "";
	size_t length = strcspn(value, "\n");

	while (length > 0 && strchr(BLANKS, value[length - 1]))
		length--;
	(void)snprintf(ret_value, COMPANY_VALUE_MAX, "%.*s", (int)length, value);
	return place.line != NULL;
}

bool configuration_tenant(const char *text, size_t place, char ret_name[static COMPANY_VALUE_MAX])
{
	static const char word[] = "tenant ";
	const char *name = NULL;
	size_t length = 0;

	for (const char *line = text; *line; line = next_line(line)) {
		if (!heading_of(line, &name, &length) || length < strlen(word) ||
		    strncmp(name, word, strlen(word)) != 0)
			continue;
		if (place-- > 0)
			continue;
		(void)snprintf(ret_name, COMPANY_VALUE_MAX, "%.*s", (int)(length - strlen(word)), name + strlen(word));
		return true;
	}
	return false;
}

size_t configuration_tenant_count(const char *text)
{
	char name[COMPANY_VALUE_MAX];
	size_t count = 0;

	while (configuration_tenant(text, count, name))
		count++;
	return count;
}

static void section_of(const char *tenant, char ret_section[static SECTION_MAX])
{
	(void)snprintf(ret_section, SECTION_MAX, "tenant %.*s", COMPANY_VALUE_MAX - 1, tenant);
}

bool configuration_has_tenant(const char *text, const char *name)
{
	char section[SECTION_MAX];

	section_of(name, section);
	return find(text, section, "").section != NULL;
}

bool configuration_tenant_of(const char *text, const char *domain, char ret_name[static COMPANY_VALUE_MAX])
{
	char name[COMPANY_VALUE_MAX], section[SECTION_MAX], domains[COMPANY_VALUE_MAX];
	size_t n = strlen(domain);

	for (size_t place = 0; configuration_tenant(text, place, name); place++) {
		section_of(name, section);
		(void)configuration_get(text, section, "domains", domains);
		for (const char *at = domains; *at; at += strspn(at, ", \t\"")) {
			size_t length = strcspn(at, ", \t\"");

			if (length == n && strncasecmp(at, domain, n) == 0) {
				memcpy(ret_name, name, sizeof(name));
				return true;
			}
			at += length;
		}
	}
	return false;
}

void configuration_company(const char *text, struct company *company)
{
	char section[SECTION_MAX], word[COMPANY_VALUE_MAX];

	section_of(company->tenant, section);
	company->is_org = configuration_get(text, section, "org", company->issuer);
	if (!company->is_org)
		(void)configuration_get(text, section, "issuer", company->issuer);
	(void)configuration_get(text, section, "client_id", company->client_id);
	(void)configuration_get(text, section, "domains", company->domains);
	(void)configuration_get(text, section, "scopes", company->scopes);
	(void)configuration_get(text, section, "email_verified", company->email_verified);
	(void)configuration_get(text, "login", "ca_file", company->ca_file);
	company->auth = CLIENT_AUTH_NONE;
	if (configuration_get(text, section, "client_auth", word))
		(void)client_auth_from_word(word, &company->auth);
}

/* ---- writing ---- */

/* The text with the bytes between `from` and `to` replaced. */
static char *spliced(const char *text, const char *from, const char *to, const char *by)
{
	return printed("%.*s%s%s", (int)(from - text), text, by, to);
}

static char *with_section(const char *text, const char *section, const char *key, const char *value)
{
	size_t length = strlen(text);
	const char *gap = length == 0 ? "" : text[length - 1] == '\n' ? "\n" : "\n\n";

	return printed("%s%s[%s]\n%s = %s\n", text, gap, section, key, value);
}

char *configuration_set(const char *text, const char *section, const char *key, const char *value)
{
	struct place place = find(text, section, key);
	const char *from = place.line ? place.line : place.behind;
	_cleanup_free_ char *line = NULL;

	if (!value)
		return place.line ? spliced(text, place.line, next_line(place.line), "") : strdup(text);
	if (!place.section)
		return with_section(text, section, key, value);
	/* The last line of a file may have no end. */
	line = printed("%s%s = %s\n", from > text && from[-1] != '\n' ? "\n" : "", key, value);
	return line ? spliced(text, from, place.line ? next_line(place.line) : from, line) : NULL;
}

/* One step of several: frees the text before. NULL stays NULL. */
static void set(char **text, const char *section, const char *key, const char *value)
{
	char *changed = *text ? configuration_set(*text, section, key, value) : NULL;

	free(*text);
	*text = changed;
}

/* An empty answer leaves what is there. */
static void set_answer(char **text, const char *section, const char *key, const char *value)
{
	if (*value)
		set(text, section, key, value);
}

static void set_client_auth(char **text, const char *section, const struct company *company, const char *secret_path)
{
	const char *needs = client_auth_needs(company->auth);
	char before[COMPANY_VALUE_MAX];
	bool secret = needs && strcmp(needs, "secret") == 0, key = needs && strcmp(needs, "key") == 0;

	if (needs || (*text && configuration_get(*text, section, "client_auth", before)))
		set(text, section, "client_auth", client_auth_word(company->auth));
	if (!secret || secret_path)
		set(text, section, "client_secret_file", secret ? secret_path : NULL);
	if (!key || secret_path)
		set(text, section, "private_key_file", key ? secret_path : NULL);
}

/* Two companies may both have an alice: what short names meant before, they mean on. */
static void keep_names_apart(char **text, const char *before, const char *section)
{
	char first[COMPANY_VALUE_MAX], value[COMPANY_VALUE_MAX];

	if (configuration_tenant_count(before) == 1 && configuration_tenant(before, 0, first) &&
	    !configuration_get(before, "accounts", "default_tenant", value))
		set(text, "accounts", "default_tenant", first);
	set(text, section, "username", "%l.%t");
}

char *configuration_with(const char *before, const struct company *company, const char *secret_path)
{
	char *text = strdup(before ? before : heading);
	char section[SECTION_MAX];
	bool added =
		before && configuration_tenant_count(before) > 0 && !configuration_has_tenant(before, company->tenant);

	section_of(company->tenant, section);
	set_answer(&text, "login", "ca_file", company->ca_file);
	set(&text, section, company->is_org ? "issuer" : "org", NULL);
	set(&text, section, company->is_org ? "org" : "issuer", company->issuer);
	set(&text, section, "client_id", company->client_id);
	set(&text, section, "domains", company->domains);
	set_client_auth(&text, section, company, secret_path);
	set_answer(&text, section, "scopes", company->scopes);
	set_answer(&text, section, "email_verified", company->email_verified);
	if (added)
		keep_names_apart(&text, before, section);
	return text;
}
