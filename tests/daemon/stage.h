/*
 * A stage for the sign-in server: the server itself on its loop, the real test issuer in a process of its own, a
 * provisiond that answers as it is told, and callers. All but the issuer live in the test's process and on one loop,
 * which runs only while the test waits for something; and the clock of wire_now_ms() can be put forward.
 */
#ifndef TESTS_DAEMON_STAGE_H
#define TESTS_DAEMON_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>

#include "common/wire.h"
#include "pam_oidc/http.h"
#include "pam_oidc/loop.h"
#include "pam_oidc/realm.h"
#include "pam_oidc/signin_server.h"

/* What provisiond does with a question. */
enum provisiond_manner {
	PROVISIOND_ANSWERS,
	PROVISIOND_IS_SILENT,
	PROVISIOND_HANGS_UP,
	PROVISIOND_TALKS_GARBAGE,
	PROVISIOND_SAYS_TOO_MUCH,
};

struct stage {
	char folder[64]; /* the working directory */
	char *issuer;    /* its URL */
	char *ca_file;
	struct loop *loop;
	struct http *http;
	struct realm *realm;
	struct signin_server *server;

	struct {
		enum provisiond_manner lookup_manner, admit_manner, refused_manner;
		char lookup[512], admit[512]; /* fields of the answers, separated by newlines */
		char lookup_asked[4096];      /* the last questions, in the same form */
		char admit_asked[65536];
		char refused_told[1024]; /* the last op=refused, likewise */
		int lookups, admits, refusals;
		int open; /* connections that are open */
	} provisiond;

	char log[65536]; /* every line since the scene began */
};

extern struct stage stage;

/* False, with a word on standard error and a line of TAP, where the issuer was not built, or where root is needed (its
 * questions and its callers' uids) and this is another user. */
bool stage_here(bool needs_root);
/* For cmocka: the group's set-up and tear-down start and stop the issuer, the test's make and take down the rest, with
 * the plain configuration. */
int stage_open(void **state);
int stage_close(void **state);
int stage_begin_scene(void **state);
int stage_end_scene(void **state);

/* Makes a realm of these lines for [login] and [tenant clinic], "" for none. */
struct realm *stage_realm(const char *login, const char *tenant);
/* The server uses another configuration from now on. */
void stage_reconfigure(const char *login, const char *tenant);
/* Takes the server down and sets it up with another one, before anything happened. */
void stage_restart(const char *login, const char *tenant);

/* Puts the clock forward. */
void stage_advance(int64_t ms);
/* Runs the loop until the condition holds; false when it did not within some seconds of real time. */
bool stage_run_until(bool (*holds)(void *context), void *context);
/* Runs until nothing has happened for a while, so that what must not happen would have. */
void stage_settle(void);

/* Speaks to the issuer's control endpoint; the JSON is written with ' for ". The answer lives until the next call. */
const json_t *stage_control(const char *verb, const char *json, ...) __attribute__((format(printf, 2, 3)));
void stage_approve(const char *user, const char *user_code);
/* How often an endpoint of the issuer was asked since the scene began. */
long stage_requests(const char *endpoint);
/* Waits until it was asked so often, without touching the clock. */
void stage_await_requests(const char *endpoint, long count);

/* --- callers --- */

struct caller {
	int fd;
	struct loop_watch *watch;
	bool closed; /* the server hung up */
	size_t count, heard;
	struct {
		char *bytes;
		size_t length;
	} messages[64];
};

/* Connects as this user; without root only as oneself. */
struct caller *caller_connect(uid_t uid);
/* From now on what comes is left unread. */
void caller_reads_no_more(struct caller *caller);
/* From now on nothing can be sent to it any more. */
void caller_takes_no_more(struct caller *caller);
/* Hangs up and frees. Takes NULL. */
void caller_hang_up(struct caller *caller);
/* Sends fields separated by newlines: "op=login\nname=alice". */
void caller_say(struct caller *caller, const char *fields, ...) __attribute__((format(printf, 2, 3)));
void caller_say_bytes(struct caller *caller, const char *bytes, size_t length);
/* The next message; NULL when the server hung up instead. Fails the test when neither comes. */
const struct wire_message *caller_hear(struct caller *caller);
/* The next message, of this status. */
const struct wire_message *caller_hear_status(struct caller *caller, const char *status);
/* The next message is a refusal for this reason; its text, which lives until the next call. */
const char *caller_refused(struct caller *caller, const char *reason);
/* The server hangs up without another word. */
void caller_hung_up_on(struct caller *caller);
/* Puts the clock forward second by second until something comes, at most so far. */
void caller_waits(struct caller *caller, int64_t ms);
/* Nothing comes, and nobody hangs up. */
void caller_hears_nothing(struct caller *caller);

/* Connects as root and begins a sign-in from 198.51.100.7 over sshd for that name, with more fields or "". */
struct caller *caller_signs_in(const char *name, const char *more);
/* The same, up to the code that is shown. */
struct caller *caller_shown(const char *name, const char *more, char *ret_code, size_t size);
/* The value of a field in the form of admit_asked; "" when missing. Lives until the next call. */
const char *asked(const char *fields, const char *key);

#endif
