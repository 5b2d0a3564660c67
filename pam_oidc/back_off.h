/*
 * How long an issuer is left alone after it said that it gives no more codes (HTTP 429, too_many_user_codes). Pure.
 * Polls of sign-ins that wait have nothing to do with it.
 */
#ifndef PAM_OIDC_BACK_OFF_H
#define PAM_OIDC_BACK_OFF_H

#include <stdbool.h>
#include <stdint.h>

#define BACK_OFF_FIRST_MS (15 * 1000)
#define BACK_OFF_LONGEST_MS (10 * 60 * 1000)
#define BACK_OFF_TRIAL_MS (15 * 1000) /* for an answer to the one request that is let through */

/* All zero at the beginning. Times are wire_now_ms(). */
struct back_off {
	unsigned refusals; /* in a row; 0: none is under way */
	bool trial;        /* one request was let through, and its answer is not there yet */
	int64_t until_ms;
};

/* How long no request may be sent; 0 when one may be. */
int64_t back_off_left_ms(const struct back_off *back_off, int64_t now_ms);
/* The same, for one who is about to send: when a back-off has just run out, it is the one to try, and the others wait
 * for what becomes of it. */
int64_t back_off_take_turn(struct back_off *back_off, int64_t now_ms);
/* The issuer refused, and would like to be left alone for wish_ms (0: it did not say). Twice as long as the last time,
 * or as it wishes if that is longer; never longer than BACK_OFF_LONGEST_MS. Refusals of requests that were sent
 * together count once. */
void back_off_refused(struct back_off *back_off, int64_t wish_ms, int64_t now_ms);
/* The issuer gave a code. True when that ended a back-off. */
bool back_off_succeeded(struct back_off *back_off, int64_t now_ms);

#endif
