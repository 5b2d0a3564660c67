/*
 * Walks and builds lists of names.
 */
#include "provisiond/name_list.h"

#include <string.h>

static struct listed_name name_at(const char *text)
{
	return (struct listed_name){ .text = text, .length = strcspn(text, ",") };
}

struct listed_name names_first(const char *names)
{
	return name_at(names ? names : "");
}

struct listed_name names_next(struct listed_name at)
{
	const char *end = at.text + at.length;

	return name_at(*end == ',' ? end + 1 : end);
}

bool names_contain(const char *names, struct listed_name name)
{
	for (struct listed_name at = names_first(names); at.length > 0; at = names_next(at))
		if (at.length == name.length && memcmp(at.text, name.text, name.length) == 0)
			return true;
	return false;
}

void name_list_add(struct name_list *list, struct listed_name name)
{
	size_t start = list->length > 0 ? list->length + 1 : 0;
	char *larger;

	if (name.length == 0 || names_contain(list->text, name))
		return;
	larger = realloc(list->text, start + name.length + 1);
	if (!larger) {
		list->failed = true;
		return;
	}
	if (start > 0)
		larger[start - 1] = ',';
	memcpy(larger + start, name.text, name.length);
	larger[start + name.length] = '\0';
	list->text = larger;
	list->length = start + name.length;
}

const char *name_list_text(const struct name_list *list)
{
	return list->text ? list->text : "";
}

void name_list_free(struct name_list *list)
{
	free(list->text);
	*list = (struct name_list){ 0 };
}
