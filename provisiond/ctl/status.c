/*
 * provisionctl status: how provisiond is doing.
 */
#include "provisiond/ctl/command.h"

#include <limits.h>
#include <string.h>

#include "common/cleanup.h"
#include "provisiond/ctl/conversation.h"
#include "provisiond/ctl/json.h"
#include "provisiond/ctl/table.h"

static const struct {
	const char *key, *label;
	bool number;
} fields[] = {
	{ "version", "Version", false },          { "accounts", "Accounts", true },
	{ "active", "  active", true },           { "incomplete", "  incomplete", true },
	{ "deactivated", "  deactivated", true }, { "removed", "  removed", true },
	{ "expected", "Expected", true },         { "waiting", "Changes waiting", true },
	{ "lock", "Account files", false },       { "recovery", "Recovery", false },
	{ "database", "Database", false },
};

#define FIELDS (sizeof(fields) / sizeof(fields[0]))

static void print_json(const struct wire_message *answer)
{
	struct json json = { .out = stdout };
	long long number;

	json_begin(&json, NULL, '{');
	for (size_t i = 0; i < FIELDS; i++) {
		if (fields[i].number && wire_get_number(answer, fields[i].key, 0, LLONG_MAX, &number))
			json_number(&json, fields[i].key, number);
		else
			json_string(&json, fields[i].key, wire_get(answer, fields[i].key));
	}
	json_end(&json, '}');
}

/* What a word of the daemon's means to a person. */
static const char *in_words(const char *key, const char *value)
{
	static const struct {
		const char *key, *value, *words;
	} known[] = {
		{ "lock", "free", "not locked" },
		{ "lock", "held", "locked by another program; changes wait for it" },
		{ "recovery", "none", "nothing to finish" },
		{ "recovery", "due", "something begun before is not ended yet; the log says why" },
	};

	for (size_t i = 0; value && i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].key, key) == 0 && strcmp(known[i].value, value) == 0)
			return known[i].words;
	return value;
}

static bool print_table(const struct wire_message *answer, bool colour)
{
	static const struct column columns[] = { { NULL, COLUMN_LABEL, 0 }, { NULL, COLUMN_TEXT, 0 } };
	_cleanup_table_ struct table table = { .columns = columns, .column_count = 2 };

	for (size_t i = 0; i < FIELDS; i++) {
		table_add(&table, fields[i].label);
		table_add(&table, in_words(fields[i].key, wire_get(answer, fields[i].key)));
	}
	return table_print(&table, colour, stdout);
}

enum exit_code show_status(const struct invocation *invocation)
{
	_cleanup_conversation_ struct conversation conversation = NO_CONVERSATION;
	struct wire_message answer;
	enum exit_code code = conversation_begin(&provisiond, "status", NULL, NULL, &conversation);

	if (code == EXIT_DONE)
		code = conversation_next(&conversation, &answer);
	if (code != EXIT_DONE)
		return code;
	if (strcmp(wire_kind(&answer, "status"), "status") != 0 || !wire_get(&answer, "accounts"))
		return conversation_nonsense(&conversation);
	if (invocation->json)
		print_json(&answer);
	else if (!print_table(&answer, invocation->colour))
		return complain_of_memory();
	return EXIT_DONE;
}
