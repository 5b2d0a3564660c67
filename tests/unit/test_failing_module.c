/*
 * pam_oidc.so while memory, system calls or PAM itself fail in it. For a person of ours no failure gives PAM_SUCCESS
 * without provisiond's word, PAM_IGNORE, or PAM_USER_UNKNOWN, which would hand them on to a password; and no failure
 * keeps root or a local user out.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include <cmocka.h>
#include <security/pam_appl.h>
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <security/pam_modutil.h>

#include "failing_each.h"

#define ALICE_UID 2000200007
#define SHOW                                                                                         \
	"status=show|url=https://clinic.example/activate|complete=https://clinic.example/activate?u" \
	"|code=ABCDEFGH|tenant=clinic|host=ward7|resumed=0|qr=##\n##\n|expires_in=100"
#define ADMITTED "status=admitted|account=alice|uid=2000200007|ticket=T-5ecret|created=1|home=/home/alice"
#define CONFIRMED "status=confirmed|account=alice|uid=2000200007"
#define ACTIVE "status=active|account=alice|uid=2000200007|email=alice@clinic.example|room=Exam 1"
#define ROOMS "|ask=room|room=Exam 1|room=Exam 2"
#define MAY_CHOOSE "status=entry|account=alice|uid=2000200007|fallback=1"

static const struct failing_manner manners[] = {
	{ "no memory, once", FAILING_MEMORY, ENOMEM, FAILING_ONCE },
	{ "no memory any more", FAILING_MEMORY, ENOMEM, FAILING_FOREVER },
	{ "an I/O error, once", FAILING_CALLS, EIO, FAILING_ONCE },
	{ "I/O errors from then on", FAILING_CALLS, EIO, FAILING_FOREVER },
	{ "no descriptors, once", FAILING_CALLS, EMFILE, FAILING_ONCE },
	{ "an interruption, once", FAILING_CALLS, EINTR, FAILING_ONCE },
	{ "a connection that is gone", FAILING_CALLS, ECONNRESET, FAILING_ONCE },
	{ "PAM without memory, once", FAILING_LIBRARY, ENOMEM, FAILING_ONCE },
	{ "PAM without memory", FAILING_LIBRARY, ENOMEM, FAILING_FOREVER },
};

/* ---- PAM's own functions, and the machine ---- */

int __real_pam_get_item(const pam_handle_t *pamh, int item, const void **ret_value);
int __wrap_pam_get_item(const pam_handle_t *pamh, int item, const void **ret_value);
int __wrap_pam_get_item(const pam_handle_t *pamh, int item, const void **ret_value)
{
	return failing_fails(FAILING_LIBRARY, "pam_get_item") ? PAM_BUF_ERR
							      : __real_pam_get_item(pamh, item, ret_value);
}

int __real_pam_set_item(pam_handle_t *pamh, int item, const void *value);
int __wrap_pam_set_item(pam_handle_t *pamh, int item, const void *value);
int __wrap_pam_set_item(pam_handle_t *pamh, int item, const void *value)
{
	if (failing_fails(FAILING_LIBRARY, "pam_set_item"))
		return PAM_BUF_ERR;
	/* libpam takes it from modules that it has called itself. */
	return item == PAM_AUTHTOK ? PAM_SUCCESS : __real_pam_set_item(pamh, item, value);
}

int __real_pam_get_user(pam_handle_t *pamh, const char **ret_user, const char *prompt);
int __wrap_pam_get_user(pam_handle_t *pamh, const char **ret_user, const char *prompt);
int __wrap_pam_get_user(pam_handle_t *pamh, const char **ret_user, const char *prompt)
{
	return failing_fails(FAILING_LIBRARY, "pam_get_user") ? PAM_BUF_ERR
							      : __real_pam_get_user(pamh, ret_user, prompt);
}

int __real_pam_putenv(pam_handle_t *pamh, const char *text);
int __wrap_pam_putenv(pam_handle_t *pamh, const char *text);
int __wrap_pam_putenv(pam_handle_t *pamh, const char *text)
{
	return failing_fails(FAILING_LIBRARY, "pam_putenv") ? PAM_BUF_ERR : __real_pam_putenv(pamh, text);
}

/* The name service. libpam's own way there works for modules only that it has loaded itself. */
struct passwd *__wrap_pam_modutil_getpwnam(pam_handle_t *pamh, const char *name);
struct passwd *__wrap_pam_modutil_getpwnam(pam_handle_t *pamh, const char *name)
{
	static struct passwd alice = { .pw_uid = ALICE_UID }, local = { .pw_uid = 1000 }, toor = { .pw_uid = 0 };

	(void)pamh;
	if (failing_fails(FAILING_LIBRARY, "pam_modutil_getpwnam"))
		return NULL;
	return strcmp(name, "alice") == 0   ? &alice
	       : strcmp(name, "local") == 0 ? &local
	       : strcmp(name, "toor") == 0  ? &toor
					    : NULL;
}

/* The system log, under both names that libpam may call it by. (In parentheses, because it is a macro for clang.) */
void(syslog)(int priority, const char *format, ...)
{
	(void)priority, (void)format;
}

void __syslog_chk(int priority, int flag, const char *format, ...) __attribute__((format(printf, 3, 4)));
void __syslog_chk(int priority, int flag, const char *format, ...)
{
	(void)priority, (void)flag, (void)format;
}

static bool types_password;

/* The person at the screen, who presses Enter, answers the question, or types a password. */
static int converse(int count, const struct pam_message **messages, struct pam_response **ret_responses, void *context)
{
	struct pam_response *responses;

	(void)messages, (void)context;
	failing_hold();
	responses = calloc((size_t)count, sizeof(*responses));
	for (int i = 0; responses && i < count; i++)
		if (messages[i]->msg_style == PAM_PROMPT_ECHO_ON)
			responses[i].resp = strdup(strstr(messages[i]->msg, "which room") ? "2" : "");
		else if (messages[i]->msg_style == PAM_PROMPT_ECHO_OFF)
			responses[i].resp = strdup(types_password ? "correct horse" : "");
	failing_release();
	*ret_responses = responses;
	return responses ? PAM_SUCCESS : PAM_BUF_ERR;
}

/* ---- the daemons, each in a process of its own ---- */

/* What they answer, and what they have answered. */
static struct {
	char standing[128];
	bool chooses, asks; /* Okta or the password; the room */
	atomic_uint confirmed, answered;
} * shared;

static pid_t daemons[2];

static void send_fields(int fd, const char *fields)
{
	char bytes[1024];
	size_t length = strlen(fields) + 1;

	memcpy(bytes, fields, length);
	for (size_t i = 0; i < length; i++)
		if (bytes[i] == '|')
			bytes[i] = '\0';
	(void)send(fd, bytes, length, MSG_NOSIGNAL);
}

static void serve_sign_in(int fd)
{
	char bytes[2048];

	if (recv(fd, bytes, sizeof(bytes), 0) <= 0)
		return;
	if (shared->chooses) {
		send_fields(fd, "status=choose");
		if (recv(fd, bytes, sizeof(bytes), 0) <= 0)
			return;
	}
	send_fields(fd, SHOW);
	send_fields(fd, ADMITTED);
	while (recv(fd, bytes, sizeof(bytes), 0) > 0)
		;
}

static void serve_gate(int fd)
{
	char bytes[2048];

	while (recv(fd, bytes, sizeof(bytes), 0) > 0) {
		if (strcmp(bytes, "op=redeem") == 0) {
			atomic_fetch_add(&shared->confirmed, 1);
			send_fields(fd, shared->asks ? CONFIRMED ROOMS : CONFIRMED);
		} else if (strcmp(bytes, "op=answer") == 0) {
			atomic_fetch_add(&shared->answered, 1);
			send_fields(fd, "status=done");
		} else {
			send_fields(fd, strcmp(bytes, "op=lookup") == 0 ? MAY_CHOOSE : shared->standing);
		}
	}
}

static pid_t start_daemon(const char *path, void (*serve)(int fd))
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	pid_t child;

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_true(listener >= 0);
	assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 64), 0);
	child = fork();
	assert_true(child >= 0);
	if (child > 0) {
		(void)close(listener);
		return child;
	}
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			_exit(1);
		serve(fd);
		(void)close(fd);
	}
}

static const char *const services[] = { "login", "sudo", "sshd", "cron", "passwd" };

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	ssize_t length = (ssize_t)strlen(text);

	return fd >= 0 && write(fd, text, strlen(text)) == length && close(fd) == 0;
}

static char folder[] = "/tmp/test_failing_module.XXXXXX";

static int begin(void **state)
{
	(void)state;
	if (!mkdtemp(folder) || chmod(folder, 0755) != 0 || chdir(folder) != 0)
		return -1;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || mkdir("pam.d", 0755) != 0 || !write_file("title", "sshd: alice [pam]"))
		return -1;
	/* libpam wants a file for each, and what stands there is never called. */
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
		char path[64];

		(void)snprintf(path, sizeof(path), "pam.d/%s", services[i]);
		if (!write_file(path, "auth required pam_deny.so\n"))
			return -1;
	}
	daemons[0] = start_daemon("pam_oidcd.socket", serve_sign_in);
	daemons[1] = start_daemon("provisiond.socket", serve_gate);
	return 0;
}

static int end(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		(void)kill(daemons[i], SIGKILL);
		(void)waitpid(daemons[i], NULL, 0);
	}
	(void)unlink("pam_oidcd.socket");
	(void)unlink("provisiond.socket");
	(void)unlink("title");
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
		char path[64];

		(void)snprintf(path, sizeof(path), "pam.d/%s", services[i]);
		(void)unlink(path);
	}
	(void)rmdir("pam.d");
	(void)munmap(shared, sizeof(*shared));
	return chdir("/") != 0 || rmdir(folder) != 0 ? -1 : 0;
}

/* ---- the application ---- */

typedef int phase(pam_handle_t *pamh, int flags, int argc, const char **argv);

/* What the person is asked besides the code. */
enum scene { PLAIN, ASKED_FOR_ROOM, CHOOSES_OKTA, TYPES_PASSWORD };

struct calling {
	phase *phase;
	int flags;
	const char *service, *user, *standing;
	const char *argument; /* NULL: none */
	int expected;         /* when nothing fails */
	bool ours;
	enum scene scene;
};

/* A result that stands for "go on as if we were not there", as the shipped lines take it. */
static bool hands_on(int result)
{
	return result == PAM_USER_UNKNOWN || result == PAM_AUTHINFO_UNAVAIL;
}

/* Until provisiond has dealt with all that was sent to it before: it serves one connection after the other. */
static void let_provisiond_finish(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "provisiond.socket" };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	char bytes[256];

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	send_fields(fd, "op=standing");
	assert_true(recv(fd, bytes, sizeof(bytes), 0) > 0);
	assert_int_equal(close(fd), 0);
}

static int call(const struct calling *calling, const struct failing_manner *manner, unsigned n, bool *ret_failed)
{
	const struct pam_conv conversation = { .conv = converse };
	const char *argv[] = { calling->argument, NULL };
	pam_handle_t *pamh = NULL;
	int result;

	(void)snprintf(shared->standing, sizeof(shared->standing), "%s", calling->standing);
	let_provisiond_finish();
	shared->chooses = calling->scene == CHOOSES_OKTA || calling->scene == TYPES_PASSWORD;
	shared->asks = calling->scene == ASKED_FOR_ROOM;
	types_password = calling->scene == TYPES_PASSWORD;
	atomic_store(&shared->confirmed, 0);
	atomic_store(&shared->answered, 0);
	assert_int_equal(pam_start_confdir(calling->service, calling->user, &conversation, "pam.d", &pamh),
			 PAM_SUCCESS);
	assert_int_equal(pam_set_item(pamh, PAM_RHOST, "198.51.100.7"), PAM_SUCCESS);
	if (manner)
		failing_arm(manner->kinds, n, manner->error, manner->times);
	result = calling->phase(pamh, calling->flags, calling->argument ? 1 : 0, argv);
	*ret_failed = failing_disarm();
	assert_int_equal(pam_end(pamh, result), PAM_SUCCESS);
	return result;
}

static bool call_while_failing(void *context, const struct failing_manner *manner, unsigned n)
{
	const struct calling *calling = context;
	bool failed;
	int result = call(calling, manner, n, &failed);

	assert_int_not_equal(result, PAM_IGNORE);
	if (!calling->ours) {
		if (!hands_on(result) && result != PAM_BUF_ERR)
			fail_msg("%s would be kept out: %s", calling->user, pam_strerror(NULL, result));
	} else if (result == PAM_SUCCESS) {
		assert_int_equal(calling->expected, PAM_SUCCESS);
		/* Twice where the first yes was lost on its way: the module asks once more. */
		if (calling->phase == pam_sm_authenticate)
			assert_in_range(atomic_load(&shared->confirmed), 1, 2);
		if (calling->scene == ASKED_FOR_ROOM)
			assert_in_range(atomic_load(&shared->answered), 1, 2);
	} else {
		assert_int_not_equal(result, PAM_USER_UNKNOWN);
	}
	return failed;
}

static void no_failure_lets_anybody_in_or_keeps_a_local_user_out(void **state)
{
	static const struct calling rows[] = {
		{ pam_sm_authenticate, 0, "login", "alice", ACTIVE, NULL, PAM_SUCCESS, true, PLAIN },
		{ pam_sm_authenticate, 0, "sudo", "alice", ACTIVE, "qr=none", PAM_SUCCESS, true, PLAIN },
		{ pam_sm_authenticate, 0, "sshd", "alice", ACTIVE, "wait=enter", PAM_SUCCESS, true, PLAIN },
		{ pam_sm_authenticate, 0, "login", "alice@clinic.example", "status=promised", NULL, PAM_SUCCESS, true,
		  PLAIN },
		{ pam_sm_authenticate, 0, "login", "alice", "status=incomplete", NULL, PAM_SUCCESS, true,
		  ASKED_FOR_ROOM },
		{ pam_sm_authenticate, 0, "sshd", "alice", "status=promised", NULL, PAM_SUCCESS, true, ASKED_FOR_ROOM },
		{ pam_sm_authenticate, 0, "login", "alice", ACTIVE, NULL, PAM_SUCCESS, true, CHOOSES_OKTA },
		{ pam_sm_authenticate, 0, "sshd", "alice", ACTIVE, NULL, PAM_AUTHINFO_UNAVAIL, true, TYPES_PASSWORD },
		{ pam_sm_authenticate, 0, "login", "alice", "status=deactivated", NULL, PAM_PERM_DENIED, true, PLAIN },
		{ pam_sm_authenticate, 0, "login", "alice", ACTIVE, "colour=green", PAM_SERVICE_ERR, true, PLAIN },
		{ pam_sm_authenticate, 0, "login", "local", "status=not_ours", NULL, PAM_USER_UNKNOWN, false, PLAIN },
		{ pam_sm_authenticate, 0, "login", "toor", "status=not_ours", NULL, PAM_USER_UNKNOWN, false, PLAIN },
		{ pam_sm_authenticate, 0, "login", "root", "status=not_ours", NULL, PAM_USER_UNKNOWN, false, PLAIN },
		{ pam_sm_acct_mgmt, 0, "sshd", "alice", ACTIVE, NULL, PAM_SUCCESS, true, PLAIN },
		{ pam_sm_acct_mgmt, 0, "sshd", "alice", "status=deactivated", NULL, PAM_ACCT_EXPIRED, true, PLAIN },
		{ pam_sm_acct_mgmt, 0, "sshd", "alice", "status=promised", NULL, PAM_PERM_DENIED, true, PLAIN },
		{ pam_sm_acct_mgmt, 0, "login", "local", "status=expected", NULL, PAM_USER_UNKNOWN, false, PLAIN },
		{ pam_sm_acct_mgmt, 0, "cron", "local", "status=not_ours", NULL, PAM_USER_UNKNOWN, false, PLAIN },
		{ pam_sm_chauthtok, PAM_PRELIM_CHECK, "passwd", "alice", "status=incomplete", NULL, PAM_PERM_DENIED,
		  true, PLAIN },
		{ pam_sm_chauthtok, PAM_PRELIM_CHECK, "passwd", "local", "status=not_ours", NULL, PAM_USER_UNKNOWN,
		  false, PLAIN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct calling calling = rows[i];
		bool failed;
		int result = call(&calling, NULL, 0, &failed);

		if (result != calling.expected)
			fail_msg("row %zu without any failure: %s", i, pam_strerror(NULL, result));
		for (size_t m = 0; m < sizeof(manners) / sizeof(manners[0]); m++)
			(void)failing_each(call_while_failing, &calling, &manners[m]);
	}
}

/* The account of a uid that is not the one that everybody was told. */
static bool other_uid_while_failing(void *context, const struct failing_manner *manner, unsigned n)
{
	bool failed;

	assert_int_not_equal(call(context, manner, n, &failed), PAM_SUCCESS);
	return failed;
}

static void no_failure_hides_that_the_uid_has_changed(void **state)
{
	struct calling calling = {
		pam_sm_acct_mgmt, 0,    "sshd", "alice", "status=active|account=alice|uid=2000200008", NULL,
		PAM_PERM_DENIED,  true, PLAIN
	};

	(void)state;
	for (size_t m = 0; m < sizeof(manners) / sizeof(manners[0]); m++)
		(void)failing_each(other_uid_while_failing, &calling, &manners[m]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(no_failure_lets_anybody_in_or_keeps_a_local_user_out, say_where),
		cmocka_unit_test_teardown(no_failure_hides_that_the_uid_has_changed, say_where),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
