/*
 * Opens files without following a link, then judges owner, mode and size of what was opened.
 */
#include "common/trusted_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"

static bool failed(char *fault, size_t size, const char *what)
{
	(void)snprintf(fault, size, "%s", what);
	return false;
}

static bool failed_errno(char *fault, size_t size, const char *what, int error)
{
	(void)snprintf(fault, size, "%s: %s", what, strerror(error));
	return false;
}

static bool open_regular(const char *path, size_t max_bytes, int *ret_fd, struct stat *ret_st, char *fault, size_t size)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 && errno == ELOOP)
		return failed(fault, size, "is a symbolic link; name the file itself");
	if (fd < 0)
		return failed_errno(fault, size, "cannot be opened", errno);
	if (fstat(fd, ret_st) != 0)
		return failed_errno(fault, size, "cannot be examined", errno);
	if (!S_ISREG(ret_st->st_mode))
		return failed(fault, size, "is not a regular file");
	if (ret_st->st_size < 0 || (size_t)ret_st->st_size > max_bytes)
		return failed(fault, size, "is too large to be right");
	*ret_fd = take_fd(&fd);
	return true;
}

/* Reads to the end, one byte past the limit at most; the buffer is NUL-terminated. */
static bool read_text(int fd, size_t max_bytes, char *buffer, size_t *ret_length, char *fault, size_t size)
{
	size_t length = 0;

	while (length <= max_bytes) {
		ssize_t n = read(fd, buffer + length, max_bytes + 1 - length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return failed_errno(fault, size, "cannot be read", errno);
		if (n == 0)
			break;
		length += (size_t)n;
	}
	if (length > max_bytes)
		return failed(fault, size, "is too large to be right");
	buffer[length] = '\0';
	if (memchr(buffer, '\0', length))
		return failed(fault, size, "holds a NUL byte; it must be plain text");
	*ret_length = length;
	return true;
}

bool trusted_file_read(const char *path, size_t max_bytes, char **ret_text, char *fault, size_t fault_size)
{
	_cleanup_fd_ int fd = -1;
	_cleanup_free_ char *text = NULL;
	struct stat st;
	size_t length;

	if (!open_regular(path, max_bytes, &fd, &st, fault, fault_size))
		return false;
	if (st.st_uid != 0)
		return failed(fault, fault_size, "must belong to root (chown root)");
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return failed(fault, fault_size, "must not be writable by group or others (chmod go-w)");
	text = malloc(max_bytes + 2);
	if (!text)
		return failed(fault, fault_size, "cannot be read: out of memory");
	if (!read_text(fd, max_bytes, text, &length, fault, fault_size))
		return false;
	*ret_text = take_pointer(text);
	return true;
}

static bool secret_kept(const struct stat *st, uid_t owner, gid_t group, char *fault, size_t size)
{
	mode_t shared = st->st_mode & (S_IRWXG | S_IRWXO);

	if (st->st_uid != 0 && st->st_uid != owner)
		return failed(fault, size, "must belong to root or _pam_oidc (chown)");
	if (shared & (S_IRWXO | S_IWGRP | S_IXGRP))
		return failed(fault, size, "must not be open to others (chmod 0640, or 0600)");
	if ((shared & S_IRGRP) && st->st_gid != group && st->st_gid != 0)
		return failed(fault, size, "must be readable by no group but _pam_oidc (chgrp _pam_oidc)");
	return true;
}

bool trusted_file_read_secret(const char *path, size_t max_bytes, uid_t owner, gid_t group, struct secret *ret_secret,
			      char *fault, size_t fault_size)
{
	_cleanup_fd_ int fd = -1;
	_cleanup_secret_ struct secret room = { 0 };
	struct stat st;
	size_t length;

	if (!open_regular(path, max_bytes, &fd, &st, fault, fault_size) ||
	    !secret_kept(&st, owner, group, fault, fault_size))
		return false;
	room = (struct secret){ .bytes = calloc(1, max_bytes + 2), .length = max_bytes + 1 };
	if (!room.bytes)
		return failed(fault, fault_size, "cannot be read: out of memory");
	if (!read_text(fd, max_bytes, room.bytes, &length, fault, fault_size))
		return false;
	while (length > 0 && (room.bytes[length - 1] == '\n' || room.bytes[length - 1] == '\r'))
		length--;
	if (length == 0)
		return failed(fault, fault_size, "is empty");
	if (secret_from_bytes(room.bytes, length, ret_secret) != 0)
		return failed(fault, fault_size, "cannot be read: out of memory");
	return true;
}
