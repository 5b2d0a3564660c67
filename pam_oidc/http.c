/*
 * HTTPS through libcurl's multi interface. See http.h.
 */
#include "pam_oidc/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/secret.h"
#include "common/version.h"
#include "pam_oidc/byte_budget.h"
#include "pam_oidc/wiping_memory.h"

#define CONNECT_TIMEOUT_MS 5000L
#define TOTAL_TIMEOUT_MS 10000L
#define CONNECTIONS_PER_HOST 8L
#define CONNECTIONS_KEPT 8L
#define CONNECTION_IDLE_MAX_S 300L
#define BRIEFLY_MS 50
/* Of one answer: interim answers, the header, trailers. libcurl keeps them all, and bounds trailers not at all. */
#define HEADERS_MAX_BYTES ((size_t)64 * 1024)

/* RFC 9325, section 4.2, for TLS 1.2: forward secrecy by elliptic curves alone. With finite fields the server would
 * choose the size of the numbers that the client has to raise to a power, seconds of it for one handshake. The groups
 * are those that every approved module has (X25519 is unknown in FIPS mode, where one unknown name would refuse the
 * list), and of which every server has the first: RFC 8446, section 9.1. */
#define TLS12_CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"
#define TLS_GROUPS "P-256:P-384:P-521"

struct http {
	CURLM *multi;
	CURLSH *share; /* TLS sessions, so that a new connection resumes */
	struct http_transfer *transfers;
	int transfer_count;
	struct byte_budget budget; /* of its connections */
};

struct http_transfer {
	struct http *http;
	struct http_transfer *next, **link;
	CURL *easy;
	struct curl_slist *headers;
	http_answered *answered;
	void *context;
	char *body;
	size_t length, room, max_bytes, header_bytes;
	const char *refused; /* why we ended it; NULL: we did not */
	struct rate_limit_headers rate_limit;
	struct http_response response;
	char error[CURL_ERROR_SIZE];
};

struct http *http_create(void)
{
	struct http *http = calloc(1, sizeof(*http));

	if (!http)
		return NULL;
	/* What it sends and receives goes through its own buffers. */
	if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, wiping_malloc, wiping_free, wiping_realloc, wiping_strdup,
				 wiping_calloc) != CURLE_OK) {
		free(http);
		return NULL;
	}
	http->multi = curl_multi_init();
	http->share = curl_share_init();
	if (!http->multi || !http->share) {
		http_free(http);
		return NULL;
	}
	(void)curl_share_setopt(http->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
	(void)curl_multi_setopt(http->multi, CURLMOPT_MAX_HOST_CONNECTIONS, CONNECTIONS_PER_HOST);
	(void)curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_KEPT);
	return http;
}

void http_free(struct http *http)
{
	if (!http)
		return;
	while (http->transfers)
		http_cancel(http->transfers);
	if (http->multi)
		(void)curl_multi_cleanup(http->multi);
	if (http->share)
		(void)curl_share_cleanup(http->share);
	byte_budget_clear(&http->budget);
	free(http);
	curl_global_cleanup();
}

static bool make_room(struct http_transfer *transfer, size_t wanted)
{
	size_t room = transfer->room ? transfer->room : 2048;
	char *body;

	while (room < wanted)
		room *= 2;
	if (room == transfer->room)
		return true;
	/* Not realloc(3), which would leave a copy behind: the body may hold tokens. */
	body = malloc(room);
	if (!body)
		return false;
	if (transfer->body) {
		memcpy(body, transfer->body, transfer->length);
		explicit_bzero(transfer->body, transfer->room);
		free(transfer->body);
	}
	transfer->body = body;
	transfer->room = room;
	return true;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
	struct http_transfer *transfer = context;
	size_t length = size * count;

	if (length > transfer->max_bytes - transfer->length) {
		transfer->refused = "the answer is too large";
		return 0;
	}
	if (!make_room(transfer, transfer->length + length + 1))
		return 0;
	memcpy(transfer->body + transfer->length, bytes, length);
	transfer->length += length;
	transfer->body[transfer->length] = '\0';
	return length;
}

/* The value when the header line has this name; not NUL-terminated at its end. */
static const char *header_value(const char *line, size_t length, const char *name)
{
	size_t n = strlen(name);

	if (length <= n || strncasecmp(line, name, n) != 0 || line[n] != ':')
		return NULL;
	return line + n + 1;
}

static int64_t whole_number(const char *text)
{
	char *end;
	long long number;

	text += strspn(text, " \t");
	if (*text < '0' || *text > '9')
		return -1;
	errno = 0;
	number = strtoll(text, &end, 10);
	return errno != 0 ? -1 : number;
}

/* RFC 9111, section 5.2: max-age, and no-store or no-cache, which both mean "ask again" to us. */
static void read_cache_control(const char *value, struct http_response *response)
{
	const char *max_age = strcasestr(value, "max-age=");

	if (max_age)
		response->max_age_s = whole_number(max_age + strlen("max-age="));
	if (strcasestr(value, "no-store") || strcasestr(value, "no-cache"))
		response->cache_forbidden = true;
}

/* Epoch seconds; 0 when it cannot be read. */
static int64_t end_of_certificate(const X509 *certificate)
{
	struct tm until = { 0 };
	time_t seconds = -1;

	if (certificate && ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &until) == 1)
		seconds = timegm(&until);
	return seconds > 0 ? seconds : 0;
}

/* When the first one ends of the chain by which the server was believed. A resumed session has its own one alone. */
static int64_t end_of_chain(SSL *ssl)
{
	const STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
	X509 *own = SSL_get1_peer_certificate(ssl);
	int64_t first = end_of_certificate(own);

	X509_free(own);
	for (int i = 0; chain && i < sk_X509_num(chain); i++) {
		int64_t end = end_of_certificate(sk_X509_value(chain, i));

		if (end > 0 && (first == 0 || end < first))
			first = end;
	}
	return first;
}

/* 0 where libcurl has another TLS library. Only while the connection is in use. */
static int64_t certificate_until(CURL *easy)
{
	struct curl_tlssessioninfo *session = NULL;

	if (curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &session) != CURLE_OK || !session ||
	    session->backend != CURLSSLBACKEND_OPENSSL || !session->internals)
		return 0;
	return end_of_chain(session->internals);
}

/* A header begins: what an interim answer (1xx) or a proxy said before does not count. */
static void begin_header(struct http_transfer *transfer)
{
	transfer->rate_limit = (struct rate_limit_headers){ 0 };
	transfer->response =
		(struct http_response){ .max_age_s = -1, .certificate_until_s = certificate_until(transfer->easy) };
}

static int64_t date_of(const char *value)
{
	char date[64];
	time_t seconds;

	value += strspn(value, " \t");
	(void)snprintf(date, sizeof(date), "%.*s", (int)strcspn(value, "\r\n"), value);
	seconds = curl_getdate(date, NULL);
	return seconds > 0 ? seconds : 0;
}

static size_t take_header(char *bytes, size_t size, size_t count, void *context)
{
	struct http_transfer *transfer = context;
	struct http_response *response = &transfer->response;
	char line[512];
	size_t length = size * count, kept = length < sizeof(line) ? length : sizeof(line) - 1;
	const char *value;

	if (length > HEADERS_MAX_BYTES - transfer->header_bytes) {
		transfer->refused = "the answer's header is too large";
		return 0;
	}
	transfer->header_bytes += length;
	memcpy(line, bytes, kept);
	line[kept] = '\0';
	if (strncmp(line, "HTTP/", strlen("HTTP/")) == 0)
		begin_header(transfer);
	else if ((value = header_value(line, kept, "cache-control")))
		read_cache_control(value, response);
	else if (rate_limit_read(&transfer->rate_limit, line))
		response->rate_limit = rate_limit_said(&transfer->rate_limit);
	else if ((value = header_value(line, kept, "retry-after")) && whole_number(value) > 0)
		response->retry_after_s = whole_number(value);
	else if ((value = header_value(line, kept, "date")))
		response->date_s = date_of(value);
	return length;
}

static bool add_header(struct http_transfer *transfer, const char *line)
{
	struct curl_slist *headers = curl_slist_append(transfer->headers, line);

	if (headers)
		transfer->headers = headers;
	return headers != NULL;
}

static bool add_headers(struct http_transfer *transfer, const struct http_request *request)
{
	_cleanup_secret_text_ char *line = NULL;

	/* Without an empty Expect, a POST might wait a second for "100 Continue". */
	if (!add_header(transfer, "Accept: application/json") || !add_header(transfer, "Expect:"))
		return false;
	if (!request->authorization)
		return true;
	line = secret_join_texts("Authorization: ", request->authorization);
	return line && add_header(transfer, line);
}

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct http *http = context;
	int fd = byte_budget_socket(&http->budget, address->family, address->socktype, address->protocol);

	(void)purpose;
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

/* libcurl ends the transfer on a connection that is cut off; it is found for the sake of its error's words. */
static void over_budget(void *context, long local_port)
{
	struct http *http = context;
	long its_port;

	for (struct http_transfer *transfer = http->transfers; transfer; transfer = transfer->next)
		if (curl_easy_getinfo(transfer->easy, CURLINFO_LOCAL_PORT, &its_port) == CURLE_OK &&
		    its_port == local_port)
			transfer->refused = "the answer takes too many bytes on its way";
}

#define SET(option, value) (curl_easy_setopt(easy, (option), (value)) == CURLE_OK)

static bool set_tls(CURL *easy)
{
	return SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) && SET(CURLOPT_SSL_VERIFYPEER, 1L) &&
	       SET(CURLOPT_SSL_VERIFYHOST, 2L) && SET(CURLOPT_SSL_CIPHER_LIST, TLS12_CIPHERS) &&
	       SET(CURLOPT_SSL_EC_CURVES, TLS_GROUPS);
}

/* A name server that does not answer must not hold up the loop: without this, libcurl waits for its own resolver's
 * thread when a transfer ends before it. The thread cleans up after itself. */
static bool set_no_wait_for_resolver(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075700
	return SET(CURLOPT_QUICK_EXIT, 1L);
#else
	(void)easy;
	return true;
#endif
}

static bool set_bounds(CURL *easy)
{
	return SET(CURLOPT_PROTOCOLS_STR, "https") && SET(CURLOPT_FOLLOWLOCATION, 0L) &&
	       SET(CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS) && SET(CURLOPT_TIMEOUT_MS, TOTAL_TIMEOUT_MS) &&
	       set_no_wait_for_resolver(easy) && SET(CURLOPT_NOSIGNAL, 1L) && SET(CURLOPT_TCP_KEEPALIVE, 1L) &&
	       SET(CURLOPT_MAXAGE_CONN, CONNECTION_IDLE_MAX_S) && SET(CURLOPT_BUFFERSIZE, 16384L) &&
	       SET(CURLOPT_NETRC, 0L) && SET(CURLOPT_USERAGENT, "pam_oidc/" PAM_OIDC_VERSION);
}

/* The least of HTTP that every issuer speaks: less to go wrong in than with HTTP/2, and nothing is decompressed. */
static bool set_http(CURL *easy)
{
	return SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) && SET(CURLOPT_HTTP09_ALLOWED, 0L) &&
	       SET(CURLOPT_HTTP_CONTENT_DECODING, 0L) && SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
}

static bool set_request(struct http_transfer *transfer, const struct http_request *request)
{
	CURL *easy = transfer->easy;

	/* An empty proxy and no_proxy keep libcurl from asking the environment. */
	return SET(CURLOPT_URL, request->url) && SET(CURLOPT_PROXY, request->proxy ? request->proxy : "") &&
	       SET(CURLOPT_NOPROXY, "") && (!request->ca_file || SET(CURLOPT_CAINFO, request->ca_file)) &&
	       (!request->ca_file || SET(CURLOPT_CAPATH, NULL)) &&
	       (!request->form || SET(CURLOPT_COPYPOSTFIELDS, request->form)) &&
	       SET(CURLOPT_HTTPHEADER, transfer->headers) && SET(CURLOPT_WRITEFUNCTION, take_body) &&
	       SET(CURLOPT_WRITEDATA, transfer) && SET(CURLOPT_HEADERFUNCTION, take_header) &&
	       SET(CURLOPT_HEADERDATA, transfer) && SET(CURLOPT_ERRORBUFFER, transfer->error) &&
	       SET(CURLOPT_PRIVATE, transfer) && SET(CURLOPT_SHARE, transfer->http->share) &&
	       SET(CURLOPT_OPENSOCKETFUNCTION, open_socket) && SET(CURLOPT_OPENSOCKETDATA, transfer->http);
}

static void free_transfer(struct http_transfer *transfer)
{
	if (transfer->easy)
		curl_easy_cleanup(transfer->easy);
	for (struct curl_slist *header = transfer->headers; header; header = header->next)
		explicit_bzero(header->data, strlen(header->data));
	curl_slist_free_all(transfer->headers);
	if (transfer->body)
		explicit_bzero(transfer->body, transfer->room);
	free(transfer->body);
	free(transfer);
}

struct http_transfer *http_start(struct http *http, const struct http_request *request, http_answered *answered,
				 void *context)
{
	struct http_transfer *transfer = calloc(1, sizeof(*transfer));

	if (!transfer)
		return NULL;
	*transfer = (struct http_transfer){ .http = http,
					    .easy = curl_easy_init(),
					    .answered = answered,
					    .context = context,
					    .max_bytes = request->max_bytes,
					    .response = { .max_age_s = -1 } };
	if (!transfer->easy || !add_headers(transfer, request) || !set_bounds(transfer->easy) ||
	    !set_tls(transfer->easy) || !set_http(transfer->easy) || !set_request(transfer, request) ||
	    !make_room(transfer, 1) || curl_multi_add_handle(http->multi, transfer->easy) != CURLM_OK) {
		free_transfer(transfer);
		return NULL;
	}
	transfer->body[0] = '\0';
	transfer->link = &http->transfers;
	transfer->next = http->transfers;
	if (transfer->next)
		transfer->next->link = &transfer->next;
	http->transfers = transfer;
	http->transfer_count++;
	return transfer;
}

void http_cancel(struct http_transfer *transfer)
{
	if (!transfer)
		return;
	*transfer->link = transfer->next;
	if (transfer->next)
		transfer->next->link = transfer->link;
	transfer->http->transfer_count--;
	(void)curl_multi_remove_handle(transfer->http->multi, transfer->easy);
	free_transfer(transfer);
}

static enum http_trouble trouble_with_certificate(CURL *easy)
{
	long verdict = X509_V_OK;

	(void)curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &verdict);
	switch (verdict) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return HTTP_TROUBLE_EXPIRED;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return HTTP_TROUBLE_NOT_YET;
	case X509_V_OK: /* libcurl compares names itself, and before it has taken the verdict: then it is the next */
	case X509_V_ERR_UNSPECIFIED:
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return HTTP_TROUBLE_HOST;
	default:
		return HTTP_TROUBLE_UNTRUSTED;
	}
}

static enum http_trouble trouble_of(CURL *easy, CURLcode result)
{
	switch (result) {
	case CURLE_OK:
		return HTTP_TROUBLE_NONE;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return HTTP_TROUBLE_NAME;
	case CURLE_COULDNT_CONNECT:
		return HTTP_TROUBLE_CONNECT;
	case CURLE_OPERATION_TIMEDOUT:
		return HTTP_TROUBLE_TIMEOUT;
	case CURLE_PEER_FAILED_VERIFICATION:
		return trouble_with_certificate(easy);
	case CURLE_SSL_CACERT_BADFILE:
		return HTTP_TROUBLE_CA_FILE;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CIPHER:
	case CURLE_USE_SSL_FAILED:
		return HTTP_TROUBLE_TLS;
	default:
		return HTTP_TROUBLE_ANSWER;
	}
}

static void finish(struct http_transfer *transfer, CURLcode result)
{
	struct http_response *response = &transfer->response;

	response->answered = result == CURLE_OK;
	response->trouble = trouble_of(transfer->easy, result);
	response->error = transfer->refused    ? transfer->refused
			  : transfer->error[0] ? transfer->error
					       : curl_easy_strerror(result);
	response->body = transfer->body;
	response->length = transfer->length;
	(void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &response->status);
	transfer->answered(transfer->context, response);
	http_cancel(transfer);
}

static void finish_done(struct http *http)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(http->multi, &left))) {
		CURLcode result = message->data.result;
		char *private = NULL;

		if (message->msg != CURLMSG_DONE ||
		    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private) != CURLE_OK || !private)
			continue;
		finish((struct http_transfer *)(void *)private, result);
	}
}

_Static_assert(CURL_WAIT_POLLIN == POLLIN && CURL_WAIT_POLLPRI == POLLPRI && CURL_WAIT_POLLOUT == POLLOUT,
	       "libcurl's events are poll's");

/* Without memory libcurl cannot wait: then what the loop watches is waited for alone, and not for long, since the
 * transfers go on with each round only. */
static bool wait_briefly(struct pollfd *fd, int timeout_ms)
{
	int ready = poll(fd, 1, timeout_ms < 0 || timeout_ms > BRIEFLY_MS ? BRIEFLY_MS : timeout_ms);

	if (ready < 0)
		fd->revents = 0;
	return ready >= 0 || errno == EINTR || errno == ENOMEM;
}

static bool wait_for_all(struct http *http, struct pollfd *fd, int timeout_ms)
{
	struct curl_waitfd wait = { .fd = fd->fd, .events = fd->events };
	CURLMcode result = curl_multi_poll(http->multi, &wait, 1, timeout_ms, NULL);

	if (result == CURLM_OUT_OF_MEMORY)
		return wait_briefly(fd, timeout_ms);
	fd->revents = wait.revents;
	return result == CURLM_OK;
}

/* What a transfer has no memory for ends that transfer; all else goes on. */
static bool perform(struct http *http, int *ret_running)
{
	CURLMcode result = curl_multi_perform(http->multi, ret_running);

	return result == CURLM_OK || result == CURLM_OUT_OF_MEMORY;
}

bool http_wait(void *context, struct pollfd *fd, int timeout_ms)
{
	struct http *http = context;
	int running = 0;

	/* Whatever the last round left there, it may be long until the next one overwrites it. */
	wiping_memory_clear_stack();
	/* What was started since the last round sends its first bytes before we wait; what ended at once is not waited
	 * for. */
	if (!perform(http, &running))
		return false;
	if (running < http->transfer_count)
		timeout_ms = 0;
	if (!wait_for_all(http, fd, timeout_ms) || !perform(http, &running))
		return false;
	byte_budget_enforce(&http->budget, over_budget, http);
	finish_done(http);
	return true;
}
