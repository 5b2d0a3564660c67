/*
 * Bounds what connections bring. See byte_budget.h.
 */
#include "pam_oidc/byte_budget.h"

#include <arpa/inet.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common/wire.h"

/* One TCP connection, kept or in use; or a descriptor that was one. */
struct budgeted_connection {
	struct budgeted_connection *next;
	int fd;
	uint64_t counted; /* bytes it had brought at window_ms */
	int64_t window_ms;
};

static void forget(struct budgeted_connection **link)
{
	struct budgeted_connection *connection = *link;

	*link = connection->next;
	free(connection);
}

/* A number that is given out anew was closed before. libcurl does not tell of every close, so nothing goes by that. */
static void forget_descriptor(struct byte_budget *budget, int fd)
{
	struct budgeted_connection **link = &budget->connections;

	while (*link && (*link)->fd != fd)
		link = &(*link)->next;
	if (*link)
		forget(link);
}

int byte_budget_socket(struct byte_budget *budget, int family, int type, int protocol)
{
	struct budgeted_connection *connection = calloc(1, sizeof(*connection));
	int fd = connection ? socket(family, type | SOCK_CLOEXEC, protocol) : -1;

	if (fd < 0) {
		free(connection);
		return -1;
	}
	forget_descriptor(budget, fd);
	*connection = (struct budgeted_connection){
		.next = budget->connections,
		.fd = fd,
		.window_ms = wire_now_ms(),
	};
	budget->connections = connection;
	return fd;
}

/* What it has brought since it was counted. False when it is no TCP connection any more. */
static bool bytes_brought(const struct budgeted_connection *connection, uint64_t *ret_bytes)
{
	struct tcp_info info = { 0 };
	socklen_t size = sizeof(info);

	if (getsockopt(connection->fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
		return false;
	*ret_bytes =
		info.tcpi_bytes_received < connection->counted ? 0 : info.tcpi_bytes_received - connection->counted;
	return true;
}

static long local_port(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address = { 0 };
	socklen_t size = sizeof(address);

	if (getsockname(fd, &address.any, &size) != 0)
		return 0;
	return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

void byte_budget_enforce(struct byte_budget *budget, byte_budget_exceeded *exceeded, void *context)
{
	struct budgeted_connection **link = &budget->connections, *connection;
	int64_t now = budget->connections ? wire_now_ms() : 0;
	uint64_t bytes;

	while ((connection = *link)) {
		if (!bytes_brought(connection, &bytes)) {
			forget(link);
			continue;
		}
		if (bytes > BYTE_BUDGET_MAX) {
			exceeded(context, local_port(connection->fd));
			(void)shutdown(connection->fd, SHUT_RDWR);
		}
		if (now - connection->window_ms >= BYTE_BUDGET_WINDOW_MS) {
			connection->counted += bytes;
			connection->window_ms = now;
		}
		link = &connection->next;
	}
}

void byte_budget_clear(struct byte_budget *budget)
{
	while (budget->connections)
		forget(&budget->connections);
}
