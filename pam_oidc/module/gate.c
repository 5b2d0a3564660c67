/*
 * Talks to provisiond. See gate.h. One question, one connection; what the answer says is checked here for its form, and
 * by the caller for whom it names.
 */
#include "pam_oidc/module/gate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/wire.h"
#include "pam_oidc/module/daemon_socket.h"
#include "pam_oidc/module/printable.h"

#define STANDING_WAIT_MS 250
#define REDEEM_WAIT_MS 4000
#define ANSWER_WAIT_MS 20000

/* Room for the longest question, and for the longest answer without the rooms. */
#define MESSAGE_MAX 4096
#define REDEEMED_MAX (MESSAGE_MAX + ROOMS_MAX * (ROOM_NAME_MAX + sizeof("room=")))

static int ask_once(const struct wire_writer *question, int64_t deadline_ms, char *buffer, size_t capacity,
		    struct wire_message *ret_answer)
{
	_cleanup_fd_ int fd = daemon_connect(PROVISIOND_SOCKET, deadline_ms);

	if (fd < 0)
		return fd;
	return wire_ask(fd, question, buffer, capacity, deadline_ms, ret_answer);
}

/* A daemon that is started anew hangs up. The next one is asked, whose socket waits for it; each of our questions may
 * be asked twice. */
static int ask(const struct wire_writer *question, int64_t deadline_ms, char *buffer, size_t capacity,
	       struct wire_message *ret_answer)
{
	int error = ask_once(question, deadline_ms, buffer, capacity, ret_answer);

	if (error == -ECONNRESET || error == -EPIPE)
		error = ask_once(question, deadline_ms, buffer, capacity, ret_answer);
	return error;
}

/* The account that an answer names. Never root, whoever says so. */
static int account_in(const struct wire_message *answer, struct account *ret_account)
{
	const char *name = wire_get(answer, "account");
	struct account account = { .uid = 0 };

	if (!name || !account_name_ok(name) || !wire_get_id(answer, "uid", &account.uid) || account.uid == 0)
		return -EPROTO;
	(void)snprintf(account.name, sizeof(account.name), "%s", name);
	*ret_account = account;
	return 0;
}

/* What the session is told besides. What cannot be is left out: nobody is kept out for that. */
static void facts_in(const struct wire_message *answer, struct account *account)
{
	const char *address = wire_get(answer, "email"), *room = wire_get(answer, "room");
	struct email email;

	if (address && email_parse(address, &email) && strlen(address) < sizeof(account->email))
		(void)snprintf(account->email, sizeof(account->email), "%s", address);
	if (room && printable_utf8(room) && strlen(room) < sizeof(account->room))
		(void)snprintf(account->room, sizeof(account->room), "%s", room);
}

static int standing_in(const struct wire_message *answer, enum standing *ret_standing)
{
	static const char *const names[] = {
		[STANDING_UNAVAILABLE] = "unavailable", [STANDING_NOT_OURS] = "not_ours",
		[STANDING_EXPECTED] = "expected",       [STANDING_PROMISED] = "promised",
		[STANDING_INCOMPLETE] = "incomplete",   [STANDING_ACTIVE] = "active",
		[STANDING_LAPSED] = "lapsed",           [STANDING_DEACTIVATED] = "deactivated",
		[STANDING_ELSEWHERE] = "elsewhere",
	};
	const char *status = wire_kind(answer, "status");

	for (size_t i = 0; status && i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(status, names[i]) == 0) {
			*ret_standing = (enum standing)i;
			return 0;
		}
	}
	return -EPROTO;
}

int gate_standing(const char *name, const struct application *from, enum standing *ret_standing,
		  struct account *ret_account)
{
	char out[MESSAGE_MAX], in[MESSAGE_MAX];
	enum standing standing = STANDING_UNAVAILABLE;
	struct wire_message answer;
	struct wire_writer question;
	int error;

	wire_begin(&question, out, sizeof(out), "op", "standing");
	wire_put(&question, "name", name);
	if (from) {
		wire_put(&question, "service", from->service);
		wire_put(&question, "rhost", from->rhost);
	}
	error = ask(&question, wire_now_ms() + STANDING_WAIT_MS, in, sizeof(in), &answer);
	if (error == 0)
		error = standing_in(&answer, &standing);
	if (error == 0 && standing == STANDING_ACTIVE)
		error = account_in(&answer, ret_account);
	if (error < 0)
		return error;
	if (standing == STANDING_ACTIVE)
		facts_in(&answer, ret_account);
	*ret_standing = standing;
	return 0;
}

bool gate_takes_password(const struct person *person, const struct application *application)
{
	char out[MESSAGE_MAX], in[MESSAGE_MAX];
	struct wire_message answer;
	struct wire_writer question;
	const char *status, *account, *fallback;

	wire_begin(&question, out, sizeof(out), "op", "lookup");
	wire_put(&question, "name", person->name);
	wire_put(&question, "purpose", "login");
	wire_put(&question, "service", application->service);
	if (ask(&question, wire_now_ms() + STANDING_WAIT_MS, in, sizeof(in), &answer) < 0)
		return false;
	status = wire_kind(&answer, "status");
	account = wire_get(&answer, "account");
	fallback = wire_get(&answer, "fallback");
	/* An email is no user to pam_unix. */
	return status && strcmp(status, "entry") == 0 && account && strcmp(account, person->name) == 0 && fallback &&
	       strcmp(fallback, "1") == 0;
}

/* The questions that are open. One that is not known here cannot be asked. */
static int questions_in(const struct wire_message *answer, struct room_list *ret_rooms)
{
	const char *question = wire_get(answer, "ask"), *room;
	size_t cursor = 0;

	ret_rooms->count = 0;
	if (!wire_has(answer, "ask"))
		return 0;
	if (!question || strcmp(question, "room") != 0)
		return -EPROTO;
	while ((room = wire_next(answer, "room", &cursor)))
		if (!room_list_add(ret_rooms, room))
			return -EPROTO;
	return ret_rooms->count > 0 ? 0 : -EPROTO;
}

int gate_redeem(const char *ticket, const struct person *person, struct account *ret_account,
		struct room_list *ret_rooms)
{
	char out[MESSAGE_MAX], in[REDEEMED_MAX];
	struct wire_message answer;
	struct wire_writer question;
	const char *status;
	int error;

	wire_begin(&question, out, sizeof(out), "op", "redeem");
	wire_put(&question, "ticket", ticket);
	wire_put(&question, "name", person->name);
	if (person->resolves)
		wire_put_number(&question, "uid", person->uid);
	error = ask(&question, wire_now_ms() + REDEEM_WAIT_MS, in, sizeof(in), &answer);
	explicit_bzero(out, sizeof(out));
	if (error < 0)
		return error;
	status = wire_kind(&answer, "status");
	if (!status || strcmp(status, "confirmed") != 0)
		return reason_from_name(wire_get(&answer, "reason")) == REASON_RESTARTED ? -ESTALE : -EACCES;
	error = account_in(&answer, ret_account);
	return error < 0 ? error : questions_in(&answer, ret_rooms);
}

static void refusal_in(const struct wire_message *answer, struct gate_refusal *ret_refusal)
{
	const char *reason = wire_get(answer, "reason"), *text = wire_get(answer, "text");

	/* A refusal here is one, whatever it is called: never a reason to go on without us. */
	ret_refusal->reason = reason ? reason_from_name(reason) : REASON_STORAGE;
	if (reason_class(ret_refusal->reason) != REASON_CLASS_DENIED)
		ret_refusal->reason = REASON_STORAGE;
	(void)snprintf(ret_refusal->text, sizeof(ret_refusal->text), "%s", text ? text : "");
}

int gate_answer_room(const struct account *account, const char *room, struct gate_refusal *ret_refusal)
{
	char out[MESSAGE_MAX], in[MESSAGE_MAX];
	struct wire_message answer;
	struct wire_writer question;
	const char *status;
	int error;

	wire_begin(&question, out, sizeof(out), "op", "answer");
	wire_put(&question, "name", account->name);
	wire_put_number(&question, "uid", account->uid);
	wire_put(&question, "room", room);
	error = ask(&question, wire_now_ms() + ANSWER_WAIT_MS, in, sizeof(in), &answer);
	if (error < 0)
		return error;
	status = wire_kind(&answer, "status");
	if (status && strcmp(status, "done") == 0)
		return 0;
	if (!status || strcmp(status, "refused") != 0)
		return -EPROTO;
	refusal_in(&answer, ret_refusal);
	return -EACCES;
}
