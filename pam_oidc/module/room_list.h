/*
 * The first-login question: the rooms that a person may choose from, as a list on the screen, and which of them an
 * answer means. Pure.
 */
#ifndef PAM_OIDC_MODULE_ROOM_LIST_H
#define PAM_OIDC_MODULE_ROOM_LIST_H

#include <stdbool.h>
#include <stddef.h>

#define ROOMS_MAX 99
#define ROOM_NAME_MAX 64 /* bytes, without NUL */

struct room_list {
	size_t count; /* 0: there is no question */
	char names[ROOMS_MAX][ROOM_NAME_MAX + 1];
};

/* Room for every list. */
#define ROOM_LIST_TEXT_MAX ((size_t)24 * 1024)

/* Adds a room. False when it has no name or too long a one, or when there are too many. */
bool room_list_add(struct room_list *rooms, const char *name);

/* Writes the rooms with their numbers, " 1  Exam 1", below each other, or in columns of a line's width when there are
 * many, numbered downwards; each line ends with a newline. False when it does not fit. */
bool room_list_text(const struct room_list *rooms, char *ret_text, size_t size);

/* The room that was typed, by its name or by its number; spaces around it do not count. The name comes first: in a list
 * of "2" and "1", who types 2 means the room that is called so. NULL when it is neither. */
const char *room_list_choose(const struct room_list *rooms, const char *typed);

#endif
