/*
 * What an issuer answers: every reader of its JSON is given the same text. Discovery yields https URLs alone and only
 * under the configured issuer's name; a device authorization holds printable texts and times within bounds; a token
 * response holds one ID token and at most one bearer token; userinfo completes the identity of its own subject and of
 * no other, never pairs an email with another's email_verified, and changes nothing when it is refused; an error ends a
 * sign-in with a reason or lets the next poll come later than now and within reason. A refusal is worded, and want of
 * memory never makes an answer good. Whatever is said of rate limits, the load is between none and all.
 *
 * The first byte stands for the HTTP status, the second for the headers; the rest is the body.
 *
 * Covers: pam_oidc/discovery.c pam_oidc/device_grant.c pam_oidc/endpoint_response.c pam_oidc/identity.c
 * pam_oidc/json_strict.c pam_oidc/rate_limit.c
 */
#include "pam_oidc/discovery.h"
#include "pam_oidc/endpoint_response.h"
#include "tests/fuzz/issuer.h"
#include "tests/fuzz/profile.h"

#define FAULT_MAX 512

static struct verified_token *thin, *full;

static struct verified_token *token_with(const char *profile)
{
	const struct id_token_expectations expected = {
		.issuer = ISSUER,
		.client_id = CLIENT,
		.algs = issuer_algs,
		.alg_count = 1,
		.now = NOW,
		.max_clock_skew_s = ID_TOKEN_CLOCK_SKEW_S,
	};
	struct verified_token *token = NULL;
	char fault[ID_TOKEN_FAULT_MAX] = "", *payload = NULL, *compact;

	forge_must(asprintf(&payload, "{\"iss\":\"%s\",\"sub\":\"%s\",\"aud\":\"%s\",\"iat\":%lld,\"exp\":%lld%s}",
			    ISSUER, SUBJECT, CLIENT, (long long)NOW, (long long)NOW + 3600, profile) > 0);
	compact = forge_token(issuer.keys[KEY_P256], "ES256", "{\"alg\":\"ES256\",\"kid\":\"p256\"}", payload);
	forge_must(id_token_verify(compact, strlen(compact), issuer.published, &expected, &token, fault,
				   sizeof(fault)) == ID_TOKEN_OK);
	free(compact);
	free(payload);
	return token;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	json_object_seed(7); /* else its hashes differ from run to run */
	issuer_make();
	thin = token_with("");
	full = token_with(",\"email\":\"alice@clinic.example\",\"name\":\"Alice\",\"groups\":[\"Staff\"]");
	return 0;
}

/* The body, and the reader's words when it refuses. */
struct body {
	const char *text;
	size_t length;
	bool memory_fails;
	char fault[FAULT_MAX];
};

/* Right after a reader: whether its outcome fits its fault. From here on allocations work again. */
static void check_outcome(const struct body *body, bool good)
{
	(void)fuzz_end_failing();
	holds(good || body->fault[0]);
	if (body->memory_fails)
		holds(!good || !fuzz_allocation_failed());
}

static void check_url(const char *url, size_t max)
{
	const char *host = url + strlen("https://");
	size_t length = strlen(url), authority;

	holds(length <= max && strncmp(url, "https://", strlen("https://")) == 0, "%s", url);
	authority = strcspn(host, "/?#");
	holds(authority > 0 && !memchr(host, '@', authority) && !memchr(host, '\\', authority), "%s", url);
	holds(!strchr(url, ' ') && !strchr(url, '#') && fuzz_is_sentence(url, max), "%s", url);
}

static void read_discovery(struct body *body)
{
	struct discovery *discovery = NULL;
	bool good =
		discovery_parse(body->text, body->length, ISSUER, &discovery, body->fault, FAULT_MAX) == DISCOVERY_GOOD;

	check_outcome(body, good);
	holds(good == (discovery != NULL));
	if (good) {
		check_url(discovery->device_authorization_endpoint, 2048);
		check_url(discovery->token_endpoint, 2048);
		check_url(discovery->jwks_uri, 2048);
		if (discovery->userinfo_endpoint)
			check_url(discovery->userinfo_endpoint, 2048);
		holds(strstr(body->text, "clinic.okta.example") || strstr(body->text, "\\"));
	}
	discovery_free(discovery);
}

static void read_device_authorization(struct body *body)
{
	struct device_authorization *authorization = NULL;
	bool good = device_authorization_parse(body->text, body->length, &authorization, body->fault, FAULT_MAX);

	check_outcome(body, good);
	holds(good == (authorization != NULL));
	if (good) {
		check_url(authorization->verification_uri, DEVICE_URI_MAX);
		check_url(authorization->verification_uri_complete, DEVICE_URI_MAX);
		holds(fuzz_is_sentence(authorization->user_code, 64) && !strstr(authorization->user_code, "  "));
		holds(fuzz_is_sentence(authorization->device_code.bytes, 4096));
		holds(strlen(authorization->device_code.bytes) == authorization->device_code.length);
		holds(authorization->expires_in_s >= 1 && authorization->expires_in_s <= DEVICE_CODE_LIFE_MAX_S);
		holds(authorization->interval_s >= 1 && authorization->interval_s <= DEVICE_INTERVAL_MAX_S);
	}
	device_authorization_free(authorization);
}

static void read_tokens(struct body *body)
{
	struct tokens tokens = { 0 };
	bool good = tokens_parse(body->text, body->length, &tokens, body->fault, FAULT_MAX);

	check_outcome(body, good);
	if (good) {
		holds(fuzz_is_sentence(tokens.id_token.bytes, ID_TOKEN_SIZE_MAX));
		holds(!tokens.access_token.bytes || (fuzz_is_sentence(tokens.access_token.bytes, 16 * 1024) &&
						     !strchr(tokens.access_token.bytes, ' ')));
	} else {
		holds(!tokens.id_token.bytes && !tokens.access_token.bytes);
	}
	tokens_wipe(&tokens);
}

static bool same(const char *one, const char *other)
{
	return one && other ? strcmp(one, other) == 0 : one == other;
}

static void check_unchanged(const struct identity *one, const struct identity *other)
{
	holds(same(one->email, other->email) && one->email_verified == other->email_verified &&
	      one->email_fault == other->email_fault && same(one->full_name, other->full_name) &&
	      same(one->username, other->username) && one->groups_known == other->groups_known &&
	      one->groups.count == other->groups.count);
}

/* What was completed: its email comes with what the same source says of it. */
static void check_completed(const struct body *body, const struct identity *before, const struct identity *after)
{
	json_t *claims = json_loadb(body->text, body->length, JSON_REJECT_DUPLICATES, NULL);
	const char *email = json_string_value(json_object_get(claims, "email"));
	const json_t *verified = json_object_get(claims, "email_verified");

	holds(same(json_string_value(json_object_get(claims, "sub")), SUBJECT));
	holds(same(before->subject, after->subject));
	if (after->email_verified == EMAIL_VERIFICATION_TRUE)
		holds(json_is_true(verified) && (same(after->email, email) || (!after->email && after->email_fault)));
	if (before->email && !same(before->email, after->email))
		holds(before->email_verified == EMAIL_VERIFICATION_ABSENT && same(after->email, email) && verified);
	holds(!before->full_name || same(before->full_name, after->full_name));
	holds(!before->groups_known || before->groups.count == after->groups.count);
	check_profile(after);
	json_decref(claims);
}

static void read_userinfo_of(struct body *body, const struct verified_token *token)
{
	struct identity *before = NULL, *after = NULL;
	bool good;

	if (!identity_from_token(token, "linux_name", &before, body->fault, FAULT_MAX) ||
	    !identity_from_token(token, "linux_name", &after, body->fault, FAULT_MAX)) {
		check_outcome(body, false);
		identity_free(before);
		return;
	}
	good = identity_complete(after, body->text, body->length, "linux_name", body->fault, FAULT_MAX);
	check_outcome(body, good);
	if (good)
		check_completed(body, before, after);
	else
		check_unchanged(before, after);
	identity_free(before);
	identity_free(after);
}

static void read_userinfo_for_thin(struct body *body)
{
	read_userinfo_of(body, thin);
}

static void read_userinfo_for_full(struct body *body)
{
	read_userinfo_of(body, full);
}

static void check_poll(const struct device_poll *before, enum endpoint_verdict verdict,
		       const struct endpoint_answer *answer, unsigned chance)
{
	struct device_poll poll = *before;

	device_poll_next(&poll, verdict, answer, 5000, chance);
	holds(poll.next_ms >= 5000 + before->interval_ms && poll.interval_ms >= before->interval_ms);
	holds(poll.next_ms <= 5000 + 66000 + 2 * DEVICE_EASE_MAX_MS + DEVICE_POLL_JITTER_MAX_MS, "%lld",
	      (long long)poll.next_ms);
	device_poll_start(&poll, 5, answer->load, 0, chance);
	holds(poll.next_ms >= 5000 && poll.next_ms <= 5000 + 2 * DEVICE_EASE_MAX_MS + DEVICE_POLL_JITTER_MAX_MS);
}

/* The body is read as lines of a header, too. When these say nothing, the byte for the headers stands for some. */
static struct rate_limit limits_of(const char *text, uint8_t byte)
{
	struct rate_limit_headers headers = { 0 };
	struct rate_limit said;

	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		char line[512];

		(void)snprintf(line, sizeof(line), "%.*s", (int)strcspn(text, "\n"), text);
		(void)rate_limit_read(&headers, line);
	}
	said = rate_limit_said(&headers);
	holds(said.limit >= 0 && said.remaining >= 0 && said.remaining <= said.limit && said.reset_s >= 0);
	if ((byte & 15) && said.limit == 0)
		said = (struct rate_limit){ 300, 20 * (byte & 15), NOW - 60 + (byte & 15) * 30 };
	return said;
}

static void read_error(const struct body *body, uint8_t status, uint8_t headers)
{
	static const long statuses[] = { 400, 401, 403, 404, 408, 429, 500, 503, 200, 204, 301, 0, 999 };
	const struct rate_limit limits = limits_of(body->text, headers);
	const struct http_response response = {
		.answered = status != 255,
		.error = "closed",
		.status = statuses[status % (sizeof(statuses) / sizeof(statuses[0]))],
		.body = body->text,
		.length = body->length,
		.max_age_s = -1,
		.rate_limit = limits,
		.retry_after_s = (headers >> 4) ? INT64_C(1) << (headers >> 4) * 4 : 0,
	};
	struct endpoint_response read;
	struct device_poll poll;
	enum reason reason = REASON_COUNT;
	enum endpoint_verdict verdict;

	endpoint_response_read(&response, NOW, &read);
	holds(read.answer.answered == response.answered && read.answer.status == response.status);
	holds(read.answer.wait_ms >= 0 && read.answer.wait_ms <= 600000);
	holds(read.answer.load >= 0 && read.answer.load <= RATE_LIMIT_LOAD_MAX);
	holds(limits.limit != 0 || read.answer.load == 0);
	verdict = endpoint_judge(&read.answer, &reason);
	holds((verdict == ENDPOINT_END) == (reason != REASON_COUNT));
	holds((verdict == ENDPOINT_SUCCESS) == (response.answered && response.status == 200));
	if (verdict == ENDPOINT_END) {
		holds(reason != REASON_NONE && reason != REASON_NOT_OURS && reason < REASON_COUNT);
	} else if (verdict != ENDPOINT_SUCCESS) {
		device_poll_start(&poll, 1 + headers % DEVICE_INTERVAL_MAX_S, 0, 0, 0);
		check_poll(&poll, verdict, &read.answer, (unsigned)(headers * 257));
	}
	endpoint_response_clear(&read);
}

typedef void reader(struct body *body);
static reader *const readers[] = { read_discovery, read_device_authorization, read_tokens, read_userinfo_for_thin,
				   read_userinfo_for_full };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct fuzz_input input = { bytes, size };
	uint8_t status = fuzz_byte(&input), headers = fuzz_byte(&input);
	struct body body = { .length = 0 };
	char *text = fuzz_rest(&input, &body.length);

	body.text = text;
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		unsigned allocations;

		body.memory_fails = false;
		body.fault[0] = '\0';
		fuzz_fail_allocation(0);
		readers[i](&body);
		allocations = fuzz_end_failing();
		body.memory_fails = true;
		body.fault[0] = '\0';
		fuzz_fail_allocation(1 + fuzz_pick(bytes, size, allocations + 1));
		readers[i](&body);
		(void)fuzz_end_failing();
	}
	read_error(&body, status, headers);
	free(text);
	return 0;
}
