/*
 * provisiond killed while it makes, changes or removes accounts: before and after each of its system calls that change
 * something, one after the other. Whatever is there then, the next start finds every account as it was or makes it as
 * it is to be, and the same order succeeds.
 */
#include "in_parallel.h"
#include "traced.h"
#include "unsynced.h"

struct killing {
	struct small_machine *machine;
	const struct scenario *scenario;
	unsigned point, reached; /* two for each call: before, after */
	bool answered[LIFE_ORDERS_MAX];
};

static int run_all(void *context)
{
	const struct killing *killing = context;
	struct small_machine machine = *killing->machine;
	struct life_run runs[LIFE_ORDERS_MAX];

	machine_open(&machine);
	life_serve(&machine, killing->scenario, true, runs);
	return 0;
}

static enum traced_next stop(void *context, pid_t child, const struct traced_call *call, bool after, int *ret_error)
{
	struct killing *killing = context;

	(void)child;
	(void)after;
	(void)ret_error;
	if (call->number == SYS_write && call->arguments[0] >= LIFE_ANSWER_FD) {
		killing->answered[call->arguments[0] - LIFE_ANSWER_FD] = true;
		return TRACED_GO_ON;
	}
	return killing->reached++ == killing->point ? TRACED_KILL : TRACED_GO_ON;
}

/* False when the run was over before that point. */
static bool kill_at(const struct life *life, unsigned point)
{
	struct small_machine machine;
	struct killing killing = { .machine = &machine, .scenario = life->scenario, .point = point };
	const struct traced traced = { .run = run_all, .stop = stop, .context = &killing };
	pid_t session;
	int status;

	(void)snprintf(life_where, sizeof(life_where), "%s, killed %s call %u", life->scenario->name,
		       point % 2 ? "after" : "before", point / 2 + 1);
	life_make_machine(life->scenario, &machine);
	session = life->scenario->runs ? life_start_session(&machine) : 0;
	machine_close(&machine);
	status = traced_run(&traced);
	if (status == TRACED_NOT_ALLOWED)
		_exit(LIFE_SKIPPED);
	must(status <= 0);
	life_check(life, &machine, killing.answered);
	must(session == 0 || life_end_session(session));
	machine_remove(&machine);
	return status < 0;
}

/* Under a sanitizer everything takes several times as long: not every point is tried then. */
static unsigned stride(void)
{
#if defined(__SANITIZE_ADDRESS__)
	return 53;
#else
	return 1;
#endif
}

static unsigned kill_everywhere(const struct scenario *scenario)
{
	struct life life;
	unsigned tried = 0;

	life_begin(scenario, &life);
	for (unsigned point = 0; kill_at(&life, point); point += stride())
		tried++;
	must(tried > 100 / stride());
	life_end(&life);
	return tried;
}

static void a_kill_before_or_after_any_call_leaves_every_account_whole(void **state)
{
	(void)state;
	all_scenarios("kill points", kill_everywhere);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kill_before_or_after_any_call_leaves_every_account_whole),
	};

	if (geteuid() != 0) {
		print_message("skipped: only root can make homes that belong to others\n");
		return 0;
	}
	log_divert(say_nothing);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
