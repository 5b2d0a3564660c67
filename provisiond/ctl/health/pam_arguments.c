/*
 * The arguments that pam_oidc.so takes, as the module itself reads them. The module is the other half's; a test holds
 * the two together.
 */
#include "provisiond/ctl/health/pam_verdict.h"

#include <string.h>

#define TIMEOUT_MIN_S 5
#define TIMEOUT_MAX_S 1800

static bool is_one_of(const char *value, const char *const *words)
{
	while (*words && strcmp(value, *words) != 0)
		words++;
	return *words;
}

static bool qr_ok(const char *value)
{
	static const char *const styles[] = { "utf8", "dual", "ascii", "none", NULL };

	return is_one_of(value, styles);
}

static bool wait_ok(const char *value)
{
	static const char *const modes[] = { "enter", "info", "retry", NULL };

	return is_one_of(value, modes);
}

/* 0 for none that is allowed. */
static unsigned seconds_of(const char *value)
{
	unsigned seconds = 0;

	for (; *value; value++) {
		if (*value < '0' || *value > '9' || seconds > TIMEOUT_MAX_S)
			return 0;
		seconds = seconds * 10 + (unsigned)(*value - '0');
	}
	return seconds >= TIMEOUT_MIN_S && seconds <= TIMEOUT_MAX_S ? seconds : 0;
}

static bool timeout_ok(const char *value)
{
	return seconds_of(value) != 0;
}

static const struct argument {
	const char *name;
	bool (*ok)(const char *value); /* NULL: it takes none */
	const char *expected;
} known[] = {
	{ "qr", qr_ok, "qr is utf8, dual, ascii or none" },
	{ "wait", wait_ok, "wait is enter, info or retry" },
	{ "timeout", timeout_ok, "timeout is a number of seconds from 5 to 1800" },
	{ "debug", NULL, "debug takes no value" },
};

const char *pam_oidc_argument_fault(const char *argument, unsigned *seen)
{
	size_t length = strcspn(argument, "=");

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		bool has_value = argument[length] == '=';

		if (strlen(known[i].name) != length || strncmp(argument, known[i].name, length) != 0)
			continue;
		if (*seen & 1u << i)
			return "an argument stands only once";
		*seen |= 1u << i;
		if (!known[i].ok)
			return has_value ? known[i].expected : NULL;
		return has_value && known[i].ok(argument + length + 1) ? NULL : known[i].expected;
	}
	return "the arguments are qr=, wait=, timeout= and debug";
}

unsigned pam_oidc_timeout_s(const struct pam_line *line)
{
	static const char key[] = "timeout=";
	const size_t length = sizeof(key) - 1;

	for (size_t i = 0; i < line->argument_count; i++)
		if (strncmp(line->arguments[i], key, length) == 0)
			return seconds_of(line->arguments[i] + length);
	return 0;
}
