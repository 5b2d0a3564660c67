/*
 * Carries out admissions. The order of effects, and of taking them back, is in make_accounts() and undo().
 */
#include "provisiond/lifecycle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/names.h"
#include "provisiond/person_text.h"

#define LOCK_RETRY_MS 40
#define RECOVERY_RETRY_MS 60000
#define ADD_ATTEMPTS 3 /* when a program that does not take the lock edits the files meanwhile */

struct job {
	struct job *next;
	struct lifecycle_work work;
	int64_t queued_ms;
	bool making; /* its row is on record */
	enum reason reason;
	struct lifecycle_order order; /* borrowed strings */
	char gecos[GECOS_MAX];
};

struct lifecycle {
	struct store *store;
	struct account_files *files;
	struct home_place homes;
	const struct accounts_config *accounts;
	struct job *first, **end;
	int64_t retry_ms; /* not before, because of the lock */
	bool recovery_due;
	int64_t recovery_ms; /* not before */
};

struct lifecycle *lifecycle_new(struct store *store, struct account_files *files, const struct home_place *homes)
{
	struct lifecycle *lifecycle = calloc(1, sizeof(*lifecycle));

	if (!lifecycle)
		return NULL;
	lifecycle->store = store;
	lifecycle->files = files;
	lifecycle->homes = *homes;
	lifecycle->end = &lifecycle->first;
	return lifecycle;
}

void lifecycle_configure(struct lifecycle *lifecycle, const struct accounts_config *accounts)
{
	lifecycle->accounts = accounts;
}

/* ---- the queue ---- */

static void append(struct lifecycle *lifecycle, struct job *job)
{
	job->next = NULL;
	*lifecycle->end = job;
	lifecycle->end = &job->next;
}

/* Takes the whole queue out. */
static struct job *take_jobs(struct lifecycle *lifecycle)
{
	struct job *jobs = lifecycle->first;

	lifecycle->first = NULL;
	lifecycle->end = &lifecycle->first;
	return jobs;
}

static void end_job(struct job *job, enum reason reason)
{
	job->work.done(job->work.context, reason, job->making && reason == REASON_NONE);
	free(job);
}

void lifecycle_queue(struct lifecycle *lifecycle, const struct lifecycle_work *work, int64_t now_ms)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job) {
		log_error("an account cannot be made: out of memory");
		work->done(work->context, REASON_STORAGE, false);
		return;
	}
	job->work = *work;
	job->queued_ms = now_ms;
	append(lifecycle, job);
}

void lifecycle_recover(struct lifecycle *lifecycle)
{
	lifecycle->recovery_due = true;
	lifecycle->recovery_ms = 0;
}

void lifecycle_free(struct lifecycle *lifecycle)
{
	if (!lifecycle)
		return;
	for (struct job *job = take_jobs(lifecycle), *next; job; job = next) {
		next = job->next;
		end_job(job, REASON_SERVICE_DOWN);
	}
	free(lifecycle);
}

int64_t lifecycle_deadline_ms(void *context)
{
	const struct lifecycle *lifecycle = context;
	int64_t due_ms = -1;

	if (lifecycle->recovery_due)
		due_ms = lifecycle->recovery_ms;
	if (lifecycle->first)
		due_ms = 0;
	return due_ms >= 0 && due_ms < lifecycle->retry_ms ? lifecycle->retry_ms : due_ms;
}

/* ---- single effects and their opposites ---- */

static bool make_home(struct lifecycle *lifecycle, const struct account_record *record, enum reason *ret_reason)
{
	const struct home_request request = {
		.path = record->home,
		.skeleton = lifecycle->accounts->skeleton,
		.uid = record->uid,
		.gid = record->gid,
		.mode = lifecycle->accounts->home_mode,
	};
	struct home_report report;
	enum home_result result;

	if (!lifecycle->accounts->create_home)
		return true;
	result = home_create(&lifecycle->homes, &request, &report);
	if (result != HOME_DONE) {
		log_error("%s: the home directory cannot be made: %s", record->name, report.fault);
		*ret_reason = result == HOME_EXISTS ? REASON_HOME_EXISTS : REASON_STORAGE;
		return false;
	}
	if (report.skipped > 0)
		log_warning("%s: %u things of the skeleton were not copied, for example %s: no file, folder or link",
			    record->name, report.skipped, report.skipped_name);
	return true;
}

/* Takes an account back that never was one: its home, unless somebody else has it; its rows; its record, last. False
 * when something is left; then its record is, too. */
static bool undo(struct lifecycle *lifecycle, const struct account_record *record, bool home_made)
{
	const struct account_identity identity = { .name = record->name, .uid = record->uid, .gid = record->gid };
	enum account_files_result removed;
	struct home_report report;

	if (home_made && home_remove(&lifecycle->homes, record->home, record->uid, &report) == HOME_STORAGE)
		log_error("%s: the home directory cannot be taken back: %s", record->name, report.fault);
	removed = account_files_remove(lifecycle->files, &identity, 1);
	if (removed != ACCOUNT_FILES_DONE && removed != ACCOUNT_FILES_TAKEN) {
		log_error("%s: the account cannot be taken back: %s", record->name,
			  account_files_fault(lifecycle->files));
		return false;
	}
	if (store_forget_creating(lifecycle->store, record->name) != 0) {
		log_error("%s: the record cannot be taken back: %s", record->name, store_fault(lifecycle->store));
		return false;
	}
	return true;
}

/* The same for a job, which ends with this reason. What cannot be taken back now is left to recovery. */
static void undo_job(struct lifecycle *lifecycle, struct job *job, enum reason reason, bool home_made, int64_t now_ms)
{
	job->making = false;
	job->reason = reason;
	if (undo(lifecycle, &job->order.record, home_made))
		return;
	lifecycle->recovery_due = true;
	lifecycle->recovery_ms = now_ms + RECOVERY_RETRY_MS;
}

/* ---- making accounts ---- */

/* Decides one job, and puts its account on record when it makes one. False when the database does not take it. */
static bool begin_job(struct lifecycle *lifecycle, struct job *job, enum lifecycle_decision *ret_decision)
{
	int added;

	*ret_decision = job->work.decide(job->work.context, &job->order);
	if (*ret_decision != LIFECYCLE_CREATE)
		return true;
	job->order.record.state = ACCOUNT_CREATING;
	gecos_from_full_name(job->order.record.full_name, job->order.record.name, job->gecos);
	added = store_add(lifecycle->store, &job->order.record);
	if (added == -EEXIST) {
		log_error("%s: the account cannot be put on record: %s", job->order.record.name,
			  store_fault(lifecycle->store));
		job->reason = REASON_STORAGE;
		*ret_decision = LIFECYCLE_NOTHING;
		return true;
	}
	job->making = added == 0;
	return job->making;
}

/* Puts all on record that make an account, as one transaction; moves those that must wait for it to *later. */
static bool begin_jobs(struct lifecycle *lifecycle, struct job **jobs, struct job **later)
{
	struct job **link = jobs;

	if (store_begin(lifecycle->store) != 0)
		return false;
	while (*link) {
		struct job *job = *link;
		enum lifecycle_decision decision;

		if (!begin_job(lifecycle, job, &decision))
			return false;
		if (decision != LIFECYCLE_LATER) {
			link = &job->next;
			continue;
		}
		*link = job->next;
		job->next = *later;
		*later = job;
	}
	return store_commit(lifecycle->store) == 0;
}

/* Jobs that wait for another one's account are asked again after it; without one, it is an account that recovery could
 * not end. */
static void put_off(struct lifecycle *lifecycle, struct job *later, bool any_made)
{
	for (struct job *next; later; later = next) {
		next = later->next;
		if (any_made)
			append(lifecycle, later);
		else
			end_job(later, REASON_STORAGE);
	}
}

/* Returns how many accounts are now on record as being made. */
static size_t put_on_record(struct lifecycle *lifecycle, struct job **jobs)
{
	struct job *later = NULL;
	bool stored = begin_jobs(lifecycle, jobs, &later);
	size_t making = 0;

	if (!stored) {
		log_error("no account can be made: the database cannot be written: %s", store_fault(lifecycle->store));
		store_rollback(lifecycle->store);
	}
	for (struct job *job = *jobs; job; job = job->next) {
		job->making &= stored;
		making += job->making;
		if (!stored)
			job->reason = REASON_STORAGE;
	}
	put_off(lifecycle, later, making > 0);
	return making;
}

static enum account_files_result add_to_files(struct lifecycle *lifecycle, const struct job *jobs, size_t making)
{
	struct account_entry *entries = calloc(making, sizeof(*entries));
	enum account_files_result result = ACCOUNT_FILES_STORAGE;
	int64_t now_s = 0;
	size_t n = 0;

	if (!entries)
		return result;
	for (const struct job *job = jobs; job; job = job->next) {
		if (!job->making)
			continue;
		entries[n++] = (struct account_entry){
			.name = job->order.record.name,
			.uid = job->order.record.uid,
			.gid = job->order.record.gid,
			.gecos = job->gecos,
			.home = job->order.record.home,
			.shell = job->order.record.shell,
		};
		now_s = job->order.record.created_at;
	}
	for (int i = 0; i < ADD_ATTEMPTS; i++) {
		result = account_files_add(lifecycle->files, entries, n, now_s);
		if (result != ACCOUNT_FILES_CHANGED)
			break;
	}
	free(entries);
	return result;
}

static void mark_active(struct lifecycle *lifecycle, struct job *jobs, int64_t now_ms)
{
	bool stored = store_begin(lifecycle->store) == 0;

	for (struct job *job = jobs; job && stored; job = job->next)
		stored = !job->making || store_set_state(lifecycle->store, job->order.record.name, ACCOUNT_ACTIVE) == 0;
	if (stored && store_commit(lifecycle->store) == 0)
		return;
	log_error("the database cannot be written: %s", store_fault(lifecycle->store));
	store_rollback(lifecycle->store);
	for (struct job *job = jobs; job; job = job->next)
		if (job->making)
			undo_job(lifecycle, job, REASON_STORAGE, lifecycle->accounts->create_home, now_ms);
}

/* The order of effects: the record; group, gshadow, shadow and passwd; the home; the record again. */
static void make_accounts(struct lifecycle *lifecycle, struct job *jobs, size_t making, int64_t now_ms)
{
	enum account_files_result added = add_to_files(lifecycle, jobs, making);

	if (added != ACCOUNT_FILES_DONE)
		log_error("no account can be made: %s", account_files_fault(lifecycle->files));
	for (struct job *job = jobs; job; job = job->next) {
		enum reason reason = REASON_STORAGE;

		if (job->making && (added != ACCOUNT_FILES_DONE || !make_home(lifecycle, &job->order.record, &reason)))
			undo_job(lifecycle, job, reason, false, now_ms);
	}
	mark_active(lifecycle, jobs, now_ms);
}

static void work_off(struct lifecycle *lifecycle, int64_t now_ms)
{
	struct job *jobs = take_jobs(lifecycle);
	size_t making = put_on_record(lifecycle, &jobs);

	if (making > 0)
		make_accounts(lifecycle, jobs, making, now_ms);
	for (struct job *next; jobs; jobs = next) {
		next = jobs->next;
		end_job(jobs, jobs->reason);
	}
}

/* ---- recovery ---- */

/* Whether the files have all four rows: passwd is written last. */
static bool is_in_files(struct lifecycle *lifecycle, const struct account_record *record)
{
	struct account_user user;

	return account_files_user_named(lifecycle->files, record->name, &user) > 0 && user.uid == record->uid;
}

/* A home of that uid which is in place is complete. */
static bool home_is_made(struct lifecycle *lifecycle, const struct account_record *record)
{
	struct home_report report;
	enum reason reason;

	return !lifecycle->accounts->create_home ||
	       home_examine(&lifecycle->homes, record->home, record->uid, &report) == HOME_DONE ||
	       make_home(lifecycle, record, &reason);
}

/* Finishes the account when it was in the files already, and takes it back otherwise. False when neither could be done
 * now. */
static bool finish_or_undo(struct lifecycle *lifecycle, const struct account_record *record)
{
	if (is_in_files(lifecycle, record) && home_is_made(lifecycle, record)) {
		if (store_set_state(lifecycle->store, record->name, ACCOUNT_ACTIVE) != 0) {
			log_error("%s: the account cannot be finished: %s", record->name,
				  store_fault(lifecycle->store));
			return false;
		}
		log_notice("%s: the account with uid %lu, which was being made when provisiond ended, was finished",
			   record->name, (unsigned long)record->uid);
		return true;
	}
	if (!undo(lifecycle, record, false))
		return false;
	log_notice("%s: the account with uid %lu, which was being made when provisiond ended, was taken back",
		   record->name, (unsigned long)record->uid);
	return true;
}

/* False when something is left. */
static bool sweep_homes(struct lifecycle *lifecycle, const char *home)
{
	struct home_report report;
	unsigned swept = 0;
	const char *slash = strrchr(home, '/');
	char *parent;
	bool all;

	if (!slash || slash == home)
		return true;
	parent = strndup(home, (size_t)(slash - home));
	if (!parent) {
		log_warning("leftovers beside %s cannot be looked for: out of memory", home);
		return false;
	}
	all = home_sweep(&lifecycle->homes, parent, &swept, &report) == HOME_DONE;
	if (!all)
		log_warning("leftovers in %s cannot be removed: %s", parent, report.fault);
	if (swept > 0)
		log_notice("%u unfinished home directories were removed from %s", swept, parent);
	free(parent);
	return all;
}

/* Ends everything that was begun. True when nothing is left. */
static bool recover(struct lifecycle *lifecycle)
{
	char after[ACCOUNT_NAME_MAX + 1] = "";
	int swept = account_files_sweep(lifecycle->files);
	bool all = sweep_homes(lifecycle, lifecycle->accounts->home) && swept == 0;

	if (swept != 0)
		log_warning("leftovers beside the account files cannot be removed: %s", strerror(-swept));
	for (;;) {
		_cleanup_record_ struct account_record record = { 0 };
		enum store_answer found = store_account_creating_after(lifecycle->store, after, &record);

		if (found == STORE_FAILED)
			log_error("the database cannot be read: %s", store_fault(lifecycle->store));
		if (found != STORE_FOUND)
			return all && found == STORE_NONE;
		if (!finish_or_undo(lifecycle, &record))
			all = false;
		account_name_copy(record.name, after);
	}
}

/* ---- the lock ---- */

/* Gives up on work that has waited for too long, or, without the lock's ever coming, on all. */
static void refuse_waiting(struct lifecycle *lifecycle, int64_t now_ms, int error)
{
	for (struct job *job = take_jobs(lifecycle), *next; job; job = next) {
		next = job->next;
		if (error == -EAGAIN && now_ms - job->queued_ms < LIFECYCLE_LOCK_PATIENCE_MS) {
			append(lifecycle, job);
			continue;
		}
		if (error == -EAGAIN)
			log_error("no account can be made: another program has held /etc/.pwd.lock for %d s",
				  LIFECYCLE_LOCK_PATIENCE_MS / 1000);
		else
			log_error("no account can be made: /etc/.pwd.lock cannot be taken: %s", strerror(-error));
		end_job(job, REASON_STORAGE);
	}
}

void lifecycle_run(void *context, int64_t now_ms)
{
	struct lifecycle *lifecycle = context;
	int locked;

	if (now_ms < lifecycle->retry_ms)
		return;
	locked = account_files_lock(lifecycle->files);
	if (locked != 0) {
		lifecycle->retry_ms = locked == -EAGAIN ? now_ms + LOCK_RETRY_MS : 0;
		if (locked != -EAGAIN)
			lifecycle->recovery_ms = now_ms + RECOVERY_RETRY_MS;
		refuse_waiting(lifecycle, now_ms, locked);
		return;
	}
	lifecycle->retry_ms = 0;
	if (lifecycle->recovery_due && now_ms >= lifecycle->recovery_ms) {
		lifecycle->recovery_due = !recover(lifecycle);
		lifecycle->recovery_ms = now_ms + RECOVERY_RETRY_MS;
	}
	if (lifecycle->first)
		work_off(lifecycle, now_ms);
	account_files_unlock(lifecycle->files);
}
