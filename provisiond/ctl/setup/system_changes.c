/*
 * One part after the other, in the order in which they are safe; then PAM as it will be is judged once more as a whole.
 */
#include "provisiond/ctl/setup/system_changes.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "provisiond/ctl/health/pam_verdict.h"
#include "provisiond/ctl/setup/change_inside.h"
#include "provisiond/ctl/setup/nsswitch_lines.h"
#include "provisiond/ctl/setup/pam_changes.h"
#include "provisiond/ctl/setup/service_changes.h"
#include "provisiond/ctl/setup/sshd_changes.h"

#define NSSWITCH "/etc/nsswitch.conf"
#define NSS_LIBRARY "libnss_oidc.so.2"
#define MODULE PAMDIR "/pam_oidc.so"

/* ---- what must be installed ---- */

/* Loaded as sshd will load it; outside of sshd it answers nobody. */
static bool nss_library_is_here(char *fault, size_t fault_size)
{
	void *library = dlopen(NSS_LIBRARY, RTLD_NOW | RTLD_LOCAL);

	if (!library)
		return change_fault(fault, fault_size,
				    "%s is not installed: without it sshd turns away everybody who has no account yet. "
				    "Install the package libnss-oidc (Fedora: nss-oidc), and start again.",
				    NSS_LIBRARY);
	(void)dlclose(library);
	return true;
}

static bool module_is_here(char *fault, size_t fault_size)
{
	return access(MODULE, R_OK) == 0 ||
	       change_fault(fault, fault_size,
			    "%s is not there. Install the package libpam-oidc (Fedora: pam_oidc), and start again.",
			    MODULE);
}

/* ---- nsswitch.conf ---- */

static bool plan_nsswitch(struct change_set *set, char *fault, size_t fault_size)
{
	_cleanup_free_ char *text = NULL, *with_oidc = NULL;
	struct change_file file = { .path = NSSWITCH, .mode = 0644, .undo = CHANGE_UNDO_NSSWITCH };
	size_t length;
	bool exists;

	if (!change_set_read(set, NSSWITCH, &text, &length, &exists, fault, fault_size))
		return false;
	if (strlen(text) != length)
		return change_fault(fault, fault_size, NSSWITCH " has a NUL byte in it. Mend it, and start again.");
	with_oidc = nsswitch_add_oidc(text, fault, fault_size);
	if (!with_oidc)
		return false;
	file.after = with_oidc;
	file.after_length = strlen(with_oidc);
	return strcmp(text, with_oidc) == 0 || change_set_add_file(set, &file, fault, fault_size);
}

/* ---- PAM, judged as it will be ---- */

struct planned {
	const struct change_set *set;
};

/* A file of /etc/pam.d as the set will leave it. */
static int read_planned(void *context, const char *name, char **ret_text, char **ret_path)
{
	const struct planned *planned = context;
	_cleanup_free_ char *path = NULL, *text = NULL;
	char fault[CHANGE_FAULT_SIZE], root[] = "";
	size_t length;
	bool exists;

	if (asprintf(&path, "%s%s", *name == '/' ? "" : "/etc/pam.d/", name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	if (!change_set_read(planned->set, path, &text, &length, &exists, fault, sizeof(fault)))
		return -EIO;
	if (!exists)
		return pam_read_system_file(root, name, ret_text, ret_path);
	*ret_text = take_pointer(text);
	*ret_path = take_pointer(path);
	return 0;
}

/* What nobody may bring about: a way past a refusal, or root and local people before a closed door. */
static const char *grave(enum pam_fault fault)
{
	switch (fault) {
	case PAM_FAULT_FALLS_THROUGH:
		return "somebody whom pam_oidc refuses could still get in";
	case PAM_FAULT_LOCKS_OUT_LOCALS:
	case PAM_FAULT_LOCKS_OUT_WHEN_DOWN:
	case PAM_FAULT_LOCKS_OUT_WHEN_MISSING:
	case PAM_FAULT_NEVER_ASKS:
		return "root and local users could be locked out";
	case PAM_FAULT_NEVER_SUCCEEDS:
		return "nobody could sign in with Okta";
	default:
		return NULL;
	}
}

static bool judge_service(const struct change_set *set, const char *service, char *fault, size_t fault_size)
{
	_cleanup_pam_stack_ struct pam_stack stack = { 0 };
	struct pam_findings findings = { 0 };
	struct planned planned = { set };
	int r = pam_stack_load(service, read_planned, &planned, &stack);

	if (r == -ENOENT)
		return true;
	if (r == 0)
		r = pam_verdict(&stack, NULL, NULL, &findings);
	if (r < 0)
		return change_fault(fault, fault_size, "/etc/pam.d/%s cannot be judged: %s", service, strerror(-r));
	for (size_t i = 0; i < findings.count; i++) {
		const struct pam_finding *finding = &findings.items[i];
		const char *why = grave(finding->fault);

		if (why)
			return change_fault(
				fault, fault_size,
				"with the lines of pam_oidc in PAM's files, %s through %s (%s, line %u). The files "
				"there are unusual: put the lines in by hand (etc/pam.d/README.md), and start again.",
				why, service, finding->line ? finding->line->path : "its file",
				finding->line ? finding->line->number : 0);
	}
	return true;
}

static bool judge_pam(const struct change_set *set, char *fault, size_t fault_size)
{
	static const char *const services[] = { "sshd", "login", "su", "sudo" };

	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (!judge_service(set, services[i], fault, fault_size))
			return false;
	return true;
}

bool system_changes_plan(const struct system_choice *choice, struct change_set *set, char *fault, size_t fault_size)
{
	bool authselect = pam_changes_by_authselect();

	return module_is_here(fault, fault_size) && nss_library_is_here(fault, fault_size) &&
	       service_changes_plan(choice, set, fault, fault_size) &&
	       (authselect || plan_nsswitch(set, fault, fault_size)) &&
	       sshd_changes_plan(choice, set, fault, fault_size) && pam_changes_plan(set, fault, fault_size) &&
	       (authselect || judge_pam(set, fault, fault_size));
}

bool system_changes_hold(char *fault, size_t fault_size)
{
	return sshd_changes_hold(fault, fault_size);
}
