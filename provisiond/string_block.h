/*
 * Gives a value strings of its own: copies them all into one block of memory. Pure.
 */
#ifndef PROVISIOND_STRING_BLOCK_H
#define PROVISIOND_STRING_BLOCK_H

#include <stddef.h>

/* Copies the strings of an object, members of type `const char *` at these offsets, into one new block, and has the
 * object point there. NULL stays NULL. 0, and the caller frees *ret_block; or -ENOMEM, and the object is as it was. */
int string_block_own(void *object, const size_t *offsets, size_t count, char **ret_block);
/* The same, but NULL becomes "". */
int string_block_own_all(void *object, const size_t *offsets, size_t count, char **ret_block);

#endif
