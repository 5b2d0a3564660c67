/*
 * provisionctl show NAME: all that is on record for one account.
 */
#include "provisiond/ctl/command.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "provisiond/ctl/account.h"
#include "provisiond/ctl/conversation.h"
#include "provisiond/ctl/table.h"
#include "provisiond/ctl/terminal.h"

static void add_line(struct table *table, const char *label, const char *value)
{
	table_add(table, label);
	table_add(table, value);
}

static bool print_state(const struct wire_message *account, bool colour)
{
	static const struct column columns[] = { { NULL, COLUMN_LABEL }, { NULL, COLUMN_STATE } };
	_cleanup_table_ struct table table = { .columns = columns, .column_count = 2 };
	char created[TIME_TEXT_MAX], last_signin[TIME_TEXT_MAX];

	account_time(account, "created", created);
	account_time(account, "last_signin", last_signin);
	add_line(&table, "Name", wire_get(account, "name"));
	add_line(&table, "Uid", wire_get(account, "uid"));
	add_line(&table, "State", wire_get(account, "state"));
	add_line(&table, "Full name", wire_get(account, "full_name"));
	add_line(&table, "Email", wire_get(account, "email"));
	add_line(&table, "Tenant", wire_get(account, "tenant"));
	add_line(&table, "Home", wire_get(account, "home"));
	add_line(&table, "Shell", wire_get(account, "shell"));
	add_line(&table, "Created", created);
	add_line(&table, "Last sign-in", last_signin);
	add_line(&table, "Issuer", wire_get(account, "issuer"));
	add_line(&table, "Subject", wire_get(account, "subject"));
	return table_print(&table, colour, stdout);
}

static enum exit_code not_found(const char *name)
{
	_cleanup_free_ char *shown = terminal_text(name);

	if (!shown)
		return complain_of_memory();
	complain("there is no account \"%s\" in provisiond's record. See all of them: provisionctl list", shown);
	return EXIT_NOTHING;
}

static bool has_required_fields(const struct wire_message *account)
{
	for (size_t i = 0; account_required_fields[i]; i++)
		if (!wire_get(account, account_required_fields[i]))
			return false;
	return true;
}

enum exit_code show_account(const struct invocation *invocation)
{
	_cleanup_conversation_ struct conversation conversation = NO_CONVERSATION;
	const char *name = invocation->arguments[0];
	struct json json = { .out = stdout };
	struct wire_message account;
	enum exit_code code = conversation_begin(&provisiond, "show", "name", name, &conversation);

	if (code == EXIT_DONE)
		code = conversation_next(&conversation, &account);
	if (code != EXIT_DONE)
		return code;
	if (strcmp(wire_kind(&account, "status"), "unknown") == 0)
		return not_found(name);
	if (strcmp(wire_kind(&account, "status"), "account") != 0 || !has_required_fields(&account))
		return conversation_nonsense(&conversation);
	if (invocation->json)
		account_json(&json, &account);
	else if (!print_state(&account, invocation->colour))
		return complain_of_memory();
	return EXIT_DONE;
}
