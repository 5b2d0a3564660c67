/*
 * The error table: every way in which Okta says no, with its status, its error and its words.
 */
#ifndef ISSUER_ERRORS_H
#define ISSUER_ERRORS_H

#include "tests/issuer/answer.h"

enum error_row {
	ERROR_AUTHORIZATION_PENDING,
	ERROR_SLOW_DOWN,
	ERROR_EXPIRED_TOKEN,
	ERROR_INVALID_GRANT,
	ERROR_NOT_ASSIGNED,
	ERROR_POLICY,
	ERROR_DENIED,
	ERROR_NETWORK_ZONE,
	ERROR_INVALID_CLIENT,
	ERROR_INVALID_CLIENT_ID,
	ERROR_INVALID_CLIENT_SECRET,
	ERROR_INVALID_CLIENT_ASSERTION,
	ERROR_UNAUTHORIZED_CLIENT,
	ERROR_INVALID_SCOPE,
	ERROR_MISSING_SCOPE,
	ERROR_MULTIPLE_CREDENTIALS,
	ERROR_INVALID_REQUEST,
	ERROR_UNSUPPORTED_GRANT_TYPE,
	ERROR_RATE_LIMIT,
	ERROR_TOO_MANY_USER_CODES,
	ERROR_GROUPS_CLAIM,
	ERROR_TEMPORARILY_UNAVAILABLE,
	ERROR_INVALID_TOKEN,
	ERROR_INSUFFICIENT_SCOPE,
	ERROR_NOT_FOUND,
	ERROR_METHOD_NOT_ALLOWED,
	ERROR_CONTENT_TYPE,
	ERROR_SERVER_ERROR_500,
	ERROR_BAD_GATEWAY_502,
	ERROR_UNAVAILABLE_503,
	ERROR_GATEWAY_TIMEOUT_504,
	ERROR_COUNT
};

/* The row of that name, for example "slow_down"; ERROR_COUNT when there is none. */
enum error_row error_row_named(const char *name);
const char *error_row_name(enum error_row row);
/* Fills in status, body and content type. */
void answer_error(struct answer *answer, enum error_row row);
/* The same with other words. */
void answer_error_described(struct answer *answer, enum error_row row, const char *description);

#endif
