/*
 * Puts oidc into the text of nsswitch.conf(5), and takes it out. Pure.
 */
#ifndef PROVISIOND_CTL_SETUP_NSSWITCH_LINES_H
#define PROVISIOND_CTL_SETUP_NSSWITCH_LINES_H

#include <stdbool.h>
#include <stddef.h>

/* The text with oidc as the last source of passwd and group, and of initgroups where there is such a line. What has it
 * stays as it is; a line that is missing is added with what glibc does without it ("files"). NULL, with a sentence and
 * a remedy in `fault`, when an action before it would end the search, or without memory. The caller frees it. */
char *nsswitch_add_oidc(const char *text, char *fault, size_t fault_size);
/* The text without oidc, and without actions that stand right behind it; NULL without memory. */
char *nsswitch_remove_oidc(const char *text);

#endif
