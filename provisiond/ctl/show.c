/*
 * provisionctl show NAME: all that is on record for one account, or for somebody who is expected.
 */
#include "provisiond/ctl/command.h"

#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "provisiond/ctl/account.h"
#include "provisiond/ctl/conversation.h"
#include "provisiond/ctl/table.h"
#include "provisiond/passwd.h"

static const struct {
	const char *label, *key;
	enum { ALWAYS, WHEN_SAID, TIME, TIME_WHEN_SAID, RANGE } kind;
} lines[] = {
	{ "Full name", "full_name", ALWAYS },
	{ "Email", "email", ALWAYS },
	{ "Tenant", "tenant", ALWAYS },
	{ "Room", "room", WHEN_SAID },
	{ "Home", "home", ALWAYS },
	{ "Shell", "shell", ALWAYS },
	{ "Groups given", "groups_given", WHEN_SAID },
	{ "Subordinate ids", "first_subid", RANGE },
	{ "Created", "created", TIME },
	{ "State since", "state_at", TIME_WHEN_SAID },
	{ "Last sign-in", "last_signin", TIME },
	{ "Expires", "expires", TIME_WHEN_SAID },
	{ "Issuer", "issuer", ALWAYS },
	{ "Subject", "subject", ALWAYS },
};

static void add_line(struct table *table, const char *label, const char *value)
{
	table_add(table, label);
	table_add(table, value);
}

/* Says something: neither empty nor the 0 that stands for nothing. */
static bool says(const char *value)
{
	return value && *value && strcmp(value, "0") != 0;
}

/* "100000-165535" for the first of them. */
static const char *range(const struct wire_message *account, const char *key, char ret_text[static TIME_TEXT_MAX])
{
	uint32_t first;

	if (!wire_get_id(account, key, &first))
		return NULL;
	(void)snprintf(ret_text, TIME_TEXT_MAX, "%lu-%lu", (unsigned long)first,
		       (unsigned long)first + SUBID_COUNT - 1);
	return ret_text;
}

static void add_lines_of_account(struct table *table, const struct wire_message *account)
{
	add_line(table, "Uid", wire_get(account, "uid"));
	add_line(table, "State", account_state(account));
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const char *value = wire_get(account, lines[i].key);
		char text[TIME_TEXT_MAX];

		if (lines[i].kind != ALWAYS && lines[i].kind != TIME && !says(value))
			continue;
		if (lines[i].kind == TIME || lines[i].kind == TIME_WHEN_SAID) {
			account_time(account, lines[i].key, text);
			value = text;
		} else if (lines[i].kind == RANGE) {
			value = range(account, lines[i].key, text);
		}
		add_line(table, lines[i].label, value);
	}
}

static void add_lines_of_expected(struct table *table, const struct wire_message *expected)
{
	add_line(table, "State", account_state(expected));
	add_line(table, "Email", wire_get(expected, "email"));
	add_line(table, "Tenant", wire_get(expected, "tenant"));
	if (says(wire_get(expected, "subject")))
		add_line(table, "Subject", wire_get(expected, "subject"));
}

static bool print_state(const struct wire_message *row, bool colour)
{
	static const struct column columns[] = { { NULL, COLUMN_LABEL, 0 }, { NULL, COLUMN_STATE, 0 } };
	_cleanup_table_ struct table table = { .columns = columns, .column_count = 2 };
	char note[NOTE_MAX];

	add_line(&table, "Name", wire_get(row, "name"));
	if (account_is_expected(row))
		add_lines_of_expected(&table, row);
	else
		add_lines_of_account(&table, row);
	account_note(row, (long long)time(NULL), note);
	if (*note)
		add_line(&table, "Note", note);
	return table_print(&table, colour, stdout);
}

enum exit_code show_account(const struct invocation *invocation)
{
	_cleanup_conversation_ struct conversation conversation = NO_CONVERSATION;
	const char *name = invocation->arguments[0];
	struct json json = { .out = stdout };
	struct wire_message row;
	enum exit_code code = conversation_begin(&provisiond, "show", "name", name, &conversation);

	if (code == EXIT_DONE)
		code = conversation_next(&conversation, &row);
	if (code != EXIT_DONE)
		return code;
	if (strcmp(wire_kind(&row, "status"), "unknown") == 0)
		return complain_about(EXIT_NOTHING, "there is no account \"", name,
				      "\" in provisiond's record. See all of them: provisionctl list");
	if (!account_row_makes_sense(&row))
		return conversation_nonsense(&conversation);
	if (invocation->json)
		account_json(&json, &row);
	else if (!print_state(&row, invocation->colour))
		return complain_of_memory();
	return EXIT_DONE;
}
