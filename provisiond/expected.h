/*
 * Somebody whom the admin expects: the next sign-in with this email takes a local account (`link`), or gets an account
 * under a name of the admin's choice (`add`). A value.
 */
#ifndef PROVISIOND_EXPECTED_H
#define PROVISIOND_EXPECTED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/cleanup.h"

#define EXPECTED_LINK_LIFE_S (7 * 86400)

enum expected_kind { EXPECTED_LINK, EXPECTED_ADD };

struct expected {
	enum expected_kind kind;
	const char *name; /* the account's */
	const char *tenant;
	const char *email;
	const char *subject; /* "": whoever has the email */
	uid_t uid;           /* LINK: the local account's when it was linked: another one is not taken. ADD: 0 */
	int64_t made_at;     /* epoch seconds, as the next */
	int64_t expires_at;  /* 0: never */
	char *storage;       /* one block that holds all strings, or NULL when they live elsewhere */
};

/* now_s: epoch seconds. */
static inline bool expected_is_over(const struct expected *expected, int64_t now_s)
{
	return expected->expires_at != 0 && now_s >= expected->expires_at;
}

int expected_copy(const struct expected *expected, struct expected *ret_copy); /* 0 or -ENOMEM */
void expected_clear(struct expected *expected);                                /* takes an empty one */

#define _cleanup_expected_ _cleanup_(expected_clear)

#endif
