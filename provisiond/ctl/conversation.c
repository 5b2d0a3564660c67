/*
 * Carries one question to a daemon. Every failure ends here, as a sentence and an exit code.
 */
#include "provisiond/ctl/conversation.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_TIMEOUT_MS 5000
#define QUESTION_MAX 1024

const struct daemon provisiond = { .name = "provisiond", .socket = PROVISIOND_SOCKET };
const struct daemon pam_oidcd = { .name = "pam_oidcd", .socket = PAM_OIDC_SOCKET };

static enum exit_code explain(const struct daemon *daemon, int failure)
{
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
			 ANSWER_TIMEOUT_MS / 1000, daemon->name);
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

enum exit_code conversation_begin(const struct daemon *daemon, const char *op, const char *key, const char *value,
				  struct conversation *conversation)
{
	char question[QUESTION_MAX];
	struct wire_writer writer;
	int64_t deadline_ms = wire_now_ms() + ANSWER_TIMEOUT_MS;
	int sent;

	wire_begin(&writer, question, sizeof(question), "op", op);
	if (key)
		wire_put(&writer, key, value);
	conversation->daemon = daemon;
	conversation->fd = wire_connect(daemon->socket, deadline_ms);
	if (conversation->fd < 0)
		return explain(daemon, conversation->fd);
	sent = wire_send(conversation->fd, &writer, deadline_ms);
	return sent < 0 ? explain(daemon, sent) : EXIT_DONE;
}

enum exit_code conversation_next(struct conversation *conversation, struct wire_message *ret_answer)
{
	int64_t deadline_ms = wire_now_ms() + ANSWER_TIMEOUT_MS;
	ssize_t n = wire_receive(conversation->fd, conversation->bytes, sizeof(conversation->bytes), deadline_ms);

	if (n == 0)
		n = -ECONNRESET;
	if (n < 0)
		return explain(conversation->daemon, (int)n);
	if (!wire_parse(conversation->bytes, (size_t)n, ret_answer) || !wire_kind(ret_answer, "status"))
		return conversation_nonsense(conversation);
	return EXIT_DONE;
}

enum exit_code conversation_nonsense(const struct conversation *conversation)
{
	return explain(conversation->daemon, -EPROTO);
}

void conversation_end(struct conversation *conversation)
{
	if (conversation->fd >= 0)
		(void)close(conversation->fd);
	conversation->fd = -1;
}
