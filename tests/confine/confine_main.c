/*
 * Runs a daemon under the limits of its systemd unit, without systemd: the unit's file is read, and each directive is
 * applied as systemd.exec(5) documents it, or said not to be. For tests, inside tests/sandbox, as root.
 *
 *   confine UNIT                            run its ExecStart=, with its socket passed on as socket activation does
 *   confine UNIT --reload PID               run its ExecReload= commands the same way
 *   confine UNIT --probe VICTIM [CALL...]   make forbidden calls in the daemon's place (probes.c)
 *   confine --probe VICTIM [CALL...]        the same calls without any limit, as root
 *   confine UNIT --list                     what is not applied here
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <net/if.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/confine/confinement.h"
#include "tests/confine/filters.h"
#include "tests/confine/mounts.h"
#include "tests/confine/probes.h"

#define PASSED_FD 3
#define BACKLOG 512
#define COMMAND_WORDS_MAX 16

/* Who the command runs as; root when the unit names nobody. */
struct account {
	uid_t uid;
	gid_t gid;
	const char *name;
};

static void must(int result, const char *what)
{
	if (result != 0)
		die("%s: %m", what);
}

static struct account find_account(const struct confinement *confinement)
{
	const struct passwd *user;

	if (!confinement->user)
		return (struct account){ .name = "root" };
	user = getpwnam(confinement->user);
	if (!user)
		die("there is no user %s", confinement->user);
	return (struct account){ .uid = user->pw_uid, .gid = user->pw_gid, .name = confinement->user };
}

/* As the socket unit has it made, by root, before the service starts. */
static void pass_socket(const struct confinement *confinement)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", confinement->socket_path);
	(void)unlink(address.sun_path);
	must(fd < 0, "socket");
	must(bind(fd, (const struct sockaddr *)&address, sizeof(address)), confinement->socket_path);
	must(chmod(address.sun_path, confinement->socket_mode), confinement->socket_path);
	must(listen(fd, BACKLOG), confinement->socket_path);
	must(fd != PASSED_FD && dup2(fd, PASSED_FD) != PASSED_FD, "dup2");
	must(close_range(PASSED_FD + 1, ~0U, 0), "close_range");
}

/* What the manager gives a service, and nothing of ours. */
static void set_environment(const struct account *account, bool socket)
{
	const char *notify = getenv("NOTIFY_SOCKET");
	char *kept = notify ? must_copy(notify) : NULL;
	char pid[16];

	must(clearenv(), "clearenv");
	must(setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", 1), "setenv");
	must(setenv("LANG", "C.UTF-8", 1), "setenv");
	must(setenv("USER", account->name, 1), "setenv");
	must(setenv("LOGNAME", account->name, 1), "setenv");
	if (kept)
		must(setenv("NOTIFY_SOCKET", kept, 1), "setenv");
	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	if (socket) {
		must(setenv("LISTEN_PID", pid, 1), "setenv");
		must(setenv("LISTEN_FDS", "1", 1), "setenv");
	}
}

static void make_state_folder(const struct confinement *confinement, const struct account *account)
{
	char path[256];

	if (!confinement->state_folder)
		return;
	(void)snprintf(path, sizeof(path), "/var/lib/%s", confinement->state_folder);
	must(mkdir(path, 0700) != 0 && errno != EEXIST, path);
	must(chown(path, account->uid, account->gid), path);
	must(chmod(path, confinement->state_mode), path);
}

/* A limit that this sandbox itself may not raise stays as it is; the unit's is said. */
static void set_limits(const struct confinement *confinement)
{
	for (size_t i = 0; i < confinement->limit_count; i++) {
		const struct limit *limit = &confinement->limits[i];
		struct rlimit now, wanted = { limit->value, limit->value };

		if (setrlimit((__rlimit_resource_t)limit->resource, &wanted) == 0)
			continue;
		must(getrlimit((__rlimit_resource_t)limit->resource, &now), "getrlimit");
		(void)fprintf(stderr, "confine: limit %d stays at %llu; the unit's %llu is more than is allowed here\n",
			      limit->resource, (unsigned long long)now.rlim_max, (unsigned long long)limit->value);
	}
}

static void enter_empty_network(void)
{
	struct ifreq loopback = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	must(unshare(CLONE_NEWNET), "a network namespace");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	must(fd < 0 || ioctl(fd, SIOCSIFFLAGS, &loopback) != 0, "loopback");
	(void)close(fd);
}

/* What some directives take from the bounding set besides (systemd.exec(5)). */
static uint64_t taken_besides(const struct confinement *confinement)
{
	uint64_t taken = 0;

	if (confinement->private_devices)
		taken |= UINT64_C(1) << CAP_MKNOD | UINT64_C(1) << CAP_SYS_RAWIO;
	if (confinement->protect_modules)
		taken |= UINT64_C(1) << CAP_SYS_MODULE;
	if (confinement->protect_logs)
		taken |= UINT64_C(1) << CAP_SYSLOG;
	if (confinement->protect_clock)
		taken |= UINT64_C(1) << CAP_SYS_TIME | UINT64_C(1) << CAP_WAKE_ALARM;
	return taken;
}

static void set_capabilities(uint64_t wanted)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2] = {
		{ .effective = (uint32_t)wanted, .permitted = (uint32_t)wanted },
		{ .effective = (uint32_t)(wanted >> 32), .permitted = (uint32_t)(wanted >> 32) },
	};

	must((int)syscall(SYS_capset, &header, sets), "capset");
}

/* Drops the bounding set, then becomes the account. Ambient capabilities are not needed by our units. */
static void give_up_privileges(const struct confinement *confinement, const struct account *account)
{
	uint64_t bounding =
		(confinement->caps_bounded ? confinement->bounding : ~UINT64_C(0)) & ~taken_besides(confinement);
	uint64_t held;
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2];

	if (confinement->ambient)
		die("AmbientCapabilities= other than none is not understood");
	for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
		if (!(bounding & (UINT64_C(1) << capability)))
			must(prctl(PR_CAPBSET_DROP, capability, 0, 0, 0), "the bounding set");
	if (account->uid != 0) {
		must(initgroups(account->name, account->gid), "initgroups");
		must(setresgid(account->gid, account->gid, account->gid), "setresgid");
		must(setresuid(account->uid, account->uid, account->uid), "setresuid");
		return;
	}
	/* execve(2) would do the same for root; probes are not executed. */
	must((int)syscall(SYS_capget, &header, sets), "capget");
	held = (uint64_t)sets[0].permitted | (uint64_t)sets[1].permitted << 32;
	set_capabilities(held & bounding);
}

static void confine(const struct confinement *confinement)
{
	struct account account = find_account(confinement);
	struct words calls = { 0 };

	filters_expand(confinement, &calls);
	make_state_folder(confinement, &account);
	set_limits(confinement);
	if (confinement->private_keyring)
		must(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0, "a keyring");
	if (confinement->private_network)
		enter_empty_network();
	if (confinement->protect_hostname)
		must(unshare(CLONE_NEWUTS), "a namespace for the name");
	mounts_apply(confinement);
	must(chdir("/"), "/");
	(void)umask(confinement->umask);
	if (setsid() < 0 && errno != EPERM)
		die("setsid: %m");
	/* Filters may be loaded without privileges only by whom nothing can give any more. */
	if (confinement->no_new_privileges)
		must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
	give_up_privileges(confinement, &account);
	filters_load(confinement, &calls);
}

_Noreturn static void run(char *command, const char *main_pid)
{
	char *words[COMMAND_WORDS_MAX + 1] = { NULL };
	size_t count = 0;

	for (char *word = strsep(&command, " "); word && count < COMMAND_WORDS_MAX; word = strsep(&command, " "))
		words[count++] = strcmp(word, "$MAINPID") == 0 && main_pid ? must_copy(main_pid) : word;
	(void)execv(words[0], words);
	die("%s: %m", words[0]);
}

static int reload(const struct confinement *confinement, const char *main_pid)
{
	for (size_t i = 0; i < confinement->reloads.count; i++) {
		struct account account = find_account(confinement);
		int status = -1;
		pid_t child = fork();

		if (child == 0) {
			set_environment(&account, false);
			confine(confinement);
			run(confinement->reloads.items[i], main_pid);
		}
		if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
			(void)fprintf(stderr, "confine: %s: status %d\n", confinement->reloads.items[i], status);
			return 1;
		}
	}
	return 0;
}

static int usage(void)
{
	(void)fputs("usage: confine UNIT | confine UNIT --reload PID | confine UNIT --list | confine [UNIT] --probe "
		    "VICTIM [CALL...]\n",
		    stderr);
	return 2;
}

int main(int argc, char **argv)
{
	struct confinement confinement;
	struct account account;

	if (argc >= 3 && strcmp(argv[1], "--probe") == 0) {
		probes_run(argv + 3, (pid_t)strtol(argv[2], NULL, 10));
		return 0;
	}
	if (argc < 2 || argv[1][0] == '-')
		return usage();
	confinement_read(argv[1], &confinement);
	account = find_account(&confinement);
	if (argc >= 4 && strcmp(argv[2], "--probe") == 0) {
		set_environment(&account, false);
		confine(&confinement);
		probes_run(argv + 4, (pid_t)strtol(argv[3], NULL, 10));
		return 0;
	}
	if (argc == 4 && strcmp(argv[2], "--reload") == 0)
		return reload(&confinement, argv[3]);
	if (argc == 3 && strcmp(argv[2], "--list") == 0) {
		for (size_t i = 0; i < confinement.not_applied.count; i++)
			(void)printf("not applied here: %s\n", confinement.not_applied.items[i]);
		return 0;
	}
	if (argc != 2)
		return usage();
	pass_socket(&confinement);
	set_environment(&account, true);
	confine(&confinement);
	run(confinement.start, NULL);
}
