/*
 * What is on record about an account. A value: nothing here reads or writes the database (see store.h).
 */
#ifndef PROVISIOND_ACCOUNT_RECORD_H
#define PROVISIOND_ACCOUNT_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/cleanup.h"
#include "common/names.h"

enum account_state {
	ACCOUNT_CREATING,   /* begun; its files may be there in part */
	ACCOUNT_INCOMPLETE, /* made, but a first-login question is open */
	ACCOUNT_ACTIVE,
	ACCOUNT_DEACTIVATED,
	ACCOUNT_REMOVED, /* no file knows it any more; the row keeps its uid from being used again */
	ACCOUNT_STATE_COUNT
};

struct account_record {
	const char *name;
	uid_t uid;
	gid_t gid;
	const char *tenant;
	const char *issuer;
	const char *subject;
	const char *email;
	const char *full_name; /* as the issuer gave it; "" when it gave none */
	const char *home;
	const char *shell;
	enum account_state state;
	int64_t created_at;     /* epoch seconds, as the next */
	int64_t last_signin_at; /* 0: never */
	const char *room;       /* the answer to the first-login question; "" for none */
	/* Memberships that this program gave, separated by commas: they go when the account goes. "" for none. */
	const char *groups_given;
	/* Memberships of a linked account that the tenant's rules took from it: `unlink` gives them back. The same. */
	const char *groups_taken;
	uint32_t first_subid; /* of its subordinate uids and gids; 0: it has none */
	bool linked;          /* it was a local account before, and `unlink` gives it back */
	/* The account as it was before it was linked (the first two) or deactivated, for its giving back. */
	const char *gecos_before;
	const char *ageing_before; /* "LASTCHANGE:MIN:MAX:WARN:INACTIVE" as in /etc/shadow; "" unless we cleared it */
	const char *expiry_before; /* days, or "" for none: what reactivation and unlinking restore */
	/* The expiry that max_signin_age wrote into /etc/shadow last; "" for none. Whatever else stands there is
	 * somebody else's, and is neither moved nor forgiven. */
	const char *expiry_given;
	bool locked;      /* of the `!` before its password, one is ours */
	bool revived;     /* with ACCOUNT_CREATING: it was removed before, and is again if it does not come to be */
	int64_t state_at; /* epoch seconds: since when it has its state */
	int64_t sessions_ended_at; /* when max_signin_age last ended what the person had running; 0: never */
	const char *refusal;       /* why the issuer last refused somebody of that name; "" for never */
	int64_t refused_at;        /* and when */
	char *storage;             /* one block that holds all strings, or NULL when they live elsewhere */
};

/* "creating", "incomplete", ... as in the database and in answers. Lives for ever. */
const char *account_state_name(enum account_state state);
/* False for an unknown name. */
bool account_state_from_name(const char *name, enum account_state *ret_state);

/* Copies an account name; at most ACCOUNT_NAME_MAX bytes of it. */
void account_name_copy(const char *name, char ret_copy[ACCOUNT_NAME_MAX + 1]);

/* A copy whose strings are its own. 0 or -ENOMEM. The caller clears it. */
int account_record_copy(const struct account_record *record, struct account_record *ret_copy);
/* Frees what the record owns and empties it. Takes an empty one. */
void account_record_clear(struct account_record *record);

#define _cleanup_record_ _cleanup_(account_record_clear)

#endif
