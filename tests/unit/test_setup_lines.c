/*
 * The pure parts of what setup changes: lines put into files of the system, taken out again, and told apart from what
 * others wrote since.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "provisiond/ctl/setup/change_take_back.h"
#include "provisiond/ctl/setup/line_diff.h"
#include "provisiond/ctl/setup/nsswitch_lines.h"
#include "provisiond/ctl/setup/pam_lines.h"
#include "provisiond/ctl/setup/sshd_lines.h"

#define RESULTS "user_unknown=ignore authinfo_unavail=ignore module_unknown=ignore default=die"
#define AUTH "auth\t[success=done " RESULTS "] pam_oidc.so\n"
#define ACCOUNT "account\t[success=ok " RESULTS "] pam_oidc.so\n"
#define SESSION "session\toptional pam_oidc.so\n"

static char fault[CHANGE_FAULT_SIZE];

/* ---- nsswitch.conf ---- */

static void expect_added(const char *text, const char *expected)
{
	char *with_oidc = nsswitch_add_oidc(text, fault, sizeof(fault));

	assert_non_null(with_oidc);
	assert_string_equal(with_oidc, expected);
	free(with_oidc);
}

static void oidc_is_the_last_source_of_users_and_groups(void **state)
{
	(void)state;
	expect_added(
		"passwd:\t files systemd\ngroup:  files [SUCCESS=merge] systemd  # both\nshadow: files\n",
		"passwd:\t files systemd oidc\ngroup:  files [SUCCESS=merge] systemd oidc  # both\nshadow: files\n");
	expect_added("passwd:files\ngroup:files\ninitgroups: files",
		     "passwd:files oidc\ngroup:files oidc\ninitgroups: files oidc");
}

static void lines_that_have_oidc_stay_as_they_are(void **state)
{
	static const char text[] = "passwd: files oidc sss\ngroup: oidc files [NOTFOUND=return]\n";

	(void)state;
	expect_added(text, text);
}

static void a_missing_line_is_added_with_files(void **state)
{
	(void)state;
	expect_added("hosts: dns\npasswd: files", "hosts: dns\npasswd: files oidc\ngroup: files oidc\n");
	expect_added("", "passwd: files oidc\ngroup: files oidc\n");
	expect_added("#passwd: files\ngroup: files\n", "#passwd: files\ngroup: files oidc\npasswd: files oidc\n");
}

static void an_action_that_ends_the_search_is_an_error_with_its_remedy(void **state)
{
	static const char *const actions[] = { "[NOTFOUND=return]", "[notfound=RETURN]", "[!SUCCESS=return]",
					       "[!UNAVAIL=return]", "[SUCCESS=return NOTFOUND=return]" };

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		char text[128];

		(void)snprintf(text, sizeof(text), "passwd: files\ngroup: files %s sss\n", actions[i]);
		assert_null(nsswitch_add_oidc(text, fault, sizeof(fault)));
		assert_non_null(strstr(fault, actions[i]));
		assert_non_null(strstr(fault, "group:"));
	}
	expect_added("passwd: files [SUCCESS=return] sss\ngroup: files [UNAVAIL=return] sss\n",
		     "passwd: files [SUCCESS=return] sss oidc\ngroup: files [UNAVAIL=return] sss oidc\n");
	expect_added("passwd: files [!NOTFOUND=return] sss\ngroup: files\n",
		     "passwd: files [!NOTFOUND=return] sss oidc\ngroup: files oidc\n");
}

static void removing_oidc_leaves_all_else(void **state)
{
	char *text = nsswitch_remove_oidc(
		"passwd: files oidc [NOTFOUND=return] sss # oidc\ngroup: oidc files\nhosts: oidc\n");

	(void)state;
	assert_string_equal(text, "passwd: files sss # oidc\ngroup: files\nhosts: oidc\n");
	free(text);
}

/* ---- pam.d ---- */

static void expect_lines(const char *text, unsigned phases, const char *expected)
{
	static const char *const covered[] = { "su", "sudo", NULL };
	char *with_lines = pam_lines_add(text, phases, covered), *again, *without;

	assert_non_null(with_lines);
	assert_string_equal(with_lines, expected);
	again = pam_lines_add(with_lines, phases, covered);
	assert_string_equal(again, expected);
	without = pam_lines_remove(with_lines);
	assert_string_equal(without, text);
	free(with_lines);
	free(again);
	free(without);
}

static void lines_stand_before_debians_common_files(void **state)
{
	(void)state;
	expect_lines(
		"# PAM\nauth optional pam_faildelay.so delay=3\n@include common-auth\naccount required pam_nologin.so\n"
		"@include common-account\nsession required pam_loginuid.so\n@include common-session\n",
		PAM_LINES_AUTH | PAM_LINES_ACCOUNT | PAM_LINES_SESSION,
		"# PAM\nauth optional pam_faildelay.so delay=3\n" AUTH "@include common-auth\n"
		"account required pam_nologin.so\n" ACCOUNT "@include common-account\n"
		"session required pam_loginuid.so\n" SESSION "@include common-session\n");
}

static void lines_stand_before_fedoras_substacks(void **state)
{
	(void)state;
	expect_lines("auth       substack     password-auth\nauth       include      postlogin\n"
		     "account    required     pam_sepermit.so\naccount    include      password-auth\n",
		     PAM_LINES_AUTH | PAM_LINES_ACCOUNT,
		     AUTH "auth       substack     password-auth\nauth       include      postlogin\n"
			  "account    required     pam_sepermit.so\n" ACCOUNT
			  "account    include      password-auth\n");
}

static void root_is_not_asked_by_su(void **state)
{
	(void)state;
	expect_lines("auth       sufficient pam_rootok.so\n# more\nsession required pam_env.so\n@include common-auth\n",
		     PAM_LINES_AUTH,
		     "auth       sufficient pam_rootok.so\n# more\nsession required pam_env.so\n" AUTH
		     "@include common-auth\n");
}

static void the_line_stands_before_any_module_that_suffices(void **state)
{
	(void)state;
	expect_lines("auth required pam_env.so\nauth sufficient pam_fprintd.so\nauth sufficient pam_unix.so\n",
		     PAM_LINES_AUTH,
		     "auth required pam_env.so\n" AUTH "auth sufficient pam_fprintd.so\nauth sufficient pam_unix.so\n");
}

static void a_file_that_takes_all_from_another_gets_none(void **state)
{
	(void)state;
	expect_lines("auth include su\n", PAM_LINES_AUTH, "auth include su\n");
	expect_lines("@include sudo\n", PAM_LINES_AUTH, "@include sudo\n");
	expect_lines("session required pam_limits.so\n", PAM_LINES_AUTH, "session required pam_limits.so\n");
}

static void jumps_over_the_new_line_are_lengthened_and_shortened_again(void **state)
{
	(void)state;
	expect_lines(
		"auth [success=1 default=ignore] pam_succeed_if.so quiet uid = 0\nauth [success=2 default=3] pam_a.so\n"
		"account [success=9 default=ignore] pam_b.so\nauth required pam_unix.so\nauth required pam_deny.so\n",
		PAM_LINES_AUTH,
		"auth [success=1 default=ignore] pam_succeed_if.so quiet uid = 0\n"
		"auth [success=3 default=4] pam_a.so\naccount [success=9 default=ignore] pam_b.so\n" AUTH
		"auth required pam_unix.so\nauth required pam_deny.so\n");
}

static void continued_lines_stay_in_one_piece(void **state)
{
	(void)state;
	expect_lines("auth required \\\n  pam_env.so # pam_oidc.so\nauth \\\n sufficient pam_unix.so\n", PAM_LINES_AUTH,
		     "auth required \\\n  pam_env.so # pam_oidc.so\n" AUTH "auth \\\n sufficient pam_unix.so\n");
}

static void lines_of_pam_auth_update_are_found_and_removed(void **state)
{
	char *text = pam_lines_remove("auth\t[success=3 default=ignore]\tpam_sss.so\n"
				      "auth\t[success=2 " RESULTS "]\t/usr/lib/security/pam_oidc.so debug\n"
				      "auth\t[success=1 default=ignore]\tpam_unix.so\nauth requisite pam_deny.so\n");

	(void)state;
	assert_string_equal(text, "auth\t[success=2 default=ignore]\tpam_sss.so\n"
				  "auth\t[success=1 default=ignore]\tpam_unix.so\nauth requisite pam_deny.so\n");
	free(text);
	assert_true(pam_lines_present("-auth required pam_oidc.so\n"));
	assert_false(pam_lines_present("#auth required pam_oidc.so\nauth required pam_oidc_other.so\n"));
}

/* ---- taking back ---- */

static struct change change_of(const char *before, const char *after, enum change_undo undo)
{
	/* Only read. */
	return (struct change){
		.before = { before != NULL, before ? strdup(before) : NULL, before ? strlen(before) : 0 },
		.after = { after != NULL, after ? strdup(after) : NULL, after ? strlen(after) : 0 },
		.undo = undo,
	};
}

static void expect_taken_back(const char *before, const char *after, enum change_undo undo, const char *now,
			      enum take_back how, const char *expected)
{
	struct change change = change_of(before, after, undo);
	struct change_content content = { now != NULL, now ? strdup(now) : NULL, now ? strlen(now) : 0 }, text = { 0 };

	assert_int_equal(change_take_back(&change, &content, &text), how);
	if (expected)
		assert_string_equal(text.text, expected);
	else
		assert_null(text.text);
	change_content_free(&change.before);
	change_content_free(&change.after);
	change_content_free(&content);
	change_content_free(&text);
}

static void what_was_not_edited_is_what_it_was(void **state)
{
	(void)state;
	expect_taken_back("a\n", "b\n", CHANGE_UNDO_STAYS, "b\n", TAKE_BACK_WHOLE, "a\n");
	expect_taken_back(NULL, "b\n", CHANGE_UNDO_STAYS, "b\n", TAKE_BACK_WHOLE, NULL);
	expect_taken_back("a\n", "b\n", CHANGE_UNDO_STAYS, "a\n", TAKE_BACK_NOTHING, NULL);
	expect_taken_back("a\n", NULL, CHANGE_UNDO_STAYS, NULL, TAKE_BACK_WHOLE, "a\n");
	expect_taken_back(NULL, "b\n", CHANGE_UNDO_STAYS, NULL, TAKE_BACK_NOTHING, NULL);
}

static void of_an_edited_file_only_the_lines_of_setup_go(void **state)
{
	(void)state;
	expect_taken_back("one\ntwo\n", "one\nours\ntwo\n", CHANGE_UNDO_LINES, "zero\none\nours\ntwo\nthree\n",
			  TAKE_BACK_LINES, "zero\none\ntwo\nthree\n");
	expect_taken_back(NULL, "ours 1\nours 2\n", CHANGE_UNDO_LINES, "ours 1\ntheirs\nours 2\n", TAKE_BACK_LINES,
			  "theirs\n");
	expect_taken_back(NULL, "ours 1\nours 2\n", CHANGE_UNDO_LINES, "ours 1\n# a comment\nours 2\n", TAKE_BACK_LINES,
			  NULL);
	expect_taken_back("a", "a\nours\n", CHANGE_UNDO_LINES, "a\nours\nb\n", TAKE_BACK_LINES, "a\nb\n");
	expect_taken_back("one\n", "one\nours\n", CHANGE_UNDO_LINES, "one\nmore\n", TAKE_BACK_CLEAN, NULL);
}

static void a_line_that_both_changed_is_told_apart_by_its_format_or_stays(void **state)
{
	(void)state;
	expect_taken_back("v 1\n", "v 2\n", CHANGE_UNDO_LINES, "v 3\n", TAKE_BACK_STAYS, NULL);
	expect_taken_back("passwd: files\n", "passwd: files oidc\n", CHANGE_UNDO_NSSWITCH, "passwd: files oidc sss\n",
			  TAKE_BACK_LINES, "passwd: files sss\n");
	expect_taken_back(
		"auth [success=1 default=ignore] pam_unix.so\n",
		"auth [success=2 default=die] pam_oidc.so\nauth [success=1 default=ignore] pam_unix.so try\n",
		CHANGE_UNDO_PAM,
		"auth [success=3 default=die] pam_oidc.so\nauth [success=2 default=ignore] pam_sss.so\n"
		"auth [success=1 default=ignore] pam_unix.so try x\n",
		TAKE_BACK_LINES,
		"auth [success=2 default=ignore] pam_sss.so\nauth [success=1 default=ignore] pam_unix.so try x\n");
}

static void an_edited_configuration_is_put_aside_and_an_edited_secret_stays(void **state)
{
	struct change change = change_of(NULL, NULL, CHANGE_UNDO_WHOLE);
	struct change_content now = { true, strdup("other"), 5 }, text = { 0 };

	(void)state;
	expect_taken_back(NULL, "[tenant a]\n", CHANGE_UNDO_WHOLE, "[tenant a]\nmore\n", TAKE_BACK_ASIDE, NULL);
	expect_taken_back("old\n", "new\n", CHANGE_UNDO_WHOLE, "newer\n", TAKE_BACK_ASIDE, "old\n");
	change.after.exists = true;
	change.secret = true;
	assert_true(change_digest_make(&change, "hush", 4));
	assert_true(change_digest_fits(&change, "hush", 4));
	assert_int_equal(change_take_back(&change, &now, &text), TAKE_BACK_STAYS);
	memcpy(now.text, "hush", 5);
	now.length = 4;
	assert_int_equal(change_take_back(&change, &now, &text), TAKE_BACK_WHOLE);
	change_content_free(&now);
}

/* Random edits before and after: taking back never loses a line of somebody else's, and never leaves one of ours. */
static void random_edits_never_lose_a_line_and_never_keep_one_of_ours(void **state)
{
	uint32_t seed = 7;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		char before[512] = "", after[1024] = "", edited[2048] = "", expected[2048] = "", *text;
		size_t length;

		for (int i = 0; i < 12; i++) {
			char line[32];

			seed = seed * 1664525u + 1013904223u;
			(void)snprintf(line, sizeof(line), "line %u\n", (seed >> 16) % 5);
			strcat(before, line);
			strcat(after, line);
			strcat(edited, line);
			strcat(expected, line);
			if ((seed >> 8) % 4 == 0) {
				strcat(after, "ours\n");
				strcat(edited, "ours\n");
			}
			if ((seed >> 24) % 5 == 0) {
				(void)snprintf(line, sizeof(line), "theirs %d\n", i);
				strcat(edited, line);
				strcat(expected, line);
			}
		}
		assert_int_equal(line_diff_take_back(before, strlen(before), after, strlen(after), edited,
						     strlen(edited), &text, &length),
				 LINE_MERGE_DONE);
		assert_string_equal(text, expected);
		assert_int_equal(length, strlen(expected));
		free(text);
	}
}

/* ---- sshd ---- */

static void the_include_that_covers_our_file_is_found_outside_of_match(void **state)
{
	static const char path[] = "/etc/ssh/sshd_config.d/10-pam_oidc.conf";
	char arguments[256];
	const char *line;
	size_t length;

	(void)state;
	assert_true(sshd_lines_find_include("# x\n include /etc/ssh/a.conf /etc/ssh/sshd_config.d/*.conf\n", path,
					    &line, &length, arguments, sizeof(arguments)));
	assert_true(sshd_lines_find_include("Include \"sshd_config.d/*.conf\"", path, &line, &length, arguments,
					    sizeof(arguments)));
	assert_false(sshd_lines_find_include("Match User a\nInclude /etc/ssh/sshd_config.d/*.conf\n", path, &line,
					     &length, arguments, sizeof(arguments)));
	assert_false(sshd_lines_find_include("#Include /etc/ssh/sshd_config.d/*.conf\nIncludes x\n", path, &line,
					     &length, arguments, sizeof(arguments)));
}

static void the_line_that_sets_a_keyword_first_is_named(void **state)
{
	static const char text[] = "# UsePAM no\nPort 22\n  usepam=no\nMatch all\nUseDNS yes\n";
	char value[16];

	(void)state;
	assert_int_equal(sshd_lines_setting(text, strlen(text), "UsePAM"), 3);
	assert_int_equal(sshd_lines_setting(text, strlen(text), "UseDNS"), 0);
	assert_int_equal(sshd_lines_setting(text, 10, "UsePAM"), 0);
	assert_true(sshd_lines_effective("port 22\nusepam yes\n", "usepam", value, sizeof(value)));
	assert_string_equal(value, "yes");
	assert_true(sshd_lines_effective("Port 22\nUsePAM no\n", "usepam", value, sizeof(value)));
	assert_string_equal(value, "no");
	assert_false(sshd_lines_effective("usepamx yes\n", "usepam", value, sizeof(value)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(oidc_is_the_last_source_of_users_and_groups),
		cmocka_unit_test(lines_that_have_oidc_stay_as_they_are),
		cmocka_unit_test(a_missing_line_is_added_with_files),
		cmocka_unit_test(an_action_that_ends_the_search_is_an_error_with_its_remedy),
		cmocka_unit_test(removing_oidc_leaves_all_else),
		cmocka_unit_test(lines_stand_before_debians_common_files),
		cmocka_unit_test(lines_stand_before_fedoras_substacks),
		cmocka_unit_test(root_is_not_asked_by_su),
		cmocka_unit_test(the_line_stands_before_any_module_that_suffices),
		cmocka_unit_test(a_file_that_takes_all_from_another_gets_none),
		cmocka_unit_test(jumps_over_the_new_line_are_lengthened_and_shortened_again),
		cmocka_unit_test(continued_lines_stay_in_one_piece),
		cmocka_unit_test(lines_of_pam_auth_update_are_found_and_removed),
		cmocka_unit_test(what_was_not_edited_is_what_it_was),
		cmocka_unit_test(of_an_edited_file_only_the_lines_of_setup_go),
		cmocka_unit_test(a_line_that_both_changed_is_told_apart_by_its_format_or_stays),
		cmocka_unit_test(an_edited_configuration_is_put_aside_and_an_edited_secret_stays),
		cmocka_unit_test(random_edits_never_lose_a_line_and_never_keep_one_of_ours),
		cmocka_unit_test(the_include_that_covers_our_file_is_found_outside_of_match),
		cmocka_unit_test(the_line_that_sets_a_keyword_first_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
