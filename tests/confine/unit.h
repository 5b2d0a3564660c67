/*
 * Reads a unit file of systemd's: sections of KEY=VALUE lines. What the keys mean, confinement.c knows.
 */
#ifndef CONFINE_UNIT_H
#define CONFINE_UNIT_H

#include <stddef.h>

struct unit_line {
	char *section, *key, *value; /* the value without spaces at its ends; may be empty */
};

struct unit {
	struct unit_line *lines;
	size_t count;
};

/* Ends the program with a message when the file cannot be read or a line is none. Never freed: the program is short. */
struct unit unit_read(const char *path);

/* Says what is wrong and ends the program, with status 125. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* malloc(3) and friends that end the program instead of failing. */
char *must_copy(const char *text);
void *must_grow(void *array, size_t count, size_t size);

#endif
