/*
 * Collects the rows of a list.
 */
#include "provisiond/ctl/answers.h"

#include <stdlib.h>
#include <string.h>

static bool reserve_row(struct answers *answers)
{
	size_t capacity = answers->capacity ? answers->capacity * 2 : 64;
	struct row *grown;

	if (answers->count < answers->capacity)
		return true;
	grown = reallocarray(answers->rows, capacity, sizeof(*answers->rows));
	if (!grown)
		return false;
	answers->rows = grown;
	answers->capacity = capacity;
	return true;
}

static bool reserve_bytes(struct answers *answers, size_t length)
{
	size_t room = answers->room ? answers->room : WIRE_MAX; /* one doubling is enough for any message */
	char *grown;

	if (length <= answers->room - answers->used)
		return true;
	grown = reallocarray(answers->bytes, room, 2);
	if (!grown)
		return false;
	answers->bytes = grown;
	answers->room = room * 2;
	return true;
}

static bool keep(struct answers *answers, const struct wire_message *answer)
{
	if (!reserve_row(answers) || !reserve_bytes(answers, answer->length))
		return false;
	memcpy(answers->bytes + answers->used, answer->bytes, answer->length);
	answers->rows[answers->count++] = (struct row){ .at = answers->used, .length = answer->length };
	answers->used += answer->length;
	return true;
}

enum exit_code answers_collect(struct conversation *conversation, bool (*makes_sense)(const struct wire_message *row),
			       struct answers *answers)
{
	for (;;) {
		struct wire_message answer;
		enum exit_code code = conversation_next(conversation, &answer);

		if (code != EXIT_DONE)
			return code;
		if (strcmp(wire_kind(&answer, "status"), "end") == 0)
			return EXIT_DONE;
		if (!makes_sense(&answer))
			return conversation_nonsense(conversation);
		if (!keep(answers, &answer))
			return complain_of_memory();
	}
}

static struct wire_message row_message(const char *bytes, const struct row *row)
{
	return (struct wire_message){ .bytes = bytes + row->at, .length = row->length };
}

struct wire_message answers_get(const struct answers *answers, size_t place)
{
	return row_message(answers->bytes, &answers->rows[place]);
}

struct order {
	const char *bytes;
	const char *key;
};

static int compare(const void *one, const void *other, void *context)
{
	const struct order *order = context;
	struct wire_message left = row_message(order->bytes, one), right = row_message(order->bytes, other);

	return strcmp(wire_get(&left, order->key), wire_get(&right, order->key));
}

void answers_sort(struct answers *answers, const char *key)
{
	struct order order = { .bytes = answers->bytes, .key = key };

	if (answers->count > 1)
		qsort_r(answers->rows, answers->count, sizeof(*answers->rows), compare, &order);
}

void answers_release(struct answers *answers)
{
	free(answers->bytes);
	free(answers->rows);
	*answers = (struct answers){ 0 };
}
