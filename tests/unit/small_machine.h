/*
 * A machine in a temporary folder for the tests of provisiond: account files, a skeleton, /home, and a database.
 */
#ifndef TESTS_UNIT_SMALL_MACHINE_H
#define TESTS_UNIT_SMALL_MACHINE_H

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/config.h"
#include "provisiond/home.h"
#include "provisiond/passwd.h"
#include "provisiond/store.h"

struct small_machine {
	char root[64];
	int root_fd;
	struct home_place homes;
	struct account_files *files;
	struct store *store;
	struct accounts_config accounts;
};

static inline void machine_path(const struct small_machine *machine, const char *path, char ret_path[256])
{
	(void)snprintf(ret_path, 256, "%s%s", machine->root, path);
}

static inline void machine_write(const struct small_machine *machine, const char *path, mode_t mode, const char *text)
{
	char full[256];
	FILE *file;

	machine_path(machine, path, full);
	file = fopen(full, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(full, mode), 0);
}

static inline void machine_folder(const struct small_machine *machine, const char *path, mode_t mode)
{
	char full[256];

	machine_path(machine, path, full);
	assert_int_equal(mkdir(full, mode), 0);
	assert_int_equal(chmod(full, mode), 0);
}

static inline bool machine_has(const struct small_machine *machine, const char *path)
{
	char full[256];
	struct stat st;

	machine_path(machine, path, full);
	return lstat(full, &st) == 0;
}

/* Whether the file has a line that begins with the account's name. */
static inline bool machine_has_row(const struct small_machine *machine, const char *path, const char *name)
{
	char full[256], line[512];
	bool found = false;
	FILE *file;

	machine_path(machine, path, full);
	file = fopen(full, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
			found = true;
	(void)fclose(file);
	return found;
}

/* Starts what provisiond keeps open. */
static inline void machine_open(struct small_machine *machine)
{
	char path[256], fault[512] = "";

	machine->root_fd = open(machine->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(machine->root_fd >= 0);
	machine->homes = (struct home_place){ .root_fd = machine->root_fd, .owner = geteuid(), .group = getegid() };
	assert_int_equal(account_files_open(machine->root, geteuid(), &machine->files), 0);
	machine_path(machine, "/var/accounts.db", path);
	machine->store = store_open(path, fault, sizeof(fault));
	if (!machine->store)
		fail_msg("%s", fault);
	machine->accounts = (struct accounts_config){
		.uid_first = 2000200001,
		.uid_last = 2147352575,
		.home = (char *)(uintptr_t) "/home/%u",
		.shell = (char *)(uintptr_t) "/bin/bash",
		.skeleton = (char *)(uintptr_t) "/etc/skel",
		.home_mode = 0700,
		.create_home = true,
	};
}

static inline void machine_close(struct small_machine *machine)
{
	store_close(machine->store);
	account_files_close(machine->files);
	(void)close(machine->root_fd);
}

static inline void machine_make(struct small_machine *machine)
{
	/* In memory where that is possible: what syncing costs is not under test. */
	*machine = (struct small_machine){ .root = "/dev/shm/small_machine.XXXXXX" };
	if (access("/dev/shm", W_OK) != 0)
		(void)strcpy(machine->root, "/tmp/small_machine.XXXXXX");
	assert_non_null(mkdtemp(machine->root));
	assert_int_equal(chmod(machine->root, 0755), 0);
	machine_folder(machine, "/etc", 0755);
	machine_folder(machine, "/etc/skel", 0755);
	machine_folder(machine, "/home", 0755);
	machine_folder(machine, "/var", 0700);
	machine_write(machine, "/etc/passwd", 0644,
		      "root:x:0:0:root:/root:/bin/bash\nlocal:x:1000:1000::/home/local:/bin/sh\n"
		      "locum:x:1003:1000::/home/locum:/bin/sh\n");
	machine_write(machine, "/etc/shadow", 0640, "root:*:19000:0:99999:7:::\nlocal:*:19000:0:99999:7:::\n");
	machine_write(machine, "/etc/group", 0644, "root:x:0:\nlocal:x:1000:\nradiology:x:2000:carol\n");
	machine_write(machine, "/etc/gshadow", 0640, "root:*::\nlocal:!::\nradiology:!::carol\n");
	machine_write(machine, "/etc/skel/.profile", 0644, "# profile\n");
	machine_open(machine);
}

static inline int machine_remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	return remove(path);
}

static inline void machine_remove(struct small_machine *machine)
{
	machine_close(machine);
	(void)nftw(machine->root, machine_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
