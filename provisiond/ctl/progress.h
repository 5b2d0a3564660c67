/*
 * A line on standard error that says what is being waited for, while that takes longer than a second: for a person at a
 * terminal. Elsewhere nothing is ever printed.
 */
#ifndef PROVISIOND_CTL_PROGRESS_H
#define PROVISIOND_CTL_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROGRESS_STEP_MS 250 /* how often to look */

struct progress {
	const char *what;   /* "waiting for provisiond"; lives as long as this */
	size_t done, total; /* total 0: not counted */
	int64_t began_ms;
	bool shown;
};

/* Whether anybody would see it. Without, nobody needs to wait in steps. */
bool progress_wanted(void);
struct progress progress_begin(const char *what, size_t total);
/* Shows the line, or brings it up to date. */
void progress_show(struct progress *progress);
/* Takes the line away. */
void progress_end(struct progress *progress);

#endif
