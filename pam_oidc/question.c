/*
 * Asks provisiond over a connection of its own for each question. See question.h.
 */
#include "pam_oidc/question.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"

#define ANSWER_MAX 8192
/* The one wait of the loop: whoever fills provisiond's backlog must not keep us out of its queue. */
#define CONNECT_PATIENCE_MS 50

struct question {
	struct loop *loop;
	int fd;
	struct loop_watch *watch;
	struct loop_timer timer;
	question_answered *answered;
	void *context;
};

void question_cancel(struct question *question)
{
	if (!question)
		return;
	loop_unwatch(question->loop, question->watch);
	loop_clear_timer(question->loop, &question->timer);
	cleanup_fd(&question->fd);
	free(question);
}

static void finish(struct question *question, const struct wire_message *answer)
{
	question_answered *answered = question->answered;
	void *context = question->context;

	question_cancel(question);
	answered(context, answer);
}

static void ready(void *context, short revents)
{
	struct question *question = context;
	char buffer[ANSWER_MAX];
	struct wire_message answer;
	ssize_t n = wire_receive(question->fd, buffer, sizeof(buffer), 0);

	(void)revents;
	if (n == -EAGAIN)
		return;
	if (n <= 0)
		log_error("provisiond %s", n == 0 ? "closed the connection without an answer" : "could not be heard");
	finish(question, n > 0 && wire_parse(buffer, (size_t)n, &answer) ? &answer : NULL);
	explicit_bzero(buffer, sizeof(buffer));
}

static void timed_out(void *context)
{
	log_error("provisiond does not answer");
	finish(context, NULL);
}

struct question *question_ask(struct loop *loop, const struct wire_writer *message, int64_t timeout_ms,
			      question_answered *answered, void *context)
{
	_cleanup_fd_ int fd = wire_connect(PROVISIOND_SOCKET, wire_now_ms() + CONNECT_PATIENCE_MS);
	int sent = fd < 0 ? fd : wire_send(fd, message, 0);
	struct question *question;

	if (sent < 0) {
		log_error("cannot ask provisiond at %s: %s", PROVISIOND_SOCKET, strerror(-sent));
		return NULL;
	}
	question = calloc(1, sizeof(*question));
	if (!question)
		return NULL;
	*question = (struct question){ .loop = loop, .fd = take_fd(&fd), .answered = answered, .context = context };
	question->watch = loop_watch(loop, question->fd, POLLIN, ready, question);
	if (!question->watch ||
	    !loop_set_timer(loop, &question->timer, wire_now_ms() + timeout_ms, timed_out, question)) {
		question_cancel(question);
		return NULL;
	}
	return question;
}
