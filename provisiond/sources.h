/*
 * Asks the machine's other name services (every source of nsswitch.conf's passwd and group lines but `files` and
 * `oidc`) whether they know a name or a number, each alone and without ever blocking: getpwnam(3) cannot tell "nobody"
 * from "no answer".
 *
 * The sources' libraries run in a child process that is killed and replaced when it does not answer in time.
 */
#ifndef PROVISIOND_SOURCES_H
#define PROVISIOND_SOURCES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct sources;

enum source_answer {
	SOURCE_UNKNOWN,     /* every source says that it has none of it */
	SOURCE_KNOWN,       /* a source has a user or a group of that name or number */
	SOURCE_UNAVAILABLE, /* no source knows it, but at least one could not say */
};

/* What was found out about a name, or a number; SOURCE_UNKNOWN for what was not asked. */
struct source_verdict {
	enum source_answer answer;
	const char *source; /* that knows or does not answer ("sss"); NULL when there is none to name */
};

/* Tells the answer to one question; both live during the call. May ask and cancel other questions, but not stop the
 * sources. */
typedef void sources_answered(void *context, const struct source_verdict *name, const struct source_verdict *uid);

/* Reads the file ("/etc/nsswitch.conf") and starts the child when there is any other source. Only one thread of the
 * process may use this. NULL when there is no memory or descriptor for it; a file that cannot be read makes answers
 * SOURCE_UNAVAILABLE until it can, a missing one means that there is no other source. */
struct sources *sources_start(const char *nsswitch_path);
/* Kills the child and forgets all questions without answering them. Takes NULL. */
void sources_stop(struct sources *sources);

/* A descriptor that is the same for the whole life of `sources` and becomes readable (poll, epoll) when
 * sources_on_readable() is due. */
int sources_fd(const struct sources *sources);
/* When sources_on_timer() is due (wire_now_ms() milliseconds), or -1: never. Changes with every call below. */
int64_t sources_next_deadline_ms(const struct sources *sources);

/* Asks whether any source knows the name as a user or a group (NULL: not asked), and whether any knows the number as a
 * uid or a gid (with_uid). `answered` is called exactly once unless the question is cancelled: perhaps before
 * sources_ask() returns, at the latest by sources_on_timer() at deadline_ms. When the question that the child is asking
 * passes its deadline, the child is replaced and everything that waits is answered SOURCE_UNAVAILABLE, since it waits
 * for the same source. A changed nsswitch.conf is noticed here. Returns 0, or -errno without any call: -EINVAL for
 * nothing to ask or a name longer than 255 bytes, -ENOMEM. */
int sources_ask(struct sources *sources, const char *name_or_null, bool with_uid, uid_t uid, int64_t deadline_ms,
		sources_answered *answered, void *context);
/* The same for whether any source knows the name as a user, and nothing else. */
int sources_ask_for_user(struct sources *sources, const char *name, int64_t deadline_ms, sources_answered *answered,
			 void *context);
/* Forgets all questions of that context; they are not answered any more. */
void sources_cancel(struct sources *sources, const void *context);

void sources_on_readable(struct sources *sources);
void sources_on_timer(struct sources *sources, int64_t now_ms);

#endif
