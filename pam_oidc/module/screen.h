/*
 * The text that a person reads while signing in. Pure: builds it from values, and lets nothing through that could
 * do more to a terminal than show a character.
 */
#ifndef PAM_OIDC_MODULE_SCREEN_H
#define PAM_OIDC_MODULE_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "pam_oidc/module/application.h"

/* Room for every screen: all fields at their limits. */
#define SCREEN_MAX ((size_t)24 * 1024)

#define QR_COLUMNS_MAX 80
#define QR_ROWS_MAX 64

/* What the screen says. Text from a daemon comes as it came; the application's is printable already. */
struct screen {
	const struct application *application;
	const char *name; /* as typed */
	const char *host;
	const char *url;
	const char *complete; /* the URL with the code in it; NULL or empty: none */
	const char *code;
	const char *qr; /* rows with \n; NULL or empty: none */
	unsigned expires_in_s;
	struct tm until; /* that moment on the clock */
	bool press_enter;
};

/* Writes the whole screen, without a newline at its end. The QR code is left out unless every row of it consists of
 * blocks, half blocks and printable ASCII and fits the screen (RFC 8628, 3.3.1 and 5.4: URL and code always stand
 * beside it, and who started this). False when it does not fit. */
bool screen_text(const struct screen *screen, char *ret_text, size_t size);

/* Writes "1 minute 50 seconds". */
void screen_duration(unsigned seconds, char *ret_text, size_t size);

#endif
