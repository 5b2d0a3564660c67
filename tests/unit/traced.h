/*
 * Runs a function in a child and stops that at each system call that changes something, before and after: to kill it
 * there, to make the call fail, or to look at what is on the disk.
 */
#ifndef TESTS_UNIT_TRACED_H
#define TESTS_UNIT_TRACED_H

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRACED_NOT_ALLOWED 99 /* exit status where the kernel does not let us */

/* Calls that change something on the disk or end something. An open counts with O_CREAT only. */
static const uint32_t traced_calls[] = {
	SYS_openat,    SYS_write,           SYS_pwrite64,     SYS_writev,
	SYS_pwritev,   SYS_copy_file_range, SYS_sendfile,     SYS_renameat2,
	SYS_linkat,    SYS_unlinkat,        SYS_mkdirat,      SYS_symlinkat,
	SYS_fchmod,    SYS_fchmodat,        SYS_fchown,       SYS_fchownat,
	SYS_setxattr,  SYS_fsetxattr,       SYS_fremovexattr, SYS_truncate,
	SYS_ftruncate, SYS_fallocate,       SYS_utimensat,    SYS_fsync,
	SYS_fdatasync, SYS_syncfs,          SYS_kill,         SYS_pidfd_send_signal,
	SYS_io_submit,
/* Older ways to the same, which newer architectures do not have. */
#ifdef SYS_open
	SYS_open,
#endif
#ifdef SYS_creat
	SYS_creat,
#endif
#ifdef SYS_rename
	SYS_rename,
#endif
#ifdef SYS_renameat
	SYS_renameat,
#endif
#ifdef SYS_link
	SYS_link,
#endif
#ifdef SYS_unlink
	SYS_unlink,
#endif
#ifdef SYS_mkdir
	SYS_mkdir,
#endif
#ifdef SYS_rmdir
	SYS_rmdir,
#endif
#ifdef SYS_symlink
	SYS_symlink,
#endif
#ifdef SYS_chmod
	SYS_chmod,
#endif
#ifdef SYS_chown
	SYS_chown,
#endif
#ifdef SYS_lchown
	SYS_lchown,
#endif
};

#define TRACED_CALLS (sizeof(traced_calls) / sizeof(traced_calls[0]))

struct traced_call {
	uint64_t number, arguments[6];
	int64_t result; /* after the call */
};

enum traced_next {
	TRACED_GO_ON,
	TRACED_KILL,
	TRACED_FAIL, /* before a call: it returns -error instead of being made */
};

struct traced {
	/* What the child runs; its result is its exit status. */
	int (*run)(void *context);
	/* Called at each stop. ret_error: see TRACED_FAIL. */
	enum traced_next (*stop)(void *context, pid_t child, const struct traced_call *call, bool after,
				 int *ret_error);
	void *context;
};

static bool traced_filter(void)
{
	struct sock_filter program[TRACED_CALLS + 3];
	struct sock_fprog filter = { .len = (unsigned short)(TRACED_CALLS + 3), .filter = program };

	program[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < TRACED_CALLS; i++)
		program[1 + i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, traced_calls[i],
							      (uint8_t)(TRACED_CALLS - i), 0);
	program[TRACED_CALLS + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	program[TRACED_CALLS + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

static void traced_child(const struct traced *traced)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 || !traced_filter())
		_exit(TRACED_NOT_ALLOWED);
	(void)raise(SIGSTOP);
	_exit(traced->run(traced->context));
}

/* Whether the call changes something, as its arguments tell. */
static bool traced_matters(const struct traced_call *call)
{
	if (call->number == SYS_openat)
		return (call->arguments[2] & O_CREAT) != 0;
#ifdef SYS_open
	if (call->number == SYS_open)
		return (call->arguments[1] & O_CREAT) != 0;
#endif
	/* A signal that only asks whether somebody is there. */
	if (call->number == SYS_kill || call->number == SYS_pidfd_send_signal)
		return call->arguments[1] != 0;
	return true;
}

/* False where the test does not know the processor. */
static bool traced_make_fail(pid_t child, int error)
{
#if defined(__x86_64__)
	struct user_regs_struct registers;

	if (ptrace(PTRACE_GETREGS, child, NULL, &registers) != 0)
		return false;
	registers.orig_rax = (unsigned long long)-1;
	registers.rax = (unsigned long long)-(long long)error;
	return ptrace(PTRACE_SETREGS, child, NULL, &registers) == 0;
#else
	(void)child;
	(void)error;
	return false;
#endif
}

static bool traced_read_entry(pid_t child, struct traced_call *call)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof(info), &info) <= 0 || info.op != PTRACE_SYSCALL_INFO_SECCOMP)
		return false;
	call->number = info.seccomp.nr;
	for (size_t i = 0; i < 6; i++)
		call->arguments[i] = info.seccomp.args[i];
	return true;
}

static bool traced_read_exit(pid_t child, struct traced_call *call)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof(info), &info) <= 0 || info.op != PTRACE_SYSCALL_INFO_EXIT)
		return false;
	call->result = info.exit.rval;
	return true;
}

/* Does with the stopped child what was decided. False when it is dead. */
static bool traced_obey(pid_t child, enum traced_next next, int error)
{
	switch (next) {
	case TRACED_KILL:
		(void)kill(child, SIGKILL);
		return false;
	case TRACED_FAIL:
		return traced_make_fail(child, error);
	case TRACED_GO_ON:
	default:
		return true;
	}
}

/* Both stops of one call. False when the child is dead, or its state unknown. */
static bool traced_handle(const struct traced *traced, pid_t child)
{
	struct traced_call call = { 0 };
	enum traced_next next;
	int status, error = EIO;

	if (!traced_read_entry(child, &call))
		return false;
	if (!traced_matters(&call))
		return true;
	next = traced->stop(traced->context, child, &call, false, &error);
	if (!traced_obey(child, next, error))
		return false;
	if (next == TRACED_FAIL)
		return true;
	if (ptrace(PTRACE_SYSCALL, child, NULL, NULL) != 0 || waitpid(child, &status, 0) != child ||
	    !WIFSTOPPED(status) || WSTOPSIG(status) != (SIGTRAP | 0x80) || !traced_read_exit(child, &call))
		return false;
	next = traced->stop(traced->context, child, &call, true, &error);
	return traced_obey(child, next, error);
}

/* Returns the child's exit status, or -1 when it was killed; TRACED_NOT_ALLOWED where the kernel does not let us. */
static int traced_run(const struct traced *traced)
{
	int status;
	pid_t child = fork();

	if (child == 0)
		traced_child(traced);
	if (child < 0 || waitpid(child, &status, 0) != child)
		abort();
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	if (ptrace(PTRACE_SETOPTIONS, child, NULL,
		   (void *)(PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP)) != 0)
		abort();
	for (;;) {
		(void)ptrace(PTRACE_CONT, child, NULL, NULL);
		if (waitpid(child, &status, 0) != child)
			abort();
		if (WIFEXITED(status))
			return WEXITSTATUS(status);
		if (WIFSIGNALED(status))
			return -1;
		if (status >> 8 != (SIGTRAP | (PTRACE_EVENT_SECCOMP << 8)))
			continue;
		if (!traced_handle(traced, child)) {
			(void)kill(child, SIGKILL);
			(void)waitpid(child, &status, 0);
			return -1;
		}
	}
}

#endif
