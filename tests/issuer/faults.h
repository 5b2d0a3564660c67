/*
 * Faults that tests switch on: a queue of what shall go wrong, per endpoint.
 *
 * A request walks the queue of its endpoint from the oldest fault on. One whose `after` is not used up yet counts it
 * down and is passed over; the first other one is used.
 */
#ifndef ISSUER_FAULTS_H
#define ISSUER_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "tests/issuer/answer.h"
#include "tests/issuer/errors.h"
#include "tests/issuer/request.h"

struct faults {
	json_t *queue; /* array of objects as README.md describes them */
};

/* Appends a copy. NULL; or what is wrong with it, which the caller frees. */
char *faults_add(struct faults *faults, json_t *fault);
/* The fault that a request to this endpoint meets now, or NULL. The caller owns the reference. */
json_t *faults_take(struct faults *faults, enum endpoint endpoint);
void faults_clear(struct faults *faults);

/* Whether the endpoint itself is not asked at all. */
bool fault_replaces_endpoint(const json_t *fault);
/* The row of the error table that it names, or ERROR_COUNT. */
enum error_row fault_row(const json_t *fault);
/* Turns the endpoint's answer (empty if it was not asked) into the faulty one. */
void fault_apply(const json_t *fault, int64_t now_ms, struct answer *answer);

#endif
