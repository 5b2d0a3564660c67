/*
 * Tests libnss_oidc.so.2 as the C library uses it: loaded, with a provisiond of the test's own at the other end of the
 * socket. The gate, the entry and the group list are tested on their own as well.
 */
#include <dlfcn.h>
#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/cleanup.h"
#include "common/wire.h"
#include "provisiond/nss/entry.h"
#include "provisiond/nss/gate.h"
#include "provisiond/nss/groups.h"
#include "provisiond/nss/nss_oidc.h"

#define SOCKET "provisiond.socket"

static char sshd[] = "sshd", java[] = "java";

typedef enum nss_status getpwnam_function(const char *, struct passwd *, char *, size_t, int *);
typedef enum nss_status initgroups_function(const char *, gid_t, long *, long *, gid_t **, long, int *);

struct field {
	const char *key;
	const char *value;
};

static struct {
	void *module;
	getpwnam_function *getpwnam;
	initgroups_function *initgroups;
	char *program;
	int listener;
	bool served; /* a thread answers */
	pthread_t thread;
	atomic_int questions;
	char question[1024]; /* the last one, its fields separated by spaces */
	char answer[WIRE_MAX];
	size_t answer_length; /* 0: hang up */
} world;

static const struct field alice[] = {
	{ "status", "entry" },         { "kind", "promised" },    { "account", "alice" },
	{ "tenant", "clinic" },        { "uid", "2000200007" },   { "gid", "2000200007" },
	{ "gecos", "Alice Ångström" }, { "home", "/home/alice" }, { "shell", "/bin/bash" },
};

/* Alice's entry with one field changed, or left out where the value is NULL; and with groups. */
static size_t alice_but(const char *key, const char *value, const char *const *groups, char *buffer, size_t size)
{
	struct wire_writer writer = { 0 };

	for (size_t i = 0; i < sizeof(alice) / sizeof(alice[0]); i++) {
		const char *now = strcmp(alice[i].key, key) == 0 ? value : alice[i].value;

		if (i == 0)
			wire_begin(&writer, buffer, size, alice[i].key, now);
		else
			wire_put(&writer, alice[i].key, now);
	}
	for (; groups && *groups; groups++)
		wire_put(&writer, "group", *groups);
	assert_false(writer.failed);
	return writer.length;
}

static void provisiond_answers(const char *key, const char *value, const char *const *groups)
{
	world.answer_length = alice_but(key, value, groups, world.answer, sizeof(world.answer));
}

static void provisiond_answers_bytes(const char *bytes, size_t length)
{
	memcpy(world.answer, bytes, length);
	world.answer_length = length;
}

static void *serve(void *unused)
{
	(void)unused;
	for (;;) {
		_cleanup_fd_ int fd = accept4(world.listener, NULL, NULL, SOCK_CLOEXEC);
		ssize_t n;

		if (fd < 0)
			return NULL;
		n = recv(fd, world.question, sizeof(world.question) - 1, 0);
		if (n <= 0)
			continue;
		for (ssize_t i = 0; i < n - 1; i++)
			if (world.question[i] == '\0')
				world.question[i] = ' ';
		world.question[n] = '\0';
		atomic_fetch_add(&world.questions, 1);
		if (world.answer_length > 0)
			(void)send(fd, world.answer, world.answer_length, MSG_NOSIGNAL);
	}
}

static void listen_in_own_folder(int backlog)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = SOCKET };

	world.listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_true(world.listener >= 0);
	assert_int_equal(bind(world.listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(world.listener, backlog), 0);
}

/* A module as it is in a process that has just begun. */
static int load_module(void **state)
{
	(void)state;
	if (geteuid() != 0 || getuid() != 0)
		return 0;
	world.module = dlopen(NSS_MODULE, RTLD_NOW | RTLD_LOCAL);
	if (!world.module)
		(void)fprintf(stderr, "%s\n", dlerror());
	assert_non_null(world.module);
	*(void **)&world.getpwnam = dlsym(world.module, "_nss_oidc_getpwnam_r");
	*(void **)&world.initgroups = dlsym(world.module, "_nss_oidc_initgroups_dyn");
	assert_non_null(world.getpwnam);
	assert_non_null(world.initgroups);
	world.program = program_invocation_short_name;
	program_invocation_short_name = sshd;
	atomic_store(&world.questions, 0);
	world.listener = -1;
	return 0;
}

static int unload_module(void **state)
{
	(void)state;
	if (!world.module)
		return 0;
	if (world.listener >= 0) {
		(void)shutdown(world.listener, SHUT_RDWR);
		if (world.served)
			(void)pthread_join(world.thread, NULL);
		(void)close(world.listener);
		(void)unlink(SOCKET);
	}
	world.served = false;
	program_invocation_short_name = world.program;
	(void)dlclose(world.module);
	world.module = NULL;
	return 0;
}

static void provisiond_serves(void)
{
	world.served = true;
	assert_int_equal(pthread_create(&world.thread, NULL, serve, NULL), 0);
}

static void provisiond_runs(void)
{
	listen_in_own_folder(8);
	provisiond_serves();
}

static void only_as_root(void)
{
	if (!world.module)
		skip();
}

static enum nss_status look_up(const char *name, struct passwd *ret_entry, int *ret_errno)
{
	static char buffer[1024];

	return world.getpwnam(name, ret_entry, buffer, sizeof(buffer), ret_errno);
}

static enum nss_status status_of(const char *name)
{
	struct passwd entry;
	int code = 0;

	return look_up(name, &entry, &code);
}

static void the_gate_admits_only_the_root_parts_of_sshd(void **state)
{
	(void)state;
	assert_true(gate_admits("sshd", 0, 0));
	assert_true(gate_admits("sshd-session", 0, 0));
	assert_false(gate_admits("sshd-auth", 0, 0));
	assert_false(gate_admits("sshd-sessions", 0, 0));
	assert_false(gate_admits("nscd", 0, 0));
	assert_false(gate_admits("", 0, 0));
	assert_false(gate_admits("sshd", 0, 1000));
	assert_false(gate_admits("sshd", 1000, 1000));
	assert_false(gate_admits("sshd", 1000, 0));
}

static void the_gate_knows_sshds_file_even_when_an_update_replaced_it(void **state)
{
	(void)state;
	assert_true(gate_admits_file("/usr/sbin/sshd"));
	assert_true(gate_admits_file("/usr/lib/openssh/sshd-session"));
	assert_true(gate_admits_file("/usr/lib/openssh/sshd-session (deleted)"));
	assert_false(gate_admits_file("/usr/bin/sudo"));
	assert_false(gate_admits_file("/usr/bin/sudo (deleted)"));
	assert_false(gate_admits_file("/home/sshd/sudo"));
	assert_false(gate_admits_file("/usr/sbin/sshd (deleted) (deleted)"));
	assert_false(gate_admits_file("/usr/sbin/"));
	assert_false(gate_admits_file("sshd"));
	assert_false(gate_admits_file(""));
}

static void a_promised_name_has_its_entry_with_a_password_that_nobody_has(void **state)
{
	struct passwd entry;
	int code = 4711;

	(void)state;
	only_as_root();
	provisiond_answers("", NULL, NULL);
	provisiond_runs();
	errno = 4712;
	assert_int_equal(look_up("alice", &entry, &code), NSS_STATUS_SUCCESS);
	assert_int_equal(errno, 4712);
	assert_int_equal(code, 4711);
	assert_string_equal(entry.pw_name, "alice");
	assert_string_equal(entry.pw_passwd, "x");
	assert_int_equal(entry.pw_uid, 2000200007);
	assert_int_equal(entry.pw_gid, 2000200007);
	assert_string_equal(entry.pw_gecos, "Alice Ångström");
	assert_string_equal(entry.pw_dir, "/home/alice");
	assert_string_equal(entry.pw_shell, "/bin/bash");
	assert_string_equal(world.question, "op=lookup name=alice purpose=nss service=sshd");
}

static void an_incomplete_account_has_an_entry_like_a_promised_one(void **state)
{
	struct passwd entry;
	int code;

	(void)state;
	only_as_root();
	provisiond_answers("kind", "incomplete", NULL);
	provisiond_runs();
	assert_int_equal(look_up("alice", &entry, &code), NSS_STATUS_SUCCESS);
	assert_string_equal(entry.pw_passwd, "x");
}

static void an_active_account_answers_to_its_short_name(void **state)
{
	struct passwd entry;
	int code;

	(void)state;
	only_as_root();
	provisiond_answers("kind", "active", NULL);
	provisiond_runs();
	assert_int_equal(look_up("alice", &entry, &code), NSS_STATUS_SUCCESS);
	assert_string_equal(entry.pw_name, "alice");
	assert_string_equal(entry.pw_passwd, "x");
}

static void an_active_account_answers_to_its_email_under_the_email_with_a_star(void **state)
{
	struct passwd entry;
	int code;

	(void)state;
	only_as_root();
	provisiond_answers("kind", "active", NULL);
	provisiond_runs();
	assert_int_equal(look_up("Alice@clinic.example", &entry, &code), NSS_STATUS_SUCCESS);
	assert_string_equal(entry.pw_name, "Alice@clinic.example");
	assert_string_equal(entry.pw_passwd, "*");
	assert_int_equal(entry.pw_uid, 2000200007);
	assert_string_equal(entry.pw_dir, "/home/alice");
	assert_string_equal(world.question, "op=lookup name=Alice@clinic.example purpose=nss service=sshd");
}

static void a_promised_email_has_an_x(void **state)
{
	struct passwd entry;
	int code;

	(void)state;
	only_as_root();
	provisiond_answers("", NULL, NULL);
	provisiond_runs();
	assert_int_equal(look_up("alice@clinic.example", &entry, &code), NSS_STATUS_SUCCESS);
	assert_string_equal(entry.pw_name, "alice@clinic.example");
	assert_string_equal(entry.pw_passwd, "x");
}

static void names_that_are_not_ours_or_refused_are_not_found(void **state)
{
	struct passwd entry;
	int code = 0;

	(void)state;
	only_as_root();
	provisiond_runs();
	provisiond_answers_bytes("status=not_ours", sizeof("status=not_ours"));
	assert_int_equal(look_up("bob", &entry, &code), NSS_STATUS_NOTFOUND);
	assert_int_equal(code, ENOENT);
	provisiond_answers_bytes("status=refused\0reason=deactivated\0text=No.",
				 sizeof("status=refused\0reason=deactivated\0text=No."));
	code = 0;
	assert_int_equal(look_up("carol", &entry, &code), NSS_STATUS_NOTFOUND);
	assert_int_equal(code, ENOENT);
}

static void a_silent_name_service_behind_provisiond_is_unavailable(void **state)
{
	struct passwd entry;
	int code = 0;

	(void)state;
	only_as_root();
	provisiond_runs();
	provisiond_answers_bytes("status=unavailable", sizeof("status=unavailable"));
	assert_int_equal(look_up("bob", &entry, &code), NSS_STATUS_UNAVAIL);
	assert_int_equal(code, EAGAIN);
}

static void names_that_cannot_be_ours_ask_nobody(void **state)
{
	static const char *const names[] = {
		"",
		"Alice",
		"1alice",
		"alice smith",
		"al:ice",
		"alice\n",
		"alice@",
		"@clinic.example",
		"alice@clinic",
		"alice@clinic@example.org",
		"abcdefghijklmnopqrstuvwxyzabcdefghi",
		"alice\x80",
		"-alice",
	};

	(void)state;
	only_as_root();
	provisiond_answers("", NULL, NULL);
	provisiond_runs();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct passwd entry;
		int code = 0;

		assert_int_equal(look_up(names[i], &entry, &code), NSS_STATUS_NOTFOUND);
		assert_int_equal(code, ENOENT);
	}
	assert_int_equal(atomic_load(&world.questions), 0);
}

static void other_programs_ask_nobody(void **state)
{
	char *const programs[] = { (char[]){ "login" }, (char[]){ "nscd" }, (char[]){ "sshd-auth" } };

	(void)state;
	only_as_root();
	provisiond_answers("", NULL, NULL);
	provisiond_runs();
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		program_invocation_short_name = programs[i];
		assert_int_equal(status_of("alice"), NSS_STATUS_NOTFOUND);
	}
	program_invocation_short_name = sshd;
	assert_int_equal(atomic_load(&world.questions), 0);
	assert_int_equal(status_of("alice"), NSS_STATUS_SUCCESS);
}

static void *look_up_on_this_stack(void *ret_status)
{
	*(enum nss_status *)ret_status = status_of("alice");
	return NULL;
}

static void other_programs_need_no_large_stack(void **state)
{
	enum nss_status status = NSS_STATUS_SUCCESS;
	pthread_attr_t attributes;
	pthread_t thread;

	(void)state;
	only_as_root();
	program_invocation_short_name = java;
	assert_int_equal(pthread_attr_init(&attributes), 0);
	assert_int_equal(pthread_attr_setstacksize(&attributes, (size_t)32 * 1024), 0);
	assert_int_equal(pthread_create(&thread, &attributes, look_up_on_this_stack, &status), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	(void)pthread_attr_destroy(&attributes);
	assert_int_equal(status, NSS_STATUS_NOTFOUND);
}

static void an_unprivileged_part_of_sshd_asks_nobody(void **state)
{
	enum nss_status status;

	(void)state;
	only_as_root();
	provisiond_answers("", NULL, NULL);
	provisiond_runs();
	assert_int_equal(seteuid(1000), 0);
	status = status_of("alice");
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(status, NSS_STATUS_NOTFOUND);
	assert_int_equal(atomic_load(&world.questions), 0);
}

static void a_setuid_program_under_the_name_of_sshd_asks_nobody(void **state)
{
	enum nss_status status;

	(void)state;
	only_as_root();
	provisiond_answers("", NULL, NULL);
	provisiond_runs();
	assert_int_equal(setresuid(1000, 0, 0), 0);
	status = status_of("alice");
	assert_int_equal(setresuid(0, 0, 0), 0);
	assert_int_equal(status, NSS_STATUS_NOTFOUND);
	assert_int_equal(atomic_load(&world.questions), 0);
}

static void a_buffer_one_byte_too_small_is_erange_and_one_that_fits_is_enough(void **state)
{
	/* the strings and their NULs */
	size_t needed =
		sizeof("alice") + sizeof("x") + sizeof("Alice Ångström") + sizeof("/home/alice") + sizeof("/bin/bash");
	struct passwd entry;

	(void)state;
	only_as_root();
	provisiond_answers("", NULL, NULL);
	provisiond_runs();
	for (size_t size = 0; size < needed; size++) {
		_cleanup_free_ char *buffer = malloc(size + 1);
		int code = 0;

		assert_non_null(buffer);
		assert_int_equal(world.getpwnam("alice", &entry, buffer, size, &code), NSS_STATUS_TRYAGAIN);
		assert_int_equal(code, ERANGE);
	}
	{
		_cleanup_free_ char *buffer = malloc(needed);
		int code = 0;

		assert_int_equal(world.getpwnam("alice", &entry, buffer, needed, &code), NSS_STATUS_SUCCESS);
		assert_ptr_equal(entry.pw_name, buffer);
		assert_string_equal(entry.pw_shell, "/bin/bash");
	}
}

static void entries_that_no_line_of_passwd_could_hold_are_malformed(void **state)
{
	static const struct field wrong[] = {
		{ "uid", "0" },          { "uid", "999" },         { "uid", "65534" },    { "uid", "65535" },
		{ "uid", "4294967295" }, { "uid", "-1" },          { "uid", "1000x" },    { "uid", "" },
		{ "uid", NULL },         { "gid", "0" },           { "gid", "999" },      { "gid", "65534" },
		{ "gid", NULL },         { "account", "bob" },     { "account", "root" }, { "account", "" },
		{ "account", NULL },     { "kind", "other" },      { "kind", "" },        { "kind", NULL },
		{ "gecos", "a:b" },      { "gecos", "a\nb" },      { "gecos", "a\033b" }, { "gecos", "a\177b" },
		{ "gecos", NULL },       { "home", "home/alice" }, { "home", "" },        { "home", "/home/a:b" },
		{ "home", "/home/\n" },  { "home", NULL },         { "shell", "bash" },   { "shell", "/bin/sh\n" },
		{ "shell", "/bin:" },    { "shell", NULL },
	};
	char bytes[1024];
	struct wire_message message;
	struct entry entry;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		size_t length = alice_but(wrong[i].key, wrong[i].value, NULL, bytes, sizeof(bytes));

		assert_true(wire_parse(bytes, length, &message));
		if (entry_read(&message, "alice", &entry) != LOOKUP_MALFORMED)
			fail_msg("%s=%s was taken", wrong[i].key, wrong[i].value ? wrong[i].value : "(missing)");
	}
	assert_true(wire_parse(bytes, alice_but("", NULL, NULL, bytes, sizeof(bytes)), &message));
	assert_int_equal(entry_read(&message, "alice", &entry), LOOKUP_ENTRY);
}

static void a_linked_user_may_have_a_system_group_but_never_roots(void **state)
{
	struct wire_message message;
	struct entry entry;
	char bytes[1024];
	struct wire_writer writer;

	(void)state;
	for (int gid = 0; gid <= 100; gid += 100) {
		wire_begin(&writer, bytes, sizeof(bytes), "status", "entry");
		wire_put(&writer, "kind", "active");
		wire_put(&writer, "account", "alice");
		wire_put(&writer, "uid", "1000");
		wire_put_number(&writer, "gid", gid);
		wire_put(&writer, "gecos", "");
		wire_put(&writer, "home", "/home/alice");
		wire_put(&writer, "shell", "/bin/sh");
		assert_true(wire_parse(bytes, writer.length, &message));
		assert_int_equal(entry_read(&message, "alice", &entry), gid == 0 ? LOOKUP_MALFORMED : LOOKUP_ENTRY);
	}
}

static void the_account_of_an_email_is_checked_too(void **state)
{
	static const char *const wrong[] = { "", "a:b", "a\nb", NULL };
	char bytes[1024];
	struct wire_message message;
	struct entry entry;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_true(wire_parse(bytes, alice_but("account", wrong[i], NULL, bytes, sizeof(bytes)), &message));
		assert_int_equal(entry_read(&message, "alice@clinic.example", &entry), LOOKUP_MALFORMED);
	}
	assert_true(wire_parse(bytes, alice_but("account", "Alice", NULL, bytes, sizeof(bytes)), &message));
	assert_int_equal(entry_read(&message, "alice@clinic.example", &entry), LOOKUP_ENTRY);
}

static void an_empty_shell_is_a_shell(void **state)
{
	char bytes[1024];
	struct wire_message message;
	struct entry entry;

	(void)state;
	assert_true(wire_parse(bytes, alice_but("shell", "", NULL, bytes, sizeof(bytes)), &message));
	assert_int_equal(entry_read(&message, "alice", &entry), LOOKUP_ENTRY);
}

static void answers_that_are_no_answers_are_unavailable(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
	} wrong[] = {
		{ "", 1 },
		{ "status", 7 },
		{ "status=", 8 },
		{ "status=other", 13 },
		{ "op=lookup", 10 },
		{ "status=entry", 13 },
		{ "status=entry", 12 },
		{ "STATUS=entry", 13 },
		{ "status=not_ours\0=", 18 },
	};

	(void)state;
	only_as_root();
	provisiond_runs();
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct passwd entry;
		int code = 0;

		provisiond_answers_bytes(wrong[i].bytes, wrong[i].length);
		assert_int_equal(look_up("alice", &entry, &code), NSS_STATUS_UNAVAIL);
		assert_int_equal(code, EPROTO);
	}
	world.answer_length = 0;
	assert_int_equal(status_of("alice"), NSS_STATUS_UNAVAIL);
}

static void without_provisiond_the_answer_is_unavailable_at_once_and_again_when_it_is_back(void **state)
{
	struct passwd entry;
	int code = 0;
	int64_t began = wire_now_ms();

	(void)state;
	only_as_root();
	for (int i = 0; i < 100; i++)
		assert_int_equal(look_up("alice", &entry, &code), NSS_STATUS_UNAVAIL);
	assert_int_equal(code, ENOENT);
	assert_true(wire_now_ms() - began < 200);
	provisiond_answers("", NULL, NULL);
	provisiond_runs();
	assert_int_equal(look_up("alice", &entry, &code), NSS_STATUS_SUCCESS);
}

/* Milliseconds that one lookup takes; it must find nothing. */
static int64_t wait_for_nothing(void)
{
	int64_t began = wire_now_ms();
	struct passwd entry;
	int code = 0;

	assert_int_equal(look_up("alice", &entry, &code), NSS_STATUS_UNAVAIL);
	assert_int_equal(code, ETIMEDOUT);
	return wire_now_ms() - began;
}

static void a_provisiond_that_does_not_answer_costs_a_process_250_ms_once(void **state)
{
	int64_t first;

	(void)state;
	only_as_root();
	listen_in_own_folder(8); /* and nobody accepts */
	first = wait_for_nothing();
	assert_true(first >= 245 && first < 400);
	for (int i = 0; i < 5; i++)
		assert_true(wait_for_nothing() < 50);
}

static void a_process_that_has_waited_in_vain_asks_no_more(void **state)
{
	(void)state;
	only_as_root();
	provisiond_answers("", NULL, NULL);
	listen_in_own_folder(8);
	(void)wait_for_nothing();
	provisiond_serves(); /* now, and finds the question from before */
	for (int i = 0; i < 10; i++)
		(void)wait_for_nothing();
	(void)usleep(100000);
	assert_int_equal(atomic_load(&world.questions), 1);
}

static void a_provisiond_whose_queue_is_full_costs_no_more(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = SOCKET };
	int waiting[4];
	int64_t first;

	(void)state;
	only_as_root();
	listen_in_own_folder(0);
	for (size_t i = 0; i < 4; i++) {
		waiting[i] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)connect(waiting[i], (struct sockaddr *)&address, sizeof(address));
	}
	first = wait_for_nothing();
	assert_true(first >= 245 && first < 400);
	assert_true(wait_for_nothing() < 50);
	for (size_t i = 0; i < 4; i++)
		(void)close(waiting[i]);
}

static void a_child_process_does_not_wait_again(void **state)
{
	pid_t child;
	int status;

	(void)state;
	only_as_root();
	listen_in_own_folder(8);
	(void)wait_for_nothing();
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(wait_for_nothing() < 50 ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void the_groups_of_an_email_are_appended_without_the_primary_one_roots_and_doubles(void **state)
{
	static const char *const groups[] = { "27", "2000200007", "44", "27", "0", "100", "1500", NULL };
	static const gid_t expected[] = { 1, 100, 27, 44, 1500 };
	_cleanup_free_ gid_t *ids = malloc(2 * sizeof(gid_t));
	long start = 2, size = 2;
	int code = 0;

	(void)state;
	only_as_root();
	provisiond_answers("kind", "active", groups);
	provisiond_runs();
	ids[0] = 1;
	ids[1] = 100;
	errno = 4712;
	assert_int_equal(world.initgroups("alice@clinic.example", 2000200007, &start, &size, &ids, 0, &code),
			 NSS_STATUS_SUCCESS);
	assert_int_equal(errno, 4712);
	assert_int_equal(start, 5);
	assert_true(size >= 5);
	assert_memory_equal(ids, expected, sizeof(expected));
}

static void the_group_list_stops_at_its_limit(void **state)
{
	static const char *const groups[] = { "27", "44", "100", "1500", NULL };
	_cleanup_free_ gid_t *ids = malloc(sizeof(gid_t));
	long start = 1, size = 1;
	int code = 0;

	(void)state;
	only_as_root();
	provisiond_answers("kind", "active", groups);
	provisiond_runs();
	ids[0] = 2000200007;
	assert_int_equal(world.initgroups("alice@clinic.example", 2000200007, &start, &size, &ids, 3, &code),
			 NSS_STATUS_SUCCESS);
	assert_int_equal(start, 3);
	assert_int_equal(size, 3);
	assert_int_equal(ids[2], 44);
}

static void a_thousand_groups_arrive(void **state)
{
	static char texts[1000][8];
	static const char *groups[1001];
	_cleanup_free_ gid_t *ids = malloc(sizeof(gid_t));
	long start = 0, size = 1;
	int code = 0;

	(void)state;
	only_as_root();
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(texts[i], sizeof(texts[i]), "%d", 3000 + i);
		groups[i] = texts[i];
	}
	provisiond_answers("kind", "active", groups);
	provisiond_runs();
	assert_int_equal(world.initgroups("alice@clinic.example", 2000200007, &start, &size, &ids, -1, &code),
			 NSS_STATUS_SUCCESS);
	assert_int_equal(start, 1000);
	assert_int_equal(ids[999], 3999);
}

static void malformed_groups_give_no_group_at_all(void **state)
{
	static const char *const wrong[] = { "00", "-1",  "4294967295", "4294967296", "99999999999999999999999",
					     "",   "27x", " 27",        "+27" };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *const groups[] = { "27", wrong[i], NULL };
		char bytes[1024];
		struct wire_message message;

		assert_true(wire_parse(bytes, alice_but("kind", "active", groups, bytes, sizeof(bytes)), &message));
		if (groups_ok(&message))
			fail_msg("group=%s was taken", wrong[i]);
	}
	if (world.module) {
		static const char *const groups[] = { "27", "00", NULL };
		_cleanup_free_ gid_t *ids = malloc(sizeof(gid_t));
		long start = 0, size = 1;
		int code = 0;

		provisiond_answers("kind", "active", groups);
		provisiond_runs();
		assert_int_equal(world.initgroups("alice@clinic.example", 1000, &start, &size, &ids, 0, &code),
				 NSS_STATUS_UNAVAIL);
		assert_int_equal(code, EPROTO);
		assert_int_equal(start, 0);
	}
}

static void the_groups_of_short_names_are_left_to_the_group_file(void **state)
{
	static const char *const groups[] = { "27", NULL };
	_cleanup_free_ gid_t *ids = malloc(sizeof(gid_t));
	long start = 0, size = 1;
	int code = 0;

	(void)state;
	only_as_root();
	provisiond_answers("kind", "active", groups);
	provisiond_runs();
	assert_int_equal(world.initgroups("alice", 1000, &start, &size, &ids, 0, &code), NSS_STATUS_NOTFOUND);
	assert_int_equal(code, ENOENT);
	assert_int_equal(atomic_load(&world.questions), 0);
}

/* What the C library makes of it; 0 when it is right, else the number of the step. Runs in a child, where the name
 * service can be changed. */
static int through_the_c_library(void)
{
	struct passwd entry, *found = NULL;
	char small[8], large[512];
	gid_t groups[8];
	int count = 8;

	if (__nss_configure_lookup("passwd", "oidc") != 0 || __nss_configure_lookup("group", "oidc") != 0)
		return 1;
	if (getpwnam_r("alice@clinic.example", &entry, small, sizeof(small), &found) != ERANGE || found)
		return 2;
	if (getpwnam_r("alice@clinic.example", &entry, large, sizeof(large), &found) != 0 || found != &entry)
		return 3;
	if (entry.pw_uid != 2000200007 || strcmp(entry.pw_name, "alice@clinic.example") != 0)
		return 4;
	if (getgrouplist("alice@clinic.example", 2000200007, groups, &count) != 3)
		return 5;
	if (groups[0] != 2000200007 || groups[1] != 27 || groups[2] != 44)
		return 6;
	if (getpwnam_r("Not A Name", &entry, large, sizeof(large), &found) != 0 || found)
		return 7;
	return 0;
}

static void the_c_library_finds_entries_and_groups_through_it(void **state)
{
	static const char *const groups[] = { "27", "44", NULL };
	pid_t child;
	int status;

	(void)state;
	only_as_root();
	provisiond_answers("kind", "active", groups);
	provisiond_runs();
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(through_the_c_library());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void enter_own_folder(char *folder)
{
	if (!mkdtemp(folder) || chdir(folder) != 0) {
		perror(folder);
		exit(1);
	}
}

#define WITH_MODULE(test) cmocka_unit_test_setup_teardown(test, load_module, unload_module)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_gate_admits_only_the_root_parts_of_sshd),
		cmocka_unit_test(the_gate_knows_sshds_file_even_when_an_update_replaced_it),
		WITH_MODULE(a_promised_name_has_its_entry_with_a_password_that_nobody_has),
		WITH_MODULE(an_incomplete_account_has_an_entry_like_a_promised_one),
		WITH_MODULE(an_active_account_answers_to_its_short_name),
		WITH_MODULE(an_active_account_answers_to_its_email_under_the_email_with_a_star),
		WITH_MODULE(a_promised_email_has_an_x),
		WITH_MODULE(names_that_are_not_ours_or_refused_are_not_found),
		WITH_MODULE(a_silent_name_service_behind_provisiond_is_unavailable),
		WITH_MODULE(names_that_cannot_be_ours_ask_nobody),
		WITH_MODULE(other_programs_ask_nobody),
		WITH_MODULE(other_programs_need_no_large_stack),
		WITH_MODULE(an_unprivileged_part_of_sshd_asks_nobody),
		WITH_MODULE(a_setuid_program_under_the_name_of_sshd_asks_nobody),
		WITH_MODULE(a_buffer_one_byte_too_small_is_erange_and_one_that_fits_is_enough),
		cmocka_unit_test(entries_that_no_line_of_passwd_could_hold_are_malformed),
		cmocka_unit_test(a_linked_user_may_have_a_system_group_but_never_roots),
		cmocka_unit_test(the_account_of_an_email_is_checked_too),
		cmocka_unit_test(an_empty_shell_is_a_shell),
		WITH_MODULE(answers_that_are_no_answers_are_unavailable),
		WITH_MODULE(without_provisiond_the_answer_is_unavailable_at_once_and_again_when_it_is_back),
		WITH_MODULE(a_provisiond_that_does_not_answer_costs_a_process_250_ms_once),
		WITH_MODULE(a_process_that_has_waited_in_vain_asks_no_more),
		WITH_MODULE(a_provisiond_whose_queue_is_full_costs_no_more),
		WITH_MODULE(a_child_process_does_not_wait_again),
		WITH_MODULE(the_groups_of_an_email_are_appended_without_the_primary_one_roots_and_doubles),
		WITH_MODULE(the_group_list_stops_at_its_limit),
		WITH_MODULE(a_thousand_groups_arrive),
		WITH_MODULE(malformed_groups_give_no_group_at_all),
		WITH_MODULE(the_groups_of_short_names_are_left_to_the_group_file),
		WITH_MODULE(the_c_library_finds_entries_and_groups_through_it),
	};
	char folder[] = "/tmp/test_nss.XXXXXX";
	int failed;

	enter_own_folder(folder);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	if (chdir("/") == 0)
		(void)rmdir(folder);
	return failed;
}
