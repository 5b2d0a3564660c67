/*
 * Copies the strings of a value into one block.
 */
#include "provisiond/string_block.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char **string_at(void *object, size_t offset)
{
	return (const char **)(void *)((char *)object + offset);
}

int string_block_own(void *object, const size_t *offsets, size_t count, char **ret_block)
{
	size_t size = 1; /* an object without any string has a block as well */
	char *block, *to;

	for (size_t i = 0; i < count; i++) {
		const char *string = *string_at(object, offsets[i]);

		size += string ? strlen(string) + 1 : 0;
	}
	block = to = malloc(size);
	if (!block)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const char **string = string_at(object, offsets[i]);
		size_t length = *string ? strlen(*string) + 1 : 0;

		if (!*string)
			continue;
		*string = memcpy(to, *string, length);
		to += length;
	}
	*ret_block = block;
	return 0;
}

int string_block_own_all(void *object, const size_t *offsets, size_t count, char **ret_block)
{
	for (size_t i = 0; i < count; i++) {
		const char **string = string_at(object, offsets[i]);

		if (!*string)
			*string = "";
	}
	return string_block_own(object, offsets, count, ret_block);
}
