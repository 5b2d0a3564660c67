/*
 * Changes what the process sees of the file systems. See mounts.h.
 */
#include "tests/confine/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define WORKPLACE "/run/confine.XXXXXX"

enum change { CHANGE_READ_ONLY, CHANGE_WRITABLE, CHANGE_EXECUTABLE, CHANGE_NOT_EXECUTABLE, CHANGE_INACCESSIBLE };

struct entry {
	char *path;
	enum change change;
};

struct entries {
	struct entry *items;
	size_t count;
};

static void must(int result, const char *what, const char *path)
{
	if (result != 0)
		die("%s %s: %m", what, path);
}

static void bind(const char *from, const char *to)
{
	must(mount(from, to, NULL, MS_BIND | MS_REC, NULL), "bind mount", to);
}

/* With everything mounted below. */
static void set_flags(const char *path, uint64_t set, uint64_t clear)
{
	struct mount_attr attributes = { .attr_set = set, .attr_clr = clear };

	must((int)syscall(SYS_mount_setattr, AT_FDCWD, path, AT_RECURSIVE, &attributes, sizeof(attributes)),
	     "mount_setattr", path);
}

/* A - in front: it may be missing. Links are followed, as the manager does; a path that leads nowhere is left out. */
static void add(struct entries *entries, const char *path, enum change change)
{
	bool may_be_missing = *path == '-';
	char *real = realpath(path + may_be_missing, NULL);

	if (!real && !may_be_missing)
		die("%s: %m", path);
	if (!real)
		return;
	entries->items = must_grow(entries->items, entries->count + 1, sizeof(*entries->items));
	entries->items[entries->count++] = (struct entry){ .path = real, .change = change };
}

static void add_all(struct entries *entries, const struct words *paths, enum change change)
{
	for (size_t i = 0; i < paths->count; i++)
		add(entries, paths->items[i], change);
}

static void add_each(struct entries *entries, const char *const *paths, enum change change)
{
	for (; *paths; paths++)
		add(entries, *paths, change);
}

static struct entries collect(const struct confinement *confinement)
{
	static const char *const homes[] = { "-/home", "-/root", "-/run/user", NULL };
	static const char *const api[] = { "/dev", "/proc", "-/sys", NULL };
	static const char *const tunables[] = {
		"-/proc/sys",           "-/proc/acpi",       "-/proc/bus",  "-/proc/fs",
		"-/proc/irq",           "-/proc/mtrr",       "-/proc/scsi", "-/proc/sysrq-trigger",
		"-/proc/latency_stats", "-/proc/timer_list", "-/sys",       NULL
	};
	static const char *const hidden_tunables[] = { "-/proc/kallsyms", "-/proc/kcore", NULL };
	static const char *const modules[] = { "-/usr/lib/modules", "-/lib/modules", NULL };
	static const char *const logs[] = { "-/proc/kmsg", "-/dev/kmsg", NULL };
	struct entries entries = { 0 };

	if (confinement->strict) {
		add(&entries, "/", CHANGE_READ_ONLY);
		add_each(&entries, api, CHANGE_WRITABLE);
	}
	if (confinement->no_home)
		add_each(&entries, homes, CHANGE_INACCESSIBLE);
	if (confinement->protect_tunables) {
		add_each(&entries, tunables, CHANGE_READ_ONLY);
		add_each(&entries, hidden_tunables, CHANGE_INACCESSIBLE);
	}
	if (confinement->protect_modules)
		add_each(&entries, modules, CHANGE_INACCESSIBLE);
	if (confinement->protect_logs)
		add_each(&entries, logs, CHANGE_INACCESSIBLE);
	if (confinement->protect_cgroups)
		add(&entries, "-/sys/fs/cgroup", CHANGE_READ_ONLY);
	add_all(&entries, &confinement->read_only, CHANGE_READ_ONLY);
	add_all(&entries, &confinement->writable, CHANGE_WRITABLE);
	if (confinement->state_folder) {
		char path[256];

		(void)snprintf(path, sizeof(path), "/var/lib/%s", confinement->state_folder);
		add(&entries, path, CHANGE_WRITABLE);
	}
	if (confinement->private_tmp) {
		add(&entries, "/tmp", CHANGE_WRITABLE);
		add(&entries, "/var/tmp", CHANGE_WRITABLE);
	}
	add_all(&entries, &confinement->not_executable, CHANGE_NOT_EXECUTABLE);
	add_all(&entries, &confinement->executable, CHANGE_EXECUTABLE);
	add_all(&entries, &confinement->inaccessible, CHANGE_INACCESSIBLE);
	return entries;
}

/* What is above comes first; what may be reached no more, last. */
static int compare(const void *one, const void *other)
{
	const struct entry *a = one, *b = other;
	bool a_last = a->change == CHANGE_INACCESSIBLE, b_last = b->change == CHANGE_INACCESSIBLE;

	return a_last != b_last ? a_last - b_last : strcmp(a->path, b->path);
}

/* A folder and a file that nobody may do anything with, to be mounted over what is hidden. */
static void make_closed(const char *workplace, char *ret_folder, char *ret_file, size_t size)
{
	int fd;

	(void)snprintf(ret_folder, size, "%s/closed-folder", workplace);
	(void)snprintf(ret_file, size, "%s/closed-file", workplace);
	fd = open(ret_file, O_WRONLY | O_CREAT | O_CLOEXEC, 0);
	if (fd < 0 || mkdir(ret_folder, 0) != 0)
		die("%s: %m", workplace);
	(void)close(fd);
}

static void hide(const char *path, const char *closed_folder, const char *closed_file)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return; /* hidden by what is above it */
	bind(S_ISDIR(st.st_mode) ? closed_folder : closed_file, path);
	set_flags(path, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, 0);
}

static void apply(const struct entry *entry, const char *closed_folder, const char *closed_file)
{
	if (entry->change == CHANGE_INACCESSIBLE) {
		hide(entry->path, closed_folder, closed_file);
		return;
	}
	if (strcmp(entry->path, "/") != 0)
		bind(entry->path, entry->path);
	switch (entry->change) {
	case CHANGE_READ_ONLY:
		set_flags(entry->path, MOUNT_ATTR_RDONLY, 0);
		return;
	case CHANGE_WRITABLE:
		set_flags(entry->path, 0, MOUNT_ATTR_RDONLY);
		return;
	case CHANGE_NOT_EXECUTABLE:
		set_flags(entry->path, MOUNT_ATTR_NOEXEC, 0);
		return;
	case CHANGE_EXECUTABLE:
		set_flags(entry->path, 0, MOUNT_ATTR_NOEXEC);
		return;
	case CHANGE_INACCESSIBLE:
		return;
	}
}

static void make_tmp(const char *path)
{
	must(mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"), "mount", path);
}

static void bind_node(const char *folder, const char *name)
{
	char from[128], to[128];
	struct stat st;

	(void)snprintf(from, sizeof(from), "/dev/%s", name);
	(void)snprintf(to, sizeof(to), "%s/%s", folder, name);
	if (lstat(from, &st) != 0)
		return;
	if (S_ISDIR(st.st_mode)) {
		must(mkdir(to, 0755), "mkdir", to);
	} else {
		int fd = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		must(fd < 0 ? -1 : close(fd), "create", to);
	}
	bind(from, to);
}

static void make_devices(const char *workplace)
{
	static const char *const nodes[] = { "null", "zero", "full", "random", "urandom",
					     "tty",  "pts",  "shm",  "mqueue", "ptmx" };
	char folder[64], link[96];

	(void)snprintf(folder, sizeof(folder), "%s/dev", workplace);
	must(mkdir(folder, 0755), "mkdir", folder);
	must(mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755"), "mount", folder);
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
		bind_node(folder, nodes[i]);
	/* As the manager makes it: the journal's socket. */
	(void)snprintf(link, sizeof(link), "%s/log", folder);
	must(symlink("/run/systemd/journal/dev-log", link), "symlink", link);
	(void)snprintf(link, sizeof(link), "%s/fd", folder);
	must(symlink("/proc/self/fd", link), "symlink", link);
	must(mount(NULL, folder, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NOEXEC, NULL), "remount",
	     folder);
	must(mount(folder, "/dev", NULL, MS_MOVE, NULL), "move to", "/dev");
}

static void make_proc(const struct confinement *confinement)
{
	char options[64];

	(void)snprintf(options, sizeof(options), "%s%s%s", confinement->hidden_processes ? "hidepid=" : "",
		       confinement->hidden_processes ? confinement->hidden_processes : "",
		       !confinement->proc_pids_only    ? ""
		       : confinement->hidden_processes ? ",subset=pid"
						       : "subset=pid");
	must(mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, options), "mount", "/proc");
}

void mounts_apply(const struct confinement *confinement)
{
	char workplace[] = WORKPLACE, closed_folder[64], closed_file[64];
	struct entries entries;

	must(unshare(CLONE_NEWNS), "unshare", "the mount namespace");
	must(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL), "make slave", "/");
	if (!mkdtemp(workplace))
		die("%s: %m", workplace);
	must(mount("tmpfs", workplace, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755"), "mount", workplace);
	make_closed(workplace, closed_folder, closed_file, sizeof(closed_folder));
	if (confinement->private_tmp) {
		make_tmp("/tmp");
		make_tmp("/var/tmp");
	}
	if (confinement->private_devices)
		make_devices(workplace);
	if (confinement->hidden_processes || confinement->proc_pids_only)
		make_proc(confinement);
	entries = collect(confinement);
	qsort(entries.items, entries.count, sizeof(*entries.items), compare);
	for (size_t i = 0; i < entries.count; i++)
		apply(&entries.items[i], closed_folder, closed_file);
	if (confinement->private_devices) {
		struct mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY };

		must((int)syscall(SYS_mount_setattr, AT_FDCWD, "/dev", 0, &read_only, sizeof(read_only)),
		     "mount_setattr", "/dev");
	}
	must(umount2(workplace, MNT_DETACH), "umount", workplace);
	(void)rmdir(workplace); /* in vain once /run is read-only */
}
