/*
 * Runs a program that ends by itself and takes what it prints: no shell, an environment of its own, and a deadline
 * after which it and its children are killed.
 */
#ifndef PROVISIOND_CTL_HEALTH_TIMED_PROGRAM_H
#define PROVISIOND_CTL_HEALTH_TIMED_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cleanup.h"

#define PROGRAM_OUTPUT_MAX ((size_t)256 * 1024)

struct program_output {
	int exit_status; /* as of exit(3); -1 when a signal ended it */
	bool timed_out;  /* it was killed at the deadline */
	char *text; /* standard output and standard error as they came, at most PROGRAM_OUTPUT_MAX bytes; no NUL in it
		     */
};

/* Runs argv[0], an absolute path, with argv (ends with NULL); standard input is /dev/null. deadline_ms is a time of
 * wire_now_ms(). 0 and the caller releases *ret_output, or -errno when it could not be started (-ENOENT: there is no
 * such program). */
int timed_program_run(const char *const argv[], int64_t deadline_ms, struct program_output *ret_output);
void program_output_release(struct program_output *output);

#define _cleanup_program_output_ _cleanup_(program_output_release)

#endif
