/*
 * Paths of homes, and names beside them.
 */
#include "provisiond/home_spot.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "common/cleanup.h"

#define TEMPORARY_MARK ".provisiond-" /* between NAME and the random part */
#define RANDOM_LENGTH 6

void home_spot_release(const struct home_spot *spot)
{
	cleanup_fd(&spot->parent);
}

enum home_result home_fail(struct home_report *report, enum home_result result, const char *path, const char *format,
			   ...)
{
	char what[384];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	(void)snprintf(report->fault, sizeof(report->fault), "%.120s: %s", path, what);
	return result;
}

enum home_result home_fail_errno(struct home_report *report, const char *path, const char *what, int error)
{
	return home_fail(report, HOME_STORAGE, path, "%s: %s", what, strerror(error));
}

struct trusted_root home_root(const struct home_place *place)
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

/* Where the name begins: behind the last slash. NULL for what can be no home's path. */
static const char *name_in(const char *path)
{
	const char *slash = path_is_plain(path) ? strrchr(path, '/') : NULL;

	return slash && strlen(slash + 1) + strlen(TEMPORARY_MARK) + 1 + RANDOM_LENGTH <= NAME_MAX ? slash + 1 : NULL;
}

bool home_spot_beside(const struct home_spot *other, const char *other_path, const char *path,
		      struct home_spot *ret_spot)
{
	const char *name = name_in(path);
	size_t length = name ? (size_t)(name - path) : 0;
	int parent;

	if (!name || strncmp(path, other_path, length) != 0 || strchr(other_path + length, '/'))
		return false;
	parent = fcntl(other->parent, F_DUPFD_CLOEXEC, 0);
	if (parent < 0)
		return false;
	ret_spot->parent = parent;
	(void)snprintf(ret_spot->name, sizeof(ret_spot->name), "%s", name);
	return true;
}

enum home_result home_spot_open(const struct home_place *place, const char *path, bool create,
				struct home_spot *ret_spot, struct home_report *report)
{
	struct trusted_root root = home_root(place);
	char parent[PATH_MAX];
	const char *name = name_in(path);
	size_t length;

	if (!name)
		return home_fail(report, HOME_INVALID, path ? path : "", "is no absolute path that a home can have");
	length = (size_t)(name - 1 - path);
	memcpy(parent, path, length);
	parent[length] = '\0';
	ret_spot->parent =
		trusted_directory_open(&root, length > 0 ? parent : "/", create, report->fault, sizeof(report->fault));
	(void)snprintf(ret_spot->name, sizeof(ret_spot->name), "%s", name);
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
bool home_temporary_name(const char *name, char ret_name[NAME_MAX + 1])
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

/* Whether home_temporary_name() could have made it. */
bool home_is_temporary_name(const char *name)
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

int home_rename(int from_parent, const char *from, int to_parent, const char *to)
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
