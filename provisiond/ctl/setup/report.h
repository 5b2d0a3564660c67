/*
 * What setup tells while it works: one thing a line, with what to do about it underneath. Text from elsewhere is made
 * harmless.
 */
#ifndef PROVISIOND_CTL_SETUP_REPORT_H
#define PROVISIOND_CTL_SETUP_REPORT_H

#include <stdbool.h>

#include "common/wire.h"
#include "provisiond/ctl/setup/change_set.h"

enum report_level { REPORT_GOOD, REPORT_WARNING, REPORT_BAD };

/* Whether standard output takes colours; taken up by all of these. */
void report_use_colour(bool colour);
/* A heading, with an empty line before it. */
void report_heading(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "good  discovery  TEXT", and behind it REMEDY on a line of its own unless it is NULL. item may be NULL. */
void report_line(enum report_level level, const char *item, const char *text, const char *remedy);
/* The same for a `status=finding` message; returns its level, bad for one that cannot be understood. */
enum report_level report_finding(const struct wire_message *finding);
/* For change_set_apply() and its like. */
change_teller report_change;

#endif
