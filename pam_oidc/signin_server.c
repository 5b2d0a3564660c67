/*
 * Accepts connections, keeps their number in bounds, and hands each request to its handler. See signin_server.h.
 */
#include "pam_oidc/signin_server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/listen.h"
#include "common/log.h"
#include "pam_oidc/signin_connection.h"

#define REQUEST_MAX 4096 /* no request is longer; more ends the connection */
#define TOKENS_REMEMBERED 65536
#define CONNECTIONS_SPARE 128     /* besides those that wait: questions, and callers about to be told no */
#define CONNECTIONS_PER_UID 16    /* of one uid that is not root */
#define CONNECTIONS_OF_OTHERS 128 /* of all of them; besides root's */
#define ACCEPTS_IN_A_ROW 64
#define ACCEPT_PAUSE_MS 100 /* when the process is out of descriptors */

enum who { ANYBODY, ROOT };

static const struct request {
	const char *op;
	enum who who;
	bool in_signin; /* only on a connection that has a sign-in, or only on one that has none */
	connection_handler *handle;
} requests[] = {
	/* clang-format off */
	{ "login", ANYBODY, false, handle_login },
	{ "continue", ANYBODY, true, handle_continue },
	{ "ready", ANYBODY, true, handle_ready },
	{ "park", ROOT, true, handle_park },
	{ "pending", ROOT, false, handle_pending },
	{ "cancel", ROOT, false, handle_cancel },
	{ "check", ROOT, false, handle_check },
	/* clang-format on */
};

static void dispatch(struct connection *connection, const struct wire_message *message)
{
	const char *op = wire_kind(message, "op");

	for (size_t i = 0; op && i < sizeof(requests) / sizeof(requests[0]); i++) {
		const struct request *request = &requests[i];

		if (strcmp(request->op, op) != 0 || request->in_signin != (connection->signin != NULL) ||
		    connection->dry_run || (request->who == ROOT && connection->peer.uid != 0))
			continue;
		request->handle(connection, message);
		return;
	}
	peer_complain(&connection->peer, "it asks for what is not its to ask");
	connection_close(connection);
}

static void connection_ready(void *context, short revents)
{
	struct connection *connection = context;
	char buffer[REQUEST_MAX];
	struct wire_message message;
	ssize_t n = peer_receive(connection->fd, buffer, sizeof(buffer));

	(void)revents;
	if (n == -EAGAIN)
		return;
	if (n > 0 && wire_parse(buffer, (size_t)n, &message)) {
		dispatch(connection, &message);
		return;
	}
	if (n == 0 || n == -ECONNRESET) {
		connection_hung_up(connection);
		return;
	}
	peer_complain(&connection->peer, "it sent what is no message");
	connection_close(connection);
}

/* Closes the oldest connection of others than root that has asked for nothing yet: whoever holds many, under however
 * many uids, makes room for who has something to ask. False when there is none. */
static bool make_room(struct signin_server *server)
{
	struct connection *oldest = NULL;

	for (struct connection *open = server->connections; open; open = open->next)
		if (open->fd >= 0 && open->peer.uid != 0 && !open->signin)
			oldest = open;
	if (oldest)
		connection_close(oldest);
	return oldest != NULL;
}

/* Others than root have places of their own, and each of them some. Whoever has subordinate uids has many of them. */
static bool has_place(struct signin_server *server, uid_t uid)
{
	size_t places = (size_t)realm_config(server->realm)->login.max_pending + CONSOLE_PLACES + LOCAL_PLACES +
			CONNECTIONS_SPARE;
	size_t own = 0, roots = 0, others = 0;

	for (const struct connection *open = server->connections; open; open = open->next) {
		bool is_roots = open->fd < 0 || open->peer.uid == 0;

		roots += is_roots;
		others += !is_roots;
		own += !is_roots && open->peer.uid == uid;
	}
	if (uid != 0)
		return own < CONNECTIONS_PER_UID && (others < CONNECTIONS_OF_OTHERS || make_room(server));
	return roots < places;
}

/* Anybody can connect again and again while memory is short. */
static void tell_unwatched(int error)
{
	static struct complaints complaints;
	unsigned left_out;

	if (complaints_allow(&complaints, wire_now_ms(), &left_out))
		log_error("cannot wait for what a connection asks: %s",
			  error == ENOSPC ? "fs.epoll.max_user_watches is reached" : strerror(error));
}

static void add_connection(struct signin_server *server, int fd, const struct ucred *peer)
{
	struct connection *connection = calloc(1, sizeof(*connection));

	if (!connection) {
		peer_close(fd);
		return;
	}
	*connection = (struct connection){ .server = server, .fd = fd, .peer = *peer, .link = &server->connections };
	connection->next = server->connections;
	if (connection->next)
		connection->next->link = &connection->next;
	server->connections = connection;
	connection->watch = loop_watch(server->loop, fd, POLLIN, connection_ready, connection);
	if (connection->watch && loop_set_timer(server->loop, &connection->timer, wire_now_ms() + REQUEST_TIMEOUT_MS,
						connection_timed_out, connection))
		return;
	tell_unwatched(errno);
	connection_close(connection);
}

static void listener_ready(void *context, short revents);

static void accept_again(void *context)
{
	struct signin_server *server = context;

	server->watch = loop_watch(server->loop, server->listener, POLLIN, listener_ready, server);
	if (!server->watch)
		(void)loop_set_timer(server->loop, &server->pause, wire_now_ms() + ACCEPT_PAUSE_MS, accept_again,
				     server);
}

/* The connection that cannot be taken would wake the loop again and again. */
static void pause_accepting(struct signin_server *server)
{
	if (!loop_set_timer(server->loop, &server->pause, wire_now_ms() + ACCEPT_PAUSE_MS, accept_again, server))
		return;
	loop_unwatch(server->loop, server->watch);
	server->watch = NULL;
}

/* False when there is none, or none can be taken. */
static bool accept_one(struct signin_server *server)
{
	struct ucred peer;
	int fd = listen_accept(server->listener, &peer);

	if (fd == -EINTR || fd == -ECONNABORTED)
		return true;
	if (fd < 0) {
		if (fd != -EAGAIN) {
			log_error("cannot accept a connection: %s", strerror(-fd));
			pause_accepting(server);
		}
		return false;
	}
	if (has_place(server, peer.uid)) {
		add_connection(server, fd, &peer);
		return true;
	}
	peer_complain(&peer, "too many connections");
	peer_close(fd);
	return true;
}

/* Some at once: who comes and goes quickly must not keep others waiting in the queue. */
static void listener_ready(void *context, short revents)
{
	struct signin_server *server = context;

	(void)revents;
	for (int i = 0; i < ACCEPTS_IN_A_ROW; i++)
		if (!accept_one(server))
			return;
}

struct signin_server *signin_server_create(struct loop *loop, struct http *http, int listener, struct realm *realm)
{
	struct signin_server *server = calloc(1, sizeof(*server));

	if (!server) {
		cleanup_fd(&listener);
		return NULL;
	}
	*server = (struct signin_server){
		.loop = loop,
		.http = http,
		.realm = realm_ref(realm),
		.listener = listener,
		.starts = starts_create(),
		.around = { .loop = loop,
			    .replay = replay_create(TOKENS_REMEMBERED),
			    .refusals = refusals_create(loop) },
	};
	if (gethostname(server->host, sizeof(server->host) - 1) != 0)
		(void)snprintf(server->host, sizeof(server->host), "this machine");
	server->watch = loop_watch(loop, listener, POLLIN, listener_ready, server);
	if (!server->starts || !server->around.replay || !server->around.refusals || !server->watch) {
		signin_server_free(server);
		return NULL;
	}
	return server;
}

void signin_server_stop(struct signin_server *server)
{
	unsigned told = 0;

	for (struct connection *connection = server->connections, *next; connection; connection = next) {
		struct signin_end end = { .reason = REASON_RESTARTED, .text = reason_sentence(REASON_RESTARTED) };

		next = connection->next;
		/* What is parked is asked for anew by the client's next attempt. */
		if (!connection->signin || connection->fd < 0 || !signin_was_seen(connection->signin))
			continue;
		end.password_instead = signin_state(connection->signin) == SIGNIN_CHOICE;
		told++;
		application_signin_ended(connection, &end);
	}
	if (told > 0)
		log_notice("stopping: %u sign-in(s) that waited were told to start again", told);
}

void signin_server_free(struct signin_server *server)
{
	if (!server)
		return;
	while (server->connections)
		connection_close(server->connections);
	loop_unwatch(server->loop, server->watch);
	loop_clear_timer(server->loop, &server->pause);
	peer_close(server->listener);
	starts_free(server->starts);
	replay_free(server->around.replay);
	refusals_free(server->around.refusals);
	realm_unref(server->realm);
	free(server);
}

void signin_server_use_realm(struct signin_server *server, struct realm *realm)
{
	realm_unref(server->realm);
	server->realm = realm_ref(realm);
	for (struct connection *connection = server->connections; connection; connection = connection->next)
		if (connection->signin)
			signin_use_realm(connection->signin, realm);
}
