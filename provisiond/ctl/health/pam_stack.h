/*
 * The stacks of Linux-PAM as /etc/pam.d describes them (pam.conf(5)), and what can come of one. Pure: files are read by
 * a function of the caller's, and no module is loaded.
 *
 * Stacks are followed as libpam's dispatcher does, for every result that each module may give: what can come of all
 * these together is the answer.
 */
#ifndef PROVISIOND_CTL_HEALTH_PAM_STACK_H
#define PROVISIOND_CTL_HEALTH_PAM_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <security/pam_appl.h>

#include "common/cleanup.h"

enum pam_phase { PAM_PHASE_AUTH, PAM_PHASE_ACCOUNT, PAM_PHASE_PASSWORD, PAM_PHASE_SESSION, PAM_PHASE_COUNT };

/* "auth", "account", "password", "session". */
const char *pam_phase_name(enum pam_phase phase);

enum pam_line_kind {
	PAM_LINE_MODULE,
	PAM_LINE_SUBSTACK, /* where one begins: the lines of a higher level that follow */
	PAM_LINE_BROKEN,   /* libpam makes a module of it that always fails; see `fault` */
};

/* What is done with a result: a number of lines to skip, or one of these. */
enum pam_action {
	PAM_ACTION_IGNORE = 0,
	PAM_ACTION_OK = -1,
	PAM_ACTION_DONE = -2,
	PAM_ACTION_BAD = -3,
	PAM_ACTION_DIE = -4,
	PAM_ACTION_RESET = -5,
	PAM_ACTION_UNSET = -6, /* counts as a failure */
};

struct pam_line {
	enum pam_phase phase;
	enum pam_line_kind kind;
	unsigned level;                  /* of substacks; 0 outside */
	int actions[_PAM_RETURN_VALUES]; /* by result: enum pam_action or a number of lines to skip */
	char *module;                    /* as written, for example "pam_unix.so"; "" unless it is a module */
	char **arguments;                /* ends with NULL */
	size_t argument_count;
	char *path;        /* of the file that it stands in */
	unsigned number;   /* and its line there, from 1 */
	const char *fault; /* of PAM_LINE_BROKEN, the end of a sentence ("names no file that can be read"); else NULL */
};

struct pam_stack {
	struct pam_line *lines; /* of all phases, in order */
	size_t count, capacity;
};

/* Reads the file of a service, or an included one: a name, or an absolute path. 0, *ret_text and *ret_path (where it
 * was found), which the callee frees; or -errno. */
typedef int pam_read_file(void *context, const char *name, char **ret_text, char **ret_path);

/* For that: in `root` ("" for the system's) /etc/pam.d, then /usr/lib/pam.d. */
int pam_read_system_file(void *root, const char *name, char **ret_text, char **ret_path);

/* The stack of a service, with all that it includes (@include, include, substack); phases that it does not have are
 * those of the service "other". 0 and the caller releases it; -ENOENT when there is no such service; -ENOMEM. */
int pam_stack_load(const char *service, pam_read_file *read, void *context, struct pam_stack *ret_stack);
void pam_stack_release(struct pam_stack *stack);

#define _cleanup_pam_stack_ _cleanup_(pam_stack_release)

/* Whether the line is that module ("pam_unix.so"), wherever it lies. */
bool pam_line_is(const struct pam_line *line, const char *module);
/* The first line from `from` on of that phase and module, or NULL. */
const struct pam_line *pam_stack_find(const struct pam_stack *stack, enum pam_phase phase, const char *module,
				      const struct pam_line *from);

/* Results as bits. */
#define PAM_BIT(result) (UINT64_C(1) << (result))
#define PAM_BITS_ALL ((UINT64_C(1) << _PAM_RETURN_VALUES) - 1)

/* What the module of a line may return, as bits. */
typedef uint64_t pam_results_of(const void *context, const struct pam_line *line);
/* Whether it is to be known that the line was asked. */
typedef bool pam_line_matters(const void *context, const struct pam_line *line);

/* What can come of a stack, as bits: success or failure, and whether a line that matters was asked on the way. */
enum pam_outcome {
	PAM_OUTCOME_SUCCESS_WITHOUT = 1 << 0,
	PAM_OUTCOME_SUCCESS_WITH = 1 << 1,
	PAM_OUTCOME_FAILURE_WITHOUT = 1 << 2,
	PAM_OUTCOME_FAILURE_WITH = 1 << 3,
};

/* Follows the phase for all results. `matters` may be NULL: none does. 0 and *ret_outcomes, or -ENOMEM. */
int pam_stack_follow(const struct pam_stack *stack, enum pam_phase phase, pam_results_of *results_of,
		     pam_line_matters *matters, const void *context, unsigned *ret_outcomes);

#endif
