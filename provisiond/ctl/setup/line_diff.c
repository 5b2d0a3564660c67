/*
 * Longest common subsequence of lines by a table, which is enough for the files of /etc; three-way merging on top of
 * it.
 */
#include "provisiond/ctl/setup/line_diff.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

/* Beyond this many cells, what differs counts as replaced as a whole. */
#define TABLE_MAX ((size_t)4 << 20)

static bool same(const struct line *one, const struct line *other)
{
	return one->length == other->length && memcmp(one->text, other->text, one->length) == 0;
}

static bool split(const char *text, size_t length, struct lines *ret_lines)
{
	struct lines lines = { 0 };
	size_t room = 1;

	for (size_t i = 0; i < length; i++)
		room += text[i] == '\n';
	lines.items = calloc(room, sizeof(*lines.items));
	if (!lines.items)
		return false;
	while (length > 0) {
		const char *end = memchr(text, '\n', length);
		size_t n = end ? (size_t)(end - text) + 1 : length;

		lines.items[lines.count++] = (struct line){ text, n };
		text += n;
		length -= n;
	}
	*ret_lines = lines;
	return true;
}

/* The part of both texts in which they differ. */
struct region {
	size_t old_first, old_count, new_first, new_count;
};

static struct region differing_region(const struct lines *old_lines, const struct lines *new_lines)
{
	size_t head = 0, tail = 0;
	size_t shorter = old_lines->count < new_lines->count ? old_lines->count : new_lines->count;

	while (head < shorter && same(&old_lines->items[head], &new_lines->items[head]))
		head++;
	while (tail < shorter - head &&
	       same(&old_lines->items[old_lines->count - 1 - tail], &new_lines->items[new_lines->count - 1 - tail]))
		tail++;
	return (struct region){ head, old_lines->count - head - tail, head, new_lines->count - head - tail };
}

/* cell(i, j): how many lines the rests from i and j on have in common. */
static bool fill_table(const struct line_diff *diff, const struct region *region, uint32_t **ret_table)
{
	size_t width = region->new_count + 1;
	uint32_t *table = calloc((region->old_count + 1) * width, sizeof(*table));

	if (!table)
		return false;
	for (size_t i = region->old_count; i-- > 0;)
		for (size_t j = region->new_count; j-- > 0;) {
			uint32_t down = table[(i + 1) * width + j], right = table[i * width + j + 1];

			if (same(&diff->old_lines.items[region->old_first + i],
				 &diff->new_lines.items[region->new_first + j]))
				table[i * width + j] = table[(i + 1) * width + j + 1] + 1;
			else
				table[i * width + j] = down > right ? down : right;
		}
	*ret_table = table;
	return true;
}

static void add_hunk(struct line_diff *diff, size_t old_first, size_t old_end, size_t new_first, size_t new_end)
{
	if (old_first < old_end || new_first < new_end)
		diff->hunks[diff->count++] =
			(struct line_hunk){ old_first, old_end - old_first, new_first, new_end - new_first };
}

static void walk_table(struct line_diff *diff, const struct region *region, const uint32_t *table)
{
	size_t width = region->new_count + 1, i = 0, j = 0, from_i = 0, from_j = 0;

	while (i < region->old_count && j < region->new_count) {
		if (same(&diff->old_lines.items[region->old_first + i],
			 &diff->new_lines.items[region->new_first + j])) {
			add_hunk(diff, region->old_first + from_i, region->old_first + i, region->new_first + from_j,
				 region->new_first + j);
			from_i = ++i;
			from_j = ++j;
		} else if (table[(i + 1) * width + j] >= table[i * width + j + 1]) {
			i++;
		} else {
			j++;
		}
	}
	add_hunk(diff, region->old_first + from_i, region->old_first + region->old_count, region->new_first + from_j,
		 region->new_first + region->new_count);
}

static bool compare(struct line_diff *diff)
{
	uint32_t *table;
	struct region region = differing_region(&diff->old_lines, &diff->new_lines);

	diff->hunks = calloc(diff->old_lines.count + diff->new_lines.count + 1, sizeof(*diff->hunks));
	if (!diff->hunks)
		return false;
	if (region.new_count > 0 && region.old_count > TABLE_MAX / region.new_count) {
		add_hunk(diff, region.old_first, region.old_first + region.old_count, region.new_first,
			 region.new_first + region.new_count);
		return true;
	}
	if (!fill_table(diff, &region, &table))
		return false;
	walk_table(diff, &region, table);
	free(table);
	return true;
}

bool line_diff_make(const char *old_text, size_t old_length, const char *new_text, size_t new_length,
		    struct line_diff *ret_diff)
{
	struct line_diff diff = { 0 };

	if (!split(old_text, old_length, &diff.old_lines) || !split(new_text, new_length, &diff.new_lines) ||
	    !compare(&diff)) {
		line_diff_free(&diff);
		return false;
	}
	*ret_diff = diff;
	return true;
}

void line_diff_free(struct line_diff *diff)
{
	free(diff->old_lines.items);
	free(diff->new_lines.items);
	free(diff->hunks);
	*diff = (struct line_diff){ 0 };
}

/* ---- taking a change back ---- */

static bool same_hunk(const struct line_diff *one, const struct line_hunk *a, const struct line_diff *other,
		      const struct line_hunk *b)
{
	if (a->old_first != b->old_first || a->old_count != b->old_count || a->new_count != b->new_count)
		return false;
	for (size_t i = 0; i < a->new_count; i++)
		if (!same(&one->new_lines.items[a->new_first + i], &other->new_lines.items[b->new_first + i]))
			return false;
	return true;
}

/* Whether text that `back` brings back would stand in the midst of what `edit` changed. */
static bool collide(const struct line_hunk *back, const struct line_hunk *edit)
{
	size_t back_end = back->old_first + back->old_count, edit_end = edit->old_first + edit->old_count;

	if (back->new_count == 0)
		return false; /* only lines of ours go: whatever was made of them stays */
	if (edit->old_count == 0)
		return edit->old_first > back->old_first && edit->old_first < back_end;
	if (back->old_count == 0)
		return back->old_first > edit->old_first && back->old_first < edit_end;
	return edit->old_first < back_end && back->old_first < edit_end;
}

struct merge {
	struct line_diff back, edit; /* after -> before, after -> edited */
	bool *gone;                  /* lines of `after` that one of them takes away */
	char *text;
	size_t length;
};

static void merge_free(struct merge *merge)
{
	line_diff_free(&merge->back);
	line_diff_free(&merge->edit);
	free(merge->gone);
	free(merge->text);
}

static void append(struct merge *merge, const struct lines *lines, size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++) {
		/* A last line without its end must not swallow the one that now follows. */
		if (merge->length > 0 && merge->text[merge->length - 1] != '\n')
			merge->text[merge->length++] = '\n';
		memcpy(merge->text + merge->length, lines->items[i].text, lines->items[i].length);
		merge->length += lines->items[i].length;
	}
}

static void mark_gone(struct merge *merge, const struct line_diff *diff)
{
	for (size_t i = 0; i < diff->count; i++)
		for (size_t n = 0; n < diff->hunks[i].old_count; n++)
			merge->gone[diff->hunks[i].old_first + n] = true;
}

/* Hunks that are in both: the edit was taking back the same. */
static void drop_common(struct merge *merge)
{
	for (size_t i = 0; i < merge->back.count; i++)
		for (size_t j = 0; j < merge->edit.count; j++)
			if (same_hunk(&merge->back, &merge->back.hunks[i], &merge->edit, &merge->edit.hunks[j]))
				merge->back.hunks[i].new_count = 0;
}

static bool any_collision(const struct merge *merge)
{
	for (size_t i = 0; i < merge->back.count; i++)
		for (size_t j = 0; j < merge->edit.count; j++)
			if (collide(&merge->back.hunks[i], &merge->edit.hunks[j]))
				return true;
	return false;
}

static void append_new_at(struct merge *merge, const struct line_diff *diff, size_t position)
{
	for (size_t i = 0; i < diff->count; i++)
		if (diff->hunks[i].old_first == position)
			append(merge, &diff->new_lines, diff->hunks[i].new_first, diff->hunks[i].new_count);
}

static void assemble(struct merge *merge)
{
	const struct lines *base = &merge->back.old_lines;

	mark_gone(merge, &merge->back);
	mark_gone(merge, &merge->edit);
	for (size_t i = 0; i <= base->count; i++) {
		append_new_at(merge, &merge->back, i);
		append_new_at(merge, &merge->edit, i);
		if (i < base->count && !merge->gone[i])
			append(merge, base, i, 1);
	}
	merge->text[merge->length] = '\0';
}

enum line_merge line_diff_take_back(const char *before, size_t before_length, const char *after, size_t after_length,
				    const char *edited, size_t edited_length, char **ret_text, size_t *ret_length)
{
	_cleanup_(merge_free) struct merge merge = { 0 };

	if (!line_diff_make(after, after_length, before, before_length, &merge.back) ||
	    !line_diff_make(after, after_length, edited, edited_length, &merge.edit))
		return LINE_MERGE_NO_MEMORY;
	merge.gone = calloc(merge.back.old_lines.count + 1, sizeof(*merge.gone));
	/* Each line once at most, and line ends for the three that may lack one. */
	merge.text = malloc(before_length + after_length + edited_length + 4);
	if (!merge.gone || !merge.text)
		return LINE_MERGE_NO_MEMORY;
	drop_common(&merge);
	if (any_collision(&merge))
		return LINE_MERGE_CONFLICT;
	assemble(&merge);
	*ret_text = take_pointer(merge.text);
	*ret_length = merge.length;
	return LINE_MERGE_DONE;
}
