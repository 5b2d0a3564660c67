/*
 * Opens files that the daemons rely on, and judges what was opened, never the path.
 */
#ifndef COMMON_TRUSTED_FILE_H
#define COMMON_TRUSTED_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/secret.h"

/* Reads a whole configuration file: a regular file, no symbolic link, owned by root, not writable by group or others, at
 * most max_bytes long and without NUL bytes. The caller frees *ret_text, which is NUL-terminated. On failure false, and
 * fault says what is wrong and what to do, without the path. */
bool trusted_file_read(const char *path, size_t max_bytes, char **ret_text, char *fault, size_t fault_size);

/* Reads a secret, trailing line ends removed: as above, or owned by `owner` (root is always allowed), and unreadable to
 * others; readable to a group only when that is `group`. */
bool trusted_file_read_secret(const char *path, size_t max_bytes, uid_t owner, gid_t group, struct secret *ret_secret,
			      char *fault, size_t fault_size);

#endif
