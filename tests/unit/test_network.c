/*
 * Networks: what is one, what lies in it, and what the limits for one address count by.
 */
#include "common/network.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static void networks_and_single_addresses_are_read(void **state)
{
	static const char *const good[] = { "10.0.0.0/8", "192.0.2.7", "0.0.0.0/0", "2001:db8::/32", "::1", "::/0" };
	struct network network;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(network_parse(good[i], &network));
}

static void anything_else_is_refused(void **state)
{
	static const char *const bad[] = { "",         "10.0.0.0/33",    "10.0.0.1/8",
					   "10.0.0/8", "10.0.0.0/",      "10.0.0.0/-1",
					   "host",     "2001:db8::1/32", "10.0.0.0/8 ",
					   "::/129",   "10.0.0.0/08888" };
	struct network network;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(network_parse(bad[i], &network));
}

static void an_address_lies_in_its_network_only(void **state)
{
	struct network networks[2];

	(void)state;
	assert_true(network_parse("10.1.0.0/20", &networks[0]));
	assert_true(network_parse("2001:db8:1::/48", &networks[1]));
	assert_true(network_contains(networks, 2, "10.1.15.255"));
	assert_false(network_contains(networks, 2, "10.1.16.0"));
	assert_true(network_contains(networks, 2, "2001:db8:1::9"));
	assert_false(network_contains(networks, 2, "2001:db8:2::9"));
	assert_true(network_contains(networks, 2, "::ffff:10.1.2.3"));
	assert_false(network_contains(networks, 2, "not an address"));
}

static void a_mapped_network_is_the_ipv4_network_that_it_is(void **state)
{
	struct network mapped, plain;

	(void)state;
	assert_true(network_parse("::ffff:10.1.0.0/112", &mapped));
	assert_true(network_parse("10.1.0.0/16", &plain));
	assert_true(network_equal(&mapped, &plain));
	assert_true(network_contains(&mapped, 1, "10.1.2.3"));
	assert_true(network_contains(&mapped, 1, "::ffff:10.1.2.3"));
	assert_false(network_contains(&mapped, 1, "10.2.2.3"));
	assert_true(network_parse("::/0", &mapped));
	assert_false(network_contains(&mapped, 1, "10.1.2.3"));
}

static void a_link_local_address_may_name_its_interface(void **state)
{
	static const char *const bad[] = { "fe80::1%", "10.0.0.1%eth0", "%eth0" };
	struct network one, other, networks[1];

	(void)state;
	assert_true(network_parse("fe80::/10", &networks[0]));
	assert_true(network_contains(networks, 1, "fe80::1%eth0"));
	assert_true(network_of_peer("fe80::1%eth0", &one));
	assert_true(network_of_peer("fe80::2%eth1", &other));
	assert_true(network_equal(&one, &other));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(network_of_peer(bad[i], &one));
	assert_false(network_parse("fe80::1%eth0", &one));
}

static void limits_count_ipv6_by_its_64(void **state)
{
	struct network one, other;

	(void)state;
	assert_true(network_of_peer("2001:db8::1", &one));
	assert_true(network_of_peer("2001:db8::ffff:1", &other));
	assert_true(network_equal(&one, &other));
	assert_true(network_of_peer("2001:db8:0:1::1", &other));
	assert_false(network_equal(&one, &other));
	assert_true(network_of_peer("192.0.2.1", &one));
	assert_true(network_of_peer("::ffff:192.0.2.1", &other));
	assert_true(network_equal(&one, &other));
	assert_false(network_of_peer("console", &one));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(networks_and_single_addresses_are_read),
		cmocka_unit_test(anything_else_is_refused),
		cmocka_unit_test(an_address_lies_in_its_network_only),
		cmocka_unit_test(a_mapped_network_is_the_ipv4_network_that_it_is),
		cmocka_unit_test(a_link_local_address_may_name_its_interface),
		cmocka_unit_test(limits_count_ipv6_by_its_64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
