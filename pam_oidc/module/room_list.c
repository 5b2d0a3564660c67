/*
 * Lays out the list of rooms and reads what was typed. See room_list.h.
 */
#include "pam_oidc/module/room_list.h"

#include <string.h>

#include "pam_oidc/module/printable.h"
#include "pam_oidc/module/text.h"

#define LINE_MAX_COLUMNS 79 /* a full line of 80 makes some terminals begin another one */
#define LINES_WANTED 12     /* as long as it has no more, a list is read most easily in one column */
#define NUMBER_COLUMNS 4    /* "99  " */
#define GAP 3               /* between two columns of rooms */

bool room_list_add(struct room_list *rooms, const char *name)
{
	size_t length = strlen(name);

	if (rooms->count == ROOMS_MAX || length == 0 || length > ROOM_NAME_MAX)
		return false;
	memcpy(rooms->names[rooms->count++], name, length + 1);
	return true;
}

static size_t widest_name(const struct room_list *rooms)
{
	char name[ROOM_NAME_MAX + 1];
	size_t widest = 0;

	for (size_t i = 0; i < rooms->count; i++) {
		size_t columns = printable_copy_utf8(rooms->names[i], name, sizeof(name));

		if (columns > widest)
			widest = columns;
	}
	return widest;
}

static size_t lines_of(size_t count, size_t across)
{
	size_t least = (count + across - 1) / across, wanted = count < LINES_WANTED ? count : LINES_WANTED;

	return least > wanted ? least : wanted;
}

bool room_list_text(const struct room_list *rooms, char *ret_text, size_t size)
{
	struct text text = { .bytes = ret_text, .size = size };
	size_t cell = NUMBER_COLUMNS + widest_name(rooms) + GAP;
	size_t across = (LINE_MAX_COLUMNS + GAP) / cell;
	size_t lines = lines_of(rooms->count, across > 1 ? across : 1);

	for (size_t line = 0; line < lines; line++) {
		for (size_t i = line; i < rooms->count; i += lines) {
			char name[ROOM_NAME_MAX + 1];
			size_t columns = printable_copy_utf8(rooms->names[i], name, sizeof(name));
			bool last = i + lines >= rooms->count;
			size_t padding = last ? 0 : cell - NUMBER_COLUMNS - columns;

			text_append(&text, "%2zu  %s%*s", i + 1, name, (int)padding, "");
		}
		text_append(&text, "\n");
	}
	return !text.failed;
}

/* What stands between the spaces at both ends. */
static size_t trimmed(const char **text)
{
	static const char spaces[] = " \t\r\n";
	size_t length;

	*text += strspn(*text, spaces);
	length = strlen(*text);
	while (length > 0 && strchr(spaces, (*text)[length - 1]))
		length--;
	return length;
}

/* 0 when it is no number of one or two digits. */
static size_t number_in(const char *digits, size_t length)
{
	size_t number = 0;

	if (length > 2)
		return 0;
	for (size_t i = 0; i < length; i++) {
		if (digits[i] < '0' || digits[i] > '9')
			return 0;
		number = number * 10 + (size_t)(digits[i] - '0');
	}
	return number;
}

const char *room_list_choose(const struct room_list *rooms, const char *typed)
{
	size_t length = trimmed(&typed), number;

	for (size_t i = 0; i < rooms->count; i++)
		if (strlen(rooms->names[i]) == length && strncmp(rooms->names[i], typed, length) == 0)
			return rooms->names[i];
	number = number_in(typed, length);
	return number >= 1 && number <= rooms->count ? rooms->names[number - 1] : NULL;
}
