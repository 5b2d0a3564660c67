/*
 * The people who can sign in at this issuer: those built in, those of --users and those that tests add.
 *
 * A user is a JSON object: login, email, email_verified (may be missing), name, sub, groups, amr, assigned,
 * policy_denied, listed (offered on the activation page), claims (further ones for ID token and userinfo).
 */
#ifndef ISSUER_USERS_H
#define ISSUER_USERS_H

#include <stdbool.h>

#include <jansson.h>

/* A new object: name -> user. */
json_t *users_builtin(void);
/* Adds or replaces users; members that a new one leaves out are made up from its name. NULL; or what is wrong, which
 * the caller frees. */
char *users_add(json_t *users, json_t *more);
/* By name, login or email (borrowed), with the name under which it stands; NULL when nobody is called so. */
json_t *users_find(json_t *users, const char *who, const char **ret_name);

const char *user_text(const json_t *user, const char *member);
/* True unless the user says assigned: false. */
bool user_is_assigned(const json_t *user);
bool user_is_policy_denied(const json_t *user);

#endif
