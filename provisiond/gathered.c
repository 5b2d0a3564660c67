/*
 * Asks facts.c for everything in turn. See gathered.h.
 */
#include "provisiond/gathered.h"

#include "common/names.h"
#include "provisiond/facts.h"

void gathered_clear(struct gathered *gathered)
{
	account_record_clear(&gathered->typed);
	account_record_clear(&gathered->bound);
	account_record_clear(&gathered->same_email);
	account_record_clear(&gathered->named);
	expected_clear(&gathered->typed_expected);
	expected_clear(&gathered->expected);
	expected_clear(&gathered->own_email);
	*gathered = (struct gathered){ 0 };
}

static bool was_found(struct gathered *gathered, enum store_answer answer)
{
	gathered->failed |= answer == STORE_FAILED;
	return answer == STORE_FOUND;
}

static const struct account_record *found(struct gathered *gathered, enum store_answer answer,
					  const struct account_record *record)
{
	return was_found(gathered, answer) ? record : NULL;
}

static const struct expected *awaited(struct gathered *gathered, enum store_answer answer,
				      const struct expected *expected)
{
	return was_found(gathered, answer) ? expected : NULL;
}

static void gather_typed(const struct service *service, const char *typed, int64_t now_s, struct gathered *gathered)
{
	const struct account_record *record =
		found(gathered, facts_record_of_typed(service, typed, &gathered->typed), &gathered->typed);
	const struct expected *expected =
		record ? NULL
		       : awaited(gathered, facts_expected_of_typed(service, typed, now_s, &gathered->typed_expected),
				 &gathered->typed_expected);

	stands_for(service->config, typed, record, expected, &gathered->facts.stands);
}

/* Whose the identity's subject and email are already. */
static void gather_person(const struct service *service, const struct candidate *candidate, int64_t now_s,
			  struct gathered *gathered)
{
	struct admission_facts *facts = &gathered->facts;
	const char *tenant = facts->stands.tenant ? facts->stands.tenant->name : NULL;

	facts->bound =
		found(gathered,
		      store_account_by_subject(service->store, candidate->issuer, candidate->subject, &gathered->bound),
		      &gathered->bound);
	if (facts->bound)
		facts->bound_standing = facts_standing(service, facts->bound, now_s);
	if (was_found(gathered, store_former_subject(service->store, candidate->issuer, candidate->subject,
						     gathered->former, sizeof(gathered->former))))
		facts->former_name = gathered->former;
	if (!tenant || !candidate->email)
		return;
	facts->same_email =
		found(gathered, store_account_by_email(service->store, tenant, candidate->email, &gathered->same_email),
		      &gathered->same_email);
	facts->own_email = awaited(
		gathered, facts_expected_by_email(service, tenant, candidate->email, now_s, &gathered->own_email),
		&gathered->own_email);
}

/* What is known of the account in question. */
static void gather_account(const struct service *service, const char *account, const struct source_facts *sources,
			   int64_t now_s, struct gathered *gathered)
{
	struct admission_facts *facts = &gathered->facts;

	facts->named = found(gathered, facts_record_named(service, account, &gathered->named), &gathered->named);
	facts->expected = awaited(gathered, facts_expected_named(service, account, now_s, &gathered->expected),
				  &gathered->expected);
	if (facts->bound)
		return;
	if (facts->expected && facts->expected->kind == EXPECTED_LINK)
		facts_local_account(service, account, &facts->local);
	else
		facts_of_new_account(service, facts->stands.tenant, account, facts->expected, sources, &facts->promise,
				     &facts->account);
}

bool gather(const struct service *service, const char *typed, const struct candidate *candidate,
	    const struct source_facts *sources, int64_t now_s, struct gathered *gathered)
{
	struct admission_facts *facts = &gathered->facts;
	const char *account;

	gather_typed(service, typed, now_s, gathered);
	gather_person(service, candidate, now_s, gathered);
	account = admission_account(&facts->stands, candidate);
	if (account_name_ok(account))
		gather_account(service, account, sources, now_s, gathered);
	if (facts->bound && facts->bound_standing == STANDING_REMOVED)
		facts_of_return(service, facts->bound, sources, &facts->promise, &facts->account);
	return !gathered->failed;
}
