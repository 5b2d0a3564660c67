/*
 * Works out what one account's rows shall be.
 */
#include "provisiond/plan_rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLOSED_EXPIRY "1" /* 2 January 1970: expired for every program that looks. 0 is taken for "never" by some. */

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

static bool equal(const char *one, const char *other)
{
	return strcmp(or_empty(one), or_empty(other)) == 0;
}

bool state_is_closed(enum account_state state)
{
	return state == ACCOUNT_INCOMPLETE || state == ACCOUNT_DEACTIVATED;
}

/* ---- the `!` before the password ---- */

/* However many `!` others put there, they stay: only ours comes and goes. Should ours have been taken off by somebody
 * else meanwhile, none of theirs is taken in its place. */
void draft_locks(struct draft *draft, bool lock)
{
	bool ours = draft->before->locked || draft->before->state == ACCOUNT_INCOMPLETE;
	int there = draft->now->shadow.locks;
	int of_others = ours && there > 0 ? there - 1 : there;
	int wanted = of_others + (lock ? 1 : 0);

	draft->change.locks = wanted == there ? -1 : wanted;
	draft->change.record.locked = lock;
}

/* ---- ageing ---- */

/* LASTCHANGE:MIN:MAX:WARN:INACTIVE, in its parts. */
enum { LASTCHANGE, MIN, MAX, WARN, INACTIVE, AGEING_PARTS };

struct part {
	const char *text;
	int length;
};

struct ageing {
	struct part parts[AGEING_PARTS];
};

/* False when it has not five parts. */
static bool ageing_read(const char *text, struct ageing *ret_ageing)
{
	for (int i = 0; i < AGEING_PARTS; i++) {
		size_t length = strcspn(text, ":");

		if (length >= PLAN_AGEING_MAX || (text[length] == ':') != (i < INACTIVE))
			return false;
		ret_ageing->parts[i] = (struct part){ .text = text, .length = (int)length };
		text += length + 1;
	}
	return true;
}

static bool ageing_write(const struct ageing *ageing, char ret_text[PLAN_AGEING_MAX])
{
	const struct part *p = ageing->parts;
	int n = snprintf(ret_text, PLAN_AGEING_MAX, "%.*s:%.*s:%.*s:%.*s:%.*s", p[LASTCHANGE].length,
			 p[LASTCHANGE].text, p[MIN].length, p[MIN].text, p[MAX].length, p[MAX].text, p[WARN].length,
			 p[WARN].text, p[INACTIVE].length, p[INACTIVE].text);

	return n >= 0 && n < PLAN_AGEING_MAX;
}

static bool parts_equal(const struct part *one, const struct part *other)
{
	return one->length == other->length && memcmp(one->text, other->text, (size_t)one->length) == 0;
}

/* The same without anything that ends a password's life, so that no program asks for a new one. A LASTCHANGE of 0
 * would: it means that the password has to be changed now. */
static struct ageing ageing_cleared(const struct ageing *ageing)
{
	static const struct part empty = { .text = "", .length = 0 };
	struct ageing cleared = { .parts = { ageing->parts[LASTCHANGE], empty, empty, empty, empty } };

	if (cleared.parts[LASTCHANGE].length == 1 && cleared.parts[LASTCHANGE].text[0] == '0')
		cleared.parts[LASTCHANGE] = empty;
	return cleared;
}

/* What is not ours: each part that stands as we wrote it is what it was before; each other part was set since. */
static struct ageing ageing_of_others(const struct ageing *there, const struct ageing *before)
{
	struct ageing written = ageing_cleared(before), others = *there;

	for (int i = 0; i < AGEING_PARTS; i++)
		if (parts_equal(&there->parts[i], &written.parts[i]))
			others.parts[i] = before->parts[i];
	return others;
}

void draft_ageing(struct draft *draft, bool barred)
{
	const char *there_text = or_empty(draft->now->shadow.ageing);
	const char *before_text = or_empty(draft->before->ageing_before);
	struct ageing there, before, others, wanted;

	/* A row that is not as shadow(5) has it is nothing to write into. */
	if (!ageing_read(there_text, &there))
		return;
	others = before_text[0] && ageing_read(before_text, &before) ? ageing_of_others(&there, &before) : there;
	wanted = barred ? ageing_cleared(&others) : others;
	if (!ageing_write(&others, draft->ageing_before) || !ageing_write(&wanted, draft->ageing))
		return;
	draft->change.record.ageing_before = barred ? draft->ageing_before : "";
	if (strcmp(draft->ageing, there_text) != 0)
		draft->change.ageing = draft->ageing;
}

/* ---- expiry ---- */

/* Days since the epoch; -1 where there is none. */
static int64_t day_of(const char *expiry)
{
	char *end;
	long long day;

	errno = 0;
	day = strtoll(expiry, &end, 10);
	return expiry[0] == '\0' || *end != '\0' || errno != 0 || day < 0 ? -1 : day;
}

static bool is_earlier(const char *one, const char *other)
{
	int64_t first = day_of(one), second = day_of(other);

	return first >= 0 && (second < 0 || first < second);
}

void draft_expiry(struct draft *draft, bool closed, const char *limit)
{
	const struct account_record *before = draft->before;
	const char *there = or_empty(draft->now->shadow.expiry), *given = or_empty(before->expiry_given);
	bool ours =
		(state_is_closed(before->state) && equal(there, CLOSED_EXPIRY)) || (given[0] && equal(there, given));
	const char *of_others = ours ? or_empty(before->expiry_before) : there;
	bool limited = !closed && is_earlier(limit, of_others);
	const char *wanted = closed ? CLOSED_EXPIRY : limited ? limit : of_others;

	draft->change.record.expiry_before = of_others;
	draft->change.record.expiry_given = limited ? limit : "";
	if (!equal(wanted, there))
		draft->change.expiry = wanted;
}

/* ---- GECOS ---- */

/* passwd(5) has bytes, we write UTF-8 only: a local user's field that is something else could not be given back. */
static bool gecos_is_ours_to_write(const struct account_record *record)
{
	return !record->linked || person_text_ok(or_empty(record->gecos_before), GECOS_FIELD_MAX - 1);
}

static void draft_gecos_text(struct draft *draft, const char *text)
{
	if (equal(text, draft->now->user.gecos) || !person_text_ok(text, GECOS_FIELD_MAX - 1) || strchr(text, ':'))
		return;
	(void)snprintf(draft->gecos, sizeof(draft->gecos), "%s", text);
	draft->change.gecos = draft->gecos;
}

void draft_gecos(struct draft *draft)
{
	const struct account_record *record = &draft->change.record;
	const char *there = or_empty(draft->now->user.gecos), *room = or_empty(record->room);
	char full_name[GECOS_MAX], text[GECOS_FIELD_MAX];

	gecos_from_full_name(or_empty(record->full_name), record->name, full_name);
	if (gecos_is_ours_to_write(record) &&
	    gecos_with(there, equal(record->full_name, "") ? NULL : full_name, room[0] ? room : NULL, text))
		draft_gecos_text(draft, text);
}

void draft_gecos_given_back(struct draft *draft)
{
	const struct account_record *record = &draft->change.record;
	const char *there = or_empty(draft->now->user.gecos);
	char full_name[GECOS_MAX], text[GECOS_FIELD_MAX];

	gecos_from_full_name(or_empty(record->full_name), record->name, full_name);
	if (gecos_is_ours_to_write(record) &&
	    gecos_given_back(there, or_empty(record->gecos_before), full_name, or_empty(record->room), text))
		draft_gecos_text(draft, text);
}
