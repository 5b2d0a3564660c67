/*
 * Reads and searches audit lists.
 */
#include "provisiond/ctl/audit_list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"

#define FILE_MAX ((size_t)16 * 1024 * 1024)
#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define BLANKS " \t\r\v\f"

/* As much as fits, until the end. -1 with errno. */
static ssize_t read_all(int fd, char *text, size_t size)
{
	size_t length = 0;

	while (length < size) {
		ssize_t n = read(fd, text + length, size - length);

		if (n < 0 && errno != EINTR)
			return -1;
		if (n == 0)
			break;
		length += n > 0 ? (size_t)n : 0;
	}
	return (ssize_t)length;
}

static enum exit_code read_text(const char *path, char **ret_text)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *text = malloc(FILE_MAX + 1);
	ssize_t n;

	if (!text)
		return complain_of_memory();
	n = fd >= 0 ? read_all(fd, text, FILE_MAX + 1) : -1;
	if (n < 0) {
		complain("the list cannot be read: %s. Nobody was deactivated.", strerror(errno));
		return EXIT_LOCAL;
	}
	if ((size_t)n > FILE_MAX || memchr(text, '\0', (size_t)n)) {
		complain("the list is no text of at most 16 MiB. Nobody was deactivated.");
		return EXIT_REFUSED;
	}
	text[n] = '\0';
	*ret_text = take_pointer(text);
	return EXIT_DONE;
}

static void to_lower_case(char *text)
{
	for (; *text; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
}

/* What of a line is neither blank nor comment; cut out in place. */
static char *word_of(char *line)
{
	size_t length;

	line[strcspn(line, "#")] = '\0';
	line += strspn(line, BLANKS);
	length = strlen(line);
	while (length > 0 && strchr(BLANKS, line[length - 1]))
		length--;
	line[length] = '\0';
	return line;
}

static bool add(struct audit_list *list, const char *word, unsigned line)
{
	/* Grown by doubling, whenever the count is a power of two. */
	if ((list->count & (list->count - 1)) == 0) {
		struct audit_entry *grown =
			reallocarray(list->entries, list->count ? list->count * 2 : 1, sizeof(*grown));

		if (!grown)
			return false;
		list->entries = grown;
	}
	list->entries[list->count++] = (struct audit_entry){ .word = word, .line = line };
	return true;
}

static int by_word(const void *one, const void *other)
{
	const struct audit_entry *left = one, *right = other;

	return strcmp(left->word, right->word);
}

static int by_line(const void *one, const void *other)
{
	const struct audit_entry *left = one, *right = other;

	return left->line < right->line ? -1 : left->line > right->line;
}

enum exit_code audit_list_read(const char *path, struct audit_list *list)
{
	enum exit_code code = read_text(path, &list->text);
	char *at = list->text;

	if (code != EXIT_DONE)
		return code;
	if (strncmp(at, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0)
		at += strlen(BYTE_ORDER_MARK);
	for (unsigned line = 1; at; line++) {
		char *word = strsep(&at, "\n");

		word = word_of(word);
		to_lower_case(word);
		if (*word && !add(list, word, line))
			return complain_of_memory();
	}
	if (list->count == 0) {
		complain("the list is empty. Nobody was deactivated: an empty list would mean everybody.");
		return EXIT_REFUSED;
	}
	qsort(list->entries, list->count, sizeof(*list->entries), by_word);
	return EXIT_DONE;
}

/* The first entry that is not below the word. */
static size_t place_of(const struct audit_list *list, const char *word)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(list->entries[middle].word, word) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool audit_list_has(struct audit_list *list, const char *word)
{
	char folded[512];
	bool found = false;

	if (!word || strlen(word) >= sizeof(folded))
		return false;
	strcpy(folded, word);
	to_lower_case(folded);
	for (size_t i = place_of(list, folded); i < list->count && strcmp(list->entries[i].word, folded) == 0; i++)
		found = list->entries[i].known = true;
	return found;
}

void audit_list_by_line(struct audit_list *list)
{
	qsort(list->entries, list->count, sizeof(*list->entries), by_line);
}

void audit_list_release(struct audit_list *list)
{
	free(list->text);
	free(list->entries);
	*list = (struct audit_list){ 0 };
}
