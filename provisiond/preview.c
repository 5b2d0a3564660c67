/*
 * Decides about one person as an admission would, and tells it. See preview.h.
 */
#include "provisiond/preview.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "common/wire.h"
#include "provisiond/facts.h"
#include "provisiond/gathered.h"
#include "provisiond/inquiry.h"
#include "provisiond/name_list.h"
#include "provisiond/plan.h"
#include "provisiond/sources.h"
#include "provisiond/store_copy.h"

#define SOURCES_DEADLINE_MS 5000
#define ANSWER_DEADLINE_MS 5000

struct preview {
	struct service service;
	struct sources *sources;
	struct candidate candidate;
	const char *tenant;
	const char *typed; /* as they would type it: their account's name, else their email */
	char own_name[ACCOUNT_NAME_MAX + 1];
	struct source_facts asked;
	struct gathered gathered;
	struct verdict verdict;
	char question[WIRE_MAX];
	char answer[WIRE_MAX];
};

/* ---- the question ---- */

static bool is_packet_socket(int fd)
{
	int type = 0;
	socklen_t size = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

/* A packet, or all there is. False when it is longer than a message can be, or cannot be read. */
static bool read_all(char *buffer, size_t capacity, size_t *ret_length)
{
	bool packet = is_packet_socket(STDIN_FILENO);
	size_t length = 0;
	ssize_t n;

	do {
		n = read(STDIN_FILENO, buffer + length, capacity - length);
		if (n > 0)
			length += (size_t)n;
	} while ((n > 0 && !packet && length < capacity) || (n < 0 && errno == EINTR));
	*ret_length = length;
	return n == 0 || (n > 0 && packet);
}

static bool read_question(struct preview *preview)
{
	struct wire_message message;
	size_t length = 0;
	const char *op;

	if (!read_all(preview->question, sizeof(preview->question), &length) ||
	    !wire_parse(preview->question, length, &message))
		return false;
	op = wire_kind(&message, "op");
	preview->tenant = wire_get(&message, "tenant");
	return op && strcmp(op, "admit") == 0 && preview->tenant &&
	       candidate_from_message(&message, &preview->candidate);
}

/* ---- what an admission would find ---- */

static bool open_all(struct preview *preview, const struct preview_places *places)
{
	struct service *service = &preview->service;
	char fault[512];
	int opened;

	if (!config_load(places->config_path, config_report_to_log, NULL, &service->config))
		return false;
	opened = account_files_open("/", 0, &service->files);
	if (opened != 0) {
		log_error("/etc cannot be used: %s", strerror(-opened));
		return false;
	}
	opened = system_names_load(NULL, &service->system_names);
	if (opened != 0) {
		log_error("the reserved names in sysusers.d cannot be read: %s", strerror(-opened));
		return false;
	}
	/* Before the database, as in the daemon. */
	preview->sources = sources_start(places->nsswitch);
	service->inquiries = preview->sources ? inquiries_new(preview->sources) : NULL;
	if (!service->inquiries) {
		log_error("the other name services cannot be asked: %s", strerror(errno));
		return false;
	}
	service->homes = HOME_PLACE_SYSTEM;
	service->store = store_open_copy(places->database, places->temporary, fault, sizeof(fault));
	if (!service->store)
		log_error("%s", fault);
	return service->store != NULL;
}

static void close_all(struct preview *preview)
{
	struct service *service = &preview->service;

	gathered_clear(&preview->gathered);
	candidate_clear(&preview->candidate);
	inquiries_free(service->inquiries);
	sources_stop(preview->sources);
	store_close(service->store);
	account_files_close(service->files);
	system_names_free(service->system_names);
	config_free(service->config);
	explicit_bzero(preview, sizeof(*preview));
	free(preview);
}

/* ---- deciding ---- */

/* Who has an account already types its name, whatever their email is called by now. */
static void choose_typed(struct preview *preview)
{
	_cleanup_record_ struct account_record bound = { 0 };
	const struct candidate *candidate = &preview->candidate;

	preview->typed = candidate->email;
	if (store_account_by_subject(preview->service.store, candidate->issuer, candidate->subject, &bound) !=
	    STORE_FOUND)
		return;
	account_name_copy(bound.name, preview->own_name);
	preview->typed = preview->own_name;
}

static void decide(struct preview *preview)
{
	const struct admission_question question = {
		.config = preview->service.config,
		.tenant = preview->tenant,
		.candidate = &preview->candidate,
		.service = "",
		.remote_host = "",
	};

	gathered_clear(&preview->gathered);
	preview->verdict = (struct verdict){ .kind = VERDICT_REFUSED, .reason = REASON_EMAIL_INVALID };
	if (!preview->typed)
		return;
	if (gather(&preview->service, preview->typed, &preview->candidate, &preview->asked, (int64_t)time(NULL),
		   &preview->gathered))
		admission_decide(&question, &preview->gathered.facts, &preview->verdict);
	else
		preview->verdict.reason = REASON_STORAGE;
}

static void sources_have_answered(void *context, const struct source_facts *facts)
{
	struct preview *preview = context;

	preview->asked = *facts;
}

/* Whoever does not answer counts as knowing the name: inquire() sees to it at the deadline. */
static void ask_sources(struct preview *preview)
{
	inquire(preview->service.inquiries, preview->verdict.account, true, preview->verdict.uid,
		wire_now_ms() + SOURCES_DEADLINE_MS, sources_have_answered, preview);
	while (!preview->asked.asked) {
		struct pollfd readable = { .fd = sources_fd(preview->sources), .events = POLLIN };
		int64_t due_ms = sources_next_deadline_ms(preview->sources), now_ms = wire_now_ms();

		(void)poll(&readable, 1, due_ms <= now_ms ? 0 : (int)(due_ms - now_ms));
		if (readable.revents)
			sources_on_readable(preview->sources);
		sources_on_timer(preview->sources, wire_now_ms());
	}
}

/* ---- the answer ---- */

static void put_home(struct preview *preview, struct wire_writer *answer)
{
	struct account_user user;

	if (preview->verdict.kind == VERDICT_CREATE)
		wire_put(answer, "home", preview->gathered.facts.promise.home);
	else if (account_files_user_named(preview->service.files, preview->verdict.account, &user) > 0)
		wire_put(answer, "home", user.home);
}

static bool put_groups(struct preview *preview, const struct tenant *tenant, struct wire_writer *answer)
{
	_cleanup_free_ char *given = NULL, *not_given = NULL, *usable = NULL;

	if (plan_groups(tenant, preview->candidate.groups, preview->candidate.group_count, &given, &not_given) == 0)
		usable = facts_usable_groups(&preview->service, preview->verdict.account, given);
	for (struct listed_name at = names_first(usable ? usable : ""); at.length > 0; at = names_next(at))
		wire_putf(answer, "group", "%.*s", (int)at.length, at.text);
	return usable != NULL;
}

/* Whether they would be asked for their room. */
static bool room_is_open(const struct preview *preview, const struct tenant *tenant)
{
	const struct account_record *bound = preview->gathered.facts.bound;

	if (tenant->rooms.count == 0 || preview->verdict.kind == VERDICT_LINK)
		return false;
	if (preview->verdict.kind == VERDICT_CREATE)
		return !bound || !string_list_contains(&tenant->rooms, bound->room);
	return preview->gathered.facts.bound_standing == STANDING_INCOMPLETE && bound->room[0] == '\0';
}

static bool write_would(struct preview *preview, struct wire_writer *answer)
{
	const struct tenant *tenant = config_tenant_named(preview->service.config, preview->tenant);
	const struct verdict *verdict = &preview->verdict;

	wire_begin(answer, preview->answer, sizeof(preview->answer), "status", "would");
	wire_put(answer, "account", verdict->account);
	wire_put_number(answer, "uid", verdict->uid);
	put_home(preview, answer);
	wire_put_number(answer, "created", verdict->kind == VERDICT_CREATE);
	wire_put_number(answer, "room", room_is_open(preview, tenant));
	return put_groups(preview, tenant, answer);
}

static void write_refused(struct preview *preview, struct wire_writer *answer)
{
	const struct verdict *verdict = &preview->verdict;

	wire_begin(answer, preview->answer, sizeof(preview->answer), "status", "refused");
	wire_put(answer, "reason", reason_name(verdict->reason));
	wire_put(answer, "text", verdict->sentence[0] ? verdict->sentence : reason_sentence(verdict->reason));
	if (verdict->remedy[0])
		wire_put(answer, "remedy", verdict->remedy);
}

static bool write_bytes(const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t n = write(STDOUT_FILENO, bytes, length);

		if (n < 0 && errno != EINTR)
			return false;
		bytes += n > 0 ? n : 0;
		length -= n > 0 ? (size_t)n : 0;
	}
	return true;
}

static bool send_answer(const struct wire_writer *answer)
{
	if (answer->failed)
		return false;
	if (is_packet_socket(STDOUT_FILENO))
		return wire_send(STDOUT_FILENO, answer, wire_now_ms() + ANSWER_DEADLINE_MS) == 0;
	return write_bytes(answer->buffer, answer->length);
}

/* ---- the story ---- */

static bool answer_question(struct preview *preview)
{
	struct wire_writer answer;

	choose_typed(preview);
	decide(preview);
	if (preview->verdict.kind == VERDICT_CREATE) {
		ask_sources(preview);
		decide(preview);
	}
	if (preview->verdict.kind == VERDICT_REFUSED)
		write_refused(preview, &answer);
	else if (!write_would(preview, &answer))
		return false;
	return send_answer(&answer);
}

int preview_run(const struct preview_places *places)
{
	struct preview *preview = calloc(1, sizeof(*preview));
	bool answered = false;

	if (!preview || signal(SIGPIPE, SIG_IGN) == SIG_ERR) {
		log_error("out of memory");
		free(preview);
		return EXIT_FAILURE;
	}
	if (!read_question(preview))
		log_error("standard input must give one message: op=admit with tenant=, issuer=, client_id=, subject= "
			  "and so on, as `pam_oidcd --probe --messages` tells them");
	else if (open_all(preview, places)) {
		answered = answer_question(preview);
		if (!answered)
			log_error("the answer cannot be given: out of memory, or nobody takes it");
	}
	close_all(preview);
	return answered ? EXIT_SUCCESS : EXIT_FAILURE;
}
