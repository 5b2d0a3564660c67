/*
 * The endpoints, one function each: from a routed request to its answer. Each is in a file of its own name, except
 * where two share one.
 */
#ifndef ISSUER_ENDPOINTS_H
#define ISSUER_ENDPOINTS_H

#include "tests/issuer/answer.h"
#include "tests/issuer/provider.h"
#include "tests/issuer/request.h"

typedef void endpoint_function(struct provider *provider, const struct request *request, struct answer *answer);

endpoint_function answer_discovery;  /* OpenID Connect Discovery, 4; discovery.c */
endpoint_function answer_keys;       /* RFC 7517; discovery.c */
endpoint_function answer_device;     /* RFC 8628, 3.1 and 3.2; device.c */
endpoint_function answer_token;      /* RFC 8628, 3.4 and 3.5; token.c */
endpoint_function answer_userinfo;   /* OpenID Connect Core, 5.3; userinfo.c */
endpoint_function answer_introspect; /* RFC 7662; introspect.c */
endpoint_function answer_revoke;     /* RFC 7009; introspect.c */
endpoint_function answer_activate;   /* RFC 8628, 3.3; activate.c */
endpoint_function answer_stylesheet; /* activate.c */
endpoint_function answer_control;    /* control.c */

/* The sign-in that a token request polls for, or NULL. */
struct device_code *token_request_code(const struct provider *provider, const struct request *request);

#endif
