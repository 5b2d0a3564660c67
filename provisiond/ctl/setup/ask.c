/*
 * Asks on the terminal. Reads byte by byte from the descriptor itself, so that nothing typed ahead is lost in a buffer
 * between one question and the next, and no secret stays in one.
 */
#include "provisiond/ctl/setup/ask.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

#include "common/wire.h"
#include "provisiond/ctl/setup/interruption.h"

bool ask_possible(void)
{
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

static enum asked wait_for_input(int64_t deadline_ms)
{
	struct pollfd fds[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = interruption_fd(), .events = POLLIN },
	};

	for (;;) {
		int64_t left_ms = deadline_ms < 0 ? -1 : deadline_ms - wire_now_ms();
		int n = poll(fds, 2, left_ms < 0 && deadline_ms >= 0 ? 0 : (int)left_ms);

		if (n < 0 && errno != EINTR)
			return ASKED_ENDED;
		if (n > 0)
			return fds[1].revents ? ASKED_ENDED : ASKED_ANSWER;
		if (n == 0)
			return ASKED_NOTHING;
	}
}

/* Reads up to the end of the line. *ret_length may be more than fits into the buffer; then it was cut. */
static enum asked read_line(int64_t deadline_ms, char *buffer, size_t size, size_t *ret_length)
{
	size_t length = 0;

	for (;;) {
		enum asked asked = wait_for_input(deadline_ms);
		char byte = '\0';
		ssize_t n;

		if (asked != ASKED_ANSWER)
			return asked;
		n = read(STDIN_FILENO, &byte, 1);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return ASKED_ENDED;
		if (byte == '\n')
			break;
		if (length < size)
			buffer[length] = byte;
		length++;
	}
	*ret_length = length;
	return ASKED_ANSWER;
}

enum asked ask_line(int timeout_ms, char ret_line[static ANSWER_MAX])
{
	char line[ANSWER_MAX];
	size_t length = 0, from = 0;
	enum asked asked = read_line(timeout_ms < 0 ? -1 : wire_now_ms() + timeout_ms, line, sizeof(line), &length);

	if (asked != ASKED_ANSWER)
		return asked;
	if (length >= sizeof(line) || memchr(line, '\0', length))
		length = 0;
	while (length > 0 && strchr(" \t\r", line[length - 1]))
		length--;
	while (from < length && strchr(" \t", line[from]))
		from++;
	memcpy(ret_line, line + from, length - from);
	ret_line[length - from] = '\0';
	return ASKED_ANSWER;
}

static void show(const char *question, const char *otherwise)
{
	(void)fflush(stdout);
	if (otherwise)
		(void)fprintf(stderr, "%s [%s]: ", question, otherwise);
	else
		(void)fprintf(stderr, "%s: ", question);
	(void)fflush(stderr);
}

enum asked ask(const char *question, const char *otherwise, char ret_line[static ANSWER_MAX])
{
	enum asked asked;

	show(question, otherwise);
	asked = ask_line(-1, ret_line);
	if (asked != ASKED_ANSWER)
		(void)fputc('\n', stderr);
	return asked;
}

/* ---- secrets ---- */

/* Takes away what was typed ahead as well: it was shown. */
static bool hide_typing(struct termios *ret_before)
{
	struct termios hidden;

	if (tcgetattr(STDIN_FILENO, ret_before) != 0)
		return false;
	hidden = *ret_before;
	hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	return tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) == 0;
}

enum asked ask_secret(const char *question, struct secret *ret_secret)
{
	char line[ANSWER_MAX];
	struct termios before;
	size_t length = 0;
	enum asked asked;

	show(question, NULL);
	if (!hide_typing(&before)) {
		(void)fputc('\n', stderr);
		return ASKED_ENDED;
	}
	asked = read_line(-1, line, sizeof(line), &length);
	(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
	(void)fputc('\n', stderr);
	if (asked == ASKED_ANSWER && length > 0 && length <= sizeof(line) &&
	    secret_from_bytes(line, length, ret_secret) != 0)
		asked = ASKED_ENDED;
	explicit_bzero(line, sizeof(line));
	return asked;
}

/* ---- yes or no ---- */

enum asked ask_yes(const char *question, bool otherwise, bool *ret_yes)
{
	char line[ANSWER_MAX];

	for (;;) {
		enum asked asked = ask(question, otherwise ? "Y/n" : "y/N", line);

		if (asked != ASKED_ANSWER)
			return asked;
		if (!*line || strcasecmp(line, "yes") == 0 || strcasecmp(line, "y") == 0 ||
		    strcasecmp(line, "no") == 0 || strcasecmp(line, "n") == 0) {
			*ret_yes = *line ? (*line | 0x20) == 'y' : otherwise;
			return ASKED_ANSWER;
		}
		(void)fputs("Type yes or no.\n", stderr);
	}
}
