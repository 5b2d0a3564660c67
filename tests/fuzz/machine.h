/*
 * A machine of the fuzz targets' own in a folder in memory: /etc with the four account files, /etc/skel, /home and
 * /var.
 */
#ifndef TESTS_FUZZ_MACHINE_H
#define TESTS_FUZZ_MACHINE_H

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

static struct {
	char root[64];
	int fd;
} machine;

static int machine_remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
	(void)st, (void)kind, (void)walk;
	return remove(path);
}

/* Removes what is at that path of the machine, with all that is below it. */
__attribute__((unused)) static void machine_remove(const char *path)
{
	char full[256];

	(void)snprintf(full, sizeof(full), "%s%s", machine.root, path);
	(void)nftw(full, machine_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void machine_folder(const char *name, mode_t mode)
{
	holds(mkdirat(machine.fd, name, 0700) == 0 && fchmodat(machine.fd, name, mode, 0) == 0);
}

static void machine_make(void)
{
	(void)strcpy(machine.root, access("/dev/shm", W_OK) == 0 ? "/dev/shm/fuzz.XXXXXX" : "/tmp/fuzz.XXXXXX");
	holds(mkdtemp(machine.root) && chmod(machine.root, 0755) == 0);
	machine.fd = open(machine.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	holds(machine.fd >= 0);
	fuzz_remove_at_end(machine.root);
	machine_folder("etc", 0755);
	machine_folder("etc/skel", 0755);
	machine_folder("home", 0755);
	machine_folder("var", 0700);
}

static void machine_write(const char *name, const char *text, size_t length, mode_t mode)
{
	int fd = openat(machine.fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	holds(fd >= 0 && write(fd, text, length) == (ssize_t)length && fchmod(fd, mode) == 0);
	(void)close(fd);
}

/* The caller frees it. */
static char *machine_read(const char *name, size_t *ret_length)
{
	int fd = openat(machine.fd, name, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *text;

	holds(fd >= 0 && fstat(fd, &st) == 0, "%s", name);
	text = malloc((size_t)st.st_size + 1);
	holds(text && read(fd, text, (size_t)st.st_size) == st.st_size);
	text[st.st_size] = '\0';
	*ret_length = (size_t)st.st_size;
	(void)close(fd);
	return text;
}

/* How many entries of the folder have `part` in their names. */
static unsigned machine_count(const char *folder, const char *part)
{
	int fd = openat(machine.fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	unsigned count = 0;

	holds(directory);
	while ((entry = readdir(directory)))
		count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
			 strstr(entry->d_name, part);
	(void)closedir(directory);
	return count;
}

#endif
