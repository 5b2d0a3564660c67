#include "tests/issuer/settings.h"

#include <stddef.h>
#include <string.h>

#include "tests/issuer/must.h"

enum setting_type {
	TYPE_BOOLEAN,
	TYPE_INTEGER,
	TYPE_NUMBER_OR_NULL,
	TYPE_STRING,
	TYPE_STRING_OR_NULL,
	TYPE_OBJECT,
	TYPE_GROUPS
};

static const struct {
	const char *name;
	enum setting_type type;
	const char *initial; /* JSON; NULL: not there at first, and what it overrides is as usual */
} SETTINGS[] = {
	{ "interval", TYPE_NUMBER_OR_NULL, "5" },
	{ "expires_in", TYPE_INTEGER, "600" },
	{ "thin", TYPE_BOOLEAN, "false" },
	{ "groups", TYPE_GROUPS, "true" },
	{ "email_verified_in_token", TYPE_BOOLEAN, "true" },
	{ "cache_max_age", TYPE_INTEGER, "86400" },
	{ "enforce_interval", TYPE_BOOLEAN, "true" },
	{ "rate_limit", TYPE_INTEGER, "2000" },
	{ "rate_limit_others", TYPE_INTEGER, "0" },
	{ "enforce_rate_limit", TYPE_BOOLEAN, "false" },
	{ "id_token_lifetime", TYPE_INTEGER, "3600" },
	{ "token_type", TYPE_STRING, "\"Bearer\"" },
	{ "verification_uri", TYPE_STRING_OR_NULL, NULL },
	{ "verification_uri_complete", TYPE_STRING_OR_NULL, NULL },
	{ "user_code", TYPE_STRING_OR_NULL, NULL },
	{ "device", TYPE_OBJECT, "{}" },
	{ "discovery", TYPE_OBJECT, "{}" },
	{ "keys", TYPE_OBJECT, "{}" },
	{ "aliases", TYPE_OBJECT, "{}" },
};

#define SETTINGS_COUNT (sizeof SETTINGS / sizeof SETTINGS[0])

json_t *settings_defaults(void)
{
	json_t *settings = must(json_object());

	for (size_t i = 0; i < SETTINGS_COUNT; i++)
		if (SETTINGS[i].initial)
			json_object_set_new(settings, SETTINGS[i].name,
					    must(json_loads(SETTINGS[i].initial, JSON_DECODE_ANY, NULL)));
	return settings;
}

static bool type_fits(enum setting_type type, const json_t *value)
{
	switch (type) {
	case TYPE_BOOLEAN:
		return json_is_boolean(value);
	case TYPE_INTEGER:
		return json_is_integer(value);
	case TYPE_NUMBER_OR_NULL:
		return json_is_number(value) || json_is_null(value);
	case TYPE_STRING:
		return json_is_string(value);
	case TYPE_STRING_OR_NULL:
		return json_is_string(value) || json_is_null(value);
	case TYPE_OBJECT:
		return json_is_object(value);
	case TYPE_GROUPS:
		return json_is_boolean(value) ||
		       (json_is_string(value) && strcmp(json_string_value(value), "scope") == 0);
	}
	return false;
}

static char *fault_of(const char *name, const json_t *value)
{
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		if (strcmp(SETTINGS[i].name, name) != 0)
			continue;
		return type_fits(SETTINGS[i].type, value) ? NULL : must_format("setting %s has another type", name);
	}
	return must_format("there is no setting %s", name);
}

char *settings_change(json_t *settings, json_t *changes)
{
	const char *name;
	json_t *value;

	json_object_foreach (changes, name, value) {
		char *fault = fault_of(name, value);

		if (fault)
			return fault;
	}
	json_object_update(settings, changes);
	return NULL;
}

void json_overlay(json_t *object, json_t *changes)
{
	const char *name;
	json_t *value;

	json_object_foreach (changes, name, value) {
		if (json_is_null(value))
			json_object_del(object, name);
		else
			json_object_set(object, name, value);
	}
}

bool setting_true(const json_t *settings, const char *name)
{
	return json_is_true(json_object_get(settings, name));
}

json_int_t setting_integer(const json_t *settings, const char *name)
{
	return json_integer_value(json_object_get(settings, name));
}

const char *setting_string(const json_t *settings, const char *name)
{
	return json_string_value(json_object_get(settings, name));
}
