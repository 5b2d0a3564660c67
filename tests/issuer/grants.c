#include "tests/issuer/grants.h"

#include "tests/issuer/must.h"

#define SWEEP_EVERY 1024

static bool expired(const json_t *grant, int64_t now_s)
{
	return json_integer_value(json_object_get(grant, "exp")) <= now_s;
}

static void sweep(json_t *grants, int64_t now_s)
{
	const char *token;
	json_t *grant;
	void *next;

	json_object_foreach_safe (grants, next, token, grant)
		if (expired(grant, now_s))
			json_object_del(grants, token);
}

void grants_add(json_t *grants, const char *access_token, json_t *grant, int64_t now_s)
{
	if (json_object_size(grants) % SWEEP_EVERY == SWEEP_EVERY - 1)
		sweep(grants, now_s);
	json_object_set_new(grants, access_token, must(grant));
}

const json_t *grants_find(const json_t *grants, const char *access_token, int64_t now_s)
{
	const json_t *grant = json_object_get(grants, access_token);

	return grant && !expired(grant, now_s) ? grant : NULL;
}
