/*
 * A change of an account that exists: what is to be true of its record, its rows and its home afterwards. A value.
 *
 * Everything in it is absolute ("one `!` before the password", "not a member of radiology"), never relative ("one `!`
 * more"): after a crash it is carried out again from its beginning, whatever of it was done before. The plan is put on
 * record first, together with the account's new row (lifecycle.h), and taken off the record last.
 */
#ifndef PROVISIOND_PLANNED_CHANGE_H
#define PROVISIOND_PLANNED_CHANGE_H

#include <stdbool.h>

#include "common/cleanup.h"
#include "provisiond/account_record.h"

enum change_kind {
	CHANGE_UPDATE, /* email, full name, room, groups, expiry; also the end of `incomplete` */
	CHANGE_LINK,   /* a local account gets an owner */
	CHANGE_UNLINK, /* and is given back as it was */
	CHANGE_DEACTIVATE,
	CHANGE_REACTIVATE,
	CHANGE_REMOVE,
	CHANGE_REASSIGN, /* the name is free for a successor; its former owner's uid is nobody's for ever */
	CHANGE_KIND_COUNT
};

enum home_fate {
	HOME_STAYS,
	HOME_IS_REMOVED,
	HOME_IS_MOVED, /* to home_to */
	HOME_FATE_COUNT
};

struct planned_change {
	enum change_kind kind;
	/* The account as it is on record from the moment the change is begun. Its state is the stricter one of before
	 * and after; state_after follows when all is done. (UNLINK and REASSIGN end with the row gone from the
	 * accounts.) */
	struct account_record record;
	enum account_state state_after;
	/* Its rows. NULL or negative leaves what is there. */
	const char *gecos;
	int locks;              /* how many `!` stand before the password */
	const char *ageing;     /* "LASTCHANGE:MIN:MAX:WARN:INACTIVE" */
	const char *expiry;     /* days, or "" for none */
	const char *groups_in;  /* separated by commas: a member of these, ... */
	const char *groups_out; /* ... and of none of these; "*" means every group but its own */
	/* Effects outside of the files. */
	bool end_sessions; /* processes, lingering services */
	enum home_fate home;
	const char *home_to; /* with HOME_IS_MOVED: where to; NULL otherwise */
	uid_t next_uid;      /* REASSIGN: the uid that the name is reserved for from then on */
	char *storage;       /* one block that holds the strings of a copy, or NULL when they live elsewhere */
};

/* "update", "link", ... as in the database. Lives for ever. */
const char *change_kind_name(enum change_kind kind);
bool change_kind_from_name(const char *name, enum change_kind *ret_kind);
/* A change that leaves all as it is, to start from. It borrows the record's strings. */
struct planned_change planned_change_none(enum change_kind kind, const struct account_record *record);
/* A copy whose strings are its own, the record's too. 0 or -ENOMEM. The caller clears it. */
int planned_change_copy(const struct planned_change *change, struct planned_change *ret_copy);
/* Frees what the change and its record own, and empties both. Takes an empty one. */
void planned_change_clear(struct planned_change *change);

#define _cleanup_planned_change_ _cleanup_(planned_change_clear)

#endif
