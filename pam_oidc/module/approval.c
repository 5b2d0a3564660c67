/*
 * Shows the screen and waits. See approval.h.
 */
#include "pam_oidc/module/approval.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/wire.h"
#include "pam_oidc/module/conversation.h"
#include "pam_oidc/module/screen.h"

/* The clock's time at which the sign-in ends. localtime_r() is the libc's own view of the machine's time zone, as
 * syslog(3) has it; in setuid programs libc itself distrusts the caller's TZ. */
static struct tm clock_at_end(const struct signin *signin)
{
	time_t end = time(NULL) + (time_t)((signin->expires_at_ms - wire_now_ms() + 500) / 1000);
	struct tm clock = { 0 };

	(void)localtime_r(&end, &clock);
	return clock;
}

/* The screen as text, which the caller frees; NULL without memory. */
static char *screen_of(const struct attempt *attempt, const struct signin *signin, const struct signin_answer *answer)
{
	struct screen screen = {
		.application = &attempt->application,
		.name = attempt->person.name,
		.host = answer->show.host,
		.url = answer->show.url,
		.complete = answer->show.complete,
		.code = answer->show.code,
		.qr = strcmp(attempt->arguments.qr, "none") == 0 ? NULL : answer->show.qr,
		.expires_in_s = (unsigned)((signin->expires_at_ms - wire_now_ms() + 500) / 1000),
		.until = clock_at_end(signin),
		.press_enter = attempt->arguments.wait == WAIT_ENTER,
	};
	_cleanup_free_ char *text = malloc(SCREEN_MAX);

	if (!text || !screen_text(&screen, text, SCREEN_MAX))
		return NULL;
	return take_pointer(text);
}

static enum signin_event after_enter(const struct attempt *attempt, struct signin *signin, const char *text,
				     struct signin_answer *answer)
{
	if (!conversation_press_enter(attempt->pamh, text))
		return SIGNIN_GIVEN_UP;
	signin_ready(signin);
	return signin_next(signin, signin->deadline_ms, answer);
}

/* The person watches nothing move: say what is left before the end. */
static enum signin_event with_notes(const struct attempt *attempt, struct signin *signin, const char *text,
				    struct signin_answer *answer)
{
	static const unsigned notes_s[] = { 30, 10 };

	if (!conversation_info(attempt->pamh, text))
		return SIGNIN_GIVEN_UP;
	for (size_t i = 0; i < sizeof(notes_s) / sizeof(notes_s[0]) && !attempt->silent; i++) {
		int64_t when = signin->expires_at_ms - (int64_t)notes_s[i] * 1000;
		enum signin_event event;
		char note[64];

		if (when <= wire_now_ms())
			continue;
		event = signin_next(signin, when, answer);
		if (event != SIGNIN_TIME_UP)
			return event;
		(void)snprintf(note, sizeof(note), "%u seconds left.", notes_s[i]);
		(void)conversation_info(attempt->pamh, note);
	}
	return signin_next(signin, signin->deadline_ms, answer);
}

static enum signin_event for_next_attempt(const struct attempt *attempt, struct signin *signin, const char *text,
					  struct signin_answer *answer)
{
	if (!conversation_info(attempt->pamh, text))
		return SIGNIN_GIVEN_UP;
	if (client_connection_gone(&signin->client))
		return SIGNIN_CLIENT_GONE;
	/* What could not be parked is waited for here: the text is on its way at least. */
	return signin_park(signin) ? SIGNIN_PARKED : signin_next(signin, signin->deadline_ms, answer);
}

enum signin_event approval_await(const struct attempt *attempt, struct signin *signin, struct signin_answer *answer)
{
	_cleanup_free_ char *text = NULL;

	if (answer->show.resumed)
		return signin_next(signin, signin->deadline_ms, answer);
	text = screen_of(attempt, signin, answer);
	if (!text) {
		answer->error = -ENOMEM;
		return SIGNIN_FAILED;
	}
	switch (attempt->arguments.wait) {
	case WAIT_INFO:
		return with_notes(attempt, signin, text, answer);
	case WAIT_RETRY:
		return for_next_attempt(attempt, signin, text, answer);
	case WAIT_ENTER:
		break;
	}
	return after_enter(attempt, signin, text, answer);
}
