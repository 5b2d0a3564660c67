/*
 * Writes JSON (RFC 8259), indented, in plain ASCII: whatever else a string holds is escaped, so that it is as safe on a
 * terminal as in a file. Writing is all provisionctl needs of JSON, so it brings no library for it.
 */
#ifndef PROVISIOND_CTL_JSON_H
#define PROVISIOND_CTL_JSON_H

#include <stdbool.h>
#include <stdio.h>

struct json {
	FILE *out;
	unsigned depth;
	bool filled; /* the innermost array or object has something in it */
};

/* Begins with { .out = file }. The key is NULL inside an array and at the top. */
void json_begin(struct json *json, const char *key, char bracket);
void json_end(struct json *json, char bracket);
/* A string; null for NULL. Bytes that are not UTF-8 become U+FFFD. */
void json_string(struct json *json, const char *key, const char *value);
void json_truth(struct json *json, const char *key, bool value);
void json_number(struct json *json, const char *key, long long value);

#endif
