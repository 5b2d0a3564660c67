/*
 * Reads the fields of an account.
 */
#include "provisiond/ctl/account.h"

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

const char *const account_required_fields[] = { "name", "uid", "state", NULL };

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

static void json_time(struct json *json, const struct wire_message *account, const char *key)
{
	char text[TIME_TEXT_MAX];
	long long epoch_s = account_epoch(account, key);

	time_text_utc(epoch_s, text);
	json_string(json, key, epoch_s ? text : NULL);
}

void account_json(struct json *json, const struct wire_message *account)
{
	static const char *const before[] = { "tenant", "email", "full_name", "state", "home" };
	static const char *const shown_alone[] = { "shell", "issuer", "subject" };
	uint32_t uid;

	json_begin(json, NULL, '{');
	json_string(json, "name", wire_get(account, "name"));
	if (wire_get_id(account, "uid", &uid))
		json_number(json, "uid", uid);
	else
		json_string(json, "uid", NULL);
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++)
		json_string(json, before[i], wire_get(account, before[i]));
	json_time(json, account, "created");
	json_time(json, account, "last_signin");
	for (size_t i = 0; i < sizeof(shown_alone) / sizeof(shown_alone[0]); i++)
		if (wire_get(account, shown_alone[i]))
			json_string(json, shown_alone[i], wire_get(account, shown_alone[i]));
	json_end(json, '}');
}
