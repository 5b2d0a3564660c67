/*
 * Root's questions: who is signing in, ending one of them, and a dry run against every tenant.
 */
#include "pam_oidc/signin_connection.h"

#include <string.h>

#include "common/version.h"
#include "pam_oidc/finding.h"

void handle_pending(struct connection *connection, const struct wire_message *request)
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
		if (!writer.failed && !connection_send(connection, &writer))
			return;
	}
	(void)connection_send_status(connection, "end");
}

void handle_cancel(struct connection *connection, const struct wire_message *request)
{
	static const struct signin_end cancelled = { .reason = REASON_CANCELLED };
	struct connection *other = connection->server->connections;
	struct signin_end end = cancelled;
	long long id;

	if (!wire_get_number(request, "id", 1, INT64_MAX, &id)) {
		connection_close(connection);
		return;
	}
	while (other && (!other->signin || other->id != (unsigned long)id))
		other = other->next;
	end.text = "The administrator cancelled this sign-in.";
	if (other)
		application_signin_ended(other, &end);
	(void)connection_send_status(connection, other ? "done" : "unknown");
}

static void dry_run_finding(void *context, const struct finding *finding)
{
	struct connection *connection = context;
	char buffer[4096];
	struct wire_writer writer;

	finding_write(finding, buffer, sizeof(buffer), &writer);
	/* Not closed here: the run, which is the caller, is freed with the connection. Its end finds the socket closed
	 * as well. */
	(void)wire_send(connection->fd, &writer, 0);
}

static void dry_run_ended(void *context, bool all_good)
{
	struct connection *connection = context;
	char buffer[128];
	struct wire_writer writer;

	connection->dry_run = NULL;
	wire_begin(&writer, buffer, sizeof(buffer), "status", "end");
	wire_put_number(&writer, "good", all_good);
	wire_put(&writer, "version", PAM_OIDC_VERSION);
	if (connection_send(connection, &writer) &&
	    !loop_set_timer(connection->server->loop, &connection->timer, wire_now_ms() + REQUEST_TIMEOUT_MS,
			    connection_timed_out, connection))
		connection_close(connection);
}

void handle_check(struct connection *connection, const struct wire_message *request)
{
	struct signin_server *server = connection->server;
	const struct dry_run_events events = { .found = dry_run_finding, .done = dry_run_ended, .context = connection };
	struct dry_run_options options = { .code = true };
	long long code = 1;

	if (wire_has(request, "code") && !wire_get_number(request, "code", 0, 1, &code)) {
		connection_close(connection);
		return;
	}
	options.code = code == 1;
	loop_clear_timer(server->loop, &connection->timer);
	connection->dry_run = dry_run_start(server->loop, server->realm, &options, &events);
	if (!connection->dry_run)
		connection_close(connection);
}
