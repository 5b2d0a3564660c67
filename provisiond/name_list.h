/*
 * Lists of names separated by commas, as /etc/group and the database have them: "sudo,radiology"; "" is the empty one.
 */
#ifndef PROVISIOND_NAME_LIST_H
#define PROVISIOND_NAME_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "common/cleanup.h"

/* One name of a list: `length` bytes of it. length 0: behind the last one. */
struct listed_name {
	const char *text;
	size_t length;
};

/* For walking: for (struct listed_name at = names_first(names); at.length > 0; at = names_next(at)). `names` may be
 * NULL, which is empty. */
struct listed_name names_first(const char *names);
struct listed_name names_next(struct listed_name at);
/* Whether the list has exactly this name. */
bool names_contain(const char *names, struct listed_name name);

/* A list that grows. Starts as { 0 }. */
struct name_list {
	char *text; /* NULL while it is empty */
	size_t length;
	bool failed; /* there was no memory for one of them */
};

/* Adds a name, unless the list has it. An empty one is none. */
void name_list_add(struct name_list *list, struct listed_name name);
/* "" when it is empty. Lives as long as the list, until it grows. */
const char *name_list_text(const struct name_list *list);
void name_list_free(struct name_list *list);

#define _cleanup_name_list_ _cleanup_(name_list_free)

#endif
