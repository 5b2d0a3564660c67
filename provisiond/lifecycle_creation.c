/*
 * The making of one account, and its taking back. In which order is lifecycle.c's business.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "provisiond/events.h"
#include "provisiond/lifecycle_inside.h"

#define CLOSED_EXPIRY_DAY 1 /* as account_files_add() writes it for a closed account */

/* ---- the record ---- */

/* Subordinate ids behind all that are in the files or were ever given to anybody. Without any left, the account is
 * made all the same. */
static bool find_free_subids(struct lifecycle *lifecycle, const char *account)
{
	uint32_t highest = 0;
	int found;

	if (store_highest_subid(lifecycle->store, &highest) == STORE_FAILED) {
		log_warning("%s: no subordinate ids: the database cannot be read: %s", account,
			    store_fault(lifecycle->store));
		return false;
	}
	found = account_files_free_subid(lifecycle->files, highest == 0 ? 0 : highest + SUBID_COUNT,
					 &lifecycle->next_subid, &lifecycle->behind_free_subids);
	if (found > 0)
		return true;
	if (account_files_fault(lifecycle->files)[0])
		log_warning("%s: no subordinate ids: %s", account, account_files_fault(lifecycle->files));
	return false;
}

/* Looked for once for all accounts of a round: nobody else changes the files meanwhile, and if somebody does, adding to
 * them shows it. */
static uint32_t free_subid(struct lifecycle *lifecycle, const char *account)
{
	uint32_t first;

	if (lifecycle->behind_free_subids - lifecycle->next_subid < SUBID_COUNT &&
	    !find_free_subids(lifecycle, account))
		return 0;
	first = lifecycle->next_subid;
	lifecycle->next_subid += SUBID_COUNT;
	return first;
}

static void write_gecos(const struct account_record *record, char ret_gecos[GECOS_WITH_ROOM_MAX])
{
	char name[GECOS_MAX];

	gecos_from_full_name(record->full_name, record->name, name);
	(void)snprintf(ret_gecos, GECOS_WITH_ROOM_MAX, "%s%s%s", name, record->room[0] ? "," : "", record->room);
}

static void fill_missing(const char **string)
{
	if (!*string)
		*string = "";
}

int creation_begin(struct lifecycle *lifecycle, struct job *job)
{
	struct account_record *record = &job->order.record;
	int begun;

	fill_missing(&record->room);
	fill_missing(&record->groups_given);
	fill_missing(&record->groups_taken);
	fill_missing(&record->gecos_before);
	fill_missing(&record->ageing_before);
	fill_missing(&record->expiry_before);
	fill_missing(&record->expiry_given);
	fill_missing(&record->refusal);
	job->made_state = record->state;
	record->state = ACCOUNT_CREATING;
	if (record->first_subid == 0)
		record->first_subid = free_subid(lifecycle, record->name);
	write_gecos(record, job->gecos);
	begun = record->revived ? store_revive(lifecycle->store, record) : store_add(lifecycle->store, record);
	if (begun == -EEXIST)
		log_error("%s: the account cannot be put on record: %s", record->name, store_fault(lifecycle->store));
	return begun;
}

/* ---- the files ---- */

struct account_entry creation_entry(const struct job *job)
{
	const struct account_record *record = &job->order.record;

	return (struct account_entry){
		.name = record->name,
		.uid = record->uid,
		.gid = record->gid,
		.gecos = job->gecos,
		.home = record->home,
		.shell = record->shell,
		.expiry = record->expiry_given,
		.closed = job->made_state == ACCOUNT_INCOMPLETE,
		.groups = job->order.groups,
		.group_count = job->order.group_count,
		.first_subid = record->first_subid,
	};
}

/* ---- the home ---- */

static struct home_request home_request_of(const struct lifecycle *lifecycle, const struct account_record *record)
{
	return (struct home_request){
		.path = record->home,
		.skeleton = lifecycle->accounts->skeleton,
		.uid = record->uid,
		.gid = record->gid,
		.mode = lifecycle->accounts->home_mode,
	};
}

static bool home_is_good(const struct account_record *record, enum home_result result, const struct home_report *report)
{
	if (result != HOME_DONE) {
		log_error("%s: the home directory cannot be made: %s", record->name, report->fault);
		return false;
	}
	if (report->skipped > 0)
		log_warning("%s: %u things of the skeleton were not copied, for example %s: no file, folder or link",
			    record->name, report->skipped, report->skipped_name);
	return true;
}

/* A home of that uid which is in place is complete. */
static bool home_is_there(struct lifecycle *lifecycle, const struct account_record *record)
{
	struct home_report report;

	return home_examine(&lifecycle->homes, record->home, record->uid, &report) == HOME_DONE;
}

/* Somebody who comes back has the home again that was kept. */
static bool needs_home(struct lifecycle *lifecycle, const struct job *job)
{
	return job->stage == STAGE_BEGUN && job->decision == LIFECYCLE_CREATE && lifecycle->accounts->create_home &&
	       !(job->order.record.revived && home_is_there(lifecycle, &job->order.record));
}

/* One of those that needs_home() named, when the home was asked for. */
static void judge_home(struct lifecycle *lifecycle, struct job *job, const struct home_making *making, int64_t now_ms)
{
	if (!home_is_good(&job->order.record, making->result, &making->report))
		creation_undo(lifecycle, job, making->result == HOME_EXISTS ? REASON_HOME_EXISTS : REASON_STORAGE,
			      now_ms);
}

static void judge_homes(struct lifecycle *lifecycle, struct new_homes *homes, int64_t now_ms)
{
	for (size_t i = 0; i < homes->count; i++)
		if (homes->jobs[i]->stage == STAGE_BEGUN)
			judge_home(lifecycle, homes->jobs[i], &homes->makings[i], now_ms);
}

static bool list_homes(struct lifecycle *lifecycle, struct job *jobs, struct new_homes *homes)
{
	size_t count = 0, listed = 0;

	for (struct job *job = jobs; job; job = job->next)
		count += needs_home(lifecycle, job);
	if (count == 0)
		return true;
	homes->jobs = calloc(count, sizeof(struct job *));
	homes->makings = calloc(count, sizeof(struct home_making));
	if (!homes->jobs || !homes->makings)
		return false;
	for (struct job *job = jobs; job && listed < count; job = job->next) {
		if (!needs_home(lifecycle, job))
			continue;
		homes->jobs[listed] = job;
		homes->makings[listed++].request = home_request_of(lifecycle, &job->order.record);
	}
	homes->count = listed;
	return true;
}

void creation_build_homes(struct lifecycle *lifecycle, struct job *jobs, struct new_homes *homes, int64_t now_ms)
{
	*homes = (struct new_homes){ 0 };
	if (list_homes(lifecycle, jobs, homes)) {
		if (homes->count > 0)
			homes->buildings = home_build_all(&lifecycle->homes, homes->makings, homes->count);
		judge_homes(lifecycle, homes, now_ms);
		return;
	}
	log_error("no home directory can be made: out of memory");
	for (struct job *job = jobs; job; job = job->next)
		if (needs_home(lifecycle, job))
			creation_undo(lifecycle, job, REASON_STORAGE, now_ms);
}

void creation_place_homes(struct lifecycle *lifecycle, struct new_homes *homes, int64_t now_ms)
{
	for (size_t i = 0; i < homes->count; i++)
		if (homes->jobs[i]->stage != STAGE_BEGUN)
			homes->makings[i].result = HOME_STORAGE;
	home_place_all(homes->buildings);
	judge_homes(lifecycle, homes, now_ms);
	free(homes->makings);
	free(homes->jobs);
}

/* ---- taking back ---- */

/* The rows; the record, last. There is no home yet. False when something is left; then the record is, too. */
static bool undo(struct lifecycle *lifecycle, const struct account_record *record)
{
	const struct account_identity identity = { .name = record->name,
						   .uid = record->uid,
						   .gid = record->gid,
						   .groups = record->groups_given,
						   .first_subid = record->first_subid };
	enum account_files_result removed;

	removed = files_remove_one(lifecycle, &identity);
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

void creation_undo(struct lifecycle *lifecycle, struct job *job, enum reason reason, int64_t now_ms)
{
	job_fail(job, reason);
	if (!undo(lifecycle, &job->order.record))
		lifecycle_leave_to_recovery(lifecycle, now_ms);
}

/* ---- recovery ---- */

/* An account with an open question was written closed: the files remember what it was to become. */
static enum account_state state_in_files(struct lifecycle *lifecycle, const struct account_record *record)
{
	struct account_shadow shadow;

	return account_files_shadow_named(lifecycle->files, record->name, &shadow) > 0 && shadow.has_expiry &&
			       shadow.expires_day == CLOSED_EXPIRY_DAY
		       ? ACCOUNT_INCOMPLETE
		       : ACCOUNT_ACTIVE;
}

static bool home_is_made(struct lifecycle *lifecycle, const struct account_record *record)
{
	const struct home_request request = home_request_of(lifecycle, record);
	struct home_report report;

	return !lifecycle->accounts->create_home || home_is_there(lifecycle, record) ||
	       home_is_good(record, home_create(&lifecycle->homes, &request, &report), &report);
}

bool creation_finish_or_undo(struct lifecycle *lifecycle, const struct account_record *record)
{
	/* passwd is written last: who is there has all rows. */
	if (files_have(lifecycle, record) && home_is_made(lifecycle, record)) {
		if (store_set_state(lifecycle->store, record->name, state_in_files(lifecycle, record)) != 0) {
			log_error("%s: the account cannot be finished: %s", record->name,
				  store_fault(lifecycle->store));
			return false;
		}
		log_notice("%s: the account with uid %lu, which was being made when provisiond ended, was finished",
			   record->name, (unsigned long)record->uid);
		creation_tell(record);
		return true;
	}
	if (!undo(lifecycle, record))
		return false;
	log_notice("%s: the account with uid %lu, which was being made when provisiond ended, was taken back",
		   record->name, (unsigned long)record->uid);
	return true;
}

void creation_tell(const struct account_record *record)
{
	const struct event_facts facts = { .tenant = record->tenant,
					   .account = record->name,
					   .subject = record->subject,
					   .email = record->email,
					   .uid = record->uid };

	event_tell(EVENT_CREATED, &facts, "%s: the account was made, with uid %lu%s", record->name,
		   (unsigned long)record->uid, record->revived ? ", as it was before it was removed" : "");
}
