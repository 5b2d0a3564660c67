/*
 * Checks and reduces text about persons: it ends up in /etc/passwd, on terminals and in other programs' parsers.
 */
#include "provisiond/person_text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Reads one character; returns its length in bytes, or 0 when the bytes are not UTF-8. */
static size_t decode(const char *text, uint32_t *ret_point)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *bytes = (const unsigned char *)text;
	size_t length = bytes[0] < 0x80       ? 1
			: bytes[0] >> 5 == 6  ? 2
			: bytes[0] >> 4 == 14 ? 3
			: bytes[0] >> 3 == 30 ? 4
					      : 0;
	uint32_t point;

	if (length == 0)
		return 0;
	point = length == 1 ? bytes[0] : bytes[0] & (0x7fU >> length);
	for (size_t i = 1; i < length; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (bytes[i] & 0x3f);
	}
	if (point < least[length] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return 0;
	*ret_point = point;
	return length;
}

static bool is_control(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point <= 0x9f);
}

bool person_text_ok(const char *text, size_t max_bytes)
{
	if (strnlen(text, max_bytes + 1) > max_bytes)
		return false;
	while (*text) {
		uint32_t point = 0;
		size_t length = decode(text, &point);

		if (length == 0 || is_control(point))
			return false;
		text += length;
	}
	return true;
}

/* Line and paragraph separators, directional marks, zero-width characters, the byte order mark, tags. */
static bool is_invisible(uint32_t point)
{
	return point == 0xad || point == 0x61c || (point >= 0x200b && point <= 0x200f) ||
	       (point >= 0x2028 && point <= 0x202e) || (point >= 0x2060 && point <= 0x206f) || point == 0xfeff ||
	       (point >= 0xfff0 && point <= 0xffff) || point >= 0xe0000;
}

/* `:` and `,` part fields, `=` is refused by chfn(1), `&` stands for the login name in finger(1). */
static bool is_syntax(uint32_t point)
{
	return point < 0x80 && strchr(":,=&", (int)point) != NULL;
}

void gecos_from_full_name(const char *full_name, const char *account, char ret_gecos[GECOS_MAX])
{
	size_t used = 0;

	while (*full_name) {
		uint32_t point = 0;
		size_t length = decode(full_name, &point);
		bool space = point == ' ' || point == '\t' || point == 0xa0;

		if (length > 0 && space) {
			if (used > 0 && ret_gecos[used - 1] != ' ' && used + 1 < GECOS_MAX)
				ret_gecos[used++] = ' ';
		} else if (length > 0 && !is_control(point) && !is_invisible(point) && !is_syntax(point)) {
			if (used + length >= GECOS_MAX)
				break;
			memcpy(ret_gecos + used, full_name, length);
			used += length;
		}
		full_name += length > 0 ? length : 1;
	}
	while (used > 0 && ret_gecos[used - 1] == ' ')
		used--;
	ret_gecos[used] = '\0';
	if (used == 0)
		(void)snprintf(ret_gecos, GECOS_MAX, "%s", account);
}
