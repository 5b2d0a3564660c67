/*
 * The rows of an account, and the rules by which they may be added and dropped.
 */
#include "provisiond/account_changes.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/names.h"

#define ID_MIN 1000u /* below are the system's own */
#define ID_NOBODY 65534u
#define ID_NONE_16 65535u /* (uid_t)-1 where 16 bits are left of it */
#define GECOS_MAX 512
#define PATH_LENGTH_MAX 512
#define LINE_SIZE (ACCOUNT_NAME_MAX + GECOS_MAX + 2 * PATH_LENGTH_MAX + 64)
#define SECONDS_PER_DAY 86400

/* The two columns by which rows of passwd are numbered, and the one of group. */
enum { BY_UID, BY_PRIMARY_GID };
enum { BY_GID };

__attribute__((format(printf, 5, 6))) static enum account_files_result
taken(struct account_changes *changes, enum account_file file, uint32_t row, const char *name, const char *format, ...)
{
	struct row_field there = account_row_field(changes->rows[file], row, 0);
	char what[160];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	(void)snprintf(changes->fault, changes->fault_size,
		       "%s:%" PRIu32 ": the row of %.*s stands against account %s: %s", changes->paths[file], row + 1,
		       (int)(there.length < 64 ? there.length : 64), there.text, name, what);
	return ACCOUNT_FILES_TAKEN;
}

static enum account_files_result invalid(struct account_changes *changes, const char *name, const char *what)
{
	(void)snprintf(changes->fault, changes->fault_size, "account %.64s cannot be written: %s", name ? name : "",
		       what);
	return ACCOUNT_FILES_INVALID;
}

static enum account_files_result no_memory(struct account_changes *changes)
{
	(void)snprintf(changes->fault, changes->fault_size, "out of memory");
	return ACCOUNT_FILES_STORAGE;
}

/* The length of the UTF-8 character (RFC 3629, 4) that begins here, or 0: a malformed or overlong one, or a control. */
static size_t printable_character(const unsigned char *at)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = *at < 0x80                  ? 1
			: *at >= 0xc2 && *at < 0xe0 ? 2
			: *at >= 0xe0 && *at < 0xf0 ? 3
			: *at >= 0xf0 && *at < 0xf5 ? 4
						    : 0;
	uint32_t code = length > 1 ? *at & (0x7fu >> length) : *at;

	for (size_t i = 1; i < length; i++) {
		if ((at[i] & 0xc0) != 0x80) /* a NUL ends it here */
			return 0;
		code = code << 6 | (at[i] & 0x3f);
	}
	if (code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0xd800 && code < 0xe000) || code > 0x10ffff)
		return 0;
	return code < smallest[length] ? 0 : length;
}

static bool field_ok(const char *text, size_t max)
{
	const unsigned char *at = (const unsigned char *)text;

	if (strnlen(text, max + 1) > max)
		return false;
	while (*at) {
		size_t length = *at == ':' ? 0 : printable_character(at);

		if (length == 0)
			return false;
		at += length;
	}
	return true;
}

static bool path_ok(const char *path)
{
	return path && path[0] == '/' && field_ok(path, PATH_LENGTH_MAX);
}

static bool id_ok(uint32_t id)
{
	return id >= ID_MIN && id != ID_NOBODY && id != ID_NONE_16 && id != UINT32_MAX;
}

const char *account_entry_fault(const struct account_entry *entry)
{
	if (!entry->name || !account_name_ok(entry->name))
		return "the name is no account name";
	if (!id_ok(entry->uid) || !id_ok(entry->gid))
		return "the uid and gid must be 1000 or more, and none that the system gives a meaning";
	if (!entry->gecos || !field_ok(entry->gecos, GECOS_MAX))
		return "the full name has a colon, a control or a malformed character, or is longer than 512 bytes";
	if (!path_ok(entry->home))
		return "the home must be an absolute path without colons and controls, of at most 512 bytes";
	if (!path_ok(entry->shell))
		return "the shell must be an absolute path without colons and controls, of at most 512 bytes";
	return NULL;
}

/* One account's rows, without newlines. */
struct entry_rows {
	char text[ACCOUNT_FILE_COUNT][LINE_SIZE];
};

static void write_rows(const struct account_entry *entry, int64_t now_s, struct entry_rows *ret_rows)
{
	/* Day 0 means "must change the password now" to everybody; a clock that was never set must not say that. */
	int64_t day = now_s < SECONDS_PER_DAY ? 1 : now_s / SECONDS_PER_DAY;

	(void)snprintf(ret_rows->text[ACCOUNT_FILE_GROUP], LINE_SIZE, "%s:x:%u:", entry->name, entry->gid);
	(void)snprintf(ret_rows->text[ACCOUNT_FILE_GSHADOW], LINE_SIZE, "%s:!::", entry->name);
	(void)snprintf(ret_rows->text[ACCOUNT_FILE_SHADOW], LINE_SIZE, "%s:*:%" PRId64 "::::::", entry->name, day);
	(void)snprintf(ret_rows->text[ACCOUNT_FILE_PASSWD], LINE_SIZE, "%s:x:%u:%u:%s:%s:%s", entry->name, entry->uid,
		       entry->gid, entry->gecos, entry->home, entry->shell);
}

/* Whether the shadow row is one of ours: no password and no ageing, whatever the day. */
static bool shadow_row_untouched(const struct account_rows *rows, uint32_t row, const char *name)
{
	struct row_field day = account_row_field(rows, row, 2);

	/* A larger day than fits into 32 bits would make the row none at all for glibc. */
	if (account_row_fields(rows, row) != 9 || !row_field_is(account_row_field(rows, row, 0), name) ||
	    !row_field_is(account_row_field(rows, row, 1), "*") || day.length > 9)
		return false;
	for (unsigned n = 3; n < 9; n++)
		if (account_row_field(rows, row, n).length > 0)
			return false;
	for (size_t i = 0; i < day.length; i++)
		if (day.text[i] < '0' || day.text[i] > '9')
			return false;
	return true;
}

static bool row_as_written(const struct account_rows *rows, enum account_file file, uint32_t row, const char *name,
			   const char *text)
{
	return file == ACCOUNT_FILE_SHADOW ? shadow_row_untouched(rows, row, name) : account_row_is(rows, row, text);
}

static bool append_line(struct account_change *change, const char *line)
{
	size_t length = strlen(line), needed = change->added_length + length + 2;

	if (needed > change->added_capacity) {
		size_t capacity = 2 * needed;
		char *larger = realloc(change->added, capacity);

		if (!larger)
			return false;
		change->added = larger;
		change->added_capacity = capacity;
	}
	memcpy(change->added + change->added_length, line, length);
	memcpy(change->added + change->added_length + length, "\n", 2);
	change->added_length += length + 1;
	return true;
}

/* Adds the row to one file, unless it stands there already. Another row of the same name is TAKEN. */
static enum account_files_result add_row(struct account_changes *changes, enum account_file file, const char *name,
					 const char *text)
{
	const struct account_rows *rows = changes->rows[file];
	bool present = false;

	if (!rows)
		return ACCOUNT_FILES_DONE;
	for (uint32_t row = account_rows_named(rows, name, ROW_END); row != ROW_END;
	     row = account_rows_named(rows, name, row)) {
		if (!row_as_written(rows, file, row, name, text))
			return taken(changes, file, row, name, "it has the same name and other content");
		present = true;
	}
	return present || append_line(&changes->files[file], text) ? ACCOUNT_FILES_DONE : no_memory(changes);
}

/* A number may stand in the account's own row only. */
static enum account_files_result number_free(struct account_changes *changes, enum account_file file, unsigned column,
					     uint32_t number, const char *name, const char *text)
{
	const struct account_rows *rows = changes->rows[file];

	for (uint32_t row = account_rows_numbered(rows, column, number, ROW_END); row != ROW_END;
	     row = account_rows_numbered(rows, column, number, row))
		if (!account_row_is(rows, row, text))
			return taken(changes, file, row, name, "it has the number %" PRIu32, number);
	return ACCOUNT_FILES_DONE;
}

static enum account_files_result numbers_free(struct account_changes *changes, const struct account_entry *entry,
					      const struct entry_rows *rows)
{
	const char *passwd = rows->text[ACCOUNT_FILE_PASSWD], *group = rows->text[ACCOUNT_FILE_GROUP];
	enum account_files_result result;

	result = number_free(changes, ACCOUNT_FILE_PASSWD, BY_UID, entry->uid, entry->name, passwd);
	if (result == ACCOUNT_FILES_DONE)
		result = number_free(changes, ACCOUNT_FILE_PASSWD, BY_PRIMARY_GID, entry->gid, entry->name, passwd);
	if (result == ACCOUNT_FILES_DONE)
		result = number_free(changes, ACCOUNT_FILE_GROUP, BY_GID, entry->gid, entry->name, group);
	return result;
}

static enum account_files_result add_entry(struct account_changes *changes, const struct account_entry *entry,
					   int64_t now_s)
{
	struct entry_rows rows = { 0 };
	enum account_files_result result;

	write_rows(entry, now_s, &rows);
	result = numbers_free(changes, entry, &rows);
	for (enum account_file file = 0; file < ACCOUNT_FILE_COUNT && result == ACCOUNT_FILES_DONE; file++)
		result = add_row(changes, file, entry->name, rows.text[file]);
	return result;
}

static enum account_files_result check_entries(struct account_changes *changes, const struct account_entry *entries,
					       size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *fault = account_entry_fault(&entries[i]);

		if (fault)
			return invalid(changes, entries[i].name, fault);
		for (size_t j = 0; j < i; j++)
			if (strcmp(entries[i].name, entries[j].name) == 0 || entries[i].uid == entries[j].uid ||
			    entries[i].gid == entries[j].gid)
				return invalid(changes, entries[i].name,
					       "another account that is added with it has the same name or number");
	}
	return ACCOUNT_FILES_DONE;
}

enum account_files_result account_changes_add(struct account_changes *changes, const struct account_entry *entries,
					      size_t count, int64_t now_s)
{
	enum account_files_result result = check_entries(changes, entries, count);

	for (size_t i = 0; i < count && result == ACCOUNT_FILES_DONE; i++)
		result = add_entry(changes, &entries[i], now_s);
	return result;
}

static bool drop(struct account_changes *changes, enum account_file file, uint32_t row)
{
	struct account_change *change = &changes->files[file];

	if (!change->dropped)
		change->dropped = calloc(changes->rows[file]->count + (size_t)1, sizeof(change->dropped[0]));
	if (change->dropped)
		change->dropped[row] = true;
	return change->dropped != NULL;
}

/* Drops the rows of that name; without `even_if_touched` only those that nobody changed. */
static enum account_files_result drop_rows(struct account_changes *changes, enum account_file file, const char *name,
					   const char *text, bool even_if_touched)
{
	const struct account_rows *rows = changes->rows[file];

	if (!rows)
		return ACCOUNT_FILES_DONE;
	for (uint32_t row = account_rows_named(rows, name, ROW_END); row != ROW_END;
	     row = account_rows_named(rows, name, row))
		if ((even_if_touched || row_as_written(rows, file, row, name, text)) && !drop(changes, file, row))
			return no_memory(changes);
	return ACCOUNT_FILES_DONE;
}

/* Whether all rows of that name have this number; *ret_found when there is one. */
static enum account_files_result numbered_so(struct account_changes *changes, enum account_file file, const char *name,
					     uint32_t number, bool *ret_found)
{
	const struct account_rows *rows = changes->rows[file];
	bool found = false;

	for (uint32_t row = account_rows_named(rows, name, ROW_END); row != ROW_END;
	     row = account_rows_named(rows, name, row)) {
		if (!rows->rows[row].has_number[0] || rows->rows[row].number[0] != number)
			return taken(changes, file, row, name, "it has the same name and not the number %" PRIu32,
				     number);
		found = true;
	}
	*ret_found = found;
	return ACCOUNT_FILES_DONE;
}

static bool has_other_members(const struct account_rows *groups, const char *name)
{
	for (uint32_t row = account_rows_named(groups, name, ROW_END); row != ROW_END;
	     row = account_rows_named(groups, name, row)) {
		struct row_field members = account_row_rest(groups, row, 3);

		if (members.length > 0 && !row_field_is(members, name))
			return true;
	}
	return false;
}

static bool is_primary_group_of_others(const struct account_rows *users, gid_t gid, const char *name)
{
	for (uint32_t row = account_rows_numbered(users, BY_PRIMARY_GID, gid, ROW_END); row != ROW_END;
	     row = account_rows_numbered(users, BY_PRIMARY_GID, gid, row))
		if (!row_field_is(account_row_field(users, row, 0), name))
			return true;
	return false;
}

static enum account_files_result remove_group(struct account_changes *changes, const struct account_identity *account)
{
	enum account_files_result result;
	char gshadow[ACCOUNT_NAME_MAX + 8];
	bool found = false;

	(void)snprintf(gshadow, sizeof(gshadow), "%s:!::", account->name);
	result = numbered_so(changes, ACCOUNT_FILE_GROUP, account->name, account->gid, &found);
	if (result != ACCOUNT_FILES_DONE || has_other_members(changes->rows[ACCOUNT_FILE_GROUP], account->name) ||
	    (found && is_primary_group_of_others(changes->rows[ACCOUNT_FILE_PASSWD], account->gid, account->name)))
		return result;
	result = drop_rows(changes, ACCOUNT_FILE_GROUP, account->name, "", true);
	return result == ACCOUNT_FILES_DONE ? drop_rows(changes, ACCOUNT_FILE_GSHADOW, account->name, gshadow, found)
					    : result;
}

static enum account_files_result remove_account(struct account_changes *changes, const struct account_identity *account)
{
	enum account_files_result result;
	bool found = false;

	if (!account->name || !account_name_ok(account->name) || !id_ok(account->uid) || !id_ok(account->gid))
		return invalid(changes, account->name, "no account of ours has such a name or number");
	result = numbered_so(changes, ACCOUNT_FILE_PASSWD, account->name, account->uid, &found);
	if (result == ACCOUNT_FILES_DONE)
		result = drop_rows(changes, ACCOUNT_FILE_PASSWD, account->name, "", true);
	if (result == ACCOUNT_FILES_DONE)
		result = drop_rows(changes, ACCOUNT_FILE_SHADOW, account->name, "", found);
	return result == ACCOUNT_FILES_DONE ? remove_group(changes, account) : result;
}

enum account_files_result account_changes_remove(struct account_changes *changes,
						 const struct account_identity *accounts, size_t count)
{
	enum account_files_result result = ACCOUNT_FILES_DONE;

	for (size_t i = 0; i < count && result == ACCOUNT_FILES_DONE; i++)
		result = remove_account(changes, &accounts[i]);
	return result;
}

bool account_change_is_empty(const struct account_change *change)
{
	return !change->dropped && change->added_length == 0;
}

void account_changes_free(struct account_changes *changes)
{
	for (enum account_file file = 0; file < ACCOUNT_FILE_COUNT; file++) {
		free(changes->files[file].dropped);
		free(changes->files[file].added);
		changes->files[file] = (struct account_change){ 0 };
	}
}
