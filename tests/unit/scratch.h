/*
 * A directory of a test's own, with short ways to put files there and to look at them. For tests only: it exits when
 * something fails.
 */
#ifndef TESTS_UNIT_SCRATCH_H
#define TESTS_UNIT_SCRATCH_H

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct scratch {
	char path[64];
	int fd;
};

#define scratch_must(condition)                                                                      \
	do {                                                                                         \
		if (!(condition)) {                                                                  \
			(void)fprintf(stderr, "%s:%d: %s failed\n", __FILE__, __LINE__, #condition); \
			abort();                                                                     \
		}                                                                                    \
	} while (0)

__attribute__((unused)) static void scratch_make(struct scratch *scratch)
{
	(void)snprintf(scratch->path, sizeof(scratch->path), "/tmp/unit-XXXXXX");
	scratch_must(mkdtemp(scratch->path));
	scratch->fd = open(scratch->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scratch_must(scratch->fd >= 0);
}

static inline int scratch_remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
	(void)st;
	(void)type;
	(void)walk;
	return remove(path);
}

__attribute__((unused)) static void scratch_remove(struct scratch *scratch)
{
	(void)close(scratch->fd);
	(void)nftw(scratch->path, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

__attribute__((unused)) static void scratch_mkdir(const struct scratch *scratch, const char *name, mode_t mode)
{
	scratch_must(mkdirat(scratch->fd, name, 0700) == 0 && fchmodat(scratch->fd, name, mode, 0) == 0);
}

__attribute__((unused)) static void scratch_write(const struct scratch *scratch, const char *name, const char *text,
						  mode_t mode)
{
	int fd = openat(scratch->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	scratch_must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && fchmod(fd, mode) == 0);
	(void)close(fd);
}

/* NULL when there is no such file. Freed by the caller. */
__attribute__((unused)) static char *scratch_read(const struct scratch *scratch, const char *name)
{
	int fd = openat(scratch->fd, name, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *text;

	if (fd < 0)
		return NULL;
	scratch_must(fstat(fd, &st) == 0);
	text = calloc(1, (size_t)st.st_size + 1);
	scratch_must(text && read(fd, text, (size_t)st.st_size) == st.st_size);
	(void)close(fd);
	return text;
}

__attribute__((unused)) static bool scratch_has(const struct scratch *scratch, const char *name, const char *text)
{
	char *there = scratch_read(scratch, name);
	bool same = there && strcmp(there, text) == 0;

	if (!same)
		(void)fprintf(stderr, "%s is\n%s\nand should be\n%s\n", name, there ? there : "(missing)", text);
	free(there);
	return same;
}

/* How many entries of the directory contain `part` in their names. */
__attribute__((unused)) static unsigned scratch_count(const struct scratch *scratch, const char *name, const char *part)
{
	int fd = openat(scratch->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	unsigned count = 0;

	scratch_must(directory);
	while ((entry = readdir(directory)))
		count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
			 strstr(entry->d_name, part);
	(void)closedir(directory);
	return count;
}

#endif
