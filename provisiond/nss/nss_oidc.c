/*
 * The story of one lookup: is this sshd, can the name be one of ours, what does provisiond say. Loaded into other
 * people's programs, so: libc only, no memory of its own beyond one number, no signals, no log, errno as it was.
 */
#include "provisiond/nss/nss_oidc.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/names.h"
#include "common/wire.h"
#include "provisiond/nss/entry.h"
#include "provisiond/nss/gate.h"
#include "provisiond/nss/groups.h"

#define PATIENCE_MS 250
#define QUESTION_MAX 512 /* an email has at most 318 bytes */

/* What is left of the time that this process waits for a silent provisiond. Children inherit it, so that one sign-in,
 * which is several processes of sshd, is held up once. */
static atomic_int patience_ms = PATIENCE_MS;

static bool is_email(const char *name)
{
	struct email email;

	return email_parse(name, &email);
}

/* Sends the question and takes the answer. 0 or -errno. */
static int ask_before(const char *name, int64_t deadline_ms, char *buffer, size_t size, struct wire_message *ret_answer)
{
	char question[QUESTION_MAX];
	struct wire_writer writer;
	_cleanup_fd_ int fd = wire_connect(PROVISIOND_SOCKET, deadline_ms);

	if (fd < 0)
		return fd;
	wire_begin(&writer, question, sizeof(question), "op", "lookup");
	wire_put(&writer, "name", name);
	wire_put(&writer, "purpose", "nss");
	wire_put(&writer, "service", "sshd");
	return wire_ask(fd, &writer, buffer, size, deadline_ms, ret_answer);
}

/* The same, within what is left of our patience. Time spent without an answer is gone; an answer costs nothing. */
static int ask(const char *name, char *buffer, size_t size, struct wire_message *ret_answer)
{
	int left = atomic_load(&patience_ms), failure;
	int64_t began;

	if (left <= 0)
		return -ETIMEDOUT;
	began = wire_now_ms();
	failure = ask_before(name, began + left, buffer, size, ret_answer);
	if (failure)
		atomic_fetch_sub(&patience_ms, (int)(wire_now_ms() - began));
	return failure;
}

/* The whole lookup of a name that can be ours. The entry points into the buffer. */
static enum nss_status look_up(const char *name, char *buffer, size_t size, struct wire_message *ret_answer,
			       struct entry *ret_entry, int *ret_errno)
{
	int failure = ask(name, buffer, size, ret_answer);

	if (failure) {
		*ret_errno = -failure;
		return NSS_STATUS_UNAVAIL;
	}
	switch (entry_read(ret_answer, name, ret_entry)) {
	case LOOKUP_ENTRY:
		return NSS_STATUS_SUCCESS;
	case LOOKUP_NOBODY:
		*ret_errno = ENOENT;
		return NSS_STATUS_NOTFOUND;
	case LOOKUP_UNAVAILABLE:
		*ret_errno = EAGAIN;
		return NSS_STATUS_UNAVAIL;
	case LOOKUP_MALFORMED:
		break;
	}
	*ret_errno = EPROTO;
	return NSS_STATUS_UNAVAIL;
}

static enum nss_status not_found(int *ret_errno)
{
	*ret_errno = ENOENT;
	return NSS_STATUS_NOTFOUND;
}

/* Behind the gate, and never inlined: the message's 64 KiB may be taken from the stack of sshd, not from that of any
 * program that looks a user up. */
static __attribute__((noinline)) enum nss_status find_entry(const char *name, struct passwd *ret_entry, char *buffer,
							    size_t size, int *ret_errno)
{
	char bytes[WIRE_MAX];
	struct wire_message answer;
	struct entry entry;
	enum nss_status status = look_up(name, bytes, sizeof(bytes), &answer, &entry, ret_errno);

	if (status != NSS_STATUS_SUCCESS || entry_store(&entry, buffer, size, ret_entry))
		return status;
	*ret_errno = ERANGE;
	return NSS_STATUS_TRYAGAIN;
}

/* The same for groups. */
static __attribute__((noinline)) enum nss_status find_groups(const char *name, gid_t primary,
							     const struct group_array *array, int *ret_errno)
{
	char bytes[WIRE_MAX];
	struct wire_message answer;
	struct entry entry;
	enum nss_status status = look_up(name, bytes, sizeof(bytes), &answer, &entry, ret_errno);

	if (status != NSS_STATUS_SUCCESS)
		return status;
	if (!groups_ok(&answer)) {
		*ret_errno = EPROTO;
		return NSS_STATUS_UNAVAIL;
	}
	if (groups_append(&answer, primary, array))
		return NSS_STATUS_SUCCESS;
	*ret_errno = ENOMEM;
	return NSS_STATUS_TRYAGAIN;
}

enum nss_status _nss_oidc_getpwnam_r(const char *name, struct passwd *ret_entry, char *buffer, size_t size,
				     int *ret_errno)
{
	int saved = errno, code = 0;
	enum nss_status status;

	if (!gate_admits_this_process() || !(account_name_ok(name) || is_email(name)))
		return not_found(ret_errno);
	status = find_entry(name, ret_entry, buffer, size, &code);
	errno = saved;
	/* Last, since the C library passes errno itself. */
	if (status != NSS_STATUS_SUCCESS)
		*ret_errno = code;
	return status;
}

enum nss_status _nss_oidc_initgroups_dyn(const char *name, gid_t primary, long *start, long *size, gid_t **groups,
					 long limit, int *ret_errno)
{
	const struct group_array array = { .ids = groups, .used = start, .room = size, .limit = limit };
	int saved = errno, code = 0;
	enum nss_status status;

	if (!gate_admits_this_process() || !is_email(name))
		return not_found(ret_errno);
	status = find_groups(name, primary, &array, &code);
	errno = saved;
	if (status != NSS_STATUS_SUCCESS)
		*ret_errno = code;
	return status;
}
