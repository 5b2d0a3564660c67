/*
 * How many bytes each TCP connection to an issuer may bring, whatever they are: chunk extensions and TLS records that
 * hold nothing come to no callback of libcurl's, and an issuer could keep the loop busy with them. The kernel counts.
 */
#ifndef PAM_OIDC_BYTE_BUDGET_H
#define PAM_OIDC_BYTE_BUDGET_H

#include <stdint.h>

#define BYTE_BUDGET_MAX ((uint64_t)4 * 1024 * 1024) /* bytes of one connection ... */
#define BYTE_BUDGET_WINDOW_MS 10000                 /* ... within this time */

struct budgeted_connection;

/* All zero at the beginning. */
struct byte_budget {
	struct budgeted_connection *connections;
};

/* A connection is being cut off; local_port, or 0, tells which one it is. */
typedef void byte_budget_exceeded(void *context, long local_port);

/* Like socket(2) with SOCK_CLOEXEC; what comes over the descriptor counts from now on, until it is a TCP connection no
 * more. The descriptor is the caller's. */
int byte_budget_socket(struct byte_budget *budget, int family, int type, int protocol);
/* Shuts down every connection that has brought too much, after telling so. */
void byte_budget_enforce(struct byte_budget *budget, byte_budget_exceeded *exceeded, void *context);
/* Forgets all; closes nothing. */
void byte_budget_clear(struct byte_budget *budget);

#endif
