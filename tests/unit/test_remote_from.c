/*
 * remote_from: who comes from a permitted network, and every way of seeming to that is none.
 */
#include "common/remote_from.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static enum remote_from_verdict judged(const char *service, const char *rhost)
{
	static struct network networks[3];
	const struct tenant tenant = { .remote_from = { .items = networks, .count = 3 } };

	assert_true(network_parse("10.1.0.0/16", &networks[0]));
	assert_true(network_parse("2001:db8:1::/48", &networks[1]));
	assert_true(network_parse("fe80::/10", &networks[2]));
	return remote_from_judge(&tenant, service, rhost);
}

static void without_networks_everybody_is_permitted(void **state)
{
	static const char *const anywhere[] = {
		NULL, "", "203.0.113.9", "2001:db8::1", "host.evil.example", "UNKNOWN"
	};
	const struct tenant tenant = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(anywhere) / sizeof(anywhere[0]); i++)
		assert_int_equal(remote_from_judge(&tenant, "sshd", anywhere[i]), REMOTE_FROM_PERMITTED);
}

static void addresses_of_the_networks_are_permitted(void **state)
{
	static const char *const inside[] = { "10.1.0.0",
					      "10.1.255.255",
					      "::ffff:10.1.2.3",
					      "2001:db8:1::",
					      "2001:db8:1:ffff:ffff:ffff:ffff:ffff",
					      "2001:DB8:1::9",
					      "fe80::1%eth0" };

	(void)state;
	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++)
		assert_int_equal(judged("sshd", inside[i]), REMOTE_FROM_PERMITTED);
}

static void the_console_is_permitted(void **state)
{
	static const char *const services[] = { "login", "su", "sudo", "sshd", "polkit-1" };

	(void)state;
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
		assert_int_equal(judged(services[i], ""), REMOTE_FROM_PERMITTED);
		assert_int_equal(judged(services[i], NULL), REMOTE_FROM_PERMITTED);
	}
}

static void all_else_is_refused(void **state)
{
	static const struct {
		const char *rhost;
		enum remote_from_verdict verdict;
	} rows[] = {
		{ "10.0.255.255", REMOTE_FROM_ELSEWHERE },
		{ "10.2.0.0", REMOTE_FROM_ELSEWHERE },
		{ "127.0.0.1", REMOTE_FROM_ELSEWHERE },
		{ "::1", REMOTE_FROM_ELSEWHERE },
		{ "0.0.0.0", REMOTE_FROM_ELSEWHERE },
		{ "::", REMOTE_FROM_ELSEWHERE },
		{ "::ffff:10.2.0.1", REMOTE_FROM_ELSEWHERE },
		{ "::10.1.0.1", REMOTE_FROM_ELSEWHERE }, /* compatible, not mapped */
		{ "64:ff9b::10.1.0.1", REMOTE_FROM_ELSEWHERE },
		{ "2001:db8:2::1", REMOTE_FROM_ELSEWHERE },
		{ "10.1.0.1.evil.example", REMOTE_FROM_NO_ADDRESS },
		{ "10.1.0.1 ", REMOTE_FROM_NO_ADDRESS },
		{ " 10.1.0.1", REMOTE_FROM_NO_ADDRESS },
		{ "10.1.0.1\n", REMOTE_FROM_NO_ADDRESS },
		{ "10.1.0.1, 203.0.113.9", REMOTE_FROM_NO_ADDRESS },
		{ "10.1.0.1:22", REMOTE_FROM_NO_ADDRESS },
		{ "[2001:db8:1::1]", REMOTE_FROM_NO_ADDRESS },
		{ "2001:db8:1::1%", REMOTE_FROM_NO_ADDRESS },
		{ "10.1.0.1%eth0", REMOTE_FROM_NO_ADDRESS },
		{ "10.1", REMOTE_FROM_NO_ADDRESS },
		{ "012.1.0.1", REMOTE_FROM_NO_ADDRESS },
		{ "0x0a.1.0.1", REMOTE_FROM_NO_ADDRESS },
		{ "167837697", REMOTE_FROM_NO_ADDRESS },
		{ "10.1.0.0/16", REMOTE_FROM_NO_ADDRESS },
		{ "localhost", REMOTE_FROM_NO_ADDRESS },
		{ "UNKNOWN", REMOTE_FROM_NO_ADDRESS },
		{ "ward3", REMOTE_FROM_NO_ADDRESS }, /* our own name, which a stranger's reverse DNS may claim */
		{ "WARD3", REMOTE_FROM_NO_ADDRESS },
		{ "\033[2J", REMOTE_FROM_NO_ADDRESS },
	};
	const size_t count = sizeof(rows) / sizeof(rows[0]);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		if (judged("sshd", rows[i].rhost) != rows[i].verdict ||
		    judged("login", rows[i].rhost) != rows[i].verdict)
			fail_msg("%s is not refused as it should be", rows[i].rhost);
	}
	printf("count: floods and phishing: %zu tried, %zu refused, 0 admitted, 0 skipped\n", count, count);
}

static void su_and_sudo_may_name_this_machine(void **state)
{
	static const char *const services[] = { "su", "su-l", "sudo", "sudo-i" };

	(void)state;
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
		assert_int_equal(judged(services[i], "ward3"), REMOTE_FROM_PERMITTED);
		assert_int_equal(judged(services[i], "localhost"), REMOTE_FROM_PERMITTED);
		assert_int_equal(judged(services[i], "ward3.clinic.example"), REMOTE_FROM_PERMITTED);
		assert_int_equal(judged(services[i], "203.0.113.9"), REMOTE_FROM_ELSEWHERE);
	}
	assert_int_equal(judged("sshd", "ward3"), REMOTE_FROM_NO_ADDRESS);
	assert_int_equal(judged(NULL, "ward3"), REMOTE_FROM_NO_ADDRESS);
	assert_int_equal(judged("", "ward3"), REMOTE_FROM_NO_ADDRESS);
	assert_int_equal(judged("sudoedit", "ward3"), REMOTE_FROM_NO_ADDRESS);
}

static void the_log_says_what_is_the_matter(void **state)
{
	char longest[33], text[REMOTE_FROM_TEXT_MAX];
	const size_t before = strlen("remote_from of tenant ") + 32;
	struct tenant tenant = { .name = longest };

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[32] = '\0';
	assert_string_equal(remote_from_explain(REMOTE_FROM_ELSEWHERE, &tenant, text) + before,
			    " names no network with this address");
	assert_string_equal(remote_from_explain(REMOTE_FROM_NO_ADDRESS, &tenant, text) + before,
			    " needs an address and was given a host name; set `UseDNS no` in sshd_config");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_networks_everybody_is_permitted),
		cmocka_unit_test(addresses_of_the_networks_are_permitted),
		cmocka_unit_test(the_console_is_permitted),
		cmocka_unit_test(all_else_is_refused),
		cmocka_unit_test(su_and_sudo_may_name_this_machine),
		cmocka_unit_test(the_log_says_what_is_the_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
