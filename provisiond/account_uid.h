/*
 * The uid that an account has by its name alone. Pure.
 */
#ifndef PROVISIOND_ACCOUNT_UID_H
#define PROVISIOND_ACCOUNT_UID_H

#include <sys/types.h>

/* uid = gid = first + SHA-256(domain NUL name) mod (last - first + 1), the digest read as one big-endian number.
 *
 * `generation` 0 is the name's own uid. For a successor, whose name had another owner before, it is 1, or the next one
 * whose uid is free: then NUL and its decimal digits are hashed behind the name.
 *
 * `domain` is the tenant's first one, in lower case. No part can hold a NUL, so no two of them share an encoding.
 * The result is the same on every machine with the same range, needs no state, and favours no uid by more than one part
 * in 2^224. Both ends of the range belong to it. */
uid_t account_uid(const char *domain, const char *name, unsigned generation, uid_t first, uid_t last);

#endif
