/*
 * Lists the accounts on record.
 */
#include "provisiond/ctl/health/people.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire.h"
#include "provisiond/ctl/health/health.h"

/* gcc's analyzer loses what is reached through an array, and calls it leaked; the leak checks of the tests see it
 * freed. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif

static int take_text(const struct wire_message *row, const char *key, char **ret)
{
	const char *value = wire_get(row, key);

	*ret = strdup(value ? value : "");
	return *ret ? 0 : -ENOMEM;
}

static int take_account(const struct wire_message *row, struct people *people)
{
	struct people_account *account;
	const char *name = wire_get(row, "name"), *linked = wire_get(row, "linked");
	uint32_t uid;

	if (!name || strlen(name) > ACCOUNT_NAME_MAX || !wire_get_id(row, "uid", &uid))
		return -EPROTO;
	if (people->count == people->capacity) {
		size_t capacity = people->capacity ? people->capacity * 2 : 64;
		struct people_account *grown = reallocarray(people->accounts, capacity, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		people->accounts = grown;
		people->capacity = capacity;
	}
	account = &people->accounts[people->count++];
	*account = (struct people_account){ .uid = uid, .linked = linked && strcmp(linked, "1") == 0 };
	memcpy(account->name, name, strlen(name) + 1);
	return take_text(row, "email", &account->email) == 0 && take_text(row, "tenant", &account->tenant) == 0 &&
			       take_text(row, "state", &account->state) == 0 &&
			       take_text(row, "home", &account->home) == 0
		       ? 0
		       : -ENOMEM;
}

int people_list(int64_t deadline_ms, struct people *ret_people)
{
	_cleanup_health_question_ struct health_question question = NO_QUESTION;
	_cleanup_people_ struct people people = { 0 };
	int r = health_ask(PROVISIOND_SOCKET, "list", NULL, NULL, deadline_ms, &question);

	while (r == 0) {
		struct wire_message row;

		r = health_answer(&question, &row);
		if (r != 0)
			break;
		if (strcmp(wire_kind(&row, "status"), "end") == 0) {
			*ret_people = people;
			people = (struct people){ 0 };
			return 0;
		}
		if (strcmp(wire_kind(&row, "status"), "account") == 0)
			r = take_account(&row, &people);
	}
	return r;
}

void people_release(struct people *people)
{
	for (size_t i = 0; i < people->count; i++) {
		free(people->accounts[i].email);
		free(people->accounts[i].tenant);
		free(people->accounts[i].state);
		free(people->accounts[i].home);
	}
	free(people->accounts);
	*people = (struct people){ 0 };
}

bool people_is_active(const struct people_account *account)
{
	return strcmp(account->state, "active") == 0 || strcmp(account->state, "incomplete") == 0;
}
