/*
 * The `username` formats of tenants: how an account name comes from an email's local part. Pure.
 *
 * A format is a prefix, %l (the local part in lower case) and a suffix, in which %t is the tenant's name: "%l", "%l.%t".
 */
#ifndef COMMON_USERNAME_FORMAT_H
#define COMMON_USERNAME_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

#define USERNAME_FORMAT_MAX 128

struct username_format {
	char prefix[USERNAME_FORMAT_MAX];
	char suffix[USERNAME_FORMAT_MAX];
};

/* False unless it has exactly one %l and no other % than %t. */
bool username_format_parse(const char *text, const char *tenant, struct username_format *ret_format);
/* Writes prefix, lower-cased local part, suffix. False when it does not fit. */
bool username_format_expand(const struct username_format *format, const char *local, char *ret_name, size_t size);
/* Whether the format could have made this name (with a local part of at least one byte). */
bool username_format_matches(const struct username_format *format, const char *name);
/* Whether some name exists that both formats make. */
bool username_formats_overlap(const struct username_format *one, const struct username_format *other);
/* Whether it is %l alone. */
bool username_format_is_plain(const struct username_format *format);

#endif
