/*
 * HTTPS: carries requests to the provider and its answers back, with the faults that concern connections. The only file
 * that knows libmicrohttpd. One thread; a delayed answer delays no other.
 */
#ifndef ISSUER_SERVER_H
#define ISSUER_SERVER_H

#include <stdbool.h>

#include "tests/issuer/authority.h"
#include "tests/issuer/provider.h"

struct server;

/* Serves on a listening, non-blocking socket, which it takes over. NULL when TLS could not be set up. The provider must
 * live longer. */
struct server *server_start(int listener, const struct server_certificate *certificate, struct provider *provider,
			    bool verbose);
/* Serves until `stop_fd` becomes readable. */
void server_run(struct server *server, int stop_fd);
void server_free(struct server *server);

#endif
