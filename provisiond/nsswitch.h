/*
 * The sources that nsswitch.conf(5) names for users and groups. Pure.
 */
#ifndef PROVISIOND_NSSWITCH_H
#define PROVISIOND_NSSWITCH_H

#include <stdbool.h>
#include <stddef.h>

#define NSS_SOURCES_MAX 16
#define NSS_SOURCE_NAME_MAX 31

struct nss_source {
	char name[NSS_SOURCE_NAME_MAX + 1]; /* [A-Za-z0-9_-]+: part of a library's name */
	bool users, groups;                 /* named in the passwd: or in the group: line */
};

struct nss_sources {
	struct nss_source items[NSS_SOURCES_MAX];
	size_t count;
};

/* Reads the text of nsswitch.conf: every source of the passwd and group lines, each once, except those that we look
 * into ourselves
 * (`files`) or are (`oidc`). Actions such as [NOTFOUND=return] do not count, since each source is asked alone. False
 * when there are more than NSS_SOURCES_MAX, or one has a name that no library can have. */
bool nsswitch_parse(const char *text, struct nss_sources *ret_sources);

#endif
