/*
 * fork, execve, and a pipe that is read until the program has ended or its time is up.
 */
#include "provisiond/ctl/setup/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "common/cleanup.h"
#include "provisiond/ctl/setup/change_inside.h"

#define OUTPUT_MAX ((size_t)1 << 20)
#define STEP_MS 50
#define ENVIRONMENT_MAX 8
#define FAILED_TO_START 127

static long long now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

_Noreturn static void become(const char *const *argv, const char *const *environment, int output)
{
	static const char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	const char *all[ENVIRONMENT_MAX + 3] = { path, "LC_ALL=C.UTF-8" };
	const char *const *all_of_it = all;
	char *const *words, *const *variables;
	int nothing = open("/dev/null", O_RDONLY);
	size_t count = 2;
	sigset_t none;

	for (; environment && *environment && count < ENVIRONMENT_MAX + 2; environment++)
		all[count++] = *environment;
	(void)setpgid(0, 0);
	for (int number = 1; number < NSIG; number++)
		(void)signal(number, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
	    dup2(output, STDERR_FILENO) < 0 || chdir("/") != 0)
		_exit(FAILED_TO_START);
	(void)close_range(STDERR_FILENO + 1, ~0U, 0);
	(void)umask(022);
	/* execve does not write to them; its type is older than const. */
	memcpy(&words, &argv, sizeof(words));
	memcpy(&variables, &all_of_it, sizeof(variables));
	(void)execve(argv[0], words, variables);
	_exit(FAILED_TO_START);
}

struct output {
	char *text;
	size_t length, room;
};

/* What there is to read now. False at its end. What is more than OUTPUT_MAX is read and dropped. */
static bool collect(int fd, struct output *output)
{
	char chunk[4096];
	ssize_t n = read(fd, chunk, sizeof(chunk));
	size_t taken;

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	if (n == 0)
		return false;
	taken = (size_t)n > output->room - output->length ? output->room - output->length : (size_t)n;
	memcpy(output->text + output->length, chunk, taken);
	output->length += taken;
	return true;
}

/* Until the program has ended; a daemon that it left behind may hold the pipe open for ever. */
static bool follow(pid_t child, int fd, struct output *output, int *ret_wait_status)
{
	long long deadline = now_ms() + PROGRAM_TIMEOUT_S * 1000LL;
	bool open = true;

	for (;;) {
		struct pollfd readable = { .fd = open ? fd : -1, .events = POLLIN };
		bool ready = poll(&readable, 1, STEP_MS) > 0;
		bool ended = waitpid(child, ret_wait_status, WNOHANG) == child;

		if (ready)
			open = collect(fd, output);
		if (ended) {
			while (open && poll(&readable, 1, 0) > 0)
				open = collect(fd, output);
			return true;
		}
		if (now_ms() > deadline) {
			(void)kill(-child, SIGKILL);
			(void)kill(child, SIGKILL);
			(void)waitpid(child, ret_wait_status, 0);
			return false;
		}
	}
}

bool program_run(const char *const *argv, const char *const *environment, int *ret_status, char **ret_output,
		 char *fault, size_t fault_size)
{
	_cleanup_free_ char *text = malloc(OUTPUT_MAX + 1);
	struct output output = { text, 0, OUTPUT_MAX };
	int ends[2] = { -1, -1 }, status = 0;
	bool in_time;
	pid_t child;

	if (!text || pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return change_fault(fault, fault_size, "%s cannot be started: %s", argv[0], strerror(errno));
	child = fork();
	if (child == 0) {
		/* The program expects an ordinary descriptor. */
		(void)fcntl(ends[1], F_SETFL, 0);
		become(argv, environment, ends[1]);
	}
	(void)close(ends[1]);
	in_time = child > 0 && follow(child, ends[0], &output, &status);
	(void)close(ends[0]);
	if (child < 0)
		return change_fault(fault, fault_size, "%s cannot be started: %s", argv[0], strerror(errno));
	if (!in_time)
		return change_fault(fault, fault_size, "%s did not end within %d seconds and was ended", argv[0],
				    PROGRAM_TIMEOUT_S);
	text[output.length] = '\0';
	*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	*ret_output = take_pointer(text);
	return true;
}

/* The last line that is not empty, without a full stop. Cuts the text behind it. */
static const char *last_line(char *text)
{
	size_t end = strlen(text);
	const char *start;

	while (end > 0 && strchr(" \t\r\n.", text[end - 1]))
		end--;
	text[end] = '\0';
	start = strrchr(text, '\n');
	return start ? start + 1 : text;
}

bool program_succeeds(const char *const *argv, char *fault, size_t fault_size)
{
	_cleanup_free_ char *output = NULL;
	const char *line;
	int status = 0;

	if (!program_run(argv, NULL, &status, &output, fault, fault_size))
		return false;
	if (status == 0)
		return true;
	line = last_line(output);
	return change_fault(fault, fault_size, "%s failed with status %d%s%.400s", argv[0], status, *line ? ": " : "",
			    line);
}

#define WORDS_MAX 64

bool change_words_run(const char *words, char *fault, size_t fault_size)
{
	_cleanup_free_ char *copy = strdup(words);
	const char *argv[WORDS_MAX + 1] = { NULL };
	char *rest = NULL;
	size_t count = 0;

	if (!copy)
		return change_fault_memory(fault, fault_size);
	for (const char *word = strtok_r(copy, "\n", &rest); word && count < WORDS_MAX;
	     word = strtok_r(NULL, "\n", &rest))
		argv[count++] = word;
	if (count == 0 || *argv[0] != '/')
		return change_fault(fault, fault_size, "there is no program to run");
	return program_succeeds(argv, fault, fault_size);
}

bool program_exists(const char *path)
{
	return access(path, X_OK) == 0;
}
