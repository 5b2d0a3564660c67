/*
 * Tests provisionctl: the whole program with daemons of the test's own, and its text, table and JSON on their own.
 */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/cleanup.h"
#include "common/wire.h"
#include "provisiond/ctl/command.h"
#include "provisiond/ctl/json.h"
#include "provisiond/ctl/table.h"
#include "provisiond/ctl/terminal.h"
#include "provisiond/ctl/time_text.h"
#include "provisiond/ctl/utf8.h"

#define PACKETS_MAX 8
#define OUTPUT_MAX 65536

struct packet {
	char bytes[1024];
	size_t length;
};

/* One daemon: answers every question with the same packets, then hangs up. */
static struct {
	const char *socket;
	int listener; /* -1: not running */
	pthread_t thread;
	struct packet packets[PACKETS_MAX];
	size_t packet_count;
	size_t repeats;       /* of the first packet, beyond the one time */
	size_t first_packets; /* so many answer the first question, the rest all others; 0: all answer each */
	bool stays;           /* waits for the next question instead of hanging up */
	char question[1024];  /* the latest one */
	char questions[8192]; /* all of them, one a line */
} fake = { .listener = -1 };

static struct {
	char out[OUTPUT_MAX];
	char err[OUTPUT_MAX];
	int code;
} ran;

static void send_packets(int fd, size_t from, size_t to)
{
	for (size_t i = 0; i < fake.repeats; i++)
		(void)send(fd, fake.packets[0].bytes, fake.packets[0].length, MSG_NOSIGNAL);
	for (size_t i = from; i < to; i++)
		(void)send(fd, fake.packets[i].bytes, fake.packets[i].length, MSG_NOSIGNAL);
}

/* Reads one question; false when the peer has gone. */
static bool read_question(int fd)
{
	ssize_t n = recv(fd, fake.question, sizeof(fake.question) - 1, 0);
	size_t length;

	if (n <= 0)
		return false;
	for (ssize_t i = 0; i < n - 1; i++)
		if (fake.question[i] == '\0')
			fake.question[i] = ' ';
	fake.question[n] = '\0';
	length = strlen(fake.questions);
	(void)snprintf(fake.questions + length, sizeof(fake.questions) - length, "%.1000s\n", fake.question);
	return true;
}

static void *serve(void *unused)
{
	bool first = true;

	(void)unused;
	for (;;) {
		_cleanup_fd_ int fd = accept4(fake.listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			return NULL;
		while (read_question(fd)) {
			bool two_parts = fake.first_packets > 0;

			send_packets(fd, two_parts && !first ? fake.first_packets : 0,
				     two_parts && first ? fake.first_packets : fake.packet_count);
			first = false;
			if (!fake.stays)
				break;
		}
	}
}

static void daemon_runs(const char *socket_path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	fake.socket = socket_path;
	memcpy(address.sun_path, socket_path, strlen(socket_path));
	fake.listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fake.listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fake.listener, 4), 0);
	assert_int_equal(pthread_create(&fake.thread, NULL, serve, NULL), 0);
}

/* Adds a packet: its fields, each ended by '\n' instead of NUL, so that they read well. */
static void daemon_answers(const char *fields)
{
	struct packet *packet = &fake.packets[fake.packet_count++];

	assert_true(fake.packet_count <= PACKETS_MAX);
	packet->length = strlen(fields);
	memcpy(packet->bytes, fields, packet->length + 1);
	for (size_t i = 0; i < packet->length; i++)
		if (packet->bytes[i] == '\n')
			packet->bytes[i] = '\0';
}

static int daemon_stops(void **state)
{
	(void)state;
	if (fake.listener >= 0) {
		(void)shutdown(fake.listener, SHUT_RDWR);
		(void)pthread_join(fake.thread, NULL);
		(void)close(fake.listener);
		(void)unlink(fake.socket);
	}
	fake.listener = -1;
	fake.packet_count = fake.repeats = fake.first_packets = 0;
	fake.stays = false;
	fake.question[0] = fake.questions[0] = '\0';
	return 0;
}

static void read_whole(const char *path, char *ret_text)
{
	_cleanup_file_ FILE *file = fopen(path, "re");
	size_t n;

	assert_non_null(file);
	n = fread(ret_text, 1, OUTPUT_MAX - 1, file);
	ret_text[n] = '\0';
	(void)unlink(path);
}

/* Runs provisionctl with these words, standard output and error into `ran`. */
static void provisionctl_with(const char *runner, const char *words)
{
	char command[1024];
	int n = snprintf(command, sizeof(command), ">out 2>err %s %s %s", runner, PROVISIONCTL, words), status;

	assert_true(n > 0 && (size_t)n < sizeof(command));
	status = system(command); /* the words come from this file */
	assert_true(WIFEXITED(status));
	ran.code = WEXITSTATUS(status);
	read_whole("out", ran.out);
	read_whole("err", ran.err);
}

static void provisionctl(const char *words)
{
	provisionctl_with("", words);
}

static void only_as_root(void)
{
	if (geteuid() != 0)
		skip();
}

#define ALICE                                                                                                     \
	"status=account\nname=alice\nuid=2000200007\ntenant=clinic\nemail=alice@clinic.example\nfull_name=Alice " \
	"Ångström\n"                                                                                            \
	"state=active\ncreated=1700000000\nlast_signin=1700003600\nhome=/home/alice\n"
#define BOB                                                                                                     \
	"status=account\nname=bob\nuid=2000200123\ntenant=clinic\nemail=bob@clinic.example\nfull_name=\nstate=" \
	"deactivated\n"                                                                                         \
	"created=1700000000\nlast_signin=0\nhome=/home/bob\n"

static void list_prints_a_table_sorted_by_name_with_local_times(void **state)
{
	(void)state;
	only_as_root();
	daemon_answers(BOB);
	daemon_answers(ALICE);
	daemon_answers("status=end\n");
	daemon_runs("provisiond.socket");
	provisionctl("list");
	assert_string_equal(fake.question, "op=list");
	assert_string_equal(
		ran.out,
		"NAME          UID  STATE        TENANT  LAST SIGN-IN      EMAIL                 FULL NAME\n"
		"alice  2000200007  active       clinic  2023-11-15 00:13  alice@clinic.example  Alice Ångström\n"
		"bob    2000200123  deactivated  clinic  never             bob@clinic.example    -\n");
	assert_string_equal(ran.err, "");
	assert_int_equal(ran.code, EXIT_DONE);
}

static void list_prints_json_with_utc_times_and_nulls(void **state)
{
	(void)state;
	only_as_root();
	daemon_answers(BOB);
	daemon_answers(ALICE);
	daemon_answers("status=end\n");
	daemon_runs("provisiond.socket");
	provisionctl("--json list");
	assert_string_equal(ran.out, "[\n"
				     "  {\n"
				     "    \"name\": \"alice\",\n"
				     "    \"uid\": 2000200007,\n"
				     "    \"tenant\": \"clinic\",\n"
				     "    \"email\": \"alice@clinic.example\",\n"
				     "    \"full_name\": \"Alice \\u00c5ngstr\\u00f6m\",\n"
				     "    \"state\": \"active\",\n"
				     "    \"home\": \"/home/alice\",\n"
				     "    \"room\": null,\n"
				     "    \"linked\": false,\n"
				     "    \"created\": \"2023-11-14T22:13:20Z\",\n"
				     "    \"state_at\": null,\n"
				     "    \"last_signin\": \"2023-11-14T23:13:20Z\",\n"
				     "    \"refusal\": null,\n"
				     "    \"refused\": null\n"
				     "  },\n"
				     "  {\n"
				     "    \"name\": \"bob\",\n"
				     "    \"uid\": 2000200123,\n"
				     "    \"tenant\": \"clinic\",\n"
				     "    \"email\": \"bob@clinic.example\",\n"
				     "    \"full_name\": \"\",\n"
				     "    \"state\": \"deactivated\",\n"
				     "    \"home\": \"/home/bob\",\n"
				     "    \"room\": null,\n"
				     "    \"linked\": false,\n"
				     "    \"created\": \"2023-11-14T22:13:20Z\",\n"
				     "    \"state_at\": null,\n"
				     "    \"last_signin\": null,\n"
				     "    \"refusal\": null,\n"
				     "    \"refused\": null\n"
				     "  }\n"
				     "]\n");
	assert_int_equal(ran.code, EXIT_DONE);
}

static void a_list_of_nothing_says_so_and_is_empty_json(void **state)
{
	(void)state;
	only_as_root();
	daemon_answers("status=end\n");
	daemon_runs("provisiond.socket");
	provisionctl("list");
	assert_int_equal(ran.code, EXIT_NOTHING);
	assert_string_equal(ran.out, "");
	assert_non_null(strstr(ran.err, "there is no account yet"));
	provisionctl("list --json");
	assert_int_equal(ran.code, EXIT_NOTHING);
	assert_string_equal(ran.out, "[]\n");
	assert_string_equal(ran.err, "");
}

static void ten_thousand_accounts_are_ten_thousand_lines(void **state)
{
	(void)state;
	only_as_root();
	daemon_answers(ALICE);
	daemon_answers("status=end\n");
	fake.repeats = 9999;
	daemon_runs("provisiond.socket");
	provisionctl("list >list; test $(wc -l <list) -eq 10001 && rm list");
	assert_int_equal(ran.code, EXIT_DONE);
}

static void show_prints_all_that_is_on_record(void **state)
{
	(void)state;
	only_as_root();
	daemon_answers(ALICE "issuer=https://clinic.okta.example\nsubject=00u1\nshell=/bin/bash\n");
	daemon_runs("provisiond.socket");
	provisionctl("show alice");
	assert_string_equal(fake.question, "op=show name=alice");
	assert_string_equal(ran.out, "Name          alice\n"
				     "Uid           2000200007\n"
				     "State         active\n"
				     "Full name     Alice Ångström\n"
				     "Email         alice@clinic.example\n"
				     "Tenant        clinic\n"
				     "Home          /home/alice\n"
				     "Shell         /bin/bash\n"
				     "Created       2023-11-14 23:13\n"
				     "Last sign-in  2023-11-15 00:13\n"
				     "Issuer        https://clinic.okta.example\n"
				     "Subject       00u1\n");
	assert_int_equal(ran.code, EXIT_DONE);
}

static void show_says_when_there_is_no_such_account(void **state)
{
	(void)state;
	only_as_root();
	daemon_answers("status=unknown\n");
	daemon_runs("provisiond.socket");
	provisionctl("show 'mal\033[2Jlory'");
	assert_int_equal(ran.code, EXIT_NOTHING);
	assert_string_equal(ran.out, "");
	assert_string_equal(ran.err, "provisionctl: there is no account \"mal\\x1b[2Jlory\" in provisiond's record. "
				     "See all of them: provisionctl list\n");
}

static void after_two_hyphens_everything_is_a_name(void **state)
{
	(void)state;
	only_as_root();
	daemon_answers("status=unknown\n");
	daemon_runs("provisiond.socket");
	provisionctl("show -- --json");
	assert_string_equal(fake.question, "op=show name=--json");
	assert_int_equal(ran.code, EXIT_NOTHING);
}

static void pending_prints_who_is_signing_in(void **state)
{
	(void)state;
	only_as_root();
	daemon_answers(
		"status=signin\nid=7\nname=alice\nservice=sshd\nrhost=192.0.2.7\ntty=\ntenant=clinic\nstate=polling\n"
		"age=65\nexpires_in=535\n");
	daemon_answers("status=end\n");
	daemon_runs("pam_oidcd.socket");
	provisionctl("pending");
	assert_string_equal(fake.question, "op=pending");
	assert_string_equal(ran.out, "ID  NAME   SERVICE  FROM       TTY  TENANT   AGE  LEFT  STATE\n"
				     "7   alice  sshd     192.0.2.7  -    clinic  1:05  8:55  polling\n");
	assert_int_equal(ran.code, EXIT_DONE);
	provisionctl("pending --json");
	assert_non_null(strstr(ran.out, "\"age_s\": 65,\n    \"expires_in_s\": 535\n"));
}

static void what_comes_from_elsewhere_reaches_neither_terminal_nor_json_as_it_is(void **state)
{
	(void)state;
	only_as_root();
	daemon_answers(
		"status=account\nname=alice\nuid=2000200007\nstate=active\nfull_name=\033]0;owned\007 \xe2\x80\xae"
		"ecila \xff \\ \"\n");
	daemon_answers("status=end\n");
	daemon_runs("provisiond.socket");
	provisionctl("list");
	assert_non_null(strstr(ran.out, "\\x1b]0;owned\\x07 \\xe2\\x80\\xaeecila \\xff \\\\ \"\n"));
	provisionctl("list --json");
	assert_non_null(strstr(ran.out, "\"\\u001b]0;owned\\u0007 \\u202eecila \\ufffd \\\\ \\\"\""));
}

static void without_a_daemon_it_says_how_to_start_it(void **state)
{
	(void)state;
	only_as_root();
	provisionctl("list");
	assert_int_equal(ran.code, EXIT_UNREACHABLE);
	assert_string_equal(ran.err, "provisionctl: provisiond is not running. Start it: systemctl start provisiond\n");
	provisionctl("pending");
	assert_int_equal(ran.code, EXIT_UNREACHABLE);
	assert_string_equal(ran.err, "provisionctl: pam_oidcd is not running. Start it: systemctl start pam_oidcd\n");
}

static void a_daemon_that_hangs_up_in_the_middle_of_a_list_gives_no_list(void **state)
{
	(void)state;
	only_as_root();
	daemon_answers(ALICE);
	daemon_runs("provisiond.socket");
	provisionctl("list");
	assert_int_equal(ran.code, EXIT_UNREACHABLE);
	assert_string_equal(ran.out, "");
	assert_non_null(strstr(ran.err, "closed the connection"));
}

static void answers_that_make_no_sense_are_reported_as_such(void **state)
{
	static const char *const wrong[] = {
		"status=other\n",
		"op=list\n",
		"nonsense",
		"status=account\nname=alice\n",
		"status=account\nuid=7\nstate=active\n",
	};

	(void)state;
	only_as_root();
	daemon_runs("provisiond.socket");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		fake.packet_count = 0;
		daemon_answers(wrong[i]);
		provisionctl("list");
		assert_int_equal(ran.code, EXIT_UNREACHABLE);
		assert_non_null(strstr(ran.err, "does not understand"));
		provisionctl("show alice");
		assert_int_equal(ran.code, EXIT_UNREACHABLE);
		assert_string_equal(ran.out, "");
	}
}

static void wrong_usage_is_exit_2_with_a_sentence(void **state)
{
	static const char *const wrong[] = { "",           "lst",        "show",    "show alice bob",
					     "list alice", "--jsn list", "list -x", "-- --json" };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		provisionctl(wrong[i]);
		assert_int_equal(ran.code, EXIT_USAGE);
		assert_string_equal(ran.out, "");
		assert_true(strlen(ran.err) > strlen("provisionctl: \n"));
	}
}

static void help_needs_neither_root_nor_daemons(void **state)
{
	(void)state;
	provisionctl("--help");
	assert_int_equal(ran.code, EXIT_DONE);
	assert_non_null(strstr(ran.out, "Exit status:"));
	provisionctl("show --help");
	assert_int_equal(ran.code, EXIT_DONE);
	assert_non_null(strstr(ran.out, "Usage: provisionctl show NAME"));
	assert_non_null(strstr(ran.out, "Examples:"));
}

static void output_that_cannot_be_written_is_an_error(void **state)
{
	(void)state;
	provisionctl("--help >/dev/full");
	assert_int_equal(ran.code, EXIT_LOCAL);
	assert_non_null(strstr(ran.err, "could not be written: No space left on device"));
}

static void only_root_may_ask(void **state)
{
	(void)state;
	only_as_root();
	provisionctl_with("setpriv --reuid 1000 --clear-groups", "list");
	assert_int_equal(ran.code, EXIT_NOT_ALLOWED);
	assert_string_equal(ran.err, "provisionctl: only root may ask this. Try: sudo provisionctl list\n");
}

/* ---- orders ---- */

#define DONE "status=done\naccount=alice\ndid=Alice is \033[1mdone.\ndid=So is the rest.\n"

static void each_order_is_the_question_that_it_says(void **state)
{
	static const struct {
		const char *words, *question;
	} rows[] = {
		{ "link bob bob@clinic.example", "op=link name=bob email=bob@clinic.example" },
		{ "link --subject 00u1 bob bob@clinic.example",
		  "op=link name=bob email=bob@clinic.example subject=00u1" },
		{ "link bob bob@clinic.example --subject=00u=1",
		  "op=link name=bob email=bob@clinic.example subject=00u=1" },
		{ "add sean \"o'brien@clinic.example\" --dry-run",
		  "op=add name=sean email=o'brien@clinic.example dry=1" },
		{ "unlink bob", "op=unlink name=bob" },
		{ "reserve --uid 2100000001 carol", "op=reserve name=carol uid=2100000001" },
		{ "room alice 'Exam 2'", "op=room name=alice room=Exam 2" },
		{ "deactivate alice", "op=deactivate name=alice" },
		{ "--keep-sessions deactivate alice --dry-run", "op=deactivate name=alice keep_sessions=1 dry=1" },
		{ "reactivate alice", "op=reactivate name=alice" },
		{ "reassign alice", "op=reassign name=alice" },
		{ "reassign alice --yes", "op=reassign name=alice confirmed=1" },
		{ "remove alice", "op=remove name=alice home=keep" },
		{ "remove alice --delete-home --yes", "op=remove name=alice home=delete confirmed=1" },
		{ "remove -- --yes", "op=remove name=--yes home=keep" },
	};

	(void)state;
	only_as_root();
	daemon_answers(DONE);
	daemon_runs("provisiond.socket");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		provisionctl(rows[i].words);
		assert_string_equal(fake.question, rows[i].question);
		assert_int_equal(ran.code, EXIT_DONE);
		assert_string_equal(ran.err, "");
	}
}

static void what_was_done_is_told_sentence_by_sentence_and_made_harmless(void **state)
{
	(void)state;
	only_as_root();
	daemon_answers(DONE);
	daemon_runs("provisiond.socket");
	provisionctl("deactivate alice");
	assert_string_equal(ran.out, "Alice is \\x1b[1mdone.\nSo is the rest.\n");
	provisionctl("deactivate alice --dry-run");
	assert_string_equal(ran.out, "Nothing was changed. Without --dry-run, this would be so:\n"
				     "  - Alice is \\x1b[1mdone.\n  - So is the rest.\n");
	provisionctl("deactivate alice --dry-run --json");
	assert_string_equal(ran.out,
			    "{\n  \"status\": \"done\",\n  \"account\": \"alice\",\n  \"dry_run\": true,\n"
			    "  \"did\": [\n    \"Alice is \\u001b[1mdone.\",\n    \"So is the rest.\"\n  ]\n}\n");
	assert_int_equal(ran.code, EXIT_DONE);
}

static void a_refusal_is_a_sentence_and_an_exit_code_of_its_own(void **state)
{
	static const struct {
		const char *reason;
		int code;
	} rows[] = {
		{ "not_found", EXIT_NOTHING }, { "conflict", EXIT_REFUSED },   { "unfit", EXIT_REFUSED },
		{ "storage", EXIT_FAILED },    { "unavailable", EXIT_FAILED }, { "of another version", EXIT_REFUSED },
	};

	(void)state;
	only_as_root();
	daemon_runs("provisiond.socket");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char fields[256];

		(void)snprintf(fields, sizeof(fields), "status=refused\nreason=%s\ntext=No\007, that is taken.\n",
			       rows[i].reason);
		fake.packet_count = 0;
		daemon_answers(fields);
		provisionctl("link bob bob@clinic.example");
		assert_int_equal(ran.code, rows[i].code);
		assert_string_equal(ran.out, "");
		assert_string_equal(ran.err, "provisionctl: No\\x07, that is taken.\n");
		provisionctl("link bob bob@clinic.example --json");
		assert_int_equal(ran.code, rows[i].code);
		assert_string_equal(ran.err, "");
		assert_non_null(strstr(ran.out, "\"status\": \"refused\""));
		assert_non_null(strstr(ran.out, rows[i].reason));
	}
}

static void answers_to_orders_that_make_no_sense_are_reported_as_such(void **state)
{
	static const char *const wrong[] = {
		"status=done\n",
		"status=done\naccount=alice\n",
		"status=done\ndid=It.\n",
		"status=refused\n",
		"status=refused\nreason=conflict\n",
		"status=refused\ntext=No.\n",
		"status=ask\n",
		"status=account\nname=alice\nuid=7\nstate=active\n",
	};

	(void)state;
	only_as_root();
	daemon_runs("provisiond.socket");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		fake.packet_count = 0;
		daemon_answers(wrong[i]);
		provisionctl("unlink alice");
		assert_int_equal(ran.code, EXIT_UNREACHABLE);
		assert_string_equal(ran.out, "");
		assert_non_null(strstr(ran.err, "does not understand"));
	}
}

static void where_nobody_can_be_asked_a_question_needs_yes(void **state)
{
	(void)state;
	only_as_root();
	daemon_answers("status=ask\ntext=For good\033[2J?\n");
	daemon_answers(DONE);
	fake.first_packets = 1;
	fake.stays = true;
	daemon_runs("provisiond.socket");
	provisionctl("reassign alice </dev/null");
	assert_int_equal(ran.code, EXIT_REFUSED);
	assert_string_equal(ran.out, "");
	assert_string_equal(ran.err,
			    "provisionctl: For good\\x1b[2J? Nothing was changed. If it is meant so, add --yes.\n");
	assert_string_equal(fake.questions, "op=reassign name=alice\n");
}

static void an_option_of_another_command_is_wrong_usage(void **state)
{
	static const char *const wrong[] = {
		"list --dry-run",
		"show alice --uid 7",
		"link a b --delete-home",
		"reserve alice",
		"reserve alice --uid",
		"reserve alice --uid=",
		"reserve alice --uid x7",
		"reserve a --uid 1 --uid 2",
		"room alice",
		"deactivate",
		"remove --archive-home",
		"deactivate a --all-but f",
		"status --yes",
		"reserve a --uid 99999999999",
		"list --names=yes",
		"remove a --archive-home f --delete-home",
	};

	(void)state;
	only_as_root();
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		provisionctl(wrong[i]);
		if (ran.code != EXIT_USAGE)
			fail_msg("%s: exit status %d", wrong[i], ran.code);
		assert_string_equal(ran.out, "");
		assert_true(strlen(ran.err) > strlen("provisionctl: \n"));
	}
}

static void a_name_that_is_too_long_for_a_question_is_said_to_be(void **state)
{
	(void)state;
	only_as_root();
	daemon_runs("provisiond.socket");
	provisionctl("show $(printf '%03000d' 0)");
	assert_int_equal(ran.code, EXIT_USAGE);
	assert_non_null(strstr(ran.err, "too long"));
}

static void every_command_has_help_with_an_example(void **state)
{
	static const char *const names[] = { "list",     "show",    "pending", "add",        "link",
					     "unlink",   "reserve", "room",    "deactivate", "reactivate",
					     "reassign", "remove",  "status" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char words[64], example[64];

		(void)snprintf(words, sizeof(words), "%s --help", names[i]);
		(void)snprintf(example, sizeof(example), "  provisionctl %s", names[i]);
		provisionctl(words);
		assert_int_equal(ran.code, EXIT_DONE);
		assert_non_null(strstr(ran.out, "\nExample"));
		assert_non_null(strstr(strstr(ran.out, "\nExample"), example));
		assert_non_null(strstr(ran.out, "  6  refused"));
	}
}

/* ---- notes, expected people, status ---- */

static void list_shows_rooms_refusals_and_who_is_expected(void **state)
{
	char refused[512];

	(void)state;
	only_as_root();
	(void)snprintf(refused, sizeof(refused), "%sroom=Exam 1\nlinked=1\nrefusal=not_assigned\nrefused=%lld\n", ALICE,
		       (long long)time(NULL) - 2 * 86400 - 100);
	daemon_answers(refused);
	daemon_answers(BOB "linked=1\nrefusal=\nrefused=0\n");
	daemon_answers("status=expected\nkind=link\nname=local\ntenant=clinic\nemail=l@clinic.example\nsubject=\n"
		       "expires=4102444800\n");
	daemon_answers("status=expected\nkind=link\nname=late\ntenant=clinic\nemail=t@clinic.example\nexpires=7200\n");
	daemon_answers("status=expected\nkind=add\nname=sean\ntenant=clinic\nemail=s@clinic.example\nexpires=0\n");
	daemon_answers("status=end\n");
	daemon_runs("provisiond.socket");
	provisionctl("list");
	assert_string_equal(ran.out, "NAME          UID  STATE        ROOM    TENANT  LAST SIGN-IN      EMAIL          "
				     "       FULL NAME       NOTE\n"
				     "alice  2000200007  active       Exam 1  clinic  2023-11-15 00:13  "
				     "alice@clinic.example  Alice Ångström  "
				     "refused by Okta: not assigned, 2 days ago; linked\n"
				     "bob    2000200123  deactivated  -       clinic  never             "
				     "bob@clinic.example    -               "
				     "linked\n"
				     "late            -  expected     -       clinic  -                 "
				     "t@clinic.example      -               "
				     "not linked in time (1970-01-01 03:00)\n"
				     "local           -  expected     -       clinic  -                 "
				     "l@clinic.example      -               "
				     "linked at a sign-in until 2100-01-01 01:00\n"
				     "sean            -  expected     -       clinic  -                 "
				     "s@clinic.example      -               "
				     "made at the first sign-in\n");
	provisionctl("list --names");
	assert_string_equal(ran.out, "alice\nbob\nlate\nlocal\nsean\n");
	provisionctl("list --json");
	assert_non_null(strstr(ran.out,
			       "    \"name\": \"local\",\n    \"state\": \"expected\",\n    \"kind\": \"link\",\n"
			       "    \"tenant\": \"clinic\",\n    \"email\": \"l@clinic.example\",\n"
			       "    \"subject\": null,\n    \"expires\": \"2100-01-01T00:00:00Z\"\n"));
	assert_non_null(strstr(ran.out, "    \"room\": \"Exam 1\",\n    \"linked\": true,\n"));
	assert_non_null(strstr(ran.out, "    \"refusal\": \"not_assigned\",\n"));
}

static void show_adds_what_there_is_besides(void **state)
{
	(void)state;
	only_as_root();
	daemon_answers(ALICE "room=Exam 1\nlinked=0\nstate_at=1700000000\ngroups_given=sudo,radiology\n"
			     "first_subid=100000\nexpires=4102444800\n");
	daemon_runs("provisiond.socket");
	provisionctl("show alice");
	assert_non_null(strstr(ran.out, "Room             Exam 1\n"));
	assert_non_null(strstr(ran.out, "Groups given     sudo,radiology\nSubordinate ids  100000-165535\n"));
	assert_non_null(strstr(ran.out, "State since      2023-11-14 23:13\n"));
	assert_non_null(strstr(ran.out, "Expires          2100-01-01 01:00\n"));
	provisionctl("show alice --json");
	assert_non_null(strstr(ran.out, "  \"groups_given\": [\n    \"sudo\",\n    \"radiology\"\n  ],\n"
					"  \"first_subid\": 100000,\n  \"expires\": \"2100-01-01T00:00:00Z\"\n"));
}

static void status_is_a_table_or_json(void **state)
{
	(void)state;
	only_as_root();
	daemon_answers(
		"status=status\nversion=1\naccounts=3\nactive=2\nincomplete=0\ndeactivated=1\nremoved=0\nexpected=4\n"
		"waiting=5\nlock=held\nrecovery=due\ndatabase=readable\n");
	daemon_runs("provisiond.socket");
	provisionctl("status");
	assert_string_equal(ran.out, "Version          1\n"
				     "Accounts         3\n"
				     "  active         2\n"
				     "  incomplete     0\n"
				     "  deactivated    1\n"
				     "  removed        0\n"
				     "Expected         4\n"
				     "Changes waiting  5\n"
				     "Account files    locked by another program; changes wait for it\n"
				     "Recovery         something begun before is not ended yet; the log says why\n"
				     "Database         readable\n");
	provisionctl("status --json");
	assert_non_null(strstr(ran.out, "  \"accounts\": 3,\n  \"active\": 2,\n"));
	assert_non_null(strstr(ran.out, "  \"lock\": \"held\",\n"));
}

/* ---- deactivate --all-but ---- */

#define CAROL "status=account\nname=carol\nuid=2000200124\nemail=carol@clinic.example\nstate=incomplete\n"

static void write_staff(const char *text)
{
	_cleanup_file_ FILE *file = fopen("staff", "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
}

static void all_but_asks_about_each_who_is_not_in_the_list(void **state)
{
	(void)state;
	only_as_root();
	daemon_answers(ALICE);
	daemon_answers(BOB);
	daemon_answers(CAROL);
	daemon_answers("status=end\n");
	daemon_answers("status=done\naccount=carol\ndid=It.\n");
	fake.first_packets = 4;
	daemon_runs("provisiond.socket");
	write_staff("ALICE@clinic.example # stays\n\nboob\n");
	provisionctl("deactivate --all-but staff");
	assert_string_equal(fake.questions, "op=list\nop=deactivate name=carol\n");
	assert_non_null(strstr(ran.out, "To be deactivated: 1 account is not in the list, 1 stays:\n"));
	assert_non_null(strstr(ran.out, "carol  never         carol@clinic.example"));
	assert_non_null(strstr(ran.out, "1 of 1 account was deactivated.\n"));
	assert_string_equal(ran.err, "provisionctl: line 3 of the list, \"boob\", is no account's name or email.\n");
	assert_int_equal(ran.code, EXIT_DONE);
	(void)unlink("staff");
}

static void all_but_asks_nothing_where_the_list_names_nobody_active(void **state)
{
	(void)state;
	only_as_root();
	daemon_answers(ALICE);
	daemon_answers(BOB);
	daemon_answers("status=end\n");
	daemon_runs("provisiond.socket");
	write_staff("bob\nroot\n");
	provisionctl("deactivate --all-but staff --yes");
	assert_int_equal(ran.code, EXIT_REFUSED);
	assert_string_equal(fake.questions, "op=list\n");
	assert_non_null(strstr(ran.err, "it is not the right list. Nobody was deactivated.\n"));
	write_staff("# alice\n\n");
	provisionctl("deactivate --all-but staff --yes");
	assert_int_equal(ran.code, EXIT_REFUSED);
	assert_string_equal(fake.questions, "op=list\n");
	(void)unlink("staff");
}

static void all_but_tells_who_could_not_be_deactivated(void **state)
{
	(void)state;
	only_as_root();
	daemon_answers(ALICE);
	daemon_answers(CAROL);
	daemon_answers("status=end\n");
	daemon_answers("status=refused\nreason=storage\ntext=The disk is full.\n");
	fake.first_packets = 3;
	daemon_runs("provisiond.socket");
	write_staff("alice\n");
	provisionctl("deactivate --all-but staff");
	assert_non_null(strstr(ran.out, "0 of 1 account was deactivated.\n"));
	assert_string_equal(ran.err, "provisionctl: carol: The disk is full.\n");
	assert_int_equal(ran.code, EXIT_FAILED);
	(void)unlink("staff");
}

/* ---- tables, text and JSON on their own ---- */

/* What a table of these looks like with colours. */
static void states_are_coloured_and_padding_is_not(void **state)
{
	static const struct column columns[] = { { "STATE", COLUMN_STATE, 0 }, { "NAME", COLUMN_TEXT, 0 } };
	_cleanup_table_ struct table table = { .columns = columns, .column_count = 2 };
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	(void)state;
	table_add(&table, "active");
	table_add(&table, "日本");
	table_add(&table, "deactivated");
	table_add(&table, NULL);
	assert_true(table_print(&table, true, out));
	(void)fclose(out);
	assert_string_equal(text, "\033[1mSTATE\033[0m        \033[1mNAME\033[0m\n"
				  "\033[32mactive\033[0m       日本\n"
				  "\033[31mdeactivated\033[0m  -\n");
	free(text);
}

static void columns_yield_where_lines_would_be_too_long(void **state)
{
	static const struct column columns[] = { { "ONE", COLUMN_TEXT, 0 },
						 { "TWO", COLUMN_NUMBER, 2 },
						 { "THREE", COLUMN_TEXT, 1 } };
	static const struct {
		size_t widest;
		const char *expected;
	} rows[] = {
		{ 0, "ONE  TWO  THREE\n1      2  3\n" },
		{ 15, "ONE  TWO  THREE\n1      2  3\n" },
		{ 14, "ONE  TWO\n1      2\n" },
		{ 7, "ONE\n1\n" },
		{ 1, "ONE\n1\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_table_ struct table table = { .columns = columns,
						       .column_count = 3,
						       .widest = rows[i].widest };
		char *text = NULL;
		size_t length;
		FILE *out = open_memstream(&text, &length);

		table_add(&table, "1");
		table_add(&table, "2");
		table_add(&table, "3");
		assert_true(table_print(&table, false, out));
		(void)fclose(out);
		assert_string_equal(text, rows[i].expected);
		free(text);
	}
}

static void how_long_ago_is_said_in_the_largest_unit(void **state)
{
	static const struct {
		long long passed;
		const char *expected;
	} rows[] = {
		{ -5, "just now" },        { 0, "just now" },          { 59, "just now" },
		{ 60, "1 minute ago" },    { 3599, "59 minutes ago" }, { 3600, "1 hour ago" },
		{ 86399, "23 hours ago" }, { 86400, "1 day ago" },     { 400 * 86400LL, "400 days ago" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[TIME_TEXT_MAX];

		time_text_ago(1700000000 - rows[i].passed, 1700000000, text);
		assert_string_equal(text, rows[i].expected);
	}
}

static void wide_characters_take_two_columns_and_escapes_four(void **state)
{
	(void)state;
	assert_int_equal(terminal_width("日本"), 4);
	assert_int_equal(terminal_width("\\x1b"), 4);
	assert_int_equal(terminal_width("Ångström"), 8);
}

static void harmless(const char *text, const char *expected)
{
	_cleanup_free_ char *shown = terminal_text(text);

	assert_non_null(shown);
	assert_string_equal(shown, expected);
}

static void only_visible_characters_pass_to_the_terminal(void **state)
{
	(void)state;
	harmless("Ångström 日本 שלום", "Ångström 日本 שלום");
	harmless("a\tb\nc\rd\177", "a\\x09b\\x0ac\\x0dd\\x7f");
	harmless("\xc2\x9b", "\\xc2\\x9b");                                     /* CSI of C1 */
	harmless("\xe2\x80\xae\xe2\x81\xa6", "\\xe2\\x80\\xae\\xe2\\x81\\xa6"); /* direction marks */
	harmless("\xe2\x80\x8b", "\\xe2\\x80\\x8b");                            /* zero width space */
	harmless("\xc3", "\\xc3");
	harmless("\xc3(", "\\xc3(");
	harmless("\\x1b", "\\\\x1b");
	harmless("", "");
}

static void utf8_is_decoded_strictly(void **state)
{
	static const char *const wrong[] = {
		"\x80",
		"\xc0\x80",
		"\xc1\xbf",
		"\xc3",
		"\xe0\x80\x80",
		"\xe2\x82",
		"\xed\xa0\x80",
		"\xf0\x80\x80\x80",
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"\xff",
		"",
	};
	uint32_t c = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(utf8_first(wrong[i], &c), 0);
	assert_int_equal(utf8_first("A", &c), 1);
	assert_int_equal(c, 'A');
	assert_int_equal(utf8_first("Å", &c), 2);
	assert_int_equal(c, 0xc5);
	assert_int_equal(utf8_first("€", &c), 3);
	assert_int_equal(c, 0x20ac);
	assert_int_equal(utf8_first("\xf4\x8f\xbf\xbf", &c), 4);
	assert_int_equal(c, 0x10ffff);
}

static void json_escapes_everything_but_plain_ascii(void **state)
{
	char *text = NULL;
	size_t length;
	struct json json = { .out = open_memstream(&text, &length) };

	(void)state;
	json_begin(&json, NULL, '{');
	json_string(&json, "a\"b", "\b\n\x1f\x7f\\\"/ \xc2\x85 \xf0\x9f\x98\x80 \xed\xa0\x80");
	json_begin(&json, "empty", '[');
	json_end(&json, ']');
	json_number(&json, "n", -5);
	json_string(&json, "none", NULL);
	json_end(&json, '}');
	(void)fclose(json.out);
	assert_string_equal(text, "{\n"
				  "  \"a\\\"b\": \"\\u0008\\u000a\\u001f\\u007f\\\\\\\"/ \\u0085 \\ud83d\\ude00 "
				  "\\ufffd\\ufffd\\ufffd\",\n"
				  "  \"empty\": [],\n"
				  "  \"n\": -5,\n"
				  "  \"none\": null\n"
				  "}\n");
	free(text);
}

static void times_beyond_the_calendar_are_a_question_mark(void **state)
{
	char text[TIME_TEXT_MAX];

	(void)state;
	time_text_local(INT64_MAX, text);
	assert_string_equal(text, "?");
	time_text_utc(INT64_MAX, text);
	assert_string_equal(text, "?");
	time_text_utc(0, text);
	assert_string_equal(text, "1970-01-01T00:00:00Z");
	time_text_duration(3600 * 25 + 61, text);
	assert_string_equal(text, "25:01:01");
}

#define WITH_DAEMON(test) cmocka_unit_test_teardown(test, daemon_stops)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		WITH_DAEMON(list_prints_a_table_sorted_by_name_with_local_times),
		WITH_DAEMON(list_prints_json_with_utc_times_and_nulls),
		WITH_DAEMON(a_list_of_nothing_says_so_and_is_empty_json),
		WITH_DAEMON(ten_thousand_accounts_are_ten_thousand_lines),
		WITH_DAEMON(show_prints_all_that_is_on_record),
		WITH_DAEMON(show_says_when_there_is_no_such_account),
		WITH_DAEMON(after_two_hyphens_everything_is_a_name),
		WITH_DAEMON(pending_prints_who_is_signing_in),
		WITH_DAEMON(what_comes_from_elsewhere_reaches_neither_terminal_nor_json_as_it_is),
		WITH_DAEMON(without_a_daemon_it_says_how_to_start_it),
		WITH_DAEMON(a_daemon_that_hangs_up_in_the_middle_of_a_list_gives_no_list),
		WITH_DAEMON(answers_that_make_no_sense_are_reported_as_such),
		WITH_DAEMON(each_order_is_the_question_that_it_says),
		WITH_DAEMON(what_was_done_is_told_sentence_by_sentence_and_made_harmless),
		WITH_DAEMON(a_refusal_is_a_sentence_and_an_exit_code_of_its_own),
		WITH_DAEMON(answers_to_orders_that_make_no_sense_are_reported_as_such),
		WITH_DAEMON(where_nobody_can_be_asked_a_question_needs_yes),
		WITH_DAEMON(a_name_that_is_too_long_for_a_question_is_said_to_be),
		WITH_DAEMON(list_shows_rooms_refusals_and_who_is_expected),
		WITH_DAEMON(show_adds_what_there_is_besides),
		WITH_DAEMON(status_is_a_table_or_json),
		WITH_DAEMON(all_but_asks_about_each_who_is_not_in_the_list),
		WITH_DAEMON(all_but_asks_nothing_where_the_list_names_nobody_active),
		WITH_DAEMON(all_but_tells_who_could_not_be_deactivated),
		cmocka_unit_test(an_option_of_another_command_is_wrong_usage),
		cmocka_unit_test(every_command_has_help_with_an_example),
		cmocka_unit_test(columns_yield_where_lines_would_be_too_long),
		cmocka_unit_test(how_long_ago_is_said_in_the_largest_unit),
		cmocka_unit_test(wrong_usage_is_exit_2_with_a_sentence),
		cmocka_unit_test(help_needs_neither_root_nor_daemons),
		cmocka_unit_test(output_that_cannot_be_written_is_an_error),
		cmocka_unit_test(only_root_may_ask),
		cmocka_unit_test(states_are_coloured_and_padding_is_not),
		cmocka_unit_test(wide_characters_take_two_columns_and_escapes_four),
		cmocka_unit_test(only_visible_characters_pass_to_the_terminal),
		cmocka_unit_test(utf8_is_decoded_strictly),
		cmocka_unit_test(json_escapes_everything_but_plain_ascii),
		cmocka_unit_test(times_beyond_the_calendar_are_a_question_mark),
	};
	char folder[] = "/tmp/test_ctl.XXXXXX";
	int failed;

	if (!mkdtemp(folder) || chdir(folder) != 0 || !setlocale(LC_ALL, "C.UTF-8")) {
		perror(folder);
		return 1;
	}
	(void)setenv("LC_ALL", "C.UTF-8", 1);
	(void)setenv("TZ", "CET-1", 1); /* one hour east, no summer time */
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	if (chdir("/") == 0)
		(void)rmdir(folder);
	return failed;
}
