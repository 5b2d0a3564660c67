/*
 * What sshd says about itself (`sshd -T`), and its rules by user name. Pure.
 */
#ifndef PROVISIOND_CTL_HEALTH_SSHD_SETTINGS_H
#define PROVISIOND_CTL_HEALTH_SSHD_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/cleanup.h"

struct sshd_patterns {
	char **items;
	size_t count;
};

struct sshd_settings {
	bool use_pam;
	bool keyboard_interactive;
	bool password;
	bool use_dns;
	long login_grace_time_s;                           /* 0: no limit */
	long startups_begin, startups_rate, startups_full; /* MaxStartups */
	bool penalties; /* PerSourcePenalties; false too where this sshd knows none */
	struct sshd_patterns deny_users, allow_users;
	char *authentication_methods; /* "any", or lists */
	char *penalty_exempt;         /* PerSourcePenaltyExemptList; "" for none */
};

/* Reads the output of `sshd -T`. False when it lacks what every sshd says, or without memory. The caller releases it.
 */
bool sshd_settings_parse(const char *text, struct sshd_settings *ret_settings);
void sshd_settings_release(struct sshd_settings *settings);

#define _cleanup_sshd_settings_ _cleanup_(sshd_settings_release)

/* Whether one of AuthenticationMethods' lists can be ended with keyboard-interactive. */
bool sshd_methods_allow_keyboard(const char *authentication_methods);

/* Called for each criterion `User` of a Match line: its patterns, separated by commas, and its line. */
typedef void sshd_take_match(void *context, const char *patterns, unsigned line);
/* Called for each pattern of an Include line. */
typedef void sshd_take_include(void *context, const char *pattern);
/* Reads the text of an sshd_config for these. */
void sshd_config_read(const char *text, sshd_take_match *take_match, sshd_take_include *take_include, void *context);

/* Whether one pattern (with * and ?) matches. A pattern USER@HOST is judged by its user alone. */
bool sshd_pattern_matches(const char *pattern, const char *name);
/* The same for a list separated by commas: one matches, and none that begins with "!". */
bool sshd_list_matches(const char *patterns, const char *name);

#endif
