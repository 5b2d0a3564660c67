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
	size_t length;  /* 0: it is not to be asked again */
	char message[]; /* there may be a person's identity in it */
};

void question_cancel(struct question *question)
{
	if (!question)
		return;
	loop_unwatch(question->loop, question->watch);
	loop_clear_timer(question->loop, &question->timer);
	cleanup_fd(&question->fd);
	explicit_bzero(question->message, question->length);
	free(question);
}

static void finish(struct question *question, const struct wire_message *answer)
{
	question_answered *answered = question->answered;
	void *context = question->context;

	question_cancel(question);
	answered(context, answer);
}

/* Connects and sends. The descriptor, or -errno, which is logged. */
static int send_message(const struct wire_writer *message)
{
	_cleanup_fd_ int fd = wire_connect(PROVISIOND_SOCKET, wire_now_ms() + CONNECT_PATIENCE_MS);
	int sent = fd < 0 ? fd : wire_send(fd, message, 0);

	if (sent < 0)
		log_error("cannot ask provisiond at %s: %s", PROVISIOND_SOCKET, strerror(-sent));
	return sent < 0 ? sent : take_fd(&fd);
}

static void ready(void *context, short revents);

static bool try_again(struct question *question)
{
	const struct wire_writer message = { .buffer = question->message, .length = question->length };
	int fd = question->length > 0 ? send_message(&message) : -1;

	if (fd < 0)
		return false;
	explicit_bzero(question->message, question->length);
	question->length = 0;
	loop_unwatch(question->loop, question->watch);
	cleanup_fd(&question->fd);
	question->fd = fd;
	question->watch = loop_watch(question->loop, fd, POLLIN, ready, question);
	return question->watch != NULL;
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
	if ((n == 0 || n == -ECONNRESET) && try_again(question))
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

/* kept: how much of the message to keep, to send it again. */
static struct question *ask(struct loop *loop, const struct wire_writer *message, size_t kept, int64_t timeout_ms,
			    question_answered *answered, void *context)
{
	_cleanup_fd_ int fd = send_message(message);
	struct question *question = fd >= 0 ? calloc(1, sizeof(*question) + kept) : NULL;

	if (!question)
		return NULL;
	*question = (struct question){
		.loop = loop,
		.fd = take_fd(&fd),
		.answered = answered,
		.context = context,
		.length = kept,
	};
	memcpy(question->message, message->buffer, kept);
	question->watch = loop_watch(loop, question->fd, POLLIN, ready, question);
	if (!question->watch ||
	    !loop_set_timer(loop, &question->timer, wire_now_ms() + timeout_ms, timed_out, question)) {
		question_cancel(question);
		return NULL;
	}
	return question;
}

struct question *question_ask(struct loop *loop, const struct wire_writer *message, int64_t timeout_ms,
			      question_answered *answered, void *context)
{
	return ask(loop, message, 0, timeout_ms, answered, context);
}

struct question *question_ask_again(struct loop *loop, const struct wire_writer *message, int64_t timeout_ms,
				    question_answered *answered, void *context)
{
	return ask(loop, message, message->length, timeout_ms, answered, context);
}
