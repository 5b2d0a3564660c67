/*
 * The part of a plan that is about one account's rows: the `!` before the password, its ageing, the expiry and the
 * GECOS field. Pure. For plan.c.
 *
 * Each part keeps two things apart: what stands there because we wrote it, which we may take back, and what somebody
 * else wrote, before or since, which stays.
 */
#ifndef PROVISIOND_PLAN_ROWS_H
#define PROVISIOND_PLAN_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "provisiond/account_record.h"
#include "provisiond/passwd.h"
#include "provisiond/person_text.h"
#include "provisiond/plan.h"
#include "provisiond/planned_change.h"

#define PLAN_AGEING_MAX 128 /* bytes, with NUL; five numbers are shorter */

/* A plan in the making, and room for the strings that are made for it. Must not be moved. */
struct draft {
	const struct account_record *before; /* as it was */
	const struct account_now *now;       /* what stands in the files */
	struct planned_change change;
	char gecos[GECOS_FIELD_MAX];
	char ageing[PLAN_AGEING_MAX], ageing_before[PLAN_AGEING_MAX];
	char limit[PLAN_EXPIRY_MAX];
};

/* Nobody gets in, by no way: the password is locked and the account has expired. */
bool state_is_closed(enum account_state state);

/* `lock`: whether one `!` of ours is to stand before the password. */
void draft_locks(struct draft *draft, bool lock);
/* `barred`: the password is of no use to anybody, and no ageing of it may stop the account. Otherwise what others set.
 */
void draft_ageing(struct draft *draft, bool barred);
/* `limit`: the day until which max_signin_age lets it live, or "". The earlier of that and what others set. */
void draft_expiry(struct draft *draft, bool closed, const char *limit);
/* Full name and room of change.record; what else there is in the field stays. */
void draft_gecos(struct draft *draft);
/* As the local user had it, save for what was changed there since. */
void draft_gecos_given_back(struct draft *draft);

#endif
