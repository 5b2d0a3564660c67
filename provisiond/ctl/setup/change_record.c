/*
 * Writes and reads the record for undo.
 */
#include "provisiond/ctl/setup/change_record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "provisiond/ctl/setup/file_install.h"

#define STATE_FOLDER "/var/lib/provisiond"
#define RECORDS_FOLDER STATE_FOLDER "/setup"
#define BEING_WRITTEN "writing"
#define BEING_REMOVED "removing"
#define FIRST_LINE "record of provisionctl setup, version 1"
#define RECORDS_MAX 10000u

static bool fault_errno(char *fault, size_t fault_size, const char *what)
{
	return change_fault(fault, fault_size, "the record for undo in %s %s: %s", RECORDS_FOLDER, what,
			    strerror(errno));
}

/* ---- the folder of all records ---- */

static bool make_folders(char *fault, size_t fault_size)
{
	if ((mkdir(STATE_FOLDER, 0700) != 0 && errno != EEXIST) ||
	    (mkdir(RECORDS_FOLDER, 0700) != 0 && errno != EEXIST))
		return fault_errno(fault, fault_size, "cannot be made");
	return true;
}

static unsigned number_of(const char *name)
{
	char *end;
	unsigned long number;

	if (*name < '1' || *name > '9')
		return 0;
	number = strtoul(name, &end, 10);
	return *end || number > RECORDS_MAX ? 0 : (unsigned)number;
}

/* Only files are in it. */
static bool remove_folder(int directory, const char *name)
{
	int fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (!stream) {
		if (fd >= 0)
			(void)close(fd);
		return fd < 0 && errno == ENOENT;
	}
	while ((entry = readdir(stream)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			(void)unlinkat(fd, entry->d_name, 0);
	(void)closedir(stream);
	return unlinkat(directory, name, AT_REMOVEDIR) == 0;
}

static bool find_last(int directory, unsigned *ret_last)
{
	int again = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = again < 0 ? NULL : fdopendir(again);
	const struct dirent *entry;
	unsigned last = 0;

	if (!stream) {
		if (again >= 0)
			(void)close(again);
		return false;
	}
	while ((entry = readdir(stream)))
		if (number_of(entry->d_name) > last)
			last = number_of(entry->d_name);
	(void)closedir(stream);
	*ret_last = last;
	return true;
}

bool change_records_open(bool make, struct change_records *ret_records, char *fault, size_t fault_size)
{
	_cleanup_fd_ int directory = -1;
	struct stat seen;
	unsigned last;

	if (make && !make_folders(fault, fault_size))
		return false;
	directory = open(RECORDS_FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (directory < 0 && errno == ENOENT && !make) {
		*ret_records = (struct change_records){ .directory = -1 };
		return true;
	}
	if (directory < 0 || fstat(directory, &seen) != 0)
		return fault_errno(fault, fault_size, "cannot be opened");
	if (seen.st_uid != geteuid() || (seen.st_mode & 077))
		return change_fault(fault, fault_size,
				    "%s is open to others than root. Nothing in it can be trusted: remove it.",
				    RECORDS_FOLDER);
	if (flock(directory, LOCK_EX | LOCK_NB) != 0)
		return change_fault(fault, fault_size, "another provisionctl setup is at work. Wait for it to end.");
	if (!remove_folder(directory, BEING_WRITTEN) || !remove_folder(directory, BEING_REMOVED) ||
	    !find_last(directory, &last))
		return fault_errno(fault, fault_size, "cannot be looked through");
	*ret_records = (struct change_records){ take_fd(&directory), last };
	return true;
}

void change_records_close(const struct change_records *records)
{
	cleanup_fd(&records->directory);
}

/* ---- writing ---- */

static const char *const undo_names[] = {
	[CHANGE_UNDO_LINES] = "lines",       [CHANGE_UNDO_WHOLE] = "whole", [CHANGE_UNDO_PAM] = "pam",
	[CHANGE_UNDO_NSSWITCH] = "nsswitch", [CHANGE_UNDO_STAYS] = "stays",
};

static void put_owner(FILE *file, const char *key, const struct change_owner *owner)
{
	(void)fprintf(file, "%s %o %lu %lu\n", key, (unsigned)owner->mode, (unsigned long)owner->user,
		      (unsigned long)owner->group);
}

static void put_file(FILE *file, const struct change *change)
{
	(void)fprintf(file, "file %s\nundo %s\n", change->path, undo_names[change->undo]);
	if (change->before.exists) {
		(void)fputs("before\n", file);
		put_owner(file, "was", &change->was);
	}
	if (change->after.exists)
		(void)fputs("after\n", file);
	if (change->set_owner)
		put_owner(file, "becomes", &change->becomes);
	if (change->secret)
		(void)fprintf(file, "secret %s\n", change->digest);
}

static void put_words(FILE *file, const char *key, const char *words)
{
	for (; words && *words; words += strcspn(words, "\n") + 1)
		(void)fprintf(file, "%s %.*s\n", key, (int)strcspn(words, "\n"), words);
}

static void put_change(FILE *file, const struct change *change)
{
	if (change->kind == CHANGE_KIND_FILE)
		put_file(file, change);
	if (change->kind == CHANGE_KIND_DIRECTORY) {
		(void)fprintf(file, "directory %s\n", change->path);
		put_owner(file, "becomes", &change->becomes);
	}
	if (change->kind == CHANGE_KIND_STEP) {
		(void)fprintf(file, "step %s\n", change->says);
		put_words(file, "undo-word", change->undo_words);
	}
	if (change->kind == CHANGE_KIND_NOTE)
		(void)fputs("note\n", file);
	(void)fputs("end\n", file);
}

static char *record_text(const struct change_set *set, size_t *ret_length)
{
	char *text = NULL;
	FILE *file = open_memstream(&text, ret_length);
	bool good;

	if (!file)
		return NULL;
	(void)fprintf(file, "%s\n", FIRST_LINE);
	for (size_t i = 0; i < set->count; i++)
		put_change(file, &set->items[i]);
	(void)fputs("complete\n", file);
	good = !ferror(file);
	good = fclose(file) == 0 && good;
	if (!good) {
		free(text);
		return NULL;
	}
	return text;
}

static bool write_contents(int folder, const struct change_set *set, char *fault, size_t fault_size)
{
	char name[32];

	for (size_t i = 0; i < set->count; i++) {
		const struct change *change = &set->items[i];

		if (change->kind != CHANGE_KIND_FILE)
			continue;
		(void)snprintf(name, sizeof(name), "%zu.before", i);
		if (change->before.exists &&
		    !file_write_new(folder, name, change->before.text, change->before.length, fault, fault_size))
			return false;
		(void)snprintf(name, sizeof(name), "%zu.after", i);
		if (change->after.exists && !change->secret &&
		    !file_write_new(folder, name, change->after.text, change->after.length, fault, fault_size))
			return false;
	}
	return true;
}

bool change_record_write(struct change_records *records, const struct change_set *set, char *fault, size_t fault_size)
{
	size_t length;
	_cleanup_free_ char *text = record_text(set, &length);
	_cleanup_fd_ int folder = -1;
	char name[16];

	if (!text)
		return change_fault_memory(fault, fault_size);
	if (records->last >= RECORDS_MAX || mkdirat(records->directory, BEING_WRITTEN, 0700) != 0)
		return fault_errno(fault, fault_size, "cannot be made");
	folder = openat(records->directory, BEING_WRITTEN, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0)
		return fault_errno(fault, fault_size, "cannot be made");
	(void)snprintf(name, sizeof(name), "%u", records->last + 1);
	if (!write_contents(folder, set, fault, fault_size) ||
	    !file_write_new(folder, "record", text, length, fault, fault_size)) {
		(void)remove_folder(records->directory, BEING_WRITTEN);
		return false;
	}
	if (fsync(folder) != 0 || renameat(records->directory, BEING_WRITTEN, records->directory, name) != 0 ||
	    fsync(records->directory) != 0)
		return fault_errno(fault, fault_size, "cannot be synced to the disk");
	records->last++;
	return true;
}

static int open_record(const struct change_records *records, unsigned number)
{
	char name[16];

	(void)snprintf(name, sizeof(name), "%u", number);
	return openat(records->directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

bool change_record_mark_applied(const struct change_records *records, char *fault, size_t fault_size)
{
	_cleanup_fd_ int folder = open_record(records, records->last);

	if (folder < 0)
		return fault_errno(fault, fault_size, "cannot be opened");
	if (!file_write_new(folder, "applied", "", 0, fault, fault_size))
		return false;
	return fsync(folder) == 0 || fault_errno(fault, fault_size, "cannot be synced to the disk");
}

bool change_record_forget(struct change_records *records, char *fault, size_t fault_size)
{
	char name[16];

	(void)snprintf(name, sizeof(name), "%u", records->last);
	if (renameat(records->directory, name, records->directory, BEING_REMOVED) != 0 ||
	    fsync(records->directory) != 0 || !remove_folder(records->directory, BEING_REMOVED) ||
	    !find_last(records->directory, &records->last))
		return fault_errno(fault, fault_size, "cannot be removed");
	return true;
}

/* ---- reading ---- */

/* One of the numbers, and where the next one begins. Written above and nowhere else: what is not understood is refused.
 */
static bool parse_number(const char **at, int base, unsigned long max, unsigned long *ret_number)
{
	char *end;

	errno = 0;
	*ret_number = strtoul(*at, &end, base);
	if (errno != 0 || end == *at || *ret_number > max || (*end && *end != ' '))
		return false;
	*at = end;
	return true;
}

static bool parse_owner(const char *value, struct change_owner *ret_owner)
{
	unsigned long mode, user, group;

	if (!parse_number(&value, 8, 07777, &mode) || !parse_number(&value, 10, UINT32_MAX, &user) ||
	    !parse_number(&value, 10, UINT32_MAX, &group) || *value)
		return false;
	*ret_owner = (struct change_owner){ (mode_t)mode, (uid_t)user, (gid_t)group };
	return true;
}

static bool parse_undo(const char *value, enum change_undo *ret_undo)
{
	for (size_t i = 0; i < sizeof(undo_names) / sizeof(undo_names[0]); i++)
		if (strcmp(value, undo_names[i]) == 0) {
			*ret_undo = (enum change_undo)i;
			return true;
		}
	return false;
}

static bool add_word(char **words, const char *word)
{
	char *longer;

	if (asprintf(&longer, "%s%s\n", *words ? *words : "", word) < 0)
		return false;
	free(*words);
	*words = longer;
	return true;
}

static const struct {
	const char *word;
	enum change_kind kind;
} beginnings[] = {
	{ "file", CHANGE_KIND_FILE },
	{ "directory", CHANGE_KIND_DIRECTORY },
	{ "step", CHANGE_KIND_STEP },
	{ "note", CHANGE_KIND_NOTE },
};

/* The first line of a change. *ret_change is NULL when it is none. */
static bool parse_beginning(struct change_set *set, const char *key, const char *value, struct change **ret_change)
{
	*ret_change = NULL;
	for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
		struct change *change;

		if (strcmp(key, beginnings[i].word) != 0)
			continue;
		change = change_set_append(set);
		if (!change)
			return false;
		change->kind = beginnings[i].kind;
		*ret_change = change;
		if (change->kind == CHANGE_KIND_STEP || change->kind == CHANGE_KIND_NOTE) {
			change->says = strdup(value);
			return change->says != NULL;
		}
		change->path = strdup(value);
		return change->path != NULL;
	}
	return true;
}

static bool parse_value(struct change *change, const char *key, const char *value)
{
	if (strcmp(key, "undo") == 0)
		return parse_undo(value, &change->undo);
	if (strcmp(key, "before") == 0)
		return change->before.exists = true;
	if (strcmp(key, "after") == 0)
		return change->after.exists = true;
	if (strcmp(key, "was") == 0)
		return parse_owner(value, &change->was);
	if (strcmp(key, "becomes") == 0)
		return change->set_owner = parse_owner(value, &change->becomes);
	if (strcmp(key, "undo-word") == 0)
		return add_word(&change->undo_words, value);
	if (strcmp(key, "secret") == 0) {
		change->secret = true;
		return snprintf(change->digest, sizeof(change->digest), "%s", value) < (int)sizeof(change->digest);
	}
	return false;
}

/* Cuts the text up. False when anything of it is not as it is written here. */
static bool parse_record(char *text, struct change_set *set)
{
	struct change *change = NULL;
	char *rest = NULL;
	char *line = strtok_r(text, "\n", &rest);

	if (!line || strcmp(line, FIRST_LINE) != 0)
		return false;
	while ((line = strtok_r(NULL, "\n", &rest))) {
		char *value = strchr(line, ' ');

		if (strcmp(line, "complete") == 0)
			return !change;
		if (strcmp(line, "end") == 0) {
			change = NULL;
			continue;
		}
		if (value)
			*value++ = '\0';
		if (change ? !parse_value(change, line, value ? value : "")
			   : (!parse_beginning(set, line, value ? value : "", &change) || !change))
			return false;
	}
	return false;
}

static bool read_one(unsigned number, size_t index, const char *kind, struct change_content *content, char *fault,
		     size_t fault_size)
{
	char path[sizeof(RECORDS_FOLDER) + 64];

	(void)snprintf(path, sizeof(path), "%s/%u/%zu.%s", RECORDS_FOLDER, number, index, kind);
	if (!file_read(path, content, NULL, fault, fault_size))
		return false;
	return content->exists ||
	       change_fault(fault, fault_size, "the record for undo is damaged: %s is missing", path);
}

static bool read_contents(unsigned number, struct change_set *set, char *fault, size_t fault_size)
{
	for (size_t i = 0; i < set->count; i++) {
		struct change *change = &set->items[i];

		if (change->before.exists && !read_one(number, i, "before", &change->before, fault, fault_size))
			return false;
		if (change->after.exists && !change->secret &&
		    !read_one(number, i, "after", &change->after, fault, fault_size))
			return false;
	}
	return true;
}

bool change_record_read(const struct change_records *records, unsigned number, struct change_set **ret_set,
			bool *ret_applied, char *fault, size_t fault_size)
{
	_cleanup_(change_content_free) struct change_content text = { 0 };
	_cleanup_fd_ int folder = open_record(records, number);
	char path[sizeof(RECORDS_FOLDER) + 64];
	struct change_set *set;

	(void)snprintf(path, sizeof(path), "%s/%u/record", RECORDS_FOLDER, number);
	if (folder < 0)
		return fault_errno(fault, fault_size, "cannot be opened");
	if (!file_read(path, &text, NULL, fault, fault_size))
		return false;
	set = change_set_new();
	if (!set)
		return change_fault_memory(fault, fault_size);
	if (!text.exists || !parse_record(text.text, set)) {
		change_set_free(set);
		return change_fault(fault, fault_size, "the record for undo is damaged: %s cannot be understood", path);
	}
	if (!read_contents(number, set, fault, fault_size)) {
		change_set_free(set);
		return false;
	}
	*ret_applied = faccessat(folder, "applied", F_OK, 0) == 0;
	*ret_set = set;
	return true;
}
