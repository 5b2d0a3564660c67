/*
 * Talks to pam_oidcd. See signin.h.
 */
#include "pam_oidc/module/signin.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "common/names.h"
#include "common/wire.h"
#include "pam_oidc/module/daemon_socket.h"

#define CONNECT_WAIT_MS 1000
#define GRACE_MS 1000
#define EXPIRES_IN_MAX_S 86400

static const char *name_of_wait(enum wait_mode wait)
{
	switch (wait) {
	case WAIT_INFO:
		return "info";
	case WAIT_RETRY:
		return "retry";
	case WAIT_ENTER:
		break;
	}
	return "enter";
}

static int send_login(const struct attempt *attempt, const struct signin *signin)
{
	const struct application *application = &attempt->application;
	uid_t started_by = application_started_by(attempt->pamh, application);
	struct wire_writer question;

	wire_begin(&question, signin->buffer, WIRE_MAX, "op", "login");
	wire_put(&question, "name", attempt->person.name);
	if (attempt->person.resolves)
		wire_put_number(&question, "uid", attempt->person.uid);
	if (application->kind == APPLICATION_SSHD)
		wire_put(&question, "must_resolve", "1");
	if (started_by != 0)
		wire_put_number(&question, "started_by", started_by);
	wire_put(&question, "service", application->service);
	wire_put(&question, "tty", application->tty);
	wire_put(&question, "rhost", application->rhost);
	wire_put(&question, "qr", attempt->arguments.qr);
	wire_put(&question, "wait", name_of_wait(attempt->arguments.wait));
	wire_put_number(&question, "timeout", attempt->arguments.timeout_s);
	if (attempt->connection_key[0])
		wire_put(&question, "parent", attempt->connection_key);
	return wire_send(signin->fd, &question, wire_now_ms() + CONNECT_WAIT_MS);
}

int signin_start(const struct attempt *attempt, struct signin *signin)
{
	int64_t now = wire_now_ms();

	signin->buffer = malloc(WIRE_MAX);
	if (!signin->buffer)
		return -ENOMEM;
	signin->expires_at_ms = now + (int64_t)attempt->arguments.timeout_s * 1000;
	signin->deadline_ms = signin->expires_at_ms + GRACE_MS;
	client_connection_find(&attempt->application, &signin->client);
	signin->fd = daemon_connect(PAM_OIDC_SOCKET, now + CONNECT_WAIT_MS);
	if (signin->fd < 0)
		return signin->fd;
	return send_login(attempt, signin);
}

/* A flag that may be left out. */
static bool read_flag(const struct wire_message *message, const char *key, bool *ret_flag)
{
	long long value = 0;
	size_t cursor = 0;

	if (wire_next(message, key, &cursor) && !wire_get_number(message, key, 0, 1, &value))
		return false;
	*ret_flag = value == 1;
	return true;
}

static bool read_show(struct signin *signin, const struct wire_message *message, struct signin_answer *answer)
{
	int64_t expires_at_ms;
	long long seconds;

	answer->show.host = wire_get(message, "host");
	answer->show.url = wire_get(message, "url");
	answer->show.code = wire_get(message, "code");
	answer->show.complete = wire_get(message, "complete");
	answer->show.qr = wire_get(message, "qr");
	if (signin->shown || !answer->show.host || !answer->show.url || !answer->show.code ||
	    !wire_get_number(message, "expires_in", 0, EXPIRES_IN_MAX_S, &seconds) ||
	    !read_flag(message, "resumed", &answer->show.resumed))
		return false;
	answer->show.expires_in_s = (unsigned)seconds;
	expires_at_ms = wire_now_ms() + seconds * 1000;
	if (expires_at_ms < signin->expires_at_ms)
		signin->expires_at_ms = expires_at_ms;
	signin->deadline_ms = signin->expires_at_ms + GRACE_MS;
	signin->shown = true;
	return true;
}

/* Once at most, and before anything was asked of the issuer. */
static bool read_choose(struct signin *signin)
{
	bool first = !signin->chose && !signin->shown;

	signin->chose = true;
	return first;
}

static bool read_admitted(const struct signin *signin, const struct wire_message *message, struct signin_answer *answer)
{
	answer->admitted.account = wire_get(message, "account");
	answer->admitted.ticket = wire_get(message, "ticket");
	answer->admitted.home = wire_get(message, "home");
	return signin->shown && answer->admitted.account && account_name_ok(answer->admitted.account) &&
	       answer->admitted.ticket && wire_get_id(message, "uid", &answer->admitted.uid) &&
	       read_flag(message, "created", &answer->admitted.created);
}

static bool read_refused(const struct wire_message *message, struct signin_answer *answer)
{
	answer->refused.reason = reason_from_name(wire_get(message, "reason"));
	answer->refused.text = wire_get(message, "text");
	return read_flag(message, "quiet", &answer->refused.quiet) &&
	       read_flag(message, "password_instead", &answer->refused.password_instead);
}

static enum signin_event fail(int error, struct signin_answer *answer)
{
	answer->error = error;
	return SIGNIN_FAILED;
}

/* One packet that is there, or the end of the connection. */
static enum signin_event receive(struct signin *signin, struct signin_answer *answer)
{
	ssize_t n = wire_receive(signin->fd, signin->buffer, WIRE_MAX, 0);
	struct wire_message message;
	const char *status;

	if (n < 0)
		return fail((int)n, answer);
	if (n == 0)
		return fail(-ECONNRESET, answer);
	if (!wire_parse(signin->buffer, (size_t)n, &message))
		return fail(-EPROTO, answer);
	status = wire_kind(&message, "status");
	if (status && strcmp(status, "choose") == 0 && read_choose(signin))
		return SIGNIN_CHOOSE;
	if (status && strcmp(status, "show") == 0 && read_show(signin, &message, answer))
		return SIGNIN_SHOW;
	if (status && strcmp(status, "admitted") == 0 && read_admitted(signin, &message, answer))
		return SIGNIN_ADMITTED;
	if (status && strcmp(status, "refused") == 0 && read_refused(&message, answer))
		return SIGNIN_REFUSED;
	return fail(-EPROTO, answer);
}

static int milliseconds_until(int64_t until_ms)
{
	int64_t left = until_ms - wire_now_ms();

	if (left <= 0)
		return 0;
	return left < INT_MAX ? (int)left : INT_MAX;
}

enum readiness { READY_DAEMON, READY_TIME_UP, READY_CLIENT_GONE, READY_ERROR };

static enum readiness wait_for_any(const struct signin *signin, int64_t until_ms)
{
	struct pollfd sockets[1 + CLIENT_SOCKETS_MAX] = { { .fd = signin->fd, .events = POLLIN } };
	size_t clients = signin->client.count;

	memcpy(sockets + 1, signin->client.sockets, clients * sizeof(sockets[0]));
	for (;;) {
		int n = poll(sockets, 1 + clients, milliseconds_until(until_ms));

		if (n < 0 && errno != EINTR)
			return READY_ERROR;
		if (n > 0 && client_connection_hung_up(sockets + 1, clients))
			return READY_CLIENT_GONE;
		if (n > 0 && sockets[0].revents)
			return READY_DAEMON;
		if (n <= 0 && wire_now_ms() >= until_ms)
			return READY_TIME_UP;
	}
}

enum signin_event signin_next(struct signin *signin, int64_t until_ms, struct signin_answer *ret_answer)
{
	struct signin_answer answer = { .error = 0 };
	enum signin_event event = SIGNIN_FAILED;

	do {
		switch (wait_for_any(signin, until_ms)) {
		case READY_TIME_UP:
			return SIGNIN_TIME_UP;
		case READY_CLIENT_GONE:
			return SIGNIN_CLIENT_GONE;
		case READY_ERROR:
			event = fail(-errno, &answer);
			break;
		case READY_DAEMON:
			event = receive(signin, &answer);
			break;
		}
	} while (event == SIGNIN_FAILED && answer.error == -EAGAIN);
	if (client_connection_gone(&signin->client))
		return SIGNIN_CLIENT_GONE;
	*ret_answer = answer;
	return event;
}

static bool send_op(struct signin *signin, const char *op)
{
	struct wire_writer request;

	wire_begin(&request, signin->buffer, WIRE_MAX, "op", op);
	return wire_send(signin->fd, &request, wire_now_ms() + CONNECT_WAIT_MS) == 0;
}

void signin_continue(struct signin *signin)
{
	/* As with signin_ready(): a daemon that has gone is met when its answer is read. */
	(void)send_op(signin, "continue");
}

void signin_ready(struct signin *signin)
{
	/* A daemon that has gone, or has ended the sign-in, is met when its answer is read. */
	(void)send_op(signin, "ready");
}

bool signin_park(struct signin *signin)
{
	return send_op(signin, "park");
}

void signin_close(struct signin *signin)
{
	if (signin->fd >= 0)
		(void)close(signin->fd);
	signin->fd = -1;
	if (signin->buffer)
		explicit_bzero(signin->buffer, WIRE_MAX);
	free(signin->buffer);
	signin->buffer = NULL;
}
