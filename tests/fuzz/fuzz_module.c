/*
 * The whole PAM module, with an application, a name service and daemons that follow a script, in which any allocation
 * and any call of PAM may fail: authentication succeeds only when provisiond confirmed this name, with the uid that the
 * name service promised, for a ticket that pam_oidcd gave, and took the answer when it asked for a room; a password
 * that was typed where it may be is PAM's token, and nobody is let in for it here; an account passes only when
 * provisiond calls it active; root is unknown before anything is asked; no result is one that the table of PAM results
 * does not have, least of all PAM_IGNORE; whatever is shown or logged is printable, and neither tickets nor what was
 * typed are in it or left in memory; PAM's items and environment change for those who are let in alone; everything that
 * was opened is closed, nothing waits for longer than it may, and nothing spins.
 *
 * The input is lines: 1 what is called (a authenticate, A with PAM_SILENT, m acct_mgmt, c chauthtok, e setcred,
 * o open_session), 2 the world (letters, see module_world.c), 3 service, 4 user, 5 terminal, 6 remote host, 7 the
 * module's arguments, 8 the process's title, 9 its parent's /proc/PID/stat, 10 the person (a letter for each text: y
 * answers, e with an empty line, a digit with that, n answers nothing, f the conversation fails, p it fails for
 * prompts, g the client has gone, G the same, having typed 1, s reads slowly), 11 which allocation fails (a number).
 * The rest are the daemons' doings, one a line: P pam_oidcd's, S provisiond's about the standing, R about the ticket, A
 * about the room, L about the password; then + seconds to wait before the next, = a message (| for NUL, ~ for a
 * newline), # bytes as they are, x hangs up, ! fails, i a signal, c the ssh client goes.
 *
 * Covers: pam_oidc/module/application.c pam_oidc/module/approval.c pam_oidc/module/arguments.c
 * pam_oidc/module/attempt.c pam_oidc/module/authenticate.c pam_oidc/module/choice.c
 * pam_oidc/module/client_connection.c pam_oidc/module/conversation.c pam_oidc/module/daemon_socket.c
 * pam_oidc/module/gate.c pam_oidc/module/module.c pam_oidc/module/person.c pam_oidc/module/printable.c
 * pam_oidc/module/result.c pam_oidc/module/room_list.c pam_oidc/module/room_question.c pam_oidc/module/screen.c
 * pam_oidc/module/session_facts.c pam_oidc/module/session_names.c pam_oidc/module/signin.c
 * pam_oidc/module/sshd_process.c pam_oidc/module/text.c pam_oidc/module/welcome.c common/wire.c
 */
#include <stdlib.h>
#include <string.h>

#include <security/pam_modules.h>

#include "common/cleanup.h"
#include "common/names.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/module_world.h"

#define LINES 11
#define ARGUMENTS_MAX 8
#define CALLS_IN_A_ROW 4
#define PATIENCE_MS ((2 * 1800 + 90) * 1000) /* the longest timeout=, again for the room, and what may be added */

/* ---- reading the input ---- */

static struct script *script_of(char c)
{
	return c == 'P'   ? &world.pam_oidcd
	       : c == 'S' ? &world.standing
	       : c == 'R' ? &world.redeem
	       : c == 'A' ? &world.answer
	       : c == 'L' ? &world.lookup
			  : NULL;
}

/* Turns what is written into bytes, in place. */
static void unescape(char *text)
{
	for (; *text; text++)
		*text = *text == '|' ? '\0' : *text == '~' ? '\n' : *text;
}

/* One line. `line` lives as long as the world. */
static void read_event(char *line, size_t length, int64_t *waits_ms)
{
	static const struct {
		char letter;
		enum event_kind kind;
	} kinds[] = { { '=', EVENT_PACKET }, { '#', EVENT_PACKET },    { 'x', EVENT_HANG_UP },
		      { '!', EVENT_ERROR },  { 'i', EVENT_INTERRUPT }, { 'c', EVENT_CLIENT_GOES } };
	struct script *script = length >= 2 ? script_of(line[0]) : NULL;

	if (!script || script->count == EVENTS_MAX)
		return;
	if (line[1] == '+')
		*waits_ms += (int64_t)strtoul(line + 2, NULL, 10) % 4000 * 1000;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (line[1] != kinds[i].letter)
			continue;
		script->events[script->count++] = (struct event){
			.kind = kinds[i].kind,
			.after_ms = *waits_ms,
			.bytes = line + 2,
			.length = length - 2 + (line[1] == '='),
		};
		*waits_ms = 0;
		if (line[1] == '=')
			unescape(line + 2);
		return;
	}
}

struct lines {
	char *text[LINES + 5 * EVENTS_MAX];
	size_t length[LINES + 5 * EVENTS_MAX];
	size_t count;
};

static void read_lines(struct fuzz_input *input, struct lines *lines)
{
	const size_t max = sizeof(lines->text) / sizeof(lines->text[0]);

	while (lines->count < max && (input->left > 0 || lines->count < LINES)) {
		lines->text[lines->count] = fuzz_text_until(input, '\n', &lines->length[lines->count]);
		lines->count++;
	}
}

/* Whether no line has what must not be seen anywhere, but in the ticket of a message of pam_oidcd's. */
static bool are_secrets_apart(const struct lines *lines)
{
	static const char field[] = "|ticket=";
	const size_t before = strlen(field);

	for (size_t i = 0; i < lines->count; i++) {
		const char *line = lines->text[i], *at = line;

		if (memmem(line, lines->length[i], TYPED, strlen(TYPED)))
			return false;
		while ((at = memmem(at, lines->length[i] - (size_t)(at - line), TICKET, strlen(TICKET)))) {
			if (i < LINES || strncmp(line, "P=", 2) != 0 || (size_t)(at - line) < 2 + before ||
			    memcmp(at - before, field, before) != 0)
				return false;
			at++;
		}
	}
	return true;
}

static void make_world(struct lines *lines)
{
	int64_t waits_ms = 0;

	world_reset();
	world.secrets_apart = are_secrets_apart(lines);
	world.letters = lines->text[1];
	world.service = lines->text[2];
	world.user = lines->text[3];
	world.tty = lines->text[4];
	world.rhost = lines->text[5];
	world.title = lines->text[7];
	world.stat = lines->text[8];
	world.conversation = lines->text[9];
	for (size_t i = LINES; i < lines->count; i++)
		read_event(lines->text[i], lines->length[i], &waits_ms);
}

/* ---- what must hold ---- */

static const char *field(const char *bytes, size_t length, const char *key)
{
	struct wire_message message;

	return wire_parse(bytes, length, &message) ? wire_get(&message, key) : NULL;
}

/* Whether a packet of provisiond's says `status` and names this person's account. */
static void check_account(const char *bytes, size_t length, const char *status)
{
	const char *account = field(bytes, length, "account"), *uid = field(bytes, length, "uid");
	bool resolves = strchr(world.letters, 'r') || strchr(world.letters, 'R');
	struct email email;

	holds(length > 0 && account && uid && field(bytes, length, "status"));
	holds(strcmp(field(bytes, length, "status"), status) == 0);
	holds(account_name_ok(account) && strtoul(uid, NULL, 10) != 0);
	/* A look-up that failed for want of memory resolves nothing. */
	holds(!resolves || strtoul(uid, NULL, 10) == ALICE_UID || fuzz_allocation_failed());
	holds(!email_parse(world.user, &email) || !world.pam_user_set || strcmp(world.pam_user, account) == 0);
}

static void check_nobody_is_root(void)
{
	holds(strcmp(world.user, "root") != 0);
	holds(!strchr(world.letters, 'R') || fuzz_allocation_failed());
}

/* Whether pam_oidcd gave this ticket in an answer. */
static bool was_given(const char *ticket)
{
	for (size_t i = 0; i < world.pam_oidcd.count; i++) {
		const struct event *event = &world.pam_oidcd.events[i];
		const char *given = event->kind == EVENT_PACKET ? field(event->bytes, event->length, "ticket") : NULL;

		if (given && strcmp(given, ticket) == 0)
			return true;
	}
	return false;
}

/* Whether pam_oidcd offered the choice. */
static bool was_offered_choice(void)
{
	for (size_t i = 0; i < world.pam_oidcd.count; i++) {
		const struct event *event = &world.pam_oidcd.events[i];
		const char *status = event->kind == EVENT_PACKET ? field(event->bytes, event->length, "status") : NULL;

		if (status && strcmp(status, "choose") == 0)
			return true;
	}
	return false;
}

/* Where provisiond asks for the room, it has one of those that it named, and said that it has. */
static void check_room(void)
{
	struct wire_message message;
	size_t cursor = 0;
	const char *room;

	holds(wire_parse(world.answered, world.answered_length, &message));
	if (!wire_has(&message, "ask")) {
		holds(!world.room[0]);
		return;
	}
	holds(strcmp(wire_get(&message, "ask"), "room") == 0 && world.room[0] && world.room_done);
	while ((room = wire_next(&message, "room", &cursor)))
		if (strcmp(room, world.room) == 0)
			return;
	holds(room, "%s", world.room);
}

static void check_let_in(void)
{
	const char *ticket = field(world.redeemed, world.redeemed_length, "ticket");
	const char *name = field(world.redeemed, world.redeemed_length, "name");
	const char *account;

	check_nobody_is_root();
	holds(world.asked_redeem && world.asked_login);
	holds(ticket && was_given(ticket));
	holds(strcmp(name, world.user) == 0);
	check_account(world.answered, world.answered_length, "confirmed");
	account = field(world.answered, world.answered_length, "account");
	holds(strchr(world.user, '@') || strcmp(account, world.user) == 0);
	holds(!world.authtok[0]);
	check_room();
}

/* A password is handed on as such, or not at all. */
static void check_password(int result)
{
	if (!world.authtok[0])
		return;
	holds(result == PAM_AUTHINFO_UNAVAIL && world.asked_login && !world.asked_redeem && was_offered_choice());
	holds(strcmp(world.authtok, TYPED) == 0 || (world.authtok[0] >= '0' && world.authtok[0] <= '9'));
}

static void check_kept_out(bool welcomed)
{
	holds(!world.pam_user_set);
	holds(!world.environment[2][0] || welcomed);
	holds(!world.environment[3][0] && !world.environment[4][0]);
}

/* Root is told that it is unknown here, before anything is asked. */
static void check_root(char call, int result)
{
	bool root = strcmp(world.user, "root") == 0 || strchr(world.letters, 'R');
	bool named = !strchr(world.letters, 'U') && !strchr(world.letters, '0') && !world.pam_user_set;

	if (!root || !named || fuzz_allocation_failed() || call == 'e' || call == 'o')
		return;
	holds(result == PAM_USER_UNKNOWN, "%d", result);
	holds(!world.asked_login && world.log_length == 0 && world.screen_length == 0);
}

static bool among(int result, const int *results, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (results[i] == result)
			return true;
	return false;
}

/* The table of PAM results: what may come from where. */
static void check_result(char call, int result)
{
	static const int of_authenticate[] = { PAM_SUCCESS,     PAM_USER_UNKNOWN, PAM_PERM_DENIED,
					       PAM_MAXTRIES,    PAM_AUTH_ERR,     PAM_AUTHINFO_UNAVAIL,
					       PAM_SERVICE_ERR, PAM_BUF_ERR,      PAM_INCOMPLETE };
	static const int of_account[] = { PAM_SUCCESS,      PAM_USER_UNKNOWN,     PAM_PERM_DENIED,
					  PAM_ACCT_EXPIRED, PAM_AUTHINFO_UNAVAIL, PAM_SERVICE_ERR,
					  PAM_BUF_ERR,      PAM_INCOMPLETE,       PAM_AUTH_ERR };
	static const int of_password[] = { PAM_PERM_DENIED, PAM_USER_UNKNOWN, PAM_AUTHINFO_UNAVAIL, PAM_SERVICE_ERR,
					   PAM_BUF_ERR,     PAM_INCOMPLETE,   PAM_AUTH_ERR };
	static const int of_others[] = { PAM_SUCCESS };

	switch (call) {
	case 'a':
	case 'A':
		holds(among(result, of_authenticate, sizeof(of_authenticate) / sizeof(int)), "%d", result);
		holds(result != PAM_MAXTRIES || strcmp(world.service, "sshd") == 0 || strcmp(world.tty, "ssh") == 0);
		break;
	case 'm':
		holds(among(result, of_account, sizeof(of_account) / sizeof(int)), "%d", result);
		break;
	case 'c':
		holds(among(result, of_password, sizeof(of_password) / sizeof(int)), "%d", result);
		break;
	default:
		holds(among(result, of_others, sizeof(of_others) / sizeof(int)), "%d", result);
		break;
	}
}

/* Printable ASCII, newlines, and the three blocks of a QR code; where rooms are, letters of all languages. */
static void check_screen(void)
{
	for (char *at = world.screen, *end; world.answered_length > 0 && *at; at = end) {
		end = at + strcspn(at, "\n");
		if (*end == '\0') {
			holds(world_is_text(at));
			break;
		}
		*end = '\0';
		holds(world_is_text(at), "%s", at);
		*end++ = '\n';
	}
	for (const char *at = world.screen; world.answered_length == 0 && *at; at++) {
		if (strncmp(at, "\u2588", 3) == 0 || strncmp(at, "\u2580", 3) == 0 || strncmp(at, "\u2584", 3) == 0)
			at += 2;
		else
			holds(*at == '\n' || (*at >= ' ' && *at <= '~'), "byte %02x", (unsigned char)*at);
	}
	holds(!world.secrets_apart || (!strstr(world.screen, TYPED) && !strstr(world.screen, TICKET)));
}

static void check_log(void)
{
	for (const char *at = world.log; *at; at++)
		holds(*at == '\n' || (*at >= ' ' && *at <= '~'), "byte %02x", (unsigned char)*at);
	holds(!world.secrets_apart || (!strstr(world.log, TYPED) && !strstr(world.log, TICKET)));
}

static void check_closed(void)
{
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		holds(world.connections[i].fd == 0, "a connection stays open");
	holds(world.files == 0 && !world.typed);
}

/* ---- running it ---- */

static int call(char which, int argc, const char **argv)
{
	pam_handle_t *pamh = (pam_handle_t *)&world; /* which the module never looks into */

	switch (which) {
	case 'A':
		return pam_sm_authenticate(pamh, (int)PAM_SILENT, argc, argv);
	case 'm':
		return pam_sm_acct_mgmt(pamh, 0, argc, argv);
	case 'c':
		return pam_sm_chauthtok(pamh, PAM_PRELIM_CHECK, argc, argv);
	case 'e':
		return pam_sm_setcred(pamh, PAM_ESTABLISH_CRED, argc, argv);
	case 'o':
		return pam_sm_open_session(pamh, 0, argc, argv);
	default:
		return pam_sm_authenticate(pamh, 0, argc, argv);
	}
}

static void run_call(char which, int argc, const char **argv)
{
	int64_t began_ms = world.now_ms;
	bool welcomed = world.environment[2][0] != '\0', known = world.pam_user_set;
	int result;

	world.asked_login = world.asked_redeem = world.asked_room = world.room_done = false;
	world.room[0] = world.authtok[0] = '\0';
	world.rooms_told = world.logins = 0;
	world.screen_before = world.screen_length;
	world.environment[3][0] = world.environment[4][0] = '\0';
	world.client_gone = false;
	world.running = true;
	result = call(which, argc, argv);
	world.running = false;
	check_result(which, result);
	check_root(which, result);
	holds(world.now_ms - began_ms <= PATIENCE_MS, "it took %lld ms", (long long)(world.now_ms - began_ms));
	check_closed();
	check_screen();
	check_log();
	/* Whom provisiond was asked to confirm is ours, whatever comes of it. */
	holds(!world.asked_redeem || result != PAM_USER_UNKNOWN);
	if (which == 'a' || which == 'A')
		check_password(result);
	else
		holds(!world.authtok[0]);
	if (known) /* what an earlier call did is judged */
		return;
	if ((which == 'a' || which == 'A') && result == PAM_SUCCESS)
		check_let_in();
	else if (which == 'm' && result == PAM_SUCCESS) {
		check_nobody_is_root();
		check_account(world.stood, world.stood_length, "active");
		holds(strlen(world.environment[4]) <= 64);
	} else
		check_kept_out(welcomed);
	if (which == 'e')
		holds(!world.environment[2][0] || fuzz_allocation_failed());
}

static int split_arguments(char *text, const char *argv[ARGUMENTS_MAX])
{
	int argc = 0;
	char *rest = NULL;

	for (char *word = strtok_r(text, " ", &rest); word && argc < ARGUMENTS_MAX; word = strtok_r(NULL, " ", &rest))
		argv[argc++] = word;
	return argc;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct fuzz_input input = { bytes, size };
	struct lines lines = { .count = 0 };
	const char *argv[ARGUMENTS_MAX] = { NULL };
	int argc;

	read_lines(&input, &lines);
	make_world(&lines);
	argc = split_arguments(lines.text[6], argv);
	fuzz_fail_allocation((unsigned)strtoul(lines.text[10], NULL, 10));
	for (size_t i = 0; i < lines.length[0] && i < CALLS_IN_A_ROW; i++)
		if (memchr("aAmceo", lines.text[0][i], 6))
			run_call(lines.text[0][i], argc, argv);
	(void)fuzz_end_failing();
	for (size_t i = 0; i < lines.count; i++)
		free(lines.text[i]);
	return 0;
}
