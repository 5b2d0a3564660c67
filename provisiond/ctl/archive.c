/*
 * Archives. The home belongs to somebody who may have wished us ill: tar gets no name from inside of it as an argument,
 * follows no link, and stays on the home's file system.
 */
#include "provisiond/ctl/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "provisiond/ctl/progress.h"
#include "provisiond/ctl/terminal.h"

extern char **environ;

/* The directory of the path, and the last name in it. False when there is none. */
static bool split(const char *path, char directory[PATH_MAX], char name[NAME_MAX + 1])
{
	const char *slash = strrchr(path, '/'), *last = slash ? slash + 1 : path;
	size_t length = slash ? (size_t)(slash - path) : 0;

	if (!*last || strlen(last) > NAME_MAX || length >= PATH_MAX || strcmp(last, ".") == 0 ||
	    strcmp(last, "..") == 0)
		return false;
	strcpy(name, last);
	if (!slash)
		strcpy(directory, ".");
	else if (length == 0)
		strcpy(directory, "/");
	else
		*(char *)mempcpy(directory, path, length) = '\0';
	return true;
}

static enum exit_code cannot(const char *path, int error)
{
	_cleanup_free_ char *shown = terminal_text(path);

	if (!shown)
		return complain_of_memory();
	complain("%s cannot be written: %s. Nothing was changed.", shown, strerror(error));
	return EXIT_LOCAL;
}

/* Whether the directory is the home, or below it. */
static bool lies_in(const char *directory, const char *home)
{
	char real_directory[PATH_MAX], real_home[PATH_MAX];
	size_t length;

	if (!realpath(directory, real_directory) || !realpath(home, real_home))
		return false;
	length = strlen(real_home);
	return strncmp(real_directory, real_home, length) == 0 &&
	       (real_directory[length] == '\0' || real_directory[length] == '/');
}

static enum exit_code open_directory(const char *path, const char *home, char name[NAME_MAX + 1], int *ret_directory)
{
	char directory[PATH_MAX];
	struct stat st;
	int fd;

	if (!split(path, directory, name))
		return complain_about(EXIT_USAGE, "\"", path, "\" is no name for a file.");
	if (lies_in(directory, home))
		return complain_about(
			EXIT_REFUSED, "", path,
			" lies in the home that is to be deleted. Nothing was changed; choose another place.");
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return cannot(path, errno);
	if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		(void)close(fd);
		return complain_about(EXIT_REFUSED, "", path,
				      " exists already. Nothing was changed; choose another name.");
	}
	*ret_directory = fd;
	return EXIT_DONE;
}

enum exit_code archive_check(const char *path, const char *home)
{
	char name[NAME_MAX + 1];
	_cleanup_fd_ int directory = -1;

	return open_directory(path, home, name, &directory);
}

enum exit_code archive_create(const char *path, const char *home, struct archive *archive)
{
	char name[NAME_MAX + 1];
	enum exit_code code = open_directory(path, home, name, &archive->directory);

	if (code != EXIT_DONE)
		return code;
	archive->path = path;
	archive->fd = openat(archive->directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	/* Whatever the umask is. */
	if (archive->fd < 0 || fchmod(archive->fd, 0600) != 0)
		return cannot(path, errno);
	return EXIT_DONE;
}

/* Starts tar, which writes to the file and is given nothing to read. 0 or an errno. */
static int start_tar(int out, char *parent, char *name, pid_t *ret_pid)
{
	char *const arguments[] = {
		(char[]){ "tar" },
		(char[]){ "--create" },
		(char[]){ "--file=-" },
		(char[]){ "--format=posix" },
		(char[]){ "--one-file-system" },
		(char[]){ "--numeric-owner" },
		(char[]){ "--xattrs" },
		(char[]){ "--acls" },
		(char[]){ "--directory" },
		parent,
		(char[]){ "--" },
		name,
		NULL,
	};
	posix_spawn_file_actions_t actions;
	int error = posix_spawn_file_actions_init(&actions);

	if (error != 0)
		return error;
	error = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (error == 0)
		error = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (error == 0)
		error = posix_spawnp(ret_pid, "tar", &actions, NULL, arguments, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	return error;
}

/* Waits for its end. */
static int wait_for(pid_t pid)
{
	struct progress progress = progress_begin("archiving the home", 0);
	int status = -1;

	for (;;) {
		pid_t ended = waitpid(pid, &status, progress_wanted() ? WNOHANG : 0);

		if (ended == pid || (ended < 0 && errno != EINTR))
			break;
		progress_show(&progress);
		(void)poll(NULL, 0, PROGRESS_STEP_MS);
	}
	progress_end(&progress);
	return status;
}

enum exit_code archive_write(struct archive *archive, const char *home)
{
	char parent[PATH_MAX], name[NAME_MAX + 3], last[NAME_MAX + 1];
	pid_t pid = -1;
	int error, status;

	if (!split(home, parent, last))
		return complain_about(EXIT_LOCAL, "", home, " cannot be archived. It was kept.");
	(void)snprintf(name, sizeof(name), "./%s", last);
	error = start_tar(archive->fd, parent, name, &pid);
	if (error != 0) {
		complain("tar cannot be started: %s. Install it. The home was kept.", strerror(error));
		return EXIT_LOCAL;
	}
	status = wait_for(pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return complain_about(EXIT_LOCAL, "tar did not archive all of it. The home was kept, in ", home, ".");
	if (fsync(archive->fd) != 0 || fsync(archive->directory) != 0)
		return complain_about(EXIT_LOCAL, "the archive did not get to the disk. The home was kept, in ", home,
				      ".");
	archive->kept = true;
	return EXIT_DONE;
}

void archive_release(struct archive *archive)
{
	char directory[PATH_MAX], name[NAME_MAX + 1];

	if (archive->fd >= 0 && !archive->kept && split(archive->path, directory, name))
		(void)unlinkat(archive->directory, name, 0);
	cleanup_fd(&archive->fd);
	cleanup_fd(&archive->directory);
	*archive = NO_ARCHIVE;
}
