/*
 * Judges how an account stands. What follows from it is the callers' business.
 */
#include "provisiond/standing.h"

#define SECONDS_PER_DAY 86400

enum standing standing_of(const struct account_record *record, const struct standing_rows *rows, int64_t now_s)
{
	if (record->state == ACCOUNT_CREATING)
		return STANDING_CREATING;
	if (rows->unreadable)
		return STANDING_UNKNOWN;
	if (rows->user && rows->uid != record->uid)
		return STANDING_FOREIGN;
	if (record->state == ACCOUNT_REMOVED || !rows->user)
		return STANDING_REMOVED;
	if (record->state == ACCOUNT_DEACTIVATED || (rows->expires && now_s / SECONDS_PER_DAY >= rows->expires_day))
		return STANDING_DEACTIVATED;
	return record->state == ACCOUNT_INCOMPLETE ? STANDING_INCOMPLETE : STANDING_ACTIVE;
}
