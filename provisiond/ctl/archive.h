/*
 * Writes a home directory into a file with tar(1), which runs without a shell.
 */
#ifndef PROVISIOND_CTL_ARCHIVE_H
#define PROVISIOND_CTL_ARCHIVE_H

#include <stdbool.h>

#include "provisiond/ctl/command.h"

/* A file that is being written. */
struct archive {
	const char *path;
	int fd;        /* -1: none */
	int directory; /* that it is in */
	bool kept;
};

#define NO_ARCHIVE ((struct archive){ .fd = -1, .directory = -1 })

/* Whether a file of that name could be made: it must not exist yet, and lie outside of the home. Changes nothing.
 * EXIT_DONE, or another code after a sentence. */
enum exit_code archive_check(const char *path, const char *home);
/* Makes the file, empty, 0600; never takes one that is there. The same. */
enum exit_code archive_create(const char *path, const char *home, struct archive *archive);
/* Writes the home into it, and waits until all of it is on the disk. The same. */
enum exit_code archive_write(struct archive *archive, const char *home);
/* Closes, and deletes the file unless it is complete. */
void archive_release(struct archive *archive);

#define _cleanup_archive_ _cleanup_(archive_release)

#endif
