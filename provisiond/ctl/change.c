/*
 * Carries a change to provisiond and its outcome to the person.
 */
#include "provisiond/ctl/change.h"

#include <string.h>

#include "provisiond/ctl/confirm.h"
#include "provisiond/ctl/json.h"
#include "provisiond/ctl/terminal.h"

/* ---- asking ---- */

enum exit_code change_ask(const struct change *change, unsigned flags, struct conversation *conversation)
{
	char question[QUESTION_MAX];
	struct wire_writer writer;

	wire_begin(&writer, question, sizeof(question), "op", change->op);
	for (size_t i = 0; i < CHANGE_FIELDS_MAX; i++)
		if (change->fields[i].key)
			wire_put(&writer, change->fields[i].key, change->fields[i].value);
	wire_put(&writer, "dry", flags & CHANGE_DRY ? "1" : NULL);
	wire_put(&writer, "confirmed", flags & CHANGE_CONFIRMED ? "1" : NULL);
	return conversation_ask(&provisiond, &writer, CHANGE_PATIENCE_S, conversation);
}

static bool is(const struct wire_message *answer, const char *status)
{
	return strcmp(wire_kind(answer, "status"), status) == 0;
}

static bool makes_sense(const struct wire_message *answer)
{
	size_t cursor = 0;

	if (is(answer, "done"))
		return wire_get(answer, "account") && wire_next(answer, "did", &cursor);
	return (is(answer, "refused") && wire_get(answer, "reason") && wire_get(answer, "text")) ||
	       (is(answer, "ask") && wire_get(answer, "text"));
}

enum exit_code change_answer(struct conversation *conversation, struct wire_message *ret_answer)
{
	struct wire_message answer;
	enum exit_code code = conversation_next(conversation, &answer);

	if (code != EXIT_DONE)
		return code;
	if (!makes_sense(&answer))
		return conversation_nonsense(conversation);
	*ret_answer = answer;
	return EXIT_DONE;
}

static enum exit_code ask_and_hear(const struct change *change, unsigned flags, struct conversation *conversation,
				   struct wire_message *ret_answer)
{
	enum exit_code code = change_ask(change, flags, conversation);

	return code == EXIT_DONE ? change_answer(conversation, ret_answer) : code;
}

enum exit_code change_code(const struct wire_message *answer)
{
	const char *reason = wire_get(answer, "reason");

	if (is(answer, "done"))
		return EXIT_DONE;
	if (reason && strcmp(reason, "not_found") == 0)
		return EXIT_NOTHING;
	return reason && (strcmp(reason, "storage") == 0 || strcmp(reason, "unavailable") == 0) ? EXIT_FAILED
												: EXIT_REFUSED;
}

/* ---- printing ---- */

static void print_json(const struct wire_message *answer, bool dry_run)
{
	static const char *const texts[] = { "status", "account", "reason", "text" };
	struct json json = { .out = stdout };
	const char *did;
	size_t cursor = 0;

	json_begin(&json, NULL, '{');
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (wire_get(answer, texts[i]))
			json_string(&json, texts[i], wire_get(answer, texts[i]));
	json_truth(&json, "dry_run", dry_run);
	if (is(answer, "done")) {
		json_begin(&json, "did", '[');
		while ((did = wire_next(answer, "did", &cursor)) != NULL)
			json_string(&json, NULL, did);
		json_end(&json, ']');
	}
	json_end(&json, '}');
}

/* One sentence a line, each behind `before`. False without memory. */
static bool print_sentences(const struct wire_message *answer, const char *before, FILE *out)
{
	const char *did;
	size_t cursor = 0;

	while ((did = wire_next(answer, "did", &cursor)) != NULL) {
		_cleanup_free_ char *shown = terminal_text(did);

		if (!shown)
			return false;
		(void)fprintf(out, "%s%s\n", before, shown);
	}
	return true;
}

enum exit_code change_print(const struct wire_message *answer, const struct invocation *invocation)
{
	if (invocation->json) {
		print_json(answer, invocation->dry_run);
		return change_code(answer);
	}
	if (!is(answer, "done"))
		return complain_about(change_code(answer), "", wire_get(answer, "text"), "");
	if (invocation->dry_run)
		(void)puts("Nothing was changed. Without --dry-run, this would be so:");
	return print_sentences(answer, invocation->dry_run ? "  - " : "", stdout) ? EXIT_DONE : complain_of_memory();
}

/* ---- asking back ---- */

static enum exit_code nothing_was_changed(void)
{
	complain("nothing was changed.");
	return EXIT_NOTHING;
}

/* The daemon asks back. EXIT_DONE for a yes. */
static enum exit_code put_question(const struct wire_message *answer, const struct invocation *invocation)
{
	_cleanup_free_ char *shown = terminal_text(wire_get(answer, "text"));

	if (!shown)
		return complain_of_memory();
	if (invocation->yes)
		return EXIT_DONE;
	if (invocation->json || invocation->dry_run || !confirm_possible()) {
		complain("%s Nothing was changed. If it is meant so, add --yes.", shown);
		return EXIT_REFUSED;
	}
	return confirm(shown) ? EXIT_DONE : nothing_was_changed();
}

enum exit_code change_carry_out(const struct change *change, const struct invocation *invocation)
{
	_cleanup_conversation_ struct conversation conversation = NO_CONVERSATION;
	unsigned flags = (invocation->dry_run ? CHANGE_DRY : 0) | (invocation->yes ? CHANGE_CONFIRMED : 0);
	struct wire_message answer;
	enum exit_code code = ask_and_hear(change, flags, &conversation, &answer);

	if (code == EXIT_DONE && is(&answer, "ask")) {
		code = put_question(&answer, invocation);
		if (code == EXIT_DONE)
			code = ask_and_hear(change, flags | CHANGE_CONFIRMED, &conversation, &answer);
	}
	return code == EXIT_DONE ? change_print(&answer, invocation) : code;
}

enum exit_code change_confirm(const struct change *change, const struct invocation *invocation)
{
	_cleanup_conversation_ struct conversation conversation = NO_CONVERSATION;
	struct wire_message answer;
	enum exit_code code;

	if (invocation->yes || invocation->dry_run || !confirm_possible())
		return EXIT_DONE;
	code = ask_and_hear(change, CHANGE_DRY, &conversation, &answer);
	if (code == EXIT_DONE && is(&answer, "ask"))
		return EXIT_DONE; /* it is asked then */
	if (code == EXIT_DONE && !is(&answer, "done"))
		return change_print(&answer, invocation);
	if (code != EXIT_DONE)
		return code;
	(void)fputs("This will be done:\n", stderr);
	if (!print_sentences(&answer, "  - ", stderr))
		return complain_of_memory();
	return confirm("Go on?") ? EXIT_DONE : nothing_was_changed();
}

enum exit_code change_carry_out_confirmed(const struct change *change, const struct invocation *invocation)
{
	enum exit_code code = change_confirm(change, invocation);

	return code == EXIT_DONE ? change_carry_out(change, invocation) : code;
}
