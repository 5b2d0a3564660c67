/*
 * Draws QR codes with half blocks or number signs. See qr.h.
 */
#include "pam_oidc/qr.h"

#include <qrencode.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUIET_ZONE 2 /* modules; scanners manage with half of what the standard wants */
#define BETWEEN "   "

bool qr_style_named(const char *name, enum qr_style *ret_style)
{
	static const char *const names[] = {
		[QR_NONE] = "none", [QR_UTF8] = "utf8", [QR_DUAL] = "dual", [QR_ASCII] = "ascii"
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], name) != 0)
			continue;
		*ret_style = (enum qr_style)i;
		return true;
	}
	return false;
}

/* Whether the module is light. Around the symbol everything is; below the quiet zone (an odd last row) nothing is
 * drawn. */
static bool light(const QRcode *code, int row, int column)
{
	if (row >= code->width + QUIET_ZONE)
		return false;
	if (row < 0 || column < 0 || row >= code->width || column >= code->width)
		return true;
	return !(code->data[row * code->width + column] & 1);
}

/* Two rows of modules in one line of text. */
static void draw_half_blocks(FILE *out, const QRcode *code, int row, bool light_is_drawn)
{
	static const char *const blocks[] = { " ", "\u2580", "\u2584", "\u2588" };

	for (int column = -QUIET_ZONE; column < code->width + QUIET_ZONE; column++) {
		bool inside = row + 1 < code->width + QUIET_ZONE;
		bool upper = light(code, row, column) == light_is_drawn;
		bool lower = inside && light(code, row + 1, column) == light_is_drawn;

		(void)fputs(blocks[(upper ? 1 : 0) + (lower ? 2 : 0)], out);
	}
}

static void draw_blocks(FILE *out, const QRcode *code, bool dual)
{
	for (int row = -QUIET_ZONE; row < code->width + QUIET_ZONE; row += 2) {
		draw_half_blocks(out, code, row, true);
		if (dual) {
			(void)fputs(BETWEEN, out);
			draw_half_blocks(out, code, row, false);
		}
		(void)fputc('\n', out);
	}
}

static void draw_ascii(FILE *out, const QRcode *code)
{
	for (int row = -QUIET_ZONE; row < code->width + QUIET_ZONE; row++) {
		for (int column = -QUIET_ZONE; column < code->width + QUIET_ZONE; column++)
			(void)fputs(light(code, row, column) ? "##" : "  ", out);
		(void)fputc('\n', out);
	}
}

char *qr_text(const char *text, enum qr_style style)
{
	QRcode *code;
	char *drawing = NULL;
	size_t size;
	FILE *out;

	if (style == QR_NONE)
		return strdup("");
	code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);
	if (!code)
		return NULL;
	out = open_memstream(&drawing, &size);
	if (out) {
		if (style == QR_ASCII)
			draw_ascii(out, code);
		else
			draw_blocks(out, code, style == QR_DUAL);
		if (fclose(out) != 0) {
			free(drawing);
			drawing = NULL;
		}
	}
	QRcode_free(code);
	return drawing;
}
