/*
 * An allocator that wipes what is given back, for the libraries through whose buffers tokens, codes and assertions pass
 * on their way; and the same for the stack. What we allocate ourselves for secrets has types of its own
 * (common/secret.h).
 */
#ifndef PAM_OIDC_WIPING_MEMORY_H
#define PAM_OIDC_WIPING_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/cleanup.h"

/* As malloc(3) and friends. wiping_free() takes whatever malloc(3) gave; free(3) takes whatever these give. */
void *wiping_malloc(size_t size);
void *wiping_calloc(size_t count, size_t size);
/* Never leaves a copy behind. */
void *wiping_realloc(void *pointer, size_t size);
char *wiping_strdup(const char *text);
void wiping_free(void *pointer);

static inline void cleanup_wiping(void *pointer_to_pointer)
{
	wiping_free(*(void **)pointer_to_pointer);
}

#define _cleanup_wiping_ _cleanup_(cleanup_wiping)

/* Makes OpenSSL, jansson and cjose use them; libcurl is told in http.c. Before anything else calls these libraries.
 * False when one of them has allocated already. */
bool wiping_memory_use(void);

/* Overwrites what earlier calls left of the stack, further down than the caller. */
void wiping_memory_clear_stack(void);

#endif
