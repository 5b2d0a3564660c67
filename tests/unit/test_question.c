/*
 * One question to provisiond: an answer, or none in time, or one that is no message; and nobody is called once it is
 * cancelled.
 */
#include "pam_oidc/question.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/daemon/stage.h"

static char heard[512];
static int calls;

static void note_answer(void *context, const struct wire_message *answer)
{
	(void)context;
	calls++;
	(void)snprintf(heard, sizeof(heard), "%s", answer ? wire_kind(answer, "status") : "nothing");
}

static struct question *ask(int64_t timeout_ms)
{
	char buffer[256];
	struct wire_writer writer;

	calls = 0;
	wire_begin(&writer, buffer, sizeof(buffer), "op", "lookup");
	wire_put(&writer, "name", "alice");
	return question_ask(stage.loop, &writer, timeout_ms, note_answer, NULL);
}

static void an_answer_is_told_once(void **state)
{
	(void)state;
	assert_non_null(ask(2000));
	assert_int_equal(calls, 0);
	stage_settle();
	stage_advance(3000);
	stage_settle();
	assert_int_equal(calls, 1);
	assert_string_equal(heard, "entry");
	assert_int_equal(stage.provisiond.open, 0);
}

static void what_is_no_answer_is_told_as_none(void **state)
{
	static const enum provisiond_manner manners[] = { PROVISIOND_HANGS_UP, PROVISIOND_TALKS_GARBAGE,
							  PROVISIOND_SAYS_TOO_MUCH };

	(void)state;
	for (size_t i = 0; i < sizeof(manners) / sizeof(manners[0]); i++) {
		stage.provisiond.lookup_manner = manners[i];
		assert_non_null(ask(2000));
		stage_settle();
		assert_int_equal(calls, 1);
		assert_string_equal(heard, "nothing");
	}
	assert_int_equal(stage.provisiond.open, 0);
}

static bool has_come(void *context)
{
	return calls == *(const int *)context;
}

/* One that was started anew has a new socket and no old question. */
static void who_hangs_up_is_asked_once_more_where_that_was_wished(void **state)
{
	char buffer[256];
	struct wire_writer writer;
	int once = 1;

	(void)state;
	calls = 0;
	wire_begin(&writer, buffer, sizeof(buffer), "op", "lookup");
	wire_put(&writer, "name", "alice");
	stage.provisiond.lookup_manner = PROVISIOND_HANGS_UP;
	assert_non_null(question_ask_again(stage.loop, &writer, 2000, note_answer, NULL));
	assert_true(stage_run_until(has_come, &once));
	assert_string_equal(heard, "nothing");
	assert_int_equal(stage.provisiond.lookups, 2);
	assert_non_null(strstr(stage.provisiond.lookup_asked, "name=alice"));
	assert_int_equal(stage.provisiond.open, 0);
}

static void silence_is_told_at_the_end_of_the_time(void **state)
{
	(void)state;
	stage.provisiond.lookup_manner = PROVISIOND_IS_SILENT;
	assert_non_null(ask(2000));
	stage_settle();
	stage_advance(1500);
	stage_settle();
	assert_int_equal(calls, 0);
	stage_advance(600);
	stage_settle();
	assert_int_equal(calls, 1);
	assert_string_equal(heard, "nothing");
	assert_int_equal(stage.provisiond.open, 0);
}

static void nobody_is_called_once_it_is_cancelled(void **state)
{
	struct question *question = ask(2000);

	(void)state;
	question_cancel(question);
	question_cancel(NULL);
	stage_advance(3000);
	stage_settle();
	assert_int_equal(calls, 0);
	assert_int_equal(stage.provisiond.open, 0);
}

static void without_provisiond_nothing_is_asked(void **state)
{
	(void)state;
	assert_int_equal(unlink("provisiond.socket"), 0);
	assert_null(ask(2000));
	stage_settle();
	assert_int_equal(calls, 0);
	assert_non_null(strstr(stage.log, "cannot ask provisiond"));
}

static void many_questions_are_answered_side_by_side(void **state)
{
	(void)state;
	for (int i = 0; i < 50; i++) {
		int before = calls;

		assert_non_null(ask(2000));
		calls = before;
	}
	stage_settle();
	assert_int_equal(calls, 50);
	assert_int_equal(stage.provisiond.lookups, 50);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_begin_scene, stage_end_scene)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_answer_is_told_once),
		TEST(what_is_no_answer_is_told_as_none),
		TEST(who_hangs_up_is_asked_once_more_where_that_was_wished),
		TEST(silence_is_told_at_the_end_of_the_time),
		TEST(nobody_is_called_once_it_is_cancelled),
		TEST(without_provisiond_nothing_is_asked),
		TEST(many_questions_are_answered_side_by_side),
	};

	return stage_here(false) ? cmocka_run_group_tests(tests, stage_open, stage_close) : 0;
}
