/*
 * Messages between the modules, the daemons and the tools: one SOCK_SEQPACKET packet is one message.
 *
 * A message is a sequence of NUL-terminated `key=value` fields, at most WIRE_MAX bytes in all; its first field is `op=`
 * (a request) or `status=` (an answer). Keys are [a-z][a-z0-9_]*, values any bytes but NUL. A key may stand more than
 * once only where the operation says so. Needs libc only, allocates nothing and keeps no state: it is loaded into sshd.
 */
#ifndef COMMON_WIRE_H
#define COMMON_WIRE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define WIRE_MAX ((size_t)64 * 1024)

#ifndef PAM_OIDC_SOCKET
#define PAM_OIDC_SOCKET "/run/pam_oidc/socket"
#endif
#ifndef PROVISIOND_SOCKET
#define PROVISIOND_SOCKET "/run/provisiond/socket"
#endif

/* Builds a message in memory that the caller owns. Once something did not fit, `failed` stays set. */
struct wire_writer {
	char *buffer;
	size_t capacity;
	size_t length;
	bool failed;
};

/* Starts a message with its first field; kind is "op" or "status". */
void wire_begin(struct wire_writer *writer, char *buffer, size_t capacity, const char *kind, const char *value);
/* Appends a field. A NULL value appends nothing. */
void wire_put(struct wire_writer *writer, const char *key, const char *value);
void wire_putf(struct wire_writer *writer, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void wire_put_number(struct wire_writer *writer, const char *key, long long value);

/* A received message; points into the receiver's buffer and lives as long as that does. */
struct wire_message {
	const char *bytes;
	size_t length;
};

/* Checks the whole shape first. False when the bytes are no message: cut, empty, without NUL, with a malformed key,
 * not starting with op= or status=, or with a second such field. */
bool wire_parse(const char *bytes, size_t length, struct wire_message *ret_message);

/* The value of the first field when it is `kind` ("op" or "status"), else NULL. */
const char *wire_kind(const struct wire_message *message, const char *kind);
/* The value of a field that stands exactly once; NULL when it is missing or stands twice. */
const char *wire_get(const struct wire_message *message, const char *key);
/* Whether the field stands there at all. One that may be missing must not count as missing when it stands twice. */
bool wire_has(const struct wire_message *message, const char *key);
/* The next value of a repeatable key, or NULL. Start with *cursor = 0. */
const char *wire_next(const struct wire_message *message, const char *key, size_t *cursor);
/* Whole decimal numbers within [min, max]; false when missing, doubled, malformed or out of range. */
bool wire_get_number(const struct wire_message *message, const char *key, long long min, long long max,
		     long long *ret_value);
bool wire_get_id(const struct wire_message *message, const char *key, uint32_t *ret_id);

/* Milliseconds of CLOCK_BOOTTIME, which goes on while the machine sleeps. Deadlines below are such values. */
int64_t wire_now_ms(void);

/* Connects without ever blocking past the deadline; until then it waits its turn where the server has a full backlog.
 * Returns the descriptor (CLOEXEC, non-blocking) or -errno. */
int wire_connect(const char *path, int64_t deadline_ms);
/* Sends a finished message. Returns 0 or -errno (-ETIMEDOUT at the deadline, -EMSGSIZE when it did not fit). Raises no
 * SIGPIPE. */
int wire_send(int fd, const struct wire_writer *writer, int64_t deadline_ms);
/* Receives one packet. Returns its length, 0 when the peer closed, or -errno: -ETIMEDOUT at the deadline, -EAGAIN when
 * deadline_ms is 0 and nothing is there, -EMSGSIZE when the packet was longer than the buffer. Passed descriptors are
 * discarded. */
ssize_t wire_receive(int fd, char *buffer, size_t capacity, int64_t deadline_ms);
/* Sends, receives and parses; 0 or -errno (-EPROTO when the answer is no message, -ECONNRESET when the peer closed). */
int wire_ask(int fd, const struct wire_writer *question, char *buffer, size_t capacity, int64_t deadline_ms,
	     struct wire_message *ret_answer);

#endif
