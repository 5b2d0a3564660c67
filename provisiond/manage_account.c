/*
 * Judges what the administrator does to an account that is on record: unlink, room, deactivate, reactivate, reassign,
 * remove. What that comes to is planned in plan.c.
 */
#include "provisiond/manage.h"

#include <stdio.h>
#include <string.h>

#include "provisiond/facts.h"
#include "provisiond/plan.h"

/* ---- unlink ---- */

static int forget_expected(struct manage *manage, int64_t now_s)
{
	(void)now_s;
	return store_forget_expected(manage->service->store, manage->name);
}

/* True when somebody was only expected under that name: then that is the verdict. */
static bool unlinks_expected(struct manage *manage)
{
	_cleanup_expected_ struct expected expected = { 0 };
	_cleanup_record_ struct account_record record = { 0 };
	enum store_answer found;

	if (facts_record_named(manage->service, manage->name, &record) != STORE_NONE)
		return false;
	found = store_expected_named(manage->service->store, manage->name, &expected);
	if (found == STORE_FAILED)
		return !manage_refuse_storage(manage);
	if (found == STORE_NONE)
		return false;
	manage->verdict = MANAGE_RECORD;
	manage->put_on_record = forget_expected;
	manage->told = (struct event_facts){ .account = manage->name };
	manage_did(manage, "%s is no longer expected under the name %s.", expected.email, manage->name);
	if (expected.kind == EXPECTED_LINK)
		manage_did(manage, "%s stays the local user that it is.", manage->name);
	return true;
}

void manage_unlink(struct manage *manage, int64_t now_s)
{
	const struct account_record *record = &manage->record;
	const char *name = manage->name;

	if (unlinks_expected(manage) || !manage_find_account(manage))
		return;
	if (!record->linked) {
		(void)manage_refuse(manage, REFUSED_CONFLICT,
				    "%s was made by provisiond and never was a local user, so there is nothing to give "
				    "back. To end it: provisionctl %s %s",
				    name, record->state == ACCOUNT_REMOVED ? "reassign" : "remove", name);
		return;
	}
	if (!manage_find_rows(manage))
		return;
	if (record->state == ACCOUNT_DEACTIVATED) {
		(void)manage_refuse(
			manage, REFUSED_CONFLICT,
			"%s is deactivated, and unlinking would let its local password in again. If that is "
			"meant, reactivate it first: provisionctl reactivate %s",
			name, name);
		return;
	}
	manage_take_plan(manage, plan_unlink(record, &manage->now, now_s, &manage->change));
	manage_did(manage,
		   "%s (uid %lu) is a local user again, with the password and the ageing that it had before; home and "
		   "files stay.",
		   name, (unsigned long)record->uid);
	manage_did(manage, "%s has no account here any more.", record->email);
	if (record->groups_given && record->groups_given[0])
		manage_did(manage, "The memberships that came with Okta end: %s.", record->groups_given);
}

/* ---- room ---- */

static bool room_is_offered(struct manage *manage)
{
	const struct tenant *tenant = tenant_of_record(manage->service->config, &manage->record);
	char offered[MANAGE_SENTENCE_MAX / 2] = "";
	size_t length = 0;

	if (!tenant || tenant->rooms.count == 0)
		return manage_refuse(manage, REFUSED_CONFLICT,
				     "There are no rooms for the people of the tenant %s: `rooms` is not set in %s.",
				     manage->record.tenant, manage->service->config->path);
	if (string_list_contains(&tenant->rooms, manage->room))
		return true;
	for (size_t i = 0; i < tenant->rooms.count && length < sizeof(offered); i++)
		length += (size_t)snprintf(offered + length, sizeof(offered) - length, "%s%s", i > 0 ? ", " : "",
					   tenant->rooms.items[i]);
	return manage_refuse(manage, REFUSED_UNFIT, "\"%s\" is none of the rooms of the tenant %s. Choose one of: %s",
			     manage->room, tenant->name, offered);
}

void manage_room(struct manage *manage, int64_t now_s)
{
	const struct account_record *record = &manage->record;

	if (!manage_find_living_account(manage, "give a room to") || !room_is_offered(manage))
		return;
	if (record->state == ACCOUNT_DEACTIVATED) {
		(void)manage_refuse(manage, REFUSED_CONFLICT, "%s is deactivated. First: provisionctl reactivate %s",
				    manage->name, manage->name);
		return;
	}
	if (record->state == ACCOUNT_ACTIVE && record->room && strcmp(record->room, manage->room) == 0) {
		manage->verdict = MANAGE_NOTHING;
		manage_did(manage, "%s has the room %s already.", manage->name, manage->room);
		return;
	}
	manage_take_plan(
		manage, plan_room(manage->service->config, record, &manage->now, manage->room, now_s, &manage->change));
	if (record->room && record->room[0])
		manage_did(manage, "%s has the room %s now, instead of %s.", manage->name, manage->room, record->room);
	else
		manage_did(manage, "%s has the room %s now.", manage->name, manage->room);
	if (record->state == ACCOUNT_INCOMPLETE)
		manage_did(manage, "The account is complete, and its owner is not asked any more.");
}

/* ---- deactivate, reactivate ---- */

static void tell_of_sessions(struct manage *manage)
{
	if (manage->keep_sessions)
		manage_did(manage, "What runs as %s goes on.", manage->name);
	else
		manage_did(manage, "What runs as %s (uid %lu) is ended.", manage->name,
			   (unsigned long)manage->record.uid);
}

void manage_deactivate(struct manage *manage, int64_t now_s)
{
	const struct account_record *record = &manage->record;

	if (!manage_find_living_account(manage, "deactivate"))
		return;
	if (record->state == ACCOUNT_DEACTIVATED && manage->keep_sessions) {
		manage->verdict = MANAGE_NOTHING;
		manage_did(manage, "%s is deactivated already.", manage->name);
		return;
	}
	manage_take_plan(manage, plan_deactivate(record, &manage->now, manage->keep_sessions, now_s, &manage->change));
	/* It may have been with --keep-sessions. */
	if (record->state == ACCOUNT_DEACTIVATED)
		manage_did(manage, "%s is deactivated already.", manage->name);
	else
		manage_did(manage, "%s is deactivated: sign-ins, SSH keys, cron, su and sudo are refused from now on.",
			   manage->name);
	tell_of_sessions(manage);
}

void manage_reactivate(struct manage *manage, int64_t now_s)
{
	const struct account_record *record = &manage->record;

	if (!manage_find_living_account(manage, "reactivate"))
		return;
	if (record->state != ACCOUNT_DEACTIVATED) {
		manage->verdict = MANAGE_NOTHING;
		manage_did(manage, "%s is not deactivated: it is %s.", manage->name, account_state_name(record->state));
		return;
	}
	manage_take_plan(manage,
			 plan_reactivate(manage->service->config, record, &manage->now, now_s, &manage->change));
	if (manage->change.state_after == ACCOUNT_INCOMPLETE)
		manage_did(manage, "%s may sign in again, and is asked for the room then.", manage->name);
	else
		manage_did(manage, "%s is active again.", manage->name);
}

/* ---- the home ---- */

/* What is where the account's home is. */
static enum home_result examine_home(const struct manage *manage)
{
	struct home_report report;

	return home_examine(&manage->service->homes, manage->record.home, manage->record.uid, &report);
}

/* ---- reassign ---- */

static bool finds_fresh_uid(struct manage *manage, uid_t *ret_uid)
{
	const struct tenant *tenant = tenant_of_record(manage->service->config, &manage->record);
	const struct source_facts *sources = &manage->sources;

	if (!tenant)
		return manage_refuse(
			manage, REFUSED_CONFLICT,
			"%s belongs to the tenant %s, which is not in %s any more, so nobody could succeed. "
			"To end the account: provisionctl remove %s",
			manage->name, manage->record.tenant, manage->service->config->path, manage->name);
	if (!facts_fresh_uid(manage->service, tenant, manage->name, ret_uid))
		return manage_refuse(manage, REFUSED_STORAGE,
				     "No uid can be found for a successor of %s, and nothing was changed. The log may "
				     "say why: journalctl -t provisiond",
				     manage->name);
	manage->uid_in_question = *ret_uid;
	if (!sources->asked || (sources->asked_uid == *ret_uid && sources->uid == SOURCE_UNKNOWN))
		return true;
	if (sources->asked_uid == *ret_uid && sources->uid == SOURCE_KNOWN)
		return manage_refuse(
			manage, REFUSED_CONFLICT,
			"The uid that a successor of %s would get, %lu, is a user's or a group's of the name "
			"service %s. Free it there, then try again.",
			manage->name, (unsigned long)*ret_uid, sources->uid_source);
	return manage_refuse(
		manage, REFUSED_UNAVAILABLE,
		"The name service %s does not answer, so it is not known whether the uid of a successor is "
		"free. Try again when it does.",
		sources->uid_source);
}

/* Whether the owner's latest address would give another name than the account has: then the owner was renamed. */
static bool owner_has_another_address(const struct manage *manage)
{
	const struct tenant *tenant = tenant_of_record(manage->service->config, &manage->record);
	char name[EMAIL_LOCAL_MAX + 2 * USERNAME_FORMAT_MAX + 1];
	struct email email;

	if (!tenant || tenant->username_claim || !email_parse(manage->record.email, &email))
		return false;
	return !username_format_expand(&tenant->format, email.local, name, sizeof(name)) ||
	       strcmp(name, manage->name) != 0;
}

static void tell_of_moved_home(struct manage *manage)
{
	const struct account_record *record = &manage->record;

	if (examine_home(manage) == HOME_DONE)
		manage_did(manage, "Its home is kept as %s.%lu, and belongs to nobody who can sign in.", record->home,
			   (unsigned long)record->uid);
}

void manage_reassign(struct manage *manage, int64_t now_s)
{
	const struct account_record *record = &manage->record;
	const char *name = manage->name;
	uid_t next_uid = 0;

	if (!manage_find_account(manage))
		return;
	if (record->linked) {
		(void)manage_refuse(manage, REFUSED_CONFLICT,
				    "%s was a local user before it was linked, and its uid stays with it. Give it back "
				    "first (provisionctl unlink %s), then rename or remove the local user.",
				    name, name);
		return;
	}
	if (!finds_fresh_uid(manage, &next_uid))
		return;
	if (owner_has_another_address(manage) && !manage->confirmed) {
		manage->verdict = MANAGE_ASK;
		(void)snprintf(
			manage->text, sizeof(manage->text),
			"The owner of %s signed in last as %s, which looks like a new name of the same person and "
			"not like a successor. Is the account to be taken from them for good?",
			name, record->email);
		return;
	}
	manage_take_plan(manage, plan_reassign(record, next_uid, now_s, &manage->change));
	manage_did(manage, "The account %s of %s has ended for good; uid %lu is never used again.", name, record->email,
		   (unsigned long)record->uid);
	tell_of_moved_home(manage);
	manage_did(manage, "The next one to sign in with Okta under that name gets a new account %s, with uid %lu.",
		   name, (unsigned long)next_uid);
	if (record->state != ACCOUNT_REMOVED)
		manage_did(manage, "What runs as uid %lu is ended; crontab and mailbox are put away.",
			   (unsigned long)record->uid);
}

/* ---- remove ---- */

static void tell_of_home(struct manage *manage, enum home_result home)
{
	const char *path = manage->record.home;

	if (home == HOME_DONE && manage->delete_home)
		manage_did(manage, "Its home %s is deleted.", path);
	else if (home == HOME_DONE)
		manage_did(manage, "Its home %s is kept. To delete it: provisionctl remove %s --delete-home", path,
			   manage->name);
	else if (home == HOME_MISSING)
		manage_did(manage, "It has no home: there is no %s.", path);
	else
		manage_did(manage, "%s is not the account's own directory, and is left as it is.", path);
}

/* A removed account has nothing left but its home. */
static void remove_home(struct manage *manage, int64_t now_s)
{
	enum home_result home = examine_home(manage);

	manage_did(manage, "%s was removed already.", manage->name);
	tell_of_home(manage, home);
	if (home == HOME_DONE && manage->delete_home)
		manage_take_plan(manage, plan_remove(&manage->record, true, now_s, &manage->change));
	else
		manage->verdict = MANAGE_NOTHING;
}

static bool is_in_files(const struct manage *manage)
{
	struct account_user user;

	return account_files_user_named(manage->service->files, manage->name, &user) > 0 &&
	       user.uid == manage->record.uid;
}

void manage_remove(struct manage *manage, int64_t now_s)
{
	const struct account_record *record = &manage->record;
	enum home_result home;

	if (!manage_find_account(manage))
		return;
	/* Where somebody has removed the local user meanwhile, there is nothing to give back. */
	if (record->linked && is_in_files(manage)) {
		(void)manage_refuse(manage, REFUSED_CONFLICT,
				    "%s was a local user before it was linked, and is not provisiond's to remove. Give "
				    "it back first (provisionctl unlink %s); then there is userdel.",
				    manage->name, manage->name);
		return;
	}
	if (record->state == ACCOUNT_REMOVED) {
		remove_home(manage, now_s);
		return;
	}
	home = examine_home(manage);
	manage_take_plan(manage, plan_remove(record, manage->delete_home && home == HOME_DONE, now_s, &manage->change));
	manage_did(manage,
		   "%s is removed from the account files; uid %lu stays its owner's, who gets it back by signing in "
		   "again.",
		   manage->name, (unsigned long)record->uid);
	tell_of_home(manage, home);
	manage_did(manage, "What runs as %s is ended; crontab and mailbox are put away.", manage->name);
}
