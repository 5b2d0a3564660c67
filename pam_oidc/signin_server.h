/*
 * The daemon's own side: connections on its socket, the request table, and who waits. Each connection is one sign-in,
 * or one question.
 */
#ifndef PAM_OIDC_SIGNIN_SERVER_H
#define PAM_OIDC_SIGNIN_SERVER_H

#include "pam_oidc/http.h"
#include "pam_oidc/loop.h"
#include "pam_oidc/realm.h"

struct signin_server;

/* Serves a listening socket, which it takes over, with the realm, of which it keeps a reference. NULL when memory ran
 * out. */
struct signin_server *signin_server_create(struct loop *loop, struct http *http, int listener, struct realm *realm);
/* The daemon ends: whoever looks at a code, or at the question before it, is told to start again (REASON_RESTARTED).
 * Those to whom nothing was shown ask the next daemon by themselves when their connection closes. */
void signin_server_stop(struct signin_server *server);
/* Ends every sign-in. Takes NULL. */
void signin_server_free(struct signin_server *server);
/* Sign-ins use this realm from now on. Those that wait go over to it with their next poll, when their tenant is still
 * the same application at the same issuer; a client's new secret is used at once, and nobody has to start again. */
void signin_server_use_realm(struct signin_server *server, struct realm *realm);

#endif
