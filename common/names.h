/*
 * The grammar of account names and of emails. Pure; libc only; also used inside the modules.
 */
#ifndef COMMON_NAMES_H
#define COMMON_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#define ACCOUNT_NAME_MAX 32 /* bytes, without NUL: utmp and useradd hold no more */
#define EMAIL_LOCAL_MAX 64  /* RFC 5321, 4.5.3.1.1 */
#define EMAIL_DOMAIN_MAX 253

struct email {
	char local[EMAIL_LOCAL_MAX + 1];   /* as written */
	char domain[EMAIL_DOMAIN_MAX + 1]; /* folded to lower case */
};

/* True for [a-z_][a-z0-9._-]{0,31}. */
bool account_name_ok(const char *name);
/* What is wrong with it, as the end of a sentence ("is longer than 32 characters"), or NULL when it is right. */
const char *account_name_fault(const char *name);

/* True for printable ASCII without spaces or controls, with exactly one `@`, a local part of 1..64 bytes from the
 * characters of RFC 5322 dot-atoms, and a domain of DNS labels. Anything else is no email for us. */
bool email_parse(const char *text, struct email *ret_email);
/* A domain of at least two DNS labels; upper case allowed. */
bool domain_ok(const char *domain);
/* Exact comparison of ASCII domains, case folded. */
bool domain_equal(const char *one, const char *other);

#endif
