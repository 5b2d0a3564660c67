/*
 * The queue of work, the lock, and the order of effects: see work_off() and lifecycle_carry_out(). The effects
 * themselves are in lifecycle_files.c, lifecycle_creation.c, lifecycle_change.c and lifecycle_sessions.c.
 */
#include "provisiond/lifecycle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "provisiond/lifecycle_inside.h"

#define LOCK_RETRY_MS 10 /* while we stand in line for it */

struct lifecycle *lifecycle_new(struct store *store, struct account_files *files, const struct home_place *homes)
{
	struct lifecycle *lifecycle = calloc(1, sizeof(*lifecycle));

	if (!lifecycle)
		return NULL;
	lifecycle->store = store;
	lifecycle->files = files;
	lifecycle->homes = *homes;
	lifecycle->end = &lifecycle->first;
	if (homes->root_fd == AT_FDCWD)
		lifecycle_use_root(lifecycle, "/", "/proc");
	return lifecycle;
}

void lifecycle_use_root(struct lifecycle *lifecycle, const char *root, const char *proc)
{
	lifecycle->root = root;
	lifecycle->proc = proc;
}

void lifecycle_configure(struct lifecycle *lifecycle, const struct accounts_config *accounts)
{
	lifecycle->accounts = accounts;
	lifecycle->sweep_ms = 0;
	lifecycle->sweep_after[0] = '\0';
}

/* ---- the queue ---- */

const char *job_account(const struct job *job)
{
	return job->decision == LIFECYCLE_CREATE ? job->order.record.name : job->order.change.record.name;
}

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

void job_fail(struct job *job, enum reason reason)
{
	job->stage = STAGE_FAILED;
	job->reason = reason;
}

void job_free(struct job *job)
{
	account_record_clear(&job->before);
	planned_change_clear(&job->found);
	free(job);
}

static void end_job(struct job *job)
{
	if (job->work.done)
		job->work.done(job->work.context, job->stage == STAGE_FAILED ? job->reason : REASON_NONE,
			       job->stage == STAGE_DONE);
	job_free(job);
}

static void end_job_unbegun(struct job *job, enum reason reason)
{
	job_fail(job, reason);
	end_job(job);
}

void lifecycle_queue_job(struct lifecycle *lifecycle, const struct lifecycle_work *work, bool patient, int64_t now_ms)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job) {
		log_error("an account cannot be made or changed: out of memory");
		work->done(work->context, REASON_STORAGE, false);
		return;
	}
	job->work = *work;
	job->queued_ms = now_ms;
	job->patient = patient;
	append(lifecycle, job);
}

void lifecycle_expect(struct lifecycle *lifecycle, int change)
{
	lifecycle->expected += change;
}

/* When the queue is to be worked off; only with something in it. */
static int64_t queue_due_ms(const struct lifecycle *lifecycle)
{
	return lifecycle->expected > 0 ? lifecycle->first->queued_ms + LIFECYCLE_GATHER_MS : 0;
}

void lifecycle_queue(struct lifecycle *lifecycle, const struct lifecycle_work *work, int64_t now_ms)
{
	lifecycle_queue_job(lifecycle, work, false, now_ms);
}

static size_t length(const struct job *jobs)
{
	size_t count = 0;

	for (; jobs; jobs = jobs->next)
		count++;
	return count;
}

struct lifecycle_state lifecycle_state(const struct lifecycle *lifecycle)
{
	return (struct lifecycle_state){ .waiting = length(lifecycle->first) + length(lifecycle->blocked),
					 .recovery_due = lifecycle->recovery_due };
}

void lifecycle_recover(struct lifecycle *lifecycle)
{
	lifecycle->recovery_due = true;
	lifecycle->recovery_ms = 0;
}

void lifecycle_leave_to_recovery(struct lifecycle *lifecycle, int64_t now_ms)
{
	lifecycle->recovery_due = true;
	lifecycle->recovery_ms = now_ms + LIFECYCLE_RECOVERY_RETRY_MS;
}

void lifecycle_unblock(struct lifecycle *lifecycle)
{
	for (struct job *job = take_pointer(lifecycle->blocked), *next; job; job = next) {
		next = job->next;
		append(lifecycle, job);
	}
}

void lifecycle_free(struct lifecycle *lifecycle)
{
	if (!lifecycle)
		return;
	lifecycle_unblock(lifecycle);
	for (struct job *job = take_jobs(lifecycle), *next; job; job = next) {
		next = job->next;
		end_job_unbegun(job, REASON_SERVICE_DOWN);
	}
	sessions_free(lifecycle);
	free(lifecycle);
}

static int64_t earlier(int64_t one_ms, int64_t other_ms)
{
	return one_ms < 0 || (other_ms >= 0 && other_ms < one_ms) ? other_ms : one_ms;
}

int64_t lifecycle_deadline_ms(void *context)
{
	const struct lifecycle *lifecycle = context;
	int64_t due_ms = -1;

	if (lifecycle->recovery_due)
		due_ms = lifecycle->recovery_ms;
	if (lifecycle->first)
		due_ms = earlier(due_ms, queue_due_ms(lifecycle));
	if (due_ms >= 0 && due_ms < lifecycle->retry_ms)
		due_ms = lifecycle->retry_ms;
	return earlier(due_ms, sessions_deadline_ms(lifecycle));
}

/* ---- putting on record ---- */

static bool is_begun(const struct job *jobs, const char *account)
{
	for (const struct job *job = jobs; job; job = job->next)
		if (job->stage == STAGE_BEGUN && strcmp(job_account(job), account) == 0)
			return true;
	return false;
}

/* Decides one job, and puts on record what it orders. False when the database does not take it. Two orders for one
 * account are carried out one after the other. */
static bool begin_job(struct lifecycle *lifecycle, const struct job *jobs, struct job *job)
{
	int begun;

	job->decision = job->work.decide(job->work.context, &job->order);
	if (job->decision != LIFECYCLE_CREATE && job->decision != LIFECYCLE_CHANGE)
		return true;
	if (is_begun(jobs, job_account(job)) || sessions_are_ending(lifecycle, job_account(job))) {
		job->decision = LIFECYCLE_LATER;
		return true;
	}
	begun = job->decision == LIFECYCLE_CREATE ? creation_begin(lifecycle, job) : change_begin(lifecycle, job);
	if (begun == 0)
		job->stage = STAGE_BEGUN;
	else if (begun == -EAGAIN)
		job->decision = LIFECYCLE_LATER;
	else if (begun == -EEXIST)
		job_fail(job, REASON_STORAGE);
	return begun == 0 || begun == -EAGAIN || begun == -EEXIST;
}

/* Puts all on record, as one transaction; moves those that must wait for another one's account to *later. */
static bool begin_jobs(struct lifecycle *lifecycle, struct job **jobs, struct job **later)
{
	struct job **link = jobs;

	if (store_begin(lifecycle->store) != 0)
		return false;
	while (*link) {
		struct job *job = *link;

		if (!begin_job(lifecycle, *jobs, job))
			return false;
		if (job->decision != LIFECYCLE_LATER) {
			link = &job->next;
			continue;
		}
		*link = job->next;
		job->next = *later;
		*later = job;
	}
	return store_commit(lifecycle->store) == 0;
}

/* Jobs that wait for another one's account are asked again after it: in the next round, when its sessions have ended,
 * or when recovery has had one more chance to finish what it could not finish before. */
static void put_off(struct lifecycle *lifecycle, struct job *later, bool any_begun)
{
	for (struct job *next; later; later = next) {
		next = later->next;
		if (any_begun) {
			append(lifecycle, later);
		} else if (lifecycle->endings) {
			later->next = lifecycle->blocked;
			lifecycle->blocked = later;
		} else if (lifecycle->recovery_due && !later->asked_again) {
			later->asked_again = true;
			lifecycle->recovery_ms = 0;
			append(lifecycle, later);
		} else {
			end_job_unbegun(later, REASON_STORAGE);
		}
	}
}

static void reverse(struct job **jobs)
{
	struct job *reversed = NULL;

	for (struct job *job = *jobs, *next; job; job = next) {
		next = job->next;
		job->next = reversed;
		reversed = job;
	}
	*jobs = reversed;
}

static void put_on_record(struct lifecycle *lifecycle, struct job **jobs)
{
	struct job *later = NULL;
	bool stored = begin_jobs(lifecycle, jobs, &later);
	bool any_begun = false;

	if (!stored) {
		log_error("no account can be made or changed: the database cannot be written: %s",
			  store_fault(lifecycle->store));
		store_rollback(lifecycle->store);
	}
	for (struct job *job = *jobs; job; job = job->next) {
		if (!stored)
			job_fail(job, REASON_STORAGE);
		any_begun |= job->stage == STAGE_BEGUN;
	}
	reverse(&later);
	put_off(lifecycle, later, any_begun);
}

/* ---- the order of effects ---- */

static bool end_one_on_record(struct lifecycle *lifecycle, const struct job *job)
{
	if (job->stage != STAGE_BEGUN)
		return true;
	return job->decision == LIFECYCLE_CREATE
		       ? store_set_state(lifecycle->store, job->order.record.name, job->made_state) == 0
		       : store_end_change(lifecycle->store, &job->order.change, (int64_t)time(NULL)) == 0;
}

static void tell(const struct job *job)
{
	if (job->work.tells)
		return;
	if (job->decision == LIFECYCLE_CREATE)
		creation_tell(&job->order.record);
	else
		change_tell(&job->order.change);
}

/* That a new account is complete is seen from its files, too: a start that finds it on record as being made says so.
 * Whether something was changed is not, and by then an administrator may have changed it again. */
static bool can_be_found_out(const struct job *jobs)
{
	for (const struct job *job = jobs; job; job = job->next)
		if (job->stage == STAGE_BEGUN && job->decision != LIFECYCLE_CREATE)
			return false;
	return true;
}

static bool end_all_on_record(struct lifecycle *lifecycle, const struct job *jobs)
{
	bool stored = (can_be_found_out(jobs) ? store_begin_lazily : store_begin)(lifecycle->store) == 0;

	for (const struct job *job = jobs; job && stored; job = job->next)
		stored = end_one_on_record(lifecycle, job);
	stored = stored && store_commit(lifecycle->store) == 0;
	if (!stored) {
		log_error("the database cannot be written: %s", store_fault(lifecycle->store));
		store_rollback(lifecycle->store);
	}
	return stored;
}

/* All files and homes are as ordered: the record says so too, last. Nothing is taken back where it cannot: a disk that
 * reported a failure may have kept what was written, and then the record says that all is done. */
static void end_on_record(struct lifecycle *lifecycle, struct job *jobs, int64_t now_ms)
{
	bool stored = end_all_on_record(lifecycle, jobs) || end_all_on_record(lifecycle, jobs);

	for (struct job *job = jobs; job; job = job->next) {
		if (job->stage != STAGE_BEGUN)
			continue;
		if (stored) {
			job->stage = STAGE_DONE;
			tell(job);
		} else {
			job_fail(job, REASON_STORAGE);
			lifecycle_leave_to_recovery(lifecycle, now_ms);
		}
	}
}

static bool any_is_begun(const struct job *jobs)
{
	for (const struct job *job = jobs; job; job = job->next)
		if (job->stage == STAGE_BEGUN)
			return true;
	return false;
}

void lifecycle_carry_out(struct lifecycle *lifecycle, struct job *jobs, int64_t now_ms)
{
	struct new_homes homes;

	creation_build_homes(lifecycle, jobs, &homes, now_ms);
	if (any_is_begun(jobs))
		files_write(lifecycle, jobs, now_ms);
	creation_place_homes(lifecycle, &homes, now_ms);
	for (struct job *job = jobs; job; job = job->next)
		if (job->stage == STAGE_BEGUN && job->decision != LIFECYCLE_CREATE)
			change_outside(lifecycle, job, now_ms);
	if (any_is_begun(jobs))
		end_on_record(lifecycle, jobs, now_ms);
}

/* First the record; new homes are built aside; then the files, then homes come into place and sessions end; then the
 * record again. */
static void work_off(struct lifecycle *lifecycle, int64_t now_ms)
{
	struct job *jobs = take_jobs(lifecycle);

	put_on_record(lifecycle, &jobs);
	lifecycle_carry_out(lifecycle, jobs, now_ms);
	for (struct job *next; jobs; jobs = next) {
		next = jobs->next;
		end_job(jobs);
	}
}

/* ---- the lock ---- */

bool lifecycle_lock_is_foreign(const struct lifecycle *lifecycle)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	bool system = lifecycle->homes.root_fd == AT_FDCWD;
	_cleanup_fd_ int fd = -1;

	if (lifecycle->locked)
		return false;
	fd = openat(lifecycle->homes.root_fd, system ? "/etc/.pwd.lock" : "etc/.pwd.lock",
		    O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return fd >= 0 && fcntl(fd, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
}

/* Gives up on work that has waited for too long, or, without the lock's ever coming, on all. */
static void refuse_waiting(struct lifecycle *lifecycle, int64_t now_ms, int error)
{
	for (struct job *job = take_jobs(lifecycle), *next; job; job = next) {
		next = job->next;
		if (error == -EAGAIN && (job->patient || now_ms - job->queued_ms < LIFECYCLE_LOCK_PATIENCE_MS)) {
			append(lifecycle, job);
			continue;
		}
		if (error == -EAGAIN)
			log_error("no account can be made or changed: another program has held /etc/.pwd.lock for %d s",
				  LIFECYCLE_LOCK_PATIENCE_MS / 1000);
		else
			log_error("no account can be made or changed: /etc/.pwd.lock cannot be taken: %s",
				  strerror(-error));
		end_job_unbegun(job, REASON_STORAGE);
	}
}

static void run_with_lock(struct lifecycle *lifecycle, int64_t now_ms)
{
	lifecycle->locked = true;
	if (lifecycle->recovery_due && now_ms >= lifecycle->recovery_ms)
		lifecycle_recover_now(lifecycle, now_ms);
	if (lifecycle->first)
		work_off(lifecycle, now_ms);
	lifecycle->locked = false;
	lifecycle->next_subid = lifecycle->behind_free_subids = 0;
}

static bool is_due(const struct lifecycle *lifecycle, int64_t now_ms)
{
	return (lifecycle->first && now_ms >= queue_due_ms(lifecycle)) ||
	       (lifecycle->recovery_due && now_ms >= lifecycle->recovery_ms);
}

/* Nobody may stand in line who does not come back for the lock. */
static void wait_for_lock(struct lifecycle *lifecycle, int64_t now_ms, int error)
{
	int r = 0;

	if (error == -EAGAIN && is_due(lifecycle, now_ms))
		r = account_files_stand_in_line(lifecycle->files);
	else
		account_files_unlock(lifecycle->files);
	if (r != 0)
		log_debug("the lock of the account files is asked for again and again: %s", strerror(-r));
}

void lifecycle_run(void *context, int64_t now_ms)
{
	struct lifecycle *lifecycle = context;
	int locked;

	sessions_run(lifecycle, now_ms);
	if (now_ms < lifecycle->retry_ms)
		return;
	if (!is_due(lifecycle, now_ms)) {
		account_files_unlock(lifecycle->files);
		return;
	}
	locked = account_files_lock(lifecycle->files);
	if (locked != 0) {
		lifecycle->retry_ms = locked == -EAGAIN ? now_ms + LOCK_RETRY_MS : 0;
		if (locked != -EAGAIN)
			lifecycle->recovery_ms = now_ms + LIFECYCLE_RECOVERY_RETRY_MS;
		refuse_waiting(lifecycle, now_ms, locked);
		wait_for_lock(lifecycle, now_ms, locked);
		return;
	}
	lifecycle->retry_ms = 0;
	run_with_lock(lifecycle, now_ms);
	account_files_unlock(lifecycle->files);
}
