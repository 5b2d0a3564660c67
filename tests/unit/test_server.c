/*
 * The loop of provisiond: a real one in a child process, with peers that behave and others that do not.
 */
#include "provisiond/server.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/listen.h"

#define SILENCE_MS 300    /* where silence is the matter */
#define PATIENCE_MS 20000 /* where it is not: long enough for any machine */
#define STREAM_LENGTH 20000
#define PRIVILEGED 64000 /* uids of nobody here */
#define OTHER 64001

struct bench {
	char folder[64];
	char path[128];
	pid_t server;
};

/* ---- the server's side ---- */

static struct question *held;
static int64_t held_until = -1;
static char held_status[16] = "none";

static bool next_number(void *context, struct wire_writer *writer, bool *ret_last)
{
	int *number = context;

	*ret_last = *number == STREAM_LENGTH;
	wire_begin(writer, writer->buffer, writer->capacity, "status", *ret_last ? "end" : "number");
	wire_put_number(writer, "n", (*number)++);
	return true;
}

static void answer(struct question *question, const char *status)
{
	struct wire_writer writer;

	question_begin_answer(question, &writer, status);
	wire_put_number(&writer, "uid", question_peer(question)->uid);
	question_send(question, &writer);
}

static void handle(void *context, struct question *question, const struct wire_message *message)
{
	const char *op = wire_kind(message, "op");

	(void)context;
	if (op && strcmp(op, "echo") == 0) {
		answer(question, wire_get(message, "text"));
	} else if (op && strcmp(op, "hold") == 0) {
		held = question;
		held_until = wire_now_ms() + 100;
	} else if (op && strcmp(op, "held") == 0) {
		answer(question, held_status);
	} else if (op && strcmp(op, "stream") == 0) {
		question_stream(question, &(struct question_stream){ .next = next_number,
								     .done = free,
								     .context = calloc(1, sizeof(int)) });
	} else {
		question_drop(question);
	}
}

static int64_t held_deadline(void *context)
{
	(void)context;
	return held_until;
}

static void release_held(void *context, int64_t now_ms)
{
	(void)context;
	if (now_ms < held_until)
		return;
	(void)strcpy(held_status, question_abandoned(held) ? "abandoned" : "answered");
	held_until = -1;
	answer(held, "held");
}

static void serve(const char *path, int64_t silence_ms)
{
	const struct server_limits limits = {
		.connections = 8,
		.of_privileged_user = 3,
		.of_other_user = 2,
		.of_all_other_users = 3,
		.silence_ms = silence_ms,
	};
	int listener = listen_at(path);
	struct server *server = listener < 0 ? NULL : server_new(listener, &limits, handle, NULL);

	if (!server)
		_exit(1);
	server_set_privileged_user(server, PRIVILEGED);
	server_attach(server,
		      &(struct server_attachment){ .fd = -1, .deadline_ms = held_deadline, .run = release_held });
	_exit(server_run(server) == 0 ? 0 : 1);
}

static void say(int fd, const char *op, const char *text)
{
	char buffer[256];
	struct wire_writer question;

	wire_begin(&question, buffer, sizeof(buffer), "op", op);
	wire_put(&question, "text", text);
	assert_int_equal(wire_send(fd, &question, wire_now_ms() + PATIENCE_MS), 0);
}

static void assert_hears(int fd, const char *status)
{
	char buffer[512];
	struct wire_message message;
	ssize_t n = wire_receive(fd, buffer, sizeof(buffer), wire_now_ms() + PATIENCE_MS);

	assert_true(n > 0);
	assert_true(wire_parse(buffer, (size_t)n, &message));
	assert_string_equal(wire_kind(&message, "status"), status);
}

static int make_with(void **state, int64_t silence_ms)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	int fd = -1;

	(void)strcpy(bench->folder, "/tmp/test_server.XXXXXX");
	if (!mkdtemp(bench->folder) || chmod(bench->folder, 0755) != 0)
		return -1;
	(void)snprintf(bench->path, sizeof(bench->path), "%s/socket", bench->folder);
	bench->server = fork();
	if (bench->server == 0)
		serve(bench->path, silence_ms);
	for (int i = 0; i < 500 && fd < 0; i++) {
		(void)poll(NULL, 0, 5);
		fd = wire_connect(bench->path, wire_now_ms() + PATIENCE_MS);
	}
	*state = bench;
	if (fd < 0)
		return -1;
	/* It is served, so that it has gone before whoever comes next is counted. */
	say(fd, "echo", "ready");
	assert_hears(fd, "ready");
	return close(fd);
}

static int make(void **state)
{
	return make_with(state, 2 * PATIENCE_MS);
}

static int make_impatient(void **state)
{
	return make_with(state, SILENCE_MS);
}

static int unmake(void **state)
{
	struct bench *bench = *state;

	(void)kill(bench->server, SIGKILL);
	(void)waitpid(bench->server, NULL, 0);
	(void)unlink(bench->path);
	(void)rmdir(bench->folder);
	free(bench);
	return 0;
}

/* ---- the peers' side ---- */

static int peer(void **state)
{
	int fd = wire_connect(((struct bench *)*state)->path, wire_now_ms() + PATIENCE_MS);

	assert_true(fd >= 0);
	return fd;
}

static int peer_as(void **state, uid_t uid)
{
	int fd;

	assert_int_equal(seteuid(uid), 0);
	fd = wire_connect(((struct bench *)*state)->path, wire_now_ms() + PATIENCE_MS);
	assert_int_equal(seteuid(0), 0);
	assert_true(fd >= 0);
	return fd;
}

/* Closed by the server within the time. */
static void assert_dropped(int fd, int64_t within_ms)
{
	char buffer[512];
	ssize_t n = wire_receive(fd, buffer, sizeof(buffer), wire_now_ms() + within_ms);

	assert_true(n == 0 || n == -ECONNRESET);
	(void)close(fd);
}

static void assert_open(int fd)
{
	say(fd, "echo", "open");
	assert_hears(fd, "open");
}

static unsigned rounds;

static int64_t always(void *context)
{
	(void)context;
	return 0;
}

static void count_round(void *context, int64_t now_ms)
{
	(void)context;
	(void)now_ms;
	rounds++;
}

static void answer_and_stop(void *context, struct question *question, const struct wire_message *message)
{
	struct server **server = context;

	assert_string_equal(wire_kind(message, "op"), "echo");
	answer(question, "heard");
	server_stop(*server);
}

/* An accepted connection costs no round of its own when its question is there. */
static void a_question_that_came_with_the_connection_is_not_left_for_the_next_round(void **state)
{
	static const struct server_limits limits = { 8, 3, 2, 3, PATIENCE_MS };
	struct bench *bench = *state;
	struct server *server = NULL;
	char path[160];
	int listener, fd;

	(void)snprintf(path, sizeof(path), "%s-too", bench->path);
	listener = listen_at(path);
	assert_true(listener >= 0);
	server = server_new(listener, &limits, answer_and_stop, &server);
	assert_non_null(server);
	rounds = 0;
	server_attach(server, &(struct server_attachment){ .fd = -1, .deadline_ms = always, .run = count_round });
	fd = wire_connect(path, wire_now_ms() + PATIENCE_MS);
	assert_true(fd >= 0);
	say(fd, "echo", "there");
	assert_int_equal(server_run(server), 0);
	assert_hears(fd, "heard");
	assert_int_equal(rounds, 1);
	(void)close(fd);
	server_free(server);
	(void)unlink(path);
}

static void a_connection_takes_many_questions(void **state)
{
	int fd = peer(state);

	say(fd, "echo", "one");
	assert_hears(fd, "one");
	say(fd, "echo", "two");
	say(fd, "echo", "three");
	assert_hears(fd, "two");
	assert_hears(fd, "three");
	(void)close(fd);
}

static void what_is_no_message_ends_the_connection(void **state)
{
	static const char *const packets[] = { "x", "op=echo", "=x", "echo=op" };

	for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
		int fd = peer(state);

		/* Without the NUL that ends a field. */
		assert_true(send(fd, packets[i], strlen(packets[i]), MSG_NOSIGNAL) > 0);
		assert_dropped(fd, PATIENCE_MS);
	}
}

static void a_packet_of_more_than_64_kib_ends_the_connection(void **state)
{
	static char packet[WIRE_MAX + 100] = "op=echo\0text=";
	int fd = peer(state);

	memset(packet + 13, 'a', sizeof(packet) - 14);
	assert_true(send(fd, packet, sizeof(packet), MSG_NOSIGNAL) > 0);
	assert_dropped(fd, PATIENCE_MS);
}

static void a_question_that_nobody_answers_ends_the_connection(void **state)
{
	int fd = peer(state);

	say(fd, "nonsense", NULL);
	assert_dropped(fd, PATIENCE_MS);
}

static void a_silent_peer_is_dropped(void **state)
{
	int fd = peer(state);

	assert_dropped(fd, PATIENCE_MS);
}

static void others_are_served_while_a_question_is_under_way(void **state)
{
	int one = peer(state), other = peer(state);

	say(one, "hold", NULL);
	assert_open(other);
	say(other, "held", NULL);
	assert_hears(other, "none");
	assert_hears(one, "held");
	assert_open(one);
	(void)close(one);
	(void)close(other);
}

static void a_question_under_way_is_not_silence(void **state)
{
	int fd = peer(state);

	/* The next question is not read before the first is answered. */
	say(fd, "hold", NULL);
	say(fd, "echo", "after");
	assert_hears(fd, "held");
	assert_hears(fd, "after");
	(void)close(fd);
}

static void a_peer_that_goes_leaves_its_question_abandoned(void **state)
{
	int one = peer(state), other = peer(state);

	say(one, "hold", NULL);
	assert_open(other);
	(void)close(one);
	(void)poll(NULL, 0, 150);
	say(other, "held", NULL);
	assert_hears(other, "abandoned");
	(void)close(other);
}

static void a_long_answer_arrives_whole_at_a_slow_reader(void **state)
{
	int fd = peer(state), other = peer(state);

	say(fd, "stream", NULL);
	for (int i = 0; i < STREAM_LENGTH; i++) {
		if (i % 5000 == 100) {
			(void)poll(NULL, 0, 50);
			assert_open(other);
		}
		assert_hears(fd, "number");
	}
	assert_hears(fd, "end");
	assert_open(fd);
	(void)close(fd);
	(void)close(other);
}

static void a_peer_that_does_not_read_its_answers_is_dropped(void **state)
{
	int fd = peer(state);
	struct pollfd closed = { .fd = fd, .events = POLLRDHUP };

	say(fd, "stream", NULL);
	assert_int_equal(poll(&closed, 1, PATIENCE_MS), 1);
	(void)close(fd);
}

static void other_users_have_few_places_and_root_keeps_its_own(void **state)
{
	int mallory[2] = { peer_as(state, OTHER), peer_as(state, OTHER) };
	int one_more = peer_as(state, OTHER), somebody = peer_as(state, OTHER + 1), last = peer_as(state, OTHER + 2);
	int daemon = peer_as(state, PRIVILEGED), root = peer(state);

	assert_dropped(one_more, PATIENCE_MS);
	/* It has been silent longest, and makes room. */
	assert_dropped(mallory[0], PATIENCE_MS);
	assert_open(mallory[1]);
	assert_open(somebody);
	assert_open(last);
	assert_open(daemon);
	assert_open(root);
	(void)close(last);
	assert_open(mallory[1]);
	mallory[0] = peer_as(state, OTHER);
	assert_open(mallory[0]);
	(void)close(mallory[0]);
	(void)close(mallory[1]);
	(void)close(somebody);
	(void)close(daemon);
	(void)close(root);
}

static void the_daemons_user_leaves_places_to_root(void **state)
{
	int daemon[3], root[5], one_more;

	for (int i = 0; i < 3; i++)
		daemon[i] = peer_as(state, PRIVILEGED);
	one_more = peer_as(state, PRIVILEGED);
	assert_dropped(one_more, PATIENCE_MS);
	for (int i = 0; i < 5; i++)
		root[i] = peer(state);
	one_more = peer(state);
	assert_dropped(one_more, PATIENCE_MS);
	for (int i = 0; i < 5; i++) {
		assert_open(root[i]);
		(void)close(root[i]);
	}
	for (int i = 0; i < 3; i++)
		(void)close(daemon[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, unmake)
#define TEST_OF_SILENCE(name) cmocka_unit_test_setup_teardown(name, make_impatient, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_question_that_came_with_the_connection_is_not_left_for_the_next_round),
		TEST(a_connection_takes_many_questions),
		TEST(what_is_no_message_ends_the_connection),
		TEST(a_packet_of_more_than_64_kib_ends_the_connection),
		TEST(a_question_that_nobody_answers_ends_the_connection),
		TEST_OF_SILENCE(a_silent_peer_is_dropped),
		TEST(others_are_served_while_a_question_is_under_way),
		TEST_OF_SILENCE(a_question_under_way_is_not_silence),
		TEST(a_peer_that_goes_leaves_its_question_abandoned),
		TEST(a_long_answer_arrives_whole_at_a_slow_reader),
		TEST_OF_SILENCE(a_peer_that_does_not_read_its_answers_is_dropped),
	};
	const struct CMUnitTest as_root[] = {
		TEST(other_users_have_few_places_and_root_keeps_its_own),
		TEST(the_daemons_user_leaves_places_to_root),
	};

	if (geteuid() != 0) {
		(void)fputs("SKIPPED: only root may ask everything, and connect as other users\n", stderr);
		(void)puts("1..1\nok 1 - all of it # SKIP needs root");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL) + cmocka_run_group_tests(as_root, NULL, NULL);
}
