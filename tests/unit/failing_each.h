/*
 * Goes through the ways in which calls can fail, for tests that run one scene again and again: with every call failing
 * once, and with every call failing from one on.
 */
#ifndef TESTS_UNIT_FAILING_EACH_H
#define TESTS_UNIT_FAILING_EACH_H

#include <errno.h>
#include <stdio.h>

#include "tests/failing/failing.h"

#define FAILING_N_MAX 20000

struct failing_manner {
	const char *name;
	unsigned kinds;
	int error;
	enum failing_times times;
};

/* One scene with the n-th call failing. It arms for itself, runs what is under test, disarms and asserts. True when a
 * call has failed. */
typedef bool failing_scene(void *context, const struct failing_manner *manner, unsigned n);

/* Where a scene that did not end well was, for whoever reads the failed assertion. */
static struct {
	const struct failing_manner *manner;
	unsigned n;
} failing_now;

__attribute__((unused)) static void failing_say_where(void)
{
	if (failing_now.manner)
		(void)fprintf(stderr, "with %s at call %u (%s)\n", failing_now.manner->name, failing_now.n,
			      failing_call());
}

/* The same as cmocka's teardown. */
__attribute__((unused)) static int say_where(void **state)
{
	(void)state;
	failing_say_where();
	return 0;
}

/* Runs the scene with every stride-th n until nothing fails any more, for scenes that take long. How far it came. */
__attribute__((unused)) static unsigned failing_some(failing_scene *scene, void *context,
						     const struct failing_manner *manner, unsigned stride)
{
	unsigned n = 1;

	failing_now.manner = manner;
	for (; n < FAILING_N_MAX; n += stride) {
		failing_now.n = n;
		if (!scene(context, manner, n))
			break;
	}
	failing_now.manner = NULL;
	return n - 1;
}

/* Runs the scene with n = 1, 2, ... until nothing fails any more. How many calls there were to fail. */
__attribute__((unused)) static unsigned failing_each(failing_scene *scene, void *context,
						     const struct failing_manner *manner)
{
	return failing_some(scene, context, manner, 1);
}

#endif
