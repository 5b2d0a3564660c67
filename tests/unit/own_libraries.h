/*
 * Name services that are built beside the tests, and found as any program finds those of the system: where the dynamic
 * linker looks.
 */
#ifndef TESTS_UNIT_OWN_LIBRARIES_H
#define TESTS_UNIT_OWN_LIBRARIES_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Starts this program anew, with SOURCES_TEST among the linker's places, unless it is there already. */
static inline void look_for_libraries_here_too(char **arguments)
{
	if (getenv("LD_LIBRARY_PATH") && strstr(getenv("LD_LIBRARY_PATH"), SOURCES_TEST))
		return;
	(void)setenv("LD_LIBRARY_PATH", SOURCES_TEST, 1);
	(void)execv(arguments[0], arguments);
	abort();
}

#endif
