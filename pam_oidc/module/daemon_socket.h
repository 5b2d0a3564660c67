/*
 * Connections to the daemons that are fit for living inside another program.
 */
#ifndef PAM_OIDC_MODULE_DAEMON_SOCKET_H
#define PAM_OIDC_MODULE_DAEMON_SOCKET_H

#include <stdint.h>

/* wire_connect(), but never on descriptors 0 to 2: where an application runs with those closed, what it prints would go
 * to the daemon. Returns the descriptor or -errno. */
int daemon_connect(const char *path, int64_t deadline_ms);

#endif
