/*
 * The daemons' log: journal fields when there is a journal, syslog where only that is, standard error otherwise.
 * Not for the modules, which have pam_syslog(3).
 *
 * Everything is escaped on its way out (controls, DEL and non-ASCII bytes become \xNN), so remote text can be given as it came.
 * Tokens, codes and secrets are never given.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <syslog.h>

/* A journal field, for example { "OIDC_TENANT", "clinic" }; the name is [A-Z][A-Z0-9_]*. A NULL value is left out. */
struct log_field {
	const char *name;
	const char *value;
};

#define LOG_FIELDS(...) ((const struct log_field[]){ __VA_ARGS__, { NULL, NULL } })

enum log_target { LOG_TO_AUTO, LOG_TO_STDERR };

/* Opens the log of this process. The identifier must live on. LOG_TO_STDERR is for commands that a person runs. */
void log_open(const char *identifier, enum log_target target, bool debug);
/* Messages go to `write_line` instead, for tests and for commands that tell people in other ways. */
void log_divert(void (*write_line)(int priority, const char *line));

/* One message. priority is LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO or LOG_DEBUG; fields may be NULL. Keeps errno. */
void log_event(int priority, const struct log_field *fields, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(...) log_event(LOG_ERR, NULL, __VA_ARGS__)
#define log_warning(...) log_event(LOG_WARNING, NULL, __VA_ARGS__)
#define log_notice(...) log_event(LOG_NOTICE, NULL, __VA_ARGS__)
#define log_info(...) log_event(LOG_INFO, NULL, __VA_ARGS__)
#define log_debug(...) log_event(LOG_DEBUG, NULL, __VA_ARGS__)

#endif
