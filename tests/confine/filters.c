/*
 * System call filters. See filters.h. Each directive gets a filter of its own, so that what one allows cannot undo what
 * another forbids.
 */
#include "tests/confine/filters.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* --- groups of calls, by their names --- */

struct group {
	char *name;
	struct words calls;
};

struct groups {
	struct group *items;
	size_t count;
};

/* The groups as systemd-analyze prints them: a name at the start of a line, its calls behind white space. */
static struct groups read_groups(void)
{
	struct groups groups = { 0 };
	FILE *output = popen("systemd-analyze syscall-filter", "re");
	char line[512];

	while (output && fgets(line, sizeof(line), output)) {
		char *word = line + strspn(line, " \t");

		word[strcspn(word, "\n")] = '\0';
		if (line[0] == '@') {
			groups.items = must_grow(groups.items, groups.count + 1, sizeof(*groups.items));
			groups.items[groups.count++] = (struct group){ .name = must_copy(word) };
		} else if (groups.count > 0 && word != line && *word && *word != '#') {
			words_add(&groups.items[groups.count - 1].calls, word);
		}
	}
	if (!output || pclose(output) != 0 || groups.count == 0)
		die("systemd-analyze syscall-filter does not say what the groups are");
	return groups;
}

static bool has(const struct words *words, const char *word)
{
	for (size_t i = 0; i < words->count; i++)
		if (strcmp(words->items[i], word) == 0)
			return true;
	return false;
}

static void take_away(struct words *words, const char *word)
{
	for (size_t i = 0; i < words->count; i++)
		if (strcmp(words->items[i], word) == 0)
			words->items[i--] = words->items[--words->count];
}

static void apply_word(const struct groups *groups, const char *word, bool away, struct words *calls)
{
	if (*word != '@') {
		if (seccomp_syscall_resolve_name(word) == __NR_SCMP_ERROR && !has(calls, word) && !away)
			(void)fprintf(stderr, "confine: no system call %s is known here\n", word);
		if (away)
			take_away(calls, word);
		else if (!has(calls, word))
			words_add(calls, word);
		return;
	}
	for (size_t i = 0; i < groups->count; i++) {
		if (strcmp(groups->items[i].name, word) != 0)
			continue;
		for (size_t n = 0; n < groups->items[i].calls.count; n++)
			apply_word(groups, groups->items[i].calls.items[n], away, calls);
		return;
	}
	die("there is no group of system calls %s", word);
}

void filters_expand(const struct confinement *confinement, struct words *ret_calls)
{
	struct groups groups = read_groups();

	if (confinement->calls.count == 0)
		return;
	if (confinement->calls.items[0][0] == '~')
		die("a SystemCallFilter= that begins with what is taken away is not understood");
	apply_word(&groups, "@default", false, ret_calls);
	for (size_t i = 0; i < confinement->calls.count; i++) {
		const char *word = confinement->calls.items[i];

		apply_word(&groups, word + (*word == '~'), *word == '~', ret_calls);
	}
}

/* --- filters --- */

static scmp_filter_ctx filter_new(uint32_t otherwise)
{
	scmp_filter_ctx filter = seccomp_init(otherwise);

	/* Calls of other architectures are for the filter of SystemCallArchitectures= alone. */
	if (!filter || seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW) != 0)
		die("no filter can be made");
	return filter;
}

static void filter_load(scmp_filter_ctx filter)
{
	int result = seccomp_load(filter);

	if (result != 0)
		die("a filter cannot be loaded: %s", strerror(-result));
	seccomp_release(filter);
}

/* Calls that this architecture does not have need no rule. */
static void rule(scmp_filter_ctx filter, uint32_t action, const char *call, unsigned count,
		 const struct scmp_arg_cmp *arguments)
{
	int number = seccomp_syscall_resolve_name(call);
	int result = number == __NR_SCMP_ERROR ? 0 : seccomp_rule_add_array(filter, action, number, count, arguments);

	if (result != 0 && result != -EDOM && result != -EFAULT)
		die("no rule for %s: %s", call, strerror(-result));
}

static void rule_on(scmp_filter_ctx filter, uint32_t action, const char *call, unsigned argument, enum scmp_compare how,
		    uint64_t value)
{
	const struct scmp_arg_cmp condition = { .arg = argument, .op = how, .datum_a = value, .datum_b = value };

	rule(filter, action, call, 1, &condition);
}

static void refuse_bits(scmp_filter_ctx filter, const char *call, unsigned argument, unsigned long bits)
{
	rule_on(filter, SCMP_ACT_ERRNO(EPERM), call, argument, SCMP_CMP_MASKED_EQ, bits);
}

static void refuse_calls(const char *const *calls, uint32_t action)
{
	scmp_filter_ctx filter = filter_new(SCMP_ACT_ALLOW);

	for (; *calls; calls++)
		rule(filter, action, *calls, 0, NULL);
	filter_load(filter);
}

static void refuse_namespaces(void)
{
	static const unsigned long kinds[] = { CLONE_NEWCGROUP, CLONE_NEWIPC,  CLONE_NEWNET, CLONE_NEWNS,
					       CLONE_NEWPID,    CLONE_NEWUSER, CLONE_NEWUTS };
	scmp_filter_ctx filter = filter_new(SCMP_ACT_ALLOW);

	/* Its flags are in memory, out of a filter's sight: the C library then takes clone(2). */
	rule(filter, SCMP_ACT_ERRNO(ENOSYS), "clone3", 0, NULL);
	rule(filter, SCMP_ACT_ERRNO(EPERM), "setns", 0, NULL);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		refuse_bits(filter, "unshare", 0, kinds[i]);
		refuse_bits(filter, "clone", 0, kinds[i]);
	}
	filter_load(filter);
}

static void refuse_families(const struct words *allowed)
{
	static const struct {
		const char *name;
		unsigned number;
	} known[] = {
		{ "AF_UNIX", AF_UNIX }, { "AF_INET", AF_INET }, { "AF_INET6", AF_INET6 }, { "AF_NETLINK", AF_NETLINK }
	};
	scmp_filter_ctx filter = filter_new(SCMP_ACT_ALLOW);
	bool allow[AF_MAX] = { false };

	for (size_t i = 0; i < allowed->count; i++) {
		size_t n = 0;

		while (n < sizeof(known) / sizeof(known[0]) && strcmp(known[n].name, allowed->items[i]) != 0)
			n++;
		if (n == sizeof(known) / sizeof(known[0]))
			die("the address family %s is not known here", allowed->items[i]);
		allow[known[n].number] = true;
	}
	for (unsigned family = 0; family < AF_MAX; family++)
		if (!allow[family])
			rule_on(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), "socket", 0, SCMP_CMP_EQ, family);
	rule_on(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), "socket", 0, SCMP_CMP_GE, AF_MAX);
	filter_load(filter);
}

static void refuse_realtime(void)
{
	scmp_filter_ctx filter = filter_new(SCMP_ACT_ALLOW);
	static const unsigned long plain[] = { SCHED_OTHER, SCHED_BATCH, SCHED_IDLE };

	/* The three that are allowed are 0, 3 and 5. */
	for (unsigned long policy = 0; policy < 16; policy++) {
		bool allowed = false;

		for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
			allowed = allowed || plain[i] == policy;
		if (!allowed)
			rule_on(filter, SCMP_ACT_ERRNO(EPERM), "sched_setscheduler", 1, SCMP_CMP_EQ, policy);
	}
	rule(filter, SCMP_ACT_ERRNO(ENOSYS), "sched_setattr", 0, NULL);
	filter_load(filter);
}

static void refuse_suid(void)
{
	static const struct {
		const char *call;
		unsigned mode_at;
	} calls[] = { { "chmod", 1 }, { "fchmod", 1 },  { "fchmodat", 2 }, { "fchmodat2", 2 },
		      { "mkdir", 1 }, { "mkdirat", 2 }, { "mknod", 1 },    { "mknodat", 2 },
		      { "creat", 1 }, { "open", 2 },    { "openat", 3 } };
	scmp_filter_ctx filter = filter_new(SCMP_ACT_ALLOW);

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		refuse_bits(filter, calls[i].call, calls[i].mode_at, S_ISUID);
		refuse_bits(filter, calls[i].call, calls[i].mode_at, S_ISGID);
	}
	rule(filter, SCMP_ACT_ERRNO(ENOSYS), "openat2", 0, NULL);
	filter_load(filter);
}

static void refuse_write_execute(void)
{
	scmp_filter_ctx filter = filter_new(SCMP_ACT_ALLOW);

	refuse_bits(filter, "mmap", 2, PROT_EXEC | PROT_WRITE);
	refuse_bits(filter, "mprotect", 2, PROT_EXEC);
	refuse_bits(filter, "pkey_mprotect", 2, PROT_EXEC);
	refuse_bits(filter, "shmat", 2, SHM_EXEC);
	filter_load(filter);
}

static void lock_personality(void)
{
	scmp_filter_ctx filter = filter_new(SCMP_ACT_ALLOW);

	rule_on(filter, SCMP_ACT_ERRNO(EPERM), "personality", 0, SCMP_CMP_NE, (unsigned)personality(0xffffffff));
	filter_load(filter);
}

static void refuse_foreign_calls(void)
{
	scmp_filter_ctx filter = filter_new(SCMP_ACT_ALLOW);

	if (seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) != 0)
		die("no filter can be made");
	/* libseccomp leaves out a filter without a rule. */
	rule(filter, SCMP_ACT_ERRNO(ENOSYS), "_sysctl", 0, NULL);
	filter_load(filter);
}

static void allow_calls(const struct words *calls, int otherwise)
{
	scmp_filter_ctx filter = filter_new(SCMP_ACT_ERRNO((uint32_t)otherwise));

	for (size_t i = 0; i < calls->count; i++)
		rule(filter, SCMP_ACT_ALLOW, calls->items[i], 0, NULL);
	filter_load(filter);
}

void filters_load(const struct confinement *confinement, const struct words *calls)
{
	static const char *const module_calls[] = { "init_module", "finit_module", "delete_module", NULL };
	static const char *const log_calls[] = { "syslog", NULL };
	static const char *const clock_calls[] = { "adjtimex", "clock_adjtime", "clock_settime", "settimeofday", NULL };
	static const char *const raw_calls[] = { "ioperm",          "iopl", "pciconfig_iobase", "pciconfig_read",
						 "pciconfig_write", NULL };
	static const char *const name_calls[] = { "sethostname", "setdomainname", NULL };

	if (confinement->families.count > 0)
		refuse_families(&confinement->families);
	if (confinement->no_write_execute)
		refuse_write_execute();
	if (confinement->no_realtime)
		refuse_realtime();
	if (confinement->no_suid)
		refuse_suid();
	if (confinement->no_namespaces)
		refuse_namespaces();
	if (confinement->lock_personality)
		lock_personality();
	if (confinement->protect_modules)
		refuse_calls(module_calls, SCMP_ACT_ERRNO(EPERM));
	if (confinement->protect_logs)
		refuse_calls(log_calls, SCMP_ACT_ERRNO(EPERM));
	if (confinement->protect_clock)
		refuse_calls(clock_calls, SCMP_ACT_ERRNO(EPERM));
	if (confinement->private_devices)
		refuse_calls(raw_calls, SCMP_ACT_ERRNO(EPERM));
	if (confinement->protect_hostname)
		refuse_calls(name_calls, SCMP_ACT_ERRNO(EPERM));
	if (confinement->native_only)
		refuse_foreign_calls();
	/* Last, because loading filters is not among what it allows. */
	if (calls->count > 0)
		allow_calls(calls, confinement->call_errno ? confinement->call_errno : EPERM);
}
