/*
 * Writes JSON. Brackets are the caller's to balance.
 */
#include "provisiond/ctl/json.h"

#include <stdint.h>

#include "provisiond/ctl/utf8.h"

static void unit(FILE *out, uint32_t utf16)
{
	(void)fprintf(out, "\\u%04x", (unsigned)utf16);
}

static void character(FILE *out, uint32_t c)
{
	if (c == '"' || c == '\\') {
		(void)fputc('\\', out);
		(void)fputc((int)c, out);
	} else if (c >= 0x20 && c < 0x7f) {
		(void)fputc((int)c, out);
	} else if (c <= 0xffff) {
		unit(out, c);
	} else {
		unit(out, 0xd800 + ((c - 0x10000) >> 10));
		unit(out, 0xdc00 + ((c - 0x10000) & 0x3ff));
	}
}

static void quoted(FILE *out, const char *text)
{
	(void)fputc('"', out);
	while (*text) {
		uint32_t c = 0xfffd;
		size_t length = utf8_first(text, &c);

		character(out, c);
		text += length > 0 ? length : 1;
	}
	(void)fputc('"', out);
}

static void line_begin(struct json *json)
{
	(void)fputc('\n', json->out);
	for (unsigned i = 0; i < json->depth; i++)
		(void)fputs("  ", json->out);
}

/* Whatever stands before a value. */
static void lead(struct json *json, const char *key)
{
	if (json->filled)
		(void)fputc(',', json->out);
	if (json->depth > 0)
		line_begin(json);
	json->filled = true;
	if (!key)
		return;
	quoted(json->out, key);
	(void)fputs(": ", json->out);
}

void json_begin(struct json *json, const char *key, char bracket)
{
	lead(json, key);
	(void)fputc(bracket, json->out);
	json->depth++;
	json->filled = false;
}

void json_end(struct json *json, char bracket)
{
	json->depth--;
	if (json->filled)
		line_begin(json);
	(void)fputc(bracket, json->out);
	json->filled = true;
	if (json->depth == 0)
		(void)fputc('\n', json->out);
}

void json_string(struct json *json, const char *key, const char *value)
{
	lead(json, key);
	if (value)
		quoted(json->out, value);
	else
		(void)fputs("null", json->out);
}

void json_truth(struct json *json, const char *key, bool value)
{
	lead(json, key);
	(void)fputs(value ? "true" : "false", json->out);
}

void json_number(struct json *json, const char *key, long long value)
{
	lead(json, key);
	(void)fprintf(json->out, "%lld", value);
}
