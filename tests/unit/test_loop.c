/*
 * The loop: timers in the order of their times, watches that come and go inside callbacks, and no callback for what was
 * taken out.
 */
#include "pam_oidc/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/wire.h"

static struct loop *loop;
static int last_timeout_ms;
static unsigned rounds;

static bool wait_with_poll(void *context, struct pollfd *fd, int timeout_ms)
{
	(void)context;
	last_timeout_ms = timeout_ms;
	rounds++;
	return poll(fd, 1, timeout_ms) >= 0;
}

static bool waiting_fails(void *context, struct pollfd *fd, int timeout_ms)
{
	(void)context;
	(void)fd;
	(void)timeout_ms;
	return false;
}

static int make_loop(void **state)
{
	(void)state;
	rounds = 0;
	loop = loop_create(wait_with_poll, NULL);
	return loop ? 0 : -1;
}

static int free_loop(void **state)
{
	(void)state;
	loop_free(loop);
	return 0;
}

static void stop(void *context)
{
	(void)context;
	loop_stop(loop);
}

/* --- timers --- */

#define MANY 2000

struct numbered {
	struct loop_timer timer;
	int64_t due_ms;
	int number;
	bool set;
};

static struct numbered numbered[MANY];
static int fired[MANY];
static int fired_count;

static void note_fired(void *context)
{
	struct numbered *one = context;

	assert_true(one->set);
	one->set = false;
	fired[fired_count++] = one->number;
}

static void set(struct numbered *one, int64_t due_ms)
{
	one->due_ms = due_ms;
	one->set = true;
	assert_true(loop_set_timer(loop, &one->timer, due_ms, note_fired, one));
}

static void run_until(int64_t due_ms)
{
	struct loop_timer end = { 0 };

	assert_true(loop_set_timer(loop, &end, due_ms, stop, NULL));
	assert_true(loop_run(loop));
}

static int by_due(const void *one, const void *other)
{
	const struct numbered *a = *(const struct numbered *const *)one, *b = *(const struct numbered *const *)other;

	return a->due_ms < b->due_ms ? -1 : a->due_ms > b->due_ms;
}

static void many_timers_fire_as_a_sorted_list_would(void **state)
{
	const struct numbered *sorted[MANY];
	int64_t base = wire_now_ms() - 10 * MANY;
	int expected = 0;

	(void)state;
	srand(7);
	memset(numbered, 0, sizeof(numbered));
	fired_count = 0;
	for (int i = 0; i < MANY; i++) {
		numbered[i].number = i;
		set(&numbered[i], base + rand() % 500);
	}
	/* Some are moved, in both directions, some taken out. */
	for (int i = 0; i < 3 * MANY; i++) {
		struct numbered *one = &numbered[rand() % MANY];

		if (rand() % 3 == 0) {
			loop_clear_timer(loop, &one->timer);
			one->set = false;
		} else {
			set(one, base + rand() % 500);
		}
	}
	for (int i = 0; i < MANY; i++)
		if (numbered[i].set)
			sorted[expected++] = &numbered[i];
	qsort(sorted, (size_t)expected, sizeof(sorted[0]), by_due);
	run_until(base + 1000);
	assert_int_equal(fired_count, expected);
	for (int i = 0; i < expected; i++)
		assert_int_equal(numbered[fired[i]].due_ms, sorted[i]->due_ms);
}

static void a_timer_waits_for_its_time(void **state)
{
	int64_t start = wire_now_ms();

	(void)state;
	run_until(start + 30);
	assert_true(wire_now_ms() >= start + 30);
	assert_true(wire_now_ms() < start + 2000);
}

static void a_time_long_past_or_far_away_overflows_nothing(void **state)
{
	struct numbered far = { .number = 0 };

	(void)state;
	fired_count = 0;
	set(&far, INT64_MAX);
	run_until(INT64_MIN / 2);
	assert_int_equal(fired_count, 0);
	assert_in_range(last_timeout_ms, 0, 60 * 1000);
	loop_clear_timer(loop, &far.timer);
}

static void clearing_twice_or_what_was_never_set_is_fine(void **state)
{
	struct loop_timer timer = { 0 };

	(void)state;
	loop_clear_timer(loop, &timer);
	assert_true(loop_set_timer(loop, &timer, 0, stop, NULL));
	loop_clear_timer(loop, &timer);
	loop_clear_timer(loop, &timer);
	run_until(0);
}

static struct numbered *victim;

static void clear_the_other(void *context)
{
	(void)context;
	loop_clear_timer(loop, &victim->timer);
	victim->set = false;
}

static void a_timer_cleared_by_one_of_the_same_round_does_not_fire(void **state)
{
	struct numbered other = { .number = 1 };
	struct loop_timer killer = { 0 };

	(void)state;
	fired_count = 0;
	victim = &other;
	assert_true(loop_set_timer(loop, &killer, 1, clear_the_other, NULL));
	set(&other, 2);
	run_until(3);
	assert_int_equal(fired_count, 0);
}

struct owner {
	struct loop_timer timer;
	int rung;
};

static void free_owner(void *context)
{
	struct owner *owner = context;

	owner->rung++;
	free(owner);
}

static void a_timers_owner_may_free_itself(void **state)
{
	struct owner *owner = calloc(1, sizeof(*owner));

	(void)state;
	assert_non_null(owner);
	assert_true(loop_set_timer(loop, &owner->timer, 1, free_owner, owner));
	run_until(2);
}

static void ring_again(void *context)
{
	struct owner *owner = context;

	if (++owner->rung < 3)
		assert_true(loop_set_timer(loop, &owner->timer, wire_now_ms() + 1, ring_again, owner));
	else
		loop_stop(loop);
}

static void a_timer_may_set_itself_again(void **state)
{
	struct owner owner = { .rung = 0 };

	(void)state;
	assert_true(loop_set_timer(loop, &owner.timer, 0, ring_again, &owner));
	assert_true(loop_run(loop));
	assert_int_equal(owner.rung, 3);
}

/* --- watches --- */

#define PIPES 300

static int pipes[PIPES][2];
static struct loop_watch *watches[PIPES];
static int called[PIPES];

static void open_pipes(int count)
{
	memset(called, 0, sizeof(called));
	for (int i = 0; i < count; i++) {
		assert_int_equal(pipe2(pipes[i], O_CLOEXEC | O_NONBLOCK), 0);
		assert_int_equal(write(pipes[i][1], "x", 1), 1);
	}
}

static void close_pipes(int count)
{
	for (int i = 0; i < count; i++) {
		(void)close(pipes[i][0]);
		(void)close(pipes[i][1]);
	}
}

static int number_of(const void *context)
{
	return (int)((const int *)context - called);
}

static void drain(int number)
{
	char byte;

	called[number]++;
	(void)!read(pipes[number][0], &byte, 1);
}

static void note_ready(void *context, short revents)
{
	assert_true(revents & POLLIN);
	drain(number_of(context));
}

static void watch_all(int count, loop_ready *ready)
{
	for (int i = 0; i < count; i++) {
		watches[i] = loop_watch(loop, pipes[i][0], POLLIN, ready, &called[i]);
		assert_non_null(watches[i]);
	}
}

static void every_ready_descriptor_is_told_once(void **state)
{
	(void)state;
	open_pipes(PIPES);
	watch_all(PIPES, note_ready);
	run_until(wire_now_ms() + 50);
	for (int i = 0; i < PIPES; i++)
		assert_int_equal(called[i], 1);
	close_pipes(PIPES);
}

static void what_is_left_unread_is_told_again(void **state)
{
	(void)state;
	open_pipes(1);
	assert_int_equal(write(pipes[0][1], "yz", 2), 2);
	watch_all(1, note_ready);
	run_until(wire_now_ms() + 10);
	assert_int_equal(called[0], 3);
	close_pipes(1);
}

static void unwatch_all(void *context, short revents)
{
	(void)revents;
	drain(number_of(context));
	for (int i = 0; i < 3; i++) {
		loop_unwatch(loop, watches[i]);
		watches[i] = NULL;
	}
}

static void a_watch_removed_in_a_callback_is_not_told(void **state)
{
	(void)state;
	open_pipes(3);
	watch_all(3, unwatch_all);
	run_until(wire_now_ms() + 10);
	assert_int_equal(called[0], 1);
	assert_int_equal(called[1], 0);
	assert_int_equal(called[2], 0);
	close_pipes(3);
	loop_unwatch(loop, NULL);
}

static void replace_second(void *context, short revents)
{
	(void)revents;
	drain(number_of(context));
	/* The second one is ready too. Its number is taken over by a pipe in which there is nothing. */
	loop_unwatch(loop, watches[1]);
	close_pipes(2);
	assert_int_equal(pipe2(pipes[1], O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(pipe2(pipes[0], O_CLOEXEC | O_NONBLOCK), 0);
	loop_unwatch(loop, watches[0]);
	watches[2] = loop_watch(loop, pipes[0][0], POLLIN, note_ready, &called[2]);
	watches[3] = loop_watch(loop, pipes[1][0], POLLIN, note_ready, &called[3]);
}

static void a_new_watch_of_a_reused_number_is_not_told_of_the_old_one(void **state)
{
	(void)state;
	open_pipes(2);
	watch_all(2, replace_second);
	run_until(wire_now_ms() + 10);
	assert_int_equal(called[0], 1);
	assert_int_equal(called[1], 0);
	assert_int_equal(called[2], 0);
	assert_int_equal(called[3], 0);
	close_pipes(2);
}

static void watch_many_more(void *context, short revents)
{
	note_ready(context, revents);
	for (int i = 1; i < 40; i++)
		watches[i] = loop_watch(loop, pipes[i][0], POLLIN, note_ready, &called[i]);
}

static void watches_added_in_a_callback_are_told_in_the_next_round(void **state)
{
	(void)state;
	open_pipes(40);
	watches[0] = loop_watch(loop, pipes[0][0], POLLIN, watch_many_more, &called[0]);
	run_until(wire_now_ms() + 10);
	for (int i = 0; i < 40; i++)
		assert_int_equal(called[i], 1);
	close_pipes(40);
}

static void stop_at_once(void *context, short revents)
{
	note_ready(context, revents);
	loop_stop(loop);
}

static void nobody_is_told_after_the_stop(void **state)
{
	struct numbered due = { .number = 1 };

	(void)state;
	fired_count = 0;
	open_pipes(3);
	watch_all(3, stop_at_once);
	set(&due, 1);
	assert_true(loop_run(loop));
	assert_int_equal(called[0] + called[1] + called[2], 1);
	assert_int_equal(fired_count, 0);
	loop_clear_timer(loop, &due.timer);
	close_pipes(3);
}

static void a_hang_up_is_told(void **state)
{
	(void)state;
	open_pipes(1);
	drain(0);
	(void)close(pipes[0][1]);
	called[0] = 0;
	watches[0] = loop_watch(loop, pipes[0][0], POLLIN, unwatch_all, &called[0]);
	watches[1] = watches[2] = NULL;
	run_until(wire_now_ms() + 10);
	assert_int_equal(called[0], 1);
	(void)close(pipes[0][0]);
}

static void note_events(void *context, short revents)
{
	*(short *)context = revents;
	loop_stop(loop);
}

static void assert_told_as_by_poll(int fd, short events)
{
	struct pollfd polled = { .fd = fd, .events = events };
	short told = 0;
	struct loop_watch *watch = loop_watch(loop, fd, events, note_events, &told);

	assert_non_null(watch);
	assert_int_equal(poll(&polled, 1, 0), 1);
	assert_true(loop_run(loop));
	assert_int_equal(told, polled.revents);
	loop_unwatch(loop, watch);
}

static void hang_ups_and_errors_are_told_as_by_poll(void **state)
{
	static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET };
	int pair[2];

	(void)state;
	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
	assert_told_as_by_poll(pair[1], POLLOUT);
	(void)close(pair[0]);
	assert_told_as_by_poll(pair[1], POLLIN);
	assert_told_as_by_poll(pair[1], POLLIN | POLLOUT);
	(void)close(pair[1]);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		assert_int_equal(socketpair(AF_UNIX, types[i] | SOCK_CLOEXEC, 0, pair), 0);
		assert_int_equal(send(pair[1], "x", 1, 0), 1);
		assert_told_as_by_poll(pair[0], POLLIN);
		assert_told_as_by_poll(pair[0], POLLIN | POLLOUT);
		assert_int_equal(shutdown(pair[1], SHUT_WR), 0);
		assert_told_as_by_poll(pair[0], POLLIN);
		assert_told_as_by_poll(pair[0], POLLRDHUP);
		(void)close(pair[1]);
		assert_told_as_by_poll(pair[0], POLLIN);
		assert_told_as_by_poll(pair[0], 0);
		(void)close(pair[0]);
	}
}

static void what_cannot_be_watched_is_refused(void **state)
{
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), closed = dup(file);

	(void)state;
	open_pipes(1);
	watch_all(1, note_ready);
	errno = 0;
	assert_null(loop_watch(loop, pipes[0][0], POLLIN, note_ready, &called[1]));
	assert_int_equal(errno, EEXIST);
	assert_null(loop_watch(loop, file, POLLIN, note_ready, &called[1]));
	assert_int_equal(errno, EPERM);
	(void)close(closed);
	errno = 0;
	assert_null(loop_watch(loop, closed, POLLIN, note_ready, &called[1]));
	assert_int_equal(errno, EBADF);
	errno = 0;
	assert_null(loop_watch(loop, -1, POLLIN, note_ready, &called[1]));
	assert_int_equal(errno, EBADF);
	run_until(wire_now_ms() + 10);
	assert_int_equal(called[0], 1);
	assert_int_equal(called[1], 0);
	close_pipes(1);
	(void)close(file);
}

static void a_watch_of_a_closed_descriptor_takes_nothing_from_the_next_one_of_its_number(void **state)
{
	struct loop_watch *old;

	(void)state;
	open_pipes(1);
	watch_all(1, note_ready);
	old = watches[0];
	close_pipes(1);
	open_pipes(1);
	watch_all(1, note_ready);
	loop_unwatch(loop, old);
	run_until(wire_now_ms() + 10);
	assert_int_equal(called[0], 1);
	close_pipes(1);
}

/* Of two pipes. Which one is told of first is the kernel's choice. */
static void watch_both_anew(void *context, short revents)
{
	int number = number_of(context);
	char byte;

	(void)revents;
	called[number]++;
	(void)!read(pipes[number % 2][0], &byte, 1);
	for (int i = 0; number < 2 && i < 2; i++) {
		loop_unwatch(loop, watches[i]);
		watches[2 + i] = loop_watch(loop, pipes[i][0], POLLIN, watch_both_anew, &called[2 + i]);
		assert_non_null(watches[2 + i]);
	}
}

static void a_watch_set_anew_in_a_callback_is_told_in_the_next_round(void **state)
{
	(void)state;
	open_pipes(2);
	watch_all(2, watch_both_anew);
	run_until(wire_now_ms() + 10);
	/* One of the old watches was told, and then the new one of the other pipe. */
	assert_int_equal(called[0] + called[1], 1);
	assert_int_equal(called[2], called[1]);
	assert_int_equal(called[3], called[0]);
	close_pipes(2);
}

static void a_copy_of_what_was_closed_before_it_was_unwatched_is_nobodys(void **state)
{
	int copy;

	(void)state;
	open_pipes(2);
	watch_all(1, note_ready);
	copy = dup(pipes[0][0]);
	(void)close(pipes[0][0]);
	loop_unwatch(loop, watches[0]);
	assert_int_equal(dup2(pipes[1][0], pipes[0][0]), pipes[0][0]);
	watches[1] = loop_watch(loop, pipes[0][0], POLLIN, note_ready, &called[0]);
	assert_non_null(watches[1]);
	run_until(wire_now_ms() + 10);
	assert_int_equal(called[0], 1);
	loop_unwatch(loop, watches[1]);
	(void)close(copy);
	close_pipes(2);
}

static void what_is_watched_no_more_does_not_wake_the_loop(void **state)
{
	(void)state;
	open_pipes(1);
	watch_all(1, note_ready);
	loop_unwatch(loop, watches[0]);
	run_until(wire_now_ms() + 50);
	assert_int_equal(called[0], 0);
	assert_in_range(rounds, 1, 5);
	/* It is open still, and may be watched again. */
	watch_all(1, note_ready);
	run_until(wire_now_ms() + 10);
	assert_int_equal(called[0], 1);
	close_pipes(1);
}

static void without_a_descriptor_there_is_no_loop(void **state)
{
	struct rlimit usual, none;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = usual.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	errno = 0;
	assert_null(loop_create(wait_with_poll, NULL));
	assert_int_equal(errno, EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
}

static void a_failure_to_wait_ends_the_run(void **state)
{
	struct loop *broken = loop_create(waiting_fails, NULL);

	(void)state;
	assert_false(loop_run(broken));
	loop_free(broken);
	loop_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_loop, free_loop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(many_timers_fire_as_a_sorted_list_would),
		TEST(a_timer_waits_for_its_time),
		TEST(a_time_long_past_or_far_away_overflows_nothing),
		TEST(clearing_twice_or_what_was_never_set_is_fine),
		TEST(a_timer_cleared_by_one_of_the_same_round_does_not_fire),
		TEST(a_timers_owner_may_free_itself),
		TEST(a_timer_may_set_itself_again),
		TEST(every_ready_descriptor_is_told_once),
		TEST(what_is_left_unread_is_told_again),
		TEST(a_watch_removed_in_a_callback_is_not_told),
		TEST(a_new_watch_of_a_reused_number_is_not_told_of_the_old_one),
		TEST(watches_added_in_a_callback_are_told_in_the_next_round),
		TEST(nobody_is_told_after_the_stop),
		TEST(a_hang_up_is_told),
		TEST(hang_ups_and_errors_are_told_as_by_poll),
		TEST(what_cannot_be_watched_is_refused),
		TEST(a_watch_of_a_closed_descriptor_takes_nothing_from_the_next_one_of_its_number),
		TEST(a_watch_set_anew_in_a_callback_is_told_in_the_next_round),
		TEST(a_copy_of_what_was_closed_before_it_was_unwatched_is_nobodys),
		TEST(what_is_watched_no_more_does_not_wake_the_loop),
		TEST(without_a_descriptor_there_is_no_loop),
		TEST(a_failure_to_wait_ends_the_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
