/*
 * Sign-ins of applications: op=login and what follows on its connection, the events that are sent back, and sign-ins
 * parked between two attempts of one sshd.
 */
#include "pam_oidc/signin_connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/listen.h"
#include "common/log.h"
#include "pam_oidc/wiping_memory.h"

#define PARKED_MAX_MS 10000 /* between two attempts; every OpenSSH client comes back at once */
#define TIMEOUT_MAX_S 1800
#define SERVICE_MAX 64 /* as PAM services are named */

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
		connection_close(connection);
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
	(void)connection_send(connection, &writer);
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

/* Okta or the local password? */
static void signin_chooses(void *context, struct signin *signin)
{
	struct connection *connection = context;

	(void)signin;
	if (connection->fd >= 0)
		(void)connection_send_status(connection, "choose");
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
	if (end->password_instead)
		wire_put(writer, "password_instead", "1");
}

/* What provisiond has decided, it has told already (provisiond(8)): each refusal is one event. */
static bool is_own_refusal(const struct signin *signin, enum reason reason)
{
	return reason != REASON_NONE && (signin_state(signin) != SIGNIN_ADMISSION || reason == REASON_SERVICE_DOWN);
}

static void log_end(const struct signin *signin, const struct signin_end *end)
{
	const char *rhost = signin_rhost(signin);
	bool admitted = end->reason == REASON_NONE;

	log_event(admitted ? LOG_INFO : LOG_NOTICE,
		  LOG_FIELDS({ "OIDC_EVENT", is_own_refusal(signin, end->reason) ? "refused" : NULL },
			     { "OIDC_TENANT", signin_tenant(signin) }, { "OIDC_USER", signin_name(signin) },
			     { "OIDC_SERVICE", signin_service(signin) }, { "OIDC_ADDRESS", rhost[0] ? rhost : NULL },
			     { "OIDC_REASON", reason_name(end->reason) }),
		  "%s (%s%s%s): %s%s", signin_name(signin), signin_service(signin), rhost[0] ? " from " : "", rhost,
		  admitted ? "admitted as " : "refused: ", admitted ? end->account : reason_name(end->reason));
}

static void signin_ended(void *context, struct signin *signin, const struct signin_end *end)
{
	struct connection *connection = context;
	char buffer[4096];
	struct wire_writer writer;
	bool sent;

	if (end->reason != REASON_NOT_OURS)
		log_end(signin, end);
	if (connection->fd >= 0) {
		wire_begin(&writer, buffer, sizeof(buffer), "status",
			   end->reason == REASON_NONE ? "admitted" : "refused");
		if (end->reason == REASON_NONE)
			put_admitted(&writer, end);
		else
			put_refused(connection, &writer, end);
		sent = connection_send(connection, &writer);
		explicit_bzero(buffer, sizeof(buffer)); /* the ticket */
		if (!sent)
			return;
	}
	connection_close(connection);
}

void application_signin_ended(struct connection *connection, const struct signin_end *end)
{
	signin_ended(connection, connection->signin, end);
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

static bool signin_may_wait(void *context, struct signin *signin)
{
	const struct connection *connection = context;
	struct pending_counts counts = count_pending(connection->server, connection);

	(void)signin;
	return limits_allow_pending(&realm_config(connection->server->realm)->login, &connection->origin, &counts);
}

static bool signin_may_start(void *context, struct signin *signin)
{
	const struct connection *connection = context;
	struct signin_server *server = connection->server;

	(void)signin;
	return starts_allow(server->starts, &realm_config(server->realm)->login, &connection->origin, wire_now_ms());
}

static struct signin_events events_for(struct connection *connection)
{
	return (struct signin_events){
		.may_wait = signin_may_wait,
		.choose = signin_chooses,
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
	connection_close(parked);
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

void handle_login(struct connection *connection, const struct wire_message *request)
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
		connection_close(connection);
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
		connection_close(connection);
}

/* Keeps the sign-in for the next attempt; the caller is about to go. */
void handle_park(struct connection *connection, const struct wire_message *request)
{
	struct signin_server *server = connection->server;

	(void)request;
	if (connection->parent[0] == '\0' || !signin_pause(connection->signin) ||
	    !loop_set_timer(server->loop, &connection->timer, wire_now_ms() + PARKED_MAX_MS, connection_timed_out,
			    connection)) {
		connection_close(connection);
		return;
	}
	loop_unwatch(server->loop, connection->watch);
	connection->watch = NULL;
	peer_close(connection->fd);
	connection->fd = -1;
}

void handle_continue(struct connection *connection, const struct wire_message *request)
{
	(void)request;
	if (signin_continue(connection->signin))
		return;
	peer_complain(&connection->peer, "there is nothing to choose");
	connection_close(connection);
}

void handle_ready(struct connection *connection, const struct wire_message *request)
{
	(void)request;
	signin_release(connection->signin);
}
