/*
 * Networks in CIDR notation and whether an address lies in one. Pure.
 */
#ifndef COMMON_NETWORK_H
#define COMMON_NETWORK_H

#include <stdbool.h>
#include <stddef.h>

struct network {
	int family; /* AF_INET or AF_INET6 */
	unsigned char address[16];
	unsigned prefix; /* bits */
};

/* "10.0.0.0/8", "2001:db8::/32" or one address. False for anything else, and when bits are set behind the prefix. IPv4
 * mapped into IPv6 (::ffff:10.0.0.0/104) is taken as the IPv4 that it is, here and below. */
bool network_parse(const char *text, struct network *ret_network);
/* Whether the address (text, as in PAM_RHOST; a link-local one may name its interface) lies in one of them. */
bool network_contains(const struct network *networks, size_t count, const char *address);
/* What the limits for one address count by: the address itself, or the /64 of an IPv6 one. False when it is no address. */
bool network_of_peer(const char *address, struct network *ret_network);
bool network_equal(const struct network *one, const struct network *other);

#endif
