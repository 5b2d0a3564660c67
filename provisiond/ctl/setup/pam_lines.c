/*
 * Reads pam.d(5) as libpam does, as far as it must: logical lines, comments, the four phases, controls in brackets.
 */
#include "provisiond/ctl/setup/pam_lines.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"

#define BLANKS " \t"
#define MODULE "pam_oidc.so"
#define RESULTS "user_unknown=ignore authinfo_unavail=ignore module_unknown=ignore default=die"

struct word {
	const char *text;
	size_t length;
};

/* One logical line. All point into the text. */
struct pam_line {
	const char *start, *end; /* with its line end */
	unsigned phase;          /* one of enum pam_lines_phase; 0: none */
	struct word control, module;
	bool whole_file; /* @include: every phase of `module` */
	bool includes;   /* include, substack or @include */
};

struct pam_text {
	struct pam_line *items;
	size_t count;
};

static const struct {
	const char *name;
	unsigned phase;
	const char *line;
} phases[] = {
	{ "auth", PAM_LINES_AUTH, "auth\t[success=done " RESULTS "] " MODULE "\n" },
	{ "account", PAM_LINES_ACCOUNT, "account\t[success=ok " RESULTS "] " MODULE "\n" },
	{ "password", PAM_LINES_PASSWORD, "password\t[success=done " RESULTS "] " MODULE "\n" },
	{ "session", PAM_LINES_SESSION, "session\toptional " MODULE "\n" },
};
#define PHASES (sizeof(phases) / sizeof(phases[0]))

static bool word_is(const struct word *word, const char *text)
{
	return word->length == strlen(text) && strncasecmp(word->text, text, word->length) == 0;
}

static bool word_begins(const struct word *word, const char *text)
{
	return word->length >= strlen(text) && strncmp(word->text, text, strlen(text)) == 0;
}

/* The end of the logical line: a backslash at the end of a line continues it. */
static const char *logical_end(const char *line)
{
	for (;;) {
		size_t length = strcspn(line, "\n");
		bool continued = length > 0 && line[length - 1] == '\\';

		if (!line[length])
			return line + length;
		line += length + 1;
		if (!continued)
			return line;
	}
}

static bool blank(const char *at)
{
	return *at == ' ' || *at == '\t' || *at == '\n' || (*at == '\\' && at[1] == '\n');
}

/* The next word before `end`; one that begins with a bracket goes to where that closes. Empty at the end. */
static struct word next_word(const char **at, const char *end)
{
	const char *start;
	bool bracket;

	while (*at < end && blank(*at))
		(*at)++;
	start = *at;
	bracket = start < end && *start == '[';
	while (*at < end && (bracket ? (*at)[0] != ']' : !blank(*at)))
		(*at)++;
	if (bracket && *at < end)
		(*at)++;
	return (struct word){ start, (size_t)(*at - start) };
}

static unsigned phase_named(struct word word)
{
	if (word.length > 0 && *word.text == '-') {
		word.text++;
		word.length--;
	}
	for (size_t i = 0; i < PHASES; i++)
		if (word_is(&word, phases[i].name))
			return phases[i].phase;
	return 0;
}

static struct pam_line parse_line(const char *start, const char *end)
{
	struct pam_line line = { .start = start, .end = end };
	const char *stop = memchr(start, '#', (size_t)(end - start)), *at = start;
	struct word first;

	if (!stop)
		stop = end;
	first = next_word(&at, stop);
	if (word_is(&first, "@include")) {
		line.module = next_word(&at, stop);
		line.whole_file = line.includes = true;
		return line;
	}
	line.phase = phase_named(first);
	if (!line.phase)
		return line;
	line.control = next_word(&at, stop);
	line.module = next_word(&at, stop);
	line.includes = word_is(&line.control, "include") || word_is(&line.control, "substack");
	return line;
}

static bool parse(const char *text, struct pam_text *ret_text)
{
	size_t room = 1;
	struct pam_text parsed = { 0 };

	for (const char *at = text; *at; at++)
		room += *at == '\n';
	parsed.items = calloc(room, sizeof(*parsed.items));
	if (!parsed.items)
		return false;
	while (*text) {
		const char *end = logical_end(text);

		parsed.items[parsed.count++] = parse_line(text, end);
		text = end;
	}
	*ret_text = parsed;
	return true;
}

static struct word file_name(const struct word *path)
{
	struct word name = *path;

	for (size_t i = 0; i < path->length; i++)
		if (path->text[i] == '/')
			name = (struct word){ path->text + i + 1, path->length - i - 1 };
	return name;
}

static bool is_module(const struct pam_line *line, const char *module)
{
	struct word name = file_name(&line->module);

	return line->phase && !line->includes && word_is(&name, module);
}

static bool is_ours(const struct pam_line *line)
{
	return is_module(line, MODULE);
}

/* Whether an @include brings that phase: Debian's common files are for one each, others for all. */
static bool included_file_has(const struct word *file, unsigned phase)
{
	struct word name = file_name(file);

	if (!word_begins(&name, "common-"))
		return true;
	for (size_t i = 0; i < PHASES; i++)
		if (phases[i].phase == phase)
			return name.length >= strlen("common-") + strlen(phases[i].name) &&
			       strncmp(name.text + strlen("common-"), phases[i].name, strlen(phases[i].name)) == 0;
	return false;
}

static bool concerns(const struct pam_line *line, unsigned phase)
{
	return line->whole_file ? included_file_has(&line->module, phase) : line->phase == phase;
}

/* What could let somebody in, or keeps the real decision elsewhere. pam_rootok stays before us: root is not asked. */
static bool decides(const struct pam_line *line, unsigned phase)
{
	static const char *const modules[] = { "pam_unix.so",      "pam_sss.so",         "pam_ldap.so",
					       "pam_krb5.so",      "pam_winbind.so",     "pam_deny.so",
					       "pam_pwquality.so", "pam_systemd_home.so" };

	if (line->includes)
		return true;
	for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++)
		if (is_module(line, modules[i]))
			return true;
	return phase == PAM_LINES_AUTH && word_is(&line->control, "sufficient") && !is_module(line, "pam_rootok.so");
}

static bool named_in(const struct word *path, const char *const *names)
{
	struct word name = file_name(path);

	for (; names && *names; names++)
		if (word_is(&name, *names))
			return true;
	return false;
}

/* The line before which ours belongs; the count when there is no place. */
static size_t anchor_of(const struct pam_text *text, unsigned phase, const char *const *covered)
{
	for (size_t i = 0; i < text->count; i++)
		if (concerns(&text->items[i], phase) && is_ours(&text->items[i]))
			return text->count;
	for (size_t i = 0; i < text->count; i++) {
		const struct pam_line *line = &text->items[i];

		if (!concerns(line, phase) || !decides(line, phase))
			continue;
		return line->includes && named_in(&line->module, covered) ? text->count : i;
	}
	return text->count;
}

/* ---- jumps ---- */

/* The number of `result=N` that stands at `at`, in a control in brackets; 0 when it is another action. */
static unsigned long jump_at(const char *at, const char *end, const char **ret_digits, size_t *ret_length)
{
	const char *equals = memchr(at, '=', (size_t)(end - at));
	unsigned long number = 0;
	size_t length = 0;

	if (!equals)
		return 0;
	for (equals++; equals + length < end && isdigit((unsigned char)equals[length]) && length < 6; length++)
		number = number * 10 + (unsigned long)(equals[length] - '0');
	*ret_digits = equals;
	*ret_length = length;
	return number;
}

struct out {
	char *text;
	size_t length;
};

static void put(struct out *out, const char *text, size_t length)
{
	memcpy(out->text + out->length, text, length);
	out->length += length;
}

/* Copies a line; each of its jumps that goes over `distance` lines and further is made longer or shorter by one. */
static void put_with_jumps(struct out *out, const struct pam_line *line, size_t distance, bool longer)
{
	const char *kept = line->start, *end = line->control.text + line->control.length, *at = line->control.text;

	while (at < end) {
		const char *digits;
		size_t length;
		unsigned long jump = jump_at(at, end, &digits, &length);

		if (jump > distance) {
			put(out, kept, (size_t)(digits - kept));
			out->length += (size_t)sprintf(out->text + out->length, "%lu", longer ? jump + 1 : jump - 1);
			kept = digits + length;
		}
		at = memchr(at, '=', (size_t)(end - at));
		at = at ? at + 1 : end;
	}
	put(out, kept, (size_t)(line->end - kept));
}

/* How many lines of the same phase stand between the two, as a jump counts them. SIZE_MAX when nobody can say, because
 * a file is pulled in between. */
static size_t distance_between(const struct pam_text *text, size_t from, size_t to, unsigned phase)
{
	size_t distance = 0;

	for (size_t i = from + 1; i < to; i++) {
		if (!concerns(&text->items[i], phase))
			continue;
		if (text->items[i].includes && !word_is(&text->items[i].control, "substack"))
			return SIZE_MAX;
		distance++;
	}
	return distance;
}

static bool has_jumps(const struct pam_line *line)
{
	return line->phase && line->control.length > 0 && *line->control.text == '[';
}

/* One change: a line put before `at` (add), or line `at` left out. The caller frees it. */
static char *rebuild(const char *text, const struct pam_text *parsed, size_t at, unsigned phase, const char *added)
{
	struct out out = { .text = malloc(strlen(text) + (added ? strlen(added) : 0) + 8 * parsed->count + 16) };

	if (!out.text)
		return NULL;
	for (size_t i = 0; i < parsed->count; i++) {
		const struct pam_line *line = &parsed->items[i];
		size_t distance = i < at && line->phase == phase && has_jumps(line)
					  ? distance_between(parsed, i, at, phase)
					  : SIZE_MAX;

		if (i == at && added)
			put(&out, added, strlen(added));
		if (i == at && !added)
			continue;
		if (distance != SIZE_MAX)
			put_with_jumps(&out, line, distance, added != NULL);
		else
			put(&out, line->start, (size_t)(line->end - line->start));
	}
	out.text[out.length] = '\0';
	return out.text;
}

bool pam_lines_present(const char *text)
{
	struct pam_text parsed;
	bool present = false;

	if (!parse(text, &parsed))
		return false;
	for (size_t i = 0; i < parsed.count; i++)
		present = present || is_ours(&parsed.items[i]);
	free(parsed.items);
	return present;
}

/* *text is replaced by one with the phase's line, if that has a place. False without memory. */
static bool add_phase(char **text, size_t phase, const char *const *covered)
{
	struct pam_text parsed;
	size_t at;
	char *longer;

	if (!parse(*text, &parsed))
		return false;
	at = anchor_of(&parsed, phases[phase].phase, covered);
	if (at == parsed.count) {
		free(parsed.items);
		return true;
	}
	longer = rebuild(*text, &parsed, at, phases[phase].phase, phases[phase].line);
	free(parsed.items);
	if (!longer)
		return false;
	free(*text);
	*text = longer;
	return true;
}

char *pam_lines_add(const char *text, unsigned wanted, const char *const *covered)
{
	_cleanup_free_ char *now = strdup(text);

	for (size_t i = 0; i < PHASES && now; i++)
		if ((wanted & phases[i].phase) && !add_phase(&now, i, covered))
			return NULL;
	return take_pointer(now);
}

/* *ret_found is false when none was left. */
static bool remove_one(char **text, bool *ret_found)
{
	struct pam_text parsed;
	char *shorter = NULL;
	size_t at = 0;

	if (!parse(*text, &parsed))
		return false;
	while (at < parsed.count && !is_ours(&parsed.items[at]))
		at++;
	*ret_found = at < parsed.count;
	if (*ret_found)
		shorter = rebuild(*text, &parsed, at, parsed.items[at].phase, NULL);
	free(parsed.items);
	if (*ret_found && !shorter)
		return false;
	if (shorter) {
		free(*text);
		*text = shorter;
	}
	return true;
}

char *pam_lines_remove(const char *text)
{
	_cleanup_free_ char *now = strdup(text);
	bool found = true;

	while (now && found)
		if (!remove_one(&now, &found))
			return NULL;
	return take_pointer(now);
}
