/*
 * Text from elsewhere on a terminal: made harmless, measured, and coloured where that is wanted.
 */
#ifndef PROVISIOND_CTL_TERMINAL_H
#define PROVISIOND_CTL_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* The text with everything that is not a visible character of the locale as \xNN, and backslashes doubled: no control,
 * no direction mark, nothing of no width. The caller frees it; NULL when there is no memory. */
char *terminal_text(const char *text);
/* The columns that such a text takes. */
size_t terminal_width(const char *text);
/* How many columns standard output has; 0 when it is no terminal. */
size_t terminal_columns(void);
/* Whether standard output wants colours: a terminal that is not "dumb", and no NO_COLOR in the environment. */
bool terminal_wants_colour(void);

#endif
