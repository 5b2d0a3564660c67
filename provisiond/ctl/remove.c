/*
 * provisionctl remove NAME: removes the account; keeps, deletes or archives its home.
 *
 * With an archive, the home is deleted last, by provisiond, when the account is gone, nothing runs as its uid any more
 * and the file is complete and on the disk. When anything fails before that, the home stays.
 */
#include "provisiond/ctl/command.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "provisiond/ctl/archive.h"
#include "provisiond/ctl/change.h"
#include "provisiond/ctl/progress.h"
#include "provisiond/ctl/terminal.h"

#define ENDING_PATIENCE_MS 20000 /* provisiond gives what runs 3 s, then ends it */

static struct change removal(const char *name, const char *home)
{
	return (struct change){ .op = "remove", .fields = { { "name", name }, { "home", home } } };
}

/* ---- what is archived ---- */

/* Where the account's home is, and whose. The path is freed by the caller. */
static enum exit_code ask_for_home(const char *name, char **ret_home, uint32_t *ret_uid)
{
	_cleanup_conversation_ struct conversation conversation = NO_CONVERSATION;
	struct wire_message account;
	enum exit_code code = conversation_begin(&provisiond, "show", "name", name, &conversation);
	const char *home;

	if (code == EXIT_DONE)
		code = conversation_next(&conversation, &account);
	if (code != EXIT_DONE)
		return code;
	if (strcmp(wire_kind(&account, "status"), "account") != 0)
		return complain_about(EXIT_NOTHING, "there is no account \"", name,
				      "\" in provisiond's record. See all of them: provisionctl list");
	home = wire_get(&account, "home");
	if (!home || home[0] != '/' || !wire_get_id(&account, "uid", ret_uid))
		return conversation_nonsense(&conversation);
	*ret_home = strdup(home);
	if (*ret_home)
		return EXIT_DONE;
	(void)complain_of_memory();
	return EXIT_LOCAL;
}

/* tar must not read somebody else's files because an account's home says so. */
static enum exit_code judge_home(const char *home, uint32_t uid)
{
	struct stat st;

	if (lstat(home, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == uid)
		return EXIT_DONE;
	return complain_about(
		EXIT_REFUSED, "", home,
		" is no directory of this account's, so there is nothing to archive. Leave --archive-home out.");
}

/* ---- what still runs ---- */

/* Whether one of the process's four uids is this one. Its files below /proc may be root's nevertheless. */
static bool runs_as(int proc, const char *pid, uint32_t uid)
{
	char path[280], text[4096], *at;
	_cleanup_fd_ int fd = -1;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "%s/status", pid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	if (n <= 0)
		return false;
	text[n] = '\0';
	at = strstr(text, "\nUid:");
	at = at ? at + strlen("\nUid:") : NULL;
	for (int i = 0; at && i < 4; i++)
		if (strtoul(at, &at, 10) == uid)
			return true;
	return false;
}

static bool runs_anything(uint32_t uid)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;
	bool found = false;

	while (proc && !found && (entry = readdir(proc)) != NULL)
		found = isdigit((unsigned char)entry->d_name[0]) && runs_as(dirfd(proc), entry->d_name, uid);
	if (proc)
		(void)closedir(proc);
	return found;
}

/* What still runs could write into the home while it is read. */
static enum exit_code wait_until_nothing_runs(uint32_t uid, const char *home)
{
	struct progress progress = progress_begin("waiting for the account's processes to end", 0);
	bool running;

	while ((running = runs_anything(uid)) && wire_now_ms() - progress.began_ms < ENDING_PATIENCE_MS) {
		progress_show(&progress);
		(void)poll(NULL, 0, PROGRESS_STEP_MS);
	}
	progress_end(&progress);
	if (!running)
		return EXIT_DONE;
	return complain_about(
		EXIT_FAILED,
		"something still runs as the account's user, so its home was not archived. It was kept, in ", home,
		"; try again.");
}

/* ---- the story ---- */

static enum exit_code archive_and_delete(const struct invocation *invocation, struct archive *archive, const char *home,
					 uint32_t uid)
{
	struct change deletion = removal(invocation->arguments[0], "delete");
	struct invocation quiet = *invocation;
	enum exit_code code = wait_until_nothing_runs(uid, home);

	if (code == EXIT_DONE)
		code = archive_write(archive, home);
	if (code != EXIT_DONE)
		return code;
	if (!invocation->json) {
		_cleanup_free_ char *shown = terminal_text(archive->path);

		if (!shown)
			return complain_of_memory();
		(void)printf("Its home was archived in %s.\n", shown);
	}
	quiet.yes = true;
	return change_carry_out(&deletion, &quiet);
}

/* Removes the account and keeps its home. With --json, what is printed in the end is about the home. */
static enum exit_code remove_and_keep(const struct invocation *invocation)
{
	_cleanup_conversation_ struct conversation conversation = NO_CONVERSATION;
	struct change change = removal(invocation->arguments[0], "keep");
	struct wire_message answer;
	enum exit_code code = change_ask(&change, 0, &conversation);

	if (code == EXIT_DONE)
		code = change_answer(&conversation, &answer);
	if (code != EXIT_DONE)
		return code;
	return invocation->json && change_code(&answer) == EXIT_DONE ? EXIT_DONE : change_print(&answer, invocation);
}

static enum exit_code dry_run_with_archive(const struct invocation *invocation, const char *home)
{
	struct change change = removal(invocation->arguments[0], "delete");
	enum exit_code code = archive_check(invocation->archive_home, home);

	if (code == EXIT_DONE)
		code = change_carry_out(&change, invocation);
	if (code == EXIT_DONE && !invocation->json)
		(void)puts("  - Before that, its home is archived.");
	return code;
}

static enum exit_code remove_with_archive(const struct invocation *invocation)
{
	_cleanup_archive_ struct archive archive = NO_ARCHIVE;
	struct change change = removal(invocation->arguments[0], "delete");
	_cleanup_free_ char *home = NULL;
	uint32_t uid = 0;
	enum exit_code code = ask_for_home(invocation->arguments[0], &home, &uid);

	if (code != EXIT_DONE || !home)
		return code;
	code = judge_home(home, uid);
	if (code != EXIT_DONE)
		return code;
	if (invocation->dry_run)
		return dry_run_with_archive(invocation, home);
	code = change_confirm(&change, invocation);
	if (code == EXIT_DONE)
		code = archive_create(invocation->archive_home, home, &archive);
	if (code == EXIT_DONE)
		code = remove_and_keep(invocation);
	return code == EXIT_DONE ? archive_and_delete(invocation, &archive, home, uid) : code;
}

enum exit_code remove_account(const struct invocation *invocation)
{
	struct change change = removal(invocation->arguments[0], invocation->delete_home ? "delete" : "keep");

	if (!invocation->archive_home)
		return change_carry_out_confirmed(&change, invocation);
	if (!invocation->delete_home)
		return remove_with_archive(invocation);
	complain("--archive-home deletes the home once it is archived; leave --delete-home out.");
	return EXIT_USAGE;
}
