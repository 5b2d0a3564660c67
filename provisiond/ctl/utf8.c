/*
 * Decodes UTF-8 strictly.
 */
#include "provisiond/ctl/utf8.h"

/* The bytes of a character by its first byte; 0 for a byte that can begin none. */
static size_t length_of(unsigned char first)
{
	if (first < 0x80)
		return first != 0;
	if (first >= 0xc2 && first <= 0xdf)
		return 2;
	if (first >= 0xe0 && first <= 0xef)
		return 3;
	return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

size_t utf8_first(const char *text, uint32_t *ret_character)
{
	static const uint32_t lowest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	static const unsigned char first_bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	size_t length = length_of((unsigned char)text[0]);
	uint32_t character;

	if (length == 0)
		return 0;
	character = (unsigned char)text[0] & first_bits[length];
	for (size_t i = 1; i < length; i++) {
		if (((unsigned char)text[i] & 0xc0) != 0x80)
			return 0;
		character = character << 6 | ((unsigned char)text[i] & 0x3f);
	}
	if (character < lowest[length] || character > 0x10ffff || (character >= 0xd800 && character <= 0xdfff))
		return 0;
	*ret_character = character;
	return length;
}
