/*
 * Works out which rows of the four account files an account needs or leaves, and whether anything in them stands
 * against it. Pure: it sees the files' text and says what to add and what to drop.
 */
#ifndef PROVISIOND_ACCOUNT_CHANGES_H
#define PROVISIOND_ACCOUNT_CHANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "provisiond/account_rows.h"
#include "provisiond/passwd.h"

enum account_file {
	ACCOUNT_FILE_GROUP,
	ACCOUNT_FILE_GSHADOW,
	ACCOUNT_FILE_SHADOW,
	ACCOUNT_FILE_PASSWD,
	ACCOUNT_FILE_COUNT
};

/* What will happen to one file. */
struct account_change {
	bool *dropped; /* one for each row; NULL: none */
	char *added;   /* whole lines */
	size_t added_length;
	size_t added_capacity;
};

struct account_changes {
	const char *paths[ACCOUNT_FILE_COUNT]; /* borrowed; for faults */
	const struct account_rows
		*rows[ACCOUNT_FILE_COUNT]; /* borrowed; NULL for a gshadow that is missing and stays so */
	struct account_change files[ACCOUNT_FILE_COUNT];
	char *fault; /* borrowed */
	size_t fault_size;
};

/* What is wrong with the entry's text or numbers, as the end of a sentence ("gecos has a colon ..."), or NULL. */
const char *account_entry_fault(const struct account_entry *entry);

/* Adds what the files lack of these accounts. DONE, INVALID, TAKEN or STORAGE (no memory), with a fault. */
enum account_files_result account_changes_add(struct account_changes *changes, const struct account_entry *entries,
					      size_t count, int64_t now_s);
/* Drops what the files have of these accounts. The same results. */
enum account_files_result account_changes_remove(struct account_changes *changes,
						 const struct account_identity *accounts, size_t count);
bool account_change_is_empty(const struct account_change *change);
void account_changes_free(struct account_changes *changes);

#endif
