#include "tests/issuer/encoding.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "common/cleanup.h"
#include "tests/issuer/must.h"

static const char URL_ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char STANDARD_ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64url_encode(const void *bytes, size_t length)
{
	const unsigned char *in = bytes;
	char *text = must(malloc(length / 3 * 4 + 5));
	size_t out = 0;

	for (size_t i = 0; i < length; i += 3) {
		size_t left = length - i;
		uint32_t group = (uint32_t)in[i] << 16;

		if (left > 1)
			group |= (uint32_t)in[i + 1] << 8;
		if (left > 2)
			group |= in[i + 2];
		for (size_t j = 0; j < 4 && j <= left; j++)
			text[out++] = URL_ALPHABET[group >> (18 - 6 * j) & 63];
	}
	text[out] = '\0';
	return text;
}

static bool decode(const char *alphabet, const char *text, size_t length, unsigned char **ret_bytes, size_t *ret_length)
{
	_cleanup_free_ unsigned char *bytes = must(malloc(length / 4 * 3 + 4));
	uint32_t group = 0;
	unsigned bits = 0;
	size_t out = 0;

	if (length % 4 == 1)
		return false;
	for (size_t i = 0; i < length; i++) {
		const char *position = text[i] ? strchr(alphabet, text[i]) : NULL;

		if (!position)
			return false;
		group = group << 6 | (uint32_t)(position - alphabet);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			bytes[out++] = (unsigned char)(group >> bits & 0xff);
		}
	}
	bytes[out] = '\0';
	*ret_length = out;
	*ret_bytes = take_pointer(bytes);
	return true;
}

bool base64url_decode(const char *text, size_t length, unsigned char **ret_bytes, size_t *ret_length)
{
	return decode(URL_ALPHABET, text, length, ret_bytes, ret_length);
}

bool base64_decode(const char *text, size_t length, unsigned char **ret_bytes, size_t *ret_length)
{
	if (length % 4 != 0)
		return false;
	for (int padding = 0; padding < 2 && length > 0 && text[length - 1] == '='; padding++)
		length--;
	return decode(STANDARD_ALPHABET, text, length, ret_bytes, ret_length);
}

void random_bytes(void *bytes, size_t length)
{
	if (RAND_bytes(bytes, (int)length) != 1) {
		fputs("issuer: no random numbers\n", stderr);
		abort();
	}
}

char *random_text(const char *alphabet, size_t length)
{
	size_t letters = strlen(alphabet);
	size_t fair = 256 - 256 % letters;
	char *text = must(malloc(length + 1));

	for (size_t i = 0; i < length;) {
		unsigned char byte;

		random_bytes(&byte, 1);
		if (byte < fair)
			text[i++] = alphabet[byte % letters];
	}
	text[length] = '\0';
	return text;
}

char *random_token(const char *prefix)
{
	unsigned char bytes[32];
	_cleanup_free_ char *text = NULL;

	random_bytes(bytes, sizeof bytes);
	text = base64url_encode(bytes, sizeof bytes);
	return must_format("%s%s", prefix, text);
}

bool text_equal_constant_time(const char *one, const char *other)
{
	size_t length = strlen(one);

	return length == strlen(other) && CRYPTO_memcmp(one, other, length) == 0;
}
