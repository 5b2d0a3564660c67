/*
 * Made by mkdtemp(3), filled and removed.
 */
#include "provisiond/ctl/setup/private_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "provisiond/ctl/setup/change_inside.h"

#define DESCRIPTORS 16

bool private_folder_make(struct private_folder *ret_folder, char *fault, size_t fault_size)
{
	struct private_folder folder = { "/run/pam_oidc-plan.XXXXXX" };

	if (!mkdtemp(folder.path))
		return change_fault(fault, fault_size, "no folder can be made in /run: %s", strerror(errno));
	*ret_folder = folder;
	return true;
}

static int remove_entry(const char *path, const struct stat *seen, int kind, struct FTW *place)
{
	(void)seen;
	(void)kind;
	(void)place;
	(void)remove(path);
	return 0;
}

void private_folder_remove(const struct private_folder *folder)
{
	if (*folder->path)
		(void)nftw(folder->path, remove_entry, DESCRIPTORS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* Every folder of the path but the last part. */
static bool make_way(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		bool made;

		*slash = '\0';
		made = mkdir(path, 0700) == 0 || errno == EEXIST;
		*slash = '/';
		if (!made)
			return false;
	}
	return true;
}

bool private_folder_put(const struct private_folder *folder, const char *path, const char *text, size_t length,
			char *fault, size_t fault_size)
{
	char place[PATH_MAX];
	int n = snprintf(place, sizeof(place), "%s/%s", folder->path, path);
	FILE *file;
	bool good;

	if (n < 0 || (size_t)n >= sizeof(place) || !make_way(place))
		return change_fault(fault, fault_size, "no folder can be made in %s", folder->path);
	if (!text && (mkdir(place, 0700) == 0 || errno == EEXIST))
		return true;
	file = text ? fopen(place, "wxe") : NULL;
	good = file && fwrite(text, 1, length, file) == length;
	if (file)
		good = fclose(file) == 0 && good;
	return good || change_fault(fault, fault_size, "%s cannot be written: %s", place, strerror(errno));
}
