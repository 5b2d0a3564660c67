/*
 * The ssh client's TCP connection, which the process that runs the module inside sshd has inherited. sshd itself does
 * not look at it while the module waits, so a person who has gone would otherwise be signed in with nobody there.
 */
#ifndef PAM_OIDC_MODULE_CLIENT_CONNECTION_H
#define PAM_OIDC_MODULE_CLIENT_CONNECTION_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "pam_oidc/module/application.h"

#define CLIENT_SOCKETS_MAX 4 /* sshd holds the same connection under up to two numbers */

struct client_connection {
	struct pollfd sockets[CLIENT_SOCKETS_MAX]; /* ready for poll(2); owned by the application */
	size_t count;                              /* 0 outside sshd */
};

void client_connection_find(const struct application *application, struct client_connection *ret_client);

/* Whether the client has closed the connection or lost it, as far as this machine knows by now. */
bool client_connection_gone(const struct client_connection *client);
/* The same for entries that poll(2) has just filled. */
bool client_connection_hung_up(const struct pollfd *sockets, size_t count);

#endif
