/*
 * What a unit file says about the limits of its service, as values. An unknown directive ends the program: a test that
 * follows the units must not pass over one.
 */
#ifndef CONFINE_CONFINEMENT_H
#define CONFINE_CONFINEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "tests/confine/unit.h"

struct words {
	char **items;
	size_t count;
};

struct limit {
	int resource;
	rlim_t value;
};

struct confinement {
	/* the command, and who runs it */
	char *start;
	struct words reloads; /* one command each */
	char *user, *group;
	mode_t umask;
	struct limit limits[8];
	size_t limit_count;
	char *state_folder; /* below /var/lib; NULL: none */
	mode_t state_mode;
	/* capabilities */
	bool caps_bounded;
	uint64_t bounding, ambient; /* bits by capability number */
	bool no_new_privileges, private_keyring;
	/* file systems */
	bool strict, private_tmp, private_devices, private_mounts, no_home;
	bool protect_tunables, protect_modules, protect_logs, protect_cgroups, protect_clock, protect_hostname;
	char *hidden_processes; /* as proc(5) calls it; NULL: none */
	bool proc_pids_only;
	struct words writable, read_only, inaccessible, executable, not_executable;
	/* system calls */
	bool private_network, no_namespaces, no_realtime, no_suid, lock_personality, no_write_execute, native_only;
	struct words families;
	struct words calls; /* each as in the unit: name, @group, or ~ in front for what is taken away */
	int call_errno;
	/* the socket unit */
	char *socket_path;
	mode_t socket_mode;
	/* directives with no effect here, each with why */
	struct words not_applied;
};

/* Reads the service's unit, and the socket unit beside it. */
void confinement_read(const char *service_path, struct confinement *ret_confinement);

void words_add(struct words *words, const char *item);
/* Adds each word of a line. An empty line empties the list, as in a unit. */
void words_add_line(struct words *words, const char *line);

#endif
