/*
 * What setup must know of a company, and whether an answer to it makes sense. Pure: looks at texts alone.
 */
#ifndef PROVISIOND_CTL_SETUP_COMPANY_H
#define PROVISIOND_CTL_SETUP_COMPANY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/config.h"
#include "common/secret.h"

#define COMPANY_VALUE_MAX 1024 /* bytes, NUL included */
#define COMPANY_FAULT_MAX 1400

/* An empty text is none. */
struct company {
	char tenant[COMPANY_VALUE_MAX];
	char issuer[COMPANY_VALUE_MAX]; /* a URL, or with is_org a host */
	bool is_org;
	char client_id[COMPANY_VALUE_MAX];
	enum client_auth auth;
	char domains[COMPANY_VALUE_MAX]; /* "clinic.example, lab.example" */
	char ca_file[COMPANY_VALUE_MAX];
	char scopes[COMPANY_VALUE_MAX];
	char email_verified[COMPANY_VALUE_MAX];
	struct secret secret; /* a client secret or a private key, as client_auth wants; empty: the one that is there */
};

void company_release(struct company *company);

#define _cleanup_company_ _cleanup_(company_release)

/*
 * Each takes an answer as it was typed. True, and ret_value is what the configuration shall hold; or false, and
 * ret_fault is one sentence that says what is wrong and what is wanted. What the person typed may be in it as it came.
 */
typedef bool judge_answer(const char *text, char ret_value[static COMPANY_VALUE_MAX],
			  char ret_fault[static COMPANY_FAULT_MAX]);

judge_answer judge_issuer; /* a URL */
judge_answer judge_org;    /* the Okta domain */
judge_answer judge_either; /* one or the other: a value with "://" is a URL */
judge_answer judge_client_id;
judge_answer judge_domains; /* separated by commas or blanks; in lower case */
judge_answer judge_tenant;
judge_answer judge_scopes;
judge_answer judge_ca_file; /* an absolute path; not whether it is there */
judge_answer judge_email_verified;

/* Whether it can be a client secret, or a private key (PEM); ret_fault shows nothing of it. */
bool judge_client_secret(const struct secret *secret, char ret_fault[static COMPANY_FAULT_MAX]);
bool judge_private_key(const struct secret *key, char ret_fault[static COMPANY_FAULT_MAX]);

/* The word of the configuration. */
const char *client_auth_word(enum client_auth auth);
bool client_auth_from_word(const char *word, enum client_auth *ret_auth);
/* "secret", "key", or NULL for none: what client_auth needs a file of. */
const char *client_auth_needs(enum client_auth auth);

/* A name for the tenant of these domains: "clinic" for "clinic.example". */
void tenant_name_for(const char *domains, char ret_name[static COMPANY_VALUE_MAX]);
/* The first of them. */
void first_domain(const char *domains, char ret_domain[static COMPANY_VALUE_MAX]);

#endif
