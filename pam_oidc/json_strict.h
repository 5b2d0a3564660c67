/*
 * Reads JSON objects from the network: one reading per text, so that no two programs can understand it differently.
 */
#ifndef PAM_OIDC_JSON_STRICT_H
#define PAM_OIDC_JSON_STRICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/cleanup.h"

#define JSON_STRICT_DEPTH_MAX 16

/* Parses one object and nothing after it (RFC 8259): valid UTF-8, no member twice at any depth, no NUL, not nested
 * deeper than JSON_STRICT_DEPTH_MAX. The caller bounds the length. Returns a new reference; or NULL, and fault says
 * what is wrong as the end of a sentence ("has a member twice (byte 17)"), without any of the text. */
json_t *json_strict_object(const char *text, size_t length, char *fault, size_t fault_size);

/* The member's value when it is a string, else NULL. Lives as long as the object. */
const char *json_strict_string(const json_t *object, const char *name);

/* True for an array that holds at most max_count strings and nothing else. */
bool json_strict_is_string_array(const json_t *value, size_t max_count);

static inline void cleanup_json(json_t **json)
{
	json_decref(*json);
}

#define _cleanup_json_ _cleanup_(cleanup_json)

#endif
