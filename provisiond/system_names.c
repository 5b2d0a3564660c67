/*
 * Reads the names out of sysusers.d files into a sorted list.
 */
#include "provisiond/system_names.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"

#define FILE_SIZE_MAX ((size_t)1 << 20)
#define WORD_SIZE 256 /* longer words are no names */

struct system_names {
	char **items; /* sorted once loaded */
	size_t count, capacity;
};

static const char *const default_directories[] = { "/etc/sysusers.d", "/run/sysusers.d", "/usr/local/lib/sysusers.d",
						   "/usr/lib/sysusers.d", NULL };

/* What no user or group can be called is not kept: a specifier (%b), a comment, an empty or quoted word. */
static bool may_be_name(const char *word)
{
	if (!word[0] || strcmp(word, "-") == 0)
		return false;
	for (; *word; word++)
		if (!isascii((unsigned char)*word) || !isgraph((unsigned char)*word) || strchr("%:/,\"'\\", *word))
			return false;
	return true;
}

static int add_name(struct system_names *names, const char *word)
{
	if (!may_be_name(word))
		return 0;
	if (names->count == names->capacity) {
		size_t capacity = names->capacity ? 2 * names->capacity : 64;
		char **larger = reallocarray(names->items, capacity, sizeof(names->items[0]));

		if (!larger)
			return -ENOMEM;
		names->items = larger;
		names->capacity = capacity;
	}
	names->items[names->count] = strdup(word);
	return names->items[names->count] ? (names->count++, 0) : -ENOMEM;
}

/* Takes the next word, which may stand in quotes. True, and the rest of the line; false at its end. */
static bool next_word(const char **at, char word[WORD_SIZE])
{
	const char *text = *at + strspn(*at, " \t\r");
	size_t length = 0;
	char quote = '\0';

	if (*text == '"' || *text == '\'')
		quote = *text++;
	if (!*text || (*text == '#' && !quote))
		return false;
	for (; *text && (quote ? *text != quote : !strchr(" \t\r", *text)); text++)
		if (length < WORD_SIZE - 1)
			word[length++] = *text;
	word[length < WORD_SIZE - 1 ? length : 0] = '\0';
	*at = quote && *text ? text + 1 : text;
	return true;
}

/* sysusers.d(5): "u NAME ID", "g NAME ID", "m USER GROUP", "r - RANGE". A user's ID can name the user's group:
 * "404:www". */
static int add_line(struct system_names *names, const char *line)
{
	char type[WORD_SIZE], name[WORD_SIZE], third[WORD_SIZE] = "";
	const char *group;
	int r;

	if (!next_word(&line, type) || !next_word(&line, name) || !type[0] || !strchr("ugm", type[0]) ||
	    strspn(type + 1, "!+") != strlen(type + 1))
		return 0;
	(void)next_word(&line, third);
	r = add_name(names, name);
	if (r < 0 || type[0] == 'g')
		return r;
	group = type[0] == 'm' ? third : strchr(third, ':');
	if (!group)
		return 0;
	group += type[0] == 'u';
	return isdigit((unsigned char)*group) ? 0 : add_name(names, group);
}

static int add_text(struct system_names *names, char *text)
{
	char *line, *rest = text;
	int r = 0;

	while (r == 0 && (line = strsep(&rest, "\n")))
		r = add_line(names, line);
	return r;
}

static int read_text(int fd, char *text, size_t size)
{
	size_t length = 0;

	while (length < size) {
		ssize_t n = read(fd, text + length, size - length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		length += (size_t)n;
	}
	if (length == size)
		return -EFBIG;
	text[length] = '\0';
	return 0;
}

/* Links are followed: a package's file is masked by one to /dev/null. */
static int add_file(struct system_names *names, int directory, const char *name)
{
	_cleanup_fd_ int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	_cleanup_free_ char *text = NULL;
	struct stat st;
	int r;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &st) != 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return 0;
	text = malloc(FILE_SIZE_MAX);
	if (!text)
		return -ENOMEM;
	r = read_text(fd, text, FILE_SIZE_MAX);
	return r == 0 ? add_text(names, text) : r;
}

static bool is_configuration(const char *name)
{
	size_t length = strlen(name);

	return name[0] != '.' && length > strlen(".conf") && strcmp(name + length - strlen(".conf"), ".conf") == 0;
}

static int add_directory(struct system_names *names, const char *path)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;
	int r = 0;

	if (!directory)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	do {
		errno = 0;
		entry = readdir(directory);
		if (!entry)
			r = -errno;
		else if (is_configuration(entry->d_name))
			r = add_file(names, dirfd(directory), entry->d_name);
	} while (entry && r == 0);
	(void)closedir(directory);
	return r;
}

static int compare(const void *one, const void *other)
{
	return strcmp(*(char *const *)one, *(char *const *)other);
}

static void sort_once(struct system_names *names)
{
	size_t kept = 0;

	if (names->count == 0)
		return;
	qsort(names->items, names->count, sizeof(names->items[0]), compare);
	for (size_t i = 1; i < names->count; i++) {
		if (strcmp(names->items[kept], names->items[i]) == 0)
			free(names->items[i]);
		else
			names->items[++kept] = names->items[i];
	}
	names->count = kept + 1;
}

int system_names_load(const char *const *directories, struct system_names **ret_names)
{
	struct system_names *names = calloc(1, sizeof(*names));
	int r = names ? 0 : -ENOMEM;

	for (const char *const *path = directories ? directories : default_directories; r == 0 && *path; path++)
		r = add_directory(names, *path);
	if (r < 0) {
		system_names_free(names);
		return r;
	}
	sort_once(names);
	*ret_names = names;
	return 0;
}

void system_names_free(struct system_names *names)
{
	if (!names)
		return;
	for (size_t i = 0; i < names->count; i++)
		free(names->items[i]);
	free(names->items);
	free(names);
}

bool system_names_contains(const struct system_names *names, const char *name)
{
	return names->count > 0 && bsearch(&name, names->items, names->count, sizeof(names->items[0]), compare) != NULL;
}

size_t system_names_count(const struct system_names *names)
{
	return names->count;
}
