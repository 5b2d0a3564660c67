/*
 * Replaces several files of one directory together: all of them, or none. Knows nothing of what is in them.
 *
 * No file system renames several files as one step. So every new file is written, synced and closed beside the old one
 * first: a full disk, a read-only directory or a missing right shows while nothing has changed yet. Then each new file
 * is *exchanged* with the old one (renameat2 with RENAME_EXCHANGE): the name is never without a file, the old file is
 * never without a name, and whatever fails afterwards is undone by exchanging back, which needs no space and no memory.
 * The exchange also shows which file it displaced: if that is not the one that was read, a program that takes no lock
 * has written meanwhile, and its work is put back. Where a file system cannot exchange, a hard link keeps the old file
 * for the same purpose.
 *
 * Killed in between, some files are new and some old, each whole; leftovers are removed by replacement_sweep(). The
 * caller's order of files must make every such state harmless, and its next attempt must accept what it finds.
 */
#ifndef PROVISIOND_REPLACEMENT_H
#define PROVISIOND_REPLACEMENT_H

#include <stddef.h>
#include <sys/stat.h>

#define REPLACEMENT_FILES_MAX 8

/* One file to be replaced. All is the caller's and must live during the call. */
struct replacement {
	const char *name; /* in the directory */
	int original;     /* open on the file as it was read */
	struct stat seen; /* of `original`, when it was read */
	const char *text; /* the new content */
	size_t length;
};

enum replacement_result {
	REPLACEMENT_DONE,    /* all in place, and on the disk */
	REPLACEMENT_CHANGED, /* a file was changed since it was read; nothing is replaced */
	REPLACEMENT_FAILED,  /* nothing is replaced */
	REPLACEMENT_PARTIAL, /* failed half-way, and a file could not be put back */
};

/* Replaces the files in the given order. A new file has owner, mode, ACL, security label and other extended attributes
 * of the old one before it has any content. The old one stays under a temporary name, for replacement_keep_old().
 * `path` names the directory in `fault`, which says what failed. The directory is synced even when count is 0. The
 * caller holds the lock that keeps others out. */
enum replacement_result replace_files(int directory, const char *path, const struct replacement *files, size_t count,
				      char *fault, size_t fault_size);
/* After REPLACEMENT_DONE, for each of the files, at any time while the lock is held: the old one becomes `name-`, as the
 * shadow tools leave it. That takes a file system longer than it looks, and nobody need wait for it: failing costs
 * nothing that anybody was promised. */
void replacement_keep_old(int directory, const char *name);
/* Removes the temporary files of a replacement of `name` that was killed. 0 or -errno. */
int replacement_sweep(int directory, const char *name);

#endif
