/*
 * Answers `lookup`: what a typed name stands for, before anybody signs in. libnss_oidc asks it for sshd, pam_oidcd
 * before it sends anything to an issuer.
 *
 * An answer may need other name services. Until they have answered, nothing is kept but the question itself: everything
 * is decided anew then, by the configuration and the records of that moment.
 */
#include "provisiond/requests.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "provisiond/facts.h"
#include "provisiond/person_text.h"

/* The module gives up after 250 ms in all. */
#define NSS_DEADLINE_MS 200
#define LOGIN_DEADLINE_MS 3000

struct lookup {
	struct service *service;
	struct question *question;
	bool for_nss;
	bool for_sshd;
	struct source_facts typed_at_sources;   /* about the typed name */
	struct source_facts account_at_sources; /* about the account, where that is another name, and its uid */
	char typed[TICKET_TYPED_MAX + 1];
};

static void continue_lookup(struct lookup *lookup);

/* ---- answers ---- */

static void finish(struct lookup *lookup, const struct wire_writer *answer)
{
	question_send(lookup->question, answer);
	free(lookup);
}

static void answer_status(struct lookup *lookup, const char *status)
{
	struct wire_writer answer;

	question_begin_answer(lookup->question, &answer, status);
	finish(lookup, &answer);
}

static void answer_refused(struct lookup *lookup, const struct verdict *verdict)
{
	struct wire_writer answer;

	question_begin_answer(lookup->question, &answer, "refused");
	wire_put(&answer, "reason", reason_name(verdict->reason));
	wire_put(&answer, "text", verdict->sentence[0] ? verdict->sentence : reason_sentence(verdict->reason));
	/* The name service is asked again and again by those who guess names: their guesses are not worth a line each.
	 */
	if (!lookup->for_nss && verdict->remedy[0])
		log_notice("%s: refused before the sign-in (%s): %s", lookup->typed, reason_name(verdict->reason),
			   verdict->remedy);
	finish(lookup, &answer);
}

struct entry {
	const char *kind;
	const char *account;
	const char *tenant;
	uid_t uid;
	gid_t gid;
	const char *gecos;
	const char *home;
	const char *shell;
	bool fallback; /* the local password is good as well */
};

static void begin_entry(struct lookup *lookup, const struct entry *entry, struct wire_writer *ret_answer)
{
	question_begin_answer(lookup->question, ret_answer, "entry");
	wire_put(ret_answer, "kind", entry->kind);
	wire_put(ret_answer, "tenant", entry->tenant);
	if (!entry->account)
		return;
	wire_put(ret_answer, "account", entry->account);
	wire_put_number(ret_answer, "uid", entry->uid);
	wire_put_number(ret_answer, "gid", entry->gid);
	wire_put(ret_answer, "gecos", entry->gecos);
	wire_put(ret_answer, "home", entry->home);
	wire_put(ret_answer, "shell", entry->shell);
	if (entry->fallback)
		wire_put_number(ret_answer, "fallback", 1);
}

static void answer_entry(struct lookup *lookup, const struct entry *entry)
{
	struct wire_writer answer;

	begin_entry(lookup, entry, &answer);
	finish(lookup, &answer);
}

/* Of an account whose tenant the configuration does not have any more. */
static void log_refused_tenant(const struct lookup *lookup, const struct account_record *record)
{
	if (!lookup->for_nss)
		log_notice("%s: refused before the sign-in (%s): the account is of tenant %s, which is not in %s any "
			   "more",
			   lookup->typed, reason_name(REASON_TENANT_GONE), record->tenant,
			   lookup->service->config->path);
}

static void put_groups(const struct service *service, const char *account, struct wire_writer *answer)
{
	const gid_t *gids;
	size_t count;

	if (account_files_groups_of(service->files, account, &gids, &count) != 0)
		return;
	for (size_t i = 0; i < count; i++)
		wire_put_number(answer, "group", gids[i]);
}

/* The entry of an account that is there: home, shell and GECOS are those of /etc/passwd, where its admin may have
 * changed them. */
static void answer_account(struct lookup *lookup, const struct tenant *tenant, const struct account_record *record)
{
	char gecos[GECOS_MAX];
	struct account_user user;
	struct wire_writer answer;
	struct entry entry = {
		.kind = record->state == ACCOUNT_ACTIVE     ? "active"
			: record->state == ACCOUNT_CREATING ? "promised"
							    : "incomplete",
		.account = record->name,
		.tenant = tenant->name,
		.uid = record->uid,
		.gid = record->gid,
		.gecos = gecos,
		.home = record->home,
		.shell = record->shell,
		.fallback = record->linked && tenant->password == PASSWORD_FALLBACK,
	};

	gecos_from_full_name(record->full_name, record->name, gecos);
	if (record->state != ACCOUNT_CREATING &&
	    account_files_user_named(lookup->service->files, record->name, &user) > 0) {
		entry.gid = user.gid;
		entry.gecos = user.gecos;
		entry.home = user.home;
		entry.shell = user.shell;
	}
	begin_entry(lookup, &entry, &answer);
	if (record->state == ACCOUNT_ACTIVE)
		put_groups(lookup->service, record->name, &answer);
	finish(lookup, &answer);
}

/* ---- other name services ---- */

static void typed_answered(void *context, const struct source_facts *facts)
{
	struct lookup *lookup = context;

	lookup->typed_at_sources = *facts;
	continue_lookup(lookup);
}

static void account_answered(void *context, const struct source_facts *facts)
{
	struct lookup *lookup = context;

	lookup->account_at_sources = *facts;
	continue_lookup(lookup);
}

static int64_t deadline_of(const struct lookup *lookup)
{
	return wire_now_ms() + (lookup->for_nss ? NSS_DEADLINE_MS : LOGIN_DEADLINE_MS);
}

/* Asks whether the account that would be made is in somebody's way. sshd may have its entry unless the name is another
 * service's user: the entry lets nobody in (see ask_standing.c), and whether a group has the name, or anybody the uid,
 * is asked before the person is sent to their issuer, and once more before the account is made. */
static void ask_about_account(struct lookup *lookup, const struct stands_for *stands,
			      const struct account_record *removed)
{
	inquiry_answered *answered = stands->is_email ? account_answered : typed_answered;
	uid_t uid = removed ? removed->uid : 0;

	if (lookup->for_nss)
		inquire_for_user(lookup->service->inquiries, stands->account, deadline_of(lookup), answered, lookup);
	else if (!removed && !facts_promised_uid(lookup->service, stands->tenant, stands->account, &uid))
		answer_status(lookup, "unavailable");
	else
		inquire(lookup->service->inquiries, stands->account, true, uid, deadline_of(lookup), answered, lookup);
}

/* ---- what is not there yet ---- */

/* The account that would be made. `removed` is the one on record whose person would come back, `expected` who is
 * expected under that name; or NULL. */
static void look_up_new(struct lookup *lookup, const struct stands_for *stands, const struct account_record *removed,
			const struct expected *expected)
{
	const struct source_facts *sources = stands->is_email ? &lookup->account_at_sources : &lookup->typed_at_sources;
	struct account_facts facts;
	struct promise promise;
	struct verdict verdict;

	/* sshd hears nothing of a name that nobody may have: no need to ask for it. */
	if (!sources->asked && !(lookup->for_nss && facts_name_is_reserved(lookup->service, stands->account))) {
		ask_about_account(lookup, stands, removed);
		return;
	}
	if (removed)
		facts_of_return(lookup->service, removed, sources, &promise, &facts);
	else
		facts_of_new_account(lookup->service, stands->tenant, stands->account, expected, sources, &promise,
				     &facts);
	admission_of_new_name(stands->account, &promise, &facts, &verdict);
	if (facts.name == NAME_HOLDER_UNKNOWN || facts.uid == UID_HOLDER_UNKNOWN)
		answer_status(lookup, "unavailable");
	else if (verdict.kind == VERDICT_REFUSED)
		answer_refused(lookup, &verdict);
	else
		answer_entry(lookup, &(struct entry){
					     .kind = "promised",
					     .account = stands->account,
					     .tenant = stands->tenant->name,
					     .uid = promise.uid,
					     .gid = promise.uid,
					     .gecos = stands->account,
					     .home = promise.home,
					     .shell = promise.shell,
				     });
}

/* ---- what is on record ---- */

static void look_up_recorded(struct lookup *lookup, const struct stands_for *stands,
			     const struct account_record *record)
{
	enum standing standing = facts_standing(lookup->service, record, (int64_t)time(NULL));
	struct verdict verdict;

	/* Somebody removed our account and made one of their own under its name: that is a local user. */
	if (standing == STANDING_FOREIGN && !stands->is_email) {
		answer_status(lookup, "not_ours");
		return;
	}
	if (standing == STANDING_UNKNOWN) {
		answer_status(lookup, "unavailable");
		return;
	}
	if (stands->reason != REASON_NONE)
		admission_of_no_account(stands, &verdict);
	else
		admission_of_standing(record, standing, &verdict);
	if (stands->reason == REASON_TENANT_GONE)
		log_refused_tenant(lookup, record);
	if (verdict.kind == VERDICT_REFUSED)
		answer_refused(lookup, &verdict);
	else if (standing == STANDING_REMOVED)
		look_up_new(lookup, stands, record, NULL);
	else
		answer_account(lookup, stands->tenant, record);
}

/* ---- who is expected ---- */

static void answer_local(struct lookup *lookup, const struct tenant *tenant, const char *account,
			 const struct account_user *user)
{
	const struct entry entry = {
		.kind = "active",
		.account = account,
		.tenant = tenant->name,
		.uid = user->uid,
		.gid = user->gid,
		.gecos = user->gecos,
		.home = user->home,
		.shell = user->shell,
		.fallback = true,
	};
	struct wire_writer answer;

	begin_entry(lookup, &entry, &answer);
	put_groups(lookup->service, account, &answer);
	finish(lookup, &answer);
}

/* A local user whom the admin has linked remains one until the link is taken: the password is good as before, and what
 * is in the way of the link is not in theirs. */
static void look_up_link(struct lookup *lookup, const struct stands_for *stands, const struct expected *expected)
{
	struct local_account local;
	struct account_user user;
	struct verdict verdict;
	int found;

	facts_local_account(lookup->service, expected->name, &local);
	found = account_files_user_named(lookup->service->files, expected->name, &user);
	if (stands->reason != REASON_NONE)
		admission_of_no_account(stands, &verdict);
	else
		admission_of_link(expected, &local, &verdict);
	if (local.unreadable || local.holder == UID_HOLDER_UNKNOWN || found < 0)
		answer_status(lookup, "unavailable");
	else if (verdict.kind != VERDICT_REFUSED && found > 0)
		answer_local(lookup, stands->tenant, expected->name, &user);
	else if (local.there && !stands->is_email)
		answer_status(lookup, "not_ours");
	else
		answer_refused(lookup, &verdict);
}

/* ---- what is not ---- */

static void refuse_email_over_ssh(struct lookup *lookup, const struct stands_for *stands)
{
	struct verdict verdict = { .kind = VERDICT_REFUSED, .reason = REASON_USE_SHORT_NAME };

	if (stands->account[0])
		(void)snprintf(verdict.sentence, sizeof(verdict.sentence),
			       "Over SSH this machine takes the short name. Connect again as %s.", stands->account);
	answer_refused(lookup, &verdict);
}

/* Whether a name that is none of ours, or an email, is somebody's at another name service, must be asked before a
 * person is refused. (A short name of ours is asked about together with its uid, in look_up_new().) */
static bool ask_about_typed(struct lookup *lookup, const struct stands_for *stands)
{
	if (lookup->for_nss || lookup->typed_at_sources.asked || (stands->reason == REASON_NONE && !stands->is_email))
		return false;
	inquire(lookup->service->inquiries, lookup->typed, false, 0, deadline_of(lookup), typed_answered, lookup);
	return true;
}

/* The account that an email would get may be there: its person may have another email now. */
static void look_up_account(struct lookup *lookup, const struct stands_for *stands, const struct expected *expected)
{
	_cleanup_record_ struct account_record named = { 0 };
	enum store_answer found = STORE_NONE;

	if (stands->is_email)
		found = facts_record_named(lookup->service, stands->account, &named);
	if (found == STORE_FOUND)
		look_up_recorded(lookup, stands, &named);
	else if (found == STORE_FAILED)
		answer_status(lookup, "unavailable");
	else
		look_up_new(lookup, stands, NULL, expected);
}

/* Whose account it is, a claim of the token will tell: there is nothing to promise yet. */
static void look_up_nameless(struct lookup *lookup, const struct stands_for *stands)
{
	if (lookup->for_nss)
		answer_status(lookup, "not_ours");
	else
		answer_entry(lookup, &(struct entry){ .kind = "promised", .tenant = stands->tenant->name });
}

static void look_up_unrecorded(struct lookup *lookup, const struct stands_for *stands, const struct expected *expected)
{
	struct verdict verdict;
	uid_t uid;
	int local = facts_local_user(lookup->service, lookup->typed, &uid);

	if (local != 0 || stands->reason == REASON_NOT_OURS) {
		answer_status(lookup, local < 0 ? "unavailable" : "not_ours");
		return;
	}
	if (ask_about_typed(lookup, stands))
		return;
	if (lookup->typed_at_sources.name != SOURCE_UNKNOWN) {
		answer_status(lookup, lookup->typed_at_sources.name == SOURCE_KNOWN ? "not_ours" : "unavailable");
	} else if (stands->reason != REASON_NONE) {
		admission_of_no_account(stands, &verdict);
		answer_refused(lookup, &verdict);
	} else if (stands->is_email && lookup->for_sshd && !lookup->service->config->accounts.email_over_ssh) {
		refuse_email_over_ssh(lookup, stands);
	} else if (!stands->account[0]) {
		look_up_nameless(lookup, stands);
	} else {
		look_up_account(lookup, stands, expected);
	}
}

/* ---- the story ---- */

/* Decides with what is known so far; asks other name services where that is not enough, and comes back. */
static void decide_lookup(struct lookup *lookup)
{
	_cleanup_record_ struct account_record record = { 0 };
	_cleanup_expected_ struct expected expected = { 0 };
	bool email_over_ssh = lookup->service->config->accounts.email_over_ssh;
	struct stands_for stands;
	enum store_answer found = facts_record_of_typed(lookup->service, lookup->typed, &record);
	enum store_answer awaited = STORE_NONE;

	if (found == STORE_NONE)
		awaited = facts_expected_of_typed(lookup->service, lookup->typed, (int64_t)time(NULL), &expected);
	if (found == STORE_FAILED || awaited == STORE_FAILED) {
		answer_status(lookup, "unavailable");
		return;
	}
	stands_for(lookup->service->config, lookup->typed, found == STORE_FOUND ? &record : NULL,
		   awaited == STORE_FOUND ? &expected : NULL, &stands);
	if (stands.is_email && lookup->for_nss && !email_over_ssh)
		answer_status(lookup, "not_ours");
	else if (found == STORE_NONE && !(awaited == STORE_FOUND && expected.kind == EXPECTED_LINK))
		look_up_unrecorded(lookup, &stands, awaited == STORE_FOUND ? &expected : NULL);
	else if (stands.is_email && lookup->for_sshd && !email_over_ssh)
		refuse_email_over_ssh(lookup, &stands);
	else if (found == STORE_FOUND)
		look_up_recorded(lookup, &stands, &record);
	else
		look_up_link(lookup, &stands, &expected);
}

/* One decision, by one state of the account files. */
static void continue_lookup(struct lookup *lookup)
{
	struct account_files *files = lookup->service->files;

	account_files_hold(files);
	decide_lookup(lookup);
	account_files_release(files);
}

/* On behalf of a user other than root, only that user's own name is looked up: any other is not ours at once, since
 * even the time that an answer takes would tell who exists. */
static bool may_hear(const struct service *service, const struct wire_message *message, const char *name)
{
	uint32_t caller;

	return !wire_has(message, "caller") ||
	       (wire_get_id(message, "caller", &caller) && facts_is_name_of(service, name, caller));
}

void handle_lookup(struct service *service, struct question *question, const struct wire_message *message)
{
	const char *name = wire_get(message, "name"), *purpose = wire_get(message, "purpose");
	const char *program = wire_get(message, "service");
	struct lookup *lookup;

	if (!name || name[0] == '\0' || !purpose || (strcmp(purpose, "nss") != 0 && strcmp(purpose, "login") != 0) ||
	    (lookup = calloc(1, sizeof(*lookup))) == NULL) {
		question_drop(question);
		return;
	}
	lookup->service = service;
	lookup->question = question;
	lookup->for_nss = strcmp(purpose, "nss") == 0;
	lookup->for_sshd = !lookup->for_nss && program && strcmp(program, "sshd") == 0;
	/* No name of ours is that long; it can be somebody else's only where nobody could type it. */
	if (strlen(name) > TICKET_TYPED_MAX || !may_hear(service, message, name)) {
		answer_status(lookup, "not_ours");
		return;
	}
	(void)snprintf(lookup->typed, sizeof(lookup->typed), "%s", name);
	continue_lookup(lookup);
}
