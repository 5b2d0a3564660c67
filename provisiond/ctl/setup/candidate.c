/*
 * Writes the configuration that is being tried.
 */
#include "provisiond/ctl/setup/candidate.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/wire.h"
#include "provisiond/ctl/setup/child.h"
#include "provisiond/ctl/setup/configuration_text.h"
#include "provisiond/ctl/terminal.h"

#define SECRET_NAME "secret"
#define CHECK_PATIENCE_MS 20000

static enum exit_code cannot(const char *what)
{
	complain("%s in " CANDIDATE_FOLDER " cannot be written: %s. Nothing was changed.", what, strerror(errno));
	return EXIT_LOCAL;
}

/* ---- the folder ---- */

/* Whatever one left there that was killed. */
static void empty(int folder)
{
	int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = copy >= 0 ? fdopendir(copy) : NULL;
	const struct dirent *entry;

	if (!entries) {
		cleanup_fd(&copy);
		return;
	}
	while ((entry = readdir(entries)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			(void)unlinkat(folder, entry->d_name, 0);
	(void)closedir(entries);
}

/* Whether the folder of that name is still the one that we hold: who had it before us takes it away. */
static bool is_in_place(int folder)
{
	struct stat ours, named;

	return fstat(folder, &ours) == 0 && lstat(CANDIDATE_FOLDER, &named) == 0 && ours.st_dev == named.st_dev &&
	       ours.st_ino == named.st_ino;
}

static bool lock_folder(int *ret_folder)
{
	for (int tries = 0; tries < 8; tries++) {
		_cleanup_fd_ int folder = -1;

		if (mkdir(CANDIDATE_FOLDER, 0700) != 0 && errno != EEXIST)
			return false;
		folder = open(CANDIDATE_FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (folder < 0 && errno == ENOENT)
			continue;
		if (folder < 0 || flock(folder, LOCK_EX | LOCK_NB) != 0)
			return false;
		if (!is_in_place(folder))
			continue;
		*ret_folder = take_fd(&folder);
		return true;
	}
	errno = EWOULDBLOCK;
	return false;
}

enum exit_code candidate_lock(struct candidate *candidate)
{
	if (!lock_folder(&candidate->folder)) {
		if (errno != EWOULDBLOCK)
			return cannot("A folder");
		complain("another setup is under way on this machine. Let it end first.");
		return EXIT_FAILED;
	}
	empty(candidate->folder);
	return EXIT_DONE;
}

enum exit_code candidate_open(struct candidate *candidate)
{
	const struct passwd *user = getpwnam(PAM_OIDC_USER);
	enum exit_code code;

	if (!user || user->pw_uid == 0) {
		complain("there is no user " PAM_OIDC_USER ", as which pam_oidcd runs. Make it: systemd-sysusers");
		return EXIT_FAILED;
	}
	candidate->group = user->pw_gid;
	code = candidate_lock(candidate);
	if (code != EXIT_DONE)
		return code;
	if (fchown(candidate->folder, 0, candidate->group) != 0 || fchmod(candidate->folder, 0710) != 0)
		return cannot("A folder");
	return EXIT_DONE;
}

void candidate_release(struct candidate *candidate)
{
	if (candidate->folder >= 0) {
		empty(candidate->folder);
		/* While it is locked: nobody else makes one between these. */
		(void)rmdir(CANDIDATE_FOLDER);
	}
	cleanup_fd(&candidate->folder);
	*candidate = NO_CANDIDATE;
}

/* ---- its files ---- */

static bool write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t n = write(fd, bytes, length);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			bytes += n;
			length -= (size_t)n;
		}
	}
	return true;
}

static bool write_file(const struct candidate *candidate, const char *name, const char *bytes, size_t length,
		       mode_t mode)
{
	_cleanup_fd_ int fd = -1;

	(void)unlinkat(candidate->folder, name, 0);
	fd = openat(candidate->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd >= 0 && fchown(fd, 0, candidate->group) == 0 && fchmod(fd, mode) == 0 && write_all(fd, bytes, length);
}

enum exit_code candidate_write(const struct candidate *candidate, const char *before, const struct company *company)
{
	bool secret = company->secret.length > 0;
	_cleanup_free_ char *text =
		configuration_with(before, company, secret ? CANDIDATE_FOLDER "/" SECRET_NAME : NULL);

	if (!text)
		return complain_of_memory();
	if (secret && !write_file(candidate, SECRET_NAME, company->secret.bytes, company->secret.length, 0640))
		return cannot("A file");
	if (!write_file(candidate, strrchr(CANDIDATE_FILE, '/') + 1, text, strlen(text), 0644))
		return cannot("A file");
	return EXIT_DONE;
}

/* It says "good" to its standard output, which must be there for that. */
static void wait_for_silence(int socket)
{
	int64_t deadline_ms = wire_now_ms() + CHECK_PATIENCE_MS;
	char said[CHILD_SAID_MAX];

	while (wire_receive(socket, said, sizeof(said), deadline_ms) > 0)
		;
}

enum exit_code candidate_check(void)
{
	static const char *const argv[] = { SBINDIR "/provisiond", "-f", CANDIDATE_FILE, "-t", NULL };
	_cleanup_child_ struct child child = NO_CHILD;
	char said[CHILD_SAID_MAX];
	int error = child_start(argv, &child), status;

	if (error != 0) {
		complain("%s cannot be started: %s. Install it again.", argv[0], strerror(error));
		return EXIT_FAILED;
	}
	wait_for_silence(child.socket);
	status = child_end(&child);
	if (status == 0)
		return EXIT_DONE;
	complain("the configuration would not be right (" CANDIDATE_FILE " stands for " PAM_OIDC_CONF "):");
	child_said(&child, said);
	for (char *line = strtok(said, "\n"); line; line = strtok(NULL, "\n"))
		(void)complain_about(EXIT_REFUSED, "  ", line, "");
	complain("nothing was changed.");
	return EXIT_REFUSED;
}
