/*
 * Says what an admission has made or changed: a new account, a removed one again, a local account linked, or one that
 * is there brought up to date. Nothing is carried out here.
 */
#include "provisiond/admit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "provisiond/facts.h"
#include "provisiond/name_list.h"
#include "provisiond/plan.h"

void admit_forget_order(struct admit *admit)
{
	free(admit->group_names);
	free(admit->groups);
	free(admit->usable_groups);
	planned_change_clear(&admit->change);
	admit->group_names = NULL;
	admit->groups = NULL;
	admit->group_count = 0;
	admit->usable_groups = NULL;
	admit->ordered = (struct account_record){ 0 };
}

static enum lifecycle_decision nothing_without_memory(struct admit *admit)
{
	log_error("%s: out of memory", admit->typed);
	admit->verdict.kind = VERDICT_REFUSED;
	admit->verdict.reason = REASON_STORAGE;
	return LIFECYCLE_NOTHING;
}

/* ---- a new account, or a removed one again ---- */

/* The groups that the tenant's rules give, as the order wants them. `ordered.groups_given` is the list of them. */
static bool order_groups(struct admit *admit, const struct tenant *tenant)
{
	_cleanup_free_ char *given = NULL, *not_given = NULL;
	size_t count = 0;

	if (plan_groups(tenant, admit->candidate.groups, admit->candidate.group_count, &given, &not_given) != 0)
		return false;
	admit->usable_groups = facts_usable_groups(admit->service, admit->verdict.account, given);
	if (!admit->usable_groups)
		return false;
	for (struct listed_name at = names_first(admit->usable_groups); at.length > 0; at = names_next(at))
		count++;
	admit->group_names = strdup(admit->usable_groups);
	admit->groups = calloc(count + 1, sizeof(*admit->groups));
	if (!admit->group_names || !admit->groups)
		return false;
	for (struct listed_name at = names_first(admit->group_names), next; at.length > 0; at = next) {
		next = names_next(at);
		admit->groups[admit->group_count++] = at.text;
		admit->group_names[(size_t)(at.text - admit->group_names) + at.length] = '\0';
	}
	admit->ordered.groups_given = admit->usable_groups;
	return true;
}

static struct account_record record_of_newcomer(const struct admit *admit, int64_t now_s)
{
	return (struct account_record){
		.name = admit->verdict.account,
		.uid = admit->promise.uid,
		.gid = admit->promise.uid,
		.tenant = admit->tenant,
		.issuer = admit->candidate.issuer,
		.subject = admit->candidate.subject,
		.email = admit->candidate.email,
		.full_name = admit->candidate.full_name,
		.home = admit->promise.home,
		.shell = admit->promise.shell,
		.created_at = now_s,
		.last_signin_at = now_s,
		.state_at = now_s,
		.room = "",
		.groups_given = "",
		.groups_taken = "",
		.gecos_before = "",
		.ageing_before = "",
		.expiry_before = "",
		.expiry_given = admit->expiry,
		.refusal = "",
	};
}

/* Somebody who comes back keeps what the record still has of them. */
static void take_up_again(const struct admit *admit, const struct tenant *tenant, struct account_record *record)
{
	record->revived = true;
	record->gid = admit->record.gid;
	record->created_at = admit->record.created_at;
	record->first_subid = admit->record.first_subid;
	if (record->full_name[0] == '\0')
		record->full_name = admit->record.full_name;
	if (string_list_contains(&tenant->rooms, admit->record.room))
		record->room = admit->record.room;
}

static enum lifecycle_decision order_creation(struct admit *admit, int64_t now_s, struct lifecycle_order *ret_order)
{
	const struct config *config = admit->service->config;
	const struct tenant *tenant = config_tenant_named(config, admit->tenant);
	struct account_record *ordered = &admit->ordered;

	if (admit->has_record && admit->record.state == ACCOUNT_CREATING)
		return LIFECYCLE_LATER;
	plan_limit_expiry(config, now_s, admit->expiry);
	*ordered = record_of_newcomer(admit, now_s);
	if (admit->has_record)
		take_up_again(admit, tenant, ordered);
	ordered->state = tenant->rooms.count > 0 && ordered->room[0] == '\0' ? ACCOUNT_INCOMPLETE : ACCOUNT_ACTIVE;
	if (!order_groups(admit, tenant))
		return nothing_without_memory(admit);
	ret_order->record = *ordered;
	ret_order->groups = admit->groups;
	ret_order->group_count = admit->group_count;
	return LIFECYCLE_CREATE;
}

/* ---- an account that is there ---- */

/* /etc/group may have lost a group since the start; that is said at each sign-in, and the rest is done. */
static bool leave_unusable_groups_out(struct admit *admit)
{
	if (!admit->change.groups_in || admit->change.groups_in[0] == '\0')
		return true;
	admit->usable_groups = facts_usable_groups(admit->service, admit->change.record.name, admit->change.groups_in);
	admit->change.groups_in = admit->usable_groups;
	return admit->usable_groups != NULL;
}

bool admit_plans_change(struct admit *admit, int64_t now_s)
{
	_cleanup_account_now_ struct account_now now = { 0 };
	bool changes = false;
	int found = account_files_now(admit->service->files, admit->record.name, &now);

	admit_forget_order(admit);
	if (found <= 0) {
		log_error("%s: what stands in the account files cannot be brought up to date: %s", admit->record.name,
			  account_files_fault(admit->service->files));
		return false;
	}
	if (plan_update(admit->service->config, &admit->record, &admit->candidate, &now, now_s, &admit->change,
			&changes) != 0 ||
	    !leave_unusable_groups_out(admit)) {
		log_error("%s: what changes with the sign-in cannot be worked out: out of memory", admit->record.name);
		return false;
	}
	return changes;
}

bool admit_change_is_needed(const struct admit *admit)
{
	return admit->standing == STANDING_LAPSED ||
	       (admit->standing == STANDING_INCOMPLETE && admit->change.state_after == ACCOUNT_ACTIVE);
}

static enum lifecycle_decision order_update(struct admit *admit, int64_t now_s, struct lifecycle_order *ret_order)
{
	if (!admit_plans_change(admit, now_s))
		return LIFECYCLE_NOTHING;
	ret_order->change = admit->change;
	return LIFECYCLE_CHANGE;
}

static void add_groups(const char *what, const char *groups, char *text, size_t size)
{
	size_t used = strlen(text);

	if (groups && groups[0] != '\0')
		(void)snprintf(text + used, size - used, "%s%s %s", used > 0 ? ", " : "", what, groups);
}

void admit_describe_change(const struct admit *admit, char *ret_text, size_t size)
{
	const struct planned_change *change = &admit->change;

	(void)snprintf(ret_text, size, "%s%s%s%s", change->gecos ? "full name" : "",
		       change->gecos && change->expiry ? ", " : "", change->expiry ? "expiry" : "",
		       change->locks >= 0 || change->ageing ? ", local password" : "");
	add_groups("membership of", change->groups_in, ret_text, size);
	add_groups("no membership of", change->groups_out, ret_text, size);
}

/* ---- a local account that gets an owner ---- */

static enum lifecycle_decision order_link(struct admit *admit, int64_t now_s, struct lifecycle_order *ret_order)
{
	_cleanup_account_now_ struct account_now now = { 0 };
	struct account_record *ordered = &admit->ordered;

	if (account_files_now(admit->service->files, admit->verdict.account, &now) <= 0 ||
	    now.user.uid != admit->verdict.uid) {
		log_error("%s: the local account cannot be read: %s", admit->verdict.account,
			  account_files_fault(admit->service->files));
		admit->verdict.kind = VERDICT_REFUSED;
		admit->verdict.reason = REASON_STORAGE;
		return LIFECYCLE_NOTHING;
	}
	*ordered = record_of_newcomer(admit, now_s);
	ordered->uid = now.user.uid;
	ordered->gid = now.user.gid;
	ordered->home = now.user.home;
	ordered->shell = now.user.shell;
	ordered->state = ACCOUNT_ACTIVE;
	ordered->linked = true;
	ordered->expiry_given = "";
	if (plan_link(admit->service->config, ordered, &admit->candidate, &now, now_s, &admit->change) != 0 ||
	    !leave_unusable_groups_out(admit))
		return nothing_without_memory(admit);
	ret_order->change = admit->change;
	return LIFECYCLE_CHANGE;
}

/* ---- by the verdict ---- */

enum lifecycle_decision admit_order(struct admit *admit, int64_t now_s, struct lifecycle_order *ret_order)
{
	admit_forget_order(admit);
	switch (admit->verdict.kind) {
	case VERDICT_REFUSED:
		break;
	case VERDICT_ADMITTED:
		return order_update(admit, now_s, ret_order);
	case VERDICT_CREATE:
		return order_creation(admit, now_s, ret_order);
	case VERDICT_LINK:
		return order_link(admit, now_s, ret_order);
	}
	return LIFECYCLE_NOTHING;
}
