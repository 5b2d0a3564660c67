/*
 * What is kept of a person's name: the GECOS field is never empty, fits, is valid UTF-8, holds no control, no colon,
 * comma, equals sign or ampersand, no character that turns or hides others, and could stand in /etc/passwd; text that
 * counts as right is valid UTF-8 without controls, and no shorter limit lets more through.
 *
 * Covers: provisiond/person_text.c
 */
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <locale.h>

#include "provisiond/account_changes.h"
#include "provisiond/person_text.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	holds(setlocale(LC_CTYPE, "C.UTF-8"));
	return 0;
}

/* By libc's decoder, not ours. False when it is not UTF-8 or holds a control. */
static bool is_clean(const char *text)
{
	mbstate_t state = { 0 };

	while (*text) {
		wchar_t c = 0;
		size_t length = mbrtowc(&c, text, strlen(text), &state);

		if (length == 0 || length > 4 || c < ' ' || (c >= 0x7f && c < 0xa0) || (c >= 0xd800 && c < 0xe000) ||
		    c > 0x10ffff)
			return false;
		text += length;
	}
	return true;
}

static bool turns_or_hides(const char *text)
{
	static const char *const marks[] = {
		"\u200b", "\u200e", "\u200f", "\u2028", "\u2029", "\u202a", "\u202b", "\u202c", "\u202d",
		"\u202e", "\u2060", "\u2066", "\u2067", "\u2068", "\u2069", "\ufeff", "\u061c",
	};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (strstr(text, marks[i]))
			return true;
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct fuzz_input input = { bytes, size };
	size_t max = fuzz_byte(&input), length;
	char *text = fuzz_text_until(&input, '\0', &length), gecos[GECOS_MAX], again[GECOS_MAX];
	struct account_entry entry = { .name = "alice", .uid = 2000, .gid = 2000, .home = "/h", .shell = "/s" };

	holds(person_text_ok(text, length) == is_clean(text));
	holds(person_text_ok(text, max) == (length <= max && is_clean(text)));
	gecos_from_full_name(text, "alice", gecos);
	holds(strnlen(gecos, GECOS_MAX) < GECOS_MAX && gecos[0]);
	holds(is_clean(gecos) && !strpbrk(gecos, ":,=&") && !turns_or_hides(gecos), "%s", gecos);
	holds(gecos[0] != ' ' && gecos[strlen(gecos) - 1] != ' ' && !strstr(gecos, "  "));
	entry.gecos = gecos;
	holds(!account_entry_fault(&entry));
	gecos_from_full_name(gecos, "alice", again);
	holds(strcmp(gecos, again) == 0);
	free(text);
	return 0;
}
