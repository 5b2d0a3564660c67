/*
 * Writes the daemons' log. Speaks the journal's native protocol itself (one datagram of KEY=value lines), because libsystemd
 * would bring four compression libraries into a root process for these few lines.
 */
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "common/cleanup.h"

#define LINE_MAX_BYTES 2048
#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define SYSLOG_SOCKET "/dev/log"

static struct {
	const char *identifier;
	int journal; /* -1 when there is none */
	bool syslog;
	bool debug;
	void (*diverted)(int priority, const char *line);
} sink = { .identifier = "pam_oidc", .journal = -1 };

static int open_journal(void)
{
	static const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET };
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		return -1;
	return take_fd(&fd);
}

/* Whether a syslog daemon listens: openlog(3) alone would lose every message silently. */
static bool syslog_listens(void)
{
	static const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = SYSLOG_SOCKET };
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
}

void log_open(const char *identifier, enum log_target target, bool debug)
{
	if (sink.journal >= 0)
		(void)close(sink.journal);
	sink.identifier = identifier;
	sink.debug = debug;
	sink.journal = target == LOG_TO_AUTO && !isatty(STDERR_FILENO) ? open_journal() : -1;
	sink.syslog = target == LOG_TO_AUTO && sink.journal < 0 && !isatty(STDERR_FILENO) && syslog_listens();
	if (sink.syslog)
		openlog(identifier, LOG_PID | LOG_NDELAY, LOG_AUTHPRIV);
}

void log_divert(void (*write_line)(int priority, const char *line))
{
	sink.diverted = write_line;
}

/* Copies with every byte that is not printable ASCII escaped; cuts at the end of the room. */
static void escape(const char *text, char *ret_line, size_t room)
{
	size_t n = 0;

	for (; *text && n + 5 < room; text++) {
		unsigned char c = (unsigned char)*text;

		if (c >= 0x20 && c < 0x7f) {
			ret_line[n++] = (char)c;
			continue;
		}
		(void)snprintf(ret_line + n, room - n, "\\x%02x", c);
		n += 4;
	}
	ret_line[n] = '\0';
}

static void to_journal(int priority, const struct log_field *fields, const char *line)
{
	char packet[2 * LINE_MAX_BYTES];
	size_t room = sizeof(packet);
	int n = snprintf(packet, room, "PRIORITY=%d\nSYSLOG_FACILITY=%d\nSYSLOG_IDENTIFIER=%s\nMESSAGE=%s\n", priority,
			 LOG_FAC(LOG_AUTHPRIV), sink.identifier, line);
	size_t used = n < 0 || (size_t)n >= room ? 0 : (size_t)n;

	for (; used > 0 && fields && fields->name; fields++) {
		char value[512];

		if (!fields->value)
			continue;
		escape(fields->value, value, sizeof(value));
		n = snprintf(packet + used, room - used, "%s=%s\n", fields->name, value);
		if (n < 0 || (size_t)n >= room - used)
			break;
		used += (size_t)n;
	}
	(void)send(sink.journal, packet, used, MSG_NOSIGNAL);
}

static void to_stderr(int priority, const char *line)
{
	static const char *const words[] = {
		[LOG_ERR] = "error: ", [LOG_WARNING] = "warning: ", [LOG_NOTICE] = "", [LOG_INFO] = "", [LOG_DEBUG] = "debug: ",
	};

	(void)fprintf(stderr, "%s: %s%s\n", sink.identifier,
		      priority >= LOG_ERR && priority <= LOG_DEBUG ? words[priority] : "", line);
}

void log_event(int priority, const struct log_field *fields, const char *format, ...)
{
	char text[LINE_MAX_BYTES / 2], line[LINE_MAX_BYTES];
	int saved = errno;
	va_list arguments;

	if (priority == LOG_DEBUG && !sink.debug)
		return;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	escape(text, line, sizeof(line));
	if (sink.diverted)
		sink.diverted(priority, line);
	else if (sink.journal >= 0)
		to_journal(priority, fields, line);
	else if (sink.syslog)
		syslog(priority, "%s", line);
	else
		to_stderr(priority, line);
	errno = saved;
}
