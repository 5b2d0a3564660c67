/*
 * Headers about a rate limit, and the load that they tell of. See rate_limit.h.
 */
#include "pam_oidc/rate_limit.h"

#include <string.h>
#include <strings.h>

#define DIGITS_MAX 12
#define NO_RATE_YET_S 5 /* a window's first seconds count as so many more: two requests in one second are no crowd */

/* The value when the header line has this name. */
static const char *value_of(const char *line, const char *name)
{
	size_t length = strlen(name);

	return strncasecmp(line, name, length) == 0 && line[length] == ':' ? line + length + 1 : NULL;
}

static void read_number(struct rate_limit_number *header, const char *value)
{
	size_t digits;

	header->odd = header->odd || header->said;
	header->said = true;
	header->number = 0;
	value += strspn(value, " \t");
	digits = strspn(value, "0123456789");
	if (digits == 0 || digits > DIGITS_MAX || value[digits + strspn(value + digits, " \t\r\n")] != '\0') {
		header->odd = true;
		return;
	}
	for (size_t i = 0; i < digits; i++)
		header->number = header->number * 10 + (value[i] - '0');
}

bool rate_limit_read(struct rate_limit_headers *headers, const char *line)
{
	const char *value;

	if ((value = value_of(line, "x-rate-limit-limit")))
		read_number(&headers->limit, value);
	else if ((value = value_of(line, "x-rate-limit-remaining")))
		read_number(&headers->remaining, value);
	else if ((value = value_of(line, "x-rate-limit-reset")))
		read_number(&headers->reset, value);
	return value != NULL;
}

static bool good(const struct rate_limit_number *header)
{
	return header->said && !header->odd;
}

struct rate_limit rate_limit_said(const struct rate_limit_headers *headers)
{
	struct rate_limit said = { .reset_s = good(&headers->reset) ? headers->reset.number : 0 };

	if (good(&headers->limit) && good(&headers->remaining) && headers->remaining.number <= headers->limit.number) {
		said.limit = headers->limit.number;
		said.remaining = headers->remaining.number;
	}
	return said;
}

int64_t rate_limit_load(const struct rate_limit *limit, int64_t date_s)
{
	int64_t left_s = limit->reset_s - date_s, passed_s, used, load;

	if (limit->limit == 0)
		return 0;
	used = limit->limit - limit->remaining;
	used -= used > 0;
	passed_s = left_s >= 0 && left_s <= RATE_LIMIT_WINDOW_S ? RATE_LIMIT_WINDOW_S - left_s : RATE_LIMIT_WINDOW_S;
	load = used * RATE_LIMIT_LOAD_MAX * (RATE_LIMIT_WINDOW_S + NO_RATE_YET_S) /
	       (limit->limit * (passed_s + NO_RATE_YET_S));
	return load < RATE_LIMIT_LOAD_MAX ? load : RATE_LIMIT_LOAD_MAX;
}
