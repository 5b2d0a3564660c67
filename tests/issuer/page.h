/*
 * HTML pages of the issuer: one frame, escaped text, and the style sheet. Plain, without scripts, made for a phone
 * first.
 */
#ifndef ISSUER_PAGE_H
#define ISSUER_PAGE_H

#include <stdio.h>

#include "tests/issuer/answer.h"

struct page {
	FILE *out; /* what stands between the frame's head and foot goes here */
	char *text;
	size_t length;
};

/* Starts a page with a title, which is also its heading. */
void page_begin(struct page *page, const char *title);
/* Like printf, but each %s is escaped for HTML text and quoted attributes. Knows %s and %% only. */
void page_print(struct page *page, const char *format, ...);
/* Ends the page and makes it the answer, with the headers that keep other sites out of it. */
void page_end(struct page *page, unsigned status, struct answer *answer);

/* Lives for ever. */
const char *page_stylesheet(void);

#endif
