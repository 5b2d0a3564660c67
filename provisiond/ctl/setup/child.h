/*
 * The two daemons' programs, started for one answer: `pam_oidcd --probe`, `provisiond --preview` and `-t`. Without a
 * shell, by their whole path, with a clean environment, and out of the terminal's reach.
 */
#ifndef PROVISIOND_CTL_SETUP_CHILD_H
#define PROVISIOND_CTL_SETUP_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/cleanup.h"

#define CHILD_SAID_MAX 4096

struct child {
	pid_t pid;  /* -1: none */
	int socket; /* to its standard input and output: SOCK_SEQPACKET, non-blocking; closing it ends what it waits for
		     */
	int said;   /* a file in memory: its standard error */
};

#define NO_CHILD ((struct child){ .pid = -1, .socket = -1, .said = -1 })

/* Starts argv[0]. 0, and the caller ends it with child_end(); or an errno. */
int child_start(const char *const argv[], struct child *ret_child);
/* Closes the socket, waits for its end (ten seconds, then it is killed), and returns its exit status; 128 and the
 * signal where that ended it; -1 when there was none. What it said is kept. */
int child_end(struct child *child);
/* What it said on standard error, cut to the last CHILD_SAID_MAX - 1 bytes and without blanks at the end. */
void child_said(const struct child *child, char ret_text[static CHILD_SAID_MAX]);
/* The same as child_end(), and forgets all of it. */
void child_release(struct child *child);

#define _cleanup_child_ _cleanup_(child_release)

#endif
