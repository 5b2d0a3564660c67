/*
 * The table of every configuration key.
 */
#ifndef COMMON_CONFIG_KEYS_H
#define COMMON_CONFIG_KEYS_H

#include "common/config_values.h"

enum config_section { SECTION_LOGIN, SECTION_ACCOUNTS, SECTION_TENANT };

struct config_key {
	enum config_section section;
	const char *name;
	value_parser *parse;
	size_t offset;            /* of the field in the section's struct */
	const char *fallback;     /* the default, as one would write it; NULL: none */
	bool required;
	long long min, max;       /* for numbers */
	const char *const *words; /* for words; ends with NULL */
	const char *expected;     /* "a whole number from 1 to 100000" */
	const char *help;
};

extern const struct config_key config_keys[];
extern const size_t config_key_count;

/* "login", "accounts" or "tenant NAME" as it stands in the documentation. */
const char *config_section_title(enum config_section section);
const struct config_key *config_key_named(enum config_section section, const char *name);

#endif
