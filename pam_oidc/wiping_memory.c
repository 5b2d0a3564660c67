/*
 * Wipes memory as it is given back. See wiping_memory.h. What to wipe is asked of malloc itself
 * (malloc_usable_size(3)), so that memory of either kind may be freed by either function.
 */
#include "pam_oidc/wiping_memory.h"

#include <cjose/cjose.h>
#include <jansson.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"

/* Several times what the calls that see a token take. */
#define STACK_BYTES ((size_t)32 * 1024)

void *wiping_malloc(size_t size)
{
	return malloc(size);
}

void *wiping_calloc(size_t count, size_t size)
{
	return calloc(count, size);
}

void wiping_free(void *pointer)
{
	if (!pointer)
		return;
	explicit_bzero(pointer, malloc_usable_size(pointer));
	free(pointer);
}

void *wiping_realloc(void *pointer, size_t size)
{
	size_t had = malloc_usable_size(pointer);
	void *moved;

	/* What no longer counts at the end is wiped when all of it is freed. */
	if (pointer && size > 0 && size <= had && size >= had / 2)
		return pointer;
	moved = malloc(size > 0 ? size : 1);
	if (!moved)
		return NULL;
	if (pointer)
		memcpy(moved, pointer, had < size ? had : size);
	wiping_free(pointer);
	return moved;
}

char *wiping_strdup(const char *text)
{
	return strdup(text);
}

/* jansson 2.14 does not look whether the text of a string that it reads could grow, and then copies past what it has.
 * So it is never told that memory ran out: the daemon ends, is started again, and whoever waited reads that it does not
 * answer. */
static void *jansson_malloc(size_t size)
{
	void *memory = malloc(size > 0 ? size : 1);

	if (!memory) {
		log_error("out of memory");
		abort();
	}
	return memory;
}

static void *openssl_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return wiping_malloc(size);
}

static void *openssl_realloc(void *pointer, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	return wiping_realloc(pointer, size);
}

static void openssl_free(void *pointer, const char *file, int line)
{
	(void)file;
	(void)line;
	wiping_free(pointer);
}

bool wiping_memory_use(void)
{
	json_set_alloc_funcs(jansson_malloc, wiping_free);
	cjose_set_alloc_funcs(wiping_malloc, wiping_realloc, wiping_free);
	return CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) == 1;
}

__attribute__((noinline)) void wiping_memory_clear_stack(void)
{
	char below[STACK_BYTES];

	explicit_bzero(below, sizeof(below));
}
