/*
 * getpwnam(3) of names that no file has, under two settings of the name service switch, in turn:
 *
 *   name_lookup again SERVICES PEER_SERVICES ROUNDS
 *   name_lookup first SERVICES PEER_SERVICES ROUNDS
 *
 * SERVICES are such as "files oidc". libnss_oidc tells sshd from other programs by the name that this one is run under
 * and by its user. With `again`, each setting has a process of its own, in which the libraries are loaded already, and
 * each round is a handful of look-ups; what is printed is one look-up's share. With `first`, each look-up is the first
 * one of a new process, as in sshd, which has a process for each connection.
 */
#include <errno.h>
#include <nss.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/stopwatch.h"

#define HANDFUL 8
#define WARM_UP 4 /* rounds */

struct side {
	pid_t pid;
	int orders, answers;
};

static double handful_us(void)
{
	static unsigned number;
	char names[HANDFUL][32];
	double began;

	for (unsigned i = 0; i < HANDFUL; i++)
		(void)snprintf(names[i], sizeof(names[i]), "newcomer%u", number++);
	began = stopwatch_now_us();
	for (unsigned i = 0; i < HANDFUL; i++)
		(void)getpwnam(names[i]);
	return (stopwatch_now_us() - began) / HANDFUL;
}

static void serve(const char *services, int orders, int answers)
{
	char order;

	if (__nss_configure_lookup("passwd", services) != 0)
		stopwatch_die("the name service switch takes no '%s'", services);
	while (read(orders, &order, 1) == 1) {
		double took = handful_us();

		if (write(answers, &took, sizeof(took)) != sizeof(took))
			_exit(1);
	}
	_exit(0);
}

static void start(struct side *side, const char *services)
{
	int orders[2], answers[2];

	if (pipe(orders) != 0 || pipe(answers) != 0 || (side->pid = fork()) < 0)
		stopwatch_die("no process for '%s'", services);
	if (side->pid == 0) {
		(void)close(orders[1]);
		(void)close(answers[0]);
		serve(services, orders[0], answers[1]);
	}
	(void)close(orders[0]);
	(void)close(answers[1]);
	side->orders = orders[1];
	side->answers = answers[0];
}

static double turn_us(const struct side *side)
{
	double took;

	if (write(side->orders, "", 1) != 1 || read(side->answers, &took, sizeof(took)) != sizeof(took))
		stopwatch_die("a look-up did not come back");
	return took;
}

/* All pipes first: the later child has the earlier one's ends as well. */
static void end(const struct side sides[2])
{
	for (unsigned i = 0; i < 2; i++) {
		(void)close(sides[i].orders);
		(void)close(sides[i].answers);
	}
	(void)waitpid(sides[1].pid, NULL, 0);
	(void)waitpid(sides[0].pid, NULL, 0);
}

static void measure_again(const char *services, const char *peer_services, unsigned rounds)
{
	struct side sides[2];

	start(&sides[0], services);
	start(&sides[1], peer_services);
	for (unsigned i = 0; i < rounds + WARM_UP; i++) {
		double one = turn_us(&sides[0]), other = turn_us(&sides[1]);

		if (i >= WARM_UP)
			stopwatch_print(one, other);
	}
	end(sides);
}

/* In a new process, which has looked nobody up before. */
static double first_us(const char *services, unsigned number)
{
	double took = -1;
	int answer[2];
	pid_t child;

	if (pipe(answer) != 0 || (child = fork()) < 0)
		stopwatch_die("no process for '%s'", services);
	if (child == 0) {
		char name[32];
		double began;

		(void)snprintf(name, sizeof(name), "newcomer%u", number);
		if (__nss_configure_lookup("passwd", services) != 0)
			stopwatch_die("the name service switch takes no '%s'", services);
		began = stopwatch_now_us();
		(void)getpwnam(name);
		took = stopwatch_now_us() - began;
		_exit(write(answer[1], &took, sizeof(took)) == sizeof(took) ? 0 : 1);
	}
	(void)close(answer[1]);
	if (read(answer[0], &took, sizeof(took)) != sizeof(took))
		stopwatch_die("a look-up did not come back");
	(void)close(answer[0]);
	(void)waitpid(child, NULL, 0);
	return took;
}

static void measure_first(const char *services, const char *peer_services, unsigned rounds)
{
	for (unsigned i = 0; i < rounds + WARM_UP; i++) {
		double one = first_us(services, i), other = first_us(peer_services, i);

		if (i >= WARM_UP)
			stopwatch_print(one, other);
	}
}

int main(int argc, char *argv[])
{
	if (argc == 5 && strcmp(argv[1], "again") == 0)
		measure_again(argv[2], argv[3], stopwatch_count(argv[4]));
	else if (argc == 5 && strcmp(argv[1], "first") == 0)
		measure_first(argv[2], argv[3], stopwatch_count(argv[4]));
	else
		stopwatch_die("again or first, SERVICES PEER_SERVICES ROUNDS");
	return 0;
}
