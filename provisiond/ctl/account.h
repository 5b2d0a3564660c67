/*
 * An account or an expected person as provisiond describes them (`status=account`, `status=expected`), for tables and
 * as JSON.
 */
#ifndef PROVISIOND_CTL_ACCOUNT_H
#define PROVISIOND_CTL_ACCOUNT_H

#include <stdbool.h>

#include "common/wire.h"
#include "provisiond/ctl/json.h"
#include "provisiond/ctl/time_text.h"

#define NOTE_MAX 256

/* Whether it is a row of either kind with all that every such row has. */
bool account_row_makes_sense(const struct wire_message *row);
/* Whether it is somebody expected, who has no account yet. */
bool account_is_expected(const struct wire_message *row);
/* "active", ...; "expected" for who is that. */
const char *account_state(const struct wire_message *row);

/* The time in a field ("created", "last_signin") for people; "never" when it is missing or 0. */
void account_time(const struct wire_message *account, const char *key, char ret_text[static TIME_TEXT_MAX]);
/* What a person should know besides: a refusal by the issuer, what is expected until when. "" for nothing. Text from
 * the daemon is in it as it came. */
void account_note(const struct wire_message *row, long long now_s, char ret_note[static NOTE_MAX]);
/* One object; times in UTC or null. */
void account_json(struct json *json, const struct wire_message *row);

#endif
