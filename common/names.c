/*
 * Decides what can be an account name and what is an email. It never bends one into the other: that is admission's business.
 */
#include "common/names.h"

#include <string.h>

static bool lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool letter(char c)
{
	return lower(c) || (c >= 'A' && c <= 'Z');
}

static char fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

const char *account_name_fault(const char *name)
{
	size_t length = strnlen(name, ACCOUNT_NAME_MAX + 1);

	if (length == 0)
		return "is empty";
	if (!lower(name[0]) && name[0] != '_')
		return "does not begin with a letter a-z or an underscore";
	for (size_t i = 1; i < length; i++)
		if (!lower(name[i]) && !digit(name[i]) && !strchr("._-", name[i]))
			return "has a character other than a-z, 0-9, dot, underscore and hyphen";
	if (length > ACCOUNT_NAME_MAX)
		return "is longer than 32 characters";
	return NULL;
}

bool account_name_ok(const char *name)
{
	return account_name_fault(name) == NULL;
}

static bool local_part_ok(const char *local, size_t length)
{
	if (length == 0 || length > EMAIL_LOCAL_MAX || local[0] == '.' || local[length - 1] == '.')
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!letter(local[i]) && !digit(local[i]) && !strchr("!#$%&'*+-/=?^_`{|}~.", local[i]))
			return false;
		if (i > 0 && local[i] == '.' && local[i - 1] == '.')
			return false;
	}
	return true;
}

bool domain_ok(const char *domain)
{
	size_t length = strnlen(domain, EMAIL_DOMAIN_MAX + 1), label = 0, labels = 1;

	if (length == 0 || length > EMAIL_DOMAIN_MAX)
		return false;
	for (size_t i = 0; i < length; i++) {
		char c = domain[i];

		if (c == '.') {
			if (label == 0 || domain[i - 1] == '-')
				return false;
			label = 0;
			labels++;
			continue;
		}
		if (!letter(c) && !digit(c) && (c != '-' || label == 0))
			return false;
		if (++label > 63)
			return false;
	}
	return label > 0 && domain[length - 1] != '-' && labels >= 2;
}

bool domain_equal(const char *one, const char *other)
{
	/* Not strcasecmp: the application's locale must have no say. */
	while (*one && fold(*one) == fold(*other)) {
		one++;
		other++;
	}
	return *one == *other;
}

bool email_parse(const char *text, struct email *ret_email)
{
	struct email email = { 0 };
	const char *at = strchr(text, '@');
	size_t local, domain;

	if (!at || strchr(at + 1, '@'))
		return false;
	local = (size_t)(at - text);
	domain = strnlen(at + 1, EMAIL_DOMAIN_MAX + 1);
	if (!local_part_ok(text, local) || !domain_ok(at + 1))
		return false;
	memcpy(email.local, text, local);
	for (size_t i = 0; i < domain; i++)
		email.domain[i] = fold(at[1 + i]);
	*ret_email = email;
	return true;
}
