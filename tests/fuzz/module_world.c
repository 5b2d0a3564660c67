/*
 * Plays PAM, the kernel and the daemons. See module_world.h. The kernel's calls stand in the place of libc's (--wrap)
 * while the module runs; PAM's functions are these.
 */
#include "tests/fuzz/module_world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <security/pam_modutil.h>

#include "common/utf8.h"
#include "tests/fuzz/fuzz.h"

#define CALLS_MAX 100000 /* more is a loop that spins */
#define FIRST_FD 100
#define CLIENT_FD 7
#define TITLE_FD 90
#define STAT_FD 91
#define CONNECTION_TIME_MS 1000000
#define EPOCH_S 1900000000

struct world world;

static bool letter(char c)
{
	return strchr(world.letters, c) != NULL;
}

static void count_call(void)
{
	holds(++world.calls < CALLS_MAX, "the module spins");
}

void world_reset(void)
{
	/* The large texts need no wiping: their lengths say what is in them. */
	memset(&world, 0, offsetof(struct world, redeemed));
	world.screen[0] = world.log[0] = '\0';
	world.answered_length = world.stood_length = world.screen_length = world.log_length = 0;
	world.now_ms = CONNECTION_TIME_MS;
}

/* ---- the daemons ---- */

static struct connection *connection_of(int fd)
{
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		if (world.connections[i].fd != 0 && world.connections[i].fd - 1 == fd)
			return &world.connections[i];
	return NULL;
}

static void use_script(struct connection *connection, const struct script *script)
{
	connection->script = script;
	connection->next = 0;
	connection->due_ms = world.now_ms + (script->count > 0 ? script->events[0].after_ms : 0);
}

static void advance(struct connection *connection)
{
	connection->next++;
	if (connection->next < connection->script->count)
		connection->due_ms += connection->script->events[connection->next].after_ms;
}

/* Of what provisiond answered about the ticket. */
static const char *field_of_answer(const char *key)
{
	struct wire_message message;
	const char *value =
		wire_parse(world.answered, world.answered_length, &message) ? wire_get(&message, key) : NULL;

	holds(value, "%s", key);
	return value;
}

/* What the peer does now, or NULL. Events that concern others happen here. */
static const struct event *happening(struct connection *connection)
{
	while (connection->script && connection->next < connection->script->count &&
	       connection->due_ms <= world.now_ms) {
		const struct event *event = &connection->script->events[connection->next];

		if (event->kind != EVENT_CLIENT_GOES)
			return event;
		world.client_gone = true;
		advance(connection);
	}
	return NULL;
}

/* One who has said everything is silent; provisiond then hangs up. */
static bool at_end(const struct connection *connection)
{
	return connection->to_provisiond && connection->script && connection->next >= connection->script->count;
}

/* Whether the module can know that the ssh client has gone. */
static bool client_is_watched(void)
{
	return letter('t') && !letter('6') && !letter('I') && !letter('N') && strcmp(world.service, "sshd") == 0 &&
	       strcmp(world.rhost, "192.0.2.7") == 0;
}

static void note_room(const char *bytes, size_t length)
{
	struct wire_message message;
	const char *room = wire_parse(bytes, length, &message) ? wire_get(&message, "room") : NULL;

	holds(world.asked_redeem && world.asked_room && room && strlen(room) < sizeof(world.room));
	/* Once more where provisiond hung up, and nothing else then. */
	holds(world.rooms_told == 0 || (world.rooms_told == 1 && strcmp(room, world.room) == 0));
	world.rooms_told++;
	holds(!world.client_gone || !client_is_watched());
	holds(strcmp(wire_get(&message, "name"), field_of_answer("account")) == 0);
	holds(strcmp(wire_get(&message, "uid"), field_of_answer("uid")) == 0);
	(void)strcpy(world.room, room);
}

static void ask_provisiond(struct connection *connection, const char *bytes, size_t length)
{
	if (strcmp(bytes, "op=redeem") == 0) {
		use_script(connection, &world.redeem);
		world.asked_redeem = true;
		holds(length <= sizeof(world.redeemed));
		memcpy(world.redeemed, bytes, length);
		world.redeemed_length = length;
		world.answered_length = 0;
	} else if (strcmp(bytes, "op=answer") == 0) {
		use_script(connection, &world.answer);
		note_room(bytes, length);
	} else if (strcmp(bytes, "op=lookup") == 0) {
		use_script(connection, &world.lookup);
	} else {
		holds(strcmp(bytes, "op=standing") == 0, "%s", bytes);
		use_script(connection, &world.standing);
		world.stood_length = 0;
	}
}

static void take_question(struct connection *connection, const char *bytes, size_t length)
{
	if (connection->to_provisiond) {
		ask_provisiond(connection, bytes, length);
	} else if (strcmp(bytes, "op=login") == 0) {
		/* Once more where it hung up before anything was shown or asked. */
		holds(world.logins == 0 || (world.logins == 1 && world.screen_length == world.screen_before));
		world.logins++;
		world.asked_login = true;
		use_script(connection, &world.pam_oidcd);
	} else {
		holds(strcmp(bytes, "op=ready") == 0 || strcmp(bytes, "op=park") == 0 ||
			      strcmp(bytes, "op=continue") == 0,
		      "%s", bytes);
	}
}

/* ---- sockets ---- */

int __real_socket(int domain, int type, int protocol);
int __wrap_socket(int domain, int type, int protocol);
int __wrap_socket(int domain, int type, int protocol)
{
	if (!world.running)
		return __real_socket(domain, type, protocol);
	count_call();
	holds(domain == AF_UNIX && (type & SOCK_CLOEXEC));
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *connection = &world.connections[i];

		if (connection->fd != 0)
			continue;
		if (fuzz_next_fails())
			return -1;
		/* Where an application has closed it, descriptor 2 is the first that is free. */
		int fd = letter('l') && !connection_of(2) ? 2 : FIRST_FD + (int)i;

		*connection = (struct connection){ .fd = fd + 1, .blocking = !(type & SOCK_NONBLOCK) };
		return fd;
	}
	errno = EMFILE;
	return -1;
}

/* The daemon's queue is full for a while. False with errno when the time was up before, or a signal came. */
static bool wait_in_queue(const struct connection *connection)
{
	int64_t wait_ms = world.now_ms < CONNECTION_TIME_MS + 300 ? 120 : 0;
	int64_t patience_ms = connection->blocking ? connection->timeout_ms : 0;
	bool in_time = wait_ms <= patience_ms;

	holds(!connection->blocking || connection->timeout_ms > 0, "connecting may block for ever");
	world.now_ms += in_time ? wait_ms / 2 : patience_ms;
	errno = in_time ? EINTR : EAGAIN;
	return wait_ms == 0;
}

int __real_connect(int fd, const struct sockaddr *address, socklen_t length);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t length);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t length)
{
	struct connection *connection = connection_of(fd);
	const struct sockaddr_un *path = (const void *)address;

	if (!world.running)
		return __real_connect(fd, address, length);
	count_call();
	holds(connection);
	connection->to_provisiond = strcmp(path->sun_path, PROVISIOND_SOCKET) == 0;
	holds(connection->to_provisiond || strcmp(path->sun_path, PAM_OIDC_SOCKET) == 0);
	if (letter('B') && !wait_in_queue(connection))
		return -1;
	if (letter(connection->to_provisiond ? 'G' : 'P')) {
		errno = ECONNREFUSED;
		return -1;
	}
	return 0;
}

ssize_t __real_send(int fd, const void *bytes, size_t length, int flags);
ssize_t __wrap_send(int fd, const void *bytes, size_t length, int flags);
ssize_t __wrap_send(int fd, const void *bytes, size_t length, int flags)
{
	struct connection *connection = connection_of(fd);
	struct wire_message message;

	if (!world.running)
		return __real_send(fd, bytes, length, flags);
	count_call();
	holds(connection && !connection->blocking && (flags & MSG_NOSIGNAL) && fd > 2);
	holds(wire_parse(bytes, length, &message) && wire_kind(&message, "op"));
	if (connection->broken || at_end(connection)) {
		errno = EPIPE;
		return -1;
	}
	if (letter('w') && world.now_ms < CONNECTION_TIME_MS + 50) {
		errno = EAGAIN; /* the peer does not read */
		return -1;
	}
	take_question(connection, bytes, length);
	return (ssize_t)length;
}

static void note_answer(const struct connection *connection, const struct event *event)
{
	bool redeem = connection->script == &world.redeem;
	struct wire_message message;

	if (connection->script == &world.answer && wire_parse(event->bytes, event->length, &message) &&
	    wire_kind(&message, "status"))
		world.room_done = strcmp(wire_kind(&message, "status"), "done") == 0;
	if ((!redeem && connection->script != &world.standing) || event->length > WIRE_MAX)
		return;
	memcpy(redeem ? world.answered : world.stood, event->bytes, event->length);
	*(redeem ? &world.answered_length : &world.stood_length) = event->length;
}

ssize_t __real_recvmsg(int fd, struct msghdr *header, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *header, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *header, int flags)
{
	struct connection *connection = connection_of(fd);
	const struct event *event;
	size_t length;

	if (!world.running)
		return __real_recvmsg(fd, header, flags);
	count_call();
	holds(connection && header->msg_iovlen == 1 && header->msg_controllen == 0 && (flags & MSG_DONTWAIT));
	event = happening(connection);
	if (at_end(connection) || (event && event->kind == EVENT_HANG_UP))
		return 0;
	if (!event || event->kind == EVENT_INTERRUPT) {
		errno = event ? EINTR : EAGAIN;
		if (event)
			advance(connection);
		return -1;
	}
	if (event->kind == EVENT_ERROR) {
		connection->broken = true;
		errno = ECONNRESET;
		return -1;
	}
	length = event->length < header->msg_iov[0].iov_len ? event->length : header->msg_iov[0].iov_len;
	memcpy(header->msg_iov[0].iov_base, event->bytes, length);
	header->msg_flags = length < event->length ? MSG_TRUNC : 0;
	note_answer(connection, event);
	advance(connection);
	return (ssize_t)length;
}

/* What poll() says of one descriptor. */
static short readiness(const struct pollfd *asked)
{
	struct connection *connection = connection_of(asked->fd);
	const struct event *event;

	if (asked->fd == CLIENT_FD)
		return world.client_gone ? POLLRDHUP : 0;
	if (!connection)
		return POLLNVAL;
	if (asked->events & POLLOUT)
		return world.now_ms < CONNECTION_TIME_MS + 50 ? 0 : POLLOUT;
	event = happening(connection);
	if (at_end(connection))
		return POLLIN | POLLHUP;
	if (!event)
		return 0;
	return event->kind == EVENT_PACKET || event->kind == EVENT_INTERRUPT ? POLLIN : POLLIN | POLLHUP;
}

static int ready_ones(struct pollfd *fds, nfds_t count)
{
	int ready = 0;

	for (nfds_t i = 0; i < count; i++) {
		fds[i].revents = readiness(&fds[i]);
		ready += fds[i].revents != 0;
	}
	return ready;
}

/* The next moment at which anything may change. */
static int64_t next_moment(const struct pollfd *fds, nfds_t count, int64_t until_ms)
{
	for (nfds_t i = 0; i < count; i++) {
		const struct connection *connection = connection_of(fds[i].fd);

		if (fds[i].events & POLLOUT)
			return world.now_ms + 10 < until_ms ? world.now_ms + 10 : until_ms;
		if (connection && connection->script && connection->next < connection->script->count &&
		    connection->due_ms < until_ms)
			until_ms = connection->due_ms;
	}
	return until_ms;
}

int __real_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	int64_t until_ms = world.now_ms + timeout_ms;
	int ready;

	if (!world.running)
		return __real_poll(fds, count, timeout_ms);
	count_call();
	holds(timeout_ms >= 0, "the module would wait for ever");
	if (letter('i') && world.calls % 3 == 0) {
		errno = EINTR;
		return -1;
	}
	while ((ready = ready_ones(fds, count)) == 0 && world.now_ms < until_ms)
		world.now_ms = next_moment(fds, count, until_ms);
	return ready;
}

int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_close(int fd)
{
	struct connection *connection = connection_of(fd);

	if (!world.running)
		return __real_close(fd);
	count_call();
	if (fd == TITLE_FD || fd == STAT_FD) {
		holds(world.files-- > 0);
		return 0;
	}
	holds(connection, "descriptor %d is closed, which the module does not own", fd);
	connection->fd = 0;
	return 0;
}

int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...)
{
	struct connection *connection = connection_of(fd);
	va_list arguments;
	void *anything;
	int argument;

	va_start(arguments, command);
	anything = va_arg(arguments, void *); /* as libc does */
	va_end(arguments);
	if (!world.running)
		return __real_fcntl(fd, command, anything);
	argument = (int)(intptr_t)anything;
	count_call();
	holds(connection);
	if (command == F_SETFL) {
		holds(argument == 0 || argument == O_NONBLOCK);
		connection->blocking = argument == 0;
		return 0;
	}
	holds(command == F_DUPFD_CLOEXEC && argument == 3);
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		if (world.connections[i].fd != 0)
			continue;
		if (fuzz_next_fails())
			return -1;
		world.connections[i] = *connection;
		world.connections[i].fd = 1 + FIRST_FD + (int)i;
		return FIRST_FD + (int)i;
	}
	errno = EMFILE;
	return -1;
}

int __real_setsockopt(int fd, int level, int option, const void *value, socklen_t size);
int __wrap_setsockopt(int fd, int level, int option, const void *value, socklen_t size);
int __wrap_setsockopt(int fd, int level, int option, const void *value, socklen_t size)
{
	const struct timeval *timeout = value;
	struct connection *connection = connection_of(fd);

	if (!world.running)
		return __real_setsockopt(fd, level, option, value, size);
	count_call();
	holds(connection && level == SOL_SOCKET && option == SO_SNDTIMEO && size == sizeof(*timeout));
	connection->timeout_ms = timeout->tv_sec * 1000 + timeout->tv_usec / 1000;
	return 0;
}

int __real_getsockopt(int fd, int level, int option, void *ret_value, socklen_t *size);
int __wrap_getsockopt(int fd, int level, int option, void *ret_value, socklen_t *size);
int __wrap_getsockopt(int fd, int level, int option, void *ret_value, socklen_t *size)
{
	int value = option == SO_DOMAIN ? (letter('6') ? AF_INET6 : AF_INET) : option == SO_TYPE ? SOCK_STREAM : 0;

	if (!world.running)
		return __real_getsockopt(fd, level, option, ret_value, size);
	if (fd != CLIENT_FD || !letter('t')) {
		errno = ENOTSOCK;
		return -1;
	}
	memcpy(ret_value, &value, sizeof(value));
	return 0;
}

int __real_getpeername(int fd, struct sockaddr *ret_address, socklen_t *size);
int __wrap_getpeername(int fd, struct sockaddr *ret_address, socklen_t *size);
int __wrap_getpeername(int fd, struct sockaddr *ret_address, socklen_t *size)
{
	struct sockaddr_in four = { .sin_family = AF_INET };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };

	if (!world.running)
		return __real_getpeername(fd, ret_address, size);
	if (world.client_gone) {
		errno = ENOTCONN;
		return -1;
	}
	(void)inet_pton(AF_INET, "192.0.2.7", &four.sin_addr);
	(void)inet_pton(AF_INET6, "2001:db8::7", &six.sin6_addr);
	if (letter('6'))
		memcpy(ret_address, &six, sizeof(six));
	else
		memcpy(ret_address, &four, sizeof(four));
	return 0;
}

/* ---- clocks and /proc ---- */

int __real_clock_gettime(clockid_t clock, struct timespec *ret_time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_time)
{
	if (!world.running)
		return __real_clock_gettime(clock, ret_time);
	*ret_time = (struct timespec){ world.now_ms / 1000, world.now_ms % 1000 * 1000000 };
	return 0;
}

time_t __real_time(time_t *ret_time);
time_t __wrap_time(time_t *ret_time);
time_t __wrap_time(time_t *ret_time)
{
	if (!world.running)
		return __real_time(ret_time);
	holds(!ret_time);
	return EPOCH_S + (time_t)((world.now_ms - CONNECTION_TIME_MS) / 1000);
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
	bool title = strcmp(path, "/proc/self/cmdline") == 0;
	va_list arguments;
	mode_t mode = 0;

	va_start(arguments, flags);
	if (flags & O_CREAT)
		mode = va_arg(arguments, mode_t);
	va_end(arguments);
	if (!world.running)
		return __real_open(path, flags, mode);
	count_call();
	holds(flags & O_CLOEXEC);
	holds(title || strcmp(path, "/proc/4242/stat") == 0, "%s", path);
	if (fuzz_next_fails() || (letter('T') && title)) {
		errno = ENOENT;
		return -1;
	}
	world.files++;
	return title ? TITLE_FD : STAT_FD;
}

ssize_t __real_read(int fd, void *bytes, size_t size);
ssize_t __wrap_read(int fd, void *bytes, size_t size);
ssize_t __wrap_read(int fd, void *bytes, size_t size)
{
	const char *text = fd == TITLE_FD ? world.title : world.stat;
	size_t length;

	if (!world.running)
		return __real_read(fd, bytes, size);
	count_call();
	length = strlen(text) < size ? strlen(text) : size;
	memcpy(bytes, text, length);
	return (ssize_t)length;
}

pid_t __real_getppid(void);
pid_t __wrap_getppid(void);
pid_t __wrap_getppid(void)
{
	if (!world.running)
		return __real_getppid();
	return letter('o') ? 1 : 4242;
}

/* Only there malloc_usable_size() is what was asked for, and no remains of others lie behind it. */
#if __has_feature(address_sanitizer)
#define SIZES_ARE_EXACT true
#else
#define SIZES_ARE_EXACT false
#endif

/* What is given back must not hold what was typed or a ticket any more. */
void __real_free(void *pointer);
void __wrap_free(void *pointer);
void __wrap_free(void *pointer)
{
	if (world.running && pointer) {
		size_t size = SIZES_ARE_EXACT ? malloc_usable_size(pointer) : 0;

		holds(!world.secrets_apart || !memmem(pointer, size, TICKET, strlen(TICKET)), "a ticket is left");
		holds(!world.secrets_apart || !memmem(pointer, size, TYPED, strlen(TYPED)), "what was typed is left");
		if (pointer == world.typed)
			world.typed = NULL;
	}
	__real_free(pointer);
}

/* ---- PAM ---- */

__attribute__((format(printf, 3, 0))) static void say(char *text, size_t *length, const char *format, va_list arguments)
{
	int n = vsnprintf(text + *length, SAID_MAX - *length, format, arguments);

	holds(n >= 0 && (size_t)n < SAID_MAX - *length - 1, "the module talks without end");
	*length += (size_t)n;
	text[(*length)++] = '\n';
	text[*length] = '\0';
}

int pam_get_item(const pam_handle_t *pamh, int item, const void **ret_item)
{
	(void)pamh;
	if (fuzz_next_fails())
		return PAM_BUF_ERR;
	*ret_item = item == PAM_SERVICE ? world.service
		    : item == PAM_TTY   ? world.tty
		    : item == PAM_RHOST ? world.rhost
					: NULL;
	if (letter('N') && item != PAM_SERVICE)
		*ret_item = NULL;
	return letter('I') ? PAM_BAD_ITEM : PAM_SUCCESS;
}

int pam_set_item(pam_handle_t *pamh, int item, const void *value)
{
	(void)pamh;
	if (fuzz_next_fails())
		return PAM_BUF_ERR;
	if (item == PAM_AUTHTOK) {
		holds(strlen(value) < sizeof(world.authtok) && !world.authtok[0]);
		(void)strcpy(world.authtok, value);
		return PAM_SUCCESS;
	}
	holds(item == PAM_USER && strlen(value) < sizeof(world.pam_user));
	(void)strcpy(world.pam_user, value);
	world.pam_user_set = true;
	return PAM_SUCCESS;
}

int pam_get_user(pam_handle_t *pamh, const char **ret_user, const char *prompt)
{
	(void)pamh, (void)prompt;
	if (letter('U') || fuzz_next_fails())
		return letter('C') ? PAM_CONV_AGAIN : letter('E') ? PAM_CONV_ERR : PAM_BUF_ERR;
	*ret_user = letter('0') ? NULL : world.pam_user_set ? world.pam_user : world.user;
	return PAM_SUCCESS;
}

bool world_is_text(const char *text)
{
	while (*text) {
		uint32_t point = 0;
		size_t length = utf8_decode(text, &point);

		if (length == 0 || utf8_is_control(point) || utf8_is_invisible(point))
			return false;
		text += length;
	}
	return true;
}

static char *environment_of(const char *setting)
{
	static const char *const names[] = { "USER", "LOGNAME", "PAM_OIDC_WELCOME", "OIDC_EMAIL", "OIDC_ROOM" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcspn(setting, "=") == strlen(names[i]) && strncmp(setting, names[i], strlen(names[i])) == 0)
			return world.environment[i];
	fuzz_broken(__FILE__, __LINE__, "only our variables are set", "%s", setting);
}

int pam_putenv(pam_handle_t *pamh, const char *setting)
{
	char *value = environment_of(setting);

	(void)pamh;
	if (fuzz_next_fails())
		return PAM_BUF_ERR;
	value[0] = '\0';
	if (strchr(setting, '=')) {
		holds(strlen(setting) < sizeof(world.environment[0]));
		(void)strcpy(value, strchr(setting, '=') + 1);
		holds(value[0] && world_is_text(value), "%s", setting);
	}
	return PAM_SUCCESS;
}

const char *pam_getenv(pam_handle_t *pamh, const char *name)
{
	const char *value = environment_of(name);

	(void)pamh;
	return value[0] ? value : NULL;
}

/* The person: one letter of the script for each text. */
int pam_prompt(pam_handle_t *pamh, int style, char **ret_response, const char *format, ...)
{
	size_t answers = strlen(world.conversation);
	char how = answers > 0 ? world.conversation[world.conversations % answers] : 'y';
	char number[2] = "";
	va_list arguments;

	(void)pamh;
	world.conversations++;
	if (ret_response)
		*ret_response = NULL;
	if (fuzz_next_fails())
		return PAM_BUF_ERR;
	va_start(arguments, format);
	say(world.screen, &world.screen_length, format, arguments);
	va_end(arguments);
	if (how == 'g' || how == 'G')
		world.client_gone = true;
	if (how == 's')
		world.now_ms += 7000; /* reads slowly */
	if (strstr(world.screen, "which room"))
		world.asked_room = true;
	if (how == 'f' || (how == 'p' && style == PAM_PROMPT_ECHO_ON))
		return PAM_CONV_ERR;
	holds((style == PAM_PROMPT_ECHO_ON || style == PAM_PROMPT_ECHO_OFF) == (ret_response != NULL));
	if (how == 'n' || !ret_response)
		return PAM_SUCCESS;
	number[0] = how >= '0' && how <= '9' ? how : how == 'G' ? '1' : '\0';
	*ret_response = strdup(number[0] || how == 'e' ? number : TYPED);
	world.typed = *ret_response;
	return *ret_response ? PAM_SUCCESS : PAM_BUF_ERR;
}

void pam_syslog(const pam_handle_t *pamh, int priority, const char *format, ...)
{
	va_list arguments;

	(void)pamh, (void)priority;
	va_start(arguments, format);
	say(world.log, &world.log_length, format, arguments);
	va_end(arguments);
}

struct passwd *pam_modutil_getpwnam(pam_handle_t *pamh, const char *user)
{
	static struct passwd entry;

	(void)pamh, (void)user;
	if (fuzz_next_fails() || !(letter('r') || letter('R')))
		return NULL;
	entry = (struct passwd){ .pw_uid = letter('R') ? 0 : ALICE_UID };
	return &entry;
}
