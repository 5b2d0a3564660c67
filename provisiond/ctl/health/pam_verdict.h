/*
 * Judges the stack of a service that asks for people: whether pam_oidc.so is asked, whether its denial ends the matter,
 * and whether root and local users still reach their password. Pure.
 */
#ifndef PROVISIOND_CTL_HEALTH_PAM_VERDICT_H
#define PROVISIOND_CTL_HEALTH_PAM_VERDICT_H

#include "provisiond/ctl/health/pam_stack.h"

#define PAM_OIDC_MODULE "pam_oidc.so"

enum pam_fault {
	PAM_FAULT_NO_AUTH_LINE,    /* nobody can sign in with Okta here */
	PAM_FAULT_NO_ACCOUNT_LINE, /* there is an auth line, but nothing stops keys of deactivated accounts */
	PAM_FAULT_NO_LINE_AT_ALL,
	PAM_FAULT_NO_SESSION_LINE, /* sessions do not learn OIDC_EMAIL and OIDC_ROOM */
	PAM_FAULT_FALLS_THROUGH,   /* a denial of pam_oidc's can end in success */
	PAM_FAULT_BEHIND_PASSWORD, /* pam_unix, or another module that suffices, lets people in before pam_oidc is asked
				    */
	PAM_FAULT_NEVER_SUCCEEDS,  /* pam_oidc's success ends in a failure */
	PAM_FAULT_SKIPS_ACCOUNT,   /* pam_oidc's success in the account phase keeps pam_unix from being asked */
	PAM_FAULT_LOCKS_OUT_LOCALS,       /* root or local users do not get in although pam_unix would let them */
	PAM_FAULT_LOCKS_OUT_WHEN_DOWN,    /* the same while a daemon is out of reach */
	PAM_FAULT_LOCKS_OUT_WHEN_MISSING, /* the same when pam_oidc.so is not installed */
	PAM_FAULT_NEVER_ASKS,             /* pam_unix takes only a password that was asked for before, and none was */
	PAM_FAULT_ARGUMENT,               /* pam_oidc.so does not take an argument */
	PAM_FAULT_MODULE_MISSING,         /* a module's file is not there, and that locks everybody out */
	PAM_FAULT_BROKEN_LINE,            /* libpam cannot read it, and that locks everybody out */
	PAM_FAULT_COUNT
};

struct pam_finding {
	enum pam_fault fault;
	enum pam_phase phase;
	const struct pam_line *line; /* to blame, in the stack; NULL: none */
	const char *detail;          /* the argument or what is expected; lives as long as the stack, or for ever */
};

#define PAM_FINDINGS_MAX 32

struct pam_findings {
	struct pam_finding items[PAM_FINDINGS_MAX];
	size_t count;
};

/* Whether a module's file is there. */
typedef bool pam_module_is_there(void *context, const char *module);

/* Judges the stack. is_there may be NULL: all are. Findings point into the stack. 0, or -ENOMEM. */
int pam_verdict(const struct pam_stack *stack, pam_module_is_there *is_there, void *context,
		struct pam_findings *ret_findings);

/* What pam_oidc.so says about an argument: NULL when it takes it, else what is expected. `seen` begins as 0 and is
 * handed on from one argument of a line to the next, none of which may stand twice. */
const char *pam_oidc_argument_fault(const char *argument, unsigned *seen);
/* The value of timeout= on the line in seconds; 0 when there is none that pam_oidc.so would take. */
unsigned pam_oidc_timeout_s(const struct pam_line *line);

#endif
