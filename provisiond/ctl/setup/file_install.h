/*
 * Reads a file of the system's whole, and replaces, makes or removes one so that its name always stands for something
 * whole: written and synced beside it, then exchanged. What another program wrote meanwhile is never lost.
 */
#ifndef PROVISIOND_CTL_SETUP_FILE_INSTALL_H
#define PROVISIOND_CTL_SETUP_FILE_INSTALL_H

#include <stdbool.h>
#include <stddef.h>

#include "provisiond/ctl/setup/change_inside.h"

/* Reads a regular file of at most CHANGE_FILE_MAX bytes; one that is not there has exists = false. The last part of the
 * path is not followed when it is a link. change_content_free() releases the content. */
bool file_read(const char *path, struct change_content *ret_content, struct change_owner *ret_owner, char *fault,
	       size_t fault_size);

/* Makes the file hold `text` (or be gone, when that does not exist), provided that it still is what `expected` says. An
 * existing file keeps its ACL, security label and other attributes; owner and mode too, unless `owner` is given. A new
 * one gets those of `owner`, which must be given then. */
bool file_install(const char *path, const struct change_content *expected, const struct change_content *text,
		  const struct change_owner *owner, char *fault, size_t fault_size);
/* Removes what a file_install() of that path left beside it when it was killed. */
void file_sweep(const char *path);
/* Writes and syncs a new file in a folder of our own. */
bool file_write_new(int directory, const char *name, const char *text, size_t length, char *fault, size_t fault_size);

#endif
