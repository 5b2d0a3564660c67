/*
 * What a check of the configuration, of the issuer or of a person's token has found: how good it is, what was seen, and
 * what to do about it. One finding is one line on a terminal, or one message.
 */
#ifndef PAM_OIDC_FINDING_H
#define PAM_OIDC_FINDING_H

#include <stdbool.h>
#include <stdio.h>

#include "common/wire.h"

enum finding_level {
	FINDING_GOOD,
	FINDING_WARNING, /* people can sign in, and something is to be done */
	FINDING_BAD,     /* nobody can, or not everybody who should */
};

#define FINDING_TEXT_MAX 640 /* bytes, with NUL */

/* All text is UTF-8 without characters that move a cursor, end a line or hide: see finding_say(). */
struct finding {
	const char *tenant; /* "": the configuration as a whole */
	const char *item; /* "configuration" "secret" "discovery" "tls" "clock" "keys" "client" "device_code" "approval"
			     "token" "email" "email_verified" "groups" "username" "amr" "userinfo" */
	enum finding_level level;
	char text[FINDING_TEXT_MAX];
	const char *remedy; /* what to do, see okta_remedy.h; NULL: nothing */
	int days;           /* of a certificate that are left; -1: this is not about one */
};

typedef void finding_found(void *context, const struct finding *finding);

/* Of that item and level. The text is cut to its room, and what is no printable character in it becomes '?', since much
 * of it comes from the network. tenant, item and remedy are kept as pointers; remedy is dropped from what is good. */
struct finding finding_say(const char *tenant, const char *item, enum finding_level level, const char *remedy,
			   const char *format, ...) __attribute__((format(printf, 5, 6)));

/* "good", "warning" or "bad". Lives for ever. */
const char *finding_level_name(enum finding_level level);

/* `status=finding` with its fields. */
void finding_write(const struct finding *finding, char *buffer, size_t capacity, struct wire_writer *ret_writer);
/* A line, and where there is a remedy one more. utf8: whether the terminal shows it; else it is ASCII. */
void finding_print(const struct finding *finding, bool utf8, FILE *out);

/* Prints text with whatever the terminal cannot show, or should not be sent, as '?'. */
void finding_print_text(const char *text, bool utf8, FILE *out);

#endif
