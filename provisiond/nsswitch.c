/*
 * Picks the sources of users and groups out of nsswitch.conf.
 */
#include "provisiond/nsswitch.h"

#include <string.h>

#define BLANKS " \t\v\f\r"

static bool source_name_ok(const char *name, size_t length)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

	return length > 0 && length <= NSS_SOURCE_NAME_MAX && strspn(name, allowed) >= length;
}

static bool is(const char *name, size_t length, const char *text)
{
	return strlen(text) == length && memcmp(name, text, length) == 0;
}

static struct nss_source *source_named(struct nss_sources *sources, const char *name, size_t length)
{
	for (size_t i = 0; i < sources->count; i++)
		if (is(name, length, sources->items[i].name))
			return &sources->items[i];
	if (sources->count == NSS_SOURCES_MAX)
		return NULL;
	memcpy(sources->items[sources->count].name, name, length);
	return &sources->items[sources->count++];
}

static bool add_source(struct nss_sources *sources, const char *name, size_t length, bool users)
{
	struct nss_source *source;

	if (is(name, length, "files") || is(name, length, "oidc"))
		return true;
	source = source_name_ok(name, length) ? source_named(sources, name, length) : NULL;
	if (!source)
		return false;
	if (users)
		source->users = true;
	else
		source->groups = true;
	return true;
}

/* What follows the colon: names, and actions in brackets, which may hold blanks. */
static bool parse_sources(struct nss_sources *sources, const char *at, const char *end, bool users)
{
	while (at < end) {
		size_t length;

		at += strspn(at, BLANKS);
		if (at >= end)
			break;
		if (*at == '[') {
			const char *close = memchr(at, ']', (size_t)(end - at));

			at = close ? close + 1 : end;
			continue;
		}
		length = strcspn(at, BLANKS "[#\n");
		if (!add_source(sources, at, length, users))
			return false;
		at += length;
	}
	return true;
}

static bool parse_line(struct nss_sources *sources, const char *line, const char *end)
{
	const char *name = line + strspn(line, BLANKS);
	size_t length = strcspn(name, BLANKS ":#\n");
	const char *colon = name + length + strspn(name + length, BLANKS);
	bool users = is(name, length, "passwd");

	if (colon >= end || *colon != ':' || (!users && !is(name, length, "group")))
		return true;
	return parse_sources(sources, colon + 1, end, users);
}

bool nsswitch_parse(const char *text, struct nss_sources *ret_sources)
{
	struct nss_sources sources = { 0 };

	while (*text) {
		size_t length = strcspn(text, "\n");

		if (!parse_line(&sources, text, text + strcspn(text, "#\n")))
			return false;
		text += length + (text[length] == '\n');
	}
	*ret_sources = sources;
	return true;
}
