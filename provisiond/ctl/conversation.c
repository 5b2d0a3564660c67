/*
 * Carries questions to a daemon. Every failure ends here, as a sentence and an exit code.
 */
#include "provisiond/ctl/conversation.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "provisiond/ctl/progress.h"

#define ANSWER_TIMEOUT_S 5

const struct daemon provisiond = { .name = "provisiond", .socket = PROVISIOND_SOCKET };
const struct daemon pam_oidcd = { .name = "pam_oidcd", .socket = PAM_OIDC_SOCKET };

static enum exit_code explain(const struct conversation *conversation, int failure)
{
	const struct daemon *daemon = conversation->daemon;

	switch (-failure) {
	case ENOENT:
	case ECONNREFUSED:
		complain("%s is not running. Start it: systemctl start %s", daemon->name, daemon->name);
		return EXIT_UNREACHABLE;
	case EACCES:
	case EPERM:
		complain("%s cannot be reached by this user. Run provisionctl as root.", daemon->name);
		return EXIT_NOT_ALLOWED;
	case ETIMEDOUT:
		complain("%s did not answer within %d seconds. Its log may say why: journalctl -u %s", daemon->name,
			 conversation->patience_s, daemon->name);
		return EXIT_UNREACHABLE;
	case ECONNRESET:
	case EPIPE:
		complain("%s closed the connection without an answer. Its log may say why: journalctl -u %s",
			 daemon->name, daemon->name);
		return EXIT_UNREACHABLE;
	case EPROTO:
	case EMSGSIZE:
		complain(
			"%s gave an answer that provisionctl does not understand. Install the same version of both and "
			"restart the daemon: systemctl restart %s",
			daemon->name, daemon->name);
		return EXIT_UNREACHABLE;
	default:
		complain("%s cannot be reached at %s: %s", daemon->name, daemon->socket, strerror(-failure));
		return EXIT_UNREACHABLE;
	}
}

enum exit_code conversation_ask(const struct daemon *daemon, const struct wire_writer *question, int patience_s,
				struct conversation *conversation)
{
	int64_t deadline_ms = wire_now_ms() + ANSWER_TIMEOUT_S * 1000;
	int sent;

	if (question->failed) {
		complain("that is too long for a name, an address or a room. Shorten it.");
		return EXIT_USAGE;
	}
	conversation->daemon = daemon;
	conversation->patience_s = patience_s;
	if (conversation->fd < 0)
		conversation->fd = wire_connect(daemon->socket, deadline_ms);
	if (conversation->fd < 0)
		return explain(conversation, conversation->fd);
	sent = wire_send(conversation->fd, question, deadline_ms);
	return sent < 0 ? explain(conversation, sent) : EXIT_DONE;
}

enum exit_code conversation_begin(const struct daemon *daemon, const char *op, const char *key, const char *value,
				  struct conversation *conversation)
{
	char question[QUESTION_MAX];
	struct wire_writer writer;

	wire_begin(&writer, question, sizeof(question), "op", op);
	if (key)
		wire_put(&writer, key, value);
	return conversation_ask(daemon, &writer, ANSWER_TIMEOUT_S, conversation);
}

/* Waits as long as it may take; in steps, where somebody looks on. */
static ssize_t receive(struct conversation *conversation)
{
	int64_t deadline_ms = wire_now_ms() + conversation->patience_s * (int64_t)1000;
	struct progress progress = progress_begin(
		conversation->daemon == &provisiond ? "waiting for provisiond" : "waiting for pam_oidcd", 0);
	ssize_t n;

	do {
		int64_t step_ms = progress_wanted() ? wire_now_ms() + PROGRESS_STEP_MS : deadline_ms;

		progress_show(&progress);
		n = wire_receive(conversation->fd, conversation->bytes, sizeof(conversation->bytes),
				 step_ms < deadline_ms ? step_ms : deadline_ms);
	} while (n == -ETIMEDOUT && progress_wanted() && wire_now_ms() < deadline_ms);
	progress_end(&progress);
	return n;
}

enum exit_code conversation_next(struct conversation *conversation, struct wire_message *ret_answer)
{
	ssize_t n = receive(conversation);

	if (n == 0)
		n = -ECONNRESET;
	if (n < 0)
		return explain(conversation, (int)n);
	if (!wire_parse(conversation->bytes, (size_t)n, ret_answer) || !wire_kind(ret_answer, "status"))
		return conversation_nonsense(conversation);
	return EXIT_DONE;
}

enum exit_code conversation_nonsense(const struct conversation *conversation)
{
	return explain(conversation, -EPROTO);
}

void conversation_end(struct conversation *conversation)
{
	if (conversation->fd >= 0)
		(void)close(conversation->fd);
	conversation->fd = -1;
}
