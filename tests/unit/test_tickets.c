/*
 * Tickets: one use, 30 seconds, and only for whom they were made.
 */
#include "provisiond/tickets.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define UID 2022975774U
#define NOW 1000000

static int make(void **state)
{
	*state = tickets_new();
	return *state ? 0 : -1;
}

static int unmake(void **state)
{
	tickets_free(*state);
	return 0;
}

static void issue(struct tickets *tickets, char text[TICKET_TEXT_SIZE])
{
	assert_int_equal(tickets_issue(tickets, "alice@clinic.example", "alice", UID, NOW, text), 0);
}

static struct ticket_claim claim_of(const char *text)
{
	return (struct ticket_claim){ .text = text, .typed = "alice@clinic.example" };
}

static bool redeem(struct tickets *tickets, const struct ticket_claim *claim, int64_t now_ms)
{
	char account[ACCOUNT_NAME_MAX + 1];
	uid_t uid;

	return tickets_redeem(tickets, claim, now_ms, account, &uid);
}

static void a_ticket_tells_account_and_uid_once(void **state)
{
	char text[TICKET_TEXT_SIZE], account[ACCOUNT_NAME_MAX + 1];
	struct ticket_claim claim;
	uid_t uid;

	issue(*state, text);
	claim = claim_of(text);
	assert_true(tickets_redeem(*state, &claim, NOW, account, &uid));
	assert_string_equal(account, "alice");
	assert_int_equal(uid, UID);
	assert_false(redeem(*state, &claim, NOW));
}

static void a_ticket_lives_30_seconds(void **state)
{
	char text[TICKET_TEXT_SIZE];
	struct ticket_claim claim;

	issue(*state, text);
	claim = claim_of(text);
	assert_false(redeem(*state, &claim, NOW + TICKET_LIFE_MS));
	issue(*state, text);
	assert_true(redeem(*state, &claim, NOW + TICKET_LIFE_MS - 1));
}

static void a_ticket_shown_under_another_name_is_used_up(void **state)
{
	char text[TICKET_TEXT_SIZE];
	struct ticket_claim claim;

	issue(*state, text);
	claim = claim_of(text);
	claim.typed = "alice";
	assert_false(redeem(*state, &claim, NOW));
	claim.typed = "alice@clinic.example";
	assert_false(redeem(*state, &claim, NOW));
}

static void a_ticket_shown_with_another_uid_is_used_up(void **state)
{
	char text[TICKET_TEXT_SIZE];
	struct ticket_claim claim;

	issue(*state, text);
	claim = claim_of(text);
	claim.has_uid = true;
	claim.uid = UID + 1;
	assert_false(redeem(*state, &claim, NOW));
	claim.uid = UID;
	assert_false(redeem(*state, &claim, NOW));
}

static void only_root_and_the_account_itself_may_redeem(void **state)
{
	char text[TICKET_TEXT_SIZE];
	struct ticket_claim claim = claim_of(text);

	issue(*state, text);
	claim.caller = 1000;
	assert_false(redeem(*state, &claim, NOW));
	issue(*state, text);
	claim.caller = UID;
	assert_true(redeem(*state, &claim, NOW));
}

static void a_made_up_ticket_is_refused_and_costs_no_other(void **state)
{
	char text[TICKET_TEXT_SIZE], forged[TICKET_TEXT_SIZE];
	struct ticket_claim claim = claim_of(forged);

	issue(*state, text);
	for (size_t i = 0; i < TICKET_TEXT_SIZE - 1; i++) {
		memcpy(forged, text, sizeof(forged));
		forged[i] = forged[i] == '0' ? '1' : '0';
		assert_false(redeem(*state, &claim, NOW));
	}
	claim.text = "";
	assert_false(redeem(*state, &claim, NOW));
	claim.text = text;
	assert_true(redeem(*state, &claim, NOW));
}

static void their_number_is_bounded_and_time_makes_room(void **state)
{
	char text[TICKET_TEXT_SIZE];

	for (int i = 0; i < TICKETS_MAX; i++)
		issue(*state, text);
	assert_int_equal(tickets_issue(*state, "alice", "alice", UID, NOW, text), -ENOSPC);
	assert_int_equal(tickets_issue(*state, "alice", "alice", UID, NOW + TICKET_LIFE_MS, text), 0);
}

static void no_two_tickets_are_equal(void **state)
{
	char one[TICKET_TEXT_SIZE], other[TICKET_TEXT_SIZE];

	issue(*state, one);
	issue(*state, other);
	assert_string_not_equal(one, other);
	assert_int_equal(strspn(one, "0123456789abcdef"), TICKET_TEXT_SIZE - 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_ticket_tells_account_and_uid_once),
		TEST(a_ticket_lives_30_seconds),
		TEST(a_ticket_shown_under_another_name_is_used_up),
		TEST(a_ticket_shown_with_another_uid_is_used_up),
		TEST(only_root_and_the_account_itself_may_redeem),
		TEST(a_made_up_ticket_is_refused_and_costs_no_other),
		TEST(their_number_is_bounded_and_time_makes_room),
		TEST(no_two_tickets_are_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
