/*
 * One rule for a file that is as setup left it, and one for each way in which an edited file is told apart.
 */
#include "provisiond/ctl/setup/change_take_back.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "provisiond/ctl/setup/line_diff.h"
#include "provisiond/ctl/setup/nsswitch_lines.h"
#include "provisiond/ctl/setup/pam_lines.h"

static bool copy(const struct change_content *content, struct change_content *ret_copy)
{
	struct change_content made = *content;

	if (content->exists) {
		made.text = malloc(content->length + 1);
		if (!made.text)
			return false;
		memcpy(made.text, content->text, content->length);
		made.text[made.length] = '\0';
	}
	*ret_copy = made;
	return true;
}

static enum take_back as_before(const struct change *change, enum take_back how, struct change_content *ret_text)
{
	return copy(&change->before, ret_text) ? how : TAKE_BACK_NO_MEMORY;
}

/* Takes over the text. One that nothing but blank lines and comments is left of goes, if it was not there before. */
static enum take_back edited(const struct change *change, const struct change_content *now, char *text, size_t length,
			     struct change_content *ret_text)
{
	bool empty = true;

	if (!text)
		return TAKE_BACK_NO_MEMORY;
	if (length == now->length && memcmp(text, now->text, length) == 0) {
		free(text);
		return TAKE_BACK_CLEAN;
	}
	for (const char *line = text; *line && empty; line += strcspn(line, "\n"), line += *line == '\n')
		empty = strchr("#\n", line[strspn(line, " \t")]) != NULL;
	if (!change->before.exists && empty) {
		free(text);
		return as_before(change, TAKE_BACK_LINES, ret_text);
	}
	*ret_text = (struct change_content){ true, text, length };
	return TAKE_BACK_LINES;
}

static enum take_back by_lines(const struct change *change, const struct change_content *now,
			       struct change_content *ret_text)
{
	const struct change_content *before = &change->before, *after = &change->after;
	size_t length = 0;
	char *text = NULL;

	switch (line_diff_take_back(before->text ? before->text : "", before->length, after->text ? after->text : "",
				    after->length, now->text, now->length, &text, &length)) {
	case LINE_MERGE_DONE:
		return edited(change, now, text, length, ret_text);
	case LINE_MERGE_CONFLICT:
		return TAKE_BACK_STAYS;
	case LINE_MERGE_NO_MEMORY:
		break;
	}
	return TAKE_BACK_NO_MEMORY;
}

/* The format's own way where lines are not enough: what setup changed in a line that others have edited, too. */
static enum take_back by_format(const struct change *change, const struct change_content *now,
				char *take_out(const char *text), struct change_content *ret_text)
{
	enum take_back how = by_lines(change, now, ret_text);
	_cleanup_free_ char *rest = NULL;
	size_t length;

	if (how == TAKE_BACK_NO_MEMORY)
		return how;
	/* Also after taking lines back: a copy of ours may have been put elsewhere in the file. */
	rest = take_out(how == TAKE_BACK_LINES && ret_text->exists ? ret_text->text : now->text);
	if (how == TAKE_BACK_LINES)
		change_content_free(ret_text);
	if (!rest)
		return TAKE_BACK_NO_MEMORY;
	length = strlen(rest);
	return edited(change, now, take_pointer(rest), length, ret_text);
}

enum take_back change_take_back(const struct change *change, const struct change_content *now,
				struct change_content *ret_text)
{
	if (change_is_before(change, now))
		return TAKE_BACK_NOTHING;
	if (change_is_after(change, now))
		return as_before(change, TAKE_BACK_WHOLE, ret_text);
	/* Somebody removed what setup wrote, or made anew what it removed. */
	if (!now->exists)
		return change->before.exists ? TAKE_BACK_STAYS : TAKE_BACK_CLEAN;
	if (!change->after.exists || change->secret)
		return TAKE_BACK_STAYS;
	switch (change->undo) {
	case CHANGE_UNDO_LINES:
		return by_lines(change, now, ret_text);
	case CHANGE_UNDO_WHOLE:
		return as_before(change, TAKE_BACK_ASIDE, ret_text);
	case CHANGE_UNDO_PAM:
		return by_format(change, now, pam_lines_remove, ret_text);
	case CHANGE_UNDO_NSSWITCH:
		return by_format(change, now, nsswitch_remove_oidc, ret_text);
	case CHANGE_UNDO_STAYS:
		break;
	}
	return TAKE_BACK_STAYS;
}
