/*
 * All that the parts of provisiond share: one instance, made in provisiond_main.c and given to whoever answers
 * questions.
 */
#ifndef PROVISIOND_SERVICE_H
#define PROVISIOND_SERVICE_H

#include <stdint.h>
#include <sys/types.h>

#include "common/config.h"
#include "provisiond/home.h"
#include "provisiond/inquiry.h"
#include "provisiond/lifecycle.h"
#include "provisiond/passwd.h"
#include "provisiond/store.h"
#include "provisiond/system_names.h"
#include "provisiond/tickets.h"

struct admit;

struct service {
	struct config *config; /* replaced on reload: nothing keeps pointers into it while it waits */
	struct store *store;
	struct account_files *files;
	struct home_place homes;
	struct system_names *system_names;
	struct inquiries *inquiries;
	struct lifecycle *lifecycle;
	struct tickets *tickets;
	struct admit *waiting; /* sign-ins that wait for a lock which another program holds, see admit.c */
	uid_t pam_oidc_uid;
	int64_t started_ms; /* wire_now_ms(); tickets that were given out before are gone */
};

#endif
