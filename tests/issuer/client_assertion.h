/*
 * private_key_jwt: whether a client's signed assertion holds (RFC 7523, section 3; OpenID Connect Core, section 9).
 */
#ifndef ISSUER_CLIENT_ASSERTION_H
#define ISSUER_CLIENT_ASSERTION_H

#include <jansson.h>

#include "tests/issuer/request.h"

struct provider;

/* The `sub` of an assertion that nobody has verified yet, to find its client by. NULL when there is none; the caller
 * frees. */
char *client_assertion_subject(const char *assertion);
/* NULL when the request's assertion proves that the client made it; else what is wrong, a string that lives for ever.
 * An assertion that held is remembered until it expires, and fails the next time. */
const char *client_assertion_fault(struct provider *provider, const struct request *request, const json_t *client);

#endif
