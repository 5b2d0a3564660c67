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
/* Ends every sign-in. Takes NULL. */
void signin_server_free(struct signin_server *server);
/* New sign-ins use this realm from now on; those that wait keep theirs. */
void signin_server_use_realm(struct signin_server *server, struct realm *realm);

#endif
