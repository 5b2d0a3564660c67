/*
 * What a change of an account comes to. Each plan is also carried out on the rows it was made for, so that what a whole
 * life of an account leaves can be asked for: ours comes and goes, what others wrote stays.
 */
#include "provisiond/plan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "two_tenants.h"

#define NOW INT64_C(1700000000) /* day 19675 */
#define DAY 86400
#define RULES                             \
	"local_groups = users\ngroup_map" \
	" = Clinic IT:sudo, Radiology:radiology, \"PACS: admins\":radiology\n"
#define AGE "[accounts]\nmax_signin_age = 30d\n"

/* One account: on record, and in the files. */
struct life {
	struct config *config;
	struct account_record record;
	struct planned_change last;
	struct candidate candidate;
	char gecos[600], ageing[128], expiry[32], groups[256];
	int locks;
	bool changes; /* what the last plan said about that */
	int64_t now_s;
};

static const char *const nobodys_groups[] = { "Everyone" };
static const char *const it_groups[] = { "Everyone", "Clinic IT" };

static void in_groups(struct life *life, const char *const *groups, size_t count)
{
	static const char *copies[8];

	for (size_t i = 0; i < count; i++)
		copies[i] = groups[i];
	life->candidate.groups = copies;
	life->candidate.group_count = count;
}

static struct life a_life(const char *configuration, bool linked)
{
	struct life life = {
		.config = config_of(configuration),
		.now_s = NOW,
		.record = { .name = "alice",
			    .uid = 2022975774,
			    .gid = 2022975774,
			    .tenant = "clinic",
			    .issuer = "https://clinic.example",
			    .subject = "00ualice",
			    .email = "alice@clinic.example",
			    .full_name = "Alice Example",
			    .home = "/home/alice",
			    .shell = "/bin/bash",
			    .state = ACCOUNT_ACTIVE,
			    .created_at = NOW - DAY,
			    .last_signin_at = NOW - DAY,
			    .room = "",
			    .groups_given = "",
			    .groups_taken = "",
			    .linked = linked,
			    .gecos_before = "",
			    .ageing_before = "",
			    .expiry_before = "",
			    .expiry_given = "",
			    .refusal = "" },
		.candidate = { .issuer = "https://clinic.example",
			       .client_id = "clinic-client",
			       .subject = "00ualice",
			       .email = "alice@clinic.example",
			       .full_name = "Alice Example" },
		.gecos = "Alice Example",
		.ageing = "19000::::",
	};

	in_groups(&life, nobodys_groups, 1);
	return life;
}

static void end(struct life *life)
{
	planned_change_clear(&life->last);
	config_free(life->config);
}

static void change_configuration(struct life *life, const char *configuration)
{
	config_free(life->config);
	life->config = config_of(configuration);
}

static struct account_now now_of(struct life *life)
{
	return (struct account_now){
		.user = { .name = "alice", .uid = life->record.uid, .gid = life->record.gid, .gecos = life->gecos },
		.shadow = { .locks = life->locks, .ageing = life->ageing, .expiry = life->expiry },
		.groups = life->groups,
	};
}

/* ---- carrying a plan out ---- */

static bool listed(const char *names, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = names; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
		if (strncmp(at, name, length) == 0 && (at[length] == ',' || at[length] == '\0'))
			return true;
	return false;
}

static void add_group(struct life *life, const char *name)
{
	size_t used = strlen(life->groups);

	if (!listed(life->groups, name))
		(void)snprintf(life->groups + used, sizeof(life->groups) - used, "%s%s", used > 0 ? "," : "", name);
}

static void drop_group(struct life *life, const char *name)
{
	char before[sizeof(life->groups)], *next = before, *one;

	memcpy(before, life->groups, sizeof(before));
	life->groups[0] = '\0';
	while ((one = strsep(&next, ",")) != NULL)
		if (one[0] && strcmp(one, name) != 0)
			add_group(life, one);
}

static void each_group(struct life *life, const char *names, void (*change)(struct life *life, const char *name))
{
	char copy[256], *next = copy, *one;

	(void)snprintf(copy, sizeof(copy), "%s", names ? names : "");
	while ((one = strsep(&next, ",")) != NULL)
		if (one[0])
			change(life, one);
}

static void set(char *field, size_t size, const char *text)
{
	if (text)
		(void)snprintf(field, size, "%s", text);
}

static void write_rows(struct life *life, const struct planned_change *change)
{
	set(life->gecos, sizeof(life->gecos), change->gecos);
	set(life->ageing, sizeof(life->ageing), change->ageing);
	set(life->expiry, sizeof(life->expiry), change->expiry);
	if (change->locks >= 0)
		life->locks = change->locks;
	each_group(life, change->groups_in, add_group);
	each_group(life, change->groups_out, drop_group);
}

/* As the lifecycle does it: the rows, twice as after a crash, then the record. */
static void carry_out(struct life *life, int r, struct planned_change *change)
{
	assert_int_equal(r, 0);
	write_rows(life, change);
	write_rows(life, change);
	planned_change_clear(&life->last);
	life->last = *change;
	life->record = life->last.record;
	life->record.state = change->state_after;
}

static void sign_in(struct life *life)
{
	struct account_now now = now_of(life);
	struct planned_change change;
	int r = plan_update(life->config, &life->record, &life->candidate, &now, life->now_s, &change, &life->changes);

	carry_out(life, r, &change);
}

static void link_account(struct life *life)
{
	struct account_now now = now_of(life);
	struct planned_change change;
	int r = plan_link(life->config, &life->record, &life->candidate, &now, life->now_s, &change);

	carry_out(life, r, &change);
	assert_int_equal(life->last.kind, CHANGE_LINK);
	assert_true(life->record.linked);
}

static void unlink_account(struct life *life)
{
	struct account_now now = now_of(life);
	struct planned_change change;
	int r = plan_unlink(&life->record, &now, life->now_s, &change);

	carry_out(life, r, &change);
	assert_int_equal(life->last.kind, CHANGE_UNLINK);
}

static void apply_policy(struct life *life)
{
	struct account_now now = now_of(life);
	struct planned_change change;
	int r = plan_policy(life->config, &life->record, &now, life->now_s, &change, &life->changes);

	carry_out(life, r, &change);
}

static void choose_room(struct life *life, const char *room)
{
	struct account_now now = now_of(life);
	struct planned_change change;
	int r = plan_room(life->config, &life->record, &now, room, life->now_s, &change);

	carry_out(life, r, &change);
}

static void deactivate(struct life *life)
{
	struct account_now now = now_of(life);
	struct planned_change change;
	int r = plan_deactivate(&life->record, &now, false, life->now_s, &change);

	carry_out(life, r, &change);
	assert_int_equal(life->record.state, ACCOUNT_DEACTIVATED);
	assert_string_equal(life->expiry, "1");
	assert_true(life->locks > 0);
}

static void reactivate(struct life *life)
{
	struct account_now now = now_of(life);
	struct planned_change change;
	int r = plan_reactivate(life->config, &life->record, &now, life->now_s, &change);

	carry_out(life, r, &change);
	assert_int_equal(life->last.kind, CHANGE_REACTIVATE);
	assert_int_equal(life->last.record.state, ACCOUNT_DEACTIVATED);
}

/* ---- groups by rules ---- */

static void assert_groups(const char *rules, const char *const *groups, size_t count, const char *in, const char *out)
{
	char text[512], *ret_in = NULL, *ret_out = NULL;
	struct config *config;

	(void)snprintf(text, sizeof(text), "%s%s", CLINIC, rules);
	config = config_of(text);
	assert_int_equal(plan_groups(&config->tenants[0], groups, count, &ret_in, &ret_out), 0);
	assert_string_equal(ret_in, in);
	assert_string_equal(ret_out, out);
	free(ret_in);
	free(ret_out);
	config_free(config);
}

static void rules_give_and_take_each_group_once(void **state)
{
	static const char *const both[] = { "Radiology", "PACS: admins", "Clinic IT" };

	(void)state;
	assert_groups("", both, 3, "", "");
	assert_groups(RULES, NULL, 0, "users", "sudo,radiology");
	assert_groups(RULES, both, 1, "users,radiology", "sudo");
	assert_groups(RULES, both + 1, 1, "users,radiology", "sudo");
	assert_groups(RULES, both, 3, "users,sudo,radiology", "");
	/* What local_groups gives to all, no missing Okta group takes. */
	assert_groups("local_groups = sudo\ngroup_map = Clinic IT:sudo\n", NULL, 0, "sudo", "");
}

static void names_of_groups_compare_exactly(void **state)
{
	static const char *const nearly[] = {
		"clinic it", "Clinic IT ", " Clinic IT", "Clinic", "Clinic IT Staff", ""
	};

	(void)state;
	assert_groups(RULES, nearly, 6, "users", "sudo,radiology");
}

/* ---- sign-ins ---- */

static void a_sign_in_that_changes_nothing_touches_no_file(void **state)
{
	struct life life = a_life(ONE_TENANT RULES, false);

	(void)state;
	set(life.groups, sizeof(life.groups), "users,audio");
	sign_in(&life);
	assert_false(life.changes);
	assert_null(life.last.gecos);
	assert_null(life.last.ageing);
	assert_null(life.last.expiry);
	assert_int_equal(life.last.locks, -1);
	assert_int_equal(life.record.last_signin_at, NOW);
	end(&life);
}

static void a_sign_in_brings_email_and_full_name_up_to_date(void **state)
{
	struct life life = a_life(ONE_TENANT, false);

	(void)state;
	set(life.gecos, sizeof(life.gecos), "Alice Example,,555-0100");
	life.candidate.email = "alice.married@clinic.example";
	life.candidate.full_name = "Alice Married, MD";
	sign_in(&life);
	assert_true(life.changes);
	assert_string_equal(life.record.email, "alice.married@clinic.example");
	assert_string_equal(life.record.full_name, "Alice Married, MD");
	assert_string_equal(life.gecos, "Alice Married MD,,555-0100");
	/* An issuer that says neither takes neither away. */
	life.candidate.email = NULL;
	life.candidate.full_name = "";
	sign_in(&life);
	assert_false(life.changes);
	assert_string_equal(life.record.email, "alice.married@clinic.example");
	assert_string_equal(life.record.full_name, "Alice Married, MD");
	assert_string_equal(life.gecos, "Alice Married MD,,555-0100");
	end(&life);
}

static void a_sign_in_keeps_groups_in_step(void **state)
{
	struct life life = a_life(ONE_TENANT RULES, false);

	(void)state;
	set(life.groups, sizeof(life.groups), "audio");
	in_groups(&life, it_groups, 2);
	sign_in(&life);
	assert_true(life.changes);
	assert_string_equal(life.groups, "audio,users,sudo");
	assert_string_equal(life.record.groups_given, "users,sudo");
	sign_in(&life);
	assert_false(life.changes);
	in_groups(&life, nobodys_groups, 1);
	sign_in(&life);
	assert_true(life.changes);
	assert_string_equal(life.groups, "audio,users");
	assert_string_equal(life.record.groups_given, "users");
	end(&life);
}

static void a_membership_that_others_took_is_given_again(void **state)
{
	struct life life = a_life(ONE_TENANT RULES, false);

	(void)state;
	sign_in(&life);
	life.groups[0] = '\0';
	sign_in(&life);
	assert_true(life.changes);
	assert_string_equal(life.groups, "users");
	assert_string_equal(life.record.groups_given, "users");
	end(&life);
}

static void what_a_rule_gave_goes_with_the_rule_and_what_others_gave_stays(void **state)
{
	struct life life = a_life(ONE_TENANT RULES, false);

	(void)state;
	set(life.groups, sizeof(life.groups), "users");
	in_groups(&life, it_groups, 2);
	sign_in(&life);
	assert_string_equal(life.groups, "users,sudo");
	assert_string_equal(life.record.groups_given, "sudo");
	change_configuration(&life, ONE_TENANT "group_map = Radiology:radiology\n");
	sign_in(&life);
	assert_true(life.changes);
	assert_string_equal(life.groups, "users");
	assert_string_equal(life.record.groups_given, "");
	/* Given by hand now: nobody's business here. */
	add_group(&life, "sudo");
	sign_in(&life);
	assert_false(life.changes);
	assert_string_equal(life.groups, "users,sudo");
	end(&life);
}

static void a_tenant_that_is_gone_takes_no_group(void **state)
{
	struct life life = a_life(ONE_TENANT RULES, false);

	(void)state;
	sign_in(&life);
	life.record.tenant = "closed";
	sign_in(&life);
	assert_false(life.changes);
	assert_string_equal(life.groups, "users");
	assert_string_equal(life.record.groups_given, "users");
	end(&life);
}

/* ---- max_signin_age ---- */

static void the_expiry_is_the_day_after_the_age_is_over(void **state)
{
	struct config *config = config_of(AGE CLINIC), *without = config_of(CLINIC);
	char days[PLAN_EXPIRY_MAX];

	(void)state;
	plan_limit_expiry(config, 0, days);
	assert_string_equal(days, "31");
	plan_limit_expiry(config, DAY - 1, days);
	assert_string_equal(days, "31");
	plan_limit_expiry(config, DAY, days);
	assert_string_equal(days, "32");
	plan_limit_expiry(without, NOW, days);
	assert_string_equal(days, "");
	config_free(config);
	config_free(without);
}

static void each_sign_in_moves_the_expiry(void **state)
{
	struct life life = a_life(AGE CLINIC, false);

	(void)state;
	sign_in(&life);
	assert_true(life.changes);
	assert_string_equal(life.expiry, "19706");
	life.now_s += 60;
	sign_in(&life);
	assert_false(life.changes);
	life.now_s += 10 * (int64_t)DAY;
	sign_in(&life);
	assert_true(life.changes);
	assert_string_equal(life.expiry, "19716");
	assert_string_equal(life.record.expiry_given, "19716");
	/* Also when the configured age is another one by now, or none. */
	change_configuration(&life, "[accounts]\nmax_signin_age = 60d\n" CLINIC);
	sign_in(&life);
	assert_string_equal(life.expiry, "19746");
	change_configuration(&life, ONE_TENANT);
	sign_in(&life);
	assert_string_equal(life.expiry, "");
	assert_string_equal(life.record.expiry_given, "");
	end(&life);
}

static void an_expiry_that_the_admin_set_is_never_moved_further(void **state)
{
	struct life life = a_life(AGE CLINIC, false);

	(void)state;
	sign_in(&life);
	set(life.expiry, sizeof(life.expiry), "19680");
	life.now_s += DAY;
	sign_in(&life);
	assert_string_equal(life.expiry, "19680");
	assert_string_equal(life.record.expiry_given, "");
	assert_string_equal(life.record.expiry_before, "19680");
	/* A later one limits as soon as it is the earlier of the two. */
	set(life.expiry, sizeof(life.expiry), "19710");
	sign_in(&life);
	assert_string_equal(life.expiry, "19707");
	assert_string_equal(life.record.expiry_before, "19710");
	life.now_s += 10 * (int64_t)DAY;
	sign_in(&life);
	assert_string_equal(life.expiry, "19710");
	change_configuration(&life, ONE_TENANT);
	sign_in(&life);
	assert_string_equal(life.expiry, "19710");
	end(&life);
}

static void that_an_expiry_is_not_ours_any_more_is_put_on_record_when_no_row_changes(void **state)
{
	struct life life = a_life(AGE CLINIC, false);

	(void)state;
	set(life.expiry, sizeof(life.expiry), "19710");
	sign_in(&life);
	assert_string_equal(life.record.expiry_given, "19706");
	set(life.expiry, sizeof(life.expiry), "19710");
	life.now_s += 10 * (int64_t)DAY;
	sign_in(&life);
	assert_null(life.last.expiry);
	assert_string_equal(life.record.expiry_given, "");
	assert_true(life.changes);
	end(&life);
}

/* ---- deactivation ---- */

static void a_deactivated_account_is_closed_and_comes_back_as_it_was(void **state)
{
	struct life life = a_life(ONE_TENANT, false);

	(void)state;
	set(life.expiry, sizeof(life.expiry), "20000");
	deactivate(&life);
	assert_int_equal(life.locks, 1);
	assert_true(life.last.end_sessions);
	assert_int_equal(life.last.record.state, ACCOUNT_DEACTIVATED);
	assert_int_equal(life.record.state_at, NOW);
	assert_null(life.last.ageing);
	life.now_s += DAY;
	reactivate(&life);
	assert_int_equal(life.record.state, ACCOUNT_ACTIVE);
	assert_int_equal(life.record.state_at, NOW + DAY);
	assert_int_equal(life.locks, 0);
	assert_false(life.record.locked);
	assert_string_equal(life.expiry, "20000");
	end(&life);
}

static void deactivating_twice_is_deactivating_once(void **state)
{
	struct life life = a_life(ONE_TENANT, false);

	(void)state;
	set(life.expiry, sizeof(life.expiry), "20000");
	deactivate(&life);
	life.now_s += DAY;
	deactivate(&life);
	assert_int_equal(life.locks, 1);
	assert_int_equal(life.record.state_at, NOW);
	assert_null(life.last.expiry);
	assert_int_equal(life.last.locks, -1);
	reactivate(&life);
	assert_int_equal(life.locks, 0);
	assert_string_equal(life.expiry, "20000");
	end(&life);
}

static void sessions_are_kept_when_asked(void **state)
{
	struct life life = a_life(ONE_TENANT, false);
	struct account_now now = now_of(&life);
	struct planned_change change;

	(void)state;
	assert_int_equal(plan_deactivate(&life.record, &now, true, NOW, &change), 0);
	assert_false(change.end_sessions);
	planned_change_clear(&change);
	end(&life);
}

static void a_lock_of_the_admins_survives_deactivation(void **state)
{
	struct life life = a_life(ONE_TENANT, false);

	(void)state;
	life.locks = 1;
	deactivate(&life);
	assert_int_equal(life.locks, 2);
	reactivate(&life);
	assert_int_equal(life.locks, 1);
	/* And one that the admin took off while the account was deactivated is not put back. */
	deactivate(&life);
	life.locks = 1;
	reactivate(&life);
	assert_int_equal(life.locks, 0);
	/* Nor is a lock of theirs taken for ours when both are gone. */
	deactivate(&life);
	life.locks = 0;
	reactivate(&life);
	assert_int_equal(life.locks, 0);
	end(&life);
}

static void an_expiry_that_was_set_while_deactivated_stays(void **state)
{
	struct life life = a_life(ONE_TENANT, false);

	(void)state;
	deactivate(&life);
	set(life.expiry, sizeof(life.expiry), "20500");
	reactivate(&life);
	assert_string_equal(life.expiry, "20500");
	/* Even the very day that closes: it stood there before. */
	set(life.expiry, sizeof(life.expiry), "1");
	deactivate(&life);
	reactivate(&life);
	assert_string_equal(life.expiry, "1");
	end(&life);
}

static void reactivation_does_not_forgive_a_sign_in_that_is_too_long_ago(void **state)
{
	struct life life = a_life(AGE CLINIC, false);

	(void)state;
	sign_in(&life);
	deactivate(&life);
	assert_string_equal(life.record.expiry_before, "");
	life.now_s += 90 * (int64_t)DAY;
	reactivate(&life);
	assert_string_equal(life.expiry, "19706");
	assert_string_equal(life.record.expiry_given, "19706");
	sign_in(&life);
	assert_string_equal(life.expiry, "19796");
	end(&life);
}

/* ---- linking ---- */

/* A local user of many years: a lock of the admin's is not among it. */
static struct life a_local_user(const char *configuration)
{
	struct life life = a_life(configuration, false);

	life.record.full_name = "";
	set(life.gecos, sizeof(life.gecos), "A. Example,Old room,555-0100,555-0199");
	set(life.ageing, sizeof(life.ageing), "18000:1:90:7:14");
	set(life.expiry, sizeof(life.expiry), "21000");
	set(life.groups, sizeof(life.groups), "audio,sudo,users");
	return life;
}

static void assert_as_before(const struct life *life)
{
	assert_string_equal(life->gecos, "A. Example,Old room,555-0100,555-0199");
	assert_string_equal(life->ageing, "18000:1:90:7:14");
	assert_string_equal(life->expiry, "21000");
	assert_int_equal(life->locks, 0);
	for (const char *const *group = (const char *const[]){ "audio", "sudo", "users", NULL }; *group; group++)
		assert_true(listed(life->groups, *group));
	assert_int_equal(strlen(life->groups), strlen("audio,sudo,users"));
}

static void a_linked_password_works_no_more_and_comes_back(void **state)
{
	struct life life = a_local_user(ONE_TENANT);

	(void)state;
	link_account(&life);
	assert_int_equal(life.record.state, ACCOUNT_ACTIVE);
	assert_int_equal(life.locks, 1);
	assert_string_equal(life.ageing, "18000::::");
	assert_string_equal(life.expiry, "21000");
	assert_string_equal(life.gecos, "Alice Example,Old room,555-0100,555-0199");
	assert_string_equal(life.record.gecos_before, "A. Example,Old room,555-0100,555-0199");
	assert_string_equal(life.record.ageing_before, "18000:1:90:7:14");
	sign_in(&life);
	assert_false(life.changes);
	unlink_account(&life);
	assert_as_before(&life);
	end(&life);
}

static void with_fallback_password_and_ageing_stay(void **state)
{
	struct life life = a_local_user(ONE_TENANT "password = fallback\n");

	(void)state;
	link_account(&life);
	assert_int_equal(life.locks, 0);
	assert_int_equal(life.last.locks, -1);
	assert_null(life.last.ageing);
	assert_string_equal(life.record.ageing_before, "");
	unlink_account(&life);
	assert_as_before(&life);
	end(&life);
}

static void the_policy_can_change_to_and_fro(void **state)
{
	struct life life = a_local_user(ONE_TENANT "password = fallback\n");

	(void)state;
	link_account(&life);
	/* Their password changes while it is theirs. */
	set(life.ageing, sizeof(life.ageing), "19500:1:60:7:14");
	for (int i = 0; i < 2; i++) {
		change_configuration(&life, ONE_TENANT "password = never\n");
		apply_policy(&life);
		assert_true(life.changes);
		assert_int_equal(life.locks, 1);
		assert_string_equal(life.ageing, "19500::::");
		assert_string_equal(life.record.ageing_before, "19500:1:60:7:14");
		apply_policy(&life);
		assert_false(life.changes);
		change_configuration(&life, ONE_TENANT "password = fallback\n");
		sign_in(&life);
		assert_true(life.changes);
		assert_int_equal(life.locks, 0);
		assert_string_equal(life.ageing, "19500:1:60:7:14");
		assert_string_equal(life.record.ageing_before, "");
	}
	end(&life);
}

static void the_policy_is_no_sign_in(void **state)
{
	struct life life = a_local_user(ONE_TENANT);

	(void)state;
	link_account(&life);
	life.now_s += 5 * (int64_t)DAY;
	change_configuration(&life, AGE CLINIC);
	apply_policy(&life);
	assert_int_equal(life.record.last_signin_at, NOW);
	assert_string_equal(life.expiry, "19706");
	assert_null(life.last.groups_in);
	assert_null(life.last.groups_out);
	unlink_account(&life);
	assert_string_equal(life.expiry, "21000");
	end(&life);
}

static void a_password_that_must_be_changed_now_does_not_stop_a_linked_account(void **state)
{
	struct life life = a_local_user(ONE_TENANT);

	(void)state;
	set(life.ageing, sizeof(life.ageing), "0:0:99999:7:");
	link_account(&life);
	assert_string_equal(life.ageing, "::::");
	unlink_account(&life);
	assert_string_equal(life.ageing, "0:0:99999:7:");
	end(&life);
}

static void what_the_admin_changed_while_linked_stays(void **state)
{
	struct life life = a_local_user(ONE_TENANT);

	(void)state;
	link_account(&life);
	/* A new password, a maximum age, an expiry, a phone number, a group. */
	set(life.ageing, sizeof(life.ageing), "19600::45::");
	life.locks = 0;
	set(life.expiry, sizeof(life.expiry), "22000");
	set(life.gecos, sizeof(life.gecos), "Alice Example,Old room,555-0177,555-0199");
	add_group(&life, "video");
	sign_in(&life);
	assert_int_equal(life.locks, 1);
	assert_string_equal(life.ageing, "19600::::");
	assert_string_equal(life.record.ageing_before, "19600:1:45:7:14");
	unlink_account(&life);
	assert_int_equal(life.locks, 0);
	assert_string_equal(life.ageing, "19600:1:45:7:14");
	assert_string_equal(life.expiry, "22000");
	assert_string_equal(life.gecos, "A. Example,Old room,555-0177,555-0199");
	assert_true(listed(life.groups, "video"));
	end(&life);
}

static void a_linked_account_can_be_deactivated_under_either_policy(void **state)
{
	static const char *const policies[] = { ONE_TENANT, ONE_TENANT "password = fallback\n" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct life life = a_local_user(policies[i]);

		life.locks = 1; /* the admin's */
		link_account(&life);
		deactivate(&life);
		assert_int_equal(life.locks, 2);
		reactivate(&life);
		assert_int_equal(life.locks, i == 0 ? 2 : 1);
		assert_string_equal(life.ageing, i == 0 ? "18000::::" : "18000:1:90:7:14");
		assert_string_equal(life.expiry, "21000");
		unlink_account(&life);
		assert_int_equal(life.locks, 1);
		life.locks = 0;
		assert_as_before(&life);
		end(&life);
	}
}

static void a_deactivated_account_stays_closed_whatever_the_policy(void **state)
{
	struct life life = a_local_user(ONE_TENANT);

	(void)state;
	link_account(&life);
	deactivate(&life);
	change_configuration(&life, ONE_TENANT "password = fallback\n");
	apply_policy(&life);
	assert_int_equal(life.locks, 1);
	assert_string_equal(life.expiry, "1");
	assert_int_equal(life.record.state, ACCOUNT_DEACTIVATED);
	reactivate(&life);
	assert_int_equal(life.locks, 0);
	assert_string_equal(life.ageing, "18000:1:90:7:14");
	end(&life);
}

static void unlinking_a_deactivated_account_gives_it_back_whole(void **state)
{
	struct life life = a_local_user(AGE CLINIC);

	(void)state;
	link_account(&life);
	deactivate(&life);
	unlink_account(&life);
	assert_as_before(&life);
	assert_false(life.last.end_sessions);
	assert_int_equal(life.last.home, HOME_STAYS);
	end(&life);
}

static void without_its_tenant_a_linked_account_keeps_its_policy(void **state)
{
	static const char *const policies[] = { ONE_TENANT, ONE_TENANT "password = fallback\n" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct life life = a_local_user(policies[i]);

		link_account(&life);
		deactivate(&life);
		life.record.tenant = "closed";
		reactivate(&life);
		assert_int_equal(life.locks, i == 0 ? 1 : 0);
		assert_string_equal(life.ageing, i == 0 ? "18000::::" : "18000:1:90:7:14");
		end(&life);
	}
}

static void memberships_from_before_are_the_local_users_own(void **state)
{
	struct life life = a_local_user(ONE_TENANT RULES);

	(void)state;
	/* The rules name sudo and do not give it; they give users, which is there, and radiology, which is not. */
	in_groups(&life, (const char *const[]){ "Radiology" }, 1);
	link_account(&life);
	assert_string_equal(life.groups, "audio,users,radiology");
	assert_string_equal(life.record.groups_given, "radiology");
	assert_string_equal(life.record.groups_taken, "sudo");
	unlink_account(&life);
	assert_as_before(&life);
	end(&life);
}

static void what_the_rules_gave_is_not_given_back(void **state)
{
	struct life life = a_local_user(ONE_TENANT RULES);

	(void)state;
	in_groups(&life, (const char *const[]){ "Radiology" }, 1);
	link_account(&life);
	assert_true(listed(life.groups, "radiology"));
	in_groups(&life, nobodys_groups, 1);
	sign_in(&life);
	assert_string_equal(life.record.groups_taken, "sudo");
	unlink_account(&life);
	assert_as_before(&life);
	end(&life);
}

static void a_group_that_was_taken_and_given_again_is_the_local_users_own(void **state)
{
	struct life life = a_local_user(ONE_TENANT RULES);

	(void)state;
	link_account(&life);
	assert_string_equal(life.record.groups_taken, "sudo");
	in_groups(&life, it_groups, 2);
	sign_in(&life);
	assert_true(listed(life.groups, "sudo"));
	assert_string_equal(life.record.groups_taken, "");
	assert_string_equal(life.record.groups_given, "");
	in_groups(&life, nobodys_groups, 1);
	sign_in(&life);
	assert_false(listed(life.groups, "sudo"));
	assert_string_equal(life.record.groups_taken, "sudo");
	unlink_account(&life);
	assert_as_before(&life);
	end(&life);
}

static void a_field_that_could_not_be_given_back_is_not_written(void **state)
{
	struct life life = a_local_user(ONE_TENANT);

	(void)state;
	set(life.gecos, sizeof(life.gecos), "J\xfcrgen,Old room");
	link_account(&life);
	assert_null(life.last.gecos);
	choose_room(&life, "Exam 1");
	assert_null(life.last.gecos);
	assert_string_equal(life.record.room, "Exam 1");
	unlink_account(&life);
	assert_string_equal(life.gecos, "J\xfcrgen,Old room");
	end(&life);
}

static void ageing_that_is_none_is_left_alone(void **state)
{
	static const char *const odd[] = { "", ":::", "18000:1:90:7:14:", "not so" };

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		struct life life = a_local_user(ONE_TENANT);

		set(life.ageing, sizeof(life.ageing), odd[i]);
		link_account(&life);
		assert_null(life.last.ageing);
		unlink_account(&life);
		assert_string_equal(life.ageing, odd[i]);
		end(&life);
	}
}

/* ---- rooms ---- */

#define ROOMS ONE_TENANT "rooms = Exam 1, Front desk\n"

static struct life an_incomplete_account(const char *configuration)
{
	struct life life = a_life(configuration, false);

	life.record.state = ACCOUNT_INCOMPLETE;
	life.record.locked = true;
	life.locks = 1;
	set(life.expiry, sizeof(life.expiry), "1");
	return life;
}

static void the_answer_opens_an_incomplete_account(void **state)
{
	struct life life = an_incomplete_account(AGE ROOMS);

	(void)state;
	/* It was made closed: that lock is ours, whether the record says so or not. */
	life.record.locked = false;
	life.record.last_signin_at = NOW;
	life.now_s += 30;
	choose_room(&life, "Exam 1");
	assert_int_equal(life.last.record.state, ACCOUNT_INCOMPLETE);
	assert_int_equal(life.record.state, ACCOUNT_ACTIVE);
	assert_int_equal(life.record.state_at, NOW + 30);
	assert_string_equal(life.gecos, "Alice Example,Exam 1");
	assert_int_equal(life.locks, 0);
	assert_string_equal(life.expiry, "19706");
	end(&life);
}

static void a_sign_in_alone_does_not_open_it(void **state)
{
	struct life life = an_incomplete_account(ROOMS RULES);

	(void)state;
	sign_in(&life);
	assert_int_equal(life.record.state, ACCOUNT_INCOMPLETE);
	assert_int_equal(life.locks, 1);
	assert_string_equal(life.expiry, "1");
	assert_string_equal(life.groups, "users");
	end(&life);
}

static void a_sign_in_opens_it_when_the_question_is_gone(void **state)
{
	struct life life = an_incomplete_account(ONE_TENANT);

	(void)state;
	sign_in(&life);
	assert_true(life.changes);
	assert_int_equal(life.last.record.state, ACCOUNT_INCOMPLETE);
	assert_int_equal(life.record.state, ACCOUNT_ACTIVE);
	assert_int_equal(life.locks, 0);
	assert_string_equal(life.expiry, "");
	end(&life);
}

static void another_room_moves_nothing_else(void **state)
{
	struct life life = a_life(ROOMS, false);

	(void)state;
	set(life.gecos, sizeof(life.gecos), "Alice Example,Exam 1,555-0100");
	life.record.room = "Exam 1";
	choose_room(&life, "Front desk");
	assert_string_equal(life.gecos, "Alice Example,Front desk,555-0100");
	assert_int_equal(life.last.locks, -1);
	assert_null(life.last.expiry);
	/* Not even of a deactivated account. */
	deactivate(&life);
	choose_room(&life, "Exam 1");
	assert_int_equal(life.record.state, ACCOUNT_DEACTIVATED);
	assert_int_equal(life.locks, 1);
	assert_string_equal(life.expiry, "1");
	assert_string_equal(life.gecos, "Alice Example,Exam 1,555-0100");
	end(&life);
}

static void a_linked_account_gets_its_room_and_the_old_one_comes_back(void **state)
{
	struct life life = a_local_user(ROOMS);

	(void)state;
	link_account(&life);
	assert_int_equal(life.record.state, ACCOUNT_ACTIVE);
	choose_room(&life, "Exam 1");
	assert_string_equal(life.gecos, "Alice Example,Exam 1,555-0100,555-0199");
	sign_in(&life);
	assert_false(life.changes);
	unlink_account(&life);
	assert_as_before(&life);
	end(&life);
}

static void an_account_without_its_room_is_incomplete_again_when_reactivated(void **state)
{
	struct life life = an_incomplete_account(ROOMS);

	(void)state;
	deactivate(&life);
	assert_int_equal(life.locks, 1);
	reactivate(&life);
	assert_int_equal(life.record.state, ACCOUNT_INCOMPLETE);
	assert_int_equal(life.locks, 1);
	assert_string_equal(life.expiry, "1");
	choose_room(&life, "Exam 1");
	assert_int_equal(life.locks, 0);
	assert_string_equal(life.expiry, "");
	deactivate(&life);
	reactivate(&life);
	assert_int_equal(life.record.state, ACCOUNT_ACTIVE);
	end(&life);
}

static void a_linked_account_is_not_asked_when_reactivated(void **state)
{
	struct life life = a_local_user(ROOMS);

	(void)state;
	link_account(&life);
	deactivate(&life);
	reactivate(&life);
	assert_int_equal(life.record.state, ACCOUNT_ACTIVE);
	assert_string_equal(life.expiry, "21000");
	end(&life);
}

/* ---- removal ---- */

static void a_removed_account_leaves_all_groups_and_keeps_its_home_unless_asked(void **state)
{
	struct life life = a_local_user(ONE_TENANT RULES);
	struct planned_change change;

	(void)state;
	link_account(&life);
	for (int remove_home = 0; remove_home < 2; remove_home++) {
		assert_int_equal(plan_remove(&life.record, remove_home, NOW, &change), 0);
		assert_int_equal(change.kind, CHANGE_REMOVE);
		assert_int_equal(change.record.state, ACCOUNT_REMOVED);
		assert_int_equal(change.state_after, ACCOUNT_REMOVED);
		assert_int_equal(change.record.state_at, NOW);
		assert_string_equal(change.groups_out, "*");
		assert_true(change.end_sessions);
		assert_int_equal(change.home, remove_home ? HOME_IS_REMOVED : HOME_STAYS);
		assert_null(change.home_to);
		assert_false(change.record.linked || change.record.locked);
		assert_string_equal(change.record.groups_given, "");
		assert_string_equal(change.record.gecos_before, "");
		planned_change_clear(&change);
	}
	end(&life);
}

static void a_reassigned_name_leaves_home_and_uid_behind(void **state)
{
	struct life life = a_life(ONE_TENANT, false);
	struct planned_change change;

	(void)state;
	assert_int_equal(plan_reassign(&life.record, 2000300000, NOW, &change), 0);
	assert_int_equal(change.kind, CHANGE_REASSIGN);
	assert_int_equal(change.record.state, ACCOUNT_REMOVED);
	assert_int_equal(change.home, HOME_IS_MOVED);
	assert_string_equal(change.home_to, "/home/alice.2022975774");
	assert_int_equal(change.next_uid, 2000300000);
	assert_string_equal(change.groups_out, "*");
	assert_true(change.end_sessions);
	planned_change_clear(&change);
	end(&life);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_give_and_take_each_group_once),
		cmocka_unit_test(names_of_groups_compare_exactly),
		cmocka_unit_test(a_sign_in_that_changes_nothing_touches_no_file),
		cmocka_unit_test(a_sign_in_brings_email_and_full_name_up_to_date),
		cmocka_unit_test(a_sign_in_keeps_groups_in_step),
		cmocka_unit_test(a_membership_that_others_took_is_given_again),
		cmocka_unit_test(what_a_rule_gave_goes_with_the_rule_and_what_others_gave_stays),
		cmocka_unit_test(a_tenant_that_is_gone_takes_no_group),
		cmocka_unit_test(the_expiry_is_the_day_after_the_age_is_over),
		cmocka_unit_test(each_sign_in_moves_the_expiry),
		cmocka_unit_test(an_expiry_that_the_admin_set_is_never_moved_further),
		cmocka_unit_test(that_an_expiry_is_not_ours_any_more_is_put_on_record_when_no_row_changes),
		cmocka_unit_test(a_deactivated_account_is_closed_and_comes_back_as_it_was),
		cmocka_unit_test(deactivating_twice_is_deactivating_once),
		cmocka_unit_test(sessions_are_kept_when_asked),
		cmocka_unit_test(a_lock_of_the_admins_survives_deactivation),
		cmocka_unit_test(an_expiry_that_was_set_while_deactivated_stays),
		cmocka_unit_test(reactivation_does_not_forgive_a_sign_in_that_is_too_long_ago),
		cmocka_unit_test(a_linked_password_works_no_more_and_comes_back),
		cmocka_unit_test(with_fallback_password_and_ageing_stay),
		cmocka_unit_test(the_policy_can_change_to_and_fro),
		cmocka_unit_test(the_policy_is_no_sign_in),
		cmocka_unit_test(a_password_that_must_be_changed_now_does_not_stop_a_linked_account),
		cmocka_unit_test(what_the_admin_changed_while_linked_stays),
		cmocka_unit_test(a_linked_account_can_be_deactivated_under_either_policy),
		cmocka_unit_test(a_deactivated_account_stays_closed_whatever_the_policy),
		cmocka_unit_test(unlinking_a_deactivated_account_gives_it_back_whole),
		cmocka_unit_test(without_its_tenant_a_linked_account_keeps_its_policy),
		cmocka_unit_test(memberships_from_before_are_the_local_users_own),
		cmocka_unit_test(what_the_rules_gave_is_not_given_back),
		cmocka_unit_test(a_group_that_was_taken_and_given_again_is_the_local_users_own),
		cmocka_unit_test(a_field_that_could_not_be_given_back_is_not_written),
		cmocka_unit_test(ageing_that_is_none_is_left_alone),
		cmocka_unit_test(the_answer_opens_an_incomplete_account),
		cmocka_unit_test(a_sign_in_alone_does_not_open_it),
		cmocka_unit_test(a_sign_in_opens_it_when_the_question_is_gone),
		cmocka_unit_test(another_room_moves_nothing_else),
		cmocka_unit_test(a_linked_account_gets_its_room_and_the_old_one_comes_back),
		cmocka_unit_test(an_account_without_its_room_is_incomplete_again_when_reactivated),
		cmocka_unit_test(a_linked_account_is_not_asked_when_reactivated),
		cmocka_unit_test(a_removed_account_leaves_all_groups_and_keeps_its_home_unless_asked),
		cmocka_unit_test(a_reassigned_name_leaves_home_and_uid_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
