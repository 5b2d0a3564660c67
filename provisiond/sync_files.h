/*
 * Brings several files to the disk at the same time. One after the other, each would wait for a commit of the file
 * system's journal and for a flush of the disk's cache of its own; what comes together shares them.
 */
#ifndef PROVISIOND_SYNC_FILES_H
#define PROVISIOND_SYNC_FILES_H

#include <stddef.h>

#define SYNC_FILES_MAX 8

/* fsync(2) of up to SYNC_FILES_MAX descriptors, borrowed. Writes 0 or an errno for each. The threads that this takes
 * have ended when it returns; without memory for them, it takes longer. */
void sync_files(const int *fds, size_t count, int *ret_errors);

#endif
