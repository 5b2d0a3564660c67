/*
 * What all judges of the administrator's orders need: finding the account, refusing, telling.
 */
#include "provisiond/manage.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "provisiond/facts.h"
#include "provisiond/person_text.h"

/* What is too long ends between two characters. All words in it are text: see manage.c. */
__attribute__((format(printf, 3, 0))) static void write_sentence(char *sentence, size_t size, const char *format,
								 va_list arguments)
{
	size_t length;

	(void)vsnprintf(sentence, size, format, arguments);
	length = strlen(sentence);
	while (length > 0 && !person_text_ok(sentence, size))
		sentence[--length] = '\0';
}

bool manage_refuse(struct manage *manage, const char *reason, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_sentence(manage->text, sizeof(manage->text), format, arguments);
	va_end(arguments);
	manage->verdict = MANAGE_REFUSED;
	manage->reason = reason;
	return false;
}

void manage_did(struct manage *manage, const char *format, ...)
{
	va_list arguments;

	if (manage->did_count == MANAGE_SENTENCES)
		return;
	va_start(arguments, format);
	write_sentence(manage->did[manage->did_count++], MANAGE_SENTENCE_MAX, format, arguments);
	va_end(arguments);
}

bool manage_refuse_storage(struct manage *manage)
{
	return manage_refuse(manage, REFUSED_STORAGE,
			     "The database or the account files cannot be read just now, and nothing was changed. The "
			     "log says why: journalctl -t provisiond");
}

/* Why there is no account to find: what the name is instead. */
static bool refuse_unknown(struct manage *manage)
{
	const char *name = manage->name;
	_cleanup_expected_ struct expected expected = { 0 };
	struct account_user user;

	if (store_expected_named(manage->service->store, name, &expected) == STORE_FOUND)
		return manage_refuse(manage, REFUSED_NOT_FOUND,
				     "%s has not signed in with Okta yet; %s is only expected under that name. To end "
				     "that: provisionctl unlink %s",
				     name, expected.email, name);
	if (account_files_user_named(manage->service->files, name, &user) > 0)
		return manage_refuse(manage, REFUSED_NOT_FOUND,
				     "%s is a local user, whom provisiond does not look after. For local users there "
				     "are usermod and userdel.",
				     name);
	return manage_refuse(manage, REFUSED_NOT_FOUND,
			     "There is no account %s on record. See all of them: provisionctl list", name);
}

bool manage_find_account(struct manage *manage)
{
	switch (facts_record_named(manage->service, manage->name, &manage->record)) {
	case STORE_FAILED:
		return manage_refuse_storage(manage);
	case STORE_NONE:
		return refuse_unknown(manage);
	case STORE_FOUND:
		break;
	}
	manage->told = (struct event_facts){
		.tenant = manage->record.tenant,
		.account = manage->record.name,
		.subject = manage->record.subject,
		.email = manage->record.email,
		.uid = manage->record.uid,
	};
	if (manage->record.state != ACCOUNT_CREATING)
		return true;
	(void)manage_refuse(manage, REFUSED_CONFLICT, "%s is just being made. Try again in a moment.", manage->name);
	manage->verdict = MANAGE_LATER;
	return false;
}

bool manage_find_rows(struct manage *manage)
{
	int found = account_files_now(manage->service->files, manage->name, &manage->now);

	if (found < 0) {
		log_error("%s", account_files_fault(manage->service->files));
		return manage_refuse_storage(manage);
	}
	if (found > 0 && manage->now.user.uid == manage->record.uid)
		return true;
	if (found > 0)
		return manage_refuse(manage, REFUSED_CONFLICT,
				     "%s is on record with uid %lu, but in /etc/passwd the name is another user's now, "
				     "with uid %lu. Rename that one (usermod -l), or free the name: provisionctl "
				     "reassign %s",
				     manage->name, (unsigned long)manage->record.uid,
				     (unsigned long)manage->now.user.uid, manage->name);
	return manage_refuse(
		manage, REFUSED_CONFLICT,
		"%s is on record with uid %lu, but no longer in /etc/passwd: somebody removed it there. Put "
		"its row back, or end the account: provisionctl remove %s",
		manage->name, (unsigned long)manage->record.uid, manage->name);
}

bool manage_find_living_account(struct manage *manage, const char *doing)
{
	if (!manage_find_account(manage))
		return false;
	if (manage->record.state == ACCOUNT_REMOVED)
		return manage_refuse(manage, REFUSED_CONFLICT,
				     "%s was removed, so there is nothing to %s. Its owner gets it back by signing in "
				     "again.",
				     manage->name, doing);
	return manage_find_rows(manage);
}

void manage_take_plan(struct manage *manage, int r)
{
	if (r == 0) {
		manage->verdict = MANAGE_CHANGE;
		return;
	}
	log_error("%s: the change cannot be planned: out of memory", manage->name);
	(void)manage_refuse_storage(manage);
}

void manage_clear_judgement(struct manage *manage)
{
	account_record_clear(&manage->record);
	account_now_clear(&manage->now);
	planned_change_clear(&manage->change);
	manage->told = (struct event_facts){ 0 };
	manage->verdict = MANAGE_REFUSED;
	manage->reason = NULL;
	manage->text[0] = '\0';
	manage->did_count = 0;
	manage->put_on_record = NULL;
}
