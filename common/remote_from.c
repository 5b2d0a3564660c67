/*
 * Judges where a request comes from. See remote_from.h.
 */
#include "common/remote_from.h"

#include <string.h>
#include <strings.h>

/* sudo gives this machine's name as the remote host where `pam_rhost` is set in sudoers. */
static bool inside_a_session(const char *service, const char *rhost, const char *host)
{
	static const char *const services[] = { "su", "su-l", "sudo", "sudo-i" };

	if (!service || !host || strcasecmp(rhost, host) != 0)
		return false;
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (strcmp(services[i], service) == 0)
			return true;
	return false;
}

enum remote_from_verdict remote_from_judge(const struct tenant *tenant, const char *service, const char *rhost,
					   const char *host)
{
	const struct network_list *networks = &tenant->remote_from;
	struct network peer;

	if (networks->count == 0 || !rhost || rhost[0] == '\0' || inside_a_session(service, rhost, host))
		return REMOTE_FROM_PERMITTED;
	if (network_contains(networks->items, networks->count, rhost))
		return REMOTE_FROM_PERMITTED;
	return network_of_peer(rhost, &peer) ? REMOTE_FROM_ELSEWHERE : REMOTE_FROM_NO_ADDRESS;
}
