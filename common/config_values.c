/*
 * Parses single configuration values. Pure: every function takes text and fills a field; what was expected stands in
 * the key's row, so nothing here builds messages.
 */
#include "common/config_values.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/config_keys.h"
#include "common/names.h"
#include "common/utf8.h"

/* gcc's analyzer loses what is reached through an array, and calls it leaked; the leak checks of the tests see it
 * freed. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif

static bool store(char **field, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		return false;
	free(*field);
	*field = copy;
	return true;
}

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

static bool has_control(const char *text)
{
	for (; *text; text++)
		if (is_control(*text))
			return true;
	return false;
}

bool value_is_placeholder(const char *text)
{
	static const char *const marks[] = { "changeme",   "change-me",  "change_me", "replaceme",
					     "replace-me", "replace_me", "your-",     "your_",
					     "${",         "{{",         "xxxx" };

	if (text[0] == '<' || (text[0] == '{' && text[1] != '\0'))
		return true;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (strcasestr(text, marks[i]))
			return true;
	return false;
}

bool parse_text(const struct config_key *key, const char *text, void *field)
{
	(void)key;
	return text[0] != '\0' && !has_control(text) && !value_is_placeholder(text) && store(field, text);
}

bool parse_client_id(const struct config_key *key, const char *text, void *field)
{
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c >= 0x7f)
			return false;
	return parse_text(key, text, field);
}

bool parse_path(const struct config_key *key, const char *text, void *field)
{
	return text[0] == '/' && !strchr(text, ':') && !strstr(text, "/../") && parse_text(key, text, field);
}

bool parse_home(const struct config_key *key, const char *text, void *field)
{
	const char *percent = strchr(text, '%'), *slash = strrchr(text, '/');

	return percent && percent[1] == 'u' && !strchr(percent + 1, '%') && slash && slash > text && percent > slash &&
	       parse_path(key, text, field);
}

/* HOST or HOST:PORT, where HOST is a DNS name, an IPv4 address or an IPv6 one in brackets. */
static bool authority_ok(const char *text, size_t length)
{
	size_t host = 0;

	if (length > 0 && text[0] == '[') {
		host = 1 + strspn(text + 1, "0123456789ABCDEFabcdef:.");
		if (host == 1 || text[host++] != ']')
			return false;
	} else {
		while (host < length && (strchr("-.", text[host]) || (text[host] >= '0' && text[host] <= '9') ||
					 ((text[host] | 0x20) >= 'a' && (text[host] | 0x20) <= 'z')))
			host++;
	}
	if (host == 0 || text[0] == '.' || text[0] == '-')
		return false;
	if (host == length)
		return true;
	if (text[host] != ':' || host + 1 == length || length - host > 6)
		return false;
	return strspn(text + host + 1, "0123456789") >= length - host - 1;
}

static bool url_ok(const char *text, const char *scheme)
{
	size_t n = strlen(scheme);

	if (strncmp(text, scheme, n) != 0 || strpbrk(text, "?#@\"<>\\^`{|} ") || value_is_placeholder(text + n))
		return false;
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c >= 0x7f || is_control(*c))
			return false;
	return authority_ok(text + n, strcspn(text + n, "/"));
}

bool parse_https_url(const struct config_key *key, const char *text, void *field)
{
	(void)key;
	return url_ok(text, "https://") && store(field, text);
}

bool parse_host(const struct config_key *key, const char *text, void *field)
{
	(void)key;
	return !value_is_placeholder(text) && authority_ok(text, strlen(text)) && store(field, text);
}

bool parse_proxy(const struct config_key *key, const char *text, void *field)
{
	(void)key;
	return (url_ok(text, "http://") || url_ok(text, "https://") || url_ok(text, "socks5h://")) &&
	       store(field, text);
}

/* A whole decimal number without sign that ends at one of the characters in `ends`, or at the end of the text. */
static bool take_number(const char **text, const char *ends, unsigned long long *ret_number)
{
	char *end;

	if (**text < '0' || **text > '9')
		return false;
	errno = 0;
	*ret_number = strtoull(*text, &end, 10);
	if (errno != 0 || (*end != '\0' && !strchr(ends, *end)))
		return false;
	*text = end;
	return true;
}

bool parse_number(const struct config_key *key, const char *text, void *field)
{
	unsigned long long number;

	if (!take_number(&text, "", &number) || number > (unsigned long long)key->max ||
	    number < (unsigned long long)key->min)
		return false;
	*(long *)field = (long)number;
	return true;
}

bool parse_yes_no(const struct config_key *key, const char *text, void *field)
{
	bool yes = strcmp(text, "yes") == 0;

	(void)key;
	if (!yes && strcmp(text, "no") != 0)
		return false;
	*(bool *)field = yes;
	return true;
}

static bool word_index(const struct config_key *key, const char *text, int *ret_index)
{
	for (int i = 0; key->words[i]; i++) {
		if (strcmp(key->words[i], text) != 0)
			continue;
		*ret_index = i;
		return true;
	}
	return false;
}

bool parse_word(const struct config_key *key, const char *text, void *field)
{
	return word_index(key, text, field);
}

bool parse_mode(const struct config_key *key, const char *text, void *field)
{
	mode_t mode = 0;
	size_t length = strlen(text);

	(void)key;
	if (length < 3 || length > 4 || strspn(text, "01234567") != length)
		return false;
	for (; *text; text++)
		mode = mode * 8 + (mode_t)(*text - '0');
	if (mode > 0777 || (mode & (S_IWGRP | S_IWOTH)) || (mode & S_IRWXU) != S_IRWXU)
		return false;
	*(mode_t *)field = mode;
	return true;
}

bool parse_duration(const struct config_key *key, const char *text, void *field)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	unsigned long long number;

	(void)key;
	if (!take_number(&text, "smhd", &number) || number == 0 || number > 1000000 || *text == '\0' || text[1] != '\0')
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (units[i].unit == *text)
			*(int64_t *)field = (int64_t)number * units[i].seconds;
	return true;
}

bool parse_uid_range(const struct config_key *key, const char *text, void *field)
{
	struct accounts_config *accounts = field;
	unsigned long long first, last;

	(void)key;
	if (!take_number(&text, "-", &first) || *text++ != '-' || !take_number(&text, "", &last))
		return false;
	/* 65534 is nobody, 65535 the 16-bit "no id"; ids past 2^31 - 2 upset programs that keep them in an int. */
	if (first < 1000 || last > 2147483646 || last < first + 999 || (first <= 65535 && last >= 65534))
		return false;
	accounts->uid_first = (uid_t)first;
	accounts->uid_last = (uid_t)last;
	return true;
}

bool parse_scopes(const struct config_key *key, const char *text, void *field)
{
	const char *at = text;
	bool openid = false;

	while (*at) {
		size_t n = strcspn(at, " ");

		openid = openid || (n == 6 && strncmp(at, "openid", n) == 0);
		at += n;
		at += strspn(at, " ");
	}
	return openid && !strpbrk(text, "\"\\,") && parse_text(key, text, field);
}

/* A list item: what stands before a comma (or another of `ends`), or "what stands in quotes". Moves the cursor behind
 * it. */
static char *take_item(const char **text, const char *ends)
{
	const char *at = *text + strspn(*text, " \t"), *end;
	char *item;

	if (*at == '"') {
		end = strchr(++at, '"');
		if (!end)
			return NULL;
		*text = end + 1 + strspn(end + 1, " \t");
	} else {
		end = at + strcspn(at, ends);
		*text = end;
		while (end > at && (end[-1] == ' ' || end[-1] == '\t'))
			end--;
	}
	if (end == at || (**text != '\0' && !strchr(ends, **text)))
		return NULL;
	item = strndup(at, (size_t)(end - at));
	return item;
}

void string_list_free(struct string_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct string_list){ 0 };
}

/* At least as many as a list in this text can have. */
static size_t count_items(const char *text)
{
	size_t count = 1;

	for (; *text; text++)
		count += *text == ',';
	return count;
}

/* Reads a comma-separated list, each item of which must be `wanted`. */
static bool parse_list_of(const struct config_key *key, const char *text, struct string_list *field,
			  bool (*wanted)(const struct config_key *key, char *item))
{
	_cleanup_(string_list_free) struct string_list list = { .items = calloc(count_items(text), sizeof(char *)) };

	if (!list.items)
		return false;
	for (;; text++) {
		char *item = take_item(&text, ",");

		if (!item)
			return false;
		/* Counted last, so that it is not found among the others. */
		list.items[list.count] = item;
		if (has_control(item) || !wanted(key, item) || string_list_contains(&list, item)) {
			list.count++;
			return false;
		}
		list.count++;
		if (*text == '\0')
			break;
	}
	string_list_free(field);
	*field = list;
	list = (struct string_list){ 0 };
	return true;
}

static bool any_item(const struct config_key *key, char *item)
{
	(void)key;
	return !value_is_placeholder(item);
}

static bool domain_item(const struct config_key *key, char *item)
{
	(void)key;
	if (!domain_ok(item))
		return false;
	for (char *c = item; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return true;
}

static bool name_item(const struct config_key *key, char *item)
{
	(void)key;
	return account_name_ok(item);
}

static bool word_item(const struct config_key *key, char *item)
{
	int index;

	return word_index(key, item, &index);
}

bool parse_list(const struct config_key *key, const char *text, void *field)
{
	return parse_list_of(key, text, field, any_item);
}

bool parse_domains(const struct config_key *key, const char *text, void *field)
{
	return parse_list_of(key, text, field, domain_item);
}

bool parse_names(const struct config_key *key, const char *text, void *field)
{
	return parse_list_of(key, text, field, name_item);
}

bool parse_words(const struct config_key *key, const char *text, void *field)
{
	return parse_list_of(key, text, field, word_item);
}

#define ROOMS_MAX 99
#define ROOM_MAX 64 /* bytes */

/* Somebody who is asked types a number: a room of that name could not be told from the room of that number. */
static bool is_choice(const char *item)
{
	return strspn(item, "0123456789") == strlen(item) && strlen(item) <= 2;
}

static bool room_item(const struct config_key *key, char *item)
{
	size_t length = strlen(item);

	if (!any_item(key, item) || length > ROOM_MAX || is_choice(item) || item[0] == ' ' || item[length - 1] == ' ')
		return false;
	while (*item) {
		uint32_t point = 0;
		size_t bytes = utf8_decode(item, &point);

		if (bytes == 0 || utf8_is_control(point) || utf8_is_invisible(point) ||
		    (point < 0x80 && strchr(",:\"'`", (int)point)))
			return false;
		item += bytes;
	}
	return true;
}

bool parse_rooms(const struct config_key *key, const char *text, void *field)
{
	_cleanup_(string_list_free) struct string_list list = { 0 };

	if (!parse_list_of(key, text, &list, room_item) || list.count > ROOMS_MAX)
		return false;
	string_list_free(field);
	*(struct string_list *)field = list;
	list = (struct string_list){ 0 };
	return true;
}

void group_map_free(struct group_map *map)
{
	for (size_t i = 0; i < map->count; i++) {
		free(map->items[i].okta_group);
		free(map->items[i].local_group);
	}
	free(map->items);
	*map = (struct group_map){ 0 };
}

static bool is_doubled(const struct group_map *map, const struct group_mapping *mapping)
{
	for (const struct group_mapping *other = map->items; other < mapping; other++)
		if (strcmp(other->okta_group, mapping->okta_group) == 0 &&
		    strcmp(other->local_group, mapping->local_group) == 0)
			return true;
	return false;
}

static bool take_mapping(const char **text, struct group_mapping *mapping)
{
	mapping->okta_group = take_item(text, ":,");
	if (!mapping->okta_group || has_control(mapping->okta_group) || *(*text)++ != ':')
		return false;
	mapping->local_group = take_item(text, ",");
	return mapping->local_group && account_name_ok(mapping->local_group) &&
	       !value_is_placeholder(mapping->okta_group);
}

bool parse_group_map(const struct config_key *key, const char *text, void *field)
{
	_cleanup_(group_map_free) struct group_map map = { .items = calloc(count_items(text),
									   sizeof(struct group_mapping)) };

	(void)key;
	if (!map.items)
		return false;
	for (;; text++) {
		struct group_mapping *mapping = &map.items[map.count++];

		if (!take_mapping(&text, mapping) || is_doubled(&map, mapping))
			return false;
		if (*text == '\0')
			break;
	}
	group_map_free(field);
	*(struct group_map *)field = map;
	map = (struct group_map){ 0 };
	return true;
}

bool parse_networks(const struct config_key *key, const char *text, void *field)
{
	_cleanup_(string_list_free) struct string_list list = { 0 };
	struct network_list *networks = field;
	_cleanup_free_ struct network *items = NULL;

	if (!parse_list_of(key, text, &list, any_item))
		return false;
	items = calloc(list.count, sizeof(*items));
	if (!items)
		return false;
	for (size_t i = 0; i < list.count; i++)
		if (!network_parse(list.items[i], &items[i]))
			return false;
	free(networks->items);
	*networks = (struct network_list){ .items = take_pointer(items), .count = list.count };
	return true;
}
