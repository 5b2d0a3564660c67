/*
 * Adds, alters and removes accounts in /etc/passwd, /etc/shadow, /etc/group, /etc/gshadow, /etc/subuid and /etc/subgid
 * as one transaction, and looks users and groups up in them without NSS. It never decides who gets an account, and
 * touches no row but those it is given.
 */
#ifndef PROVISIOND_PASSWD_H
#define PROVISIOND_PASSWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/cleanup.h"

/* The files below one root. Those of subordinate ids and gshadow may be missing, and stay so. Not for use by several
 * threads. */
struct account_files;

/* What to write. The private group has the account's name; `gid` is its number and the account's primary group. */
struct account_entry {
	const char *name;
	uid_t uid;
	gid_t gid;
	const char *gecos;
	const char *home;
	const char *shell;
	bool closed; /* no way in yet: the password is locked once more, and the expiry is 1 January 1970's morrow */
	const char *expiry;        /* days since the epoch; "" or NULL for none. Not looked at when it is closed */
	const char *const *groups; /* the names of local groups that it is a member of besides; NULL for none */
	size_t group_count;        /* a group that is missing is left out, as with account_alteration */
	uint32_t first_subid; /* SUBID_COUNT subordinate uids and gids from here, in the files there are; 0: none */
};

#define SUBID_COUNT 65536

/* Which account to remove: name and numbers must all be those in the files. */
struct account_identity {
	const char *name;
	uid_t uid;
	gid_t gid;
	/* The next are for account_files_remove(). It was a whole account before: its other rows go also when the
	 * passwd row has gone already (a crash lies between), however they look, as long as their numbers are its. */
	bool whole;
	const char *groups;   /* lists of members that it leaves, separated by commas; "*" for all; NULL for none */
	uint32_t first_subid; /* its rows with these subordinate ids go; all of its name when it was whole. 0: none */
};

/* How the rows of an account that is there shall be. NULL or negative leaves what is there. Absolute, so that it can be
 * applied again. */
struct account_alteration {
	struct account_identity who;
	const char *gecos;
	int locks;              /* how many `!` stand before the password. Where there is none behind them one stays:
				   nobody gets an account without a password from us */
	const char *ageing;     /* "LASTCHANGE:MIN:MAX:WARN:INACTIVE" */
	const char *expiry;     /* days since the epoch; "" for none */
	const char *groups_in;  /* separated by commas. A group that is missing is left out, and account_files_fault()
				   says  so although all else is done */
	const char *groups_out; /* the same; "*" means every group but its own */
};

/* All of this, or nothing. */
struct account_edits {
	const struct account_entry *added;
	size_t added_count;
	const struct account_alteration *altered;
	size_t altered_count;
};

/* DONE apart, only PARTIAL leaves the files other than they were. */
enum account_files_result {
	ACCOUNT_FILES_DONE,       /* as asked, and on the disk */
	ACCOUNT_FILES_NOT_LOCKED, /* account_files_lock() comes first */
	ACCOUNT_FILES_INVALID,    /* an entry that cannot be written, or two that contradict each other */
	ACCOUNT_FILES_TAKEN,      /* a name, uid or gid stands in the files with other content */
	ACCOUNT_FILES_UNTRUSTED, /* a file is missing, a link, not root's, writable by others, immutable or too large */
	ACCOUNT_FILES_CHANGED,   /* edited meanwhile by a program that does not take the lock; try again */
	ACCOUNT_FILES_STORAGE,   /* full, read-only or failing disk, or no memory */
	ACCOUNT_FILES_PARTIAL, /* failed half-way and could not be put back: the same call again finishes, the opposite
				  one undoes */
	ACCOUNT_FILES_RESULT_COUNT
};

/* Opens the directory `etc` below `root` ("/" in production). The files must belong to `owner` (0 in production). 0 and
 * the caller closes *ret_files with account_files_close(), or -errno: -EPERM when the directory itself is not `owner`'s
 * or is writable by others. */
int account_files_open(const char *root, uid_t owner, struct account_files **ret_files);
/* Releases everything, the lock included. Takes NULL. */
void account_files_close(struct account_files *files);

/* Takes the system's own lock, the one of lckpwdf(3), which useradd, passwd, vipw and sysusers take too. Never waits: 0
 * (also when it is held already), -EAGAIN while another program holds it, or -errno. */
int account_files_lock(struct account_files *files);
/* After -EAGAIN: stands in line for it, as those programs do, so that a machine on which they come one after the other
 * does not keep us out. A process that is forked for this waits in our place. From when it is our turn on, nobody else
 * gets the lock: ask account_files_lock() every few milliseconds, or leave the line by account_files_unlock(). 0 or
 * -errno. */
int account_files_stand_in_line(struct account_files *files);
/* Gives the lock back, or leaves the line. Only now do the old versions of what was changed become `passwd-` and so on:
 * nobody need wait for that. */
void account_files_unlock(struct account_files *files);

/* Removes what a crash left behind: temporary files of ours beside them. Needs the lock. 0 or -errno. */
int account_files_sweep(struct account_files *files);

/* Adds and alters all or nothing, in one rewrite of the files: group and gshadow first, then sub?id, then shadow, then
 * passwd, so that an account never exists without its other rows.
 *
 * A row to be added that stands there already exactly as it would be written (the day in shadow aside) is kept, and
 * rows that are as they shall be are left alone, so the call can be repeated after a crash; a file without changes is
 * not rewritten. `now_s` (epoch seconds) gives the day of the last password change.
 *
 * TAKEN, besides what its text says: a name to be altered that stands in passwd with another uid, twice, or not at all,
 * or that has its password in passwd; rows or ranges of subordinate ids that a newcomer would inherit or share.
 *
 * Members come into the first row of a group's name, and go from every row of that name; gshadow follows, where it has
 * the group. In a list nothing changes but those who come and go. Needs the lock. */
enum account_files_result account_files_apply(struct account_files *files, const struct account_edits *edits,
					      int64_t now_s);
/* The same without alterations. */
enum account_files_result account_files_add(struct account_files *files, const struct account_entry *entries,
					    size_t count, int64_t now_s);
/* Removes all of them or none: passwd first, group last, and the accounts leave the lists of members that they name. A
 * row that is missing is fine; a name whose user has another uid is TAKEN. Without its passwd row, an account's other
 * rows go only if they are as account_files_add() writes them, or if it was whole. The group of its name goes if it has
 * its gid, no other members and is no other account's primary group. Needs the lock. */
enum account_files_result account_files_remove(struct account_files *files, const struct account_identity *accounts,
					       size_t count);

/* What the result means, as a sentence. Lives for ever. */
const char *account_files_result_text(enum account_files_result result);
/* What exactly the last call of `files` that failed found, naming file and, where there is one, line: "/etc/passwd:123:
 * ...". Empty after success. Lives until the next call. */
const char *account_files_fault(const struct account_files *files);

/*
 * Reading. Every call examines the file first (one stat) and reads it again when it was changed, so nothing stale is
 * ever answered. The first row of a name or number counts, as in NSS; NIS lines (+, -) do not. Returns 1 when found, 0
 * when not, or -errno when the file cannot be read or trusted (see account_files_fault()): then nothing is known.
 * Pointers live until the next call.
 */

/* Until the release each file is examined at the first call that needs it and no more: what hangs together is answered
 * by one state of them. For what is read in one go, without waiting for anything or writing to them. */
void account_files_hold(struct account_files *files);
void account_files_release(struct account_files *files);

struct account_user {
	const char *name;
	uid_t uid;
	gid_t gid;
	const char *gecos;
	const char *home;
	const char *shell;
	unsigned line; /* in /etc/passwd, from 1 */
};

struct account_group {
	const char *name;
	gid_t gid;
	unsigned line; /* in /etc/group, from 1 */
};

struct account_shadow {
	bool locked; /* the password field begins with ! or *: no password matches */
	bool has_expiry;
	int64_t expires_day; /* days since the epoch; the account is dead from that day on. Valid when has_expiry */
	int locks;           /* how many `!` stand before the password */
	const char *ageing;  /* "LASTCHANGE:MIN:MAX:WARN:INACTIVE", as in the file */
	const char *expiry;  /* as in the file; "" for none */
	unsigned line;       /* in /etc/shadow, from 1 */
};

int account_files_user_named(struct account_files *files, const char *name, struct account_user *ret_user);
int account_files_user_with_uid(struct account_files *files, uid_t uid, struct account_user *ret_user);
/* A user whose primary group this is, whether the group has a row or not. */
int account_files_user_with_gid(struct account_files *files, gid_t gid, struct account_user *ret_user);
int account_files_group_named(struct account_files *files, const char *name, struct account_group *ret_group);
int account_files_group_with_gid(struct account_files *files, gid_t gid, struct account_group *ret_group);
/* -EACCES without the right to read /etc/shadow. */
int account_files_shadow_named(struct account_files *files, const char *name, struct account_shadow *ret_shadow);
/* The groups that list the name as a member, in the file's order, each once. 0 (also when there are none) or -errno. */
int account_files_groups_of(struct account_files *files, const char *name, const gid_t **ret_gids, size_t *ret_count);
/* All that stands in the files of one account, with strings of its own. The caller clears it. 1, 0 when /etc/passwd
 * does not have the name, or -errno. */
struct account_now {
	struct account_user user;
	struct account_shadow shadow;
	const char *groups; /* names of the groups that list it, separated by commas; "" for none */
	char *storage;
};

int account_files_now(struct account_files *files, const char *name, struct account_now *ret_now);
void account_now_clear(struct account_now *now);

#define _cleanup_account_now_ _cleanup_(account_now_clear)

/* A range of SUBID_COUNT subordinate ids that nobody has in /etc/subuid and /etc/subgid, nor as a uid or gid in
 * /etc/passwd and /etc/group, from `at_least` on and within SUB_UID_MIN and SUB_UID_MAX, SUB_GID_MIN and SUB_GID_MAX of
 * /etc/login.defs. 1, *ret_first, and *ret_behind, up to where all that follows it is free as well; 0 when the system
 * has neither file, wants none (SUB_UID_COUNT 0) or no range is left (account_files_fault() tells which), or -errno. */
int account_files_free_subid(struct account_files *files, uint32_t at_least, uint32_t *ret_first, uint32_t *ret_behind);

#endif
