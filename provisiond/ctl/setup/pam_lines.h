/*
 * Puts the lines of pam_oidc into the text of a file of /etc/pam.d, and takes them out. Pure. What the lines mean, and
 * where they belong, is said in etc/pam.d/README.md.
 */
#ifndef PROVISIOND_CTL_SETUP_PAM_LINES_H
#define PROVISIOND_CTL_SETUP_PAM_LINES_H

#include <stdbool.h>
#include <stddef.h>

/* Phases of a service that get a line. */
enum pam_lines_phase {
	PAM_LINES_AUTH = 1 << 0,
	PAM_LINES_ACCOUNT = 1 << 1,
	PAM_LINES_PASSWORD = 1 << 2,
	PAM_LINES_SESSION = 1 << 3,
};

/* Whether the text has a line of pam_oidc.so, in any phase. */
bool pam_lines_present(const char *text);

/* The text with a line for each of the phases that has none: before the first line that pulls in the common stack, or
 * that could let somebody in or decide (pam_unix and its like). Jumps of the lines before that would fall short are
 * lengthened. A phase that the file does not have, or that it takes as a whole from a file in `covered`
 * (NULL-terminated names of services that get their own lines), gets none. NULL without memory. The caller frees it. */
char *pam_lines_add(const char *text, unsigned phases, const char *const *covered);

/* The text without lines of pam_oidc.so; jumps over them are shortened. NULL without memory. */
char *pam_lines_remove(const char *text);

#endif
