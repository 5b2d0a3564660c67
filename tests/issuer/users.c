#include "tests/issuer/users.h"

#include <string.h>
#include <strings.h>

#include "common/cleanup.h"
#include "tests/issuer/must.h"

#define GROUPS_MAX 2

enum verified { EMAIL_VERIFIED, EMAIL_NOT_VERIFIED, EMAIL_VERIFIED_ABSENT };

static const struct {
	const char *name;
	const char *full_name;
	const char *email;
	const char *sub;
	const char *groups[GROUPS_MAX]; /* besides Everyone */
	const char *login;              /* NULL: the email */
	const char *linux_name;         /* a claim; NULL: none */
	enum verified verified;
	bool not_assigned, policy_denied, listed;
} BUILTIN[] = {
	{ .name = "alice",
	  .full_name = "Alice Aranda",
	  .email = "alice@clinic.example",
	  .sub = "00u1alice0000000Clin",
	  .groups = { "Clinic IT" },
	  .listed = true },
	{ .name = "bob",
	  .full_name = "Bob Becker",
	  .email = "bob@clinic.example",
	  .sub = "00u2bob000000000Clin",
	  .groups = { "Radiology" },
	  .listed = true },
	{ .name = "carol",
	  .full_name = "Carol Chen",
	  .email = "carol@clinic.example",
	  .sub = "00u3carol0000000Clin",
	  .listed = true },
	{ .name = "dave",
	  .full_name = "Dave Dunne",
	  .email = "dave@clinic.example",
	  .sub = "00u4dave00000000Clin",
	  .not_assigned = true,
	  .listed = true },
	{ .name = "erin",
	  .full_name = "Erin Evans",
	  .email = "erin@clinic.example",
	  .sub = "00u5erin00000000Clin",
	  .verified = EMAIL_NOT_VERIFIED,
	  .listed = true },
	{ .name = "frank",
	  .full_name = "Frank Fischer",
	  .email = "frank@clinic.example",
	  .sub = "00u6frank0000000Clin",
	  .policy_denied = true },
	{ .name = "grace",
	  .full_name = "Grace Guerra",
	  .email = "grace@clinic.example",
	  .sub = "00u7grace0000000Clin",
	  .verified = EMAIL_VERIFIED_ABSENT },
	{ .name = "obrien",
	  .full_name = "Se\xc3\xa1n O'Brien",
	  .email = "o'brien@clinic.example",
	  .sub = "00u8obrien000000Clin",
	  .linux_name = "sobrien" },
	{ .name = "mallory",
	  .full_name = "Mallory",
	  .email = "mallory@evil.example",
	  .sub = "00u9mallory00000Evil",
	  .listed = true },
	{ .name = "alice-evil",
	  .full_name = "Alice Aranda",
	  .email = "alice@evil.example",
	  .sub = "00uaaliceevil000Evil",
	  .groups = { "Clinic IT" } },
	{ .name = "alice-subdomain",
	  .full_name = "Alice Aranda",
	  .email = "alice@sub.clinic.example",
	  .sub = "00ubalicesubdom0Evil" },
	{ .name = "alice-suffix",
	  .full_name = "Alice Aranda",
	  .email = "alice@clinic.example.evil.example",
	  .sub = "00ucalicesuffix0Evil" },
	{ .name = "alice-prefix",
	  .full_name = "Alice Aranda",
	  .email = "alice@xclinic.example",
	  .sub = "00udaliceprefix0Evil" },
	{ .name = "alice-again",
	  .full_name = "Alice Abbott",
	  .email = "alice@clinic.example",
	  .sub = "00uealiceagain00Clin",
	  .login = "alice2@clinic.example" },
};

static json_t *builtin_user(size_t index)
{
	const char *login = BUILTIN[index].login ? BUILTIN[index].login : BUILTIN[index].email;
	json_t *groups = must(json_pack("[s]", "Everyone"));
	json_t *user = must(json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:o}", "name", BUILTIN[index].full_name,
				      "email", BUILTIN[index].email, "sub", BUILTIN[index].sub, "login", login,
				      "assigned", !BUILTIN[index].not_assigned, "policy_denied",
				      BUILTIN[index].policy_denied, "listed", BUILTIN[index].listed, "groups", groups));

	for (size_t i = 0; i < GROUPS_MAX && BUILTIN[index].groups[i]; i++)
		json_array_append_new(groups, json_string(BUILTIN[index].groups[i]));
	if (BUILTIN[index].verified != EMAIL_VERIFIED_ABSENT)
		json_object_set_new(user, "email_verified", json_boolean(BUILTIN[index].verified == EMAIL_VERIFIED));
	if (BUILTIN[index].linux_name)
		json_object_set_new(user, "claims", must(json_pack("{s:s}", "linux_name", BUILTIN[index].linux_name)));
	return user;
}

json_t *users_builtin(void)
{
	json_t *users = must(json_object());
	json_t *builtin = must(json_object());
	_cleanup_free_ char *fault = NULL;

	for (size_t i = 0; i < sizeof BUILTIN / sizeof BUILTIN[0]; i++)
		json_object_set_new(builtin, BUILTIN[i].name, builtin_user(i));
	fault = users_add(users, builtin);
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

	json_object_foreach (more, name, user) {
		char *fault = check(name, user);

		if (fault)
			return fault;
	}
	json_object_foreach (more, name, user) {
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
	json_object_foreach (users, name, user) {
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
