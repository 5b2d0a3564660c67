/*
 * Tests how PAM stacks are read, what is found to come of them, and how they are judged.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/cleanup.h"
#include "pam_oidc/module/arguments.h"
#include "provisiond/ctl/health/pam_verdict.h"

#define RESULTS "user_unknown=ignore authinfo_unavail=ignore module_unknown=ignore default=die]"
#define AUTH "auth [success=done " RESULTS " pam_oidc.so\n"
#define ACCOUNT "account [success=ok " RESULTS " pam_oidc.so\n"
#define SESSION "session optional pam_oidc.so\n"
#define ALL AUTH ACCOUNT SESSION

#define COMMON_AUTH                                            \
	"auth [success=1 default=ignore] pam_unix.so nullok\n" \
	"auth requisite pam_deny.so\nauth required pam_permit.so\nauth optional pam_cap.so\n"
#define COMMON_ACCOUNT                                                           \
	"account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so\n" \
	"account requisite pam_deny.so\naccount required pam_permit.so\n"
#define COMMON_SESSION                                                                                       \
	"session [default=1] pam_permit.so\nsession requisite pam_deny.so\nsession required pam_permit.so\n" \
	"session required pam_unix.so\n"
#define DEBIAN COMMON_AUTH COMMON_ACCOUNT COMMON_SESSION

/* What a service's file holds, and others by name. */
struct file {
	const char *name, *text;
};

static int read_files(void *context, const char *name, char **ret_text, char **ret_path)
{
	for (const struct file *file = context; file->name; file++) {
		if (strcmp(file->name, name) != 0)
			continue;
		*ret_text = strdup(file->text);
		assert_true(asprintf(ret_path, "/etc/pam.d/%s", name) > 0);
		return 0;
	}
	return -ENOENT;
}

static void load(const struct file *files, struct pam_stack *ret_stack)
{
	union {
		const struct file *files;
		void *context;
	} place = { .files = files };

	assert_int_equal(pam_stack_load("service", read_files, place.context, ret_stack), 0);
}

static void load_text(const char *text, struct pam_stack *ret_stack)
{
	const struct file files[] = { { "service", text }, { NULL, NULL } };

	load(files, ret_stack);
}

static bool has(const struct pam_findings *findings, enum pam_fault fault, enum pam_phase phase)
{
	for (size_t i = 0; i < findings->count; i++)
		if (findings->items[i].fault == fault && findings->items[i].phase == phase)
			return true;
	return false;
}

/* The one fault of a stack. */
static void expect_only(const char *text, enum pam_fault fault, enum pam_phase phase)
{
	_cleanup_pam_stack_ struct pam_stack stack = { 0 };
	struct pam_findings findings;

	load_text(text, &stack);
	assert_int_equal(pam_verdict(&stack, NULL, NULL, &findings), 0);
	if (findings.count != 1 || !has(&findings, fault, phase)) {
		for (size_t i = 0; i < findings.count; i++)
			print_message("fault %d in %s\n", (int)findings.items[i].fault,
				      pam_phase_name(findings.items[i].phase));
		fail_msg("expected fault %d in %s alone", (int)fault, pam_phase_name(phase));
	}
}

static void expect_good(const char *text)
{
	_cleanup_pam_stack_ struct pam_stack stack = { 0 };
	struct pam_findings findings;

	load_text(text, &stack);
	assert_int_equal(pam_verdict(&stack, NULL, NULL, &findings), 0);
	for (size_t i = 0; i < findings.count; i++)
		print_message("fault %d in %s\n", (int)findings.items[i].fault,
			      pam_phase_name(findings.items[i].phase));
	assert_int_equal(findings.count, 0);
}

/* ---- reading ---- */

static void lines_are_read_with_their_controls_and_arguments(void **state)
{
	_cleanup_pam_stack_ struct pam_stack stack = { 0 };

	(void)state;
	load_text("# a comment\n"
		  "auth  required  pam_env.so readenv=1 # behind\n"
		  "-Session [success=2 default=bad perm_denied=die] /lib/pam_x.so \\\n   a [b c] [d\\] e]\n"
		  "account sufficient pam_y.so",
		  &stack);
	assert_int_equal(stack.count, 3);
	assert_int_equal(stack.lines[0].phase, PAM_PHASE_AUTH);
	assert_string_equal(stack.lines[0].module, "pam_env.so");
	assert_int_equal(stack.lines[0].argument_count, 1);
	assert_int_equal(stack.lines[0].number, 2);
	assert_int_equal(stack.lines[0].actions[PAM_SUCCESS], PAM_ACTION_OK);
	assert_int_equal(stack.lines[0].actions[PAM_IGNORE], PAM_ACTION_IGNORE);
	assert_int_equal(stack.lines[0].actions[PAM_AUTH_ERR], PAM_ACTION_BAD);
	assert_int_equal(stack.lines[1].phase, PAM_PHASE_SESSION);
	assert_true(pam_line_is(&stack.lines[1], "pam_x.so"));
	assert_int_equal(stack.lines[1].actions[PAM_SUCCESS], 2);
	assert_int_equal(stack.lines[1].actions[PAM_PERM_DENIED], PAM_ACTION_DIE);
	assert_int_equal(stack.lines[1].actions[PAM_AUTH_ERR], PAM_ACTION_BAD);
	assert_int_equal(stack.lines[1].argument_count, 3);
	assert_string_equal(stack.lines[1].arguments[1], "b c");
	assert_string_equal(stack.lines[1].arguments[2], "d] e");
	assert_int_equal(stack.lines[1].number, 3);
	assert_int_equal(stack.lines[2].actions[PAM_SUCCESS], PAM_ACTION_DONE);
	assert_int_equal(stack.lines[2].number, 5);
}

static void what_is_included_comes_in_its_place(void **state)
{
	static const struct file files[] = {
		{ "service", "auth required pam_a.so\n@include both\nauth include one\naccount substack one\n" },
		{ "both", "auth required pam_b.so\naccount required pam_c.so\n" },
		{ "one", "auth required pam_d.so\naccount required pam_e.so\n" },
		{ NULL, NULL },
	};
	_cleanup_pam_stack_ struct pam_stack stack = { 0 };

	(void)state;
	load(files, &stack);
	assert_int_equal(stack.count, 6);
	assert_string_equal(stack.lines[1].module, "pam_b.so");
	assert_string_equal(stack.lines[1].path, "/etc/pam.d/both");
	assert_string_equal(stack.lines[3].module, "pam_d.so");
	assert_int_equal(stack.lines[3].level, 0);
	assert_int_equal(stack.lines[4].kind, PAM_LINE_SUBSTACK);
	assert_string_equal(stack.lines[5].module, "pam_e.so");
	assert_int_equal(stack.lines[5].level, 1);
}

static void a_phase_that_a_service_lacks_is_that_of_other(void **state)
{
	static const struct file files[] = {
		{ "service", "auth required pam_a.so\n" },
		{ "other", "auth required pam_b.so\naccount required pam_deny.so\n" },
		{ NULL, NULL },
	};
	_cleanup_pam_stack_ struct pam_stack stack = { 0 };

	(void)state;
	load(files, &stack);
	assert_int_equal(stack.count, 2);
	assert_string_equal(stack.lines[1].path, "/etc/pam.d/other");
}

static void a_file_that_includes_itself_ends(void **state)
{
	static const struct file files[] = { { "service", "@include service\n" }, { NULL, NULL } };
	_cleanup_pam_stack_ struct pam_stack stack = { 0 };

	(void)state;
	load(files, &stack);
	assert_true(stack.count > 0);
	assert_int_equal(stack.lines[0].kind, PAM_LINE_BROKEN);
}

static void a_service_without_a_file_is_not_found(void **state)
{
	static struct file files[] = { { NULL, NULL } };
	struct pam_stack stack;

	(void)state;
	assert_int_equal(pam_stack_load("service", read_files, files, &stack), -ENOENT);
}

/* ---- what can come of it ---- */

static uint64_t by_argument(const void *context, const struct pam_line *line)
{
	(void)context;
	if (line->argument_count == 0)
		return PAM_BITS_ALL;
	return strcmp(line->arguments[0], "yes") == 0      ? PAM_BIT(PAM_SUCCESS)
	       : strcmp(line->arguments[0], "ignore") == 0 ? PAM_BIT(PAM_IGNORE)
							   : PAM_BIT(PAM_AUTH_ERR);
}

static bool is_marked(const void *context, const struct pam_line *line)
{
	(void)context;
	return line->argument_count > 1;
}

static unsigned outcomes(const struct file *files)
{
	_cleanup_pam_stack_ struct pam_stack stack = { 0 };
	unsigned found = 0;

	load(files, &stack);
	assert_int_equal(pam_stack_follow(&stack, PAM_PHASE_AUTH, by_argument, is_marked, NULL, &found), 0);
	return found;
}

static unsigned outcomes_of(const char *text)
{
	const struct file files[] = { { "service", text },
				      { "yes", "auth sufficient a.so yes\nauth required b.so no\n" },
				      { "no", "auth requisite a.so no\n" },
				      { NULL, NULL } };

	return outcomes(files);
}

static void stacks_end_as_libpam_ends_them(void **state)
{
	static const struct {
		const char *text;
		unsigned outcomes;
	} cases[] = {
		{ "", PAM_OUTCOME_FAILURE_WITHOUT },
		{ "auth required a.so yes\n", PAM_OUTCOME_SUCCESS_WITHOUT },
		{ "auth required a.so no\nauth required b.so yes\n", PAM_OUTCOME_FAILURE_WITHOUT },
		{ "auth required a.so no\nauth sufficient b.so yes\n", PAM_OUTCOME_FAILURE_WITHOUT },
		{ "auth sufficient a.so yes\nauth required b.so no\n", PAM_OUTCOME_SUCCESS_WITHOUT },
		{ "auth sufficient a.so no\nauth required b.so yes\n", PAM_OUTCOME_SUCCESS_WITHOUT },
		{ "auth optional a.so no\n", PAM_OUTCOME_FAILURE_WITHOUT },
		{ "auth requisite a.so no\nauth required b.so yes mark\n", PAM_OUTCOME_FAILURE_WITHOUT },
		{ "auth required a.so no\nauth required b.so yes mark\n", PAM_OUTCOME_FAILURE_WITH },
		{ "auth required a.so\n", PAM_OUTCOME_SUCCESS_WITHOUT | PAM_OUTCOME_FAILURE_WITHOUT },
		{ "auth [success=1 default=ignore] a.so yes\nauth requisite b.so no\nauth required c.so yes\n",
		  PAM_OUTCOME_SUCCESS_WITHOUT },
		/* A jump decides nothing by itself, and one too far is a failure. */
		{ "auth [success=1 default=ignore] a.so yes\nauth requisite b.so no\n", PAM_OUTCOME_FAILURE_WITHOUT },
		{ "auth required c.so yes\nauth [success=2 default=ignore] a.so yes\nauth requisite b.so no\n",
		  PAM_OUTCOME_FAILURE_WITHOUT },
		{ "auth required a.so no\nauth [success=reset] b.so yes\nauth required c.so yes\n",
		  PAM_OUTCOME_SUCCESS_WITHOUT },
		{ "auth required a.so ignore\n", PAM_OUTCOME_FAILURE_WITHOUT },
		{ "auth [default=ok] a.so ignore\nauth required b.so yes\n", PAM_OUTCOME_SUCCESS_WITHOUT },
		{ "auth [success=ok] a.so no\n", PAM_OUTCOME_FAILURE_WITHOUT },
		/* Inside a substack, done and die end just that; what it decided stays. */
		{ "auth substack yes\nauth required c.so no\n", PAM_OUTCOME_FAILURE_WITHOUT },
		{ "auth substack yes\nauth optional c.so yes mark\n", PAM_OUTCOME_SUCCESS_WITH },
		{ "auth include yes\nauth optional c.so yes mark\n", PAM_OUTCOME_SUCCESS_WITHOUT },
		{ "auth substack no\nauth required c.so yes mark\n", PAM_OUTCOME_FAILURE_WITH },
		/* A substack counts as one line for a jump. */
		{ "auth [success=1 default=ignore] a.so yes\nauth substack no\nauth required c.so yes\n",
		  PAM_OUTCOME_SUCCESS_WITHOUT },
		{ "auth required a.so yes\nauth include nowhere\n", PAM_OUTCOME_FAILURE_WITHOUT },
		{ "auth required a.so yes\n@include nowhere\n", PAM_OUTCOME_FAILURE_WITHOUT },
		{ "auth required a.so yes\nauht required b.so yes\n", PAM_OUTCOME_FAILURE_WITHOUT },
		{ "auth [success=ko] a.so yes\n", PAM_OUTCOME_FAILURE_WITHOUT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (outcomes_of(cases[i].text) != cases[i].outcomes)
			fail_msg("%x instead of %x comes of:\n%s", outcomes_of(cases[i].text), cases[i].outcomes,
				 cases[i].text);
}

static void many_lines_that_may_return_anything_are_followed_quickly(void **state)
{
	char text[16384] = "";

	(void)state;
	for (size_t i = 0; i < 200; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
			       "auth [success=3 default=ignore auth_err=bad ignore=reset] pam_%zu.so\n", i);
	assert_int_equal(outcomes_of(text) & PAM_OUTCOME_FAILURE_WITHOUT, PAM_OUTCOME_FAILURE_WITHOUT);
}

/* ---- judging ---- */

static void the_shipped_lines_before_debians_are_good(void **state)
{
	(void)state;
	expect_good(ALL DEBIAN);
	/* As pam-auth-update writes them. */
	expect_good("auth [success=2 " RESULTS " pam_oidc.so\n" COMMON_AUTH "account [success=ok " RESULTS
		    " pam_oidc.so\n" COMMON_ACCOUNT COMMON_SESSION SESSION);
	expect_good("auth sufficient pam_rootok.so\n" ALL DEBIAN);
	expect_good("auth optional pam_faildelay.so delay=3000000\nauth requisite pam_nologin.so\n" ALL DEBIAN);
}

#define SYSTEM_AUTH                                                                                                  \
	"auth required pam_env.so\nauth required pam_faildelay.so delay=2000000\n"                                   \
	"auth [default=1 ignore=ignore success=ok] pam_usertype.so isregular\n"                                      \
	"auth [default=1 ignore=ignore success=ok] pam_localuser.so\n"                                               \
	"auth sufficient pam_unix.so nullok\n"                                                                       \
	"auth [default=1 ignore=ignore success=ok] pam_usertype.so isregular\n"                                      \
	"auth sufficient pam_sss.so forward_pass\nauth required pam_deny.so\n"                                       \
	"account required pam_unix.so\naccount sufficient pam_localuser.so\n"                                        \
	"account sufficient pam_usertype.so issystem\naccount [default=bad success=ok user_unknown=ignore] "         \
	"pam_sss.so\n"                                                                                               \
	"account required pam_permit.so\n"                                                                           \
	"session optional pam_keyinit.so revoke\nsession required pam_limits.so\n-session optional pam_systemd.so\n" \
	"session [success=1 default=ignore] pam_succeed_if.so service in crond quiet use_uid\nsession required "     \
	"pam_unix.so\n"

static void the_shipped_lines_before_fedoras_are_good(void **state)
{
	static const struct file files[] = {
		{ "service", AUTH "auth substack password-auth\n" ACCOUNT "account required pam_sepermit.so\n"
				  "account include password-auth\nsession include password-auth\n" SESSION },
		{ "password-auth", SYSTEM_AUTH },
		{ NULL, NULL },
	};
	_cleanup_pam_stack_ struct pam_stack stack = { 0 };
	struct pam_findings findings;

	(void)state;
	load(files, &stack);
	assert_int_equal(pam_verdict(&stack, NULL, NULL, &findings), 0);
	assert_int_equal(findings.count, 0);
}

static void a_denial_that_falls_through_is_found(void **state)
{
	(void)state;
	expect_only("auth sufficient pam_oidc.so\n" ACCOUNT SESSION DEBIAN, PAM_FAULT_FALLS_THROUGH, PAM_PHASE_AUTH);
	expect_only("auth [success=done default=ignore] pam_oidc.so\n" ACCOUNT SESSION DEBIAN, PAM_FAULT_FALLS_THROUGH,
		    PAM_PHASE_AUTH);
	/* A single denial that is forgotten. */
	expect_only("auth [success=done maxtries=ignore " RESULTS " pam_oidc.so\n" ACCOUNT SESSION DEBIAN,
		    PAM_FAULT_FALLS_THROUGH, PAM_PHASE_AUTH);
	expect_only(AUTH "account [success=ok acct_expired=ignore " RESULTS " pam_oidc.so\n" SESSION DEBIAN,
		    PAM_FAULT_FALLS_THROUGH, PAM_PHASE_ACCOUNT);
	/* In a substack, die ends only that, but its denial stays. */
	expect_only(AUTH "account optional pam_oidc.so\n" SESSION DEBIAN, PAM_FAULT_FALLS_THROUGH, PAM_PHASE_ACCOUNT);
}

static void a_line_behind_what_suffices_is_found(void **state)
{
	static const struct file fedora[] = {
		{ "service", AUTH SYSTEM_AUTH ACCOUNT SESSION },
		{ NULL, NULL },
	};
	_cleanup_pam_stack_ struct pam_stack stack = { 0 };
	struct pam_findings findings;

	(void)state;
	expect_only("auth sufficient pam_unix.so\n" AUTH
		    "auth required pam_deny.so\n" ACCOUNT COMMON_ACCOUNT SESSION COMMON_SESSION,
		    PAM_FAULT_BEHIND_PASSWORD, PAM_PHASE_AUTH);
	expect_only("auth sufficient pam_fprintd.so\n" ALL DEBIAN, PAM_FAULT_BEHIND_PASSWORD, PAM_PHASE_AUTH);
	/* pam_localuser suffices for the account phase there. */
	load(fedora, &stack);
	assert_int_equal(pam_verdict(&stack, NULL, NULL, &findings), 0);
	assert_true(has(&findings, PAM_FAULT_BEHIND_PASSWORD, PAM_PHASE_ACCOUNT));
	/* Whom the administrator picks is not asked. */
	expect_good("auth [success=1 default=ignore] pam_succeed_if.so user ingroup local quiet\n" ALL DEBIAN);
}

static void locking_out_root_and_local_users_is_found(void **state)
{
	(void)state;
	expect_only("auth [success=done default=die] pam_oidc.so\n" ACCOUNT SESSION DEBIAN, PAM_FAULT_LOCKS_OUT_LOCALS,
		    PAM_PHASE_AUTH);
	expect_only("auth [success=done user_unknown=ignore default=die] pam_oidc.so\n" ACCOUNT SESSION DEBIAN,
		    PAM_FAULT_LOCKS_OUT_WHEN_DOWN, PAM_PHASE_AUTH);
	expect_only("auth [success=done user_unknown=ignore authinfo_unavail=ignore default=die] pam_oidc.so\n" ACCOUNT
			    SESSION DEBIAN,
		    PAM_FAULT_LOCKS_OUT_WHEN_MISSING, PAM_PHASE_AUTH);
	expect_only(AUTH "account required pam_oidc.so\n" SESSION DEBIAN, PAM_FAULT_LOCKS_OUT_LOCALS,
		    PAM_PHASE_ACCOUNT);
	expect_only(AUTH ACCOUNT "session required pam_oidc.so\n" DEBIAN, PAM_FAULT_LOCKS_OUT_WHEN_MISSING,
		    PAM_PHASE_SESSION);
	/* Who reaches success, but past the password, is not let in by it. */
	expect_only("auth [success=done user_unknown=3 authinfo_unavail=ignore module_unknown=ignore default=die] "
		    "pam_oidc.so\n" ACCOUNT SESSION DEBIAN,
		    PAM_FAULT_LOCKS_OUT_LOCALS, PAM_PHASE_AUTH);
}

static void a_success_that_comes_to_nothing_is_found(void **state)
{
	(void)state;
	expect_only("auth [success=ok " RESULTS " pam_oidc.so\n" ACCOUNT SESSION DEBIAN, PAM_FAULT_NEVER_SUCCEEDS,
		    PAM_PHASE_AUTH);
	expect_only("auth [success=1 " RESULTS " pam_oidc.so\n" ACCOUNT SESSION DEBIAN, PAM_FAULT_NEVER_SUCCEEDS,
		    PAM_PHASE_AUTH);
	expect_only("auth [success=9 " RESULTS " pam_oidc.so\n" ACCOUNT SESSION DEBIAN, PAM_FAULT_NEVER_SUCCEEDS,
		    PAM_PHASE_AUTH);
}

static void a_success_that_spares_the_account_phase_is_found(void **state)
{
	(void)state;
	expect_only(AUTH "account [success=done " RESULTS " pam_oidc.so\n" SESSION DEBIAN, PAM_FAULT_SKIPS_ACCOUNT,
		    PAM_PHASE_ACCOUNT);
}

static void lines_that_are_missing_are_found(void **state)
{
	(void)state;
	expect_only(DEBIAN, PAM_FAULT_NO_LINE_AT_ALL, PAM_PHASE_AUTH);
	expect_only(AUTH SESSION DEBIAN, PAM_FAULT_NO_ACCOUNT_LINE, PAM_PHASE_ACCOUNT);
	expect_only(ACCOUNT SESSION DEBIAN, PAM_FAULT_NO_AUTH_LINE, PAM_PHASE_AUTH);
	expect_only(AUTH ACCOUNT DEBIAN, PAM_FAULT_NO_SESSION_LINE, PAM_PHASE_SESSION);
}

static void arguments_that_the_module_refuses_are_found(void **state)
{
	(void)state;
	expect_only("auth [success=done " RESULTS " pam_oidc.so wait=later\n" ACCOUNT SESSION DEBIAN,
		    PAM_FAULT_ARGUMENT, PAM_PHASE_AUTH);
	expect_only(AUTH "account [success=ok " RESULTS " pam_oidc.so use_first_pass\n" SESSION DEBIAN,
		    PAM_FAULT_ARGUMENT, PAM_PHASE_ACCOUNT);
}

static void a_password_that_nobody_asks_for_is_found(void **state)
{
	(void)state;
	expect_only(AUTH "auth required pam_unix.so use_first_pass\n" ACCOUNT COMMON_ACCOUNT SESSION COMMON_SESSION,
		    PAM_FAULT_NEVER_ASKS, PAM_PHASE_AUTH);
	expect_only(ALL DEBIAN "password [success=2 " RESULTS " pam_oidc.so\n"
			       "password [success=1 default=ignore] pam_unix.so use_authtok\n"
			       "password requisite pam_deny.so\npassword required pam_permit.so\n",
		    PAM_FAULT_NEVER_ASKS, PAM_PHASE_PASSWORD);
	expect_good(ALL DEBIAN "password [success=3 " RESULTS " pam_oidc.so\npassword requisite pam_pwquality.so\n"
			       "password [success=1 default=ignore] pam_unix.so use_authtok\n"
			       "password requisite pam_deny.so\npassword required pam_permit.so\n");
}

static bool no_nope(void *context, const char *module)
{
	(void)context;
	return strcmp(module, "pam_nope.so") != 0;
}

static size_t faults_without_nope(const char *text, struct pam_findings *ret_findings)
{
	_cleanup_pam_stack_ struct pam_stack stack = { 0 };

	load_text(text, &stack);
	assert_int_equal(pam_verdict(&stack, no_nope, NULL, ret_findings), 0);
	return ret_findings->count;
}

static void a_module_that_is_not_there_is_found_where_it_locks_out(void **state)
{
	struct pam_findings findings;

	(void)state;
	assert_int_equal(faults_without_nope("auth required pam_nope.so\n" ALL DEBIAN, &findings), 1);
	assert_int_equal(findings.items[0].fault, PAM_FAULT_MODULE_MISSING);
	assert_int_equal(
		faults_without_nope("auth optional pam_nope.so\n-session optional pam_nope.so\n" ALL DEBIAN, &findings),
		0);
	assert_int_equal(
		faults_without_nope("auth [success=ok module_unknown=ignore default=bad] pam_nope.so\n" ALL DEBIAN,
				    &findings),
		0);
}

static void lines_that_libpam_cannot_read_are_found(void **state)
{
	(void)state;
	expect_only(ALL "auth [success=nothing] pam_env.so\n" DEBIAN, PAM_FAULT_BROKEN_LINE, PAM_PHASE_AUTH);
	expect_only(ALL "account requierd pam_nologin.so\n" DEBIAN, PAM_FAULT_BROKEN_LINE, PAM_PHASE_ACCOUNT);
	expect_only(ALL "session required\n" DEBIAN, PAM_FAULT_BROKEN_LINE, PAM_PHASE_SESSION);
	expect_only(ALL "auth include nowhere\n" DEBIAN, PAM_FAULT_BROKEN_LINE, PAM_PHASE_AUTH);
}

/* ---- arguments ---- */

static void arguments_are_judged_as_the_module_does(void **state)
{
	static const char *const arguments[] = {
		"qr=utf8",
		"qr=dual",
		"qr=ascii",
		"qr=none",
		"qr=",
		"qr",
		"qr=UTF8",
		"wait=enter",
		"wait=info",
		"wait=retry",
		"wait=",
		"wait=x",
		"timeout=4",
		"timeout=5",
		"timeout=005",
		"timeout=1800",
		"timeout=1801",
		"timeout=",
		"timeout",
		"timeout=-5",
		"timeout= 5",
		"timeout=5s",
		"timeout=99999999999999999999",
		"debug",
		"debug=",
		"debug=1",
		"",
		"=",
		"qr=utf8x",
		"no_warn",
		"try_first_pass",
		"DEBUG",
	};
	const size_t count = sizeof(arguments) / sizeof(arguments[0]);

	(void)state;
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j <= count; j++) {
			const char *argv[] = { arguments[i], j < count ? arguments[j] : NULL };
			unsigned seen = 0;
			struct arguments taken;
			const char *wrong, *expected;
			bool by_module =
				arguments_parse(j < count ? 2 : 1, argv, APPLICATION_SSHD, &taken, &wrong, &expected);
			bool by_us = !pam_oidc_argument_fault(argv[0], &seen) &&
				     (j == count || !pam_oidc_argument_fault(argv[1], &seen));

			if (by_module != by_us)
				fail_msg("\"%s\" \"%s\": the module says %d", argv[0], j < count ? argv[1] : "",
					 by_module);
		}
}

static void the_time_limit_is_read_as_the_module_reads_it(void **state)
{
	_cleanup_pam_stack_ struct pam_stack stack = { 0 };

	(void)state;
	load_text("auth required pam_oidc.so debug timeout=200\nauth required pam_oidc.so timeout=2\n", &stack);
	assert_int_equal(pam_oidc_timeout_s(&stack.lines[0]), 200);
	assert_int_equal(pam_oidc_timeout_s(&stack.lines[1]), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_read_with_their_controls_and_arguments),
		cmocka_unit_test(what_is_included_comes_in_its_place),
		cmocka_unit_test(a_phase_that_a_service_lacks_is_that_of_other),
		cmocka_unit_test(a_file_that_includes_itself_ends),
		cmocka_unit_test(a_service_without_a_file_is_not_found),
		cmocka_unit_test(stacks_end_as_libpam_ends_them),
		cmocka_unit_test(many_lines_that_may_return_anything_are_followed_quickly),
		cmocka_unit_test(the_shipped_lines_before_debians_are_good),
		cmocka_unit_test(the_shipped_lines_before_fedoras_are_good),
		cmocka_unit_test(a_denial_that_falls_through_is_found),
		cmocka_unit_test(a_line_behind_what_suffices_is_found),
		cmocka_unit_test(locking_out_root_and_local_users_is_found),
		cmocka_unit_test(a_success_that_comes_to_nothing_is_found),
		cmocka_unit_test(a_success_that_spares_the_account_phase_is_found),
		cmocka_unit_test(lines_that_are_missing_are_found),
		cmocka_unit_test(arguments_that_the_module_refuses_are_found),
		cmocka_unit_test(a_password_that_nobody_asks_for_is_found),
		cmocka_unit_test(a_module_that_is_not_there_is_found_where_it_locks_out),
		cmocka_unit_test(lines_that_libpam_cannot_read_are_found),
		cmocka_unit_test(arguments_are_judged_as_the_module_does),
		cmocka_unit_test(the_time_limit_is_read_as_the_module_reads_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
