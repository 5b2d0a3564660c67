/*
 * Runs the checks at the same time, each in a process of its own with a deadline, and gathers what they find.
 */
#include "provisiond/ctl/health/health.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/wire.h"

#define LOCAL_MS 1500
#define NETWORK_MS 15000 /* an issuer far away, and its time limits */
#define FAREWELL_MS 200  /* for a check to say that something else took too long */

static const struct {
	const char *topic; /* where it does not end properly */
	health_check *check;
	int64_t patience_ms;
} checks[] = {
	{ ITEM_CONFIGURATION, check_configuration, LOCAL_MS },
	{ ITEM_FILES, check_files, LOCAL_MS },
	{ ITEM_DAEMON, check_daemons, LOCAL_MS },
	{ "issuer", check_issuers, NETWORK_MS },
	{ ITEM_PAM, check_pam, LOCAL_MS },
	{ ITEM_NAMES, check_names, LOCAL_MS },
	{ ITEM_SSHD, check_sshd, LOCAL_MS },
	{ ITEM_ACCOUNTS, check_accounts, LOCAL_MS },
	{ ITEM_DISK, check_disk, LOCAL_MS },
};

#define CHECKS (sizeof(checks) / sizeof(checks[0]))

struct running {
	pid_t pid; /* 0: none */
	int fd;    /* -1: ended */
	int64_t deadline_ms;
	bool whole; /* it said that it has said all */
	struct findings findings;
};

/* ---- in the check's process ---- */

static bool send_finding(int fd, const struct finding *finding, char *bytes)
{
	struct wire_writer writer;

	wire_begin(&writer, bytes, WIRE_MAX, "status", "finding");
	wire_put(&writer, "level", level_name(finding->level));
	wire_put(&writer, "item", finding->item);
	wire_put(&writer, "subject", finding->subject);
	wire_put(&writer, "text", finding->text);
	wire_put(&writer, "remedy", finding->remedy);
	return wire_send(fd, &writer, INT64_MAX / 2) == 0;
}

static void run_check(size_t place, struct health health, int fd)
{
	_cleanup_findings_ struct findings findings = { 0 };
	_cleanup_free_ char *bytes = malloc(WIRE_MAX);
	struct wire_writer end;
	bool good = bytes;

	(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	health.deadline_ms = wire_now_ms() + checks[place].patience_ms - FAREWELL_MS;
	checks[place].check(&health, &findings);
	for (size_t i = 0; good && i < findings.count; i++)
		good = send_finding(fd, &findings.items[i], bytes);
	if (!good || findings.failed)
		return;
	wire_begin(&end, bytes, WIRE_MAX, "status", "end");
	(void)wire_send(fd, &end, INT64_MAX / 2);
}

/* ---- outside ---- */

static void begin(size_t place, const struct health *health, struct running *running)
{
	int pair[2] = { -1, -1 };

	*running = (struct running){ .fd = -1, .deadline_ms = wire_now_ms() + checks[place].patience_ms };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
		return;
	running->pid = fork();
	if (running->pid == 0) {
		(void)close(pair[0]);
		run_check(place, *health, pair[1]);
		_exit(0);
	}
	cleanup_fd(&pair[1]);
	if (running->pid > 0)
		running->fd = pair[0];
	else
		cleanup_fd(&pair[0]);
}

static enum level level_named(const char *name)
{
	for (int level = 0; name && level < LEVEL_COUNT; level++)
		if (strcmp(name, level_name((enum level)level)) == 0)
			return (enum level)level;
	return LEVEL_ERROR;
}

/* "" for a field that is not there. */
static const char *field(const struct wire_message *message, const char *key)
{
	const char *value = wire_get(message, key);

	return value ? value : "";
}

static void take(struct running *running, char *bytes)
{
	struct wire_message message;
	const char *kind;
	ssize_t n = wire_receive(running->fd, bytes, WIRE_MAX, 0);

	if (n == -EAGAIN)
		return;
	kind = n > 0 && wire_parse(bytes, (size_t)n, &message) ? wire_kind(&message, "status") : NULL;
	if (!kind || strcmp(kind, "finding") != 0) {
		running->whole = kind && strcmp(kind, "end") == 0;
		cleanup_fd(&running->fd);
		running->fd = -1;
		return;
	}
	findings_add(&running->findings, level_named(wire_get(&message, "level")), field(&message, "item"),
		     field(&message, "subject"), field(&message, "remedy"), "%s", field(&message, "text"));
}

/* Waits until something is there or a deadline has come. False when nothing is waited for any more. */
static bool wait_for_any(struct running *running)
{
	struct pollfd fds[CHECKS];
	int64_t now_ms = wire_now_ms(), next_ms = INT64_MAX;
	nfds_t count = 0;

	for (size_t i = 0; i < CHECKS; i++) {
		if (running[i].fd >= 0 && running[i].deadline_ms <= now_ms) {
			cleanup_fd(&running[i].fd);
			running[i].fd = -1;
		}
		if (running[i].fd < 0)
			continue;
		fds[count++] = (struct pollfd){ .fd = running[i].fd, .events = POLLIN };
		if (running[i].deadline_ms < next_ms)
			next_ms = running[i].deadline_ms;
	}
	if (count > 0)
		(void)poll(fds, count, (int)(next_ms - now_ms));
	return count > 0;
}

static void end(size_t place, struct running *running, struct findings *findings)
{
	if (running->pid > 0) {
		(void)kill(-running->pid, SIGKILL);
		(void)kill(running->pid, SIGKILL);
		/* Not waited for when a file system keeps it: then it goes when it can. */
		(void)waitpid(running->pid, NULL, running->whole ? 0 : WNOHANG);
	}
	for (size_t i = 0; i < running->findings.count; i++) {
		const struct finding *finding = &running->findings.items[i];

		findings_add(findings, finding->level, finding->item, finding->subject, finding->remedy, "%s",
			     finding->text);
	}
	findings->failed |= running->findings.failed;
	findings_release(&running->findings);
	if (!running->whole)
		findings_add(findings, LEVEL_ERROR, checks[place].topic, NULL,
			     "look for what hangs (a file system, a name service, a daemon), and check again",
			     "this could not be checked to its end within %lld ms",
			     (long long)checks[place].patience_ms);
}

void health_gather(const struct health *health, struct findings *findings)
{
	struct running running[CHECKS];
	_cleanup_free_ char *bytes = malloc(WIRE_MAX);

	findings->failed |= !bytes;
	if (!bytes)
		return;
	(void)fflush(NULL);
	for (size_t i = 0; i < CHECKS; i++)
		begin(i, health, &running[i]);
	while (wait_for_any(running))
		for (size_t i = 0; i < CHECKS; i++)
			if (running[i].fd >= 0)
				take(&running[i], bytes);
	for (size_t i = 0; i < CHECKS; i++)
		end(i, &running[i], findings);
}
