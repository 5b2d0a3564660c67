/*
 * Reads UTF-8.
 */
#include "common/utf8.h"

size_t utf8_decode(const char *text, uint32_t *ret_point)
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

bool utf8_is_control(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point <= 0x9f);
}

bool utf8_is_invisible(uint32_t point)
{
	return point == 0xad || point == 0x61c || (point >= 0x200b && point <= 0x200f) ||
	       (point >= 0x2028 && point <= 0x202e) || (point >= 0x2060 && point <= 0x206f) || point == 0xfeff ||
	       (point >= 0xfff0 && point <= 0xffff) || point >= 0xe0000;
}
