/*
 * Keeps the questions to provisiond that are under way. See refusals.h.
 */
#include "pam_oidc/refusals.h"

#include <stdlib.h>

#include "common/wire.h"
#include "pam_oidc/question.h"

#define AT_ONCE_MAX 16 /* provisiond answers within a millisecond; more wait only where it hangs */
#define TIMEOUT_MS 2000
#define MESSAGE_MAX 1024

struct telling {
	struct question *question; /* NULL: free */
};

struct refusals {
	struct loop *loop;
	struct telling tellings[AT_ONCE_MAX];
};

struct refusals *refusals_create(struct loop *loop)
{
	struct refusals *refusals = calloc(1, sizeof(*refusals));

	if (refusals)
		refusals->loop = loop;
	return refusals;
}

void refusals_free(struct refusals *refusals)
{
	if (!refusals)
		return;
	for (size_t i = 0; i < AT_ONCE_MAX; i++)
		question_cancel(refusals->tellings[i].question);
	free(refusals);
}

static void told(void *context, const struct wire_message *answer)
{
	struct telling *telling = context;

	(void)answer;
	telling->question = NULL;
}

static struct telling *free_place(struct refusals *refusals)
{
	for (size_t i = 0; i < AT_ONCE_MAX; i++)
		if (!refusals->tellings[i].question)
			return &refusals->tellings[i];
	return NULL;
}

void refusals_tell(struct refusals *refusals, const char *name, const char *tenant, enum reason reason)
{
	struct telling *telling = refusals ? free_place(refusals) : NULL;
	char buffer[MESSAGE_MAX];
	struct wire_writer writer;

	if (!telling)
		return;
	wire_begin(&writer, buffer, sizeof(buffer), "op", "refused");
	wire_put(&writer, "name", name);
	wire_put(&writer, "tenant", tenant);
	wire_put(&writer, "reason", reason_name(reason));
	telling->question = question_ask(refusals->loop, &writer, TIMEOUT_MS, told, telling);
}
