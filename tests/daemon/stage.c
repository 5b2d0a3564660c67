/*
 * Sets the stage. See stage.h.
 */
#include "tests/daemon/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "common/listen.h"
#include "common/log.h"

#define PATIENCE_MS 10000 /* of real time: a busy machine, or valgrind */
#define QUIET_MS 60       /* of real time, without any event */

struct stage stage;

static pid_t issuer_pid;
static int64_t clock_forward_ms;
static json_t *control_answer;
static int provisiond_listener = -1;
static struct loop_watch *provisiond_watch;

/* The end of the log: cmocka cuts what is long. */
static const char *log_tail(void)
{
	size_t length = strlen(stage.log);

	return stage.log + (length > 800 ? length - 800 : 0);
}

/* What stands on the stage beside the daemon never fails (tests/failing), where anything can. */
__attribute__((weak)) void failing_hold(void);
__attribute__((weak)) void failing_release(void);

static void hold(void)
{
	if (failing_hold)
		failing_hold();
}

static void release(void)
{
	if (failing_release)
		failing_release();
}

/* --- the clock --- */

int __real_clock_gettime(clockid_t clock, struct timespec *ret_time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_time);

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_time)
{
	int result = __real_clock_gettime(clock, ret_time);

	if (result == 0 && clock == CLOCK_BOOTTIME) {
		int64_t nanoseconds = ret_time->tv_nsec + clock_forward_ms % 1000 * 1000000;

		ret_time->tv_sec += clock_forward_ms / 1000 + nanoseconds / 1000000000;
		ret_time->tv_nsec = nanoseconds % 1000000000;
	}
	return result;
}

void stage_advance(int64_t ms)
{
	clock_forward_ms += ms;
}

static int64_t real_ms(void)
{
	struct timespec now;

	(void)__real_clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- the loop --- */

static struct {
	bool (*holds)(void *context);
	void *context;
	bool held;
	int64_t until_ms;
} waiting;

/* The loop's wait: ends the run when what the test waits for has come, and else never sleeps long. */
static bool wait_a_little(void *context, struct pollfd *fd, int timeout_ms)
{
	waiting.held = waiting.holds(waiting.context);
	if (waiting.held || real_ms() >= waiting.until_ms) {
		fd->revents = 0;
		loop_stop(stage.loop);
		return true;
	}
	return http_wait(context, fd, timeout_ms < 5 ? timeout_ms : 5);
}

bool stage_run_until(bool (*holds)(void *context), void *context)
{
	waiting.holds = holds;
	waiting.context = context;
	waiting.until_ms = real_ms() + PATIENCE_MS;
	assert_true(loop_run(stage.loop));
	return waiting.held;
}

static bool time_is_over(void *context)
{
	return real_ms() >= *(int64_t *)context;
}

void stage_settle(void)
{
	int64_t until = real_ms() + QUIET_MS;

	assert_true(stage_run_until(time_is_over, &until));
}

/* --- the issuer --- */

static const char *issuer_program(void)
{
	const char *program = getenv("ISSUER");

	return program ? program : ISSUER;
}

bool stage_here(bool needs_root)
{
	const char *missing = access(issuer_program(), X_OK) != 0 ? "the test issuer, which is not built"
			      : needs_root && geteuid() != 0      ? "root"
								  : NULL;

	if (!missing)
		return true;
	(void)fprintf(stderr, "SKIPPED: needs %s\n", missing);
	(void)printf("1..1\nok 1 - all of it # SKIP needs %s\n", missing);
	return false;
}

static bool start_issuer(void)
{
	char line[512] = "";
	int out[2];
	_cleanup_file_ FILE *words = NULL;

	if (pipe2(out, O_CLOEXEC) != 0)
		return false;
	issuer_pid = fork();
	if (issuer_pid == 0) {
		(void)dup2(out[1], STDOUT_FILENO);
		(void)execl(issuer_program(), "issuer", "--dir", stage.folder, "--die-with-parent", (char *)NULL);
		_exit(127);
	}
	(void)close(out[1]);
	words = fdopen(out[0], "r");
	if (issuer_pid < 0 || !words || !fgets(line, sizeof(line), words) || strncmp(line, "ready ", 6) != 0)
		return false;
	line[strcspn(line, "\n")] = '\0';
	stage.issuer = strdup(line + strlen("ready "));
	return asprintf(&stage.ca_file, "%s/ca.pem", stage.folder) > 0 && stage.issuer;
}

static void control_answered(void *context, const struct http_response *response)
{
	bool *done = context;

	*done = true;
	if (!response->answered || response->status != 200)
		fail_msg("the issuer's control: %s HTTP %ld %s", response->error, response->status, response->body);
	control_answer = json_loadb(response->body, response->length, 0, NULL);
}

static bool is_true(void *context)
{
	return *(bool *)context;
}

const json_t *stage_control(const char *verb, const char *json, ...)
{
	_cleanup_free_ char *body = NULL, *url = NULL;
	struct http_request request;
	bool done = false;
	va_list arguments;

	va_start(arguments, json);
	assert_true(vasprintf(&body, json, arguments) >= 0);
	va_end(arguments);
	for (char *c = body; *c; c++)
		if (*c == '\'')
			*c = '"';
	assert_true(asprintf(&url, "%s/_control/%s", stage.issuer, verb) >= 0);
	json_decref(control_answer);
	control_answer = NULL;
	request = (struct http_request){
		.url = url, .ca_file = stage.ca_file, .form = body, .max_bytes = (size_t)4 * 1024 * 1024
	};
	assert_non_null(http_start(stage.http, &request, control_answered, &done));
	if (!stage_run_until(is_true, &done) || !control_answer)
		fail_msg("the issuer's control does not answer to %s %s", verb, body);
	return control_answer;
}

void stage_approve(const char *user, const char *user_code)
{
	(void)stage_control("approve", "{'user':'%s','user_code':'%s'}", user, user_code);
}

long stage_requests(const char *endpoint)
{
	const json_t *requests = json_object_get(stage_control("state", "{}"), "requests");

	return (long)json_integer_value(json_object_get(requests, endpoint));
}

void stage_await_requests(const char *endpoint, long count)
{
	int64_t until = real_ms() + PATIENCE_MS;

	while (stage_requests(endpoint) < count)
		if (real_ms() >= until)
			fail_msg("%s was not asked %ld times; the log:\n%s", endpoint, count, log_tail());
	stage_settle();
}

/* --- provisiond --- */

struct question_seen {
	int fd;
	struct loop_watch *watch;
	struct question_seen *next;
};

static struct question_seen *questions;

static void end_question(struct question_seen *question)
{
	struct question_seen **link = &questions;

	while (*link != question)
		link = &(*link)->next;
	*link = question->next;
	loop_unwatch(stage.loop, question->watch);
	(void)close(question->fd);
	free(question);
	stage.provisiond.open--;
}

/* Fields, NUL-terminated each, into lines and back. */
static void lines_of(const char *bytes, size_t length, char *ret_lines, size_t size)
{
	assert_true(length <= size);
	memcpy(ret_lines, bytes, length);
	for (size_t i = 0; i + 1 < length; i++)
		if (ret_lines[i] == '\0')
			ret_lines[i] = '\n';
}

static size_t bytes_of(char *lines)
{
	size_t length = strlen(lines) + 1;

	for (char *c = lines; *c; c++)
		if (*c == '\n')
			*c = '\0';
	return length;
}

static void answer(struct question_seen *question, enum provisiond_manner manner, const char *lines)
{
	char bytes[512];
	static const char start[] = "status=";
	static char flood[16384];
	size_t length;

	switch (manner) {
	case PROVISIOND_ANSWERS:
		(void)snprintf(bytes, sizeof(bytes), "%s", lines);
		length = bytes_of(bytes);
		/* Who asked may be gone. */
		(void)send(question->fd, bytes, length, MSG_NOSIGNAL);
		return;
	case PROVISIOND_IS_SILENT:
		return;
	case PROVISIOND_HANGS_UP:
		end_question(question);
		return;
	case PROVISIOND_TALKS_GARBAGE:
		(void)send(question->fd, "status=entry", 12, MSG_NOSIGNAL);
		return;
	case PROVISIOND_SAYS_TOO_MUCH:
		memset(flood, 'a', sizeof(flood) - 1);
		memcpy(flood, start, sizeof(start) - 1);
		(void)send(question->fd, flood, sizeof(flood), MSG_NOSIGNAL);
		return;
	}
}

static void take_question(struct question_seen *question)
{
	static char buffer[WIRE_MAX];
	struct wire_message message;
	ssize_t n = wire_receive(question->fd, buffer, sizeof(buffer), 0);
	const char *op;

	if (n <= 0) {
		end_question(question);
		return;
	}
	assert_true(wire_parse(buffer, (size_t)n, &message));
	op = wire_kind(&message, "op");
	assert_non_null(op);
	if (strcmp(op, "lookup") == 0) {
		stage.provisiond.lookups++;
		lines_of(buffer, (size_t)n, stage.provisiond.lookup_asked, sizeof(stage.provisiond.lookup_asked));
		answer(question, stage.provisiond.lookup_manner, stage.provisiond.lookup);
	} else if (strcmp(op, "refused") == 0) {
		stage.provisiond.refusals++;
		lines_of(buffer, (size_t)n, stage.provisiond.refused_told, sizeof(stage.provisiond.refused_told));
		answer(question, stage.provisiond.refused_manner, "status=noted");
	} else {
		assert_string_equal(op, "admit");
		stage.provisiond.admits++;
		lines_of(buffer, (size_t)n, stage.provisiond.admit_asked, sizeof(stage.provisiond.admit_asked));
		answer(question, stage.provisiond.admit_manner, stage.provisiond.admit);
	}
}

static void question_ready(void *context, short revents)
{
	(void)revents;
	hold();
	take_question(context);
	release();
}

static void provisiond_asked(void *context, short revents)
{
	struct question_seen *question;
	struct ucred peer;

	(void)context;
	(void)revents;
	hold();
	question = calloc(1, sizeof(*question));
	assert_non_null(question);
	question->fd = listen_accept(provisiond_listener, &peer);
	assert_true(question->fd >= 0);
	question->watch = loop_watch(stage.loop, question->fd, POLLIN, question_ready, question);
	question->next = questions;
	questions = question;
	stage.provisiond.open++;
	release();
}

const char *asked(const char *fields, const char *key)
{
	static char value[1024];
	size_t n = strlen(key);

	for (const char *field = fields; field; field = strchr(field, '\n') ? strchr(field, '\n') + 1 : NULL)
		if (strncmp(field, key, n) == 0 && field[n] == '=') {
			(void)snprintf(value, sizeof(value), "%.*s", (int)strcspn(field + n + 1, "\n"), field + n + 1);
			return value;
		}
	return "";
}

/* --- scenes --- */

static void keep_log(int priority, const char *line)
{
	size_t used = strlen(stage.log);

	(void)snprintf(stage.log + used, sizeof(stage.log) - used, "%d %s\n", priority, line);
}

static void configuration_fault(void *context, const char *path, unsigned line, const char *message)
{
	(void)context;
	fail_msg("%s:%u: %s", path, line, message);
}

struct realm *stage_realm(const char *login, const char *tenant)
{
	_cleanup_free_ char *text = NULL;
	struct config *config = NULL;
	struct realm *realm;

	assert_true(asprintf(&text,
			     "[login]\nca_file = %s\n%s\n[tenant clinic]\nissuer = %s\ndomains = clinic.example\n"
			     "client_id = clinic-app\n%s\n",
			     stage.ca_file, login, stage.issuer, tenant) > 0);
	assert_true(config_parse("pam_oidc.conf", text, configuration_fault, NULL, &config));
	realm = realm_create(stage.loop, stage.http, config, geteuid(), getegid());
	assert_non_null(realm);
	return realm;
}

void stage_reconfigure(const char *login, const char *tenant)
{
	realm_unref(stage.realm);
	stage.realm = stage_realm(login, tenant);
	signin_server_use_realm(stage.server, stage.realm);
}

static void start_server(const char *login, const char *tenant)
{
	int listener = listen_at("pam_oidcd.socket");

	assert_true(listener >= 0);
	stage.realm = stage_realm(login, tenant);
	stage.server = signin_server_create(stage.loop, stage.http, listener, stage.realm);
	assert_non_null(stage.server);
}

static void stop_server(void)
{
	signin_server_free(stage.server);
	realm_unref(stage.realm);
	stage.server = NULL;
	stage.realm = NULL;
}

void stage_restart(const char *login, const char *tenant)
{
	stop_server();
	start_server(login, tenant);
}

int stage_begin_scene(void **state)
{
	(void)state;
	memset(&stage.provisiond, 0, sizeof(stage.provisiond));
	stage.log[0] = '\0';
	(void)strcpy(stage.provisiond.lookup,
		     "status=entry\nkind=promised\naccount=alice\ntenant=clinic\nuid=2000200001\ngid=2000200001");
	(void)strcpy(stage.provisiond.admit, "status=admitted\naccount=alice\nuid=2000200001\nticket=0123456789abcdef\n"
					     "created=1\nhome=/home/alice");
	log_divert(keep_log);
	stage.http = http_create();
	stage.loop = loop_create(wait_a_little, stage.http);
	provisiond_listener = listen_at("provisiond.socket");
	assert_true(provisiond_listener >= 0);
	provisiond_watch = loop_watch(stage.loop, provisiond_listener, POLLIN, provisiond_asked, NULL);
	(void)stage_control("reset", "{}");
	(void)stage_control("settings", "{'enforce_interval':false}");
	start_server("", "");
	return 0;
}

int stage_end_scene(void **state)
{
	(void)state;
	stop_server();
	while (questions)
		end_question(questions);
	loop_unwatch(stage.loop, provisiond_watch);
	(void)close(provisiond_listener);
	(void)unlink("provisiond.socket");
	(void)unlink("pam_oidcd.socket");
	loop_free(stage.loop);
	http_free(stage.http);
	json_decref(control_answer);
	control_answer = NULL;
	return 0;
}

int stage_open(void **state)
{
	(void)state;
	(void)strcpy(stage.folder, "/tmp/pam_oidcd_stage.XXXXXX");
	(void)signal(SIGPIPE, SIG_IGN);
	/* Callers of another user connect by the path. */
	if (!mkdtemp(stage.folder) || chmod(stage.folder, 0711) != 0 || chdir(stage.folder) != 0)
		return -1;
	return start_issuer() ? 0 : -1;
}

int stage_close(void **state)
{
	static const char *const files[] = { "ca.pem", "url", "client-jwt.pem" };

	(void)state;
	(void)kill(issuer_pid, SIGTERM);
	(void)waitpid(issuer_pid, NULL, 0);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		(void)unlink(files[i]);
	free(stage.issuer);
	free(stage.ca_file);
	return chdir("/") != 0 || rmdir(stage.folder) != 0 ? -1 : 0;
}

/* --- callers --- */

static void take_message(struct caller *caller)
{
	static char buffer[WIRE_MAX];
	ssize_t n = wire_receive(caller->fd, buffer, sizeof(buffer), 0);

	if (n == -EAGAIN)
		return;
	if (n <= 0) {
		caller->closed = true;
		loop_unwatch(stage.loop, caller->watch);
		caller->watch = NULL;
		return;
	}
	assert_true(caller->count < sizeof(caller->messages) / sizeof(caller->messages[0]));
	caller->messages[caller->count].bytes = malloc((size_t)n);
	memcpy(caller->messages[caller->count].bytes, buffer, (size_t)n);
	caller->messages[caller->count++].length = (size_t)n;
}

static void caller_ready(void *context, short revents)
{
	(void)revents;
	hold();
	take_message(context);
	release();
}

struct caller *caller_connect(uid_t uid)
{
	struct caller *caller = calloc(1, sizeof(*caller));

	assert_non_null(caller);
	if (uid != geteuid())
		assert_int_equal(seteuid(uid), 0);
	caller->fd = wire_connect("pam_oidcd.socket", wire_now_ms());
	if (geteuid() != getuid())
		assert_int_equal(seteuid(getuid()), 0);
	assert_true(caller->fd >= 0);
	caller->watch = loop_watch(stage.loop, caller->fd, POLLIN, caller_ready, caller);
	return caller;
}

void caller_reads_no_more(struct caller *caller)
{
	loop_unwatch(stage.loop, caller->watch);
	caller->watch = NULL;
}

void caller_takes_no_more(struct caller *caller)
{
	caller_reads_no_more(caller);
	assert_int_equal(shutdown(caller->fd, SHUT_RD), 0);
}

void caller_hang_up(struct caller *caller)
{
	if (!caller)
		return;
	if (caller->watch)
		caller_reads_no_more(caller);
	(void)close(caller->fd);
	for (size_t i = 0; i < caller->count; i++)
		free(caller->messages[i].bytes);
	free(caller);
}

void caller_say_bytes(struct caller *caller, const char *bytes, size_t length)
{
	assert_int_equal(send(caller->fd, bytes, length, MSG_NOSIGNAL), length);
}

void caller_say(struct caller *caller, const char *fields, ...)
{
	_cleanup_free_ char *bytes = NULL;
	va_list arguments;

	va_start(arguments, fields);
	assert_true(vasprintf(&bytes, fields, arguments) >= 0);
	va_end(arguments);
	caller_say_bytes(caller, bytes, bytes_of(bytes));
}

static bool has_something(void *context)
{
	const struct caller *caller = context;

	return caller->heard < caller->count || caller->closed;
}

const struct wire_message *caller_hear(struct caller *caller)
{
	static struct wire_message message;

	if (!stage_run_until(has_something, caller))
		fail_msg("the server neither answers nor hangs up; its log:\n%s", log_tail());
	if (caller->heard == caller->count)
		return NULL;
	assert_true(
		wire_parse(caller->messages[caller->heard].bytes, caller->messages[caller->heard].length, &message));
	caller->heard++;
	return &message;
}

const struct wire_message *caller_hear_status(struct caller *caller, const char *status)
{
	const struct wire_message *message = caller_hear(caller);
	const char *got = message ? wire_kind(message, "status") : NULL;

	if (!got || strcmp(got, status) != 0)
		fail_msg("expected %s, got %s %s; the log:\n%s", status, got ? got : "a hang-up",
			 got && wire_get(message, "reason") ? wire_get(message, "reason") : "", log_tail());
	return message;
}

const char *caller_refused(struct caller *caller, const char *reason)
{
	const struct wire_message *message = caller_hear_status(caller, "refused");
	const char *got = wire_get(message, "reason");

	if (!got || strcmp(got, reason) != 0)
		fail_msg("refused for %s, not for %s; the log:\n%s", got ? got : "nothing", reason, log_tail());
	assert_non_null(wire_get(message, "text"));
	return wire_get(message, "text");
}

void caller_hung_up_on(struct caller *caller)
{
	const struct wire_message *message = caller_hear(caller);

	if (message)
		fail_msg("expected a hang-up, got %s", message->bytes);
}

void caller_waits(struct caller *caller, int64_t ms)
{
	stage_settle();
	for (; ms > 0 && !has_something(caller); ms -= 1000) {
		stage_advance(1000);
		stage_settle();
	}
}

void caller_hears_nothing(struct caller *caller)
{
	stage_settle();
	if (has_something(caller))
		fail_msg("expected nothing, got %s",
			 caller->closed ? "a hang-up" : caller->messages[caller->heard].bytes);
}

struct caller *caller_signs_in(const char *name, const char *more)
{
	struct caller *caller = caller_connect(geteuid());

	caller_say(caller,
		   "op=login\nname=%s\nservice=sshd\ntty=ssh\nrhost=198.51.100.7\nqr=utf8\nwait=info\ntimeout=900%s%s",
		   name, more[0] ? "\n" : "", more);
	return caller;
}

struct caller *caller_shown(const char *name, const char *more, char *ret_code, size_t size)
{
	struct caller *caller = caller_signs_in(name, more);
	const struct wire_message *show = caller_hear_status(caller, "show");

	if (ret_code)
		(void)snprintf(ret_code, size, "%s", wire_get(show, "code"));
	return caller;
}
