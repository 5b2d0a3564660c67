/*
 * What becomes of homes that are there: examined, moved, removed, and swept up after a crash. They are made in
 * home_creation.c; paths and trees are walked in trusted_directory.c and home_tree.c.
 */
#include "provisiond/home.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "provisiond/home_spot.h"
#include "provisiond/home_tree.h"
#include "provisiond/trusted_directory.h"

static enum home_result examine(const struct home_spot *spot, const char *path, uid_t uid, struct home_report *report)
{
	struct stat st;

	if (fstatat(spot->parent, spot->name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? home_fail(report, HOME_MISSING, path, "does not exist")
				       : home_fail_errno(report, path, "cannot be examined", errno);
	if (!S_ISDIR(st.st_mode))
		return home_fail(report, HOME_EXISTS, path, "is no directory");
	if (st.st_uid != uid)
		return home_fail(report, HOME_EXISTS, path, "belongs to uid %u, not to %u", st.st_uid, uid);
	return HOME_DONE;
}

enum home_result home_examine(const struct home_place *place, const char *path, uid_t uid,
			      struct home_report *ret_report)
{
	_cleanup_(home_spot_release) struct home_spot spot = { .parent = -1 };
	enum home_result result;

	*ret_report = (struct home_report){ 0 };
	result = home_spot_open(place, path, false, &spot, ret_report);
	return result == HOME_DONE ? examine(&spot, path, uid, ret_report) : result;
}

/* First out of its place: from then on nobody finds it there, and a crash leaves what home_sweep() knows. */
static enum home_result move_and_remove(const struct home_spot *spot, const char *path, struct home_report *report)
{
	char name[NAME_MAX + 1];
	int r = home_temporary_name(spot->name, name) ? home_rename(spot->parent, spot->name, spot->parent, name)
						      : -EIO;

	if (r < 0)
		return home_fail_errno(report, path, "cannot be moved away", -r);
	r = home_tree_remove(spot->parent, name);
	if (r < 0)
		return home_fail(report, HOME_STORAGE, path, "was renamed to %s and cannot be removed: %s", name,
				 strerror(-r));
	return fsync(spot->parent) != 0 ? home_fail_errno(report, path, "cannot be synced to the disk", errno)
					: HOME_DONE;
}

enum home_result home_remove(const struct home_place *place, const char *path, uid_t uid,
			     struct home_report *ret_report)
{
	_cleanup_(home_spot_release) struct home_spot spot = { .parent = -1 };
	enum home_result result;

	*ret_report = (struct home_report){ 0 };
	result = home_spot_open(place, path, false, &spot, ret_report);
	if (result == HOME_DONE)
		result = examine(&spot, path, uid, ret_report);
	return result == HOME_DONE ? move_and_remove(&spot, path, ret_report) : result;
}

/* ---- moving ---- */

static int close_to_others(const struct home_spot *spot, uid_t uid)
{
	_cleanup_fd_ int fd = openat(spot->parent, spot->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		return -errno;
	if (st.st_uid != uid)
		return -EPERM;
	return fchmod(fd, S_IRWXU) != 0 || fsync(fd) != 0 ? -errno : 0;
}

static enum home_result sync_both(const struct home_spot *from, const struct home_spot *to, const char *path,
				  struct home_report *report)
{
	return fsync(to->parent) != 0 || fsync(from->parent) != 0
		       ? home_fail_errno(report, path, "cannot be synced to the disk", errno)
		       : HOME_DONE;
}

static enum home_result move(const struct home_spot *from, const struct home_spot *to, const char *path, uid_t uid,
			     struct home_report *report)
{
	int r = close_to_others(from, uid);

	if (r == 0)
		r = home_rename(from->parent, from->name, to->parent, to->name);
	return r < 0 ? home_fail_errno(report, path, "cannot be moved", -r) : sync_both(from, to, path, report);
}

enum home_result home_move(const struct home_place *place, const char *from, const char *to, uid_t uid,
			   struct home_report *ret_report)
{
	_cleanup_(home_spot_release) struct home_spot old = { .parent = -1 };
	_cleanup_(home_spot_release) struct home_spot new = { .parent = -1 };
	enum home_result here, there;

	*ret_report = (struct home_report){ 0 };
	there = home_spot_open(place, to, false, &new, ret_report);
	if (there == HOME_DONE)
		there = examine(&new, to, uid, ret_report);
	else if (there != HOME_MISSING)
		return there;
	if (new.parent < 0)
		return home_fail(ret_report, HOME_MISSING, to, "has no directory above it");
	here = home_spot_open(place, from, false, &old, ret_report);
	if (here == HOME_DONE)
		here = examine(&old, from, uid, ret_report);
	if (here != HOME_DONE && (there != HOME_DONE || old.parent < 0))
		return here;
	ret_report->fault[0] = '\0';
	if (here != HOME_DONE)
		return sync_both(&old, &new, to, ret_report);
	if (there != HOME_MISSING)
		return home_fail(ret_report, HOME_EXISTS, to, "exists already");
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
		result = home_fail_errno(report, path, "cannot be read", errno);
		cleanup_fd(&own);
		return result;
	}
	for (errno = 0; (entry = readdir(directory)); errno = 0) {
		int r = home_is_temporary_name(entry->d_name) ? home_tree_remove(parent, entry->d_name) : 1;

		if (r == 0)
			++*swept;
		else if (r < 0)
			result = home_fail(report, HOME_STORAGE, path, "%s was left behind and cannot be removed: %s",
					   entry->d_name, strerror(-r));
	}
	if (errno != 0)
		result = home_fail_errno(report, path, "cannot be read", errno);
	(void)closedir(directory);
	return result;
}

enum home_result home_sweep(const struct home_place *place, const char *parent, unsigned *ret_swept,
			    struct home_report *ret_report)
{
	struct trusted_root root = home_root(place);
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
