/*
 * The parent's side of asking other name services: a queue of questions, of which one at a time is before the child.
 */
#include "provisiond/sources.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "provisiond/nsswitch.h"
#include "provisiond/source_child.h"

#define NSSWITCH_MAX ((size_t)64 * 1024)
#define DYING_MAX 8 /* killed children that hang in the kernel; with more, no new one is started */
#define SENT_MAX 64 /* questions that the child has at once: it is not to wait for us between them */
#define STOP_ATTEMPTS 100
#define STOP_PAUSE_NS 2000000

struct question {
	struct question *next;
	struct source_question text;
	int64_t deadline_ms;
	sources_answered *answered; /* NULL: cancelled */
	void *context;
	bool sent;    /* the child has it; it is asking for the first of those in the queue */
	bool decided; /* the answers below are to be told */
	struct decision {
		enum source_answer answer;
		char source[NSS_SOURCE_NAME_MAX + 1]; /* "": none */
	} name, uid;
};

struct sources {
	char *path;
	char *text;      /* of nsswitch.conf; NULL: unreadable */
	bool unreadable; /* or not to be understood: nobody can be asked */
	struct nss_sources list;
	uint32_t reported; /* sources whose library was complained about */
	int epoll;
	int socket;  /* to the child, or -1 */
	pid_t child; /* or 0 */
	pid_t dying[DYING_MAX];
	atomic_int *current; /* shared with the child */
	struct question *first;
	uint64_t last_id;
};

/* ---- the child ---- */

static void reap(struct sources *sources)
{
	for (size_t i = 0; i < DYING_MAX; i++)
		if (sources->dying[i] > 0 && waitpid(sources->dying[i], NULL, WNOHANG) != 0)
			sources->dying[i] = 0; /* gone, or somebody else's to reap */
}

static pid_t *free_place(struct sources *sources)
{
	reap(sources);
	for (size_t i = 0; i < DYING_MAX; i++)
		if (sources->dying[i] == 0)
			return &sources->dying[i];
	return NULL;
}

/* Does not wait for it: a process that hangs in the kernel does not even die. There is a place, since start_child() saw
 * to it. What it had not answered is for the next one. */
static void abandon_child(struct sources *sources)
{
	pid_t *place = sources->child > 0 ? free_place(sources) : NULL;

	for (struct question *question = sources->first; question; question = question->next)
		question->sent = false;
	if (sources->child <= 0)
		return;
	(void)kill(sources->child, SIGKILL);
	if (place)
		*place = sources->child;
	(void)epoll_ctl(sources->epoll, EPOLL_CTL_DEL, sources->socket, NULL);
	cleanup_fd(&sources->socket);
	sources->socket = -1;
	sources->child = 0;
	reap(sources);
}

static bool start_child(struct sources *sources)
{
	struct epoll_event event = { .events = EPOLLIN };
	pid_t child;

	if (sources->child > 0)
		return true;
	if (!free_place(sources))
		return false;
	child = source_child_start(&sources->list, sources->current, &sources->socket);
	if (child < 0) {
		log_warning("Cannot start the process that asks other name services: %s", strerror((int)-child));
		return false;
	}
	sources->child = child;
	if (epoll_ctl(sources->epoll, EPOLL_CTL_ADD, sources->socket, &event) == 0)
		return true;
	abandon_child(sources);
	return false;
}

/* ---- the queue ---- */

/* The source's name is copied: the list may change before the answer is told. */
static void decide_part(const struct sources *sources, struct source_finding finding, struct decision *decision)
{
	decision->answer = (enum source_answer)finding.answer;
	if (finding.source >= 0 && finding.source < (int)sources->list.count)
		memcpy(decision->source, sources->list.items[finding.source].name, sizeof(decision->source));
}

static void decide(const struct sources *sources, struct question *question, struct source_finding name,
		   struct source_finding uid)
{
	if (question->decided)
		return;
	question->decided = true;
	decide_part(sources, name, &question->name);
	decide_part(sources, uid, &question->uid);
}

/* One answer to all that was asked. */
static void decide_all(const struct sources *sources, struct question *question, enum source_answer answer, int source)
{
	const struct source_finding asked = { .answer = (int32_t)answer, .source = source };
	const struct source_finding not_asked = { .answer = SOURCE_UNKNOWN, .source = SOURCE_NONE };

	decide(sources, question, question->text.name[0] ? asked : not_asked,
	       question->text.with_uid ? asked : not_asked);
}

static struct source_verdict verdict_of(const struct decision *decision)
{
	return (struct source_verdict){ .answer = decision->answer,
					.source = decision->source[0] ? decision->source : NULL };
}

static void tell(const struct question *question)
{
	const struct source_verdict name = verdict_of(&question->name), uid = verdict_of(&question->uid);

	if (question->answered)
		question->answered(question->context, &name, &uid);
}

static bool send_question(struct sources *sources, const struct question *question)
{
	return start_child(sources) && send(sources->socket, &question->text, sizeof(question->text), MSG_NOSIGNAL) ==
					       (ssize_t)sizeof(question->text);
}

/* Gives the child what it can have; a new one, when the old one died while it had nothing to do. */
static void send_waiting(struct sources *sources)
{
	unsigned sent = 0;

	for (struct question *question = sources->first; question && sent < SENT_MAX;
	     question = question->next, sent++) {
		if (question->sent || question->decided)
			continue;
		question->sent = send_question(sources, question);
		if (question->sent)
			continue;
		if (question != sources->first)
			return; /* when its turn comes */
		abandon_child(sources);
		question->sent = send_question(sources, question);
		if (!question->sent)
			decide_all(sources, question, SOURCE_UNAVAILABLE, SOURCE_NONE);
	}
}

static struct question *take_decided(struct sources *sources)
{
	for (struct question **at = &sources->first; *at; at = &(*at)->next) {
		struct question *question = *at;

		if (question->decided) {
			*at = question->next;
			return question;
		}
	}
	return NULL;
}

/* Tells all answers that are there, one by one from the queue, since whoever is told may ask and cancel others; then
 * goes on with the next questions. */
static void go_on(struct sources *sources)
{
	do {
		struct question *question;

		while ((question = take_decided(sources))) {
			tell(question);
			free(question);
		}
		send_waiting(sources);
	} while (sources->first && sources->first->decided);
}

/* ---- nsswitch.conf ---- */

/* The text, "" when there is no file, or NULL. It is short: reading it each time is the surest way to notice a change.
 */
static char *read_nsswitch(const char *path)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	_cleanup_free_ char *text = malloc(NSSWITCH_MAX + 2);
	size_t length = 0;

	if (!text || (fd < 0 && errno != ENOENT))
		return NULL;
	while (fd >= 0 && length <= NSSWITCH_MAX) {
		ssize_t n = read(fd, text + length, NSSWITCH_MAX + 1 - length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return NULL;
		if (n == 0)
			break;
		length += (size_t)n;
	}
	text[length] = '\0';
	return length > NSSWITCH_MAX ? NULL : take_pointer(text);
}

static void use_nsswitch(struct sources *sources, char *text)
{
	free(sources->text);
	sources->text = text;
	sources->reported = 0;
	sources->list = (struct nss_sources){ 0 };
	sources->unreadable = !text || !nsswitch_parse(text, &sources->list);
	if (sources->unreadable)
		log_warning("%s cannot be read or understood: no new account can be made until it can", sources->path);
}

/* Takes a change over: a new child knows the new sources, and gets the questions that the old one had. */
static void follow_nsswitch(struct sources *sources)
{
	char *text = read_nsswitch(sources->path);
	bool same = text ? sources->text && strcmp(text, sources->text) == 0 : !sources->text;

	if (same) {
		free(text);
		return;
	}
	abandon_child(sources);
	use_nsswitch(sources, text);
	for (struct question *question = sources->first; question && sources->unreadable; question = question->next)
		decide_all(sources, question, SOURCE_UNAVAILABLE, SOURCE_NONE);
}

/* ---- the interface ---- */

struct sources *sources_start(const char *nsswitch_path)
{
	struct sources *sources = calloc(1, sizeof(*sources));

	if (!sources)
		return NULL;
	sources->socket = -1;
	sources->epoll = epoll_create1(EPOLL_CLOEXEC);
	sources->path = strdup(nsswitch_path);
	sources->current =
		mmap(NULL, sizeof(*sources->current), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sources->epoll < 0 || !sources->path || sources->current == MAP_FAILED) {
		sources_stop(sources);
		return NULL;
	}
	use_nsswitch(sources, read_nsswitch(nsswitch_path));
	if (sources->list.count > 0)
		(void)start_child(sources);
	return sources;
}

/* The killed child is waited for, but not for ever. */
static void bury(struct sources *sources)
{
	for (unsigned i = 0; i < STOP_ATTEMPTS; i++) {
		bool left = false;

		reap(sources);
		for (size_t n = 0; n < DYING_MAX; n++)
			left = left || sources->dying[n] > 0;
		if (!left)
			return;
		(void)nanosleep(&(struct timespec){ .tv_nsec = STOP_PAUSE_NS }, NULL);
	}
}

void sources_stop(struct sources *sources)
{
	if (!sources)
		return;
	abandon_child(sources);
	bury(sources);
	while (sources->first) {
		struct question *question = sources->first;

		sources->first = question->next;
		free(question);
	}
	cleanup_fd(&sources->epoll);
	if (sources->current && sources->current != MAP_FAILED)
		(void)munmap(sources->current, sizeof(*sources->current));
	free(sources->path);
	free(sources->text);
	free(sources);
}

int sources_fd(const struct sources *sources)
{
	return sources->epoll;
}

int64_t sources_next_deadline_ms(const struct sources *sources)
{
	int64_t next = -1;

	for (const struct question *question = sources->first; question; question = question->next)
		if (next < 0 || question->deadline_ms < next)
			next = question->deadline_ms;
	return next;
}

static void append(struct sources *sources, struct question *question)
{
	struct question **end = &sources->first;

	while (*end)
		end = &(*end)->next;
	*end = question;
}

static bool put_name(struct source_question *text, const char *name)
{
	size_t length = strnlen(name, SOURCE_NAME_SIZE);

	if (length == 0 || length >= SOURCE_NAME_SIZE)
		return false;
	memcpy(text->name, name, length);
	return true;
}

static int ask(struct sources *sources, const struct source_question *text, int64_t deadline_ms,
	       sources_answered *answered, void *context)
{
	struct question *question = calloc(1, sizeof(*question));

	if (!question)
		return -ENOMEM;
	question->text = *text;
	question->text.id = ++sources->last_id;
	question->deadline_ms = deadline_ms;
	question->answered = answered;
	question->context = context;
	follow_nsswitch(sources);
	if (sources->unreadable)
		decide_all(sources, question, SOURCE_UNAVAILABLE, SOURCE_NONE);
	else if (sources->list.count == 0)
		decide_all(sources, question, SOURCE_UNKNOWN, SOURCE_NONE);
	append(sources, question);
	go_on(sources);
	return 0;
}

int sources_ask(struct sources *sources, const char *name_or_null, bool with_uid, uid_t uid, int64_t deadline_ms,
		sources_answered *answered, void *context)
{
	struct source_question text = { .uid = uid, .with_uid = with_uid };

	if (name_or_null ? !put_name(&text, name_or_null) : !with_uid)
		return -EINVAL;
	return ask(sources, &text, deadline_ms, answered, context);
}

int sources_ask_for_user(struct sources *sources, const char *name, int64_t deadline_ms, sources_answered *answered,
			 void *context)
{
	struct source_question text = { .user_only = true };

	return put_name(&text, name) ? ask(sources, &text, deadline_ms, answered, context) : -EINVAL;
}

/* The question before the child stays in the queue, without anybody to tell: its deadline still measures the child. */
void sources_cancel(struct sources *sources, const void *context)
{
	struct question **at = &sources->first;

	while (*at) {
		struct question *question = *at;

		if (question->context != context) {
			at = &question->next;
		} else if (question->sent) {
			question->answered = NULL;
			question->context = NULL;
			at = &question->next;
		} else {
			*at = question->next;
			free(question);
		}
	}
}

/* Says once for each configuration which sources are only named. */
static void report_libraries(struct sources *sources, const struct source_reply *reply)
{
	uint32_t fresh = (reply->missing | reply->broken) & ~sources->reported;

	sources->reported |= fresh;
	for (size_t i = 0; i < sources->list.count; i++) {
		const char *name = sources->list.items[i].name;

		if (!(fresh >> i & 1))
			continue;
		if (reply->broken >> i & 1)
			log_warning(
				"libnss_%s.so.2 cannot be loaded: no new account can be made until that is repaired or "
				"'%s' is taken out of %s",
				name, name, sources->path);
		else
			log_notice("%s names the source '%s', but there is no libnss_%s.so.2: it knows nobody",
				   sources->path, name, name);
	}
}

static bool finding_is_sound(const struct sources *sources, struct source_finding finding)
{
	return finding.answer >= SOURCE_UNKNOWN && finding.answer <= SOURCE_UNAVAILABLE &&
	       finding.source >= SOURCE_NONE && finding.source < (int32_t)sources->list.count;
}

/* Takes one answer from the child. False when there is none. */
static bool take_reply(struct sources *sources)
{
	struct question *first = sources->first;
	struct source_reply reply;
	ssize_t n = sources->socket >= 0 ? recv(sources->socket, &reply, sizeof(reply), MSG_DONTWAIT) : -1;

	if (sources->socket < 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return false;
	if (n != (ssize_t)sizeof(reply) || !finding_is_sound(sources, reply.name) ||
	    !finding_is_sound(sources, reply.uid)) {
		/* It died, perhaps of this very question; the others get a new child. */
		int asked = atomic_load(sources->current);
		bool blamed = first && first->sent;

		abandon_child(sources);
		if (blamed)
			decide_all(sources, first, SOURCE_UNAVAILABLE, asked);
	} else {
		report_libraries(sources, &reply);
		if (first && first->sent && first->text.id == reply.id)
			decide(sources, first, reply.name, reply.uid);
	}
	go_on(sources);
	return true;
}

void sources_on_readable(struct sources *sources)
{
	reap(sources);
	for (unsigned taken = 0; taken < SENT_MAX && take_reply(sources); taken++)
		;
}

void sources_on_timer(struct sources *sources, int64_t now_ms)
{
	bool stuck = sources->first && sources->first->sent && sources->first->deadline_ms <= now_ms;
	int asked = atomic_load(sources->current);

	reap(sources);
	if (stuck)
		abandon_child(sources);
	for (struct question *question = sources->first; question; question = question->next)
		if (stuck || question->deadline_ms <= now_ms)
			decide_all(sources, question, SOURCE_UNAVAILABLE, stuck ? asked : SOURCE_NONE);
	go_on(sources);
}
