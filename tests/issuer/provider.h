/*
 * The OpenID provider itself: all that it knows, and its one story, from a request to its answer.
 */
#ifndef ISSUER_PROVIDER_H
#define ISSUER_PROVIDER_H

#include <jansson.h>

#include "tests/issuer/answer.h"
#include "tests/issuer/codes.h"
#include "tests/issuer/faults.h"
#include "tests/issuer/journal.h"
#include "tests/issuer/keyring.h"
#include "tests/issuer/limits.h"
#include "tests/issuer/request.h"

struct provider {
	char *base_url;        /* https://NAME:PORT */
	char *client_jwt_path; /* PEM with public keys of the client that signs assertions; need not exist */
	json_t *extra_users;   /* those of --users, or NULL */
	struct keyring *keyring;
	struct codes *codes;
	struct faults faults;
	struct journal journal;
	struct limits limits;
	json_t *users;              /* by name, see users.h */
	json_t *clients;            /* by client_id, see clients.h */
	json_t *settings;           /* see settings.h */
	json_t *wrongs;             /* what the next tokens shall have wrong; see id_token.h */
	json_t *grants;             /* by access token, see grants.h */
	json_t *seen_jti;           /* of client assertions: client and jti -> exp */
	unsigned char page_key[32]; /* the activation page's forms are bound with it */
};

/* Takes base_url and extra_users (may be NULL) over. */
struct provider *provider_new(char *base_url, char *client_jwt_path, json_t *extra_users);
void provider_free(struct provider *provider);
/* Everything back to the start, the keys excepted. */
void provider_reset(struct provider *provider);

/* The whole way of one request: route, note, limit, fault or endpoint. Returns its number in the journal. */
uint64_t provider_answer(struct provider *provider, struct request *request, struct answer *ret_answer);

#endif
