/*
 * What the two halves of passwd.h share: passwd.c, which writes, and account_lookup.c, which reads.
 */
#ifndef PROVISIOND_ACCOUNT_FILES_H
#define PROVISIOND_ACCOUNT_FILES_H

#include <stdbool.h>
#include <sys/stat.h>

#include "provisiond/account_changes.h"
#include "provisiond/account_rows.h"
#include "provisiond/account_snapshot.h"
#include "provisiond/passwd.h"

/* How each file is read. */
struct account_file_kind {
	const char *name;
	unsigned columns[ROW_NUMBERS]; /* see account_rows_parse() */
	bool has_hashes;               /* in the second field */
	bool may_be_missing;
};

extern const struct account_file_kind account_file_kinds[ACCOUNT_FILE_COUNT];

/* What the reading side remembers of a file. */
struct account_file_cache {
	bool valid;
	bool held; /* until account_files_release() as it is */
	struct stat seen;
	struct account_rows rows;
};

struct account_files {
	int directory;
	uid_t owner;
	int lock;     /* -1: not held */
	int waiting;  /* the lock's file while we stand in line, or -1 */
	pid_t waiter; /* who stands there, or 0 */
	char *path;   /* of the directory, for people */
	char *paths[ACCOUNT_FILE_COUNT];
	struct account_file_cache cache[ACCOUNT_FILE_COUNT];
	bool holding;                       /* account_files_hold() */
	bool displaced[ACCOUNT_FILE_COUNT]; /* its old version has still to become the backup */
	char *answer;                       /* the text that the last lookup's pointers lead to */
	gid_t *gids;
	char fault[512];
};

/* Reads a file as it is now. 0 and the caller releases the snapshot, or -errno and a fault in files->fault. */
int account_files_snapshot(struct account_files *files, enum account_file file, struct account_snapshot *ret_snapshot);
/* The file's rows as they are now, without password hashes; they live until the next call for that file. 0, or -errno
 * and a fault. */
int account_files_current(struct account_files *files, enum account_file file, const struct account_rows **ret_rows);

#endif
