/*
 * Brings several files to the disk together. One after the other, each would wait for its content to be written and for
 * a commit of the file system's journal of its own; what is written before the first is synced shares one commit, and
 * the others find that theirs has been.
 */
#ifndef PROVISIOND_SYNC_FILES_H
#define PROVISIOND_SYNC_FILES_H

#include <stddef.h>

#define SYNC_FILES_MAX 32 /* descriptors that callers keep open for it */

/* Starts writing the content of a file that is complete, and waits for nothing. */
void sync_files_begin(int fd);
/* fsync(2) of up to SYNC_FILES_MAX descriptors, borrowed. Writes 0 or an errno for each. */
void sync_files(const int *fds, size_t count, int *ret_errors);

#endif
