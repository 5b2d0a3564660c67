/*
 * nsswitch.conf: every source that is picked out is named in the text, has a name that a library can have, is neither
 * `files` nor `oidc`, stands once and is asked for something; glibc's actions and comments are never taken for one.
 *
 * Covers: provisiond/nsswitch.c
 */
#include <stdlib.h>
#include <string.h>

#include "provisiond/nsswitch.h"
#include "tests/fuzz/fuzz.h"

static bool in_brackets_or_comment_only(const char *text, const char *name)
{
	size_t length = strlen(name);
	bool action = false, comment = false;

	for (const char *at = text; *at; at++) {
		if (*at == '\n')
			action = comment = false;
		else if (*at == '#')
			comment = true;
		else if (*at == '[')
			action = true;
		else if (*at == ']')
			action = false;
		if (!action && !comment && strncmp(at, name, length) == 0)
			return false;
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct fuzz_input input = { bytes, size };
	size_t length;
	char *text = fuzz_text_until(&input, '\0', &length);
	struct nss_sources sources = { .count = 99 };

	if (!nsswitch_parse(text, &sources)) {
		holds(sources.count == 99);
		free(text);
		return 0;
	}
	holds(sources.count <= NSS_SOURCES_MAX);
	for (size_t i = 0; i < sources.count; i++) {
		const struct nss_source *source = &sources.items[i];
		size_t name = strnlen(source->name, sizeof(source->name));

		holds(name > 0 && name <= NSS_SOURCE_NAME_MAX && !strpbrk(source->name, "./ "));
		holds(strcmp(source->name, "files") != 0 && strcmp(source->name, "oidc") != 0);
		holds(source->users || source->groups);
		holds(!in_brackets_or_comment_only(text, source->name), "%s", source->name);
		for (size_t j = 0; j < i; j++)
			holds(strcmp(source->name, sources.items[j].name) != 0);
	}
	free(text);
	return 0;
}
