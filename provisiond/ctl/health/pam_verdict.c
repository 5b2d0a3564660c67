/*
 * Follows a stack in the situations that matter, and says which of them end as they must not.
 */
#include "provisiond/ctl/health/pam_verdict.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What pam_oidc.so returns: everything else is a denial. PAM_IGNORE it never returns. */
#define NO_DENIAL                                                                           \
	(PAM_BIT(PAM_SUCCESS) | PAM_BIT(PAM_USER_UNKNOWN) | PAM_BIT(PAM_AUTHINFO_UNAVAIL) | \
	 PAM_BIT(PAM_MODULE_UNKNOWN) | PAM_BIT(PAM_IGNORE))
#define AUTH_DENIALS                                                                                           \
	(PAM_BIT(PAM_PERM_DENIED) | PAM_BIT(PAM_MAXTRIES) | PAM_BIT(PAM_AUTH_ERR) | PAM_BIT(PAM_SERVICE_ERR) | \
	 PAM_BIT(PAM_SYSTEM_ERR) | PAM_BIT(PAM_CONV_ERR))
#define ACCOUNT_DENIALS \
	(PAM_BIT(PAM_ACCT_EXPIRED) | PAM_BIT(PAM_PERM_DENIED) | PAM_BIT(PAM_SERVICE_ERR) | PAM_BIT(PAM_SYSTEM_ERR))
#define FAILURE PAM_BIT(PAM_AUTH_ERR)

static const uint64_t denials[PAM_PHASE_COUNT] = {
	[PAM_PHASE_AUTH] = AUTH_DENIALS,
	[PAM_PHASE_ACCOUNT] = ACCOUNT_DENIALS,
	[PAM_PHASE_PASSWORD] = PAM_BIT(PAM_PERM_DENIED) | PAM_BIT(PAM_SERVICE_ERR),
	[PAM_PHASE_SESSION] = 0,
};

_Static_assert((AUTH_DENIALS & NO_DENIAL) == 0 && (ACCOUNT_DENIALS & NO_DENIAL) == 0, "a denial is nothing else");

/* ---- situations ---- */

/* What modules return in a situation. */
struct situation {
	uint64_t ours;                 /* pam_oidc.so */
	uint64_t unix_password;        /* pam_unix.so */
	uint64_t choosers;             /* modules by which an administrator picks for whom lines are */
	const struct pam_line *absent; /* its module cannot be loaded; NULL: all can */
	const char *matters;           /* the module about which is asked */
};

/* Modules whose result says who somebody is, not whether they are who they say. */
static bool is_chooser(const struct pam_line *line)
{
	static const char *const modules[] = { "pam_succeed_if.so", "pam_listfile.so", "pam_access.so", "pam_time.so",
					       "pam_exec.so" };

	for (size_t i = 0; i < COUNT(modules); i++)
		if (pam_line_is(line, modules[i]))
			return true;
	return false;
}

static uint64_t results_of(const void *context, const struct pam_line *line)
{
	const struct situation *situation = context;

	if (line == situation->absent)
		return PAM_BIT(PAM_MODULE_UNKNOWN);
	if (pam_line_is(line, PAM_OIDC_MODULE))
		return situation->ours;
	if (pam_line_is(line, "pam_unix.so"))
		return situation->unix_password;
	if (pam_line_is(line, "pam_permit.so"))
		return PAM_BIT(PAM_SUCCESS);
	/* Who is root already may become anybody; that is no way past pam_oidc. */
	if (pam_line_is(line, "pam_deny.so") || pam_line_is(line, "pam_rootok.so"))
		return FAILURE;
	return is_chooser(line) ? situation->choosers : PAM_BITS_ALL;
}

static bool matters(const void *context, const struct pam_line *line)
{
	const struct situation *situation = context;

	return pam_line_is(line, situation->matters);
}

/* ---- judging ---- */

struct judging {
	const struct pam_stack *given;
	const struct pam_stack
		*stack; /* the same, with broken lines that do nothing: they are one fault, not several */
	enum pam_phase phase;
	struct pam_findings *findings;
	bool no_memory;
};

static void add(struct judging *judging, enum pam_fault fault, const struct pam_line *line, const char *detail)
{
	struct pam_findings *findings = judging->findings;

	if (findings->count < PAM_FINDINGS_MAX)
		findings->items[findings->count++] = (struct pam_finding){
			.fault = fault,
			.phase = judging->phase,
			.line = line ? &judging->given->lines[line - judging->stack->lines] : NULL,
			.detail = detail,
		};
}

static const struct pam_line *our_line(const struct judging *judging)
{
	return pam_stack_find(judging->stack, judging->phase, PAM_OIDC_MODULE, NULL);
}

static unsigned follow_stack(struct judging *judging, const struct pam_stack *stack, const struct situation *situation)
{
	unsigned outcomes = 0;

	if (pam_stack_follow(stack, judging->phase, results_of, matters, situation, &outcomes) != 0)
		judging->no_memory = true;
	return outcomes;
}

static unsigned follow(struct judging *judging, const struct situation *situation)
{
	return follow_stack(judging, judging->stack, situation);
}

/* A denial after which success still comes. */
static void judge_denials(struct judging *judging)
{
	const struct situation denied = {
		.ours = denials[judging->phase],
		.unix_password = PAM_BITS_ALL,
		.choosers = PAM_BITS_ALL,
		.matters = PAM_OIDC_MODULE,
	};

	if (denied.ours != 0 && follow(judging, &denied) & PAM_OUTCOME_SUCCESS_WITH)
		add(judging, PAM_FAULT_FALLS_THROUGH, our_line(judging), NULL);
}

/* Success without that pam_oidc was asked; unless the administrator chose so for some. */
static void judge_order(struct judging *judging)
{
	static const uint64_t chosen[] = { PAM_BITS_ALL, PAM_BIT(PAM_SUCCESS), FAILURE };

	for (size_t i = 0; i < COUNT(chosen); i++) {
		const struct situation any = {
			.ours = PAM_BITS_ALL,
			.unix_password = PAM_BITS_ALL,
			.choosers = chosen[i],
			.matters = PAM_OIDC_MODULE,
		};

		if (!(follow(judging, &any) & PAM_OUTCOME_SUCCESS_WITHOUT))
			return;
	}
	add(judging, PAM_FAULT_BEHIND_PASSWORD, our_line(judging), NULL);
}

static void judge_success(struct judging *judging)
{
	bool auth = judging->phase == PAM_PHASE_AUTH;
	const struct situation confirmed = {
		.ours = PAM_BIT(PAM_SUCCESS),
		/* No password matches the accounts of pam_oidc. */
		.unix_password = auth ? FAILURE : PAM_BITS_ALL,
		.choosers = PAM_BITS_ALL,
		.matters = PAM_OIDC_MODULE,
	};
	const struct situation expired = {
		.ours = PAM_BIT(PAM_SUCCESS),
		.unix_password = PAM_BIT(PAM_ACCT_EXPIRED),
		.choosers = PAM_BITS_ALL,
		.matters = PAM_OIDC_MODULE,
	};

	if (!(follow(judging, &confirmed) & PAM_OUTCOME_SUCCESS_WITH))
		add(judging, PAM_FAULT_NEVER_SUCCEEDS, our_line(judging), NULL);
	else if (judging->phase == PAM_PHASE_ACCOUNT &&
		 pam_stack_find(judging->stack, judging->phase, "pam_unix.so", NULL) &&
		 follow(judging, &expired) & PAM_OUTCOME_SUCCESS_WITH)
		add(judging, PAM_FAULT_SKIPS_ACCOUNT, our_line(judging), NULL);
}

/* Whether people whom pam_oidc does not know can get in, by their password where the stack asks for one. */
static bool locals_get_in(struct judging *judging, const struct pam_stack *stack, uint64_t ours,
			  const struct pam_line *absent)
{
	const struct situation local = {
		.ours = ours,
		.unix_password = PAM_BITS_ALL,
		.choosers = PAM_BITS_ALL,
		.absent = absent,
		.matters = "pam_unix.so",
	};
	bool has_unix = pam_stack_find(stack, judging->phase, local.matters, NULL);
	unsigned outcomes = follow_stack(judging, stack, &local);

	return outcomes & (has_unix ? PAM_OUTCOME_SUCCESS_WITH : PAM_OUTCOME_SUCCESS_WITHOUT);
}

/* The stack as it would be if broken lines did nothing, nor, unless with_ours, lines of ours. */
static bool copy_stack(const struct pam_stack *stack, bool with_ours, struct pam_stack *ret_copy)
{
	struct pam_line *lines = calloc(stack->count + 1, sizeof(*lines));

	if (!lines)
		return false;
	for (size_t i = 0; i < stack->count; i++) {
		lines[i] = stack->lines[i];
		if (lines[i].fault || (!with_ours && pam_line_is(&lines[i], PAM_OIDC_MODULE)))
			memset(lines[i].actions, 0, sizeof(lines[i].actions));
	}
	*ret_copy = (struct pam_stack){ .lines = lines, .count = stack->count };
	return true;
}

static void judge_locals(struct judging *judging, const struct pam_stack *without_ours)
{
	static const struct {
		uint64_t ours;
		enum pam_fault fault;
	} cases[] = {
		{ PAM_BIT(PAM_USER_UNKNOWN), PAM_FAULT_LOCKS_OUT_LOCALS },
		{ PAM_BIT(PAM_AUTHINFO_UNAVAIL), PAM_FAULT_LOCKS_OUT_WHEN_DOWN },
		{ PAM_BIT(PAM_MODULE_UNKNOWN), PAM_FAULT_LOCKS_OUT_WHEN_MISSING },
	};

	if (!locals_get_in(judging, without_ours, PAM_BITS_ALL, NULL))
		return;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (locals_get_in(judging, judging->stack, cases[i].ours, NULL))
			continue;
		add(judging, cases[i].fault, our_line(judging), NULL);
		return;
	}
}

/* The module's session only tells; all that can go wrong is that it is missing. */
static void judge_session(struct judging *judging, const struct pam_stack *without_ours)
{
	if (locals_get_in(judging, without_ours, PAM_BITS_ALL, NULL) &&
	    !locals_get_in(judging, judging->stack, PAM_BIT(PAM_MODULE_UNKNOWN), NULL))
		add(judging, PAM_FAULT_LOCKS_OUT_WHEN_MISSING, our_line(judging), NULL);
}

/* ---- lines ---- */

static void judge_arguments(struct judging *judging)
{
	const struct pam_line *line = our_line(judging);

	while (line) {
		unsigned seen = 0;

		for (size_t i = 0; i < line->argument_count; i++)
			if (pam_oidc_argument_fault(line->arguments[i], &seen)) {
				add(judging, PAM_FAULT_ARGUMENT, line, line->arguments[i]);
				break;
			}
		line = line + 1 < judging->stack->lines + judging->stack->count
			       ? pam_stack_find(judging->stack, judging->phase, PAM_OIDC_MODULE, line + 1)
			       : NULL;
	}
}

/* Modules that never ask for a password that others could take. */
static bool asks_nothing(const struct pam_line *line)
{
	static const char *const modules[] = {
		PAM_OIDC_MODULE,   "pam_cap.so",    "pam_deny.so",      "pam_env.so",       "pam_faildelay.so",
		"pam_faillock.so", "pam_group.so",  "pam_keyinit.so",   "pam_localuser.so", "pam_nologin.so",
		"pam_permit.so",   "pam_rootok.so", "pam_securetty.so", "pam_shells.so",    "pam_succeed_if.so",
		"pam_usertype.so", "pam_warn.so",
	};

	for (size_t i = 0; i < COUNT(modules); i++)
		if (pam_line_is(line, modules[i]))
			return true;
	return line->kind != PAM_LINE_MODULE;
}

/* pam_unix that relies on a module before it to have asked, where that is none but ours. */
static void judge_prompt(struct judging *judging)
{
	const char *relies = judging->phase == PAM_PHASE_AUTH ? "use_first_pass" : "use_authtok";

	if (judging->phase != PAM_PHASE_AUTH && judging->phase != PAM_PHASE_PASSWORD)
		return;
	for (size_t i = 0; i < judging->stack->count; i++) {
		const struct pam_line *line = &judging->stack->lines[i];

		if (line->phase != judging->phase || asks_nothing(line))
			continue;
		for (size_t j = 0; pam_line_is(line, "pam_unix.so") && j < line->argument_count; j++)
			if (strcmp(line->arguments[j], relies) == 0)
				add(judging, PAM_FAULT_NEVER_ASKS, line, line->arguments[j]);
		return;
	}
}

static void judge_lines(struct judging *judging, const struct pam_stack *without_ours, pam_module_is_there *is_there,
			void *context)
{
	for (size_t i = 0; i < judging->stack->count; i++) {
		const struct pam_line *line = &judging->stack->lines[i];
		bool ours = pam_line_is(line, PAM_OIDC_MODULE);

		if (line->phase != judging->phase)
			continue;
		if (line->fault)
			add(judging, PAM_FAULT_BROKEN_LINE, line, line->fault);
		else if (line->kind == PAM_LINE_MODULE && !ours && is_there && !is_there(context, line->module) &&
			 locals_get_in(judging, without_ours, PAM_BITS_ALL, NULL) &&
			 !locals_get_in(judging, without_ours, PAM_BITS_ALL, &without_ours->lines[i]))
			add(judging, PAM_FAULT_MODULE_MISSING, line, line->module);
	}
}

/* ---- the whole ---- */

static void judge_phase(struct judging *judging, const struct pam_stack *without_ours, pam_module_is_there *is_there,
			void *context)
{
	judge_lines(judging, without_ours, is_there, context);
	if (!our_line(judging))
		return;
	judge_arguments(judging);
	judge_prompt(judging);
	if (our_line(judging)->fault)
		return;
	judge_denials(judging);
	if (judging->phase == PAM_PHASE_SESSION)
		judge_session(judging, without_ours);
	else
		judge_locals(judging, without_ours);
	if (judging->phase == PAM_PHASE_AUTH || judging->phase == PAM_PHASE_ACCOUNT) {
		judge_order(judging);
		judge_success(judging);
	}
}

static bool has_ours(const struct pam_stack *stack, enum pam_phase phase)
{
	return pam_stack_find(stack, phase, PAM_OIDC_MODULE, NULL);
}

static void judge_presence(struct judging *judging)
{
	bool auth = has_ours(judging->stack, PAM_PHASE_AUTH), account = has_ours(judging->stack, PAM_PHASE_ACCOUNT);

	if (!auth && !account) {
		add(judging, PAM_FAULT_NO_LINE_AT_ALL, NULL, NULL);
		return;
	}
	if (!auth)
		add(judging, PAM_FAULT_NO_AUTH_LINE, NULL, NULL);
	if (!account) {
		judging->phase = PAM_PHASE_ACCOUNT;
		add(judging, PAM_FAULT_NO_ACCOUNT_LINE, NULL, NULL);
	}
	if (!has_ours(judging->stack, PAM_PHASE_SESSION)) {
		judging->phase = PAM_PHASE_SESSION;
		add(judging, PAM_FAULT_NO_SESSION_LINE, NULL, NULL);
	}
}

int pam_verdict(const struct pam_stack *stack, pam_module_is_there *is_there, void *context,
		struct pam_findings *ret_findings)
{
	struct pam_findings findings = { 0 };
	struct pam_stack whole = { 0 }, without_ours = { 0 };
	struct judging judging = { .given = stack, .stack = &whole, .phase = PAM_PHASE_AUTH, .findings = &findings };

	judging.no_memory = !copy_stack(stack, true, &whole) || !copy_stack(stack, false, &without_ours);
	if (!judging.no_memory)
		judge_presence(&judging);
	for (int phase = 0; !judging.no_memory && phase < PAM_PHASE_COUNT; phase++) {
		judging.phase = (enum pam_phase)phase;
		judge_phase(&judging, &without_ours, is_there, context);
	}
	/* Their lines' strings are the stack's. */
	free(whole.lines);
	free(without_ours.lines);
	if (judging.no_memory)
		return -ENOMEM;
	*ret_findings = findings;
	return 0;
}
