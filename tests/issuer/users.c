#include "tests/issuer/users.h"

#include <string.h>
#include <strings.h>

#include "common/cleanup.h"
#include "tests/issuer/must.h"

static const char BUILTIN[] =
	"{"
	"\"alice\":{\"login\":\"alice@clinic.example\",\"email\":\"alice@clinic.example\",\"email_verified\":true,"
	"\"name\":\"Alice Aranda\",\"sub\":\"00u1alice0000000Clin\",\"groups\":[\"Everyone\",\"Clinic "
	"IT\"],\"listed\":true},"
	"\"bob\":{\"login\":\"bob@clinic.example\",\"email\":\"bob@clinic.example\",\"email_verified\":true,"
	"\"name\":\"Bob "
	"Becker\",\"sub\":\"00u2bob00000000Clin0\",\"groups\":[\"Everyone\",\"Radiology\"],\"listed\":true},"
	"\"carol\":{\"login\":\"carol@clinic.example\",\"email\":\"carol@clinic.example\",\"email_verified\":true,"
	"\"name\":\"Carol Chen\",\"sub\":\"00u3carol0000000Clin\",\"groups\":[\"Everyone\"],\"listed\":true},"
	"\"dave\":{\"login\":\"dave@clinic.example\",\"email\":\"dave@clinic.example\",\"email_verified\":true,"
	"\"name\":\"Dave Dunne\",\"sub\":\"00u4dave00000000Clin\",\"groups\":[\"Everyone\"],\"assigned\":false,"
	"\"listed\":true},"
	"\"erin\":{\"login\":\"erin@clinic.example\",\"email\":\"erin@clinic.example\",\"email_verified\":false,"
	"\"name\":\"Erin Evans\",\"sub\":\"00u5erin00000000Clin\",\"groups\":[\"Everyone\"],\"listed\":true},"
	"\"frank\":{\"login\":\"frank@clinic.example\",\"email\":\"frank@clinic.example\",\"email_verified\":true,"
	"\"name\":\"Frank Fischer\",\"sub\":\"00u6frank0000000Clin\",\"groups\":[\"Everyone\"],\"policy_denied\":true},"
	"\"grace\":{\"login\":\"grace@clinic.example\",\"email\":\"grace@clinic.example\","
	"\"name\":\"Grace Guerra\",\"sub\":\"00u7grace0000000Clin\",\"groups\":[\"Everyone\"]},"
	"\"obrien\":{\"login\":\"o'brien@clinic.example\",\"email\":\"o'brien@clinic.example\",\"email_verified\":true,"
	"\"name\":\"Se\\u00e1n O'Brien\",\"sub\":\"00u8obrien000000Clin\",\"groups\":[\"Everyone\"],"
	"\"claims\":{\"linux_name\":\"sobrien\"}},"
	"\"mallory\":{\"login\":\"mallory@evil.example\",\"email\":\"mallory@evil.example\",\"email_verified\":true,"
	"\"name\":\"Mallory\",\"sub\":\"00u9mallory00000Evil\",\"groups\":[\"Everyone\"],\"listed\":true},"
	"\"alice-evil\":{\"login\":\"alice@evil.example\",\"email\":\"alice@evil.example\",\"email_verified\":true,"
	"\"name\":\"Alice Aranda\",\"sub\":\"00uaaliceevil000Evil\",\"groups\":[\"Everyone\",\"Clinic IT\"]},"
	"\"alice-subdomain\":{\"login\":\"alice@sub.clinic.example\",\"email\":\"alice@sub.clinic.example\","
	"\"email_verified\":true,\"name\":\"Alice Aranda\",\"sub\":\"00ubalicesub0000Evil\",\"groups\":[\"Everyone\"]},"
	"\"alice-suffix\":{\"login\":\"alice@clinic.example.evil.example\",\"email\":\"alice@clinic.example.evil."
	"example\","
	"\"email_verified\":true,\"name\":\"Alice Aranda\",\"sub\":\"00ucalicesuffix0Evil\",\"groups\":[\"Everyone\"]},"
	"\"alice-prefix\":{\"login\":\"alice@xclinic.example\",\"email\":\"alice@xclinic.example\",\"email_verified\":"
	"true,"
	"\"name\":\"Alice Aranda\",\"sub\":\"00udaliceprefix0Evil\",\"groups\":[\"Everyone\"]},"
	"\"alice-again\":{\"login\":\"alice2@clinic.example\",\"email\":\"alice@clinic.example\",\"email_verified\":"
	"true,"
	"\"name\":\"Alice Abbott\",\"sub\":\"00uealiceagain00Clin\",\"groups\":[\"Everyone\"]}"
	"}";

json_t *users_builtin(void)
{
	json_t *users = must(json_object());
	json_t *builtin = must(json_loads(BUILTIN, JSON_REJECT_DUPLICATES, NULL));
	_cleanup_free_ char *fault = users_add(users, builtin);

	json_decref(builtin);
	must(fault ? NULL : users);
	return users;
}

static char *check(const char *name, json_t *user)
{
	json_error_t error;
	const char *text;
	json_t *value;
	int flag;

	if (json_unpack_ex(user, &error, 0, "{s?s, s?s, s?b, s?s, s?s, s?o, s?o, s?b, s?b, s?b, s?o !}", "login", &text,
			   "email", &text, "email_verified", &flag, "name", &text, "sub", &text, "groups", &value,
			   "amr", &value, "assigned", &flag, "policy_denied", &flag, "listed", &flag, "claims",
			   &value) != 0)
		return must_format("user %s: %s", name, error.text);
	return NULL;
}

static void default_text(json_t *user, const char *member, const char *before, const char *name, const char *after)
{
	if (!json_object_get(user, member))
		json_object_set_new(user, member, must(json_sprintf("%s%s%s", before, name, after)));
}

char *users_add(json_t *users, json_t *more)
{
	const char *name;
	json_t *user;

	json_object_foreach(more, name, user)
	{
		char *fault = check(name, user);

		if (fault)
			return fault;
	}
	json_object_foreach(more, name, user)
	{
		json_t *copy = must(json_deep_copy(user));

		default_text(copy, "login", "", name, "@clinic.example");
		default_text(copy, "name", "", name, "");
		default_text(copy, "sub", "00u", name, "");
		if (!json_object_get(copy, "amr"))
			json_object_set_new(copy, "amr", must(json_pack("[s, s]", "mfa", "pwd")));
		json_object_set_new(users, name, copy);
	}
	return NULL;
}

json_t *users_find(json_t *users, const char *who, const char **ret_name)
{
	json_t *found = *who ? json_object_get(users, who) : NULL;
	const char *name;
	json_t *user;

	if (found) {
		*ret_name = json_object_iter_key(json_object_iter_at(users, who));
		return found;
	}
	json_object_foreach(users, name, user)
	{
		if (strcasecmp(user_text(user, "login"), who) == 0 || strcasecmp(user_text(user, "email"), who) == 0) {
			*ret_name = name;
			return user;
		}
	}
	return NULL;
}

const char *user_text(const json_t *user, const char *member)
{
	const char *text = json_string_value(json_object_get(user, member));

	return text ? text : "";
}

bool user_is_assigned(const json_t *user)
{
	return !json_is_false(json_object_get(user, "assigned"));
}

bool user_is_policy_denied(const json_t *user)
{
	return json_is_true(json_object_get(user, "policy_denied"));
}
