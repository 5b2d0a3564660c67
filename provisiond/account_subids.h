/*
 * Ranges of subordinate ids (subuid(5), subgid(5)): whose they are, and which are free. Pure.
 */
#ifndef PROVISIOND_ACCOUNT_SUBIDS_H
#define PROVISIOND_ACCOUNT_SUBIDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "provisiond/account_changes.h"

/* Adds a row to each of the two files for every entry that has a first_subid, unless it stands there. TAKEN when a row
 * has the name of an entry and another range (a newcomer would inherit it), or when a range overlaps another; DONE,
 * INVALID or STORAGE; all but DONE with a fault. */
enum account_files_result account_subids_add(struct account_changes *changes, const struct account_entry *entries,
					     size_t count);
/* Drops the rows of the account's name and of its uid: all of them with `all`, else those that begin at its
 * first_subid. DONE or STORAGE. */
enum account_files_result account_subids_drop(struct account_changes *changes, const struct account_identity *account,
					      bool all);

/* What the numbers from `first` to `last` are taken by. */
struct subid_range {
	uint64_t first, last;
};

/* Notes the range of every row of a sub?id file, or every number in a column of another one, as far as it reaches to
 * `from` or beyond. 0 or -ENOMEM; the caller frees *ranges. */
int subid_ranges_of_rows(const struct account_rows *rows, uint64_t from, struct subid_range **ranges, size_t *count);
int subid_ranges_of_numbers(const struct account_rows *rows, unsigned column, uint64_t from,
			    struct subid_range **ranges, size_t *count);
/* The first SUBID_COUNT numbers in a row from `from` to `last` that no range has, and the first number behind them that
 * one has, or `last` is before. Sorts the ranges. */
bool subid_free_range(struct subid_range *ranges, size_t count, uint64_t from, uint64_t last, uint32_t *ret_first,
		      uint32_t *ret_behind);

#endif
