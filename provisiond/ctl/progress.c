/*
 * Shows progress.
 */
#include "provisiond/ctl/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/wire.h"

#define PATIENCE_MS 1000

bool progress_wanted(void)
{
	const char *kind = getenv("TERM");

	return isatty(STDERR_FILENO) && kind && strcmp(kind, "dumb") != 0;
}

struct progress progress_begin(const char *what, size_t total)
{
	return (struct progress){ .what = what, .total = total, .began_ms = wire_now_ms() };
}

void progress_show(struct progress *progress)
{
	int64_t passed_ms = wire_now_ms() - progress->began_ms;

	if (passed_ms < PATIENCE_MS || !progress_wanted())
		return;
	progress->shown = true;
	if (progress->total > 0)
		(void)fprintf(stderr, "\r\033[K%s: %zu of %zu ...", progress->what, progress->done, progress->total);
	else
		(void)fprintf(stderr, "\r\033[K%s, %lld s ...", progress->what, (long long)(passed_ms / 1000));
	(void)fflush(stderr);
}

void progress_end(struct progress *progress)
{
	if (progress->shown)
		(void)fputs("\r\033[K", stderr);
	progress->shown = false;
}
