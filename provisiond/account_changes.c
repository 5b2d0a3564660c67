/*
 * The rows of an account, and the rules by which they may be added and dropped.
 */
#include "provisiond/account_changes.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/names.h"
#include "provisiond/account_alteration.h"
#include "provisiond/account_members.h"
#include "provisiond/account_subids.h"

#define ID_MIN 1000u /* below are the system's own */
#define ID_NOBODY 65534u
#define ID_NONE_16 65535u /* (uid_t)-1 where 16 bits are left of it */
#define GECOS_MAX 512
#define PATH_LENGTH_MAX 512
#define LINE_SIZE (ACCOUNT_NAME_MAX + GECOS_MAX + 2 * PATH_LENGTH_MAX + 64)
#define SECONDS_PER_DAY 86400

enum account_files_result account_changes_taken(struct account_changes *changes, enum account_file file, uint32_t row,
						const char *name, const char *format, ...)
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

enum account_files_result account_changes_invalid(struct account_changes *changes, const char *name, const char *what)
{
	(void)snprintf(changes->fault, changes->fault_size, "account %.64s cannot be written: %s", name ? name : "",
		       what);
	return ACCOUNT_FILES_INVALID;
}

enum account_files_result account_changes_no_memory(struct account_changes *changes)
{
	(void)snprintf(changes->fault, changes->fault_size, "out of memory");
	return ACCOUNT_FILES_STORAGE;
}

/* ---- edits of a file ---- */

enum account_files_result account_changes_add_line(struct account_changes *changes, enum account_file file,
						   const char *line)
{
	struct account_change *change = &changes->files[file];
	size_t length = strlen(line), needed = change->added_length + length + 2;

	if (needed > change->added_capacity) {
		size_t capacity = 2 * needed;
		char *larger = realloc(change->added, capacity);

		if (!larger)
			return account_changes_no_memory(changes);
		change->added = larger;
		change->added_capacity = capacity;
	}
	memcpy(change->added + change->added_length, line, length);
	memcpy(change->added + change->added_length + length, "\n", 2);
	change->added_length += length + 1;
	return ACCOUNT_FILES_DONE;
}

enum account_files_result account_changes_drop(struct account_changes *changes, enum account_file file, uint32_t row)
{
	struct account_change *change = &changes->files[file];

	if (!change->dropped)
		change->dropped = calloc(changes->rows[file]->count + (size_t)1, sizeof(change->dropped[0]));
	if (!change->dropped)
		return account_changes_no_memory(changes);
	change->dropped[row] = true;
	return ACCOUNT_FILES_DONE;
}

bool account_changes_drops(const struct account_changes *changes, enum account_file file, uint32_t row)
{
	return changes->files[file].dropped && changes->files[file].dropped[row];
}

static void wipe_row(struct row_text *row)
{
	if (row->text)
		explicit_bzero(row->text, row->length);
	free(row->text);
	row->text = NULL;
}

enum account_files_result account_changes_set_fields(struct account_changes *changes, enum account_file file,
						     uint32_t row, const char *const *fields, unsigned count,
						     bool last_is_rest)
{
	const struct account_rows *rows = changes->rows[file];
	struct account_change *change = &changes->files[file];
	struct row_text new = { 0 };

	if (account_row_with_fields(rows, row, fields, count, last_is_rest, &new) < 0)
		return account_changes_no_memory(changes);
	if (new.length == rows->rows[row].length &&
	    memcmp(new.text, rows->text + rows->rows[row].begin, new.length) == 0) {
		wipe_row(&new);
		return ACCOUNT_FILES_DONE;
	}
	if (!change->replaced)
		change->replaced = calloc(rows->count + (size_t)1, sizeof(change->replaced[0]));
	if (!change->replaced) {
		wipe_row(&new);
		return account_changes_no_memory(changes);
	}
	wipe_row(&change->replaced[row]);
	change->replaced[row] = new;
	return ACCOUNT_FILES_DONE;
}

/* ---- adding ---- */

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

/* A larger day than fits into 32 bits would make a shadow row none at all for glibc. */
static bool day_ok(const char *day, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (day[i] < '0' || day[i] > '9')
			return false;
	return length <= 9;
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
	if (entry->expiry && !day_ok(entry->expiry, strlen(entry->expiry)))
		return "the expiry is no number of days";
	if (entry->first_subid > UINT32_MAX - SUBID_COUNT)
		return "there are not so many subordinate ids";
	return NULL;
}

/* The files in which every account has a row. */
static const enum account_file files_of_all[] = { ACCOUNT_FILE_GROUP, ACCOUNT_FILE_GSHADOW, ACCOUNT_FILE_SHADOW,
						  ACCOUNT_FILE_PASSWD };

#define FILES_OF_ALL (sizeof(files_of_all) / sizeof(files_of_all[0]))

/* One account's rows, without newlines. */
struct entry_rows {
	char text[ACCOUNT_FILE_COUNT][LINE_SIZE];
};

static const char *password_of(const struct account_entry *entry)
{
	return entry->closed ? "!*" : "*";
}

static const char *expiry_of(const struct account_entry *entry)
{
	return entry->closed ? "1" : entry->expiry ? entry->expiry : "";
}

static void write_rows(const struct account_entry *entry, int64_t now_s, struct entry_rows *ret_rows)
{
	/* Day 0 means "must change the password now" to everybody; a clock that was never set must not say that. */
	int64_t day = now_s < SECONDS_PER_DAY ? 1 : now_s / SECONDS_PER_DAY;

	(void)snprintf(ret_rows->text[ACCOUNT_FILE_GROUP], LINE_SIZE, "%s:x:%u:", entry->name, entry->gid);
	(void)snprintf(ret_rows->text[ACCOUNT_FILE_GSHADOW], LINE_SIZE, "%s:!::", entry->name);
	(void)snprintf(ret_rows->text[ACCOUNT_FILE_SHADOW], LINE_SIZE, "%s:%s:%" PRId64 ":::::%s:", entry->name,
		       password_of(entry), day, expiry_of(entry));
	(void)snprintf(ret_rows->text[ACCOUNT_FILE_PASSWD], LINE_SIZE, "%s:x:%u:%u:%s:%s:%s", entry->name, entry->uid,
		       entry->gid, entry->gecos, entry->home, entry->shell);
}

enum { SHADOW_PASSWORD = 1, SHADOW_LAST_CHANGE, SHADOW_EXPIRY = 7, SHADOW_FIELDS = 9 };

/* Whether a shadow row has no password and no ageing, whatever the day: one that nobody but us would write. */
static bool shadow_row_untouched(const struct account_rows *rows, uint32_t row, const char *name)
{
	struct row_field password = account_row_field(rows, row, SHADOW_PASSWORD);

	if (account_row_fields(rows, row) != SHADOW_FIELDS || !row_field_is(account_row_field(rows, row, 0), name) ||
	    (!row_field_is(password, "*") && !row_field_is(password, "!*")))
		return false;
	for (unsigned n = SHADOW_LAST_CHANGE; n < SHADOW_FIELDS; n++) {
		struct row_field field = account_row_field(rows, row, n);
		bool is_day = n == SHADOW_LAST_CHANGE || n == SHADOW_EXPIRY;

		if (is_day ? !day_ok(field.text, field.length) : field.length > 0)
			return false;
	}
	return true;
}

static bool row_as_written(const struct account_rows *rows, enum account_file file, uint32_t row,
			   const struct account_entry *entry, const char *text)
{
	if (file != ACCOUNT_FILE_SHADOW)
		return account_row_is(rows, row, text);
	return shadow_row_untouched(rows, row, entry->name) &&
	       row_field_is(account_row_field(rows, row, SHADOW_PASSWORD), password_of(entry)) &&
	       row_field_is(account_row_field(rows, row, SHADOW_EXPIRY), expiry_of(entry));
}

/* Adds the row to one file, unless it stands there already. Another row of the same name is TAKEN. */
static enum account_files_result add_row(struct account_changes *changes, enum account_file file,
					 const struct account_entry *entry, const char *text)
{
	const struct account_rows *rows = changes->rows[file];
	bool present = false;

	if (!rows)
		return ACCOUNT_FILES_DONE;
	for (uint32_t row = account_rows_named(rows, entry->name, ROW_END); row != ROW_END;
	     row = account_rows_named(rows, entry->name, row)) {
		if (!row_as_written(rows, file, row, entry, text))
			return account_changes_taken(changes, file, row, entry->name,
						     "it has the same name and other content");
		present = true;
	}
	return present ? ACCOUNT_FILES_DONE : account_changes_add_line(changes, file, text);
}

/* A number may stand in the account's own row only. */
static enum account_files_result number_free(struct account_changes *changes, enum account_file file, unsigned column,
					     uint32_t number, const char *name, const char *text)
{
	const struct account_rows *rows = changes->rows[file];

	for (uint32_t row = account_rows_numbered(rows, column, number, ROW_END); row != ROW_END;
	     row = account_rows_numbered(rows, column, number, row))
		if (!account_row_is(rows, row, text))
			return account_changes_taken(changes, file, row, name, "it has the number %" PRIu32, number);
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
	for (size_t i = 0; i < FILES_OF_ALL && result == ACCOUNT_FILES_DONE; i++)
		result = add_row(changes, files_of_all[i], entry, rows.text[files_of_all[i]]);
	return result;
}

static enum account_files_result add_entries(struct account_changes *changes, const struct account_edits *edits,
					     int64_t now_s)
{
	enum account_files_result result = ACCOUNT_FILES_DONE;

	for (size_t i = 0; i < edits->added_count && result == ACCOUNT_FILES_DONE; i++)
		result = add_entry(changes, &edits->added[i], now_s);
	return result == ACCOUNT_FILES_DONE ? account_subids_add(changes, edits->added, edits->added_count) : result;
}

/* ---- adding and altering together ---- */

static enum account_files_result check_each(struct account_changes *changes, const struct account_edits *edits)
{
	for (size_t i = 0; i < edits->added_count; i++) {
		const char *fault = account_entry_fault(&edits->added[i]);

		if (fault)
			return account_changes_invalid(changes, edits->added[i].name, fault);
	}
	for (size_t i = 0; i < edits->altered_count; i++) {
		const char *fault = account_alteration_fault(&edits->altered[i]);

		if (fault)
			return account_changes_invalid(changes, edits->altered[i].who.name, fault);
	}
	return ACCOUNT_FILES_DONE;
}

/* A name, uid or gid of one of the edits. */
struct key {
	const char *name;
	uint32_t uid, gid;
};

static int compare_key_names(const void *one, const void *other)
{
	return strcmp(((const struct key *)one)->name, ((const struct key *)other)->name);
}

static int compare_numbers(uint32_t one, uint32_t other)
{
	return one < other ? -1 : one > other;
}

static int compare_key_uids(const void *one, const void *other)
{
	return compare_numbers(((const struct key *)one)->uid, ((const struct key *)other)->uid);
}

static int compare_key_gids(const void *one, const void *other)
{
	return compare_numbers(((const struct key *)one)->gid, ((const struct key *)other)->gid);
}

/* Two of them that are the same; NULL when all differ. */
static const struct key *find_twins(struct key *keys, size_t count, int compare(const void *, const void *))
{
	if (count > 1)
		qsort(keys, count, sizeof(keys[0]), compare);
	for (size_t i = 1; i < count; i++)
		if (compare(&keys[i - 1], &keys[i]) == 0)
			return &keys[i];
	return NULL;
}

/* A name, a uid or a gid (the latter of those that are added) may stand in one edit only. */
static enum account_files_result check_together(struct account_changes *changes, const struct account_edits *edits)
{
	size_t count = edits->added_count + edits->altered_count;
	_cleanup_free_ struct key *keys = calloc(count + 1, sizeof(*keys));
	const struct key *twin;

	if (!keys)
		return account_changes_no_memory(changes);
	for (size_t i = 0; i < edits->added_count; i++)
		keys[i] = (struct key){ edits->added[i].name, edits->added[i].uid, edits->added[i].gid };
	twin = find_twins(keys, edits->added_count, compare_key_gids);
	for (size_t i = 0; i < edits->altered_count; i++) {
		const struct account_identity *who = &edits->altered[i].who;

		keys[edits->added_count + i] = (struct key){ who->name, who->uid, who->gid };
	}
	if (!twin)
		twin = find_twins(keys, count, compare_key_uids);
	if (!twin)
		twin = find_twins(keys, count, compare_key_names);
	return twin ? account_changes_invalid(changes, twin->name,
					      "another account that is written with it has the same name or number")
		    : ACCOUNT_FILES_DONE;
}

static int collect_members(const struct account_edits *edits, struct account_members *members)
{
	int r = 0;

	for (size_t i = 0; i < edits->added_count; i++)
		for (size_t n = 0; n < edits->added[i].group_count && r == 0; n++)
			r = account_members_in_one(members, edits->added[i].name, edits->added[i].groups[n]);
	for (size_t i = 0; i < edits->altered_count && r == 0; i++) {
		const struct account_alteration *alteration = &edits->altered[i];

		r = account_members_in(members, alteration->who.name, alteration->groups_in);
		if (r == 0)
			r = account_members_out(members, alteration->who.name, alteration->groups_out, true);
	}
	return r;
}

enum account_files_result account_changes_apply(struct account_changes *changes, const struct account_edits *edits,
						int64_t now_s)
{
	_cleanup_(account_members_free) struct account_members members = { 0 };
	enum account_files_result result = check_each(changes, edits);

	if (result == ACCOUNT_FILES_DONE)
		result = check_together(changes, edits);
	if (result == ACCOUNT_FILES_DONE)
		result = add_entries(changes, edits, now_s);
	for (size_t i = 0; i < edits->altered_count && result == ACCOUNT_FILES_DONE; i++)
		result = account_alteration_apply(changes, &edits->altered[i]);
	if (result == ACCOUNT_FILES_DONE && collect_members(edits, &members) < 0)
		result = account_changes_no_memory(changes);
	return result == ACCOUNT_FILES_DONE ? account_members_apply(&members, changes) : result;
}

/* ---- removing ---- */

/* Whether a gshadow row has no password and names nobody who stays. */
static bool gshadow_row_untouched(const struct account_rows *rows, uint32_t row, const struct account_members *leaving)
{
	return account_row_fields(rows, row) <= 4 && row_field_is(account_row_field(rows, row, 1), "!") &&
	       !account_members_are_others(leaving, account_row_field(rows, row, 2)) &&
	       !account_members_are_others(leaving, account_row_field(rows, row, 3));
}

/* Drops the rows of that name. Without its passwd row and without having been whole, an account's row in shadow or
 * gshadow goes only when nobody but us would have written it so. */
static enum account_files_result drop_rows(struct account_changes *changes, enum account_file file, const char *name,
					   bool all, const struct account_members *leaving)
{
	const struct account_rows *rows = changes->rows[file];
	enum account_files_result result = ACCOUNT_FILES_DONE;

	if (!rows)
		return ACCOUNT_FILES_DONE;
	for (uint32_t row = account_rows_named(rows, name, ROW_END); row != ROW_END && result == ACCOUNT_FILES_DONE;
	     row = account_rows_named(rows, name, row))
		if (all || (file == ACCOUNT_FILE_SHADOW ? shadow_row_untouched(rows, row, name)
							: gshadow_row_untouched(rows, row, leaving)))
			result = account_changes_drop(changes, file, row);
	return result;
}

/* Drops the account's rows in passwd, shadow and sub?id. */
static enum account_files_result remove_user(struct account_changes *changes, const struct account_identity *account)
{
	const struct account_rows *rows = changes->rows[ACCOUNT_FILE_PASSWD];
	enum account_files_result result;
	bool whole = account->whole;

	if (!account->name || !account_name_ok(account->name) || !id_ok(account->uid))
		return account_changes_invalid(changes, account->name, "no account of ours has such a name or number");
	for (uint32_t row = account_rows_named(rows, account->name, ROW_END); row != ROW_END;
	     row = account_rows_named(rows, account->name, row)) {
		if (!rows->rows[row].has_number[BY_UID] || rows->rows[row].number[BY_UID] != account->uid)
			return account_changes_taken(changes, ACCOUNT_FILE_PASSWD, row, account->name,
						     "it has the same name and not the number %" PRIu32, account->uid);
		whole = true;
	}
	result = drop_rows(changes, ACCOUNT_FILE_PASSWD, account->name, true, NULL);
	if (result == ACCOUNT_FILES_DONE)
		result = drop_rows(changes, ACCOUNT_FILE_SHADOW, account->name, whole, NULL);
	return result == ACCOUNT_FILES_DONE ? account_subids_drop(changes, account, whole) : result;
}

static bool is_primary_group_of_others(const struct account_changes *changes, gid_t gid)
{
	const struct account_rows *users = changes->rows[ACCOUNT_FILE_PASSWD];

	for (uint32_t row = account_rows_numbered(users, BY_PRIMARY_GID, gid, ROW_END); row != ROW_END;
	     row = account_rows_numbered(users, BY_PRIMARY_GID, gid, row))
		if (!account_changes_drops(changes, ACCOUNT_FILE_PASSWD, row))
			return true;
	return false;
}

/* Whether the group of that name and number is there, and nobody's but the account's; *ret_is_used when it is
 * somebody's besides. */
static bool has_private_group(const struct account_changes *changes, const struct account_members *leaving,
			      const struct account_identity *account, bool *ret_is_used)
{
	const struct account_rows *groups = changes->rows[ACCOUNT_FILE_GROUP];
	bool found = false, used = false;

	for (uint32_t row = account_rows_named(groups, account->name, ROW_END); row != ROW_END;
	     row = account_rows_named(groups, account->name, row)) {
		/* Another number: somebody else's group of the same name. */
		bool own = groups->rows[row].has_number[BY_GID] && groups->rows[row].number[BY_GID] == account->gid;

		found = found || own;
		used = used || !own || account_members_are_others(leaving, account_row_rest(groups, row, 3));
	}
	*ret_is_used = used || (found && is_primary_group_of_others(changes, account->gid));
	return found && !*ret_is_used;
}

/* Drops the account's private group. After all passwd rows that go are dropped. */
static enum account_files_result remove_group(struct account_changes *changes, const struct account_members *leaving,
					      const struct account_identity *account)
{
	enum account_files_result result = ACCOUNT_FILES_DONE;
	bool is_used = false, found = has_private_group(changes, leaving, account, &is_used);

	if (is_used || !id_ok(account->gid))
		return ACCOUNT_FILES_DONE;
	if (found)
		result = drop_rows(changes, ACCOUNT_FILE_GROUP, account->name, true, leaving);
	return result == ACCOUNT_FILES_DONE
		       ? drop_rows(changes, ACCOUNT_FILE_GSHADOW, account->name, found || account->whole, leaving)
		       : result;
}

/* Everybody who goes leaves the private groups of the others that go, too. */
static int collect_leaving(const struct account_identity *accounts, size_t count, struct account_members *ret_leaving)
{
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++)
		r = account_members_out(ret_leaving, accounts[i].name, "*", false);
	account_members_sort(ret_leaving);
	return r;
}

static enum account_files_result leave_groups(struct account_changes *changes, const struct account_identity *accounts,
					      size_t count)
{
	_cleanup_(account_members_free) struct account_members members = { 0 };
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++)
		r = account_members_out(&members, accounts[i].name, accounts[i].groups, false);
	return r == 0 ? account_members_apply(&members, changes) : account_changes_no_memory(changes);
}

enum account_files_result account_changes_remove(struct account_changes *changes,
						 const struct account_identity *accounts, size_t count)
{
	_cleanup_(account_members_free) struct account_members leaving = { 0 };
	enum account_files_result result = ACCOUNT_FILES_DONE;

	for (size_t i = 0; i < count && result == ACCOUNT_FILES_DONE; i++)
		result = remove_user(changes, &accounts[i]);
	if (result == ACCOUNT_FILES_DONE && collect_leaving(accounts, count, &leaving) < 0)
		result = account_changes_no_memory(changes);
	for (size_t i = 0; i < count && result == ACCOUNT_FILES_DONE; i++)
		result = remove_group(changes, &leaving, &accounts[i]);
	return result == ACCOUNT_FILES_DONE ? leave_groups(changes, accounts, count) : result;
}

/* ---- the edits as they are handed on ---- */

bool account_change_is_empty(const struct account_change *change)
{
	return !change->dropped && !change->replaced && change->added_length == 0;
}

struct rows_edit account_change_edit(const struct account_change *change)
{
	return (struct rows_edit){ .dropped = change->dropped,
				   .replaced = change->replaced,
				   .added = change->added,
				   .added_length = change->added_length };
}

void account_changes_free(struct account_changes *changes)
{
	for (enum account_file file = 0; file < ACCOUNT_FILE_COUNT; file++) {
		struct account_change *change = &changes->files[file];

		for (uint32_t row = 0; change->replaced && row < changes->rows[file]->count; row++)
			wipe_row(&change->replaced[row]);
		free(change->replaced);
		free(change->dropped);
		free(change->added);
		*change = (struct account_change){ 0 };
	}
}
