/*
 * QR codes as text: their size, their shape, and that the two halves of a dual one are opposites. Whether a scanner
 * reads them is tried end to end, from a real terminal.
 */
#include "pam_oidc/qr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define URL "https://example.okta.com/activate?user_code=ABCDEFGH" /* 29 modules at level L */
#define CELLS_MAX 256
#define ROWS_MAX 256

/* A drawing, each cell a code from 0 to 3: 1 its upper half is drawn, 2 its lower one. */
struct drawing {
	size_t rows, columns;
	unsigned char cells[ROWS_MAX][CELLS_MAX];
};

/* The cell that the text begins with, and its length in bytes. */
static unsigned char cell_at(const char *text, size_t *ret_bytes)
{
	static const char *const cells[] = { " ", "\u2580", "\u2584", "\u2588" };

	for (unsigned char i = 0; i < 4; i++) {
		*ret_bytes = strlen(cells[i]);
		if (strncmp(text, cells[i], *ret_bytes) == 0)
			return i;
	}
	fail_msg("a byte %02x that is no half block", (unsigned char)text[0]);
	return 0;
}

/* Reads a drawing; every row must be as wide as the first. */
static void read_blocks(const char *text, struct drawing *ret_drawing)
{
	memset(ret_drawing, 0, sizeof(*ret_drawing));
	while (*text) {
		size_t columns = 0, bytes;

		for (; *text != '\n'; text += bytes) {
			assert_true(*text != '\0' && columns < CELLS_MAX);
			ret_drawing->cells[ret_drawing->rows][columns++] = cell_at(text, &bytes);
		}
		text++;
		if (ret_drawing->rows > 0)
			assert_int_equal(columns, ret_drawing->columns);
		ret_drawing->columns = columns;
		assert_true(++ret_drawing->rows < ROWS_MAX);
	}
}

static struct drawing drawn, doubled;

static void draw(const char *text, enum qr_style style, struct drawing *ret_drawing)
{
	char *qr = qr_text(text, style);

	assert_non_null(qr);
	read_blocks(qr, ret_drawing);
	free(qr);
}

static void half_blocks_of_an_okta_url_take_33_by_17_cells(void **state)
{
	(void)state;
	draw(URL, QR_UTF8, &drawn);
	assert_int_equal(drawn.columns, 33);
	assert_int_equal(drawn.rows, 17);
}

static void the_quiet_zone_is_light_all_around(void **state)
{
	(void)state;
	draw(URL, QR_UTF8, &drawn);
	for (size_t column = 0; column < drawn.columns; column++) {
		assert_int_equal(drawn.cells[0][column], 3);
		assert_int_equal(drawn.cells[drawn.rows - 1][column] & 1, 1);
	}
	for (size_t row = 0; row < drawn.rows - 1; row++) {
		assert_int_equal(drawn.cells[row][0], 3);
		assert_int_equal(drawn.cells[row][1], 3);
		assert_int_equal(drawn.cells[row][drawn.columns - 1], 3);
		assert_int_equal(drawn.cells[row][drawn.columns - 2], 3);
	}
}

/* Whether the module is light in a drawing of half blocks; the quiet zone begins at 0, 0. */
static bool light(const struct drawing *drawing, size_t row, size_t column)
{
	return drawing->cells[row / 2][column] & (row % 2 ? 2 : 1);
}

static void the_corners_carry_finder_patterns(void **state)
{
	(void)state;
	draw(URL, QR_UTF8, &drawn);
	for (size_t i = 0; i < 7; i++) {
		/* The dark frame of the upper left pattern, and the light ring inside it. */
		assert_false(light(&drawn, 2, 2 + i));
		assert_false(light(&drawn, 8, 2 + i));
		assert_false(light(&drawn, 2 + i, 2));
		if (i > 0 && i < 6)
			assert_true(light(&drawn, 3, 2 + i));
	}
	assert_false(light(&drawn, 5, 5));
	/* There is none at the lower right: its outermost corner of three is what tells up from down. */
	assert_false(light(&drawn, 2, 30) || light(&drawn, 30, 2));
}

static void a_dual_drawing_is_one_and_its_opposite(void **state)
{
	(void)state;
	draw(URL, QR_UTF8, &drawn);
	draw(URL, QR_DUAL, &doubled);
	assert_int_equal(doubled.columns, 2 * drawn.columns + 3);
	assert_int_equal(doubled.rows, drawn.rows);
	for (size_t row = 0; row < drawn.rows; row++) {
		/* 33 modules are an odd number: the lower half of the last row belongs to neither. */
		unsigned char halves = row == drawn.rows - 1 ? 1 : 3;

		for (size_t column = 0; column < drawn.columns; column++) {
			unsigned char cell = drawn.cells[row][column];

			assert_int_equal(doubled.cells[row][column], cell);
			assert_int_equal(doubled.cells[row][drawn.columns + 3 + column], cell ^ halves);
		}
		for (size_t i = 0; i < 3; i++)
			assert_int_equal(doubled.cells[row][drawn.columns + i], 0);
	}
}

static void ascii_takes_two_characters_a_module_and_draws_the_same(void **state)
{
	char *qr = qr_text(URL, QR_ASCII);
	size_t row = 0;

	(void)state;
	assert_non_null(qr);
	draw(URL, QR_UTF8, &drawn);
	for (const char *line = qr; *line; line = strchr(line, '\n') + 1, row++) {
		assert_int_equal(strcspn(line, "\n"), 2 * drawn.columns);
		for (size_t column = 0; column < drawn.columns; column++)
			assert_memory_equal(line + 2 * column, light(&drawn, row, column) ? "##" : "  ", 2);
	}
	assert_int_equal(row, 33);
	free(qr);
}

static void no_drawing_is_an_empty_text(void **state)
{
	char *qr = qr_text(URL, QR_NONE);

	(void)state;
	assert_string_equal(qr, "");
	free(qr);
}

static void the_longest_uri_is_drawn_and_what_does_not_fit_is_not(void **state)
{
	char text[4096];

	(void)state;
	memset(text, 'a', sizeof(text));
	text[512] = '\0';
	draw(text, QR_UTF8, &drawn);
	assert_true(drawn.columns > 33);
	text[512] = 'a';
	text[sizeof(text) - 1] = '\0';
	assert_null(qr_text(text, QR_UTF8));
	assert_null(qr_text(text, QR_ASCII));
}

static void styles_are_known_by_name(void **state)
{
	enum qr_style style = QR_NONE;

	(void)state;
	assert_true(qr_style_named("utf8", &style));
	assert_int_equal(style, QR_UTF8);
	assert_true(qr_style_named("dual", &style));
	assert_int_equal(style, QR_DUAL);
	assert_true(qr_style_named("ascii", &style));
	assert_int_equal(style, QR_ASCII);
	assert_false(qr_style_named("", &style));
	assert_false(qr_style_named("UTF8", &style));
	assert_false(qr_style_named("ansi", &style));
	assert_int_equal(style, QR_ASCII);
	assert_true(qr_style_named("none", &style));
	assert_int_equal(style, QR_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(half_blocks_of_an_okta_url_take_33_by_17_cells),
		cmocka_unit_test(the_quiet_zone_is_light_all_around),
		cmocka_unit_test(the_corners_carry_finder_patterns),
		cmocka_unit_test(a_dual_drawing_is_one_and_its_opposite),
		cmocka_unit_test(ascii_takes_two_characters_a_module_and_draws_the_same),
		cmocka_unit_test(no_drawing_is_an_empty_text),
		cmocka_unit_test(the_longest_uri_is_drawn_and_what_does_not_fit_is_not),
		cmocka_unit_test(styles_are_known_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
