/*
 * Parsers of single configuration values, by type. Each takes the text as written and fills a field of the type its name
 * says, or returns false and leaves the field alone. Used by the table in config_keys.c.
 */
#ifndef COMMON_CONFIG_VALUES_H
#define COMMON_CONFIG_VALUES_H

#include <stdbool.h>

#include "common/config.h"

struct config_key;
typedef bool value_parser(const struct config_key *key, const char *text, void *field);

value_parser parse_text;         /* char *: any text without controls */
value_parser parse_client_id;    /* char *: printable ASCII (RFC 6749, appendix A.1) */
value_parser parse_path;         /* char *: an absolute path without `:` */
value_parser parse_home;         /* char *: the same with exactly one %u, in its last component */
value_parser parse_https_url;    /* char *: https://HOST[:PORT][/PATH], no query, fragment or user */
value_parser parse_host;         /* char *: HOST[:PORT] */
value_parser parse_proxy;        /* char *: http://, https:// or socks5h:// URL */
value_parser parse_number;       /* long: within the key's min and max */
value_parser parse_yes_no;       /* bool */
value_parser parse_word;         /* int: index into the key's words */
value_parser parse_words;        /* struct string_list: each one of the key's words */
value_parser parse_mode;         /* mode_t: octal, not writable by others */
value_parser parse_duration;     /* int64_t: seconds; 90s, 15m, 12h, 30d */
value_parser parse_uid_range;    /* struct accounts_config (uid_first, uid_last) */
value_parser parse_scopes;       /* char *: space-separated, with openid */
value_parser parse_domains;      /* struct string_list, lower case */
value_parser parse_names;        /* struct string_list of account names */
value_parser parse_list;         /* struct string_list: comma-separated, "quoted" where they hold commas or colons */
value_parser parse_rooms;        /* struct string_list: what can stand in GECOS, and be chosen by its number */
value_parser parse_group_map;    /* struct group_map */
value_parser parse_networks;     /* struct network_list */

/* True for what documentation puts where a value belongs: <client id>, ${ID}, CHANGEME, your-client-id. */
bool value_is_placeholder(const char *text);

void string_list_free(struct string_list *list);
void group_map_free(struct group_map *map);

#endif
