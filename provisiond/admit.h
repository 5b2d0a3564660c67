/*
 * One admission under way, from the message to its answer. Shared by admit.c, which decides and answers, and
 * admit_order.c, which says what has to be made or changed for it; nobody else's business.
 */
#ifndef PROVISIOND_ADMIT_H
#define PROVISIOND_ADMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "provisiond/admission.h"
#include "provisiond/lifecycle.h"
#include "provisiond/plan.h"
#include "provisiond/server.h"
#include "provisiond/service.h"

struct admit {
	struct service *service;
	struct question *question; /* NULL from the answer on: what it changes may still wait for the lock */
	bool queued;               /* the lifecycle has it */
	char *bytes;               /* the message, into which the rest points */
	const char *typed;
	const char *tenant;
	const char *program; /* may be NULL, like the next */
	const char *remote_host;
	bool has_promise;
	uid_t promised_uid;
	struct candidate candidate;
	struct source_facts sources;

	/* What was decided last. */
	struct verdict verdict;
	struct promise promise;       /* with VERDICT_CREATE: what is made */
	struct account_record record; /* of the subject's account, when has_record */
	bool has_record;
	enum standing standing; /* when has_record */

	/* What was ordered last; its strings live here. */
	struct account_record ordered;
	char *group_names; /* of `groups`, each ending with NUL */
	const char **groups;
	size_t group_count;
	char expiry[PLAN_EXPIRY_MAX];
	struct planned_change change;
	char *usable_groups; /* change.groups_in */

	/* While it waits for another program's lock although its person has an account: until when, at most. */
	int64_t patient_until_ms; /* 0: it does not */
	struct admit *next_waiting;
};

/* For decide() of lifecycle.h, by the verdict. When memory is short, the verdict becomes a refusal. */
enum lifecycle_decision admit_order(struct admit *admit, int64_t now_s, struct lifecycle_order *ret_order);

/* What this sign-in changes of the account of admit->record (admit->change). False when nothing does but what
 * store_note_signin() notes, or when it cannot be worked out; that was logged. */
bool admit_plans_change(struct admit *admit, int64_t now_s);
/* Whether without the change the account would let nobody in. */
bool admit_change_is_needed(const struct admit *admit);
/* What the change is about, for people: "full name, membership of radiology". */
void admit_describe_change(const struct admit *admit, char *ret_text, size_t size);

/* Frees what was ordered. */
void admit_forget_order(struct admit *admit);

#endif
