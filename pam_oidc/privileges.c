/*
 * Becomes _pam_oidc for good. See privileges.h.
 */
#include "pam_oidc/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"

bool privileges_find_user(uid_t *ret_uid, gid_t *ret_gid)
{
	const struct passwd *user = getpwnam(PAM_OIDC_USER);

	if (!user || user->pw_uid == 0) {
		log_error("there is no user %s; make it with systemd-sysusers, or: useradd --system --user-group "
			  "--no-create-home "
			  "--shell /usr/sbin/nologin %s",
			  PAM_OIDC_USER, PAM_OIDC_USER);
		return false;
	}
	*ret_uid = user->pw_uid;
	*ret_gid = user->pw_gid;
	return true;
}

bool privileges_make_run_folder(const char *path, uid_t uid, gid_t gid)
{
	struct stat st;

	if (mkdir(path, 0755) == 0) {
		if (chmod(path, 0755) == 0 && chown(path, uid, gid) == 0)
			return true;
		log_error("cannot prepare %s: %s", path, strerror(errno));
		return false;
	}
	if (errno != EEXIST || lstat(path, &st) != 0) {
		log_error("cannot make %s: %s", path, strerror(errno));
		return false;
	}
	/* Whoever owns the folder can put another socket there, to which every sign-in would go. */
	if (!S_ISDIR(st.st_mode) || (st.st_uid != uid && st.st_uid != 0) || (st.st_mode & (S_IWGRP | S_IWOTH))) {
		log_error("%s must be a folder of %s's that nobody else can write to", path, PAM_OIDC_USER);
		return false;
	}
	return true;
}

static bool become(uid_t uid, gid_t gid)
{
	return setgroups(0, NULL) == 0 && setresgid(gid, gid, gid) == 0 && setresuid(uid, uid, uid) == 0;
}

bool privileges_drop(uid_t uid, gid_t gid)
{
	const struct rlimit none = { 0 };

	if (geteuid() == 0 && !become(uid, gid)) {
		log_error("cannot become %s: %s", PAM_OIDC_USER, strerror(errno));
		return false;
	}
	if (geteuid() != uid || getuid() != uid) {
		log_error("must be started as root or as %s", PAM_OIDC_USER);
		return false;
	}
	if (setuid(0) == 0) {
		log_error("root could be had back; refusing to run");
		return false;
	}
	/* A service manager's filter may forbid it, and has set it itself; not being dumpable is what counts. */
	(void)setrlimit(RLIMIT_CORE, &none);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
		log_error("cannot confine itself: %s", strerror(errno));
		return false;
	}
	return true;
}
