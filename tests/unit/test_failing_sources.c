/*
 * Asking other name services while memory or system calls fail, on both sides of the socket: the answer is the right
 * one or "unavailable", never that nobody has the name; it comes once; and no process is left behind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/log.h"
#include "common/wire.h"
#include "failing_each.h"
#include "provisiond/inquiry.h"
#include "provisiond/source_child.h"
#include "provisiond/sources.h"
#include "tests/unit/scratch.h"
#include "tests/unit/own_libraries.h"

#define LONG_MS 10000
#define CHILD_CALLS 12 /* more than the child makes until its first answer */

static const struct failing_manner manners[] = {
	{ "no memory, once", FAILING_MEMORY, ENOMEM, FAILING_ONCE },
	{ "no memory any more", FAILING_MEMORY, ENOMEM, FAILING_FOREVER },
	{ "no descriptors, once", FAILING_CALLS, EMFILE, FAILING_ONCE },
	{ "no descriptors any more", FAILING_CALLS, EMFILE, FAILING_FOREVER },
	{ "no process, once", FAILING_CALLS, EAGAIN, FAILING_ONCE },
	{ "an interruption, once", FAILING_CALLS, EINTR, FAILING_ONCE },
};

static void say_nothing(int priority, const char *line)
{
	(void)priority;
	(void)line;
}

static void assert_no_child_left(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* ---- both sides: one inquiry ---- */

struct heard {
	unsigned times;
	struct source_facts facts;
};

static void hear(void *context, const struct source_facts *facts)
{
	struct heard *heard = context;

	heard->times++;
	heard->facts = *facts;
}

/* Runs as the loop would until there is an answer; waiting itself never fails here. */
static void turn_until(struct sources *sources, const struct heard *heard)
{
	int64_t end = wire_now_ms() + 2 * LONG_MS;

	while (heard->times == 0 && wire_now_ms() < end) {
		struct pollfd polled = { .fd = sources_fd(sources), .events = POLLIN };
		int ready;

		failing_hold();
		ready = poll(&polled, 1, 100);
		failing_release();
		if (ready > 0)
			sources_on_readable(sources);
		else
			sources_on_timer(sources, wire_now_ms());
	}
}

static bool ask_while_failing(void *context, const struct failing_manner *manner, unsigned n)
{
	struct heard known = { 0 }, unknown = { 0 };
	struct sources *sources;
	struct inquiries *inquiries = NULL;
	bool failed;

	failing_arm(manner->kinds, n, manner->error, manner->times);
	sources = sources_start(context);
	if (sources)
		inquiries = inquiries_new(sources);
	if (inquiries) {
		inquire(inquiries, "known", true, 5, wire_now_ms() + LONG_MS, hear, &known);
		turn_until(sources, &known);
		inquire(inquiries, "alice", true, 4242, wire_now_ms() + LONG_MS, hear, &unknown);
		turn_until(sources, &unknown);
	}
	failed = failing_disarm();
	if (inquiries) {
		assert_int_equal(known.times, 1);
		assert_int_equal(unknown.times, 1);
		assert_true(known.facts.name != SOURCE_UNKNOWN);
		assert_true(unknown.facts.name != SOURCE_KNOWN);
		assert_true(unknown.facts.uid != SOURCE_UNKNOWN);
		/* And when all is well again, so is the answer. */
		known = (struct heard){ 0 };
		inquire(inquiries, "known", true, 5, wire_now_ms() + LONG_MS, hear, &known);
		turn_until(sources, &known);
		assert_int_equal(known.facts.name, SOURCE_KNOWN);
		assert_int_equal(known.facts.uid, SOURCE_UNKNOWN);
	}
	inquiries_free(inquiries);
	sources_stop(sources);
	assert_no_child_left();
	return failed;
}

static void whatever_fails_nobody_is_taken_for_unknown(void **state)
{
	struct scratch scratch;
	char path[96];

	(void)state;
	scratch_make(&scratch);
	scratch_write(&scratch, "nsswitch.conf", "passwd: files first\ngroup: files first\n", 0644);
	(void)snprintf(path, sizeof(path), "%s/nsswitch.conf", scratch.path);
	for (size_t i = 0; i < sizeof(manners) / sizeof(manners[0]); i++)
		assert_in_range(failing_each(ask_while_failing, path, &manners[i]), 1, FAILING_N_MAX - 1);
	scratch_remove(&scratch);
}

/* What is still asked when provisiond ends is answered as not known, once. */
static void an_inquiry_that_is_cut_short_is_unavailable(void **state)
{
	struct heard heard = { 0 };
	struct scratch scratch;
	struct sources *sources;
	struct inquiries *inquiries;
	char path[96];

	(void)state;
	scratch_make(&scratch);
	scratch_write(&scratch, "nsswitch.conf", "passwd: first\n", 0644);
	(void)snprintf(path, sizeof(path), "%s/nsswitch.conf", scratch.path);
	sources = sources_start(path);
	inquiries = inquiries_new(sources);
	inquire(inquiries, "hangs", true, 5, wire_now_ms() + LONG_MS, hear, &heard);
	assert_int_equal(heard.times, 0);
	inquiries_free(inquiries);
	assert_int_equal(heard.times, 1);
	assert_int_equal(heard.facts.name, SOURCE_UNAVAILABLE);
	assert_int_equal(heard.facts.uid, SOURCE_UNAVAILABLE);
	sources_stop(sources);
	assert_no_child_left();
	scratch_remove(&scratch);
}

/* ---- the child alone ---- */

static atomic_int *current;

/* False when the child hung up instead. */
static bool ask_child(int socket, const struct source_question *question, struct source_reply *ret_reply)
{
	struct pollfd polled = { .fd = socket, .events = POLLIN };

	return send(socket, question, sizeof(*question), MSG_NOSIGNAL) == (ssize_t)sizeof(*question) &&
	       poll(&polled, 1, LONG_MS) == 1 &&
	       recv(socket, ret_reply, sizeof(*ret_reply), 0) == (ssize_t)sizeof(*ret_reply);
}

static const struct nss_sources sources_of_child = {
	.items = { { .name = "hollow", .users = true, .groups = true },
		   { .name = "broken", .users = true, .groups = true },
		   { .name = "first", .users = true, .groups = true },
		   { .name = "missing", .users = true, .groups = true } },
	.count = 4,
};

static void end_child(pid_t child, int socket)
{
	int status;

	assert_int_equal(close(socket), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
}

static void the_child_answers_and_ends_with_its_socket(void **state)
{
	static const struct {
		struct source_question question;
		enum source_answer answer;
		int source;
	} cases[] = {
		{ { .id = 1, .name = "known" }, SOURCE_KNOWN, 2 },
		{ { .id = 2, .name = "known-group" }, SOURCE_KNOWN, 2 },
		{ { .id = 3, .with_uid = true, .uid = 4242 }, SOURCE_KNOWN, 2 },
		{ { .id = 4, .with_uid = true, .uid = 4343 }, SOURCE_KNOWN, 2 },
		{ { .id = 5, .name = "large" }, SOURCE_KNOWN, 2 },
		{ { .id = 6, .name = "endless" }, SOURCE_UNAVAILABLE, 1 },
		{ { .id = 7, .name = "alice" }, SOURCE_UNAVAILABLE, 1 }, /* the broken library's fault */
	};
	struct source_finding found, other;
	struct source_reply reply;
	int socket;
	pid_t child = source_child_start(&sources_of_child, current, &socket);

	(void)state;
	assert_true(child > 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(ask_child(socket, &cases[i].question, &reply));
		assert_int_equal(reply.id, cases[i].question.id);
		found = cases[i].question.with_uid ? reply.uid : reply.name;
		other = cases[i].question.with_uid ? reply.name : reply.uid;
		assert_int_equal(found.answer, cases[i].answer);
		assert_int_equal(found.source, cases[i].source);
		assert_int_equal(other.answer, SOURCE_UNKNOWN);
		assert_int_equal(atomic_load(current), SOURCE_NONE);
	}
	assert_int_equal(reply.broken, 1u << 1);
	assert_int_equal(reply.missing, 1u << 3);
	end_child(child, socket);
}

/* Of both together, the n-th call fails. */
static void a_child_in_need_answers_rightly_or_dies(void **state)
{
	static const struct source_question questions[] = { { .id = 1, .name = "known" },
							    { .id = 2, .name = "large" } };

	(void)state;
	for (size_t i = 0; i < sizeof(manners) / sizeof(manners[0]); i++)
		for (unsigned n = 1; n <= CHILD_CALLS; n++) {
			struct source_reply reply;
			int socket = -1;
			pid_t child;
			int null = open("/dev/null", O_RDONLY | O_CLOEXEC); /* to be closed by the child */

			failing_arm(manners[i].kinds | FAILING_IN_CHILDREN, n, manners[i].error, manners[i].times);
			child = source_child_start(&sources_of_child, current, &socket);
			(void)failing_disarm();
			(void)close(null);
			if (child < 0) {
				assert_int_equal(socket, -1);
				continue;
			}
			for (size_t q = 0; q < 2 && ask_child(socket, &questions[q], &reply); q++) {
				assert_int_equal(reply.id, questions[q].id);
				assert_int_not_equal(reply.name.answer, SOURCE_UNKNOWN);
			}
			end_child(child, socket);
		}
	assert_no_child_left();
}

int main(int count, char **arguments)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(the_child_answers_and_ends_with_its_socket, say_where),
		cmocka_unit_test_teardown(a_child_in_need_answers_rightly_or_dies, say_where),
		cmocka_unit_test_teardown(whatever_fails_nobody_is_taken_for_unknown, say_where),
		cmocka_unit_test_teardown(an_inquiry_that_is_cut_short_is_unavailable, say_where),
	};

	(void)count;
	look_for_libraries_here_too(arguments);
	current = mmap(NULL, sizeof(*current), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	log_divert(say_nothing);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
