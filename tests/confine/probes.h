/*
 * The calls that a confined daemon must be refused, each made in a child of its own, with arguments that do no harm
 * inside a sandbox where they are allowed.
 */
#ifndef CONFINE_PROBES_H
#define CONFINE_PROBES_H

#include <sys/types.h>

/* Makes the named calls, all when there are no names, and prints a line for each: `probe NAME: reached`, `probe NAME:
 * refused ERROR`, or `probe NAME: not here`. `victim` is a process of another user's. */
void probes_run(char *const *names, pid_t victim);

#endif
