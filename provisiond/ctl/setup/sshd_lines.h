/*
 * What sshd_config(5) says in which order, as far as setup must know. Pure.
 */
#ifndef PROVISIOND_CTL_SETUP_SSHD_LINES_H
#define PROVISIOND_CTL_SETUP_SSHD_LINES_H

#include <stdbool.h>
#include <stddef.h>

/* The arguments of the first Include outside of every Match block that has `path` under one of its patterns, as they
 * are written, in ret_arguments; and the line's start and length in the text. False when there is none. */
bool sshd_lines_find_include(const char *text, const char *path, const char **ret_line, size_t *ret_length,
			     char *ret_arguments, size_t arguments_size);
/* The number (from 1) of the first line before `end` (an offset) that sets the keyword outside of a Match block; 0 when
 * none does. */
unsigned sshd_lines_setting(const char *text, size_t end, const char *keyword);
/* The value of a keyword in the output of `sshd -T`, in ret_value: newer ones say "UsePAM yes", older ones "usepam yes".
 * False when it is not there. */
bool sshd_lines_effective(const char *output, const char *keyword, char *ret_value, size_t value_size);

/* The next of the patterns in an Include's arguments, without quotes and made absolute; false at the end. */
bool sshd_lines_next_pattern(const char **arguments, char *ret_pattern, size_t pattern_size);

#endif
