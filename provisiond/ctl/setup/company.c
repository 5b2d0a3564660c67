/*
 * Judges answers, by the mistakes that are easily made when they are copied from Okta's pages.
 */
#include "provisiond/ctl/setup/company.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/names.h"

#define FAULT(...)                                                         \
	do {                                                               \
		(void)snprintf(ret_fault, COMPANY_FAULT_MAX, __VA_ARGS__); \
		return false;                                              \
	} while (0)

void company_release(struct company *company)
{
	secret_wipe(&company->secret);
	*company = (struct company){ 0 };
}

static void keep(char value[static COMPANY_VALUE_MAX], const char *text)
{
	(void)snprintf(value, COMPANY_VALUE_MAX, "%s", text);
}

/* ---- what goes for all of them ---- */

static bool printable(const char *text)
{
	for (; *text; text++)
		if (*text < 0x20 || *text > 0x7e)
			return false;
	return true;
}

static bool is_placeholder(const char *text)
{
	return strpbrk(text, "<>{}$") || strcasestr(text, "yourOktaDomain") || strcasestr(text, "changeme");
}

static bool fits(const char *text, const char *what, char ret_fault[static COMPANY_FAULT_MAX])
{
	if (!*text)
		FAULT("%s is missing.", what);
	if (strlen(text) >= COMPANY_VALUE_MAX)
		FAULT("%s is too long: more than %d bytes.", what, COMPANY_VALUE_MAX - 1);
	if (!printable(text))
		FAULT("%s has a character in it that is no letter, digit or sign of ASCII; it was probably copied "
		      "along. "
		      "Type it anew.",
		      what);
	if (is_placeholder(text))
		FAULT("\"%s\" is what documentation puts where your own value belongs. Look for yours in Okta.", text);
	return true;
}

static bool ends_with(const char *text, size_t length, const char *end)
{
	size_t n = strlen(end);

	return length >= n && strncasecmp(text + length - n, end, n) == 0;
}

/* ---- the issuer ---- */

/* Hosts that are Okta's own, whatever the company is called there. */
static bool is_okta_host(const char *host, size_t length)
{
	static const char *const ends[] = { ".okta.com",     ".oktapreview.com", ".okta-emea.com",
					    ".okta-gov.com", ".okta.mil",        ".trexcloud.com" };

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (ends_with(host, length, ends[i]))
			return true;
	return false;
}

/* The Admin Console has an address of its own, and that is where people copy from. */
static bool judge_host(const char *host, size_t length, char ret_fault[static COMPANY_FAULT_MAX])
{
	size_t label = strcspn(host, ".:/"), name = 0;
	const char *port = memchr(host, ':', length);

	if (label < length && ends_with(host, label, "-admin") && is_okta_host(host, length))
		FAULT("%.*s is the address of Okta's Admin Console. The Okta domain is the same without \"-admin\": "
		      "%.*s%.*s",
		      (int)length, host, (int)(label - strlen("-admin")), host, (int)(length - label), host + label);
	if (host[0] == '[') {
		name = strspn(host + 1, "0123456789abcdefABCDEF:.") + 2;
		port = name < length ? host + name : NULL;
		if (name == 2 || name > length || host[name - 1] != ']')
			name = 0;
	} else {
		name = strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-");
		if (host[0] == '.' || host[0] == '-')
			name = 0;
	}
	if (name == 0 || (name < length && host[name] != ':'))
		FAULT("\"%.*s\" is no host name. The Okta domain looks like clinic.okta.com", (int)length, host);
	if (port && (port + 1 == host + length || host + length - port > 6 ||
		     strspn(port + 1, "0123456789") < (size_t)(host + length - port - 1)))
		FAULT("\"%.*s\" has no port number behind the colon.", (int)length, host);
	return true;
}

bool judge_issuer(const char *text, char ret_value[static COMPANY_VALUE_MAX], char ret_fault[static COMPANY_FAULT_MAX])
{
	const char *host = text + strlen("https://"), *inside;
	size_t length;

	if (!fits(text, "the issuer", ret_fault))
		return false;
	if (strncasecmp(text, "http://", strlen("http://")) == 0)
		FAULT("an issuer begins with https://, and \"%s\" does not.", text);
	if (strncmp(text, "https://", strlen("https://")) != 0)
		FAULT("\"%s\" is no issuer: it looks like https://clinic.okta.com or "
		      "https://clinic.okta.com/oauth2/default. Where only the Okta domain is known, give that (--org).",
		      text);
	if (strpbrk(text, "?#@\"\\^`| "))
		FAULT("\"%s\" is no issuer: none of ? # @ and blanks can stand in it.", text);
	inside = strstr(host, "/.well-known/");
	if (inside)
		FAULT("leave out what comes from \"/.well-known\" on; the issuer is %.*s", (int)(inside - text), text);
	length = strcspn(host, "/");
	if (!judge_host(host, length, ret_fault))
		return false;
	if (is_okta_host(host, length) && ends_with(text, strlen(text), "/"))
		FAULT("Okta's issuers do not end with a slash: %.*s", (int)strlen(text) - 1, text);
	keep(ret_value, text);
	return true;
}

bool judge_org(const char *text, char ret_value[static COMPANY_VALUE_MAX], char ret_fault[static COMPANY_FAULT_MAX])
{
	if (!fits(text, "the Okta domain", ret_fault))
		return false;
	if (strstr(text, "://"))
		FAULT("the Okta domain is a host name alone, such as clinic.okta.com; \"%s\" is a URL (--issuer).",
		      text);
	if (strchr(text, '@'))
		FAULT("\"%s\" is an email address. The Okta domain is where people sign in, such as clinic.okta.com",
		      text);
	if (strchr(text, '/'))
		FAULT("the Okta domain is a host name alone, such as clinic.okta.com. An issuer with a path begins "
		      "with "
		      "https://");
	if (!judge_host(text, strlen(text), ret_fault))
		return false;
	if (!strchr(text, '.') && strncmp(text, "localhost", strlen("localhost")) != 0 && text[0] != '[')
		FAULT("\"%s\" is not the whole Okta domain; it looks like %s.okta.com", text, text);
	keep(ret_value, text);
	return true;
}

bool judge_either(const char *text, char ret_value[static COMPANY_VALUE_MAX], char ret_fault[static COMPANY_FAULT_MAX])
{
	return strstr(text, "://") ? judge_issuer(text, ret_value, ret_fault) : judge_org(text, ret_value, ret_fault);
}

/* ---- the application ---- */

bool judge_client_id(const char *text, char ret_value[static COMPANY_VALUE_MAX],
		     char ret_fault[static COMPANY_FAULT_MAX])
{
	if (!fits(text, "the Client ID", ret_fault))
		return false;
	if (strstr(text, "://"))
		FAULT("that is a URL. The Client ID is on the application's General tab, and looks like "
		      "0oa1abcdefGHIJKLM2p7");
	if (strchr(text, '"') || strchr(text, '\\'))
		FAULT("no quotation marks or backslashes belong to a Client ID.");
	keep(ret_value, text);
	return true;
}

bool judge_scopes(const char *text, char ret_value[static COMPANY_VALUE_MAX], char ret_fault[static COMPANY_FAULT_MAX])
{
	bool openid = false;

	if (!fits(text, "the list of scopes", ret_fault))
		return false;
	if (strpbrk(text, "\"\\,"))
		FAULT("scopes are separated by blanks, such as \"openid profile email groups\".");
	for (const char *at = text; *at; at += strspn(at, " ")) {
		size_t n = strcspn(at, " ");

		openid = openid || (n == strlen("openid") && strncmp(at, "openid", n) == 0);
		at += n;
	}
	if (!openid)
		FAULT("the scope openid must be among them, such as \"openid profile email\": without it Okta gives no "
		      "ID "
		      "token.");
	keep(ret_value, text);
	return true;
}

bool judge_ca_file(const char *text, char ret_value[static COMPANY_VALUE_MAX], char ret_fault[static COMPANY_FAULT_MAX])
{
	if (!fits(text, "the name of the file with certificates", ret_fault))
		return false;
	if (text[0] != '/' || strchr(text, ':') || strstr(text, "/../"))
		FAULT("\"%s\" is no absolute path, such as /etc/ssl/certs/clinic-ca.pem", text);
	keep(ret_value, text);
	return true;
}

bool judge_email_verified(const char *text, char ret_value[static COMPANY_VALUE_MAX],
			  char ret_fault[static COMPANY_FAULT_MAX])
{
	if (strcmp(text, "require") != 0 && strcmp(text, "if-present") != 0 && strcmp(text, "ignore") != 0)
		FAULT("\"%s\" is none of require, if-present and ignore.", text);
	keep(ret_value, text);
	return true;
}

/* ---- domains ---- */

static bool judge_domain(const char *domain, char ret_fault[static COMPANY_FAULT_MAX])
{
	const char *at = strrchr(domain, '@');

	if (at && at[1])
		FAULT("\"%s\" is an email address; what is asked for stands behind the @: %s", domain, at + 1);
	if (strchr(domain, '*'))
		FAULT("\"%s\" is a pattern. Each domain is named as it stands behind the @; no subdomain counts.",
		      domain);
	if (is_okta_host(domain, strlen(domain)))
		FAULT("\"%s\" is the company's domain at Okta. What is asked for stands behind the @ in people's email "
		      "addresses, such as clinic.example",
		      domain);
	if (!domain_ok(domain))
		FAULT("\"%s\" is no email domain; one looks like clinic.example", domain);
	return true;
}

static bool is_among(const char *domain, const char *domains)
{
	size_t n = strlen(domain);

	for (const char *at = domains; *at; at += strspn(at, ", ")) {
		size_t length = strcspn(at, ", ");

		if (length == n && strncasecmp(at, domain, n) == 0)
			return true;
		at += length;
	}
	return false;
}

static void fold(char *text)
{
	for (; *text; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
}

bool judge_domains(const char *text, char ret_value[static COMPANY_VALUE_MAX], char ret_fault[static COMPANY_FAULT_MAX])
{
	char list[COMPANY_VALUE_MAX] = "", domain[COMPANY_VALUE_MAX];

	if (!fits(text, "the list of email domains", ret_fault))
		return false;
	for (const char *at = text + strspn(text, ", "); *at; at += strspn(at, ", ")) {
		size_t length = strcspn(at, ", ");

		(void)snprintf(domain, sizeof(domain), "%.*s", (int)length, at);
		at += length;
		fold(domain);
		if (!judge_domain(domain, ret_fault))
			return false;
		if (is_among(domain, list))
			FAULT("%s stands there twice.", domain);
		if (strlen(list) + length + 3 > sizeof(list))
			FAULT("the list of email domains is too long: more than %d bytes.", COMPANY_VALUE_MAX - 1);
		(void)strcat(strcat(list, *list ? ", " : ""), domain);
	}
	if (!*list)
		FAULT("the list of email domains is missing.");
	keep(ret_value, list);
	return true;
}

void first_domain(const char *domains, char ret_domain[static COMPANY_VALUE_MAX])
{
	(void)snprintf(ret_domain, COMPANY_VALUE_MAX, "%.*s", (int)strcspn(domains, ", "), domains);
}

/* ---- the tenant's name ---- */

static bool tenant_name_ok(const char *name)
{
	return account_name_ok(name) && name[0] != '_' && !strchr(name, '.');
}

bool judge_tenant(const char *text, char ret_value[static COMPANY_VALUE_MAX], char ret_fault[static COMPANY_FAULT_MAX])
{
	if (!tenant_name_ok(text))
		FAULT("\"%s\" cannot be a tenant's name: 1 to 32 of a-z, 0-9, hyphen and underscore, a letter first.",
		      text);
	keep(ret_value, text);
	return true;
}

void tenant_name_for(const char *domains, char ret_name[static COMPANY_VALUE_MAX])
{
	(void)snprintf(ret_name, COMPANY_VALUE_MAX, "%.*s", (int)strcspn(domains, "., "), domains);
	fold(ret_name);
	if (!tenant_name_ok(ret_name))
		keep(ret_name, "company");
}

/* ---- how the application proves itself ---- */

static const struct {
	const char *word, *needs;
} auths[] = {
	[CLIENT_AUTH_NONE] = { "none", NULL },
	[CLIENT_AUTH_BASIC] = { "basic", "secret" },
	[CLIENT_AUTH_POST] = { "post", "secret" },
	[CLIENT_AUTH_PRIVATE_KEY_JWT] = { "private_key_jwt", "key" },
};

const char *client_auth_word(enum client_auth auth)
{
	return auths[auth].word;
}

const char *client_auth_needs(enum client_auth auth)
{
	return auths[auth].needs;
}

bool client_auth_from_word(const char *word, enum client_auth *ret_auth)
{
	for (size_t i = 0; i < sizeof(auths) / sizeof(auths[0]); i++) {
		if (strcmp(auths[i].word, word) != 0)
			continue;
		*ret_auth = (enum client_auth)i;
		return true;
	}
	return false;
}

bool judge_client_secret(const struct secret *secret, char ret_fault[static COMPANY_FAULT_MAX])
{
	if (secret->length == 0)
		FAULT("the client secret is empty, or longer than any is.");
	if (strlen(secret->bytes) != secret->length || strpbrk(secret->bytes, "\r\n"))
		FAULT("a client secret is one line of text, and this is more.");
	if (strncmp(secret->bytes, "-----BEGIN", strlen("-----BEGIN")) == 0)
		FAULT("that is a key or a certificate, and no client secret. Keys go with --client-auth "
		      "private_key_jwt.");
	if (secret->bytes[0] == '<' || strcasestr(secret->bytes, "changeme"))
		FAULT("that is a placeholder, and no client secret.");
	return true;
}

bool judge_private_key(const struct secret *key, char ret_fault[static COMPANY_FAULT_MAX])
{
	if (key->length == 0)
		FAULT("the private key is empty, or longer than any is.");
	if (strlen(key->bytes) != key->length)
		FAULT("that is no private key in PEM: it has bytes in it that are no text.");
	if (key->bytes[0] == '{')
		FAULT("that is a key as JSON. In Okta, choose PEM where the private key is shown, and save that.");
	if (strstr(key->bytes, "BEGIN PUBLIC KEY") || strstr(key->bytes, "BEGIN CERTIFICATE"))
		FAULT("that is the public half. What is wanted is the private key: -----BEGIN PRIVATE KEY-----");
	if (strstr(key->bytes, "ENCRYPTED"))
		FAULT("the private key is protected by a passphrase, and no daemon can type one. Take it off: openssl "
		      "pkey "
		      "-in KEY -out NEW");
	if (!strstr(key->bytes, "PRIVATE KEY-----"))
		FAULT("that is no private key in PEM; one begins with -----BEGIN PRIVATE KEY-----");
	return true;
}
