/*
 * The loop of provisiond: its connections, their deadlines and limits, and whatever else waits for a descriptor or a
 * time. Knows packets, not what they ask (see requests.h).
 *
 * Every connection has at most one question under way. A peer that says nothing, does not read its answers or sends
 * what is no message is disconnected. Other users' connections can never use up the places of root and of pam_oidcd; of
 * theirs, the one that has been silent longest gives way to the next.
 */
#ifndef PROVISIOND_SERVER_H
#define PROVISIOND_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/wire.h"

struct server;
struct question; /* one question on one connection; whoever has it must end it */

/* Called for each message, which lives during the call. The question is ended then or later, once, by question_send(),
 * question_stream() or question_drop(). */
typedef void question_handler(void *context, struct question *question, const struct wire_message *message);

struct server_limits {
	unsigned connections;        /* in all */
	unsigned of_privileged_user; /* of pam_oidcd's uid */
	unsigned of_other_user;      /* of one uid that is neither root nor pam_oidcd's */
	unsigned of_all_other_users;
	int64_t silence_ms; /* until a peer that neither asks nor reads is dropped */
};

/* Takes the listening socket over. NULL without memory; the socket is closed then too. */
struct server *server_new(int listener, const struct server_limits *limits, question_handler *handler, void *context);
/* Hangs up on everybody, so that whoever is answered from now on hears nothing and asks the next daemon instead. */
void server_hang_up(struct server *server);
/* Closes all. No question may be under way any more. Takes NULL. */
void server_free(struct server *server);
/* pam_oidcd's uid. Connections that are open stay. */
void server_set_privileged_user(struct server *server, uid_t uid);

/* Something else for the loop to wait for. `fd` (-1: none) is polled for reading; deadline_ms() says when to run at the
 * latest (wire_now_ms(); -1: no need). run() is called when either is due, and must not block. */
struct server_attachment {
	int fd;
	int64_t (*deadline_ms)(void *context);
	void (*run)(void *context, int64_t now_ms);
	void *context;
};

/* Up to 8 of them. */
void server_attach(struct server *server, const struct server_attachment *attachment);

/* Runs until server_stop(). 0, or -errno when the loop itself failed. */
int server_run(struct server *server);
void server_stop(struct server *server);

/* Who asks. */
const struct ucred *question_peer(const struct question *question);
/* Whether the peer has gone meanwhile; nobody reads an answer then. */
bool question_abandoned(const struct question *question);

/* A buffer for one answer, the server's own: it lives until the next call of this function. */
void question_begin_answer(struct question *question, struct wire_writer *ret_writer, const char *status);
/* Sends the answer and ends the question; more questions may follow on the connection. An answer that did not fit drops
 * it. */
void question_send(struct question *question, const struct wire_writer *answer);
/* Ends the question and the connection, without an answer. */
void question_drop(struct question *question);

/* An answer of many messages, each made when there is room for it. next() builds one and says whether it is the last;
 * false ends the connection. done() is called once, when the stream is over or the peer has gone. */
struct question_stream {
	bool (*next)(void *context, struct wire_writer *writer, bool *ret_last);
	void (*done)(void *context);
	void *context;
};

/* Sends the stream and ends the question. */
void question_stream(struct question *question, const struct question_stream *stream);

#endif
