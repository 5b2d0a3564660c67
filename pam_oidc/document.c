/*
 * Keeps one fetched document fresh. See document.h. What is in it, its owner knows.
 */
#include "pam_oidc/document.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/wire.h"

#define LIFE_DEFAULT_S 3600
#define LIFE_MIN_S 60
#define LIFE_MAX_S (24 * 3600)
#define REFETCH_MIN_MS (60 * 1000)
#define RETRY_FIRST_MS 2000
#define RETRY_MAX_MS (5 * 60 * 1000)

struct document {
	struct document_source source;
	char *url;
	struct http_transfer *transfer; /* NULL: not fetching */
	struct document_waiter *waiters;
	struct loop_timer refresh;
	bool taken;
	int64_t fresh_until_ms;
	int64_t refetched_ms; /* when somebody last wished for it again; 0: never */
	int64_t retry_ms;     /* pause after the next failure */
	char fault[256];
	struct server_seen server;
};

struct document *document_create(const struct document_source *source, const char *url)
{
	struct document *document = calloc(1, sizeof(*document));

	if (!document)
		return NULL;
	*document = (struct document){ .source = *source, .url = strdup(url), .retry_ms = RETRY_FIRST_MS };
	if (!document->url) {
		free(document);
		return NULL;
	}
	return document;
}

void document_free(struct document *document)
{
	if (!document)
		return;
	http_cancel(document->transfer);
	loop_clear_timer(document->source.loop, &document->refresh);
	free(document->url);
	free(document);
}

bool document_is_fresh(const struct document *document)
{
	return document->taken && wire_now_ms() < document->fresh_until_ms;
}

bool document_may_refetch(struct document *document)
{
	int64_t now = wire_now_ms();

	if (document->refetched_ms > 0 && now - document->refetched_ms < REFETCH_MIN_MS)
		return false;
	document->refetched_ms = now;
	return true;
}

const char *document_fault(const struct document *document)
{
	return document->fault;
}

const struct server_seen *document_server(const struct document *document)
{
	return &document->server;
}

static void tell_waiters(struct document *document, enum document_outcome outcome)
{
	struct document_waiter *waiters = document->waiters;

	/* Those who wait again while being told are told the next time. The detached list hangs on a variable of its
	 * own, from which a waiter can still take itself out. */
	document->waiters = NULL;
	if (waiters)
		waiters->link = &waiters;
	while (waiters) {
		struct document_waiter *waiter = waiters;

		document_unwait(waiter);
		waiter->told(waiter->context, outcome);
	}
}

static void refresh_due(void *context)
{
	document_fetch(context);
}

static void refresh_in(struct document *document, int64_t pause_ms)
{
	(void)loop_set_timer(document->source.loop, &document->refresh, wire_now_ms() + pause_ms, refresh_due,
			     document);
}

static int64_t life_s(const struct http_response *response)
{
	int64_t life = response->cache_forbidden ? LIFE_MIN_S
		       : response->max_age_s < 0 ? LIFE_DEFAULT_S
						 : response->max_age_s;

	return life < LIFE_MIN_S ? LIFE_MIN_S : life > LIFE_MAX_S ? LIFE_MAX_S : life;
}

/* Judges the answer and takes its body. Fills the fault when it is not READY. */
static enum document_outcome take_response(struct document *document, const struct http_response *response)
{
	size_t size = sizeof(document->fault);

	if (!response->answered) {
		(void)snprintf(document->fault, size, "%s", response->error);
		return DOCUMENT_UNREACHABLE;
	}
	if (response->status != 200) {
		(void)snprintf(document->fault, size, "the issuer answered HTTP %ld", response->status);
		return response->status >= 500 || response->status == 429 ? DOCUMENT_UNREACHABLE : DOCUMENT_WRONG;
	}
	if (!document->source.take(document->source.context, response->body, response->length, document->fault, size))
		return DOCUMENT_WRONG;
	return DOCUMENT_READY;
}

static struct server_seen see_server(const struct http_response *response, int64_t now_s)
{
	return (struct server_seen){
		.trouble = response->trouble,
		.status = response->answered ? response->status : 0,
		.has_clock = response->date_s > 0,
		.clock_ahead_s = response->date_s > 0 ? response->date_s - now_s : 0,
		.certificate_until_s = response->certificate_until_s,
	};
}

static void fetched(void *context, const struct http_response *response)
{
	struct document *document = context;
	enum document_outcome outcome = take_response(document, response);
	int64_t now = wire_now_ms(), life_ms = life_s(response) * 1000;

	document->transfer = NULL;
	document->server = see_server(response, time(NULL));
	if (outcome == DOCUMENT_READY) {
		document->fault[0] = '\0';
		document->taken = true;
		document->fresh_until_ms = now + life_ms;
		document->retry_ms = RETRY_FIRST_MS;
		refresh_in(document, life_ms / 10 * 8);
	} else {
		log_event(LOG_WARNING, LOG_FIELDS({ "OIDC_TENANT", document->source.tenant }),
			  "tenant %s: cannot fetch the %s %s: %s", document->source.tenant, document->source.what,
			  document->url, document->fault);
		refresh_in(document, document->retry_ms);
		document->retry_ms = document->retry_ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : document->retry_ms * 2;
	}
	tell_waiters(document, outcome);
}

void document_fetch(struct document *document)
{
	struct http_request request = {
		.url = document->url,
		.ca_file = document->source.ca_file,
		.proxy = document->source.proxy,
		.max_bytes = document->source.max_bytes,
	};

	if (document->transfer)
		return;
	document->transfer = http_start(document->source.http, &request, fetched, document);
	if (!document->transfer) {
		log_error("tenant %s: cannot fetch the %s: out of memory", document->source.tenant,
			  document->source.what);
		refresh_in(document, RETRY_MAX_MS);
	}
}

bool document_move(struct document *document, const char *url)
{
	char *copy;

	if (strcmp(document->url, url) == 0)
		return true;
	copy = strdup(url);
	if (!copy)
		return false;
	free(document->url);
	document->url = copy;
	http_cancel(document->transfer);
	document->transfer = NULL;
	document_fetch(document);
	return true;
}

void document_wait(struct document *document, struct document_waiter *waiter)
{
	waiter->link = &document->waiters;
	waiter->next = document->waiters;
	if (waiter->next)
		waiter->next->link = &waiter->next;
	document->waiters = waiter;
	document_fetch(document);
}

void document_unwait(struct document_waiter *waiter)
{
	if (!waiter->link)
		return;
	*waiter->link = waiter->next;
	if (waiter->next)
		waiter->next->link = waiter->link;
	waiter->link = NULL;
	waiter->next = NULL;
}
