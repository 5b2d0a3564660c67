/*
 * Reads /proc about this process and its parent. See sshd_process.h.
 */
#include "pam_oidc/module/sshd_process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "common/cleanup.h"

#ifndef OWN_TITLE
#define OWN_TITLE "/proc/self/cmdline"
#endif

/* Reads the beginning of a file of /proc as text. */
static bool read_text(const char *path, char *ret_text, size_t size)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	do
		n = read(fd, ret_text, size - 1);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return false;
	ret_text[n] = '\0';
	return true;
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

enum sshd_process sshd_process_of_title(const char *title)
{
	if (ends_with(title, " [pam]"))
		return SSHD_PAM_CHILD;
	return ends_with(title, " [priv]") ? SSHD_MONITOR : SSHD_UNKNOWN;
}

enum sshd_process sshd_process_here(void)
{
	char title[1024];

	/* The title ends at the first NUL; the rest is what it has overwritten. */
	return read_text(OWN_TITLE, title, sizeof(title)) ? sshd_process_of_title(title) : SSHD_UNKNOWN;
}

bool sshd_starttime_in_stat(const char *stat, unsigned long long *ret_starttime)
{
	/* The second field, the command's name, may hold anything, so count from its closing parenthesis: starttime is
	 * field 22, and the third follows the parenthesis. */
	const char *at = strrchr(stat, ')');
	unsigned long long starttime;
	char *end;

	for (int field = 2; at && field < 22; field++) {
		at = strchr(at, ' ');
		if (at)
			at++;
	}
	if (!at || *at < '0' || *at > '9')
		return false;
	errno = 0;
	starttime = strtoull(at, &end, 10);
	if (errno != 0 || (*end != ' ' && *end != '\n' && *end != '\0'))
		return false;
	*ret_starttime = starttime;
	return true;
}

bool sshd_connection_key(char *ret_key, size_t size)
{
	pid_t parent = getppid();
	unsigned long long starttime;
	char path[64], stat[1024];
	int n;

	/* Adopted by init: the connection's monitor has gone. */
	if (parent <= 1)
		return false;
	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)parent);
	if (!read_text(path, stat, sizeof(stat)) || !sshd_starttime_in_stat(stat, &starttime))
		return false;
	n = snprintf(ret_key, size, "%ld:%llu", (long)parent, starttime);
	return n > 0 && (size_t)n < size;
}
