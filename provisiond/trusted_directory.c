/*
 * The walk from the root to a directory: each step is opened from the one before it, without following links by itself,
 * and judged before the next.
 */
#include "provisiond/trusted_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"

#define LINKS_MAX 40 /* as the kernel's */

struct walk {
	const struct trusted_root *root;
	const char *path; /* as given, for faults */
	bool create;
	int at;                   /* where we are */
	char remaining[PATH_MAX]; /* what is still ahead */
	unsigned links;
	char *fault;
	size_t fault_size;
};

static int fail(struct walk *walk, const char *name, int error, const char *what)
{
	(void)snprintf(walk->fault, walk->fault_size, "%s: %s%s%s%s", walk->path, *name ? "the directory " : "", name,
		       *name ? " on the way there " : "", what);
	return -error;
}

static int fail_errno(struct walk *walk, const char *name, const char *what, int error)
{
	char text[96];

	(void)snprintf(text, sizeof(text), "%s: %s", what, strerror(error));
	return fail(walk, name, error, text);
}

/* Moves to the directory, which the walk owns from now on, if it is the owner's alone. */
static int enter(struct walk *walk, int *directory, const char *name)
{
	struct stat st;

	if (fstat(*directory, &st) != 0)
		return fail_errno(walk, name, "cannot be examined", errno);
	if (st.st_uid != walk->root->owner)
		return fail(walk, name, EPERM,
			    "does not belong to root; whoever owns it could put anything there (chown root)");
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return fail(walk, name, EPERM, "is writable by group or others (chmod go-w)");
	cleanup_fd(&walk->at);
	walk->at = take_fd(directory);
	return 0;
}

static int go_to_root(struct walk *walk)
{
	bool system = walk->root->fd == AT_FDCWD;
	_cleanup_fd_ int fd = openat(walk->root->fd, system ? "/" : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? fail_errno(walk, "/", "cannot be opened", errno) : enter(walk, &fd, "/");
}

/* Takes the next name off what is ahead. False when there is none. */
static bool next_name(struct walk *walk, char name[NAME_MAX + 1], bool *ret_too_long)
{
	const char *begin = walk->remaining + strspn(walk->remaining, "/");
	size_t length = strcspn(begin, "/");

	*ret_too_long = length > NAME_MAX;
	if (length == 0 || length > NAME_MAX)
		return false;
	memcpy(name, begin, length);
	name[length] = '\0';
	/* The two overlap: from the front, byte by byte. (Valgrind takes a fortified memmove() for a memcpy().) */
	for (char *to = walk->remaining; (*to = begin[length]); to++)
		begin++;
	return true;
}

static int make_directory(struct walk *walk, const char *name)
{
	_cleanup_fd_ int fd = -1;

	if (mkdirat(walk->at, name, 0755) != 0)
		return errno == EEXIST ? 0 : fail_errno(walk, name, "cannot be made", errno);
	fd = openat(walk->at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fchmod(fd, 0755) != 0 || fchown(fd, walk->root->owner, walk->root->group) != 0 ||
	    fsync(fd) != 0 || fsync(walk->at) != 0)
		return fail_errno(walk, name, "cannot be made", errno);
	return 0;
}

/* Puts where the link leads before what is ahead. */
static int follow(struct walk *walk, const char *name)
{
	char ahead[PATH_MAX];
	ssize_t length = readlinkat(walk->at, name, ahead, sizeof(ahead));
	size_t rest = strlen(walk->remaining);

	if (length < 0)
		return fail_errno(walk, name, "cannot be read", errno);
	if (++walk->links > LINKS_MAX)
		return fail_errno(walk, name, "cannot be followed", ELOOP);
	if ((size_t)length + 1 + rest + 1 > sizeof(ahead))
		return fail_errno(walk, name, "cannot be followed", ENAMETOOLONG);
	ahead[length] = '/';
	memcpy(ahead + length + 1, walk->remaining, rest + 1);
	memcpy(walk->remaining, ahead, (size_t)length + 1 + rest + 1);
	return ahead[0] == '/' ? go_to_root(walk) : 0;
}

static int step(struct walk *walk, const char *name)
{
	_cleanup_fd_ int fd = -1;
	struct stat st;
	int r = fstatat(walk->at, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ? -errno : 0;

	if (r == -ENOENT && walk->create) {
		r = make_directory(walk, name);
		if (r == 0 && fstatat(walk->at, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
			r = fail_errno(walk, name, "cannot be examined", errno);
	} else if (r < 0) {
		return fail_errno(walk, name, "cannot be examined", -r);
	}
	if (r < 0)
		return r;
	if (S_ISLNK(st.st_mode))
		return follow(walk, name);
	fd = openat(walk->at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? fail_errno(walk, name, "cannot be opened", errno) : enter(walk, &fd, name);
}

int trusted_directory_open(const struct trusted_root *root, const char *path, bool create, char *fault,
			   size_t fault_size)
{
	_cleanup_(cleanup_fd) int at = -1;
	struct walk walk = {
		.root = root, .path = path, .create = create, .at = -1, .fault = fault, .fault_size = fault_size
	};
	char name[NAME_MAX + 1];
	bool too_long = false;
	int r;

	if (path[0] != '/' || strlen(path) >= sizeof(walk.remaining))
		return fail(&walk, "", EINVAL, "is no absolute path of less than 4096 bytes");
	memcpy(walk.remaining, path, strlen(path) + 1);
	r = go_to_root(&walk);
	while (r == 0 && next_name(&walk, name, &too_long))
		r = step(&walk, name);
	at = walk.at;
	if (r == 0 && too_long)
		r = fail_errno(&walk, "", "cannot be opened", ENAMETOOLONG);
	return r < 0 ? r : take_fd(&at);
}
