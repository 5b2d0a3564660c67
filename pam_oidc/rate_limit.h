/*
 * What an answer says of the issuer's rate limit (X-Rate-Limit-Limit, -Remaining and -Reset, as Okta sends them), and
 * how much of it all who share it are about to use. Pure.
 */
#ifndef PAM_OIDC_RATE_LIMIT_H
#define PAM_OIDC_RATE_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RATE_LIMIT_WINDOW_S 60   /* Okta counts by the minute */
#define RATE_LIMIT_LOAD_MAX 1000 /* all of it */

/* All zero: nothing was said. */
struct rate_limit {
	int64_t limit;     /* requests in a window; 0: not said, or not how many remain */
	int64_t remaining; /* of these, 0..limit */
	int64_t reset_s;   /* when the window ends, epoch seconds of the issuer's clock; 0: not said */
};

/* A header that is to say one number. */
struct rate_limit_number {
	int64_t number;
	bool said, odd; /* odd: twice, or no plain decimal number of at most 12 digits; then it says nothing */
};

/* The headers of one answer; all zero at its beginning. */
struct rate_limit_headers {
	struct rate_limit_number limit, remaining, reset;
};

/* Takes a header line, with or without its end. False when it is another header. */
bool rate_limit_read(struct rate_limit_headers *headers, const char *line);
/* What the headers say in all. Limit and Remaining that are missing or odd, or contradict one another, are not said. */
struct rate_limit rate_limit_said(const struct rate_limit_headers *headers);

/* The part of the limit, in thousandths, that will be used up at the window's end if it goes on as it did so far in
 * this window: 0..RATE_LIMIT_LOAD_MAX. The request itself is not counted, and a few at the window's beginning are no
 * rate yet. date_s is the time by the issuer's clock. When that does not tell the window's end, what is used already
 * counts alone. 0 when nothing was said. */
int64_t rate_limit_load(const struct rate_limit *limit, int64_t date_s);

#endif
