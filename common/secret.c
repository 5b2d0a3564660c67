/*
 * Holds secrets in types that wipe themselves. See secret.h.
 */
#include "common/secret.h"

#include <errno.h>
#include <string.h>

int secret_from_bytes(const char *bytes, size_t length, struct secret *ret_secret)
{
	char *copy = malloc(length + 1);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, bytes, length);
	copy[length] = '\0';
	*ret_secret = (struct secret){ .bytes = copy, .length = length };
	return 0;
}

void secret_wipe(struct secret *secret)
{
	if (!secret || !secret->bytes)
		return;
	explicit_bzero(secret->bytes, secret->length);
	free(secret->bytes);
	*secret = (struct secret){ 0 };
}

char *secret_join_texts(const char *one, const char *other)
{
	size_t first = strlen(one), second = strlen(other);
	char *text = malloc(first + second + 1);

	if (!text)
		return NULL;
	memcpy(text, one, first);
	memcpy(text + first, other, second);
	text[first + second] = '\0';
	return text;
}

void secret_free_text(char *text)
{
	if (!text)
		return;
	explicit_bzero(text, strlen(text));
	free(text);
}
