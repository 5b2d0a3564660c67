/*
 * Who gets which account: the rules, as one pure function. It reads nothing and changes nothing; facts.c brings what it
 * needs to know, lifecycle.c carries out what it says.
 */
#ifndef PROVISIOND_ADMISSION_H
#define PROVISIOND_ADMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/config.h"
#include "common/names.h"
#include "common/reason.h"
#include "provisiond/account_record.h"
#include "provisiond/candidate.h"
#include "provisiond/expected.h"
#include "provisiond/promise.h"
#include "provisiond/standing.h"
#include "provisiond/stands_for.h"

#define FIRST_PERSONS_UID 1000 /* below are the system's */

/* Who has a name that a new account would get. */
enum name_holder {
	NAME_FREE,
	NAME_BUILT_IN,   /* on our list, see reserved_names.h */
	NAME_CONFIGURED, /* in reserved_names */
	NAME_OF_PACKAGE, /* in sysusers.d */
	NAME_LOCAL_USER, /* a row in /etc/passwd or its shadow */
	NAME_LOCAL_GROUP,
	NAME_LOCAL_MEMBER,  /* listed as a member of a group in /etc/group, which a newcomer would inherit */
	NAME_EXPECTED,      /* kept for somebody whom the admin expects under it */
	NAME_OTHER_SOURCE,  /* a user or group that another name service knows */
	NAME_HOLDER_UNKNOWN /* a file or a name service does not answer */
};

/* Who has its uid, or the gid of the same number. */
enum uid_holder {
	UID_FREE,
	UID_OUT_OF_RANGE, /* below 1000 */
	UID_LOCAL_USER,   /* as uid or primary gid */
	UID_LOCAL_GROUP,
	UID_ON_RECORD, /* an account of ours, removed ones included */
	UID_FORMER,    /* of an account that was given to a successor, who has another uid */
	UID_RESERVED,  /* kept for another name */
	UID_OTHER_SOURCE,
	UID_HOLDER_UNKNOWN
};

/* What the machine says about the account that would be made. */
struct account_facts {
	enum name_holder name;
	enum uid_holder uid;
	bool home_exists;
	char holder[128]; /* for the admin: the name of who has it, of the silent source, or of the unreadable file */
};

/* What the machine says about a local user who is to be linked. */
struct local_account {
	bool unreadable; /* the account files are */
	bool there;      /* /etc/passwd has a row of that name */
	uid_t uid;       /* when there, as the next two */
	gid_t gid;
	enum uid_holder holder; /* UID_FREE, or whose the uid is on record */
};

struct admission_question {
	const struct config *config;
	bool has_promise;   /* the name resolved when the sign-in began, ... */
	uid_t promised_uid; /* ... to this uid */
	const char *tenant; /* at whose issuer the person signed in */
	const struct candidate *candidate;
	const char *service, *remote_host; /* PAM's; "" for the console; NULL: nobody said, which is no console */
};

struct admission_facts {
	struct stands_for stands;                /* what the typed name stands for */
	const struct account_record *bound;      /* the account of (issuer, subject), or NULL */
	enum standing bound_standing;            /* when bound */
	const struct account_record *same_email; /* the tenant's account whose person had this email last, or NULL */
	const struct account_record *named;      /* the account with the name in question, or NULL */
	const char *former_name;          /* of the account that the subject had until a successor got it, or NULL */
	const struct expected *expected;  /* who is expected under the name in question, or NULL, as the next */
	const struct expected *own_email; /* who is expected with the person's email */
	struct local_account local;       /* of the name in question; used for who is expected by a link */
	/* Of the name in question; used when no account is bound, or a removed one whose person returns. */
	struct promise promise;
	struct account_facts account;
};

enum verdict_kind {
	VERDICT_REFUSED,
	VERDICT_ADMITTED, /* to the account that is there */
	VERDICT_CREATE,   /* the account is to be made, or to be made again, or its making to be ended */
	VERDICT_LINK,     /* the local account is theirs from now on */
};

struct verdict {
	enum verdict_kind kind;
	enum reason reason; /* REASON_NONE unless refused */
	char account[ACCOUNT_NAME_MAX + 1];
	uid_t uid;
	char sentence[320]; /* for the person; empty: reason_sentence() says it */
	char remedy[400];   /* for the admin's log: what is in the way and what to do; may be empty */
};

/* The name in question, about which facts are gathered: what the typed name stands for, or, where only the person's
 * claim tells, that.
 * "" when there is none. Lives as long as its arguments. */
const char *admission_account(const struct stands_for *stands, const struct candidate *candidate);

/* Applies the rules in their order; the first that refuses decides. */
void admission_decide(const struct admission_question *question, const struct admission_facts *facts,
		      struct verdict *ret_verdict);

/* The part of the rules that needs no identity: whether a new account of that name could be made. Fills *ret_verdict
 * (VERDICT_CREATE or VERDICT_REFUSED). What is promised before a sign-in is decided here too, so it holds after it. */
void admission_of_new_name(const char *account, const struct promise *promise, const struct account_facts *facts,
			   struct verdict *ret_verdict);
/* The same for a local account that is to be linked: VERDICT_LINK, or refused. */
void admission_of_link(const struct expected *expected, const struct local_account *local, struct verdict *ret_verdict);
/* Why no local account of that name may be linked, whatever is on record about it: the end of a sentence that begins
 * with the name; or NULL. Lives for ever. */
const char *admission_link_fault(const char *name, const struct local_account *local);
/* Why a typed name that stands for no account is refused, as a verdict. */
void admission_of_no_account(const struct stands_for *stands, struct verdict *ret_verdict);
/* What the standing of an account on record means for its person: VERDICT_ADMITTED, or VERDICT_CREATE (also for a
 * removed one, whose person may return if nothing is in the way), or refused. */
void admission_of_standing(const struct account_record *record, enum standing standing, struct verdict *ret_verdict);

#endif
