/*
 * One poll(2) loop. Connections are small: messages are received into, and answers built in, two buffers that all
 * share.
 */
#include "provisiond/server.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/listen.h"

#define ATTACHMENTS_MAX 8
#define NEVER INT64_MAX
#define ACCEPT_PAUSE_MS 100 /* when the process is out of descriptors */
#define ACCEPTS_IN_A_ROW 64
#define MESSAGES_IN_A_ROW 64 /* of a stream, before others get their turn */
#define HANG_UP_MS 20        /* how late a hang-up is heard while a question is under way */
#define ENDED_IN_A_ROW 64    /* closed together */

struct packet {
	size_t length;
	char bytes[];
};

struct connection {
	struct connection *next;
	int fd;
	bool ended; /* freed at the end of the round */
	struct ucred peer;
	struct question *question; /* under way, or NULL */
	int64_t deadline_ms;
	struct packet *unsent;         /* an answer that the peer has no room for, or NULL */
	struct question_stream stream; /* next is NULL when there is none */
};

struct question {
	struct server *server;
	struct connection *connection; /* NULL once it has ended */
	struct ucred peer;
};

struct server {
	int listener;
	bool stopped;
	struct server_limits limits;
	uid_t privileged_user;
	question_handler *handler;
	void *context;
	struct server_attachment attachments[ATTACHMENTS_MAX];
	size_t attachment_count;
	struct connection *connections;
	unsigned connection_count;
	int64_t accept_from_ms;
	int64_t look_from_ms;     /* for peers that hang up while their question is under way */
	bool looking;             /* this time */
	struct pollfd *polled;    /* listener, attachments, connections in the list's order */
	int left[ENDED_IN_A_ROW]; /* of connections that have ended, to be closed */
	size_t left_count;
	char received[WIRE_MAX];
	char answer[WIRE_MAX];
};

struct server *server_new(int listener, const struct server_limits *limits, question_handler *handler, void *context)
{
	struct server *server = calloc(1, sizeof(*server));

	if (server)
		server->polled = calloc(1 + ATTACHMENTS_MAX + limits->connections, sizeof(*server->polled));
	if (!server || !server->polled) {
		free(server);
		(void)close(listener);
		return NULL;
	}
	server->listener = listener;
	server->limits = *limits;
	server->handler = handler;
	server->context = context;
	server->privileged_user = (uid_t)-1;
	return server;
}

void server_set_privileged_user(struct server *server, uid_t uid)
{
	server->privileged_user = uid;
}

void server_attach(struct server *server, const struct server_attachment *attachment)
{
	if (server->attachment_count < ATTACHMENTS_MAX)
		server->attachments[server->attachment_count++] = *attachment;
}

void server_stop(struct server *server)
{
	server->stopped = true;
}

/* ---- connections ---- */

static void end_stream(struct connection *connection)
{
	struct question_stream stream = connection->stream;

	connection->stream = (struct question_stream){ 0 };
	if (stream.done)
		stream.done(stream.context);
}

/* There may be a ticket in it. Takes NULL. */
static void free_packet(struct packet *packet)
{
	if (packet)
		explicit_bzero(packet->bytes, packet->length);
	free(packet);
}

/* For close_ended(). */
static void leave(struct server *server, int fd)
{
	if (server->left_count < ENDED_IN_A_ROW)
		server->left[server->left_count++] = fd;
	else
		peer_close(fd);
}

/* Closes all that ended in this round: together, and after those were answered who wait. */
static void close_ended(struct server *server)
{
	peers_close(server->left, server->left_count);
	server->left_count = 0;
}

/* It is closed at the end of the round; its place is free, and its memory goes, before that. */
static void end_connection(struct server *server, struct connection *connection)
{
	if (connection->ended)
		return;
	connection->ended = true;
	leave(server, connection->fd);
	if (connection->question)
		connection->question->connection = NULL;
	end_stream(connection);
	free_packet(connection->unsent);
	connection->unsent = NULL;
}

static void free_ended(struct server *server)
{
	struct connection **link = &server->connections;

	while (*link) {
		struct connection *connection = *link;

		if (!connection->ended) {
			link = &connection->next;
			continue;
		}
		*link = connection->next;
		server->connection_count--;
		free(connection);
	}
}

void server_hang_up(struct server *server)
{
	for (struct connection *connection = server->connections; connection; connection = connection->next)
		end_connection(server, connection);
	close_ended(server);
}

void server_free(struct server *server)
{
	if (!server)
		return;
	server_hang_up(server);
	free_ended(server);
	peer_close(server->listener);
	explicit_bzero(server->received, sizeof(server->received));
	explicit_bzero(server->answer, sizeof(server->answer));
	free(server->polled);
	free(server);
}

static bool is_others(const struct server *server, const struct connection *connection)
{
	return !connection->ended && connection->peer.uid != 0 && connection->peer.uid != server->privileged_user;
}

/* Ends the connection of other users that has waited longest for a question. Whoever holds many, under however many
 * uids, so makes room for who has something to ask. False when all of them are busy. */
static bool make_room(struct server *server)
{
	struct connection *idle = NULL;

	for (struct connection *open = server->connections; open; open = open->next)
		if (is_others(server, open) && !open->question && !open->unsent && !open->stream.next &&
		    (!idle || open->deadline_ms <= idle->deadline_ms))
			idle = open;
	if (idle)
		end_connection(server, idle);
	return idle != NULL;
}

static bool has_place(struct server *server, uid_t uid)
{
	const struct server_limits *limits = &server->limits;
	unsigned own = 0, others = 0;

	if (server->connection_count >= limits->connections)
		return false;
	if (uid == 0)
		return true;
	for (const struct connection *open = server->connections; open; open = open->next) {
		own += !open->ended && open->peer.uid == uid;
		others += is_others(server, open);
	}
	if (uid == server->privileged_user)
		return own < limits->of_privileged_user;
	return own < limits->of_other_user && (others < limits->of_all_other_users || make_room(server));
}

/* Takes the descriptor over. */
static void add_connection(struct server *server, int fd, const struct ucred *peer, int64_t now_ms)
{
	struct connection *connection = has_place(server, peer->uid) ? calloc(1, sizeof(*connection)) : NULL;

	if (!connection) {
		peer_close(fd);
		return;
	}
	*connection = (struct connection){
		.next = server->connections,
		.fd = fd,
		.peer = *peer,
		.deadline_ms = now_ms + server->limits.silence_ms,
	};
	server->connections = connection;
	server->connection_count++;
}

/* ---- sending ---- */

static struct packet *copy_packet(const struct wire_writer *message)
{
	struct packet *packet = malloc(sizeof(*packet) + message->length);

	if (packet) {
		packet->length = message->length;
		memcpy(packet->bytes, message->buffer, message->length);
	}
	return packet;
}

/* -fanalyzer of GCC 12 loses sight of memory that an element of a list holds. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif

/* Sends, or keeps a copy until the peer has room. False when the connection has ended. */
static bool send_or_keep(struct server *server, struct connection *connection, const struct wire_writer *message)
{
	int sent = wire_send(connection->fd, message, 0);

	connection->deadline_ms = wire_now_ms() + server->limits.silence_ms;
	if (sent == 0)
		return true;
	if (sent == -ETIMEDOUT)
		connection->unsent = copy_packet(message);
	if (!connection->unsent)
		end_connection(server, connection);
	return !connection->ended;
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

static void pump_stream(struct server *server, struct connection *connection)
{
	for (int i = 0; i < MESSAGES_IN_A_ROW && connection->stream.next && !connection->unsent; i++) {
		struct wire_writer message = { .buffer = server->answer, .capacity = WIRE_MAX };
		bool last = false;

		if (!connection->stream.next(connection->stream.context, &message, &last)) {
			end_connection(server, connection);
			return;
		}
		if (last)
			end_stream(connection);
		if (!send_or_keep(server, connection, &message))
			return;
	}
}

/* The peer may have room again. False when it has none, or the connection has ended. */
static bool send_unsent(struct server *server, struct connection *connection)
{
	const struct wire_writer message = { .buffer = connection->unsent->bytes,
					     .length = connection->unsent->length };
	int sent = wire_send(connection->fd, &message, 0);

	if (sent == 0) {
		connection->deadline_ms = wire_now_ms() + server->limits.silence_ms;
		free_packet(connection->unsent);
		connection->unsent = NULL;
	} else if (sent != -ETIMEDOUT) {
		end_connection(server, connection);
	}
	return sent == 0;
}

static void send_more(struct server *server, struct connection *connection)
{
	if (!connection->unsent || send_unsent(server, connection))
		pump_stream(server, connection);
}

/* ---- questions ---- */

const struct ucred *question_peer(const struct question *question)
{
	return &question->peer;
}

bool question_abandoned(const struct question *question)
{
	struct pollfd peer = { .events = POLLRDHUP };

	if (!question->connection)
		return true;
	/* The loop may not have come to see it yet. */
	peer.fd = question->connection->fd;
	return poll(&peer, 1, 0) > 0 && (peer.revents & (POLLHUP | POLLERR | POLLRDHUP));
}

void question_begin_answer(struct question *question, struct wire_writer *ret_writer, const char *status)
{
	wire_begin(ret_writer, question->server->answer, WIRE_MAX, "status", status);
}

/* Frees the question; returns its connection when that is still there. */
static struct connection *end_question(struct question *question)
{
	struct connection *connection = question->connection;

	if (connection)
		connection->question = NULL;
	free(question);
	return connection;
}

void question_send(struct question *question, const struct wire_writer *answer)
{
	struct server *server = question->server;
	struct connection *connection = end_question(question);

	if (connection)
		(void)send_or_keep(server, connection, answer);
	explicit_bzero(answer->buffer, answer->length);
}

void question_stream(struct question *question, const struct question_stream *stream)
{
	struct server *server = question->server;
	struct connection *connection = end_question(question);

	if (!connection) {
		stream->done(stream->context);
		return;
	}
	connection->stream = *stream;
	pump_stream(server, connection);
}

void question_drop(struct question *question)
{
	struct server *server = question->server;
	struct connection *connection = end_question(question);

	if (connection)
		end_connection(server, connection);
}

static void receive_question(struct server *server, struct connection *connection)
{
	ssize_t n = peer_receive(connection->fd, server->received, sizeof(server->received));
	struct wire_message message;
	struct question *question;

	if (n == -EAGAIN)
		return;
	if (n <= 0 || !wire_parse(server->received, (size_t)n, &message)) {
		end_connection(server, connection);
		return;
	}
	question = calloc(1, sizeof(*question));
	if (!question) {
		end_connection(server, connection);
		return;
	}
	*question = (struct question){ .server = server, .connection = connection, .peer = connection->peer };
	connection->question = question;
	connection->deadline_ms = NEVER;
	server->handler(server->context, question, &message);
	/* There may have been a ticket in it. */
	explicit_bzero(server->received, (size_t)n);
}

static void accept_waiting(struct server *server, int64_t now_ms)
{
	for (int i = 0; i < ACCEPTS_IN_A_ROW; i++) {
		struct ucred peer;
		int fd = listen_accept(server->listener, &peer);

		if (fd >= 0) {
			add_connection(server, fd, &peer, now_ms);
			continue;
		}
		/* Without descriptors the waiting connection would wake the loop again and again. */
		if (fd != -EAGAIN && fd != -ECONNABORTED && fd != -EINTR)
			server->accept_from_ms = now_ms + ACCEPT_PAUSE_MS;
		return;
	}
}

/* Who connects has mostly asked by the time that it is accepted: that question need not wait for the next round. It is
 * answered once nobody is accepted any more: who then goes and comes again has the place that it had. */
static void accept_all(struct server *server, int64_t now_ms)
{
	const struct connection *known = server->connections;

	accept_waiting(server, now_ms);
	for (struct connection *fresh = server->connections; fresh != known; fresh = fresh->next)
		if (!fresh->ended)
			receive_question(server, fresh);
}

/* ---- the loop ---- */

static bool is_under_way(const struct connection *connection)
{
	return connection->question && !connection->unsent && !connection->stream.next;
}

static struct pollfd polled(const struct server *server, const struct connection *connection)
{
	bool sending = connection->unsent || connection->stream.next;

	/* Under way: only to hear that the peer has gone. */
	if (is_under_way(connection))
		return (struct pollfd){ .fd = server->looking ? connection->fd : -1 };
	return (struct pollfd){ .fd = connection->fd, .events = sending ? POLLOUT : POLLIN };
}

/* The kernel asks each of them anew each time: when many questions are under way, one at a time of which is answered,
 * those are left out that nothing can be read from, for a moment. */
static size_t fill_polled(struct server *server, int64_t now_ms)
{
	size_t n = 0;

	server->looking = now_ms >= server->look_from_ms;
	if (server->looking)
		server->look_from_ms = now_ms + HANG_UP_MS;
	server->polled[n++] = (struct pollfd){
		.fd = now_ms >= server->accept_from_ms ? server->listener : -1,
		.events = POLLIN,
	};
	for (size_t i = 0; i < server->attachment_count; i++)
		server->polled[n++] = (struct pollfd){ .fd = server->attachments[i].fd, .events = POLLIN };
	for (const struct connection *open = server->connections; open; open = open->next)
		server->polled[n++] = polled(server, open);
	return n;
}

static int64_t earlier(int64_t one, int64_t other)
{
	return one < other ? one : other;
}

static int64_t attachment_deadline(const struct server_attachment *attachment)
{
	int64_t deadline_ms = attachment->deadline_ms ? attachment->deadline_ms(attachment->context) : -1;

	return deadline_ms < 0 ? NEVER : deadline_ms;
}

static int wait_ms(const struct server *server, int64_t now_ms)
{
	int64_t first = now_ms < server->accept_from_ms ? server->accept_from_ms : NEVER;

	for (size_t i = 0; i < server->attachment_count; i++)
		first = earlier(first, attachment_deadline(&server->attachments[i]));
	for (const struct connection *open = server->connections; open; open = open->next)
		first = earlier(first,
				is_under_way(open) && !server->looking ? server->look_from_ms : open->deadline_ms);
	if (first == NEVER)
		return -1;
	return first <= now_ms ? 0 : first - now_ms > INT_MAX ? INT_MAX : (int)(first - now_ms);
}

static void serve_connection(struct server *server, struct connection *connection, short ready, int64_t now_ms)
{
	if (connection->ended)
		return;
	if (ready & POLLIN)
		receive_question(server, connection);
	else if ((ready & POLLOUT) && now_ms < connection->deadline_ms)
		send_more(server, connection);
	else if (ready || now_ms >= connection->deadline_ms)
		end_connection(server, connection);
}

/* Serves all that was ready: what is asked first, so that work which was asked for at the same time is done together.
 * Connections that are accepted meanwhile are served their first question alone. */
static void serve_round(struct server *server)
{
	int64_t now_ms = wire_now_ms();
	struct connection *connection = server->connections;
	const struct pollfd *attached = server->polled + 1, *ready = attached + server->attachment_count;

	for (; connection; connection = connection->next, ready++)
		serve_connection(server, connection, ready->revents, now_ms);
	for (size_t i = 0; i < server->attachment_count; i++)
		if (attached[i].revents || now_ms >= attachment_deadline(&server->attachments[i]))
			server->attachments[i].run(server->attachments[i].context, now_ms);
	/* First, so that who comes has the places of those who have gone. */
	free_ended(server);
	if (server->polled[0].revents)
		accept_all(server, now_ms);
	free_ended(server);
}

int server_run(struct server *server)
{
	while (!server->stopped) {
		int64_t now_ms = wire_now_ms();
		size_t count = fill_polled(server, now_ms);

		if (poll(server->polled, count, wait_ms(server, now_ms)) < 0) {
			if (errno != EINTR)
				return -errno;
			continue;
		}
		serve_round(server);
		close_ended(server);
	}
	return 0;
}
