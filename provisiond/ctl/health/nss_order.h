/*
 * The order in which nsswitch.conf(5) asks the sources of one database, and what ends the search. Pure.
 */
#ifndef PROVISIOND_CTL_HEALTH_NSS_ORDER_H
#define PROVISIOND_CTL_HEALTH_NSS_ORDER_H

#include <stdbool.h>
#include <stddef.h>

#define NSS_ORDER_MAX 16
#define NSS_ORDER_NAME_MAX 31

struct nss_order {
	unsigned line; /* of the file, from 1 */
	size_t count;
	struct nss_step {
		char name[NSS_ORDER_NAME_MAX + 1];
		/* What is between it and the next one ends the search for names that it does not know (NOTFOUND), or
		 * while it is out of reach (UNAVAIL, TRYAGAIN). */
		bool ends_when_unknown;
		bool ends_when_away;
	} steps[NSS_ORDER_MAX];
};

enum nss_order_fault {
	NSS_ORDER_GOOD,
	NSS_ORDER_NO_DATABASE, /* there is no such line */
	NSS_ORDER_MISSING,     /* the source is not in it */
	NSS_ORDER_NOT_LAST,    /* others come behind it */
	NSS_ORDER_NOT_REACHED, /* something before it ends the search */
	NSS_ORDER_TWICE,
};

/* Reads the line of a database ("passwd"). False when there is none, or it has more than NSS_ORDER_MAX sources, or a
 * source whose name is too long. As in glibc, the last of several lines counts. */
bool nss_order_parse(const char *text, const char *database, struct nss_order *ret_order);
/* Whether `source` stands last, and is reached for each name that those before it do not know. *ret_step is the step to
 * blame for NSS_ORDER_NOT_LAST (the one behind) and NSS_ORDER_NOT_REACHED (the one that ends the search), else 0. */
enum nss_order_fault nss_order_judge(const struct nss_order *order, const char *source, size_t *ret_step);

#endif
