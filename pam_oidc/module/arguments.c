/*
 * Reads the module's arguments by one table of keys. See arguments.h.
 */
#include "pam_oidc/module/arguments.h"

#include <stddef.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

typedef bool parse_value(const char *value, struct arguments *arguments);

struct key {
	const char *name;
	bool takes_value;
	parse_value *parse;
	const char *expected;
};

static bool parse_qr(const char *value, struct arguments *arguments)
{
	static const char *const styles[] = { "utf8", "dual", "ascii", "none" };

	for (size_t i = 0; i < COUNT(styles); i++) {
		if (strcmp(value, styles[i]) == 0) {
			arguments->qr = styles[i];
			return true;
		}
	}
	return false;
}

static bool parse_wait(const char *value, struct arguments *arguments)
{
	static const char *const modes[] = {
		[WAIT_ENTER] = "enter",
		[WAIT_INFO] = "info",
		[WAIT_RETRY] = "retry",
	};

	for (size_t i = 0; i < COUNT(modes); i++) {
		if (strcmp(value, modes[i]) == 0) {
			arguments->wait = (enum wait_mode)i;
			return true;
		}
	}
	return false;
}

static bool parse_timeout(const char *value, struct arguments *arguments)
{
	unsigned seconds = 0;

	if (value[0] == '\0')
		return false;
	for (; *value; value++) {
		if (*value < '0' || *value > '9')
			return false;
		seconds = seconds * 10 + (unsigned)(*value - '0');
		if (seconds > TIMEOUT_MAX_S)
			return false;
	}
	if (seconds < TIMEOUT_MIN_S)
		return false;
	arguments->timeout_s = seconds;
	return true;
}

static bool parse_debug(const char *value, struct arguments *arguments)
{
	(void)value;
	arguments->debug = true;
	return true;
}

#define TEXT_(number) #number
#define TEXT(number) TEXT_(number)

static const struct key keys[] = {
	{ "qr", true, parse_qr, "qr is utf8, dual, ascii or none" },
	{ "wait", true, parse_wait, "wait is enter, info or retry" },
	{ "timeout", true, parse_timeout,
	  "timeout is a number of seconds from " TEXT(TIMEOUT_MIN_S) " to " TEXT(TIMEOUT_MAX_S) },
	{ "debug", false, parse_debug, "debug takes no value" },
};

static const char unknown_key[] = "the arguments are qr=, wait=, timeout= and debug";
static const char given_twice[] = "an argument stands only once";

static const struct key *key_of(const char *argument)
{
	size_t length = strcspn(argument, "=");

	for (size_t i = 0; i < COUNT(keys); i++)
		if (strlen(keys[i].name) == length && strncmp(keys[i].name, argument, length) == 0)
			return &keys[i];
	return NULL;
}

/* NULL when the argument was right, else what is expected. */
static const char *parse_argument(const char *argument, unsigned *seen, struct arguments *arguments)
{
	const struct key *key = key_of(argument);
	const char *equals = strchr(argument, '=');
	unsigned bit;

	if (!key)
		return unknown_key;
	bit = 1u << (key - keys);
	if (*seen & bit)
		return given_twice;
	*seen |= bit;
	if (key->takes_value != (equals != NULL) || !key->parse(equals ? equals + 1 : "", arguments))
		return key->expected;
	return NULL;
}

static struct arguments defaults_in(enum application_kind application)
{
	/* Below the applications' own limits, which end everything without a word: LoginGraceTime 120 s, LOGIN_TIMEOUT
	 * 60 s. */
	static const unsigned timeouts_s[] = {
		[APPLICATION_SSHD] = 110,
		[APPLICATION_LOGIN] = 55,
		[APPLICATION_SUDO] = 300,
		[APPLICATION_OTHER] = 300,
	};

	/* sshd up to 10.2 shows nothing but a prompt at once, and sudo hears Ctrl-C nowhere else. */
	bool prompts = application == APPLICATION_SSHD || application == APPLICATION_SUDO;

	return (struct arguments){
		.wait = prompts ? WAIT_ENTER : WAIT_INFO,
		.timeout_s = timeouts_s[application],
	};
}

bool arguments_parse(int argc, const char **argv, enum application_kind application, struct arguments *ret_arguments,
		     const char **ret_wrong, const char **ret_expected)
{
	struct arguments arguments = defaults_in(application);
	unsigned seen = 0;

	for (int i = 0; i < argc; i++) {
		const char *expected = parse_argument(argv[i], &seen, &arguments);

		if (expected) {
			*ret_wrong = argv[i];
			*ret_expected = expected;
			return false;
		}
	}
	/* Only ssh clients try again by themselves. */
	if (arguments.wait == WAIT_RETRY && application != APPLICATION_SSHD)
		arguments.wait = WAIT_INFO;
	/* Up to OpenSSH 10.2 the text of a failed attempt reaches the client as a banner, where every block becomes
	 * three octal escapes and the rest is cut off. */
	if (!arguments.qr)
		arguments.qr = arguments.wait == WAIT_RETRY ? "none" : "utf8";
	*ret_arguments = arguments;
	return true;
}
