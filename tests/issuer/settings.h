/*
 * What the control endpoint can set: one table of names, types and defaults.
 */
#ifndef ISSUER_SETTINGS_H
#define ISSUER_SETTINGS_H

#include <stdbool.h>

#include <jansson.h>

/* A new object with every default. */
json_t *settings_defaults(void);
/* Applies `changes` (an object). NULL; or what is wrong with it, and nothing was changed. The caller frees. */
char *settings_change(json_t *settings, json_t *changes);

bool setting_true(const json_t *settings, const char *name);
json_int_t setting_integer(const json_t *settings, const char *name);
/* NULL when it is not set to a string. */
const char *setting_string(const json_t *settings, const char *name);

/* Sets the members of `changes` in `object`, one level deep; null removes. Does nothing when `changes` is no object. */
void json_overlay(json_t *object, json_t *changes);

#endif
