/*
 * A fetched document: kept as long as its header says, refreshed before it lapses, tried again after failures, and
 * everybody who waits is told once.
 */
#include "pam_oidc/document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/daemon/stage.h"

static struct document *document;
static int taken;
static bool acceptable;

static bool take(void *context, const char *body, size_t length, char *fault, size_t fault_size)
{
	(void)context;
	assert_int_equal(strlen(body), length);
	taken++;
	if (!acceptable)
		(void)snprintf(fault, fault_size, "it is not what it must be");
	return acceptable;
}

/* The keys' endpoint stands for any document: the server's own realm has fetched it before, so counts begin anew. */
static long before;

static long fetches(void)
{
	return stage_requests("keys") - before;
}

static int begin(void **state)
{
	struct document_source source;
	char url[512];

	(void)stage_begin_scene(state);
	stage_await_requests("keys", 1);
	before = stage_requests("keys");
	taken = 0;
	acceptable = true;
	source = (struct document_source){ .loop = stage.loop,
					   .http = stage.http,
					   .tenant = "clinic",
					   .what = "document",
					   .ca_file = stage.ca_file,
					   .max_bytes = 100000,
					   .take = take };
	(void)snprintf(url, sizeof(url), "%s/oauth2/v1/keys", stage.issuer);
	document = document_create(&source, url);
	return document ? 0 : -1;
}

static int end(void **state)
{
	document_free(document);
	document_free(NULL);
	return stage_end_scene(state);
}

static void fetch(void)
{
	document_fetch(document);
	stage_await_requests("keys", before + 1);
}

static void nothing_is_fresh_before_it_was_fetched(void **state)
{
	(void)state;
	assert_false(document_is_fresh(document));
	assert_string_equal(document_fault(document), "");
	fetch();
	assert_true(document_is_fresh(document));
	assert_int_equal(taken, 1);
}

static void fetching_twice_at_once_is_one_request(void **state)
{
	(void)state;
	document_fetch(document);
	document_fetch(document);
	stage_await_requests("keys", before + 1);
	assert_int_equal(fetches(), 1);
	assert_int_equal(taken, 1);
}

static void it_is_refreshed_before_it_lapses(void **state)
{
	(void)state;
	(void)stage_control("fault", "{'endpoint':'keys','headers':{'Cache-Control':'max-age=1000'}}");
	fetch();
	stage_advance(790 * 1000);
	stage_settle();
	assert_int_equal(fetches(), 1);
	stage_advance(20 * 1000);
	stage_await_requests("keys", before + 2);
	assert_int_equal(fetches(), 2);
	assert_true(document_is_fresh(document));
}

/* How long it is fresh with this header, give or take a second. */
static void lives(const char *header, int64_t seconds)
{
	(void)stage_control("fault", "{'endpoint':'keys','headers':{'Cache-Control':%s}}", header);
	before = stage_requests("keys");
	fetch();
	/* What would refresh it finds the issuer away. */
	(void)stage_control("fault", "{'endpoint':'keys','row':'unavailable_503','times':-1}");
	stage_advance((seconds - 1) * 1000);
	assert_true(document_is_fresh(document));
	stage_advance(1000);
	if (document_is_fresh(document))
		fail_msg("%s is fresh for longer than %lld s", header, (long long)seconds);
	stage_settle();
	(void)stage_control("clear_faults", "{}");
}

static void its_life_is_the_headers_within_bounds(void **state)
{
	(void)state;
	lives("'max-age=1000'", 1000);
	lives("null", 3600);
	lives("'max-age=1'", 60);
	lives("'max-age=0'", 60);
	lives("'no-store'", 60);
	lives("'no-cache, max-age=1000'", 60);
	lives("'max-age=9000000000000000000'", 24 * 3600);
}

static void a_failure_is_tried_again_at_longer_and_longer_pauses(void **state)
{
	static const int64_t pauses_ms[] = { 2000, 4000, 8000, 16000, 32000, 64000, 128000, 256000, 300000, 300000 };

	(void)state;
	(void)stage_control("fault", "{'endpoint':'keys','row':'unavailable_503','times':-1}");
	fetch();
	for (size_t i = 0; i < sizeof(pauses_ms) / sizeof(pauses_ms[0]); i++) {
		assert_int_equal(fetches(), (long)i + 1);
		stage_advance(pauses_ms[i] - 1000);
		stage_settle();
		assert_int_equal(fetches(), (long)i + 1);
		stage_advance(1000);
		stage_await_requests("keys", before + (long)i + 2);
	}
	assert_string_equal(document_fault(document), "the issuer answered HTTP 503");
	(void)stage_control("clear_faults", "{}");
	stage_advance(300000);
	stage_settle();
	assert_true(document_is_fresh(document));
	assert_string_equal(document_fault(document), "");
}

static void a_failed_refresh_leaves_the_old_one_in_use(void **state)
{
	(void)state;
	(void)stage_control("fault", "{'endpoint':'keys','headers':{'Cache-Control':'max-age=1000'}}");
	fetch();
	acceptable = false;
	stage_advance(810 * 1000);
	stage_await_requests("keys", before + 2);
	assert_true(document_is_fresh(document));
	assert_string_equal(document_fault(document), "it is not what it must be");
	assert_non_null(strstr(stage.log, "cannot fetch the document"));
}

/* --- waiting --- */

struct guest {
	struct document_waiter waiter;
	enum document_outcome outcome;
	int told;
	struct guest *leaves_with; /* taken out when told */
	bool stays;                /* waits again when told */
};

static void note_told(void *context, enum document_outcome outcome)
{
	struct guest *guest = context;

	guest->told++;
	guest->outcome = outcome;
	if (guest->leaves_with)
		document_unwait(&guest->leaves_with->waiter);
	if (guest->stays && guest->told == 1)
		document_wait(document, &guest->waiter);
}

static void wait_for_it(struct guest *guest)
{
	guest->waiter = (struct document_waiter){ .told = note_told, .context = guest };
	document_wait(document, &guest->waiter);
}

static void everybody_who_waits_is_told_once(void **state)
{
	struct guest guests[5] = { 0 };

	(void)state;
	for (int i = 0; i < 5; i++)
		wait_for_it(&guests[i]);
	stage_await_requests("keys", before + 1);
	document_fetch(document);
	stage_await_requests("keys", before + 2);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(guests[i].told, 1);
		assert_int_equal(guests[i].outcome, DOCUMENT_READY);
		assert_null(guests[i].waiter.link);
	}
}

static void they_are_told_what_came_of_it(void **state)
{
	static const struct {
		const char *fault;
		enum document_outcome outcome;
	} rows[] = {
		{ "'row':'unavailable_503'", DOCUMENT_UNREACHABLE }, { "'row':'rate_limit'", DOCUMENT_UNREACHABLE },
		{ "'reset':true,'times':-1", DOCUMENT_UNREACHABLE }, { "'truncate':3", DOCUMENT_UNREACHABLE },
		{ "'oversize':200000", DOCUMENT_UNREACHABLE },       { "'row':'not_found'", DOCUMENT_WRONG },
		{ "'status':302,'body':''", DOCUMENT_WRONG },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct guest guest = { .told = 0 };

		(void)stage_control("clear_faults", "{}");
		before = stage_requests("keys");
		(void)stage_control("fault", "{'endpoint':'keys',%s}", rows[i].fault);
		wait_for_it(&guest);
		stage_await_requests("keys", before + 1);
		if (guest.told != 1 || guest.outcome != rows[i].outcome)
			fail_msg("%s: told %d times, outcome %d", rows[i].fault, guest.told, (int)guest.outcome);
	}
	acceptable = false;
	{
		struct guest guest = { .told = 0 };

		(void)stage_control("clear_faults", "{}");
		before = stage_requests("keys");
		wait_for_it(&guest);
		stage_await_requests("keys", before + 1);
		assert_int_equal(guest.outcome, DOCUMENT_WRONG);
	}
}

static void who_no_longer_waits_is_not_told(void **state)
{
	struct guest guests[3] = { 0 };

	(void)state;
	for (int i = 0; i < 3; i++)
		wait_for_it(&guests[i]);
	document_unwait(&guests[1].waiter);
	document_unwait(&guests[1].waiter);
	stage_await_requests("keys", before + 1);
	assert_int_equal(guests[0].told, 1);
	assert_int_equal(guests[1].told, 0);
	assert_int_equal(guests[2].told, 1);
}

static void one_who_is_told_may_take_another_with_it(void **state)
{
	struct guest first = { 0 }, second = { 0 };

	(void)state;
	first.leaves_with = &second;
	second.leaves_with = &first;
	wait_for_it(&first);
	wait_for_it(&second);
	stage_await_requests("keys", before + 1);
	assert_int_equal(first.told + second.told, 1);
}

static void one_who_waits_again_is_told_of_the_next_fetch(void **state)
{
	struct guest guest = { .stays = true };

	(void)state;
	wait_for_it(&guest);
	stage_await_requests("keys", before + 2);
	assert_int_equal(guest.told, 2);
	assert_int_equal(fetches(), 2);
}

static void at_another_place_it_is_fetched_anew(void **state)
{
	struct guest guest = { 0 };
	char url[512];

	(void)state;
	(void)stage_control("fault", "{'endpoint':'keys','delay_ms':100}");
	wait_for_it(&guest);
	stage_settle();
	(void)snprintf(url, sizeof(url), "%s/oauth2/v1//keys", stage.issuer);
	assert_true(document_move(document, url));
	stage_await_requests("keys", before + 2);
	assert_int_equal(guest.told, 1);
	assert_int_equal(taken, 1);
	assert_true(document_move(document, url));
	stage_settle();
	assert_int_equal(fetches(), 2);
}

static void asking_anew_is_allowed_once_a_minute(void **state)
{
	(void)state;
	fetch();
	assert_true(document_may_refetch(document));
	assert_false(document_may_refetch(document));
	stage_advance(59 * 1000);
	assert_false(document_may_refetch(document));
	stage_advance(1100);
	assert_true(document_may_refetch(document));
	assert_false(document_may_refetch(document));
}

static void it_may_be_freed_while_it_is_fetched(void **state)
{
	(void)state;
	(void)stage_control("fault", "{'endpoint':'keys','delay_ms':100}");
	document_fetch(document);
	stage_settle();
	document_free(document);
	document = NULL;
	stage_settle();
	stage_settle();
	assert_int_equal(taken, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_fresh_before_it_was_fetched),
		TEST(fetching_twice_at_once_is_one_request),
		TEST(it_is_refreshed_before_it_lapses),
		TEST(its_life_is_the_headers_within_bounds),
		TEST(a_failure_is_tried_again_at_longer_and_longer_pauses),
		TEST(a_failed_refresh_leaves_the_old_one_in_use),
		TEST(everybody_who_waits_is_told_once),
		TEST(they_are_told_what_came_of_it),
		TEST(who_no_longer_waits_is_not_told),
		TEST(one_who_is_told_may_take_another_with_it),
		TEST(one_who_waits_again_is_told_of_the_next_fetch),
		TEST(at_another_place_it_is_fetched_anew),
		TEST(asking_anew_is_allowed_once_a_minute),
		TEST(it_may_be_freed_while_it_is_fetched),
	};

	return stage_here(false) ? cmocka_run_group_tests(tests, stage_open, stage_close) : 0;
}
