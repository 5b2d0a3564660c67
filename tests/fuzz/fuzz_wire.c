/*
 * Messages between the programs: whatever bytes arrive, wire_parse() takes exactly those that are a message by the
 * definition in common/wire.h, every value lies inside them, a number that is given is in range and spelled in decimal,
 * and what was read field by field and written again is the same message, however small the room for it.
 *
 * Covers: common/wire.c
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire.h"
#include "tests/fuzz/fuzz.h"

static bool key_ok(const char *key, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!(key[i] >= 'a' && key[i] <= 'z') &&
		    (i == 0 || (!(key[i] >= '0' && key[i] <= '9') && key[i] != '_')))
			return false;
	return length > 0;
}

/* The definition once more, as plainly as it can be said. */
static bool is_message(const char *bytes, size_t length)
{
	if (length == 0 || length > WIRE_MAX || bytes[length - 1] != '\0')
		return false;
	if (strncmp(bytes, "op=", 3) != 0 && strncmp(bytes, "status=", 7) != 0)
		return false;
	for (size_t at = 0; at < length; at += strlen(bytes + at) + 1) {
		const char *equals = strchr(bytes + at, '=');

		if (!equals || !key_ok(bytes + at, (size_t)(equals - bytes) - at))
			return false;
		/* It begins one message only. */
		if (at > 0 && strncmp(bytes + at, bytes, (size_t)(strchr(bytes, '=') - bytes) + 1) == 0)
			return false;
	}
	return true;
}

static void check_number(const struct wire_message *message, const char *key)
{
	long long number = -7;
	uint32_t id = 7;
	char text[32];

	if (wire_get_number(message, key, -5, 4000000000LL, &number)) {
		holds(number >= -5 && number <= 4000000000LL);
		/* Leading zeros apart, there is one spelling. */
		const char *value = wire_get(message, key);

		(void)snprintf(text, sizeof(text), "%lld", number);
		value += *value == '-';
		while (value[0] == '0' && value[1] != '\0')
			value++;
		holds(strcmp(value, text + (text[0] == '-')) == 0, "%s is not %lld", value, number);
	} else {
		holds(number == -7);
	}
	if (wire_get_id(message, key, &id))
		holds(id != UINT32_MAX);
	else
		holds(id == 7);
}

/* Reads the field at `at` by its key. */
static void check_field(const struct wire_message *message, size_t at)
{
	const char *field = message->bytes + at, *equals = strchr(field, '='), *value;
	char *key = strndup(field, (size_t)(equals - field));
	size_t cursor = 0, seen = 0;
	const char *only = wire_get(message, key);

	while ((value = wire_next(message, key, &cursor))) {
		holds(value > message->bytes && value < message->bytes + message->length);
		seen++;
		holds(!only || only == value);
	}
	holds(seen > 0 && (only != NULL) == (seen == 1));
	check_number(message, key);
	free(key);
}

/* Copies the message through a writer that has this much room. */
static void check_writing(const struct wire_message *message, size_t room)
{
	char *buffer = malloc(room ? room : 1);
	struct wire_writer writer;
	const char *equals = strchr(message->bytes, '=');
	char *kind = strndup(message->bytes, (size_t)(equals - message->bytes));

	wire_begin(&writer, buffer, room, kind, equals + 1);
	for (size_t at = strlen(message->bytes) + 1; at < message->length; at += strlen(message->bytes + at) + 1) {
		const char *field = message->bytes + at, *end = strchr(field, '=');
		char *key = strndup(field, (size_t)(end - field));

		if (at % 2)
			wire_put(&writer, key, end + 1);
		else
			wire_putf(&writer, key, "%s", end + 1);
		free(key);
	}
	holds(writer.length <= room);
	holds(writer.failed == (room < message->length));
	if (!writer.failed)
		holds(writer.length == message->length && memcmp(buffer, message->bytes, message->length) == 0);
	free(kind);
	free(buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct fuzz_input input = { bytes, size };
	size_t length, room = (size_t)fuzz_byte(&input) * 4;
	_Static_assert(sizeof(char) == 1, "bytes are characters");
	char *text = fuzz_rest(&input, &length);
	/* Without the NUL behind it, which no message may rely on. */
	char *exact = malloc(length ? length : 1);
	struct wire_message message = { 0 };
	bool good;

	memcpy(exact, text, length);
	good = wire_parse(exact, length, &message);
	holds(good == (length > 0 && text[length - 1] == '\0' && is_message(text, length)));
	if (good) {
		holds(message.bytes == exact && message.length == length);
		holds((wire_kind(&message, "op") != NULL) != (wire_kind(&message, "status") != NULL));
		for (size_t at = 0; at < length; at += strlen(exact + at) + 1)
			check_field(&message, at);
		check_writing(&message, length);
		check_writing(&message, room < length ? room : length - 1);
	} else {
		holds(!message.bytes);
	}
	free(exact);
	free(text);
	return 0;
}
