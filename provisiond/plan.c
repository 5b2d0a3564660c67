/*
 * What each change of an account comes to. The parts of it are worked out in plan_rows.c and plan_groups.c.
 */
#include "provisiond/plan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "provisiond/plan_groups.h"
#include "provisiond/plan_rows.h"

#define SECONDS_PER_DAY 86400

void plan_limit_expiry(const struct config *config, int64_t signin_at, char ret_days[PLAN_EXPIRY_MAX])
{
	int64_t age_s = config->accounts.max_signin_age_s;

	ret_days[0] = '\0';
	if (age_s > 0)
		(void)snprintf(ret_days, PLAN_EXPIRY_MAX, "%" PRId64, (signin_at + age_s) / SECONDS_PER_DAY + 1);
}

/* ---- the parts ---- */

/* The lists of groups that a plan is made with. */
struct draft_groups {
	struct name_list in, out, given, taken;
};

static void free_groups(struct draft_groups *groups)
{
	name_list_free(&groups->in);
	name_list_free(&groups->out);
	name_list_free(&groups->given);
	name_list_free(&groups->taken);
}

static void begin(struct draft *draft, enum change_kind kind, const struct account_record *before,
		  const struct account_now *now)
{
	*draft = (struct draft){ .before = before, .now = now, .change = planned_change_none(kind, before) };
}

static bool is_stricter(enum account_state one, enum account_state other)
{
	static const int strictness[ACCOUNT_STATE_COUNT] = {
		[ACCOUNT_ACTIVE] = 0,      [ACCOUNT_INCOMPLETE] = 1, [ACCOUNT_CREATING] = 2,
		[ACCOUNT_DEACTIVATED] = 3, [ACCOUNT_REMOVED] = 4,
	};

	return strictness[one] > strictness[other];
}

/* From the beginning of a change on the account has the stricter one of its two states. */
static void change_state(struct planned_change *change, enum account_state after, int64_t now_s)
{
	change->state_after = after;
	if (after != change->record.state)
		change->record.state_at = now_s;
	if (is_stricter(after, change->record.state))
		change->record.state = after;
}

/* Whether the local password is to be of no use. An account of our making has none. Where the tenant is gone from the
 * configuration, it stays as it is. */
static bool password_is_barred(const struct config *config, const struct account_record *record)
{
	const struct tenant *tenant = config_tenant_named(config, record->tenant);

	if (!record->linked)
		return false;
	return tenant ? tenant->password == PASSWORD_NEVER : record->ageing_before && record->ageing_before[0];
}

/* Password, ageing and expiry as the configuration and the state that the account will have want them. */
static void draft_policies(struct draft *draft, const struct config *config)
{
	const struct account_record *record = &draft->change.record;
	bool barred = password_is_barred(config, record), closed = state_is_closed(draft->change.state_after);

	draft_locks(draft, barred || closed);
	draft_ageing(draft, barred);
	plan_limit_expiry(config, record->last_signin_at, draft->limit);
	draft_expiry(draft, closed, draft->limit);
}

/* Memberships as the rules of the account's tenant want them; without the tenant, as they are. */
static void settle_groups(struct draft *draft, const struct config *config, const struct candidate *candidate,
			  struct draft_groups *groups)
{
	const struct tenant *tenant = config_tenant_named(config, draft->before->tenant);

	if (!tenant)
		return;
	group_rules_apply(tenant, candidate->groups, candidate->group_count, &groups->in, &groups->out);
	group_bookkeeping(draft->before, draft->now->groups, &groups->in, &groups->out, &groups->given, &groups->taken);
	draft->change.groups_in = name_list_text(&groups->in);
	draft->change.groups_out = name_list_text(&groups->out);
	draft->change.record.groups_given = name_list_text(&groups->given);
	draft->change.record.groups_taken = name_list_text(&groups->taken);
}

/* Who the person is now. An issuer that does not tell a name does not take one away. */
static void settle_person(struct planned_change *change, const struct candidate *candidate, int64_t now_s)
{
	if (candidate->email)
		change->record.email = candidate->email;
	if (candidate->full_name[0])
		change->record.full_name = candidate->full_name;
	change->record.last_signin_at = now_s;
}

static bool question_is_open(const struct config *config, const struct account_record *record)
{
	const struct tenant *tenant = config_tenant_named(config, record->tenant);

	return tenant && tenant->rooms.count > 0 && !(record->room && record->room[0]);
}

static int finish(const struct draft *draft, const struct draft_groups *groups, struct planned_change *ret_change)
{
	if (groups && (groups->in.failed || groups->out.failed || groups->given.failed || groups->taken.failed))
		return -ENOMEM;
	return planned_change_copy(&draft->change, ret_change);
}

/* ---- what has to change ---- */

static bool texts_differ(const char *one, const char *other)
{
	return strcmp(one ? one : "", other ? other : "") != 0;
}

static bool rows_change(const struct draft *draft)
{
	const struct planned_change *change = &draft->change;

	return change->gecos || change->locks >= 0 || change->ageing || change->expiry ||
	       !groups_are_as_planned(draft->now->groups, change->groups_in, change->groups_out);
}

/* Besides what every sign-in notes. The accounts of what is whose must be on record even when no row changes. */
static bool record_changes(const struct draft *draft)
{
	const struct account_record *before = draft->before, *after = &draft->change.record;

	return draft->change.state_after != before->state || after->locked != before->locked ||
	       texts_differ(after->room, before->room) || texts_differ(after->groups_given, before->groups_given) ||
	       texts_differ(after->groups_taken, before->groups_taken) ||
	       texts_differ(after->ageing_before, before->ageing_before) ||
	       texts_differ(after->expiry_before, before->expiry_before) ||
	       texts_differ(after->expiry_given, before->expiry_given);
}

/* ---- the plans ---- */

int plan_update(const struct config *config, const struct account_record *record, const struct candidate *candidate,
		const struct account_now *now, int64_t now_s, struct planned_change *ret_change,
		bool *ret_changes_files)
{
	_cleanup_(free_groups) struct draft_groups groups = { 0 };
	struct draft draft;
	int r;

	begin(&draft, CHANGE_UPDATE, record, now);
	settle_person(&draft.change, candidate, now_s);
	if (record->state == ACCOUNT_INCOMPLETE && !question_is_open(config, record))
		change_state(&draft.change, ACCOUNT_ACTIVE, now_s);
	draft_gecos(&draft);
	draft_policies(&draft, config);
	settle_groups(&draft, config, candidate, &groups);
	r = finish(&draft, &groups, ret_change);
	if (r == 0)
		*ret_changes_files = rows_change(&draft) || record_changes(&draft);
	return r;
}

int plan_policy(const struct config *config, const struct account_record *record, const struct account_now *now,
		int64_t now_s, struct planned_change *ret_change, bool *ret_changes_files)
{
	struct draft draft;
	int r;

	(void)now_s;
	begin(&draft, CHANGE_UPDATE, record, now);
	draft_policies(&draft, config);
	r = finish(&draft, NULL, ret_change);
	if (r == 0)
		*ret_changes_files = rows_change(&draft) || record_changes(&draft);
	return r;
}

int plan_room(const struct config *config, const struct account_record *record, const struct account_now *now,
	      const char *room, int64_t now_s, struct planned_change *ret_change)
{
	struct draft draft;

	begin(&draft, CHANGE_UPDATE, record, now);
	draft.change.record.room = room;
	if (record->state == ACCOUNT_INCOMPLETE)
		change_state(&draft.change, ACCOUNT_ACTIVE, now_s);
	draft_gecos(&draft);
	draft_policies(&draft, config);
	return finish(&draft, NULL, ret_change);
}

/* An account that nothing of ours stands in yet. */
static struct account_record untouched(const struct account_record *record)
{
	struct account_record before = *record;

	before.state = ACCOUNT_ACTIVE;
	before.linked = true;
	before.locked = false;
	before.groups_given = before.groups_taken = "";
	before.ageing_before = before.expiry_before = before.expiry_given = "";
	return before;
}

int plan_link(const struct config *config, const struct account_record *record, const struct candidate *candidate,
	      const struct account_now *now, int64_t now_s, struct planned_change *ret_change)
{
	_cleanup_(free_groups) struct draft_groups groups = { 0 };
	struct account_record before = untouched(record);
	struct draft draft;

	before.gecos_before = now->user.gecos;
	begin(&draft, CHANGE_LINK, &before, now);
	settle_person(&draft.change, candidate, now_s);
	change_state(&draft.change, record->state, now_s);
	draft.change.record.state_at = now_s;
	draft_gecos(&draft);
	draft_policies(&draft, config);
	settle_groups(&draft, config, candidate, &groups);
	return finish(&draft, &groups, ret_change);
}

int plan_unlink(const struct account_record *record, const struct account_now *now, int64_t now_s,
		struct planned_change *ret_change)
{
	struct draft draft;

	begin(&draft, CHANGE_UNLINK, record, now);
	draft_gecos_given_back(&draft);
	draft_locks(&draft, false);
	draft_ageing(&draft, false);
	draft_expiry(&draft, false, "");
	draft.change.groups_in = record->groups_taken;
	draft.change.groups_out = record->groups_given;
	/* Until it is done it stays what it is; then it is nobody's any more. */
	draft.change.state_after = ACCOUNT_REMOVED;
	draft.change.record.state_at = now_s;
	return finish(&draft, NULL, ret_change);
}

int plan_deactivate(const struct account_record *record, const struct account_now *now, bool keep_sessions,
		    int64_t now_s, struct planned_change *ret_change)
{
	struct draft draft;

	begin(&draft, CHANGE_DEACTIVATE, record, now);
	change_state(&draft.change, ACCOUNT_DEACTIVATED, now_s);
	draft_locks(&draft, true);
	draft_expiry(&draft, true, "");
	draft.change.end_sessions = !keep_sessions;
	return finish(&draft, NULL, ret_change);
}

int plan_reactivate(const struct config *config, const struct account_record *record, const struct account_now *now,
		    int64_t now_s, struct planned_change *ret_change)
{
	bool asked = !record->linked && question_is_open(config, record);
	struct draft draft;

	begin(&draft, CHANGE_REACTIVATE, record, now);
	change_state(&draft.change, asked ? ACCOUNT_INCOMPLETE : ACCOUNT_ACTIVE, now_s);
	draft_policies(&draft, config);
	return finish(&draft, NULL, ret_change);
}

/* The rows go: nothing is left that would have to be given back. */
static struct account_record without_rows(const struct account_record *record, int64_t now_s)
{
	struct account_record gone = *record;

	gone.state = ACCOUNT_REMOVED;
	gone.state_at = record->state == ACCOUNT_REMOVED ? record->state_at : now_s;
	gone.linked = gone.locked = false;
	gone.groups_given = gone.groups_taken = "";
	gone.gecos_before = gone.ageing_before = gone.expiry_before = gone.expiry_given = "";
	return gone;
}

int plan_remove(const struct account_record *record, bool remove_home, int64_t now_s, struct planned_change *ret_change)
{
	struct account_record gone = without_rows(record, now_s);
	struct planned_change change = planned_change_none(CHANGE_REMOVE, &gone);

	change.groups_out = "*";
	change.end_sessions = true;
	change.home = remove_home ? HOME_IS_REMOVED : HOME_STAYS;
	return planned_change_copy(&change, ret_change);
}

int plan_reassign(const struct account_record *record, uid_t next_uid, int64_t now_s, struct planned_change *ret_change)
{
	struct account_record gone = without_rows(record, now_s);
	struct planned_change change = planned_change_none(CHANGE_REASSIGN, &gone);
	_cleanup_free_ char *home_to = NULL;

	if (asprintf(&home_to, "%s.%u", record->home, (unsigned)record->uid) < 0) {
		home_to = NULL;
		return -ENOMEM;
	}
	change.groups_out = "*";
	change.end_sessions = true;
	change.home = HOME_IS_MOVED;
	change.home_to = home_to;
	change.next_uid = next_uid;
	return planned_change_copy(&change, ret_change);
}
