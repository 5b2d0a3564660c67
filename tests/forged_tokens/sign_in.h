/*
 * One sign-in of alice's with a given token, through the product's own chain: pam_oidcd's sign-in from the first
 * question to the last (pam_oidc/signin.c and all that it calls to judge a token), then provisiond's reading of the
 * `admit` message and its rules of admission. Only the edges are played: the network, the clock and the loop,
 * provisiond's socket, and its database.
 */
#ifndef TESTS_FORGED_TOKENS_SIGN_IN_H
#define TESTS_FORGED_TOKENS_SIGN_IN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/reason.h"
#include "common/config.h"
#include "common/wire.h"
#include "pam_oidc/jwks.h"
#include "pam_oidc/replay.h"
#include "tests/forged_tokens/attack.h"

/* What the issuer says at each turn. */
struct issuer_answers {
	const char *token_answer;
	const char *userinfo;
	long userinfo_status;
	const struct jwks *keys;
};

struct sign_in_end {
	bool admitted;
	char account[64];
	enum reason reason;
	char text[512];      /* for the person */
	char log[2048];      /* what pam_oidcd logged */
	bool asked_to_admit; /* pam_oidcd let the token pass, so provisiond decided */
	bool asked_userinfo;
	bool asked_userinfo_with_token; /* with the access token that came along */
	unsigned key_fetches;
};

/* Once, before anything else, and after everything. */
void machine_set_up(void);
void machine_take_down(void);

/* now_s: this machine's clock, epoch seconds. */
void sign_in_alice(const struct issuer_answers *answers, enum on_record record, enum tenant_kind tenant,
		   enum kind_of_key kind, int64_t now_s, struct replay *replay, struct sign_in_end *ret_end);

/* --- provisiond's part --- */

/* The entry that the name service promises for alice. */
uid_t machine_promises_uid(const struct config *config);
/* Judges an `admit` message as provisiond does. The answer is written to it. */
void machine_judges(const struct config *config, enum on_record record, const struct wire_message *message,
		    struct wire_writer *ret_answer);

#endif
