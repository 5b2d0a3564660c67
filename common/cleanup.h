/*
 * Cleanup attributes: what a function acquires is released on every way out.
 * A released variable is left as it is; ownership moves out with take_fd() and
 * take_pointer(), which leave an empty value behind.
 */
#ifndef COMMON_CLEANUP_H
#define COMMON_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(function) __attribute__((cleanup(function)))

static inline void cleanup_fd(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static inline void cleanup_free(void *pointer_to_pointer)
{
	free(*(void **)pointer_to_pointer);
}

static inline void cleanup_file(FILE *const *file)
{
	if (*file)
		(void)fclose(*file);
}

#define _cleanup_fd_ _cleanup_(cleanup_fd)
#define _cleanup_free_ _cleanup_(cleanup_free)
#define _cleanup_file_ _cleanup_(cleanup_file)

/* Hands the descriptor to the caller; the variable no longer owns it. */
static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* The same for heap memory. The result has the variable's own type. */
#define take_pointer(variable)                     \
	(__extension__({                           \
		__typeof__(variable) taken_ = (variable); \
		(variable) = NULL;                 \
		taken_;                            \
	}))

#endif
