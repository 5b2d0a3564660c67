/*
 * The rows of a list that a daemon sends, kept until they can be sorted and laid out.
 */
#ifndef PROVISIOND_CTL_ANSWERS_H
#define PROVISIOND_CTL_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/wire.h"
#include "provisiond/ctl/conversation.h"

struct row {
	size_t at; /* in the list's bytes */
	size_t length;
};

struct answers {
	char *bytes; /* of all rows, one after the other */
	size_t used;
	size_t room;
	struct row *rows;
	size_t count;
	size_t capacity;
};

/* Takes answers until `status=end` comes. One that does not make sense as a row is nonsense. EXIT_DONE or another code,
 * after a sentence; either way the caller releases *answers, which begins as { 0 }. */
enum exit_code answers_collect(struct conversation *conversation, bool (*makes_sense)(const struct wire_message *row),
			       struct answers *answers);
/* The row at this place; it lives as long as the list. */
struct wire_message answers_get(const struct answers *answers, size_t place);
/* Sorts by the bytes of a field that every row has. */
void answers_sort(struct answers *answers, const char *key);
void answers_release(struct answers *answers);

#define _cleanup_answers_ _cleanup_(answers_release)

#endif
