/*
 * Ends what a crash, or a disk that was full, has cut: temporary files and homes go, a creation is finished or taken
 * back, and every change that was begun is carried out once more from its beginning.
 */
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "provisiond/lifecycle_inside.h"

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

static bool sweep_all(struct lifecycle *lifecycle)
{
	int swept = account_files_sweep(lifecycle->files);

	if (swept != 0)
		log_warning("leftovers beside the account files cannot be removed: %s", strerror(-swept));
	return sweep_homes(lifecycle, lifecycle->accounts->home) && swept == 0;
}

/* ---- creations ---- */

/* False when something is left. */
static bool recover_creations(struct lifecycle *lifecycle)
{
	char after[ACCOUNT_NAME_MAX + 1] = "";
	bool all = true;

	for (;;) {
		_cleanup_record_ struct account_record record = { 0 };
		enum store_answer found = store_account_creating_after(lifecycle->store, after, &record);

		if (found == STORE_FAILED)
			log_error("the database cannot be read: %s", store_fault(lifecycle->store));
		if (found != STORE_FOUND)
			return all && found == STORE_NONE;
		if (!creation_finish_or_undo(lifecycle, &record))
			all = false;
		account_name_copy(record.name, after);
	}
}

/* ---- changes ---- */

static void free_jobs(struct job *jobs)
{
	for (struct job *next; jobs; jobs = next) {
		next = jobs->next;
		job_free(jobs);
	}
}

/* Everything that was begun, but for those changes that wait for sessions to end. */
static bool collect_changes(struct lifecycle *lifecycle, struct job **ret_jobs)
{
	char after[ACCOUNT_NAME_MAX + 1] = "";

	for (;;) {
		struct job *job = calloc(1, sizeof(*job));
		enum store_answer found = job ? store_change_after(lifecycle->store, after, &job->found) : STORE_FAILED;

		if (found == STORE_FAILED)
			log_error("unfinished changes cannot be read: %s",
				  job ? store_fault(lifecycle->store) : "out of memory");
		if (found != STORE_FOUND) {
			free(job);
			return found == STORE_NONE;
		}
		job->decision = LIFECYCLE_CHANGE;
		job->order.change = job->found;
		job->stage = STAGE_BEGUN;
		account_name_copy(job->found.record.name, after);
		if (sessions_are_ending(lifecycle, after)) {
			job_free(job);
			continue;
		}
		job->next = *ret_jobs;
		*ret_jobs = job;
	}
}

static bool recover_changes(struct lifecycle *lifecycle, int64_t now_ms)
{
	struct job *jobs = NULL;
	bool all = collect_changes(lifecycle, &jobs);

	lifecycle_carry_out(lifecycle, jobs, now_ms);
	for (const struct job *job = jobs; job; job = job->next) {
		const struct planned_change *change = &job->order.change;

		if (job->stage == STAGE_DONE)
			log_notice("%s: a change (%s) that was begun and not finished was carried out",
				   change->record.name, change_kind_name(change->kind));
		else
			log_warning("%s: a change (%s) that was begun could not be finished yet", change->record.name,
				    change_kind_name(change->kind));
	}
	free_jobs(jobs);
	return all;
}

void lifecycle_recover_now(struct lifecycle *lifecycle, int64_t now_ms)
{
	bool swept = sweep_all(lifecycle), created = recover_creations(lifecycle);

	/* Set again by each change that cannot be carried out. */
	lifecycle->recovery_due = false;
	if (!recover_changes(lifecycle, now_ms) || !swept || !created)
		lifecycle_leave_to_recovery(lifecycle, now_ms);
}
