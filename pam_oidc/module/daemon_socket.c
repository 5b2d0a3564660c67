/*
 * Connects to the daemons. See daemon_socket.h.
 */
#include "pam_oidc/module/daemon_socket.h"

#include <errno.h>
#include <fcntl.h>

#include "common/cleanup.h"
#include "common/wire.h"

int daemon_connect(const char *path, int64_t deadline_ms)
{
	_cleanup_fd_ int fd = wire_connect(path, deadline_ms);
	int above;

	if (fd < 0 || fd > STDERR_FILENO)
		return take_fd(&fd);
	above = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return above >= 0 ? above : -errno;
}
