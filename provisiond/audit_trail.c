/*
 * Writes records for auditd. The journal has every event too (events.c), so nothing is lost where this cannot write.
 */
#include "provisiond/audit_trail.h"

#include <arpa/inet.h>
#include <libaudit.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/wire.h"

#define TRY_AGAIN_MS 60000
#define MESSAGE_MAX 4096 /* bytes, with NUL; the kernel's limit is 8970 with what libaudit adds */

static const struct {
	const char *name;
	int type;
} records[] = {
	[AUDIT_SIGN_IN] = { "USER_AUTH", AUDIT_USER_AUTH },
	[AUDIT_NEW_USER] = { "ADD_USER", AUDIT_ADD_USER },
	[AUDIT_CHANGED_USER] = { "USER_MGMT", AUDIT_USER_MGMT },
	[AUDIT_GONE_USER] = { "DEL_USER", AUDIT_DEL_USER },
};
_Static_assert(sizeof(records) / sizeof(records[0]) == AUDIT_RECORD_COUNT, "every record has its type");

static struct {
	int fd;              /* -1: closed */
	int64_t retry_at_ms; /* while closed */
} trail = { .fd = -1 };

const char *audit_record_name(enum audit_record record)
{
	return records[record].name;
}

static void give_up_for_now(int64_t now_ms)
{
	if (trail.fd >= 0)
		audit_close(trail.fd);
	trail.fd = -1;
	trail.retry_at_ms = now_ms + TRY_AGAIN_MS;
}

/* libaudit's switch for its own complaints, which would go to standard error at each attempt. Under a name of ours and
 * weak, because its header declared it up to version 4.0 only, and a later library may have none. */
extern void audit_set_complaints(int where, int debug) __asm__("set_aumessage_mode") __attribute__((weak));

#define AUDIT_COMPLAINS_NOWHERE 2 /* MSG_QUIET */

static bool is_open(int64_t now_ms)
{
	if (trail.fd >= 0)
		return true;
	if (now_ms < trail.retry_at_ms)
		return false;
	if (audit_set_complaints)
		audit_set_complaints(AUDIT_COMPLAINS_NOWHERE, 0);
	trail.fd = audit_open();
	if (trail.fd < 0)
		give_up_for_now(now_ms);
	return trail.fd >= 0;
}

/* Adds ` name=value`, the value quoted, or in hexadecimal digits where quotes would not hold it. What does not fit is
 * left out as a whole. */
static void add_field(char message[MESSAGE_MAX], const struct audit_field *field)
{
	size_t used = strlen(message);
	_cleanup_free_ char *text = audit_encode_nv_string(field->name, field->value, 0);

	if (text && used + strlen(text) + 2 <= MESSAGE_MAX)
		(void)snprintf(message + used, MESSAGE_MAX - used, " %s", text);
}

/* libaudit takes it as it is. */
static bool is_address(const char *text)
{
	unsigned char bytes[sizeof(struct in6_addr)];

	return text && (inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1);
}

void audit_trail_tell(enum audit_record record, const char *operation, const struct audit_field *fields,
		      const char *address, bool success)
{
	int64_t now_ms = wire_now_ms();
	char message[MESSAGE_MAX];

	if (!is_open(now_ms))
		return;
	(void)snprintf(message, sizeof(message), "op=%s", operation);
	for (; fields->name; fields++)
		if (fields->value)
			add_field(message, fields);
	/* Without a host name there is nothing to resolve, and with a terminal given none is looked for. */
	if (audit_log_user_message(trail.fd, records[record].type, message, NULL, is_address(address) ? address : NULL,
				   "?", success) <= 0)
		give_up_for_now(now_ms);
}
