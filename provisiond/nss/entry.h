/*
 * What provisiond's answer to a lookup says, checked and put into the form that the C library wants. Pure; no
 * allocation.
 */
#ifndef PROVISIOND_NSS_ENTRY_H
#define PROVISIOND_NSS_ENTRY_H

#include <pwd.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/wire.h"

enum lookup_result {
	LOOKUP_ENTRY,
	LOOKUP_NOBODY,      /* not ours, or refused */
	LOOKUP_UNAVAILABLE, /* provisiond could not tell */
	LOOKUP_MALFORMED,   /* breaks the rules below */
};

/* The strings point into the message and at the typed name. */
struct entry {
	const char *name;
	const char *password; /* "x", which nothing but pam_oidc lets in, or "*" */
	uid_t uid;
	gid_t gid;
	const char *gecos;
	const char *home;
	const char *shell;
};

/* Reads the answer to `op=lookup name=<typed>`. An entry is one only when it is about the typed name, its uid is that
 * of a person (1000 or above, and not nobody's) and its strings fit into a line of /etc/passwd. Anything else is
 * malformed. */
enum lookup_result entry_read(const struct wire_message *answer, const char *typed, struct entry *ret_entry);

/* Copies the strings into the buffer and fills in *ret_passwd. False when the buffer is too small. */
bool entry_store(const struct entry *entry, char *buffer, size_t size, struct passwd *ret_passwd);

#endif
