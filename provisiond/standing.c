/*
 * Judges how an account stands. What follows from it is the callers' business.
 */
#include "provisiond/standing.h"

#include <stdlib.h>

#define SECONDS_PER_DAY 86400
#define CLOSED_EXPIRY_DAY 1 /* of rows that are closed, see struct account_entry */

/* Of max_signin_age. */
static bool expiry_is_ours(const struct account_record *record, int64_t expires_day)
{
	return record->expiry_given && record->expiry_given[0] != '\0' &&
	       strtoll(record->expiry_given, NULL, 10) == expires_day;
}

enum standing standing_of(const struct account_record *record, const struct standing_rows *rows,
			  int64_t max_signin_age_s, int64_t now_s)
{
	bool expired = rows->expires && now_s / SECONDS_PER_DAY >= rows->expires_day;
	bool too_long_ago = max_signin_age_s > 0 && now_s - record->last_signin_at >= max_signin_age_s;

	if (record->state == ACCOUNT_CREATING)
		return STANDING_CREATING;
	if (rows->unreadable)
		return STANDING_UNKNOWN;
	if (rows->user && rows->uid != record->uid)
		return STANDING_FOREIGN;
	if (record->state == ACCOUNT_REMOVED || !rows->user)
		return STANDING_REMOVED;
	if (record->state == ACCOUNT_DEACTIVATED)
		return STANDING_DEACTIVATED;
	if (record->state == ACCOUNT_INCOMPLETE)
		return expired && rows->expires_day != CLOSED_EXPIRY_DAY ? STANDING_DEACTIVATED : STANDING_INCOMPLETE;
	if (expired && !expiry_is_ours(record, rows->expires_day))
		return STANDING_DEACTIVATED;
	return expired || too_long_ago ? STANDING_LAPSED : STANDING_ACTIVE;
}
