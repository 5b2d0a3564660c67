/*
 * A copy of the database, to look things up in while the daemon has the original for itself.
 */
#ifndef PROVISIOND_STORE_COPY_H
#define PROVISIOND_STORE_COPY_H

#include <stddef.h>

#include "provisiond/store.h"

/* Copies the database at `path` as it is now, what its daemon has in the log included, into a folder of its own below
 * `place` ("/run"), and opens that: the original stays as it is, whatever is done with the copy. The files are gone
 * from the folder's name space once it is open. Where there is no database, an empty one. NULL on failure, and fault
 * says in one sentence why. Close it with store_close(). */
struct store *store_open_copy(const char *path, const char *place, char *fault, size_t fault_size);

#endif
