/*
 * The commands of administrators that try the configured issuers: `pam_oidcd check` and `pam_oidcd --probe`. Reads the
 * configuration as the daemon would, runs a dry run, and tells what it finds, to a person or in messages.
 */
#ifndef PAM_OIDC_PROBE_H
#define PAM_OIDC_PROBE_H

#include <stdbool.h>
#include <sys/types.h>

#include "pam_oidc/http.h"
#include "pam_oidc/loop.h"

struct probe_options {
	const char *config_path;
	const char *tenant; /* only this one; NULL: all */
	bool code;          /* ask for a device code */
	bool approval;      /* and wait until somebody approves it */
	bool utf8;          /* the terminal shows it */
	/* Standard output is a SOCK_SEQPACKET socket, which gets
	 *     status=finding tenant= item= level=good|warning|bad ok=0|1 text= [remedy=] [days=]
	 *     status=show tenant= url= complete= code= expires_in= qr=     while an approval is waited for
	 *     status=identity tenant= and what `op=admit` needs of an identity
	 *     status=end good=0|1 version=
	 * Whoever closes it, or a pipe or socket that is standard input, cancels. `op=skip` from there goes on without
	 * the approval that is waited for. */
	bool messages;
};

/* uid and gid are those of _pam_oidc. Returns whether all is good; false also when it was cancelled. */
bool probe_run(struct loop *loop, struct http *http, const struct probe_options *options, uid_t uid, gid_t gid);

#endif
