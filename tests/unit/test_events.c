/*
 * Events: each is one entry in the journal and one record for auditd, with exactly the fields that provisiond(8) lists;
 * and the manual lists all that there are.
 */
#include "provisiond/events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <libaudit.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/wire.h"
#include "provisiond/audit_trail.h"

#define TEXT 4096

/* ---- what stands in the place of the journal, of auditd and of the clock ---- */

static struct {
	unsigned entries;
	int priority;
	char text[TEXT];
	char fields[TEXT]; /* " OIDC_EVENT=created OIDC_ACCOUNT=alice" */
} journal;

static struct {
	bool there; /* it can be opened */
	int answer; /* of a record: its number, or 0 or less */
	unsigned opened, closed, records;
	int type, result;
	char message[TEXT], address[TEXT];
} auditd;

static int64_t now_ms;

void __wrap_log_event(int priority, const struct log_field *fields, const char *format, ...);
int __wrap_audit_open(void);
void __wrap_audit_close(int fd);
int __wrap_audit_log_user_message(int fd, int type, const char *message, const char *hostname, const char *addr,
				  const char *tty, int result);
int64_t __wrap_wire_now_ms(void);

__attribute__((format(printf, 3, 4))) void __wrap_log_event(int priority, const struct log_field *fields,
							    const char *format, ...)
{
	size_t used = 0;
	va_list arguments;

	journal.entries++;
	journal.priority = priority;
	va_start(arguments, format);
	(void)vsnprintf(journal.text, sizeof(journal.text), format, arguments);
	va_end(arguments);
	journal.fields[0] = '\0';
	for (; fields->name; fields++)
		if (fields->value)
			used += (size_t)snprintf(journal.fields + used, sizeof(journal.fields) - used, " %s=%s",
						 fields->name, fields->value);
}

int __wrap_audit_open(void)
{
	auditd.opened++;
	return auditd.there ? 1000 : -1;
}

void __wrap_audit_close(int fd)
{
	assert_int_equal(fd, 1000);
	auditd.closed++;
}

int __wrap_audit_log_user_message(int fd, int type, const char *message, const char *hostname, const char *addr,
				  const char *tty, int result)
{
	assert_int_equal(fd, 1000);
	assert_null(hostname); /* it would be resolved */
	assert_string_equal(tty, "?");
	auditd.records++;
	auditd.type = type;
	auditd.result = result;
	(void)snprintf(auditd.message, sizeof(auditd.message), "%s", message);
	(void)snprintf(auditd.address, sizeof(auditd.address), "%s", addr ? addr : "");
	return auditd.answer;
}

int64_t __wrap_wire_now_ms(void)
{
	return now_ms;
}

static int begin(void **state)
{
	(void)state;
	/* Whatever an earlier test left closed is tried again. */
	now_ms += 3600000;
	memset(&journal, 0, sizeof(journal));
	memset(&auditd, 0, sizeof(auditd));
	auditd.there = true;
	auditd.answer = 1;
	return 0;
}

static const struct event_facts everything = {
	.tenant = "clinic",
	.account = "alice",
	.subject = "00ualice",
	.email = "alice@clinic.example",
	.service = "sshd",
	.address = "192.0.2.7",
	.reason = "subject_changed",
	.uid = 2022975774,
};

/* ---- the manual ---- */

static char *manual(void)
{
	_cleanup_file_ FILE *file = fopen(MANUAL, "re");
	char *text = calloc(1, (size_t)128 * 1024);

	assert_non_null(file);
	assert_non_null(text);
	assert_true(fread(text, 1, (size_t)128 * 1024 - 1, file) > 0);
	return text;
}

/* Takes the paragraph that begins with this line out of the manual: to the next item or the end of the list. */
static bool paragraph(const char *text, const char *heading, char ret_paragraph[TEXT])
{
	const char *at = strstr(text, heading), *item, *end;

	if (!at)
		return false;
	item = strstr(at + 1, "\n.It ");
	end = strstr(at + 1, "\n.El");
	assert_non_null(end);
	if (item && item < end)
		end = item;
	(void)snprintf(ret_paragraph, TEXT, "%.*s\n", (int)(end - at), at);
	return true;
}

static unsigned count(const char *text, const char *what)
{
	unsigned found = 0;

	for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
		found++;
	return found;
}

static void every_event_is_in_the_manual_with_its_record_and_its_fields(void **state)
{
	_cleanup_free_ char *text = manual();
	const char *section = strstr(text, "The events, with the type");
	static const char *const also[] = { "OIDC_SERVICE", "OIDC_ADDRESS", "OIDC_REASON" };

	(void)state;
	assert_non_null(section);
	for (int event = 0; event < EVENT_COUNT; event++) {
		char heading[128], item[TEXT], field[64];

		event_tell((enum event)event, &everything, "text");
		(void)snprintf(heading, sizeof(heading), "\n.It Cm %s Pq Dv %s\n", event_name((enum event)event),
			       auditd.type == AUDIT_USER_AUTH   ? "USER_AUTH"
			       : auditd.type == AUDIT_ADD_USER  ? "ADD_USER"
			       : auditd.type == AUDIT_DEL_USER  ? "DEL_USER"
			       : auditd.type == AUDIT_USER_MGMT ? "USER_MGMT"
								: "?");
		if (!paragraph(section, heading, item))
			fail_msg("the manual lacks:%s", heading);
		for (size_t i = 0; i < sizeof(also) / sizeof(also[0]); i++) {
			(void)snprintf(field, sizeof(field), " %s=", also[i]);
			if ((strstr(journal.fields, field) != NULL) != (strstr(item, also[i]) != NULL))
				fail_msg("%s: program and manual differ about %s", event_name((enum event)event),
					 also[i]);
		}
	}
	/* And the manual knows no other. */
	*strstr(section, "\n.El") = '\0';
	assert_int_equal(count(section, "\n.It Cm "), EVENT_COUNT);
}

static void every_field_is_in_the_manual_with_its_name_in_records(void **state)
{
	_cleanup_free_ char *text = manual();
	char *section = strstr(text, "The fields, with their names");
	unsigned fields = 0;

	(void)state;
	assert_non_null(section);
	*strstr(section, "\n.El") = '\0';
	/* The one that has all of them. */
	event_tell(EVENT_REFUSED, &everything, "text");
	for (char *name = strstr(journal.fields, " OIDC_"); name; name = strstr(name + 1, " OIDC_")) {
		char heading[128];
		int length = (int)strcspn(name + 1, "=");

		(void)snprintf(heading, sizeof(heading), "\n.It Va %.*s Pq Ql ", length, name + 1);
		if (!strstr(section, heading))
			fail_msg("the manual lacks:%s", heading);
		fields++;
	}
	assert_int_equal(count(section, "\n.It Va "), fields);
	/* The names in records: op and addr are libaudit's, the others ours. */
	for (const char *at = strstr(section, " Pq Ql "); at; at = strstr(at + 1, " Pq Ql ")) {
		char field[64];

		at += strlen(" Pq Ql ");
		(void)snprintf(field, sizeof(field), "%.*s=", (int)strcspn(at, "\n"), at);
		if (strcmp(field, "addr=") != 0 && !strstr(auditd.message, field))
			fail_msg("the record lacks %s: %s", field, auditd.message);
	}
	assert_int_equal(count(auditd.message, "=") + 1, fields);
}

/* ---- entries and records ---- */

static void an_event_is_one_entry_and_one_record(void **state)
{
	(void)state;
	for (int event = 0; event < EVENT_COUNT; event++) {
		event_tell((enum event)event, &everything, "%s: said", "alice");
		assert_int_equal(journal.entries, event + 1);
		assert_int_equal(auditd.records, event + 1);
		assert_string_equal(journal.text, "alice: said");
		assert_int_equal(journal.priority, event == EVENT_REFUSED ? LOG_WARNING : LOG_NOTICE);
		assert_int_equal(auditd.result, event != EVENT_REFUSED);
	}
	assert_true(auditd.opened <= 1);
	event_tell(EVENT_REFUSED, &everything, "no");
	assert_string_equal(journal.fields,
			    " OIDC_EVENT=refused OIDC_ACCOUNT=alice OIDC_UID=2022975774 OIDC_TENANT=clinic "
			    "OIDC_SUBJECT=00ualice OIDC_EMAIL=alice@clinic.example OIDC_SERVICE=sshd "
			    "OIDC_ADDRESS=192.0.2.7 OIDC_REASON=subject_changed");
	assert_string_equal(auditd.message, "op=refused acct=\"alice\" id=\"2022975774\" tenant=\"clinic\" "
					    "subject=\"00ualice\" email=\"alice@clinic.example\" service=\"sshd\" "
					    "reason=\"subject_changed\"");
	assert_string_equal(auditd.address, "192.0.2.7");
}

static void what_is_not_known_is_left_out(void **state)
{
	static const struct event_facts little = { .account = "alice", .tenant = "", .address = "" };

	(void)state;
	event_tell(EVENT_REFUSED, &little, "no");
	assert_string_equal(journal.fields, " OIDC_EVENT=refused OIDC_ACCOUNT=alice");
	assert_string_equal(auditd.message, "op=refused acct=\"alice\"");
	assert_string_equal(auditd.address, "");
}

static void no_value_looks_like_another_field_in_a_record(void **state)
{
	struct event_facts facts = everything;

	(void)state;
	facts.account = "alice\" res=success acct=\"root";
	facts.subject = "a b";
	facts.email = "zo\xc3\xab\n@clinic.example";
	facts.address = "192.0.2.7 res=success";
	event_tell(EVENT_REFUSED, &facts, "no");
	assert_null(strstr(auditd.message, "res="));
	assert_null(strstr(auditd.message, "root"));
	assert_non_null(strstr(auditd.message, " acct=616C69636522207265733D73756363657373206163"));
	assert_non_null(strstr(auditd.message, " subject=612062 "));
	assert_non_null(strstr(auditd.message, " email=7A6FC3AB0A40"));
	assert_string_equal(auditd.address, "");
	facts.address = "2001:db8::7";
	event_tell(EVENT_REFUSED, &facts, "no");
	assert_string_equal(auditd.address, "2001:db8::7");
	facts.address = "host.evil.example";
	event_tell(EVENT_REFUSED, &facts, "no");
	assert_string_equal(auditd.address, "");
}

static void a_field_that_does_not_fit_is_left_out_as_a_whole(void **state)
{
	struct event_facts facts = everything;
	char subject[2100];

	(void)state;
	memset(subject, ' ', sizeof(subject));
	subject[sizeof(subject) - 1] = '\0';
	facts.subject = subject;
	event_tell(EVENT_REFUSED, &facts, "no");
	assert_null(strstr(auditd.message, "subject="));
	assert_non_null(strstr(auditd.message, " email=\"alice@clinic.example\""));
	assert_non_null(strstr(auditd.message, " reason=\"subject_changed\""));
}

static void without_an_audit_system_there_is_the_journal_and_a_minute_later_another_try(void **state)
{
	(void)state;
	/* The one that an earlier test opened goes. */
	auditd.answer = -1;
	event_tell(EVENT_ADMITTED, &everything, "yes");
	assert_int_equal(auditd.closed, 1);
	begin(NULL);
	auditd.there = false;
	for (int i = 0; i < 3; i++)
		event_tell(EVENT_ADMITTED, &everything, "yes");
	assert_int_equal(journal.entries, 3);
	assert_int_equal(auditd.opened, 1);
	now_ms += 59999;
	event_tell(EVENT_ADMITTED, &everything, "yes");
	assert_int_equal(auditd.opened, 1);
	auditd.there = true;
	now_ms += 1;
	event_tell(EVENT_ADMITTED, &everything, "yes");
	assert_int_equal(auditd.opened, 2);
	assert_int_equal(auditd.records, 1);
	/* One that takes nothing any more is closed, and tried again after a minute. */
	auditd.answer = 0;
	event_tell(EVENT_ADMITTED, &everything, "yes");
	event_tell(EVENT_ADMITTED, &everything, "yes");
	assert_int_equal(auditd.records, 2);
	assert_int_equal(auditd.closed, 1);
	auditd.answer = 1;
	now_ms += 60000;
	event_tell(EVENT_ADMITTED, &everything, "yes");
	assert_int_equal(auditd.records, 3);
	assert_int_equal(journal.entries, 8);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_event_is_in_the_manual_with_its_record_and_its_fields, begin),
		cmocka_unit_test_setup(every_field_is_in_the_manual_with_its_name_in_records, begin),
		cmocka_unit_test_setup(an_event_is_one_entry_and_one_record, begin),
		cmocka_unit_test_setup(what_is_not_known_is_left_out, begin),
		cmocka_unit_test_setup(no_value_looks_like_another_field_in_a_record, begin),
		cmocka_unit_test_setup(a_field_that_does_not_fit_is_left_out_as_a_whole, begin),
		cmocka_unit_test_setup(without_an_audit_system_there_is_the_journal_and_a_minute_later_another_try,
				       begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
