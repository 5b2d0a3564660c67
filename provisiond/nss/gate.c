/*
 * Tells sshd from every other program. Names that nobody has signed in with yet must not be seen by anything else: a
 * tool that finds a user in the name service takes it for an account that exists.
 */
#include "provisiond/nss/gate.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

static bool is_sshd(const char *program)
{
	return strcmp(program, "sshd") == 0 || strcmp(program, "sshd-session") == 0;
}

bool gate_admits(const char *program, uid_t real, uid_t effective)
{
	return is_sshd(program) && real == 0 && effective == 0;
}

bool gate_admits_file(const char *path)
{
	static const char deleted[] = " (deleted)"; /* by an update, while it runs (proc(5)) */
	const char *name = strrchr(path, '/');
	char program[sizeof("sshd-session")] = "";
	size_t length;

	if (!name)
		return false;
	length = strlen(++name);
	if (length >= strlen(deleted) && strcmp(name + length - strlen(deleted), deleted) == 0)
		length -= strlen(deleted);
	if (length >= sizeof(program))
		return false;
	memcpy(program, name, length);
	return is_sshd(program);
}

/* argv[0] is the caller's choice, and a setuid program can make its real uid root's before it looks anybody up: a
 * program that has other privileges than its caller is judged by its file. Some policies of SELinux start sshd like
 * that as well. */
static bool is_no_setuid_program(void)
{
	char path[PATH_MAX];
	ssize_t length;

	if (getauxval(AT_SECURE) == 0)
		return true;
	length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (length < 0)
		return false;
	path[length] = '\0';
	return gate_admits_file(path);
}

bool gate_admits_this_process(void)
{
	const char *program = program_invocation_short_name;

	return is_sshd(program) && gate_admits(program, getuid(), geteuid()) && is_no_setuid_program();
}
