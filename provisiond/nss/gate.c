/*
 * Tells sshd from every other program. Names that nobody has signed in with yet must not be seen by anything else: a
 * tool that finds a user in the name service takes it for an account that exists.
 */
#include "provisiond/nss/gate.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static bool is_sshd(const char *program)
{
	return strcmp(program, "sshd") == 0 || strcmp(program, "sshd-session") == 0;
}

bool gate_admits(const char *program, uid_t real, uid_t effective)
{
	/* The caller chooses argv[0]. The real uid keeps out su and sudo started under sshd's name. */
	return is_sshd(program) && real == 0 && effective == 0;
}

bool gate_admits_this_process(void)
{
	const char *program = program_invocation_short_name;

	return is_sshd(program) && gate_admits(program, getuid(), geteuid());
}
