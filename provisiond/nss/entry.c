/*
 * Checks provisiond's answer field by field and stores it as a struct passwd. It trusts provisiond no further than a
 * file: an answer that no line of /etc/passwd could hold, or that names a system account, is no answer.
 */
#include "provisiond/nss/entry.h"

#include <stdint.h>
#include <string.h>

#define FIRST_PERSON ((uid_t)1000)
#define OVERFLOW_ID ((uid_t)65534)  /* nobody */
#define OVERFLOW_END ((uid_t)65535) /* -1 where ids have 16 bits */

enum kind { KIND_PROMISED, KIND_INCOMPLETE, KIND_ACTIVE, KIND_COUNT };

static const char *const kinds[KIND_COUNT] = {
	[KIND_PROMISED] = "promised",
	[KIND_INCOMPLETE] = "incomplete",
	[KIND_ACTIVE] = "active",
};

static enum kind kind_from_name(const char *name)
{
	enum kind kind = KIND_PROMISED;

	while (kind < KIND_COUNT && (!name || strcmp(name, kinds[kind]) != 0))
		kind++;
	return kind;
}

static bool id_of_person(uint32_t id)
{
	return id >= FIRST_PERSON && id != OVERFLOW_ID && id != OVERFLOW_END;
}

/* Whether it can stand between the colons of a line. Bytes above ASCII are left alone: people's names have them. */
static bool passwd_field_ok(const char *field)
{
	for (; *field; field++) {
		unsigned char c = (unsigned char)*field;

		if (c < 0x20 || c == 0x7f || c == ':')
			return false;
	}
	return true;
}

/* An empty shell stands for /bin/sh (passwd(5)). */
static bool shell_ok(const char *shell)
{
	return shell && (shell[0] == '/' || shell[0] == '\0') && passwd_field_ok(shell);
}

static bool home_ok(const char *path)
{
	return path && path[0] == '/' && passwd_field_ok(path);
}

/* An email can belong to an account of any name; a short name only to its own. (A local user who was linked may have a
 * name that we would not give.) */
static bool about_typed_name(const char *account, const char *typed)
{
	return account && account[0] != '\0' && passwd_field_ok(account) &&
	       (strchr(typed, '@') || strcmp(account, typed) == 0);
}

static bool ids_read(const struct wire_message *answer, enum kind kind, struct entry *entry)
{
	uint32_t uid, gid;

	if (!wire_get_id(answer, "uid", &uid) || !wire_get_id(answer, "gid", &gid) || !id_of_person(uid))
		return false;
	/* What we make has a group of its own; a local user who was linked may have one of the system's. */
	if (kind == KIND_ACTIVE ? gid == 0 : !id_of_person(gid))
		return false;
	entry->uid = uid;
	entry->gid = gid;
	return true;
}

static enum lookup_result entry_checked(const struct wire_message *answer, const char *typed, struct entry *ret_entry)
{
	enum kind kind = kind_from_name(wire_get(answer, "kind"));
	struct entry entry = {
		.name = typed,
		.gecos = wire_get(answer, "gecos"),
		.home = wire_get(answer, "home"),
		.shell = wire_get(answer, "shell"),
	};

	if (kind == KIND_COUNT || !about_typed_name(wire_get(answer, "account"), typed) ||
	    !ids_read(answer, kind, &entry))
		return LOOKUP_MALFORMED;
	if (!entry.gecos || !passwd_field_ok(entry.gecos) || !home_ok(entry.home) || !shell_ok(entry.shell))
		return LOOKUP_MALFORMED;
	/* With "x" pam_unix looks for a shadow row, which an email never has, and its account phase would fail. */
	entry.password = kind == KIND_ACTIVE && strchr(typed, '@') ? "*" : "x";
	*ret_entry = entry;
	return LOOKUP_ENTRY;
}

enum lookup_result entry_read(const struct wire_message *answer, const char *typed, struct entry *ret_entry)
{
	const char *status = wire_kind(answer, "status");

	if (!status)
		return LOOKUP_MALFORMED;
	if (strcmp(status, "not_ours") == 0 || strcmp(status, "refused") == 0)
		return LOOKUP_NOBODY;
	if (strcmp(status, "unavailable") == 0)
		return LOOKUP_UNAVAILABLE;
	if (strcmp(status, "entry") != 0)
		return LOOKUP_MALFORMED;
	return entry_checked(answer, typed, ret_entry);
}

/* Copies the string to *at and moves on; NULL once it does not fit. */
static char *store(const char *text, char **at, size_t *room)
{
	size_t length = strlen(text) + 1;
	char *stored = *at;

	if (length > *room)
		return NULL;
	memcpy(stored, text, length);
	*at += length;
	*room -= length;
	return stored;
}

bool entry_store(const struct entry *entry, char *buffer, size_t size, struct passwd *ret_passwd)
{
	struct passwd stored = { .pw_uid = entry->uid, .pw_gid = entry->gid };

	stored.pw_name = store(entry->name, &buffer, &size);
	stored.pw_passwd = store(entry->password, &buffer, &size);
	stored.pw_gecos = store(entry->gecos, &buffer, &size);
	stored.pw_dir = store(entry->home, &buffer, &size);
	stored.pw_shell = store(entry->shell, &buffer, &size);
	if (!stored.pw_name || !stored.pw_passwd || !stored.pw_gecos || !stored.pw_dir || !stored.pw_shell)
		return false;
	*ret_passwd = stored;
	return true;
}
