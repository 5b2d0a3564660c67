/*
 * Makes text harmless for a terminal, in the encoding of the locale that the caller has set.
 */
#include "provisiond/ctl/terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#define ESCAPE_LENGTH ((size_t)4) /* \xNN */

/* The bytes of the first character when it is to be shown as it is, else 0. *ret_columns is what it takes. */
static size_t visible(const char *text, mbstate_t *state, size_t *ret_columns)
{
	wchar_t c;
	size_t length = mbrtowc(&c, text, strlen(text), state);
	int columns;

	if (length == (size_t)-1 || length == (size_t)-2) {
		*state = (mbstate_t){ 0 };
		return 0;
	}
	columns = wcwidth(c);
	if (columns <= 0)
		return 0;
	*ret_columns = (size_t)columns;
	return length;
}

char *terminal_text(const char *text)
{
	size_t room = strlen(text) * ESCAPE_LENGTH + 1, n = 0, columns;
	char *shown = malloc(room);
	mbstate_t state = { 0 };

	if (!shown)
		return NULL;
	while (*text) {
		size_t length = visible(text, &state, &columns);

		if (*text == '\\')
			shown[n++] = '\\';
		if (length > 0) {
			memcpy(shown + n, text, length);
			n += length;
			text += length;
			continue;
		}
		(void)snprintf(shown + n, room - n, "\\x%02x", (unsigned char)*text);
		n += ESCAPE_LENGTH;
		text++;
	}
	shown[n] = '\0';
	return shown;
}

size_t terminal_width(const char *text)
{
	size_t width = 0;
	mbstate_t state = { 0 };

	while (*text) {
		size_t columns = 1, length = visible(text, &state, &columns);

		width += columns;
		text += length > 0 ? length : 1;
	}
	return width;
}

size_t terminal_columns(void)
{
	struct winsize size = { 0 };

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

bool terminal_wants_colour(void)
{
	const char *no_colour = getenv("NO_COLOR"), *kind = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no_colour && *no_colour) && kind && strcmp(kind, "dumb") != 0;
}
