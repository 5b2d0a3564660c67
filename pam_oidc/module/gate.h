/*
 * Questions to provisiond, the only one whose word gives a session: what a name stands for, whether a ticket is its
 * own, and whether an answer of the person's completes the account.
 */
#ifndef PAM_OIDC_MODULE_GATE_H
#define PAM_OIDC_MODULE_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/names.h"
#include "common/reason.h"
#include "pam_oidc/module/application.h"
#include "pam_oidc/module/person.h"
#include "pam_oidc/module/room_list.h"

enum standing {
	STANDING_UNAVAILABLE, /* provisiond cannot tell: another source of names is silent */
	STANDING_NOT_OURS,
	STANDING_EXPECTED, /* a local user, until their first sign-in with Okta links the account */
	STANDING_PROMISED, /* a name of ours without an account yet */
	STANDING_INCOMPLETE,
	STANDING_ACTIVE,
	STANDING_LAPSED, /* an account whose person has not signed in with Okta for too long; doing so revives it */
	STANDING_DEACTIVATED,
	STANDING_ELSEWHERE, /* an account whose person may not come from there (remote_from) */
};

#define EMAIL_TEXT_MAX (EMAIL_LOCAL_MAX + 1 + EMAIL_DOMAIN_MAX)

struct account {
	char name[ACCOUNT_NAME_MAX + 1];
	uid_t uid;
	/* For the session; empty where there is none, and printable. */
	char email[EMAIL_TEXT_MAX + 1];
	char room[ROOM_NAME_MAX + 1];
};

/* Asks what the name stands for, within 250 ms in all. from: the application, whose remote host is judged as well; NULL
 * leaves that to the sign-in that follows. *ret_account is set for STANDING_ACTIVE only. Returns 0, or -errno when
 * provisiond did not answer properly (-EPROTO: it answered nonsense). */
int gate_standing(const char *name, const struct application *from, enum standing *ret_standing,
		  struct account *ret_account);

/* Whether the person may use their local password instead of Okta, because the admin lets them while migrating or has
 * only announced the link. Within 250 ms; false also when provisiond did not answer properly. Root's question alone. */
bool gate_takes_password(const struct person *person, const struct application *application);

/* Redeems the ticket for this person, within 4 s: the person has approved already, and the application's own limit is
 * not reached. Returns 0, the account that provisiond confirms, and the rooms to choose from when that question is
 * open; -EACCES when it does not confirm; -ESTALE when it cannot, because it was started anew meanwhile; or another
 * -errno when it did not answer properly. */
int gate_redeem(const char *ticket, const struct person *person, struct account *ret_account,
		struct room_list *ret_rooms);

/* Why an answer was refused. */
struct gate_refusal {
	enum reason reason;
	char text[512]; /* as it came; empty for none */
};

/* Gives the person's answer to the question for the room, which completes the account, within 20 s: another program may
 * hold the account files for a while. Returns 0, -EACCES and the refusal, or another -errno. */
int gate_answer_room(const struct account *account, const char *room, struct gate_refusal *ret_refusal);

#endif
