/*
 * What provisiond does with messages, whoever sends them: root and a stranger cannot have anybody admitted; a stranger
 * learns nothing but about an account of their own; every question is ended exactly once, with a message or without;
 * every answer is well-formed and free of controls; who is admitted has a uid of a person and an account that was no
 * local user's, the same one every time for the same (issuer, subject) and for no other; a ticket is confirmed once, to
 * root or its owner, as it was given out; and whatever comes, the rows of others stay in the account files, also when
 * memory runs out.
 *
 * The first line of the input is the configuration (a letter) and the allocation that fails (a number). Each other line
 * is a message: who sends it (r root, p pam_oidcd, m a stranger, a Alice; in upper case they leave before the answer),
 * then its fields with | between them. The value * of a ticket stands for the latest one that was given out.
 *
 * Covers: provisiond/requests.c provisiond/admit.c provisiond/lookup.c provisiond/ask_standing.c provisiond/admission.c
 * provisiond/candidate.c provisiond/facts.c provisiond/stands_for.c provisiond/standing.c provisiond/tickets.c
 * provisiond/lifecycle.c provisiond/store_accounts.c provisiond/store_statements.c provisiond/account_uid.c
 * provisiond/promise.c
 */
#include "provisiond/requests.h"

#include <ctype.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "provisiond/account_uid.h"
#include "provisiond/person_text.h"
#include "tests/fuzz/machine.h"

#define PAM_OIDC_UID 64000 /* of nobody here, as the next */
#define STRANGER 64001
#define ALICE_UID 2022975774
#define MESSAGES_MAX 12
#define BOUND_MAX 16

#define CLINIC                                                                          \
	"[tenant clinic]\nissuer = https://clinic.example\nclient_id = clinic-client\n" \
	"domains = clinic.example, hospital.example\n"
#define LAB                                                                                           \
	"[tenant lab]\nissuer = https://lab.example\nclient_id = lab-client\ndomains = lab.example\n" \
	"username = %l.%t\n"

static const char *const configurations[] = {
	CLINIC,
	"[accounts]\ndefault_tenant = clinic\n" CLINIC LAB,
	CLINIC "username = claim:linux_name\n",
	"[accounts]\nemail_over_ssh = yes\nreserved_names = alice2\n" CLINIC
	"allowed_groups = Staff\nemail_verified = if-present\n",
};
#define CONFIGURATIONS (sizeof(configurations) / sizeof(configurations[0]))

static const char passwd[] = "root:x:0:0:root:/root:/bin/bash\nlocal:x:1000:1000::/home/local:/bin/sh\n"
			     "stranger:x:64001:1000::/home/stranger:/bin/sh\n";
static const char shadow[] = "root:*:19000:0:99999:7:::\nlocal:*:19000:0:99999:7:::\n";
static const char group[] = "root:x:0:\nlocal:x:1000:\nradiology:x:2000:carol\n";
static const char gshadow[] = "root:*::\nlocal:!::\nradiology:!::carol\n";

struct question {
	struct ucred peer;
	bool gone; /* the peer has left */
	bool ended;
	bool dropped;
	char op[16]; /* what was asked */
};

/* Who an account belongs to. */
struct bound {
	char account[ACCOUNT_NAME_MAX + 1];
	uid_t uid;
	char issuer[64], subject[256];
};

static struct config *configs[CONFIGURATIONS];
static struct sources *sources;
static struct service service;
static bool dirty = true; /* an account may have been made */

/* What one input has led to. */
static struct {
	struct bound bound[BOUND_MAX];
	size_t bound_count;
	char ticket[128];
	bool ticket_used;
	uid_t ticket_uid;
	char buffer[WIRE_MAX];
	const struct wire_message *asked; /* while it is handled */
	char issuer[64], subject[256];    /* of the admission under way */
} run;

static void check_line(int priority, const char *line)
{
	(void)priority;
	for (const char *at = line; *at; at++)
		holds(*at >= ' ' && *at <= '~', "in the log: %s", line);
	holds(!run.ticket[0] || !strstr(line, run.ticket), "a ticket is in the log");
}

static void report(void *context, const char *path, unsigned line, const char *message)
{
	(void)context;
	fuzz_broken(path, (int)line, "the configuration is right", "%s", message);
}

static void end_machine(void)
{
	sources_stop(sources);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char sources_line[] = "passwd: files oidc\ngroup: files\n";
	char nsswitch[128];

	(void)argc, (void)argv;
	machine_make();
	machine_write("etc/nsswitch.conf", sources_line, strlen(sources_line), 0644);
	machine_write("etc/skel/.profile", "x", 1, 0644);
	for (size_t i = 0; i < CONFIGURATIONS; i++)
		holds(config_parse("test", configurations[i], report, NULL, &configs[i]));
	(void)snprintf(nsswitch, sizeof(nsswitch), "%s/etc/nsswitch.conf", machine.root);
	sources = sources_start(nsswitch);
	holds(sources && system_names_load((const char *const[]){ NULL }, &service.system_names) == 0);
	holds(account_files_open(machine.root, geteuid(), &service.files) == 0);
	service.homes = (struct home_place){ .root_fd = machine.fd, .owner = geteuid(), .group = getegid() };
	service.pam_oidc_uid = PAM_OIDC_UID;
	log_divert(check_line);
	(void)atexit(end_machine);
	return 0;
}

/* ---- in the place of server.c ---- */

const struct ucred *question_peer(const struct question *question)
{
	return &question->peer;
}

bool question_abandoned(const struct question *question)
{
	return question->gone;
}

void question_begin_answer(struct question *question, struct wire_writer *ret_writer, const char *status)
{
	holds(!question->ended);
	wire_begin(ret_writer, run.buffer, sizeof(run.buffer), "status", status);
}

void question_drop(struct question *question)
{
	holds(!question->ended);
	question->ended = question->dropped = true;
}

/* ---- what an answer may be ---- */

static bool is_local(const char *name)
{
	return strcmp(name, "root") == 0 || strcmp(name, "local") == 0 || strcmp(name, "stranger") == 0 ||
	       strcmp(name, "radiology") == 0 || strcmp(name, "carol") == 0;
}

static uid_t uid_in(const struct wire_message *answer)
{
	uint32_t uid = 0;

	holds(wire_get_id(answer, "uid", &uid));
	return uid;
}

/* The account belongs to whoever is admitted to it first. */
static void check_bound(const char *account, uid_t uid)
{
	struct bound *bound;

	for (size_t i = 0; i < run.bound_count; i++) {
		bool same = false;

		bound = &run.bound[i];
		same = strcmp(bound->issuer, run.issuer) == 0 && strcmp(bound->subject, run.subject) == 0;
		if (bound->account[0] == '\0') { /* by an order; the uid is nobody else's for ever */
			holds(same || bound->uid != uid);
			continue;
		}
		if (strcmp(bound->account, account) != 0) {
			holds(!same && bound->uid != uid);
			continue;
		}
		holds(same && bound->uid == uid);
		return;
	}
	holds(run.bound_count < BOUND_MAX);
	bound = &run.bound[run.bound_count++];
	bound->uid = uid;
	(void)snprintf(bound->account, sizeof(bound->account), "%s", account);
	(void)snprintf(bound->issuer, sizeof(bound->issuer), "%s", run.issuer);
	(void)snprintf(bound->subject, sizeof(bound->subject), "%s", run.subject);
}

static void check_admitted(const struct question *question, const struct wire_message *answer)
{
	const char *account = wire_get(answer, "account"), *ticket = wire_get(answer, "ticket");
	uid_t uid = uid_in(answer);

	holds(question->peer.uid == PAM_OIDC_UID);
	holds(account && account_name_ok(account) && !is_local(account));
	holds(uid >= service.config->accounts.uid_first && uid <= service.config->accounts.uid_last);
	holds(ticket && strlen(ticket) == 64 && ticket[strspn(ticket, "0123456789abcdef")] == '\0');
	check_bound(account, uid);
	(void)snprintf(run.ticket, sizeof(run.ticket), "%s", ticket);
	run.ticket_used = false;
	run.ticket_uid = uid;
}

static void check_confirmed(const struct question *question, const struct wire_message *answer)
{
	holds(strcmp(question->op, "redeem") == 0 && !run.ticket_used && run.ticket[0]);
	holds(strcmp(wire_get(run.asked, "ticket"), run.ticket) == 0);
	holds(uid_in(answer) == run.ticket_uid);
	holds(question->peer.uid == 0 || question->peer.uid == run.ticket_uid);
	run.ticket_used = true;
}

/* What somebody who is neither root nor pam_oidcd is told. */
static void check_stranger(const struct question *question, const struct wire_message *answer)
{
	const char *status = wire_kind(answer, "status"), *account = wire_get(answer, "account");

	if (strcmp(question->op, "redeem") == 0) {
		holds(strcmp(status, "no") == 0 || question->peer.uid == run.ticket_uid);
		return;
	}
	holds(strcmp(question->op, "standing") == 0);
	holds(!account || uid_in(answer) == question->peer.uid);
	/* Only one local user is a stranger, and only that name may be asked about, or what can be nobody's. */
	if (question->peer.uid == STRANGER) {
		const char *name = wire_get(run.asked, "name");

		holds(strcmp(status, "not_ours") == 0 ||
		      (fuzz_allocation_failed() && strcmp(status, "unavailable") == 0));
		holds(strcmp(name, "stranger") == 0 || strlen(name) > TICKET_TYPED_MAX, "%s", name);
	}
}

static void check_clean(const struct wire_message *answer)
{
	for (size_t at = 0; at < answer->length; at += strlen(answer->bytes + at) + 1)
		holds(person_text_ok(answer->bytes + at, WIRE_MAX), "%s", answer->bytes + at);
}

/* The administrator's orders have reasons of their own. */
static bool is_order(const char *op)
{
	static const char *const orders[] = { "link",   "unlink",   "add",        "reserve",   "room",
					      "remove", "reassign", "deactivate", "reactivate" };

	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
		if (strcmp(op, orders[i]) == 0)
			return true;
	return false;
}

static void check_refused(const struct question *question, const struct wire_message *answer)
{
	const char *reason = wire_get(answer, "reason"), *text = wire_get(answer, "text");

	holds(reason && reason[0] && text);
	if (is_order(question->op))
		holds(text[0]);
	else
		holds(reason_from_name(reason) != REASON_INTERNAL, "%s", reason);
}

static void check_answer(struct question *question, const char *bytes, size_t length)
{
	struct wire_message answer;
	const char *status;

	holds(wire_parse(bytes, length, &answer));
	status = wire_kind(&answer, "status");
	holds(status);
	check_clean(&answer);
	if (question->peer.uid != 0 && question->peer.uid != PAM_OIDC_UID)
		check_stranger(question, &answer);
	holds(question->peer.uid == 0 || (strcmp(question->op, "list") != 0 && strcmp(question->op, "show") != 0));
	if (strcmp(status, "admitted") == 0)
		check_admitted(question, &answer);
	else if (strcmp(status, "confirmed") == 0)
		check_confirmed(question, &answer);
	else if (strcmp(status, "refused") == 0)
		check_refused(question, &answer);
	else if (strcmp(status, "entry") == 0 && wire_get(&answer, "account"))
		holds(uid_in(&answer) >= 1000 && account_name_ok(wire_get(&answer, "account")) &&
		      !is_local(wire_get(&answer, "account")));
}

void question_send(struct question *question, const struct wire_writer *answer)
{
	holds(!question->ended && !answer->failed);
	question->ended = true;
	check_answer(question, answer->buffer, answer->length);
}

void question_stream(struct question *question, const struct question_stream *stream)
{
	bool last = false;

	holds(!question->ended);
	for (unsigned i = 0; !last && i < 100; i++) {
		struct wire_writer writer = { .buffer = run.buffer, .capacity = sizeof(run.buffer) };

		if (!stream->next(stream->context, &writer, &last))
			break;
		holds(!writer.failed);
		check_answer(question, writer.buffer, writer.length);
	}
	question->ended = true;
	stream->done(stream->context);
}

/* ---- running it ---- */

static void renew_machine(void)
{
	char path[128], fault[512];

	store_close(service.store);
	machine_remove("/home");
	machine_remove("/var");
	machine_folder("home", 0755);
	machine_folder("var", 0700);
	machine_write("etc/passwd", passwd, strlen(passwd), 0644);
	machine_write("etc/shadow", shadow, strlen(shadow), 0640);
	machine_write("etc/group", group, strlen(group), 0644);
	machine_write("etc/gshadow", gshadow, strlen(gshadow), 0640);
	(void)snprintf(path, sizeof(path), "%s/var/accounts.db", machine.root);
	service.store = store_open(path, fault, sizeof(fault));
	holds(service.store, "%s", fault);
	dirty = false;
}

static void begin(char configuration)
{
	if (dirty)
		renew_machine();
	run.bound_count = 0;
	run.ticket[0] = '\0';
	run.ticket_uid = 0;
	service.config = configs[(unsigned char)configuration % CONFIGURATIONS];
	service.tickets = tickets_new();
	service.inquiries = inquiries_new(sources);
	service.lifecycle = lifecycle_new(service.store, service.files, &service.homes);
	holds(service.tickets && service.inquiries && service.lifecycle);
	lifecycle_configure(service.lifecycle, &service.config->accounts);
}

static void check_rows(const char *name, const char *before)
{
	size_t length;
	_cleanup_free_ char *text = machine_read(name, &length);

	holds(strncmp(text, before, strlen(before)) == 0, "rows of others in %s are not as they were", name);
	for (const char *row = text + strlen(before); *row; row += strcspn(row, "\n") + 1)
		holds(!is_local(strndupa(row, strcspn(row, ":"))), "%s", row);
}

static void end(void)
{
	inquiries_free(service.inquiries);
	lifecycle_free(service.lifecycle);
	tickets_free(service.tickets);
	if (!dirty)
		return;
	check_rows("etc/passwd", passwd);
	check_rows("etc/shadow", shadow);
	check_rows("etc/group", group);
	check_rows("etc/gshadow", gshadow);
	holds(machine_count("etc", ".provisiond") == 0);
}

static uid_t uid_of(char who)
{
	switch (tolower(who)) {
	case 'r':
		return 0;
	case 'p':
		return PAM_OIDC_UID;
	case 'a':
		return ALICE_UID;
	default:
		return STRANGER;
	}
}

/* Puts the latest ticket in the place of `ticket=*`, where that is a field: whoever sends a ticket as an email will
 * read it in the log. The caller frees the text. */
static char *with_ticket(const char *line)
{
	static const char placeholder[] = "|ticket=*";
	const char *found = strstr(line, placeholder);
	char *text = NULL;

	if (found && run.ticket[0])
		holds(asprintf(&text, "%.*s|ticket=%s%s", (int)(found - line), line, run.ticket,
			       found + strlen(placeholder)) > 0);
	return text ? text : strdup(line);
}

/* An administrator may give an account, or its name, to somebody else. */
static void note_order(const struct question *question, const struct wire_message *message)
{
	const char *name = wire_get(message, "name");

	dirty = true;
	for (size_t i = 0; i < run.bound_count && question->peer.uid == 0; i++)
		if (name && strcmp(run.bound[i].account, name) == 0)
			run.bound[i].account[0] = '\0';
}

static void note_admission(const struct wire_message *message)
{
	const char *issuer = wire_get(message, "issuer"), *subject = wire_get(message, "subject");

	(void)snprintf(run.issuer, sizeof(run.issuer), "%s", issuer ? issuer : "");
	(void)snprintf(run.subject, sizeof(run.subject), "%s", subject ? subject : "");
	dirty = true;
}

/* Lets the work that waits be done. */
static void work_off(const struct question *question)
{
	for (int i = 0; i < 8 && !question->ended; i++)
		if (lifecycle_deadline_ms(service.lifecycle) >= 0)
			lifecycle_run(service.lifecycle, wire_now_ms() + 60000);
}

static void ask(char who, char *text, unsigned fails)
{
	struct question question = { .peer = { .pid = 1, .uid = uid_of(who) }, .gone = isupper(who) != 0 };
	size_t length = strlen(text) + 1;
	struct wire_message message;

	for (char *at = text; *at; at++)
		*at = *at == '|' ? '\0' : *at;
	if (!wire_parse(text, length, &message) || !wire_kind(&message, "op"))
		return; /* the server drops it */
	(void)snprintf(question.op, sizeof(question.op), "%s", wire_kind(&message, "op"));
	/* It lets rows of others change, by an administrator's will. */
	if (strcmp(question.op, "link") == 0)
		return;
	if (is_order(question.op))
		note_order(&question, &message);
	run.asked = &message;
	if (strcmp(question.op, "admit") == 0 && question.peer.uid == PAM_OIDC_UID)
		note_admission(&message);
	fuzz_fail_allocation(fails);
	requests_handle(&service, &question, &message);
	work_off(&question);
	(void)fuzz_end_failing();
	dirty |= fuzz_allocation_failed();
	holds(question.ended, "the question stays open");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct fuzz_input input = { bytes, size };
	size_t length;
	_cleanup_free_ char *first = fuzz_text_until(&input, '\n', &length);
	unsigned fails = length > 1 ? (unsigned)strtoul(first + 1, NULL, 10) : 0;

	begin(first[0]);
	for (unsigned i = 0; i < MESSAGES_MAX && input.left > 0; i++) {
		char who = (char)fuzz_byte(&input);
		_cleanup_free_ char *line = fuzz_text_until(&input, '\n', &length);
		_cleanup_free_ char *text = with_ticket(line);

		ask(who, text, fails);
	}
	end();
	return 0;
}
