/*
 * A document of an issuer that is fetched once, kept for as long as its Cache-Control says, and refreshed before it
 * lapses: the discovery document and the keys.
 */
#ifndef PAM_OIDC_DOCUMENT_H
#define PAM_OIDC_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "pam_oidc/http.h"
#include "pam_oidc/loop.h"

struct document;

enum document_outcome {
	DOCUMENT_READY,
	DOCUMENT_UNREACHABLE, /* no answer, or one that may be better in a moment (5xx, 429) */
	DOCUMENT_WRONG,       /* answered, but not with what it must be */
};

/* What the last fetch showed of the server, whatever came of it. */
struct server_seen {
	enum http_trouble trouble;
	long status; /* 0: no answer */
	bool has_clock;
	int64_t clock_ahead_s;       /* how far its clock is ahead of this machine's; when has_clock */
	int64_t certificate_until_s; /* epoch seconds; 0: not known */
};

/* Takes a new body into use, or refuses it with a fault for the log. */
typedef bool document_take(void *context, const char *body, size_t length, char *fault, size_t fault_size);

/* Somebody who waits. Lives in its owner; zero it before the first use. */
struct document_waiter {
	void (*told)(void *context, enum document_outcome outcome);
	void *context;
	struct document_waiter *next, **link; /* link: NULL when not waiting */
};

struct document_source {
	struct loop *loop;
	struct http *http;
	const char *tenant; /* for the log */
	const char *what;   /* "discovery document" */
	const char *ca_file, *proxy;
	size_t max_bytes;
	document_take *take;
	void *context;
};

/* Strings of the source must outlive the document, the URL is copied. NULL when memory ran out. */
struct document *document_create(const struct document_source *source, const char *url);
/* Nobody may wait any more. Takes NULL. */
void document_free(struct document *document);

/* True while what was taken last may be used. */
bool document_is_fresh(const struct document *document);
/* Starts fetching unless that is under way. */
void document_fetch(struct document *document);
/* Takes up another URL and fetches from there. False when memory ran out. */
bool document_move(struct document *document, const char *url);
/* The waiter is told once, at the end of the fetch that is under way or that this starts. */
void document_wait(struct document *document, struct document_waiter *waiter);
/* Takes a waiter that does not wait. */
void document_unwait(struct document_waiter *waiter);
/* Takes note of a wish to fetch again what is still fresh. False when there was one within the last minute: more would
 * only be a burden on the issuer. */
bool document_may_refetch(struct document *document);
/* What was wrong the last time, for people who check their configuration; "" when nothing. */
const char *document_fault(const struct document *document);
/* All zero before the first fetch has ended. Lives as long as the document. */
const struct server_seen *document_server(const struct document *document);

#endif
