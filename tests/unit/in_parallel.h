/*
 * Runs the scenarios of account_lives.h in processes of their own, as many at once as there are processors, and adds up
 * what they counted.
 */
#ifndef TESTS_UNIT_IN_PARALLEL_H
#define TESTS_UNIT_IN_PARALLEL_H

#include <sched.h>

#include "account_lives.h"

/* Returns how many points were tried. Ends the process with status 1 (see must()) when something was lost, and with
 * LIFE_SKIPPED where the kernel does not let the test do what it does. */
typedef unsigned scenario_test(const struct scenario *scenario);

#define LIFE_SKIPPED 77

struct worker {
	pid_t pid;
	int counted; /* read end */
};

static long processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
}

static struct worker start_worker(const struct scenario *scenario, scenario_test *test)
{
	struct worker worker;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	(void)fflush(NULL);
	worker.pid = fork();
	assert_true(worker.pid >= 0);
	if (worker.pid == 0) {
		unsigned tried = test(scenario);

		_exit(write(ends[1], &tried, sizeof(tried)) == (ssize_t)sizeof(tried) ? 0 : 1);
	}
	(void)close(ends[1]);
	worker.counted = ends[0];
	return worker;
}

/* Whichever of them ends first. */
static void end_worker(struct worker workers[SCENARIOS], unsigned *tried, unsigned *lost, bool *skipped)
{
	int status;
	pid_t pid = wait(&status);

	assert_true(pid > 0);
	for (size_t i = 0; i < SCENARIOS; i++) {
		unsigned of_it = 0;

		if (workers[i].pid != pid)
			continue;
		*skipped |= WIFEXITED(status) && WEXITSTATUS(status) == LIFE_SKIPPED;
		if (read(workers[i].counted, &of_it, sizeof(of_it)) == (ssize_t)sizeof(of_it) && of_it > 0)
			print_message("%s: %u\n", scenarios[i].name, of_it);
		else
			*lost += !*skipped;
		*tried += of_it;
		(void)close(workers[i].counted);
		workers[i].pid = 0;
	}
}

/* Prints the sum as `what: N tried, 0 lost`. LIFE_SCENARIO in the environment names the only one to run. */
static void all_scenarios(const char *what, scenario_test *test)
{
	struct worker workers[SCENARIOS] = { 0 };
	const char *only = getenv("LIFE_SCENARIO");
	unsigned tried = 0, lost = 0;
	bool skipped = false;
	long running = 0;

	for (size_t i = 0; i < SCENARIOS; i++) {
		if (only && strcmp(only, scenarios[i].name) != 0)
			continue;
		for (; running >= processors(); running--)
			end_worker(workers, &tried, &lost, &skipped);
		workers[i] = start_worker(&scenarios[i], test);
		running++;
	}
	for (; running > 0; running--)
		end_worker(workers, &tried, &lost, &skipped);
	if (skipped)
		skip();
	print_message("%s: %u tried, %u lost\n", what, tried, lost);
	assert_int_equal(lost, 0);
	assert_true(tried > 0);
}

#endif
