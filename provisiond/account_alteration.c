/*
 * What an alteration comes to in an account's one row of passwd and of shadow.
 */
#include "provisiond/account_alteration.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/names.h"

#define GECOS_MAX 4096
#define LOCKS_MAX 16
#define AGEING_MAX 64
#define EXPIRY_MAX 20

enum { PASSWD_PASSWORD = 1, PASSWD_GECOS = 4 };
enum { SHADOW_PASSWORD = 1, SHADOW_LAST_CHANGE, SHADOW_INACTIVE = 6, SHADOW_EXPIRY, SHADOW_USED };

/* Not held to digits: what was read from a file, whoever wrote it, can be put back as it was. */
static bool numbers_ok(const char *text, size_t max, unsigned colons)
{
	unsigned found = 0;

	for (const char *at = text; *at; at++) {
		found += *at == ':';
		if (*at < ' ' || *at > '~')
			return false;
	}
	return strlen(text) <= max && found == colons;
}

const char *account_alteration_fault(const struct account_alteration *alteration)
{
	if (!alteration->who.name || !account_name_ok(alteration->who.name))
		return "the name is no account name";
	if (alteration->who.uid == 0)
		return "root is not altered";
	/* What issuers say is cleaned before (person_text.c); what an admin wrote before an account was linked is put
	 * back as it was, in whatever encoding. */
	if (alteration->gecos && (strpbrk(alteration->gecos, ":\n") || strlen(alteration->gecos) > GECOS_MAX))
		return "the full name has a colon or a line's end, or is longer than 4096 bytes";
	if (alteration->locks > LOCKS_MAX)
		return "nothing has so many locks";
	if (alteration->ageing && !numbers_ok(alteration->ageing, AGEING_MAX, 4))
		return "the ageing is not five numbers";
	if (alteration->expiry && !numbers_ok(alteration->expiry, EXPIRY_MAX, 0))
		return "the expiry is no number of days";
	return NULL;
}

/* The only row of that name; a second one would make it doubtful whose row is changed. */
static enum account_files_result only_row(struct account_changes *changes, enum account_file file, const char *name,
					  uint32_t *ret_row)
{
	uint32_t row = account_rows_named(changes->rows[file], name, ROW_END), other;

	if (row == ROW_END) {
		(void)snprintf(changes->fault, changes->fault_size, "%s: account %s has no row%s", changes->paths[file],
			       name, file == ACCOUNT_FILE_SHADOW ? " (pwconv makes it)" : "");
		return ACCOUNT_FILES_TAKEN;
	}
	other = account_rows_named(changes->rows[file], name, row);
	if (other != ROW_END)
		return account_changes_taken(changes, file, other, name, "it has the same name as line %u", row + 1);
	*ret_row = row;
	return ACCOUNT_FILES_DONE;
}

static enum account_files_result alter_passwd(struct account_changes *changes,
					      const struct account_alteration *alteration)
{
	const struct account_rows *rows = changes->rows[ACCOUNT_FILE_PASSWD];
	const char *fields[PASSWD_GECOS + 1] = { [PASSWD_GECOS] = alteration->gecos };
	const char *name = alteration->who.name;
	enum account_files_result result;
	struct row_field password;
	uint32_t row = ROW_END;

	result = only_row(changes, ACCOUNT_FILE_PASSWD, name, &row);
	if (result != ACCOUNT_FILES_DONE)
		return result;
	if (!rows->rows[row].has_number[BY_UID] || rows->rows[row].number[BY_UID] != alteration->who.uid)
		return account_changes_taken(changes, ACCOUNT_FILE_PASSWD, row, name,
					     "it has the same name and not the uid %u", alteration->who.uid);
	/* Locks and dates in shadow mean nothing to anybody when the password stands here. */
	password = account_row_field(rows, row, PASSWD_PASSWORD);
	if ((alteration->locks >= 0 || alteration->expiry) &&
	    (password.length == 0 || !strchr("x*!", password.text[0])))
		return account_changes_taken(changes, ACCOUNT_FILE_PASSWD, row, name,
					     "its password is here and not in shadow (pwconv moves it)");
	return alteration->gecos
		       ? account_changes_set_fields(changes, ACCOUNT_FILE_PASSWD, row, fields, PASSWD_GECOS + 1, false)
		       : ACCOUNT_FILES_DONE;
}

/* The password with that many `!`; the caller wipes it. NULL without memory. */
static char *with_locks(struct row_field password, int locks)
{
	size_t before = 0, wanted = (size_t)locks;
	char *text;

	while (before < password.length && password.text[before] == '!')
		before++;
	/* Nothing behind the `!` would be an account without a password, open to everybody. Whoever wants that says so
	 * with other tools. */
	if (before == password.length && before > 0 && wanted == 0)
		wanted = 1;
	text = malloc(wanted + password.length - before + 1);
	if (!text)
		return NULL;
	memset(text, '!', wanted);
	memcpy(text + wanted, password.text + before, password.length - before);
	text[wanted + password.length - before] = '\0';
	return text;
}

static void wipe_string(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
}

/* Points the fields from SHADOW_LAST_CHANGE on to the parts of "LASTCHANGE:MIN:MAX:WARN:INACTIVE". */
static void split_ageing(char *ageing, const char **ret_fields)
{
	for (unsigned n = SHADOW_LAST_CHANGE; ageing && n <= SHADOW_INACTIVE; n++)
		ret_fields[n] = strsep(&ageing, ":");
}

static enum account_files_result alter_shadow(struct account_changes *changes,
					      const struct account_alteration *alteration)
{
	const struct account_rows *rows = changes->rows[ACCOUNT_FILE_SHADOW];
	_cleanup_free_ char *ageing = alteration->ageing ? strdup(alteration->ageing) : NULL;
	_cleanup_(wipe_string) char *password = NULL;
	const char *fields[SHADOW_USED + 1] = { [SHADOW_EXPIRY] = alteration->expiry };
	enum account_files_result result;
	uint32_t row = ROW_END;

	if (alteration->locks < 0 && !alteration->ageing && !alteration->expiry)
		return ACCOUNT_FILES_DONE;
	result = only_row(changes, ACCOUNT_FILE_SHADOW, alteration->who.name, &row);
	if (result != ACCOUNT_FILES_DONE)
		return result;
	if (alteration->locks >= 0)
		password = with_locks(account_row_field(rows, row, SHADOW_PASSWORD), alteration->locks);
	if ((alteration->locks >= 0 && !password) || (alteration->ageing && !ageing))
		return account_changes_no_memory(changes);
	fields[SHADOW_PASSWORD] = password;
	split_ageing(ageing, fields);
	/* One more than what is set, so that a short row becomes a whole one, which every program can read. */
	return account_changes_set_fields(changes, ACCOUNT_FILE_SHADOW, row, fields, SHADOW_USED + 1, false);
}

enum account_files_result account_alteration_apply(struct account_changes *changes,
						   const struct account_alteration *alteration)
{
	enum account_files_result result = alter_passwd(changes, alteration);

	return result == ACCOUNT_FILES_DONE ? alter_shadow(changes, alteration) : result;
}
