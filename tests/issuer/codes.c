#include "tests/issuer/codes.h"

#include <ctype.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "tests/issuer/encoding.h"
#include "tests/issuer/must.h"

#define REMEMBERED_AFTER_EXPIRY_MS (3600 * (int64_t)1000)
#define FORGIVEN_MS 100
#define USER_CODE_LETTERS "BCDFGHJKLMNPQRSTVWXZ"
#define USER_CODE_LENGTH 8

struct codes {
	struct device_code *oldest, *newest;
	void *by_device_code; /* trees of struct device_code, see tsearch(3) */
	void *by_user_code;
};

static int compare_device_codes(const void *one, const void *other)
{
	return strcmp(((const struct device_code *)one)->device_code, ((const struct device_code *)other)->device_code);
}

static int compare_user_codes(const void *one, const void *other)
{
	return strcmp(((const struct device_code *)one)->user_code_key,
		      ((const struct device_code *)other)->user_code_key);
}

static struct device_code *found(void *node)
{
	return node ? *(struct device_code **)node : NULL;
}

static void keep_nothing(void *node)
{
	(void)node;
}

static void code_free(struct device_code *code)
{
	free(code->device_code);
	free(code->user_code);
	free(code->user_code_key);
	free(code->client_id);
	free(code->scope);
	free(code->user);
	free(code->poll_times);
	free(code);
}

struct codes *codes_new(void)
{
	return must(calloc(1, sizeof(struct codes)));
}

void codes_free(struct codes *codes)
{
	if (!codes)
		return;
	tdestroy(codes->by_device_code, keep_nothing);
	tdestroy(codes->by_user_code, keep_nothing);
	for (struct device_code *code = codes->oldest, *next; code; code = next) {
		next = code->next;
		code_free(code);
	}
	free(codes);
}

static void forget(struct codes *codes, struct device_code *code)
{
	tdelete(code, &codes->by_device_code, compare_device_codes);
	if (found(tfind(code, &codes->by_user_code, compare_user_codes)) == code)
		tdelete(code, &codes->by_user_code, compare_user_codes);
	*(code->previous ? &code->previous->next : &codes->oldest) = code->next;
	*(code->next ? &code->next->previous : &codes->newest) = code->previous;
	code_free(code);
}

static void forget_old(struct codes *codes, int64_t now_ms)
{
	while (codes->oldest && codes->oldest->expires_ms + REMEMBERED_AFTER_EXPIRY_MS < now_ms)
		forget(codes, codes->oldest);
}

static char *user_code_key(const char *user_code)
{
	char *key = must_copy(user_code);
	size_t length = 0;

	for (const char *c = user_code; *c; c++)
		if (isalnum((unsigned char)*c))
			key[length++] = (char)toupper((unsigned char)*c);
	key[length] = '\0';
	return key;
}

static void insert(struct codes *codes, struct device_code *code)
{
	struct device_code **node;

	must(tsearch(code, &codes->by_device_code, compare_device_codes));
	node = must(tsearch(code, &codes->by_user_code, compare_user_codes));
	*node = code;
	code->previous = codes->newest;
	*(codes->newest ? &codes->newest->next : &codes->oldest) = code;
	codes->newest = code;
}

struct device_code *codes_start(struct codes *codes, const char *user_code, const char *client_id, const char *scope,
				int64_t now_ms, int64_t expires_ms, int64_t interval_ms)
{
	struct device_code *code = must(calloc(1, sizeof *code));

	forget_old(codes, now_ms);
	code->device_code = random_token("");
	code->user_code = user_code ? must_copy(user_code) : random_text(USER_CODE_LETTERS, USER_CODE_LENGTH);
	code->user_code_key = user_code_key(code->user_code);
	code->client_id = must_copy(client_id);
	code->scope = must_copy(scope);
	code->created_ms = now_ms;
	code->expires_ms = expires_ms;
	code->interval_ms = interval_ms;
	insert(codes, code);
	return code;
}

struct device_code *codes_by_device_code(struct codes *codes, const char *device_code)
{
	_cleanup_free_ char *text = must_copy(device_code);
	struct device_code key = { .device_code = text };

	return found(tfind(&key, &codes->by_device_code, compare_device_codes));
}

struct device_code *codes_by_user_code(struct codes *codes, const char *user_code)
{
	_cleanup_free_ char *text = user_code_key(user_code);
	struct device_code key = { .user_code_key = text };

	return found(tfind(&key, &codes->by_user_code, compare_user_codes));
}

struct device_code *codes_newest_pending(struct codes *codes, int64_t now_ms)
{
	for (struct device_code *code = codes->newest; code; code = code->previous)
		if (code_is_pending(code, now_ms))
			return code;
	return NULL;
}

bool code_is_pending(const struct device_code *code, int64_t now_ms)
{
	return code->state == CODE_PENDING && now_ms < code->expires_ms;
}

bool code_decide(struct device_code *code, enum code_state state, const char *user, int64_t now_ms)
{
	if (!code_is_pending(code, now_ms))
		return false;
	code->state = state;
	code->user = user ? must_copy(user) : NULL;
	code->decided_ms = now_ms;
	return true;
}

void code_note_poll(struct device_code *code, int64_t now_ms)
{
	code->poll_times = must(realloc(code->poll_times, (code->polls + 1) * sizeof *code->poll_times));
	code->poll_times[code->polls++] = now_ms;
}

bool code_polled_too_fast(const struct device_code *code)
{
	if (code->polls < 2)
		return false;
	return code->poll_times[code->polls - 1] - code->poll_times[code->polls - 2] < code->interval_ms - FORGIVEN_MS;
}

static const char *state_name(const struct device_code *code, int64_t now_ms)
{
	static const char *const NAMES[] = {
		[CODE_PENDING] = "pending", [CODE_APPROVED] = "approved", [CODE_DENIED] = "denied", [CODE_USED] = "used"
	};

	if (code->state != CODE_USED && now_ms >= code->expires_ms)
		return "expired";
	return NAMES[code->state];
}

json_t *codes_describe(const struct codes *codes, int64_t now_ms)
{
	json_t *list = must(json_array());

	for (const struct device_code *code = codes->oldest; code; code = code->next) {
		json_t *times = must(json_array());

		for (size_t i = 0; i < code->polls; i++)
			json_array_append_new(times, json_integer(code->poll_times[i]));
		json_array_append_new(
			list, must(json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?, s:I, s:I, s:I, s:I, s:o}", "user_code",
					     code->user_code, "device_code", code->device_code, "state",
					     state_name(code, now_ms), "client_id", code->client_id, "scope",
					     code->scope, "user", code->user, "created", (json_int_t)code->created_ms,
					     "expires", (json_int_t)code->expires_ms, "last_poll",
					     (json_int_t)(code->polls ? code->poll_times[code->polls - 1] : 0), "polls",
					     (json_int_t)code->polls, "poll_times", times)));
	}
	return list;
}
