/*
 * Names: what counts as an account name, an email, a domain or a network is decided as the grammar says; a username
 * format makes only names that it knows again, and two formats that are taken for apart never make the same name.
 *
 * The input is lines: two formats, then names, emails, domains, networks and addresses, each of them tried as each.
 *
 * Covers: common/names.c common/username_format.c common/network.c
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/names.h"
#include "common/network.h"
#include "common/username_format.h"
#include "tests/fuzz/fuzz.h"

#define SMALL "abcdefghijklmnopqrstuvwxyz"
#define LARGE "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static bool consists_of(const char *text, const char *characters)
{
	return text[strspn(text, characters)] == '\0';
}

static void check_account_name(const char *text)
{
	size_t length = strlen(text);
	bool right = length >= 1 && length <= 32 && strchr(SMALL "_", text[0]) && consists_of(text, SMALL DIGITS "._-");

	holds(account_name_ok(text) == right, "%s", text);
	holds((account_name_fault(text) == NULL) == right);
}

/* Labels of letters, digits and inner hyphens, at least two, each of at most 63 bytes. */
static bool is_domain(const char *text)
{
	size_t labels = 0, length = strlen(text);

	if (length > EMAIL_DOMAIN_MAX || !consists_of(text, SMALL LARGE DIGITS ".-"))
		return false;
	for (const char *at = text;; at++) {
		size_t label = strcspn(at, ".");

		if (label == 0 || label > 63 || at[0] == '-' || at[label - 1] == '-')
			return false;
		labels++;
		at += label;
		if (*at == '\0')
			return labels >= 2;
	}
}

static bool is_local_part(const char *text, size_t length)
{
	if (length == 0 || length > EMAIL_LOCAL_MAX || text[0] == '.' || text[length - 1] == '.')
		return false;
	for (size_t i = 0; i < length; i++)
		if (!strchr(SMALL LARGE DIGITS "!#$%&'*+-/=?^_`{|}~.", text[i]) || strncmp(text + i, "..", 2) == 0)
			return false;
	return true;
}

static void check_email(const char *text)
{
	const char *at = strchr(text, '@');
	bool right = at && is_local_part(text, (size_t)(at - text)) && is_domain(at + 1);
	struct email email;

	memset(&email, 'x', sizeof(email));
	holds(domain_ok(text) == is_domain(text), "%s", text);
	holds(email_parse(text, &email) == right, "%s", text);
	if (!right) {
		holds(email.local[0] == 'x' && email.domain[0] == 'x');
		return;
	}
	holds(strlen(email.local) == (size_t)(at - text) && strncmp(email.local, text, strlen(email.local)) == 0);
	holds(strcasecmp(email.domain, at + 1) == 0 && domain_equal(email.domain, at + 1));
	holds(consists_of(email.domain, SMALL DIGITS ".-"));
}

/* An address with and without a prefix: the network holds its own address, and so does what the limits count by. */
static void check_network(const char *text)
{
	struct network network, peer;
	char address[INET6_ADDRSTRLEN];

	if (network_of_peer(text, &peer))
		holds((network_parse(text, &network) && network_contains(&network, 1, text)) ||
			      network_contains(&peer, 1, text),
		      "%s", text);
	else
		holds(!network_contains(NULL, 0, text));
	if (!network_parse(text, &network))
		return;
	holds(network.family == AF_INET || network.family == AF_INET6);
	holds(network.prefix <= (network.family == AF_INET ? 32u : 128u));
	holds(network_equal(&network, &network));
	holds(inet_ntop(network.family, network.address, address, sizeof(address)));
	/* An address mapped into IPv6 is an IPv4 address, which no network of IPv6 holds. */
	if (strncasecmp(address, "::ffff:", 7) != 0)
		holds(network_contains(&network, 1, address), "%s", text);
}

static void check_formats(const struct username_format *one, const struct username_format *other, const char *local)
{
	char first[2 * USERNAME_FORMAT_MAX], second[2 * USERNAME_FORMAT_MAX];
	bool overlap = username_formats_overlap(one, other);

	holds(overlap == username_formats_overlap(other, one));
	holds(username_formats_overlap(one, one));
	if (!username_format_expand(one, local, first, sizeof(first)))
		return;
	holds(strlen(first) == strlen(one->prefix) + strlen(local) + strlen(one->suffix));
	holds(username_format_matches(one, first) == (local[0] != '\0'));
	if (username_format_is_plain(one))
		holds(strcasecmp(first, local) == 0);
	/* The same name by the other format: from that name with its ends taken off. */
	if (!username_format_matches(other, first))
		return;
	holds(overlap || local[0] == '\0', "both make %s", first);
	(void)strcpy(second, first + strlen(other->prefix));
	second[strlen(second) - strlen(other->suffix)] = '\0';
	holds(username_format_expand(other, second, first, sizeof(first)));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct fuzz_input input = { bytes, size };
	struct username_format one, other;
	size_t length;
	char *first = fuzz_text_until(&input, '\n', &length), *second = fuzz_text_until(&input, '\n', &length);
	bool formats = username_format_parse(first, "clinic", &one) && username_format_parse(second, "lab", &other);

	while (input.left > 0) {
		char *text = fuzz_text_until(&input, '\n', &length);

		check_account_name(text);
		check_email(text);
		check_network(text);
		if (formats)
			check_formats(&one, &other, text);
		free(text);
	}
	free(first);
	free(second);
	return 0;
}
