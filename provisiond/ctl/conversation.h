/*
 * Questions to a daemon and their answers. Says on standard error what went wrong and what to do about it.
 */
#ifndef PROVISIOND_CTL_CONVERSATION_H
#define PROVISIOND_CTL_CONVERSATION_H

#include "common/cleanup.h"
#include "common/wire.h"
#include "provisiond/ctl/command.h"

struct daemon {
	const char *name; /* also that of its unit */
	const char *socket;
};

extern const struct daemon provisiond, pam_oidcd;

struct conversation {
	const struct daemon *daemon;
	int fd;
	int patience_s;       /* for each answer */
	char bytes[WIRE_MAX]; /* the last answer */
};

#define NO_CONVERSATION ((struct conversation){ .fd = -1 })
#define QUESTION_MAX 2048 /* bytes */

/* Connects and sends `op=<op>`, with a `key=value` field unless key is NULL. The conversation begins as
 * NO_CONVERSATION, and the caller ends it in any case. EXIT_DONE, or another code after a sentence. */
enum exit_code conversation_begin(const struct daemon *daemon, const char *op, const char *key, const char *value,
				  struct conversation *conversation);
/* Connects, where that is yet to be done, and sends this question; its answers may take patience_s. The same. */
enum exit_code conversation_ask(const struct daemon *daemon, const struct wire_writer *question, int patience_s,
				struct conversation *conversation);
/* The next answer; it lives until the next one. EXIT_DONE, or another code after a sentence. */
enum exit_code conversation_next(struct conversation *conversation, struct wire_message *ret_answer);
/* Says that the answer makes no sense, and returns the code for that. */
enum exit_code conversation_nonsense(const struct conversation *conversation);
void conversation_end(struct conversation *conversation);

#define _cleanup_conversation_ _cleanup_(conversation_end)

#endif
