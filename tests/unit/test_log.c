/*
 * The log: whatever text comes in, one line of printable ASCII goes out, and never more than a line's room.
 */
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

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

#define JOURNAL_EXIT_UNABLE 77

/* In a mount namespace of its own: a folder for the journal's socket, and standard error away from any terminal. */
static int make_journal(void)
{
	const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket" };
	int journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("tmpfs", "/run", "tmpfs", 0, NULL) != 0 || mkdir("/run/systemd", 0755) != 0 ||
	    mkdir("/run/systemd/journal", 0755) != 0 || nowhere < 0 || dup2(nowhere, STDERR_FILENO) < 0)
		return -1;
	return bind(journal, (const struct sockaddr *)&address, sizeof(address)) == 0 ? journal : -1;
}

/* In a process of its own, which ends with 0 when the journal got just the right packet. */
static int log_into_a_journal(void)
{
	static const char expected[] = "PRIORITY=4\nSYSLOG_FACILITY=10\nSYSLOG_IDENTIFIER=pam_oidcd\n"
				       "MESSAGE=refused \\x0aPRIORITY=0\nOIDC_TENANT=clinic\nOIDC_USER=al\\x1bice\n";
	char packet[4096] = "";
	int journal = make_journal();

	if (journal < 0)
		return JOURNAL_EXIT_UNABLE;
	log_divert(NULL);
	log_open("pam_oidcd", LOG_TO_AUTO, false);
	log_event(LOG_WARNING,
		  LOG_FIELDS({ "OIDC_TENANT", "clinic" }, { "OIDC_SERVICE", NULL }, { "OIDC_USER", "al\x1bice" }),
		  "refused %s", "\nPRIORITY=0");
	if (recv(journal, packet, sizeof(packet) - 1, MSG_DONTWAIT) < 0)
		return 2;
	return strcmp(packet, expected) == 0 ? 0 : 1;
}

static void a_journal_gets_the_fields_one_a_line_and_none_that_the_text_made_up(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (child == 0)
		_exit(log_into_a_journal());
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == JOURNAL_EXIT_UNABLE)
		skip();
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
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
		TEST(a_journal_gets_the_fields_one_a_line_and_none_that_the_text_made_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
