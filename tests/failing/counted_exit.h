/*
 * Included before every file of a build that counts lines (tests/coverage): a child that leaves by _exit(2), which runs
 * no destructors, writes its counts first.
 */
#ifndef TESTS_FAILING_COUNTED_EXIT_H
#define TESTS_FAILING_COUNTED_EXIT_H

#include <stdbool.h>
#include <unistd.h>

void __gcov_dump(void);
__attribute__((weak)) bool failing_disarm(void); /* writing counts is not under test */

_Noreturn static inline void counted_exit(int status)
{
	if (failing_disarm)
		(void)failing_disarm();
	__gcov_dump();
	_exit(status);
}

#define _exit counted_exit

#endif
