#include "tests/issuer/answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/cleanup.h"
#include "tests/issuer/must.h"

void answer_set_body(struct answer *answer, char *body, size_t length)
{
	free(answer->body);
	answer->body = body;
	answer->length = length;
}

static void remove_header(struct answer *answer, size_t index)
{
	free(answer->headers[index].name);
	free(answer->headers[index].value);
	answer->headers[index] = answer->headers[--answer->header_count];
}

void answer_set_header(struct answer *answer, const char *name, const char *value)
{
	for (size_t i = 0; i < answer->header_count; i++) {
		if (strcasecmp(answer->headers[i].name, name) == 0) {
			remove_header(answer, i);
			break;
		}
	}
	if (!value || answer->header_count == ANSWER_HEADERS_MAX)
		return;
	answer->headers[answer->header_count].name = must_copy(name);
	answer->headers[answer->header_count].value = must_copy(value);
	answer->header_count++;
}

void answer_set_headerf(struct answer *answer, const char *name, const char *format, ...)
{
	_cleanup_free_ char *value = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&value, format, arguments) < 0)
		value = NULL;
	va_end(arguments);
	answer_set_header(answer, name, must(value));
}

static void forbid_caching(struct answer *answer)
{
	answer_set_header(answer, "Cache-Control", "no-cache, no-store");
	answer_set_header(answer, "Pragma", "no-cache");
	answer_set_header(answer, "Expires", "0");
}

void answer_json(struct answer *answer, unsigned status, json_t *json)
{
	char *text = must(json_dumps(must(json), JSON_COMPACT | JSON_REAL_PRECISION(15)));

	json_decref(json);
	answer->status = status;
	answer_set_body(answer, text, strlen(text));
	answer_set_header(answer, "Content-Type", status < 400 ? "application/json" : "application/json;charset=UTF-8");
	forbid_caching(answer);
}

void answer_html(struct answer *answer, unsigned status, char *html)
{
	answer->status = status;
	answer_set_body(answer, html, strlen(html));
	answer_set_header(answer, "Content-Type", "text/html;charset=UTF-8");
	forbid_caching(answer);
}

void answer_free(struct answer *answer)
{
	free(answer->body);
	answer->body = NULL;
	while (answer->header_count > 0)
		remove_header(answer, answer->header_count - 1);
}
