/*
 * Follows a stack for all results that its modules may give, as libpam's dispatcher does (pam_dispatch.c there): which
 * states can be reached at each line, and how all ends.
 */
#include "provisiond/ctl/health/pam_stack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* gcc's analyzer loses what is reached through an array, and calls it leaked; the leak checks of the tests see it
 * freed. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif

#define LEVELS_MAX 17 /* substacks, and what is outside of them */

enum impression { UNDECIDED, POSITIVE, NEGATIVE };

/* What the dispatcher has in mind between two lines. */
struct impact {
	unsigned char impression;
	unsigned char status_is_success; /* with POSITIVE: whether the status to return is success */
};

struct state {
	struct impact now;
	struct impact before[LEVELS_MAX]; /* when the substack of that level was entered, for `reset` */
	unsigned char asked;              /* a line that matters */
	unsigned char level;              /* of the line that was left last */
};

struct states {
	struct state *items;
	size_t count, capacity;
};

struct following {
	const struct pam_line **lines; /* of the phase */
	size_t count;
	struct states *at; /* by line; those at `count` are the ends */
};

static int reach(struct states *states, const struct state *state)
{
	for (size_t i = 0; i < states->count; i++)
		if (memcmp(&states->items[i], state, sizeof(*state)) == 0)
			return 0;
	if (states->count == states->capacity) {
		size_t capacity = states->capacity ? states->capacity * 2 : 8;
		struct state *grown = reallocarray(states->items, capacity, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		states->items = grown;
		states->capacity = capacity;
	}
	states->items[states->count++] = *state;
	return 0;
}

static unsigned level_at(const struct following *following, size_t at)
{
	return at < following->count ? following->lines[at]->level : 0;
}

/* Behind the rest of the (sub)stack of that level. */
static size_t behind_substack(const struct following *following, size_t at, unsigned level)
{
	at++;
	while (at < following->count && following->lines[at]->level >= level)
		at++;
	return at;
}

/* Behind `lines` more lines, where a substack counts as one. *ret_short: there were fewer. */
static size_t behind_jump(const struct following *following, size_t at, unsigned level, int lines, bool *ret_short)
{
	size_t here = at;

	for (; lines > 0 && here + 1 < following->count && following->lines[here + 1]->level >= level; lines--) {
		do
			here++;
		while (here + 1 < following->count && following->lines[here + 1]->level > level);
	}
	*ret_short = lines > 0;
	return here + 1;
}

static void approve(struct state *state, int result)
{
	bool open = state->now.impression == UNDECIDED ||
		    (state->now.impression == POSITIVE && state->now.status_is_success);

	if (!open || result == PAM_IGNORE)
		return;
	state->now = (struct impact){ .impression = POSITIVE, .status_is_success = result == PAM_SUCCESS };
}

static void disapprove(struct state *state)
{
	state->now = (struct impact){ .impression = NEGATIVE };
}

/* What one result does. Returns the place that follows. */
static size_t act(const struct following *following, size_t at, int result, struct state *state)
{
	const struct pam_line *line = following->lines[at];
	int action = line->actions[result];
	size_t next = at + 1;
	bool too_short;

	switch (action) {
	case PAM_ACTION_IGNORE:
		break;
	case PAM_ACTION_RESET:
		state->now = state->before[line->level];
		break;
	case PAM_ACTION_OK:
	case PAM_ACTION_DONE:
		approve(state, result);
		if (action == PAM_ACTION_DONE && state->now.impression == POSITIVE)
			next = behind_substack(following, at, line->level);
		break;
	case PAM_ACTION_DIE:
		next = behind_substack(following, at, line->level);
		disapprove(state);
		break;
	default:
		if (action > 0) {
			next = behind_jump(following, at, line->level, action, &too_short);
			if (!too_short)
				break;
		}
		disapprove(state);
		break;
	}
	return next;
}

static int follow_line(struct following *following, size_t at, struct state state, uint64_t results)
{
	const struct pam_line *line = following->lines[at];

	if (line->level > state.level)
		state.before[line->level] = state.now;
	state.level = (unsigned char)line->level;
	for (int result = 0; result < _PAM_RETURN_VALUES; result++) {
		struct state then = state;
		size_t next;

		if (!(results & PAM_BIT(result)))
			continue;
		next = line->kind == PAM_LINE_SUBSTACK ? at + 1 : act(following, at, result, &then);
		/* States that differ in nothing that still matters are one. */
		for (unsigned level = level_at(following, next) + 1; level < LEVELS_MAX; level++)
			then.before[level] = (struct impact){ 0 };
		if (reach(&following->at[next], &then) != 0)
			return -ENOMEM;
	}
	return 0;
}

static uint64_t results_at(const struct pam_line *line, pam_results_of *results_of, const void *context)
{
	switch (line->kind) {
	case PAM_LINE_SUBSTACK:
		return PAM_BIT(PAM_SUCCESS);
	case PAM_LINE_BROKEN:
		return PAM_BIT(PAM_PERM_DENIED);
	case PAM_LINE_MODULE:
		break;
	}
	return results_of(context, line);
}

static int follow_all(struct following *following, pam_results_of *results_of, pam_line_matters *matters,
		      const void *context)
{
	for (size_t at = 0; at < following->count; at++) {
		const struct pam_line *line = following->lines[at];
		uint64_t results = results_at(line, results_of, context);
		bool marks = matters && line->kind == PAM_LINE_MODULE && matters(context, line);

		for (size_t i = 0; i < following->at[at].count; i++) {
			struct state state = following->at[at].items[i];

			state.asked |= marks;
			if (follow_line(following, at, state, results) != 0)
				return -ENOMEM;
		}
	}
	return 0;
}

static unsigned outcomes_of(const struct states *ends)
{
	unsigned outcomes = 0;

	for (size_t i = 0; i < ends->count; i++) {
		const struct state *end = &ends->items[i];
		bool success = end->now.impression == POSITIVE && end->now.status_is_success;

		if (success)
			outcomes |= end->asked ? PAM_OUTCOME_SUCCESS_WITH : PAM_OUTCOME_SUCCESS_WITHOUT;
		else
			outcomes |= end->asked ? PAM_OUTCOME_FAILURE_WITH : PAM_OUTCOME_FAILURE_WITHOUT;
	}
	return outcomes;
}

static void release(struct following *following)
{
	for (size_t i = 0; following->at && i <= following->count; i++)
		free(following->at[i].items);
	free(following->at);
	free(following->lines);
}

int pam_stack_follow(const struct pam_stack *stack, enum pam_phase phase, pam_results_of *results_of,
		     pam_line_matters *matters, const void *context, unsigned *ret_outcomes)
{
	_cleanup_(release) struct following following = { 0 };
	const struct state begin = { 0 };

	following.lines = calloc(stack->count + 1, sizeof(*following.lines));
	following.at = calloc(stack->count + 1, sizeof(*following.at));
	if (!following.lines || !following.at)
		return -ENOMEM;
	for (size_t i = 0; i < stack->count; i++)
		if (stack->lines[i].phase == phase)
			following.lines[following.count++] = &stack->lines[i];
	if (reach(&following.at[0], &begin) != 0 || follow_all(&following, results_of, matters, context) != 0)
		return -ENOMEM;
	*ret_outcomes = outcomes_of(&following.at[following.count]);
	return 0;
}
