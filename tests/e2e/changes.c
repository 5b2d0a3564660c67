/*
 * Plans, applies and takes back the changes of `provisionctl setup` without asking Okta or anybody first; and can be
 * killed at any point, as by a power cut.
 *
 *   changes print|apply|undo|undo-last|history [--ssh-passwords-off] [--fail]
 *           [--kill-after N]    after the N-th thing that was said to be done
 *           [--kill-before-rename N] [--kill-behind-rename N]
 *   changes ways USER           who gets how far in PAM, one line for each way
 *   changes ways USER FILE      the same compared with what that said before
 */
#include <grp.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "provisiond/ctl/setup/second_way.h"
#include "provisiond/ctl/setup/system_changes.h"

/* Stands before libc's: every file is put in place by this call. */
static long renames, kill_before, kill_behind;

static void killed_at(long number)
{
	if (number > 0 && renames == number)
		(void)kill(getpid(), SIGKILL);
}

int renameat2(int old_directory, const char *old_name, int new_directory, const char *new_name, unsigned flags)
{
	long result;

	renames++;
	killed_at(kill_before);
	result = syscall(SYS_renameat2, old_directory, old_name, new_directory, new_name, flags);
	killed_at(kill_behind);
	return (int)result;
}

static char fault[CHANGE_FAULT_SIZE];
static long sentences_left = -1;

static void tell(void *context, enum change_tell level, const char *sentence)
{
	static const char *const names[] = { "done", "warning", "error" };

	(void)context;
	(void)printf("%s: %s\n", names[level], sentence);
	(void)fflush(stdout);
	if (sentences_left > 0 && --sentences_left == 0)
		(void)kill(getpid(), SIGKILL);
}

static int failed(void)
{
	(void)printf("fault: %s\n", fault);
	return 1;
}

static bool add_configuration(struct change_set *set)
{
	static const char text[] = "[tenant clinic]\nissuer = https://clinic.okta.example\nclient_id = clinic-app\n"
				   "domains = clinic.example\nclient_auth = basic\n"
				   "client_secret_file = /etc/pam_oidc/clinic.secret\n";
	const struct group *daemon = getgrnam("_pam_oidc");
	gid_t group = daemon ? daemon->gr_gid : 0;
	const struct change_file secret = { .path = "/etc/pam_oidc/clinic.secret",
					    .after = "not-to-be-seen-anywhere",
					    .after_length = 23,
					    .secret = true,
					    .mode = 0640,
					    .group = group,
					    .undo = CHANGE_UNDO_WHOLE };
	const struct change_file configuration = { .path = "/etc/pam_oidc.conf",
						   .after = text,
						   .after_length = sizeof(text) - 1,
						   .mode = 0644,
						   .set_owner_and_mode = true,
						   .undo = CHANGE_UNDO_WHOLE };

	return change_set_add_directory(set, "/etc/pam_oidc", 0750, 0, group, fault, sizeof(fault)) &&
	       change_set_add_file(set, &secret, fault, sizeof(fault)) &&
	       change_set_add_file(set, &configuration, fault, sizeof(fault));
}

static int plan(struct change_set *set, const struct system_choice *choice, bool fail, bool apply)
{
	static const char *const argv[] = { "/bin/false", NULL };
	const struct change_step step = { .says = "fail", .apply = argv, .remedy = "Do not." };
	enum change_result result;

	if (!add_configuration(set) || !system_changes_plan(choice, set, fault, sizeof(fault)) ||
	    (fail && !change_set_add_step(set, &step, fault, sizeof(fault))))
		return failed();
	if (!apply) {
		change_set_print(set, stdout, false);
		return change_set_is_empty(set) ? 2 : 0;
	}
	result = change_set_apply(set, tell, NULL, NULL, fault, sizeof(fault));
	if (result == CHANGE_DONE && !system_changes_hold(fault, sizeof(fault)))
		return failed();
	if (result != CHANGE_DONE)
		(void)failed();
	return result == CHANGE_DONE ? 0 : result == CHANGE_UNDONE ? 3 : 4;
}

static int undo(bool all)
{
	enum change_result result = all ? change_set_undo_all(tell, NULL, fault, sizeof(fault))
					: change_set_undo_last(tell, NULL, fault, sizeof(fault));

	return result == CHANGE_UNDONE ? 0 : failed();
}

static int history(void)
{
	static const char *const names[] = { "none", "applied", "unfinished", "unreadable" };

	(void)printf("%s\n", names[change_set_history(fault, sizeof(fault))]);
	return 0;
}

static int ways(const char *user, const char *file)
{
	struct second_ways before = { 0 }, now = { 0 };
	FILE *saved = file ? fopen(file, "r") : NULL;

	if (!second_ways_look(user, &now, fault, sizeof(fault)))
		return failed();
	if (saved) {
		bool read = fread(&before, sizeof(before), 1, saved) == 1;

		(void)fclose(saved);
		return read && second_ways_still_open(&before, &now, tell, NULL, fault, sizeof(fault)) ? 0 : failed();
	}
	for (size_t i = 0; i < now.count; i++)
		(void)printf("%s %s asked=%d authenticated=%d account=%d\n", now.ways[i].service, now.ways[i].user,
			     now.ways[i].asked, now.ways[i].authenticated, now.ways[i].account);
	saved = file ? fopen(file, "w") : NULL;
	if (saved) {
		(void)fwrite(&now, sizeof(now), 1, saved);
		(void)fclose(saved);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct system_choice choice = { .configuration_changes = true };
	struct change_set *set;
	bool fail = false;
	int status;

	(void)setlocale(LC_ALL, "");
	if (argc < 2)
		return 64;
	if (strcmp(argv[1], "ways") == 0)
		return ways(argc > 2 ? argv[2] : NULL, argc > 3 ? argv[3] : NULL);
	for (int i = 2; i < argc; i++) {
		choice.ssh_passwords_off = choice.ssh_passwords_off || strcmp(argv[i], "--ssh-passwords-off") == 0;
		fail = fail || strcmp(argv[i], "--fail") == 0;
		if (strcmp(argv[i], "--kill-after") == 0 && i + 1 < argc)
			sentences_left = strtol(argv[++i], NULL, 10);
		if (strcmp(argv[i], "--kill-before-rename") == 0 && i + 1 < argc)
			kill_before = strtol(argv[++i], NULL, 10);
		if (strcmp(argv[i], "--kill-behind-rename") == 0 && i + 1 < argc)
			kill_behind = strtol(argv[++i], NULL, 10);
	}
	if (strcmp(argv[1], "history") == 0)
		return history();
	if (strncmp(argv[1], "undo", 4) == 0)
		return undo(strcmp(argv[1], "undo") == 0);
	set = change_set_new();
	if (!set)
		return 64;
	status = plan(set, &choice, fail, strcmp(argv[1], "apply") == 0);
	change_set_free(set);
	return status;
}
