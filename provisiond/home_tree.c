/*
 * Trees of files: the copy of a skeleton, and its removal. Everything is reached from the descriptor of the directory
 * it is in.
 */
#include "provisiond/home_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/watchdog.h"

#define PERMISSIONS (S_IRWXU | S_IRWXG | S_IRWXO)

static void cleanup_directory(DIR *const *directory)
{
	if (*directory)
		(void)closedir(*directory);
}

/* A stream of its own on the directory; the descriptor stays the caller's. */
static DIR *stream_of(int fd)
{
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = own >= 0 ? fdopendir(own) : NULL;

	if (!directory && own >= 0)
		(void)close(own);
	return directory;
}

/* The next name but `.` and `..`; NULL at the end (errno 0) or when reading fails. */
static const char *next_entry(DIR *directory)
{
	const struct dirent *entry;

	/* A large tree on a slow disk is no daemon that hangs. */
	watchdog_progress();
	do {
		errno = 0;
		entry = readdir(directory);
	} while (entry && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
	return entry ? entry->d_name : NULL;
}

/* The innermost failure is the one that is told. */
static int fail(struct home_copy *copy, bool source, const char *name, int error, const char *what)
{
	if (!copy->fault[0]) {
		(void)snprintf(copy->fault, sizeof(copy->fault), "%.100s %s: %s", name, what, strerror(error));
		copy->source_is_to_blame = source;
	}
	return -error;
}

/* ---- syncing: several together ---- */

static int sync_open(struct home_copy *copy, const char *name)
{
	int errors[SYNC_FILES_MAX] = { 0 }, r = 0;

	sync_files(copy->open, copy->open_count, errors);
	for (size_t i = 0; i < copy->open_count && r == 0; i++)
		r = errors[i] ? fail(copy, false, name, errors[i], "cannot be synced to the disk") : 0;
	home_copy_release(copy);
	copy->open_count = 0;
	return r;
}

/* Takes the descriptor over. */
static int sync_later(struct home_copy *copy, int *fd, const char *name)
{
	int r = copy->open_count == SYNC_FILES_MAX ? sync_open(copy, name) : 0;

	if (r == 0) {
		sync_files_begin(*fd);
		copy->open[copy->open_count++] = take_fd(fd);
	}
	return r;
}

int home_tree_sync_later(struct home_copy *copy, int *directory)
{
	return sync_later(copy, directory, ".");
}

int home_tree_sync(struct home_copy *copy)
{
	return sync_open(copy, ".");
}

void home_copy_release(const struct home_copy *copy)
{
	for (size_t i = 0; i < copy->open_count; i++)
		(void)close(copy->open[i]);
}

/* ---- copying ---- */

static int copy_bytes(struct home_copy *copy, int from, int to, const char *name)
{
	char buffer[32 * 1024];

	for (;;) {
		ssize_t n = read(from, buffer, sizeof(buffer));
		ssize_t done = 0;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(copy, true, name, errno, "cannot be read");
		if (n == 0)
			return 0;
		copy->bytes += (size_t)n;
		if (copy->bytes > HOME_TREE_BYTES_MAX)
			return fail(copy, true, name, E2BIG, "makes it larger than 1 GiB");
		while (done < n) {
			ssize_t w = write(to, buffer + done, (size_t)(n - done));

			if (w < 0 && errno != EINTR)
				return fail(copy, false, name, errno, "cannot be written");
			done += w > 0 ? w : 0;
		}
	}
}

/* Gives a finished file or directory away. The owner last: from then on it is not ours to change. */
static int hand_over(struct home_copy *copy, int *fd, mode_t mode, const char *name)
{
	if (fchmod(*fd, mode & PERMISSIONS) != 0 || fchown(*fd, copy->uid, copy->gid) != 0)
		return fail(copy, false, name, errno, "cannot be given to its owner");
	return copy->sync ? sync_later(copy, fd, name) : 0;
}

static int copy_file(struct home_copy *copy, int from, int to, const char *name)
{
	_cleanup_fd_ int source = openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	_cleanup_fd_ int made = -1;
	struct stat st;
	int r;

	if (source < 0 || fstat(source, &st) != 0)
		return fail(copy, true, name, errno, "cannot be opened");
	if (!S_ISREG(st.st_mode))
		return fail(copy, true, name, EAGAIN, "was replaced meanwhile");
	made = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (made < 0)
		return fail(copy, false, name, errno, "cannot be created");
	r = copy_bytes(copy, source, made, name);
	if (r < 0)
		return r;
	(void)futimens(made, (struct timespec[]){ st.st_atim, st.st_mtim });
	return hand_over(copy, &made, st.st_mode, name);
}

static int copy_link(struct home_copy *copy, int from, int to, const char *name)
{
	char target[PATH_MAX];
	ssize_t length = readlinkat(from, name, target, sizeof(target));

	if (length < 0)
		return fail(copy, true, name, errno, "cannot be read");
	if ((size_t)length >= sizeof(target))
		return fail(copy, true, name, ENAMETOOLONG, "cannot be copied");
	target[length] = '\0';
	if (symlinkat(target, to, name) != 0 || fchownat(to, name, copy->uid, copy->gid, AT_SYMLINK_NOFOLLOW) != 0)
		return fail(copy, false, name, errno, "cannot be created");
	return 0;
}

static int copy_entries(struct home_copy *copy, int from, int to, unsigned depth);

static int copy_directory(struct home_copy *copy, int from, int to, const char *name, unsigned depth)
{
	_cleanup_fd_ int source = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_fd_ int made = -1;
	struct stat st;
	int r;

	if (source < 0 || fstat(source, &st) != 0)
		return fail(copy, true, name, errno, "cannot be opened");
	if (depth >= HOME_TREE_DEPTH_MAX)
		return fail(copy, true, name, E2BIG, "is more than 32 directories deep");
	if (mkdirat(to, name, 0700) != 0)
		return fail(copy, false, name, errno, "cannot be created");
	made = openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (made < 0)
		return fail(copy, false, name, errno, "cannot be opened");
	r = copy_entries(copy, source, made, depth + 1);
	return r < 0 ? r : hand_over(copy, &made, st.st_mode, name);
}

static int skip(struct home_copy *copy, const char *name)
{
	if (copy->skipped++ == 0)
		(void)snprintf(copy->skipped_name, sizeof(copy->skipped_name), "%s", name);
	return 0;
}

static int copy_entry(struct home_copy *copy, int from, int to, const char *name, unsigned depth)
{
	struct stat st;

	if (++copy->entries > HOME_TREE_ENTRIES_MAX)
		return fail(copy, true, name, E2BIG, "is one of more than 20000 entries");
	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return fail(copy, true, name, errno, "cannot be examined");
	switch (st.st_mode & S_IFMT) {
	case S_IFREG:
		return copy_file(copy, from, to, name);
	case S_IFLNK:
		return copy_link(copy, from, to, name);
	case S_IFDIR:
		return copy_directory(copy, from, to, name, depth);
	default:
		return skip(copy, name);
	}
}

static int copy_entries(struct home_copy *copy, int from, int to, unsigned depth)
{
	_cleanup_(cleanup_directory) DIR *directory = stream_of(from);
	const char *name;

	if (!directory)
		return fail(copy, true, ".", errno, "cannot be read");
	while ((name = next_entry(directory))) {
		int r = copy_entry(copy, from, to, name, depth);

		if (r < 0)
			return r;
	}
	return errno ? fail(copy, true, ".", errno, "cannot be read") : 0;
}

int home_tree_copy(struct home_copy *copy, int from, int to)
{
	return copy_entries(copy, from, to, 0);
}

struct removal {
	int top; /* the directory that goes, once it is open */
	dev_t device;
	unsigned moved; /* directories that were too deep */
};

/* Whether something else begins here: another file system, or the same one mounted once more. */
static bool is_mount(int fd, const struct removal *removal)
{
	struct statx stx;
	struct stat st;

	return fstat(fd, &st) != 0 || st.st_dev != removal->device ||
	       (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &stx) == 0 &&
		(stx.stx_attributes & STATX_ATTR_MOUNT_ROOT));
}

static int remove_directory(struct removal *removal, int parent, const char *name, unsigned depth);

/* What is too deep for our stack and descriptors moves up to the top, whose next round finds it. */
static int move_up(struct removal *removal, int parent, const char *name)
{
	char moved[32];

	(void)snprintf(moved, sizeof(moved), ".provisiond-deep-%u", removal->moved++);
	return renameat2(parent, name, removal->top, moved, RENAME_NOREPLACE) != 0 && errno != EEXIST ? -errno : 0;
}

static int remove_entry(struct removal *removal, int parent, const char *name, unsigned depth)
{
	struct stat st;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISDIR(st.st_mode))
		return remove_directory(removal, parent, name, depth);
	return unlinkat(parent, name, 0) != 0 && errno != ENOENT ? -errno : 0;
}

/* In rounds, until one finds nothing: entries may move while they are read. */
static int remove_entries(struct removal *removal, int fd, unsigned depth)
{
	_cleanup_(cleanup_directory) DIR *directory = stream_of(fd);
	bool found = true;

	if (!directory)
		return -errno;
	while (found) {
		const char *name;

		found = false;
		rewinddir(directory);
		while ((name = next_entry(directory))) {
			int r = remove_entry(removal, fd, name, depth + 1);

			if (r < 0)
				return r;
			found = true;
		}
		if (errno)
			return -errno;
	}
	return 0;
}

/* Makes a directory that was opened with O_PATH the caller's own, and opens it for reading. */
static int take_over(int path_fd)
{
	_cleanup_fd_ int fd = -1;

	if (fchownat(path_fd, "", geteuid(), getegid(), AT_EMPTY_PATH) != 0)
		return -errno;
	fd = openat(path_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == EACCES) {
		char link[32];

		/* Its owner locked himself out; a descriptor of this kind takes a mode only by this name. */
		(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", path_fd);
		if (chmod(link, S_IRWXU) != 0)
			return -errno;
		fd = openat(path_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0 || fchmod(fd, S_IRWXU) != 0)
		return -errno;
	return take_fd(&fd);
}

static int remove_directory(struct removal *removal, int parent, const char *name, unsigned depth)
{
	_cleanup_fd_ int path_fd = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_fd_ int fd = -1;
	int r;

	if (path_fd < 0)
		return -errno;
	if (depth == 0) {
		struct stat st;

		if (fstat(path_fd, &st) != 0)
			return -errno;
		removal->device = st.st_dev;
	}
	if (is_mount(path_fd, removal))
		return -EXDEV;
	fd = take_over(path_fd);
	if (fd < 0)
		return fd;
	if (depth >= HOME_TREE_DEPTH_MAX)
		return move_up(removal, parent, name);
	if (depth == 0)
		removal->top = fd;
	r = remove_entries(removal, fd, depth);
	if (r < 0)
		return r;
	return unlinkat(parent, name, AT_REMOVEDIR) != 0 && errno != ENOENT ? -errno : 0;
}

int home_tree_remove(int parent, const char *name)
{
	struct removal removal = { .top = -1 };
	int r = remove_directory(&removal, parent, name, 0);

	return r == -ENOENT ? 0 : r;
}
