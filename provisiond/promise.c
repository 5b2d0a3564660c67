/*
 * Works out uid, home and shell of an account that may not exist yet.
 */
#include "provisiond/promise.h"

#include <stdio.h>
#include <string.h>

#include "provisiond/account_uid.h"

/* The configuration has made sure of exactly one %u. */
static bool home_of(const char *format, const char *account, char *ret_home, size_t size)
{
	const char *mark = strstr(format, "%u");
	int before = mark ? (int)(mark - format) : (int)strlen(format);
	int n = snprintf(ret_home, size, "%.*s%s%s", before, format, mark ? account : "", mark ? mark + 2 : "");

	return n > 0 && (size_t)n < size;
}

bool promise_for(const struct config *config, const struct tenant *tenant, const char *account,
		 const uid_t *reserved_uid, struct promise *ret_promise)
{
	const struct accounts_config *accounts = &config->accounts;
	struct promise promise = { .shell = accounts->shell };

	promise.uid = reserved_uid ? *reserved_uid
				   : account_uid(tenant->domains.items[0], account, 0, accounts->uid_first,
						 accounts->uid_last);
	if (!home_of(accounts->home, account, promise.home, sizeof(promise.home)))
		return false;
	*ret_promise = promise;
	return true;
}
