/*
 * Brings the linked accounts in line with the policies of a configuration that was just read: what a sign-in would
 * change of an account, without waiting for one.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "provisiond/lifecycle_inside.h"
#include "provisiond/plan.h"

/* One account's. */
struct policy {
	struct lifecycle *lifecycle;
	char account[ACCOUNT_NAME_MAX + 1];
	struct planned_change change;
};

static void policy_free(struct policy *policy)
{
	planned_change_clear(&policy->change);
	free(policy);
}

static bool is_subject_to_policies(const struct account_record *record)
{
	return record->linked && (record->state == ACCOUNT_ACTIVE || record->state == ACCOUNT_INCOMPLETE);
}

/* True when something has to change. The plan borrows nothing from what was read. */
static bool plan(struct policy *policy, const struct account_record *record, const struct account_now *now)
{
	_cleanup_planned_change_ struct planned_change change = { 0 };
	bool changes_files = false;

	if (plan_policy(policy->lifecycle->config, record, now, (int64_t)time(NULL), &change, &changes_files) != 0 ||
	    (changes_files && planned_change_copy(&change, &policy->change) != 0)) {
		log_error("%s: the policies cannot be applied: out of memory", policy->account);
		return false;
	}
	return changes_files;
}

static enum lifecycle_decision decide_policy(void *context, struct lifecycle_order *ret_order)
{
	struct policy *policy = context;
	_cleanup_record_ struct account_record record = { 0 };
	_cleanup_account_now_ struct account_now now = { 0 };

	planned_change_clear(&policy->change);
	if (store_account_by_name(policy->lifecycle->store, policy->account, &record) != STORE_FOUND ||
	    !is_subject_to_policies(&record) ||
	    account_files_now(policy->lifecycle->files, policy->account, &now) <= 0 || now.user.uid != record.uid ||
	    !plan(policy, &record, &now))
		return LIFECYCLE_NOTHING;
	ret_order->change = policy->change;
	return LIFECYCLE_CHANGE;
}

static void policy_done(void *context, enum reason reason, bool done)
{
	struct policy *policy = context;

	if (reason != REASON_NONE && reason != REASON_SERVICE_DOWN)
		log_error("%s: the policies of the configuration were not applied; the next sign-in, or the next "
			  "reload, tries again",
			  policy->account);
	else if (done)
		log_notice("%s: the policies of the configuration were applied", policy->account);
	policy_free(policy);
}

static bool queue_policy(struct lifecycle *lifecycle, const char *account)
{
	struct policy *policy = calloc(1, sizeof(*policy));
	const struct lifecycle_work work = { .decide = decide_policy, .done = policy_done, .context = policy };

	if (!policy)
		return false;
	policy->lifecycle = lifecycle;
	account_name_copy(account, policy->account);
	lifecycle_queue_job(lifecycle, &work, true, 0);
	return true;
}

void lifecycle_apply_policies(struct lifecycle *lifecycle, const struct config *config)
{
	char after[ACCOUNT_NAME_MAX + 1] = "";

	lifecycle->config = config;
	for (;;) {
		_cleanup_record_ struct account_record record = { 0 };
		enum store_answer found = store_linked_after(lifecycle->store, after, &record);

		if (found == STORE_FAILED)
			log_error("the database cannot be read: %s", store_fault(lifecycle->store));
		if (found != STORE_FOUND)
			return;
		account_name_copy(record.name, after);
		if (is_subject_to_policies(&record) && !queue_policy(lifecycle, record.name)) {
			log_error("the policies cannot be applied: out of memory");
			return;
		}
	}
}
