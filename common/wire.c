/*
 * Builds, checks and carries messages. See wire.h. Nothing here allocates, logs or keeps state, so that it can live
 * inside any application that loads the modules.
 */
#include "common/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>

#include "common/cleanup.h"

static bool key_starts(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool key_goes_on(char c)
{
	return key_starts(c) || (c >= '0' && c <= '9') || c == '_';
}

/* The length of the key that the field begins with, or 0 when it has none. */
static size_t key_length(const char *field)
{
	size_t n = 0;

	if (!key_starts(field[0]))
		return 0;
	while (key_goes_on(field[n]))
		n++;
	return field[n] == '=' ? n : 0;
}

/* The value when the field has just this key, else NULL. */
static const char *field_value(const char *field, const char *key)
{
	size_t n = strlen(key);

	return strncmp(field, key, n) == 0 && field[n] == '=' ? field + n + 1 : NULL;
}

static void append(struct wire_writer *writer, const char *bytes, size_t length)
{
	if (writer->failed || length > writer->capacity - writer->length) {
		writer->failed = true;
		return;
	}
	memcpy(writer->buffer + writer->length, bytes, length);
	writer->length += length;
}

void wire_put(struct wire_writer *writer, const char *key, const char *value)
{
	if (!value)
		return;
	append(writer, key, strlen(key));
	append(writer, "=", 1);
	append(writer, value, strlen(value) + 1);
}

void wire_begin(struct wire_writer *writer, char *buffer, size_t capacity, const char *kind, const char *value)
{
	*writer = (struct wire_writer){
		.buffer = buffer,
		.capacity = capacity < WIRE_MAX ? capacity : WIRE_MAX,
	};
	wire_put(writer, kind, value);
}

void wire_putf(struct wire_writer *writer, const char *key, const char *format, ...)
{
	size_t space;
	va_list arguments;
	int n;

	append(writer, key, strlen(key));
	append(writer, "=", 1);
	if (writer->failed)
		return;
	space = writer->capacity - writer->length;
	va_start(arguments, format);
	n = vsnprintf(writer->buffer + writer->length, space, format, arguments);
	va_end(arguments);
	if (n < 0 || (size_t)n >= space) {
		writer->failed = true;
		return;
	}
	writer->length += (size_t)n + 1;
}

void wire_put_number(struct wire_writer *writer, const char *key, long long value)
{
	wire_putf(writer, key, "%lld", value);
}

bool wire_parse(const char *bytes, size_t length, struct wire_message *ret_message)
{
	if (length == 0 || length > WIRE_MAX || bytes[length - 1] != '\0')
		return false;
	for (size_t at = 0; at < length; at += strlen(bytes + at) + 1)
		if (key_length(bytes + at) == 0)
			return false;
	if (!field_value(bytes, "op") && !field_value(bytes, "status"))
		return false;
	/* Two messages in one packet. */
	for (size_t at = strlen(bytes) + 1; at < length; at += strlen(bytes + at) + 1)
		if (field_value(bytes + at, bytes[0] == 'o' ? "op" : "status"))
			return false;
	*ret_message = (struct wire_message){ .bytes = bytes, .length = length };
	return true;
}

const char *wire_kind(const struct wire_message *message, const char *kind)
{
	return field_value(message->bytes, kind);
}

const char *wire_next(const struct wire_message *message, const char *key, size_t *cursor)
{
	while (*cursor < message->length) {
		const char *field = message->bytes + *cursor;
		const char *value = field_value(field, key);

		*cursor += strlen(field) + 1;
		if (value)
			return value;
	}
	return NULL;
}

const char *wire_get(const struct wire_message *message, const char *key)
{
	size_t cursor = 0;
	const char *value = wire_next(message, key, &cursor);

	return value && !wire_next(message, key, &cursor) ? value : NULL;
}

bool wire_has(const struct wire_message *message, const char *key)
{
	size_t cursor = 0;

	return wire_next(message, key, &cursor) != NULL;
}

bool wire_get_number(const struct wire_message *message, const char *key, long long min, long long max,
		     long long *ret_value)
{
	const char *text = wire_get(message, key);
	char *end;
	long long value;

	if (!text || !((text[0] >= '0' && text[0] <= '9') || (text[0] == '-' && text[1] >= '0' && text[1] <= '9')))
		return false;
	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno != 0 || *end != '\0' || value < min || value > max)
		return false;
	*ret_value = value;
	return true;
}

bool wire_get_id(const struct wire_message *message, const char *key, uint32_t *ret_id)
{
	long long value;

	/* The highest value stands for "no id" in chown(2) and setresuid(2). */
	if (!wire_get_number(message, key, 0, (long long)UINT32_MAX - 1, &value))
		return false;
	*ret_id = (uint32_t)value;
	return true;
}

int64_t wire_now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits until the descriptor is ready. 0, -ETIMEDOUT or -errno. */
static int wait_ready(int fd, short events, int64_t deadline_ms)
{
	for (;;) {
		struct pollfd ready = { .fd = fd, .events = events };
		int64_t left = deadline_ms - wire_now_ms();
		int n;

		if (left < 0)
			left = 0;
		n = poll(&ready, 1, left > INT_MAX ? INT_MAX : (int)left);
		if (n > 0)
			return 0;
		if (n == 0 && wire_now_ms() >= deadline_ms)
			return -ETIMEDOUT;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

/* One try, which waits in the queue before a full backlog; with nothing left to wait it does not. 0 or -errno. */
static int connect_within(int fd, const struct sockaddr_un *address, int64_t left_ms)
{
	const struct timeval patience = { .tv_sec = (time_t)(left_ms / 1000),
					  .tv_usec = (suseconds_t)(left_ms % 1000 * 1000) };
	int flags = left_ms > 0 ? 0 : O_NONBLOCK;

	if (fcntl(fd, F_SETFL, flags) != 0 ||
	    (left_ms > 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) != 0))
		return -errno;
	return connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ? 0 : -errno;
}

int wire_connect(const char *path, int64_t deadline_ms)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_fd_ int fd = -1;
	size_t length = strlen(path);
	int connected;

	if (length >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, length);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* Whoever tries again and again instead never has a turn while others wait in the queue. */
	do
		connected = connect_within(fd, &address, deadline_ms - wire_now_ms());
	while (connected == -EINTR);
	if (connected == -EAGAIN)
		return -ETIMEDOUT;
	if (connected != 0)
		return connected;
	return fcntl(fd, F_SETFL, O_NONBLOCK) == 0 ? take_fd(&fd) : -errno;
}

int wire_send(int fd, const struct wire_writer *writer, int64_t deadline_ms)
{
	if (writer->failed)
		return -EMSGSIZE;
	while (send(fd, writer->buffer, writer->length, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		int waited;

		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -errno;
		waited = wait_ready(fd, POLLOUT, deadline_ms);
		if (waited < 0)
			return waited;
	}
	return 0;
}

ssize_t wire_receive(int fd, char *buffer, size_t capacity, int64_t deadline_ms)
{
	for (;;) {
		struct iovec part = { .iov_base = buffer, .iov_len = capacity };
		/* Without room for control data the kernel drops passed descriptors. */
		struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
		ssize_t n = recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		int waited;

		if (n >= 0)
			return header.msg_flags & MSG_TRUNC ? -EMSGSIZE : n;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN || deadline_ms == 0)
			return -errno;
		waited = wait_ready(fd, POLLIN, deadline_ms);
		if (waited < 0)
			return waited;
	}
}

int wire_ask(int fd, const struct wire_writer *question, char *buffer, size_t capacity, int64_t deadline_ms,
	     struct wire_message *ret_answer)
{
	int sent = wire_send(fd, question, deadline_ms);
	ssize_t n;

	if (sent < 0)
		return sent;
	n = wire_receive(fd, buffer, capacity, deadline_ms);
	if (n < 0)
		return (int)n;
	if (n == 0)
		return -ECONNRESET;
	return wire_parse(buffer, (size_t)n, ret_answer) ? 0 : -EPROTO;
}
