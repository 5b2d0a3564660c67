#include "tests/issuer/errors.h"

#include <string.h>

#include "common/cleanup.h"
#include "tests/issuer/encoding.h"
#include "tests/issuer/must.h"

enum error_body {
	BODY_OAUTH, /* {"error":...,"error_description":...}, RFC 6749, 5.2 */
	BODY_API,   /* {"errorCode":...,"errorSummary":...}: what is in front of the OAuth endpoints */
	BODY_HTML,  /* a load balancer's page */
};

static const struct {
	const char *name;
	unsigned status;
	enum error_body body;
	const char *error;
	const char *description;
} ROWS[ERROR_COUNT] = {
	[ERROR_AUTHORIZATION_PENDING] = { "authorization_pending", 400, BODY_OAUTH, "authorization_pending",
					  "The device authorization is pending. Please try again later." },
	[ERROR_SLOW_DOWN] = { "slow_down", 400, BODY_OAUTH, "slow_down",
			      "Slow down the polling frequency. Please try again later." },
	[ERROR_EXPIRED_TOKEN] = { "expired_token", 400, BODY_OAUTH, "expired_token", "The device code has expired." },
	[ERROR_INVALID_GRANT] = { "invalid_grant", 400, BODY_OAUTH, "invalid_grant",
				  "The device code is invalid or has expired." },
	[ERROR_NOT_ASSIGNED] = { "not_assigned", 400, BODY_OAUTH, "access_denied",
				 "User is not assigned to the client application." },
	[ERROR_POLICY] = { "policy", 401, BODY_OAUTH, "access_denied",
			   "Policy evaluation failed for this request, please check the policy configurations." },
	[ERROR_DENIED] = { "denied", 403, BODY_OAUTH, "access_denied",
			   "The resource owner or authorization server denied the request." },
	[ERROR_NETWORK_ZONE] = { "network_zone", 403, BODY_OAUTH, "access_denied",
				 "The request comes from an address outside the client's permitted network zones." },
	[ERROR_INVALID_CLIENT] = { "invalid_client", 401, BODY_OAUTH, "invalid_client",
				   "No client credentials found." },
	[ERROR_INVALID_CLIENT_ID] = { "invalid_client_id", 401, BODY_OAUTH, "invalid_client",
				      "Invalid value for 'client_id' parameter." },
	[ERROR_INVALID_CLIENT_SECRET] = { "invalid_client_secret", 401, BODY_OAUTH, "invalid_client",
					  "The client secret supplied for a confidential client is invalid." },
	[ERROR_INVALID_CLIENT_ASSERTION] = { "invalid_client_assertion", 401, BODY_OAUTH, "invalid_client",
					     "The client_assertion token has an invalid signature." },
	[ERROR_UNAUTHORIZED_CLIENT] = { "unauthorized_client", 400, BODY_OAUTH, "unauthorized_client",
					"The client is not authorized to use the provided grant type. Configured grant "
					"types: [authorization_code]." },
	[ERROR_INVALID_SCOPE] = { "invalid_scope", 400, BODY_OAUTH, "invalid_scope",
				  "One or more scopes are not configured for the authorization server resource." },
	[ERROR_MISSING_SCOPE] = { "missing_scope", 400, BODY_OAUTH, "invalid_scope",
				  "The authorization server resource does not have any configured default scopes, "
				  "'scope' must be provided." },
	[ERROR_MULTIPLE_CREDENTIALS] = { "multiple_credentials", 400, BODY_OAUTH, "invalid_request",
					 "Cannot supply multiple client credentials. Use one of the following: "
					 "credentials in the Authorization header, credentials in the post body, "
					 "or a client_assertion in the post body." },
	[ERROR_INVALID_REQUEST] = { "invalid_request", 400, BODY_OAUTH, "invalid_request",
				    "The request was missing a required parameter or had a doubled or malformed one." },
	[ERROR_UNSUPPORTED_GRANT_TYPE] = { "unsupported_grant_type", 400, BODY_OAUTH, "unsupported_grant_type",
					   "The authorization grant type is not supported by the authorization "
					   "server." },
	[ERROR_RATE_LIMIT] = { "rate_limit", 429, BODY_OAUTH, "invalid_grant",
			       "API call exceeded rate limit due to too many requests." },
	[ERROR_TOO_MANY_USER_CODES] = { "too_many_user_codes", 429, BODY_OAUTH, "too_many_user_codes",
					"Too many user codes generated. Please try again later." },
	[ERROR_GROUPS_CLAIM] = { "groups_claim", 400, BODY_OAUTH, "server_error",
				 "The groups claim matched too many groups (more than 100). Narrow its filter." },
	[ERROR_TEMPORARILY_UNAVAILABLE] = { "temporarily_unavailable", 400, BODY_OAUTH, "temporarily_unavailable",
					    NULL },
	[ERROR_INVALID_TOKEN] = { "invalid_token", 401, BODY_OAUTH, "invalid_token", "The access token is invalid." },
	[ERROR_INSUFFICIENT_SCOPE] = { "insufficient_scope", 403, BODY_OAUTH, "insufficient_scope",
				       "The access token must provide access to at least one of these scopes - "
				       "openid." },
	[ERROR_NOT_FOUND] = { "not_found", 404, BODY_API, "E0000007", "Not found: Resource not found: (Resource)" },
	[ERROR_METHOD_NOT_ALLOWED] = { "method_not_allowed", 405, BODY_API, "E0000022",
				       "The endpoint does not support the provided HTTP method" },
	[ERROR_CONTENT_TYPE] = { "content_type", 415, BODY_API, "E0000021",
				 "Bad request. Accept and/or Content-Type headers likely do not match supported "
				 "values." },
	[ERROR_SERVER_ERROR_500] = { "server_error_500", 500, BODY_API, "E0000009", "Internal Server Error" },
	[ERROR_BAD_GATEWAY_502] = { "bad_gateway_502", 502, BODY_HTML, "502", "Bad Gateway" },
	[ERROR_UNAVAILABLE_503] = { "unavailable_503", 503, BODY_HTML, "503", "Service Temporarily Unavailable" },
	[ERROR_GATEWAY_TIMEOUT_504] = { "gateway_timeout_504", 504, BODY_HTML, "504", "Gateway Time-out" },
};

enum error_row error_row_named(const char *name)
{
	for (enum error_row row = 0; row < ERROR_COUNT; row++)
		if (strcmp(ROWS[row].name, name) == 0)
			return row;
	return ERROR_COUNT;
}

const char *error_row_name(enum error_row row)
{
	return ROWS[row].name;
}

void answer_error_described(struct answer *answer, enum error_row row, const char *description)
{
	_cleanup_free_ char *id = NULL;

	switch (ROWS[row].body) {
	case BODY_OAUTH:
		answer_json(answer, ROWS[row].status,
			    json_pack("{s:s, s:s*}", "error", ROWS[row].error, "error_description", description));
		break;
	case BODY_API:
		id = random_text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 20);
		answer_json(answer, ROWS[row].status,
			    json_pack("{s:s, s:s, s:s, s:s, s:[]}", "errorCode", ROWS[row].error, "errorSummary",
				      description, "errorLink", ROWS[row].error, "errorId", id, "errorCauses"));
		break;
	case BODY_HTML:
		answer_html(answer, ROWS[row].status,
			    must_format("<html><head><title>%s %s</title></head><body><h1>%s %s</h1></body></html>\n",
					ROWS[row].error, description, ROWS[row].error, description));
		break;
	}
}

void answer_error(struct answer *answer, enum error_row row)
{
	answer_error_described(answer, row, ROWS[row].description);
}
