/*
 * The text of pam_oidc.conf as setup writes it: made anew, or changed key by key so that everything else stays byte for
 * byte. Pure. What is not understood is left alone; whether the whole is right is for `provisiond -t` to say.
 */
#ifndef PROVISIOND_CTL_SETUP_CONFIGURATION_TEXT_H
#define PROVISIOND_CTL_SETUP_CONFIGURATION_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "provisiond/ctl/setup/company.h"

/* Gives the key this value (NULL: takes its line away). A key that is not there comes behind the last one of its
 * section, a section that is not there to the end of the text. The new text, which the caller frees; NULL without
 * memory. */
char *configuration_set(const char *text, const char *section, const char *key, const char *value);
/* The value of a key, cut to fit. False, and "", when it is not there. */
bool configuration_get(const char *text, const char *section, const char *key,
		       char ret_value[static COMPANY_VALUE_MAX]);
/* The name of the place-th tenant, from 0. False when there are not so many. */
bool configuration_tenant(const char *text, size_t place, char ret_name[static COMPANY_VALUE_MAX]);
size_t configuration_tenant_count(const char *text);
bool configuration_has_tenant(const char *text, const char *name);
/* The tenant that has this domain among its own. */
bool configuration_tenant_of(const char *text, const char *domain, char ret_name[static COMPANY_VALUE_MAX]);

/* What is on record for the tenant, as answers; the tenant's name must be in there. */
void configuration_company(const char *text, struct company *company);

/* The text with the company in it: `before` NULL for a new file. secret_path is where its secret or key is to be; NULL
 * leaves out, or alone, which file that is. With a second company, short names remain the first one's, and the new
 * one's accounts are called alice.TENANT. The caller frees it; NULL without memory. */
char *configuration_with(const char *before, const struct company *company, const char *secret_path);

#endif
