/*
 * The applications that may ask for sign-ins, and how they prove who they are (RFC 6749, 2.3; OpenID Connect Core, 9).
 *
 * A client is a JSON object: id, name, auth (none, basic, post, private_key_jwt), secret, device_grant, scopes,
 * public_keys (PEM, for private_key_jwt; else those of DIR/client-jwt.pem).
 */
#ifndef ISSUER_CLIENTS_H
#define ISSUER_CLIENTS_H

#include <stdbool.h>

#include <jansson.h>

#include "tests/issuer/answer.h"
#include "tests/issuer/request.h"

struct provider;

/* A new object: client_id -> client. */
json_t *clients_builtin(void);
/* Adds or replaces clients. NULL; or what is wrong, which the caller frees. */
char *clients_add(json_t *clients, json_t *more);

/* Who makes this request to an endpoint that clients authenticate at. On success *ret_client is borrowed; else the
 * answer is filled in. */
bool client_authenticate(struct provider *provider, const struct request *request, json_t **ret_client,
			 struct answer *answer);

const char *client_text(const json_t *client, const char *member);
bool client_may_use_device_grant(const json_t *client);
/* Whether each of the scopes, separated by spaces, is configured for the client. */
bool client_may_ask_for(const json_t *client, const char *scopes);
/* Whether a list separated by spaces contains the word. */
bool scope_contains(const char *scopes, const char *scope);

#endif
