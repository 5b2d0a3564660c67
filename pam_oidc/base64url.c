/*
 * Encodes and decodes base64url without padding. See base64url.h. OpenSSL's decoder is not used, because it skips white
 * space, expects padding and lets leftover bits pass: several texts would mean one value.
 */
#include "pam_oidc/base64url.h"

#include <stdlib.h>

#include "common/cleanup.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* The six bits that a character stands for, or -1. */
static int sextet(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-')
		return 62;
	return c == '_' ? 63 : -1;
}

bool base64url_decode(const char *text, size_t length, uint8_t **ret_bytes, size_t *ret_length)
{
	_cleanup_free_ uint8_t *bytes = NULL;
	size_t used = 0;
	uint32_t bits = 0;
	unsigned bit_count = 0;

	if (length % 4 == 1)
		return false;
	bytes = malloc(length / 4 * 3 + 3);
	if (!bytes)
		return false;
	for (size_t i = 0; i < length; i++) {
		int value = sextet(text[i]);

		if (value < 0)
			return false;
		bits = (bits << 6 | (uint32_t)value) & 0xffff;
		bit_count += 6;
		if (bit_count >= 8) {
			bit_count -= 8;
			bytes[used++] = (uint8_t)(bits >> bit_count);
		}
	}
	/* An encoder leaves the last character's unused bits zero; others would be a second spelling of the same bytes.
	 */
	if ((bits & ((1U << bit_count) - 1)) != 0)
		return false;
	bytes[used] = '\0';
	*ret_bytes = take_pointer(bytes);
	*ret_length = used;
	return true;
}

char *base64url_encode(const uint8_t *bytes, size_t length)
{
	char *text = malloc(length / 3 * 4 + 5);
	size_t used = 0;
	uint32_t bits = 0;
	unsigned bit_count = 0;

	if (!text)
		return NULL;
	for (size_t i = 0; i < length; i++) {
		bits = (bits << 8 | bytes[i]) & 0xffff;
		for (bit_count += 8; bit_count >= 6; bit_count -= 6)
			text[used++] = alphabet[bits >> (bit_count - 6) & 63];
	}
	if (bit_count > 0)
		text[used++] = alphabet[bits << (6 - bit_count) & 63];
	text[used] = '\0';
	return text;
}
