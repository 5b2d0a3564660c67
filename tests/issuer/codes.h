/*
 * Device codes and what became of them (RFC 8628, 3.2 to 3.5). Found by device code and by user code in logarithmic
 * time, so that thousands can wait at once. Keeps no clock: times are given, in milliseconds of CLOCK_REALTIME.
 */
#ifndef ISSUER_CODES_H
#define ISSUER_CODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

enum code_state { CODE_PENDING, CODE_APPROVED, CODE_DENIED, CODE_USED };

struct device_code {
	char *device_code;
	char *user_code; /* as the answer shows it */
	char *user_code_key;
	char *client_id;
	char *scope;
	enum code_state state;
	char *user; /* the name of who decided; NULL when nobody did */
	int64_t created_ms;
	int64_t expires_ms;
	int64_t decided_ms;
	int64_t interval_ms; /* grows by 5 s with each slow_down */
	int64_t *poll_times;
	size_t polls;
	struct device_code *previous, *next; /* by age */
};

struct codes;

struct codes *codes_new(void);
void codes_free(struct codes *codes);

/* Starts a sign-in. user_code NULL: 8 random letters without vowels (RFC 8628, 6.1). A user code that is in use already
 * leads to the new sign-in from now on. Sign-ins that expired an hour ago are forgotten. The result lives until then.
 */
struct device_code *codes_start(struct codes *codes, const char *user_code, const char *client_id, const char *scope,
				int64_t now_ms, int64_t expires_ms, int64_t interval_ms);

struct device_code *codes_by_device_code(struct codes *codes, const char *device_code);
/* Case, dashes and spaces do not matter. */
struct device_code *codes_by_user_code(struct codes *codes, const char *user_code);
/* The youngest one that is pending and has not expired, or NULL. */
struct device_code *codes_newest_pending(struct codes *codes, int64_t now_ms);

bool code_is_pending(const struct device_code *code, int64_t now_ms);
/* The decision of a person. False when the code is not pending (any more). */
bool code_decide(struct device_code *code, enum code_state state, const char *user, int64_t now_ms);
void code_note_poll(struct device_code *code, int64_t now_ms);
/* Whether the last noted poll came sooner after the one before it than the interval allows (100 ms are forgiven). */
bool code_polled_too_fast(const struct device_code *code);

/* All of them, oldest first, for the control endpoint. */
json_t *codes_describe(const struct codes *codes, int64_t now_ms);

#endif
