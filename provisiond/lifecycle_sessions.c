/*
 * Ends what runs in the name of an account: SIGTERM at once, SIGKILL from 3 s on, until nothing is left or 10 s are
 * over, from the loop and without blocking it. Also finds those whose last sign-in is longer ago than max_signin_age,
 * and ends theirs, once.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "provisiond/events.h"
#include "provisiond/leftovers.h"
#include "provisiond/lifecycle_inside.h"
#include "provisiond/processes.h"

#define KILL_AFTER_MS 3000
#define GIVE_UP_AFTER_MS 10000
#define LOOK_EVERY_MS 200
#define LOOK_EVERY_MS_FOR_EACH 25 /* and that for each account: looking through /proc takes a while */
#define LOOKS_AT_ONCE 8           /* then the loop sees to others first */
#define SWEEP_EVERY_MS 60000

/* ---- signals ---- */

static int signal_all(const struct lifecycle *lifecycle, const struct account_record *record, int signal_number,
		      size_t *ret_running)
{
	size_t running = 0;
	int r = lifecycle->proc
			? processes_signal(lifecycle->proc, record->uid, record->first_subid, signal_number, &running)
			: 0;

	if (r == 0 || r == -EPERM)
		*ret_running = running;
	return r;
}

int sessions_begin_ending(struct lifecycle *lifecycle, const struct account_record *record, size_t *ret_running)
{
	int stopped = lifecycle->root ? leftovers_stop_lingering(lifecycle->root, record->name) : 0;
	int signalled = signal_all(lifecycle, record, SIGTERM, ret_running);

	if (stopped != 0)
		log_error("%s: lingering services cannot be stopped: %s", record->name, strerror(-stopped));
	if (signalled != 0)
		log_error("%s: not everything that runs can be ended: %s", record->name, strerror(-signalled));
	return stopped != 0 ? stopped : signalled == -EPERM ? 0 : signalled;
}

/* ---- what is being ended ---- */

static void ending_free(struct ending *ending)
{
	planned_change_clear(&ending->change);
	free(ending);
}

void sessions_free(struct lifecycle *lifecycle)
{
	for (struct ending *ending = take_pointer(lifecycle->endings), *next; ending; ending = next) {
		next = ending->next;
		ending_free(ending);
	}
}

bool sessions_are_ending(const struct lifecycle *lifecycle, const char *account)
{
	for (const struct ending *ending = lifecycle->endings; ending; ending = ending->next)
		if (strcmp(ending->change.record.name, account) == 0)
			return true;
	return false;
}

static int64_t next_look_ms(const struct lifecycle *lifecycle, int64_t now_ms)
{
	int64_t count = 0;

	for (const struct ending *ending = lifecycle->endings; ending; ending = ending->next)
		count++;
	return now_ms + LOOK_EVERY_MS + count * LOOK_EVERY_MS_FOR_EACH;
}

int sessions_watch(struct lifecycle *lifecycle, const struct ending *what, int64_t now_ms)
{
	struct ending *ending = calloc(1, sizeof(*ending));

	if (!ending || planned_change_copy(&what->change, &ending->change) != 0) {
		free(ending);
		log_error("%s: running sessions cannot be watched: out of memory", what->change.record.name);
		return -ENOMEM;
	}
	ending->idle = what->idle;
	ending->told = what->told;
	ending->begun_ms = now_ms;
	ending->next_ms = next_look_ms(lifecycle, now_ms);
	ending->next = lifecycle->endings;
	lifecycle->endings = ending;
	return 0;
}

static void tell_ended(const struct account_record *record, size_t left)
{
	const struct event_facts facts = { .tenant = record->tenant,
					   .account = record->name,
					   .subject = record->subject,
					   .email = record->email,
					   .uid = record->uid };

	if (left > 0)
		log_warning("%s: %zu processes of uid %lu do not end, although they were killed", record->name, left,
			    (unsigned long)record->uid);
	event_tell(EVENT_SESSIONS_ENDED, &facts, "%s: what ran as uid %lu was ended", record->name,
		   (unsigned long)record->uid);
}

static void note_idle_ended(struct lifecycle *lifecycle, const struct account_record *record)
{
	if (store_note_sessions_ended(lifecycle->store, record->name, (int64_t)time(NULL)) != 0)
		log_error("%s: the end of the sessions cannot be put on record: %s", record->name,
			  store_fault(lifecycle->store));
}

static void end_watched(struct lifecycle *lifecycle, const struct ending *ending, size_t left, int64_t now_ms)
{
	const struct account_record *record = &ending->change.record;

	tell_ended(record, left);
	if (ending->idle) {
		note_idle_ended(lifecycle, record);
	} else if (store_end_change(lifecycle->store, &ending->change, (int64_t)time(NULL)) == 0) {
		if (!ending->told)
			change_tell(&ending->change);
	} else {
		log_error("%s: the end of a change cannot be put on record: %s", record->name,
			  store_fault(lifecycle->store));
		lifecycle_leave_to_recovery(lifecycle, now_ms);
	}
}

/* Somebody who was idle and has signed in meanwhile has sessions that must stay. */
static bool has_come_back(struct lifecycle *lifecycle, const struct ending *ending)
{
	_cleanup_record_ struct account_record record = { 0 };

	return ending->idle &&
	       store_account_by_name(lifecycle->store, ending->change.record.name, &record) == STORE_FOUND &&
	       record.last_signin_at != ending->change.record.last_signin_at;
}

/* Looks once. True when it is over. */
static bool look(struct lifecycle *lifecycle, struct ending *ending, int64_t now_ms)
{
	int64_t age_ms = now_ms - ending->begun_ms;
	size_t running = 1;

	if (has_come_back(lifecycle, ending))
		return true;
	(void)signal_all(lifecycle, &ending->change.record, age_ms >= KILL_AFTER_MS ? SIGKILL : 0, &running);
	if (running > 0 && age_ms < GIVE_UP_AFTER_MS) {
		ending->next_ms = next_look_ms(lifecycle, now_ms);
		return false;
	}
	end_watched(lifecycle, ending, running, now_ms);
	return true;
}

static void look_after_endings(struct lifecycle *lifecycle, int64_t now_ms)
{
	struct ending **link = &lifecycle->endings;
	unsigned looks = 0;

	while (*link && looks < LOOKS_AT_ONCE) {
		struct ending *ending = *link;

		if (ending->next_ms > now_ms || (looks++, !look(lifecycle, ending, now_ms))) {
			link = &ending->next;
			continue;
		}
		*link = ending->next;
		ending_free(ending);
		lifecycle_unblock(lifecycle);
	}
}

/* ---- those whose time is over ---- */

static bool sweeps(const struct lifecycle *lifecycle)
{
	return lifecycle->accounts && lifecycle->accounts->max_signin_age_s > 0;
}

static void end_idle(struct lifecycle *lifecycle, const struct account_record *record, int64_t now_ms)
{
	const struct ending ending = { .idle = true, .change = planned_change_none(CHANGE_UPDATE, record) };
	size_t running = 0;

	if (sessions_are_ending(lifecycle, record->name))
		return;
	if (sessions_begin_ending(lifecycle, record, &running) < 0)
		return;
	if (running == 0)
		note_idle_ended(lifecycle, record);
	else
		(void)sessions_watch(lifecycle, &ending, now_ms);
}

/* Some of them, from where the last call ended; the others are left to the next. */
static void sweep(struct lifecycle *lifecycle, int64_t now_ms)
{
	int64_t signin_before = (int64_t)time(NULL) - lifecycle->accounts->max_signin_age_s;

	for (unsigned i = 0; i < LOOKS_AT_ONCE; i++) {
		_cleanup_record_ struct account_record record = { 0 };
		enum store_answer found =
			store_idle_after(lifecycle->store, lifecycle->sweep_after, signin_before, &record);

		if (found == STORE_FAILED)
			log_error("the database cannot be read: %s", store_fault(lifecycle->store));
		if (found != STORE_FOUND) {
			lifecycle->sweep_after[0] = '\0';
			lifecycle->sweep_ms = now_ms + SWEEP_EVERY_MS;
			return;
		}
		account_name_copy(record.name, lifecycle->sweep_after);
		end_idle(lifecycle, &record, now_ms);
	}
}

/* ---- the loop ---- */

int64_t sessions_deadline_ms(const struct lifecycle *lifecycle)
{
	int64_t due_ms = sweeps(lifecycle) ? lifecycle->sweep_ms : -1;

	for (const struct ending *ending = lifecycle->endings; ending; ending = ending->next)
		if (due_ms < 0 || ending->next_ms < due_ms)
			due_ms = ending->next_ms;
	return due_ms;
}

void sessions_run(struct lifecycle *lifecycle, int64_t now_ms)
{
	look_after_endings(lifecycle, now_ms);
	if (sweeps(lifecycle) && now_ms >= lifecycle->sweep_ms)
		sweep(lifecycle, now_ms);
}
