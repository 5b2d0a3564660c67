/*
 * An account as provisiond describes it (`status=account`), for tables and as JSON.
 */
#ifndef PROVISIOND_CTL_ACCOUNT_H
#define PROVISIOND_CTL_ACCOUNT_H

#include "common/wire.h"
#include "provisiond/ctl/json.h"
#include "provisiond/ctl/time_text.h"

/* The fields that every account has, NULL-terminated. */
extern const char *const account_required_fields[];

/* The time in a field ("created", "last_signin") for people; "never" when it is missing or 0. */
void account_time(const struct wire_message *account, const char *key, char ret_text[static TIME_TEXT_MAX]);
/* One object; times in UTC or null. */
void account_json(struct json *json, const struct wire_message *account);

#endif
