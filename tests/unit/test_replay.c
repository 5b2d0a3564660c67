/*
 * One token, one sign-in: a token that was seen is refused for as long as it could be used.
 */
#include "pam_oidc/replay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define ISSUER "https://clinic.okta.com"

static void a_token_is_taken_once(void **state)
{
	struct replay *replay = replay_create(8);

	(void)state;
	assert_non_null(replay);
	assert_true(replay_remember(replay, ISSUER, "ID.a", 100, 10));
	assert_false(replay_remember(replay, ISSUER, "ID.a", 100, 11));
	assert_true(replay_remember(replay, ISSUER, "ID.b", 100, 11));
	assert_false(replay_remember(replay, ISSUER, "ID.a", 200, 12));
	replay_free(replay);
}

static void another_issuers_token_is_another(void **state)
{
	struct replay *replay = replay_create(8);

	(void)state;
	assert_true(replay_remember(replay, "https://a.example", "bc", 100, 10));
	assert_true(replay_remember(replay, "https://a.exampleb", "c", 100, 10));
	assert_true(replay_remember(replay, "https://b.example", "bc", 100, 10));
	assert_false(replay_remember(replay, "https://a.exampleb", "c", 100, 10));
	replay_free(replay);
}

static void it_is_remembered_up_to_and_with_its_last_second(void **state)
{
	struct replay *replay = replay_create(8);

	(void)state;
	assert_true(replay_remember(replay, ISSUER, "ID.a", 100, 10));
	assert_false(replay_remember(replay, ISSUER, "ID.a", 100, 100));
	assert_true(replay_remember(replay, ISSUER, "ID.a", 300, 101));
	assert_false(replay_remember(replay, ISSUER, "ID.a", 300, 102));
	replay_free(replay);
}

static bool remember_numbered(struct replay *replay, int number, int64_t until, int64_t now)
{
	char jti[32];

	(void)snprintf(jti, sizeof(jti), "ID.%d", number);
	return replay_remember(replay, ISSUER, jti, until, now);
}

static void when_all_is_full_nobody_passes_unseen(void **state)
{
	struct replay *replay = replay_create(4);

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_true(remember_numbered(replay, i, 100, 10));
	assert_false(remember_numbered(replay, 4, 100, 10));
	for (int i = 0; i < 4; i++)
		assert_false(remember_numbered(replay, i, 100, 10));
	/* Those have lapsed: there is room again, for as many. */
	for (int i = 4; i < 8; i++)
		assert_true(remember_numbered(replay, i, 300, 200));
	assert_false(remember_numbered(replay, 8, 300, 200));
	replay_free(replay);
}

static void a_place_that_lapsed_hides_none_behind_it(void **state)
{
	struct replay *replay = replay_create(4);

	(void)state;
	assert_true(remember_numbered(replay, 1, 50, 10));
	assert_true(remember_numbered(replay, 2, 500, 10));
	/* 1 has lapsed; 2, which stands after its place, is still found. */
	assert_false(remember_numbered(replay, 2, 500, 60));
	assert_true(remember_numbered(replay, 3, 500, 60));
	assert_false(remember_numbered(replay, 3, 500, 60));
	assert_false(remember_numbered(replay, 2, 500, 60));
	replay_free(replay);
}

static void freeing_nothing_is_fine(void **state)
{
	(void)state;
	replay_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_is_taken_once),
		cmocka_unit_test(another_issuers_token_is_another),
		cmocka_unit_test(it_is_remembered_up_to_and_with_its_last_second),
		cmocka_unit_test(when_all_is_full_nobody_passes_unseen),
		cmocka_unit_test(a_place_that_lapsed_hides_none_behind_it),
		cmocka_unit_test(freeing_nothing_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
