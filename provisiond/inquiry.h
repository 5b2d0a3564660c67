/*
 * One inquiry at the other name services: who has a name, and who has a uid.
 */
#ifndef PROVISIOND_INQUIRY_H
#define PROVISIOND_INQUIRY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "provisiond/sources.h"

struct inquiries;

/* What the other name services say. */
struct source_facts {
	bool asked;     /* false: nobody was asked, and all below is empty */
	bool user_only; /* by inquire_for_user(): no more than whether the name is a user's */
	enum source_answer name;
	enum source_answer uid; /* of asked_uid; SOURCE_UNKNOWN when only the name was asked about */
	uid_t asked_uid;
	char name_source[64]; /* who knows the name, or does not answer */
	char uid_source[64];
};

typedef void inquiry_answered(void *context, const struct source_facts *facts);

/* `sources` is borrowed. NULL without memory. */
struct inquiries *inquiries_new(struct sources *sources);
/* Answers all that are under way, as if nobody had answered. Takes NULL. */
void inquiries_free(struct inquiries *inquiries);

/* Asks; `answered` is called once, perhaps before this returns, and at deadline_ms (wire_now_ms()) at the latest. */
void inquire(struct inquiries *inquiries, const char *name, bool with_uid, uid_t uid, int64_t deadline_ms,
	     inquiry_answered *answered, void *context);
/* The same for whether anybody knows the name as a user's, and no more: not enough for making an account. */
void inquire_for_user(struct inquiries *inquiries, const char *name, int64_t deadline_ms, inquiry_answered *answered,
		      void *context);

#endif
