#include "tests/issuer/faults.h"

#include <stdlib.h>
#include <string.h>

#include "tests/issuer/must.h"

#define OVERSIZE_MAX ((json_int_t)1 << 28)

static char *check(json_t *fault)
{
	const char *endpoint = NULL, *row = NULL, *text = NULL;
	json_int_t number = 0, oversize = 0;
	json_t *headers = NULL;
	json_error_t error;
	int flag;

	if (json_unpack_ex(fault, &error, 0,
			   "{s:s, s?s, s?I, s?I, s?I, s?s, s?s, s?o, s?s, s?s, s?I, s?I, s?I, s?I, s?I, s?b, s?b !}",
			   "endpoint", &endpoint, "row", &row, "times", &number, "after", &number, "status", &number,
			   "error", &text, "error_description", &text, "headers", &headers, "body", &text,
			   "content_type", &text, "delay_ms", &number, "drip_ms", &number, "truncate", &number,
			   "oversize", &oversize, "reset_in", &number, "reset", &flag, "process", &flag) != 0)
		return must_format("fault: %s", error.text);
	if (endpoint_named(endpoint) == ENDPOINT_COUNT || endpoint_named(endpoint) == ENDPOINT_CONTROL)
		return must_format("fault: there is no endpoint %s", endpoint);
	if (row && error_row_named(row) == ERROR_COUNT)
		return must_format("fault: the error table has no row %s", row);
	if (headers && !json_is_object(headers))
		return must_copy("fault: headers is no object");
	if (oversize < 0 || oversize > OVERSIZE_MAX)
		return must_copy("fault: oversize is out of range");
	return NULL;
}

char *faults_add(struct faults *faults, json_t *fault)
{
	char *wrong = check(fault);
	json_t *copy;

	if (wrong)
		return wrong;
	copy = must(json_deep_copy(fault));
	if (!json_object_get(copy, "times"))
		json_object_set_new(copy, "times", json_integer(1));
	json_array_append_new(faults->queue, copy);
	return NULL;
}

static json_int_t number_of(const json_t *fault, const char *name, json_int_t otherwise)
{
	const json_t *value = json_object_get(fault, name);

	return value ? json_integer_value(value) : otherwise;
}

static const char *text_of(const json_t *fault, const char *name)
{
	return json_string_value(json_object_get(fault, name));
}

json_t *faults_take(struct faults *faults, enum endpoint endpoint)
{
	for (size_t i = 0; i < json_array_size(faults->queue); i++) {
		json_t *fault = json_array_get(faults->queue, i);
		json_int_t after = number_of(fault, "after", 0);
		json_int_t times = number_of(fault, "times", 1);

		if (endpoint_named(text_of(fault, "endpoint")) != endpoint)
			continue;
		if (after > 0) {
			json_object_set_new(fault, "after", json_integer(after - 1));
			continue;
		}
		json_incref(fault);
		if (times > 0)
			json_object_set_new(fault, "times", json_integer(times - 1));
		if (times == 0 || times == 1)
			json_array_remove(faults->queue, i);
		return fault;
	}
	return NULL;
}

void faults_clear(struct faults *faults)
{
	json_decref(faults->queue);
	faults->queue = must(json_array());
}

enum error_row fault_row(const json_t *fault)
{
	const char *row = text_of(fault, "row");

	return row ? error_row_named(row) : ERROR_COUNT;
}

static bool has_answer_of_its_own(const json_t *fault)
{
	return text_of(fault, "row") || text_of(fault, "error") || text_of(fault, "body") ||
	       json_object_get(fault, "status") || json_is_true(json_object_get(fault, "reset"));
}

bool fault_replaces_endpoint(const json_t *fault)
{
	return has_answer_of_its_own(fault) && !json_is_true(json_object_get(fault, "process"));
}

static void set_own_answer(const json_t *fault, struct answer *answer)
{
	unsigned status = (unsigned)number_of(fault, "status", 0);

	if (text_of(fault, "row"))
		answer_error(answer, fault_row(fault));
	if (text_of(fault, "error"))
		answer_json(answer, status ? status : 400,
			    json_pack("{s:s, s:s*}", "error", text_of(fault, "error"), "error_description",
				      text_of(fault, "error_description")));
	if (text_of(fault, "body")) {
		answer_json(answer, answer->status ? answer->status : 200, json_object());
		answer_set_body(answer, must_copy(text_of(fault, "body")), strlen(text_of(fault, "body")));
	}
	if (status >= 500 && !answer->body)
		answer_error(answer, ERROR_SERVER_ERROR_500);
	if (status)
		answer->status = status;
}

/* A JSON object gets one more member, anything else spaces behind it, until the body is `length` bytes long: still
 * right, just big. */
static void inflate(struct answer *answer, size_t length)
{
	static const char MEMBER[] = ",\"padding\":\"", END[] = "\"}";
	size_t overhead = sizeof MEMBER - 1 + sizeof END - 1 - 1;
	bool object = answer->length > 2 && answer->body[answer->length - 1] == '}';
	size_t at = answer->length;
	char *body;

	if (length <= answer->length + overhead)
		return;
	body = must(malloc(length + 1));
	memcpy(body, answer->body, answer->length);
	memset(body + at, object ? 'x' : ' ', length - at);
	if (object) {
		memcpy(body + at - 1, MEMBER, sizeof MEMBER - 1);
		memcpy(body + length - (sizeof END - 1), END, sizeof END - 1);
	}
	body[length] = '\0';
	answer_set_body(answer, body, length);
}

static void set_rate_limit_headers(const json_t *fault, int64_t now_ms, struct answer *answer)
{
	if (fault_row(fault) == ERROR_RATE_LIMIT || fault_row(fault) == ERROR_TOO_MANY_USER_CODES)
		answer_set_header(answer, "X-Rate-Limit-Remaining", "0");
	if (json_object_get(fault, "reset_in"))
		answer_set_headerf(answer, "X-Rate-Limit-Reset", "%lld",
				   (long long)(now_ms / 1000 + number_of(fault, "reset_in", 0)));
}

void fault_apply(const json_t *fault, int64_t now_ms, struct answer *answer)
{
	json_t *headers = json_object_get(fault, "headers");
	const char *name;
	json_t *value;

	set_own_answer(fault, answer);
	set_rate_limit_headers(fault, now_ms, answer);
	if (text_of(fault, "content_type"))
		answer_set_header(answer, "Content-Type", text_of(fault, "content_type"));
	json_object_foreach (headers, name, value)
		answer_set_header(answer, name, json_string_value(value));
	if (json_object_get(fault, "oversize") && answer->body)
		inflate(answer, (size_t)number_of(fault, "oversize", 0));
	if (json_object_get(fault, "truncate")) {
		answer->truncated = true;
		answer->truncate_to = (size_t)number_of(fault, "truncate", 0);
	}
	answer->reset = json_is_true(json_object_get(fault, "reset"));
	answer->delay_ms = (int)number_of(fault, "delay_ms", 0);
	answer->drip_ms = (int)number_of(fault, "drip_ms", 0);
}
