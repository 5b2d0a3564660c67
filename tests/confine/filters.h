/*
 * The system call filters that a unit asks for, made and loaded as systemd makes them: one for each directive.
 */
#ifndef CONFINE_FILTERS_H
#define CONFINE_FILTERS_H

#include "tests/confine/confinement.h"

/* What SystemCallFilter= comes to, its @groups filled in by systemd-analyze. Before the process is confined. */
void filters_expand(const struct confinement *confinement, struct words *ret_calls);
/* Loads them all; the process must not gain privileges any more. */
void filters_load(const struct confinement *confinement, const struct words *calls);

#endif
