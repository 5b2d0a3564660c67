/*
 * The clock and what is timed with it. See stopwatch.h.
 */
#include "tests/bench/stopwatch.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void stopwatch_die(const char *format, ...)
{
	int error = errno;
	va_list arguments;

	va_start(arguments, format);
	(void)fprintf(stderr, "%s: ", program_invocation_short_name);
	(void)vfprintf(stderr, format, arguments);
	(void)fprintf(stderr, error ? ": %s\n" : "\n", strerror(error));
	va_end(arguments);
	exit(1);
}

double stopwatch_now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static posix_spawn_file_actions_t *silence(void)
{
	static posix_spawn_file_actions_t actions;
	static bool made;

	if (!made && (posix_spawn_file_actions_init(&actions) != 0 ||
		      posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0) != 0 ||
		      posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) != 0))
		stopwatch_die("no memory");
	made = true;
	return &actions;
}

double stopwatch_run(char *const argv[])
{
	posix_spawn_file_actions_t *silent = silence();
	double began = stopwatch_now_us();
	int error, status;
	pid_t child;

	error = posix_spawnp(&child, argv[0], silent, NULL, argv, environ);
	if (error != 0) {
		errno = error;
		stopwatch_die("%s cannot be started", argv[0]);
	}
	if (waitpid(child, &status, 0) != child)
		stopwatch_die("%s cannot be waited for", argv[0]);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		errno = 0;
		stopwatch_die("%s ended with status %d", argv[0], WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	}
	return stopwatch_now_us() - began;
}

static char *with_name(const char *word, const char *name)
{
	char *made = NULL;
	size_t size;
	FILE *text = open_memstream(&made, &size);

	if (!text)
		stopwatch_die("no memory");
	for (; *word; word++)
		if (strncmp(word, "%s", 2) == 0)
			word += fputs(name, text) >= 0;
		else
			(void)fputc(*word, text);
	if (fclose(text) != 0)
		stopwatch_die("no memory");
	return made;
}

char **stopwatch_words(char *const argv[], const char *name)
{
	size_t count = 0;
	char **words;

	while (argv[count])
		count++;
	words = calloc(count + 1, sizeof(*words));
	if (!words)
		stopwatch_die("no memory");
	for (size_t i = 0; i < count; i++)
		words[i] = with_name(argv[i], name);
	return words;
}

void stopwatch_words_free(char **words)
{
	for (char **word = words; *word; word++)
		free(*word);
	free(words);
}

unsigned stopwatch_count(const char *argument)
{
	char *end;
	unsigned long count = strtoul(argument, &end, 10);

	errno = 0;
	if (*end != '\0' || count == 0 || count > 1000000)
		stopwatch_die("'%s' is no count", argument);
	return (unsigned)count;
}

void stopwatch_print(double ours_us, double peer_us)
{
	(void)printf("%.3f %.3f\n", ours_us, peer_us);
	(void)fflush(stdout);
}
