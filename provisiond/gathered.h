/*
 * All that admission needs to know about somebody who asks to be admitted, brought together from the record, the
 * account files and what the other name services have said. Reads, and decides nothing.
 */
#ifndef PROVISIOND_GATHERED_H
#define PROVISIOND_GATHERED_H

#include <stdbool.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "provisiond/admission.h"
#include "provisiond/service.h"

/* The facts point into the rest. Not to be copied. All zero before gather(). */
struct gathered {
	struct admission_facts facts;
	struct account_record typed, bound, same_email, named;
	struct expected typed_expected, expected, own_email;
	char former[ACCOUNT_NAME_MAX + 1];
	bool failed;
};

/* `sources` may be one that was not asked. now_s: epoch seconds. False when the database does not answer, which was
 * logged; the caller clears *gathered either way. */
bool gather(const struct service *service, const char *typed, const struct candidate *candidate,
	    const struct source_facts *sources, int64_t now_s, struct gathered *gathered);
void gathered_clear(struct gathered *gathered);

#define _cleanup_gathered_ _cleanup_(gathered_clear)

#endif
