/*
 * Telling nscd: every promise of provisiond/caches.h, against a server of the test's own, and against Debian's nscd in
 * a file system of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "provisiond/caches.h"
#include "tests/unit/scratch.h"

#define NSCD "/usr/sbin/nscd"
#define PATIENCE_MS 10000 /* on a slow day */
#define HEARD_MAX 8

/* What the server does with who connects. */
enum manner { ANSWERS, SAYS_NOTHING, HANGS_UP, TALKS_NONSENSE };

struct fixture {
	struct scratch scratch;
	int listener;
	int heard[2]; /* what it was told, one record for each connection */
	pid_t server;
};

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	scratch_must(fixture);
	scratch_make(&fixture->scratch);
	fixture->listener = -1;
	scratch_must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fixture->heard) == 0);
	*state = fixture;
	return 0;
}

static void stop_server(struct fixture *fixture)
{
	if (fixture->server > 0) {
		(void)kill(fixture->server, SIGKILL);
		(void)waitpid(fixture->server, NULL, 0);
	}
	fixture->server = 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	stop_server(fixture);
	if (fixture->listener >= 0)
		(void)close(fixture->listener);
	(void)close(fixture->heard[0]);
	(void)close(fixture->heard[1]);
	scratch_remove(&fixture->scratch);
	free(fixture);
	return 0;
}

/* `folder` is "run" or "var/run". */
static void listen_at(struct fixture *fixture, const char *folder, int backlog)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char nscd[32];

	(void)snprintf(nscd, sizeof(nscd), "%s/nscd", folder);
	if (strcmp(folder, "run") != 0)
		scratch_mkdir(&fixture->scratch, "var", 0755);
	scratch_mkdir(&fixture->scratch, folder, 0755);
	scratch_mkdir(&fixture->scratch, nscd, 0755);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s/socket", fixture->scratch.path, nscd);
	fixture->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	scratch_must(fixture->listener >= 0 &&
		     bind(fixture->listener, (struct sockaddr *)&address, sizeof(address)) == 0 &&
		     listen(fixture->listener, backlog) == 0);
}

static void serve_one(const struct fixture *fixture, enum manner manner)
{
	static const int32_t done = 0;
	int fd = accept(fixture->listener, NULL, NULL);
	char request[64];
	ssize_t length;

	if (manner == HANGS_UP) {
		(void)close(fd);
		return;
	}
	length = read(fd, request, sizeof(request));
	(void)!write(fixture->heard[1], request, length > 0 ? (size_t)length : 0);
	if (manner == ANSWERS)
		(void)!write(fd, &done, sizeof(done));
	if (manner == TALKS_NONSENSE)
		(void)!write(fd, request, sizeof(request));
	if (manner != SAYS_NOTHING)
		(void)close(fd);
}

static void serve(struct fixture *fixture, enum manner manner)
{
	fixture->server = fork();
	scratch_must(fixture->server >= 0);
	if (fixture->server > 0)
		return;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		serve_one(fixture, manner);
}

/* As nscd reads it: three numbers of 32 bits, and the key with its NUL. */
static void assert_told(struct fixture *fixture, const char *cache)
{
	char request[64];
	int32_t numbers[3];
	ssize_t length = recv(fixture->heard[0], request, sizeof(request), 0);

	assert_int_equal(length, sizeof(numbers) + strlen(cache) + 1);
	memcpy(numbers, request, sizeof(numbers));
	assert_int_equal(numbers[0], 2);  /* NSCD_VERSION */
	assert_int_equal(numbers[1], 10); /* INVALIDATE */
	assert_int_equal(numbers[2], strlen(cache) + 1);
	assert_string_equal(request + sizeof(numbers), cache);
}

static void nscd_is_told_to_forget_users_and_groups(void **state)
{
	struct fixture *fixture = *state;

	listen_at(fixture, "run", 8);
	serve(fixture, ANSWERS);
	caches_forget_users(fixture->scratch.path);
	assert_told(fixture, "passwd");
	assert_told(fixture, "group");
}

static void also_where_run_is_a_folder_below_var(void **state)
{
	struct fixture *fixture = *state;

	listen_at(fixture, "var/run", 8);
	serve(fixture, ANSWERS);
	caches_forget_users(fixture->scratch.path);
	assert_told(fixture, "passwd");
	assert_told(fixture, "group");
}

static void without_nscd_nothing_happens(void **state)
{
	struct fixture *fixture = *state;
	char long_root[512];

	caches_forget_users(fixture->scratch.path);
	memset(long_root, 'a', sizeof(long_root) - 1);
	long_root[sizeof(long_root) - 1] = '\0';
	caches_forget_users(long_root);
	listen_at(fixture, "run", 8); /* a socket that nobody listens on any more */
	(void)close(fixture->listener);
	fixture->listener = -1;
	caches_forget_users(fixture->scratch.path);
}

static void a_server_that_hangs_up_or_talks_nonsense_does_no_harm(void **state)
{
	struct fixture *fixture = *state;

	listen_at(fixture, "run", 8);
	serve(fixture, HANGS_UP);
	for (unsigned i = 0; i < 20; i++) /* the writing meets the hanging up sooner or later */
		caches_forget_users(fixture->scratch.path);
	stop_server(fixture);
	serve(fixture, TALKS_NONSENSE);
	caches_forget_users(fixture->scratch.path);
	assert_told(fixture, "passwd");
}

static void one_that_says_nothing_is_not_waited_for(void **state)
{
	struct fixture *fixture = *state;
	int64_t begin = now_ms();

	listen_at(fixture, "run", 0); /* nobody accepts: the first connection waits, others may not even get so far */
	for (unsigned i = 0; i < 5; i++)
		caches_forget_users(fixture->scratch.path);
	print_message("             told five times, no answer: %d ms\n", (int)(now_ms() - begin));
	assert_true(now_ms() - begin < PATIENCE_MS);
	serve(fixture, SAYS_NOTHING);
	caches_forget_users(fixture->scratch.path);
	assert_true(now_ms() - begin < PATIENCE_MS);
}

/* ---- the real one ---- */

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		_exit(70);
	(void)close(fd);
}

/* A file system with nothing in /etc and /run but what the test puts there. */
static void make_own_system(void)
{
	if (unshare(CLONE_NEWNS) != 0 || mount("", "/", "", MS_REC | MS_PRIVATE, "") != 0 ||
	    mount("tmpfs", "/etc", "tmpfs", 0, "size=1m,mode=755") != 0 ||
	    mount("tmpfs", "/run", "tmpfs", 0, "size=1m,mode=755") != 0)
		_exit(77);
	if (mkdir("/run/nscd", 0755) != 0)
		_exit(71);
	put("/etc/nsswitch.conf", "passwd: files\ngroup: files\n");
	put("/etc/passwd", "root:x:0:0::/:/bin/sh\n");
	put("/etc/group", "root:x:0:\n");
	/* It does not look at the files by itself. */
	put("/etc/nscd.conf", "paranoia no\n"
			      "enable-cache passwd yes\npositive-time-to-live passwd 3600\n"
			      "negative-time-to-live passwd 3600\ncheck-files passwd no\n"
			      "enable-cache group yes\npositive-time-to-live group 3600\n"
			      "negative-time-to-live group 3600\ncheck-files group no\n"
			      "enable-cache hosts no\nenable-cache services no\nenable-cache netgroup no\n");
}

static pid_t run(const char *program, const char *one, const char *other)
{
	pid_t child = fork();

	if (child != 0)
		return child;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)close(STDOUT_FILENO);
	(void)close(STDERR_FILENO);
	(void)open("/dev/null", O_RDWR);
	(void)!dup(STDOUT_FILENO);
	(void)execl(program, program, one, other, (char *)NULL);
	_exit(127);
}

static bool is_known(const char *database, const char *name)
{
	int status = -1;
	pid_t child = run("/usr/bin/getent", database, name);

	(void)waitpid(child, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void await_nscd(void)
{
	for (unsigned i = 0; access("/run/nscd/socket", F_OK) != 0; i++) {
		if (i > PATIENCE_MS / 10)
			_exit(72);
		(void)usleep(10000);
	}
}

static void ask_the_real_one(void)
{
	pid_t nscd;

	make_own_system();
	nscd = run(NSCD, "-F", NULL);
	await_nscd();
	if (is_known("passwd", "alice") || is_known("group", "alice"))
		_exit(1);
	put("/etc/passwd", "root:x:0:0::/:/bin/sh\nalice:x:2000200001:2000200001::/home/alice:/bin/sh\n");
	put("/etc/group", "root:x:0:\nalice:x:2000200001:\n");
	if (is_known("passwd", "alice") || is_known("group", "alice"))
		_exit(2); /* it remembers nothing, so nothing can be shown */
	caches_forget_users("/");
	if (!is_known("passwd", "alice") || !is_known("group", "alice"))
		_exit(3);
	(void)kill(nscd, SIGKILL);
	_exit(0);
}

static void the_real_nscd_knows_a_newcomer_at_once(void **state)
{
	int status;
	pid_t child;

	(void)state;
	if (access(NSCD, X_OK) != 0)
		skip(); /* not every distribution has one any more */
	child = fork();
	if (child == 0)
		ask_the_real_one();
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip(); /* needs root */
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(nscd_is_told_to_forget_users_and_groups),
		CASE(also_where_run_is_a_folder_below_var),
		CASE(without_nscd_nothing_happens),
		CASE(a_server_that_hangs_up_or_talks_nonsense_does_no_harm),
		CASE(one_that_says_nothing_is_not_waited_for),
		CASE(the_real_nscd_knows_a_newcomer_at_once),
	};

	return cmocka_run_group_tests_name("caches", tests, NULL, NULL);
}
