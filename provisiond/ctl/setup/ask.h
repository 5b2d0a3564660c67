/*
 * Questions to the person at the terminal. An interruption (interruption.h) ends every wait.
 */
#ifndef PROVISIOND_CTL_SETUP_ASK_H
#define PROVISIOND_CTL_SETUP_ASK_H

#include <stdbool.h>
#include <stddef.h>

#include "common/secret.h"

enum asked {
	ASKED_ANSWER,
	ASKED_NOTHING, /* the time is up */
	ASKED_ENDED,   /* nobody answers any more: interrupted, or the end of the input */
};

#define ANSWER_MAX 1024 /* bytes, NUL included */

/* Whether there is somebody to ask: standard input and standard error are a terminal. */
bool ask_possible(void);
/* Waits for a line on standard input for timeout_ms (-1: without end). With ASKED_ANSWER the line, without its end and
 * without blanks around it, is in ret_line; one that is too long is read whole and comes back as "". */
enum asked ask_line(int timeout_ms, char ret_line[static ANSWER_MAX]);
/* Shows the question on standard error, and the answer that Enter alone gives in brackets unless it is NULL. */
enum asked ask(const char *question, const char *otherwise, char ret_line[static ANSWER_MAX]);
/* The same for a secret of any bytes but the end of a line: nothing of it is shown. Empty when Enter alone was
 * pressed. */
enum asked ask_secret(const char *question, struct secret *ret_secret);
/* Asks until "yes" or "no" (or y, n) is typed; Enter alone means `otherwise`. */
enum asked ask_yes(const char *question, bool otherwise, bool *ret_yes);

#endif
