/*
 * The inside of the sign-in server, shared by the files that serve its connections and by nobody else: connections, and
 * the handlers of the request table.
 *
 *     signin_server.c        who gets a connection, and the request table
 *     signin_connection.c    a connection's life
 *     signin_application.c   sign-ins of applications, and what they are told
 *     signin_questions.c     root's questions about them
 */
#ifndef PAM_OIDC_SIGNIN_CONNECTION_H
#define PAM_OIDC_SIGNIN_CONNECTION_H

#include <stddef.h>
#include <sys/socket.h>

#include "common/reason.h"
#include "common/wire.h"
#include "pam_oidc/dry_run.h"
#include "pam_oidc/http.h"
#include "pam_oidc/limits.h"
#include "pam_oidc/loop.h"
#include "pam_oidc/qr.h"
#include "pam_oidc/signin.h"

#define REQUEST_TIMEOUT_MS 5000 /* for a connection that says nothing */
#define TOLD_REMEMBERED 64
#define PARENT_MAX 64

struct connection {
	struct signin_server *server;
	struct connection *next, **link;
	int fd;
	struct ucred peer;
	struct loop_watch *watch;
	struct loop_timer timer; /* for the request; while parked, until it is given up */
	struct signin *signin;   /* NULL: none */
	struct origin origin;
	struct dry_run *dry_run;
	enum qr_style qr;
	unsigned long id;
	char parent[PARENT_MAX]; /* the sshd that asks, "" for others */
};

/* What an sshd was told last, so that its client's retries do not repeat it. */
struct told {
	char parent[PARENT_MAX];
	enum reason reason;
};

struct signin_server {
	struct loop *loop;
	struct http *http;
	struct realm *realm;
	struct signin_surroundings around;
	struct starts *starts;
	int listener;
	struct loop_watch *watch;
	struct loop_timer pause;        /* until it accepts again */
	struct connection *connections; /* newest first; parked ones have fd -1 */
	unsigned long last_id;
	struct told told[TOLD_REMEMBERED];
	size_t next_told;
	char host[256];
};

/* Frees it and all that hangs on it: its sign-in is cancelled. */
void connection_close(struct connection *connection);
/* The same, for a timer. The context is the connection. */
void connection_timed_out(void *connection);
/* The caller has hung up: says so in the log where somebody was waiting, and frees it. */
void connection_hung_up(struct connection *connection);
/* Sends; a caller that does not take its answer is disconnected. False when the connection is gone. */
bool connection_send(struct connection *connection, const struct wire_writer *writer);
/* The same for an answer that is nothing but its status. */
bool connection_send_status(struct connection *connection, const char *status);

/* Each may close the connection. */
typedef void connection_handler(struct connection *connection, const struct wire_message *request);

connection_handler handle_login;    /* these in signin_application.c */
connection_handler handle_continue; /* the person wants Okta, not the password */
connection_handler handle_ready;    /* the person has pressed Enter */
connection_handler handle_park;     /* the next attempt will wait on */
connection_handler handle_pending;  /* these in signin_questions.c */
connection_handler handle_cancel;
connection_handler handle_check;

/* Ends a sign-in from outside, as if it had ended by itself. */
void application_signin_ended(struct connection *connection, const struct signin_end *end);

#endif
