/*
 * Works out which rows of the account files change with an account, and whether anything in them stands against it.
 * Pure: it sees the files' text and says what to add, what to replace and what to drop.
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
	ACCOUNT_FILE_SUBUID,
	ACCOUNT_FILE_SUBGID,
	ACCOUNT_FILE_SHADOW,
	ACCOUNT_FILE_PASSWD,
	ACCOUNT_FILE_COUNT
};

/* The columns by which rows are numbered (account_rows_parse()): those of passwd, of group, of sub?id. */
enum { BY_UID, BY_PRIMARY_GID };
enum { BY_GID };
enum { BY_FIRST_SUBID, BY_SUBID_COUNT };

/* What will happen to one file. */
struct account_change {
	bool *dropped;             /* one for each row; NULL: none */
	struct row_text *replaced; /* the same */
	char *added;               /* whole lines */
	size_t added_length;
	size_t added_capacity;
};

struct account_changes {
	const char *paths[ACCOUNT_FILE_COUNT];               /* borrowed; for faults */
	const struct account_rows *rows[ACCOUNT_FILE_COUNT]; /* borrowed; NULL for a file that is missing and stays so:
								any but group, shadow and passwd */
	struct account_change files[ACCOUNT_FILE_COUNT];
	char *fault; /* borrowed */
	size_t fault_size;
	char missing[160]; /* groups that were to get a member and are not there, separated by ", " */
};

/* What is wrong with the entry's text or numbers, as the end of a sentence ("gecos has a colon ..."), or NULL. */
const char *account_entry_fault(const struct account_entry *entry);

/* Adds what the files lack of the accounts that are added, and changes what differs of those that are altered. DONE,
 * INVALID, TAKEN or STORAGE (no memory), with a fault. */
enum account_files_result account_changes_apply(struct account_changes *changes, const struct account_edits *edits,
						int64_t now_s);
/* Drops what the files have of these accounts. The same results. */
enum account_files_result account_changes_remove(struct account_changes *changes,
						 const struct account_identity *accounts, size_t count);
bool account_change_is_empty(const struct account_change *change);
struct rows_edit account_change_edit(const struct account_change *change);
/* Wipes and frees what is to be written. */
void account_changes_free(struct account_changes *changes);

/* For the parts of this: account_alteration.c, account_members.c, account_subids.c. */

/* Each notes a fault and returns the result of that name. */
__attribute__((format(printf, 5, 6))) enum account_files_result account_changes_taken(struct account_changes *changes,
										      enum account_file file,
										      uint32_t row, const char *name,
										      const char *format, ...);
enum account_files_result account_changes_invalid(struct account_changes *changes, const char *name, const char *what);
enum account_files_result account_changes_no_memory(struct account_changes *changes);
/* DONE, or STORAGE. A row is replaced once. */
enum account_files_result account_changes_add_line(struct account_changes *changes, enum account_file file,
						   const char *line);
enum account_files_result account_changes_drop(struct account_changes *changes, enum account_file file, uint32_t row);
/* Gives the row these fields (account_row_with_fields()); one that has them already is left alone. */
enum account_files_result account_changes_set_fields(struct account_changes *changes, enum account_file file,
						     uint32_t row, const char *const *fields, unsigned count,
						     bool last_is_rest);
bool account_changes_drops(const struct account_changes *changes, enum account_file file, uint32_t row);

#endif
