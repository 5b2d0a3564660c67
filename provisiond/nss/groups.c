/*
 * Appends the groups of an answer to the C library's list. The growing of that list is the one allocation in this
 * module: the interface is made so.
 */
#include "provisiond/nss/groups.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>

#define ROOT_GROUP ((gid_t)0)

/* A group id other than the one that stands for "none". */
static bool group_id_read(const char *text, gid_t *ret_id)
{
	unsigned long long id = 0;

	if (text[0] < '0' || text[0] > '9' || (text[0] == '0' && text[1] != '\0'))
		return false;
	for (; *text >= '0' && *text <= '9' && id < UINT32_MAX; text++)
		id = id * 10 + (unsigned long long)(*text - '0');
	if (*text != '\0' || id >= UINT32_MAX)
		return false;
	*ret_id = (gid_t)id;
	return true;
}

bool groups_ok(const struct wire_message *answer)
{
	size_t cursor = 0;
	const char *text;
	gid_t id;

	while ((text = wire_next(answer, "group", &cursor)))
		if (!group_id_read(text, &id))
			return false;
	return true;
}

static bool contains(const struct group_array *array, gid_t id)
{
	for (long i = 0; i < *array->used; i++)
		if ((*array->ids)[i] == id)
			return true;
	return false;
}

static bool full(const struct group_array *array)
{
	return array->limit > 0 && *array->used >= array->limit;
}

/* Makes room for at least one more id; not beyond the limit, which the caller has checked. */
static bool grow(const struct group_array *array)
{
	long room = *array->room > 0 ? *array->room : 1;
	gid_t *grown;

	if (room > LONG_MAX / 2 / (long)sizeof(gid_t))
		return false;
	room *= 2;
	if (array->limit > 0 && room > array->limit)
		room = array->limit;
	grown = realloc(*array->ids, (size_t)room * sizeof(gid_t));
	if (!grown)
		return false;
	*array->ids = grown;
	*array->room = room;
	return true;
}

bool groups_append(const struct wire_message *answer, gid_t primary, const struct group_array *array)
{
	size_t cursor = 0;
	const char *text;
	gid_t id;

	while ((text = wire_next(answer, "group", &cursor)) && !full(array)) {
		if (!group_id_read(text, &id) || id == ROOT_GROUP || id == primary || contains(array, id))
			continue;
		if (*array->used >= *array->room && !grow(array))
			return false;
		(*array->ids)[(*array->used)++] = id;
	}
	return true;
}
