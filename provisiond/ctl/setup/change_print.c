/*
 * Shows a change set: unified diffs, steps, notes. Files may hold anything, and the terminal gets none of it raw.
 */
#include "provisiond/ctl/setup/change_set.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "provisiond/ctl/setup/change_inside.h"
#include "provisiond/ctl/setup/line_diff.h"
#include "provisiond/ctl/terminal.h"

#define CONTEXT ((size_t)3)
#define NAME_ROOM 64

enum paint { PAINT_PLAIN, PAINT_OLD, PAINT_NEW, PAINT_PLACE, PAINT_HEAD };

struct page {
	FILE *file;
	bool colour;
};

static void begin(const struct page *page, enum paint paint)
{
	static const char *const codes[] = {
		[PAINT_PLAIN] = "",         [PAINT_OLD] = "\033[31m", [PAINT_NEW] = "\033[32m",
		[PAINT_PLACE] = "\033[36m", [PAINT_HEAD] = "\033[1m",
	};

	if (page->colour)
		(void)fputs(codes[paint], page->file);
}

static void end(const struct page *page, enum paint paint)
{
	if (page->colour && paint != PAINT_PLAIN)
		(void)fputs("\033[0m", page->file);
	(void)fputc('\n', page->file);
}

/* A piece without tabs and backslashes, which terminal_text() would not leave as they are. */
static void put_piece(const struct page *page, const char *text, size_t length)
{
	_cleanup_free_ char *piece = strndup(text, length);
	_cleanup_free_ char *shown = piece ? terminal_text(piece) : NULL;

	(void)fputs(shown ? shown : "(no memory)", page->file);
}

static void put_line(const struct page *page, enum paint paint, char sign, const struct line *line)
{
	size_t length = line->length > 0 && line->text[line->length - 1] == '\n' ? line->length - 1 : line->length;
	const char *at = line->text, *stop = line->text + length;

	begin(page, paint);
	(void)fputc(sign, page->file);
	while (at < stop) {
		size_t plain = 0;

		while (at + plain < stop && at[plain] != '\t' && at[plain] != '\\' && at[plain] != '\0')
			plain++;
		put_piece(page, at, plain);
		at += plain;
		if (at < stop)
			(void)fputs(*at == '\0' ? "\\x00" : *at == '\t' ? "\t" : "\\", page->file);
		at += at < stop;
	}
	end(page, paint);
	if (length == line->length)
		(void)fputs("\\ No newline at end of file\n", page->file);
}

/* The hunks from `first` on that stand so near that their surroundings meet. */
static size_t group_end(const struct line_diff *diff, size_t first)
{
	size_t next = first + 1;

	while (next < diff->count && diff->hunks[next].old_first <= diff->hunks[next - 1].old_first +
									    diff->hunks[next - 1].old_count +
									    2 * CONTEXT)
		next++;
	return next;
}

static void put_range(const struct page *page, char sign, size_t first, size_t count)
{
	(void)fprintf(page->file, "%c%zu", sign, count > 0 ? first + 1 : first);
	if (count != 1)
		(void)fprintf(page->file, ",%zu", count);
}

static void put_group(const struct page *page, const struct line_diff *diff, size_t first, size_t next)
{
	const struct line_hunk *head = &diff->hunks[first], *last = &diff->hunks[next - 1];
	size_t lead = head->old_first < CONTEXT ? head->old_first : CONTEXT;
	size_t rest = diff->old_lines.count - last->old_first - last->old_count;
	size_t tail = rest < CONTEXT ? rest : CONTEXT, at = head->old_first - lead;

	begin(page, PAINT_PLACE);
	(void)fputs("@@ ", page->file);
	put_range(page, '-', at, last->old_first + last->old_count + tail - at);
	(void)fputc(' ', page->file);
	put_range(page, '+', head->new_first - lead,
		  last->new_first + last->new_count + tail - (head->new_first - lead));
	(void)fputs(" @@", page->file);
	end(page, PAINT_PLACE);
	for (size_t i = first; i < next; i++) {
		const struct line_hunk *hunk = &diff->hunks[i];

		for (; at < hunk->old_first; at++)
			put_line(page, PAINT_PLAIN, ' ', &diff->old_lines.items[at]);
		for (; at < hunk->old_first + hunk->old_count; at++)
			put_line(page, PAINT_OLD, '-', &diff->old_lines.items[at]);
		for (size_t n = 0; n < hunk->new_count; n++)
			put_line(page, PAINT_NEW, '+', &diff->new_lines.items[hunk->new_first + n]);
	}
	for (size_t n = 0; n < tail; n++)
		put_line(page, PAINT_PLAIN, ' ', &diff->old_lines.items[at + n]);
}

static void put_diff(const struct page *page, const struct change *change)
{
	struct line_diff diff;

	if (!line_diff_make(change->before.text ? change->before.text : "", change->before.length,
			    change->after.text ? change->after.text : "", change->after.length, &diff)) {
		(void)fputs("(not enough memory to show what changes)\n", page->file);
		return;
	}
	for (size_t i = 0; i < diff.count; i = group_end(&diff, i))
		put_group(page, &diff, i, group_end(&diff, i));
	line_diff_free(&diff);
}

static const char *user_name(uid_t uid, char room[static NAME_ROOM])
{
	const struct passwd *entry = getpwuid(uid);

	if (entry)
		(void)snprintf(room, NAME_ROOM, "%s", entry->pw_name);
	else
		(void)snprintf(room, NAME_ROOM, "%lu", (unsigned long)uid);
	return room;
}

static const char *group_name(gid_t gid, char room[static NAME_ROOM])
{
	const struct group *entry = getgrgid(gid);

	if (entry)
		(void)snprintf(room, NAME_ROOM, "%s", entry->gr_name);
	else
		(void)snprintf(room, NAME_ROOM, "%lu", (unsigned long)gid);
	return room;
}

static void put_owner(const struct page *page, const struct change_owner *owner)
{
	char user[NAME_ROOM], group[NAME_ROOM];

	(void)fprintf(page->file, "mode %04o, owner %s:%s", (unsigned)owner->mode, user_name(owner->user, user),
		      group_name(owner->group, group));
}

static void put_one_liner(const struct page *page, const struct change *change)
{
	const char *what = !change->after.exists ? "removed" : !change->before.exists ? "new" : "changed";

	begin(page, PAINT_HEAD);
	(void)fprintf(page->file, "%s: ", change->path);
	if (change->kind == CHANGE_KIND_DIRECTORY)
		(void)fputs("a new folder, ", page->file);
	else if (change->secret)
		(void)fprintf(page->file, "%s secret, %zu bytes, ", change->before.exists ? "another" : "a new",
			      change->after.length);
	else
		(void)fprintf(page->file, "%s (what a program keeps for itself), ", what);
	put_owner(page, &change->becomes);
	end(page, PAINT_HEAD);
}

static void put_file(const struct page *page, const struct change *change)
{
	begin(page, PAINT_HEAD);
	(void)fprintf(page->file, "--- %s", change->before.exists ? change->path : "/dev/null");
	end(page, PAINT_HEAD);
	begin(page, PAINT_HEAD);
	(void)fprintf(page->file, "+++ %s", change->after.exists ? change->path : "/dev/null");
	if (change->after.exists && change->set_owner) {
		(void)fputs("\t(", page->file);
		put_owner(page, &change->becomes);
		(void)fputc(')', page->file);
	}
	end(page, PAINT_HEAD);
	put_diff(page, change);
}

static void put_files(const struct change_set *set, const struct page *page)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct change *change = &set->items[i];

		if (change->kind == CHANGE_KIND_DIRECTORY ||
		    (change->kind == CHANGE_KIND_FILE && (change->secret || change->summary)))
			put_one_liner(page, change);
		else if (change->kind == CHANGE_KIND_FILE)
			put_file(page, change);
	}
}

static void put_sentences(const struct change_set *set, const struct page *page, enum change_kind kind)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct change *change = &set->items[i];
		_cleanup_free_ char *shown = NULL;

		if (change->kind != kind || (kind == CHANGE_KIND_STEP && !change->apply_words))
			continue;
		shown = terminal_text(change->says);
		(void)fprintf(page->file, "%s%s\n",
			      kind == CHANGE_KIND_STEP ? "then: " : "note: ", shown ? shown : "(no memory)");
	}
}

void change_set_print(const struct change_set *set, FILE *file, bool colour)
{
	struct page page = { file, colour };

	put_files(set, &page);
	put_sentences(set, &page, CHANGE_KIND_STEP);
	put_sentences(set, &page, CHANGE_KIND_NOTE);
}
