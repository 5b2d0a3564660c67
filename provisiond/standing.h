/*
 * How an account on record stands: its state there, compared with what the account files say of it. Pure.
 */
#ifndef PROVISIOND_STANDING_H
#define PROVISIOND_STANDING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "provisiond/account_record.h"

enum standing {
	STANDING_ACTIVE,
	STANDING_INCOMPLETE,  /* made, but a first-login question is open; whoever signs in is asked */
	STANDING_LAPSED,      /* the latest sign-in with Okta is older than max_signin_age; the next one revives it */
	STANDING_CREATING,    /* being made, or waiting for recovery */
	STANDING_DEACTIVATED, /* by us, or because somebody's shadow expiry is past */
	STANDING_REMOVED,     /* by us, or by somebody's userdel */
	STANDING_FOREIGN,     /* the name is another user's now: somebody removed the account and made a new one */
	STANDING_UNKNOWN,     /* the account files cannot be read */
};

/* The rows of that name in /etc/passwd and /etc/shadow. */
struct standing_rows {
	bool unreadable;
	bool user;
	uid_t uid; /* when user */
	bool expires;
	int64_t expires_day; /* days since the epoch, when expires */
};

/* now_s: epoch seconds. An account is dead from its expiry day on, as for pam_unix(8); max_signin_age_s (0: none)
 * counts to the second. An expiry that this program wrote for max_signin_age, or because the account is incomplete, is
 * told from anybody else's, which only they can lift. */
enum standing standing_of(const struct account_record *record, const struct standing_rows *rows,
			  int64_t max_signin_age_s, int64_t now_s);

#endif
