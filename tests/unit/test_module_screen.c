/*
 * Tests the sign-in screen: what it says, that it fits, and that nothing from a daemon reaches the terminal unless it
 * may.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "pam_oidc/module/printable.h"
#include "pam_oidc/module/screen.h"

#define BLOCK "\u2588"

static const struct application over_ssh = {
	.kind = APPLICATION_SSHD, .service = "sshd", .tty = "ssh", .rhost = "192.0.2.7"
};
static const struct application console = { .kind = APPLICATION_LOGIN, .service = "login", .tty = "/dev/tty1" };
static const struct application su = { .kind = APPLICATION_OTHER, .service = "su-l", .tty = "/dev/pts/0" };
static const struct application sudo = { .kind = APPLICATION_OTHER, .service = "sudo", .tty = "/dev/pts/0" };

static struct screen alice_on(const struct application *application)
{
	return (struct screen){
		.application = application,
		.name = "alice",
		.host = "ward7",
		.url = "https://clinic.example/activate",
		.complete = "https://clinic.example/activate?user_code=ABCDEFGH",
		.code = "ABCDEFGH",
		.expires_in_s = 110,
		.until = { .tm_hour = 9, .tm_min = 5, .tm_sec = 7 },
		.press_enter = application->kind == APPLICATION_SSHD,
	};
}

static const char *text_of(const struct screen *screen)
{
	static char text[SCREEN_MAX];

	assert_true(screen_text(screen, text, sizeof(text)));
	return text;
}

static void assert_says(const struct screen *screen, const char *what)
{
	const char *text = text_of(screen);

	if (!strstr(text, what))
		fail_msg("\"%s\" is not in:\n%s", what, text);
}

static void assert_does_not_say(const struct screen *screen, const char *what)
{
	assert_null(strstr(text_of(screen), what));
}

static void ssh_screen_reads_like_this(void **state)
{
	struct screen screen = alice_on(&over_ssh);

	(void)state;
	screen.qr = BLOCK "\u2580\u2584 " BLOCK "\n" BLOCK BLOCK BLOCK BLOCK BLOCK "\n";
	assert_string_equal(text_of(&screen),
			    "\n"
			    "Sign in to ward7 as alice with Okta (ssh from 192.0.2.7).\n"
			    "Approve only if you yourself started this just now.\n"
			    "Open              https://clinic.example/activate\n"
			    "and enter         ABCDEFGH\n"
			    "or scan, or open  https://clinic.example/activate?user_code=ABCDEFGH\n"
			    "\u2588\u2580\u2584 \u2588\n"
			    "\u2588\u2588\u2588\u2588\u2588\n"
			    "Press Enter once you have approved (1 minute 50 seconds, until 09:05:07): ");
}

static void console_screen_reads_like_this(void **state)
{
	struct screen screen = alice_on(&console);

	(void)state;
	screen.qr = BLOCK "\n";
	assert_string_equal(text_of(&screen),
			    "Sign in to ward7 as alice with Okta (console).\n"
			    "Approve only if you yourself started this just now.\n"
			    "Open              https://clinic.example/activate\n"
			    "and enter         ABCDEFGH\n"
			    "or scan, or open  https://clinic.example/activate?user_code=ABCDEFGH\n"
			    "Waiting until you have approved (1 minute 50 seconds, until 09:05:07) ...\n" BLOCK);
}

static void the_way_in_is_named(void **state)
{
	struct screen on_su = alice_on(&su), on_sudo = alice_on(&sudo);
	struct application telnet = { .kind = APPLICATION_LOGIN, .service = "remote", .rhost = "192.0.2.9" };
	struct screen on_telnet = alice_on(&telnet);

	(void)state;
	assert_says(&on_su, "with Okta (su).\n");
	assert_says(&on_sudo, "with Okta (sudo).\n");
	assert_says(&on_telnet, "with Okta (login from 192.0.2.9).\n");
}

static void without_a_qr_nobody_is_told_to_scan(void **state)
{
	struct screen screen = alice_on(&over_ssh);

	(void)state;
	assert_does_not_say(&screen, "scan");
	assert_says(&screen, "or just open      https://clinic.example/activate?user_code=ABCDEFGH\n");
}

static void without_a_complete_url_url_and_code_stand_alone(void **state)
{
	struct screen screen = alice_on(&over_ssh);

	(void)state;
	screen.complete = "";
	assert_does_not_say(&screen, "or just open");
	screen.complete = NULL;
	assert_does_not_say(&screen, "or just open");
	assert_says(&screen, "and enter         ABCDEFGH\n");
}

static void a_long_heading_is_broken_before_column_80(void **state)
{
	struct screen screen = alice_on(&over_ssh);

	(void)state;
	screen.name = "alice.with-a-name-of-32-letters-";
	screen.host = "ward7.clinic.example";
	assert_says(&screen, "Sign in to ward7.clinic.example as alice.with-a-name-of-32-letters- with Okta\n"
			     "(ssh from 192.0.2.7).\n");
}

/* A QR code of that size, all cells dark. */
static void draw(const char *cell, int columns, int rows, char *ret_qr)
{
	for (int row = 0; row < rows; row++) {
		for (int column = 0; column < columns; column++)
			ret_qr = stpcpy(ret_qr, cell);
		ret_qr = stpcpy(ret_qr, "\n");
	}
}

static void the_usual_screen_fits_80_columns_and_24_lines(void **state)
{
	struct screen screen = alice_on(&over_ssh);
	char qr[8192] = "";
	size_t lines = 1, columns = 0;

	(void)state;
	draw(BLOCK, 69, 17, qr);
	screen.qr = qr;
	for (const char *c = text_of(&screen); *c; c++) {
		columns = *c == '\n' ? 0 : columns + (((unsigned char)*c & 0xc0) != 0x80);
		lines += *c == '\n';
		assert_true(columns <= 80);
	}
	assert_int_equal(lines, 24);
}

static void a_screen_with_every_field_at_its_limit_fits(void **state)
{
	struct application application = { .kind = APPLICATION_OTHER };
	struct screen screen = { .application = &application };
	char longest[4096], qr[QR_ROWS_MAX * (QR_COLUMNS_MAX * 3 + 1) + 1] = "";

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	memset(application.service, 'x', sizeof(application.service) - 1);
	memset(application.rhost, 'x', sizeof(application.rhost) - 1);
	draw(BLOCK, QR_COLUMNS_MAX, QR_ROWS_MAX, qr);
	screen.name = screen.host = screen.url = screen.complete = screen.code = longest;
	screen.expires_in_s = 86400;
	screen.qr = qr;
	assert_says(&screen, BLOCK);
}

static void a_buffer_that_is_too_small_is_an_error(void **state)
{
	struct screen screen = alice_on(&over_ssh);
	char small[64];

	(void)state;
	assert_false(screen_text(&screen, small, sizeof(small)));
}

static void nothing_from_a_daemon_can_move_the_cursor(void **state)
{
	static const char evil[] = "\x1b[2J\x1b]0;owned\a\r\b\t\n\x7f\x9b\xc3\xa9";
	struct screen screen = alice_on(&console);
	const char *text;

	(void)state;
	screen.host = screen.url = screen.complete = screen.code = evil;
	text = text_of(&screen);
	for (const char *c = text; *c; c++)
		assert_true(*c == '\n' || (*c >= ' ' && *c <= '~'));
	assert_says(&screen, "and enter         ?[2J?]0;owned?????????\n");
}

static void a_qr_with_anything_but_blocks_is_left_out(void **state)
{
	static const char *const wrong[] = {
		BLOCK "\x1b[31m" BLOCK "\n",
		BLOCK "\r\n",
		BLOCK "\t" BLOCK,
		"\u2591",
		"\xe2\x96",
		"\xff",
		BLOCK "\x7f",
		"\u202e",
	};
	struct screen screen = alice_on(&over_ssh);

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		screen.qr = wrong[i];
		assert_does_not_say(&screen, "scan");
		assert_does_not_say(&screen, BLOCK);
	}
}

static void a_qr_too_large_for_the_screen_is_left_out(void **state)
{
	struct screen screen = alice_on(&over_ssh);
	char wide[QR_COLUMNS_MAX + 2], tall[2 * (QR_ROWS_MAX + 1) + 1] = "";

	(void)state;
	memset(wide, '#', sizeof(wide) - 1);
	wide[sizeof(wide) - 1] = '\0';
	screen.qr = wide;
	assert_does_not_say(&screen, "#");
	wide[QR_COLUMNS_MAX] = '\0';
	assert_says(&screen, "#");
	draw("#", 1, QR_ROWS_MAX + 1, tall);
	screen.qr = tall;
	assert_does_not_say(&screen, "#");
	screen.qr = tall + 2;
	assert_says(&screen, "#");
}

static void an_ascii_qr_is_shown(void **state)
{
	struct screen screen = alice_on(&over_ssh);

	(void)state;
	screen.qr = "##  ##\n  ##  \n";
	assert_says(&screen, "\n##  ##\n  ##  \nPress Enter");
}

static void durations_read_like_people_say_them(void **state)
{
	static const struct {
		unsigned seconds;
		const char *text;
	} cases[] = {
		{ 0, "0 seconds" },          { 1, "1 second" },     { 59, "59 seconds" },           { 60, "1 minute" },
		{ 61, "1 minute 1 second" }, { 600, "10 minutes" }, { 110, "1 minute 50 seconds" },
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		screen_duration(cases[i].seconds, text, sizeof(text));
		assert_string_equal(text, cases[i].text);
	}
}

static void printable_text_is_cut_to_its_room(void **state)
{
	char text[4];

	(void)state;
	printable_copy("abcdef", text, sizeof(text));
	assert_string_equal(text, "abc");
	printable_copy("", text, sizeof(text));
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ssh_screen_reads_like_this),
		cmocka_unit_test(console_screen_reads_like_this),
		cmocka_unit_test(the_way_in_is_named),
		cmocka_unit_test(without_a_qr_nobody_is_told_to_scan),
		cmocka_unit_test(without_a_complete_url_url_and_code_stand_alone),
		cmocka_unit_test(a_long_heading_is_broken_before_column_80),
		cmocka_unit_test(the_usual_screen_fits_80_columns_and_24_lines),
		cmocka_unit_test(a_screen_with_every_field_at_its_limit_fits),
		cmocka_unit_test(a_buffer_that_is_too_small_is_an_error),
		cmocka_unit_test(nothing_from_a_daemon_can_move_the_cursor),
		cmocka_unit_test(a_qr_with_anything_but_blocks_is_left_out),
		cmocka_unit_test(a_qr_too_large_for_the_screen_is_left_out),
		cmocka_unit_test(an_ascii_qr_is_shown),
		cmocka_unit_test(durations_read_like_people_say_them),
		cmocka_unit_test(printable_text_is_cut_to_its_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
