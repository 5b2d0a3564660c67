/*
 * What a health check found: each with its level, what it is about, a sentence, and what to do about it.
 */
#ifndef PROVISIOND_CTL_HEALTH_FINDINGS_H
#define PROVISIOND_CTL_HEALTH_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/cleanup.h"

enum level { LEVEL_GOOD, LEVEL_WARNING, LEVEL_ERROR, LEVEL_COUNT };

/* "good", "warning", "error": as on the screen, in JSON and on the wire. */
const char *level_name(enum level level);

struct finding {
	enum level level;
	char *item;    /* the topic: "files", "pam", "sshd", ... */
	char *subject; /* a file, a service, an account, a tenant; "" for none */
	char *text;    /* as it was found: may hold what came from elsewhere */
	char *remedy;  /* "" for none */
};

struct findings {
	struct finding *items;
	size_t count, capacity;
	bool failed; /* there was no memory for one */
};

/* Adds one. subject and remedy may be NULL; format is of the text. */
void findings_add(struct findings *findings, enum level level, const char *item, const char *subject,
		  const char *remedy, const char *format, ...) __attribute__((format(printf, 6, 7)));
/* How many there are of that level. */
size_t findings_of(const struct findings *findings, enum level level);
void findings_release(struct findings *findings);

#define _cleanup_findings_ _cleanup_(findings_release)

/* Lines for people: the level, the topic, the text, and what to do below it. Text is made harmless. With `columns`
 * above 0 lines are broken there. False without memory. */
bool findings_print(const struct findings *findings, bool colour, size_t columns);
/* One object for programs. */
void findings_print_json(const struct findings *findings);

#endif
