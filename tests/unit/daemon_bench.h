/*
 * provisiond as its callers see it, for tests: the whole daemon but its main file, on a small machine, in a child
 * process; and asking it as whoever.
 */
#ifndef TESTS_UNIT_DAEMON_BENCH_H
#define TESTS_UNIT_DAEMON_BENCH_H

#include "provisiond/requests.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>

#include "common/listen.h"
#include "common/log.h"
#include "small_machine.h"
#include "two_tenants.h"

#define PAM_OIDC_UID 64000 /* of nobody here, as the next */
#define MALLORY 64001
#define ALICE_UID "2022975774"

/* What a test is made with: for the prestate of a cmocka test. */
struct bench_setting {
	const char *configuration;
	/* Puts on record, or into the files, what is there before; or NULL. */
	void (*seed)(struct small_machine *machine);
};

struct bench {
	struct small_machine machine;
	char socket[256];
	pid_t daemon;
	char bytes[WIRE_MAX]; /* of the latest answer */
	struct wire_message answer;
};

static inline void say_nothing(int priority, const char *line)
{
	(void)priority;
	(void)line;
}

/* ---- the daemon ---- */

static inline int64_t sources_deadline(void *context)
{
	return sources_next_deadline_ms(context);
}

static inline void run_sources(void *context, int64_t now_ms)
{
	sources_on_readable(context);
	sources_on_timer(context, now_ms);
}

static struct server *bench_server;
/* The daemon takes itself to be started so much later: what happens now was before. For a test's seed. */
static int64_t bench_started_ahead_ms;

static inline void stop_bench_server(int signal_number)
{
	(void)signal_number;
	server_stop(bench_server);
}

static inline void serve(const char *root, const char *socket, const char *configuration)
{
	const struct server_limits limits = { 64, 32, 32, 32, 5000 };
	struct small_machine machine = { 0 };
	char nsswitch[256];
	struct service service = { 0 };
	struct sources *sources;
	struct server *server;

	(void)strcpy(machine.root, root);
	machine_path(&machine, "/etc/nsswitch.conf", nsswitch);
	sources = sources_start(nsswitch);
	machine_open(&machine);
	service = (struct service){
		.config = config_of(configuration),
		.store = machine.store,
		.files = machine.files,
		.homes = machine.homes,
		.inquiries = inquiries_new(sources),
		.lifecycle = lifecycle_new(machine.store, machine.files, &machine.homes),
		.tickets = tickets_new(),
		.pam_oidc_uid = PAM_OIDC_UID,
		.started_ms = wire_now_ms() + bench_started_ahead_ms,
	};
	if (system_names_load((const char *const[]){ NULL }, &service.system_names) != 0)
		_exit(1);
	lifecycle_configure(service.lifecycle, &service.config->accounts);
	server = server_new(listen_at(socket), &limits, requests_handle, &service);
	server_set_privileged_user(server, PAM_OIDC_UID);
	server_attach(server,
		      &(struct server_attachment){ sources_fd(sources), sources_deadline, run_sources, sources });
	server_attach(server,
		      &(struct server_attachment){ -1, lifecycle_deadline_ms, lifecycle_run, service.lifecycle });
	server_attach(server, &(struct server_attachment){ -1, admit_deadline_ms, admit_run, &service });
	bench_server = server;
	(void)signal(SIGTERM, stop_bench_server);
	_exit(server_run(server) == 0 ? 0 : 1);
}

static inline int make_bench(void **state)
{
	const struct bench_setting *setting = *state;
	struct bench *bench = calloc(1, sizeof(*bench));
	int fd = -1;

	machine_make(&bench->machine);
	machine_write(&bench->machine, "/etc/nsswitch.conf", 0644, "passwd: files oidc\ngroup: files\n");
	machine_path(&bench->machine, "/socket", bench->socket);
	bench_started_ahead_ms = 0;
	if (setting->seed)
		setting->seed(&bench->machine);
	/* The database is the daemon's alone. */
	machine_close(&bench->machine);
	bench->machine.store = NULL;
	bench->machine.files = NULL;
	bench->daemon = fork();
	if (bench->daemon == 0)
		serve(bench->machine.root, bench->socket, setting->configuration);
	for (int i = 0; i < 500 && fd < 0; i++) {
		(void)poll(NULL, 0, 5);
		fd = wire_connect(bench->socket, wire_now_ms() + 1000);
	}
	*state = bench;
	return fd < 0 ? -1 : close(fd);
}

/* It ends by itself where it can, so that what it ran through is counted. The signal may come just before it waits. */
static inline void end_bench_daemon(pid_t daemon)
{
	for (int i = 0; i < 100; i++) {
		(void)kill(daemon, SIGTERM);
		if (waitpid(daemon, NULL, WNOHANG) != 0)
			return;
		(void)poll(NULL, 0, 5);
	}
	(void)kill(daemon, SIGKILL);
	(void)waitpid(daemon, NULL, 0);
}

static inline int unmake_bench(void **state)
{
	struct bench *bench = *state;

	end_bench_daemon(bench->daemon);
	bench->machine.root_fd = -1;
	machine_remove(&bench->machine);
	free(bench);
	return 0;
}

/* ---- its callers ---- */

/* Fields as "key=value" up to a NULL, the first being op=. */
static inline size_t pack(char *packet, size_t size, const char *const *fields)
{
	size_t length = 0;

	for (; *fields; fields++) {
		size_t n = strlen(*fields) + 1;

		assert_true(length + n <= size);
		memcpy(packet + length, *fields, n);
		length += n;
	}
	return length;
}

/* The status of the answer, or NULL when the connection was ended instead. */
static const char *ask_as(struct bench *bench, uid_t uid, const char *const *fields)
{
	char packet[4096];
	size_t length = pack(packet, sizeof(packet), fields);
	ssize_t n;
	int fd;

	assert_int_equal(seteuid(uid), 0);
	fd = wire_connect(bench->socket, wire_now_ms() + 1000);
	assert_int_equal(seteuid(0), 0);
	assert_true(fd >= 0);
	assert_int_equal(send(fd, packet, length, MSG_NOSIGNAL), length);
	n = wire_receive(fd, bench->bytes, sizeof(bench->bytes), wire_now_ms() + 5000);
	(void)close(fd);
	if (n == 0 || n == -ECONNRESET)
		return NULL;
	assert_true(n > 0);
	assert_true(wire_parse(bench->bytes, (size_t)n, &bench->answer));
	return wire_kind(&bench->answer, "status");
}

#define ASK(bench, uid, ...) ask_as(bench, uid, (const char *const[]){ __VA_ARGS__, NULL })
#define LOOKUP(bench, name, ...) ASK(bench, 0, "op=lookup", name, __VA_ARGS__)

static inline void assert_field(const struct bench *bench, const char *key, const char *expected)
{
	const char *value = wire_get(&bench->answer, key);

	if (!value)
		fail_msg("the answer has no %s", key);
	else
		assert_string_equal(value, expected);
}

static inline void assert_refused(const struct bench *bench, const char *status, const char *reason)
{
	assert_non_null(status);
	assert_string_equal(status, "refused");
	assert_field(bench, "reason", reason);
	assert_non_null(wire_get(&bench->answer, "text"));
}

static const char *admit(struct bench *bench, const char *typed, const char *subject, const char *email)
{
	return ASK(bench, PAM_OIDC_UID, "op=admit", typed, "tenant=clinic", "issuer=https://clinic.example",
		   "client_id=clinic-client", subject, email, "email_verified=true", "full_name=Alice Example",
		   "service=sshd");
}

/* Makes Alice's account and keeps its ticket, as a field. */
static inline void admit_alice(struct bench *bench, char ret_ticket[128])
{
	const char *status = admit(bench, "name=alice", "subject=00ualice", "email=alice@clinic.example");

	assert_non_null(status);
	assert_string_equal(status, "admitted");
	(void)snprintf(ret_ticket, 128, "ticket=%s", wire_get(&bench->answer, "ticket"));
}

#define TEST_WITH(name, setting) \
	cmocka_unit_test_prestate_setup_teardown(name, make_bench, unmake_bench, (void *)(uintptr_t)(setting))

#endif
