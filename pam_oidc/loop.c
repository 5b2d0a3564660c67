/*
 * Descriptors in an array, timers in a binary heap. See loop.h. Knows nothing of what it watches.
 */
#include "pam_oidc/loop.h"

#include <limits.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/wire.h"

struct loop_watch {
	int fd; /* -1: removed, freed after the round */
	short events;
	loop_ready *ready;
	void *context;
};

struct loop {
	loop_wait *wait;
	void *wait_context;
	struct loop_watch **watches;
	struct pollfd *fds; /* as many as watches */
	size_t watch_count, watch_room;
	struct loop_timer **heap; /* heap[0] is due first */
	size_t timer_count, timer_room;
	bool stopped, have_removed;
};

struct loop *loop_create(loop_wait *wait, void *context)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (loop)
		*loop = (struct loop){ .wait = wait, .wait_context = context };
	return loop;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	for (size_t i = 0; i < loop->watch_count; i++)
		free(loop->watches[i]);
	free(loop->watches);
	free(loop->fds);
	free(loop->heap);
	free(loop);
}

static bool make_watch_room(struct loop *loop)
{
	size_t room = loop->watch_room ? 2 * loop->watch_room : 16;
	struct loop_watch **watches;
	struct pollfd *fds;

	if (loop->watch_count < loop->watch_room)
		return true;
	watches = reallocarray(loop->watches, room, sizeof(*watches));
	if (!watches)
		return false;
	loop->watches = watches;
	fds = reallocarray(loop->fds, room, sizeof(*fds));
	if (!fds)
		return false;
	loop->fds = fds;
	loop->watch_room = room;
	return true;
}

struct loop_watch *loop_watch(struct loop *loop, int fd, short events, loop_ready *ready, void *context)
{
	struct loop_watch *watch;

	if (!make_watch_room(loop))
		return NULL;
	watch = malloc(sizeof(*watch));
	if (!watch)
		return NULL;
	*watch = (struct loop_watch){ .fd = fd, .events = events, .ready = ready, .context = context };
	loop->watches[loop->watch_count++] = watch;
	return watch;
}

void loop_unwatch(struct loop *loop, struct loop_watch *watch)
{
	if (!watch)
		return;
	/* A round may be going over the array: it is only marked here. */
	watch->fd = -1;
	loop->have_removed = true;
}

static void drop_removed(struct loop *loop)
{
	size_t kept = 0;

	if (!loop->have_removed)
		return;
	for (size_t i = 0; i < loop->watch_count; i++) {
		if (loop->watches[i]->fd >= 0)
			loop->watches[kept++] = loop->watches[i];
		else
			free(loop->watches[i]);
	}
	loop->watch_count = kept;
	loop->have_removed = false;
}

static void put(struct loop *loop, size_t at, struct loop_timer *timer)
{
	loop->heap[at] = timer;
	timer->place = at + 1;
}

/* Moves a timer up or down to where its time belongs. */
static void settle(struct loop *loop, size_t at)
{
	struct loop_timer *timer = loop->heap[at];

	for (size_t parent; at > 0 && loop->heap[parent = (at - 1) / 2]->due_ms > timer->due_ms; at = parent)
		put(loop, at, loop->heap[parent]);
	for (size_t child; (child = 2 * at + 1) < loop->timer_count; at = child) {
		if (child + 1 < loop->timer_count && loop->heap[child + 1]->due_ms < loop->heap[child]->due_ms)
			child++;
		if (loop->heap[child]->due_ms >= timer->due_ms)
			break;
		put(loop, at, loop->heap[child]);
	}
	put(loop, at, timer);
}

static bool make_timer_room(struct loop *loop)
{
	size_t room = loop->timer_room ? 2 * loop->timer_room : 16;
	struct loop_timer **heap;

	if (loop->timer_count < loop->timer_room)
		return true;
	heap = reallocarray(loop->heap, room, sizeof(*heap));
	if (!heap)
		return false;
	loop->heap = heap;
	loop->timer_room = room;
	return true;
}

bool loop_set_timer(struct loop *loop, struct loop_timer *timer, int64_t due_ms, void (*fire)(void *context),
		    void *context)
{
	size_t place = timer->place;

	if (place == 0) {
		if (!make_timer_room(loop))
			return false;
		place = ++loop->timer_count;
	}
	*timer = (struct loop_timer){ .due_ms = due_ms, .fire = fire, .context = context };
	put(loop, place - 1, timer);
	settle(loop, place - 1);
	return true;
}

void loop_clear_timer(struct loop *loop, struct loop_timer *timer)
{
	size_t at = timer->place - 1;
	struct loop_timer *last;

	if (timer->place == 0)
		return;
	timer->place = 0;
	last = loop->heap[--loop->timer_count];
	if (last == timer)
		return;
	put(loop, at, last);
	settle(loop, at);
}

static int until_next_timer(const struct loop *loop)
{
	int64_t left;

	if (loop->timer_count == 0)
		return 60 * 1000;
	left = loop->heap[0]->due_ms - wire_now_ms();
	return left <= 0 ? 0 : left > 60 * 1000 ? 60 * 1000 : (int)left;
}

static void fire_due_timers(struct loop *loop)
{
	int64_t now = wire_now_ms();

	while (loop->timer_count > 0 && loop->heap[0]->due_ms <= now && !loop->stopped) {
		struct loop_timer *timer = loop->heap[0];

		loop_clear_timer(loop, timer);
		timer->fire(timer->context);
	}
}

static bool wait_once(struct loop *loop)
{
	size_t count = loop->watch_count;

	for (size_t i = 0; i < count; i++)
		loop->fds[i] = (struct pollfd){ .fd = loop->watches[i]->fd, .events = loop->watches[i]->events };
	if (!loop->wait(loop->wait_context, loop->fds, count, until_next_timer(loop)))
		return false;
	for (size_t i = 0; i < count && !loop->stopped; i++) {
		struct loop_watch *watch = loop->watches[i];

		if (watch->fd >= 0 && loop->fds[i].revents)
			watch->ready(watch->context, loop->fds[i].revents);
	}
	return true;
}

bool loop_run(struct loop *loop)
{
	loop->stopped = false;
	while (!loop->stopped) {
		drop_removed(loop);
		if (!wait_once(loop))
			return false;
		fire_due_timers(loop);
	}
	drop_removed(loop);
	return true;
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
}
