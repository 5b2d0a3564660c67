/*
 * Builds the sign-in screen. See screen.h.
 *
 * It fits 80 columns and, with the QR code of an Okta address (17 rows), 24 lines. URL and code come before the QR
 * code, because some pairs of ssh versions cut a text near 1 kB.
 */
#include "pam_oidc/module/screen.h"

#include <stdio.h>
#include <string.h>

#include "pam_oidc/module/printable.h"
#include "pam_oidc/module/text.h"

#define COLUMNS 80

/* What people call the way in. */
static const char *service_label(const struct application *application)
{
	const char *service = application->service;

	if (application->kind == APPLICATION_SSHD)
		return "ssh";
	if (application->kind == APPLICATION_LOGIN)
		return application->rhost[0] ? "login" : "console";
	if (strcmp(service, "su-l") == 0)
		return "su";
	if (strcmp(service, "sudo-i") == 0)
		return "sudo";
	return service[0] ? service : "this program";
}

static void append_heading(struct text *text, const struct screen *screen)
{
	char host[256], name[384], what[1024], from[512];
	const struct application *application = screen->application;

	printable_copy(screen->host, host, sizeof(host));
	printable_copy(screen->name, name, sizeof(name));
	(void)snprintf(what, sizeof(what), "Sign in to %s as %s with Okta", host, name);
	(void)snprintf(from, sizeof(from), "(%s%s%s).", service_label(application),
		       application->rhost[0] ? " from " : "", application->rhost);
	text_append(text, "%s%s%s\n", what, strlen(what) + 1 + strlen(from) > COLUMNS ? "\n" : " ", from);
}

static void append_address(struct text *text, const struct screen *screen, bool qr)
{
	char url[1024], complete[1024], code[128];

	printable_copy(screen->url, url, sizeof(url));
	printable_copy(screen->code, code, sizeof(code));
	text_append(text, "Open              %s\n", url);
	text_append(text, "and enter         %s\n", code);
	if (!screen->complete || screen->complete[0] == '\0')
		return;
	printable_copy(screen->complete, complete, sizeof(complete));
	text_append(text, "%s%s\n", qr ? "or scan, or open  " : "or just open      ", complete);
}

/* How many bytes the cell that begins here has; 0 when it may not be shown. */
static size_t cell_length(const char *cell)
{
	static const char *const blocks[] = { "\u2588", "\u2580", "\u2584" };

	if (*cell >= ' ' && *cell <= '~')
		return 1;
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
		if (strncmp(cell, blocks[i], strlen(blocks[i])) == 0)
			return strlen(blocks[i]);
	return 0;
}

/* Half a QR code scans as nothing: it is shown whole or not at all. */
static bool qr_showable(const char *qr)
{
	size_t columns = 0, rows = 1;

	if (!qr || *qr == '\0')
		return false;
	while (*qr) {
		size_t length = *qr == '\n' ? 1 : cell_length(qr);

		if (length == 0)
			return false;
		columns = *qr == '\n' ? 0 : columns + 1;
		rows += *qr == '\n' && qr[1] != '\0';
		if (columns > QR_COLUMNS_MAX || rows > QR_ROWS_MAX)
			return false;
		qr += length;
	}
	return true;
}

static void append_qr(struct text *text, const char *qr)
{
	text_append(text, "%s%s", qr, qr[strlen(qr) - 1] == '\n' ? "" : "\n");
}

void screen_duration(unsigned seconds, char *ret_text, size_t size)
{
	unsigned minutes = seconds / 60, rest = seconds % 60;
	struct text text = { .bytes = ret_text, .size = size };

	if (minutes > 0)
		text_append(&text, "%u minute%s", minutes, minutes == 1 ? "" : "s");
	if (rest > 0 || minutes == 0)
		text_append(&text, "%s%u second%s", minutes > 0 ? " " : "", rest, rest == 1 ? "" : "s");
}

static void append_what_next(struct text *text, const struct screen *screen)
{
	char duration[64];

	screen_duration(screen->expires_in_s, duration, sizeof(duration));
	text_append(text, "%s (%s, until %02d:%02d:%02d)%s",
		    screen->press_enter ? "Press Enter once you have approved" : "Waiting until you have approved",
		    duration, screen->until.tm_hour, screen->until.tm_min, screen->until.tm_sec,
		    screen->press_enter ? ": " : " ...\n");
}

bool screen_text(const struct screen *screen, char *ret_text, size_t size)
{
	struct text text = { .bytes = ret_text, .size = size };
	bool qr = qr_showable(screen->qr);

	/* The ssh client puts "(alice@host) " before the first line. */
	if (screen->application->kind == APPLICATION_SSHD)
		text_append(&text, "\n");
	append_heading(&text, screen);
	text_append(&text, "Approve only if you yourself started this just now.\n");
	append_address(&text, screen, qr);
	if (!screen->press_enter)
		append_what_next(&text, screen);
	if (qr)
		append_qr(&text, screen->qr);
	if (screen->press_enter)
		append_what_next(&text, screen);
	/* The application ends the text itself. */
	if (text.length > 0 && text.bytes[text.length - 1] == '\n')
		text.bytes[--text.length] = '\0';
	return !text.failed;
}
