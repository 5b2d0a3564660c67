/*
 * Opens a directory by its path when nobody but root could have had a say in where that path leads.
 */
#ifndef PROVISIOND_TRUSTED_DIRECTORY_H
#define PROVISIOND_TRUSTED_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct trusted_root {
	int fd;      /* where paths and absolute links begin: a directory, or AT_FDCWD for "/" */
	uid_t owner; /* of all directories on the way */
	gid_t group; /* of those that are made */
};

/* Walks the absolute path one name at a time. Every directory on the way, the first and the last included, must belong
 * to the owner and be writable by nobody else; so symbolic links on the way are the owner's too, and are followed. With
 * `create`, missing directories are made, 0755. Returns a descriptor (CLOEXEC, readable), or -errno and a fault that
 * names what is wrong: -EPERM for a directory of others, -ENOENT without `create`, -ENOTDIR, -ELOOP, or what the system
 * said. */
int trusted_directory_open(const struct trusted_root *root, const char *path, bool create, char *fault,
			   size_t fault_size);

#endif
