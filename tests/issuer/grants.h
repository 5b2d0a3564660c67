/*
 * Access tokens that were issued, and what they are good for.
 *
 * A grant is a JSON object: client_id, user (name), scope, issuer, sub, username, iat, exp.
 */
#ifndef ISSUER_GRANTS_H
#define ISSUER_GRANTS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

/* Remembers a grant (the reference is taken over) under its access token. Expired ones are forgotten now and then. */
void grants_add(json_t *grants, const char *access_token, json_t *grant, int64_t now_s);
/* Borrowed; NULL when the token was never issued, was revoked or has expired. */
const json_t *grants_find(const json_t *grants, const char *access_token, int64_t now_s);

#endif
