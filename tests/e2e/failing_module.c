/*
 * For tests of the module inside a real PAM application (LD_PRELOAD): the n-th call that pam_oidc.so makes to libc or
 * libpam fails, and no other. Only calls that can fail are here; those of other callers pass.
 */
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <security/pam_modutil.h>

extern void *__libc_malloc(size_t size);

/* Not in libc's headers: what fortified callers call. */
int __poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t size);

static bool watching;
static unsigned countdown; /* 0: nothing fails */
static unsigned made;

/* Lets the n-th call from now on fail; 0: none. */
void failing_arm(unsigned n);
/* How many calls were made since. */
unsigned failing_made(void);

void failing_arm(unsigned n)
{
	watching = true;
	countdown = n;
	made = 0;
}

unsigned failing_made(void)
{
	return made;
}

static bool fails(const void *caller)
{
	Dl_info from;

	if (!watching || !dladdr(caller, &from) || !from.dli_fname || !strstr(from.dli_fname, "/pam_oidc.so"))
		return false;
	made++;
	return countdown > 0 && --countdown == 0;
}

#define FAILS() fails(__builtin_extract_return_addr(__builtin_return_address(0)))

/* ISO C has no conversion from dlsym's result to a function. */
static void next(const char *name, void *ret_function)
{
	void *found = dlsym(RTLD_NEXT, name);

	if (!found)
		abort();
	memcpy(ret_function, &found, sizeof(found));
}

/* The definition of a function that returns `failure` and sets errno, or calls the real one. */
#define FAILING(type, name, failure, error, parameters, arguments) \
	type name parameters                                       \
	{                                                          \
		type(*real) parameters;                            \
                                                                   \
		if (FAILS()) {                                     \
			errno = error;                             \
			return failure;                            \
		}                                                  \
		next(#name, &real);                                \
		return real arguments;                             \
	}

void *malloc(size_t size)
{
	if (FAILS()) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_malloc(size);
}

FAILING(int, socket, -1, EMFILE, (int domain, int type, int protocol), (domain, type, protocol))
FAILING(int, connect, -1, EAGAIN, (int fd, const struct sockaddr *address, socklen_t length), (fd, address, length))
FAILING(ssize_t, send, -1, EPIPE, (int fd, const void *bytes, size_t length, int flags), (fd, bytes, length, flags))
FAILING(ssize_t, recvmsg, -1, ECONNRESET, (int fd, struct msghdr *message, int flags), (fd, message, flags))
FAILING(int, __poll_chk, -1, ENOMEM, (struct pollfd * fds, nfds_t count, int timeout, size_t size),
	(fds, count, timeout, size))
FAILING(int, poll, -1, ENOMEM, (struct pollfd * fds, nfds_t count, int timeout), (fds, count, timeout))
FAILING(int, clock_gettime, -1, EINVAL, (clockid_t clock, struct timespec *ret_time), (clock, ret_time))
FAILING(int, pam_get_user, PAM_BUF_ERR, ENOMEM, (pam_handle_t * pamh, const char **ret_user, const char *prompt),
	(pamh, ret_user, prompt))
FAILING(int, pam_get_item, PAM_SYSTEM_ERR, ENOMEM, (const pam_handle_t *pamh, int item, const void **ret_item),
	(pamh, item, ret_item))
FAILING(int, pam_set_item, PAM_BUF_ERR, ENOMEM, (pam_handle_t * pamh, int item, const void *value), (pamh, item, value))
FAILING(int, pam_putenv, PAM_BUF_ERR, ENOMEM, (pam_handle_t * pamh, const char *assignment), (pamh, assignment))
FAILING(struct passwd *, pam_modutil_getpwnam, NULL, ENOMEM, (pam_handle_t * pamh, const char *user), (pamh, user))

int pam_prompt(pam_handle_t *pamh, int style, char **ret_response, const char *format, ...)
{
	int (*real)(pam_handle_t *, int, char **, const char *, va_list);
	va_list arguments;
	int result;

	if (FAILS())
		return PAM_BUF_ERR;
	next("pam_vprompt", &real);
	va_start(arguments, format);
	result = real(pamh, style, ret_response, format, arguments);
	va_end(arguments);
	return result;
}
