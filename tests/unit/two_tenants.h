/*
 * Configurations for the tests of provisiond: one tenant, two that share names, and one that takes names from a claim.
 */
#ifndef TESTS_UNIT_TWO_TENANTS_H
#define TESTS_UNIT_TWO_TENANTS_H

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/config.h"

#define CLINIC                                                                          \
	"[tenant clinic]\nissuer = https://clinic.example\nclient_id = clinic-client\n" \
	"domains = clinic.example, hospital.example\n"
#define LAB                                                                                           \
	"[tenant lab]\nissuer = https://lab.example\nclient_id = lab-client\ndomains = lab.example\n" \
	"username = %l.%t\n"
#define ONE_TENANT CLINIC
#define TWO_TENANTS "[accounts]\ndefault_tenant = clinic\n" CLINIC LAB
#define CLAIM_TENANT CLINIC "username = claim:linux_name\n"

static inline void fail_on_report(void *context, const char *path, unsigned line, const char *message)
{
	(void)context;
	fail_msg("%s:%u: %s", path, line, message);
}

/* The caller frees it with config_free(). */
static inline struct config *config_of(const char *text)
{
	struct config *config = NULL;

	assert_true(config_parse("test", text, fail_on_report, NULL, &config));
	return config;
}

#endif
