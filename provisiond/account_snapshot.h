/*
 * One account file as it was at one moment: opened without following a link, judged, and read while it held still.
 */
#ifndef PROVISIOND_ACCOUNT_SNAPSHOT_H
#define PROVISIOND_ACCOUNT_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "provisiond/account_rows.h"

struct account_snapshot {
	int fd; /* open on the very file that was read; -1: none */
	struct stat seen;
	struct account_rows rows;
};

#define ACCOUNT_SNAPSHOT_NONE ((struct account_snapshot){ .fd = -1 })

/* Which file, and what it must be. Borrowed during the call. */
struct account_snapshot_source {
	int directory;
	const char *name; /* in the directory */
	const char *path; /* for people */
	uid_t owner;
	const unsigned *columns; /* see account_rows_parse() */
};

/* 0 and the caller releases the snapshot, or -errno and a fault that begins with the path: -EPERM for a link, another
 * kind of file, another owner's or one that others can write, -EFBIG past 64 MiB, -EAGAIN when it does not hold still.
 */
int account_snapshot_read(const struct account_snapshot_source *source, struct account_snapshot *ret_snapshot,
			  char *fault, size_t fault_size);
/* 0, or -EPERM and a fault for a file that is pinned to its name, by an attribute or a mount, so that no rename can
 * replace it. */
int account_snapshot_replaceable(const struct account_snapshot *snapshot, const char *path, char *fault,
				 size_t fault_size);
/* Whether nothing was changed between the two, as far as the file's times tell. */
bool account_snapshot_same_state(const struct stat *one, const struct stat *other);

/* Hands the snapshot on; the variable no longer owns anything. */
struct account_snapshot account_snapshot_take(struct account_snapshot *snapshot);
/* Closes, wipes and empties. */
void account_snapshot_release(struct account_snapshot *snapshot);

#endif
