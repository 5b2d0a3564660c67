/*
 * Formats times.
 */
#include "provisiond/ctl/time_text.h"

#include <stddef.h>
#include <stdio.h>
#include <time.h>

/* A year that struct tm or the text cannot hold. */
static void no_such_time(char ret_text[static TIME_TEXT_MAX])
{
	(void)snprintf(ret_text, TIME_TEXT_MAX, "?");
}

void time_text_local(long long epoch_s, char ret_text[static TIME_TEXT_MAX])
{
	time_t seconds = (time_t)epoch_s;
	struct tm when;

	if (epoch_s == 0)
		(void)snprintf(ret_text, TIME_TEXT_MAX, "never");
	else if (!localtime_r(&seconds, &when) || strftime(ret_text, TIME_TEXT_MAX, "%Y-%m-%d %H:%M", &when) == 0)
		no_such_time(ret_text);
}

void time_text_utc(long long epoch_s, char ret_text[static TIME_TEXT_MAX])
{
	time_t seconds = (time_t)epoch_s;
	struct tm when;

	if (!gmtime_r(&seconds, &when) || strftime(ret_text, TIME_TEXT_MAX, "%Y-%m-%dT%H:%M:%SZ", &when) == 0)
		no_such_time(ret_text);
}

void time_text_ago(long long epoch_s, long long now_s, char ret_text[static TIME_TEXT_MAX])
{
	static const struct {
		long long seconds;
		const char *name;
	} units[] = { { 86400, "day" }, { 3600, "hour" }, { 60, "minute" } };
	long long passed = epoch_s < now_s ? now_s - epoch_s : 0;

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		long long count = passed / units[i].seconds;

		if (count == 0)
			continue;
		(void)snprintf(ret_text, TIME_TEXT_MAX, "%lld %s%s ago", count, units[i].name, count == 1 ? "" : "s");
		return;
	}
	(void)snprintf(ret_text, TIME_TEXT_MAX, "just now");
}

void time_text_duration(long long seconds, char ret_text[static TIME_TEXT_MAX])
{
	long long minutes = seconds / 60 % 60, hours = seconds / 3600;

	if (hours > 0)
		(void)snprintf(ret_text, TIME_TEXT_MAX, "%lld:%02lld:%02lld", hours, minutes, seconds % 60);
	else
		(void)snprintf(ret_text, TIME_TEXT_MAX, "%lld:%02lld", minutes, seconds % 60);
}
