/*
 * Staged beside the old file under a fixed hidden name, which nothing that reads folders of /etc takes for its own, and
 * exchanged with it (RENAME_EXCHANGE), so that the old one can be looked at once more and put back.
 */
#include "provisiond/ctl/setup/file_install.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "provisiond/file_attributes.h"

/* ---- reading ---- */

static int read_all(int fd, size_t size, char **ret_text, size_t *ret_length)
{
	char *text = malloc(size + 1);
	size_t length = 0;

	if (!text)
		return -ENOMEM;
	while (length < size) {
		ssize_t n = read(fd, text + length, size - length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			int error = n < 0 ? errno : 0;

			if (error == 0)
				break;
			change_wipe(text, length);
			return -error;
		}
		length += (size_t)n;
	}
	text[length] = '\0';
	*ret_text = text;
	*ret_length = length;
	return 0;
}

static int read_descriptor(int fd, struct change_content *ret_content, struct stat *ret_seen)
{
	struct change_content content = { .exists = true };
	int r;

	if (fstat(fd, ret_seen) != 0)
		return -errno;
	if (!S_ISREG(ret_seen->st_mode))
		return -EINVAL;
	if (ret_seen->st_size > (off_t)CHANGE_FILE_MAX)
		return -EFBIG;
	r = read_all(fd, (size_t)ret_seen->st_size, &content.text, &content.length);
	if (r == 0)
		*ret_content = content;
	return r;
}

static bool fault_of(const char *path, int error, const char *verb, char *fault, size_t fault_size)
{
	if (error == EINVAL)
		return change_fault(fault, fault_size, "%s is no regular file. Nothing here replaces such a one.",
				    path);
	return change_fault(fault, fault_size, "%s cannot be %s: %s", path, verb, strerror(error));
}

/* *ret_fd is -1 when there is no such file. */
static int open_to_read(int directory, const char *name, int *ret_fd)
{
	int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 && errno != ENOENT && errno != ENOTDIR)
		return -errno;
	*ret_fd = fd;
	return 0;
}

bool file_read(const char *path, struct change_content *ret_content, struct change_owner *ret_owner, char *fault,
	       size_t fault_size)
{
	_cleanup_fd_ int fd = -1;
	struct stat seen = { 0 };
	int r = open_to_read(AT_FDCWD, path, &fd);

	if (r == 0 && fd < 0) {
		*ret_content = (struct change_content){ 0 };
		return true;
	}
	if (r == 0)
		r = read_descriptor(fd, ret_content, &seen);
	if (r < 0)
		return fault_of(path, -r, "read", fault, fault_size);
	if (ret_owner)
		*ret_owner = (struct change_owner){ seen.st_mode & 07777, seen.st_uid, seen.st_gid };
	return true;
}

/* ---- writing ---- */

struct place {
	int directory;
	char name[NAME_MAX + 1];
	char beside[NAME_MAX + 1]; /* the hidden name of what is being written */
	int original;              /* open on the file as it is; -1 when there is none */
	struct stat seen;
};

static void place_free(const struct place *place)
{
	cleanup_fd(&place->directory);
	cleanup_fd(&place->original);
}

static int open_place(const char *path, struct place *ret_place)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];
	int n;

	if (!slash || strlen(slash + 1) == 0 || strlen(slash + 1) > NAME_MAX - strlen(".pam_oidc-new") - 1)
		return -ENAMETOOLONG;
	n = snprintf(folder, sizeof(folder), "%.*s", slash == path ? 1 : (int)(slash - path), path);
	if (n < 0 || (size_t)n >= sizeof(folder))
		return -ENAMETOOLONG;
	(void)snprintf(ret_place->name, sizeof(ret_place->name), "%s", slash + 1);
	(void)snprintf(ret_place->beside, sizeof(ret_place->beside), ".%.*s.pam_oidc-new",
		       (int)(NAME_MAX - strlen("..pam_oidc-new")), slash + 1);
	ret_place->directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return ret_place->directory < 0 ? -errno : 0;
}

static int write_all(int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t n = write(fd, text, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		length -= (size_t)n;
	}
	return 0;
}

/* Owner first, which clears bits of the mode; the mode after the ACL, which changes it; all of it before the content.
 */
static int dress(int fd, const struct place *place, const struct change_owner *owner)
{
	uid_t user = owner ? owner->user : place->seen.st_uid;
	gid_t group = owner ? owner->group : place->seen.st_gid;
	mode_t mode = owner ? owner->mode : place->seen.st_mode & 07777;
	int r = 0;

	if (fchown(fd, user, group) != 0)
		return -errno;
	if (place->original >= 0)
		r = file_attributes_copy(place->original, fd);
	if (r < 0)
		return r;
	return fchmod(fd, mode) != 0 ? -errno : 0;
}

static int write_beside(const struct place *place, const struct change_content *text, const struct change_owner *owner)
{
	_cleanup_fd_ int fd =
		openat(place->directory, place->beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return -errno;
	r = dress(fd, place, owner);
	if (r == 0)
		r = write_all(fd, text->text, text->length);
	if (r == 0 && fsync(fd) != 0)
		r = -errno;
	return r;
}

/* What a name in the folder holds now is what is expected. */
static int check(int directory, const char *name, const struct change_content *expected)
{
	_cleanup_(change_content_free) struct change_content now = { 0 };
	_cleanup_fd_ int fd = -1;
	struct stat seen;
	int r = open_to_read(directory, name, &fd);

	if (r == 0 && fd >= 0)
		r = read_descriptor(fd, &now, &seen);
	if (r < 0)
		return r;
	return change_content_same(&now, expected) ? 0 : -ESTALE;
}

static bool cannot_exchange(int error)
{
	return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP;
}

/* The new file under the name, and the displaced one, which must be what was expected, removed. */
static int put_over(const struct place *place, const struct change_content *expected)
{
	int directory = place->directory, r;

	if (renameat2(directory, place->beside, directory, place->name, RENAME_EXCHANGE) != 0) {
		if (!cannot_exchange(errno))
			return -errno;
		return renameat(directory, place->beside, directory, place->name) != 0 ? -errno : 0;
	}
	r = check(directory, place->beside, expected);
	if (r < 0)
		(void)renameat2(directory, place->beside, directory, place->name, RENAME_EXCHANGE);
	return r;
}

static int put_new(const struct place *place)
{
	int directory = place->directory;

	if (renameat2(directory, place->beside, directory, place->name, RENAME_NOREPLACE) == 0)
		return 0;
	if (!cannot_exchange(errno))
		return errno == EEXIST ? -ESTALE : -errno;
	/* A link never replaces either; the other name is removed as after every way out. */
	return linkat(directory, place->beside, directory, place->name, 0) == 0 ? 0
	       : errno == EEXIST                                                ? -ESTALE
										: -errno;
}

static int take_away(const struct place *place, const struct change_content *expected)
{
	int directory = place->directory, r;

	if (renameat2(directory, place->name, directory, place->beside, RENAME_NOREPLACE) != 0) {
		if (!cannot_exchange(errno))
			return -errno;
		return unlinkat(directory, place->name, 0) != 0 ? -errno : 0;
	}
	r = check(directory, place->beside, expected);
	if (r < 0)
		(void)renameat2(directory, place->beside, directory, place->name, RENAME_NOREPLACE);
	return r;
}

static int install_at(struct place *place, const struct change_content *expected, const struct change_content *text,
		      const struct change_owner *owner)
{
	int r = unlinkat(place->directory, place->beside, 0) != 0 && errno != ENOENT ? -errno : 0;

	if (r == 0)
		r = open_to_read(place->directory, place->name, &place->original);
	if (r == 0 && place->original >= 0 && fstat(place->original, &place->seen) != 0)
		r = -errno;
	if (r == 0)
		r = check(place->directory, place->name, expected);
	if (r < 0)
		return r;
	if (!text->exists)
		r = expected->exists ? take_away(place, expected) : 0;
	else
		r = write_beside(place, text, owner);
	if (r == 0 && text->exists)
		r = expected->exists ? put_over(place, expected) : put_new(place);
	(void)unlinkat(place->directory, place->beside, 0);
	if (r == 0 && fsync(place->directory) != 0)
		r = -errno;
	return r;
}

bool file_install(const char *path, const struct change_content *expected, const struct change_content *text,
		  const struct change_owner *owner, char *fault, size_t fault_size)
{
	_cleanup_(place_free) struct place place = { .directory = -1, .original = -1 };
	int r = open_place(path, &place);

	if (r == 0)
		r = install_at(&place, expected, text, owner);
	if (r == -ESTALE)
		return change_fault(fault, fault_size,
				    "%s was changed meanwhile by another program. Look at it and start again.", path);
	if (r == -EROFS)
		return change_fault(fault, fault_size,
				    "%s cannot be written: its file system is read-only. Mount it writable first.",
				    path);
	if (r == -ENOSPC || r == -EDQUOT)
		return change_fault(fault, fault_size, "%s cannot be written: the disk is full. Free some room first.",
				    path);
	return r == 0 || fault_of(path, -r, text->exists ? "written" : "removed", fault, fault_size);
}

void file_sweep(const char *path)
{
	_cleanup_(place_free) struct place place = { .directory = -1, .original = -1 };

	if (open_place(path, &place) == 0)
		(void)unlinkat(place.directory, place.beside, 0);
}

bool file_write_new(int directory, const char *name, const char *text, size_t length, char *fault, size_t fault_size)
{
	_cleanup_fd_ int fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : 0;

	if (r == 0)
		r = write_all(fd, text, length);
	if (r == 0 && fsync(fd) != 0)
		r = -errno;
	return r == 0 ||
	       change_fault(fault, fault_size, "the record for undo cannot be written (%s): %s", name, strerror(-r));
}
