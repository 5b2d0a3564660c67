/*
 * Serves connections: one request each from the table below, sign-ins with their events sent back, sign-ins parked
 * between two attempts of one sshd. See signin_server.h.
 */
#include "pam_oidc/signin_server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/listen.h"
#include "common/log.h"
#include "common/wire.h"
#include "pam_oidc/dry_run.h"
#include "pam_oidc/limits.h"
#include "pam_oidc/qr.h"
#include "pam_oidc/replay.h"
#include "pam_oidc/signin.h"
#include "pam_oidc/wiping_memory.h"

#define REQUEST_MAX 4096        /* no request is longer; more ends the connection */
#define REQUEST_TIMEOUT_MS 5000 /* for a connection that says nothing */
#define PARKED_MAX_MS 10000     /* between two attempts; every OpenSSH client comes back at once */
#define TIMEOUT_MAX_S 1800
#define TOKENS_REMEMBERED 65536
#define CONNECTIONS_SPARE 128     /* besides those that wait: questions, and callers about to be told no */
#define CONNECTIONS_PER_UID 16    /* of one uid that is not root */
#define CONNECTIONS_OF_OTHERS 128 /* of all of them; besides root's */
#define ACCEPTS_IN_A_ROW 64
#define ACCEPT_PAUSE_MS 100 /* when the process is out of descriptors */
#define SERVICE_MAX 64      /* as PAM services are named */
#define TOLD_REMEMBERED 64
#define PARENT_MAX 64
#define LIST_PATIENCE_MS 20

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

typedef void handler(struct connection *connection, const struct wire_message *request);

static void close_connection(struct connection *connection)
{
	struct signin_server *server = connection->server;

	signin_free(connection->signin);
	dry_run_cancel(connection->dry_run);
	loop_unwatch(server->loop, connection->watch);
	loop_clear_timer(server->loop, &connection->timer);
	peer_close(connection->fd);
	*connection->link = connection->next;
	if (connection->next)
		connection->next->link = connection->link;
	free(connection);
}

static void timed_out(void *context)
{
	close_connection(context);
}

/* Sends; a caller that does not take its answer is disconnected. False when the connection is gone. */
static bool send_or_close(struct connection *connection, const struct wire_writer *writer)
{
	/* A long list can fill the socket; root, who alone gets one, is given a moment to read. */
	int64_t patience_ms = connection->peer.uid == 0 ? LIST_PATIENCE_MS : 0;
	int sent = wire_send(connection->fd, writer, wire_now_ms() + patience_ms);

	if (sent == 0)
		return true;
	peer_complain(&connection->peer, "it does not take its answer");
	close_connection(connection);
	return false;
}

static bool send_status(struct connection *connection, const char *status)
{
	char buffer[64];
	struct wire_writer writer;

	wire_begin(&writer, buffer, sizeof(buffer), "status", status);
	return send_or_close(connection, &writer);
}

/* --- sign-ins --- */

/* True when this sshd was told the same before; remembers it otherwise. */
static bool told_before(struct signin_server *server, const char *parent, enum reason reason)
{
	struct told *next = &server->told[server->next_told];

	if (parent[0] == '\0')
		return false;
	for (size_t i = 0; i < TOLD_REMEMBERED; i++)
		if (server->told[i].reason == reason && strcmp(server->told[i].parent, parent) == 0)
			return true;
	(void)snprintf(next->parent, sizeof(next->parent), "%s", parent);
	next->reason = reason;
	server->next_told = (server->next_told + 1) % TOLD_REMEMBERED;
	return false;
}

static void send_show(struct connection *connection, bool resumed)
{
	const struct device_authorization *authorization = signin_authorization(connection->signin);
	_cleanup_wiping_ char *buffer = malloc(WIRE_MAX);
	_cleanup_wiping_ char *qr = qr_text(authorization->verification_uri_complete, connection->qr);
	struct wire_writer writer;

	if (!buffer) {
		close_connection(connection);
		return;
	}
	wire_begin(&writer, buffer, WIRE_MAX, "status", "show");
	wire_put(&writer, "url", authorization->verification_uri);
	wire_put(&writer, "complete", authorization->verification_uri_complete);
	wire_put(&writer, "code", authorization->user_code);
	wire_put_number(&writer, "expires_in", (signin_ends_ms(connection->signin) - wire_now_ms()) / 1000);
	wire_put(&writer, "tenant", signin_tenant(connection->signin));
	wire_put(&writer, "host", connection->server->host);
	wire_put(&writer, "resumed", resumed ? "1" : "0");
	wire_put(&writer, "qr", qr ? qr : "");
	(void)send_or_close(connection, &writer);
}

static void signin_shows(void *context, struct signin *signin)
{
	struct connection *connection = context;

	log_event(LOG_INFO, LOG_FIELDS({ "OIDC_TENANT", signin_tenant(signin) }, { "OIDC_USER", signin_name(signin) }),
		  "%s (%s%s%s), tenant %s: waiting for approval", signin_name(signin), signin_service(signin),
		  signin_rhost(signin)[0] ? " from " : "", signin_rhost(signin), signin_tenant(signin));
	if (connection->fd >= 0)
		send_show(connection, false);
}

static void put_admitted(struct wire_writer *writer, const struct signin_end *end)
{
	wire_put(writer, "account", end->account);
	wire_put_number(writer, "uid", end->uid);
	wire_put(writer, "ticket", end->ticket);
	wire_put(writer, "created", end->created ? "1" : "0");
	wire_put(writer, "home", end->home);
}

static void put_refused(struct connection *connection, struct wire_writer *writer, const struct signin_end *end)
{
	wire_put(writer, "reason", reason_name(end->reason));
	wire_put(writer, "text", end->text);
	wire_put(writer, "quiet", told_before(connection->server, connection->parent, end->reason) ? "1" : "0");
}

static void signin_ended(void *context, struct signin *signin, const struct signin_end *end)
{
	struct connection *connection = context;
	char buffer[4096];
	struct wire_writer writer;

	if (end->reason != REASON_NOT_OURS)
		log_event(end->reason == REASON_NONE ? LOG_INFO : LOG_NOTICE,
			  LOG_FIELDS({ "OIDC_TENANT", signin_tenant(signin) }, { "OIDC_USER", signin_name(signin) },
				     { "OIDC_REASON", reason_name(end->reason) }),
			  "%s (%s%s%s): %s%s", signin_name(signin), signin_service(signin),
			  signin_rhost(signin)[0] ? " from " : "", signin_rhost(signin),
			  end->reason == REASON_NONE ? "admitted as " : "refused: ",
			  end->reason == REASON_NONE ? end->account : reason_name(end->reason));
	if (connection->fd >= 0) {
		wire_begin(&writer, buffer, sizeof(buffer), "status",
			   end->reason == REASON_NONE ? "admitted" : "refused");
		if (end->reason == REASON_NONE)
			put_admitted(&writer, end);
		else
			put_refused(connection, &writer, end);
		if (!send_or_close(connection, &writer))
			return;
		explicit_bzero(buffer, sizeof(buffer));
	}
	close_connection(connection);
}

static struct pending_counts count_pending(const struct signin_server *server, const struct connection *wanted)
{
	struct pending_counts counts = { 0 };

	for (const struct connection *other = server->connections; other; other = other->next) {
		if (other == wanted || !other->signin || signin_state(other->signin) == SIGNIN_LOOKUP)
			continue;
		if (other->origin.console)
			counts.console++;
		else if (other->origin.local)
			counts.local++;
		else
			counts.remote++;
		if (!origin_equal(&other->origin, &wanted->origin))
			continue;
		counts.same_origin++;
		counts.same_origin_and_name += strcmp(signin_name(other->signin), signin_name(wanted->signin)) == 0;
	}
	return counts;
}

static bool signin_may_start(void *context, struct signin *signin)
{
	struct connection *connection = context;
	struct signin_server *server = connection->server;
	const struct login_config *limits = &realm_config(server->realm)->login;
	struct pending_counts counts = count_pending(server, connection);

	(void)signin;
	return limits_allow_pending(limits, &connection->origin, &counts) &&
	       starts_allow(server->starts, limits, &connection->origin, wire_now_ms());
}

static struct signin_events events_for(struct connection *connection)
{
	return (struct signin_events){
		.may_start = signin_may_start,
		.show = signin_shows,
		.ended = signin_ended,
		.context = connection,
	};
}

/* The parked connection of an earlier attempt of the same sshd for the same name, or NULL. */
static struct connection *find_parked(struct signin_server *server, const char *name, const char *rhost,
				      const char *parent)
{
	for (struct connection *parked = server->connections; parked; parked = parked->next)
		if (parked->fd < 0 && parent[0] && strcmp(parked->parent, parent) == 0 &&
		    strcmp(signin_name(parked->signin), name) == 0 && strcmp(signin_rhost(parked->signin), rhost) == 0)
			return parked;
	return NULL;
}

static void resume(struct connection *connection, struct connection *parked, int64_t deadline_ms)
{
	struct signin_events events = events_for(connection);

	connection->signin = parked->signin;
	connection->origin = parked->origin;
	connection->id = parked->id;
	parked->signin = NULL;
	close_connection(parked);
	signin_resume(connection->signin, &events, deadline_ms);
	send_show(connection, true);
}

/* A field that may be missing, as "". */
static const char *field(const struct wire_message *request, const char *key)
{
	const char *value = wire_get(request, key);

	return value ? value : "";
}

/* Only an sshd of root's may park and resume: the key is otherwise no proof of anything. */
static void take_parent(struct connection *connection, const struct wire_message *request)
{
	const char *parent = field(request, "parent");

	if (connection->peer.uid == 0 && strlen(parent) < sizeof(connection->parent))
		(void)snprintf(connection->parent, sizeof(connection->parent), "%s", parent);
}

/* The fields that may be missing stand once at most, and a uid is one. */
static bool optional_fields_ok(const struct wire_message *request)
{
	static const char *const keys[] = { "uid", "started_by", "tty", "rhost", "parent", "wait", "must_resolve" };
	uint32_t uid;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		size_t cursor = 0;

		if (wire_next(request, keys[i], &cursor) && !wire_get(request, keys[i]))
			return false;
	}
	return (!wire_get(request, "uid") || wire_get_id(request, "uid", &uid)) &&
	       (!wire_get(request, "started_by") || wire_get_id(request, "started_by", &uid));
}

/* What others than root call their service stands in the log: a word as in /etc/pam.d, and not sshd's. */
static bool service_ok(const struct connection *connection, const char *service)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t length = strspn(service, letters);

	return connection->peer.uid == 0 ||
	       (length > 0 && length < SERVICE_MAX && service[length] == '\0' && strcmp(service, "sshd") != 0);
}

/* Root's word is taken for the host, and for whom su or sudo asks. Whoever else asks could name any host, to have its
 * places and starts used up. */
static struct origin origin_of_request(const struct connection *connection, const struct wire_message *request)
{
	uint32_t user = 0;

	if (connection->peer.uid != 0)
		return origin_of_user(connection->peer.uid);
	if (wire_get_id(request, "started_by", &user) && user != 0)
		return origin_of_user(user);
	return origin_of(&realm_config(connection->server->realm)->login, field(request, "rhost"));
}

static void handle_login(struct connection *connection, const struct wire_message *request)
{
	struct signin_server *server = connection->server;
	const char *name = wire_get(request, "name"), *service = wire_get(request, "service");
	struct signin_request signin_request;
	struct signin_events events = events_for(connection);
	struct connection *parked;
	long long timeout_s;
	uint32_t uid = 0;

	if (!name || !service || !wire_get_number(request, "timeout", 1, TIMEOUT_MAX_S, &timeout_s) ||
	    !qr_style_named(field(request, "qr"), &connection->qr) || !optional_fields_ok(request) ||
	    !service_ok(connection, service)) {
		close_connection(connection);
		return;
	}
	loop_clear_timer(server->loop, &connection->timer);
	take_parent(connection, request);
	signin_request = (struct signin_request){
		.name = name,
		.resolved = wire_get_id(request, "uid", &uid),
		.hold = strcmp(field(request, "wait"), "enter") == 0,
		.must_resolve = strcmp(field(request, "must_resolve"), "1") == 0,
		.uid = uid,
		.caller = connection->peer.uid,
		.service = service,
		.tty = field(request, "tty"),
		.rhost = connection->peer.uid == 0 ? field(request, "rhost") : "",
		.deadline_ms = wire_now_ms() + timeout_s * 1000,
	};
	parked = find_parked(server, name, signin_request.rhost, connection->parent);
	if (parked) {
		resume(connection, parked, signin_request.deadline_ms);
		return;
	}
	connection->origin = origin_of_request(connection, request);
	connection->id = ++server->last_id;
	connection->signin = signin_start(&server->around, server->realm, &signin_request, &events);
	if (!connection->signin)
		close_connection(connection);
}

/* Keeps the sign-in for the next attempt; the caller is about to go. */
static void handle_park(struct connection *connection, const struct wire_message *request)
{
	struct signin_server *server = connection->server;

	(void)request;
	if (connection->parent[0] == '\0' || !signin_pause(connection->signin) ||
	    !loop_set_timer(server->loop, &connection->timer, wire_now_ms() + PARKED_MAX_MS, timed_out, connection)) {
		close_connection(connection);
		return;
	}
	loop_unwatch(server->loop, connection->watch);
	connection->watch = NULL;
	peer_close(connection->fd);
	connection->fd = -1;
}

/* The person has pressed Enter. */
static void handle_ready(struct connection *connection, const struct wire_message *request)
{
	(void)request;
	signin_release(connection->signin);
}

/* --- questions of root's --- */

static void handle_pending(struct connection *connection, const struct wire_message *request)
{
	char buffer[2048];
	struct wire_writer writer;
	int64_t now = wire_now_ms();

	(void)request;
	for (struct connection *other = connection->server->connections; other; other = other->next) {
		if (!other->signin)
			continue;
		wire_begin(&writer, buffer, sizeof(buffer), "status", "signin");
		wire_put_number(&writer, "id", (long long)other->id);
		wire_put(&writer, "name", signin_name(other->signin));
		wire_put(&writer, "service", signin_service(other->signin));
		wire_put(&writer, "rhost", signin_rhost(other->signin));
		wire_put(&writer, "tty", signin_tty(other->signin));
		wire_put(&writer, "tenant", signin_tenant(other->signin));
		wire_put(&writer, "state", other->fd < 0 ? "parked" : signin_state_name(signin_state(other->signin)));
		wire_put_number(&writer, "age", (now - signin_started_ms(other->signin)) / 1000);
		wire_put_number(&writer, "expires_in", (signin_ends_ms(other->signin) - now) / 1000);
		/* What does not fit is left out rather than the whole list. */
		if (!writer.failed && !send_or_close(connection, &writer))
			return;
	}
	(void)send_status(connection, "end");
}

static void handle_cancel(struct connection *connection, const struct wire_message *request)
{
	static const struct signin_end cancelled = { .reason = REASON_CANCELLED };
	struct connection *other = connection->server->connections;
	struct signin_end end = cancelled;
	long long id;

	if (!wire_get_number(request, "id", 1, INT64_MAX, &id)) {
		close_connection(connection);
		return;
	}
	while (other && (!other->signin || other->id != (unsigned long)id))
		other = other->next;
	end.text = "The administrator cancelled this sign-in.";
	if (other)
		signin_ended(other, other->signin, &end);
	(void)send_status(connection, other ? "done" : "unknown");
}

static void dry_run_finding(void *context, const char *tenant, const char *item, bool good, const char *text)
{
	struct connection *connection = context;
	char buffer[2048];
	struct wire_writer writer;

	wire_begin(&writer, buffer, sizeof(buffer), "status", "finding");
	wire_put(&writer, "tenant", tenant);
	wire_put(&writer, "item", item);
	wire_put(&writer, "ok", good ? "1" : "0");
	wire_put(&writer, "text", text);
	/* Not closed here: the run, which is the caller, is freed with the connection. Its end finds the socket closed
	 * as well. */
	(void)wire_send(connection->fd, &writer, 0);
}

static void dry_run_ended(void *context, bool all_good)
{
	struct connection *connection = context;

	(void)all_good;
	connection->dry_run = NULL;
	if (send_status(connection, "end") &&
	    !loop_set_timer(connection->server->loop, &connection->timer, wire_now_ms() + REQUEST_TIMEOUT_MS, timed_out,
			    connection))
		close_connection(connection);
}

static void handle_check(struct connection *connection, const struct wire_message *request)
{
	struct signin_server *server = connection->server;

	(void)request;
	loop_clear_timer(server->loop, &connection->timer);
	connection->dry_run = dry_run_start(server->loop, server->realm, dry_run_finding, dry_run_ended, connection);
	if (!connection->dry_run)
		close_connection(connection);
}

/* --- the request table --- */

enum who { ANYBODY, ROOT };

static const struct request {
	const char *op;
	enum who who;
	bool in_signin; /* only on a connection that has a sign-in, or only on one that has none */
	handler *handle;
} requests[] = {
	/* clang-format off */
	{ "login", ANYBODY, false, handle_login },
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
	close_connection(connection);
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
	if (n != 0)
		peer_complain(&connection->peer, "it sent what is no message");
	else if (connection->signin && signin_state(connection->signin) != SIGNIN_LOOKUP)
		log_info("%s (%s): the person went away, cancelled", signin_name(connection->signin),
			 signin_service(connection->signin));
	close_connection(connection);
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
		close_connection(oldest);
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
	if (!connection->watch || !loop_set_timer(server->loop, &connection->timer, wire_now_ms() + REQUEST_TIMEOUT_MS,
						  timed_out, connection))
		close_connection(connection);
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
		.around = { .loop = loop, .replay = replay_create(TOKENS_REMEMBERED) },
	};
	if (gethostname(server->host, sizeof(server->host) - 1) != 0)
		(void)snprintf(server->host, sizeof(server->host), "this machine");
	server->watch = loop_watch(loop, listener, POLLIN, listener_ready, server);
	if (!server->starts || !server->around.replay || !server->watch) {
		signin_server_free(server);
		return NULL;
	}
	return server;
}

void signin_server_free(struct signin_server *server)
{
	if (!server)
		return;
	while (server->connections)
		close_connection(server->connections);
	loop_unwatch(server->loop, server->watch);
	loop_clear_timer(server->loop, &server->pause);
	peer_close(server->listener);
	starts_free(server->starts);
	replay_free(server->around.replay);
	realm_unref(server->realm);
	free(server);
}

void signin_server_use_realm(struct signin_server *server, struct realm *realm)
{
	realm_unref(server->realm);
	server->realm = realm_ref(realm);
}
