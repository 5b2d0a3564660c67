/*
 * Starts a program in a process group of its own, reads what it prints, and waits for its end.
 */
#include "provisiond/ctl/health/timed_program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/wire.h"

#define EXEC_FAILED 127
#define LOOK_EVERY_NS 2000000

struct running {
	pid_t pid;
	int output;  /* what it prints */
	int trouble; /* why it could not be started: an errno; nothing when it was */
};

/* In the child: becomes the program. Only what is safe behind fork(2). */
static void become(const char *const argv[], const struct running *ends)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", locale[] = "LC_ALL=C";
	char *const environment[] = { path, locale, NULL };
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC), fault;
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0 && dup2(ends->output, STDOUT_FILENO) >= 0 &&
	    dup2(ends->output, STDERR_FILENO) >= 0 && chdir("/") == 0)
		/* execve() changes none of the words. */
		(void)execve(argv[0], (char *const *)(uintptr_t)argv, environment);
	fault = errno;
	(void)!write(ends->trouble, &fault, sizeof(fault));
	_exit(EXEC_FAILED);
}

static int start(const char *const argv[], struct running *ret_running)
{
	int output[2] = { -1, -1 }, trouble[2] = { -1, -1 };
	pid_t pid = -1;
	int fault = 0;

	if (pipe2(output, O_CLOEXEC) == 0 && pipe2(trouble, O_CLOEXEC) == 0)
		pid = fork();
	if (pid < 0)
		fault = errno;
	if (pid == 0)
		become(argv, &(const struct running){ .output = output[1], .trouble = trouble[1] });
	cleanup_fd(&output[1]);
	cleanup_fd(&trouble[1]);
	if (pid < 0) {
		cleanup_fd(&output[0]);
		cleanup_fd(&trouble[0]);
		return -fault;
	}
	*ret_running = (struct running){ .pid = pid, .output = output[0], .trouble = trouble[0] };
	return 0;
}

static int remaining_ms(int64_t deadline_ms)
{
	int64_t left = deadline_ms - wire_now_ms();

	return left <= 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

/* Reads until the end or the deadline. False at the deadline or without memory; *text grows. */
static bool read_output(int fd, int64_t deadline_ms, char **text, size_t *length)
{
	char bytes[4096];

	for (;;) {
		struct pollfd pollfd = { .fd = fd, .events = POLLIN };
		size_t kept = 0;
		char *grown;
		ssize_t n;

		if (poll(&pollfd, 1, remaining_ms(deadline_ms)) <= 0 && wire_now_ms() >= deadline_ms)
			return false;
		n = pollfd.revents ? read(fd, bytes, sizeof(bytes)) : -1;
		if (n == 0)
			return true;
		if (n < 0)
			continue;
		grown = realloc(*text, *length + (size_t)n + 1);
		if (!grown)
			return false;
		*text = grown;
		for (ssize_t i = 0; i < n && *length + kept < PROGRAM_OUTPUT_MAX; i++)
			if (bytes[i] != '\0')
				grown[*length + kept++] = bytes[i];
		*length += kept;
		grown[*length] = '\0';
	}
}

/* Waits for its end until the deadline, and kills it then. */
static void end(const struct running *running, int64_t deadline_ms, bool kill_now, struct program_output *output)
{
	static const struct timespec moment = { .tv_nsec = LOOK_EVERY_NS };
	int status = 0;

	while (!kill_now && waitpid(running->pid, &status, WNOHANG) == 0) {
		kill_now = wire_now_ms() >= deadline_ms;
		if (!kill_now)
			(void)nanosleep(&moment, NULL);
		else
			output->timed_out = true;
	}
	if (kill_now) {
		(void)kill(-running->pid, SIGKILL);
		(void)kill(running->pid, SIGKILL);
		(void)waitpid(running->pid, &status, 0);
	}
	output->exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int timed_program_run(const char *const argv[], int64_t deadline_ms, struct program_output *ret_output)
{
	struct program_output output = { 0 };
	struct running running = { .output = -1, .trouble = -1 };
	int fault = 0, r = start(argv, &running);
	size_t length = 0;
	bool whole;

	if (r != 0)
		return r;
	output.text = strdup("");
	whole = output.text && read_output(running.output, deadline_ms, &output.text, &length);
	output.timed_out = output.text && !whole;
	end(&running, deadline_ms, !whole, &output);
	if (read(running.trouble, &fault, sizeof(fault)) != (ssize_t)sizeof(fault))
		fault = output.text ? 0 : ENOMEM;
	cleanup_fd(&running.output);
	cleanup_fd(&running.trouble);
	if (fault != 0) {
		program_output_release(&output);
		return -fault;
	}
	*ret_output = output;
	return 0;
}

void program_output_release(struct program_output *output)
{
	free(output->text);
	output->text = NULL;
}
