/*
 * Small things that everything about changes needs: sentences, copies, contents, digests.
 */
#include "provisiond/ctl/setup/change_inside.h"

#include <sha2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SALT_SIZE ((size_t)16)

void change_fault_put(char *fault, size_t fault_size, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(fault, fault_size, format, arguments);
	va_end(arguments);
}

struct change *change_set_append(struct change_set *set)
{
	struct change *items = reallocarray(set->items, set->count + 1, sizeof(*items));

	if (!items)
		return NULL;
	set->items = items;
	items[set->count] = (struct change){ 0 };
	return &items[set->count++];
}

char *change_words_join(const char *const *argv)
{
	size_t room = 1, length = 0;
	char *words;

	for (size_t i = 0; argv[i]; i++)
		room += strlen(argv[i]) + 1;
	words = malloc(room);
	if (!words)
		return NULL;
	words[0] = '\0';
	for (size_t i = 0; argv[i]; i++)
		length += (size_t)snprintf(words + length, room - length, "%s\n", argv[i]);
	return words;
}

void change_wipe(char *text, size_t length)
{
	if (text)
		explicit_bzero(text, length);
	free(text);
}

void change_content_free(struct change_content *content)
{
	change_wipe(content->text, content->length);
	*content = (struct change_content){ 0 };
}

bool change_content_set(struct change_content *content, const char *text, size_t length)
{
	char *copy = NULL;

	if (text) {
		copy = malloc(length + 1);
		if (!copy)
			return false;
		memcpy(copy, text, length);
		copy[length] = '\0';
	}
	change_content_free(content);
	content->exists = text != NULL;
	content->text = copy;
	content->length = length;
	return true;
}

static void to_hexadecimal(const unsigned char *bytes, size_t count, char *ret_text)
{
	for (size_t i = 0; i < count; i++)
		(void)snprintf(ret_text + 2 * i, 3, "%02x", bytes[i]);
}

/* The salt in hexadecimal takes part, so that the digest can be made again from what is written down. */
static void digest_with(const char *salt, const char *text, size_t length, char ret_digest[CHANGE_DIGEST_SIZE])
{
	unsigned char sum[SHA256_DIGEST_LENGTH];
	SHA2_CTX context;

	SHA256Init(&context);
	SHA256Update(&context, (const uint8_t *)salt, 2 * SALT_SIZE);
	SHA256Update(&context, (const uint8_t *)text, length);
	SHA256Final(sum, &context);
	explicit_bzero(&context, sizeof(context));
	memcpy(ret_digest, salt, 2 * SALT_SIZE);
	to_hexadecimal(sum, sizeof(sum), ret_digest + 2 * SALT_SIZE);
}

bool change_digest_make(struct change *change, const char *text, size_t length)
{
	unsigned char salt[SALT_SIZE];
	char shown[2 * SALT_SIZE + 1];

	if (getrandom(salt, sizeof(salt), 0) != (ssize_t)sizeof(salt))
		return false;
	to_hexadecimal(salt, sizeof(salt), shown);
	digest_with(shown, text, length, change->digest);
	return true;
}

bool change_digest_fits(const struct change *change, const char *text, size_t length)
{
	char digest[CHANGE_DIGEST_SIZE];

	if (strlen(change->digest) != 2 * (SALT_SIZE + SHA256_DIGEST_LENGTH))
		return false;
	digest_with(change->digest, text, length, digest);
	return strcmp(digest, change->digest) == 0;
}

bool change_content_same(const struct change_content *one, const struct change_content *other)
{
	if (!one->exists || !other->exists)
		return one->exists == other->exists;
	if (!one->text || !other->text)
		return false;
	return one->length == other->length && memcmp(one->text, other->text, one->length) == 0;
}

bool change_is_before(const struct change *change, const struct change_content *now)
{
	return change_content_same(&change->before, now);
}

bool change_is_after(const struct change *change, const struct change_content *now)
{
	if (change->secret && change->after.exists && now->exists)
		return change_digest_fits(change, now->text, now->length);
	return change_content_same(&change->after, now);
}
