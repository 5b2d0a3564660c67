/*
 * Keeps what each inquiry is for, and names who answered or was silent.
 */
#include "provisiond/inquiry.h"

#include <stdio.h>
#include <stdlib.h>

struct inquiries {
	struct sources *sources;
	struct inquiry *first;
};

struct inquiry {
	struct inquiries *inquiries;
	struct inquiry *next;
	inquiry_answered *answered;
	void *context;
	bool with_uid;
	struct source_facts facts;
};

struct inquiries *inquiries_new(struct sources *sources)
{
	struct inquiries *inquiries = calloc(1, sizeof(*inquiries));

	if (inquiries)
		inquiries->sources = sources;
	return inquiries;
}

static void end_inquiry(struct inquiry *inquiry)
{
	struct inquiry **link = &inquiry->inquiries->first;

	while (*link != inquiry)
		link = &(*link)->next;
	*link = inquiry->next;
	inquiry->answered(inquiry->context, &inquiry->facts);
	free(inquiry);
}

static void name_source(const struct source_verdict *verdict, char *ret_source, size_t size)
{
	const char *unnamed = verdict->answer == SOURCE_UNAVAILABLE ? "another name service" : "";

	(void)snprintf(ret_source, size, "%s", verdict->source ? verdict->source : unnamed);
}

static void answered(void *context, const struct source_verdict *name, const struct source_verdict *uid)
{
	struct inquiry *inquiry = context;

	inquiry->facts.name = name->answer;
	inquiry->facts.uid = uid->answer;
	name_source(name, inquiry->facts.name_source, sizeof(inquiry->facts.name_source));
	name_source(uid, inquiry->facts.uid_source, sizeof(inquiry->facts.uid_source));
	end_inquiry(inquiry);
}

static void nobody_answered(struct inquiry *inquiry, const char *source)
{
	const struct source_verdict silent = { .answer = SOURCE_UNAVAILABLE, .source = source };
	const struct source_verdict not_asked = { .answer = SOURCE_UNKNOWN };

	answered(inquiry, &silent, inquiry->with_uid ? &silent : &not_asked);
}

void inquiries_free(struct inquiries *inquiries)
{
	if (!inquiries)
		return;
	while (inquiries->first) {
		struct inquiry *inquiry = inquiries->first;

		sources_cancel(inquiries->sources, inquiry);
		nobody_answered(inquiry, NULL);
	}
	free(inquiries);
}

/* One that is about to be asked; or NULL, and whoever waits was told that nobody answered. */
static struct inquiry *begin_inquiry(struct inquiries *inquiries, bool with_uid, uid_t uid,
				     inquiry_answered *when_answered, void *context)
{
	static const struct source_facts nobody = {
		.asked = true,
		.name = SOURCE_UNAVAILABLE,
		.uid = SOURCE_UNAVAILABLE,
	};
	struct inquiry *inquiry = calloc(1, sizeof(*inquiry));

	if (!inquiry) {
		when_answered(context, &nobody);
		return NULL;
	}
	*inquiry = (struct inquiry){
		.inquiries = inquiries,
		.next = inquiries->first,
		.answered = when_answered,
		.context = context,
		.with_uid = with_uid,
		.facts = { .asked = true, .asked_uid = uid },
	};
	inquiries->first = inquiry;
	return inquiry;
}

void inquire(struct inquiries *inquiries, const char *name, bool with_uid, uid_t uid, int64_t deadline_ms,
	     inquiry_answered *when_answered, void *context)
{
	struct inquiry *inquiry = begin_inquiry(inquiries, with_uid, uid, when_answered, context);

	/* A question that cannot be asked counts as not answered. */
	if (inquiry && sources_ask(inquiries->sources, name, with_uid, uid, deadline_ms, answered, inquiry) != 0)
		nobody_answered(inquiry, "the name service");
}

void inquire_for_user(struct inquiries *inquiries, const char *name, int64_t deadline_ms,
		      inquiry_answered *when_answered, void *context)
{
	struct inquiry *inquiry = begin_inquiry(inquiries, false, 0, when_answered, context);

	if (!inquiry)
		return;
	inquiry->facts.user_only = true;
	if (sources_ask_for_user(inquiries->sources, name, deadline_ms, answered, inquiry) != 0)
		nobody_answered(inquiry, "the name service");
}
