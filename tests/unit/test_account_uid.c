/*
 * Uids of account names: they must never change between versions or machines.
 */
#include "provisiond/account_uid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define FIRST 2000200001U
#define LAST 2147352575U

/* Worked out with another implementation: first + int(sha256(domain + b"\0" + name)) % (last - first + 1). */
static void known_names_have_their_known_uids(void **state)
{
	(void)state;
	assert_int_equal(account_uid("clinic.example", "alice", 0, FIRST, LAST), 2022975774U);
	assert_int_equal(account_uid("clinic.example", "bob", 0, FIRST, LAST), 2073203076U);
	assert_int_equal(account_uid("lab.example", "alice", 0, FIRST, LAST), 2035858195U);
	assert_int_equal(account_uid("clinic.example", "alice", 0, 0, UINT32_MAX), 3678174813U);
}

static void domain_and_name_cannot_be_shifted_into_each_other(void **state)
{
	(void)state;
	assert_int_not_equal(account_uid("clinic.example", "alice", 0, 0, UINT32_MAX),
			     account_uid("clinic.examplea", "lice", 0, 0, UINT32_MAX));
}

/* Worked out in the same way, of domain + b"\0" + name + b"\0" + str(generation).encode(). */
static void a_successor_has_another_uid_the_same_on_every_machine(void **state)
{
	(void)state;
	assert_int_equal(account_uid("clinic.example", "alice", 1, FIRST, LAST), 2127096479U);
	assert_int_equal(account_uid("clinic.example", "alice", 2, FIRST, LAST), 2057630301U);
	assert_int_equal(account_uid("clinic.example", "alice", 12, FIRST, LAST), 2099137975U);
}

static void both_ends_of_the_range_belong_to_it(void **state)
{
	uid_t uid;
	unsigned seen = 0;

	(void)state;
	assert_int_equal(account_uid("clinic.example", "alice", 0, 5000, 5000), 5000);
	for (char name[] = "a"; name[0] <= 'z'; name[0]++) {
		uid = account_uid("clinic.example", name, 0, 5000, 5002);
		assert_in_range(uid, 5000, 5002);
		seen |= 1U << (uid - 5000);
	}
	assert_int_equal(seen, 7);
}

/* 100,000 names into 10 uids: each is hit 10,000 times, give or take four standard deviations. */
static void uids_are_spread_evenly(void **state)
{
	unsigned hits[10] = { 0 };

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		const char name[] = { (char)('a' + i % 26), (char)('a' + i / 26 % 26), (char)('a' + i / 676 % 26),
				      (char)('a' + i / 17576), '\0' };

		hits[account_uid("clinic.example", name, 0, 1000, 1009) - 1000]++;
	}
	for (unsigned i = 0; i < 10; i++)
		assert_in_range(hits[i], 9620, 10380);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_names_have_their_known_uids),
		cmocka_unit_test(domain_and_name_cannot_be_shifted_into_each_other),
		cmocka_unit_test(a_successor_has_another_uid_the_same_on_every_machine),
		cmocka_unit_test(both_ends_of_the_range_belong_to_it),
		cmocka_unit_test(uids_are_spread_evenly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
