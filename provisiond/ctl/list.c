/*
 * provisionctl list: every account that provisiond made or was given.
 */
#include "provisiond/ctl/command.h"

#include "common/cleanup.h"
#include "provisiond/ctl/account.h"
#include "provisiond/ctl/answers.h"
#include "provisiond/ctl/table.h"

static void print_json(const struct answers *accounts)
{
	struct json json = { .out = stdout };

	json_begin(&json, NULL, '[');
	for (size_t i = 0; i < accounts->count; i++) {
		struct wire_message account = answers_get(accounts, i);

		account_json(&json, &account);
	}
	json_end(&json, ']');
}

static bool print_table(const struct answers *accounts, bool colour)
{
	static const struct column columns[] = {
		{ "NAME", COLUMN_TEXT },      { "UID", COLUMN_NUMBER },        { "STATE", COLUMN_STATE },
		{ "TENANT", COLUMN_TEXT },    { "LAST SIGN-IN", COLUMN_TEXT }, { "EMAIL", COLUMN_TEXT },
		{ "FULL NAME", COLUMN_TEXT },
	};
	_cleanup_table_ struct table table = { .columns = columns,
					       .column_count = sizeof(columns) / sizeof(columns[0]) };

	for (size_t i = 0; i < accounts->count; i++) {
		struct wire_message account = answers_get(accounts, i);
		char last_signin[TIME_TEXT_MAX];

		account_time(&account, "last_signin", last_signin);
		table_add(&table, wire_get(&account, "name"));
		table_add(&table, wire_get(&account, "uid"));
		table_add(&table, wire_get(&account, "state"));
		table_add(&table, wire_get(&account, "tenant"));
		table_add(&table, last_signin);
		table_add(&table, wire_get(&account, "email"));
		table_add(&table, wire_get(&account, "full_name"));
	}
	return table_print(&table, colour, stdout);
}

enum exit_code list_accounts(const struct invocation *invocation)
{
	_cleanup_conversation_ struct conversation conversation = NO_CONVERSATION;
	_cleanup_answers_ struct answers accounts = { 0 };
	enum exit_code code = conversation_begin(&provisiond, "list", NULL, NULL, &conversation);

	if (code == EXIT_DONE)
		code = answers_collect(&conversation, "account", account_required_fields, &accounts);
	if (code != EXIT_DONE)
		return code;
	answers_sort(&accounts, "name");
	if (invocation->json)
		print_json(&accounts);
	else if (accounts.count == 0)
		complain("there is no account yet. Each is made when its owner signs in for the first time.");
	else if (!print_table(&accounts, invocation->colour))
		return complain_of_memory();
	return accounts.count > 0 ? EXIT_DONE : EXIT_NOTHING;
}
