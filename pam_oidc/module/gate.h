/*
 * Questions to provisiond, the only one whose word gives a session: what a name stands for, and whether a ticket is its
 * own.
 */
#ifndef PAM_OIDC_MODULE_GATE_H
#define PAM_OIDC_MODULE_GATE_H

#include <sys/types.h>

#include "common/names.h"
#include "pam_oidc/module/application.h"
#include "pam_oidc/module/person.h"

enum standing {
	STANDING_UNAVAILABLE, /* provisiond cannot tell: another source of names is silent */
	STANDING_NOT_OURS,
	STANDING_PROMISED, /* a name of ours without an account yet */
	STANDING_INCOMPLETE,
	STANDING_ACTIVE,
	STANDING_DEACTIVATED,
	STANDING_ELSEWHERE, /* an account whose person may not come from there (remote_from) */
};

struct account {
	char name[ACCOUNT_NAME_MAX + 1];
	uid_t uid;
};

/* Asks what the name stands for, within 250 ms in all. from: the application, whose remote host is judged as well; NULL
 * leaves that to the sign-in that follows. *ret_account is set for STANDING_ACTIVE only. Returns 0, or -errno when
 * provisiond did not answer properly (-EPROTO: it answered nonsense). */
int gate_standing(const char *name, const struct application *from, enum standing *ret_standing,
		  struct account *ret_account);

/* Redeems the ticket for this person, within 4 s: the person has approved already, and the application's own limit is
 * not reached. Returns 0 and the account that provisiond confirms, -EACCES when it does not, or another -errno when it
 * did not answer properly. */
int gate_redeem(const char *ticket, const struct person *person, struct account *ret_account);

#endif
