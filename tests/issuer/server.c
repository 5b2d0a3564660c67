#include "tests/issuer/server.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

#include <microhttpd.h>

#include "common/cleanup.h"
#include "tests/issuer/must.h"

#define BODY_MAX ((size_t)1 << 20)
#define CONNECTIONS_MAX 8192u
#define IDLE_TIMEOUT_S 300u
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

/* One TCP connection. */
struct client_connection {
	bool used;
	bool control;
};

/* One request and its answer. */
struct exchange {
	char *uri; /* as it was asked for, with its query */
	struct request request;
	char *body;
	size_t length;
	bool head_seen, body_too_long, answered;
	struct answer answer;
	uint64_t number;
	int64_t arrived_us, handled_us, resumed_us;
	int64_t next_byte_us; /* of a dripping body */
	struct server *server;
	/* while the answer is delayed */
	struct MHD_Connection *connection;
	int64_t wake_ms;
	struct exchange *next_delayed;
};

struct server {
	struct MHD_Daemon *daemon;
	struct provider *provider;
	struct exchange *delayed; /* soonest first */
	bool stopping;            /* nothing is delayed any more */
	bool verbose;
};

static int64_t clock_us(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void *exchange_begin(void *cls, const char *uri, struct MHD_Connection *connection)
{
	struct exchange *exchange = must(calloc(1, sizeof *exchange));

	exchange->server = cls;
	exchange->connection = connection;
	exchange->uri = must_copy(uri);
	exchange->arrived_us = clock_us(CLOCK_MONOTONIC);
	return exchange;
}

static void exchange_free(struct exchange *exchange)
{
	form_free(&exchange->request.query);
	form_free(&exchange->request.form);
	free(exchange->request.issuer);
	free(exchange->request.endpoints);
	free(exchange->request.tail);
	answer_free(&exchange->answer);
	free(exchange->body);
	free(exchange->uri);
	free(exchange);
}

static void exchange_end(void *cls, struct MHD_Connection *connection, void **context,
			 enum MHD_RequestTerminationCode code)
{
	struct server *server = cls;
	struct exchange *exchange = *context;

	(void)connection;
	if (!exchange)
		return;
	if (code == MHD_REQUEST_TERMINATED_COMPLETED_OK && exchange->answered) {
		int64_t started_us = exchange->resumed_us
					     ? exchange->resumed_us - (exchange->handled_us - exchange->arrived_us)
					     : exchange->arrived_us;

		journal_served(&server->provider->journal, exchange->number, exchange->request.endpoint,
			       clock_us(CLOCK_MONOTONIC) - started_us);
	}
	exchange_free(exchange);
	*context = NULL;
}

static void note_connection(void *cls, struct MHD_Connection *connection, void **context,
			    enum MHD_ConnectionNotificationCode code)
{
	struct journal *journal = &((struct server *)cls)->provider->journal;

	(void)connection;
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		*context = must(calloc(1, sizeof(struct client_connection)));
		journal->connections++;
		journal->open_connections++;
	} else {
		free(*context);
		*context = NULL;
		journal->open_connections--;
	}
}

/* A connection whose first request is for the control endpoint belongs to the test, not to the client under test. */
static void note_purpose(struct server *server, struct MHD_Connection *connection, bool control)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct client_connection *client = info ? info->socket_context : NULL;

	if (!client || client->used)
		return;
	client->used = true;
	client->control = control;
	if (control)
		server->provider->journal.control_connections++;
}

static bool is_loopback(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *address = info ? info->client_addr : NULL;

	if (address && address->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr) >> 24 == 127;
	if (address && address->sa_family == AF_INET6) {
		const struct in6_addr *in6 = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;

		return IN6_IS_ADDR_LOOPBACK(in6) || (IN6_IS_ADDR_V4MAPPED(in6) && in6->s6_addr[12] == 127);
	}
	return false;
}

/* Joins doubled slashes and cuts the query off, in place. Returns the query. */
static const char *split_uri(char *uri)
{
	size_t length = strcspn(uri, "?");
	char *query = uri + length + (uri[length] == '?');
	size_t out = 0;

	for (size_t i = 0; i < length; i++)
		if (uri[i] != '/' || out == 0 || uri[out - 1] != '/')
			uri[out++] = uri[i];
	uri[out] = '\0';
	return query;
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static bool is_form(const char *content_type)
{
	static const char FORM[] = "application/x-www-form-urlencoded";

	return content_type && strncasecmp(content_type, FORM, sizeof FORM - 1) == 0 &&
	       strchr("; ", content_type[sizeof FORM - 1]) != NULL;
}

static void read_request(struct exchange *exchange, struct MHD_Connection *connection, const char *method)
{
	struct request *request = &exchange->request;
	const char *query = split_uri(exchange->uri);

	request->now_ms = clock_us(CLOCK_REALTIME) / 1000;
	request->method = method;
	request->path = exchange->uri;
	request->body = exchange->body ? exchange->body : "";
	request->length = exchange->length;
	request->authorization = header(connection, "Authorization");
	request->cookie = header(connection, "Cookie");
	request->origin = header(connection, "Origin");
	request->host = header(connection, "Host");
	request->from_loopback = is_loopback(connection);
	form_parse(query, strlen(query), &request->query);
	if (!exchange->body_too_long && is_form(header(connection, "Content-Type")))
		request->form_valid = form_parse(request->body, request->length, &request->form);
}

static void keep_body(struct exchange *exchange, const char *part, size_t length)
{
	if (length > BODY_MAX - exchange->length) {
		exchange->body_too_long = true;
		return;
	}
	exchange->body = must(realloc(exchange->body, exchange->length + length + 1));
	memcpy(exchange->body + exchange->length, part, length);
	exchange->length += length;
	exchange->body[exchange->length] = '\0';
}

/* Resets the TCP connection at once: disconnecting an established socket sends RST (see connect(2), AF_UNSPEC). */
static enum MHD_Result reset_connection(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };

	if (info)
		(void)connect(info->connect_fd, &nobody, sizeof nobody);
	return MHD_NO;
}

/* Suspends the connection for a while. */
static void delay(struct exchange *exchange, int64_t delay_ms)
{
	struct exchange **place = &exchange->server->delayed;

	exchange->wake_ms = clock_us(CLOCK_MONOTONIC) / 1000 + delay_ms;
	while (*place && (*place)->wake_ms <= exchange->wake_ms)
		place = &(*place)->next_delayed;
	exchange->next_delayed = *place;
	*place = exchange;
	MHD_suspend_connection(exchange->connection);
}

/* Whether the next byte of a dripping body has to wait; if so, the connection is suspended until then. */
static bool drip(struct exchange *exchange)
{
	int64_t now_us = clock_us(CLOCK_MONOTONIC);

	if (exchange->server->stopping)
		return false;
	if (exchange->next_byte_us > now_us) {
		delay(exchange, (exchange->next_byte_us - now_us) / 1000 + 1);
		return true;
	}
	exchange->next_byte_us = now_us + (int64_t)exchange->answer.drip_ms * 1000;
	return false;
}

/* Bodies that end too early or come byte by byte. */
static ssize_t produce_body(void *cls, uint64_t position, char *buffer, size_t max)
{
	struct exchange *exchange = cls;
	const struct answer *answer = &exchange->answer;
	size_t end = answer->truncated && answer->truncate_to < answer->length ? answer->truncate_to : answer->length;
	size_t length = end - (size_t)position;

	if (position >= end)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (answer->drip_ms > 0 && drip(exchange))
		return 0;
	if (length > max)
		length = max;
	if (answer->drip_ms > 0)
		length = 1;
	memcpy(buffer, answer->body + position, length);
	return (ssize_t)length;
}

static struct MHD_Response *make_response(struct exchange *exchange)
{
	struct answer *answer = &exchange->answer;
	struct MHD_Response *response;

	if (answer->truncated || answer->drip_ms > 0)
		response = MHD_create_response_from_callback(answer->length, 4096, produce_body, exchange, NULL);
	else
		response = MHD_create_response_from_buffer(answer->length, answer->body, MHD_RESPMEM_PERSISTENT);
	must(response);
	for (size_t i = 0; i < answer->header_count; i++)
		MHD_add_response_header(response, answer->headers[i].name, answer->headers[i].value);
	return response;
}

static enum MHD_Result send_answer(struct exchange *exchange, struct MHD_Connection *connection)
{
	struct MHD_Response *response;
	enum MHD_Result result;

	if (exchange->answer.reset)
		return reset_connection(connection);
	if (!exchange->answer.body)
		answer_set_body(&exchange->answer, must_copy(""), 0);
	response = make_response(exchange);
	result = MHD_queue_response(connection, exchange->answer.status ? exchange->answer.status : 200, response);
	MHD_destroy_response(response);
	return result;
}

static void wake_delayed(struct server *server, int64_t now_ms)
{
	while (server->delayed && server->delayed->wake_ms <= now_ms) {
		struct exchange *exchange = server->delayed;

		server->delayed = exchange->next_delayed;
		exchange->resumed_us = clock_us(CLOCK_MONOTONIC);
		MHD_resume_connection(exchange->connection);
	}
}

static void handle(struct server *server, struct exchange *exchange, struct MHD_Connection *connection,
		   const char *method)
{
	read_request(exchange, connection, method);
	note_purpose(server, connection, strncmp(exchange->uri, "/_control/", 10) == 0);
	exchange->number = provider_answer(server->provider, &exchange->request, &exchange->answer);
	exchange->answered = true;
	exchange->handled_us = clock_us(CLOCK_MONOTONIC);
	if (server->verbose)
		fprintf(stderr, "issuer: %s %s -> %u\n", method, exchange->uri, exchange->answer.status);
}

/* libmicrohttpd calls this with the head, with each part of the body, at its end, and again after a delay. */
static enum MHD_Result take_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
				    const char *version, const char *part, size_t *part_length, void **context)
{
	struct server *server = cls;
	struct exchange *exchange = *context;

	(void)url, (void)version;
	if (!exchange->head_seen) {
		exchange->head_seen = true;
		return MHD_YES;
	}
	if (*part_length > 0) {
		keep_body(exchange, part, *part_length);
		*part_length = 0;
		return MHD_YES;
	}
	if (!exchange->answered) {
		handle(server, exchange, connection, method);
		if (exchange->answer.delay_ms > 0 && !server->stopping) {
			delay(exchange, exchange->answer.delay_ms);
			return MHD_YES;
		}
	}
	return send_answer(exchange, connection);
}

/* Clients that hang up during the handshake and the like: of interest to whoever asked for it only. */
__attribute__((format(printf, 2, 0))) static void log_library(void *cls, const char *format, va_list arguments)
{
	const struct server *server = cls;

	if (!server->verbose)
		return;
	fputs("issuer: libmicrohttpd: ", stderr);
	vfprintf(stderr, format, arguments);
}

struct server *server_start(int listener, const struct server_certificate *certificate, struct provider *provider,
			    bool verbose)
{
	struct server *server = must(calloc(1, sizeof *server));

	server->provider = provider;
	server->verbose = verbose;
	server->daemon = MHD_start_daemon(
		MHD_USE_TLS | MHD_USE_EPOLL | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL,
		take_request, server, MHD_OPTION_EXTERNAL_LOGGER, log_library, server, MHD_OPTION_LISTEN_SOCKET,
		listener, MHD_OPTION_HTTPS_MEM_KEY, certificate->key_pem, MHD_OPTION_HTTPS_MEM_CERT,
		certificate->certificate_pem, MHD_OPTION_HTTPS_PRIORITIES, TLS_PRIORITIES, MHD_OPTION_CONNECTION_LIMIT,
		CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_TIMEOUT_S, MHD_OPTION_URI_LOG_CALLBACK,
		exchange_begin, server, MHD_OPTION_NOTIFY_COMPLETED, exchange_end, server, MHD_OPTION_NOTIFY_CONNECTION,
		note_connection, server, MHD_OPTION_END);
	if (!server->daemon) {
		free(server);
		return NULL;
	}
	return server;
}

static int poll_timeout(const struct server *server)
{
	MHD_UNSIGNED_LONG_LONG library_ms = 0;
	int64_t timeout = -1;

	if (MHD_get_timeout(server->daemon, &library_ms) == MHD_YES)
		timeout = library_ms < 60000 ? (int64_t)library_ms : 60000;
	if (server->delayed) {
		int64_t left = server->delayed->wake_ms - clock_us(CLOCK_MONOTONIC) / 1000;

		if (left < 0)
			left = 0;
		if (timeout < 0 || left < timeout)
			timeout = left;
	}
	return (int)(timeout > 60000 ? 60000 : timeout);
}

void server_run(struct server *server, int stop_fd)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	struct pollfd watched[] = { { .fd = info->epoll_fd, .events = POLLIN }, { .fd = stop_fd, .events = POLLIN } };

	for (;;) {
		(void)poll(watched, 2, poll_timeout(server));
		if (watched[1].revents)
			return;
		wake_delayed(server, clock_us(CLOCK_MONOTONIC) / 1000);
		MHD_run(server->daemon);
	}
}

void server_free(struct server *server)
{
	if (!server)
		return;
	server->stopping = true;
	wake_delayed(server, INT64_MAX);
	MHD_run(server->daemon);
	MHD_stop_daemon(server->daemon);
	free(server);
}
