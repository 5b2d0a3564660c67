#include "tests/issuer/limits.h"

#define WINDOW_MS 60000

bool limits_apply_to(enum endpoint endpoint)
{
	switch (endpoint) {
	case ENDPOINT_DEVICE:
	case ENDPOINT_TOKEN:
	case ENDPOINT_USERINFO:
	case ENDPOINT_INTROSPECT:
	case ENDPOINT_REVOKE:
		return true;
	default:
		return false;
	}
}

bool limits_take(struct limits *limits, enum endpoint endpoint, long room, int64_t now_ms)
{
	int64_t window = now_ms / WINDOW_MS;

	if (limits->endpoints[endpoint].window != window) {
		limits->endpoints[endpoint].window = window;
		limits->endpoints[endpoint].used = 0;
	}
	return ++limits->endpoints[endpoint].used <= room;
}

void limits_report(const struct limits *limits, enum endpoint endpoint, long limit, long room, int64_t now_ms,
		   struct answer *answer)
{
	long remaining = room - limits->endpoints[endpoint].used;

	answer_set_headerf(answer, "X-Rate-Limit-Limit", "%ld", limit);
	answer_set_headerf(answer, "X-Rate-Limit-Remaining", "%ld", remaining > 0 ? remaining : 0);
	answer_set_headerf(answer, "X-Rate-Limit-Reset", "%lld",
			   (long long)(now_ms / WINDOW_MS + 1) * WINDOW_MS / 1000);
}
