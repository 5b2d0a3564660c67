/*
 * The account files' part of the work: one rewrite for all creations and changes of a round, and one for all accounts
 * that go. An order that contradicts the files must not take the others with it.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "provisiond/caches.h"
#include "provisiond/lifecycle_inside.h"

/* What is written in one rewrite. */
struct sheet {
	struct account_entry *entries;
	struct account_alteration *alterations;
	struct account_identity *removals;
	size_t entry_count, alteration_count, removal_count;
};

static void sheet_free(const struct sheet *sheet)
{
	free(sheet->entries);
	free(sheet->alterations);
	free(sheet->removals);
}

static bool sheet_make(size_t count, struct sheet *sheet)
{
	sheet->entries = calloc(count, sizeof(sheet->entries[0]));
	sheet->alterations = calloc(count, sizeof(sheet->alterations[0]));
	sheet->removals = calloc(count, sizeof(sheet->removals[0]));
	return sheet->entries && sheet->alterations && sheet->removals;
}

bool files_have(struct lifecycle *lifecycle, const struct account_record *record)
{
	struct account_user user;

	return account_files_user_named(lifecycle->files, record->name, &user) > 0 && user.uid == record->uid;
}

static void forget_caches(const struct lifecycle *lifecycle)
{
	if (lifecycle->root)
		caches_forget_users(lifecycle->root);
}

/* ---- adding and altering ---- */

static void enter(struct lifecycle *lifecycle, const struct job *job, struct sheet *sheet)
{
	if (job->decision == LIFECYCLE_CREATE)
		sheet->entries[sheet->entry_count++] = creation_entry(job);
	else if (change_alteration(lifecycle, job, &sheet->alterations[sheet->alteration_count]))
		sheet->alteration_count++;
}

static enum account_files_result write_sheet(struct lifecycle *lifecycle, const struct sheet *sheet)
{
	const struct account_edits edits = { .added = sheet->entries,
					     .added_count = sheet->entry_count,
					     .altered = sheet->alterations,
					     .altered_count = sheet->alteration_count };
	enum account_files_result result = ACCOUNT_FILES_DONE;

	if (sheet->entry_count + sheet->alteration_count == 0)
		return result;
	for (int i = 0; i < LIFECYCLE_FILES_ATTEMPTS; i++) {
		result = account_files_apply(lifecycle->files, &edits, (int64_t)time(NULL));
		if (result != ACCOUNT_FILES_CHANGED)
			break;
	}
	if (result == ACCOUNT_FILES_DONE || result == ACCOUNT_FILES_PARTIAL)
		forget_caches(lifecycle);
	/* With all done, too: a group that is missing. */
	if (account_files_fault(lifecycle->files)[0])
		log_error("%s", account_files_fault(lifecycle->files));
	return result;
}

/* ---- removing ---- */

static enum account_files_result remove_sheet(struct lifecycle *lifecycle, const struct account_identity *removals,
					      size_t count)
{
	enum account_files_result result = ACCOUNT_FILES_DONE;

	for (int i = 0; i < LIFECYCLE_FILES_ATTEMPTS; i++) {
		result = account_files_remove(lifecycle->files, removals, count);
		if (result != ACCOUNT_FILES_CHANGED)
			break;
	}
	if (result == ACCOUNT_FILES_DONE || result == ACCOUNT_FILES_PARTIAL)
		forget_caches(lifecycle);
	return result;
}

enum account_files_result files_remove_one(struct lifecycle *lifecycle, const struct account_identity *identity)
{
	return remove_sheet(lifecycle, identity, 1);
}

static void enter_removal(const struct job *job, struct sheet *sheet)
{
	const struct account_record *record = &job->order.change.record;

	sheet->removals[sheet->removal_count++] = (struct account_identity){ .name = record->name,
									     .uid = record->uid,
									     .gid = record->gid,
									     .whole = true,
									     .groups = "*",
									     .first_subid = record->first_subid };
}

static enum account_files_result write_removals(struct lifecycle *lifecycle, const struct sheet *sheet)
{
	enum account_files_result result = remove_sheet(lifecycle, sheet->removals, sheet->removal_count);

	if (result != ACCOUNT_FILES_DONE)
		log_error("%s", account_files_fault(lifecycle->files));
	return result;
}

/* ---- all together, or each alone ---- */

static bool is_concerned(const struct job *job, bool removal)
{
	return job->stage == STAGE_BEGUN &&
	       (!removal || (job->decision == LIFECYCLE_CHANGE && change_removes_rows(job)));
}

/* Writes for one job, or for all when it is NULL. */
static enum account_files_result write_for(struct lifecycle *lifecycle, const struct job *jobs, const struct job *only,
					   bool removal)
{
	_cleanup_(sheet_free) struct sheet sheet = { 0 };
	size_t count = 0;

	for (const struct job *job = jobs; job; job = job->next)
		count += is_concerned(job, removal);
	if (!sheet_make(count, &sheet)) {
		log_error("the account files cannot be changed: out of memory");
		return ACCOUNT_FILES_STORAGE;
	}
	for (const struct job *job = jobs; job; job = job->next) {
		if (!is_concerned(job, removal) || (only && job != only))
			continue;
		if (removal)
			enter_removal(job, &sheet);
		else
			enter(lifecycle, job, &sheet);
	}
	return removal ? write_removals(lifecycle, &sheet) : write_sheet(lifecycle, &sheet);
}

static void refuse(struct lifecycle *lifecycle, struct job *job, enum account_files_result result, int64_t now_ms)
{
	if (result == ACCOUNT_FILES_DONE)
		return;
	if (job->decision == LIFECYCLE_CREATE)
		creation_undo(lifecycle, job, REASON_STORAGE, now_ms);
	else
		change_refused_by_files(lifecycle, job, result, now_ms);
}

static void write_step(struct lifecycle *lifecycle, struct job *jobs, bool removal, int64_t now_ms)
{
	enum account_files_result together;
	size_t count = 0;
	bool alone;

	for (const struct job *job = jobs; job; job = job->next)
		count += is_concerned(job, removal);
	if (count == 0)
		return;
	together = write_for(lifecycle, jobs, NULL, removal);
	alone = count > 1 && (together == ACCOUNT_FILES_TAKEN || together == ACCOUNT_FILES_INVALID);
	for (struct job *job = jobs; job; job = job->next)
		if (is_concerned(job, removal))
			refuse(lifecycle, job, alone ? write_for(lifecycle, jobs, job, removal) : together, now_ms);
}

void files_write(struct lifecycle *lifecycle, struct job *jobs, int64_t now_ms)
{
	write_step(lifecycle, jobs, false, now_ms);
	write_step(lifecycle, jobs, true, now_ms);
}
