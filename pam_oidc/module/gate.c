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

#define STANDING_WAIT_MS 250
#define REDEEM_WAIT_MS 4000

/* Room for the longest question and for the longest answer. */
#define MESSAGE_MAX 2048

static int ask(const struct wire_writer *question, int64_t deadline_ms, char *buffer, size_t capacity,
	       struct wire_message *ret_answer)
{
	_cleanup_fd_ int fd = daemon_connect(PROVISIOND_SOCKET, deadline_ms);

	if (fd < 0)
		return fd;
	return wire_ask(fd, question, buffer, capacity, deadline_ms, ret_answer);
}

/* The account that an answer names. Never root, whoever says so. */
static int account_in(const struct wire_message *answer, struct account *ret_account)
{
	const char *name = wire_get(answer, "account");
	struct account account;

	if (!name || !account_name_ok(name) || !wire_get_id(answer, "uid", &account.uid) || account.uid == 0)
		return -EPROTO;
	(void)snprintf(account.name, sizeof(account.name), "%s", name);
	*ret_account = account;
	return 0;
}

static int standing_in(const struct wire_message *answer, enum standing *ret_standing)
{
	static const char *const names[] = {
		[STANDING_UNAVAILABLE] = "unavailable", [STANDING_NOT_OURS] = "not_ours",
		[STANDING_PROMISED] = "promised",       [STANDING_INCOMPLETE] = "incomplete",
		[STANDING_ACTIVE] = "active",           [STANDING_DEACTIVATED] = "deactivated",
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
	if (error == 0)
		*ret_standing = standing;
	return error;
}

int gate_redeem(const char *ticket, const struct person *person, struct account *ret_account)
{
	char out[MESSAGE_MAX], in[MESSAGE_MAX];
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
		return -EACCES;
	return account_in(&answer, ret_account);
}
