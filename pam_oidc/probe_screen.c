/*
 * Text for the terminal of a person who probes. See probe_screen.h.
 */
#include "pam_oidc/probe_screen.h"

#include <time.h>
#include <unistd.h>

#include "common/secret.h"
#include "pam_oidc/finding.h"
#include "pam_oidc/qr.h"

static void print_qr(const char *url, bool utf8, FILE *out)
{
	_cleanup_secret_text_ char *qr = qr_text(url, utf8 ? QR_UTF8 : QR_ASCII);

	if (qr && isatty(fileno(out)))
		(void)fputs(qr, out);
}

void probe_screen_show(const struct device_authorization *authorization, bool utf8, FILE *out)
{
	/* All of it is printable ASCII, see device_grant.h. */
	(void)fprintf(out,
		      "\nApprove this as one of the people who shall sign in here; nobody is signed in by it.\n"
		      "Open              %s\n"
		      "and enter         %s\n"
		      "or scan, or open  %s\n",
		      authorization->verification_uri, authorization->user_code,
		      authorization->verification_uri_complete);
	print_qr(authorization->verification_uri_complete, utf8, out);
	(void)fprintf(out, "Waiting for the approval, %lld minutes at most (Ctrl-C ends).\n\n",
		      (long long)(authorization->expires_in_s + 59) / 60);
	(void)fflush(out);
}

static void print_line(const char *what, const char *value, bool utf8, FILE *out)
{
	if (!value)
		return;
	(void)fprintf(out, "  %-12s ", what);
	finding_print_text(value, utf8, out);
	(void)fputc('\n', out);
}

static void print_time(const char *what, int64_t seconds, FILE *out)
{
	time_t when = seconds;
	char text[32];
	struct tm parts;

	if (seconds > 0 && localtime_r(&when, &parts) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts) > 0)
		print_line(what, text, false, out);
}

void probe_screen_identity(const struct identity *identity, bool utf8, FILE *out)
{
	(void)fputs("\nWho approved it:\n", out);
	print_line("email", identity->email, utf8, out);
	print_line("name", identity->full_name, utf8, out);
	print_line("username", identity->username, utf8, out);
	print_line("subject", identity->subject, utf8, out);
	print_time("signed in", identity->auth_time, out);
	for (size_t i = 0; i < identity->amr.count; i++)
		print_line("method", identity->amr.items[i], utf8, out);
	for (size_t i = 0; i < identity->groups.count; i++)
		print_line("group", identity->groups.items[i], utf8, out);
	(void)fputc('\n', out);
	(void)fflush(out);
}
