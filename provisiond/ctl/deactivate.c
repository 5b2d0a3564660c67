/*
 * provisionctl deactivate NAME, and deactivate --all-but FILE.
 */
#include "provisiond/ctl/command.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "provisiond/ctl/account.h"
#include "provisiond/ctl/answers.h"
#include "provisiond/ctl/audit_list.h"
#include "provisiond/ctl/change.h"
#include "provisiond/ctl/confirm.h"
#include "provisiond/ctl/json.h"
#include "provisiond/ctl/progress.h"
#include "provisiond/ctl/table.h"
#include "provisiond/ctl/terminal.h"

#define AT_ONCE 16 /* questions under way: provisiond makes one rewrite of all that come together */
#define UNKNOWN_SHOWN 20

/* One account that is not in the list, and what came of it. */
struct leaver {
	struct wire_message account;
	const char *outcome; /* NULL: not tried; "done", "refused" */
	char *text;          /* of a refusal; on the heap */
};

struct leavers {
	struct leaver *leavers;
	size_t count;
	size_t staying; /* who is in the list and active */
};

static struct change deactivation(const char *name, const struct invocation *invocation)
{
	return (struct change){
		.op = "deactivate",
		.fields = { { "name", name }, { "keep_sessions", invocation->keep_sessions ? "1" : NULL } },
	};
}

static void release_leavers(struct leavers *leavers)
{
	for (size_t i = 0; i < leavers->count; i++)
		free(leavers->leavers[i].text);
	free(leavers->leavers);
}

/* ---- who leaves ---- */

static bool can_sign_in(const struct wire_message *row)
{
	const char *state = account_state(row);

	return strcmp(state, "active") == 0 || strcmp(state, "incomplete") == 0;
}

/* False without memory. */
static bool find_leavers(const struct answers *rows, struct audit_list *list, struct leavers *leavers)
{
	leavers->leavers = calloc(rows->count + 1, sizeof(*leavers->leavers));
	if (!leavers->leavers)
		return false;
	for (size_t i = 0; i < rows->count; i++) {
		struct wire_message row = answers_get(rows, i);
		bool named = audit_list_has(list, wire_get(&row, "name"));
		bool listed = audit_list_has(list, wire_get(&row, "email")) || named;

		if (!can_sign_in(&row))
			continue;
		if (listed)
			leavers->staying++;
		else
			leavers->leavers[leavers->count++].account = row;
	}
	audit_list_by_line(list);
	return true;
}

/* A misspelt line deactivates somebody who should stay. */
static enum exit_code name_unknown_lines(const struct audit_list *list)
{
	unsigned shown = 0, left_out = 0;

	for (size_t i = 0; i < list->count; i++) {
		_cleanup_free_ char *word = NULL;

		if (list->entries[i].known)
			continue;
		if (shown == UNKNOWN_SHOWN) {
			left_out++;
			continue;
		}
		word = terminal_text(list->entries[i].word);
		if (!word)
			return complain_of_memory();
		complain("line %u of the list, \"%s\", is no account's name or email.", list->entries[i].line, word);
		shown++;
	}
	if (left_out > 0)
		complain("%u more lines are no account's name or email.", left_out);
	return EXIT_DONE;
}

static bool print_leavers(const struct leavers *leavers, bool colour, FILE *out)
{
	static const struct column columns[] = {
		{ "NAME", COLUMN_TEXT, 0 },
		{ "LAST SIGN-IN", COLUMN_TEXT, 0 },
		{ "EMAIL", COLUMN_TEXT, 0 },
		{ "FULL NAME", COLUMN_TEXT, 0 },
	};
	_cleanup_table_ struct table table = { .columns = columns,
					       .column_count = sizeof(columns) / sizeof(columns[0]) };

	for (size_t i = 0; i < leavers->count; i++) {
		const struct wire_message *account = &leavers->leavers[i].account;
		char last_signin[TIME_TEXT_MAX];

		account_time(account, "last_signin", last_signin);
		table_add(&table, wire_get(account, "name"));
		table_add(&table, last_signin);
		table_add(&table, wire_get(account, "email"));
		table_add(&table, wire_get(account, "full_name"));
	}
	return table_print(&table, colour, out);
}

/* ---- deactivating them ---- */

static enum exit_code hear_one(struct conversation *conversation, struct leaver *leaver, enum exit_code *worst)
{
	_cleanup_free_ char *name = terminal_text(wire_get(&leaver->account, "name"));
	_cleanup_free_ char *text = NULL;
	struct wire_message answer;
	enum exit_code code = change_answer(conversation, &answer);

	if (code != EXIT_DONE)
		return code;
	leaver->outcome = "done";
	if (change_code(&answer) == EXIT_DONE)
		return EXIT_DONE;
	*worst = change_code(&answer);
	leaver->outcome = "refused";
	leaver->text = strdup(wire_get(&answer, "text"));
	text = terminal_text(wire_get(&answer, "text"));
	if (!leaver->text || !name || !text)
		return complain_of_memory();
	complain("%s: %s", name, text);
	return EXIT_DONE;
}

/* Some at a time, each on a connection of its own. */
static enum exit_code deactivate_some(const struct invocation *invocation, struct conversation *conversations,
				      struct leaver *leavers, size_t count, enum exit_code *worst)
{
	enum exit_code code = EXIT_DONE;

	for (size_t i = 0; i < count && code == EXIT_DONE; i++) {
		struct change change = deactivation(wire_get(&leavers[i].account, "name"), invocation);

		code = change_ask(&change, 0, &conversations[i]);
	}
	for (size_t i = 0; i < count && code == EXIT_DONE; i++)
		code = hear_one(&conversations[i], &leavers[i], worst);
	return code;
}

static enum exit_code deactivate_leavers(const struct invocation *invocation, struct leavers *leavers)
{
	_cleanup_free_ struct conversation *conversations = calloc(AT_ONCE, sizeof(*conversations));
	struct progress progress = progress_begin("deactivating", leavers->count);
	enum exit_code code = EXIT_DONE, worst = EXIT_DONE;

	if (!conversations)
		return complain_of_memory();
	for (size_t i = 0; i < AT_ONCE; i++)
		conversations[i].fd = -1;
	while (progress.done < leavers->count && code == EXIT_DONE) {
		size_t left = leavers->count - progress.done, count = left < AT_ONCE ? left : AT_ONCE;

		code = deactivate_some(invocation, conversations, leavers->leavers + progress.done, count, &worst);
		progress.done += count;
		progress_show(&progress);
	}
	progress_end(&progress);
	for (size_t i = 0; i < AT_ONCE; i++)
		conversation_end(&conversations[i]);
	return code == EXIT_DONE ? worst : code;
}

/* ---- telling ---- */

static void print_json(const struct invocation *invocation, const struct leavers *leavers,
		       const struct audit_list *list)
{
	struct json json = { .out = stdout };

	json_begin(&json, NULL, '{');
	json_truth(&json, "dry_run", invocation->dry_run);
	json_number(&json, "staying", (long long)leavers->staying);
	json_begin(&json, "unknown_lines", '[');
	for (size_t i = 0; i < list->count; i++) {
		if (list->entries[i].known)
			continue;
		json_begin(&json, NULL, '{');
		json_number(&json, "line", list->entries[i].line);
		json_string(&json, "text", list->entries[i].word);
		json_end(&json, '}');
	}
	json_end(&json, ']');
	json_begin(&json, "accounts", '[');
	for (size_t i = 0; i < leavers->count; i++) {
		const struct leaver *leaver = &leavers->leavers[i];

		json_begin(&json, NULL, '{');
		json_string(&json, "name", wire_get(&leaver->account, "name"));
		json_string(&json, "email", wire_get(&leaver->account, "email"));
		json_string(&json, "status", leaver->outcome);
		json_string(&json, "text", leaver->text);
		json_end(&json, '}');
	}
	json_end(&json, ']');
	json_end(&json, '}');
}

/* Shows whom it means, and asks where somebody can be asked. */
static enum exit_code announce(const struct invocation *invocation, const struct leavers *leavers)
{
	bool ask = !invocation->yes && !invocation->dry_run && confirm_possible();
	char question[96];

	if (!invocation->json || ask) {
		FILE *out = invocation->json ? stderr : stdout;

		(void)fprintf(out, "%s%zu account%s not in the list, %zu %s:\n",
			      invocation->dry_run
				      ? "Nothing was changed. Without --dry-run, these would be deactivated: "
				      : "To be deactivated: ",
			      leavers->count, leavers->count == 1 ? " is" : "s are", leavers->staying,
			      leavers->staying == 1 ? "stays" : "stay");
		if (!print_leavers(leavers, invocation->colour && !invocation->json, out))
			return complain_of_memory();
	}
	(void)snprintf(question, sizeof(question), "Deactivate %zu account%s?", leavers->count,
		       leavers->count == 1 ? "" : "s");
	if (!ask || confirm(question))
		return EXIT_DONE;
	complain("nobody was deactivated.");
	return EXIT_NOTHING;
}

static void sum_up(const struct leavers *leavers)
{
	size_t done = 0;

	for (size_t i = 0; i < leavers->count; i++)
		done += leavers->leavers[i].outcome && strcmp(leavers->leavers[i].outcome, "done") == 0;
	(void)printf("%zu of %zu account%s deactivated.\n", done, leavers->count,
		     leavers->count == 1 ? " was" : "s were");
}

static enum exit_code all_but(const struct invocation *invocation, const struct answers *rows, struct audit_list *list,
			      struct leavers *leavers)
{
	enum exit_code code;

	if (!find_leavers(rows, list, leavers))
		return complain_of_memory();
	if (!invocation->json && (code = name_unknown_lines(list)) != EXIT_DONE)
		return code;
	if (leavers->staying == 0) {
		complain("no line of the list is an active account's name or email: it is not the right list. Nobody "
			 "was deactivated.");
		return EXIT_REFUSED;
	}
	if (leavers->count == 0 && !invocation->json) {
		(void)puts("Everybody who is active is in the list. Nobody was deactivated.");
		return EXIT_DONE;
	}
	code = leavers->count > 0 ? announce(invocation, leavers) : EXIT_DONE;
	if (code == EXIT_DONE && !invocation->dry_run) {
		code = deactivate_leavers(invocation, leavers);
		if (!invocation->json)
			sum_up(leavers);
	}
	if (invocation->json)
		print_json(invocation, leavers, list);
	return code;
}

enum exit_code deactivate_all_but(const struct invocation *invocation)
{
	_cleanup_conversation_ struct conversation conversation = NO_CONVERSATION;
	_cleanup_audit_list_ struct audit_list list = { 0 };
	_cleanup_answers_ struct answers rows = { 0 };
	_cleanup_(release_leavers) struct leavers leavers = { 0 };
	enum exit_code code = audit_list_read(invocation->all_but, &list);

	if (code == EXIT_DONE)
		code = conversation_begin(&provisiond, "list", NULL, NULL, &conversation);
	if (code == EXIT_DONE)
		code = answers_collect(&conversation, account_row_makes_sense, &rows);
	if (code != EXIT_DONE)
		return code;
	answers_sort(&rows, "name");
	return all_but(invocation, &rows, &list, &leavers);
}

enum exit_code deactivate_account(const struct invocation *invocation)
{
	struct change change;

	if ((invocation->argument_count == 1) == (invocation->all_but != NULL)) {
		complain("usage: provisionctl deactivate NAME, or: provisionctl deactivate --all-but FILE");
		return EXIT_USAGE;
	}
	if (invocation->all_but)
		return deactivate_all_but(invocation);
	change = deactivation(invocation->arguments[0], invocation);
	return change_carry_out(&change, invocation);
}
