/*
 * The screen that a person reads while signing in: whatever the daemon says, it holds printable ASCII, newlines and the
 * three blocks of a QR code, and nothing else; it names host, person, service and remote host, URL and code, which no
 * field can push out or imitate with lines of its own; a QR code is on it whole or not at all. And the QR code that
 * pam_oidcd makes of any text has rows of one width, is shown in every style, and differs for texts that differ.
 *
 * The input is lines: style of the QR code (u utf8, d dual, a ascii) and whether Enter is asked for (e), seconds,
 * service, terminal, remote host, name, host, URL, complete URL, code; then what is made a QR code of; the rest is a QR
 * code as a daemon sends it.
 *
 * Covers: pam_oidc/module/screen.c pam_oidc/module/printable.c pam_oidc/qr.c
 */
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "pam_oidc/module/printable.h"
#include "pam_oidc/module/screen.h"
#include "pam_oidc/qr.h"
#include "tests/fuzz/fuzz.h"

#define LINES 11
enum line { HOW, SECONDS, SERVICE, TTY, RHOST, NAME, HOST, URL, COMPLETE, CODE, TO_SHOW };

static bool is_block(const char *at)
{
	return strncmp(at, "\u2588", 3) == 0 || strncmp(at, "\u2580", 3) == 0 || strncmp(at, "\u2584", 3) == 0;
}

/* Returns how many newlines it has. */
static size_t check_characters(const char *text, bool blocks)
{
	size_t newlines = 0;

	for (; *text; text++) {
		newlines += *text == '\n';
		if (blocks && is_block(text))
			text += 2;
		else
			holds(*text == '\n' || (*text >= ' ' && *text <= '~'), "byte %02x", (unsigned char)*text);
	}
	return newlines;
}

static void fill_application(char *const *lines, struct application *application)
{
	*application = (struct application){ .kind = APPLICATION_OTHER };
	printable_copy(lines[SERVICE], application->service, sizeof(application->service));
	printable_copy(lines[TTY], application->tty, sizeof(application->tty));
	printable_copy(lines[RHOST], application->rhost, sizeof(application->rhost));
	if (strcmp(application->service, "sshd") == 0)
		application->kind = APPLICATION_SSHD;
	if (strcmp(application->service, "login") == 0)
		application->kind = APPLICATION_LOGIN;
	check_characters(application->rhost, false);
}

/* Whether the field, made harmless, stands behind this label. */
static void check_line(const char *text, const char *label, const char *field, size_t size)
{
	_cleanup_free_ char *shown = malloc(size), *wanted = NULL;

	printable_copy(field, shown, size);
	holds(asprintf(&wanted, "\n%s%s\n", label, shown) > 0);
	holds(strstr(text, wanted), "there is no line \"%s%s\"", label, shown);
}

/* The screen's own last newline is the application's to add. */
static bool has(const char *text, const char *qr)
{
	size_t length = strlen(qr);

	return memmem(text, strlen(text), qr, length - (qr[length - 1] == '\n')) != NULL;
}

/* Shows the screen with that QR code. Returns how many lines it has. */
static size_t show(char *const *lines, const char *qr, bool *ret_whole)
{
	struct application application;
	struct screen screen = {
		.application = &application,
		.name = lines[NAME],
		.host = lines[HOST],
		.url = lines[URL],
		.complete = lines[COMPLETE],
		.code = lines[CODE],
		.qr = qr,
		.expires_in_s = (unsigned)strtoul(lines[SECONDS], NULL, 10),
		.until = { .tm_hour = 23, .tm_min = 59, .tm_sec = 60 },
		.press_enter = strchr(lines[HOW], 'e') != NULL,
	};
	_cleanup_free_ char *text = malloc(SCREEN_MAX), *small = malloc(64);
	size_t newlines;

	fill_application(lines, &application);
	holds(screen_text(&screen, text, SCREEN_MAX), "it does not fit");
	newlines = check_characters(text, true);
	check_line(text, "Open              ", lines[URL], 1024);
	check_line(text, "and enter         ", lines[CODE], 128);
	holds(strstr(text, "Approve only if you yourself started this just now.\n"));
	holds(!application.rhost[0] || strstr(text, application.rhost));
	holds(strstr(text, screen.press_enter ? "Press Enter once" : "Waiting until"));
	*ret_whole = qr && qr[0] && has(text, qr);
	holds(!screen_text(&screen, small, 64));
	return newlines;
}

/* With a QR code the screen has as many lines more as it, or none, and never a part of it. */
static void check_with_qr(char *const *lines, const char *qr)
{
	bool whole;
	size_t without = show(lines, NULL, &whole), with = show(lines, qr, &whole), rows = 0;

	for (const char *at = qr; *at; at++)
		rows += *at == '\n' || at[1] == '\0';
	holds(with == without || (whole && with == without + rows), "%zu lines instead of %zu, for %zu rows", with,
	      without, rows);
}

static size_t columns_of(const char *row)
{
	size_t columns = 0;

	while (*row != '\n') {
		holds(is_block(row) || (*row >= ' ' && *row <= '~'), "byte %02x", (unsigned char)*row);
		row += is_block(row) ? 3 : 1;
		columns++;
	}
	return columns;
}

static void check_qr(char *const *lines, const char *text)
{
	enum qr_style style = strchr(lines[HOW], 'a') ? QR_ASCII : strchr(lines[HOW], 'd') ? QR_DUAL : QR_UTF8;
	_cleanup_free_ char *qr = qr_text(text, style), *other = NULL, *longer = NULL;
	size_t columns;

	if (!qr)
		return;
	columns = columns_of(qr);
	for (const char *row = qr; *row; row = strchr(row, '\n') + 1)
		holds(columns_of(row) == columns);
	check_with_qr(lines, qr);
	holds(asprintf(&longer, "%sx", text) > 0);
	other = qr_text(longer, style);
	holds(!other || strcmp(qr, other) != 0);
}

static void check_duration(const char *number)
{
	char text[64];

	screen_duration((unsigned)strtoul(number, NULL, 10), text, sizeof(text));
	holds(fuzz_is_sentence(text, sizeof(text)) && strstr(text, "second") ? true : strstr(text, "minute") != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct fuzz_input input = { bytes, size };
	char *lines[LINES];
	size_t length;

	for (size_t i = 0; i < LINES; i++)
		lines[i] = fuzz_text_until(&input, '\n', &length);
	_cleanup_free_ char *qr = fuzz_rest(&input, &length);

	check_with_qr(lines, qr);
	check_qr(lines, lines[TO_SHOW]);
	check_duration(lines[SECONDS]);
	for (size_t i = 0; i < LINES; i++)
		free(lines[i]);
	return 0;
}
