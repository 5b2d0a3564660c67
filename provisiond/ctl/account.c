/*
 * Reads the fields of an account.
 */
#include "provisiond/ctl/account.h"

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static bool is(const struct wire_message *row, const char *key, const char *value)
{
	const char *there = wire_get(row, key);

	return there && strcmp(there, value) == 0;
}

bool account_is_expected(const struct wire_message *row)
{
	return strcmp(wire_kind(row, "status"), "expected") == 0;
}

bool account_row_makes_sense(const struct wire_message *row)
{
	if (!wire_get(row, "name"))
		return false;
	if (account_is_expected(row))
		return wire_get(row, "email") && (is(row, "kind", "link") || is(row, "kind", "add"));
	return strcmp(wire_kind(row, "status"), "account") == 0 && wire_get(row, "uid") && wire_get(row, "state");
}

const char *account_state(const struct wire_message *row)
{
	return account_is_expected(row) ? "expected" : wire_get(row, "state");
}

static long long account_epoch(const struct wire_message *account, const char *key)
{
	long long epoch_s = 0;

	(void)wire_get_number(account, key, 0, LLONG_MAX, &epoch_s);
	return epoch_s;
}

void account_time(const struct wire_message *account, const char *key, char ret_text[static TIME_TEXT_MAX])
{
	time_text_local(account_epoch(account, key), ret_text);
}

/* ---- notes ---- */

static void note_expected(const struct wire_message *row, long long now_s, char ret_note[static NOTE_MAX])
{
	long long expires_s = account_epoch(row, "expires");
	char until[TIME_TEXT_MAX];

	time_text_local(expires_s, until);
	if (is(row, "kind", "add"))
		(void)snprintf(ret_note, NOTE_MAX, "made at the first sign-in");
	else if (expires_s == 0 || expires_s > now_s)
		(void)snprintf(ret_note, NOTE_MAX, "linked at a sign-in until %s", until);
	else
		(void)snprintf(ret_note, NOTE_MAX, "not linked in time (%s)", until);
}

/* "not_assigned" as "not assigned". */
static void note_refusal(const struct wire_message *row, long long now_s, char ret_note[static NOTE_MAX])
{
	const char *refusal = wire_get(row, "refusal");
	char ago[TIME_TEXT_MAX], words[64];

	if (!refusal || !*refusal)
		return;
	(void)snprintf(words, sizeof(words), "%s", refusal);
	for (char *at = words; *at; at++)
		*at = *at == '_' ? ' ' : *at;
	time_text_ago(account_epoch(row, "refused"), now_s, ago);
	(void)snprintf(ret_note, NOTE_MAX, "refused by Okta: %s, %s", words, ago);
}

void account_note(const struct wire_message *row, long long now_s, char ret_note[static NOTE_MAX])
{
	ret_note[0] = '\0';
	if (account_is_expected(row)) {
		note_expected(row, now_s, ret_note);
		return;
	}
	note_refusal(row, now_s, ret_note);
	if (is(row, "linked", "1") && !*ret_note)
		(void)snprintf(ret_note, NOTE_MAX, "linked");
	else if (is(row, "linked", "1"))
		(void)strncat(ret_note, "; linked", NOTE_MAX - strlen(ret_note) - 1);
}

/* ---- JSON ---- */

static void json_time(struct json *json, const struct wire_message *account, const char *key)
{
	char text[TIME_TEXT_MAX];
	long long epoch_s = account_epoch(account, key);

	time_text_utc(epoch_s, text);
	json_string(json, key, epoch_s ? text : NULL);
}

static void json_id(struct json *json, const struct wire_message *row, const char *key)
{
	uint32_t id;

	if (wire_get_id(row, key, &id))
		json_number(json, key, id);
	else
		json_string(json, key, NULL);
}

/* "" and missing are null. */
static void json_text_or_null(struct json *json, const struct wire_message *row, const char *key)
{
	const char *value = wire_get(row, key);

	json_string(json, key, value && *value ? value : NULL);
}

/* Members separated by commas, as an array. */
static void json_list(struct json *json, const struct wire_message *row, const char *key)
{
	const char *at = wire_get(row, key);

	json_begin(json, key, '[');
	while (at && *at) {
		size_t length = strcspn(at, ",");
		char item[64];

		(void)snprintf(item, sizeof(item), "%.*s", length < INT_MAX ? (int)length : INT_MAX, at);
		json_string(json, NULL, item);
		at += length + (at[length] == ',');
	}
	json_end(json, ']');
}

static void json_shown_alone(struct json *json, const struct wire_message *row)
{
	static const char *const texts[] = { "shell", "issuer", "subject" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (wire_get(row, texts[i]))
			json_string(json, texts[i], wire_get(row, texts[i]));
	if (wire_has(row, "groups_given"))
		json_list(json, row, "groups_given");
	if (wire_has(row, "first_subid"))
		json_id(json, row, "first_subid");
	if (wire_has(row, "expires"))
		json_time(json, row, "expires");
}

static void json_expected(struct json *json, const struct wire_message *row)
{
	json_begin(json, NULL, '{');
	json_string(json, "name", wire_get(row, "name"));
	json_string(json, "state", account_state(row));
	json_string(json, "kind", wire_get(row, "kind"));
	json_string(json, "tenant", wire_get(row, "tenant"));
	json_string(json, "email", wire_get(row, "email"));
	json_text_or_null(json, row, "subject");
	json_time(json, row, "expires");
	json_end(json, '}');
}

void account_json(struct json *json, const struct wire_message *row)
{
	static const char *const texts[] = { "tenant", "email", "full_name", "state", "home" };

	if (account_is_expected(row)) {
		json_expected(json, row);
		return;
	}
	json_begin(json, NULL, '{');
	json_string(json, "name", wire_get(row, "name"));
	json_id(json, row, "uid");
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		json_string(json, texts[i], wire_get(row, texts[i]));
	json_text_or_null(json, row, "room");
	json_truth(json, "linked", is(row, "linked", "1"));
	json_time(json, row, "created");
	json_time(json, row, "state_at");
	json_time(json, row, "last_signin");
	json_text_or_null(json, row, "refusal");
	json_time(json, row, "refused");
	json_shown_alone(json, row);
	json_end(json, '}');
}
