/*
 * The place of a home: the open directory that holds it, and its name there. For home.c and home_creation.c alone.
 */
#ifndef PROVISIOND_HOME_SPOT_H
#define PROVISIOND_HOME_SPOT_H

#include <limits.h>
#include <stdbool.h>

#include "provisiond/home.h"
#include "provisiond/trusted_directory.h"

struct home_spot {
	int parent; /* or negative: none */
	char name[NAME_MAX + 1];
};

/* Splits the path and opens the directory that holds the home; `create` makes what is missing above it. HOME_DONE, and
 * the caller releases the spot, or why there is none, with a report (HOME_MISSING: without one). */
enum home_result home_spot_open(const struct home_place *place, const char *path, bool create,
				struct home_spot *ret_spot, struct home_report *report);
/* The same for the path of a home that lies beside another one's; that one's directory, already open, is taken. False
 * when it lies elsewhere, or there is no descriptor left: home_spot_open() knows more. */
bool home_spot_beside(const struct home_spot *other, const char *other_path, const char *path,
		      struct home_spot *ret_spot);
void home_spot_release(const struct home_spot *spot);
struct trusted_root home_root(const struct home_place *place);

/* `.NAME.provisiond-XXXXXX`, with a random end. */
bool home_temporary_name(const char *name, char ret_name[NAME_MAX + 1]);
/* Whether home_temporary_name() could have made it. */
bool home_is_temporary_name(const char *name);

/* Renames without replacing anything. Where the file system cannot promise that, an empty directory could be replaced
 * that root made since it was found missing; nobody else can make one there. 0 or -errno. */
int home_rename(int from_parent, const char *from, int to_parent, const char *to);

/* Write the report's fault, which begins with the path; return the result (HOME_STORAGE). */
__attribute__((format(printf, 4, 5))) enum home_result home_fail(struct home_report *report, enum home_result result,
								 const char *path, const char *format, ...);
enum home_result home_fail_errno(struct home_report *report, const char *path, const char *what, int error);

#endif
