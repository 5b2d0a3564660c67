/*
 * The first value that sshd reads wins, so it matters which files it reads before ours. What it will make of all of
 * them is not guessed: `sshd -T` reads a copy of sshd_config in which our file is included where its name will put it.
 */
#include "provisiond/ctl/setup/sshd_changes.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "provisiond/ctl/setup/change_inside.h"
#include "provisiond/ctl/setup/file_install.h"
#include "provisiond/ctl/setup/private_folder.h"
#include "provisiond/ctl/setup/program.h"
#include "provisiond/ctl/setup/service_changes.h"
#include "provisiond/ctl/setup/sshd_lines.h"

#define SSHD "/usr/sbin/sshd"
#define CONFIGURATION "/etc/ssh/sshd_config"
#define DROP_INS "/etc/ssh/sshd_config.d"
#define DROP_IN DROP_INS "/10-pam_oidc.conf"
#define INCLUDE_ALL "Include " DROP_INS "/*.conf\n"
#define INCLUDE_OURS "Include " DROP_IN "\n"
#define GRACE_NEEDED_S 120 /* ten more than pam_oidc waits for an approval */
#define STARTUPS_NEEDED 100
#define STARTUPS "100:30:300"

/* What is tried out, and where. */
struct trial {
	struct private_folder folder;
	char *configuration; /* sshd_config as it will be */
	bool adds_include;
};

/* ---- asking sshd ---- */

/* Text that grows; after a failure it stays NULL. */
struct text {
	char *text;
	size_t length;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *text, const char *format, ...)
{
	_cleanup_free_ char *more = NULL;
	va_list arguments;
	char *longer;
	int n;

	va_start(arguments, format);
	n = vasprintf(&more, format, arguments);
	va_end(arguments);
	if (n < 0)
		more = NULL;
	longer = more && text->text ? realloc(text->text, text->length + (size_t)n + 1) : NULL;
	if (!longer) {
		free(text->text);
		text->text = NULL;
		return;
	}
	memcpy(longer + text->length, more, (size_t)n + 1);
	text->text = longer;
	text->length += (size_t)n;
}

/* The files of one pattern in their order, with ours, where the pattern covers it, standing in at `ours` (NULL: left
 * out). */
static void expand_pattern(struct text *out, const char *pattern, const char *ours)
{
	glob_t found = { 0 };
	bool placed = ours == NULL, covered;
	const char *line;
	size_t length;
	char include[PATH_MAX + 16], arguments[PATH_MAX];

	(void)snprintf(include, sizeof(include), "Include %s", pattern);
	covered = sshd_lines_find_include(include, DROP_IN, &line, &length, arguments, sizeof(arguments));
	if (glob(pattern, 0, NULL, &found) != 0)
		found.gl_pathc = 0;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *path = found.gl_pathv[i];

		if (covered && !placed && strcmp(path, DROP_IN) >= 0) {
			add(out, "Include %s\n", ours);
			placed = true;
		}
		if (strcmp(path, DROP_IN) != 0)
			add(out, "Include \"%s\"\n", path);
	}
	if (covered && !placed)
		add(out, "Include %s\n", ours);
	globfree(&found);
}

/* sshd_config with the Include that covers our file spelt out. */
static char *spell_out(const char *configuration, const char *ours)
{
	struct text out = { strdup(""), 0 };
	char arguments[PATH_MAX], pattern[PATH_MAX];
	const char *line, *at = arguments;
	size_t length;

	if (!sshd_lines_find_include(configuration, DROP_IN, &line, &length, arguments, sizeof(arguments))) {
		add(&out, "%s", configuration);
		return out.text;
	}
	add(&out, "%.*s", (int)(line - configuration), configuration);
	while (sshd_lines_next_pattern(&at, pattern, sizeof(pattern)))
		expand_pattern(&out, pattern, ours);
	add(&out, "%s", line + length);
	return out.text;
}

/* Debian's sshd says nothing at all without it, and its service makes it only when it starts. */
static void make_run_folder(void)
{
	(void)mkdir("/run/sshd", 0755);
}

static bool ask_sshd(const char *configuration, char **ret_output, char *fault, size_t fault_size)
{
	const char *const with_file[] = { SSHD, "-T", "-f", configuration, NULL };
	const char *const as_is[] = { SSHD, "-T", NULL };
	_cleanup_free_ char *output = NULL;
	int status;

	make_run_folder();
	if (!program_run(configuration ? with_file : as_is, NULL, &status, &output, fault, fault_size))
		return false;
	if (status != 0)
		return change_fault(
			fault, fault_size,
			"sshd does not accept its configuration: %.600s Mend that first (sshd -t), then start "
			"again.",
			output);
	*ret_output = take_pointer(output);
	return true;
}

/* What sshd would say with that text as our drop-in file; without any when it is NULL. */
static bool effective(const struct trial *trial, const char *drop_in, char **ret_output, char *fault, size_t fault_size)
{
	static const char *const names[2][2] = { { "without.conf", "without" }, { "with.conf", "with" } };
	const char *const *name = names[drop_in != NULL];
	char ours[PATH_MAX], path[PATH_MAX];
	_cleanup_free_ char *spelt = NULL;

	(void)snprintf(ours, sizeof(ours), "%s/%s", trial->folder.path, name[0]);
	(void)snprintf(path, sizeof(path), "%s/%s", trial->folder.path, name[1]);
	spelt = spell_out(trial->configuration, drop_in ? ours : NULL);
	if (!spelt)
		return change_fault_memory(fault, fault_size);
	return (!drop_in || private_folder_put(&trial->folder, name[0], drop_in, strlen(drop_in), fault, fault_size)) &&
	       private_folder_put(&trial->folder, name[1], spelt, strlen(spelt), fault, fault_size) &&
	       ask_sshd(path, ret_output, fault, fault_size);
}

/* ---- the drop-in ---- */

static bool grace_is_short(const char *output)
{
	char value[32] = "";
	long seconds =
		sshd_lines_effective(output, "logingracetime", value, sizeof(value)) ? strtol(value, NULL, 10) : 0;

	return seconds > 0 && seconds < GRACE_NEEDED_S;
}

static bool startups_are_few(const char *output)
{
	char value[32] = "";

	return sshd_lines_effective(output, "maxstartups", value, sizeof(value)) &&
	       strtol(value, NULL, 10) < STARTUPS_NEEDED;
}

static char *drop_in_text(const struct system_choice *choice, const char *output)
{
	struct text out = { strdup(""), 0 };
	char value[512];

	add(&out,
	    "# What sshd needs for pam_oidc, written by \"provisionctl setup\" and taken back by \"provisionctl setup "
	    "--undo\".\n"
	    "# The first value that sshd reads wins: this file must come before others that say otherwise.\n"
	    "UsePAM yes\n"
	    "KbdInteractiveAuthentication yes\n"
	    "UseDNS no\n");
	if (grace_is_short(output))
		add(&out, "LoginGraceTime %d\n", GRACE_NEEDED_S);
	if (startups_are_few(output))
		add(&out, "# Everybody who reads a code counts as not yet signed in.\n"
			  "MaxStartups " STARTUPS "\n");
	if (choice->spared_networks && sshd_lines_effective(output, "persourcepenalties", value, sizeof(value)))
		add(&out, "PerSourcePenaltyExemptList %s\n", choice->spared_networks);
	if (choice->ssh_passwords_off)
		add(&out, "PasswordAuthentication no\n");
	return out.text;
}

/* ---- whether it holds ---- */

static const struct {
	const char *keyword, *effective, *value;
} wanted[] = {
	{ "UsePAM", "usepam", "yes" },
	{ "KbdInteractiveAuthentication", "kbdinteractiveauthentication", "yes" },
	{ "UseDNS", "usedns", "no" },
	{ "PasswordAuthentication", "passwordauthentication", "no" },
};
#define ALWAYS_WANTED 3 /* the first ones */
#define WANTED (sizeof(wanted) / sizeof(wanted[0]))

/* Which of them sshd does not say; WANTED when all hold. */
static size_t first_missing(const char *output, size_t count)
{
	char value[64];

	for (size_t i = 0; i < count; i++)
		if (!sshd_lines_effective(output, wanted[i].effective, value, sizeof(value)) ||
		    strcmp(value, wanted[i].value) != 0)
			return i;
	return WANTED;
}

/* Where a file that is read before ours sets it: "/etc/ssh/...:3". */
static bool find_culprit(const char *configuration, const char *keyword, char *ret_place, size_t place_size)
{
	char arguments[PATH_MAX], pattern[PATH_MAX], fault[CHANGE_FAULT_SIZE];
	const char *line = configuration + strlen(configuration), *at = arguments;
	size_t length;
	bool included = sshd_lines_find_include(configuration, DROP_IN, &line, &length, arguments, sizeof(arguments));
	unsigned number = sshd_lines_setting(configuration, (size_t)(line - configuration), keyword);

	if (number)
		return snprintf(ret_place, place_size, "%s:%u", CONFIGURATION, number) > 0;
	while (included && sshd_lines_next_pattern(&at, pattern, sizeof(pattern))) {
		glob_t found = { 0 };

		if (glob(pattern, 0, NULL, &found) != 0)
			found.gl_pathc = 0;
		for (size_t i = 0; i < found.gl_pathc && !number; i++) {
			struct change_content content = { 0 };

			if (strcmp(found.gl_pathv[i], DROP_IN) >= 0 ||
			    !file_read(found.gl_pathv[i], &content, NULL, fault, sizeof(fault)))
				continue;
			number = content.exists ? sshd_lines_setting(content.text, content.length, keyword) : 0;
			if (number)
				(void)snprintf(ret_place, place_size, "%s:%u", found.gl_pathv[i], number);
			change_content_free(&content);
		}
		globfree(&found);
		if (number)
			return true;
	}
	return false;
}

static bool check_trial(const struct trial *trial, const struct system_choice *choice, const char *drop_in, char *fault,
			size_t fault_size)
{
	_cleanup_free_ char *output = NULL;
	char place[PATH_MAX] = "a file that sshd reads earlier";
	size_t missing;

	if (!effective(trial, drop_in, &output, fault, fault_size))
		return false;
	missing = first_missing(output, choice->ssh_passwords_off ? WANTED : ALWAYS_WANTED);
	if (missing == WANTED)
		return true;
	(void)find_culprit(trial->configuration, wanted[missing].keyword, place, sizeof(place));
	return change_fault(
		fault, fault_size,
		"sshd would not take \"%s %s\" from %s, because %s says otherwise first. Take it out there, and "
		"start again.",
		wanted[missing].keyword, wanted[missing].value, DROP_IN, place);
}

/* ---- the plan ---- */

/* sshd_config as it will be: with an Include at its top when none covers our file before its first Match. Files that
 * nobody has read so far are not brought to life by that. */
static bool load_configuration(const struct change_set *set, struct trial *trial, char *fault, size_t fault_size)
{
	_cleanup_free_ char *text = NULL;
	char arguments[PATH_MAX];
	const char *line;
	size_t length;
	bool exists, others;
	glob_t found = { 0 };

	if (!change_set_read(set, CONFIGURATION, &text, &length, &exists, fault, fault_size))
		return false;
	if (sshd_lines_find_include(text, DROP_IN, &line, &length, arguments, sizeof(arguments))) {
		trial->configuration = take_pointer(text);
		return true;
	}
	others = glob(DROP_INS "/*.conf", 0, NULL, &found) == 0 &&
		 (found.gl_pathc > 1 || strcmp(found.gl_pathv[0], DROP_IN) != 0);
	globfree(&found);
	trial->adds_include = true;
	if (asprintf(&trial->configuration, "%s%s", others ? INCLUDE_OURS : INCLUDE_ALL, text) < 0) {
		trial->configuration = NULL;
		return change_fault_memory(fault, fault_size);
	}
	return true;
}

static bool add_files(struct change_set *set, const struct trial *trial, const char *drop_in, char *fault,
		      size_t fault_size)
{
	const struct change_file configuration = { .path = CONFIGURATION,
						   .after = trial->configuration,
						   .after_length = strlen(trial->configuration),
						   .mode = 0644,
						   .undo = CHANGE_UNDO_LINES };
	const struct change_file file = { .path = DROP_IN,
					  .after = drop_in,
					  .after_length = strlen(drop_in),
					  .mode = 0644,
					  .undo = CHANGE_UNDO_LINES };

	return change_set_add_directory(set, DROP_INS, 0755, 0, 0, fault, fault_size) &&
	       change_set_add_file(set, &file, fault, fault_size) &&
	       (!trial->adds_include || change_set_add_file(set, &configuration, fault, fault_size));
}

/* Read again at the very end of undoing, when the files are as before; and after the files are written. */
static bool add_steps(struct change_set *set, bool before, char *fault, size_t fault_size)
{
	static const char *const test[] = { SSHD, "-t", NULL };
	const char *unit = service_sshd_unit();
	const char *const reload[] = { SYSTEMCTL, "try-reload-or-restart", unit, NULL };
	const struct change_step undo_reload = { .says = "let sshd read its configuration again",
						 .undo = unit ? reload : NULL };
	const struct change_step apply_test = {
		.says = "let sshd check its configuration (sshd -t)",
		.apply = test,
		.remedy = "Mend what it says, and start again.",
	};
	const struct change_step apply_reload = { .says = undo_reload.says, .apply = reload };

	if (before)
		return change_set_add_step(set, &undo_reload, fault, fault_size);
	if (!change_set_add_step(set, &apply_test, fault, fault_size))
		return false;
	if (unit)
		return change_set_add_step(set, &apply_reload, fault, fault_size);
	return change_set_add_note(
		set,
		"sshd is not run by systemd here. Let it read its configuration again yourself: kill -HUP "
		"$(cat /run/sshd.pid)",
		fault, fault_size);
}

static bool plan_with(struct trial *trial, const struct system_choice *choice, struct change_set *set, char *fault,
		      size_t fault_size)
{
	_cleanup_free_ char *output = NULL, *drop_in = NULL, *now = NULL;
	size_t length;
	bool exists;

	if (!load_configuration(set, trial, fault, fault_size) || !effective(trial, NULL, &output, fault, fault_size))
		return false;
	drop_in = drop_in_text(choice, output);
	if (!drop_in)
		return change_fault_memory(fault, fault_size);
	if (!check_trial(trial, choice, drop_in, fault, fault_size) ||
	    !change_set_read(set, DROP_IN, &now, &length, &exists, fault, fault_size))
		return false;
	if (exists && strcmp(now, drop_in) == 0 && !trial->adds_include)
		return true;
	return add_steps(set, true, fault, fault_size) && add_files(set, trial, drop_in, fault, fault_size) &&
	       add_steps(set, false, fault, fault_size);
}

static bool sshd_is_here(void)
{
	return program_exists(SSHD) && access(CONFIGURATION, R_OK) == 0;
}

bool sshd_changes_plan(const struct system_choice *choice, struct change_set *set, char *fault, size_t fault_size)
{
	struct trial trial = { 0 };
	bool good;

	if (!sshd_is_here())
		return change_set_add_note(set, "There is no sshd on this machine: people sign in at the console only.",
					   fault, fault_size);
	good = private_folder_make(&trial.folder, fault, fault_size) &&
	       plan_with(&trial, choice, set, fault, fault_size);
	private_folder_remove(&trial.folder);
	free(trial.configuration);
	return good;
}

bool sshd_changes_hold(char *fault, size_t fault_size)
{
	_cleanup_free_ char *output = NULL;
	size_t missing;

	if (!sshd_is_here())
		return true;
	if (!ask_sshd(NULL, &output, fault, fault_size))
		return false;
	missing = first_missing(output, ALWAYS_WANTED);
	return missing == WANTED ||
	       change_fault(fault, fault_size, "sshd does not say \"%s %s\" although it was told to in %s.",
			    wanted[missing].keyword, wanted[missing].value, DROP_IN);
}
