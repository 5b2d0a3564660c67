/*
 * Tickets: what an admission hands to the person's module through pam_oidcd, so that the module can have it confirmed
 * here. Random, for one use, short-lived, and bound to the typed name, the account and the uid.
 */
#ifndef PROVISIOND_TICKETS_H
#define PROVISIOND_TICKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/names.h"

#define TICKET_LIFE_MS 30000
#define TICKET_TEXT_SIZE 65  /* 256 bits in hexadecimal, and NUL */
#define TICKETS_MAX 1024     /* alive at once */
#define TICKET_TYPED_MAX 255 /* bytes of a typed name; name services are asked for no longer one */

struct tickets;

/* NULL without memory. */
struct tickets *tickets_new(void);
/* Wipes and frees them. Takes NULL. */
void tickets_free(struct tickets *tickets);

/* Writes a new ticket. 0, -ENOSPC when TICKETS_MAX are alive, or -errno. now_ms: wire_now_ms(). The caller wipes
 * ret_text. */
int tickets_issue(struct tickets *tickets, const char *typed, const char *account, uid_t uid, int64_t now_ms,
		  char ret_text[TICKET_TEXT_SIZE]);

struct ticket_claim {
	const char *text;
	const char *typed;
	bool has_uid;
	uid_t uid;    /* that the name resolved to, when has_uid */
	uid_t caller; /* uid of the process that redeems it; 0 may redeem any */
};

/* True when the ticket is alive and all of it fits. A ticket that was shown is used up either way. */
bool tickets_redeem(struct tickets *tickets, const struct ticket_claim *claim, int64_t now_ms,
		    char ret_account[ACCOUNT_NAME_MAX + 1], uid_t *ret_uid);

#endif
