/*
 * What the service sees of the file systems: its unit's directives on paths, in a mount namespace of the process's own.
 */
#ifndef CONFINE_MOUNTS_H
#define CONFINE_MOUNTS_H

#include "tests/confine/confinement.h"

/* Enters a new mount namespace and changes it. The process must be root with CAP_SYS_ADMIN. */
void mounts_apply(const struct confinement *confinement);

#endif
