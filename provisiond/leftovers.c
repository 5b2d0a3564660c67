/*
 * Puts away what stands under an account's name in other programs' directories. See leftovers.h.
 */
#include "provisiond/leftovers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/names.h"
#include "provisiond/trusted_directory.h"

#define KEPT_MAX 99 /* of one name and uid: as often as somebody can leave and come back */

/* Where files bear people's names. On every system some are missing, or are links to another. Group `crontab` or `mail`
 * may write to them, and nobody of that group may rename what is not theirs: they are sticky, or only their programs
 * are in the group. */
static const struct {
	const char *parent, *directory;
} places[] = {
	{ "/var/spool/cron", "crontabs" }, /* Debian's cron */
	{ "/var/spool", "cron" },          /* cronie's */
	{ "/var", "mail" },
	{ "/var/spool", "mail" },
};

/* -1 with errno when it is missing, a link, or not root's. */
static int open_place(const char *root, const char *parent, const char *directory, char *fault, size_t fault_size)
{
	_cleanup_fd_ int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct trusted_root trusted = { .fd = root_fd, .owner = geteuid(), .group = getegid() };
	_cleanup_fd_ int parent_fd = -1, fd = -1;
	struct stat st;

	if (root_fd < 0)
		return -errno;
	parent_fd = trusted_directory_open(&trusted, parent, false, fault, fault_size);
	if (parent_fd < 0)
		return parent_fd;
	fd = openat(parent_fd, directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ELOOP || errno == ENOTDIR ? -ENOENT
							  : -errno; /* a link leads to another place of ours */
	if (fstat(fd, &st) != 0)
		return -errno;
	if (st.st_uid != geteuid() || (st.st_mode & S_IWOTH && !(st.st_mode & S_ISVTX)))
		return -EPERM;
	return take_fd(&fd);
}

int leftovers_stop_lingering(const char *root, const char *name)
{
	char fault[256];
	_cleanup_fd_ int directory = open_place(root, "/var/lib/systemd", "linger", fault, sizeof(fault));

	if (!account_name_ok(name))
		return -EINVAL;
	if (directory < 0)
		return directory == -ENOENT ? 0 : directory;
	if (unlinkat(directory, name, 0) != 0 && errno != ENOENT)
		return -errno;
	return fsync(directory) == 0 ? 0 : -errno;
}

/* Never over anything: what was put away before is kept as well. */
static int rename_to_free_name(int directory, const char *name, uid_t uid)
{
	char kept[ACCOUNT_NAME_MAX + 32];

	for (int i = 1; i <= KEPT_MAX; i++) {
		(void)snprintf(kept, sizeof(kept), i == 1 ? ".%s.%lu" : ".%s.%lu.%d", name, (unsigned long)uid, i);
		if (renameat2(directory, name, directory, kept, RENAME_NOREPLACE) == 0)
			return fsync(directory) == 0 ? 0 : -errno;
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

static int put_away(int directory, const char *name, uid_t uid)
{
	struct stat st;

	if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : -errno;
	if (st.st_uid != uid && !(S_ISREG(st.st_mode) && st.st_uid == geteuid()))
		return -EPERM;
	return rename_to_free_name(directory, name, uid);
}

int leftovers_put_away(const char *root, const char *name, uid_t uid, char *fault, size_t fault_size)
{
	int result = 0;

	if (!account_name_ok(name))
		return -EINVAL;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char ignored[256];
		_cleanup_fd_ int directory =
			open_place(root, places[i].parent, places[i].directory, ignored, sizeof(ignored));
		int r = directory == -ENOENT ? 0 : directory;

		if (directory >= 0)
			r = put_away(directory, name, uid);
		if (r < 0 && result == 0) {
			result = r;
			(void)snprintf(fault, fault_size, "%s/%s/%s: %s", places[i].parent, places[i].directory, name,
				       strerror(-r));
		}
	}
	return result;
}
