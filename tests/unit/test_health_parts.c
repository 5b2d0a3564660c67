/*
 * Tests the parts of the health report: the order of name services, what sshd says, account files, programs with a
 * deadline, and how findings are shown.
 */
#include <errno.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/wire.h"
#include "provisiond/ctl/health/account_lines.h"
#include "provisiond/ctl/health/findings.h"
#include "provisiond/ctl/health/nss_order.h"
#include "provisiond/ctl/health/sshd_settings.h"
#include "provisiond/ctl/health/timed_program.h"

/* ---- name services ---- */

static enum nss_order_fault judge(const char *text, size_t *ret_step)
{
	struct nss_order order;

	*ret_step = 0;
	return nss_order_parse(text, "passwd", &order) ? nss_order_judge(&order, "oidc", ret_step)
						       : NSS_ORDER_NO_DATABASE;
}

static void the_order_of_name_services_is_judged(void **state)
{
	static const struct {
		const char *text;
		enum nss_order_fault fault;
		size_t step;
	} cases[] = {
		{ "passwd: files systemd oidc\n", NSS_ORDER_GOOD, 0 },
		{ "# passwd: oidc\n passwd :\tfiles  oidc # last\n", NSS_ORDER_GOOD, 0 },
		{ "passwd: oidc", NSS_ORDER_GOOD, 0 },
		{ "group: files oidc\n", NSS_ORDER_NO_DATABASE, 0 },
		{ "passwd: files systemd\n", NSS_ORDER_MISSING, 0 },
		{ "passwd: files # oidc\n", NSS_ORDER_MISSING, 0 },
		{ "passwd:\n", NSS_ORDER_MISSING, 0 },
		{ "passwd: files oidc sss\n", NSS_ORDER_NOT_LAST, 2 },
		{ "passwd: files [NOTFOUND=return] oidc\n", NSS_ORDER_NOT_REACHED, 0 },
		{ "passwd: files sss [notfound = return UNAVAIL=continue] oidc\n", NSS_ORDER_NOT_REACHED, 1 },
		{ "passwd: files sss [UNAVAIL=return] oidc\n", NSS_ORDER_NOT_REACHED, 1 },
		{ "passwd: files sss [!UNAVAIL=return] oidc\n", NSS_ORDER_NOT_REACHED, 1 },
		{ "passwd: files sss [!SUCCESS=return]oidc\n", NSS_ORDER_NOT_REACHED, 1 },
		{ "passwd: files sss [SUCCESS=return] oidc\n", NSS_ORDER_GOOD, 0 },
		{ "passwd: files [SUCCESS=merge] sss [SUCCESS=merge] oidc\n", NSS_ORDER_GOOD, 0 },
		{ "passwd: files [!SUCCESS=return NOTFOUND=continue UNAVAIL=continue TRYAGAIN=continue] oidc\n",
		  NSS_ORDER_GOOD, 0 },
		{ "passwd: files oidc [NOTFOUND=return]\n", NSS_ORDER_GOOD, 0 },
		{ "passwd: files oidc oidc\n", NSS_ORDER_TWICE, 0 },
		{ "passwd: files oidc\npasswd: files\n", NSS_ORDER_MISSING, 0 },
		{ "passwd: files [NOTFOUND=return", NSS_ORDER_MISSING, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t step;
		enum nss_order_fault fault = judge(cases[i].text, &step);

		if (fault != cases[i].fault || step != cases[i].step)
			fail_msg("%d at %zu of: %s", (int)fault, step, cases[i].text);
	}
}

static void a_search_that_ends_only_while_a_source_is_away_is_told_apart(void **state)
{
	struct nss_order order;

	(void)state;
	assert_true(nss_order_parse("passwd: sss [UNAVAIL=return] ldap [NOTFOUND=return] oidc", "passwd", &order));
	assert_int_equal(order.count, 3);
	assert_true(order.steps[0].ends_when_away && !order.steps[0].ends_when_unknown);
	assert_true(order.steps[1].ends_when_unknown && !order.steps[1].ends_when_away);
}

/* ---- sshd ---- */

#define SSHD_SAYS                                                                                                \
	"port 22\nusepam yes\nlogingracetime 120\nkbdinteractiveauthentication yes\npasswordauthentication no\n" \
	"usedns no\nmaxstartups 10:30:100\nauthenticationmethods any\n"

static void what_sshd_says_is_read(void **state)
{
	_cleanup_sshd_settings_ struct sshd_settings settings = { 0 };

	(void)state;
	assert_true(sshd_settings_parse(SSHD_SAYS "denyusers alice\ndenyusers bob carol\npersourcepenalties crash:90\n"
						  "persourcepenaltyexemptlist 192.0.2.0/24\n",
					&settings));
	assert_true(settings.use_pam && settings.keyboard_interactive && !settings.password && !settings.use_dns);
	assert_int_equal(settings.login_grace_time_s, 120);
	assert_int_equal(settings.startups_begin, 10);
	assert_int_equal(settings.startups_full, 100);
	assert_int_equal(settings.deny_users.count, 3);
	assert_string_equal(settings.deny_users.items[2], "carol");
	assert_int_equal(settings.allow_users.count, 0);
	assert_true(settings.penalties);
	assert_string_equal(settings.penalty_exempt, "192.0.2.0/24");
}

static void keywords_are_read_in_any_case(void **state)
{
	_cleanup_sshd_settings_ struct sshd_settings settings = { 0 };

	(void)state;
	assert_true(sshd_settings_parse("UsePAM yes\nLoginGraceTime 90\nKbdInteractiveAuthentication yes\nUseDNS yes\n"
					"MaxStartups 1:2:3\nDenyUsers alice\nPerSourcePenalties no\n",
					&settings));
	assert_true(settings.use_pam && settings.keyboard_interactive && settings.use_dns && !settings.penalties);
	assert_int_equal(settings.login_grace_time_s, 90);
	assert_int_equal(settings.startups_rate, 2);
	assert_int_equal(settings.deny_users.count, 1);
}

static void what_is_no_answer_of_sshds_is_refused(void **state)
{
	struct sshd_settings settings;

	(void)state;
	assert_false(sshd_settings_parse("", &settings));
	assert_false(sshd_settings_parse("usepam yes\n", &settings));
	assert_false(sshd_settings_parse(SSHD_SAYS "maxstartups many\n", &settings));
}

static void methods_must_have_one_that_shows_a_code(void **state)
{
	(void)state;
	assert_true(sshd_methods_allow_keyboard("any"));
	assert_true(sshd_methods_allow_keyboard("publickey publickey,keyboard-interactive"));
	assert_true(sshd_methods_allow_keyboard("keyboard-interactive:pam"));
	assert_false(sshd_methods_allow_keyboard("publickey publickey,password"));
	assert_false(sshd_methods_allow_keyboard("publickey,keyboard-interactively"));
}

static void note_match(void *context, const char *patterns, unsigned line)
{
	char *noted = context;

	(void)snprintf(noted + strlen(noted), 256 - strlen(noted), "%u:%s ", line, patterns);
}

static void note_include(void *context, const char *pattern)
{
	char *noted = context;

	(void)snprintf(noted + strlen(noted), 256 - strlen(noted), "+%s ", pattern);
}

static void rules_by_user_name_are_found_in_sshd_config(void **state)
{
	char noted[256] = "";

	(void)state;
	sshd_config_read("# Match User nobody\nInclude /etc/ssh/sshd_config.d/*.conf other\n"
			 "match  Address 10.0.0.0/8 user=alice,b* # who\n\tX11Forwarding no\n"
			 "Match all\nMatch Group staff\nMatch User \"carol d*\"\n",
			 note_match, note_include, noted);
	assert_string_equal(noted, "+/etc/ssh/sshd_config.d/*.conf +other 3:alice,b* 7:carol d* ");
}

static void patterns_match_as_sshds_do(void **state)
{
	(void)state;
	assert_true(sshd_pattern_matches("alice", "alice"));
	assert_false(sshd_pattern_matches("alice", "alice@clinic.example"));
	assert_true(sshd_pattern_matches("al*", "alice@clinic.example"));
	assert_true(sshd_pattern_matches("*i?e", "alice"));
	assert_false(sshd_pattern_matches("?", ""));
	assert_true(sshd_pattern_matches("alice@10.0.0.*", "alice"));
	assert_true(sshd_list_matches("bob,al*", "alice"));
	assert_false(sshd_list_matches("al*,!alice", "alice"));
	assert_false(sshd_list_matches("", "alice"));
	assert_false(sshd_pattern_matches("*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}

/* ---- account files ---- */

static void accounts_are_found_by_name(void **state)
{
	_cleanup_account_lines_ struct account_lines lines = { 0 };

	(void)state;
	assert_true(account_lines_parse(strdup("root:x:0:0:root:/root:/bin/sh\n# alice:x:1\n+::::::\n\nbob:x:5\n"
					       "alice:x:7:7:A:/home/alice:/bin/bash\nalice:x:8\n"),
					&lines));
	assert_int_equal(lines.count, 4);
	assert_string_equal(account_lines_find(&lines, "alice")->fields[2], "7");
	assert_string_equal(account_lines_find(&lines, "bob")->fields[6], "");
	assert_null(account_lines_find(&lines, "carol"));
	assert_null(account_lines_find(&lines, "+"));
}

static void a_file_that_cannot_be_read_has_no_accounts(void **state)
{
	_cleanup_account_lines_ struct account_lines lines = { 0 };

	(void)state;
	assert_true(account_lines_parse(NULL, &lines));
	assert_null(account_lines_find(&lines, "alice"));
}

static void passwords_are_told_apart(void **state)
{
	(void)state;
	assert_int_equal(password_kind("*"), PASSWORD_CLOSED);
	assert_int_equal(password_kind("!$6$abc"), PASSWORD_CLOSED);
	assert_int_equal(password_kind(""), PASSWORD_EMPTY);
	assert_int_equal(password_kind("$6$abc"), PASSWORD_OPEN);
	assert_int_equal(shadow_days("19000"), 19000);
	assert_int_equal(shadow_days(""), -1);
	assert_int_equal(shadow_days("-1"), -1);
	assert_int_equal(shadow_days("x"), -1);
}

/* ---- programs ---- */

static int run_shell(const char *script, int64_t patience_ms, struct program_output *ret_output)
{
	const char *const argv[] = { "/bin/sh", "-c", script, NULL };

	return timed_program_run(argv, wire_now_ms() + patience_ms, ret_output);
}

static void a_program_is_run_and_heard(void **state)
{
	_cleanup_program_output_ struct program_output output = { 0 };

	(void)state;
	assert_int_equal(setenv("SECRET", "x", 1), 0);
	assert_int_equal(run_shell("echo out; echo err >&2; read line || echo none; echo \"${SECRET-unset}\"; exit 3",
				   60000, &output),
			 0);
	assert_int_equal(output.exit_status, 3);
	assert_false(output.timed_out);
	assert_string_equal(output.text, "out\nerr\nnone\nunset\n");
}

/* Whether a process runs; one that is yet to be collected does not. */
static bool runs(long pid)
{
	_cleanup_file_ FILE *file = NULL;
	char path[64], state = 'Z';

	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	file = fopen(path, "re");
	return file && fscanf(file, "%*d (%*[^)]) %c", &state) == 1 && state != 'Z' && state != 'X';
}

static void a_program_that_hangs_is_ended_with_its_children(void **state)
{
	_cleanup_program_output_ struct program_output output = { 0 };
	int64_t began_ms = wire_now_ms();
	long child;

	(void)state;
	assert_int_equal(run_shell("sleep 1000 & echo $!; wait", 1000, &output), 0);
	assert_true(output.timed_out);
	assert_int_equal(output.exit_status, -1);
	child = strtol(output.text, NULL, 10);
	assert_true(child > 0);
	while (runs(child) && wire_now_ms() - began_ms < 60000)
		(void)usleep(1000);
	assert_false(runs(child));
}

static void a_program_that_is_not_there_is_told_apart(void **state)
{
	const char *const argv[] = { "/nonexistent/program", NULL };
	struct program_output output;

	(void)state;
	assert_int_equal(timed_program_run(argv, wire_now_ms() + 60000, &output), -ENOENT);
}

static void a_flood_of_output_is_cut(void **state)
{
	_cleanup_program_output_ struct program_output output = { 0 };

	(void)state;
	assert_int_equal(run_shell("head -c 1000000 /dev/zero | tr '\\0' x; printf 'a\\0b'", 60000, &output), 0);
	assert_int_equal(output.exit_status, 0);
	assert_int_equal(strlen(output.text), PROGRAM_OUTPUT_MAX);
}

/* ---- findings ---- */

/* What a function prints to standard output; the caller frees it. */
static char *printed(const struct findings *findings, bool json, bool colour, size_t columns)
{
	char *text = NULL;
	size_t length = 0;
	FILE *file = tmpfile();
	int before;

	assert_non_null(file);
	(void)fflush(stdout);
	before = dup(STDOUT_FILENO);
	assert_true(dup2(fileno(file), STDOUT_FILENO) >= 0);
	if (json)
		findings_print_json(findings);
	else
		assert_true(findings_print(findings, colour, columns));
	(void)fflush(stdout);
	assert_true(dup2(before, STDOUT_FILENO) >= 0);
	(void)close(before);
	rewind(file);
	assert_true(getdelim(&text, &length, '\0', file) > 0);
	(void)fclose(file);
	return text;
}

static void some_findings(struct findings *findings)
{
	findings_add(findings, LEVEL_GOOD, "files", NULL, NULL, "%d are in the right hands", 3);
	findings_add(findings, LEVEL_WARNING, "disk", "/home", "make room", "100 MiB are left");
	findings_add(findings, LEVEL_ERROR, "client", "clinic", "", "it said \"\033[31mno\"");
}

static void findings_are_lines_with_their_remedies(void **state)
{
	_cleanup_findings_ struct findings findings = { 0 };
	_cleanup_free_ char *text = NULL;

	(void)state;
	some_findings(&findings);
	text = printed(&findings, false, false, 0);
	assert_string_equal(text, "good     files   3 are in the right hands\n"
				  "warning  disk    /home: 100 MiB are left\n"
				  "                 To do: make room\n"
				  "error    client  clinic: it said \"\\x1b[31mno\"\n"
				  "\n1 good, 1 warning, 1 error\n");
}

static void lines_are_broken_where_the_terminal_ends(void **state)
{
	_cleanup_findings_ struct findings findings = { 0 };
	_cleanup_free_ char *text = NULL;

	(void)state;
	findings_add(&findings, LEVEL_WARNING, "disk", NULL, "look for what is large there, and take it away",
		     "there is hardly any room left for people who come");
	text = printed(&findings, false, false, 48);
	assert_string_equal(text, "warning  disk  there is hardly any room left for\n"
				  "               people who come\n"
				  "               To do: look for what is large\n"
				  "               there, and take it away\n"
				  "\n0 good, 1 warning, 0 errors\n");
}

static void levels_are_coloured(void **state)
{
	_cleanup_findings_ struct findings findings = { 0 };
	_cleanup_free_ char *text = NULL;

	(void)state;
	some_findings(&findings);
	text = printed(&findings, false, true, 0);
	assert_non_null(strstr(text, "\033[32mgood\033[0m     files"));
	assert_non_null(strstr(text, "\033[33mwarning\033[0m  disk"));
	assert_non_null(strstr(text, "\033[31merror\033[0m    client"));
}

static void findings_are_json(void **state)
{
	_cleanup_findings_ struct findings findings = { 0 };
	_cleanup_free_ char *text = NULL;

	(void)state;
	some_findings(&findings);
	text = printed(&findings, true, false, 0);
	assert_non_null(strstr(text,
			       "\"item\": \"disk\",\n      \"subject\": \"/home\",\n      \"level\": \"warning\",\n"
			       "      \"text\": \"100 MiB are left\",\n      \"remedy\": \"make room\"\n"));
	assert_non_null(strstr(text, "\"subject\": null"));
	assert_non_null(strstr(text, "\"text\": \"it said \\\"\\u001b[31mno\\\"\""));
	assert_non_null(strstr(text, "\"good\": 1,\n  \"warnings\": 1,\n  \"errors\": 1\n}\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_order_of_name_services_is_judged),
		cmocka_unit_test(a_search_that_ends_only_while_a_source_is_away_is_told_apart),
		cmocka_unit_test(what_sshd_says_is_read),
		cmocka_unit_test(keywords_are_read_in_any_case),
		cmocka_unit_test(what_is_no_answer_of_sshds_is_refused),
		cmocka_unit_test(methods_must_have_one_that_shows_a_code),
		cmocka_unit_test(rules_by_user_name_are_found_in_sshd_config),
		cmocka_unit_test(patterns_match_as_sshds_do),
		cmocka_unit_test(accounts_are_found_by_name),
		cmocka_unit_test(a_file_that_cannot_be_read_has_no_accounts),
		cmocka_unit_test(passwords_are_told_apart),
		cmocka_unit_test(a_program_is_run_and_heard),
		cmocka_unit_test(a_program_that_hangs_is_ended_with_its_children),
		cmocka_unit_test(a_program_that_is_not_there_is_told_apart),
		cmocka_unit_test(a_flood_of_output_is_cut),
		cmocka_unit_test(findings_are_lines_with_their_remedies),
		cmocka_unit_test(lines_are_broken_where_the_terminal_ends),
		cmocka_unit_test(levels_are_coloured),
		cmocka_unit_test(findings_are_json),
	};

	(void)setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
