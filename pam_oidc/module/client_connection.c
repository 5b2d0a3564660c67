/*
 * Finds the client's socket among the descriptors and looks whether it is still connected. See client_connection.h.
 */
#include "pam_oidc/module/client_connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* sshd opens the connection before anything else of the kind. */
#define DESCRIPTORS_SEARCHED 256

static int socket_option(int fd, int option)
{
	int value = -1;
	socklen_t size = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

static bool is_tcp(int fd)
{
	int domain = socket_option(fd, SO_DOMAIN);

	return (domain == AF_INET || domain == AF_INET6) && socket_option(fd, SO_TYPE) == SOCK_STREAM &&
	       socket_option(fd, SO_ACCEPTCONN) == 0;
}

/* An address as IPv6; IPv4 in its mapped form. */
static bool parse_address(const char *text, struct in6_addr *ret_address)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	size_t length = strcspn(text, "%"); /* the scope of a link-local address */
	char plain[INET6_ADDRSTRLEN];
	struct in_addr four;

	if (length >= sizeof(plain))
		return false;
	memcpy(plain, text, length);
	plain[length] = '\0';
	if (inet_pton(AF_INET6, plain, ret_address) == 1)
		return true;
	if (inet_pton(AF_INET, plain, &four) != 1)
		return false;
	memcpy(ret_address->s6_addr, mapped, sizeof(mapped));
	memcpy(ret_address->s6_addr + sizeof(mapped), &four, sizeof(four));
	return true;
}

/* The socket's peer by its address. False when it has none (any more). */
static bool peer_address(int fd, struct in6_addr *ret_address)
{
	union {
		struct sockaddr any;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
	} peer = { 0 };
	socklen_t size = sizeof(peer);
	char text[INET6_ADDRSTRLEN];

	if (getpeername(fd, &peer.any, &size) != 0)
		return false;
	if (peer.any.sa_family == AF_INET6) {
		*ret_address = peer.six.sin6_addr;
		return true;
	}
	return inet_ntop(AF_INET, &peer.four.sin_addr, text, sizeof(text)) && parse_address(text, ret_address);
}

void client_connection_find(const struct application *application, struct client_connection *ret_client)
{
	struct client_connection client = { .count = 0 };
	struct in6_addr expected, peer;
	/* With UseDNS it is a name; then every connection counts. */
	bool known = parse_address(application->rhost, &expected);

	for (int fd = 0; application->kind == APPLICATION_SSHD && fd < DESCRIPTORS_SEARCHED; fd++) {
		if (client.count == CLIENT_SOCKETS_MAX)
			break;
		if (!is_tcp(fd))
			continue;
		/* A socket without a peer is one that the client has reset by now. */
		if (known && peer_address(fd, &peer) && memcmp(&peer, &expected, sizeof(peer)) != 0)
			continue;
		client.sockets[client.count++] = (struct pollfd){ .fd = fd, .events = POLLRDHUP };
	}
	*ret_client = client;
}

bool client_connection_hung_up(const struct pollfd *sockets, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (sockets[i].revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL))
			return true;
	return false;
}

bool client_connection_gone(const struct client_connection *client)
{
	struct client_connection now = *client;

	while (poll(now.sockets, now.count, 0) < 0)
		if (errno != EINTR)
			return false;
	return client_connection_hung_up(now.sockets, now.count);
}
