/*
 * What pam-auth-update will write is found out by letting it write, in a private folder with copies of all that it
 * reads and with a private database of debconf: so the difference can be shown before, and is what is applied then,
 * file by file and with undo. authselect writes by itself, and is told to go back for undo.
 */
#include "provisiond/ctl/setup/pam_changes.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "provisiond/ctl/setup/change_inside.h"
#include "provisiond/ctl/setup/file_install.h"
#include "provisiond/ctl/setup/pam_lines.h"
#include "provisiond/ctl/setup/private_folder.h"
#include "provisiond/ctl/setup/program.h"

#define PAM_AUTH_UPDATE "/usr/sbin/pam-auth-update"
#define PROFILES "/usr/share/pam-configs"
#define PROFILE PROFILES "/oidc"
#define PAM_FOLDER "/etc/pam.d"
#define PAM_STATE "/var/lib/pam"

#define AUTHSELECT "/usr/bin/authselect"
#define AUTHSELECT_PROFILE "/usr/share/authselect/vendor/pam_oidc"
#define AUTHSELECT_STATE "/etc/authselect/authselect.conf"

/* ---- pam-auth-update ---- */

/* In this order, auth is the last one to change and the first one to be taken back: nobody is ever let in by pam_oidc
 * whom it does not judge in the account phase as well. */
static const char *const common_parts[] = { "account", "session-noninteractive", "session", "password", "auth" };
#define COMMON_PARTS (sizeof(common_parts) / sizeof(common_parts[0]))

/* Older ones have no --root, ignore it, and would write to the system itself. */
static bool knows_root(void)
{
	_cleanup_(change_content_free) struct change_content text = { 0 };
	char fault[CHANGE_FAULT_SIZE];

	return file_read(PAM_AUTH_UPDATE, &text, NULL, fault, sizeof(fault)) && text.exists &&
	       strstr(text.text, "'--root'") && strstr(text.text, "'--enable'");
}

static bool by_pam_auth_update(void)
{
	return program_exists(PAM_AUTH_UPDATE) && access(PROFILE, R_OK) == 0 &&
	       access(PAM_FOLDER "/common-auth", R_OK) == 0 && knows_root();
}

static bool copy_file(const struct private_folder *folder, const char *path, char *fault, size_t fault_size)
{
	_cleanup_(change_content_free) struct change_content content = { 0 };

	if (!file_read(path, &content, NULL, fault, fault_size))
		return false;
	return !content.exists || private_folder_put(folder, path + 1, content.text, content.length, fault, fault_size);
}

/* The regular files of a folder, or those whose name begins so. */
static bool copy_folder(const struct private_folder *folder, const char *from, const char *prefix, char *fault,
			size_t fault_size)
{
	DIR *stream = opendir(from);
	const struct dirent *entry;
	bool good = true;
	char path[PATH_MAX];

	if (!stream)
		return errno == ENOENT ||
		       change_fault(fault, fault_size, "%s cannot be read: %s", from, strerror(errno));
	while (good && (entry = readdir(stream))) {
		if (*entry->d_name == '.' || strncmp(entry->d_name, prefix, strlen(prefix)) != 0 ||
		    (entry->d_type != DT_REG && entry->d_type != DT_UNKNOWN))
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", from, entry->d_name);
		good = copy_file(folder, path, fault, fault_size);
	}
	(void)closedir(stream);
	return good;
}

static bool put_debconf(const struct private_folder *folder, char *fault, size_t fault_size)
{
	char text[512];
	int n = snprintf(text, sizeof(text),
			 "Config: config\nTemplates: templates\n\n"
			 "Name: config\nDriver: File\nFilename: %s/debconf-config\n\n"
			 "Name: templates\nDriver: File\nFilename: %s/debconf-templates\n",
			 folder->path, folder->path);

	return private_folder_put(folder, "debconf.conf", text, (size_t)n, fault, fault_size);
}

static bool run_pam_auth_update(const struct private_folder *folder, char *fault, size_t fault_size)
{
	char systemrc[PRIVATE_FOLDER_SIZE + 40];
	const char *const argv[] = { PAM_AUTH_UPDATE, "--root", folder->path, "--package", "--enable", "oidc", NULL };
	const char *const environment[] = { systemrc, "DEBIAN_FRONTEND=noninteractive", "HOME=/nonexistent", NULL };
	_cleanup_free_ char *output = NULL;
	int status;

	(void)snprintf(systemrc, sizeof(systemrc), "DEBCONF_SYSTEMRC=%s/debconf.conf", folder->path);
	if (!program_run(argv, environment, &status, &output, fault, fault_size))
		return false;
	return status == 0 || change_fault(fault, fault_size,
					   "pam-auth-update failed in a trial with status %d: %.600s", status, output);
}

static bool read_result(const struct private_folder *folder, const char *path, struct change_content *ret_content,
			char *fault, size_t fault_size)
{
	char place[PATH_MAX];

	(void)snprintf(place, sizeof(place), "%s%s", folder->path, path);
	return file_read(place, ret_content, NULL, fault, fault_size);
}

static bool take_result(struct change_set *set, const struct private_folder *folder, const char *path, bool summary,
			char *fault, size_t fault_size)
{
	_cleanup_(change_content_free) struct change_content content = { 0 };
	struct change_file file = {
		.path = path, .summary = summary, .mode = 0644, .undo = summary ? CHANGE_UNDO_LINES : CHANGE_UNDO_PAM
	};

	if (!read_result(folder, path, &content, fault, fault_size))
		return false;
	file.after = content.text;
	file.after_length = content.length;
	return !content.exists || change_set_add_file(set, &file, fault, fault_size);
}

/* Its own memory goes before the files that it speaks of. */
static bool take_results(struct change_set *set, const struct private_folder *folder, char *fault, size_t fault_size)
{
	char path[PATH_MAX];

	if (!take_result(set, folder, PAM_STATE "/seen", true, fault, fault_size))
		return false;
	for (size_t i = 0; i < COMMON_PARTS; i++) {
		(void)snprintf(path, sizeof(path), PAM_STATE "/%s", common_parts[i]);
		if (!take_result(set, folder, path, true, fault, fault_size))
			return false;
		(void)snprintf(path, sizeof(path), PAM_FOLDER "/common-%s", common_parts[i]);
		if (!take_result(set, folder, path, false, fault, fault_size))
			return false;
	}
	return true;
}

/* *ret_done is false when pam-auth-update leaves the files alone, because somebody has edited them. */
static bool try_pam_auth_update(struct change_set *set, const struct private_folder *folder, bool *ret_done,
				char *fault, size_t fault_size)
{
	_cleanup_(change_content_free) struct change_content auth = { 0 };

	if (!copy_folder(folder, PAM_FOLDER, "common-", fault, fault_size) ||
	    !copy_folder(folder, PAM_STATE, "", fault, fault_size) ||
	    !private_folder_put(folder, &PAM_STATE[1], NULL, 0, fault, fault_size) ||
	    !copy_folder(folder, PROFILES, "", fault, fault_size) || !put_debconf(folder, fault, fault_size) ||
	    !run_pam_auth_update(folder, fault, fault_size) ||
	    !read_result(folder, PAM_FOLDER "/common-auth", &auth, fault, fault_size))
		return false;
	*ret_done = auth.exists && pam_lines_present(auth.text);
	return !*ret_done || take_results(set, folder, fault, fault_size);
}

static bool plan_pam_auth_update(struct change_set *set, bool *ret_done, char *fault, size_t fault_size)
{
	struct private_folder folder = { "" };
	bool good = private_folder_make(&folder, fault, fault_size) &&
		    try_pam_auth_update(set, &folder, ret_done, fault, fault_size);

	private_folder_remove(&folder);
	return good;
}

/* ---- authselect ---- */

bool pam_changes_by_authselect(void)
{
	return program_exists(AUTHSELECT) && access(AUTHSELECT_PROFILE, R_OK) == 0 &&
	       access(AUTHSELECT_STATE, R_OK) == 0;
}

#define FEATURES_MAX 32

static bool kept_feature(const char *feature)
{
	static const char *const ours[] = { "with-sssd",      "with-sudo",           "with-faillock",
					    "with-mkhomedir", "with-pamaccess",      "with-pwhistory",
					    "with-altfiles",  "with-silent-lastlog", "with-group-merging",
					    "with-mdns4",     "with-mdns6",          "without-nullok" };

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (strcmp(feature, ours[i]) == 0)
			return true;
	return false;
}

static bool note_lost_feature(struct change_set *set, const char *feature, char *fault, size_t fault_size)
{
	char note[256];

	(void)snprintf(
		note, sizeof(note),
		"authselect's feature %.64s is not in the profile pam_oidc and ends: it would be a way past Okta, or "
		"has no meaning here.",
		feature);
	return change_set_add_note(set, note, fault, fault_size);
}

/* Cuts up "PROFILE FEATURE..." into what selects ours and what selects that again. */
static bool add_authselect_step(struct change_set *set, char *current, char *fault, size_t fault_size)
{
	const char *apply[FEATURES_MAX + 6] = { AUTHSELECT, "select", "pam_oidc" };
	const char *undo[FEATURES_MAX + 6] = { AUTHSELECT, "select" };
	size_t applied = 3, undone = 2;
	char *rest = NULL;
	const struct change_step step = {
		.says = "let authselect write PAM's files and nsswitch.conf from the profile pam_oidc (to see them "
			"first: "
			"authselect test pam_oidc)",
		.apply = apply,
		.undo = undo,
		.remedy = "See what \"authselect check\" says, and start again.",
	};

	for (const char *word = strtok_r(current, " \t\n", &rest); word && undone < FEATURES_MAX;
	     word = strtok_r(NULL, " \t\n", &rest)) {
		if (undone == 2 && strcmp(word, "pam_oidc") == 0)
			return true;
		if (undone == 2 && strcmp(word, "sssd") == 0)
			apply[applied++] = "with-sssd";
		if (undone > 2 && kept_feature(word))
			apply[applied++] = word;
		else if (undone > 2 && !note_lost_feature(set, word, fault, fault_size))
			return false;
		undo[undone++] = word;
	}
	if (undone == 2)
		return change_fault(fault, fault_size, "authselect does not say which profile it has selected");
	apply[applied] = "--force";
	undo[undone] = "--force";
	return change_set_add_step(set, &step, fault, fault_size);
}

static bool plan_authselect(struct change_set *set, char *fault, size_t fault_size)
{
	const char *const argv[] = { AUTHSELECT, "current", "--raw", NULL };
	_cleanup_free_ char *current = NULL;
	int status;

	if (!program_run(argv, NULL, &status, &current, fault, fault_size))
		return false;
	if (status != 0)
		return change_fault(fault, fault_size, "\"authselect current\" failed with status %d: %.600s", status,
				    current);
	return add_authselect_step(set, current, fault, fault_size);
}

/* ---- line by line ---- */

#define EVERY_PHASE (PAM_LINES_AUTH | PAM_LINES_ACCOUNT | PAM_LINES_SESSION | PAM_LINES_PASSWORD)
#define NO_PASSWORD (PAM_LINES_AUTH | PAM_LINES_ACCOUNT | PAM_LINES_SESSION)

/* What asks people, and what starts something for them without asking. */
static const struct {
	const char *name;
	unsigned phases;
} services[] = {
	{ "sshd", EVERY_PHASE },         { "login", EVERY_PHASE },       { "su", NO_PASSWORD },
	{ "su-l", NO_PASSWORD },         { "sudo", NO_PASSWORD },        { "sudo-i", NO_PASSWORD },
	{ "gdm-password", EVERY_PHASE }, { "lightdm", EVERY_PHASE },     { "sddm", EVERY_PHASE },
	{ "cron", PAM_LINES_ACCOUNT },   { "crond", PAM_LINES_ACCOUNT }, { "atd", PAM_LINES_ACCOUNT },
	{ "passwd", PAM_LINES_ACCOUNT },
};
#define SERVICES (sizeof(services) / sizeof(services[0]))

/* The service's file, or what stands in for it where a distribution keeps its own elsewhere. */
static bool read_service(const struct change_set *set, const char *name, char *path, size_t path_size, char **ret_text,
			 bool *ret_exists, char *fault, size_t fault_size)
{
	_cleanup_(change_content_free) struct change_content vendor = { 0 };
	char place[PATH_MAX];
	size_t length;

	(void)snprintf(path, path_size, PAM_FOLDER "/%s", name);
	if (!change_set_read(set, path, ret_text, &length, ret_exists, fault, fault_size))
		return false;
	if (*ret_exists)
		return true;
	(void)snprintf(place, sizeof(place), "/usr/lib/pam.d/%s", name);
	if (!file_read(place, &vendor, NULL, fault, fault_size))
		return false;
	if (!vendor.exists)
		return true;
	free(*ret_text);
	*ret_text = take_pointer(vendor.text);
	*ret_exists = true;
	return true;
}

static bool plan_service(struct change_set *set, size_t service, const char *const *covered, bool *found, char *fault,
			 size_t fault_size)
{
	_cleanup_free_ char *text = NULL, *with_lines = NULL;
	struct change_file file = { .mode = 0644, .undo = CHANGE_UNDO_PAM };
	char path[PATH_MAX];
	bool exists;

	if (!read_service(set, services[service].name, path, sizeof(path), &text, &exists, fault, fault_size))
		return false;
	if (!exists)
		return true;
	*found = *found || (services[service].phases & PAM_LINES_AUTH);
	with_lines = pam_lines_add(text, services[service].phases, covered);
	if (!with_lines)
		return change_fault_memory(fault, fault_size);
	if (strcmp(text, with_lines) == 0)
		return true;
	file.path = path;
	file.after = with_lines;
	file.after_length = strlen(with_lines);
	return change_set_add_file(set, &file, fault, fault_size);
}

static bool plan_services(struct change_set *set, char *fault, size_t fault_size)
{
	const char *covered[SERVICES + 1] = { NULL };
	bool found = false;
	size_t count = 0;

	for (size_t i = 0; i < SERVICES; i++)
		if (services[i].phases & PAM_LINES_AUTH)
			covered[count++] = services[i].name;
	for (size_t i = 0; i < SERVICES; i++)
		if (!plan_service(set, i, covered, &found, fault, fault_size))
			return false;
	return found ||
	       change_fault(fault, fault_size,
			    "there is no file in /etc/pam.d for sshd, login, su or sudo: this machine's PAM is "
			    "none that setup knows. Put the lines in by hand (etc/pam.d/README.md).");
}

bool pam_changes_plan(struct change_set *set, char *fault, size_t fault_size)
{
	bool done = false;

	if (pam_changes_by_authselect())
		return plan_authselect(set, fault, fault_size);
	if (!by_pam_auth_update())
		return plan_services(set, fault, fault_size);
	if (!plan_pam_auth_update(set, &done, fault, fault_size))
		return false;
	if (done)
		return true;
	return change_set_add_note(
		       set,
		       "/etc/pam.d/common-* were edited by hand, so that pam-auth-update leaves them alone. "
		       "The lines go into each service's own file instead.",
		       fault, fault_size) &&
	       plan_services(set, fault, fault_size);
}
