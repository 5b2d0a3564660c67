/*
 * Takes a secret over. What was read on the way is wiped.
 */
#include "provisiond/ctl/setup/secret_source.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "provisiond/ctl/setup/interruption.h"

#define SECRET_MAX ((size_t)16 * 1024)

static bool failed(const char *path, const char *what, char fault[static COMPANY_FAULT_MAX])
{
	(void)snprintf(fault, COMPANY_FAULT_MAX, "%.500s %s.", strcmp(path, "-") == 0 ? "standard input" : path, what);
	return false;
}

static bool read_all(int fd, char buffer[static SECRET_MAX], size_t *ret_length, const char **ret_what)
{
	size_t length = 0;

	while (length < SECRET_MAX) {
		struct pollfd fds[] = {
			{ .fd = fd, .events = POLLIN },
			{ .fd = interruption_fd(), .events = POLLIN },
		};
		ssize_t n;

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return false;
		if (fds[1].revents) {
			*ret_what = "was not read to its end";
			return false;
		}
		n = read(fd, buffer + length, SECRET_MAX - length);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0) {
			*ret_what = strerror(errno);
			return false;
		}
		if (n == 0) {
			*ret_length = length;
			return true;
		}
		length += (size_t)n;
	}
	*ret_what = "is too large to be right";
	return false;
}

static bool open_file(const char *path, int *ret_fd, bool *ret_exposed, char fault[static COMPANY_FAULT_MAX])
{
	struct stat st;
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0 || fstat(fd, &st) != 0) {
		char what[256];

		(void)snprintf(what, sizeof(what), "cannot be read: %s", strerror(errno));
		return failed(path, what, fault);
	}
	/* The shell's <(command) is a FIFO. */
	if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode))
		return failed(path, "is not a file", fault);
	*ret_exposed = S_ISREG(st.st_mode) && (st.st_mode & S_IROTH);
	*ret_fd = take_fd(&fd);
	return true;
}

bool secret_source_read(const char *path, struct secret *ret_secret, bool *ret_exposed,
			char ret_fault[static COMPANY_FAULT_MAX])
{
	char buffer[SECRET_MAX];
	_cleanup_fd_ int fd = -1;
	bool exposed = false, good;
	size_t length = 0;
	const char *what = "cannot be read";

	if (strcmp(path, "-") == 0 && isatty(STDIN_FILENO))
		return failed(path, "is the terminal, which would show it. Without that option it is asked for",
			      ret_fault);
	if (strcmp(path, "-") != 0 && !open_file(path, &fd, &exposed, ret_fault))
		return false;
	good = read_all(fd < 0 ? STDIN_FILENO : fd, buffer, &length, &what);
	while (good && length > 0 && strchr("\r\n", buffer[length - 1]))
		length--;
	if (good && length == 0) {
		good = false;
		what = "is empty";
	}
	if (good && secret_from_bytes(buffer, length, ret_secret) != 0) {
		good = false;
		what = "does not fit into memory";
	}
	explicit_bzero(buffer, sizeof(buffer));
	if (!good)
		return failed(path, what, ret_fault);
	*ret_exposed = exposed;
	return true;
}
