/*
 * Remembers which tokens have made a sign-in, so that none makes two.
 */
#ifndef PAM_OIDC_REPLAY_H
#define PAM_OIDC_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

struct replay;

/* Room for so many tokens at once. NULL when memory ran out. */
struct replay *replay_create(unsigned capacity);
void replay_free(struct replay *replay);

/* True, and remembered until `until`, when this (issuer, jti) was not seen before. False when it was, and also when
 * everything is full of tokens that could still be replayed: then nobody may pass unseen. Times are epoch seconds. */
bool replay_remember(struct replay *replay, const char *issuer, const char *jti, int64_t until, int64_t now);

#endif
