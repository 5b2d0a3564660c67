/*
 * One change that provisiond is asked for: its checks there, what came of it on the screen or as JSON, and the asking
 * back where the daemon or the command wants that.
 */
#ifndef PROVISIOND_CTL_CHANGE_H
#define PROVISIOND_CTL_CHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "provisiond/ctl/conversation.h"

#define CHANGE_FIELDS_MAX 4
#define CHANGE_PATIENCE_S 40 /* the daemon waits for the lock of the account files itself, and gives up first */

struct change {
	const char *op;
	struct change_field {
		const char *key, *value; /* a NULL value is left out */
	} fields[CHANGE_FIELDS_MAX];
};

enum change_flag { CHANGE_DRY = 1, CHANGE_CONFIRMED = 2 };

/* Asks for it. EXIT_DONE when there is an answer, which lives as long as the conversation, or another code after a
 * sentence. */
enum exit_code change_ask(const struct change *change, unsigned flags, struct conversation *conversation);
/* Receives the answer to it: `done`, `refused` or `ask`, with what belongs to it. The same. */
enum exit_code change_answer(struct conversation *conversation, struct wire_message *ret_answer);
/* What the answer means for the shell: EXIT_DONE, EXIT_NOTHING, EXIT_REFUSED or EXIT_FAILED. */
enum exit_code change_code(const struct wire_message *answer);
/* Prints the answer: what was done (or with dry_run would be) to standard output, a refusal to standard error. Returns
 * its code, or EXIT_LOCAL. */
enum exit_code change_print(const struct wire_message *answer, const struct invocation *invocation);

/* The whole of it: asks the daemon, asks back where the daemon wants that, and prints. */
enum exit_code change_carry_out(const struct change *change, const struct invocation *invocation);
/* The same for what cannot be taken back: on a terminal it is shown first what will be done, and asked. */
enum exit_code change_carry_out_confirmed(const struct change *change, const struct invocation *invocation);
/* Shows what would be done, and asks. EXIT_DONE when it is wanted; at once where nobody can be asked, or with --yes. */
enum exit_code change_confirm(const struct change *change, const struct invocation *invocation);

#endif
