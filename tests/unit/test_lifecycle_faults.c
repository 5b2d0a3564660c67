/*
 * A disk that is full, failing or read-only, no more descriptors, and a sync that fails, at each system call with which
 * provisiond makes, changes or removes accounts: once, and from there on. Whoever asked is answered; an account that
 * was answered as done is as ordered; and at the next start every account is as it was or as it is to be, and the same
 * order succeeds.
 */
#include "in_parallel.h"
#include "traced.h"
#include "unsynced.h"

#define STARTED_FD (LIFE_ANSWER_FD - 1)

enum calls { ALL_CALLS, OPENS, SYNCS, RENAMES };

struct fault {
	const char *name;
	int error;
	bool forever;
	enum calls calls; /* which can fail so */
};

static const struct fault faults[] = {
	{ "the disk is full, once", ENOSPC, false, ALL_CALLS },
	{ "the disk is full", ENOSPC, true, ALL_CALLS },
	{ "an I/O error, once", EIO, false, ALL_CALLS },
	{ "I/O errors", EIO, true, ALL_CALLS },
	{ "the disk has become read-only", EROFS, true, ALL_CALLS },
	{ "no descriptor is left, once", EMFILE, false, OPENS },
	{ "syncing fails, once", EIO, false, SYNCS },
	{ "syncing fails", EIO, true, SYNCS },
	{ "nothing can be renamed", EIO, true, RENAMES },
};

#define FAULTS (sizeof(faults) / sizeof(faults[0]))

struct failing {
	struct small_machine *machine;
	const struct scenario *scenario;
	const struct fault *fault;
	bool started; /* a provisiond that cannot even open its database has not */
	unsigned point, reached;
	bool answered[LIFE_ORDERS_MAX];
};

static int run_all(void *context)
{
	const struct failing *failing = context;
	struct small_machine machine = *failing->machine;
	struct life_run runs[LIFE_ORDERS_MAX];

	machine_open(&machine);
	(void)!write(STARTED_FD, "", 1);
	life_serve(&machine, failing->scenario, true, runs);
	for (unsigned i = 0; i < failing->scenario->count; i++)
		must(runs[i].answers == 1 && runs[i].done == (runs[i].reason == REASON_NONE));
	return 0;
}

static bool applies(const struct fault *fault, const struct traced_call *call)
{
	uint64_t number = call->number;

	switch (fault->calls) {
	case OPENS:
		return number == SYS_openat;
	case SYNCS:
		return number == SYS_fsync || number == SYS_fdatasync || number == SYS_syncfs;
	case RENAMES:
		return number == SYS_renameat2 || number == SYS_linkat;
	case ALL_CALLS:
	default:
		return number != SYS_kill && number != SYS_pidfd_send_signal;
	}
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

static enum traced_next stop(void *context, pid_t child, const struct traced_call *call, bool after, int *ret_error)
{
	struct failing *failing = context;

	(void)child;
	if (after)
		return TRACED_GO_ON;
	if (call->number == SYS_write && call->arguments[0] >= LIFE_ANSWER_FD) {
		failing->answered[call->arguments[0] - LIFE_ANSWER_FD] = true;
		return TRACED_GO_ON;
	}
	failing->started |= call->number == SYS_write && call->arguments[0] == STARTED_FD;
	/* What must() says does not fail. */
	if (!failing->started ||
	    (call->number == SYS_write && (call->arguments[0] == STDERR_FILENO || call->arguments[0] == STARTED_FD)) ||
	    !applies(failing->fault, call))
		return TRACED_GO_ON;
	*ret_error = failing->fault->error;
	failing->reached++;
	return failing->fault->forever                  ? failing->reached > failing->point ? TRACED_FAIL : TRACED_GO_ON
	       : failing->reached == failing->point + 1 ? TRACED_FAIL
							: TRACED_GO_ON;
}

/* False when there was no such call. */
static bool fail_at(const struct life *life, const struct fault *fault, unsigned point)
{
	struct small_machine machine;
	struct failing failing = { .machine = &machine, .scenario = life->scenario, .fault = fault, .point = point };
	const struct traced traced = { .run = run_all, .stop = stop, .context = &failing };
	pid_t session;
	int status;

	(void)snprintf(life_where, sizeof(life_where), "%s, %s from call %u on", life->scenario->name, fault->name,
		       point + 1);
	life_make_machine(life->scenario, &machine);
	session = life->scenario->runs ? life_start_session(&machine) : 0;
	machine_close(&machine);
	status = traced_run(&traced);
	if (status == TRACED_NOT_ALLOWED)
		_exit(LIFE_SKIPPED);
	must(status == 0);
	life_check(life, &machine, failing.answered);
	must(session == 0 || life_end_session(session));
	machine_remove(&machine);
	return failing.reached > point;
}

static unsigned fail_everywhere(const struct scenario *scenario)
{
	struct life life;
	unsigned tried = 0;

	life_begin(scenario, &life);
	for (size_t i = 0; i < FAULTS; i++)
		for (unsigned point = 0; fail_at(&life, &faults[i], point); point += stride())
			tried++;
	must(tried > 100 / stride());
	life_end(&life);
	return tried;
}

static void a_call_that_fails_leaves_every_account_whole(void **state)
{
	(void)state;
#if !defined(__x86_64__)
	print_message("skipped: how to make a call fail is not known for this processor\n");
	skip();
#endif
	all_scenarios("faults", fail_everywhere);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_that_fails_leaves_every_account_whole),
	};

	if (geteuid() != 0) {
		print_message("skipped: only root can make homes that belong to others\n");
		return 0;
	}
	log_divert(say_nothing);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
