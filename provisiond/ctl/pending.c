/*
 * provisionctl pending: who is signing in right now. The answer comes from pam_oidcd; codes are not part of it.
 */
#include "provisiond/ctl/command.h"

#include <limits.h>
#include <string.h>

#include "common/cleanup.h"
#include "provisiond/ctl/answers.h"
#include "provisiond/ctl/json.h"
#include "provisiond/ctl/table.h"
#include "provisiond/ctl/time_text.h"

static long long seconds_of(const struct wire_message *signin, const char *key)
{
	long long seconds = 0;

	(void)wire_get_number(signin, key, 0, LLONG_MAX, &seconds);
	return seconds;
}

static void print_json(const struct answers *signins)
{
	static const char *const texts[] = { "id", "name", "service", "rhost", "tty", "tenant", "state" };
	struct json json = { .out = stdout };

	json_begin(&json, NULL, '[');
	for (size_t i = 0; i < signins->count; i++) {
		struct wire_message signin = answers_get(signins, i);

		json_begin(&json, NULL, '{');
		for (size_t j = 0; j < sizeof(texts) / sizeof(texts[0]); j++)
			json_string(&json, texts[j], wire_get(&signin, texts[j]));
		json_number(&json, "age_s", seconds_of(&signin, "age"));
		json_number(&json, "expires_in_s", seconds_of(&signin, "expires_in"));
		json_end(&json, '}');
	}
	json_end(&json, ']');
}

static bool print_table(const struct answers *signins, bool colour)
{
	static const struct column columns[] = {
		{ "ID", COLUMN_TEXT, 0 },    { "NAME", COLUMN_TEXT, 0 },   { "SERVICE", COLUMN_TEXT, 0 },
		{ "FROM", COLUMN_TEXT, 0 },  { "TTY", COLUMN_TEXT, 0 },    { "TENANT", COLUMN_TEXT, 0 },
		{ "AGE", COLUMN_NUMBER, 0 }, { "LEFT", COLUMN_NUMBER, 0 }, { "STATE", COLUMN_TEXT, 0 },
	};
	static const char *const texts[] = { "id", "name", "service", "rhost", "tty", "tenant" };
	_cleanup_table_ struct table table = { .columns = columns,
					       .column_count = sizeof(columns) / sizeof(columns[0]) };

	for (size_t i = 0; i < signins->count; i++) {
		struct wire_message signin = answers_get(signins, i);
		char age[TIME_TEXT_MAX], left[TIME_TEXT_MAX];

		time_text_duration(seconds_of(&signin, "age"), age);
		time_text_duration(seconds_of(&signin, "expires_in"), left);
		for (size_t j = 0; j < sizeof(texts) / sizeof(texts[0]); j++)
			table_add(&table, wire_get(&signin, texts[j]));
		table_add(&table, age);
		table_add(&table, left);
		table_add(&table, wire_get(&signin, "state"));
	}
	return table_print(&table, colour, stdout);
}

static bool makes_sense(const struct wire_message *row)
{
	return strcmp(wire_kind(row, "status"), "signin") == 0 && wire_get(row, "id") && wire_get(row, "name");
}

enum exit_code list_pending(const struct invocation *invocation)
{
	_cleanup_conversation_ struct conversation conversation = NO_CONVERSATION;
	_cleanup_answers_ struct answers signins = { 0 };
	enum exit_code code = conversation_begin(&pam_oidcd, "pending", NULL, NULL, &conversation);

	if (code == EXIT_DONE)
		code = answers_collect(&conversation, makes_sense, &signins);
	if (code != EXIT_DONE)
		return code;
	if (invocation->json)
		print_json(&signins);
	else if (signins.count == 0)
		complain("nobody is signing in at the moment.");
	else if (!print_table(&signins, invocation->colour))
		return complain_of_memory();
	return signins.count > 0 ? EXIT_DONE : EXIT_NOTHING;
}
