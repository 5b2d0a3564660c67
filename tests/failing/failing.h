/*
 * Makes the product's own calls fail: the n-th allocation, or the n-th system call, of what runs while it is armed. A
 * test runs its scene with n = 1, 2, 3 and so on until nothing failed any more, and looks each time at what came of it.
 *
 * The linker sends the calls of the product's objects here (--wrap, see tests/failing.mk). Calls that libraries make by
 * themselves are left alone, but for SQLite's and jansson's, which have doors for it.
 */
#ifndef TESTS_FAILING_FAILING_H
#define TESTS_FAILING_FAILING_H

#include <stdbool.h>

/* What can fail. */
enum failing_kind {
	FAILING_MEMORY = 1,    /* malloc and its kin */
	FAILING_READING = 2,   /* calls that change nothing: open, read, stat, poll, ... */
	FAILING_DISK = 4,      /* calls that change files: write, rename, fchown, fsync, ... */
	FAILING_MAKING = 8,    /* all else that changes something: socket, accept, send, fork, mmap, ... */
	FAILING_LIBRARY = 16,  /* allocations of SQLite and jansson */
	FAILING_DATABASE = 32, /* SQLite's system calls */
	FAILING_CALLS = FAILING_READING | FAILING_DISK | FAILING_MAKING,
	FAILING_IN_CHILDREN = 64, /* not a kind: a child that is forked goes on counting */
};

enum failing_times { FAILING_ONCE, FAILING_FOREVER };

/* From now on calls of these kinds are counted, and the n-th (from 1) fails with this errno (memory: always ENOMEM);
 * all after it too, if it is to fail for ever. With n = 0 none fails. */
void failing_arm(unsigned kinds, unsigned n, int error, enum failing_times times);
/* Ends that. True when a call has failed. */
bool failing_disarm(void);
/* Lets the calls of a callback of the test through while others fail: before and after it. They nest. */
void failing_hold(void);
void failing_release(void);
/* The call that failed last; "" when none did. */
const char *failing_call(void);

/* For stand-ins of a test's own: whether this call fails. */
bool failing_fails(enum failing_kind kind, const char *call);

/* Before the first use of the libraries: their doors lead here from then on. */
void failing_open_doors(void);

#endif
