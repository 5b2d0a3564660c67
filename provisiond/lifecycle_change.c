/*
 * One change of an account that exists: its plan on record, what it means for the files, and its effects outside of
 * them. What is planned is somebody else's business (plan.h), and so is the order (lifecycle.c).
 */
#include <errno.h>
#include <string.h>

#include "common/log.h"
#include "provisiond/events.h"
#include "provisiond/leftovers.h"
#include "provisiond/lifecycle_inside.h"

/* What the kinds have in common. */
static const struct {
	enum event event;
	const char *done;
	bool removes_rows;
	bool rows_may_be_gone; /* it is as wished, then */
	bool stands;           /* is never dropped: who has left stays out, and recovery tries again */
} kinds[] = {
	[CHANGE_UPDATE] = { .event = EVENT_UPDATED, .done = "the account was brought up to date" },
	[CHANGE_LINK] = { .event = EVENT_LINKED, .done = "the local account was linked" },
	[CHANGE_UNLINK] = { .event = EVENT_UNLINKED,
			    .done = "the account was given back as it was before it was linked",
			    .rows_may_be_gone = true },
	[CHANGE_DEACTIVATE] = { .event = EVENT_DEACTIVATED,
				.done = "the account was deactivated",
				.rows_may_be_gone = true,
				.stands = true },
	[CHANGE_REACTIVATE] = { .event = EVENT_REACTIVATED, .done = "the account was reactivated" },
	[CHANGE_REMOVE] = { .event = EVENT_REMOVED,
			    .done = "the account was removed",
			    .removes_rows = true,
			    .rows_may_be_gone = true,
			    .stands = true },
	[CHANGE_REASSIGN] = { .event = EVENT_REASSIGNED,
			      .done = "the account's name was made free for a successor",
			      .removes_rows = true,
			      .rows_may_be_gone = true,
			      .stands = true },
};
_Static_assert(sizeof(kinds) / sizeof(kinds[0]) == CHANGE_KIND_COUNT, "one row for each kind");

static bool is_recovered(const struct job *job)
{
	return !job->work.done;
}

static void leave(struct lifecycle *lifecycle, struct job *job, enum reason reason, int64_t now_ms)
{
	job_fail(job, reason);
	lifecycle_leave_to_recovery(lifecycle, now_ms);
}

/* ---- the record ---- */

/* Keeps what the change replaces on record, in case it is dropped. */
static bool remember(struct lifecycle *lifecycle, struct job *job)
{
	enum store_answer before;

	account_record_clear(&job->before);
	before = store_account_by_name(lifecycle->store, job->order.change.record.name, &job->before);
	job->had_record = before == STORE_FOUND;
	return before != STORE_FAILED;
}

int change_begin(struct lifecycle *lifecycle, struct job *job)
{
	const struct planned_change *change = &job->order.change;
	_cleanup_planned_change_ struct planned_change unfinished = { 0 };
	int begun;

	switch (store_change_of(lifecycle->store, change->record.name, &unfinished)) {
	case STORE_FOUND:
		return -EAGAIN;
	case STORE_FAILED:
		return -EIO;
	case STORE_NONE:
		break;
	}
	if (!remember(lifecycle, job))
		return -EIO;
	begun = store_begin_change(lifecycle->store, change);
	if (begun == -EEXIST)
		log_error("%s: the change (%s) contradicts what is on record: %s", change->record.name,
			  change_kind_name(change->kind), store_fault(lifecycle->store));
	return begun;
}

/* Nothing was changed in the files: the record is as it was before. */
static void drop(struct lifecycle *lifecycle, struct job *job, int64_t now_ms)
{
	const char *account = job->order.change.record.name;

	job_fail(job, REASON_STORAGE);
	if (store_drop_change(lifecycle->store, account, job->had_record ? &job->before : NULL) == 0)
		return;
	log_error("%s: the record of a change cannot be taken back: %s", account, store_fault(lifecycle->store));
	lifecycle_leave_to_recovery(lifecycle, now_ms);
}

/* ---- the files ---- */

bool change_removes_rows(const struct job *job)
{
	return kinds[job->order.change.kind].removes_rows;
}

bool change_alteration(struct lifecycle *lifecycle, const struct job *job, struct account_alteration *ret_alteration)
{
	const struct planned_change *change = &job->order.change;
	const struct account_record *record = &change->record;

	if (!change->gecos && change->locks < 0 && !change->ageing && !change->expiry && !change->groups_in &&
	    !change->groups_out)
		return false;
	/* After a crash the rows may be gone already, and after somebody's userdel as well. */
	if (kinds[change->kind].rows_may_be_gone && !files_have(lifecycle, record))
		return false;
	*ret_alteration = (struct account_alteration){
		.who = { .name = record->name, .uid = record->uid, .gid = record->gid },
		.gecos = change->gecos,
		.locks = change->locks,
		.ageing = change->ageing,
		.expiry = change->expiry,
		.groups_in = change->groups_in,
		.groups_out = change->groups_out,
	};
	return true;
}

/* The rows are somebody else's now, or gone: what recovery finds then will not be better the next time. */
static void give_up(struct lifecycle *lifecycle, struct job *job, int64_t now_ms)
{
	const struct planned_change *change = &job->order.change;

	log_error("%s: a change (%s) that was begun cannot be carried out: the rows of uid %lu are not in the account "
		  "files any more; it is given up",
		  change->record.name, change_kind_name(change->kind), (unsigned long)change->record.uid);
	job->had_record = change->kind != CHANGE_LINK;
	if (account_record_copy(&change->record, &job->before) != 0)
		leave(lifecycle, job, REASON_STORAGE, now_ms);
	else
		drop(lifecycle, job, now_ms);
}

void change_refused_by_files(struct lifecycle *lifecycle, struct job *job, enum account_files_result result,
			     int64_t now_ms)
{
	const struct planned_change *change = &job->order.change;
	bool contradicted = result == ACCOUNT_FILES_TAKEN || result == ACCOUNT_FILES_INVALID;
	size_t running;

	if (contradicted && kinds[change->kind].rows_may_be_gone) {
		log_warning("%s: the account files have rows of that name that are not the account's; they stay",
			    change->record.name);
		return;
	}
	if (contradicted && is_recovered(job))
		give_up(lifecycle, job, now_ms);
	else if (result == ACCOUNT_FILES_PARTIAL || kinds[change->kind].stands || is_recovered(job))
		leave(lifecycle, job, REASON_STORAGE, now_ms);
	else
		drop(lifecycle, job, now_ms);
	/* Who has left must not go on only because a disk is full. */
	if (change->end_sessions && job->stage == STAGE_FAILED)
		(void)sessions_begin_ending(lifecycle, &change->record, &running);
}

/* ---- outside of the files ---- */

/* What is somebody else's stays: neither cron nor a mail program takes it for the account's. */
static bool put_leftovers_away(struct lifecycle *lifecycle, const struct account_record *record)
{
	char fault[512] = "";
	int r = lifecycle->root ? leftovers_put_away(lifecycle->root, record->name, record->uid, fault, sizeof(fault))
				: 0;

	if (r != 0)
		log_error("%s: what other programs keep under the account's name cannot be put away: %s", record->name,
			  fault);
	return r == 0 || r == -EPERM;
}

/* A home that cannot be removed as a whole is out of its place all the same, and swept at the next start. */
static enum reason remove_home(struct lifecycle *lifecycle, const struct account_record *record)
{
	struct home_report report;
	enum home_result result = home_remove(&lifecycle->homes, record->home, record->uid, &report);

	if (result == HOME_DONE || result == HOME_MISSING)
		return REASON_NONE;
	log_error("%s: the home directory cannot be removed: %s", record->name, report.fault);
	if (result == HOME_EXISTS || result == HOME_INVALID || result == HOME_PARENT)
		return REASON_NONE;
	return home_examine(&lifecycle->homes, record->home, record->uid, &report) == HOME_MISSING ? REASON_NONE
												   : REASON_STORAGE;
}

static enum reason move_home(struct lifecycle *lifecycle, const struct planned_change *change)
{
	const struct account_record *record = &change->record;
	struct home_report report;
	enum home_result result = home_move(&lifecycle->homes, record->home, change->home_to, record->uid, &report);

	if (result == HOME_DONE || result == HOME_MISSING)
		return REASON_NONE;
	log_error("%s: the home directory cannot be moved to %s: %s", record->name, change->home_to, report.fault);
	return result == HOME_EXISTS ? REASON_HOME_EXISTS : REASON_STORAGE;
}

static enum reason see_to_home(struct lifecycle *lifecycle, const struct planned_change *change)
{
	switch (change->home) {
	case HOME_IS_REMOVED:
		return remove_home(lifecycle, &change->record);
	case HOME_IS_MOVED:
		return move_home(lifecycle, change);
	case HOME_STAYS:
	case HOME_FATE_COUNT:
	default:
		return REASON_NONE;
	}
}

/* First nothing new is started, and what runs is told to go; then what the name would leave to a successor. */
void change_outside(struct lifecycle *lifecycle, struct job *job, int64_t now_ms)
{
	const struct planned_change *change = &job->order.change;
	const struct ending ending = { .told = job->work.tells, .change = *change };
	enum reason reason = REASON_NONE;
	size_t running = 0;

	if (change->end_sessions && sessions_begin_ending(lifecycle, &change->record, &running) < 0)
		reason = REASON_STORAGE;
	if (kinds[change->kind].removes_rows && !put_leftovers_away(lifecycle, &change->record))
		reason = REASON_STORAGE;
	if (reason == REASON_NONE)
		reason = see_to_home(lifecycle, change);
	if (reason != REASON_NONE)
		leave(lifecycle, job, reason, now_ms);
	else if (running == 0)
		return;
	else if (sessions_watch(lifecycle, &ending, now_ms) == 0)
		job->stage = STAGE_DONE;
	else
		leave(lifecycle, job, REASON_STORAGE, now_ms);
}

void change_tell(const struct planned_change *change)
{
	const struct account_record *record = &change->record;
	const struct event_facts facts = { .tenant = record->tenant,
					   .account = record->name,
					   .subject = record->subject,
					   .email = record->email,
					   .uid = record->uid };

	event_tell(kinds[change->kind].event, &facts, "%s: %s (uid %lu)", record->name, kinds[change->kind].done,
		   (unsigned long)record->uid);
}
