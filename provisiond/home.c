/*
 * The life of a home directory from provisiond's side: built under a temporary name, moved into place, and, when the
 * account did not come to be, moved away and removed. Paths and trees are walked in trusted_directory.c and
 * home_tree.c.
 */
#include "provisiond/home.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "provisiond/home_tree.h"
#include "provisiond/trusted_directory.h"

#define TEMPORARY_MARK ".provisiond-" /* between NAME and the random part */
#define RANDOM_LENGTH 6
#define TEMPORARY_ATTEMPTS 16

/* A home's place: the open directory that holds it, and its name there. */
struct spot {
	int parent;
	char name[NAME_MAX + 1];
};

/* A directory under a temporary name, which goes again unless it is given up to its final one. */
struct temporary {
	int parent; /* borrowed */
	char name[NAME_MAX + 1];
	bool there;
};

static void spot_release(const struct spot *spot)
{
	cleanup_fd(&spot->parent);
}

/* What cannot be removed now is swept at the next start. */
static void temporary_release(const struct temporary *temporary)
{
	if (temporary->there)
		(void)home_tree_remove(temporary->parent, temporary->name);
}

__attribute__((format(printf, 4, 5))) static enum home_result fail(struct home_report *report, enum home_result result,
								   const char *path, const char *format, ...)
{
	char what[384];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	(void)snprintf(report->fault, sizeof(report->fault), "%.120s: %s", path, what);
	return result;
}

static enum home_result fail_errno(struct home_report *report, const char *path, const char *what, int error)
{
	return fail(report, HOME_STORAGE, path, "%s: %s", what, strerror(error));
}

static struct trusted_root root_of(const struct home_place *place)
{
	return (struct trusted_root){ .fd = place->root_fd, .owner = place->owner, .group = place->group };
}

/* Absolute, and nothing in it but names. */
static bool path_is_plain(const char *path)
{
	if (!path || path[0] != '/' || !path[1] || strlen(path) >= PATH_MAX)
		return false;
	for (const char *at = path; *at; at += strcspn(at, "/")) {
		size_t length = strcspn(++at, "/");

		if (length == 0 || (length <= 2 && strncmp(at, "..", length) == 0))
			return false;
	}
	return true;
}

/* Splits the path and opens the directory that holds the home. */
static enum home_result open_spot(const struct home_place *place, const char *path, bool create, struct spot *ret_spot,
				  struct home_report *report)
{
	struct trusted_root root = root_of(place);
	char parent[PATH_MAX];
	const char *slash = path_is_plain(path) ? strrchr(path, '/') : NULL;
	size_t length;

	if (!slash || strlen(slash + 1) + strlen(TEMPORARY_MARK) + 1 + RANDOM_LENGTH > NAME_MAX)
		return fail(report, HOME_INVALID, path ? path : "", "is no absolute path that a home can have");
	length = (size_t)(slash - path);
	memcpy(parent, path, length);
	parent[length] = '\0';
	ret_spot->parent =
		trusted_directory_open(&root, length > 0 ? parent : "/", create, report->fault, sizeof(report->fault));
	(void)snprintf(ret_spot->name, sizeof(ret_spot->name), "%s", slash + 1);
	switch (ret_spot->parent) {
	case -ENOENT:
		return HOME_MISSING;
	case -EPERM:
	case -ENOTDIR:
	case -ELOOP:
	case -ENAMETOOLONG:
		return HOME_PARENT;
	default:
		return ret_spot->parent < 0 ? HOME_STORAGE : HOME_DONE;
	}
}

/* The letters are those that mkstemp(3) uses. */
static bool temporary_name(const char *name, char ret_name[NAME_MAX + 1])
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	unsigned char random[RANDOM_LENGTH];
	char text[RANDOM_LENGTH + 1] = { 0 };
	int n;

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return false;
	for (size_t i = 0; i < RANDOM_LENGTH; i++)
		text[i] = letters[random[i] % (sizeof(letters) - 1)];
	n = snprintf(ret_name, NAME_MAX + 1, ".%s" TEMPORARY_MARK "%s", name, text);
	return n > 0 && n <= NAME_MAX;
}

/* Whether temporary_name() could have made it. */
static bool is_temporary_name(const char *name)
{
	size_t length = strlen(name), tail = strlen(TEMPORARY_MARK) + RANDOM_LENGTH;

	if (name[0] != '.' || length < 1 + 1 + tail ||
	    strncmp(name + length - tail, TEMPORARY_MARK, strlen(TEMPORARY_MARK)) != 0)
		return false;
	for (size_t i = length - RANDOM_LENGTH; i < length; i++)
		if (!isascii((unsigned char)name[i]) || !isalnum((unsigned char)name[i]))
			return false;
	return true;
}

/* Makes the directory in which the home is built, for nobody but root. */
static int make_temporary(const struct spot *spot, struct temporary *temporary)
{
	for (unsigned i = 0; i < TEMPORARY_ATTEMPTS; i++) {
		_cleanup_fd_ int fd = -1;

		if (!temporary_name(spot->name, temporary->name))
			return -EIO;
		if (mkdirat(spot->parent, temporary->name, 0700) != 0) {
			if (errno == EEXIST)
				continue;
			return -errno;
		}
		temporary->parent = spot->parent;
		temporary->there = true;
		fd = openat(spot->parent, temporary->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 ||
		    fchmod(fd, 0700) != 0) /* a set-group-ID parent, or a default ACL, may have added something */
			return -errno;
		return take_fd(&fd);
	}
	return -EEXIST;
}

static enum home_result copy_skeleton(const struct home_place *place, const struct home_request *request, int home,
				      struct home_report *report)
{
	struct trusted_root root = root_of(place);
	struct home_copy copy = { .uid = request->uid, .gid = request->gid };
	_cleanup_fd_ int skeleton = -1;
	int r;

	if (!request->skeleton || !request->skeleton[0])
		return HOME_DONE;
	skeleton = trusted_directory_open(&root, request->skeleton, false, report->fault, sizeof(report->fault));
	if (skeleton < 0)
		return HOME_SKELETON;
	r = home_tree_copy(&copy, skeleton, home);
	report->skipped = copy.skipped;
	(void)snprintf(report->skipped_name, sizeof(report->skipped_name), "%s", copy.skipped_name);
	if (r < 0 && copy.source_is_to_blame)
		return fail(report, HOME_SKELETON, request->skeleton, "%s", copy.fault);
	return r < 0 ? fail(report, HOME_STORAGE, request->path, "%s", copy.fault) : HOME_DONE;
}

static int hand_over(const struct home_request *request, int home)
{
	if (fchmod(home, request->mode & (S_IRWXU | S_IRWXG | S_IRWXO)) != 0 ||
	    fchown(home, request->uid, request->gid) != 0 || fsync(home) != 0)
		return -errno;
	return 0;
}

/* Renames without replacing anything. Where the file system cannot promise that, an empty directory could be replaced
 * that root made since it was found missing; nobody else can make one there. */
static int rename_between(int from_parent, const char *from, int to_parent, const char *to)
{
	struct stat st;

	if (renameat2(from_parent, from, to_parent, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)
		return -errno;
	if (fstatat(to_parent, to, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	return renameat(from_parent, from, to_parent, to) != 0 ? -errno : 0;
}

static int rename_new(int parent, const char *from, const char *to)
{
	return rename_between(parent, from, parent, to);
}

static enum home_result move_into_place(const struct spot *spot, struct temporary *temporary, const char *path,
					struct home_report *report)
{
	int r = rename_new(spot->parent, temporary->name, spot->name);

	if (r == -EEXIST)
		return fail(report, HOME_EXISTS, path, "exists already");
	if (r < 0)
		return fail_errno(report, path, "cannot be moved into place", -r);
	if (fsync(spot->parent) != 0) {
		r = -errno;
		temporary->there = rename_new(spot->parent, spot->name, temporary->name) == 0;
		return fail_errno(report, path, "cannot be synced to the disk", -r);
	}
	temporary->there = false;
	return HOME_DONE;
}

static enum home_result build(const struct home_place *place, const struct home_request *request,
			      const struct spot *spot, struct home_report *report)
{
	_cleanup_(temporary_release) struct temporary temporary = { 0 };
	_cleanup_fd_ int home = make_temporary(spot, &temporary);
	enum home_result result;
	int r;

	if (home < 0)
		return fail_errno(report, request->path, "cannot be built beside its place", -home);
	result = copy_skeleton(place, request, home, report);
	if (result != HOME_DONE)
		return result;
	r = hand_over(request, home);
	if (r < 0)
		return fail_errno(report, request->path, "cannot be given to its owner", -r);
	return move_into_place(spot, &temporary, request->path, report);
}

enum home_result home_create(const struct home_place *place, const struct home_request *request,
			     struct home_report *ret_report)
{
	_cleanup_(spot_release) struct spot spot = { .parent = -1 };
	struct stat st;
	enum home_result result;

	*ret_report = (struct home_report){ 0 };
	result = open_spot(place, request->path, true, &spot, ret_report);
	if (result == HOME_MISSING)
		result = HOME_STORAGE; /* removed while it was made */
	if (result != HOME_DONE)
		return result;
	if (fstatat(spot.parent, spot.name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return fail(ret_report, HOME_EXISTS, request->path, "exists already");
	if (errno != ENOENT)
		return fail_errno(ret_report, request->path, "cannot be examined", errno);
	return build(place, request, &spot, ret_report);
}

static enum home_result examine(const struct spot *spot, const char *path, uid_t uid, struct home_report *report)
{
	struct stat st;

	if (fstatat(spot->parent, spot->name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? fail(report, HOME_MISSING, path, "does not exist")
				       : fail_errno(report, path, "cannot be examined", errno);
	if (!S_ISDIR(st.st_mode))
		return fail(report, HOME_EXISTS, path, "is no directory");
	if (st.st_uid != uid)
		return fail(report, HOME_EXISTS, path, "belongs to uid %u, not to %u", st.st_uid, uid);
	return HOME_DONE;
}

enum home_result home_examine(const struct home_place *place, const char *path, uid_t uid,
			      struct home_report *ret_report)
{
	_cleanup_(spot_release) struct spot spot = { .parent = -1 };
	enum home_result result;

	*ret_report = (struct home_report){ 0 };
	result = open_spot(place, path, false, &spot, ret_report);
	return result == HOME_DONE ? examine(&spot, path, uid, ret_report) : result;
}

/* First out of its place: from then on nobody finds it there, and a crash leaves what home_sweep() knows. */
static enum home_result move_and_remove(const struct spot *spot, const char *path, struct home_report *report)
{
	char name[NAME_MAX + 1];
	int r = temporary_name(spot->name, name) ? rename_new(spot->parent, spot->name, name) : -EIO;

	if (r < 0)
		return fail_errno(report, path, "cannot be moved away", -r);
	r = home_tree_remove(spot->parent, name);
	if (r < 0)
		return fail(report, HOME_STORAGE, path, "was renamed to %s and cannot be removed: %s", name,
			    strerror(-r));
	return fsync(spot->parent) != 0 ? fail_errno(report, path, "cannot be synced to the disk", errno) : HOME_DONE;
}

enum home_result home_remove(const struct home_place *place, const char *path, uid_t uid,
			     struct home_report *ret_report)
{
	_cleanup_(spot_release) struct spot spot = { .parent = -1 };
	enum home_result result;

	*ret_report = (struct home_report){ 0 };
	result = open_spot(place, path, false, &spot, ret_report);
	if (result == HOME_DONE)
		result = examine(&spot, path, uid, ret_report);
	return result == HOME_DONE ? move_and_remove(&spot, path, ret_report) : result;
}

/* ---- moving ---- */

static int close_to_others(const struct spot *spot, uid_t uid)
{
	_cleanup_fd_ int fd = openat(spot->parent, spot->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		return -errno;
	if (st.st_uid != uid)
		return -EPERM;
	return fchmod(fd, S_IRWXU) != 0 || fsync(fd) != 0 ? -errno : 0;
}

static enum home_result sync_both(const struct spot *from, const struct spot *to, const char *path,
				  struct home_report *report)
{
	return fsync(to->parent) != 0 || fsync(from->parent) != 0
		       ? fail_errno(report, path, "cannot be synced to the disk", errno)
		       : HOME_DONE;
}

static enum home_result move(const struct spot *from, const struct spot *to, const char *path, uid_t uid,
			     struct home_report *report)
{
	int r = close_to_others(from, uid);

	if (r == 0)
		r = rename_between(from->parent, from->name, to->parent, to->name);
	return r < 0 ? fail_errno(report, path, "cannot be moved", -r) : sync_both(from, to, path, report);
}

enum home_result home_move(const struct home_place *place, const char *from, const char *to, uid_t uid,
			   struct home_report *ret_report)
{
	_cleanup_(spot_release) struct spot old = { .parent = -1 };
	_cleanup_(spot_release) struct spot new = { .parent = -1 };
	enum home_result here, there;

	*ret_report = (struct home_report){ 0 };
	there = open_spot(place, to, false, &new, ret_report);
	if (there == HOME_DONE)
		there = examine(&new, to, uid, ret_report);
	else if (there != HOME_MISSING)
		return there;
	if (new.parent < 0)
		return fail(ret_report, HOME_MISSING, to, "has no directory above it");
	here = open_spot(place, from, false, &old, ret_report);
	if (here == HOME_DONE)
		here = examine(&old, from, uid, ret_report);
	if (here != HOME_DONE && (there != HOME_DONE || old.parent < 0))
		return here;
	ret_report->fault[0] = '\0';
	if (here != HOME_DONE)
		return sync_both(&old, &new, to, ret_report);
	if (there != HOME_MISSING)
		return fail(ret_report, HOME_EXISTS, to, "exists already");
	return move(&old, &new, from, uid, ret_report);
}

/* ---- sweeping ---- */

/* Goes on after a failure, which is kept. */
static enum home_result sweep_entries(int parent, const char *path, unsigned *swept, struct home_report *report)
{
	int own = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = own >= 0 ? fdopendir(own) : NULL;
	enum home_result result = HOME_DONE;
	const struct dirent *entry;

	if (!directory) {
		result = fail_errno(report, path, "cannot be read", errno);
		cleanup_fd(&own);
		return result;
	}
	while ((entry = readdir(directory))) {
		int r = is_temporary_name(entry->d_name) ? home_tree_remove(parent, entry->d_name) : 1;

		if (r == 0)
			++*swept;
		else if (r < 0)
			result = fail(report, HOME_STORAGE, path, "%s was left behind and cannot be removed: %s",
				      entry->d_name, strerror(-r));
	}
	(void)closedir(directory);
	return result;
}

enum home_result home_sweep(const struct home_place *place, const char *parent, unsigned *ret_swept,
			    struct home_report *ret_report)
{
	struct trusted_root root = root_of(place);
	_cleanup_fd_ int fd = -1;

	*ret_report = (struct home_report){ 0 };
	*ret_swept = 0;
	fd = trusted_directory_open(&root, parent, false, ret_report->fault, sizeof(ret_report->fault));
	if (fd == -ENOENT) {
		ret_report->fault[0] = '\0';
		return HOME_DONE;
	}
	return fd < 0 ? HOME_PARENT : sweep_entries(fd, parent, ret_swept, ret_report);
}

const char *home_result_text(enum home_result result)
{
	static const char *const texts[] = {
		[HOME_DONE] = "The home directory is as asked.",
		[HOME_EXISTS] = "Something that is not this account's has the name of its home directory already.",
		[HOME_MISSING] = "There is no home directory of that name.",
		[HOME_INVALID] = "The home directory's path is not one that can be used.",
		[HOME_PARENT] = "A directory above the home directory can be changed by others than root.",
		[HOME_SKELETON] = "The skeleton of home directories cannot be used.",
		[HOME_STORAGE] = "The home directory could not be written.",
	};
	_Static_assert(sizeof(texts) / sizeof(texts[0]) == HOME_RESULT_COUNT, "one text for each result");

	return result < HOME_RESULT_COUNT ? texts[result] : "The home directory is in an unknown state.";
}
