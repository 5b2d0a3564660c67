/*
 * What the files named manage*.c share, and nobody else includes: an order of the administrator's (link, add, unlink,
 * reserve, room, deactivate, reactivate, reassign, remove), and what is judged of it.
 *
 * Every order is judged at once, and when nothing stands against it, again when the account files are locked. Only the
 * latter judgement is carried out; with dry=1 the first one is the answer.
 */
#ifndef PROVISIOND_MANAGE_H
#define PROVISIOND_MANAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "provisiond/account_record.h"
#include "provisiond/events.h"
#include "provisiond/inquiry.h"
#include "provisiond/passwd.h"
#include "provisiond/planned_change.h"
#include "provisiond/server.h"
#include "provisiond/service.h"

#define MANAGE_SENTENCE_MAX 512
#define MANAGE_SENTENCES 6

enum manage_verdict {
	MANAGE_REFUSED,
	MANAGE_ASK,     /* the administrator is to confirm it */
	MANAGE_LATER,   /* its account is just being made */
	MANAGE_NOTHING, /* it is so already */
	MANAGE_RECORD,  /* put_on_record() is to be called */
	MANAGE_CHANGE,  /* the plan is to be carried out */
};

struct manage {
	struct service *service;
	struct question *question;
	const struct manage_order *order;
	char *bytes; /* the message, into which the next four point; NULL or "" where it does not say */
	const char *name, *email, *subject, *room;
	uid_t uid;
	bool has_uid, dry, confirmed, keep_sessions, delete_home;
	char asker[128];
	struct source_facts sources;
	uid_t uid_in_question; /* that the name services are asked about */
	/* What the latest judgement found and said. */
	enum manage_verdict verdict;
	const char *reason; /* of a refusal, on the wire */
	char text[MANAGE_SENTENCE_MAX];
	char did[MANAGE_SENTENCES][MANAGE_SENTENCE_MAX];
	unsigned did_count;
	struct account_record record; /* of the name, when there is one */
	struct account_now now;
	struct planned_change change;                               /* with MANAGE_CHANGE */
	int (*put_on_record)(struct manage *manage, int64_t now_s); /* with MANAGE_RECORD. 0, -EEXIST or -EIO */
	struct event_facts told;                                    /* who the event is about; points into the rest */
};

/* Judges an order by what is true now. now_s: epoch seconds. */
typedef void manage_judge(struct manage *manage, int64_t now_s);

manage_judge manage_link, manage_add, manage_reserve;       /* manage_expected.c */
manage_judge manage_unlink, manage_room, manage_deactivate; /* manage_account.c, as the next */
manage_judge manage_reactivate, manage_reassign, manage_remove;

/* ---- for judges (manage_judgement.c) ---- */

/* What a refusal is called on the wire: scripts may go by it. */
#define REFUSED_NOT_FOUND "not_found"
#define REFUSED_CONFLICT "conflict"       /* a rule stands against it */
#define REFUSED_UNFIT "unfit"             /* what was given cannot be a name, an address, a room */
#define REFUSED_UNAVAILABLE "unavailable" /* a name service does not answer */
#define REFUSED_STORAGE "storage"         /* the disk, the database, the account files */

/* Refuses with a sentence that says what to do. Returns false. */
bool manage_refuse(struct manage *manage, const char *reason, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Adds a sentence about what is done (or would be). */
void manage_did(struct manage *manage, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The account of the name, into manage->record. False when there is none, or it is just being made, or the database
 * does not answer: then that is the verdict. */
bool manage_find_account(struct manage *manage);
/* The same, which is also in the account files (into manage->now) and in none of a removed account's states. `doing` is
 * what was wanted, for the refusal: "deactivate". */
bool manage_find_living_account(struct manage *manage, const char *doing);
/* What the rows in /etc/passwd are, into manage->now. False as above. */
bool manage_find_rows(struct manage *manage);
/* Takes the plan as the verdict; `r` is what the planning returned. */
void manage_take_plan(struct manage *manage, int r);
/* A database that does not answer is the verdict. Returns false. */
bool manage_refuse_storage(struct manage *manage);

/* Forgets what the latest judgement found and said. */
void manage_clear_judgement(struct manage *manage);

#endif
