/*
 * Limits: per address, per account from one address, over all, and starts a minute; the console and spared networks
 * keep places of their own.
 */
#include "pam_oidc/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MINUTE_MS 60000

static struct network spared_networks[1];

static struct login_config limits_of(long pending, long per_address, long per_account, long starts)
{
	struct login_config config = {
		.max_pending = pending,
		.max_pending_per_address = per_address,
		.max_pending_per_account = per_account,
		.max_starts_per_minute = starts,
		.unlimited_from = { .items = spared_networks, .count = 1 },
	};

	assert_true(network_parse("192.0.2.0/24", &spared_networks[0]));
	return config;
}

static void an_origin_is_an_address_a_network_or_the_console(void **state)
{
	struct login_config config = limits_of(256, 10, 3, 20);
	struct origin one, other;

	(void)state;
	assert_true(origin_of(&config, "").console);
	assert_true(origin_of(&config, NULL).console);
	one = origin_of(&config, "198.51.100.7");
	assert_false(one.console || one.spared);
	other = origin_of(&config, "198.51.100.8");
	assert_false(origin_equal(&one, &other));
	other = origin_of(&config, "::ffff:198.51.100.7");
	assert_true(origin_equal(&one, &other));
	assert_true(origin_of(&config, "192.0.2.9").spared);
	assert_true(origin_of(&config, "::ffff:192.0.2.9").spared);
	assert_false(origin_of(&config, "192.0.3.9").spared);
}

static void an_ipv6_network_of_64_bits_is_one_origin(void **state)
{
	struct login_config config = limits_of(256, 10, 3, 20);
	struct origin one = origin_of(&config, "2001:db8:0:7::1");
	struct origin same = origin_of(&config, "2001:db8:0:7:ffff::2");
	struct origin next = origin_of(&config, "2001:db8:0:8::1");

	(void)state;
	assert_true(origin_equal(&one, &same));
	assert_false(origin_equal(&one, &next));
}

static void host_names_are_one_origin_and_never_the_console(void **state)
{
	struct login_config config = limits_of(256, 10, 3, 20);
	struct origin one = origin_of(&config, "host.clinic.example"), other = origin_of(&config, "UNKNOWN");
	struct origin console = origin_of(&config, "");

	(void)state;
	assert_false(one.console);
	assert_true(origin_equal(&one, &other));
	assert_false(origin_equal(&one, &console));
}

static bool allowed(const struct login_config *config, const char *rhost, struct pending_counts counts)
{
	struct origin origin = origin_of(config, rhost);

	return limits_allow_pending(config, &origin, &counts);
}

static void each_limit_holds_at_its_own_count(void **state)
{
	struct login_config config = limits_of(100, 10, 3, 20);

	(void)state;
	assert_true(allowed(&config, "198.51.100.7", (struct pending_counts){ 0 }));
	assert_true(allowed(&config, "198.51.100.7", (struct pending_counts){ .remote = 99 }));
	assert_false(allowed(&config, "198.51.100.7", (struct pending_counts){ .remote = 100 }));
	assert_true(allowed(&config, "198.51.100.7", (struct pending_counts){ .same_origin = 9 }));
	assert_false(allowed(&config, "198.51.100.7", (struct pending_counts){ .same_origin = 10 }));
	assert_true(allowed(&config, "198.51.100.7", (struct pending_counts){ .same_origin_and_name = 2 }));
	assert_false(allowed(&config, "198.51.100.7", (struct pending_counts){ .same_origin_and_name = 3 }));
}

static void a_spared_network_keeps_the_limit_over_all_only(void **state)
{
	struct login_config config = limits_of(100, 10, 3, 20);

	(void)state;
	assert_true(allowed(&config, "192.0.2.9",
			    (struct pending_counts){ .remote = 99, .same_origin = 99, .same_origin_and_name = 99 }));
	assert_false(allowed(&config, "192.0.2.9", (struct pending_counts){ .remote = 100 }));
}

static void no_stranger_can_take_the_consoles_places(void **state)
{
	struct login_config config = limits_of(100, 10, 3, 20);

	(void)state;
	assert_true(allowed(&config, "", (struct pending_counts){ .remote = 100000, .same_origin = 100000 }));
	assert_true(allowed(&config, "", (struct pending_counts){ .console = CONSOLE_PLACES - 1 }));
	assert_false(allowed(&config, "", (struct pending_counts){ .console = CONSOLE_PLACES }));
	assert_true(allowed(&config, "198.51.100.7", (struct pending_counts){ .console = CONSOLE_PLACES }));
}

static void a_local_user_has_places_of_their_own(void **state)
{
	struct login_config config = limits_of(100, 10, 3, 20);
	struct origin user = origin_of_user(1500), other = origin_of_user(1501), console = origin_of(&config, "");
	struct origin nowhere = origin_of(&config, "UNKNOWN");
	struct pending_counts full = { .local = LOCAL_PLACES };

	(void)state;
	assert_true(origin_equal(&user, &user));
	assert_false(origin_equal(&user, &other) || origin_equal(&user, &console) || origin_equal(&user, &nowhere));
	assert_false(limits_allow_pending(&config, &user, &full));
	assert_true(allowed(&config, "", full));
	assert_true(allowed(&config, "198.51.100.7", full));
	full = (struct pending_counts){ .remote = 100, .console = CONSOLE_PLACES, .local = LOCAL_PLACES - 1 };
	assert_true(limits_allow_pending(&config, &user, &full));
	full = (struct pending_counts){ .same_origin = 10 };
	assert_false(limits_allow_pending(&config, &user, &full));
	full = (struct pending_counts){ .same_origin_and_name = 3 };
	assert_false(limits_allow_pending(&config, &user, &full));
}

/* --- starts a minute --- */

static bool start(struct starts *starts, const struct login_config *config, const char *rhost, int64_t now_ms)
{
	struct origin origin = origin_of(config, rhost);

	return starts_allow(starts, config, &origin, now_ms);
}

static void starts_are_counted_for_a_minute_and_by_address(void **state)
{
	struct login_config config = limits_of(256, 10, 3, 3);
	struct starts *starts = starts_create();

	(void)state;
	assert_non_null(starts);
	for (int64_t i = 1; i <= 3; i++)
		assert_true(start(starts, &config, "198.51.100.7", i * 1000));
	assert_false(start(starts, &config, "198.51.100.7", 4000));
	assert_true(start(starts, &config, "198.51.100.8", 4000));
	assert_false(start(starts, &config, "198.51.100.7", 1000 + MINUTE_MS - 1));
	assert_true(start(starts, &config, "198.51.100.7", 1000 + MINUTE_MS));
	assert_false(start(starts, &config, "198.51.100.7", 1000 + MINUTE_MS));
	assert_true(start(starts, &config, "198.51.100.7", 2000 + MINUTE_MS));
	starts_free(starts);
}

static void starts_of_local_users_are_counted_by_user(void **state)
{
	struct login_config config = limits_of(256, 10, 3, 2);
	struct starts *starts = starts_create();
	struct origin user = origin_of_user(1500), other = origin_of_user(1501);

	(void)state;
	assert_true(starts_allow(starts, &config, &user, 1000));
	assert_true(starts_allow(starts, &config, &user, 1000));
	assert_false(starts_allow(starts, &config, &user, 1000));
	assert_true(starts_allow(starts, &config, &other, 1000));
	assert_true(start(starts, &config, "UNKNOWN", 1000));
	assert_true(start(starts, &config, "", 1000));
	assert_true(starts_allow(starts, &config, &user, 1000 + MINUTE_MS));
	starts_free(starts);
}

static void a_refused_start_is_not_counted(void **state)
{
	struct login_config config = limits_of(256, 10, 3, 1);
	struct starts *starts = starts_create();

	(void)state;
	assert_true(start(starts, &config, "198.51.100.7", 1000));
	for (int64_t i = 0; i < 100; i++)
		assert_false(start(starts, &config, "198.51.100.7", 2000 + i));
	assert_true(start(starts, &config, "198.51.100.7", 1000 + MINUTE_MS));
	starts_free(starts);
}

static void the_console_and_spared_networks_start_freely(void **state)
{
	struct login_config config = limits_of(256, 10, 3, 1);
	struct starts *starts = starts_create();

	(void)state;
	for (int64_t i = 0; i < 20; i++) {
		assert_true(start(starts, &config, "", 1000 + i));
		assert_true(start(starts, &config, "192.0.2.9", 1000 + i));
	}
	starts_free(starts);
}

static void many_addresses_fill_no_memory_and_lock_nobody_out(void **state)
{
	struct login_config config = limits_of(256, 10, 3, 2);
	struct starts *starts = starts_create();

	(void)state;
	for (int i = 0; i < 50000; i++) {
		char rhost[64];

		(void)snprintf(rhost, sizeof(rhost), "2001:db8:%x:%x::1", i / 256, i % 256);
		assert_true(start(starts, &config, rhost, 1000));
	}
	assert_true(start(starts, &config, "198.51.100.7", 1000));
	starts_free(starts);
	starts_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_origin_is_an_address_a_network_or_the_console),
		cmocka_unit_test(an_ipv6_network_of_64_bits_is_one_origin),
		cmocka_unit_test(host_names_are_one_origin_and_never_the_console),
		cmocka_unit_test(each_limit_holds_at_its_own_count),
		cmocka_unit_test(a_spared_network_keeps_the_limit_over_all_only),
		cmocka_unit_test(no_stranger_can_take_the_consoles_places),
		cmocka_unit_test(a_local_user_has_places_of_their_own),
		cmocka_unit_test(starts_are_counted_for_a_minute_and_by_address),
		cmocka_unit_test(starts_of_local_users_are_counted_by_user),
		cmocka_unit_test(a_refused_start_is_not_counted),
		cmocka_unit_test(the_console_and_spared_networks_start_freely),
		cmocka_unit_test(many_addresses_fill_no_memory_and_lock_nobody_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
