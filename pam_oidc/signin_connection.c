/*
 * A connection's life: sending on it and closing it. See signin_connection.h.
 */
#include "pam_oidc/signin_connection.h"

#include <errno.h>
#include <stdlib.h>

#include "common/listen.h"
#include "common/log.h"

#define LIST_PATIENCE_MS 20

void connection_close(struct connection *connection)
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

void connection_hung_up(struct connection *connection)
{
	const struct signin *signin = connection->signin;

	if (signin && signin_state(signin) == SIGNIN_CHOICE)
		log_info("%s (%s): did not choose Okta", signin_name(signin), signin_service(signin));
	else if (signin && signin_state(signin) != SIGNIN_LOOKUP)
		log_info("%s (%s): the person went away, cancelled", signin_name(signin), signin_service(signin));
	connection_close(connection);
}

void connection_timed_out(void *connection)
{
	connection_close(connection);
}

bool connection_send(struct connection *connection, const struct wire_writer *writer)
{
	/* A long list can fill the socket; root, who alone gets one, is given a moment to read. */
	int64_t patience_ms = connection->peer.uid == 0 ? LIST_PATIENCE_MS : 0;
	int sent = wire_send(connection->fd, writer, wire_now_ms() + patience_ms);

	if (sent == 0)
		return true;
	/* Who hangs up at the very moment when the answer comes does no wrong. */
	if (sent == -EPIPE || sent == -ECONNRESET) {
		connection_hung_up(connection);
		return false;
	}
	peer_complain(&connection->peer, "it does not take its answer");
	connection_close(connection);
	return false;
}

bool connection_send_status(struct connection *connection, const char *status)
{
	char buffer[64];
	struct wire_writer writer;

	wire_begin(&writer, buffer, sizeof(buffer), "status", status);
	return connection_send(connection, &writer);
}
