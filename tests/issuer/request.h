/*
 * One HTTP request as the endpoints see it. Everything it points to lives until the request is answered.
 */
#ifndef ISSUER_REQUEST_H
#define ISSUER_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/issuer/form.h"

enum endpoint {
	ENDPOINT_DISCOVERY,
	ENDPOINT_KEYS,
	ENDPOINT_DEVICE,
	ENDPOINT_TOKEN,
	ENDPOINT_USERINFO,
	ENDPOINT_INTROSPECT,
	ENDPOINT_REVOKE,
	ENDPOINT_ACTIVATE,
	ENDPOINT_CONTROL,
	ENDPOINT_OTHER,
	ENDPOINT_COUNT
};

struct request {
	int64_t now_ms; /* CLOCK_REALTIME */
	const char *method;
	const char *path; /* undecoded, doubled slashes joined, without query */
	struct form query;
	struct form form; /* of a body of type application/x-www-form-urlencoded */
	bool form_valid;  /* the body had that type and could be taken apart */
	const char *body;
	size_t length;
	/* headers; NULL when missing */
	const char *authorization;
	const char *cookie;
	const char *origin;
	const char *host;
	bool from_loopback;
	/* filled in by the router */
	enum endpoint endpoint;
	bool org;        /* the org authorization server, not a custom one */
	char *issuer;    /* https://ORG or https://ORG/oauth2/ID */
	char *endpoints; /* what the endpoints' addresses begin with: https://ORG/oauth2 or https://ORG/oauth2/ID */
	char *tail;      /* of this one, for example "v1/token" */
};

const char *endpoint_name(enum endpoint endpoint);
/* ENDPOINT_COUNT when there is none of that name. */
enum endpoint endpoint_named(const char *name);

#endif
