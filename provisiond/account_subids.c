/*
 * Rows of subuid and subgid: NAME:FIRST:COUNT. By sorting, so that ten thousand of them cost no ten thousand walks.
 */
#include "provisiond/account_subids.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/names.h"

static const enum account_file subid_files[] = { ACCOUNT_FILE_SUBUID, ACCOUNT_FILE_SUBGID };

#define SUBID_FILES (sizeof(subid_files) / sizeof(subid_files[0]))

static bool range_of(const struct account_rows *rows, uint32_t row, struct subid_range *ret_range)
{
	const struct account_row *there = &rows->rows[row];

	if (!there->has_number[BY_FIRST_SUBID] || !there->has_number[BY_SUBID_COUNT] ||
	    there->number[BY_SUBID_COUNT] == 0)
		return false;
	ret_range->first = there->number[BY_FIRST_SUBID];
	ret_range->last = ret_range->first + there->number[BY_SUBID_COUNT] - 1;
	return true;
}

/* ---- free ranges ---- */

static int note_range(struct subid_range **ranges, size_t *count, struct subid_range range)
{
	/* At powers of two. */
	if ((*count & (*count - 1)) == 0) {
		struct subid_range *larger = reallocarray(*ranges, *count ? 2 * *count : 1, sizeof(*larger));

		if (!larger)
			return -ENOMEM;
		*ranges = larger;
	}
	(*ranges)[(*count)++] = range;
	return 0;
}

int subid_ranges_of_rows(const struct account_rows *rows, uint64_t from, struct subid_range **ranges, size_t *count)
{
	int r = 0;

	for (uint32_t row = 0; row < rows->count && r == 0; row++) {
		struct subid_range range;

		if (range_of(rows, row, &range) && range.last >= from)
			r = note_range(ranges, count, range);
	}
	return r;
}

int subid_ranges_of_numbers(const struct account_rows *rows, unsigned column, uint64_t from,
			    struct subid_range **ranges, size_t *count)
{
	int r = 0;

	for (uint32_t row = 0; row < rows->count && r == 0; row++) {
		uint64_t number = rows->rows[row].number[column];

		if (rows->rows[row].has_number[column] && number >= from)
			r = note_range(ranges, count, (struct subid_range){ number, number });
	}
	return r;
}

static int compare_ranges(const void *one, const void *other)
{
	const struct subid_range *a = one, *b = other;

	return a->first < b->first ? -1 : a->first > b->first;
}

/* Keeps those that begin at `last` or before; the uids of thousands of accounts lie behind it. */
static size_t drop_behind(struct subid_range *ranges, size_t count, uint64_t last)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (ranges[i].first <= last)
			ranges[kept++] = ranges[i];
	return kept;
}

bool subid_free_range(struct subid_range *ranges, size_t count, uint64_t from, uint64_t last, uint32_t *ret_first,
		      uint32_t *ret_behind)
{
	uint64_t behind;
	size_t i;

	count = drop_behind(ranges, count, last);
	if (count > 1)
		qsort(ranges, count, sizeof(ranges[0]), compare_ranges);
	for (i = 0; i < count && ranges[i].first < from + SUBID_COUNT; i++)
		if (ranges[i].last >= from)
			from = ranges[i].last + 1;
	if (from + SUBID_COUNT - 1 > last || from + SUBID_COUNT - 1 >= UINT32_MAX)
		return false;
	behind = i < count ? ranges[i].first : last + 1;
	*ret_first = (uint32_t)from;
	*ret_behind = (uint32_t)(behind < UINT32_MAX ? behind : UINT32_MAX);
	return true;
}

/* ---- adding ---- */

/* A range in the order of a file; those that are new have an entry. */
struct claim {
	struct subid_range range;
	uint32_t row;
	const struct account_entry *entry;
};

static int compare_claims(const void *one, const void *other)
{
	return compare_ranges(&((const struct claim *)one)->range, &((const struct claim *)other)->range);
}

/* Walks the claims in order: no new one may begin before all others have ended, and no other one before the new ones
 * have. What others have among themselves is their business. */
static enum account_files_result check_overlaps(struct account_changes *changes, enum account_file file,
						const struct claim *claims, size_t count)
{
	const struct claim *furthest = NULL, *furthest_new = NULL;

	for (size_t i = 0; i < count; i++) {
		const struct claim *claim = &claims[i], *against = claim->entry ? furthest : furthest_new;

		if (against && claim->range.first <= against->range.last) {
			const struct claim *newcomer = claim->entry ? claim : against;
			const struct claim *there = claim->entry ? against : claim;

			return there->entry ? account_changes_invalid(
						      changes, newcomer->entry->name,
						      "another account that is added with it has its subordinate ids")
					    : account_changes_taken(changes, file, there->row, newcomer->entry->name,
								    "it has the subordinate id %u",
								    newcomer->entry->first_subid);
		}
		if (!furthest || claim->range.last > furthest->range.last)
			furthest = claim;
		if (claim->entry && (!furthest_new || claim->range.last > furthest_new->range.last))
			furthest_new = claim;
	}
	return ACCOUNT_FILES_DONE;
}

/* The entry's row is there already, is added, or a row of its name or uid stands against it. */
static enum account_files_result add_row(struct account_changes *changes, enum account_file file,
					 const struct account_entry *entry, bool *ret_is_new)
{
	const struct account_rows *rows = changes->rows[file];
	char number[16], text[ACCOUNT_NAME_MAX + 32];
	const char *const owners[] = { entry->name, number };
	bool present = false;

	(void)snprintf(number, sizeof(number), "%u", entry->uid);
	(void)snprintf(text, sizeof(text), "%s:%u:%d", entry->name, entry->first_subid, SUBID_COUNT);
	for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++)
		for (uint32_t row = account_rows_named(rows, owners[i], ROW_END); row != ROW_END;
		     row = account_rows_named(rows, owners[i], row)) {
			if (entry->first_subid == 0 || !account_row_is(rows, row, text))
				return account_changes_taken(changes, file, row, entry->name,
							     "it gives subordinate ids to that name or uid");
			present = true;
		}
	*ret_is_new = entry->first_subid != 0 && !present;
	return *ret_is_new ? account_changes_add_line(changes, file, text) : ACCOUNT_FILES_DONE;
}

static enum account_files_result add_to_file(struct account_changes *changes, enum account_file file,
					     const struct account_entry *entries, size_t entry_count)
{
	const struct account_rows *rows = changes->rows[file];
	_cleanup_free_ struct claim *claims = calloc(rows->count + entry_count + 1, sizeof(*claims));
	enum account_files_result result = ACCOUNT_FILES_DONE;
	size_t count = 0, old;

	if (!claims)
		return account_changes_no_memory(changes);
	for (uint32_t row = 0; row < rows->count; row++)
		if (range_of(rows, row, &claims[count].range))
			claims[count++].row = row;
	old = count;
	for (size_t i = 0; i < entry_count && result == ACCOUNT_FILES_DONE; i++) {
		const uint64_t first = entries[i].first_subid;
		bool is_new = false;

		result = add_row(changes, file, &entries[i], &is_new);
		if (is_new)
			claims[count++] =
				(struct claim){ .range = { first, first + SUBID_COUNT - 1 }, .entry = &entries[i] };
	}
	if (result != ACCOUNT_FILES_DONE || count == old)
		return result;
	qsort(claims, count, sizeof(claims[0]), compare_claims);
	return check_overlaps(changes, file, claims, count);
}

enum account_files_result account_subids_add(struct account_changes *changes, const struct account_entry *entries,
					     size_t count)
{
	enum account_files_result result = ACCOUNT_FILES_DONE;

	for (size_t i = 0; i < SUBID_FILES && result == ACCOUNT_FILES_DONE; i++)
		if (changes->rows[subid_files[i]] && count > 0)
			result = add_to_file(changes, subid_files[i], entries, count);
	return result;
}

/* ---- dropping ---- */

static enum account_files_result drop_rows(struct account_changes *changes, enum account_file file, const char *owner,
					   const uint32_t *first)
{
	const struct account_rows *rows = changes->rows[file];
	enum account_files_result result = ACCOUNT_FILES_DONE;

	for (uint32_t row = account_rows_named(rows, owner, ROW_END); row != ROW_END && result == ACCOUNT_FILES_DONE;
	     row = account_rows_named(rows, owner, row)) {
		struct subid_range range;

		if (!first || (range_of(rows, row, &range) && range.first == *first))
			result = account_changes_drop(changes, file, row);
	}
	return result;
}

enum account_files_result account_subids_drop(struct account_changes *changes, const struct account_identity *account,
					      bool all)
{
	const uint32_t *first = all ? NULL : &account->first_subid;
	enum account_files_result result = ACCOUNT_FILES_DONE;
	char number[16];

	if (!all && account->first_subid == 0)
		return ACCOUNT_FILES_DONE;
	(void)snprintf(number, sizeof(number), "%u", account->uid);
	for (size_t i = 0; i < SUBID_FILES && result == ACCOUNT_FILES_DONE; i++) {
		if (!changes->rows[subid_files[i]])
			continue;
		result = drop_rows(changes, subid_files[i], account->name, first);
		if (result == ACCOUNT_FILES_DONE)
			result = drop_rows(changes, subid_files[i], number, first);
	}
	return result;
}
