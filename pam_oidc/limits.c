/*
 * Limits for waiting and starting sign-ins. See limits.h.
 */
#include "pam_oidc/limits.h"

#include <stdlib.h>
#include <string.h>

#define STARTS_REMEMBERED 8192
#define MINUTE_MS (60 * 1000)

struct starts {
	size_t next; /* the oldest one, overwritten next */
	struct {
		struct origin origin;
		int64_t at_ms; /* 0: free */
	} slots[STARTS_REMEMBERED];
};

struct origin origin_of(const struct login_config *config, const char *rhost)
{
	struct origin origin = { .console = !rhost || rhost[0] == '\0' };

	if (origin.console)
		return origin;
	origin.spared = network_contains(config->unlimited_from.items, config->unlimited_from.count, rhost);
	if (!network_of_peer(rhost, &origin.address))
		origin.address = (struct network){ 0 };
	return origin;
}

struct origin origin_of_user(uid_t uid)
{
	return (struct origin){ .local = true, .uid = uid };
}

bool origin_equal(const struct origin *one, const struct origin *other)
{
	return one->console == other->console && one->local == other->local && one->uid == other->uid &&
	       network_equal(&one->address, &other->address);
}

bool limits_allow_pending(const struct login_config *config, const struct origin *origin,
			  const struct pending_counts *counts)
{
	if (origin->console)
		return counts->console < CONSOLE_PLACES;
	if (origin->local ? counts->local >= LOCAL_PLACES : counts->remote >= (size_t)config->max_pending)
		return false;
	return origin->spared || (counts->same_origin < (size_t)config->max_pending_per_address &&
				  counts->same_origin_and_name < (size_t)config->max_pending_per_account);
}

struct starts *starts_create(void)
{
	return calloc(1, sizeof(struct starts));
}

void starts_free(struct starts *starts)
{
	free(starts);
}

bool starts_allow(struct starts *starts, const struct login_config *config, const struct origin *origin, int64_t now_ms)
{
	long count = 0;

	if (origin->console || origin->spared)
		return true;
	for (size_t i = 0; i < STARTS_REMEMBERED; i++)
		count += starts->slots[i].at_ms > 0 && starts->slots[i].at_ms > now_ms - MINUTE_MS &&
			 origin_equal(&starts->slots[i].origin, origin);
	if (count >= config->max_starts_per_minute)
		return false;
	starts->slots[starts->next].origin = *origin;
	starts->slots[starts->next].at_ms = now_ms;
	starts->next = (starts->next + 1) % STARTS_REMEMBERED;
	return true;
}
