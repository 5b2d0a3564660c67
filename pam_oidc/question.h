/*
 * One question to provisiond and its answer, without blocking the loop.
 */
#ifndef PAM_OIDC_QUESTION_H
#define PAM_OIDC_QUESTION_H

#include <stdint.h>

#include "common/wire.h"
#include "pam_oidc/loop.h"

struct question;

/* Called once unless cancelled. answer is NULL when none came in time or it was malformed; it lives until the call
 * returns. */
typedef void question_answered(void *context, const struct wire_message *answer);

/* Sends a message to provisiond. NULL when it could not be sent at all; then nobody is called. */
struct question *question_ask(struct loop *loop, const struct wire_writer *message, int64_t timeout_ms,
			      question_answered *answered, void *context);
/* The same, but a provisiond that hangs up without an answer is asked once more: it may have been started anew. Only
 * for what may be asked twice. */
struct question *question_ask_again(struct loop *loop, const struct wire_writer *message, int64_t timeout_ms,
				    question_answered *answered, void *context);
/* Takes NULL. */
void question_cancel(struct question *question);

#endif
