/*
 * What people read in the example of the configuration is what the program does. (tests/documents/check holds the other
 * documents against it.)
 */
#include "common/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/config_keys.h"

#define LINE_MAX_BYTES 512

static char faults[8192];

static void note_fault(void *context, const char *path, unsigned line, const char *message)
{
	size_t used = strlen(faults);

	(void)context;
	(void)snprintf(faults + used, sizeof(faults) - used, "%s:%u: %s\n", path, line, message);
}

static bool accepted(const char *text)
{
	struct config *config = NULL;
	bool right;

	faults[0] = '\0';
	right = config_parse("example", text, note_fault, NULL, &config);
	config_free(config);
	return right;
}

static char *whole_file(const char *path)
{
	_cleanup_file_ FILE *file = fopen(path, "re");
	char *text = calloc(1, (size_t)256 * 1024);

	assert_non_null(file);
	assert_non_null(text);
	assert_true(fread(text, 1, (size_t)256 * 1024 - 1, file) > 0);
	return text;
}

/* The value in the line when it is `key = value`, commented out or not. */
static const char *value_in(const char *line, const char *key)
{
	size_t length = strlen(key);

	line += *line == '#';
	return strncmp(line, key, length) == 0 && strncmp(line + length, " = ", 3) == 0 ? line + length + 3 : NULL;
}

/* The key's value in the example, which must have it once, in its section. */
static void value_in_example(const struct config_key *key, char ret_value[static LINE_MAX_BYTES])
{
	static const char *const heads[] = {
		[SECTION_LOGIN] = "[login]\n",
		[SECTION_ACCOUNTS] = "[accounts]\n",
		[SECTION_TENANT] = "[tenant ",
	};
	_cleanup_file_ FILE *file = fopen(EXAMPLE, "re");
	char line[LINE_MAX_BYTES];
	bool inside = false;
	int found = 0;

	ret_value[0] = '\0';
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		const char *value = value_in(line, key->name);

		if (line[0] == '[')
			inside = strncmp(line, heads[key->section], strlen(heads[key->section])) == 0;
		if (!value || !inside)
			continue;
		found++;
		(void)snprintf(ret_value, LINE_MAX_BYTES, "%.*s", (int)strcspn(value, "\n"), value);
	}
	if (found != 1)
		fail_msg("%s stands %d times in [%s] of the example", key->name, found,
			 config_section_title(key->section));
}

/* What else a tenant needs for this key to make sense. */
static const char *companion_of(const char *key)
{
	if (strcmp(key, "client_secret_file") == 0)
		return "client_auth = basic\n";
	if (strcmp(key, "private_key_file") == 0)
		return "client_auth = private_key_jwt\n";
	return "";
}

/* A short configuration with this key in it. */
static void configuration_with(const struct config_key *key, const char *value, char *ret_text, size_t size)
{
	char lines[3][LINE_MAX_BYTES * 2] = { "", "", "" };
	const char *name = key->name;
	bool names_issuer = strcmp(name, "issuer") == 0 || strcmp(name, "org") == 0;

	(void)snprintf(lines[key->section], sizeof(lines[0]), "%s = %s\n%s", name, value, companion_of(name));
	(void)snprintf(ret_text, size, "[login]\n%s[accounts]\n%s[tenant clinic]\n%s%s%s%s", lines[SECTION_LOGIN],
		       lines[SECTION_ACCOUNTS], lines[SECTION_TENANT], names_issuer ? "" : "org = clinic.okta.com\n",
		       strcmp(name, "client_id") == 0 ? "" : "client_id = 0oa1\n",
		       strcmp(name, "domains") == 0 ? "" : "domains = clinic.example\n");
}

static bool is_placeholder(const char *value)
{
	return value[0] == '<';
}

static void the_example_has_every_key_once_with_its_default(void **state)
{
	(void)state;
	for (size_t i = 0; i < config_key_count; i++) {
		const struct config_key *key = &config_keys[i];
		char value[LINE_MAX_BYTES];

		value_in_example(key, value);
		if (key->fallback && strcmp(value, key->fallback) != 0)
			fail_msg("the default of %s is %s, the example says %s", key->name, key->fallback, value);
	}
}

static void every_value_in_the_example_is_right(void **state)
{
	(void)state;
	for (size_t i = 0; i < config_key_count; i++) {
		const struct config_key *key = &config_keys[i];
		char value[LINE_MAX_BYTES], text[4096];

		value_in_example(key, value);
		if (is_placeholder(value))
			continue;
		configuration_with(key, value, text, sizeof(text));
		if (!accepted(text))
			fail_msg("%s = %s: %s", key->name, value, faults);
	}
}

static void the_example_knows_no_other_key(void **state)
{
	_cleanup_file_ FILE *file = fopen(EXAMPLE, "re");
	char line[LINE_MAX_BYTES];

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		const char *name = line + (line[0] == '#');
		size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz_");
		bool known = false;

		if (length == 0 || strncmp(name + length, " = ", 3) != 0)
			continue;
		for (size_t i = 0; i < config_key_count; i++)
			known |= strlen(config_keys[i].name) == length &&
				 strncmp(config_keys[i].name, name, length) == 0;
		if (!known)
			fail_msg("unknown: %s", line);
	}
}

static void the_example_as_it_is_asks_for_three_lines_to_be_filled_in(void **state)
{
	_cleanup_free_ char *text = whole_file(EXAMPLE);
	int count = 0;

	(void)state;
	assert_false(accepted(text));
	for (const char *fault = strstr(faults, "still holds a placeholder"); fault;
	     fault = strstr(fault + 1, "still holds a placeholder"))
		count++;
	assert_int_equal(count, 3);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example_has_every_key_once_with_its_default),
		cmocka_unit_test(every_value_in_the_example_is_right),
		cmocka_unit_test(the_example_knows_no_other_key),
		cmocka_unit_test(the_example_as_it_is_asks_for_three_lines_to_be_filled_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
