/*
 * Edits single lines and leaves everything else of them, blanks and comments, as it is.
 */
#include "provisiond/ctl/setup/nsswitch_lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "provisiond/ctl/setup/change_inside.h"

#define BLANKS " \t\v\f\r"
#define SOURCE "oidc"
#define ADDED " " SOURCE

static const char *const databases[] = { "passwd", "group", "initgroups" };
#define DATABASES (sizeof(databases) / sizeof(databases[0]))
#define REQUIRED 2 /* the first two */

/* A line `database: sources # comment`. */
struct entry {
	const char *sources;
	size_t length; /* of the sources, without comment and blanks at the end */
};

/* Whether the line is that database's. `end` is the line's end. */
static bool parse_entry(const char *line, const char *end, const char *database, struct entry *ret_entry)
{
	const char *stop = memchr(line, '#', (size_t)(end - line));
	const char *at = line + strspn(line, BLANKS);
	size_t name = strlen(database);

	if (!stop)
		stop = end;
	if (at >= stop || (size_t)(stop - at) <= name || strncmp(at, database, name) != 0)
		return false;
	at += name;
	at += strspn(at, BLANKS);
	if (at >= stop || *at != ':')
		return false;
	at++;
	while (stop > at && strchr(BLANKS, stop[-1]))
		stop--;
	*ret_entry = (struct entry){ at, (size_t)(stop - at) };
	return true;
}

/* The next word: a name, or an action with its brackets. False at the end. */
static bool next_word(const struct entry *entry, size_t *at, const char **ret_word, size_t *ret_length)
{
	const char *text = entry->sources, *close;

	while (*at < entry->length && strchr(BLANKS, text[*at]))
		(*at)++;
	if (*at >= entry->length)
		return false;
	*ret_word = text + *at;
	if (text[*at] == '[') {
		close = memchr(text + *at, ']', entry->length - *at);
		*ret_length = close ? (size_t)(close - *ret_word) + 1 : entry->length - *at;
	} else {
		*ret_length = 0;
		while (*at + *ret_length < entry->length && !strchr(BLANKS "[", text[*at + *ret_length]))
			(*ret_length)++;
	}
	*at += *ret_length;
	return true;
}

static bool is_source(const char *word, size_t length)
{
	return length == strlen(SOURCE) && memcmp(word, SOURCE, length) == 0;
}

/* Whether an action ends the search for a name that the source before it does not know: [NOTFOUND=return], or a status
 * with `!` that is another one. Blanks may stand anywhere. */
static bool action_ends_search(const char *word, size_t length)
{
	char bare[128];
	size_t n = 0;

	for (size_t i = 1; i < length && word[i] != ']' && n < sizeof(bare) - 2; i++)
		bare[n++] = word[i];
	bare[n] = '\0';
	for (char *rest = NULL, *at = strtok_r(bare, BLANKS, &rest); at; at = strtok_r(NULL, BLANKS, &rest)) {
		char *equals = strchr(at, '=');
		bool negated = *at == '!';

		if (!equals)
			continue;
		*equals = '\0';
		if (strcasecmp(equals + 1, "return") == 0 && (strcasecmp(at + negated, "NOTFOUND") == 0) != negated)
			return true;
	}
	return false;
}

struct judged {
	bool has_oidc;
	bool ends; /* something that ends the search stands there, before oidc if that is there */
	char action[64];
};

static struct judged judge(const struct entry *entry)
{
	struct judged judged = { 0 };
	const char *word;
	size_t at = 0, length;

	while (next_word(entry, &at, &word, &length)) {
		if (is_source(word, length)) {
			judged.has_oidc = true;
			return judged;
		}
		if (*word == '[' && action_ends_search(word, length)) {
			judged.ends = true;
			(void)snprintf(judged.action, sizeof(judged.action), "%.*s", (int)length, word);
		}
	}
	return judged;
}

static bool blocked(const char *database, const struct judged *judged, char *fault, size_t fault_size)
{
	if (!judged->ends)
		return false;
	(void)change_fault(fault, fault_size,
			   "/etc/nsswitch.conf has %s in its line \"%s:\", which ends the search before oidc is asked. "
			   "Put oidc before it by hand, or take it out, and start again.",
			   judged->action, database);
	return true;
}

struct text_out {
	char *text;
	size_t length;
};

static void put(struct text_out *out, const char *text, size_t length)
{
	memcpy(out->text + out->length, text, length);
	out->length += length;
}

/* Copies a line; one that is a database's gets its source. False when something stands against it. */
static bool add_to_line(struct text_out *out, const char *line, size_t length, bool seen[DATABASES], char *fault,
			size_t fault_size)
{
	for (size_t i = 0; i < DATABASES; i++) {
		struct entry entry;
		struct judged judged;
		size_t head;

		/* The C library goes by the last line of a database. All of them are edited. */
		if (!parse_entry(line, line + length, databases[i], &entry))
			continue;
		seen[i] = true;
		judged = judge(&entry);
		if (!judged.has_oidc && blocked(databases[i], &judged, fault, fault_size))
			return false;
		if (judged.has_oidc)
			break;
		head = (size_t)(entry.sources - line) + entry.length;
		put(out, line, head);
		put(out, ADDED, strlen(ADDED));
		put(out, line + head, length - head);
		return true;
	}
	put(out, line, length);
	return true;
}

char *nsswitch_add_oidc(const char *text, char *fault, size_t fault_size)
{
	size_t lines = 1;
	bool seen[DATABASES] = { false };
	struct text_out out = { 0 };

	for (const char *at = text; *at; at++)
		lines += *at == '\n';
	out.text = malloc(strlen(text) + lines * strlen(ADDED) + 128);
	if (!out.text) {
		(void)change_fault_memory(fault, fault_size);
		return NULL;
	}
	while (*text) {
		size_t length = strcspn(text, "\n");

		if (!add_to_line(&out, text, length, seen, fault, fault_size)) {
			free(out.text);
			return NULL;
		}
		text += length;
		if (*text)
			put(&out, text++, 1);
	}
	for (size_t i = 0; i < REQUIRED; i++)
		if (!seen[i]) {
			if (out.length > 0 && out.text[out.length - 1] != '\n')
				put(&out, "\n", 1);
			out.length += (size_t)sprintf(out.text + out.length, "%s: files" ADDED "\n", databases[i]);
		}
	out.text[out.length] = '\0';
	return out.text;
}

static void remove_from_line(struct text_out *out, const char *line, size_t length)
{
	for (size_t i = 0; i < DATABASES; i++) {
		struct entry entry;
		const char *word, *kept = line;
		size_t at = 0, word_length;
		bool dropping = false;

		if (!parse_entry(line, line + length, databases[i], &entry))
			continue;
		while (next_word(&entry, &at, &word, &word_length)) {
			const char *begin = word;

			dropping = is_source(word, word_length) || (dropping && *word == '[');
			if (!dropping)
				continue;
			while (begin > entry.sources && strchr(BLANKS, begin[-1]))
				begin--;
			put(out, kept, (size_t)(begin - kept));
			kept = word + word_length;
		}
		put(out, kept, (size_t)(line + length - kept));
		return;
	}
	put(out, line, length);
}

char *nsswitch_remove_oidc(const char *text)
{
	struct text_out out = { .text = malloc(strlen(text) + 1) };

	if (!out.text)
		return NULL;
	while (*text) {
		size_t length = strcspn(text, "\n");

		remove_from_line(&out, text, length);
		text += length;
		if (*text)
			put(&out, text++, 1);
	}
	out.text[out.length] = '\0';
	return out.text;
}
