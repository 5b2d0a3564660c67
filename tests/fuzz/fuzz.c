/*
 * What the fuzz targets share. The linker puts the functions below in the place of libc's (--wrap).
 */
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void fuzz_broken(const char *file, int line, const char *condition, const char *format, ...)
{
	va_list arguments;

	(void)fuzz_end_failing();
	(void)fprintf(stderr, "%s:%d: broken: %s", file, line, condition);
	if (format[0])
		(void)fputs(": ", stderr);
	va_start(arguments, format);
	(void)vfprintf(stderr, format, arguments);
	va_end(arguments);
	(void)fputc('\n', stderr);
	abort();
}

/* ---- inputs ---- */

uint8_t fuzz_byte(struct fuzz_input *input)
{
	if (input->left == 0)
		return 0;
	input->left--;
	return *input->at++;
}

static char *take(struct fuzz_input *input, size_t length, size_t *ret_length)
{
	char *text = malloc(length + 1);

	if (!text)
		abort();
	if (length > 0)
		memcpy(text, input->at, length);
	text[length] = '\0';
	input->at += length;
	input->left -= length;
	*ret_length = length;
	return text;
}

char *fuzz_text_until(struct fuzz_input *input, uint8_t end, size_t *ret_length)
{
	const uint8_t *found = input->left > 0 ? memchr(input->at, end, input->left) : NULL;
	char *text = take(input, found ? (size_t)(found - input->at) : input->left, ret_length);

	if (found)
		(void)fuzz_byte(input);
	return text;
}

char *fuzz_rest(struct fuzz_input *input, size_t *ret_length)
{
	return take(input, input->left, ret_length);
}

bool fuzz_is_sentence(const char *text, size_t max)
{
	size_t length = strnlen(text, max + 1);

	for (size_t i = 0; i < length; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return length > 0 && length <= max;
}

FILE *fuzz_rows_for_glibc(const char *text, size_t length)
{
	static char copy[1 << 20];
	const char *end = text + length;
	size_t n = 0;
	FILE *stream;

	holds(length < sizeof(copy));
	for (const char *row = text; row < end;) {
		const char *newline = memchr(row, '\n', (size_t)(end - row));
		size_t left = (size_t)((newline ? newline : end) - row);
		bool has_nul = memchr(row, '\0', left) != NULL;

		for (; has_nul && (*row == ' ' || (*row >= '\t' && *row <= '\r')); row++)
			left--;
		memcpy(copy + n, row, left);
		n += left;
		copy[n++] = '\n';
		row += left + 1;
	}
	if (n == 0)
		copy[n++] = '\n';
	stream = fmemopen(copy, n, "re");
	holds(stream);
	return stream;
}

unsigned fuzz_pick(const uint8_t *bytes, size_t size, unsigned bound)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * 16777619u;
	return (hash ^ hash >> 15) % bound;
}

/* ---- what is left behind ---- */

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
	(void)st, (void)kind, (void)walk;
	return remove(path);
}

/* Waits for the other end of the pipe to close, that is for the process that fuzzes to end. */
static _Noreturn void wait_and_remove(int pipe_end, const char *path)
{
	char nothing;

	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)dup2(pipe_end, STDIN_FILENO);
	(void)close_range(STDIN_FILENO + 1, ~0u, 0);
	while (read(STDIN_FILENO, &nothing, 1) != 0)
		;
	(void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	_exit(0);
}

void fuzz_remove_at_end(const char *path)
{
	int ends[2];

	holds(pipe2(ends, O_CLOEXEC) == 0);
	switch (fork()) {
	case -1:
		abort();
	case 0:
		(void)close(ends[1]);
		wait_and_remove(ends[0], path);
	default:
		(void)close(ends[0]); /* ends[1] stays open for as long as this process lives */
	}
}

/* ---- allocations ---- */

static struct {
	bool counting, failed;
	unsigned asked, fails_at;
} allocations;

void fuzz_fail_allocation(unsigned n)
{
	allocations.counting = true;
	allocations.failed = false;
	allocations.asked = 0;
	allocations.fails_at = n;
}

unsigned fuzz_end_failing(void)
{
	allocations.counting = false;
	return allocations.asked;
}

bool fuzz_allocation_failed(void)
{
	return allocations.failed;
}

bool fuzz_next_fails(void)
{
	if (!allocations.counting || ++allocations.asked != allocations.fails_at)
		return false;
	allocations.failed = true;
	errno = ENOMEM;
	return true;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t length);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t length);
int __wrap_asprintf(char **ret_text, const char *format, ...) __attribute__((format(printf, 2, 3)));

void *__wrap_malloc(size_t size)
{
	return fuzz_next_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fuzz_next_fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fuzz_next_fails() ? NULL : __real_realloc(old, size);
}

void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
	return fuzz_next_fails() ? NULL : __real_reallocarray(old, count, size);
}

char *__wrap_strdup(const char *text)
{
	return fuzz_next_fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t length)
{
	return fuzz_next_fails() ? NULL : __real_strndup(text, length);
}

int __wrap_asprintf(char **ret_text, const char *format, ...)
{
	va_list arguments;
	int length;

	if (fuzz_next_fails())
		return -1;
	va_start(arguments, format);
	length = vasprintf(ret_text, format, arguments);
	va_end(arguments);
	return length;
}
