/*
 * Tests the tables of PAM results.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "pam_oidc/module/result.h"

static void each_class_of_reasons_has_its_result(void **state)
{
	(void)state;
	assert_int_equal(result_of_reason(REASON_NOT_OURS, APPLICATION_LOGIN), PAM_USER_UNKNOWN);
	assert_int_equal(result_of_reason(REASON_NOT_ASSIGNED, APPLICATION_LOGIN), PAM_PERM_DENIED);
	assert_int_equal(result_of_reason(REASON_EXPIRED, APPLICATION_LOGIN), PAM_AUTH_ERR);
	assert_int_equal(result_of_reason(REASON_ISSUER_UNREACHABLE, APPLICATION_LOGIN), PAM_AUTHINFO_UNAVAIL);
}

static void in_sshd_a_decision_ends_the_retries(void **state)
{
	(void)state;
	assert_int_equal(result_of_reason(REASON_NOT_OURS, APPLICATION_SSHD), PAM_USER_UNKNOWN);
	assert_int_equal(result_of_reason(REASON_NOT_ASSIGNED, APPLICATION_SSHD), PAM_MAXTRIES);
	assert_int_equal(result_of_reason(REASON_EXPIRED, APPLICATION_SSHD), PAM_MAXTRIES);
	assert_int_equal(result_of_reason(REASON_ISSUER_UNREACHABLE, APPLICATION_SSHD), PAM_AUTHINFO_UNAVAIL);
}

static void no_reason_means_success_or_ignore(void **state)
{
	(void)state;
	for (int reason = 0; reason <= REASON_COUNT; reason++) {
		for (int kind = APPLICATION_SSHD; kind <= APPLICATION_OTHER; kind++) {
			int result = result_of_reason((enum reason)reason, (enum application_kind)kind);

			assert_int_not_equal(result, PAM_SUCCESS);
			assert_int_not_equal(result, PAM_IGNORE);
		}
	}
}

static void each_standing_has_its_result(void **state)
{
	(void)state;
	assert_int_equal(result_of_standing(STANDING_ACTIVE), PAM_SUCCESS);
	assert_int_equal(result_of_standing(STANDING_DEACTIVATED), PAM_ACCT_EXPIRED);
	assert_int_equal(result_of_standing(STANDING_LAPSED), PAM_ACCT_EXPIRED);
	assert_int_equal(result_of_standing(STANDING_PROMISED), PAM_PERM_DENIED);
	assert_int_equal(result_of_standing(STANDING_INCOMPLETE), PAM_PERM_DENIED);
	assert_int_equal(result_of_standing(STANDING_NOT_OURS), PAM_USER_UNKNOWN);
	assert_int_equal(result_of_standing(STANDING_UNAVAILABLE), PAM_AUTHINFO_UNAVAIL);
}

static void whoever_is_refused_reads_why(void **state)
{
	(void)state;
	assert_non_null(sentence_of_standing(STANDING_DEACTIVATED));
	assert_non_null(sentence_of_standing(STANDING_LAPSED));
	assert_non_null(sentence_of_standing(STANDING_PROMISED));
	assert_non_null(sentence_of_standing(STANDING_INCOMPLETE));
	assert_null(sentence_of_standing(STANDING_ACTIVE));
	assert_null(sentence_of_standing(STANDING_NOT_OURS));
	assert_null(sentence_of_standing(STANDING_UNAVAILABLE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_class_of_reasons_has_its_result),
		cmocka_unit_test(in_sshd_a_decision_ends_the_retries),
		cmocka_unit_test(no_reason_means_success_or_ignore),
		cmocka_unit_test(each_standing_has_its_result),
		cmocka_unit_test(whoever_is_refused_reads_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
