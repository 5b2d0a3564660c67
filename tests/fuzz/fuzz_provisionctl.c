/*
 * What provisionctl prints of the daemons' answers: nothing that it prints, neither to standard output nor to standard
 * error, holds a control byte but newlines, or text that turns, hides or is no character of the locale; without
 * colours no escape sequence; JSON is JSON, and says of each text what the daemon said; a table has as many lines as
 * there were answers; the exit code says whether there was anything; and all of that, or exit code 5, when memory runs
 * out.
 *
 * The first line of the input is the command (l list, s show, p pending, t status, a add), then j for JSON and c for
 * colours, then the allocation that fails (a number). Each other line is an answer, its fields with | between them; #
 * before it leaves it as it is. The daemon then closes.
 *
 * Covers: provisiond/ctl/account.c provisiond/ctl/answers.c provisiond/ctl/change.c provisiond/ctl/change_commands.c
 * provisiond/ctl/complain.c provisiond/ctl/conversation.c provisiond/ctl/json.c provisiond/ctl/list.c
 * provisiond/ctl/pending.c provisiond/ctl/show.c provisiond/ctl/status.c provisiond/ctl/table.c
 * provisiond/ctl/terminal.c provisiond/ctl/time_text.c provisiond/ctl/utf8.c
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "common/cleanup.h"
#include "common/wire.h"
#include "provisiond/ctl/command.h"
#include "provisiond/ctl/utf8.h"
#include "tests/fuzz/fuzz.h"

static struct fuzz_input answers;
static unsigned answered;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	json_object_seed(7);
	holds(setlocale(LC_CTYPE, "C.UTF-8"));
	(void)unsetenv("TERM"); /* nobody watches progress */
	return 0;
}

/* ---- in the place of the sockets ---- */

int __wrap_wire_connect(const char *path, int64_t deadline_ms);
int __wrap_wire_connect(const char *path, int64_t deadline_ms)
{
	(void)path, (void)deadline_ms;
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

int __wrap_wire_send(int fd, const struct wire_writer *writer, int64_t deadline_ms);
int __wrap_wire_send(int fd, const struct wire_writer *writer, int64_t deadline_ms)
{
	struct wire_message message;

	(void)fd, (void)deadline_ms;
	holds(!writer->failed && wire_parse(writer->buffer, writer->length, &message) && wire_kind(&message, "op"));
	return 0;
}

ssize_t __wrap_wire_receive(int fd, char *buffer, size_t capacity, int64_t deadline_ms);
ssize_t __wrap_wire_receive(int fd, char *buffer, size_t capacity, int64_t deadline_ms)
{
	const uint8_t *line = answers.at;
	const uint8_t *newline = answers.left > 0 ? memchr(line, '\n', answers.left) : NULL;
	size_t length = newline ? (size_t)(newline - line) : answers.left;
	bool raw = length > 0 && line[0] == '#';

	(void)fd, (void)deadline_ms;
	if (answers.left == 0)
		return answered % 2 ? 0 : -ETIMEDOUT;
	answers.at += length + (newline != NULL);
	answers.left -= length + (newline != NULL);
	if (length + 1 > capacity)
		return -EMSGSIZE;
	memcpy(buffer, line + raw, length - raw);
	for (size_t i = 0; !raw && i < length; i++)
		buffer[i] = buffer[i] == '|' ? '\0' : buffer[i];
	if (!raw)
		buffer[length++] = '\0';
	answered++;
	return (ssize_t)(length - raw);
}

/* ---- what was printed ---- */

/* One character of the locale that is seen, or a newline; with colours also their sequences. */
static void check_harmless(const char *text, size_t length, bool colours)
{
	mbstate_t state = { 0 };

	for (const char *at = text; at < text + length;) {
		size_t left = (size_t)(text + length - at), sequence = strcspn(at, "m") + 1, n;
		wchar_t c = 0;

		if (colours && strncmp(at, "\033[", 2) == 0 && sequence <= 5 &&
		    strspn(at + 2, "0123456789") == sequence - 3) {
			at += sequence;
			continue;
		}
		n = mbrtowc(&c, at, left, &state);
		holds(n > 0 && n <= 4 && n <= left, "byte %02x", (unsigned char)*at);
		holds(c == L'\n' || wcwidth(c) > 0, "U+%04X", (unsigned)c);
		at += n;
	}
}

static size_t lines_in(const char *text)
{
	size_t lines = 0;

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

/* The text as JSON has it: what is no UTF-8 is U+FFFD. The caller frees it. */
static char *as_unicode(const char *text)
{
	char *unicode = malloc(3 * strlen(text) + 1), *at = unicode;

	while (*text) {
		uint32_t character;
		size_t length = utf8_first(text, &character);

		if (length == 0) {
			memcpy(at, "\xef\xbf\xbd", 3);
			at += 3;
			text++;
			continue;
		}
		memcpy(at, text, length);
		at += length;
		text += length;
	}
	*at = '\0';
	return unicode;
}

/* A time, or what provisionctl calls whoever has no account yet, or who it is about in an answer that it understood. */
static bool is_own_word(const char *key, const char *text)
{
	static const char *const times[] = { "created", "state_at", "last_signin", "refused", "expires" };

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		if (strcmp(key, times[i]) == 0)
			return true;
	return strcmp(key, "state") == 0 && strcmp(text, "expected") == 0;
}

/* Every text in the document is one of the values that the daemon sent, a time, or what stands for none. */
static void check_said(const json_t *object, const char *said, size_t length)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		const char *text = json_string_value(value);
		bool found = !text || is_own_word(key, text);

		for (size_t at = 0; !found && at < length; at += strlen(said + at) + 1) {
			const char *equals = strchr(said + at, '=');
			_cleanup_free_ char *unicode = equals ? as_unicode(equals + 1) : NULL;

			found = unicode && strcmp(unicode, text) == 0;
		}
		holds(found, "%s is \"%s\"", key, text ? text : "");
	}
}

static void check_json(const char *text, size_t length, const char *said, size_t said_length)
{
	json_t *document = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);

	holds(document, "%s", text);
	if (json_is_object(document))
		check_said(document, said, said_length);
	for (size_t i = 0; i < json_array_size(document); i++)
		check_said(json_array_get(document, i), said, said_length);
	json_decref(document);
}

/* ---- running it ---- */

static enum exit_code run(char command, const struct invocation *invocation)
{
	return command == 's'   ? show_account(invocation)
	       : command == 'p' ? list_pending(invocation)
	       : command == 't' ? show_status(invocation)
	       : command == 'a' ? add_account(invocation)
				: list_accounts(invocation);
}

struct outcome {
	enum exit_code code;
	char *out, *error;
	size_t out_length, error_length;
};

/* Runs a command with its two streams in memory. */
static void run_captured(char command, const struct invocation *invocation, unsigned fails, struct outcome *outcome)
{
	FILE *real_out = stdout, *real_error = stderr;

	stdout = open_memstream(&outcome->out, &outcome->out_length);
	stderr = open_memstream(&outcome->error, &outcome->error_length);
	fuzz_fail_allocation(fails);
	outcome->code = run(command, invocation);
	(void)fuzz_end_failing();
	(void)fclose(stdout);
	(void)fclose(stderr);
	stdout = real_out;
	stderr = real_error;
}

static void check(const char *first, const struct outcome *outcome, const char *said, size_t said_length)
{
	bool json = strchr(first, 'j') != NULL, done = outcome->code == EXIT_DONE;

	check_harmless(outcome->out, outcome->out_length, strchr(first, 'c') && !json);
	check_harmless(outcome->error, outcome->error_length, false);
	holds(outcome->code <= EXIT_FAILED && outcome->code != EXIT_USAGE);
	holds(done == (outcome->error_length == 0) ||
	      (json && (outcome->code == EXIT_NOTHING || outcome->code >= EXIT_REFUSED)));
	holds(!done || outcome->out_length > 0);
	holds(outcome->code != EXIT_LOCAL || fuzz_allocation_failed());
	/* Without memory, some of what was done may have been told before. */
	holds(outcome->code <= EXIT_NOTHING || outcome->code == EXIT_LOCAL || json || outcome->out_length == 0);
	if (json && outcome->out_length > 0)
		check_json(outcome->out, outcome->out_length, said, said_length);
	else if (done && (first[0] == 'l' || first[0] == 'p'))
		holds(lines_in(outcome->out) == answered); /* a line of titles, and `end` printed none */
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct fuzz_input input = { bytes, size };
	size_t length, said_length;
	_cleanup_free_ char *first = fuzz_text_until(&input, '\n', &length);
	const char *number = first + strcspn(first, "0123456789");
	char name[] = "alice\033[2J\xff", *arguments[] = { name, name, NULL };
	const struct invocation invocation = {
		.arguments = arguments,
		.argument_count = 2,
		.yes = true,
		.json = strchr(first, 'j') != NULL,
		.colour = strchr(first, 'c') != NULL,
	};
	struct outcome outcome = { 0 };

	answers = input;
	answered = 0;
	_cleanup_free_ char *said = fuzz_rest(&input, &said_length);

	for (size_t i = 0; i < said_length; i++)
		said[i] = said[i] == '|' || said[i] == '\n' ? '\0' : said[i];
	run_captured(first[0], &invocation, (unsigned)strtoul(number, NULL, 10), &outcome);
	check(first, &outcome, said, said_length);
	free(outcome.out);
	free(outcome.error);
	return 0;
}
