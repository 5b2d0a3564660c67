/*
 * fsync(2) of several files at the same time, by the kernel: it starts one for each, and they share the journal's
 * commit and the disk's flush. See io_submit(2), IOCB_CMD_FSYNC, which Linux knows since 4.18.
 */
#ifndef PROVISIOND_SYNC_TOGETHER_H
#define PROVISIOND_SYNC_TOGETHER_H

#include <stdbool.h>
#include <stddef.h>

/* Syncs the descriptors, borrowed; at most SYNC_FILES_MAX of them. Writes an errno where an error is known of, and
 * leaves the rest as it was. False when not all of them could be synced so, and they have to be one by one. */
bool sync_together(const int *fds, size_t count, int *ret_errors);

#endif
