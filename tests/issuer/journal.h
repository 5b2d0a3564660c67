/*
 * What the issuer was asked: counts and service times per endpoint, and the last requests, for tests and benchmarks.
 */
#ifndef ISSUER_JOURNAL_H
#define ISSUER_JOURNAL_H

#include <jansson.h>

#include "tests/issuer/request.h"

#define JOURNAL_LAST 50

struct journal_entry {
	uint64_t number; /* 0: empty */
	char method[8];
	char path[128];
	enum endpoint endpoint;
	int64_t time_ms; /* arrival, CLOCK_REALTIME */
	unsigned status; /* 0: not answered, or reset */
	int64_t service_us;
	char credentials[24]; /* scheme of the Authorization header */
	char fields[128];     /* names of the form's fields, separated by spaces */
};

struct journal {
	uint64_t numbers;
	struct journal_entry last[JOURNAL_LAST];
	struct {
		uint64_t requests;
		uint64_t served;
		int64_t last_us, total_us, max_us;
	} endpoints[ENDPOINT_COUNT];
	uint64_t connections;         /* TCP connections accepted */
	uint64_t control_connections; /* those that asked the control endpoint first */
	uint64_t open_connections;
};

/* Notes a request that arrived; the result names it in the other calls. */
uint64_t journal_arrival(struct journal *journal, const struct request *request);
void journal_status(struct journal *journal, uint64_t number, unsigned status);
/* service_us: from the arrival of the request's head until its answer was handed to the kernel, faults' delays not
 * counted. */
void journal_served(struct journal *journal, uint64_t number, enum endpoint endpoint, int64_t service_us);
/* Forgets requests and counts; connections that are open stay counted as open. */
void journal_reset(struct journal *journal);
/* Members "requests", "service_us", "connections" ..., "last_requests". */
json_t *journal_describe(const struct journal *journal);

#endif
