/*
 * What the files named lifecycle*.c share, and nobody else includes: the queue's jobs, and the steps that lifecycle.c
 * calls in their order.
 */
#ifndef PROVISIOND_LIFECYCLE_INSIDE_H
#define PROVISIOND_LIFECYCLE_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/names.h"
#include "provisiond/lifecycle.h"
#include "provisiond/person_text.h"

#define LIFECYCLE_RECOVERY_RETRY_MS 60000
#define LIFECYCLE_FILES_ATTEMPTS 3 /* when a program that does not take the lock edits the files meanwhile */
#define GECOS_WITH_ROOM_MAX (GECOS_MAX + 66)

/* How far a piece of work is. */
enum stage {
	STAGE_NONE,   /* nothing of it is on record */
	STAGE_BEGUN,  /* it is on record */
	STAGE_DONE,   /* all is as ordered; sessions may still be ending */
	STAGE_FAILED, /* nothing is left of it, or it is left to recovery */
};

struct job {
	struct job *next;
	struct lifecycle_work work; /* without done(): recovery's own */
	int64_t queued_ms;
	bool patient;     /* waits for the lock for as long as it takes */
	bool asked_again; /* recovery was tried for its sake */
	enum lifecycle_decision decision;
	struct lifecycle_order order; /* borrowed strings */
	enum stage stage;
	enum reason reason; /* with STAGE_FAILED */
	/* Of a creation. */
	enum account_state made_state; /* what the account is afterwards */
	char gecos[GECOS_WITH_ROOM_MAX];
	/* Of a change: what was on record before; what recovery found there. */
	bool had_record;
	struct account_record before;
	struct planned_change found;
};

/* Sessions of an account that are being ended. */
struct ending {
	struct ending *next;
	bool idle;                    /* by max_signin_age, without a change */
	bool told;                    /* the change's event was told before */
	struct planned_change change; /* its own; of an idle account, the record alone */
	int64_t begun_ms, next_ms;
};

struct lifecycle {
	struct store *store;
	struct account_files *files;
	struct home_place homes;
	const char *root, *proc; /* NULL: nothing there is touched */
	const struct accounts_config *accounts;
	const struct config *config; /* for policies; NULL until they are applied */
	struct job *first, **end;
	int expected;        /* pieces of work that are about to be queued */
	struct job *blocked; /* until sessions have ended */
	int64_t retry_ms;    /* not before, because of the lock */
	bool locked;         /* by us */
	/* While it is: where subordinate ids are free from, and up to where. Both 0 when that was not looked for yet.
	 */
	uint32_t next_subid, behind_free_subids;
	bool recovery_due;
	int64_t recovery_ms; /* not before */
	struct ending *endings;
	int64_t sweep_ms; /* when to look for idle accounts */
	char sweep_after[ACCOUNT_NAME_MAX + 1];
};

/* ---- lifecycle.c ---- */

const char *job_account(const struct job *job);
/* The work of a job, or of recovery, from the files on; all that were begun are done or failed afterwards. */
void lifecycle_carry_out(struct lifecycle *lifecycle, struct job *jobs, int64_t now_ms);
/* Something stays on record and is tried again. */
void lifecycle_leave_to_recovery(struct lifecycle *lifecycle, int64_t now_ms);
/* As lifecycle_queue(); `patient` work is never given up on because of the lock. */
void lifecycle_queue_job(struct lifecycle *lifecycle, const struct lifecycle_work *work, bool patient, int64_t now_ms);
/* Work that waited for an account's sessions is asked again. */
void lifecycle_unblock(struct lifecycle *lifecycle);
void job_free(struct job *job);
/* With this reason; what was begun has been undone or is left to recovery. */
void job_fail(struct job *job, enum reason reason);

/* ---- lifecycle_creation.c ---- */

/* Puts the account on record as one that is being made. 0, -EEXIST (logged) or -EIO. */
int creation_begin(struct lifecycle *lifecycle, struct job *job);
/* Lives as long as the job. */
struct account_entry creation_entry(const struct job *job);
/* The homes of those whose creation was begun. */
struct new_homes {
	struct job **jobs;
	struct home_making *makings;
	size_t count;
	struct home_buildings *buildings;
};
/* Builds them beside their places, before the files are touched; and moves into place those whose accounts are in the
 * files, which frees what the former made. A home that cannot be made fails its job, and the account is taken back. */
void creation_build_homes(struct lifecycle *lifecycle, struct job *jobs, struct new_homes *homes, int64_t now_ms);
void creation_place_homes(struct lifecycle *lifecycle, struct new_homes *homes, int64_t now_ms);
/* Takes an account back that has no home yet, as far as that can be done now. */
void creation_undo(struct lifecycle *lifecycle, struct job *job, enum reason reason, int64_t now_ms);
/* Recovery: finishes the account when it was in the files already, and takes it back otherwise. False when neither
 * could be done now. */
bool creation_finish_or_undo(struct lifecycle *lifecycle, const struct account_record *record);
void creation_tell(const struct account_record *record);

/* ---- lifecycle_change.c ---- */

/* Puts the plan on record. 0, -EAGAIN when the account has an unfinished change, -EEXIST (logged) or -EIO. */
int change_begin(struct lifecycle *lifecycle, struct job *job);
/* What the files are to be made to say. False when there is nothing for them. */
bool change_alteration(struct lifecycle *lifecycle, const struct job *job, struct account_alteration *ret_alteration);
/* Whether the account's rows go. */
bool change_removes_rows(const struct job *job);
/* The files were not changed as asked: decides what becomes of the change. */
void change_refused_by_files(struct lifecycle *lifecycle, struct job *job, enum account_files_result result,
			     int64_t now_ms);
/* What happens outside of the files: lingering services, signals, leftovers, the home. A change whose sessions are
 * still ending is STAGE_DONE, and ended on record later. */
void change_outside(struct lifecycle *lifecycle, struct job *job, int64_t now_ms);
void change_tell(const struct planned_change *change);

/* ---- lifecycle_files.c ---- */

/* One rewrite of the files for all that were begun, and another one for those whose rows go. What fails is undone or
 * left to recovery. */
void files_write(struct lifecycle *lifecycle, struct job *jobs, int64_t now_ms);
/* Removes the rows of one account. The fault is in account_files_fault(). */
enum account_files_result files_remove_one(struct lifecycle *lifecycle, const struct account_identity *identity);
/* Whether /etc/passwd has the account, with its uid. */
bool files_have(struct lifecycle *lifecycle, const struct account_record *record);

/* ---- lifecycle_sessions.c ---- */

/* Stops lingering services and sends SIGTERM. 0 and how many processes there were, or -errno, which was logged. */
int sessions_begin_ending(struct lifecycle *lifecycle, const struct account_record *record, size_t *ret_running);
/* Has the loop send SIGKILL to what does not go, and end the change on record when all have gone or 10 s are over.
 * Copies `idle`, `told` and `change`. 0 or -ENOMEM. */
int sessions_watch(struct lifecycle *lifecycle, const struct ending *ending, int64_t now_ms);
bool sessions_are_ending(const struct lifecycle *lifecycle, const char *account);
/* -1: nothing to do. */
int64_t sessions_deadline_ms(const struct lifecycle *lifecycle);
void sessions_run(struct lifecycle *lifecycle, int64_t now_ms);
void sessions_free(struct lifecycle *lifecycle);

/* ---- lifecycle_recovery.c ---- */

/* Ends everything that was begun, or leaves it to the next time. */
void lifecycle_recover_now(struct lifecycle *lifecycle, int64_t now_ms);

#endif
