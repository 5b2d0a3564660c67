/*
 * Networks in CIDR notation. See network.h.
 */
#include "common/network.h"

#include <arpa/inet.h>
#include <string.h>

static unsigned family_bits(int family)
{
	return family == AF_INET ? 32 : 128;
}

/* IPv4 mapped into IPv6, an address or a network of such, becomes the IPv4 that it is. */
static void unmap(struct network *network)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (network->family != AF_INET6 || network->prefix < 96 ||
	    memcmp(network->address, mapped, sizeof(mapped)) != 0)
		return;
	memmove(network->address, network->address + 12, 4);
	memset(network->address + 4, 0, 12);
	network->family = AF_INET;
	network->prefix -= 96;
}

static bool parse_address(const char *text, struct network *ret_network)
{
	struct network network = { .family = strchr(text, ':') ? AF_INET6 : AF_INET };

	network.prefix = family_bits(network.family);
	if (inet_pton(network.family, text, network.address) != 1)
		return false;
	*ret_network = network;
	return true;
}

/* The address of a peer. sshd shows a link-local one with its interface, fe80::1%eth0. */
static bool parse_peer(const char *text, struct network *ret_network)
{
	const char *zone = strchr(text, '%');
	size_t length = zone ? (size_t)(zone - text) : strlen(text);
	char address[INET6_ADDRSTRLEN];
	struct network peer;

	if (length >= sizeof(address))
		return false;
	memcpy(address, text, length);
	address[length] = '\0';
	if (!parse_address(address, &peer) || (zone && (peer.family != AF_INET6 || zone[1] == '\0')))
		return false;
	unmap(&peer);
	*ret_network = peer;
	return true;
}

static bool parse_prefix(const char *text, unsigned max, unsigned *ret_prefix)
{
	unsigned prefix = 0;
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 3 || text[digits] != '\0')
		return false;
	for (; *text; text++)
		prefix = prefix * 10 + (unsigned)(*text - '0');
	*ret_prefix = prefix;
	return prefix <= max;
}

/* The mask of byte i under a prefix of so many bits. */
static unsigned char mask_byte(unsigned prefix, unsigned i)
{
	unsigned bits = prefix <= i * 8 ? 0 : prefix - i * 8;

	return (unsigned char)(0xff00U >> (bits < 8 ? bits : 8));
}

static bool host_bits_clear(const struct network *network)
{
	for (unsigned i = 0; i < family_bits(network->family) / 8; i++)
		if (network->address[i] & (unsigned char)~mask_byte(network->prefix, i))
			return false;
	return true;
}

bool network_parse(const char *text, struct network *ret_network)
{
	const char *slash = strchr(text, '/');
	size_t length = slash ? (size_t)(slash - text) : strlen(text);
	char address[INET6_ADDRSTRLEN];
	struct network network;

	if (length >= sizeof(address))
		return false;
	memcpy(address, text, length);
	address[length] = '\0';
	if (!parse_address(address, &network))
		return false;
	if (slash && !parse_prefix(slash + 1, family_bits(network.family), &network.prefix))
		return false;
	if (!host_bits_clear(&network))
		return false;
	unmap(&network);
	*ret_network = network;
	return true;
}

static bool contains(const struct network *network, const struct network *address)
{
	if (network->family != address->family)
		return false;
	for (unsigned i = 0; i < family_bits(network->family) / 8; i++)
		if ((network->address[i] ^ address->address[i]) & mask_byte(network->prefix, i))
			return false;
	return true;
}

bool network_contains(const struct network *networks, size_t count, const char *address)
{
	struct network peer;

	if (!parse_peer(address, &peer))
		return false;
	for (size_t i = 0; i < count; i++)
		if (contains(&networks[i], &peer))
			return true;
	return false;
}

bool network_of_peer(const char *address, struct network *ret_network)
{
	struct network peer;

	if (!parse_peer(address, &peer))
		return false;
	if (peer.family == AF_INET6) {
		peer.prefix = 64;
		memset(peer.address + 8, 0, 8);
	}
	*ret_network = peer;
	return true;
}

bool network_equal(const struct network *one, const struct network *other)
{
	return one->family == other->family && one->prefix == other->prefix &&
	       memcmp(one->address, other->address, sizeof(one->address)) == 0;
}
