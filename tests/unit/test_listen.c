/*
 * Listening sockets: a stale one is replaced, a living one and whatever else stands there is not; one that the service
 * manager passed is taken; callers are known by their credentials.
 */
#include "common/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/log.h"
#include "common/wire.h"

static char folder[] = "/tmp/test_listen.XXXXXX";
static char path[64];

static int make_folder(void **state)
{
	(void)state;
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("NOTIFY_SOCKET");
	if (!mkdtemp(folder) || chmod(folder, 0711) != 0)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/socket", folder);
	return 0;
}

static int remove_socket(void **state)
{
	(void)state;
	(void)unlink(path);
	return 0;
}

static int remove_folder(void **state)
{
	(void)remove_socket(state);
	return rmdir(folder);
}

static ino_t inode(void)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_ino;
}

static void a_new_socket_is_open_to_all_and_blocks_nobody(void **state)
{
	mode_t before = umask(077);
	int listener = listen_at(path), caller;
	struct stat st;

	(void)state;
	(void)umask(before);
	assert_true(listener >= 0);
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0666);
	assert_true(fcntl(listener, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(listener, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(listen_accept(listener, &(struct ucred){ 0 }), -EAGAIN);
	caller = wire_connect(path, wire_now_ms() + 1000);
	assert_true(caller >= 0);
	(void)close(caller);
	(void)close(listener);
}

static void a_stale_socket_is_replaced(void **state)
{
	int listener = listen_at(path), caller;

	(void)state;
	assert_true(listener >= 0);
	(void)close(listener);
	assert_int_equal(wire_connect(path, wire_now_ms() + 1000), -ECONNREFUSED);
	listener = listen_at(path);
	assert_true(listener >= 0);
	caller = wire_connect(path, wire_now_ms() + 1000);
	assert_true(caller >= 0);
	(void)close(caller);
	(void)close(listener);
}

static void a_living_socket_is_left_alone(void **state)
{
	int listener = listen_at(path);
	ino_t before = inode();

	(void)state;
	assert_int_equal(listen_at(path), -EADDRINUSE);
	assert_true(inode() == before);
	(void)close(listener);
}

static void a_living_socket_whose_backlog_is_full_is_left_alone(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), waiting[8], n = 0;
	ino_t before;

	(void)state;
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 0), 0);
	while (n < 8 && (waiting[n] = wire_connect(path, 0)) >= 0)
		n++;
	before = inode();
	assert_int_equal(listen_at(path), -EADDRINUSE);
	assert_true(inode() == before);
	while (n > 0)
		(void)close(waiting[--n]);
	(void)close(listener);
}

static void what_is_no_socket_is_left_alone(void **state)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "precious", 8), 8);
	(void)close(fd);
	assert_int_equal(listen_at(path), -EADDRINUSE);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	(void)close(fd);
}

static void a_path_that_cannot_be_is_refused(void **state)
{
	char longest[200];

	(void)state;
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(listen_at(longest), -ENAMETOOLONG);
	assert_int_equal(listen_at("/nonexistent/socket"), -ENOENT);
}

static void a_caller_is_known_by_its_credentials(void **state)
{
	int listener = listen_at(path), caller, accepted;
	struct ucred peer = { 0 };

	(void)state;
	caller = wire_connect(path, wire_now_ms() + 1000);
	accepted = listen_accept(listener, &peer);
	assert_true(accepted >= 0);
	assert_int_equal(peer.pid, getpid());
	assert_int_equal(peer.uid, geteuid());
	assert_true(fcntl(accepted, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(accepted, F_GETFD) & FD_CLOEXEC);
	(void)close(accepted);
	(void)close(caller);
	(void)close(listener);
}

static void another_users_credentials_are_its_own(void **state)
{
	int listener = listen_at(path), caller, accepted;
	struct ucred peer = { 0 };

	(void)state;
	if (geteuid() != 0) {
		(void)close(listener);
		(void)fprintf(stderr, "SKIPPED without root: another user's credentials cannot be tried\n");
		skip();
	}
	assert_int_equal(seteuid(4242), 0);
	caller = wire_connect(path, wire_now_ms() + 1000);
	assert_int_equal(seteuid(0), 0);
	accepted = listen_accept(listener, &peer);
	assert_true(accepted >= 0);
	assert_int_equal(peer.uid, 4242);
	(void)close(accepted);
	(void)close(caller);
	(void)close(listener);
}

/* --- what the service manager passes --- */

/* In a child whose descriptor 3 is of this type: what listen_at() answers, 3 for the one that was passed. */
static int with_passed(int type, const char *count, bool for_us)
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		char pid[32];
		int fd = socket(AF_UNIX, type, 0), got;

		if (fd != 3) {
			(void)dup2(fd, 3);
			(void)close(fd);
		}
		(void)snprintf(pid, sizeof(pid), "%d", for_us ? getpid() : getpid() + 1);
		(void)setenv("LISTEN_PID", pid, 1);
		(void)setenv("LISTEN_FDS", count, 1);
		got = listen_at(path);
		if (got == 3 && (!(fcntl(3, F_GETFL) & O_NONBLOCK) || !(fcntl(3, F_GETFD) & FD_CLOEXEC)))
			_exit(120);
		_exit(got < 0 ? -got : got == 3 ? 0 : 121);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void the_socket_that_was_passed_is_taken(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(with_passed(SOCK_SEQPACKET, "1", true), 0);
	assert_int_equal(lstat(path, &st), -1);
}

static void a_passed_socket_of_another_kind_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(with_passed(SOCK_STREAM, "1", true), EPROTOTYPE);
}

static void a_socket_that_was_passed_to_another_process_is_not_taken(void **state)
{
	(void)state;
	assert_int_equal(with_passed(SOCK_SEQPACKET, "1", false), 121);
}

static void the_manager_is_told(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	char told[64];

	(void)state;
	notify_manager("READY=1");
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(bind(manager, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", path, 1), 0);
	notify_manager("READY=1");
	assert_int_equal(recv(manager, told, sizeof(told), 0), 7);
	assert_memory_equal(told, "READY=1", 7);
	(void)close(manager);

	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	address.sun_path[0] = '\0';
	assert_int_equal(bind(manager, (struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path))),
			 0);
	path[0] = '@';
	assert_int_equal(setenv("NOTIFY_SOCKET", path, 1), 0);
	path[0] = '/';
	notify_manager("STOPPING=1");
	assert_int_equal(recv(manager, told, sizeof(told), 0), 10);
	(void)close(manager);
	(void)unsetenv("NOTIFY_SOCKET");
}

/* ---- what a peer passes along ---- */

/* A TCP socket whose close waits for `seconds`, since the other end never reads what is on the way. */
static int lingering(int seconds, int *ret_other_end)
{
	static const char bytes[65536];
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	const struct linger linger = { .l_onoff = 1, .l_linger = seconds };
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	*ret_other_end = accept(listener, NULL, NULL);
	assert_true(*ret_other_end >= 0);
	(void)close(listener);
	while (send(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	return fd;
}

/* Sends a packet of so many bytes (0 or 1) with the descriptor, which is ours no more then. */
static void pass_with(int connection, int fd, size_t length)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 }, byte = 'x';
	struct iovec part = { .iov_base = &byte, .iov_len = length };
	struct msghdr header = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
	};
	struct cmsghdr *passed = CMSG_FIRSTHDR(&header);

	passed->cmsg_level = SOL_SOCKET;
	passed->cmsg_type = SCM_RIGHTS;
	passed->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(passed), &fd, sizeof(fd));
	assert_int_equal(sendmsg(connection, &header, 0), length);
	(void)close(fd);
}

static void pass(int connection, int fd)
{
	pass_with(connection, fd, 1);
}

#define LINGER_S 60

static void a_passed_descriptor_keeps_nobody_waiting(void **state)
{
	int64_t began_ms = wire_now_ms();
	int pair[2], other_ends[2];
	char buffer[8];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	pass(pair[0], lingering(LINGER_S, &other_ends[0]));
	assert_int_equal(peer_receive(pair[1], buffer, sizeof(buffer)), 1);
	/* And one that is never received. */
	pass(pair[0], lingering(LINGER_S, &other_ends[1]));
	peer_close(pair[1]);
	assert_true(wire_now_ms() - began_ms < LINGER_S * 1000 / 2);
	(void)close(pair[0]);
	(void)close(other_ends[0]);
	(void)close(other_ends[1]);
}

static void several_are_closed_together(void **state)
{
	int64_t began_ms = wire_now_ms();
	int fds[2], mine[2], other_ends[2];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		int pair[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
		mine[i] = pair[0];
		fds[i] = pair[1];
		pass(mine[i], lingering(LINGER_S, &other_ends[i]));
	}
	errno = ENOTTY;
	peers_close(fds, 2);
	peers_close(NULL, 0);
	assert_int_equal(errno, ENOTTY);
	assert_true(wire_now_ms() - began_ms < LINGER_S * 1000 / 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(fcntl(fds[i], F_GETFD), -1);
		(void)close(mine[i]);
		(void)close(other_ends[i]);
	}
}

/* An empty packet is received like a hang-up, but what comes behind it is still there. */
static void a_descriptor_on_an_empty_packet_keeps_nobody_waiting(void **state)
{
	int64_t began_ms = wire_now_ms();
	int pair[2], other_end;
	char buffer[8];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(send(pair[0], "", 0, 0), 0);
	pass_with(pair[0], lingering(LINGER_S, &other_end), 0);
	assert_int_equal(peer_receive(pair[1], buffer, sizeof(buffer)), 0);
	assert_int_equal(peer_receive(pair[1], buffer, sizeof(buffer)), 0);
	assert_true(wire_now_ms() - began_ms < LINGER_S * 1000 / 2);
	peer_close(pair[1]);
	(void)close(pair[0]);
	(void)close(other_end);
}

static void what_is_received_and_closed_with_patience_is_as_ever(void **state)
{
	char buffer[8];
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(peer_receive(pair[1], buffer, sizeof(buffer)), -EAGAIN);
	assert_int_equal(send(pair[0], "abc", 3, 0), 3);
	assert_int_equal(peer_receive(pair[1], buffer, sizeof(buffer)), 3);
	assert_int_equal(send(pair[0], "a packet that is too long", 25, 0), 25);
	assert_int_equal(peer_receive(pair[1], buffer, sizeof(buffer)), -EMSGSIZE);
	errno = ENOTTY;
	peer_close(pair[0]);
	peer_close(-1);
	assert_int_equal(errno, ENOTTY);
	assert_int_equal(peer_receive(pair[1], buffer, sizeof(buffer)), 0);
	peer_close(pair[1]);
	assert_int_equal(fcntl(pair[1], F_GETFD), -1);
}

/* ---- the log ---- */

static unsigned lines;
static char last_line[256];

static void count_line(int priority, const char *line)
{
	(void)priority;
	lines++;
	(void)snprintf(last_line, sizeof(last_line), "%s", line);
}

static void complaints_are_a_few_a_minute_and_the_rest_is_counted(void **state)
{
	struct complaints complaints = { 0 };
	unsigned left_out = 77;

	(void)state;
	for (unsigned i = 0; i < COMPLAINTS_PER_MINUTE; i++) {
		assert_true(complaints_allow(&complaints, 1000 + i, &left_out));
		assert_int_equal(left_out, 0);
	}
	left_out = 77;
	for (unsigned i = 0; i < 500; i++)
		assert_false(complaints_allow(&complaints, 60999, &left_out));
	assert_int_equal(left_out, 77);
	assert_true(complaints_allow(&complaints, 61000, &left_out));
	assert_int_equal(left_out, 500);
	assert_true(complaints_allow(&complaints, 61000, &left_out));
	assert_int_equal(left_out, 0);
}

static void nobody_fills_the_log_by_misbehaving(void **state)
{
	const struct ucred peer = { .pid = 12, .uid = 1000 };

	(void)state;
	log_divert(count_line);
	peer_complain(&peer, "it says nothing");
	assert_string_equal(last_line, "disconnected pid 12 of uid 1000: it says nothing");
	for (int i = 0; i < 10000; i++)
		peer_complain(&peer, "it says nothing");
	log_divert(NULL);
	/* Twice a minute's, should one end meanwhile, and the line that counts the rest. */
	assert_true(lines <= 2 * COMPLAINTS_PER_MINUTE + 1);
}

#define TEST(name) cmocka_unit_test_teardown(name, remove_socket)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_socket_is_open_to_all_and_blocks_nobody),
		TEST(a_stale_socket_is_replaced),
		TEST(a_living_socket_is_left_alone),
		TEST(a_living_socket_whose_backlog_is_full_is_left_alone),
		TEST(what_is_no_socket_is_left_alone),
		TEST(a_path_that_cannot_be_is_refused),
		TEST(a_caller_is_known_by_its_credentials),
		TEST(another_users_credentials_are_its_own),
		TEST(the_socket_that_was_passed_is_taken),
		TEST(a_passed_socket_of_another_kind_is_an_error),
		TEST(a_socket_that_was_passed_to_another_process_is_not_taken),
		TEST(the_manager_is_told),
		TEST(a_passed_descriptor_keeps_nobody_waiting),
		TEST(a_descriptor_on_an_empty_packet_keeps_nobody_waiting),
		TEST(several_are_closed_together),
		TEST(what_is_received_and_closed_with_patience_is_as_ever),
		TEST(complaints_are_a_few_a_minute_and_the_rest_is_counted),
		TEST(nobody_fills_the_log_by_misbehaving),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
