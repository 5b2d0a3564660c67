/*
 * Included before every file of a build that counts lines (tests/coverage): a child that leaves by _exit(2), which runs
 * no destructors, writes its counts first.
 */
#ifndef TESTS_FAILING_COUNTED_EXIT_H
#define TESTS_FAILING_COUNTED_EXIT_H

#include <unistd.h>

void __gcov_dump(void);

#define _exit(status) (__gcov_dump(), (_exit)(status))

#endif
