/*
 * The lists of members in group and gshadow. A list is rewritten only where somebody comes or goes, and what stays in
 * it stays as it was written.
 */
#include "provisiond/account_members.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

enum { GSHADOW_ADMINS = 2, MEMBERS = 3, LIST_FIELDS };

/* ---- collecting ---- */

static void *grown(void *array, size_t count, size_t size)
{
	/* At powers of two. */
	return count & (count - 1) ? array : reallocarray(array, count ? 2 * count : 1, size);
}

static int note(struct account_members *members, const char *member, char *group, bool in)
{
	struct membership *larger =
		group ? grown(members->memberships, members->membership_count, sizeof(*larger)) : NULL;

	if (!larger) {
		free(group);
		return -ENOMEM;
	}
	members->memberships = larger;
	larger[members->membership_count++] = (struct membership){ .member = member, .group = group, .in = in };
	return 0;
}

static int note_all(struct account_members *members, const char *member, const char *groups, bool in)
{
	int r = 0;

	while (groups && *groups && r == 0) {
		size_t length = strcspn(groups, ",");

		if (length > 0)
			r = note(members, member, strndup(groups, length), in);
		groups += length + (groups[length] == ',');
	}
	return r;
}

int account_members_in(struct account_members *members, const char *member, const char *groups)
{
	return note_all(members, member, groups, true);
}

int account_members_in_one(struct account_members *members, const char *member, const char *group)
{
	return note(members, member, strdup(group), true);
}

int account_members_out(struct account_members *members, const char *member, const char *groups, bool keeps_own)
{
	struct leaver *larger;

	if (!groups || strcmp(groups, "*") != 0)
		return note_all(members, member, groups, false);
	larger = grown(members->leavers, members->leaver_count, sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	members->leavers = larger;
	larger[members->leaver_count++] = (struct leaver){ .member = member, .keeps_own = keeps_own };
	return 0;
}

void account_members_free(struct account_members *members)
{
	for (size_t i = 0; i < members->membership_count; i++)
		free(members->memberships[i].group);
	free(members->memberships);
	free(members->leavers);
	*members = (struct account_members){ 0 };
}

/* ---- finding ---- */

static int compare_names(struct row_field field, const char *name)
{
	size_t length = strlen(name);
	int difference = memcmp(field.text, name, field.length < length ? field.length : length);

	if (difference)
		return difference;
	return field.length < length ? -1 : field.length > length;
}

static int compare_leavers(const void *one, const void *other)
{
	return strcmp(((const struct leaver *)one)->member, ((const struct leaver *)other)->member);
}

void account_members_sort(struct account_members *members)
{
	if (members->leaver_count > 1)
		qsort(members->leavers, members->leaver_count, sizeof(members->leavers[0]), compare_leavers);
}

static const struct leaver *find_leaver(const struct account_members *members, struct row_field item)
{
	size_t begin = 0, end = members->leaver_count;

	while (begin < end) {
		size_t middle = begin + (end - begin) / 2;
		int difference = compare_names(item, members->leavers[middle].member);

		if (difference == 0)
			return &members->leavers[middle];
		if (difference < 0)
			end = middle;
		else
			begin = middle + 1;
	}
	return NULL;
}

bool account_members_are_others(const struct account_members *members, struct row_field list)
{
	for (bool more = true; more;) {
		struct row_field item = row_field_first_item(list, &list, &more);

		if (item.length > 0 && !find_leaver(members, item))
			return true;
	}
	return false;
}

/* What is wanted of one row's list. */
struct want {
	uint32_t row;
	bool in;
	bool there; /* stands in the list already */
	const char *member;
};

static int compare_wants(const void *one, const void *other)
{
	const struct want *a = one, *b = other;

	if (a->row != b->row)
		return a->row < b->row ? -1 : 1;
	return strcmp(a->member, b->member);
}

/* Those of one row, sorted by member. */
struct wants {
	struct want *of;
	size_t count;
};

static struct want *find_want(const struct wants *wants, struct row_field item)
{
	size_t begin = 0, end = wants->count;

	while (begin < end) {
		size_t middle = begin + (end - begin) / 2;
		int difference = compare_names(item, wants->of[middle].member);

		if (difference == 0)
			return &wants->of[middle];
		if (difference < 0)
			end = middle;
		else
			begin = middle + 1;
	}
	return NULL;
}

/* ---- one list ---- */

struct list {
	char *text; /* NUL-terminated */
	size_t length;
	bool changed;
};

static void list_free(struct list *list)
{
	free(list->text);
}

static bool list_make(struct list *list, struct row_field before, struct wants wants)
{
	size_t size = before.length + 1;

	for (size_t i = 0; i < wants.count; i++)
		size += strlen(wants.of[i].member) + 1;
	list->text = malloc(size);
	return list->text != NULL;
}

static void list_append(struct list *list, const char *text, size_t length, bool with_comma)
{
	if (with_comma)
		list->text[list->length++] = ',';
	memcpy(list->text + list->length, text, length);
	list->length += length;
	list->text[list->length] = '\0';
}

/* The end of a list behind which a comma is missing: not so behind an empty one, nor behind a comma. */
static bool list_needs_comma(struct list *list)
{
	size_t length = list->length;

	while (length > 0 && strchr(" \t\v\f\r", list->text[length - 1]))
		length--;
	if (length > 0 && list->text[length - 1] != ',')
		return true;
	list->length = length; /* blanks there would be part of the next name for some */
	return false;
}

/* Copies the list without those who go, and marks those who are there. */
static void copy_those_who_stay(const struct account_members *members, struct row_field before, struct row_field group,
				struct wants wants, struct list *list)
{
	bool first = true;

	list->text[0] = '\0';
	for (bool more = true; more;) {
		const char *begin = before.text;
		struct row_field item = row_field_first_item(before, &before, &more);
		const struct leaver *leaver = find_leaver(members, item);
		struct want *want = find_want(&wants, item);
		bool goes = leaver && !(leaver->keeps_own && row_field_is(group, leaver->member));

		if (want ? !want->in : goes) {
			list->changed = true;
			continue;
		}
		if (want)
			want->there = true;
		list_append(list, begin, (size_t)(item.text + item.length - begin), !first);
		first = false;
	}
}

static void append_those_who_come(struct wants wants, struct list *list)
{
	for (size_t i = 0; i < wants.count; i++) {
		const struct want *want = &wants.of[i];

		if (!want->in || want->there)
			continue;
		list_append(list, want->member, strlen(want->member), list_needs_comma(list));
		list->changed = true;
	}
}

/* ---- one row ---- */

static struct row_field name_of(const struct account_rows *rows, uint32_t row)
{
	return (struct row_field){ rows->text + rows->rows[row].name, rows->rows[row].name_length };
}

/* Whether the row is a group's at all: comments, NIS lines and what cannot be read stay as they are. */
static bool is_group(const struct account_changes *changes, enum account_file file, uint32_t row)
{
	const struct account_row *there = &changes->rows[file]->rows[row];

	return there->name_length > 0 && (file != ACCOUNT_FILE_GROUP || there->has_number[BY_GID]) &&
	       !account_changes_drops(changes, file, row);
}

static enum account_files_result apply_to_row(const struct account_members *members, struct account_changes *changes,
					      enum account_file file, uint32_t row, struct wants wants)
{
	static const struct wants none = { 0 };
	const struct account_rows *rows = changes->rows[file];
	struct row_field group = name_of(rows, row), before = account_row_rest(rows, row, MEMBERS);
	struct row_field admins = file == ACCOUNT_FILE_GSHADOW ? account_row_field(rows, row, GSHADOW_ADMINS)
							       : (struct row_field){ before.text, 0 };
	_cleanup_(list_free) struct list list = { 0 }, admin_list = { 0 };
	const char *fields[LIST_FIELDS] = { 0 };

	if (before.length == 0 && admins.length == 0 && wants.count == 0)
		return ACCOUNT_FILES_DONE;
	if (!list_make(&list, before, wants) || !list_make(&admin_list, admins, none))
		return account_changes_no_memory(changes);
	copy_those_who_stay(members, before, group, wants, &list);
	append_those_who_come(wants, &list);
	copy_those_who_stay(members, admins, group, none, &admin_list);
	fields[MEMBERS] = list.changed ? list.text : NULL;
	fields[GSHADOW_ADMINS] = admin_list.changed ? admin_list.text : NULL;
	return list.changed || admin_list.changed
		       ? account_changes_set_fields(changes, file, row, fields, LIST_FIELDS, true)
		       : ACCOUNT_FILES_DONE;
}

/* ---- all rows ---- */

/* Collected wants of one file. */
struct wanted {
	struct want *of;
	size_t count;
};

static void wanted_free(struct wanted *wanted)
{
	free(wanted->of);
}

static bool want(struct wanted *wanted, uint32_t row, const struct membership *membership)
{
	struct want *larger = grown(wanted->of, wanted->count, sizeof(*larger));

	if (!larger)
		return false;
	wanted->of = larger;
	larger[wanted->count++] = (struct want){ .row = row, .in = membership->in, .member = membership->member };
	return true;
}

static uint32_t next_group(const struct account_changes *changes, enum account_file file, const char *name,
			   uint32_t after)
{
	do
		after = account_rows_named(changes->rows[file], name, after);
	while (after != ROW_END && !is_group(changes, file, after));
	return after;
}

/* The row where members come in: the first that glibc reads. It skips those whose number is too large. */
static uint32_t group_to_join(const struct account_changes *changes, enum account_file file, const char *name)
{
	uint32_t row = next_group(changes, file, name, ROW_END);

	while (row != ROW_END && file == ACCOUNT_FILE_GROUP &&
	       changes->rows[file]->rows[row].number[BY_GID] == UINT32_MAX)
		row = next_group(changes, file, name, row);
	return row;
}

static void note_missing(struct account_changes *changes, const char *group)
{
	size_t length = strlen(changes->missing);

	if (row_field_lists((struct row_field){ changes->missing, length }, group))
		return;
	(void)snprintf(changes->missing + length, sizeof(changes->missing) - length, "%s%s", length ? ", " : "", group);
}

/* Members go from all rows of a name, since all of them count. */
static bool want_in_file(const struct account_changes *changes, enum account_file file,
			 const struct membership *membership, struct wanted *wanted)
{
	uint32_t row;

	if (membership->in) {
		row = group_to_join(changes, file, membership->group);
		return row == ROW_END || want(wanted, row, membership);
	}
	row = next_group(changes, file, membership->group, ROW_END);
	for (; row != ROW_END; row = next_group(changes, file, membership->group, row))
		if (!want(wanted, row, membership))
			return false;
	return true;
}

static bool collect(const struct account_members *members, struct account_changes *changes, enum account_file file,
		    struct wanted *wanted)
{
	for (size_t i = 0; i < members->membership_count; i++) {
		const struct membership *membership = &members->memberships[i];

		/* Not there in group: not in gshadow alone either. */
		if (membership->in && group_to_join(changes, ACCOUNT_FILE_GROUP, membership->group) == ROW_END) {
			note_missing(changes, membership->group);
			continue;
		}
		if (!want_in_file(changes, file, membership, wanted))
			return false;
	}
	if (wanted->count > 1)
		qsort(wanted->of, wanted->count, sizeof(wanted->of[0]), compare_wants);
	return true;
}

/* Each once; nobody both in and out. */
static enum account_files_result make_unique(struct account_changes *changes, struct wanted *wanted)
{
	size_t count = 0;

	for (size_t i = 0; i < wanted->count; i++) {
		if (count > 0 && compare_wants(&wanted->of[i], &wanted->of[count - 1]) == 0) {
			if (wanted->of[i].in != wanted->of[count - 1].in)
				return account_changes_invalid(changes, wanted->of[i].member,
							       "it is to be a member of a group and not to be one");
			continue;
		}
		wanted->of[count++] = wanted->of[i];
	}
	wanted->count = count;
	return ACCOUNT_FILES_DONE;
}

/* With somebody who leaves all groups every row is looked at, otherwise those where somebody comes or goes. */
static enum account_files_result apply_to_rows(const struct account_members *members, struct account_changes *changes,
					       enum account_file file, struct wanted wanted)
{
	enum account_files_result result = ACCOUNT_FILES_DONE;
	bool all = members->leaver_count > 0;
	uint32_t row = all || wanted.count == 0 ? 0 : wanted.of[0].row;
	size_t at = 0;

	while (result == ACCOUNT_FILES_DONE && row < changes->rows[file]->count && (all || at < wanted.count)) {
		struct wants wants = { .of = wanted.count > 0 ? wanted.of + at : NULL };

		for (; at < wanted.count && wanted.of[at].row == row; at++)
			wants.count++;
		if (is_group(changes, file, row))
			result = apply_to_row(members, changes, file, row, wants);
		row = all || at == wanted.count ? row + 1 : wanted.of[at].row;
	}
	return result;
}

static enum account_files_result apply_to_file(const struct account_members *members, struct account_changes *changes,
					       enum account_file file)
{
	_cleanup_(wanted_free) struct wanted wanted = { 0 };
	enum account_files_result result;

	if (!collect(members, changes, file, &wanted))
		return account_changes_no_memory(changes);
	result = make_unique(changes, &wanted);
	return result == ACCOUNT_FILES_DONE ? apply_to_rows(members, changes, file, wanted) : result;
}

enum account_files_result account_members_apply(struct account_members *members, struct account_changes *changes)
{
	enum account_files_result result;

	account_members_sort(members);
	result = apply_to_file(members, changes, ACCOUNT_FILE_GROUP);
	return result == ACCOUNT_FILES_DONE && changes->rows[ACCOUNT_FILE_GSHADOW]
		       ? apply_to_file(members, changes, ACCOUNT_FILE_GSHADOW)
		       : result;
}
