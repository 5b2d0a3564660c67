/*
 * Reads `sshd -T` and sshd_config(5).
 */
#include "provisiond/ctl/health/sshd_settings.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* gcc's analyzer loses what is reached through an array, and calls it leaked; the leak checks of the tests see it
 * freed. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif

#define BLANKS " \t\r\f"

/* ---- sshd -T ---- */

static bool take_yes_no(const char *value, bool *ret)
{
	*ret = strcasecmp(value, "yes") == 0;
	return true;
}

static bool take_text(const char *value, char **ret)
{
	char *copy = strdup(value);

	if (!copy)
		return false;
	free(*ret);
	*ret = copy;
	return true;
}

/* One line for each, and in some versions several in one line. */
static bool take_patterns(const char *value, struct sshd_patterns *patterns)
{
	while (*(value += strspn(value, BLANKS))) {
		size_t length = strcspn(value, BLANKS);
		char **grown = reallocarray(patterns->items, patterns->count + 1, sizeof(*grown));

		if (!grown)
			return false;
		patterns->items = grown;
		grown[patterns->count] = strndup(value, length);
		if (!grown[patterns->count])
			return false;
		patterns->count++;
		value += length;
	}
	return true;
}

/* "10:30:100". */
static bool take_startups(const char *value, struct sshd_settings *settings)
{
	char *end;

	settings->startups_begin = strtol(value, &end, 10);
	if (*end != ':')
		return false;
	settings->startups_rate = strtol(end + 1, &end, 10);
	if (*end != ':')
		return false;
	settings->startups_full = strtol(end + 1, &end, 10);
	return *end == '\0';
}

enum { SEEN_PAM = 1, SEEN_KEYBOARD = 2, SEEN_GRACE = 4, SEEN_STARTUPS = 8, SEEN_ALL = 15 };

/* Up to 10.5 keywords are in lower case, then as the manual writes them. */
static bool take_setting(const char *key, const char *value, struct sshd_settings *settings, unsigned *seen)
{
	if (strcasecmp(key, "usepam") == 0) {
		*seen |= SEEN_PAM;
		return take_yes_no(value, &settings->use_pam);
	}
	if (strcasecmp(key, "kbdinteractiveauthentication") == 0) {
		*seen |= SEEN_KEYBOARD;
		return take_yes_no(value, &settings->keyboard_interactive);
	}
	if (strcasecmp(key, "logingracetime") == 0) {
		*seen |= SEEN_GRACE;
		settings->login_grace_time_s = strtol(value, NULL, 10);
		return true;
	}
	if (strcasecmp(key, "maxstartups") == 0) {
		*seen |= SEEN_STARTUPS;
		return take_startups(value, settings);
	}
	if (strcasecmp(key, "passwordauthentication") == 0)
		return take_yes_no(value, &settings->password);
	if (strcasecmp(key, "usedns") == 0)
		return take_yes_no(value, &settings->use_dns);
	if (strcasecmp(key, "denyusers") == 0)
		return take_patterns(value, &settings->deny_users);
	if (strcasecmp(key, "allowusers") == 0)
		return take_patterns(value, &settings->allow_users);
	if (strcasecmp(key, "authenticationmethods") == 0)
		return take_text(value, &settings->authentication_methods);
	if (strcasecmp(key, "persourcepenaltyexemptlist") == 0)
		return take_text(strcasecmp(value, "none") == 0 ? "" : value, &settings->penalty_exempt);
	if (strcasecmp(key, "persourcepenalties") == 0) {
		settings->penalties = strcasecmp(value, "no") != 0;
		return true;
	}
	return true;
}

bool sshd_settings_parse(const char *text, struct sshd_settings *ret_settings)
{
	_cleanup_sshd_settings_ struct sshd_settings settings = { 0 };
	unsigned seen = 0;

	if (!take_text("any", &settings.authentication_methods) || !take_text("", &settings.penalty_exempt))
		return false;
	while (*text) {
		size_t length = strcspn(text, "\n"), key_length;
		_cleanup_free_ char *line = strndup(text, length);
		const char *value;

		if (!line)
			return false;
		key_length = strcspn(line, " ");
		value = line + key_length + (line[key_length] == ' ');
		line[key_length] = '\0';
		if (!take_setting(line, value, &settings, &seen))
			return false;
		text += length + (text[length] == '\n');
	}
	if (seen != SEEN_ALL)
		return false;
	*ret_settings = settings;
	settings = (struct sshd_settings){ 0 };
	return true;
}

static void release_patterns(struct sshd_patterns *patterns)
{
	for (size_t i = 0; i < patterns->count; i++)
		free(patterns->items[i]);
	free(patterns->items);
}

void sshd_settings_release(struct sshd_settings *settings)
{
	release_patterns(&settings->deny_users);
	release_patterns(&settings->allow_users);
	free(settings->authentication_methods);
	free(settings->penalty_exempt);
	*settings = (struct sshd_settings){ 0 };
}

/* Whether the method is it, with or without a device ("keyboard-interactive:pam"). */
static bool is_keyboard(const char *method, size_t length)
{
	static const char name[] = "keyboard-interactive";
	const size_t name_length = sizeof(name) - 1;

	return length >= name_length && strncmp(method, name, name_length) == 0 &&
	       (length == name_length || method[name_length] == ':');
}

bool sshd_methods_allow_keyboard(const char *methods)
{
	if (strcasecmp(methods, "any") == 0)
		return true;
	while (*(methods += strspn(methods, ", \t"))) {
		size_t length = strcspn(methods, ", \t");

		if (is_keyboard(methods, length))
			return true;
		methods += length;
	}
	return false;
}

/* ---- sshd_config ---- */

/* The next word of a line, into `ret_word`; quotes around it fall away. False at the end of the line. */
static bool next_word(const char **at, char *ret_word, size_t size)
{
	const char *word = *at + strspn(*at, BLANKS "=");
	bool quoted = *word == '"';
	size_t length = quoted ? strcspn(++word, "\"\n") : strcspn(word, BLANKS "=\n");

	*at = word + length + (quoted && word[length] == '"');
	if ((length == 0 && !quoted) || (!quoted && *word == '#') || length >= size)
		return false;
	memcpy(ret_word, word, length);
	ret_word[length] = '\0';
	return true;
}

static void read_match(const char *at, unsigned line, sshd_take_match *take_match, void *context)
{
	char criterion[32], patterns[1024];

	while (next_word(&at, criterion, sizeof(criterion))) {
		if (strcasecmp(criterion, "all") == 0 || strcasecmp(criterion, "final") == 0 ||
		    strcasecmp(criterion, "canonical") == 0 || strcasecmp(criterion, "invalid-user") == 0)
			continue;
		if (!next_word(&at, patterns, sizeof(patterns)))
			return;
		if (strcasecmp(criterion, "user") == 0)
			take_match(context, patterns, line);
	}
}

void sshd_config_read(const char *text, sshd_take_match *take_match, sshd_take_include *take_include, void *context)
{
	for (unsigned line = 1; *text; line++) {
		const char *at = text;
		char word[1024];

		if (next_word(&at, word, sizeof(word))) {
			if (strcasecmp(word, "match") == 0)
				read_match(at, line, take_match, context);
			else if (strcasecmp(word, "include") == 0)
				while (next_word(&at, word, sizeof(word)))
					take_include(context, word);
		}
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
}

/* ---- patterns ---- */

/* Without recursion: on a mismatch the last star takes one character more. */
static bool glob_matches(const char *pattern, size_t length, const char *name)
{
	size_t at = 0, star = length, back = 0, i = 0;

	while (name[i]) {
		if (at < length && pattern[at] == '*') {
			star = at++;
			back = i;
		} else if (at < length && (pattern[at] == '?' || pattern[at] == name[i])) {
			at++;
			i++;
		} else if (star < length) {
			at = star + 1;
			i = ++back;
		} else {
			return false;
		}
	}
	while (at < length && pattern[at] == '*')
		at++;
	return at == length;
}

static size_t user_length(const char *pattern, size_t length)
{
	for (size_t i = length; i > 0; i--)
		if (pattern[i - 1] == '@')
			return i - 1;
	return length;
}

bool sshd_pattern_matches(const char *pattern, const char *name)
{
	return glob_matches(pattern, user_length(pattern, strlen(pattern)), name);
}

bool sshd_list_matches(const char *patterns, const char *name)
{
	bool matched = false;

	while (*patterns) {
		bool negated = *patterns == '!';
		const char *pattern = patterns + negated;
		size_t length = strcspn(pattern, ",");

		if (glob_matches(pattern, length, name)) {
			if (negated)
				return false;
			matched = true;
		}
		patterns = pattern + length + (pattern[length] == ',');
	}
	return matched;
}
