/*
 * The loop while memory or the kernel's room for watches runs out: a watch is refused with errno, and everybody who is
 * watched already is told as before.
 */
#include "pam_oidc/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/wire.h"
#include "failing_each.h"

#define PIPES 20 /* more than the loop has room for at the beginning */

static const struct failing_manner manners[] = {
	{ "no memory, once", FAILING_MEMORY, ENOMEM, FAILING_ONCE },
	{ "no memory, for ever", FAILING_MEMORY, ENOMEM, FAILING_FOREVER },
	{ "no kernel memory, once", FAILING_MAKING, ENOMEM, FAILING_ONCE },
	{ "no room for watches, for ever", FAILING_MAKING, ENOSPC, FAILING_FOREVER },
};

static struct loop *loop;
static int pipes[PIPES][2];
static int told[PIPES];
static unsigned rounds;

static bool wait_with_poll(void *context, struct pollfd *fd, int timeout_ms)
{
	(void)context;
	rounds++;
	return poll(fd, 1, timeout_ms) >= 0;
}

static void note_ready(void *context, short revents)
{
	int *count = context;
	char byte;

	assert_int_equal(revents, POLLIN);
	assert_int_equal(read(pipes[count - told][0], &byte, 1), 1);
	++*count;
}

static void stop(void *context)
{
	(void)context;
	loop_stop(loop);
}

static void run_for(int64_t ms)
{
	struct loop_timer end = { 0 };

	assert_true(loop_set_timer(loop, &end, wire_now_ms() + ms, stop, NULL));
	assert_true(loop_run(loop));
}

static void open_pipes(void)
{
	for (int i = 0; i < PIPES; i++) {
		assert_int_equal(pipe2(pipes[i], O_CLOEXEC), 0);
		assert_int_equal(write(pipes[i][1], "x", 1), 1);
		told[i] = 0;
	}
	rounds = 0;
}

static void close_pipes(void)
{
	for (int i = 0; i < PIPES; i++) {
		(void)close(pipes[i][0]);
		(void)close(pipes[i][1]);
	}
}

static bool watch_while_failing(void *context, const struct failing_manner *manner, unsigned n)
{
	struct loop_watch *watches[PIPES] = { NULL };
	bool failed;

	(void)context;
	open_pipes();
	failing_arm(manner->kinds, n, manner->error, manner->times);
	errno = 0;
	loop = loop_create(wait_with_poll, NULL);
	assert_true(loop || errno == manner->error);
	for (int i = 0; loop && i < PIPES; i++) {
		errno = 0;
		watches[i] = loop_watch(loop, pipes[i][0], POLLIN, note_ready, &told[i]);
		assert_true(watches[i] || errno == manner->error);
	}
	failed = failing_disarm();
	if (loop)
		run_for(2);
	for (int i = 0; i < PIPES; i++)
		assert_int_equal(told[i], watches[i] ? 1 : 0);
	loop_free(loop);
	close_pipes();
	return failed;
}

static void a_watch_is_refused_or_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(manners) / sizeof(manners[0]); i++)
		assert_in_range(failing_some(watch_while_failing, NULL, &manners[i], 1), PIPES, FAILING_N_MAX - 1);
}

static void a_watch_that_the_kernel_did_not_let_go_of_wakes_the_loop_once(void **state)
{
	struct loop_watch *watch;

	(void)state;
	open_pipes();
	loop = loop_create(wait_with_poll, NULL);
	assert_non_null(loop);
	watch = loop_watch(loop, pipes[0][0], POLLIN, note_ready, &told[0]);
	assert_non_null(watch);
	failing_arm(FAILING_MAKING, 1, ENOMEM, FAILING_ONCE);
	loop_unwatch(loop, watch);
	assert_true(failing_disarm());
	run_for(50);
	assert_int_equal(told[0], 0);
	assert_in_range(rounds, 1, 6);
	assert_non_null(loop_watch(loop, pipes[0][0], POLLIN, note_ready, &told[0]));
	run_for(2);
	assert_int_equal(told[0], 1);
	loop_free(loop);
	close_pipes();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_watch_is_refused_or_told, say_where),
		cmocka_unit_test(a_watch_that_the_kernel_did_not_let_go_of_wakes_the_loop_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
