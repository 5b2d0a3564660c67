/*
 * The world in which the fuzz target `module` runs pam_oidc.so: PAM itself, the application's conversation, the kernel
 * as far as the module sees it (sockets, poll, clocks, /proc), and the two daemons at the other end. All of it goes by
 * a script, nothing waits, and time passes only while the module waits for something.
 */
#ifndef TESTS_FUZZ_MODULE_WORLD_H
#define TESTS_FUZZ_MODULE_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire.h"

#define EVENTS_MAX 32
#define CONNECTIONS_MAX 8
#define SAID_MAX ((size_t)128 * 1024)
#define ALICE_UID 2000200007u
#define TYPED "my password by mistake"
#define TICKET "T-5ecret"

/* What a daemon does, after so many milliseconds. */
struct event {
	enum event_kind {
		EVENT_PACKET,
		EVENT_HANG_UP,
		EVENT_ERROR,
		EVENT_INTERRUPT,   /* a signal while the module waits */
		EVENT_CLIENT_GOES, /* the ssh client hangs up */
	} kind;
	int64_t after_ms;
	const char *bytes;
	size_t length;
};

struct script {
	struct event events[EVENTS_MAX];
	size_t count;
};

/* An open socket of the module's. */
struct connection {
	int fd; /* 0: none (the script's descriptors are above) */
	bool to_provisiond;
	const struct script *script; /* NULL until it is known what is asked */
	size_t next;
	int64_t due_ms;     /* of the next event */
	int64_t timeout_ms; /* of connecting; 0: none */
	bool blocking;      /* waits for its turn to connect */
	bool broken;        /* by an error */
};

struct world {
	/* what the input says */
	const char *service, *user, *tty, *rhost, *title, *stat;
	const char *letters; /* see fuzz_module.c */
	const char *conversation;
	struct script pam_oidcd, standing, redeem, lookup, answer;
	bool secrets_apart; /* TICKET stands nowhere but in tickets, and TYPED nowhere */

	/* what has become of it */
	bool running;
	int64_t now_ms;
	unsigned calls; /* of the kernel */
	struct connection connections[CONNECTIONS_MAX];
	int files; /* open ones of /proc */
	bool client_gone;
	unsigned conversations;
	char *typed; /* what was answered to the prompt, while the module has it */
	char pam_user[512];
	bool pam_user_set;
	char environment[5][1024]; /* USER, LOGNAME, PAM_OIDC_WELCOME, OIDC_EMAIL, OIDC_ROOM; empty when not set */
	char authtok[512];         /* what later modules get; empty when not set */

	/* what the module asked, and was told */
	bool asked_redeem, asked_login, asked_room; /* the last: the person was */
	size_t redeemed_length;
	char redeemed[2048];     /* the question */
	char answered[WIRE_MAX]; /* the packet that answered it */
	size_t answered_length;  /* 0: none */
	char stood[WIRE_MAX];    /* the same for standing */
	size_t stood_length;
	char room[256]; /* the one that was answered; empty for none */
	unsigned rooms_told, logins;
	size_t screen_before; /* the call */
	bool room_done;       /* provisiond took it */
	char screen[SAID_MAX], log[SAID_MAX];
	size_t screen_length, log_length;
};

extern struct world world;

/* Whether it is well-formed UTF-8 that only stands there. */
bool world_is_text(const char *text);
/* Everything back to the beginning; the caller fills in what the input says. */
void world_reset(void);

#endif
