/*
 * Messages: what is one and what is not, and that no peer, whatever it sends or does not send, holds anybody past the
 * deadline.
 */
#include "common/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"

#define BYTES(text) (text), sizeof(text) /* with the NUL at its end */

/* --- the shape --- */

static bool is_message(const char *bytes, size_t length)
{
	/* Where a byte too many is read, the sanitizer or valgrind sees it. */
	char *copy = malloc(length ? length : 1);
	struct wire_message message = { 0 };
	bool good;

	assert_non_null(copy);
	memcpy(copy, bytes, length);
	good = wire_parse(copy, length, &message);
	assert_ptr_equal(message.bytes, good ? copy : NULL);
	free(copy);
	return good;
}

static void what_a_writer_builds_a_reader_reads(void **state)
{
	char buffer[256];
	struct wire_writer writer;
	struct wire_message message;
	long long number;
	uint32_t id;
	size_t cursor = 0;

	(void)state;
	wire_begin(&writer, buffer, sizeof(buffer), "op", "login");
	wire_put(&writer, "name", "alice@clinic.example");
	wire_put(&writer, "absent", NULL);
	wire_put(&writer, "empty", "");
	wire_put(&writer, "odd", "a=b\nc=\x1b");
	wire_put(&writer, "group", "one");
	wire_put_number(&writer, "low", LLONG_MIN);
	wire_putf(&writer, "uid", "%u", 2000200001U);
	wire_put(&writer, "group", "two");
	assert_false(writer.failed);
	assert_true(wire_parse(buffer, writer.length, &message));
	assert_string_equal(wire_kind(&message, "op"), "login");
	assert_null(wire_kind(&message, "status"));
	assert_string_equal(wire_get(&message, "name"), "alice@clinic.example");
	assert_null(wire_get(&message, "absent"));
	assert_string_equal(wire_get(&message, "empty"), "");
	assert_string_equal(wire_get(&message, "odd"), "a=b\nc=\x1b");
	assert_true(wire_get_number(&message, "low", LLONG_MIN, 0, &number));
	assert_true(number == LLONG_MIN);
	assert_true(wire_get_id(&message, "uid", &id));
	assert_int_equal(id, 2000200001U);
	assert_string_equal(wire_next(&message, "group", &cursor), "one");
	assert_string_equal(wire_next(&message, "group", &cursor), "two");
	assert_null(wire_next(&message, "group", &cursor));
	assert_null(wire_next(&message, "group", &cursor));
}

static void what_is_cut_or_has_no_nul_is_no_message(void **state)
{
	static const char whole[] = "op=login\0name=alice\0timeout=60";

	(void)state;
	assert_true(is_message(BYTES(whole)));
	assert_false(is_message(whole, 0));
	for (size_t length = 1; length < sizeof(whole); length++)
		assert_int_equal(is_message(whole, length), length > 0 && whole[length - 1] == '\0');
}

static void malformed_fields_are_refused(void **state)
{
	(void)state;
	assert_false(is_message(BYTES("")));
	assert_false(is_message(BYTES("op")));
	assert_false(is_message(BYTES("=login")));
	assert_false(is_message(BYTES("op=login\0")));
	assert_false(is_message(BYTES("op=login\0name")));
	assert_false(is_message(BYTES("op=login\0=alice")));
	assert_false(is_message(BYTES("op=login\0Name=alice")));
	assert_false(is_message(BYTES("op=login\0na me=alice")));
	assert_false(is_message(BYTES("op=login\0 name=alice")));
	assert_false(is_message(BYTES("op=login\0_name=alice")));
	assert_false(is_message(BYTES("op=login\0"
				      "1=a")));
	assert_false(is_message(BYTES("op=login\0n\xc3\xa4me=alice")));
	assert_false(is_message(BYTES("op=login\0\0name=alice")));
	assert_true(is_message(BYTES("op=login\0a_1=b")));
	assert_true(is_message(BYTES("op=")));
}

static void the_first_field_is_op_or_status(void **state)
{
	(void)state;
	assert_true(is_message(BYTES("status=end")));
	assert_false(is_message(BYTES("name=alice\0op=login")));
	assert_false(is_message(BYTES("ops=login")));
	assert_false(is_message(BYTES("o=login")));
	assert_false(is_message(BYTES("Op=login")));
}

static void two_messages_in_one_packet_are_none(void **state)
{
	(void)state;
	assert_false(is_message(BYTES("op=standing\0name=alice\0op=admit")));
	assert_false(is_message(BYTES("op=standing\0op=standing")));
	assert_false(is_message(BYTES("status=end\0status=account")));
	assert_true(is_message(BYTES("op=standing\0ops=admit\0status=active")));
}

static void a_doubled_key_is_there_all_the_same(void **state)
{
	static const char bytes[] = "op=redeem\0uid=7\0uid=7\0tty=";
	struct wire_message message;

	(void)state;
	assert_true(wire_parse(BYTES(bytes), &message));
	assert_true(wire_has(&message, "uid"));
	assert_true(wire_has(&message, "tty"));
	assert_false(wire_has(&message, "ui"));
	assert_false(wire_has(&message, "name"));
}

static void a_doubled_key_has_no_value(void **state)
{
	static const char bytes[] = "op=redeem\0name=alice\0uid=7\0name=root\0uid=7";
	struct wire_message message;
	uint32_t id = 99;

	(void)state;
	assert_true(wire_parse(BYTES(bytes), &message));
	assert_null(wire_get(&message, "name"));
	assert_false(wire_get_id(&message, "uid", &id));
	assert_int_equal(id, 99);
}

static void a_key_is_compared_whole(void **state)
{
	static const char bytes[] = "op=x\0names=a\0username=b\0n=c";
	struct wire_message message;

	(void)state;
	assert_true(wire_parse(BYTES(bytes), &message));
	assert_null(wire_get(&message, "name"));
	assert_string_equal(wire_get(&message, "n"), "c");
}

/* Reads the text as a number within [min, max]. */
static bool number(const char *text, long long min, long long max, long long *ret_value)
{
	char buffer[128];
	struct wire_writer writer;
	struct wire_message message;

	wire_begin(&writer, buffer, sizeof(buffer), "op", "x");
	wire_put(&writer, "n", text);
	assert_true(wire_parse(buffer, writer.length, &message));
	return wire_get_number(&message, "n", min, max, ret_value);
}

static void numbers_are_decimal_and_within_their_range(void **state)
{
	static const char *const bad[] = { "",
					   " 1",
					   "1 ",
					   "+1",
					   "-",
					   "--1",
					   "0x10",
					   "1e3",
					   "1.0",
					   "1,0",
					   "\n1",
					   "1\n",
					   "one",
					   "- 1",
					   "9223372036854775808",
					   "-9223372036854775809",
					   "99999999999999999999999999999999" };
	long long value = 42;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (number(bad[i], LLONG_MIN, LLONG_MAX, &value))
			fail_msg("'%s' was read as a number", bad[i]);
		assert_int_equal(value, 42);
	}
	assert_false(number("0", 1, 10, &value));
	assert_false(number("11", 1, 10, &value));
	assert_int_equal(value, 42);
	assert_true(number("1", 1, 10, &value));
	assert_true(number("10", 1, 10, &value));
	assert_int_equal(value, 10);
	assert_true(number("9223372036854775807", 0, LLONG_MAX, &value));
	assert_true(value == LLONG_MAX);
}

static bool id_of(const char *text, uint32_t *ret_id)
{
	char buffer[128];
	struct wire_writer writer;
	struct wire_message message;

	wire_begin(&writer, buffer, sizeof(buffer), "op", "x");
	wire_put(&writer, "uid", text);
	assert_true(wire_parse(buffer, writer.length, &message));
	return wire_get_id(&message, "uid", ret_id);
}

static void an_id_is_never_the_one_that_means_none(void **state)
{
	uint32_t id = 7;

	(void)state;
	assert_false(id_of("4294967295", &id));
	assert_false(id_of("4294967296", &id));
	assert_false(id_of("-1", &id));
	assert_int_equal(id, 7);
	assert_true(id_of("4294967294", &id));
	assert_int_equal(id, 4294967294U);
	assert_true(id_of("0", &id));
	assert_int_equal(id, 0);
}

static void a_message_holds_64_kib_exactly(void **state)
{
	size_t size = 2 * WIRE_MAX, room = WIRE_MAX - sizeof("op=x") - sizeof("v=");
	char *buffer = malloc(size), *value = malloc(size);
	struct wire_writer writer;
	struct wire_message message;

	(void)state;
	assert_non_null(buffer);
	assert_non_null(value);
	memset(value, 'a', room + 1);
	value[room] = '\0';
	wire_begin(&writer, buffer, size, "op", "x");
	wire_put(&writer, "v", value);
	assert_false(writer.failed);
	assert_int_equal(writer.length, WIRE_MAX);
	assert_true(wire_parse(buffer, writer.length, &message));

	value[room] = 'a';
	value[room + 1] = '\0';
	wire_begin(&writer, buffer, size, "op", "x");
	wire_put(&writer, "v", value);
	assert_true(writer.failed);
	wire_begin(&writer, buffer, size, "op", "x");
	wire_putf(&writer, "v", "%s", value);
	assert_true(writer.failed);
	memset(buffer, 'a', size);
	memcpy(buffer, "op=", 3);
	buffer[WIRE_MAX] = '\0';
	assert_false(wire_parse(buffer, WIRE_MAX + 1, &message));
	buffer[WIRE_MAX - 1] = '\0';
	assert_true(wire_parse(buffer, WIRE_MAX, &message));
	free(buffer);
	free(value);
}

static void once_something_did_not_fit_the_writer_stays_failed(void **state)
{
	char buffer[16];
	struct wire_writer writer;

	(void)state;
	wire_begin(&writer, buffer, sizeof(buffer), "op", "x"); /* 5 bytes */
	wire_put(&writer, "name", "0123456789");
	assert_true(writer.failed);
	wire_put(&writer, "a", "b");
	assert_true(writer.failed);
	assert_true(writer.length <= sizeof(buffer));
	assert_int_equal(wire_send(-1, &writer, 0), -EMSGSIZE);

	wire_begin(&writer, buffer, sizeof(buffer), "op", "x");
	wire_putf(&writer, "n", "%s", "12345678"); /* 11 bytes: full to the last one */
	assert_false(writer.failed);
	assert_int_equal(writer.length, sizeof(buffer));
	wire_begin(&writer, buffer, sizeof(buffer), "op", "x");
	wire_putf(&writer, "n", "%s", "123456789");
	assert_true(writer.failed);
}

/* --- carrying --- */

static void pair(int *ret_ends)
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret_ends), 0);
}

static void close_pair(const int *ends)
{
	cleanup_fd(&ends[0]);
	cleanup_fd(&ends[1]);
}

static struct wire_writer small_message(char *buffer, size_t size)
{
	struct wire_writer writer;

	wire_begin(&writer, buffer, size, "op", "standing");
	wire_put(&writer, "name", "alice");
	return writer;
}

static void two_messages_are_never_merged(void **state)
{
	char out[64], in[256];
	struct wire_writer writer = small_message(out, sizeof(out));
	int ends[2];

	(void)state;
	pair(ends);
	assert_int_equal(wire_send(ends[0], &writer, 0), 0);
	assert_int_equal(wire_send(ends[0], &writer, 0), 0);
	assert_int_equal(wire_receive(ends[1], in, sizeof(in), 0), writer.length);
	assert_int_equal(wire_receive(ends[1], in, sizeof(in), 0), writer.length);
	assert_int_equal(wire_receive(ends[1], in, sizeof(in), 0), -EAGAIN);
	close_pair(ends);
}

static void a_packet_longer_than_the_buffer_is_refused_whole(void **state)
{
	char out[64], in[16];
	struct wire_writer writer = small_message(out, sizeof(out));
	int ends[2];

	(void)state;
	pair(ends);
	assert_int_equal(wire_send(ends[0], &writer, 0), 0);
	assert_int_equal(wire_receive(ends[1], in, sizeof(in), 0), -EMSGSIZE);
	assert_int_equal(wire_receive(ends[1], in, sizeof(in), 0), -EAGAIN);
	close_pair(ends);
}

static void a_packet_of_64_kib_arrives(void **state)
{
	char *out = malloc(WIRE_MAX), *in = malloc(WIRE_MAX);
	struct wire_writer writer;
	struct wire_message message;
	int ends[2];

	(void)state;
	assert_non_null(out);
	assert_non_null(in);
	pair(ends);
	memset(out, 'a', WIRE_MAX);
	memcpy(out, "op=", 3);
	out[WIRE_MAX - 1] = '\0';
	writer = (struct wire_writer){ .buffer = out, .capacity = WIRE_MAX, .length = WIRE_MAX };
	assert_int_equal(wire_send(ends[0], &writer, 0), 0);
	assert_int_equal(wire_receive(ends[1], in, WIRE_MAX, 0), WIRE_MAX);
	assert_true(wire_parse(in, WIRE_MAX, &message));
	close_pair(ends);
	free(out);
	free(in);
}

static int open_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void passed_descriptors_are_dropped(void **state)
{
	char in[64], text[] = "op=x";
	int ends[2], before;
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .bytes = { 0 } };
	struct iovec part = { .iov_base = text, .iov_len = sizeof(text) };
	struct msghdr header = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)
	};

	(void)state;
	pair(ends);
	CMSG_FIRSTHDR(&header)->cmsg_level = SOL_SOCKET;
	CMSG_FIRSTHDR(&header)->cmsg_type = SCM_RIGHTS;
	CMSG_FIRSTHDR(&header)->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&header)), &ends[0], sizeof(int));
	assert_int_equal(sendmsg(ends[0], &header, 0), sizeof(text));
	before = open_descriptors();
	assert_int_equal(wire_receive(ends[1], in, sizeof(in), 0), sizeof(text));
	assert_int_equal(open_descriptors(), before);
	close_pair(ends);
}

static void assert_took(int64_t since_ms, int64_t at_least_ms)
{
	int64_t took = wire_now_ms() - since_ms;

	assert_true(took >= at_least_ms);
	/* Generous: the machine may be busy with other tests. */
	assert_true(took < at_least_ms + 2000);
}

static void a_silent_peer_is_left_at_the_deadline(void **state)
{
	char out[64], in[64];
	struct wire_writer writer = small_message(out, sizeof(out));
	struct wire_message answer;
	int64_t start = wire_now_ms();
	int ends[2];

	(void)state;
	pair(ends);
	assert_int_equal(wire_receive(ends[1], in, sizeof(in), start + 50), -ETIMEDOUT);
	assert_took(start, 50);
	start = wire_now_ms();
	assert_int_equal(wire_ask(ends[0], &writer, in, sizeof(in), start + 50, &answer), -ETIMEDOUT);
	assert_took(start, 50);
	assert_int_equal(wire_receive(ends[0], in, sizeof(in), start - 1000), -ETIMEDOUT);
	close_pair(ends);
}

static void a_peer_that_reads_nothing_is_left_at_the_deadline(void **state)
{
	char out[64];
	struct wire_writer writer = small_message(out, sizeof(out));
	int64_t start = wire_now_ms();
	int ends[2], sent = 0;

	(void)state;
	pair(ends);
	while (sent == 0)
		sent = wire_send(ends[0], &writer, start + 80);
	assert_int_equal(sent, -ETIMEDOUT);
	assert_took(start, 80);
	close_pair(ends);
}

static void a_peer_that_is_gone_raises_no_signal(void **state)
{
	char out[64], in[64];
	struct wire_writer writer = small_message(out, sizeof(out));
	struct wire_message answer;
	int ends[2];

	(void)state;
	(void)signal(SIGPIPE, SIG_DFL);
	pair(ends);
	(void)close(ends[1]);
	assert_int_equal(wire_receive(ends[0], in, sizeof(in), 0), 0);
	assert_int_equal(wire_send(ends[0], &writer, 0), -EPIPE);
	assert_int_equal(wire_ask(ends[0], &writer, in, sizeof(in), 0, &answer), -EPIPE);
	(void)close(ends[0]);
}

static void an_answer_must_be_a_message(void **state)
{
	char out[64], in[64];
	struct wire_writer writer = small_message(out, sizeof(out));
	struct wire_message answer = { 0 };
	int ends[2];

	(void)state;
	pair(ends);
	assert_int_equal(send(ends[1], "garbage", 7, 0), 7);
	assert_int_equal(wire_ask(ends[0], &writer, in, sizeof(in), wire_now_ms() + 1000, &answer), -EPROTO);
	assert_null(answer.bytes);
	assert_int_equal(send(ends[1], "status=ok", 10, 0), 10);
	assert_int_equal(wire_ask(ends[0], &writer, in, sizeof(in), wire_now_ms() + 1000, &answer), 0);
	assert_string_equal(wire_kind(&answer, "status"), "ok");
	(void)shutdown(ends[1], SHUT_WR);
	assert_int_equal(wire_ask(ends[0], &writer, in, sizeof(in), wire_now_ms() + 1000, &answer), -ECONNRESET);
	close_pair(ends);
}

/* --- connecting --- */

static char folder[] = "/tmp/test_wire.XXXXXX";
static char path[64];

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/socket", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(folder);
}

static int listen_with(int backlog)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	(void)unlink(path);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, backlog), 0);
	return fd;
}

static void a_full_backlog_is_left_at_the_deadline(void **state)
{
	int listener = listen_with(0), waiting[8], n = 0, last;
	int64_t start;

	(void)state;
	do {
		start = wire_now_ms();
		last = wire_connect(path, start + 60);
		if (last >= 0)
			waiting[n++] = last;
	} while (last >= 0 && n < 8);
	assert_int_equal(last, -ETIMEDOUT);
	assert_took(start, 60);
	while (n > 0)
		(void)close(waiting[--n]);
	(void)close(listener);
}

static void a_connection_neither_blocks_nor_survives_exec(void **state)
{
	int listener = listen_with(4), fd = wire_connect(path, wire_now_ms() + 1000);

	(void)state;
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	(void)close(fd);
	(void)close(listener);
	assert_int_equal(wire_connect(path, wire_now_ms() + 1000), -ECONNREFUSED);
}

static void a_path_must_fit_and_be_there(void **state)
{
	char longest[200];

	(void)state;
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(wire_connect(longest, 0), -ENAMETOOLONG);
	longest[sizeof(((struct sockaddr_un *)NULL)->sun_path)] = '\0';
	assert_int_equal(wire_connect(longest, 0), -ENAMETOOLONG);
	assert_int_equal(wire_connect("/nonexistent/socket", 0), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_writer_builds_a_reader_reads),
		cmocka_unit_test(what_is_cut_or_has_no_nul_is_no_message),
		cmocka_unit_test(malformed_fields_are_refused),
		cmocka_unit_test(the_first_field_is_op_or_status),
		cmocka_unit_test(two_messages_in_one_packet_are_none),
		cmocka_unit_test(a_doubled_key_is_there_all_the_same),
		cmocka_unit_test(a_doubled_key_has_no_value),
		cmocka_unit_test(a_key_is_compared_whole),
		cmocka_unit_test(numbers_are_decimal_and_within_their_range),
		cmocka_unit_test(an_id_is_never_the_one_that_means_none),
		cmocka_unit_test(a_message_holds_64_kib_exactly),
		cmocka_unit_test(once_something_did_not_fit_the_writer_stays_failed),
		cmocka_unit_test(two_messages_are_never_merged),
		cmocka_unit_test(a_packet_longer_than_the_buffer_is_refused_whole),
		cmocka_unit_test(a_packet_of_64_kib_arrives),
		cmocka_unit_test(passed_descriptors_are_dropped),
		cmocka_unit_test(a_silent_peer_is_left_at_the_deadline),
		cmocka_unit_test(a_peer_that_reads_nothing_is_left_at_the_deadline),
		cmocka_unit_test(a_peer_that_is_gone_raises_no_signal),
		cmocka_unit_test(an_answer_must_be_a_message),
		cmocka_unit_test(a_full_backlog_is_left_at_the_deadline),
		cmocka_unit_test(a_connection_neither_blocks_nor_survives_exec),
		cmocka_unit_test(a_path_must_fit_and_be_there),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
