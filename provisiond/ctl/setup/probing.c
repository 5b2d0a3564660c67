/*
 * Probes: starts pam_oidcd, relays what it says, and waits with it for the approval.
 */
#include "provisiond/ctl/setup/probing.h"

#include <errno.h>
#include <langinfo.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire.h"
#include "provisiond/ctl/setup/ask.h"
#include "provisiond/ctl/setup/candidate.h"
#include "provisiond/ctl/setup/child.h"
#include "provisiond/ctl/setup/interruption.h"
#include "provisiond/ctl/setup/report.h"
#include "provisiond/ctl/terminal.h"
#include "provisiond/ctl/utf8.h"

/* gcc's analyzer loses what is reached through the pointer in struct probing, and calls it leaked; the leak checks of
 * the tests see it freed. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif

#define PROGRAM SBINDIR "/pam_oidcd"
#define SILENCE_MS 120000 /* longer than any request of pam_oidcd's may take */
#define TICK_MS 1000
#define SIGNIN_MAX_S 86400

struct probing {
	const struct probing_choice *choice;
	struct child *child;
	struct probed *probed;
	bool bad;              /* something bad was found */
	bool ended;            /* it said so itself */
	bool warned;           /* that nothing will have been tried without an approval */
	bool counting;         /* the line with the time that is left stands on the screen */
	int64_t code_until_ms; /* 0: no code is shown */
	int64_t silent_since_ms;
	char bytes[WIRE_MAX];
};

void probed_release(struct probed *probed)
{
	free(probed->identity);
	*probed = (struct probed){ 0 };
}

/* ---- the code ---- */

/* The QR code is blocks and blanks in rows, and nothing else gets to the screen. */
static bool is_qr(const char *qr)
{
	while (*qr) {
		uint32_t point = 0;
		size_t length = utf8_first(qr, &point);

		if (length == 0 ||
		    !(point == ' ' || point == '\n' || point == 0x2588 || point == 0x2580 || point == 0x2584))
			return false;
		qr += length;
	}
	return true;
}

static bool qr_fits(const char *qr)
{
	size_t widest = 0;

	if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0 || !is_qr(qr))
		return false;
	for (const char *row = qr; *row; row += strcspn(row, "\n"), row += *row == '\n') {
		size_t width = 0;

		for (size_t i = 0; row[i] && row[i] != '\n'; i++)
			width += ((unsigned char)row[i] & 0xc0) != 0x80;
		widest = width > widest ? width : widest;
	}
	return widest > 0 && widest + 2 <= terminal_columns();
}

static void print_field(const char *label, const char *value)
{
	_cleanup_free_ char *shown = terminal_text(value);

	if (shown)
		(void)printf("  %-17s %s\n", label, shown);
}

static void print_qr(const char *qr)
{
	(void)putchar('\n');
	for (; *qr; qr += strcspn(qr, "\n"), qr += *qr == '\n')
		(void)printf("  %.*s\n", (int)strcspn(qr, "\n"), qr);
}

static bool show_code(struct probing *probing, const struct wire_message *message)
{
	const char *url = wire_get(message, "url"), *complete = wire_get(message, "complete"),
		   *code = wire_get(message, "code"), *qr = wire_get(message, "qr");
	long long expires_in = 0;

	if (!url || !code || !wire_get_number(message, "expires_in", 0, SIGNIN_MAX_S, &expires_in))
		return false;
	report_heading("Now sign in yourself, in a browser or on your phone, and approve this code");
	(void)puts("  It shows what Okta tells this machine about people. Nothing is changed by it.\n");
	print_field("Open", url);
	print_field("and enter", code);
	if (complete && *complete)
		print_field("or scan, or open", complete);
	if (qr && qr_fits(qr))
		print_qr(qr);
	(void)putchar('\n');
	if (!probing->choice->may_skip)
		(void)printf("  Waiting until it is approved, for %lld seconds at most.\n", expires_in);
	(void)fflush(stdout);
	probing->code_until_ms = wire_now_ms() + expires_in * 1000;
	return true;
}

/* One line that is written over again; for a person alone. */
static void count_down(struct probing *probing)
{
	int64_t left_s = (probing->code_until_ms - wire_now_ms()) / 1000;

	if (probing->code_until_ms == 0 || !probing->choice->may_skip)
		return;
	left_s = left_s > 0 ? left_s : 0;
	(void)printf("\r\033[K  Waiting for your approval, %lld:%02lld left. Enter goes on without it. ",
		     (long long)(left_s / 60), (long long)(left_s % 60));
	(void)fflush(stdout);
	probing->counting = true;
}

static void end_count(struct probing *probing)
{
	if (probing->counting)
		(void)printf("\r\033[K");
	probing->counting = false;
}

/* ---- what pam_oidcd says ---- */

static bool keep_identity(struct probed *probed, const struct wire_message *message)
{
	char *copy = probed->identity ? NULL : malloc(message->length);

	if (!copy)
		return false;
	memcpy(copy, message->bytes, message->length);
	probed->identity = copy;
	probed->identity_length = message->length;
	return true;
}

/* What the token holds is shown as a whole later on, unless something about it is wrong. */
static bool is_told_later(const struct wire_message *finding)
{
	static const char *const items[] = { "email", "email_verified", "groups", "amr" };
	const char *item = wire_get(finding, "item"), *level = wire_get(finding, "level");

	for (size_t i = 0; item && level && i < sizeof(items) / sizeof(items[0]); i++)
		if (strcmp(item, items[i]) == 0)
			return strcmp(level, "good") == 0;
	return false;
}

/* False when it makes no sense. */
static bool take_message(struct probing *probing, const struct wire_message *message)
{
	const char *status = wire_kind(message, "status"), *good;

	if (!status)
		return false;
	end_count(probing);
	if (strcmp(status, "finding") == 0) {
		/* What comes behind the approval is under way by itself. */
		probing->code_until_ms = 0;
		if (!is_told_later(message))
			probing->bad = report_finding(message) == REPORT_BAD || probing->bad;
		return true;
	}
	if (strcmp(status, "show") == 0)
		return show_code(probing, message);
	if (strcmp(status, "identity") == 0)
		return keep_identity(probing->probed, message);
	good = wire_get(message, "good");
	probing->ended = strcmp(status, "end") == 0;
	probing->bad = probing->bad || !good || strcmp(good, "1") != 0;
	return probing->ended && good;
}

/* EXIT_DONE to go on, EXIT_NOTHING at its end, or another code. */
static enum exit_code receive(struct probing *probing)
{
	struct wire_message message;
	ssize_t n = wire_receive(probing->child->socket, probing->bytes, sizeof(probing->bytes), 0);

	if (n == -EAGAIN)
		return EXIT_DONE;
	if (n <= 0 && n != -EMSGSIZE)
		return EXIT_NOTHING;
	probing->silent_since_ms = wire_now_ms();
	if (n < 0 || !wire_parse(probing->bytes, (size_t)n, &message) || !take_message(probing, &message)) {
		complain("pam_oidcd gave an answer that provisionctl does not understand. Install the same version of "
			 "both.");
		return EXIT_UNREACHABLE;
	}
	return probing->ended ? EXIT_NOTHING : EXIT_DONE;
}

/* ---- waiting ---- */

/* Whether the person wants to go on without approving. The first Enter is answered with what that means. */
static bool take_enter(struct probing *probing)
{
	char line[ANSWER_MAX];
	enum asked asked = ask_line(0, line);

	if (asked == ASKED_NOTHING || probing->code_until_ms == 0)
		return false;
	if (asked == ASKED_ANSWER && !probing->warned) {
		probing->warned = true;
		end_count(probing);
		report_line(REPORT_WARNING, NULL,
			    "Without an approval nobody has tried whether Okta lets people in, and which account they "
			    "would "
			    "get. Press Enter once more to go on all the same, or approve the code.",
			    NULL);
		return false;
	}
	return true;
}

static enum exit_code wait_and_take(struct probing *probing)
{
	bool listen = probing->choice->may_skip && probing->code_until_ms != 0;
	struct pollfd fds[] = {
		{ .fd = probing->child->socket, .events = POLLIN },
		{ .fd = interruption_fd(), .events = POLLIN },
		{ .fd = listen ? 0 : -1, .events = POLLIN },
	};

	count_down(probing);
	if (poll(fds, 3, TICK_MS) < 0 && errno != EINTR)
		return complain_of_memory();
	if (fds[1].revents)
		return EXIT_NOTHING;
	if (fds[0].revents)
		return receive(probing);
	if (fds[2].revents && take_enter(probing)) {
		probing->probed->skipped = true;
		return EXIT_NOTHING;
	}
	if (probing->code_until_ms == 0 && wire_now_ms() - probing->silent_since_ms > SILENCE_MS) {
		complain("pam_oidcd --probe said nothing for %d seconds, and was ended.", SILENCE_MS / 1000);
		return EXIT_UNREACHABLE;
	}
	return EXIT_DONE;
}

/* ---- the whole of it ---- */

/* It went away without a word of its own on how it ended. */
static enum exit_code explain_end(const struct child *child, int status)
{
	char said[CHILD_SAID_MAX];

	child_said(child, said);
	if (status == 127 || status < 0)
		complain(PROGRAM " cannot be started. Install it again.");
	else
		complain("pam_oidcd --probe ended with status %d before it was done%s", status, *said ? ":" : ".");
	for (char *line = strtok(said, "\n"); line; line = strtok(NULL, "\n"))
		(void)complain_about(EXIT_UNREACHABLE, "  ", line, "");
	return EXIT_UNREACHABLE;
}

static enum exit_code sum_up(struct probing *probing, enum exit_code code)
{
	int status;

	end_count(probing);
	status = child_end(probing->child);
	if (code != EXIT_NOTHING || interruption_came())
		return code;
	if (probing->probed->skipped)
		return probing->bad ? EXIT_REFUSED : EXIT_DONE;
	if (!probing->ended)
		return explain_end(probing->child, status);
	return probing->bad || status != 0 ? EXIT_REFUSED : EXIT_DONE;
}

enum exit_code probing_run(const char *tenant, const struct probing_choice *choice, struct probed *ret_probed)
{
	_cleanup_child_ struct child child = NO_CHILD;
	_cleanup_probed_ struct probed probed = { 0 };
	_cleanup_free_ struct probing *probing = calloc(1, sizeof(*probing));
	char which[sizeof("--probe=") + COMPANY_VALUE_MAX];
	const char *argv[] = { PROGRAM, "-f", CANDIDATE_FILE, which, "--messages", choice->code ? NULL : "--no-code",
			       NULL };
	enum exit_code code = EXIT_DONE;
	int error;

	if (!probing)
		return complain_of_memory();
	(void)snprintf(which, sizeof(which), "--probe=%s", tenant);
	error = child_start(argv, &child);
	if (error != 0) {
		complain(PROGRAM " cannot be started: %s. Install it again.", strerror(error));
		return EXIT_FAILED;
	}
	*probing = (struct probing){
		.choice = choice,
		.child = &child,
		.probed = &probed,
		.silent_since_ms = wire_now_ms(),
	};
	while (code == EXIT_DONE)
		code = wait_and_take(probing);
	code = sum_up(probing, code);
	if (code == EXIT_DONE) {
		*ret_probed = probed;
		probed = (struct probed){ 0 };
	}
	return code;
}
