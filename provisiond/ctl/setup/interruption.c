/*
 * Notes signals by a signalfd. A handler with a flag would leave a moment between the look at the flag and the wait.
 */
#include "provisiond/ctl/setup/interruption.h"

#include <poll.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const int noted[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

static struct {
	bool begun;
	int fd;
} state = { .fd = -1 };

static sigset_t noted_signals(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < sizeof(noted) / sizeof(noted[0]); i++)
		(void)sigaddset(&set, noted[i]);
	return set;
}

bool interruption_begin(void)
{
	sigset_t set = noted_signals();

	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return false;
	state.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	state.begun = state.fd >= 0;
	if (!state.begun)
		(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
	return state.begun;
}

/* What has come stays pending: interruption_end() lets it take effect. */
bool interruption_came(void)
{
	struct pollfd look = { .fd = state.fd, .events = POLLIN };

	return state.begun && poll(&look, 1, 0) > 0;
}

int interruption_fd(void)
{
	return state.fd;
}

void interruption_end(void)
{
	sigset_t set = noted_signals();

	if (!state.begun)
		return;
	(void)close(state.fd);
	state.fd = -1;
	state.begun = false;
	(void)signal(SIGPIPE, SIG_DFL);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}
