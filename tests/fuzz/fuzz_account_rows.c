/*
 * The text of the account files: whatever stands in them, every row that is not the account's stays as it is, byte
 * for byte and in its place; what is added can be read by glibc's own functions as the account that was meant and as
 * nothing else; nobody's name, uid or gid is given twice; adding again changes nothing; and removing what was added
 * gives the text as it was before (with a newline at its end). A refusal says the line that stands in the way.
 *
 * The input is a name, a GECOS field, a home and a number (lines), then the texts of group, gshadow, shadow, passwd,
 * subuid and subgid, each ended by a byte 1.
 *
 * Altering it changes no more than its own rows and the lists of members; for glibc it is then a member of the group
 * that it came into and of no other.
 *
 * Covers: provisiond/account_rows.c provisiond/account_changes.c provisiond/account_alteration.c
 * provisiond/account_members.c
 */
#include <grp.h>
#include <gshadow.h>
#include <pwd.h>
#include <shadow.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "provisiond/account_changes.h"
#include "tests/fuzz/fuzz.h"

#define NOW_S (19675 * INT64_C(86400))

static const unsigned columns[ACCOUNT_FILE_COUNT][ROW_NUMBERS] = {
	[ACCOUNT_FILE_GROUP] = { 2 },
	[ACCOUNT_FILE_PASSWD] = { 2, 3 },
	[ACCOUNT_FILE_SUBUID] = { 1, 2 },
	[ACCOUNT_FILE_SUBGID] = { 1, 2 },
};

/* As they stand in the input. */
static const enum account_file order[ACCOUNT_FILE_COUNT] = { ACCOUNT_FILE_GROUP,  ACCOUNT_FILE_GSHADOW,
							     ACCOUNT_FILE_SHADOW, ACCOUNT_FILE_PASSWD,
							     ACCOUNT_FILE_SUBUID, ACCOUNT_FILE_SUBGID };

static const char *const paths[ACCOUNT_FILE_COUNT] = {
	[ACCOUNT_FILE_GROUP] = "/etc/group",   [ACCOUNT_FILE_GSHADOW] = "/etc/gshadow",
	[ACCOUNT_FILE_SHADOW] = "/etc/shadow", [ACCOUNT_FILE_PASSWD] = "/etc/passwd",
	[ACCOUNT_FILE_SUBUID] = "/etc/subuid", [ACCOUNT_FILE_SUBGID] = "/etc/subgid",
};

/* The texts, read, and a change to them. */
struct texts {
	char *text[ACCOUNT_FILE_COUNT];
	size_t length[ACCOUNT_FILE_COUNT];
};

struct edit {
	struct account_rows rows[ACCOUNT_FILE_COUNT];
	struct account_changes changes;
	char fault[512];
};

static void edit_begin(const struct texts *texts, struct edit *edit)
{
	memset(edit, 0, sizeof(*edit));
	edit->changes.fault = edit->fault;
	edit->changes.fault_size = sizeof(edit->fault);
	for (enum account_file file = 0; file < ACCOUNT_FILE_COUNT; file++) {
		char *copy = malloc(texts->length[file] + 1);

		memcpy(copy, texts->text[file], texts->length[file] + 1);
		holds(account_rows_parse(copy, texts->length[file], columns[file], &edit->rows[file]) == 0);
		edit->changes.rows[file] = &edit->rows[file];
		edit->changes.paths[file] = paths[file];
	}
}

static void edit_end(struct edit *edit)
{
	account_changes_free(&edit->changes);
	for (enum account_file file = 0; file < ACCOUNT_FILE_COUNT; file++)
		account_rows_wipe(&edit->rows[file]);
}

/* What the files are after it. A file that does not change is not written. */
static void edit_apply(const struct edit *edit, const struct texts *before, struct texts *ret_after)
{
	for (enum account_file file = 0; file < ACCOUNT_FILE_COUNT; file++) {
		const struct account_change *change = &edit->changes.files[file];
		const struct rows_edit rows_edit = account_change_edit(change);

		if (account_change_is_empty(change)) {
			ret_after->length[file] = before->length[file];
			ret_after->text[file] = malloc(before->length[file] + 1);
			memcpy(ret_after->text[file], before->text[file], before->length[file] + 1);
			continue;
		}
		holds(account_rows_edit(&edit->rows[file], &rows_edit, &ret_after->text[file],
					&ret_after->length[file]) == 0);
	}
}

static void texts_free(struct texts *texts)
{
	for (enum account_file file = 0; file < ACCOUNT_FILE_COUNT; file++)
		free(texts->text[file]);
}

/* ---- rows, by plain code ---- */

static size_t line_length(const char *text, size_t left)
{
	const char *newline = memchr(text, '\n', left);

	return newline ? (size_t)(newline - text) : left;
}

static bool is_nis_row(const char *row)
{
	row += strspn(row, " \t\v\f\r");
	return *row == '+' || *row == '-';
}

/* Walks through both texts: the second is the first with one row put in, before any NIS row, or the same. */
static void check_only_added(const struct texts *before, const struct texts *after, enum account_file file)
{
	const char *old = before->text[file], *new = after->text[file];
	size_t old_left = before->length[file], new_left = after->length[file];
	unsigned added = 0;
	bool nis = false;

	while (new_left > 0) {
		size_t old_line = line_length(old, old_left), new_line = line_length(new, new_left);
		bool same = old_left > 0 && old_line == new_line && memcmp(old, new, new_line) == 0;

		holds(same || !nis, "a row was added behind NIS");
		nis |= is_nis_row(new);
		if (same) {
			old += old_line + (old_line < old_left);
			old_left -= old_line + (old_line < old_left);
		} else {
			added++;
		}
		new += new_line + (new_line < new_left);
		new_left -= new_line + (new_line < new_left);
	}
	holds(old_left == 0 && added <= 1, "%u rows were added to %s", added, paths[file]);
	holds(added == 0 || after->text[file][after->length[file] - 1] == '\n');
}

/* The same texts, but that a last line may have got its newline. */
static void check_same(const struct texts *before, const struct texts *after)
{
	for (enum account_file file = 0; file < ACCOUNT_FILE_COUNT; file++) {
		size_t length = before->length[file];
		bool unended = length > 0 && before->text[file][length - 1] != '\n';

		holds(after->length[file] == length ||
			      (unended && after->length[file] == length + 1 && after->text[file][length] == '\n'),
		      "%s has %zu bytes instead of %zu", paths[file], after->length[file], length);
		holds(memcmp(after->text[file], before->text[file], length) == 0, "%s", paths[file]);
	}
}

/* ---- what glibc reads in them ---- */

static FILE *stream_of(const struct texts *texts, enum account_file file)
{
	return fuzz_rows_for_glibc(texts->text[file], texts->length[file]);
}

static void check_passwd(const struct texts *texts, const struct account_entry *entry)
{
	FILE *stream = stream_of(texts, ACCOUNT_FILE_PASSWD);
	const struct passwd *row;
	unsigned found = 0;

	while ((row = fgetpwent(stream))) {
		bool ours = strcmp(row->pw_name, entry->name) == 0;

		if (row->pw_name[0] == '+' || row->pw_name[0] == '-')
			continue;
		holds(ours == (row->pw_uid == entry->uid), "%s has uid %u", row->pw_name, row->pw_uid);
		holds(ours || row->pw_gid != entry->gid);
		if (!ours)
			continue;
		found++;
		holds(row->pw_gid == entry->gid && strcmp(row->pw_gecos, entry->gecos) == 0 &&
		      strcmp(row->pw_dir, entry->home) == 0 && strcmp(row->pw_shell, entry->shell) == 0);
	}
	holds(found >= 1);
	(void)fclose(stream);
}

static void check_group(const struct texts *texts, const struct account_entry *entry)
{
	FILE *stream = stream_of(texts, ACCOUNT_FILE_GROUP);
	const struct group *row;
	unsigned found = 0;

	while ((row = fgetgrent(stream))) {
		if (row->gr_name[0] == '+' || row->gr_name[0] == '-')
			continue;
		holds((strcmp(row->gr_name, entry->name) == 0) == (row->gr_gid == entry->gid));
		found += row->gr_gid == entry->gid;
		holds(row->gr_gid != entry->gid || !row->gr_mem[0]);
	}
	holds(found >= 1);
	(void)fclose(stream);
}

/* No password lets anybody in. */
static void check_shadow(const struct texts *texts, const struct account_entry *entry)
{
	FILE *stream = stream_of(texts, ACCOUNT_FILE_SHADOW);
	const struct spwd *row;
	unsigned found = 0;

	while ((row = fgetspent(stream))) {
		if (strcmp(row->sp_namp, entry->name) != 0)
			continue;
		found++;
		holds(strcmp(row->sp_pwdp, "*") == 0 && row->sp_expire == -1 && row->sp_max == -1);
	}
	holds(found >= 1);
	(void)fclose(stream);
}

static void check_readable(const struct texts *texts, const struct account_entry *entry)
{
	check_passwd(texts, entry);
	check_group(texts, entry);
	check_shadow(texts, entry);
}

/* ---- the story ---- */

static void check_fault(enum account_files_result result, const char *fault)
{
	holds(result == ACCOUNT_FILES_INVALID || result == ACCOUNT_FILES_TAKEN || result == ACCOUNT_FILES_STORAGE);
	holds(fault[0] && strlen(fault) < 512);
	holds(result != ACCOUNT_FILES_TAKEN || strncmp(fault, "/etc/", 5) == 0, "%s", fault);
}

/* False when it was refused. */
static bool add(const struct texts *before, const struct account_entry *entry, struct texts *ret_after)
{
	const struct account_edits edits = { .added = entry, .added_count = 1 };
	struct edit edit;
	enum account_files_result result;

	edit_begin(before, &edit);
	result = account_changes_apply(&edit.changes, &edits, NOW_S);
	if (result == ACCOUNT_FILES_DONE)
		edit_apply(&edit, before, ret_after);
	else
		check_fault(result, edit.fault);
	edit_end(&edit);
	return result == ACCOUNT_FILES_DONE;
}

static bool drop(const struct texts *before, const struct account_entry *entry, struct texts *ret_after)
{
	const struct account_identity identity = { .name = entry->name, .uid = entry->uid, .gid = entry->gid };
	struct edit edit;
	enum account_files_result result;

	edit_begin(before, &edit);
	result = account_changes_remove(&edit.changes, &identity, 1);
	if (result == ACCOUNT_FILES_DONE)
		edit_apply(&edit, before, ret_after);
	else
		check_fault(result, edit.fault);
	edit_end(&edit);
	return result == ACCOUNT_FILES_DONE;
}

static bool is_subid_file(enum account_file file)
{
	return file == ACCOUNT_FILE_SUBUID || file == ACCOUNT_FILE_SUBGID;
}

/* Whether any row of any file bears the name, or the uid where that may stand for it, so that removing takes more than
 * was added. */
static bool is_there_already(const struct texts *texts, const struct account_entry *entry)
{
	bool there = false;
	struct edit edit;
	char uid[16];

	(void)snprintf(uid, sizeof(uid), "%u", entry->uid);
	edit_begin(texts, &edit);
	for (enum account_file file = 0; file < ACCOUNT_FILE_COUNT; file++)
		there |= account_rows_named(&edit.rows[file], entry->name, ROW_END) != ROW_END ||
			 (is_subid_file(file) && account_rows_named(&edit.rows[file], uid, ROW_END) != ROW_END);
	edit_end(&edit);
	return there;
}

static bool begins_with(const char *row, size_t length, const char *name)
{
	size_t blanks = strspn(row, " \t\v\f\r");

	return blanks + strlen(name) <= length && strncmp(row + blanks, name, strlen(name)) == 0;
}

/* Which rows go when the account goes: none but those of its name, or of its uid where subordinate ids are concerned
 * (subuid(5)). */
static void check_only_dropped(const struct texts *before, const struct texts *after, const struct account_entry *entry)
{
	char uid[16];

	(void)snprintf(uid, sizeof(uid), "%u", entry->uid);
	for (enum account_file file = 0; file < ACCOUNT_FILE_COUNT; file++) {
		const char *old = before->text[file], *new = after->text[file];
		size_t old_left = before->length[file], new_left = after->length[file];

		while (old_left > 0) {
			size_t old_line = line_length(old, old_left), new_line = line_length(new, new_left);

			if (new_left > 0 && old_line == new_line && memcmp(old, new, old_line) == 0) {
				new += new_line + (new_line < new_left);
				new_left -= new_line + (new_line < new_left);
			} else {
				holds(begins_with(old, old_line, entry->name) ||
					      (is_subid_file(file) && begins_with(old, old_line, uid)),
				      "a row of %s has gone", paths[file]);
			}
			old += old_line + (old_line < old_left);
			old_left -= old_line + (old_line < old_left);
		}
		holds(new_left == 0);
	}
}

/* ---- altering ---- */

/* The name of a group that somebody can come into; "" for none. Not one whose number is too large, which glibc reads in
 * passwd and skips in group. */
static void pick_group(const struct texts *texts, char ret_name[32])
{
	struct edit edit;
	const struct account_rows *rows = &edit.rows[ACCOUNT_FILE_GROUP];

	ret_name[0] = '\0';
	edit_begin(texts, &edit);
	for (uint32_t row = 0; row < rows->count && !ret_name[0]; row++)
		if (rows->rows[row].has_number[BY_GID] && rows->rows[row].number[BY_GID] != UINT32_MAX &&
		    rows->rows[row].name_length > 0 && rows->rows[row].name_length < 32 &&
		    !memchr(rows->text + rows->rows[row].name, ',', rows->rows[row].name_length))
			(void)snprintf(ret_name, 32, "%.*s", (int)rows->rows[row].name_length,
				       rows->text + rows->rows[row].name);
	edit_end(&edit);
}

static bool alter(const struct texts *before, const struct account_alteration *alteration, struct texts *ret_after)
{
	const struct account_edits edits = { .altered = alteration, .altered_count = 1 };
	struct edit edit;
	enum account_files_result result;

	edit_begin(before, &edit);
	result = account_changes_apply(&edit.changes, &edits, NOW_S);
	if (result == ACCOUNT_FILES_DONE)
		edit_apply(&edit, before, ret_after);
	else
		check_fault(result, edit.fault);
	edit_end(&edit);
	return result == ACCOUNT_FILES_DONE;
}

/* How much of a row stays: of a group all before its lists, of somebody else's row in the other files all. */
static size_t kept_length(enum account_file file, const char *row, size_t length, const char *name)
{
	unsigned colons = file == ACCOUNT_FILE_GROUP ? 3 : file == ACCOUNT_FILE_GSHADOW ? 2 : 0;
	size_t blanks = strspn(row, " \t\v\f\r"), kept = 0;

	if (colons == 0)
		return strncmp(row + blanks, name, strlen(name)) == 0 ? 0 : length;
	for (; kept < length && colons > 0 && row[kept]; kept++) /* a NUL ends the row for glibc */
		colons -= row[kept] == ':';
	return kept;
}

/* The same number of rows, and in each row what has to stay. */
static void check_only_altered(const struct texts *before, const struct texts *after, const char *name)
{
	for (enum account_file file = 0; file < ACCOUNT_FILE_COUNT; file++) {
		const char *old = before->text[file], *new = after->text[file];
		size_t old_left = before->length[file], new_left = after->length[file];

		while (old_left > 0) {
			size_t old_line = line_length(old, old_left), new_line = line_length(new, new_left);
			size_t kept = kept_length(file, old, old_line, name);

			holds(new_left > 0 && new_line >= kept && memcmp(old, new, kept) == 0, "%s: a row has changed",
			      paths[file]);
			old += old_line + (old_line < old_left);
			old_left -= old_line + (old_line < old_left);
			new += new_line + (new_line < new_left);
			new_left -= new_line + (new_line < new_left);
		}
		holds(new_left == 0, "%s has a row more", paths[file]);
	}
}

/* For glibc it is a member of that group, by one row at least, and of no other but its own. */
static void check_members(const struct texts *texts, const char *name, const char *group)
{
	FILE *stream = stream_of(texts, ACCOUNT_FILE_GROUP);
	const struct group *row;
	bool is_in = group[0] == '\0';

	while ((row = fgetgrent(stream))) {
		bool own = strcmp(row->gr_name, name) == 0, wanted = strcmp(row->gr_name, group) == 0;
		bool listed = false;

		for (char **member = row->gr_mem; *member; member++)
			listed = listed || strcmp(*member, name) == 0;
		if (row->gr_name[0] == '+' || row->gr_name[0] == '-' || row->gr_name[0] == '\0')
			continue;
		holds(!listed || own || wanted, "%s is in %s", name, row->gr_name);
		is_in = is_in || (wanted && listed);
	}
	holds(is_in, "%s is not in %s", name, group);
	(void)fclose(stream);
}

static void check_closed(const struct texts *texts, const char *name)
{
	FILE *stream = stream_of(texts, ACCOUNT_FILE_SHADOW);
	const struct spwd *row;

	while ((row = fgetspent(stream)))
		if (strcmp(row->sp_namp, name) == 0)
			holds(row->sp_pwdp[0] == '!' && row->sp_pwdp[1] != '!' && row->sp_expire == 1 &&
			      row->sp_max == -1);
	(void)fclose(stream);
}

static void try_alter(const struct texts *before, const struct account_entry *entry)
{
	char group[32];
	struct account_alteration alteration = { .who = { .name = entry->name, .uid = entry->uid, .gid = entry->gid },
						 .gecos = entry->gecos,
						 .locks = 1,
						 .ageing = "19000::::",
						 .expiry = "1",
						 .groups_in = group,
						 .groups_out = "*" };
	struct texts after, again;

	pick_group(before, group);
	if (!alter(before, &alteration, &after))
		return;
	check_only_altered(before, &after, entry->name);
	check_members(&after, entry->name, group);
	check_closed(&after, entry->name);
	holds(alter(&after, &alteration, &again));
	check_same(&after, &again);
	texts_free(&after);
	texts_free(&again);
}

static void try(const struct texts *before, const struct account_entry *entry)
{
	struct texts after, again, removed;

	try_alter(before, entry);

	if (drop(before, entry, &removed)) {
		check_only_dropped(before, &removed, entry);
		texts_free(&removed);
	}
	if (!add(before, entry, &after))
		return;
	holds(!account_entry_fault(entry));
	for (enum account_file file = 0; file < ACCOUNT_FILE_COUNT; file++)
		check_only_added(before, &after, file);
	check_readable(&after, entry);
	try_alter(&after, entry);
	holds(add(&after, entry, &again), "what was added is not accepted");
	check_same(&after, &again);
	if (!is_there_already(before, entry)) {
		holds(drop(&after, entry, &removed), "what was added cannot be removed");
		check_same(before, &removed);
		texts_free(&removed);
	}
	texts_free(&after);
	texts_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct fuzz_input input = { bytes, size };
	size_t length;
	char *name = fuzz_text_until(&input, '\n', &length), *gecos = fuzz_text_until(&input, '\n', &length);
	char *home = fuzz_text_until(&input, '\n', &length), *number = fuzz_text_until(&input, '\n', &length);
	struct account_entry entry = { .name = name, .gecos = gecos, .home = home, .shell = "/bin/bash" };
	struct texts texts;

	entry.uid = entry.gid = (uid_t)strtoul(number, NULL, 10);
	for (size_t i = 0; i < ACCOUNT_FILE_COUNT; i++)
		texts.text[order[i]] = fuzz_text_until(&input, 1, &texts.length[order[i]]);
	try(&texts, &entry);
	texts_free(&texts);
	free(name);
	free(gecos);
	free(home);
	free(number);
	return 0;
}
