/*
 * Applies a change set, and takes one back: in order, each change whole, with the record on the disk before the first.
 *
 * Taking back goes through all changes of the set in reverse, whether they were made or not: a file that still is what
 * it was, a folder that is not there and an undo word that has nothing to undo cost nothing. So it does not matter
 * where the machine stopped.
 */
#include "provisiond/ctl/setup/change_set.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "provisiond/ctl/setup/change_record.h"
#include "provisiond/ctl/setup/change_take_back.h"
#include "provisiond/ctl/setup/file_install.h"
#include "provisiond/ctl/setup/program.h"

struct work {
	change_teller *tell;
	void *context;
	char *fault;
	size_t fault_size;
};

__attribute__((format(printf, 3, 4))) static void say(const struct work *work, enum change_tell level,
						      const char *format, ...)
{
	char sentence[CHANGE_FAULT_SIZE];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	if (work->tell)
		work->tell(work->context, level, sentence);
}

/* ---- applying ---- */

static bool apply_file(const struct change *change, const struct work *work)
{
	if (!file_install(change->path, &change->before, &change->after, change->set_owner ? &change->becomes : NULL,
			  work->fault, work->fault_size))
		return false;
	say(work, CHANGE_TELL_DONE, "%s is %s.", change->path,
	    !change->after.exists   ? "removed"
	    : change->before.exists ? "changed"
				    : "written");
	return true;
}

/* Made under its final name: until it has its owner it is root's, and empty. */
static bool apply_directory(const struct change *change, const struct work *work)
{
	_cleanup_fd_ int fd = -1;

	if (mkdir(change->path, 0700) != 0 && errno != EEXIST)
		return change_fault(work->fault, work->fault_size, "%s cannot be made: %s", change->path,
				    strerror(errno));
	fd = open(change->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fchown(fd, change->becomes.user, change->becomes.group) != 0 ||
	    fchmod(fd, change->becomes.mode) != 0)
		return change_fault(work->fault, work->fault_size, "%s cannot be given its owner: %s", change->path,
				    strerror(errno));
	say(work, CHANGE_TELL_DONE, "%s is made.", change->path);
	return true;
}

static bool apply_step(const struct change *change, const struct work *work)
{
	char fault[CHANGE_FAULT_SIZE];

	if (!change->apply_words)
		return true;
	if (change_words_run(change->apply_words, fault, sizeof(fault))) {
		say(work, CHANGE_TELL_DONE, "Done: %s.", change->says);
		return true;
	}
	if (change->may_fail) {
		say(work, CHANGE_TELL_WARNING, "Not done: %s. %s. %s", change->says, fault,
		    change->remedy ? change->remedy : "");
		return true;
	}
	return change_fault(work->fault, work->fault_size, "%s: %s.%s%s", change->says, fault,
			    change->remedy ? " " : "", change->remedy ? change->remedy : "");
}

static bool apply_one(const struct change *change, const struct work *work)
{
	switch (change->kind) {
	case CHANGE_KIND_FILE:
		return apply_file(change, work);
	case CHANGE_KIND_DIRECTORY:
		return apply_directory(change, work);
	case CHANGE_KIND_STEP:
		return apply_step(change, work);
	case CHANGE_KIND_NOTE:
		break;
	}
	return true;
}

/* ---- taking back ---- */

static bool put_aside(const char *path, const struct change_content *now, const struct change_owner *owner,
		      const struct work *work)
{
	char aside[PATH_MAX];
	struct change_content there = { 0 };
	int n = snprintf(aside, sizeof(aside), "%s.undone", path);
	bool good;

	if (n < 0 || (size_t)n >= sizeof(aside))
		return change_fault(work->fault, work->fault_size, "%s has too long a name", path);
	if (!file_read(aside, &there, NULL, work->fault, work->fault_size))
		return false;
	good = file_install(aside, &there, now, owner, work->fault, work->fault_size);
	change_content_free(&there);
	if (good)
		say(work, CHANGE_TELL_WARNING, "%s was changed since setup wrote it. What it was is kept in %s.", path,
		    aside);
	return good;
}

static void tell_taken_back(enum take_back how, const struct change *change, const struct work *work)
{
	if (how == TAKE_BACK_WHOLE)
		say(work, CHANGE_TELL_DONE, "%s is %s.", change->path,
		    change->before.exists ? "as it was before" : "removed");
	if (how == TAKE_BACK_LINES)
		say(work, CHANGE_TELL_DONE,
		    "%s was changed since setup wrote it: only what setup had put in is out of it now.", change->path);
	if (how == TAKE_BACK_STAYS)
		say(work, CHANGE_TELL_WARNING,
		    "%s was changed since setup wrote it, in the same place, and stays as it is. Look at it.",
		    change->path);
}

static bool same_owner(const struct change_owner *one, const struct change_owner *other)
{
	return one->mode == other->mode && one->user == other->user && one->group == other->group;
}

/* `unsure`: the change may not have been made. What is neither before nor after is then none of ours. */
static bool undo_file(const struct change *change, bool unsure, const struct work *work)
{
	_cleanup_(change_content_free) struct change_content now = { 0 }, text = { 0 };
	struct change_owner owner = { 0 };
	enum take_back how;

	file_sweep(change->path);
	if (!file_read(change->path, &now, &owner, work->fault, work->fault_size))
		return false;
	if (unsure && !change_is_before(change, &now) && !change_is_after(change, &now))
		return true;
	how = change_take_back(change, &now, &text);
	/* Only its owner had been changed. */
	if (how == TAKE_BACK_NOTHING && now.exists && change->set_owner && change->before.exists &&
	    same_owner(&owner, &change->becomes) && !same_owner(&owner, &change->was))
		return file_install(change->path, &now, &now, &change->was, work->fault, work->fault_size);
	if (how == TAKE_BACK_NO_MEMORY)
		return change_fault_memory(work->fault, work->fault_size);
	if (how == TAKE_BACK_ASIDE && !put_aside(change->path, &now, &owner, work))
		return false;
	if (how == TAKE_BACK_WHOLE || how == TAKE_BACK_LINES || how == TAKE_BACK_ASIDE) {
		bool owned = text.exists && change->before.exists && (change->set_owner || !now.exists);

		if (!file_install(change->path, &now, &text, owned ? &change->was : NULL, work->fault,
				  work->fault_size))
			return false;
	}
	tell_taken_back(how, change, work);
	return true;
}

static bool undo_directory(const struct change *change, const struct work *work)
{
	if (rmdir(change->path) == 0) {
		say(work, CHANGE_TELL_DONE, "%s is removed.", change->path);
		return true;
	}
	if (errno == ENOENT)
		return true;
	if (errno == ENOTEMPTY || errno == EEXIST) {
		say(work, CHANGE_TELL_WARNING, "%s is not empty and stays.", change->path);
		return true;
	}
	return change_fault(work->fault, work->fault_size, "%s cannot be removed: %s", change->path, strerror(errno));
}

/* A program that fails to undo keeps nothing else from being taken back, nor the record from being closed: the next try
 * would meet the same. */
static bool undo_step(const struct change *change, const struct work *work)
{
	char fault[CHANGE_FAULT_SIZE];

	if (change->undo_words && !change_words_run(change->undo_words, fault, sizeof(fault)))
		say(work, CHANGE_TELL_WARNING, "When taking back \"%s\": %s.", change->says, fault);
	return true;
}

static bool undo_one(const struct change *change, bool unsure, const struct work *work)
{
	switch (change->kind) {
	case CHANGE_KIND_FILE:
		return undo_file(change, unsure, work);
	case CHANGE_KIND_DIRECTORY:
		return undo_directory(change, work);
	case CHANGE_KIND_STEP:
		return undo_step(change, work);
	case CHANGE_KIND_NOTE:
		break;
	}
	return true;
}

/* The first `tried` changes, of which the last one may not have been made. All that can be; the first fault is kept. */
static bool undo_set(const struct change_set *set, size_t tried, const struct work *work)
{
	char fault[CHANGE_FAULT_SIZE] = "";
	bool good = true;

	for (size_t i = tried < set->count ? tried : set->count; i-- > 0;) {
		struct work one = { work->tell, work->context, fault, sizeof(fault) };

		if (undo_one(&set->items[i], i + 1 == tried, &one))
			continue;
		say(work, CHANGE_TELL_ERROR, "%s", fault);
		if (good)
			(void)change_fault(work->fault, work->fault_size, "%s", fault);
		good = false;
	}
	return good;
}

#define ALL_OF_IT SIZE_MAX

/* Takes the last recorded set back, as far as it was tried, and forgets it. */
static bool undo_last(struct change_records *records, size_t tried, const struct work *work)
{
	struct change_set *set;
	bool applied, good;

	if (!change_record_read(records, records->last, &set, &applied, work->fault, work->fault_size))
		return false;
	good = undo_set(set, tried, work);
	change_set_free(set);
	if (!good)
		return false;
	sync();
	return change_record_forget(records, work->fault, work->fault_size);
}

/* ---- the public ones ---- */

static bool apply_all(const struct change_set *set, bool (*stop)(void), size_t *tried, const struct work *work)
{
	for (size_t i = 0; i < set->count; i++) {
		if (stop && stop())
			return change_fault(work->fault, work->fault_size, "setup was interrupted");
		*tried = i + 1;
		if (!apply_one(&set->items[i], work))
			return false;
	}
	/* Also what programs wrote. */
	sync();
	return true;
}

static enum change_result failed_and_undone(struct change_records *records, size_t tried, const struct work *work)
{
	char again[CHANGE_FAULT_SIZE];
	struct work undoing = { work->tell, work->context, again, sizeof(again) };
	size_t length = strlen(work->fault);

	if (undo_last(records, tried, &undoing))
		return CHANGE_UNDONE;
	(void)snprintf(work->fault + length, work->fault_size - length,
		       " And not everything could be taken back: %s. Mend that, then: provisionctl setup --undo",
		       again);
	return CHANGE_FAILED;
}

enum change_result change_set_apply(struct change_set *set, change_teller *tell, void *context, bool (*stop)(void),
				    char *fault, size_t fault_size)
{
	_cleanup_(change_records_close) struct change_records records = { .directory = -1 };
	struct work work = { tell, context, fault, fault_size };
	size_t tried = 0;

	if (change_set_is_empty(set))
		return CHANGE_DONE;
	if (!change_records_open(true, &records, fault, fault_size) ||
	    !change_record_write(&records, set, fault, fault_size))
		return CHANGE_UNDONE;
	if (apply_all(set, stop, &tried, &work) && change_record_mark_applied(&records, fault, fault_size))
		return CHANGE_DONE;
	return failed_and_undone(&records, tried, &work);
}

enum change_result change_set_undo_last(change_teller *tell, void *context, char *fault, size_t fault_size)
{
	_cleanup_(change_records_close) struct change_records records = { .directory = -1 };
	struct work work = { tell, context, fault, fault_size };

	if (!change_records_open(false, &records, fault, fault_size))
		return CHANGE_FAILED;
	if (records.directory < 0 || records.last == 0)
		return CHANGE_UNDONE;
	return undo_last(&records, ALL_OF_IT, &work) ? CHANGE_UNDONE : CHANGE_FAILED;
}

enum change_result change_set_undo_all(change_teller *tell, void *context, char *fault, size_t fault_size)
{
	_cleanup_(change_records_close) struct change_records records = { .directory = -1 };
	struct work work = { tell, context, fault, fault_size };

	if (!change_records_open(false, &records, fault, fault_size))
		return CHANGE_FAILED;
	while (records.directory >= 0 && records.last > 0)
		if (!undo_last(&records, ALL_OF_IT, &work))
			return CHANGE_FAILED;
	return CHANGE_UNDONE;
}

enum change_history change_set_history(char *fault, size_t fault_size)
{
	_cleanup_(change_records_close) struct change_records records = { .directory = -1 };
	struct change_set *set;
	bool applied;

	if (!change_records_open(false, &records, fault, fault_size))
		return CHANGE_HISTORY_UNREADABLE;
	if (records.directory < 0 || records.last == 0)
		return CHANGE_HISTORY_NONE;
	if (!change_record_read(&records, records.last, &set, &applied, fault, fault_size))
		return CHANGE_HISTORY_UNREADABLE;
	change_set_free(set);
	return applied ? CHANGE_HISTORY_APPLIED : CHANGE_HISTORY_UNFINISHED;
}
