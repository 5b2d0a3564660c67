/*
 * Judges where a request comes from. See remote_from.h.
 */
#include "common/remote_from.h"

#include <stdio.h>
#include <string.h>

static bool inside_a_session(const char *service)
{
	static const char *const services[] = { "su", "su-l", "sudo", "sudo-i" };

	for (size_t i = 0; service && i < sizeof(services) / sizeof(services[0]); i++)
		if (strcmp(services[i], service) == 0)
			return true;
	return false;
}

enum remote_from_verdict remote_from_judge(const struct tenant *tenant, const char *service, const char *rhost)
{
	const struct network_list *networks = &tenant->remote_from;
	struct network peer;

	if (networks->count == 0 || !rhost || rhost[0] == '\0')
		return REMOTE_FROM_PERMITTED;
	if (network_contains(networks->items, networks->count, rhost))
		return REMOTE_FROM_PERMITTED;
	if (network_of_peer(rhost, &peer))
		return REMOTE_FROM_ELSEWHERE;
	return inside_a_session(service) ? REMOTE_FROM_PERMITTED : REMOTE_FROM_NO_ADDRESS;
}

const char *remote_from_explain(enum remote_from_verdict verdict, const struct tenant *tenant,
				char buffer[static REMOTE_FROM_TEXT_MAX])
{
	const char *what = verdict == REMOTE_FROM_NO_ADDRESS
				   ? "needs an address and was given a host name; set `UseDNS no` in sshd_config"
				   : "names no network with this address";

	(void)snprintf(buffer, REMOTE_FROM_TEXT_MAX, "remote_from of tenant %s %s", tenant->name, what);
	return buffer;
}
