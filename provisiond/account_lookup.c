/*
 * Looking up in the account files, as they are at that moment: a file is read again when it was changed, and parsed
 * rows are kept for the next question.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "common/cleanup.h"
#include "provisiond/account_files.h"
#include "provisiond/account_subids.h"

/* Password hashes are of no use to lookups: they do not stay in memory. What says that no password matches does: the
 * `!` before it, and a `*`. */
static void forget_hashes(struct account_rows *rows)
{
	for (uint32_t row = 0; row < rows->count; row++) {
		struct row_field hash = account_row_field(rows, row, 1);
		char *text = rows->text + (hash.text - rows->text);
		size_t kept = 0;

		while (kept < hash.length && text[kept] == '!')
			kept++;
		if (kept == 0 && hash.length > 0 && text[0] == '*')
			kept = 1;
		/* Not NULs, which would end the row. The field is read again, so this is not optimized away. */
		memset(text + kept, '.', hash.length - kept);
	}
}

static int64_t nanoseconds(struct timespec time)
{
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Whether a later change is sure to show in the file's times. The kernel dates changes by a clock that moves in ticks
 * of some milliseconds, and two within one tick can leave the same times; `read_at`, before the reading began, is of
 * that same clock, so once it is past the file's times, so is every later change. */
static bool settled(const struct stat *seen, int64_t read_at)
{
	return nanoseconds(seen->st_mtim) < read_at && nanoseconds(seen->st_ctim) < read_at;
}

static int refresh(struct account_files *files, enum account_file file)
{
	_cleanup_(account_snapshot_release) struct account_snapshot snapshot = ACCOUNT_SNAPSHOT_NONE;
	struct account_file_cache *cached = &files->cache[file];
	struct timespec now;
	int r;

	(void)clock_gettime(CLOCK_REALTIME_COARSE, &now);
	r = account_files_snapshot(files, file, &snapshot);
	if (r < 0)
		return r;
	if (account_file_kinds[file].has_hashes)
		forget_hashes(&snapshot.rows);
	account_rows_wipe(&cached->rows);
	cleanup_fd(&snapshot.fd);
	cached->seen = snapshot.seen;
	cached->valid = settled(&snapshot.seen, nanoseconds(now));
	cached->rows = account_snapshot_take(&snapshot).rows;
	return 0;
}

int account_files_current(struct account_files *files, enum account_file file, const struct account_rows **ret_rows)
{
	struct account_file_cache *cached = &files->cache[file];
	struct stat now;
	int r = 0;

	files->fault[0] = '\0';
	if (!cached->held &&
	    (!cached->valid ||
	     fstatat(files->directory, account_file_kinds[file].name, &now, AT_SYMLINK_NOFOLLOW) != 0 ||
	     !account_snapshot_same_state(&cached->seen, &now)))
		r = refresh(files, file);
	if (r < 0)
		return r;
	cached->held = files->holding;
	*ret_rows = &cached->rows;
	return 0;
}

void account_files_hold(struct account_files *files)
{
	files->holding = true;
}

void account_files_release(struct account_files *files)
{
	files->holding = false;
	for (enum account_file file = 0; file < ACCOUNT_FILE_COUNT; file++)
		files->cache[file].held = false;
}

/* Copies a row into the answer, its colons turned into NULs; fields behind the last are empty. */
static int answer_row(struct account_files *files, const struct account_rows *rows, uint32_t row,
		      const char **ret_fields, unsigned count)
{
	size_t length = rows->rows[row].length;
	char *text = malloc(length + 1);
	unsigned field = 0;

	if (!text)
		return -ENOMEM;
	memcpy(text, rows->text + rows->rows[row].begin, length);
	text[length] = '\0';
	for (unsigned i = 0; i < count; i++)
		ret_fields[i] = text + length;
	for (char *at = text; at && field < count; field++) {
		char *colon = memchr(at, ':', (size_t)(text + length - at));

		if (colon)
			*colon = '\0';
		ret_fields[field] = at;
		at = colon ? colon + 1 : NULL;
	}
	ret_fields[0] += strspn(ret_fields[0], " \t\v\f\r");
	free(files->answer);
	files->answer = text;
	return 0;
}

static bool is_user(const struct account_rows *rows, uint32_t row)
{
	return rows->rows[row].has_number[0] && rows->rows[row].has_number[1];
}

static int answer_user(struct account_files *files, const struct account_rows *rows, uint32_t row,
		       struct account_user *ret_user)
{
	const char *fields[7];
	int r = answer_row(files, rows, row, fields, 7);

	if (r < 0)
		return r;
	*ret_user = (struct account_user){ .name = fields[0],
					   .uid = rows->rows[row].number[0],
					   .gid = rows->rows[row].number[1],
					   .gecos = fields[4],
					   .home = fields[5],
					   .shell = fields[6],
					   .line = row + 1 };
	return 1;
}

int account_files_user_named(struct account_files *files, const char *name, struct account_user *ret_user)
{
	const struct account_rows *rows;
	int r = account_files_current(files, ACCOUNT_FILE_PASSWD, &rows);
	uint32_t row;

	if (r < 0)
		return r;
	for (row = account_rows_named(rows, name, ROW_END); row != ROW_END && !is_user(rows, row);)
		row = account_rows_named(rows, name, row);
	return row == ROW_END ? 0 : answer_user(files, rows, row, ret_user);
}

static int user_numbered(struct account_files *files, unsigned column, uint32_t number, struct account_user *ret_user)
{
	const struct account_rows *rows;
	int r = account_files_current(files, ACCOUNT_FILE_PASSWD, &rows);
	uint32_t row;

	if (r < 0)
		return r;
	for (row = account_rows_numbered(rows, column, number, ROW_END); row != ROW_END && !is_user(rows, row);)
		row = account_rows_numbered(rows, column, number, row);
	return row == ROW_END ? 0 : answer_user(files, rows, row, ret_user);
}

int account_files_user_with_uid(struct account_files *files, uid_t uid, struct account_user *ret_user)
{
	return user_numbered(files, 0, uid, ret_user);
}

int account_files_user_with_gid(struct account_files *files, gid_t gid, struct account_user *ret_user)
{
	return user_numbered(files, 1, gid, ret_user);
}

static int answer_group(struct account_files *files, const struct account_rows *rows, uint32_t row,
			struct account_group *ret_group)
{
	const char *name;
	int r = answer_row(files, rows, row, &name, 1);

	if (r < 0)
		return r;
	*ret_group = (struct account_group){ .name = name, .gid = rows->rows[row].number[0], .line = row + 1 };
	return 1;
}

int account_files_group_named(struct account_files *files, const char *name, struct account_group *ret_group)
{
	const struct account_rows *rows;
	int r = account_files_current(files, ACCOUNT_FILE_GROUP, &rows);
	uint32_t row;

	if (r < 0)
		return r;
	for (row = account_rows_named(rows, name, ROW_END); row != ROW_END && !rows->rows[row].has_number[0];)
		row = account_rows_named(rows, name, row);
	return row == ROW_END ? 0 : answer_group(files, rows, row, ret_group);
}

int account_files_group_with_gid(struct account_files *files, gid_t gid, struct account_group *ret_group)
{
	const struct account_rows *rows;
	int r = account_files_current(files, ACCOUNT_FILE_GROUP, &rows);
	uint32_t row;

	if (r < 0)
		return r;
	row = account_rows_numbered(rows, 0, gid, ROW_END);
	return row == ROW_END ? 0 : answer_group(files, rows, row, ret_group);
}

static bool parse_day(const char *text, int64_t *ret_day)
{
	char *end;
	long long day;

	errno = 0;
	day = strtoll(text, &end, 10);
	if (end == text || *end || errno || day < 0) /* as chage -E -1 means it: never */
		return false;
	*ret_day = day;
	return true;
}

/* "LASTCHANGE:MIN:MAX:WARN:INACTIVE", then the expiry, in one text that lives until the next lookup. */
static int answer_dates(struct account_files *files, const struct account_rows *rows, uint32_t row,
			struct account_shadow *shadow)
{
	struct row_field dates[6];
	char *text;
	int length;

	for (unsigned n = 0; n < 6; n++)
		dates[n] = account_row_field(rows, row, 2 + n);
#define DATE(n) (int)dates[n].length, dates[n].text
	length = asprintf(&text, "%.*s:%.*s:%.*s:%.*s:%.*s%c%.*s", DATE(0), DATE(1), DATE(2), DATE(3), DATE(4), '\0',
			  DATE(5));
#undef DATE
	if (length < 0)
		return -ENOMEM;
	free(files->answer);
	files->answer = text;
	shadow->ageing = text;
	shadow->expiry = text + strlen(text) + 1;
	return 0;
}

int account_files_shadow_named(struct account_files *files, const char *name, struct account_shadow *ret_shadow)
{
	const struct account_rows *rows;
	struct account_shadow shadow = { 0 };
	struct row_field password;
	int r = account_files_current(files, ACCOUNT_FILE_SHADOW, &rows);
	uint32_t row;

	if (r < 0)
		return r;
	row = account_rows_named(rows, name, ROW_END);
	if (row == ROW_END)
		return 0;
	r = answer_dates(files, rows, row, &shadow);
	if (r < 0)
		return r;
	password = account_row_field(rows, row, 1);
	while ((size_t)shadow.locks < password.length && password.text[shadow.locks] == '!')
		shadow.locks++;
	shadow.locked = shadow.locks > 0 || (password.length > 0 && password.text[0] == '*');
	shadow.has_expiry = parse_day(shadow.expiry, &shadow.expires_day);
	shadow.line = row + 1;
	*ret_shadow = shadow;
	return 1;
}

static bool has_gid(const gid_t *gids, size_t count, gid_t gid)
{
	for (size_t i = 0; i < count; i++)
		if (gids[i] == gid)
			return true;
	return false;
}

static bool lists_member(const struct account_rows *rows, uint32_t row, const char *name)
{
	const struct account_row *group = &rows->rows[row];

	/* The largest number is no group's, and stands for those that are too large as well. */
	return group->has_fourth_field && group->has_number[0] && group->number[0] != UINT32_MAX &&
	       row_field_lists(account_row_rest(rows, row, 3), name);
}

int account_files_groups_of(struct account_files *files, const char *name, const gid_t **ret_gids, size_t *ret_count)
{
	const struct account_rows *rows;
	size_t count = 0;
	int r = account_files_current(files, ACCOUNT_FILE_GROUP, &rows);

	if (r < 0)
		return r;
	for (uint32_t row = 0; row < rows->count; row++) {
		gid_t *larger;

		if (!lists_member(rows, row, name) || has_gid(files->gids, count, rows->rows[row].number[0]))
			continue;
		larger = realloc(files->gids, (count + 1) * sizeof(files->gids[0]));
		if (!larger)
			return -ENOMEM;
		files->gids = larger;
		files->gids[count++] = rows->rows[row].number[0];
	}
	*ret_gids = files->gids;
	*ret_count = count;
	return 0;
}

/* ---- all of one account ---- */

/* One string of an account_now, in its storage. */
struct part {
	const char **where;
	const char *text;
};

/* Copies all texts into one block. 0 or -ENOMEM. */
static int store_parts(const struct part *parts, size_t count, char **ret_storage)
{
	size_t size = 0;
	char *at;

	for (size_t i = 0; i < count; i++)
		size += strlen(parts[i].text) + 1;
	at = malloc(size);
	if (!at)
		return -ENOMEM;
	*ret_storage = at;
	for (size_t i = 0; i < count; i++) {
		*parts[i].where = at;
		at = stpcpy(at, parts[i].text) + 1;
	}
	return 0;
}

static bool has_item(const char *list, struct row_field item)
{
	struct row_field rest = { list, strlen(list) };

	for (bool more = true; more;) {
		struct row_field there = row_field_first_item(rest, &rest, &more);

		if (there.length == item.length && memcmp(there.text, item.text, item.length) == 0)
			return true;
	}
	return false;
}

/* The names of the groups that list the name, each once, separated by commas. NULL without memory. A group whose own
 * name has a comma cannot be told so, and no rule can name it. */
static char *groups_that_list(const struct account_rows *rows, const char *name)
{
	size_t size = 1, length = 0;
	char *text;

	for (uint32_t row = 0; row < rows->count; row++)
		size += lists_member(rows, row, name) ? rows->rows[row].name_length + (size_t)1 : 0;
	text = calloc(size, 1);
	for (uint32_t row = 0; text && row < rows->count; row++) {
		struct row_field group = { rows->text + rows->rows[row].name, rows->rows[row].name_length };

		if (!lists_member(rows, row, name) || group.length == 0 || memchr(group.text, ',', group.length) ||
		    has_item(text, group))
			continue;
		if (length > 0)
			text[length++] = ',';
		memcpy(text + length, group.text, group.length);
		length += group.length;
	}
	return text;
}

/* The look-ups share one answer: what the first one gave is kept before the next one asks. */
static int keep_user(struct account_files *files, const char *name, struct account_user *ret_user, char **ret_answer)
{
	int r = account_files_user_named(files, name, ret_user);

	if (r > 0)
		*ret_answer = take_pointer(files->answer);
	return r;
}

int account_files_now(struct account_files *files, const char *name, struct account_now *ret_now)
{
	struct account_now now = { .shadow = { .ageing = "", .expiry = "" } };
	_cleanup_free_ char *answer = NULL, *groups = NULL;
	const struct account_rows *rows;
	int r = keep_user(files, name, &now.user, &answer);

	if (r <= 0)
		return r;
	r = account_files_shadow_named(files, name, &now.shadow);
	if (r >= 0)
		r = account_files_current(files, ACCOUNT_FILE_GROUP, &rows);
	if (r < 0)
		return r;
	groups = groups_that_list(rows, name);
	if (!groups)
		return -ENOMEM;
	const struct part parts[] = {
		{ &now.user.name, now.user.name },
		{ &now.user.gecos, now.user.gecos },
		{ &now.user.home, now.user.home },
		{ &now.user.shell, now.user.shell },
		{ &now.shadow.ageing, now.shadow.ageing },
		{ &now.shadow.expiry, now.shadow.expiry },
		{ &now.groups, groups },
	};
	r = store_parts(parts, sizeof(parts) / sizeof(parts[0]), &now.storage);
	if (r < 0)
		return r;
	*ret_now = now;
	return 1;
}

void account_now_clear(struct account_now *now)
{
	free(now->storage);
	*now = (struct account_now){ 0 };
}

/* ---- subordinate ids ---- */

#define SUB_ID_MIN 100000 /* as useradd has it where login.defs says nothing */
#define SUB_ID_MAX 600100000

/* A number in login.defs(5). */
struct login_def {
	const char *key;
	uint64_t number; /* at first: what counts when the file does not say */
};

/* Takes the number that the line gives to one of them. */
static void read_login_def(const char *line, struct login_def *defs, size_t count)
{
	const char *at = line + strspn(line, " \t");

	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(defs[i].key);
		unsigned long long number;
		const char *text;
		char *end;

		if (strncmp(at, defs[i].key, length) != 0 || !strchr(" \t\"", at[length]) || !at[length])
			continue;
		text = at + length + strspn(at + length, " \t\"");
		errno = 0;
		number = strtoull(text, &end, 0);
		if (end != text && errno == 0 && *text != '-')
			defs[i].number = number;
	}
}

struct subid_limits {
	uint64_t first, last;
	bool wanted; /* SUB_UID_COUNT or SUB_GID_COUNT of 0 means that nobody gets any */
};

/* The span that subordinate uids and gids may both have. The last line of a key counts, as for shadow's tools. Only
 * ever read by us, so that a link or another owner does not matter: nothing is given away by it but numbers that nobody
 * has.
 */
static struct subid_limits read_limits(const struct account_files *files)
{
	int fd = openat(files->directory, "login.defs", O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	_cleanup_file_ FILE *stream = fd >= 0 ? fdopen(fd, "re") : NULL;
	struct login_def defs[] = {
		{ "SUB_UID_MIN", SUB_ID_MIN }, { "SUB_GID_MIN", SUB_ID_MIN }, { "SUB_UID_MAX", SUB_ID_MAX },
		{ "SUB_GID_MAX", SUB_ID_MAX }, { "SUB_UID_COUNT", 1 },        { "SUB_GID_COUNT", 1 },
	};
	char line[256];

	if (!stream)
		cleanup_fd(&fd);
	while (stream && fgets(line, sizeof(line), stream))
		read_login_def(line, defs, sizeof(defs) / sizeof(defs[0]));
	return (struct subid_limits){
		.first = defs[0].number > defs[1].number ? defs[0].number : defs[1].number,
		.last = defs[2].number < defs[3].number ? defs[2].number : defs[3].number,
		.wanted = defs[4].number != 0 && defs[5].number != 0,
	};
}

/* All numbers from `from` on that somebody has, in the sub?id files and as a uid or gid. 0 and *ret_has_files, or
 * -errno. */
static int ranges_from(struct account_files *files, uint64_t from, struct subid_range **ranges, size_t *count,
		       bool *ret_has_files)
{
	static const enum account_file subids[] = { ACCOUNT_FILE_SUBUID, ACCOUNT_FILE_SUBGID };
	const struct account_rows *rows;
	bool has_files = false;
	int r = 0;

	for (size_t i = 0; i < 2 && r >= 0; i++) {
		r = account_files_current(files, subids[i], &rows);
		if (r == -ENOENT) {
			r = 0;
			continue;
		}
		has_files = has_files || r == 0;
		if (r == 0)
			r = subid_ranges_of_rows(rows, from, ranges, count);
	}
	if (r == 0)
		r = account_files_current(files, ACCOUNT_FILE_PASSWD, &rows);
	if (r == 0)
		r = subid_ranges_of_numbers(rows, BY_UID, from, ranges, count);
	if (r == 0)
		r = subid_ranges_of_numbers(rows, BY_PRIMARY_GID, from, ranges, count);
	if (r == 0)
		r = account_files_current(files, ACCOUNT_FILE_GROUP, &rows);
	if (r == 0)
		r = subid_ranges_of_numbers(rows, BY_GID, from, ranges, count);
	*ret_has_files = has_files;
	return r;
}

int account_files_free_subid(struct account_files *files, uint32_t at_least, uint32_t *ret_first, uint32_t *ret_behind)
{
	const struct subid_limits limits = read_limits(files);
	uint64_t from = at_least > limits.first ? at_least : limits.first;
	_cleanup_free_ struct subid_range *ranges = NULL;
	bool has_files = false;
	size_t count = 0;
	int r = ranges_from(files, from, &ranges, &count, &has_files);

	if (r < 0)
		return r;
	files->fault[0] = '\0';
	if (has_files && limits.wanted && subid_free_range(ranges, count, from, limits.last, ret_first, ret_behind))
		return 1;
	(void)snprintf(files->fault, sizeof(files->fault), "%s%s", files->path,
		       !has_files       ? ": there is neither subuid nor subgid"
		       : !limits.wanted ? "/login.defs: SUB_UID_COUNT or SUB_GID_COUNT is 0"
					: "/login.defs: no range is left up to SUB_UID_MAX and SUB_GID_MAX");
	return 0;
}
