/*
 * Understands the directives that our units use, as systemd.exec(5) documents them. See confinement.h.
 */
#include "tests/confine/confinement.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void take(struct confinement *confinement, const char *key, const char *value);

struct directive {
	const char *section, *key;
	take *take;
	bool *(*flag)(struct confinement *confinement);
};

void words_add(struct words *words, const char *item)
{
	words->items = must_grow(words->items, words->count + 1, sizeof(*words->items));
	words->items[words->count++] = must_copy(item);
}

void words_add_line(struct words *words, const char *line)
{
	char *copy = must_copy(line), *rest = copy;

	if (!*line)
		words->count = 0;
	for (char *word = strsep(&rest, " \t"); word; word = strsep(&rest, " \t"))
		if (*word)
			words_add(words, word);
	free(copy);
}

static mode_t octal(const char *value)
{
	char *end;
	unsigned long mode = strtoul(value, &end, 8);

	if (*end || end == value || mode > 07777)
		die("no mode: %s", value);
	return (mode_t)mode;
}

static bool truth(const char *key, const char *value)
{
	if (strcmp(value, "yes") == 0 || strcmp(value, "true") == 0)
		return true;
	if (strcmp(value, "no") == 0 || strcmp(value, "false") == 0)
		return false;
	die("%s=%s is not understood", key, value);
}

/* --- [Service] and [Socket], one function for each kind of value --- */

static void take_start(struct confinement *confinement, const char *key, const char *value)
{
	(void)key;
	confinement->start = must_copy(value);
}

static void take_reload(struct confinement *confinement, const char *key, const char *value)
{
	(void)key;
	words_add(&confinement->reloads, value);
}

static void take_user(struct confinement *confinement, const char *key, const char *value)
{
	*(*key == 'U' ? &confinement->user : &confinement->group) = must_copy(value);
}

static void take_umask(struct confinement *confinement, const char *key, const char *value)
{
	(void)key;
	confinement->umask = octal(value);
}

static void take_state(struct confinement *confinement, const char *key, const char *value)
{
	if (strcmp(key, "StateDirectoryMode") == 0)
		confinement->state_mode = octal(value);
	else
		confinement->state_folder = must_copy(value);
}

static void take_limit(struct confinement *confinement, const char *key, const char *value)
{
	static const struct {
		const char *key;
		int resource;
	} known[] = { { "LimitCORE", RLIMIT_CORE }, { "LimitNOFILE", RLIMIT_NOFILE }, { "LimitFSIZE", RLIMIT_FSIZE } };
	char *end;
	rlim_t number = strtoull(value, &end, 10);

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i].key, key) != 0 || *end)
			continue;
		confinement->limits[confinement->limit_count++] =
			(struct limit){ .resource = known[i].resource, .value = number };
		return;
	}
	die("%s=%s is not understood", key, value);
}

static uint64_t capability(const char *name)
{
	static const char *const names[] = { [CAP_CHOWN] = "CAP_CHOWN",
					     [CAP_DAC_OVERRIDE] = "CAP_DAC_OVERRIDE",
					     [CAP_DAC_READ_SEARCH] = "CAP_DAC_READ_SEARCH",
					     [CAP_FOWNER] = "CAP_FOWNER",
					     [CAP_FSETID] = "CAP_FSETID",
					     [CAP_KILL] = "CAP_KILL",
					     [CAP_SETGID] = "CAP_SETGID",
					     [CAP_SETUID] = "CAP_SETUID",
					     [CAP_SETPCAP] = "CAP_SETPCAP",
					     [CAP_LINUX_IMMUTABLE] = "CAP_LINUX_IMMUTABLE",
					     [CAP_NET_BIND_SERVICE] = "CAP_NET_BIND_SERVICE",
					     [CAP_NET_BROADCAST] = "CAP_NET_BROADCAST",
					     [CAP_NET_ADMIN] = "CAP_NET_ADMIN",
					     [CAP_NET_RAW] = "CAP_NET_RAW",
					     [CAP_IPC_LOCK] = "CAP_IPC_LOCK",
					     [CAP_IPC_OWNER] = "CAP_IPC_OWNER",
					     [CAP_SYS_MODULE] = "CAP_SYS_MODULE",
					     [CAP_SYS_RAWIO] = "CAP_SYS_RAWIO",
					     [CAP_SYS_CHROOT] = "CAP_SYS_CHROOT",
					     [CAP_SYS_PTRACE] = "CAP_SYS_PTRACE",
					     [CAP_SYS_PACCT] = "CAP_SYS_PACCT",
					     [CAP_SYS_ADMIN] = "CAP_SYS_ADMIN",
					     [CAP_SYS_BOOT] = "CAP_SYS_BOOT",
					     [CAP_SYS_NICE] = "CAP_SYS_NICE",
					     [CAP_SYS_RESOURCE] = "CAP_SYS_RESOURCE",
					     [CAP_SYS_TIME] = "CAP_SYS_TIME",
					     [CAP_SYS_TTY_CONFIG] = "CAP_SYS_TTY_CONFIG",
					     [CAP_MKNOD] = "CAP_MKNOD",
					     [CAP_LEASE] = "CAP_LEASE",
					     [CAP_AUDIT_WRITE] = "CAP_AUDIT_WRITE",
					     [CAP_AUDIT_CONTROL] = "CAP_AUDIT_CONTROL",
					     [CAP_SETFCAP] = "CAP_SETFCAP",
					     [CAP_MAC_OVERRIDE] = "CAP_MAC_OVERRIDE",
					     [CAP_MAC_ADMIN] = "CAP_MAC_ADMIN",
					     [CAP_SYSLOG] = "CAP_SYSLOG",
					     [CAP_WAKE_ALARM] = "CAP_WAKE_ALARM",
					     [CAP_BLOCK_SUSPEND] = "CAP_BLOCK_SUSPEND",
					     [CAP_AUDIT_READ] = "CAP_AUDIT_READ",
					     [CAP_PERFMON] = "CAP_PERFMON",
					     [CAP_BPF] = "CAP_BPF",
					     [CAP_CHECKPOINT_RESTORE] = "CAP_CHECKPOINT_RESTORE" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return UINT64_C(1) << i;
	die("there is no capability %s", name);
}

static uint64_t capabilities(const char *line)
{
	struct words names = { 0 };
	uint64_t bits = 0;

	words_add_line(&names, line);
	for (size_t i = 0; i < names.count; i++)
		bits |= capability(names.items[i]);
	return bits;
}

static void take_bounding(struct confinement *confinement, const char *key, const char *value)
{
	(void)key;
	confinement->caps_bounded = true;
	confinement->bounding = capabilities(value);
}

static void take_ambient(struct confinement *confinement, const char *key, const char *value)
{
	(void)key;
	confinement->ambient = capabilities(value);
}

static void take_system(struct confinement *confinement, const char *key, const char *value)
{
	if (strcmp(value, "strict") != 0)
		die("%s=%s is not understood", key, value);
	confinement->strict = true;
}

static void take_keyring(struct confinement *confinement, const char *key, const char *value)
{
	if (strcmp(value, "private") != 0)
		die("%s=%s is not understood", key, value);
	confinement->private_keyring = true;
}

static void take_proc(struct confinement *confinement, const char *key, const char *value)
{
	if (strcmp(key, "ProtectProc") == 0 && (strcmp(value, "invisible") == 0 || strcmp(value, "ptraceable") == 0))
		confinement->hidden_processes = must_copy(value);
	else if (strcmp(key, "ProcSubset") == 0 && strcmp(value, "pid") == 0)
		confinement->proc_pids_only = true;
	else
		die("%s=%s is not understood", key, value);
}

static void take_list(struct confinement *confinement, const char *key, const char *value)
{
	const struct {
		const char *key;
		struct words *words;
	} lists[] = {
		{ "ReadWritePaths", &confinement->writable },
		{ "ReadOnlyPaths", &confinement->read_only },
		{ "InaccessiblePaths", &confinement->inaccessible },
		{ "ExecPaths", &confinement->executable },
		{ "NoExecPaths", &confinement->not_executable },
		{ "RestrictAddressFamilies", &confinement->families },
	};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (strcmp(lists[i].key, key) == 0)
			words_add_line(lists[i].words, value);
}

/* A ~ in front of a line is for each of its words. */
static void take_calls(struct confinement *confinement, const char *key, const char *value)
{
	struct words words = { 0 };
	bool away = *value == '~';

	(void)key;
	words_add_line(&words, value + away);
	if (words.count == 0)
		die("an empty SystemCallFilter= is not understood");
	for (size_t i = 0; i < words.count; i++) {
		char *word = NULL;

		if (asprintf(&word, "%s%s", away ? "~" : "", words.items[i]) < 0)
			die("out of memory");
		words_add(&confinement->calls, word);
		free(word);
	}
}

static void take_errno(struct confinement *confinement, const char *key, const char *value)
{
	if (strcmp(value, "EPERM") != 0)
		die("%s=%s is not understood", key, value);
	confinement->call_errno = EPERM;
}

static void take_architectures(struct confinement *confinement, const char *key, const char *value)
{
	if (strcmp(value, "native") != 0)
		die("%s=%s is not understood", key, value);
	confinement->native_only = true;
}

static void take_listen(struct confinement *confinement, const char *key, const char *value)
{
	if (confinement->socket_path)
		die("a second %s=%s is not understood", key, value);
	confinement->socket_path = must_copy(value);
}

static void take_socket_mode(struct confinement *confinement, const char *key, const char *value)
{
	(void)key;
	confinement->socket_mode = octal(value);
}

static void take_backlog(struct confinement *confinement, const char *key, const char *value)
{
	(void)confinement;
	if (strcmp(value, "512") != 0)
		die("%s=%s is not understood", key, value);
}

static void take_folder_mode(struct confinement *confinement, const char *key, const char *value)
{
	(void)confinement;
	if (octal(value) != 0755)
		die("%s=%s is not understood", key, value);
}

/* Of the manager's doing, or of a control group's: said, because it is not tested here. */
static void note_not_applied(struct confinement *confinement, const char *key, const char *value)
{
	char *line = NULL;

	if (asprintf(&line, "%s=%s", key, value) < 0)
		die("out of memory");
	words_add(&confinement->not_applied, line);
	free(line);
}

/* What does not limit the service. */
static void pass_over(struct confinement *confinement, const char *key, const char *value)
{
	(void)confinement;
	(void)key;
	(void)value;
}

#define FLAG(member)                                              \
	static bool *member##_of(struct confinement *confinement) \
	{                                                         \
		return &confinement->member;                      \
	}

FLAG(no_new_privileges)
FLAG(private_tmp)
FLAG(private_devices)
FLAG(private_mounts)
FLAG(no_home)
FLAG(protect_tunables)
FLAG(protect_modules)
FLAG(protect_logs)
FLAG(protect_cgroups)
FLAG(protect_clock)
FLAG(protect_hostname)
FLAG(private_network)
FLAG(no_namespaces)
FLAG(no_realtime)
FLAG(no_suid)
FLAG(lock_personality)
FLAG(no_write_execute)

static const struct directive directives[] = {
	{ .section = "Service", .key = "Type", .take = pass_over },
	{ .section = "Service", .key = "ExecStart", .take = take_start },
	{ .section = "Service", .key = "ExecReload", .take = take_reload },
	{ .section = "Service", .key = "Restart", .take = pass_over },
	{ .section = "Service", .key = "RestartSec", .take = pass_over },
	{ .section = "Service", .key = "WatchdogSec", .take = pass_over },
	/* ReadOnlyPaths= once more, for the sake of a fault of systemd 252. */
	{ .section = "Service", .key = "BindReadOnlyPaths", .take = pass_over },
	{ .section = "Service", .key = "TimeoutStopSec", .take = pass_over },
	{ .section = "Service", .key = "User", .take = take_user },
	{ .section = "Service", .key = "Group", .take = take_user },
	{ .section = "Service", .key = "UMask", .take = take_umask },
	{ .section = "Service", .key = "StateDirectory", .take = take_state },
	{ .section = "Service", .key = "StateDirectoryMode", .take = take_state },
	{ .section = "Service", .key = "LimitCORE", .take = take_limit },
	{ .section = "Service", .key = "LimitNOFILE", .take = take_limit },
	{ .section = "Service", .key = "LimitFSIZE", .take = take_limit },
	{ .section = "Service", .key = "MemoryMax", .take = note_not_applied },
	{ .section = "Service", .key = "TasksMax", .take = note_not_applied },
	{ .section = "Service", .key = "IPAddressDeny", .take = note_not_applied },
	{ .section = "Service", .key = "SocketBindDeny", .take = note_not_applied },
	{ .section = "Service", .key = "DevicePolicy", .take = note_not_applied },
	{ .section = "Service", .key = "RemoveIPC", .take = note_not_applied },
	{ .section = "Service", .key = "CapabilityBoundingSet", .take = take_bounding },
	{ .section = "Service", .key = "AmbientCapabilities", .take = take_ambient },
	{ .section = "Service", .key = "KeyringMode", .take = take_keyring },
	{ .section = "Service", .key = "ProtectSystem", .take = take_system },
	{ .section = "Service", .key = "ProtectProc", .take = take_proc },
	{ .section = "Service", .key = "ProcSubset", .take = take_proc },
	{ .section = "Service", .key = "ReadWritePaths", .take = take_list },
	{ .section = "Service", .key = "ReadOnlyPaths", .take = take_list },
	{ .section = "Service", .key = "InaccessiblePaths", .take = take_list },
	{ .section = "Service", .key = "ExecPaths", .take = take_list },
	{ .section = "Service", .key = "NoExecPaths", .take = take_list },
	{ .section = "Service", .key = "RestrictAddressFamilies", .take = take_list },
	{ .section = "Service", .key = "SystemCallFilter", .take = take_calls },
	{ .section = "Service", .key = "SystemCallErrorNumber", .take = take_errno },
	{ .section = "Service", .key = "SystemCallArchitectures", .take = take_architectures },
	{ .section = "Service", .key = "NoNewPrivileges", .flag = no_new_privileges_of },
	{ .section = "Service", .key = "PrivateTmp", .flag = private_tmp_of },
	{ .section = "Service", .key = "PrivateDevices", .flag = private_devices_of },
	{ .section = "Service", .key = "PrivateMounts", .flag = private_mounts_of },
	{ .section = "Service", .key = "PrivateNetwork", .flag = private_network_of },
	{ .section = "Service", .key = "ProtectHome", .flag = no_home_of },
	{ .section = "Service", .key = "ProtectKernelTunables", .flag = protect_tunables_of },
	{ .section = "Service", .key = "ProtectKernelModules", .flag = protect_modules_of },
	{ .section = "Service", .key = "ProtectKernelLogs", .flag = protect_logs_of },
	{ .section = "Service", .key = "ProtectControlGroups", .flag = protect_cgroups_of },
	{ .section = "Service", .key = "ProtectClock", .flag = protect_clock_of },
	{ .section = "Service", .key = "ProtectHostname", .flag = protect_hostname_of },
	{ .section = "Service", .key = "RestrictNamespaces", .flag = no_namespaces_of },
	{ .section = "Service", .key = "RestrictRealtime", .flag = no_realtime_of },
	{ .section = "Service", .key = "RestrictSUIDSGID", .flag = no_suid_of },
	{ .section = "Service", .key = "LockPersonality", .flag = lock_personality_of },
	{ .section = "Service", .key = "MemoryDenyWriteExecute", .flag = no_write_execute_of },
	{ .section = "Socket", .key = "ListenSequentialPacket", .take = take_listen },
	{ .section = "Socket", .key = "SocketMode", .take = take_socket_mode },
	{ .section = "Socket", .key = "DirectoryMode", .take = take_folder_mode },
	{ .section = "Socket", .key = "Backlog", .take = take_backlog },
	{ .section = "Socket", .key = "RemoveOnStop", .take = pass_over },
};

static void take_line(struct confinement *confinement, const struct unit_line *line, const char *path)
{
	if (strcmp(line->section, "Unit") == 0 || strcmp(line->section, "Install") == 0)
		return;
	for (size_t i = 0; i < sizeof(directives) / sizeof(directives[0]); i++) {
		const struct directive *directive = &directives[i];

		if (strcmp(directive->section, line->section) != 0 || strcmp(directive->key, line->key) != 0)
			continue;
		if (directive->flag)
			*directive->flag(confinement) = truth(line->key, line->value);
		else
			directive->take(confinement, line->key, line->value);
		return;
	}
	die("%s: [%s] %s= is not known here; teach it to confinement.c", path, line->section, line->key);
}

static void take_unit(struct confinement *confinement, const char *path)
{
	struct unit unit = unit_read(path);

	for (size_t i = 0; i < unit.count; i++)
		take_line(confinement, &unit.lines[i], path);
}

void confinement_read(const char *service_path, struct confinement *ret_confinement)
{
	static const char ending[] = ".service";
	size_t length = strlen(service_path);
	char *socket = NULL;

	if (length < sizeof(ending) || strcmp(service_path + length - strlen(ending), ending) != 0)
		die("%s is no service's unit", service_path);
	*ret_confinement = (struct confinement){ .umask = 022, .state_mode = 0755, .socket_mode = 0666 };
	take_unit(ret_confinement, service_path);
	if (asprintf(&socket, "%.*s.socket", (int)(length - strlen(ending)), service_path) < 0)
		die("out of memory");
	take_unit(ret_confinement, socket);
	free(socket);
	if (!ret_confinement->start || !ret_confinement->socket_path)
		die("%s: no ExecStart=, or no socket", service_path);
}
