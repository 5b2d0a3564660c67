/*
 * Copies extended attributes from one open file to another.
 */
#include "provisiond/file_attributes.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "common/cleanup.h"

/* An attribute that vouches for the content must not outlive it: the kernel makes a new one. */
static bool attribute_of_content(const char *name)
{
	return strcmp(name, "security.ima") == 0 || strcmp(name, "security.evm") == 0;
}

static int copy_attribute(int from, int to, const char *name)
{
	_cleanup_free_ char *value = NULL;
	ssize_t size = fgetxattr(from, name, NULL, 0);

	if (size < 0)
		return -errno;
	value = malloc((size_t)size + 1);
	if (!value)
		return -ENOMEM;
	size = fgetxattr(from, name, value, (size_t)size);
	if (size < 0)
		return -errno;
	if (fsetxattr(to, name, value, (size_t)size, 0) == 0)
		return 0;
	/* Without SELinux in force, a label that is left on the disk needs CAP_SYS_ADMIN to copy, and means nothing. */
	return errno == EPERM && strcmp(name, "security.selinux") == 0 ? 0 : -errno;
}

int file_attributes_copy(int from, int to)
{
	_cleanup_free_ char *names = NULL;
	ssize_t size = flistxattr(from, NULL, 0);

	if (size <= 0)
		return size < 0 && errno != ENOTSUP ? -errno : 0;
	names = malloc((size_t)size);
	if (!names)
		return -ENOMEM;
	size = flistxattr(from, names, (size_t)size);
	if (size < 0)
		return -errno;
	for (const char *name = names; name < names + size; name += strlen(name) + 1) {
		int r = attribute_of_content(name) ? 0 : copy_attribute(from, to, name);

		if (r < 0)
			return r;
	}
	return 0;
}
