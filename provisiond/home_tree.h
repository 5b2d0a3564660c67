/*
 * Copies and removes whole directory trees by descriptor, without ever following a symbolic link.
 */
#ifndef PROVISIOND_HOME_TREE_H
#define PROVISIOND_HOME_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "provisiond/sync_files.h"

#define HOME_TREE_DEPTH_MAX 32
#define HOME_TREE_ENTRIES_MAX 20000
#define HOME_TREE_BYTES_MAX ((size_t)1 << 30)

struct home_copy {
	uid_t uid; /* of everything that is made */
	gid_t gid;
	bool sync;             /* each file and directory, by home_tree_sync() */
	size_t entries, bytes; /* so far */
	unsigned skipped;      /* sockets, pipes and devices */
	char skipped_name[256];
	char fault[256];        /* names the entry, below the tree's top */
	int source_is_to_blame; /* 1: the tree that is copied; 0: the disk that is written */
	/* Complete, and not synced yet. */
	int open[SYNC_FILES_MAX];
	size_t open_count;
};

/* Copies what is in `from` into the empty directory `to`: directories, regular files with mode and time of change, and
 * symbolic links as links; permission bits only. Neither descriptor is
 * consumed. 0 or -errno, with fault and blame; what was copied by then stays. -E2BIG past one of the limits. */
int home_tree_copy(struct home_copy *copy, int from, int to);

/* Adds the directory to what home_tree_sync() brings to the disk; takes the descriptor over. 0 or -errno, with fault.
 */
int home_tree_sync_later(struct home_copy *copy, int *directory);
/* Brings to the disk what was copied with `sync`. 0 or -errno, with fault. */
int home_tree_sync(struct home_copy *copy);
/* Closes what was not synced. */
void home_copy_release(const struct home_copy *copy);

/* Removes the directory and all that is in it, however deep. Stops with -EXDEV where something else is mounted. 0 (also
 * when it is not there) or -errno. Each directory is taken over by the calling user before it is opened, so that its
 * owner gets no new way in, and no right to override its mode is needed. */
int home_tree_remove(int parent, const char *name);

#endif
