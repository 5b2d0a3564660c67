/*
 * Joins two questions to the name services into one answer.
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
	struct source_facts facts;
	struct part {
		struct inquiry *inquiry;
		bool open;
	} name, uid;
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

static void take_answer(struct part *part, enum source_answer answer, const char *source)
{
	struct inquiry *inquiry = part->inquiry;
	bool about_name = part == &inquiry->name;

	part->open = false;
	if (about_name)
		inquiry->facts.name = answer;
	else
		inquiry->facts.uid = answer;
	(void)snprintf(about_name ? inquiry->facts.name_source : inquiry->facts.uid_source,
		       sizeof(inquiry->facts.name_source), "%s",
		       source                         ? source
		       : answer == SOURCE_UNAVAILABLE ? "another name service"
						      : "");
}

static void part_answered(void *context, enum source_answer answer, const char *source)
{
	struct part *part = context;
	struct inquiry *inquiry = part->inquiry;

	take_answer(part, answer, source);
	if (!inquiry->name.open && !inquiry->uid.open)
		end_inquiry(inquiry);
}

void inquiries_free(struct inquiries *inquiries)
{
	if (!inquiries)
		return;
	while (inquiries->first) {
		struct inquiry *inquiry = inquiries->first;

		sources_cancel(inquiries->sources, &inquiry->name);
		sources_cancel(inquiries->sources, &inquiry->uid);
		take_answer(&inquiry->name, SOURCE_UNAVAILABLE, NULL);
		take_answer(&inquiry->uid, SOURCE_UNAVAILABLE, NULL);
		end_inquiry(inquiry);
	}
	free(inquiries);
}

/* A question that cannot be asked counts as not answered. */
static void ask(struct sources *sources, struct part *part, const char *name, bool with_uid, uid_t uid,
		int64_t deadline_ms)
{
	if (sources_ask(sources, name, with_uid, uid, deadline_ms, part_answered, part) != 0)
		part_answered(part, SOURCE_UNAVAILABLE, "the name service");
}

void inquire(struct inquiries *inquiries, const char *name, bool with_uid, uid_t uid, int64_t deadline_ms,
	     inquiry_answered *answered, void *context)
{
	static const struct source_facts nobody = {
		.asked = true,
		.name = SOURCE_UNAVAILABLE,
		.uid = SOURCE_UNAVAILABLE,
	};
	struct inquiry *inquiry = calloc(1, sizeof(*inquiry));

	if (!inquiry) {
		answered(context, &nobody);
		return;
	}
	*inquiry = (struct inquiry){
		.inquiries = inquiries,
		.next = inquiries->first,
		.answered = answered,
		.context = context,
		.facts = { .asked = true, .name = SOURCE_UNKNOWN, .uid = SOURCE_UNKNOWN, .asked_uid = uid },
		.name = { .inquiry = inquiry, .open = true },
		.uid = { .inquiry = inquiry, .open = with_uid },
	};
	inquiries->first = inquiry;
	/* The name last: as long as it is open, the inquiry is there. */
	if (with_uid)
		ask(inquiries->sources, &inquiry->uid, NULL, true, uid, deadline_ms);
	ask(inquiries->sources, &inquiry->name, name, false, 0, deadline_ms);
}
