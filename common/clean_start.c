/*
 * Sets right what a process inherits. See clean_start.h.
 */
#include "common/clean_start.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_PASSED_FD 3

static bool leave_no_image(void)
{
	const struct rlimit none = { 0 };

	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && setrlimit(RLIMIT_CORE, &none) == 0;
}

static bool passed_a_socket(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");

	return pid && count && strtol(pid, NULL, 10) == getpid() && strcmp(count, "1") == 0;
}

/* Otherwise the next file that is opened would be standard error, and get whatever is written there. */
static bool open_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0)
		return false;
	(void)close(fd);
	return true;
}

static void close_descriptors_from(int first)
{
	/* Kernels before 5.9 have no such call. */
	if (close_range((unsigned)first, ~0U, 0) == 0)
		return;
	for (long fd = first, end = sysconf(_SC_OPEN_MAX); fd < end; fd++)
		(void)close((int)fd);
}

static bool reset_signals(void)
{
	const struct sigaction plain = { .sa_handler = SIG_DFL };
	sigset_t none;

	/* Not every number can be set; those that cannot have no other effect either. */
	for (int number = 1; number < NSIG; number++)
		(void)sigaction(number, &plain, NULL);
	(void)sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}

static bool clean_environment(void)
{
	static const char *const kept[] = { "LISTEN_PID", "LISTEN_FDS",   "NOTIFY_SOCKET", "PATH",
					    "TZ",         "WATCHDOG_PID", "WATCHDOG_USEC" };
	const char *values[sizeof(kept) / sizeof(kept[0])];

	/* The strings themselves stay where they are when the list of them is cleared. */
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		values[i] = getenv(kept[i]);
	if (clearenv() != 0)
		return false;
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (values[i] && setenv(kept[i], values[i], 1) != 0)
			return false;
	return true;
}

bool clean_start(void)
{
	if (!leave_no_image() || !open_standard_descriptors())
		return false;
	close_descriptors_from(passed_a_socket() ? FIRST_PASSED_FD + 1 : FIRST_PASSED_FD);
	(void)umask(077);
	return reset_signals() && clean_environment();
}
