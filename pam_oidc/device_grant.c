/*
 * The device authorization grant as pure functions: parsing its response, judging answers by one table, spacing polls.
 */
#include "pam_oidc/device_grant.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"
#include "pam_oidc/discovery.h"
#include "pam_oidc/json_strict.h"
#include "pam_oidc/rate_limit.h"

#define USER_CODE_MAX 32
#define DEVICE_CODE_MAX 4096
#define SLOW_DOWN_MS 5000 /* RFC 8628, section 3.5 */
#define WAIT_MAX_MS (60 * 1000)
#define BACK_OFF_MAX_MS (15 * 1000)
#define POLLS_OF_A_CODE 3 /* about, of people who approve within a quarter of a minute, at Okta's interval */

void device_authorization_free(struct device_authorization *authorization)
{
	if (!authorization)
		return;
	secret_wipe(&authorization->device_code);
	secret_free_text(authorization->user_code);
	free(authorization->verification_uri);
	secret_free_text(authorization->verification_uri_complete);
	free(authorization);
}

static void cleanup_authorization(struct device_authorization **authorization)
{
	device_authorization_free(*authorization);
}

static bool graphic(const char *text, size_t max)
{
	size_t length = strnlen(text, max + 1);

	if (length == 0 || length > max)
		return false;
	for (size_t i = 0; i < length; i++)
		if (text[i] <= ' ' || text[i] >= 0x7f)
			return false;
	return true;
}

/* RFC 8628 leaves it to the issuer what a user code looks like. Some come in groups with a space between them. */
static bool user_code_ok(const char *code)
{
	size_t length = strnlen(code, USER_CODE_MAX + 1);

	if (length == 0 || length > USER_CODE_MAX || code[length - 1] == ' ')
		return false;
	for (size_t i = 0; i < length; i++)
		if (code[i] == ' ' ? i == 0 || code[i - 1] == ' ' : code[i] < ' ' || code[i] >= 0x7f)
			return false;
	return true;
}

/* A whole number of seconds, or 0 when the member is absent, null, or no positive whole number. */
static int64_t seconds(const json_t *response, const char *name, int64_t max)
{
	json_int_t value = json_integer_value(json_object_get(response, name));

	return value <= 0 ? 0 : value > max ? max : value;
}

static bool take_codes(const json_t *response, struct device_authorization *authorization)
{
	const char *device_code = json_strict_string(response, "device_code");
	const char *user_code = json_strict_string(response, "user_code");

	if (!device_code || !graphic(device_code, DEVICE_CODE_MAX) || !user_code || !user_code_ok(user_code))
		return false;
	authorization->user_code = strdup(user_code);
	return authorization->user_code &&
	       secret_from_bytes(device_code, strlen(device_code), &authorization->device_code) == 0;
}

static bool take_uris(const json_t *response, struct device_authorization *authorization)
{
	const char *uri = json_strict_string(response, "verification_uri");
	const char *complete = json_strict_string(response, "verification_uri_complete");

	if (!uri || !https_url_ok(uri, DEVICE_URI_MAX) || (complete && !https_url_ok(complete, DEVICE_URI_MAX)))
		return false;
	/* RFC 8628 leaves the host to the issuer. But nobody reads a QR code: it leads to the host that stands beside
	 * it. */
	if (!complete || !https_url_same_origin(uri, complete))
		complete = uri;
	authorization->verification_uri = strdup(uri);
	authorization->verification_uri_complete = strdup(complete);
	return authorization->verification_uri && authorization->verification_uri_complete;
}

bool device_authorization_parse(const char *json, size_t length, struct device_authorization **ret_authorization,
				char *fault, size_t fault_size)
{
	_cleanup_(cleanup_authorization) struct device_authorization *authorization = calloc(1, sizeof(*authorization));
	_cleanup_json_ json_t *response = NULL;
	char why[128];

	response = json_strict_object(json, length, why, sizeof(why));
	if (!authorization || !response) {
		(void)snprintf(fault, fault_size, "the device authorization response %s",
			       response ? "does not fit into memory" : why);
		return false;
	}
	if (!take_codes(response, authorization)) {
		(void)snprintf(fault, fault_size,
			       "the device authorization response has no usable device_code and user_code");
		return false;
	}
	if (!take_uris(response, authorization)) {
		(void)snprintf(fault, fault_size,
			       "the device authorization response has no verification_uri that is an https URL");
		return false;
	}
	authorization->expires_in_s = seconds(response, "expires_in", DEVICE_CODE_LIFE_MAX_S);
	authorization->interval_s = seconds(response, "interval", DEVICE_INTERVAL_MAX_S);
	if (authorization->interval_s == 0)
		authorization->interval_s = DEVICE_INTERVAL_DEFAULT_S;
	if (authorization->expires_in_s == 0) {
		(void)snprintf(fault, fault_size, "the device authorization response has no usable expires_in");
		return false;
	}
	*ret_authorization = take_pointer(authorization);
	return true;
}

/* A row matches when everything it names is so. The first one counts. */
struct row {
	long status;             /* 0: any */
	const char *error;       /* NULL: any, none too */
	const char *description; /* part of it; NULL: any */
	enum endpoint_verdict verdict;
	enum reason reason;
};

static const struct row rows[] = {
	{ 429, "too_many_user_codes", NULL, ENDPOINT_END, REASON_TOO_MANY_CODES },
	{ 0, "slow_down", NULL, ENDPOINT_SLOW_DOWN, REASON_NONE },
	/* Okta says invalid_grant here too; the grant is as good as before. */
	{ 429, NULL, NULL, ENDPOINT_WAIT, REASON_NONE },
	{ 0, "authorization_pending", NULL, ENDPOINT_PENDING, REASON_NONE },
	{ 0, "temporarily_unavailable", NULL, ENDPOINT_RETRY, REASON_NONE },
	{ 0, "expired_token", NULL, ENDPOINT_END, REASON_EXPIRED },
	{ 0, "invalid_grant", NULL, ENDPOINT_END, REASON_EXPIRED },
	{ 0, "access_denied", "not assigned", ENDPOINT_END, REASON_NOT_ASSIGNED },
	{ 0, "access_denied", "network zone", ENDPOINT_END, REASON_NETWORK_ZONE },
	{ 0, "access_denied", "policy evaluation", ENDPOINT_END, REASON_POLICY },
	{ 401, "access_denied", NULL, ENDPOINT_END, REASON_POLICY },
	{ 0, "access_denied", NULL, ENDPOINT_END, REASON_DENIED },
	{ 0, "server_error", "groups claim", ENDPOINT_END, REASON_MISCONFIGURED },
	{ 0, "server_error", NULL, ENDPOINT_RETRY, REASON_NONE },
	{ 408, NULL, NULL, ENDPOINT_RETRY, REASON_NONE },
};

static bool row_matches(const struct row *row, const struct endpoint_answer *answer)
{
	return (row->status == 0 || row->status == answer->status) &&
	       (!row->error || (answer->error && strcmp(row->error, answer->error) == 0)) &&
	       (!row->description || (answer->description && strcasestr(answer->description, row->description)));
}

enum endpoint_verdict endpoint_judge(const struct endpoint_answer *answer, enum reason *ret_reason)
{
	if (!answer->answered || answer->status >= 500)
		return ENDPOINT_RETRY;
	if (answer->status == 200)
		return ENDPOINT_SUCCESS;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!row_matches(&rows[i], answer))
			continue;
		if (rows[i].verdict == ENDPOINT_END)
			*ret_reason = rows[i].reason;
		return rows[i].verdict;
	}
	/* Everything else is about the client, not the person: invalid_client, unauthorized_client, invalid_scope, a
	 * redirect. */
	*ret_reason = REASON_MISCONFIGURED;
	return ENDPOINT_END;
}

/* Beyond the interval: nothing but jitter up to the easy load, and from there on a straight line up to the full one. */
static int64_t delay_ms(int64_t load, unsigned chance)
{
	int64_t beyond = load > RATE_LIMIT_LOAD_MAX ? RATE_LIMIT_LOAD_MAX - DEVICE_LOAD_EASY : load - DEVICE_LOAD_EASY;
	int64_t ease = beyond > 0 ? beyond * DEVICE_EASE_MAX_MS / (RATE_LIMIT_LOAD_MAX - DEVICE_LOAD_EASY) : 0;

	return ease + (ease + DEVICE_POLL_JITTER_MAX_MS) * chance / DEVICE_CHANCE_MAX;
}

void device_poll_start(struct device_poll *poll, int64_t interval_s, int64_t load, int64_t now_ms, unsigned chance)
{
	*poll = (struct device_poll){
		.interval_ms = interval_s * 1000,
		.next_ms = now_ms + interval_s * 1000 + delay_ms(load * POLLS_OF_A_CODE, chance),
	};
}

/* After a failure of the network, twice the time after each further one (RFC 8628, section 3.5), within reason. */
static int64_t back_off(const struct device_poll *poll)
{
	int64_t wait = poll->interval_ms;

	for (unsigned i = 1; i < poll->failures && wait < BACK_OFF_MAX_MS; i++)
		wait *= 2;
	return wait > BACK_OFF_MAX_MS && poll->interval_ms < BACK_OFF_MAX_MS ? BACK_OFF_MAX_MS : wait;
}

void device_poll_next(struct device_poll *poll, enum endpoint_verdict verdict, const struct endpoint_answer *answer,
		      int64_t now_ms, unsigned chance)
{
	int64_t wish = answer ? answer->wait_ms : 0, load = 0, wait;

	poll->failures = verdict == ENDPOINT_RETRY ? poll->failures + 1 : 0;
	if (verdict == ENDPOINT_SLOW_DOWN)
		poll->interval_ms += SLOW_DOWN_MS;
	wait = verdict == ENDPOINT_RETRY ? back_off(poll) : poll->interval_ms;
	if (wish > WAIT_MAX_MS)
		wish = WAIT_MAX_MS;
	/* Whoever was told to wait, or met a failure, waits for that already. */
	if (answer && (verdict == ENDPOINT_PENDING || verdict == ENDPOINT_SLOW_DOWN))
		load = answer->load;
	poll->next_ms = now_ms + (wish > wait ? wish : wait) + delay_ms(load, chance);
}
