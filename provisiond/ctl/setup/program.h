/*
 * Runs another program to its end, with nothing of this one's surroundings: a clean environment, standard input
 * /dev/null, a process group of its own, no blocked signals, a time limit.
 */
#ifndef PROVISIOND_CTL_SETUP_PROGRAM_H
#define PROVISIOND_CTL_SETUP_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

#define PROGRAM_TIMEOUT_S 90

/* `argv` ends with NULL and names the program by its whole path. `environment` (NULL-terminated, or NULL) is added to
 * PATH and LC_ALL. True when it ran: *ret_status is its exit status, or 128 and the signal that ended it, and
 * *ret_output what it wrote to standard output and standard error (NUL-terminated, at most 1 MiB, cut behind that),
 * which the caller frees. Else false, and why. */
bool program_run(const char *const *argv, const char *const *environment, int *ret_status, char **ret_output,
		 char *fault, size_t fault_size);
/* The same, and false with the last line that it wrote when the status is not 0. */
bool program_succeeds(const char *const *argv, char *fault, size_t fault_size);
/* Whether it is there and root may run it. */
bool program_exists(const char *path);

#endif
