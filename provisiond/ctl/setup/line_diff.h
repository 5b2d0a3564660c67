/*
 * What differs between two texts, line by line, and the way to take a change back out of a text that was edited since.
 * Pure.
 */
#ifndef PROVISIOND_CTL_SETUP_LINE_DIFF_H
#define PROVISIOND_CTL_SETUP_LINE_DIFF_H

#include <stdbool.h>
#include <stddef.h>

/* A line with its line end, which only the last one may lack. Points into the text. */
struct line {
	const char *text;
	size_t length;
};

struct lines {
	struct line *items;
	size_t count;
};

/* `old_count` lines from `old_first` on (counted from 0) became `new_count` lines from `new_first` on. */
struct line_hunk {
	size_t old_first, old_count, new_first, new_count;
};

struct line_diff {
	struct lines old_lines, new_lines;
	struct line_hunk *hunks; /* ascending, with at least one common line between two */
	size_t count;
};

/* False without memory. The texts must live as long as the result, which line_diff_free() releases. */
bool line_diff_make(const char *old_text, size_t old_length, const char *new_text, size_t new_length,
		    struct line_diff *ret_diff);
void line_diff_free(struct line_diff *diff);

enum line_merge { LINE_MERGE_DONE, LINE_MERGE_CONFLICT, LINE_MERGE_NO_MEMORY };

/* The edited text without the change that led from `before` to `after`, where `edited` began as `after`. Lines that the
 * change added go, also where others were put among them; those are kept. A conflict when what the change took away
 * cannot be put back, because the lines that replaced it were edited. The caller frees *ret_text (NUL-terminated). */
enum line_merge line_diff_take_back(const char *before, size_t before_length, const char *after, size_t after_length,
				    const char *edited, size_t edited_length, char **ret_text, size_t *ret_length);

#endif
