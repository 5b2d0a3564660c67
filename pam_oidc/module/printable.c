/*
 * Makes text harmless. See printable.h. Neither isprint(3) nor wcwidth(3), which ask the application's locale.
 */
#include "pam_oidc/module/printable.h"

#include <stdint.h>
#include <string.h>

#include "common/utf8.h"

void printable_copy(const char *text, char *ret_text, size_t size)
{
	size_t n = 0;

	for (; text[n] != '\0' && n + 1 < size; n++) {
		ret_text[n] = text[n];
		if (text[n] < ' ' || text[n] > '~')
			ret_text[n] = '?';
	}
	ret_text[n] = '\0';
}

struct range {
	uint32_t first, last;
};

/* Besides controls and what cannot be seen: blanks of other widths than one, fillers, selectors of variants, private
 * use, and what is no character. */
static const struct range unshown[] = {
	{ 0xa0, 0xa0 },       { 0x34f, 0x34f },     { 0x115f, 0x1160 },   { 0x17b4, 0x17b5 },   { 0x180b, 0x180f },
	{ 0x2000, 0x200a },   { 0x202f, 0x202f },   { 0x205f, 0x205f },   { 0x3000, 0x3000 },   { 0x3164, 0x3164 },
	{ 0xe000, 0xf8ff },   { 0xfdd0, 0xfdef },   { 0xfe00, 0xfe0f },   { 0xffa0, 0xffa0 },   { 0x1bca0, 0x1bca3 },
	{ 0x1d173, 0x1d17a }, { 0x1fffe, 0x1ffff }, { 0x2fffe, 0x2ffff }, { 0x3fffe, 0xdffff },
};

/* Those that take two columns, and those that take none (after Unicode's EastAsianWidth and DerivedGeneralCategory,
 * coarsely: this is for tables to look well). */
static const struct range wide[] = {
	{ 0x1100, 0x115e }, { 0x2e80, 0x303e },   { 0x3041, 0x33ff },   { 0x3400, 0x4dbf },   { 0x4e00, 0xa4cf },
	{ 0xa960, 0xa97f }, { 0xac00, 0xd7a3 },   { 0xf900, 0xfaff },   { 0xfe30, 0xfe6f },   { 0xff01, 0xff60 },
	{ 0xffe0, 0xffe6 }, { 0x1f300, 0x1f64f }, { 0x1f680, 0x1f6ff }, { 0x1f900, 0x1f9ff }, { 0x20000, 0x3fffd },
};

static const struct range combining[] = {
	{ 0x300, 0x36f },   { 0x483, 0x489 },   { 0x591, 0x5bd },   { 0x610, 0x61a },   { 0x64b, 0x65f },
	{ 0x900, 0x902 },   { 0x93c, 0x93c },   { 0x941, 0x948 },   { 0x94d, 0x94d },   { 0xe31, 0xe31 },
	{ 0xe34, 0xe3a },   { 0xe47, 0xe4e },   { 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff }, { 0x20d0, 0x20ff },
	{ 0x3099, 0x309a }, { 0xfe20, 0xfe2f },
};

#define AMONG(point, ranges) is_among(point, ranges, sizeof(ranges) / sizeof((ranges)[0]))

static bool is_among(uint32_t point, const struct range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (point >= ranges[i].first && point <= ranges[i].last)
			return true;
	return false;
}

static bool is_shown(uint32_t point)
{
	return !utf8_is_control(point) && !utf8_is_invisible(point) && !AMONG(point, unshown);
}

static size_t columns_of(uint32_t point)
{
	return AMONG(point, combining) ? 0 : AMONG(point, wide) ? 2 : 1;
}

size_t printable_copy_utf8(const char *text, char *ret_text, size_t size)
{
	size_t used = 0, columns = 0;

	while (*text) {
		uint32_t point = 0;
		size_t length = utf8_decode(text, &point);
		bool shown = length > 0 && is_shown(point);
		size_t needed = shown ? length : 1;

		if (used + needed >= size)
			break;
		if (shown)
			memcpy(ret_text + used, text, length);
		else
			ret_text[used] = '?';
		columns += shown ? columns_of(point) : 1;
		used += needed;
		text += length > 0 ? length : 1;
	}
	ret_text[used] = '\0';
	return columns;
}

bool printable_utf8(const char *text)
{
	while (*text) {
		uint32_t point = 0;
		size_t length = utf8_decode(text, &point);

		if (length == 0 || !is_shown(point))
			return false;
		text += length;
	}
	return true;
}
