#include "tests/issuer/clients.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"
#include "tests/issuer/client_assertion.h"
#include "tests/issuer/encoding.h"
#include "tests/issuer/errors.h"
#include "tests/issuer/form.h"
#include "tests/issuer/must.h"
#include "tests/issuer/provider.h"

static const struct {
	const char *id;
	const char *name;
	const char *auth;
	const char *secret;
	bool without_device_grant;
	bool without_email; /* only the scopes openid and profile */
} BUILTIN[] = {
	{ .id = "clinic-app", .name = "Clinic Linux", .auth = "none" },
	{ .id = "clinic-basic", .name = "Clinic Linux (basic)", .auth = "basic", .secret = "basic-secret-0123456789" },
	{ .id = "clinic basic:2+",
	  .name = "Clinic Linux (encoded)",
	  .auth = "basic",
	  .secret = "a+b c%d:e/f=g&h?i~\xc3\xbc" },
	{ .id = "clinic-post", .name = "Clinic Linux (post)", .auth = "post", .secret = "p+q r%s:t/u=v&w" },
	{ .id = "clinic-jwt", .name = "Clinic Linux (signed)", .auth = "private_key_jwt" },
	{ .id = "clinic-web", .name = "Clinic Portal", .auth = "none", .without_device_grant = true },
	{ .id = "clinic-narrow", .name = "Clinic Linux (no email)", .auth = "none", .without_email = true },
};

static const char *const USUAL_SCOPES[] = { "openid",  "profile", "email",          "groups",
					    "address", "phone",   "offline_access", "device_sso" };

json_t *clients_builtin(void)
{
	json_t *clients = must(json_object());
	json_t *builtin = must(json_object());
	_cleanup_free_ char *fault = NULL;

	for (size_t i = 0; i < sizeof BUILTIN / sizeof BUILTIN[0]; i++) {
		json_t *client =
			must(json_pack("{s:s, s:s, s:s*, s:b}", "name", BUILTIN[i].name, "auth", BUILTIN[i].auth,
				       "secret", BUILTIN[i].secret, "device_grant", !BUILTIN[i].without_device_grant));

		if (BUILTIN[i].without_email)
			json_object_set_new(client, "scopes", must(json_pack("[s, s]", "openid", "profile")));
		json_object_set_new(builtin, BUILTIN[i].id, client);
	}
	fault = clients_add(clients, builtin);
	json_decref(builtin);
	must(fault ? NULL : clients);
	return clients;
}

static char *check(const char *id, json_t *client)
{
	static const char *const METHODS[] = { "none", "basic", "post", "private_key_jwt" };
	const char *name, *auth = NULL, *secret = NULL;
	json_error_t error;
	json_t *value;
	int flag;

	if (json_unpack_ex(client, &error, 0, "{s?s, s?s, s:s, s?s, s?b, s?o, s?o !}", "id", &name, "name", &name,
			   "auth", &auth, "secret", &secret, "device_grant", &flag, "scopes", &value, "public_keys",
			   &value) != 0)
		return must_format("client %s: %s", id, error.text);
	for (size_t i = 0; i < sizeof METHODS / sizeof METHODS[0]; i++)
		if (strcmp(METHODS[i], auth) == 0)
			return NULL;
	return must_format("client %s: there is no auth %s", id, auth);
}

char *clients_add(json_t *clients, json_t *more)
{
	const char *id;
	json_t *client;

	json_object_foreach (more, id, client) {
		char *fault = check(id, client);

		if (fault)
			return fault;
	}
	json_object_foreach (more, id, client) {
		json_t *copy = must(json_deep_copy(client));

		json_object_set_new(copy, "id", must(json_string(id)));
		if (!json_object_get(copy, "name"))
			json_object_set_new(copy, "name", must(json_string(id)));
		json_object_set_new(clients, id, copy);
	}
	return NULL;
}

const char *client_text(const json_t *client, const char *member)
{
	const char *text = json_string_value(json_object_get(client, member));

	return text ? text : "";
}

bool client_may_use_device_grant(const json_t *client)
{
	return !json_is_false(json_object_get(client, "device_grant"));
}

static bool scope_configured(const json_t *client, const char *scope, size_t length)
{
	const json_t *scopes = json_object_get(client, "scopes");
	size_t count = scopes ? json_array_size(scopes) : sizeof USUAL_SCOPES / sizeof USUAL_SCOPES[0];

	for (size_t i = 0; i < count; i++) {
		const char *configured = scopes ? json_string_value(json_array_get(scopes, i)) : USUAL_SCOPES[i];

		if (configured && strlen(configured) == length && memcmp(configured, scope, length) == 0)
			return true;
	}
	return false;
}

bool client_may_ask_for(const json_t *client, const char *scopes)
{
	for (scopes += strspn(scopes, " "); *scopes; scopes += strspn(scopes, " ")) {
		size_t length = strcspn(scopes, " ");

		if (!scope_configured(client, scopes, length))
			return false;
		scopes += length;
	}
	return true;
}

bool scope_contains(const char *scopes, const char *scope)
{
	for (scopes += strspn(scopes, " "); *scopes; scopes += strspn(scopes, " ")) {
		size_t length = strcspn(scopes, " ");

		if (strlen(scope) == length && memcmp(scopes, scope, length) == 0)
			return true;
		scopes += length;
	}
	return false;
}

/* What a request brings to prove who it is. */
struct credentials {
	bool basic, post, assertion;
	char *basic_id, *basic_secret; /* decoded; NULL when the header was malformed */
	const char *client_id;         /* of the form */
};

static void credentials_free(struct credentials *credentials)
{
	free(credentials->basic_id);
	free(credentials->basic_secret);
}

/* "Basic" with both halves form-urlencoded before they were joined (RFC 6749, 2.3.1). */
static void read_basic(const char *encoded, struct credentials *credentials)
{
	_cleanup_free_ unsigned char *bytes = NULL;
	size_t length;
	char *colon;

	encoded += strspn(encoded, " ");
	if (!base64_decode(encoded, strlen(encoded), &bytes, &length) || strlen((char *)bytes) != length)
		return;
	colon = strchr((char *)bytes, ':');
	if (!colon)
		return;
	credentials->basic_id = form_decode((char *)bytes, (size_t)(colon - (char *)bytes));
	credentials->basic_secret = form_decode(colon + 1, strlen(colon + 1));
}

static void read_credentials(const struct request *request, struct credentials *credentials)
{
	*credentials = (struct credentials){
		.post = form_get(&request->form, "client_secret") != NULL,
		.assertion = form_get(&request->form, "client_assertion") != NULL,
		.client_id = form_get(&request->form, "client_id"),
	};
	if (request->authorization && strncasecmp(request->authorization, "Basic ", 6) == 0) {
		credentials->basic = true;
		read_basic(request->authorization + 6, credentials);
	}
}

static const char *method_of(const struct credentials *credentials)
{
	if (credentials->basic)
		return "basic";
	if (credentials->post)
		return "post";
	return credentials->assertion ? "private_key_jwt" : "none";
}

static bool secret_fits(const json_t *client, const char *secret)
{
	return secret && text_equal_constant_time(client_text(client, "secret"), secret);
}

static enum error_row judge(struct provider *provider, const struct request *request,
			    const struct credentials *credentials, json_t **ret_client)
{
	const char *assertion = form_get(&request->form, "client_assertion");
	_cleanup_free_ char *assertion_id = assertion ? client_assertion_subject(assertion) : NULL;
	const char *id = credentials->client_id;
	json_t *client;

	if (credentials->basic + credentials->post + credentials->assertion > 1)
		return ERROR_MULTIPLE_CREDENTIALS;
	if (credentials->basic && id && credentials->basic_id && strcmp(id, credentials->basic_id) != 0)
		return ERROR_MULTIPLE_CREDENTIALS;
	if (credentials->basic)
		id = credentials->basic_id;
	if (credentials->assertion && !id)
		id = assertion_id;
	if (!id)
		return ERROR_INVALID_CLIENT;
	client = json_object_get(provider->clients, id);
	if (!client)
		return ERROR_INVALID_CLIENT_ID;
	if (strcmp(client_text(client, "auth"), method_of(credentials)) != 0)
		return strcmp(method_of(credentials), "none") == 0 ? ERROR_INVALID_CLIENT : ERROR_INVALID_CLIENT_SECRET;
	if (credentials->basic && !secret_fits(client, credentials->basic_secret))
		return ERROR_INVALID_CLIENT_SECRET;
	if (credentials->post && !secret_fits(client, form_get(&request->form, "client_secret")))
		return ERROR_INVALID_CLIENT_SECRET;
	*ret_client = client;
	return ERROR_COUNT;
}

bool client_authenticate(struct provider *provider, const struct request *request, json_t **ret_client,
			 struct answer *answer)
{
	_cleanup_(credentials_free) struct credentials credentials;
	json_t *client = NULL;
	enum error_row row;

	read_credentials(request, &credentials);
	row = judge(provider, request, &credentials, &client);
	if (row != ERROR_COUNT) {
		answer_error(answer, row);
		if (answer->status == 401 && credentials.basic)
			answer_set_header(answer, "WWW-Authenticate", "Basic realm=\"issuer\"");
		return false;
	}
	if (credentials.assertion) {
		const char *fault = client_assertion_fault(provider, request, client);
		if (fault) {
			answer_error_described(answer, ERROR_INVALID_CLIENT_ASSERTION, fault);
			return false;
		}
	}
	*ret_client = client;
	return true;
}
