/*
 * Accounts made by provisiond, asked as pam_oidcd's user, against another program that makes accounts, in turn:
 *
 *   accounts grow PREFIX FROM TO                                   makes PREFIX00000 and so on, and takes no time
 *   accounts one PREFIX ROUNDS PROGRAM [ARGUMENT...]               one account each, from the question to the answer
 *   accounts together PREFIX ROUNDS COUNT PROGRAM [ARGUMENT...]    COUNT of them at once, against COUNT runs in a row
 *
 * %s in the program's arguments stands for the name. Everybody admitted has signed in by then; every ticket is
 * redeemed, outside of the time taken, because only so many are alive at once.
 */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/wire.h"
#include "tests/bench/stopwatch.h"

#define PATIENCE_MS (120 * 1000)
#define TOGETHER_MAX 200
#define NAME_SIZE 64
#define TICKET_SIZE 128

struct person {
	char name[NAME_SIZE];
	char ticket[TICKET_SIZE];
	int fd; /* a connection of pam_oidcd's user */
};

static struct person people[TOGETHER_MAX];

/* ---- asking ---- */

static void connect_all(unsigned count)
{
	const struct passwd *user = getpwnam("_pam_oidc");

	if (!user || seteuid(user->pw_uid) != 0)
		stopwatch_die("nobody to ask as: _pam_oidc");
	for (unsigned i = 0; i < count; i++) {
		people[i].fd = wire_connect(PROVISIOND_SOCKET, wire_now_ms() + PATIENCE_MS);
		if (people[i].fd < 0)
			stopwatch_die("provisiond does not answer");
	}
	if (seteuid(0) != 0)
		stopwatch_die("root is not root again");
}

static void disconnect_all(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		(void)close(people[i].fd);
}

static void write_admit(struct wire_writer *writer, char *buffer, const char *name)
{
	wire_begin(writer, buffer, WIRE_MAX, "op", "admit");
	wire_put(writer, "name", name);
	wire_put(writer, "tenant", "clinic");
	wire_put(writer, "issuer", getenv("BENCH_ISSUER"));
	wire_put(writer, "client_id", "clinic-app");
	wire_putf(writer, "subject", "00u%s", name);
	wire_putf(writer, "email", "%s@clinic.example", name);
	wire_put(writer, "email_verified", "true");
	wire_putf(writer, "full_name", "%s of the clinic", name);
	wire_put(writer, "service", "sshd");
	wire_put(writer, "rhost", "192.0.2.7");
}

static void take_ticket(struct person *person, char *buffer)
{
	ssize_t length = wire_receive(person->fd, buffer, WIRE_MAX, wire_now_ms() + PATIENCE_MS);
	struct wire_message answer;
	const char *ticket;

	errno = 0;
	if (length <= 0 || !wire_parse(buffer, (size_t)length, &answer))
		stopwatch_die("no answer for %s", person->name);
	ticket = wire_get(&answer, "ticket");
	if (!ticket || strlen(ticket) >= sizeof(person->ticket))
		stopwatch_die("%s is not admitted: %s", person->name, wire_get(&answer, "text"));
	(void)strcpy(person->ticket, ticket);
}

/* From the first question to the last answer. */
static double admit_us(unsigned count)
{
	static char buffer[WIRE_MAX];
	double began = stopwatch_now_us();

	for (unsigned i = 0; i < count; i++) {
		struct wire_writer writer;

		write_admit(&writer, buffer, people[i].name);
		if (wire_send(people[i].fd, &writer, wire_now_ms() + PATIENCE_MS) != 0)
			stopwatch_die("nothing can be asked for %s", people[i].name);
	}
	for (unsigned i = 0; i < count; i++)
		take_ticket(&people[i], buffer);
	return stopwatch_now_us() - began;
}

static void redeem(unsigned count)
{
	static char buffer[WIRE_MAX];
	int root = wire_connect(PROVISIOND_SOCKET, wire_now_ms() + PATIENCE_MS);

	for (unsigned i = 0; i < count; i++) {
		struct wire_writer writer;
		struct wire_message answer;

		wire_begin(&writer, buffer, sizeof(buffer), "op", "redeem");
		wire_put(&writer, "ticket", people[i].ticket);
		wire_put(&writer, "name", people[i].name);
		errno = 0;
		if (wire_ask(root, &writer, buffer, sizeof(buffer), wire_now_ms() + PATIENCE_MS, &answer) != 0 ||
		    strcmp(wire_kind(&answer, "status"), "confirmed") != 0)
			stopwatch_die("the ticket of %s is not confirmed", people[i].name);
	}
	(void)close(root);
}

/* ---- what is measured ---- */

static void grow(const char *prefix, unsigned from, unsigned to)
{
	connect_all(TOGETHER_MAX);
	while (from < to) {
		unsigned count = to - from < TOGETHER_MAX ? to - from : TOGETHER_MAX;

		for (unsigned i = 0; i < count; i++)
			(void)snprintf(people[i].name, sizeof(people[i].name), "%s%05u", prefix, from + i);
		(void)admit_us(count);
		redeem(count);
		from += count;
	}
	disconnect_all(TOGETHER_MAX);
}

static double make_theirs(char *const argv[], const char *name)
{
	char **words = stopwatch_words(argv, name);
	double took = stopwatch_run(words);

	stopwatch_words_free(words);
	return took;
}

static void together(const char *prefix, unsigned rounds, unsigned count, char *const argv[])
{
	char name[NAME_SIZE];

	for (unsigned round = 0; round < rounds; round++) {
		double ours, theirs = 0;

		for (unsigned i = 0; i < count; i++)
			(void)snprintf(people[i].name, sizeof(people[i].name), "%so%ux%u", prefix, round, i);
		/* Anew each time: provisiond ends connections that ask nothing for long. */
		connect_all(count);
		ours = admit_us(count);
		disconnect_all(count);
		redeem(count);
		for (unsigned i = 0; i < count; i++) {
			(void)snprintf(name, sizeof(name), "%st%ux%u", prefix, round, i);
			theirs += make_theirs(argv, name);
		}
		stopwatch_print(ours, theirs);
	}
}

int main(int argc, char *argv[])
{
	if (!getenv("BENCH_ISSUER"))
		stopwatch_die("BENCH_ISSUER names no issuer");
	if (argc == 5 && strcmp(argv[1], "grow") == 0)
		grow(argv[2], (unsigned)strtoul(argv[3], NULL, 10), stopwatch_count(argv[4]));
	else if (argc >= 5 && strcmp(argv[1], "one") == 0)
		together(argv[2], stopwatch_count(argv[3]), 1, argv + 4);
	else if (argc >= 6 && strcmp(argv[1], "together") == 0 && stopwatch_count(argv[4]) <= TOGETHER_MAX)
		together(argv[2], stopwatch_count(argv[3]), stopwatch_count(argv[4]), argv + 5);
	else
		stopwatch_die("grow PREFIX FROM TO, one PREFIX ROUNDS PROGRAM..., or together PREFIX ROUNDS COUNT "
			      "PROGRAM...");
	return 0;
}
