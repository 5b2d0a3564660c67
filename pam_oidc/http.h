/*
 * HTTPS requests, many at a time, on one loop. The only file that sees libcurl.
 *
 * Every request is https alone, HTTP/1.1, with no redirect followed, TLS 1.2 or later, the peer's certificate and name
 * verified, and nothing decompressed. Its time, the sizes of its header and body, and what its connection brings in all
 * are bounded, and no server, resolver or handshake holds up the loop. Connections are kept for the next request.
 * Proxies come from the configuration, never from the environment.
 */
#ifndef PAM_OIDC_HTTP_H
#define PAM_OIDC_HTTP_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pam_oidc/rate_limit.h"

struct http;
struct http_transfer;

struct http_request {
	const char *url;
	const char *ca_file;       /* NULL: the system's */
	const char *proxy;         /* NULL: none */
	const char *form;          /* body of a POST (application/x-www-form-urlencoded); NULL: a GET */
	const char *authorization; /* value of the Authorization header; NULL: none */
	size_t max_bytes;          /* of the answer's body */
};

/* What kept an answer from coming, as far as an administrator would look in another place for it. */
enum http_trouble {
	HTTP_TROUBLE_NONE,
	HTTP_TROUBLE_NAME,    /* the host's or the proxy's name has no address */
	HTTP_TROUBLE_CONNECT, /* nobody is there, or nothing leads there */
	HTTP_TROUBLE_TIMEOUT,
	HTTP_TROUBLE_CA_FILE,   /* ours cannot be read */
	HTTP_TROUBLE_UNTRUSTED, /* the certificate: of an authority that is not ours, ... */
	HTTP_TROUBLE_EXPIRED,   /* ... over, by this machine's clock, ... */
	HTTP_TROUBLE_NOT_YET,   /* ... not begun, by it, ... */
	HTTP_TROUBLE_HOST,      /* ... or somebody else's */
	HTTP_TROUBLE_TLS,       /* any other of the handshake */
	HTTP_TROUBLE_ANSWER,    /* there was one, and it cannot be used */
	HTTP_TROUBLE_COUNT
};

struct http_response {
	bool answered;             /* false: no whole answer came within the bounds; `error` says why */
	const char *error;         /* for the log */
	enum http_trouble trouble; /* when not answered */
	long status;
	const char *body; /* NUL-terminated; wiped after the callback */
	size_t length;
	bool cache_forbidden;  /* Cache-Control: no-store or no-cache */
	int64_t max_age_s;     /* of Cache-Control; -1: none */
	int64_t retry_after_s; /* Retry-After in seconds; 0: none */
	int64_t date_s;        /* Date, epoch seconds; 0: none */
	struct rate_limit rate_limit;
	/* When the first certificate of the server's chain ends, epoch seconds; 0: not known. */
	int64_t certificate_until_s;
};

/* Called once for a transfer that was not cancelled; the response lives until it returns. */
typedef void http_answered(void *context, const struct http_response *response);

/* NULL when libcurl could not start. */
struct http *http_create(void);
/* Ends everything under way without callbacks. Takes NULL. */
void http_free(struct http *http);

/* Starts a request; strings are copied. NULL when memory ran out. */
struct http_transfer *http_start(struct http *http, const struct http_request *request, http_answered *answered,
				 void *context);
/* No callback will come. Takes NULL. */
void http_cancel(struct http_transfer *transfer);

/* The loop's wait: for the descriptor and for transfers, whose callbacks it runs. `http` is the context. */
bool http_wait(void *http, struct pollfd *fd, int timeout_ms);

#endif
