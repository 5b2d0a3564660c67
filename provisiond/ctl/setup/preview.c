/*
 * Shows an identity and the account that it would give.
 */
#include "provisiond/ctl/setup/preview.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/reason.h"
#include "common/wire.h"
#include "provisiond/ctl/setup/candidate.h"
#include "provisiond/ctl/setup/child.h"
#include "provisiond/ctl/setup/printed.h"
#include "provisiond/ctl/setup/report.h"
#include "provisiond/ctl/table.h"
#include "provisiond/ctl/time_text.h"

#define PROGRAM SBINDIR "/provisiond"
#define PATIENCE_MS 40000 /* it asks the machine's name services, which may be slow */

static const struct column columns[] = { { NULL, COLUMN_LABEL, 0 }, { NULL, COLUMN_TEXT, 0 } };

/* ---- tables ---- */

static void add(struct table *table, const char *label, const char *value)
{
	_cleanup_free_ char *indented = printed("  %s", label);

	table->failed = table->failed || !indented;
	if (table->failed)
		return;
	table_add(table, indented);
	table_add(table, value);
}

/* All values of a key, separated by commas; `none` when there is none. */
static void add_all(struct table *table, const char *label, const struct wire_message *message, const char *key,
		    const char *none)
{
	_cleanup_free_ char *joined = strdup("");
	const char *value;
	size_t cursor = 0;

	while (joined && (value = wire_next(message, key, &cursor)) != NULL) {
		char *longer = printed("%s%s%s", joined, *joined ? ", " : "", value);

		free(joined);
		joined = longer;
	}
	table->failed = table->failed || !joined;
	add(table, label, joined && *joined ? joined : none);
}

static void add_email(struct table *table, const struct wire_message *identity)
{
	const char *email = wire_get(identity, "email"), *verified = wire_get(identity, "email_verified");
	const char *word = !verified || !*verified         ? "Okta does not say whether it is verified"
			   : strcmp(verified, "true") == 0 ? "verified"
							   : "not verified";
	_cleanup_free_ char *text =
		email && *email ? printed("%s (%s)", email, word) : strdup("none; Okta must give one (scope email)");

	table->failed = table->failed || !text;
	add(table, "Email", text);
}

static bool show_identity(const struct wire_message *identity)
{
	_cleanup_table_ struct table table = { .columns = columns, .column_count = 2 };
	long long auth_time = 0;

	report_heading("What Okta says about whoever approved");
	add(&table, "Okta user (sub)", wire_get(identity, "subject"));
	add_email(&table, identity);
	add(&table, "Full name", wire_get(identity, "full_name"));
	if (wire_get(identity, "username"))
		add(&table, "User name claim", wire_get(identity, "username"));
	add_all(&table, "Okta groups", identity, "group", "none in the token");
	add_all(&table, "Signed in with", identity, "amr", "Okta does not say");
	if (wire_get_number(identity, "auth_time", 1, LLONG_MAX / 2, &auth_time)) {
		char when[TIME_TEXT_MAX];

		time_text_local(auth_time, when);
		add(&table, "Signed in at", when);
	}
	return table_print(&table, false, stdout);
}

static bool show_would_be(const struct wire_message *answer)
{
	_cleanup_table_ struct table table = { .columns = columns, .column_count = 2 };
	const char *created = wire_get(answer, "created"), *room = wire_get(answer, "room");

	report_heading("The account that this gives on this machine");
	add(&table, "Name", wire_get(answer, "account"));
	add(&table, "User id", wire_get(answer, "uid"));
	add(&table, "Home", wire_get(answer, "home"));
	add_all(&table, "Local groups", answer, "group", "none but its own");
	add(&table, "Is it new",
	    created && strcmp(created, "1") == 0 ? "yes, made at the first sign-in" : "no, it is here already");
	if (room && strcmp(room, "1") == 0)
		add(&table, "First sign-in", "asks for a room");
	return table_print(&table, false, stdout);
}

/* ---- asking provisiond ---- */

/* The same fields, as a request. False when they do not fit. */
static bool write_request(const struct probed *probed, char *buffer, struct wire_writer *writer)
{
	size_t first = strlen(probed->identity) + 1;

	wire_begin(writer, buffer, WIRE_MAX, "op", "admit");
	if (writer->failed || probed->identity_length - first > writer->capacity - writer->length)
		return false;
	memcpy(buffer + writer->length, probed->identity + first, probed->identity_length - first);
	writer->length += probed->identity_length - first;
	return true;
}

static enum exit_code explain_silence(struct child *child)
{
	char said[CHILD_SAID_MAX];
	int status = child_end(child);

	complain("provisiond --preview gave no answer (exit status %d), so it is not known which account this gives.",
		 status);
	child_said(child, said);
	for (char *line = strtok(said, "\n"); line; line = strtok(NULL, "\n"))
		(void)complain_about(EXIT_UNREACHABLE, "  ", line, "");
	return EXIT_UNREACHABLE;
}

static enum exit_code ask_provisiond(const struct probed *probed, char *buffer, struct wire_message *ret_answer)
{
	static const char *const argv[] = { PROGRAM, "-f", CANDIDATE_FILE, "--preview", NULL };
	_cleanup_child_ struct child child = NO_CHILD;
	struct wire_writer writer;
	int error = child_start(argv, &child);

	if (error != 0) {
		complain(PROGRAM " cannot be started: %s. Install it again.", strerror(error));
		return EXIT_FAILED;
	}
	if (!write_request(probed, buffer, &writer)) {
		complain("the token holds more than fits into a question to provisiond: too many groups, probably. "
			 "Narrow the "
			 "groups claim in Okta.");
		return EXIT_REFUSED;
	}
	if (wire_ask(child.socket, &writer, buffer, WIRE_MAX, wire_now_ms() + PATIENCE_MS, ret_answer) != 0)
		return explain_silence(&child);
	return EXIT_DONE;
}

/* Reasons that other people of the company do not share, and what helps the one who has it. */
static const struct advice {
	enum reason reason;
	const char *text;
} personal[] = {
	{ REASON_NAME_UNFIT, "Another name can be given once this is done: provisionctl add NAME EMAIL" },
	{ REASON_NAME_RESERVED, "Where that is a local user of the same person, link the two once this is done: "
				"provisionctl link NAME EMAIL" },
	{ REASON_DEACTIVATED, "To let this person in again: provisionctl reactivate NAME" },
	{ REASON_REMOVED, "See what is on record: provisionctl show NAME" },
	{ REASON_SUBJECT_CHANGED, "Where a successor has the address now: provisionctl reassign NAME" },
	{ REASON_REASSIGNED, "A new account for this person needs another name: provisionctl add NAME EMAIL" },
	{ REASON_GROUP_MISSING, "The groups that get in are in allowed_groups in the configuration." },
	{ REASON_UID_TAKEN, "Choose another one: provisionctl reserve NAME --uid N" },
	{ REASON_HOME_EXISTS, "Move that directory away, or give another name: provisionctl add NAME EMAIL" },
};

static const char *advice_for(const char *reason)
{
	for (size_t i = 0; i < sizeof(personal) / sizeof(personal[0]); i++)
		if (personal[i].reason == reason_from_name(reason))
			return personal[i].text;
	return NULL;
}

/* The sentence is for whoever signs in; what stands in remedy is for the administrator, who reads this. */
static void tell_refusal(const struct wire_message *answer, const char *reason, bool matters)
{
	enum report_level level = matters ? REPORT_BAD : REPORT_WARNING;
	const char *text = wire_get(answer, "text"), *remedy = wire_get(answer, "remedy"), *advice = advice_for(reason);

	report_heading("The account that this gives on this machine");
	report_line(level, "none", text && *text ? text : reason_sentence(reason_from_name(reason)), remedy);
	if (advice)
		report_line(level, "remedy", advice, NULL);
}

static enum exit_code tell(const struct wire_message *answer, char ret_account[static COMPANY_VALUE_MAX],
			   bool *ret_matters)
{
	const char *status = wire_kind(answer, "status"), *account = wire_get(answer, "account"),
		   *reason = wire_get(answer, "reason");

	if (status && strcmp(status, "would") == 0 && account && wire_get(answer, "uid")) {
		if (!show_would_be(answer))
			return complain_of_memory();
		(void)snprintf(ret_account, COMPANY_VALUE_MAX, "%s", account);
		return EXIT_DONE;
	}
	if (!status || strcmp(status, "refused") != 0 || !reason) {
		complain("provisiond gave an answer that provisionctl does not understand. Install the same version of "
			 "both.");
		return EXIT_UNREACHABLE;
	}
	*ret_matters = !advice_for(reason);
	tell_refusal(answer, reason, *ret_matters);
	return EXIT_REFUSED;
}

enum exit_code preview_show(const struct probed *probed, char ret_account[static COMPANY_VALUE_MAX], bool *ret_matters)
{
	_cleanup_free_ char *buffer = malloc(WIRE_MAX);
	struct wire_message identity, answer;
	enum exit_code code;

	if (!buffer)
		return complain_of_memory();
	if (!wire_parse(probed->identity, probed->identity_length, &identity) || !show_identity(&identity))
		return complain_of_memory();
	code = ask_provisiond(probed, buffer, &answer);
	return code == EXIT_DONE ? tell(&answer, ret_account, ret_matters) : code;
}
