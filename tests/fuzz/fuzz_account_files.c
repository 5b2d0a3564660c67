/*
 * The account files as a transaction: whatever is in them, adding an account, altering and removing it ends either as
 * asked in all of them, or leaves all as they were, byte for byte, also when memory runs out half-way; nothing of ours
 * is left beside them; and the look-ups find what glibc finds, first rows first: for the account, for every name and
 * number that stands in the files, and for the groups of a member.
 *
 * The input is that of account_rows.
 *
 * Covers: provisiond/passwd.c provisiond/account_snapshot.c provisiond/replacement.c provisiond/account_rows.c
 * provisiond/account_changes.c provisiond/account_alteration.c provisiond/account_members.c provisiond/account_lookup.c
 */
#include <grp.h>
#include <pwd.h>

#include "common/cleanup.h"
#include "common/names.h"
#include "provisiond/passwd.h"
#include "tests/fuzz/machine.h"

#define NOW_S (19675 * INT64_C(86400))
#define FILES 4

static const char *const names[FILES] = { "etc/group", "etc/gshadow", "etc/shadow", "etc/passwd" };

struct texts {
	char *text[FILES];
	size_t length[FILES];
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	machine_make();
	return 0;
}

static struct texts texts_now(void)
{
	struct texts texts;

	for (size_t i = 0; i < FILES; i++)
		texts.text[i] = machine_read(names[i], &texts.length[i]);
	return texts;
}

static void texts_free(struct texts *texts)
{
	for (size_t i = 0; i < FILES; i++)
		free(texts->text[i]);
}

static bool texts_same(const struct texts *one, const struct texts *other)
{
	for (size_t i = 0; i < FILES; i++)
		if (one->length[i] != other->length[i] || memcmp(one->text[i], other->text[i], one->length[i]) != 0)
			return false;
	return true;
}

static struct account_files *open_files(void)
{
	struct account_files *files = NULL;

	holds(account_files_open(machine.root, geteuid(), &files) == 0);
	holds(account_files_lock(files) == 0);
	return files;
}

/* ---- look-ups ---- */

static FILE *stream_of(const struct texts *texts, size_t file)
{
	return fuzz_rows_for_glibc(texts->text[file], texts->length[file]);
}

static bool is_nis(const char *name)
{
	return name[0] == '+' || name[0] == '-';
}

/* Every row that glibc reads is found by its name and number, or one before it is. */
static void check_users(struct account_files *files, const struct texts *texts)
{
	FILE *stream = stream_of(texts, 3);
	const struct passwd *row;

	while ((row = fgetpwent(stream))) {
		struct account_user by_name, by_uid;

		if (is_nis(row->pw_name) || row->pw_name[0] == '\0')
			continue;
		holds(account_files_user_named(files, row->pw_name, &by_name) == 1, "%s", row->pw_name);
		holds(strcmp(by_name.name, row->pw_name) == 0 && by_name.line >= 1);
		holds(account_files_user_with_uid(files, row->pw_uid, &by_uid) == 1, "%u", row->pw_uid);
		holds(by_uid.uid == row->pw_uid);
		holds(account_files_user_with_gid(files, row->pw_gid, &by_uid) == 1 && by_uid.gid == row->pw_gid);
	}
	(void)fclose(stream);
}

static bool lists_gid(const gid_t *gids, size_t count, gid_t gid)
{
	for (size_t i = 0; i < count; i++)
		if (gids[i] == gid)
			return true;
	return false;
}

/* Whether glibc finds the member in a row of that gid. */
static bool is_member(const struct texts *texts, const char *member, gid_t gid)
{
	size_t size = 4096 + texts->length[0] * sizeof(char *); /* the names, and an array of them */
	FILE *stream = stream_of(texts, 0);
	char *buffer = malloc(size);
	struct group row, *found;
	bool listed = false;

	holds(buffer);
	while (!listed && fgetgrent_r(stream, &row, buffer, size, &found) == 0)
		for (char **at = row.gr_mem; row.gr_gid == gid && *at; at++)
			listed = listed || strcmp(*at, member) == 0;
	free(buffer);
	(void)fclose(stream);
	return listed;
}

/* The groups of a name are those whose member it is for glibc. What glibc takes for a part of the name, and nobody of
 * ours is called so, are blanks behind it and colons. */
static void check_member(struct account_files *files, const struct texts *texts, const struct group *row,
			 const char *member)
{
	char *name = strndup(member, strcspn(member, " \t\v\f\r:"));
	const gid_t *gids;
	size_t count;

	holds(name);
	if (account_name_ok(name)) {
		holds(account_files_groups_of(files, name, &gids, &count) == 0);
		holds(strcmp(name, member) != 0 || row->gr_gid == (gid_t)-1 || lists_gid(gids, count, row->gr_gid),
		      "%s in %u", name, row->gr_gid);
		for (size_t i = 0; i < count; i++)
			holds(is_member(texts, name, gids[i]), "%s in %u", name, gids[i]);
	}
	free(name);
}

static void check_groups(struct account_files *files, const struct texts *texts)
{
	FILE *stream = stream_of(texts, 0);
	const struct group *row;

	while ((row = fgetgrent(stream))) {
		struct account_group by_name;

		if (is_nis(row->gr_name) || row->gr_name[0] == '\0')
			continue;
		holds(account_files_group_named(files, row->gr_name, &by_name) == 1, "%s", row->gr_name);
		holds(account_files_group_with_gid(files, row->gr_gid, &by_name) == 1 && by_name.gid == row->gr_gid);
		for (char **member = row->gr_mem; *member; member++)
			check_member(files, texts, row, *member);
	}
	(void)fclose(stream);
}

static void check_look_ups(void)
{
	struct account_files *files = open_files();
	struct texts texts = texts_now();

	check_users(files, &texts);
	check_groups(files, &texts);
	texts_free(&texts);
	account_files_close(files);
}

static void check_added(struct account_files *files, const struct account_entry *entry)
{
	struct account_shadow shadow;
	struct account_group group;
	struct account_user user;

	holds(account_files_user_named(files, entry->name, &user) == 1);
	holds(user.uid == entry->uid && user.gid == entry->gid && strcmp(user.gecos, entry->gecos) == 0 &&
	      strcmp(user.home, entry->home) == 0 && strcmp(user.shell, entry->shell) == 0);
	holds(account_files_user_with_uid(files, entry->uid, &user) == 1 && strcmp(user.name, entry->name) == 0);
	holds(account_files_group_with_gid(files, entry->gid, &group) == 1 && strcmp(group.name, entry->name) == 0);
	holds(account_files_shadow_named(files, entry->name, &shadow) == 1 && shadow.locked && !shadow.has_expiry);
}

/* ---- changes ---- */

enum step { ADD, ALTER, REMOVE };

static enum account_files_result change(struct account_files *files, const struct account_entry *entry, enum step step)
{
	const struct account_identity identity = {
		.name = entry->name, .uid = entry->uid, .gid = entry->gid, .whole = entry->uid % 2, .groups = "*"
	};
	const struct account_alteration alteration = { .who = identity,
						       .gecos = "Somebody Else",
						       .locks = 1,
						       .ageing = "1::::",
						       .expiry = "1",
						       .groups_out = "*" };
	const struct account_edits edits = { .altered = &alteration, .altered_count = 1 };

	switch (step) {
	case ADD:
		return account_files_add(files, entry, 1, NOW_S);
	case ALTER:
		return account_files_apply(files, &edits, NOW_S);
	case REMOVE:
	default:
		return account_files_remove(files, &identity, 1);
	}
}

/* Changes, with an allocation that fails; what was done is done again. */
static void try_change(const struct account_entry *entry, enum step step, unsigned fails)
{
	struct account_files *files = open_files();
	struct texts before = texts_now(), after;
	enum account_files_result result;

	fuzz_fail_allocation(fails);
	result = change(files, entry, step);
	(void)fuzz_end_failing();
	after = texts_now();
	holds(result != ACCOUNT_FILES_PARTIAL && result != ACCOUNT_FILES_NOT_LOCKED);
	holds(result == ACCOUNT_FILES_DONE || texts_same(&before, &after));
	holds((result == ACCOUNT_FILES_DONE) == (account_files_fault(files)[0] == '\0'), "%s",
	      account_files_fault(files));
	if (result == ACCOUNT_FILES_DONE && step == ADD)
		check_added(files, entry);
	if (result == ACCOUNT_FILES_DONE) {
		struct texts again;

		holds(change(files, entry, step) == ACCOUNT_FILES_DONE);
		again = texts_now();
		holds(texts_same(&after, &again));
		texts_free(&again);
	}
	holds(machine_count("etc", ".provisiond") == 0);
	texts_free(&before);
	texts_free(&after);
	account_files_close(files);
}

static void put_files(struct fuzz_input *input)
{
	static const mode_t modes[FILES] = { 0644, 0640, 0640, 0644 };

	for (size_t i = 0; i < FILES; i++) {
		size_t length;
		_cleanup_free_ char *text = fuzz_text_until(input, 1, &length);

		machine_write(names[i], text, length, modes[i]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct fuzz_input input = { bytes, size };
	size_t length;
	_cleanup_free_ char *name = fuzz_text_until(&input, '\n', &length);
	_cleanup_free_ char *gecos = fuzz_text_until(&input, '\n', &length);
	_cleanup_free_ char *home = fuzz_text_until(&input, '\n', &length);
	_cleanup_free_ char *number = fuzz_text_until(&input, '\n', &length);
	struct account_entry entry = { .name = name, .gecos = gecos, .home = home, .shell = "/bin/bash" };
	unsigned fails = fuzz_pick(bytes, size, 64);

	entry.uid = entry.gid = (uid_t)strtoul(number, NULL, 10);
	put_files(&input);
	check_look_ups();
	try_change(&entry, ADD, fails);
	try_change(&entry, ADD, 0);
	check_look_ups();
	try_change(&entry, ALTER, fails);
	try_change(&entry, ALTER, 0);
	check_look_ups();
	try_change(&entry, REMOVE, fails);
	try_change(&entry, REMOVE, 0);
	return 0;
}
