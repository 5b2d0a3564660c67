/*
 * The process in which the libraries of other name services run: it takes questions from a socket and answers one
 * after the other. They may hang, crash or leak there; provisiond does not notice.
 */
#ifndef PROVISIOND_SOURCE_CHILD_H
#define PROVISIOND_SOURCE_CHILD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "provisiond/nsswitch.h"

#define SOURCE_NAME_SIZE 256 /* of what is asked for, with NUL */
#define SOURCE_NONE (-1)

/* Both travel between the two halves of one program, one a packet. */
struct source_question {
	uint64_t id;
	uint32_t uid;
	bool with_uid;
	bool user_only;              /* no group of that name is looked for */
	char name[SOURCE_NAME_SIZE]; /* empty: not asked */
};

struct source_finding {
	int32_t answer; /* enum source_answer */
	int32_t source; /* index of the one that knows or does not answer, or SOURCE_NONE */
};

struct source_reply {
	uint64_t id;
	struct source_finding name, uid;
	uint32_t missing; /* a bit for each source without a library: it cannot know anybody */
	uint32_t broken;  /* a bit for each source whose library cannot be loaded */
};

/* Forks the child. It ends with its parent, and when the socket closes. `current` is shared memory in which it keeps
 * the index of the source that it is asking. Returns its pid and *ret_socket (CLOEXEC, non-blocking, SOCK_SEQPACKET),
 * or -errno. */
pid_t source_child_start(const struct nss_sources *sources, atomic_int *current, int *ret_socket);

#endif
