/*
 * provisionctl list: every account that provisiond made or was given, and everybody who is expected.
 */
#include "provisiond/ctl/command.h"

#include <time.h>

#include "common/cleanup.h"
#include "provisiond/ctl/account.h"
#include "provisiond/ctl/answers.h"
#include "provisiond/ctl/table.h"
#include "provisiond/ctl/terminal.h"

static void print_json(const struct answers *rows)
{
	struct json json = { .out = stdout };

	json_begin(&json, NULL, '[');
	for (size_t i = 0; i < rows->count; i++) {
		struct wire_message row = answers_get(rows, i);

		account_json(&json, &row);
	}
	json_end(&json, ']');
}

/* For completion and scripts. False without memory. */
static bool print_names(const struct answers *rows)
{
	for (size_t i = 0; i < rows->count; i++) {
		struct wire_message row = answers_get(rows, i);
		_cleanup_free_ char *shown = terminal_text(wire_get(&row, "name"));

		if (!shown)
			return false;
		(void)puts(shown);
	}
	return true;
}

/* Columns that are empty for everybody are left out. */
static void find_columns(const struct answers *rows, long long now_s, bool *ret_room, bool *ret_note)
{
	for (size_t i = 0; i < rows->count && !(*ret_room && *ret_note); i++) {
		struct wire_message row = answers_get(rows, i);
		const char *room = wire_get(&row, "room");
		char note[NOTE_MAX];

		account_note(&row, now_s, note);
		*ret_room |= room && *room;
		*ret_note |= *note != '\0';
	}
}

static bool print_table(const struct answers *rows, bool colour, long long now_s)
{
	enum { ROOM = 3, NOTE = 8 };
	static const struct column all[] = {
		{ "NAME", COLUMN_TEXT, 0 },  { "UID", COLUMN_NUMBER, 3 },     { "STATE", COLUMN_STATE, 0 },
		{ "ROOM", COLUMN_TEXT, 0 },  { "TENANT", COLUMN_TEXT, 1 },    { "LAST SIGN-IN", COLUMN_TEXT, 4 },
		{ "EMAIL", COLUMN_TEXT, 0 }, { "FULL NAME", COLUMN_TEXT, 2 }, { "NOTE", COLUMN_TEXT, 0 },
	};
	struct column columns[sizeof(all) / sizeof(all[0])];
	_cleanup_table_ struct table table = { .columns = columns, .widest = terminal_columns() };
	bool rooms = false, notes = false;

	find_columns(rows, now_s, &rooms, &notes);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if ((i != ROOM || rooms) && (i != NOTE || notes))
			columns[table.column_count++] = all[i];
	for (size_t i = 0; i < rows->count; i++) {
		struct wire_message row = answers_get(rows, i);
		char last_signin[TIME_TEXT_MAX], note[NOTE_MAX];

		account_time(&row, "last_signin", last_signin);
		account_note(&row, now_s, note);
		table_add(&table, wire_get(&row, "name"));
		table_add(&table, wire_get(&row, "uid"));
		table_add(&table, account_state(&row));
		if (rooms)
			table_add(&table, wire_get(&row, "room"));
		table_add(&table, wire_get(&row, "tenant"));
		table_add(&table, account_is_expected(&row) ? NULL : last_signin);
		table_add(&table, wire_get(&row, "email"));
		table_add(&table, wire_get(&row, "full_name"));
		if (notes)
			table_add(&table, note);
	}
	return table_print(&table, colour, stdout);
}

enum exit_code list_accounts(const struct invocation *invocation)
{
	_cleanup_conversation_ struct conversation conversation = NO_CONVERSATION;
	_cleanup_answers_ struct answers rows = { 0 };
	enum exit_code code = conversation_begin(&provisiond, "list", NULL, NULL, &conversation);
	bool printed = true;

	if (code == EXIT_DONE)
		code = answers_collect(&conversation, account_row_makes_sense, &rows);
	if (code != EXIT_DONE)
		return code;
	answers_sort(&rows, "name");
	if (invocation->json)
		print_json(&rows);
	else if (invocation->names)
		printed = print_names(&rows);
	else if (rows.count == 0)
		complain("there is no account yet. Each is made when its owner signs in for the first time.");
	else
		printed = print_table(&rows, invocation->colour, (long long)time(NULL));
	if (!printed)
		return complain_of_memory();
	return rows.count > 0 ? EXIT_DONE : EXIT_NOTHING;
}
