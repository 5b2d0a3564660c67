/*
 * Secrets in memory: a type whose free wipes. Not copied by assignment, never logged.
 */
#ifndef COMMON_SECRET_H
#define COMMON_SECRET_H

#include <stddef.h>

#include "common/cleanup.h"

struct secret {
	char *bytes; /* NUL-terminated; NULL when empty */
	size_t length;
};

/* Copies. 0 or -ENOMEM. *ret_secret must be empty. */
int secret_from_bytes(const char *bytes, size_t length, struct secret *ret_secret);
/* Wipes, frees and empties. Takes an empty or wiped one, and NULL. */
void secret_wipe(struct secret *secret);
/* Both texts, one after the other, on the heap; NULL when memory ran out. asprintf(3) leaves copies behind as it grows.
 */
char *secret_join_texts(const char *one, const char *other);
/* Wipes and frees a heap string in which a secret was built. Takes NULL. */
void secret_free_text(char *text);

static inline void cleanup_secret_text(char *const *text)
{
	secret_free_text(*text);
}

#define _cleanup_secret_ _cleanup_(secret_wipe)
#define _cleanup_secret_text_ _cleanup_(cleanup_secret_text)

#endif
