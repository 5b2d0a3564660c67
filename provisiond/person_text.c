/*
 * Checks and reduces text about persons: it ends up in /etc/passwd, on terminals and in other programs' parsers.
 */
#include "provisiond/person_text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/utf8.h"

bool person_text_ok(const char *text, size_t max_bytes)
{
	if (strnlen(text, max_bytes + 1) > max_bytes)
		return false;
	while (*text) {
		uint32_t point = 0;
		size_t length = utf8_decode(text, &point);

		if (length == 0 || utf8_is_control(point))
			return false;
		text += length;
	}
	return true;
}

/* `:` and `,` part fields, `=` is refused by chfn(1), `&` stands for the login name in finger(1). */
static bool is_syntax(uint32_t point)
{
	return point < 0x80 && strchr(":,=&", (int)point) != NULL;
}

void gecos_from_full_name(const char *full_name, const char *account, char ret_gecos[GECOS_MAX])
{
	size_t used = 0;

	while (*full_name) {
		uint32_t point = 0;
		size_t length = utf8_decode(full_name, &point);
		bool space = point == ' ' || point == '\t' || point == 0xa0;

		if (length > 0 && space) {
			if (used > 0 && ret_gecos[used - 1] != ' ' && used + 1 < GECOS_MAX)
				ret_gecos[used++] = ' ';
		} else if (length > 0 && !utf8_is_control(point) && !utf8_is_invisible(point) && !is_syntax(point)) {
			if (used + length >= GECOS_MAX)
				break;
			memcpy(ret_gecos + used, full_name, length);
			used += length;
		}
		full_name += length > 0 ? length : 1;
	}
	while (used > 0 && ret_gecos[used - 1] == ' ')
		used--;
	ret_gecos[used] = '\0';
	if (used == 0)
		(void)snprintf(ret_gecos, GECOS_MAX, "%s", account);
}

/* A GECOS field in its parts. */
struct gecos_parts {
	const char *name;
	size_t name_length;
	bool has_room; /* there is a comma behind the name */
	const char *room;
	size_t room_length;
	const char *rest; /* from the comma behind the room on; "" for none */
};

static struct gecos_parts parts_of(const char *gecos)
{
	struct gecos_parts parts = { .name = gecos, .name_length = strcspn(gecos, ",") };
	const char *end = gecos + parts.name_length;

	parts.has_room = *end == ',';
	parts.room = parts.has_room ? end + 1 : end;
	parts.room_length = strcspn(parts.room, ",");
	parts.rest = parts.room + parts.room_length;
	return parts;
}

static bool part_is(const char *part, size_t length, const char *text)
{
	return strlen(text) == length && memcmp(part, text, length) == 0;
}

static bool write_parts(const struct gecos_parts *parts, char ret_gecos[GECOS_FIELD_MAX])
{
	char text[GECOS_FIELD_MAX];
	int n = snprintf(text, sizeof(text), "%.*s%s%.*s%s", (int)parts->name_length, parts->name,
			 parts->has_room ? "," : "", (int)parts->room_length, parts->room, parts->rest);

	if (n < 0 || (size_t)n >= sizeof(text))
		return false;
	memcpy(ret_gecos, text, (size_t)n + 1);
	return true;
}

bool gecos_with(const char *gecos, const char *full_name, const char *room, char ret_gecos[GECOS_FIELD_MAX])
{
	struct gecos_parts parts = parts_of(gecos);

	if (strnlen(gecos, GECOS_FIELD_MAX) >= GECOS_FIELD_MAX)
		return false;
	if (full_name) {
		parts.name = full_name;
		parts.name_length = strlen(full_name);
	}
	if (room) {
		parts.room = room;
		parts.room_length = strlen(room);
		parts.has_room = room[0] != '\0' || parts.rest[0] != '\0';
	}
	return write_parts(&parts, ret_gecos);
}

bool gecos_given_back(const char *gecos, const char *before, const char *full_name, const char *room,
		      char ret_gecos[GECOS_FIELD_MAX])
{
	struct gecos_parts parts = parts_of(gecos), was = parts_of(before);
	char written[GECOS_FIELD_MAX];

	if (strnlen(gecos, GECOS_FIELD_MAX) >= GECOS_FIELD_MAX || strnlen(before, GECOS_FIELD_MAX) >= GECOS_FIELD_MAX)
		return false;
	/* Nothing was changed since: as it was, down to the commas at its end. */
	if (gecos_with(before, full_name, room[0] ? room : NULL, written) && strcmp(gecos, written) == 0) {
		memcpy(ret_gecos, before, strlen(before) + 1);
		return true;
	}
	if (part_is(parts.name, parts.name_length, full_name)) {
		parts.name = was.name;
		parts.name_length = was.name_length;
	}
	if (room[0] && part_is(parts.room, parts.room_length, room)) {
		parts.room = was.room;
		parts.room_length = was.room_length;
		parts.has_room = was.room_length > 0 || parts.rest[0] != '\0';
	}
	return write_parts(&parts, ret_gecos);
}
