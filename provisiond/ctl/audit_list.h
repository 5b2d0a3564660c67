/*
 * The file of `deactivate --all-but`: account names and emails, one a line, with # comments.
 */
#ifndef PROVISIOND_CTL_AUDIT_LIST_H
#define PROVISIOND_CTL_AUDIT_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "provisiond/ctl/command.h"

struct audit_entry {
	const char *word; /* in lower case */
	unsigned line;    /* from 1 */
	bool known;       /* an account has that name or email */
};

struct audit_list {
	char *text; /* into which the words point */
	struct audit_entry *entries;
	size_t count;
};

/* Reads the file. EXIT_DONE and at least one entry, or another code after a sentence; the caller releases *list, which
 * begins as { 0 }, either way. */
enum exit_code audit_list_read(const char *path, struct audit_list *list);
/* Whether the list has that name or email, in any case of letters. NULL is in no list. It is known from then on. */
bool audit_list_has(struct audit_list *list, const char *word);
/* To be called when everything was looked for: puts the entries in the order of their lines. */
void audit_list_by_line(struct audit_list *list);
void audit_list_release(struct audit_list *list);

#define _cleanup_audit_list_ _cleanup_(audit_list_release)

#endif
