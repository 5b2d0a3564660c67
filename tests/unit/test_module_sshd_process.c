/*
 * Tests how the module tells sshd's processes apart, and the key of a connection.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "pam_oidc/module/sshd_process.h"

static void the_pam_child_is_known_by_its_title(void **state)
{
	(void)state;
	assert_int_equal(sshd_process_of_title("sshd: alice [pam]"), SSHD_PAM_CHILD);
	assert_int_equal(sshd_process_of_title("sshd-session: alice@clinic.example [pam]"), SSHD_PAM_CHILD);
}

static void the_monitor_is_known_by_its_title(void **state)
{
	(void)state;
	assert_int_equal(sshd_process_of_title("sshd: alice [priv]"), SSHD_MONITOR);
	assert_int_equal(sshd_process_of_title("sshd-session: alice [priv]"), SSHD_MONITOR);
}

static void any_other_title_is_unknown(void **state)
{
	static const char *const titles[] = {
		"", "sshd", "sshd: alice", "sshd: alice [net]", "sshd: alice [pri", "sshd: alice [pam] x", "[priv]",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		assert_int_equal(sshd_process_of_title(titles[i]), SSHD_UNKNOWN);
}

static void this_process_is_none_of_sshd(void **state)
{
	(void)state;
	assert_int_equal(sshd_process_here(), SSHD_UNKNOWN);
}

static void the_start_time_is_found_behind_any_name(void **state)
{
	static const char plain[] = "7 (sshd) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 9 9";
	static const char odd[] = "7 (a) b (c) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4712 9 9";
	unsigned long long starttime = 0;

	(void)state;
	assert_true(sshd_starttime_in_stat(plain, &starttime));
	assert_int_equal(starttime, 4711);
	assert_true(sshd_starttime_in_stat(odd, &starttime));
	assert_int_equal(starttime, 4712);
}

static void a_cut_stat_has_no_start_time(void **state)
{
	static const char *const cut[] = { "", "7 (sshd", "7 (sshd) S 1 7",
					   "7 (sshd) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 " };
	unsigned long long starttime = 5;

	(void)state;
	for (size_t i = 0; i < sizeof(cut) / sizeof(cut[0]); i++)
		assert_false(sshd_starttime_in_stat(cut[i], &starttime));
	assert_int_equal(starttime, 5);
}

/* The key as a child of this process sees it. */
static void key_in_child(char *ret_key, size_t size)
{
	int ends[2];
	pid_t child;
	ssize_t n;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		char key[SSHD_CONNECTION_KEY_MAX] = "";

		(void)sshd_connection_key(key, sizeof(key));
		_exit(write(ends[1], key, strlen(key)) < 0);
	}
	(void)close(ends[1]);
	n = read(ends[0], ret_key, size - 1);
	assert_true(n > 0);
	ret_key[n] = '\0';
	(void)close(ends[0]);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void all_attempts_of_a_connection_have_one_key(void **state)
{
	char one[SSHD_CONNECTION_KEY_MAX], other[SSHD_CONNECTION_KEY_MAX], pid[32];

	(void)state;
	key_in_child(one, sizeof(one));
	key_in_child(other, sizeof(other));
	assert_string_equal(one, other);
	(void)snprintf(pid, sizeof(pid), "%ld:", (long)getpid());
	assert_int_equal(strncmp(one, pid, strlen(pid)), 0);
}

static void a_key_that_does_not_fit_is_none(void **state)
{
	char key[3] = "";

	(void)state;
	assert_false(sshd_connection_key(key, sizeof(key)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_pam_child_is_known_by_its_title),
		cmocka_unit_test(the_monitor_is_known_by_its_title),
		cmocka_unit_test(any_other_title_is_unknown),
		cmocka_unit_test(this_process_is_none_of_sshd),
		cmocka_unit_test(the_start_time_is_found_behind_any_name),
		cmocka_unit_test(a_cut_stat_has_no_start_time),
		cmocka_unit_test(all_attempts_of_a_connection_have_one_key),
		cmocka_unit_test(a_key_that_does_not_fit_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
