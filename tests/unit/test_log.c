/*
 * The log: whatever text comes in, one line of printable ASCII goes out, and never more than a line's room.
 */
#include "common/log.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char line[8192];
static int priority, lines;

static void keep(int line_priority, const char *text)
{
	(void)snprintf(line, sizeof(line), "%s", text);
	priority = line_priority;
	lines++;
	errno = EIO;
}

static int divert(void **state)
{
	(void)state;
	line[0] = '\0';
	lines = 0;
	log_open("test_log", LOG_TO_STDERR, false);
	log_divert(keep);
	return 0;
}

static void plain_text_goes_out_as_it_is(void **state)
{
	(void)state;
	log_error("alice (sshd from 192.0.2.1): %s %d%%", "100", 7);
	assert_string_equal(line, "alice (sshd from 192.0.2.1): 100 7%");
	assert_int_equal(priority, LOG_ERR);
	log_warning("w");
	assert_int_equal(priority, LOG_WARNING);
	log_notice("n");
	assert_int_equal(priority, LOG_NOTICE);
	log_info("i");
	assert_int_equal(priority, LOG_INFO);
	assert_int_equal(lines, 4);
}

static void no_text_can_begin_a_line_of_its_own(void **state)
{
	(void)state;
	log_info("%s", "bob\nerror: admitted as root\r\nMESSAGE=x");
	assert_string_equal(line, "bob\\x0aerror: admitted as root\\x0d\\x0aMESSAGE=x");
	assert_int_equal(lines, 1);
}

static void no_text_can_steer_a_terminal(void **state)
{
	(void)state;
	log_info("%s", "\x1b]0;x\x07\x1b[2J\x7f\x9b"
		       "2J\t\b\xe2\x80\xae");
	assert_string_equal(line, "\\x1b]0;x\\x07\\x1b[2J\\x7f\\x9b2J\\x09\\x08\\xe2\\x80\\xae");
}

static void every_byte_comes_out_printable(void **state)
{
	char all[256];

	(void)state;
	for (int i = 1; i < 256; i++)
		all[i - 1] = (char)i;
	all[255] = '\0';
	log_info("%s", all);
	for (const char *c = line; *c; c++)
		assert_true(*c >= ' ' && *c < 0x7f);
	assert_int_equal(strlen(line), (0x7f - 0x20) + 4 * (255 - (0x7f - 0x20)));
}

static void a_text_without_end_is_cut_between_two_bytes(void **state)
{
	char text[8000];

	(void)state;
	memset(text, '\n', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_info("%s", text);
	assert_in_range(strlen(line), 1000, 2047);
	assert_int_equal(strlen(line) % 4, 0);
	memset(text, 'a', sizeof(text) - 1);
	log_info("%s", text);
	assert_in_range(strlen(line), 1000, 2047);
}

static void details_stay_out_unless_asked_for(void **state)
{
	(void)state;
	log_debug("%s", "detail");
	assert_int_equal(lines, 0);
	log_open("test_log", LOG_TO_STDERR, true);
	log_debug("%s", "detail");
	assert_int_equal(lines, 1);
	assert_int_equal(priority, LOG_DEBUG);
}

static void logging_keeps_errno(void **state)
{
	(void)state;
	errno = ENOENT;
	log_event(LOG_INFO, LOG_FIELDS({ "OIDC_TENANT", "clinic" }, { "OIDC_USER", NULL }), "x");
	assert_int_equal(errno, ENOENT);
	assert_string_equal(line, "x");
}

#define TEST(name) cmocka_unit_test_setup(name, divert)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(plain_text_goes_out_as_it_is),
		TEST(no_text_can_begin_a_line_of_its_own),
		TEST(no_text_can_steer_a_terminal),
		TEST(every_byte_comes_out_printable),
		TEST(a_text_without_end_is_cut_between_two_bytes),
		TEST(details_stay_out_unless_asked_for),
		TEST(logging_keeps_errno),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
