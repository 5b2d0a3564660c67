/*
 * Forbidden calls. See probes.h. A probe that gets past the permission check and then fails for its harmless arguments
 * has got past it: such errors are named beside the call.
 */
#include "tests/confine/probes.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <linux/reboot.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NOT_HERE 254 /* as an errno: neither reached nor refused */
#define OTHER_USER 1500
#define NOTHING "confine-probe"

static pid_t victim_pid;

/* 0, or the error of a call that returned -1. */
static int error_of(long result)
{
	return result < 0 ? errno : 0;
}

/* 0 also for the error that comes after the permission check. */
static int error_past(long result, int harmless)
{
	int error = error_of(result);

	return error == harmless ? 0 : error;
}

/* --- files --- */

static int read_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return error_of(fd);
}

/* Opened for writing and not written. */
static int write_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 && errno == ENOENT && access("/proc/1", F_OK) == 0 && access("/proc/sys", F_OK) == 0
		       ? NOT_HERE
		       : error_of(fd);
}

/* A file without a name, which is gone at once; where the file system has none, one with a name. */
static int write_folder(const char *folder)
{
	char path[128];
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return error_of(fd);
	if (strncmp(folder, "/usr", 4) == 0)
		return NOT_HERE;
	(void)snprintf(path, sizeof(path), "%s/" NOTHING, folder);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return fd < 0 ? errno : error_of(unlink(path));
}

/* A closed folder that is mounted over another may be opened by whom DAC_READ_SEARCH is left; there is nothing in it.
 */
static int list_folder(const char *folder)
{
	DIR *directory = opendir(folder);
	const struct dirent *entry;

	if (!directory)
		return errno;
	while ((entry = readdir(directory)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			return error_of(closedir(directory));
	return ENODATA;
}

static int list_processes(const char *unused)
{
	char path[64];

	(void)unused;
	(void)snprintf(path, sizeof(path), "/proc/%d", (int)victim_pid);
	return list_folder(path);
}

static int read_environment(const char *unused)
{
	char path[64], byte;
	int fd;

	(void)unused;
	(void)snprintf(path, sizeof(path), "/proc/%d/environ", (int)victim_pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? errno : error_of(read(fd, &byte, 1));
}

static int connect_as(int type, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return fd < 0 ? errno : error_of(connect(fd, (const struct sockaddr *)&address, sizeof(address)));
}

static int connect_to(const char *path)
{
	return connect_as(SOCK_STREAM, path);
}

/* --- other processes --- */

static int kill_other(const char *unused)
{
	(void)unused;
	return error_of(kill(victim_pid, 0));
}

static int trace_other(const char *unused)
{
	(void)unused;
	if (ptrace(PTRACE_SEIZE, victim_pid, NULL, NULL) != 0)
		return errno;
	return 0;
}

static int trace_parent(const char *unused)
{
	(void)unused;
	return error_of(ptrace(PTRACE_SEIZE, getppid(), NULL, NULL));
}

static int read_memory_of_other(const char *unused)
{
	char byte;
	struct iovec here = { &byte, 1 }, there = { NULL, 1 };

	(void)unused;
	/* Nothing lies at 0. */
	return error_past(process_vm_readv(victim_pid, &here, 1, &there, 1, 0), EFAULT);
}

static int take_descriptor_of_other(const char *unused)
{
	int process = (int)syscall(SYS_pidfd_open, victim_pid, 0);

	(void)unused;
	return process < 0 ? errno : error_of(syscall(SYS_pidfd_getfd, process, 0, 0));
}

static int limit_other(const char *unused)
{
	struct rlimit limit;

	(void)unused;
	return error_of(prlimit(victim_pid, RLIMIT_NOFILE, NULL, &limit));
}

/* --- who one is --- */

static int become_root(const char *unused)
{
	(void)unused;
	return error_of(setresuid(0, 0, 0));
}

static int become_other(const char *unused)
{
	(void)unused;
	return error_of(setresuid(OTHER_USER, OTHER_USER, OTHER_USER));
}

static int become_other_group(const char *unused)
{
	(void)unused;
	return error_of(setresgid(OTHER_USER, OTHER_USER, OTHER_USER));
}

static int take_groups(const char *unused)
{
	(void)unused;
	return error_of(setgroups(1, (const gid_t[]){ 0 }));
}

static int take_capability(const char *unused)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2] = { { .effective = 1U << CAP_SYS_ADMIN,
						    .permitted = 1U << CAP_SYS_ADMIN } };

	(void)unused;
	return error_of(syscall(SYS_capset, &header, sets));
}

static int run_program(const char *path, char *const *arguments)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		(void)execv(path, arguments);
		_exit(errno);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : ECANCELED;
}

static int run_shell(const char *path)
{
	return run_program(path, (char *const[]){ (char[]){ "sh" }, (char[]){ "-c" }, (char[]){ "exit 0" }, NULL });
}

/* The loader maps the program itself, so that the program's file need not be executable. */
static int run_through_loader(const char *path)
{
	return access(path, F_OK) != 0
		       ? NOT_HERE
		       : run_program(path, (char *const[]){ (char[]){ "ld.so" }, (char[]){ "/bin/true" }, NULL });
}

static int run_from_memory(const char *path)
{
	char bytes[16384];
	int from = open(path, O_RDONLY | O_CLOEXEC), to = (int)syscall(SYS_memfd_create, NOTHING, 0);
	ssize_t n;

	if (to < 0 || from < 0)
		return errno;
	while ((n = read(from, bytes, sizeof(bytes))) > 0)
		if (write(to, bytes, (size_t)n) != n)
			return errno;
	(void)snprintf(bytes, sizeof(bytes), "/proc/self/fd/%d", to);
	return run_program(bytes, (char *const[]){ (char[]){ "true" }, NULL });
}

/* --- mounts and namespaces --- */

static int mount_tmpfs(const char *unused)
{
	(void)unused;
	if (mount("tmpfs", "/mnt", "tmpfs", 0, NULL) != 0)
		return errno;
	return error_of(umount("/mnt"));
}

static int make_writable_again(const char *path)
{
	return error_past(mount(NULL, path, NULL, MS_REMOUNT | MS_BIND, NULL), EINVAL);
}

static int unmount(const char *path)
{
	/* No mount point where this is allowed. */
	return error_past(umount2(path, MNT_DETACH), EINVAL);
}

static int open_file_system(const char *name)
{
	return error_of(syscall(SYS_fsopen, name, 0));
}

static int change_root(const char *path)
{
	return error_of(chroot(path));
}

static int unshare_user(const char *unused)
{
	(void)unused;
	return error_of(unshare(CLONE_NEWUSER));
}

static int unshare_network(const char *unused)
{
	(void)unused;
	return error_of(unshare(CLONE_NEWNET));
}

static int unshare_mounts(const char *unused)
{
	(void)unused;
	return error_of(unshare(CLONE_NEWNS));
}

static int collect_child(long child)
{
	if (child == 0)
		_exit(0);
	return child < 0 ? errno : error_of(waitpid((pid_t)child, NULL, 0));
}

static int clone_user(const char *unused)
{
	(void)unused;
	return collect_child(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL));
}

static int clone3_user(const char *unused)
{
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	} arguments = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };

	(void)unused;
	return collect_child(syscall(SYS_clone3, &arguments, sizeof(arguments)));
}

static int enter_network(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? errno : error_of(setns(fd, CLONE_NEWNET));
}

/* --- sockets --- */

static int make_socket(int family, int type, int protocol)
{
	int fd = socket(family, type | SOCK_CLOEXEC, protocol);

	/* A kernel without that family, or without its module, says the same as a filter. */
	return error_of(fd);
}

static int tcp(const char *address)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(443) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)inet_pton(AF_INET, address, &to.sin_addr);
	return fd < 0 ? errno : error_past(connect(fd, (const struct sockaddr *)&to, sizeof(to)), ECONNREFUSED);
}

static int tcp6(const char *unused)
{
	(void)unused;
	return make_socket(AF_INET6, SOCK_STREAM, 0);
}

static int udp(const char *unused)
{
	(void)unused;
	return make_socket(AF_INET, SOCK_DGRAM, 0);
}

static int netlink(const char *unused)
{
	(void)unused;
	return make_socket(AF_NETLINK, SOCK_RAW, 0);
}

static int raw(const char *unused)
{
	(void)unused;
	return make_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

static int packet(const char *unused)
{
	(void)unused;
	return make_socket(AF_PACKET, SOCK_RAW, 0);
}

static int vsock(const char *unused)
{
	(void)unused;
	return make_socket(AF_VSOCK, SOCK_STREAM, 0);
}

static int kernel_crypto(const char *unused)
{
	(void)unused;
	return make_socket(AF_ALG, SOCK_SEQPACKET, 0);
}

static int bluetooth(const char *unused)
{
	(void)unused;
	return make_socket(AF_BLUETOOTH, SOCK_RAW, 1);
}

static int serve(int family, const struct sockaddr *address, socklen_t length)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd < 0 || bind(fd, address, length) != 0 ? errno : error_of(listen(fd, 1));
}

static int listen_tcp(const char *unused)
{
	struct sockaddr_in any = { .sin_family = AF_INET };

	(void)unused;
	return serve(AF_INET, (const struct sockaddr *)&any, sizeof(any));
}

static int listen_abstract(const char *unused)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "\0" NOTHING };

	(void)unused;
	return serve(AF_UNIX, (const struct sockaddr *)&address,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + sizeof(NOTHING)));
}

/* --- the kernel --- */

static int load_module(const char *unused)
{
	(void)unused;
	return error_past(syscall(SYS_init_module, "", 0UL, ""), ENOEXEC);
}

static int load_module_file(const char *unused)
{
	(void)unused;
	return error_past(syscall(SYS_finit_module, -1, "", 0), EBADF);
}

static int unload_module(const char *unused)
{
	(void)unused;
	return error_past(syscall(SYS_delete_module, NOTHING, O_NONBLOCK), ENOENT);
}

static int load_kernel(const char *unused)
{
	(void)unused;
	return error_past(syscall(SYS_kexec_load, 0UL, 1000UL, NULL, 0UL), EINVAL);
}

static int restart_machine(const char *unused)
{
	(void)unused;
	/* The magic numbers are wrong, so nothing happens. */
	return error_past(syscall(SYS_reboot, 0, 0, LINUX_REBOOT_CMD_RESTART, NULL), EINVAL);
}

static int make_bpf_map(const char *unused)
{
	union bpf_attr attributes = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1
	};

	(void)unused;
	return error_of(syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof(attributes)));
}

static int ask_keyring(const char *unused)
{
	(void)unused;
	return error_of(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 1));
}

static int add_key(const char *unused)
{
	(void)unused;
	return error_of(syscall(SYS_add_key, "user", NOTHING, "x", 1UL, KEY_SPEC_PROCESS_KEYRING));
}

static int count_events(const char *unused)
{
	struct perf_event_attr attributes = { .type = PERF_TYPE_SOFTWARE,
					      .size = sizeof(attributes),
					      .config = PERF_COUNT_SW_CPU_CLOCK };

	(void)unused;
	return error_of(syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0UL));
}

static int make_ring(const char *unused)
{
	char parameters[256] = { 0 };

	(void)unused;
	return error_of(syscall(SYS_io_uring_setup, 1, parameters));
}

static int catch_faults(const char *unused)
{
	(void)unused;
	return error_of(syscall(SYS_userfaultfd, 0));
}

static int change_personality(const char *unused)
{
	(void)unused;
	return error_of(personality(ADDR_NO_RANDOMIZE));
}

static int map_writable_code(const char *unused)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)unused;
	return page == MAP_FAILED ? errno : 0;
}

static int make_code_of_memory(const char *unused)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)unused;
	return page == MAP_FAILED ? errno : error_of(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static int share_memory(const char *unused)
{
	int id = shmget(IPC_PRIVATE, 4096, 0600);

	(void)unused;
	return id < 0 ? errno : error_of(shmctl(id, IPC_RMID, NULL));
}

static int make_memory_file(const char *unused)
{
	(void)unused;
	return error_of(syscall(SYS_memfd_create, NOTHING, 0));
}

static int name_machine(const char *unused)
{
	char name[65];

	(void)unused;
	return gethostname(name, sizeof(name)) != 0 ? errno : error_of(sethostname(name, strlen(name)));
}

static int set_clock(const char *unused)
{
	struct timespec never = { .tv_sec = -1 };

	(void)unused;
	return error_past(clock_settime(CLOCK_REALTIME, &never), EINVAL);
}

static int adjust_clock(const char *unused)
{
	struct timex nothing = { 0 };

	(void)unused;
	return error_of(adjtimex(&nothing));
}

static int read_kernel_log(const char *unused)
{
	(void)unused;
	return error_of(syscall(SYS_syslog, 10, NULL, 0)); /* SYSLOG_ACTION_SIZE_BUFFER */
}

static int make_device(const char *folder)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/" NOTHING, folder);
	return mknod(path, S_IFCHR | 0600, 0x103) != 0 ? errno : error_of(unlink(path));
}

static int open_by_handle(const char *unused)
{
	struct {
		struct file_handle handle;
		unsigned char bytes[8];
	} none = { .handle = { .handle_bytes = 8 } };
	int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)unused;
	/* Whoever may do it hears that there is no such file. */
	if (open_by_handle_at(root, &none.handle, O_RDONLY) < 0 && errno != EPERM && errno != EACCES)
		return 0;
	return errno;
}

static int lock_memory(const char *unused)
{
	(void)unused;
	return error_of(mlockall(MCL_CURRENT));
}

static int hurry(const char *unused)
{
	(void)unused;
	return error_of(setpriority(PRIO_PROCESS, 0, -5));
}

static int make_realtime(const char *unused)
{
	struct sched_param parameters = { .sched_priority = 1 };

	(void)unused;
	return error_of(sched_setscheduler(0, SCHED_FIFO, &parameters));
}

static int swap_on(const char *unused)
{
	(void)unused;
	return error_past(syscall(SYS_swapon, "/" NOTHING, 0), ENOENT);
}

static int make_suid(const char *folder)
{
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	return fd < 0 ? errno : error_of(fchmod(fd, 04700));
}

static int dump_core(const char *unused)
{
	struct rlimit limit = { 1 << 20, 1 << 20 };

	(void)unused;
	return error_of(setrlimit(RLIMIT_CORE, &limit));
}

static int load_filter(const char *unused)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, 0x7fff0000U);
	struct sock_fprog program = { .len = 1, .filter = &allow };

	(void)unused;
	/* Not a danger, but nothing that the daemons do. */
	return error_of(syscall(SYS_seccomp, 1, 0, &program));
}

static int call_as_32_bit(const char *unused)
{
	(void)unused;
#ifdef __x86_64__
	long result = 20; /* getpid(2) there */

	__asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
	return result > 0 ? 0 : NOT_HERE;
#else
	return NOT_HERE;
#endif
}

/* --- all of them --- */

static const struct probe {
	const char *name;
	int (*call)(const char *argument);
	const char *argument;
} probes[] = {
	{ "read /etc/shadow", read_file, "/etc/shadow" },
	{ "read /etc/gshadow", read_file, "/etc/gshadow" },
	{ "read /etc/sudoers", read_file, "/etc/sudoers" },
	{ "read sshd's host key", read_file, "/etc/ssh/ssh_host_key" },
	{ "read provisiond's database", read_file, "/var/lib/provisiond/accounts.db" },
	{ "list provisiond's state", list_folder, "/var/lib/provisiond" },
	{ "list /home", list_folder, "/home" },
	{ "list a person's home", list_folder, "/home/localuser" },
	{ "list root's home", list_folder, "/root" },
	{ "list the logs", list_folder, "/var/log" },
	{ "list /dev/shm", list_folder, "/dev/shm" },
	{ "write to /etc", write_folder, "/etc" },
	{ "write to /etc/pam.d", write_folder, "/etc/pam.d" },
	{ "write to /etc/ssh", write_folder, "/etc/ssh" },
	{ "write to /etc/sudoers.d", write_folder, "/etc/sudoers.d" },
	{ "write to /etc/security", write_folder, "/etc/security" },
	{ "write to /etc/ld.so.conf.d", write_folder, "/etc/ld.so.conf.d" },
	{ "write to /home", write_folder, "/home" },
	{ "write to root's home", write_folder, "/root" },
	{ "write to /usr", write_folder, "/usr" },
	{ "write to /usr/sbin", write_folder, "/usr/sbin" },
	{ "write to /usr/lib", write_folder, "/usr/lib" },
	{ "write to a program that it may run", write_file, "/usr/bin/kill" },
	{ "write to a file in /usr/lib", write_file, "/usr/lib/os-release" },
	{ "write to /usr/local/lib", write_folder, "/usr/local/lib" },
	{ "write to /opt", write_folder, "/opt" },
	{ "write to /var/lib", write_folder, "/var/lib" },
	{ "write to provisiond's state", write_folder, "/var/lib/provisiond" },
	{ "write to /var/log", write_folder, "/var/log" },
	{ "write to /var/tmp", write_folder, "/var/tmp" },
	{ "write to /tmp", write_folder, "/tmp" },
	{ "write to /run", write_folder, "/run" },
	{ "write to its socket's folder", write_folder, "/run/pam_oidc" },
	{ "write to provisiond's socket's folder", write_folder, "/run/provisiond" },
	{ "write to /dev", write_folder, "/dev" },
	{ "write to /dev/shm", write_folder, "/dev/shm" },
	{ "write to /proc/sys", write_file, "/proc/sys/kernel/core_pattern" },
	{ "write to /proc/sysrq-trigger", write_file, "/proc/sysrq-trigger" },
	{ "write to /sys", write_file, "/sys/kernel/mm/transparent_hugepage/enabled" },
	{ "connect to the system bus", connect_to, "/run/dbus/system_bus_socket" },
	{ "connect to the service manager", connect_to, "/run/systemd/private" },
	{ "look at another user's process", list_processes, NULL },
	{ "read another process's environment", read_environment, NULL },
	{ "signal another user's process", kill_other, NULL },
	{ "trace another user's process", trace_other, NULL },
	{ "trace its own parent", trace_parent, NULL },
	{ "read another process's memory", read_memory_of_other, NULL },
	{ "take another process's descriptor", take_descriptor_of_other, NULL },
	{ "ask another process's limits", limit_other, NULL },
	{ "become root", become_root, NULL },
	{ "become another user", become_other, NULL },
	{ "become another group", become_other_group, NULL },
	{ "take root's group", take_groups, NULL },
	{ "take CAP_SYS_ADMIN", take_capability, NULL },
	{ "run a shell", run_shell, "/bin/sh" },
	{ "run a program through the loader", run_through_loader, "/lib64/ld-linux-x86-64.so.2" },
	{ "run a program from memory", run_from_memory, "/bin/true" },
	{ "mount", mount_tmpfs, NULL },
	{ "make /etc writable again", make_writable_again, "/etc" },
	{ "unmount what hides /root", unmount, "/root" },
	{ "open a file system", open_file_system, "tmpfs" },
	{ "change its root", change_root, "/" },
	{ "make a user namespace (unshare)", unshare_user, NULL },
	{ "make a network namespace (unshare)", unshare_network, NULL },
	{ "make a mount namespace (unshare)", unshare_mounts, NULL },
	{ "make a user namespace (clone)", clone_user, NULL },
	{ "make a user namespace (clone3)", clone3_user, NULL },
	{ "enter a namespace", enter_network, "/proc/self/ns/net" },
	{ "connect over TCP", tcp, "127.0.0.1" },
	{ "make a TCP socket (IPv6)", tcp6, NULL },
	{ "make a UDP socket", udp, NULL },
	{ "make a netlink socket", netlink, NULL },
	{ "make a raw socket", raw, NULL },
	{ "make a packet socket", packet, NULL },
	{ "make a VM socket", vsock, NULL },
	{ "make a socket of the kernel's ciphers", kernel_crypto, NULL },
	{ "make a Bluetooth socket", bluetooth, NULL },
	{ "listen on TCP", listen_tcp, NULL },
	{ "listen on a name of its own", listen_abstract, NULL },
	{ "load a module", load_module, NULL },
	{ "load a module's file", load_module_file, NULL },
	{ "unload a module", unload_module, NULL },
	{ "load another kernel", load_kernel, NULL },
	{ "restart the machine", restart_machine, NULL },
	{ "make a BPF map", make_bpf_map, NULL },
	{ "ask for a keyring", ask_keyring, NULL },
	{ "add a key", add_key, NULL },
	{ "count the CPU's events", count_events, NULL },
	{ "make an io_uring", make_ring, NULL },
	{ "catch page faults", catch_faults, NULL },
	{ "change its personality", change_personality, NULL },
	{ "map memory to write and execute", map_writable_code, NULL },
	{ "make written memory executable", make_code_of_memory, NULL },
	{ "share memory (System V)", share_memory, NULL },
	{ "make a file in memory", make_memory_file, NULL },
	{ "name the machine", name_machine, NULL },
	{ "set the clock", set_clock, NULL },
	{ "adjust the clock", adjust_clock, NULL },
	{ "read the kernel's log", read_kernel_log, NULL },
	{ "make a device", make_device, "/home" },
	{ "open a file by its handle", open_by_handle, NULL },
	{ "lock memory", lock_memory, NULL },
	{ "raise its priority", hurry, NULL },
	{ "run in real time", make_realtime, NULL },
	{ "swap", swap_on, NULL },
	{ "make a set-user-ID file", make_suid, "/home" },
	{ "allow core dumps", dump_core, NULL },
	{ "load a filter", load_filter, NULL },
	{ "call as a 32-bit program", call_as_32_bit, NULL },
};

static void run_probe(const struct probe *probe)
{
	int status = 0;
	pid_t child;

	(void)fflush(stdout);
	child = fork();
	if (child == 0)
		_exit(probe->call(probe->argument));
	if (child < 0 || waitpid(child, &status, 0) != child)
		(void)printf("probe %s: not here (no child: %s)\n", probe->name, strerror(errno));
	else if (WIFSIGNALED(status))
		(void)printf("probe %s: refused, ended by signal %d\n", probe->name, WTERMSIG(status));
	else if (WEXITSTATUS(status) == 0)
		(void)printf("probe %s: reached\n", probe->name);
	else if (WEXITSTATUS(status) == NOT_HERE)
		(void)printf("probe %s: not here\n", probe->name);
	else
		(void)printf("probe %s: refused, %s\n", probe->name, strerrorname_np(WEXITSTATUS(status)));
}

static bool wanted(const char *name, char *const *names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

void probes_run(char *const *names, pid_t victim)
{
	victim_pid = victim;
	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++)
		if (wanted(probes[i].name, names))
			run_probe(&probes[i]);
	(void)fflush(stdout);
}
