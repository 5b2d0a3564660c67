/*
 * Tests pam_oidc.so whole, as an application has it: through libpam, with a pam_oidcd and a provisiond of the test's
 * own at the other end of its sockets, and with every row of the table of PAM results.
 *
 * The conversation, the name service and the system log are the test's too.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>
#include <cmocka.h>

#include <security/pam_appl.h>

#include "common/cleanup.h"
#include "common/reason.h"
#include "common/wire.h"

#define ALICE_UID 2000200007
#define STEPS_MAX 8
#define TYPED_MAX 8
#define TEXT_MAX 32768

#define SHOW                                                                                                          \
	"status=show|url=https://clinic.example/activate|complete=https://clinic.example/activate?user_code=ABCDEFGH" \
	"|code=ABCDEFGH|tenant=clinic|host=ward7|resumed=0|qr=##\n##\n"
#define SHOW_FOR_100_S SHOW "|expires_in=100"
#define ADMITTED "status=admitted|account=alice|uid=2000200007|ticket=T-5ecret|created=0|home=/home/alice"
#define CONFIRMED "status=confirmed|account=alice|uid=2000200007"

enum step_kind {
	STEP_END, /* waits until the module hangs up */
	STEP_SEND,
	STEP_SEND_BYTES, /* as they are */
	STEP_SLEEP,
	STEP_AFTER_PROMPT, /* waits until the prompt was answered */
	STEP_PARK,         /* waits for op=park */
	STEP_CONTINUE,     /* waits for op=continue */
	STEP_HANG_UP,
	STEP_CLIENT_GOES, /* the ssh client hangs up */
};

struct step {
	enum step_kind kind;
	unsigned milliseconds;
	const char *text; /* fields separated by | */
	size_t bytes;
};

struct fake_daemon {
	int listener;
	pthread_t thread;
	void (*serve)(int fd);
};

static struct {
	struct fake_daemon pam_oidcd, provisiond;

	/* what they answer */
	struct step steps[STEPS_MAX];
	int hang_ups;         /* logins at which pam_oidcd hangs up first */
	int redeem_hang_ups;  /* tickets at which provisiond does */
	const char *standing; /* NULL: hangs up; "": stays silent */
	const char *redeem;
	const char *lookup, *answer; /* the same */
	unsigned gate_takes_ms;

	/* what they were asked */
	atomic_int logins, parks, continues, readies, standings, redeems, lookups, answers, cancels, surprises;
	char login[2048], redeemed[2048], looked_up[2048], answered[2048];

	/* the person */
	bool deaf;                    /* the conversation fails */
	bool leaves;                  /* goes while reading */
	bool prints;                  /* the application prints what it is given to print */
	bool no_prompt;               /* it fails for prompts, as in sshd's password method */
	const char *typed[TYPED_MAX]; /* at each prompt; NULL: a password, by mistake */
	int leaves_at;                /* the prompt during which the ssh client goes; 0: none */
	unsigned reads_ms;
	atomic_int prompts;
	int styles[32];
	size_t said;
	char screen[TEXT_MAX]; /* everything that was said */

	/* the machine */
	bool resolves;
	char log[TEXT_MAX];
	char authtok[256]; /* what later modules get; empty for nothing */
	bool no_authtok;   /* PAM does not take it */
	bool no_putenv;
	unsigned mallocs_left; /* until the module's malloc() fails; 0: it does not */
	int client;            /* our end of the ssh client's connection */
	pid_t far;             /* the process that holds the other end */
} world;

/* What the module has for malloc(). */
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
	return world.mallocs_left > 0 && --world.mallocs_left == 0 ? NULL : malloc(size);
}

/* PAM's own, looked at on the way. The application itself is never given the token. */
static void *real(const char *name)
{
	void *function = dlsym(RTLD_NEXT, name);

	assert_non_null(function);
	return function;
}

int pam_set_item(pam_handle_t *pamh, int item, const void *value)
{
	int (*set_item)(pam_handle_t *, int, const void *) =
		(int (*)(pam_handle_t *, int, const void *))real("pam_set_item");

	if (item == PAM_AUTHTOK && world.no_authtok)
		return PAM_BUF_ERR;
	/* NULL is how libpam itself takes it away, when all modules have been asked. */
	if (item == PAM_AUTHTOK && value)
		(void)snprintf(world.authtok, sizeof(world.authtok), "%s", (const char *)value);
	return set_item(pamh, item, value);
}

int pam_putenv(pam_handle_t *pamh, const char *setting)
{
	int (*put)(pam_handle_t *, const char *) = (int (*)(pam_handle_t *, const char *))real("pam_putenv");

	return world.no_putenv ? PAM_BUF_ERR : put(pamh, setting);
}

/* The name service. */
int getpwnam_r(const char *name, struct passwd *entry, char *buffer, size_t size, struct passwd **ret_entry)
{
	static char nothing[] = "";
	bool toor = strcmp(name, "toor") == 0;

	*ret_entry = NULL;
	if (!toor && !(world.resolves && (strcmp(name, "alice") == 0 || strcmp(name, "alice@clinic.example") == 0)))
		return 0;
	(void)snprintf(buffer, size, "%s", name);
	*entry = (struct passwd){ .pw_name = buffer,
				  .pw_passwd = nothing,
				  .pw_uid = toor ? 0 : ALICE_UID,
				  .pw_gid = toor ? 0 : ALICE_UID,
				  .pw_gecos = nothing,
				  .pw_dir = nothing,
				  .pw_shell = nothing };
	*ret_entry = entry;
	return 0;
}

static void __attribute__((format(printf, 1, 0))) log_line(const char *format, va_list arguments)
{
	size_t length = strlen(world.log);

	(void)vsnprintf(world.log + length, sizeof(world.log) - length, format, arguments);
	length = strlen(world.log);
	(void)snprintf(world.log + length, sizeof(world.log) - length, "\n");
}

/* The system log, under both names that libpam may call it by. (In parentheses, because it is a macro for clang.) */
void(syslog)(int priority, const char *format, ...)
{
	va_list arguments;

	(void)priority;
	va_start(arguments, format);
	log_line(format, arguments);
	va_end(arguments);
}

void __syslog_chk(int priority, int flag, const char *format, ...) __attribute__((format(printf, 3, 4)));
void __syslog_chk(int priority, int flag, const char *format, ...)
{
	va_list arguments;

	(void)priority, (void)flag;
	va_start(arguments, format);
	log_line(format, arguments);
	va_end(arguments);
}

static void sleep_ms(unsigned milliseconds)
{
	(void)poll(NULL, 0, (int)milliseconds);
}

static size_t fields_to_bytes(const char *fields, char *bytes)
{
	size_t length = strlen(fields) + 1;

	memcpy(bytes, fields, length);
	for (size_t i = 0; i < length; i++)
		if (bytes[i] == '|')
			bytes[i] = '\0';
	return length;
}

static void send_fields(int fd, const char *fields)
{
	char bytes[TEXT_MAX];
	size_t length = fields_to_bytes(fields, bytes);

	(void)send(fd, bytes, length, MSG_NOSIGNAL);
}

/* Receives a message with its fields separated by |. False at the connection's end. */
static bool receive_fields(int fd, char *text, size_t size)
{
	ssize_t n = recv(fd, text, size, 0);

	if (n <= 0)
		return false;
	for (ssize_t i = 0; i + 1 < n; i++)
		if (text[i] == '\0')
			text[i] = '|';
	text[n - 1] = '\0';
	return true;
}

static void hang_up_client(void)
{
	if (world.far > 0) {
		(void)kill(world.far, SIGKILL);
		(void)waitpid(world.far, NULL, 0);
		world.far = 0;
	}
}

/* Does one step; false when the connection is over. */
static bool do_step(int fd, const struct step *step)
{
	static char large[2 * WIRE_MAX];
	char text[2048];

	switch (step->kind) {
	case STEP_SEND:
		send_fields(fd, step->text);
		return true;
	case STEP_SEND_BYTES:
		if (step->text)
			memcpy(large, step->text, step->bytes);
		else
			memset(large, 'x', step->bytes);
		(void)send(fd, large, step->bytes, MSG_NOSIGNAL);
		return true;
	case STEP_SLEEP:
		sleep_ms(step->milliseconds);
		return true;
	case STEP_AFTER_PROMPT:
		for (int i = 0; i < 1000 && atomic_load(&world.prompts) == 0; i++)
			sleep_ms(5);
		sleep_ms(50);
		return true;
	case STEP_CLIENT_GOES:
		hang_up_client();
		return true;
	case STEP_PARK:
		if (receive_fields(fd, text, sizeof(text)) && strcmp(text, "op=park") == 0)
			atomic_fetch_add(&world.parks, 1);
		return true;
	case STEP_CONTINUE:
		if (receive_fields(fd, text, sizeof(text)) && strcmp(text, "op=continue") == 0)
			atomic_fetch_add(&world.continues, 1);
		return true;
	case STEP_HANG_UP:
		return false;
	case STEP_END:
		break;
	}
	while (receive_fields(fd, text, sizeof(text)))
		atomic_fetch_add(strcmp(text, "op=ready") == 0 ? &world.readies : &world.surprises, 1);
	atomic_fetch_add(&world.cancels, 1);
	return false;
}

static void serve_sign_in(int fd)
{
	const struct step *step = world.steps;

	if (!receive_fields(fd, world.login, sizeof(world.login)))
		return;
	atomic_fetch_add(&world.logins, 1);
	if (atomic_load(&world.logins) <= world.hang_ups)
		return;
	while (do_step(fd, step))
		step++;
}

static void serve_gate(int fd)
{
	const struct {
		const char *op, *answer;
		atomic_int *count;
		char *question;
	} rows[] = {
		{ "op=standing|", world.standing, &world.standings, NULL },
		{ "op=redeem|", world.redeem, &world.redeems, world.redeemed },
		{ "op=lookup|", world.lookup, &world.lookups, world.looked_up },
		{ "op=answer|", world.answer, &world.answers, world.answered },
	};
	char question[2048];

	while (receive_fields(fd, question, sizeof(question))) {
		const char *answer = NULL;

		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			if (strncmp(question, rows[i].op, strlen(rows[i].op)) != 0)
				continue;
			answer = rows[i].answer;
			if (rows[i].question)
				(void)snprintf(rows[i].question, sizeof(question), "%s", question);
			atomic_fetch_add(rows[i].count, 1);
		}
		if (!answer || (answer == world.redeem && atomic_load(&world.redeems) <= world.redeem_hang_ups))
			return;
		sleep_ms(world.gate_takes_ms);
		if (answer[0])
			send_fields(fd, answer);
	}
}

static void *serve_all(void *context)
{
	const struct fake_daemon *fake = context;

	for (;;) {
		int fd = accept4(fake->listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			return NULL;
		fake->serve(fd);
		(void)close(fd);
	}
}

static void start(struct fake_daemon *fake, const char *path, void (*serve)(int fd))
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	fake->serve = serve;
	fake->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_true(fake->listener >= 0);
	assert_int_equal(bind(fake->listener, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fake->listener, 8), 0);
	assert_int_equal(pthread_create(&fake->thread, NULL, serve_all, fake), 0);
}

static void stop(struct fake_daemon *fake, const char *path)
{
	if (fake->listener < 0)
		return;
	(void)shutdown(fake->listener, SHUT_RDWR);
	assert_int_equal(pthread_join(fake->thread, NULL), 0);
	(void)close(fake->listener);
	fake->listener = -1;
	(void)unlink(path);
}

static void stop_pam_oidcd(void)
{
	stop(&world.pam_oidcd, "pam_oidcd.socket");
}

static void stop_provisiond(void)
{
	stop(&world.provisiond, "provisiond.socket");
}

static const char *next_typed(void)
{
	int prompt = atomic_load(&world.prompts);
	const char *typed = prompt < TYPED_MAX ? world.typed[prompt] : NULL;

	if (world.leaves_at == prompt + 1)
		hang_up_client();
	sleep_ms(world.reads_ms);
	return typed ? typed : "my password by mistake";
}

/* The person at the screen. */
static int converse(int count, const struct pam_message **messages, struct pam_response **ret_responses, void *context)
{
	struct pam_response *responses;

	(void)context;
	if (world.deaf)
		return PAM_CONV_ERR;
	if (world.leaves)
		hang_up_client();
	for (int fd = STDIN_FILENO; world.prints && fd <= STDERR_FILENO; fd++)
		(void)!write(fd, "text", 4);
	responses = calloc((size_t)count, sizeof(*responses));
	if (!responses)
		return PAM_BUF_ERR;
	for (int i = 0; i < count; i++) {
		size_t length = strlen(world.screen);

		if (world.said < sizeof(world.styles) / sizeof(world.styles[0]))
			world.styles[world.said++] = messages[i]->msg_style;
		(void)snprintf(world.screen + length, sizeof(world.screen) - length, "%s\n", messages[i]->msg);
		if (messages[i]->msg_style != PAM_PROMPT_ECHO_ON && messages[i]->msg_style != PAM_PROMPT_ECHO_OFF)
			continue;
		if (world.no_prompt) {
			free(responses);
			return PAM_CONV_ERR;
		}
		responses[i].resp = strdup(next_typed());
		atomic_fetch_add(&world.prompts, 1);
	}
	*ret_responses = responses;
	return PAM_SUCCESS;
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

struct application {
	const char *service;
	const char *user;
	const char *arguments; /* of the module */
	const char *title;     /* of the process */
	int flags;
	const char *rhost;
};

static pam_handle_t *open_pam(const struct application *application)
{
	const struct pam_conv conversation = { .conv = converse };
	pam_handle_t *pamh = NULL;
	char path[64], lines[4096];
	const char *arguments = application->arguments ? application->arguments : "";

	(void)snprintf(path, sizeof(path), "pam.d/%s", application->service);
	(void)snprintf(lines, sizeof(lines),
		       "auth required %s %s\naccount required %s %s\nsession required %s %s\npassword required %s %s\n",
		       MODULE, arguments, MODULE, arguments, MODULE, arguments, MODULE, arguments);
	write_file(path, lines);
	write_file("title", application->title ? application->title : "sshd: alice [pam]");
	assert_int_equal(pam_start_confdir(application->service, application->user, &conversation, "pam.d", &pamh),
			 PAM_SUCCESS);
	if (strcmp(application->service, "sshd") == 0)
		assert_int_equal(pam_set_item(pamh, PAM_TTY, "ssh"), PAM_SUCCESS);
	if (application->rhost)
		assert_int_equal(pam_set_item(pamh, PAM_RHOST, application->rhost), PAM_SUCCESS);
	return pamh;
}

static int authenticate_as(const struct application *application)
{
	pam_handle_t *pamh = open_pam(application);
	int result = pam_authenticate(pamh, application->flags);

	assert_int_equal(pam_end(pamh, result), PAM_SUCCESS);
	return result;
}

/* Signs alice in. */
static int authenticate_in(const char *service, const char *arguments)
{
	struct application application = { .service = service, .user = "alice", .arguments = arguments };

	return authenticate_as(&application);
}

static int account_of(const char *service, const char *user)
{
	struct application application = { .service = service, .user = user };
	pam_handle_t *pamh = open_pam(&application);
	int result = pam_acct_mgmt(pamh, 0);

	assert_int_equal(pam_end(pamh, result), PAM_SUCCESS);
	return result;
}

static void set_steps(const struct step *steps, size_t count)
{
	assert_true(count < STEPS_MAX);
	memset(world.steps, 0, sizeof(world.steps));
	memcpy(world.steps, steps, count * sizeof(steps[0]));
}

#define STEPS(...)                                                     \
	do {                                                           \
		const struct step steps_[] = { __VA_ARGS__ };          \
		set_steps(steps_, sizeof(steps_) / sizeof(steps_[0])); \
	} while (0)
#define SENDS(fields)                               \
	{                                           \
		.kind = STEP_SEND, .text = (fields) \
	}
#define SLEEPS(ms)                                       \
	{                                                \
		.kind = STEP_SLEEP, .milliseconds = (ms) \
	}
#define DOES(what)             \
	{                      \
		.kind = (what) \
	}

/* The daemon's thread sees the end of the connection a moment after the module has closed it. */
static void assert_cancelled(void)
{
	for (int i = 0; i < 400 && atomic_load(&world.cancels) == 0; i++)
		sleep_ms(5);
	assert_int_equal(atomic_load(&world.cancels), 1);
}

static size_t count_of(const char *text, const char *what)
{
	size_t count = 0;

	for (const char *at = text; (at = strstr(at, what)); at++)
		count++;
	return count;
}

static void assert_on_screen(const char *what)
{
	if (count_of(world.screen, what) != 1)
		fail_msg("\"%s\" is on the screen %zu times:\n%s", what, count_of(world.screen, what), world.screen);
}

static void assert_logged(const char *what)
{
	if (!strstr(world.log, what))
		fail_msg("\"%s\" is not in the log:\n%s", what, world.log);
}

static int begin(void **state)
{
	(void)state;
	memset(&world, 0, sizeof(world));
	world.resolves = true;
	world.client = -1;
	world.standing = "status=active|account=alice|uid=2000200007";
	world.redeem = CONFIRMED;
	world.answer = "status=done";
	STEPS(SENDS(SHOW_FOR_100_S), SENDS(ADMITTED));
	start(&world.pam_oidcd, "pam_oidcd.socket", serve_sign_in);
	start(&world.provisiond, "provisiond.socket", serve_gate);
	return 0;
}

static int end(void **state)
{
	(void)state;
	hang_up_client();
	if (world.client >= 0)
		(void)close(world.client);
	stop_pam_oidcd();
	stop_provisiond();
	/* Whatever happened: secrets and what was typed are not for the log, and escape sequences for nobody. */
	assert_null(strstr(world.log, "T-5ecret"));
	assert_null(strstr(world.log, "ABCDEFGH"));
	assert_null(strstr(world.log, "password by mistake"));
	assert_null(strchr(world.log, '\x1b'));
	assert_null(strchr(world.screen, '\x1b'));
	return 0;
}

/* ---- the table of PAM results ---- */

static void a_redeemed_ticket_is_success(void **state)
{
	(void)state;
	assert_int_equal(authenticate_in("login", NULL), PAM_SUCCESS);
	assert_int_equal(atomic_load(&world.redeems), 1);
	assert_string_equal(world.redeemed, "op=redeem|ticket=T-5ecret|name=alice|uid=2000200007");
	assert_logged("alice signed in with Okta as alice (uid 2000200007)");
}

static void root_is_unknown_before_any_socket(void **state)
{
	struct application root = { .service = "login", .user = "root", .arguments = "nonsense" };
	struct application toor = { .service = "login", .user = "toor", .arguments = "nonsense" };

	(void)state;
	assert_int_equal(authenticate_as(&root), PAM_USER_UNKNOWN);
	assert_int_equal(authenticate_as(&toor), PAM_USER_UNKNOWN);
	assert_int_equal(account_of("login", "root"), PAM_USER_UNKNOWN);
	assert_int_equal(account_of("login", "toor"), PAM_USER_UNKNOWN);
	assert_int_equal(atomic_load(&world.standings) + atomic_load(&world.logins), 0);
	assert_string_equal(world.screen, "");
	assert_string_equal(world.log, "");
}

static void a_name_that_cannot_be_ours_is_unknown_in_silence(void **state)
{
	static const char *const names[] = {
		"Alice",
		"al ice",
		"al\nice",
		"alice\x1b[2J",
		"alice@clinic",
		"alice@@clinic.example",
		"-alice",
		"al:ice",
		"abcdefghijklmnopqrstuvwxyz-abcdefghijklmnop",
		"@clinic.example",
		"alice;id",
		"../alice",
		"%s%n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct application application = { .service = "sshd", .user = names[i] };

		assert_int_equal(authenticate_as(&application), PAM_USER_UNKNOWN);
	}
	assert_int_equal(atomic_load(&world.standings) + atomic_load(&world.logins), 0);
	assert_string_equal(world.screen, "");
	assert_string_equal(world.log, "");
}

/* Signing in is what their account waits for. */
static void a_lapsed_person_may_sign_in(void **state)
{
	(void)state;
	world.standing = "status=lapsed";
	STEPS(SENDS("status=refused|reason=policy"));
	assert_int_equal(authenticate_in("login", NULL), PAM_PERM_DENIED);
	assert_int_equal(atomic_load(&world.logins), 1);
}

static void a_name_of_64_kib_is_unknown(void **state)
{
	static char name[64 * 1024];
	struct application application = { .service = "login", .user = name };

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	assert_int_equal(authenticate_as(&application), PAM_USER_UNKNOWN);
	assert_int_equal(atomic_load(&world.standings), 0);
}

static void a_local_user_is_unknown_before_arguments_are_looked_at(void **state)
{
	(void)state;
	world.standing = "status=not_ours";
	assert_int_equal(authenticate_in("login", "nonsense"), PAM_USER_UNKNOWN);
	assert_int_equal(atomic_load(&world.logins), 0);
	assert_string_equal(world.screen, "");
	assert_string_equal(world.log, "");
}

static void local_users_notice_nothing_with_both_daemons_stopped(void **state)
{
	(void)state;
	stop_pam_oidcd();
	stop_provisiond();
	assert_int_equal(authenticate_in("login", NULL), PAM_AUTHINFO_UNAVAIL);
	assert_int_equal(account_of("login", "alice"), PAM_AUTHINFO_UNAVAIL);
	assert_string_equal(world.screen, "");
	assert_logged("provisiond did not say what alice stands for");
}

static void a_silent_provisiond_costs_250_ms_at_most(void **state)
{
	int64_t began = wire_now_ms(), took;

	(void)state;
	world.standing = "";
	assert_int_equal(authenticate_in("login", NULL), PAM_AUTHINFO_UNAVAIL);
	took = wire_now_ms() - began;
	assert_true(took >= 250);
	assert_true(took < 1000);
	assert_string_equal(world.screen, "");
	assert_int_equal(atomic_load(&world.logins), 0);
}

static void a_provisiond_that_talks_nonsense_is_unavailable(void **state)
{
	static const char *const answers[] = {
		NULL,
		"op=standing",
		"status=",
		"status=confirmed",
		"status=active",
		"status=active|account=alice",
		"status=active|account=../x|uid=5",
		"status=active|account=alice|uid=0",
		"status=active|account=alice|uid=-1",
		"status=active|account=alice|account=bob|uid=7",
		"x",
		"status=unavailable",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		world.standing = answers[i];
		assert_int_equal(authenticate_in("login", NULL), PAM_AUTHINFO_UNAVAIL);
		assert_int_equal(account_of("login", "alice"), PAM_AUTHINFO_UNAVAIL);
	}
	assert_int_equal(atomic_load(&world.logins), 0);
	assert_string_equal(world.screen, "");
}

static void a_deactivated_person_is_refused_without_a_code(void **state)
{
	(void)state;
	world.standing = "status=deactivated";
	assert_int_equal(authenticate_in("login", NULL), PAM_PERM_DENIED);
	assert_on_screen(reason_sentence(REASON_DEACTIVATED));
	assert_int_equal(authenticate_in("sshd", NULL), PAM_MAXTRIES);
	assert_int_equal(atomic_load(&world.logins), 0);
}

static void wrong_arguments_are_a_service_error(void **state)
{
	(void)state;
	assert_int_equal(authenticate_in("login", "wait=never"), PAM_SERVICE_ERR);
	assert_logged("argument 'wait=never' on the pam_oidc.so line of service login in /etc/pam.d is wrong: "
		      "wait is enter, info or retry");
	assert_on_screen(reason_sentence(REASON_MISCONFIGURED));
	assert_int_equal(atomic_load(&world.logins), 0);
}

static void a_refusal_is_perm_denied_and_maxtries_in_sshd(void **state)
{
	(void)state;
	STEPS(SENDS(SHOW_FOR_100_S), SENDS("status=refused|reason=not_assigned|text=Ask Bob to assign you.|quiet=0"));
	assert_int_equal(authenticate_in("login", NULL), PAM_PERM_DENIED);
	assert_on_screen("Ask Bob to assign you.");
	assert_int_equal(authenticate_in("sshd", NULL), PAM_MAXTRIES);
	assert_logged("alice not signed in (not_assigned): Ask Bob to assign you.");
	assert_int_equal(atomic_load(&world.redeems), 0);
}

static void a_refusal_may_come_at_once(void **state)
{
	(void)state;
	STEPS(SENDS("status=refused|reason=use_short_name|text=Use alice."));
	assert_int_equal(authenticate_in("sshd", NULL), PAM_MAXTRIES);
	assert_string_equal(world.screen, "Use alice.\n");
}

static void a_refusal_without_a_text_has_the_reason_s_sentence(void **state)
{
	(void)state;
	STEPS(SENDS("status=refused|reason=policy"));
	assert_int_equal(authenticate_in("login", NULL), PAM_PERM_DENIED);
	assert_on_screen(reason_sentence(REASON_POLICY));
}

static void a_quiet_refusal_is_not_said_again(void **state)
{
	(void)state;
	STEPS(SENDS("status=refused|reason=policy|text=Said before.|quiet=1"));
	assert_int_equal(authenticate_in("sshd", NULL), PAM_MAXTRIES);
	assert_string_equal(world.screen, "");
	assert_logged("Said before.");
}

static void an_expired_code_is_auth_err_and_maxtries_in_sshd(void **state)
{
	(void)state;
	STEPS(SENDS(SHOW_FOR_100_S), SENDS("status=refused|reason=expired"));
	assert_int_equal(authenticate_in("su", NULL), PAM_AUTH_ERR);
	assert_on_screen(reason_sentence(REASON_EXPIRED));
	assert_int_equal(authenticate_in("sshd", NULL), PAM_MAXTRIES);
}

static void a_limit_is_auth_err(void **state)
{
	(void)state;
	STEPS(SENDS("status=refused|reason=limit"));
	assert_int_equal(authenticate_in("sudo", NULL), PAM_AUTH_ERR);
}

static void an_unreachable_issuer_is_unavailable(void **state)
{
	(void)state;
	STEPS(SENDS("status=refused|reason=issuer_unreachable"));
	assert_int_equal(authenticate_in("sshd", NULL), PAM_AUTHINFO_UNAVAIL);
	assert_on_screen(reason_sentence(REASON_ISSUER_UNREACHABLE));
}

static void an_unknown_reason_is_unavailable(void **state)
{
	(void)state;
	STEPS(SENDS("status=refused|reason=bad_moon|text=The moon is wrong."));
	assert_int_equal(authenticate_in("login", NULL), PAM_AUTHINFO_UNAVAIL);
	assert_on_screen("The moon is wrong.");
}

static void not_ours_from_pam_oidcd_is_unknown_in_silence(void **state)
{
	(void)state;
	STEPS(SENDS("status=refused|reason=not_ours|text=secret"));
	assert_int_equal(authenticate_in("login", NULL), PAM_USER_UNKNOWN);
	assert_string_equal(world.screen, "");
}

static void an_absent_pam_oidcd_is_told_to_people_who_are_ours(void **state)
{
	(void)state;
	stop_pam_oidcd();
	assert_int_equal(authenticate_in("login", NULL), PAM_AUTHINFO_UNAVAIL);
	assert_on_screen(reason_sentence(REASON_SERVICE_DOWN));
	assert_logged("pam_oidcd did not serve the sign-in of alice (pam_oidcd.socket): No such file or directory");
}

static void account_standings_have_their_results(void **state)
{
	static const struct {
		const char *standing;
		int result;
		const char *sentence;
	} rows[] = {
		{ "status=active|account=alice|uid=2000200007", PAM_SUCCESS, NULL },
		{ "status=deactivated", PAM_ACCT_EXPIRED, "This account was deactivated." },
		{ "status=lapsed", PAM_ACCT_EXPIRED, "You have not signed in to this machine with Okta for too long." },
		{ "status=promised", PAM_PERM_DENIED, "You have no account on this machine yet." },
		{ "status=elsewhere", PAM_PERM_DENIED, "may not sign in to this machine from where you are" },
		{ "status=incomplete", PAM_PERM_DENIED, "Your account on this machine is not complete yet." },
		{ "status=not_ours", PAM_USER_UNKNOWN, NULL },
		{ "status=unavailable", PAM_AUTHINFO_UNAVAIL, NULL },
		{ "", PAM_AUTHINFO_UNAVAIL, NULL },
		{ NULL, PAM_AUTHINFO_UNAVAIL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		world.screen[0] = '\0';
		world.standing = rows[i].standing;
		assert_int_equal(account_of("sshd", "alice"), rows[i].result);
		if (rows[i].sentence)
			assert_on_screen(rows[i].sentence);
		else
			assert_string_equal(world.screen, "");
	}
}

static void an_account_with_another_uid_than_the_session_is_refused(void **state)
{
	(void)state;
	world.standing = "status=active|account=alice|uid=2000200008";
	assert_int_equal(account_of("sshd", "alice"), PAM_PERM_DENIED);
	assert_on_screen(reason_sentence(REASON_UID_CHANGED));
}

static void the_account_phase_says_nothing_when_silent(void **state)
{
	struct application application = { .service = "sudo", .user = "alice" };
	pam_handle_t *pamh = open_pam(&application);

	(void)state;
	world.standing = "status=deactivated";
	assert_int_equal(pam_acct_mgmt(pamh, (int)PAM_SILENT), PAM_ACCT_EXPIRED);
	assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
	assert_string_equal(world.screen, "");
}

static void the_account_phase_knows_wrong_arguments_of_ours_only(void **state)
{
	struct application application = { .service = "login", .user = "alice", .arguments = "nonsense" };
	pam_handle_t *pamh = open_pam(&application);

	(void)state;
	assert_int_equal(pam_acct_mgmt(pamh, 0), PAM_SERVICE_ERR);
	world.standing = "status=not_ours";
	assert_int_equal(pam_acct_mgmt(pamh, 0), PAM_USER_UNKNOWN);
	assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
}

static int change_password_of(const char *user)
{
	struct application application = { .service = "passwd", .user = user };
	pam_handle_t *pamh = open_pam(&application);
	int result = pam_chauthtok(pamh, 0);

	assert_int_equal(pam_end(pamh, result), PAM_SUCCESS);
	return result;
}

static void a_managed_account_s_password_is_not_changed(void **state)
{
	(void)state;
	assert_int_equal(change_password_of("alice"), PAM_PERM_DENIED);
	assert_on_screen("You have no password on this machine: you sign in with Okta. Change it there.");
}

static void a_local_user_s_password_is_not_ours_to_refuse(void **state)
{
	(void)state;
	world.standing = "status=not_ours";
	assert_int_equal(change_password_of("alice"), PAM_USER_UNKNOWN);
	assert_int_equal(change_password_of("root"), PAM_USER_UNKNOWN);
	world.standing = NULL;
	assert_int_equal(change_password_of("alice"), PAM_AUTHINFO_UNAVAIL);
	assert_string_equal(world.screen, "");
}

static void credentials_and_sessions_are_success(void **state)
{
	struct application application = { .service = "login", .user = "alice" };
	pam_handle_t *pamh = open_pam(&application);

	(void)state;
	assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
	assert_int_equal(pam_setcred(pamh, PAM_ESTABLISH_CRED), PAM_SUCCESS);
	assert_int_equal(pam_open_session(pamh, 0), PAM_SUCCESS);
	assert_int_equal(pam_close_session(pamh, 0), PAM_SUCCESS);
	assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
}

static void no_name_at_all_is_auth_err(void **state)
{
	struct application application = { .service = "login", .user = NULL };

	(void)state;
	world.deaf = true;
	assert_int_equal(authenticate_as(&application), PAM_AUTH_ERR);
	assert_int_equal(atomic_load(&world.standings), 0);
}

/* ---- what is asked ---- */

static void a_login_says_who_and_from_where(void **state)
{
	struct application application = {
		.service = "sshd", .user = "alice", .arguments = "qr=dual timeout=60", .rhost = "192.0.2.7\x1b"
	};
	char expected[512];

	(void)state;
	assert_int_equal(authenticate_as(&application), PAM_SUCCESS);
	(void)snprintf(expected, sizeof(expected),
		       "op=login|name=alice|uid=2000200007|must_resolve=1|service=sshd|tty=ssh|rhost=192.0.2.7?|qr="
		       "dual|wait=enter|"
		       "timeout=60|parent=%ld:",
		       (long)getppid());
	assert_int_equal(strncmp(world.login, expected, strlen(expected)), 0);
}

static void outside_sshd_there_is_no_parent_and_a_new_person_no_uid(void **state)
{
	(void)state;
	world.resolves = false;
	world.standing = "status=promised";
	assert_int_equal(authenticate_in("login", NULL), PAM_SUCCESS);
	assert_string_equal(world.login, "op=login|name=alice|service=login|tty=|rhost=|qr=utf8|wait=info|timeout=55");
	assert_string_equal(world.redeemed, "op=redeem|ticket=T-5ecret|name=alice");
}

static void a_renamed_sshd_service_is_sshd_all_the_same(void **state)
{
	struct application application = { .service = "sshd-bastion", .user = "alice" };
	pam_handle_t *pamh = open_pam(&application);

	(void)state;
	STEPS(SENDS("status=refused|reason=denied"));
	assert_int_equal(pam_set_item(pamh, PAM_TTY, "ssh"), PAM_SUCCESS);
	assert_int_equal(pam_authenticate(pamh, 0), PAM_MAXTRIES);
	assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
	assert_non_null(strstr(world.login, "|service=sshd|"));
}

/* ---- the three ways to wait ---- */

static void enter_shows_everything_in_one_prompt(void **state)
{
	(void)state;
	assert_int_equal(authenticate_in("sshd", "wait=enter"), PAM_SUCCESS);
	assert_int_equal(world.said, 1);
	assert_int_equal(world.styles[0], PAM_PROMPT_ECHO_ON);
	assert_int_equal(world.screen[0], '\n');
	assert_on_screen("https://clinic.example/activate?user_code=ABCDEFGH");
	assert_on_screen("\n##\n##\nPress Enter once you have approved (1 minute 40 seconds, until ");
}

static void a_qr_that_was_not_asked_for_is_not_shown(void **state)
{
	(void)state;
	assert_int_equal(authenticate_in("login", "qr=none"), PAM_SUCCESS);
	assert_null(strstr(world.screen, "##"));
	assert_on_screen("ABCDEFGH\nor just open");
}

static void enter_pressed_too_early_waits_on(void **state)
{
	(void)state;
	STEPS(SENDS(SHOW_FOR_100_S), DOES(STEP_AFTER_PROMPT), SENDS(ADMITTED));
	assert_int_equal(authenticate_in("sshd", NULL), PAM_SUCCESS);
	assert_int_equal(atomic_load(&world.prompts), 1);
}

static void info_shows_text_and_goes_on_by_itself(void **state)
{
	(void)state;
	STEPS(SENDS(SHOW_FOR_100_S), SLEEPS(50), SENDS(ADMITTED));
	assert_int_equal(authenticate_in("login", NULL), PAM_SUCCESS);
	assert_int_equal(world.said, 1);
	assert_int_equal(world.styles[0], PAM_TEXT_INFO);
	assert_on_screen("Sign in to ward7 as alice with Okta (console).");
	/* login's own 55 seconds are shorter than the code's life */
	assert_on_screen("Waiting until you have approved (55 seconds, until ");
}

static void info_says_what_is_left_before_the_end(void **state)
{
	(void)state;
	STEPS(SENDS(SHOW "|expires_in=31"), SLEEPS(1400), SENDS(ADMITTED));
	assert_int_equal(authenticate_in("login", NULL), PAM_SUCCESS);
	assert_on_screen("\n30 seconds left.\n");
	STEPS(SENDS(SHOW "|expires_in=11"), SLEEPS(1400), SENDS(ADMITTED));
	assert_int_equal(authenticate_in("login", NULL), PAM_SUCCESS);
	assert_on_screen("\n30 seconds left.\n");
	assert_on_screen("\n10 seconds left.\n");
}

static void silent_info_shows_the_code_and_no_more(void **state)
{
	struct application application = { .service = "sudo", .user = "alice", .flags = (int)PAM_SILENT };

	(void)state;
	STEPS(SENDS(SHOW "|expires_in=11"), SLEEPS(1400),
	      SENDS("status=admitted|account=alice|uid=2000200007|ticket=T|created=1|home=/home/alice"));
	assert_int_equal(authenticate_as(&application), PAM_SUCCESS);
	assert_int_equal(world.said, 1);
	assert_on_screen("ABCDEFGH\nor scan");
}

static void retry_shows_the_text_parks_and_fails(void **state)
{
	(void)state;
	STEPS(SENDS(SHOW_FOR_100_S), DOES(STEP_PARK));
	assert_int_equal(authenticate_in("sshd", "wait=retry"), PAM_AUTH_ERR);
	assert_cancelled();
	assert_int_equal(atomic_load(&world.parks), 1);
	assert_int_equal(world.said, 1);
	assert_int_equal(world.styles[0], PAM_TEXT_INFO);
}

static void a_resumed_sign_in_waits_without_a_word(void **state)
{
	(void)state;
	STEPS(SENDS("status=show|url=https://clinic.example/activate|code=ABCDEFGH|host=ward7|resumed=1|expires_in=90"),
	      SLEEPS(50), SENDS(ADMITTED));
	assert_int_equal(authenticate_in("sshd", "wait=retry"), PAM_SUCCESS);
	assert_string_equal(world.screen, "");
}

static void retry_outside_sshd_is_info(void **state)
{
	(void)state;
	assert_int_equal(authenticate_in("login", "wait=retry"), PAM_SUCCESS);
	assert_int_equal(world.styles[0], PAM_TEXT_INFO);
}

static void the_password_method_asks_nothing_of_okta(void **state)
{
	struct application application = { .service = "sshd", .user = "alice", .title = "sshd: alice [priv]" };

	(void)state;
	assert_int_equal(authenticate_as(&application), PAM_AUTH_ERR);
	assert_int_equal(atomic_load(&world.logins), 0);
	assert_string_equal(world.screen, "");
}

static void the_password_method_is_also_known_by_its_prompt(void **state)
{
	struct application application = {
		.service = "sshd", .user = "alice", .title = "sshd: alice [pri", .arguments = "wait=info"
	};

	(void)state;
	world.no_prompt = true;
	STEPS(SENDS(SHOW_FOR_100_S));
	assert_int_equal(authenticate_as(&application), PAM_AUTH_ERR);
	assert_cancelled();
	assert_int_equal(world.styles[0], PAM_PROMPT_ECHO_ON);
}

static void a_failing_conversation_cancels_at_once(void **state)
{
	(void)state;
	world.deaf = true;
	STEPS(SENDS(SHOW_FOR_100_S));
	assert_int_equal(authenticate_in("login", "wait=info"), PAM_AUTH_ERR);
	assert_cancelled();
	atomic_store(&world.cancels, 0);
	assert_int_equal(authenticate_in("sshd", "wait=enter"), PAM_AUTH_ERR);
	assert_cancelled();
	atomic_store(&world.cancels, 0);
	assert_int_equal(authenticate_in("sshd", "wait=retry"), PAM_AUTH_ERR);
	assert_cancelled();
	assert_int_equal(atomic_load(&world.parks), 0);
}

static void a_failing_conversation_does_not_change_a_refusal(void **state)
{
	(void)state;
	world.deaf = true;
	STEPS(SENDS("status=refused|reason=denied"));
	assert_int_equal(authenticate_in("login", NULL), PAM_PERM_DENIED);
}

/* ---- Okta or the local password ---- */

#define CHOOSE "status=choose"
#define MAY_CHOOSE "status=entry|kind=active|account=alice|uid=2000200007|tenant=clinic|fallback=1"

static void the_password_that_is_typed_is_for_the_next_module(void **state)
{
	static const char *const services[] = { "login", "sshd", "su", "sudo" };

	(void)state;
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
		atomic_store(&world.prompts, 0);
		atomic_store(&world.cancels, 0);
		world.said = 0;
		world.screen[0] = world.authtok[0] = '\0';
		world.typed[0] = "correct horse";
		STEPS(SENDS(CHOOSE));
		assert_int_equal(authenticate_in(services[i], NULL), PAM_AUTHINFO_UNAVAIL);
		assert_string_equal(world.screen, "Press Enter to sign in with Okta, or type your password: \n");
		assert_int_equal(world.styles[0], PAM_PROMPT_ECHO_OFF);
		assert_string_equal(world.authtok, "correct horse");
		assert_cancelled();
	}
	assert_int_equal(atomic_load(&world.continues) + atomic_load(&world.redeems), 0);
	assert_null(strstr(world.log, "correct horse"));
	assert_logged("alice chose the local password instead of Okta");
}

static void an_empty_line_goes_on_with_okta(void **state)
{
	(void)state;
	world.typed[0] = "";
	world.typed[1] = "";
	STEPS(SENDS(CHOOSE), DOES(STEP_CONTINUE), SENDS(SHOW_FOR_100_S), SENDS(ADMITTED));
	assert_int_equal(authenticate_in("sshd", NULL), PAM_SUCCESS);
	assert_int_equal(atomic_load(&world.continues), 1);
	assert_int_equal(atomic_load(&world.prompts), 2);
	assert_int_equal(world.styles[0], PAM_PROMPT_ECHO_OFF);
	assert_int_equal(world.styles[1], PAM_PROMPT_ECHO_ON);
	assert_string_equal(world.authtok, "");
	assert_null(strstr(world.log, "local password"));
}

static void okta_may_still_refuse_whoever_chose_it(void **state)
{
	(void)state;
	world.typed[0] = "";
	STEPS(SENDS(CHOOSE), DOES(STEP_CONTINUE), SENDS("status=refused|reason=remote_from"));
	assert_int_equal(authenticate_in("login", NULL), PAM_PERM_DENIED);
	atomic_store(&world.prompts, 0);
	STEPS(SENDS(CHOOSE), DOES(STEP_CONTINUE), SENDS("status=refused|reason=issuer_unreachable"));
	assert_int_equal(authenticate_in("login", NULL), PAM_AUTHINFO_UNAVAIL);
	assert_string_equal(world.authtok, "");
}

static void a_choice_that_nobody_can_make_ends_the_sign_in(void **state)
{
	(void)state;
	world.no_prompt = true;
	STEPS(SENDS(CHOOSE));
	assert_int_equal(authenticate_in("login", NULL), PAM_AUTH_ERR);
	assert_cancelled();
	assert_string_equal(world.authtok, "");
	assert_logged("the choice between Okta and the password was not made");
}

static void a_password_that_pam_does_not_take_ends_the_sign_in(void **state)
{
	(void)state;
	world.typed[0] = "correct horse";
	world.no_authtok = true;
	STEPS(SENDS(CHOOSE));
	assert_int_equal(authenticate_in("login", NULL), PAM_BUF_ERR);
	assert_cancelled();
}

static void the_choice_is_offered_once_and_before_the_code(void **state)
{
	(void)state;
	world.typed[0] = "";
	STEPS(SENDS(CHOOSE), SENDS(CHOOSE));
	assert_int_equal(authenticate_in("login", NULL), PAM_AUTHINFO_UNAVAIL);
	assert_on_screen(reason_sentence(REASON_INTERNAL));
	world.screen[0] = '\0';
	STEPS(SENDS(SHOW_FOR_100_S), SENDS(CHOOSE));
	assert_int_equal(authenticate_in("login", NULL), PAM_AUTHINFO_UNAVAIL);
	assert_on_screen(reason_sentence(REASON_INTERNAL));
	assert_string_equal(world.authtok, "");
}

static void without_a_place_the_password_is_still_there(void **state)
{
	(void)state;
	STEPS(SENDS("status=refused|reason=limit|password_instead=1|text=Too many just now."));
	assert_int_equal(authenticate_in("sshd", NULL), PAM_AUTHINFO_UNAVAIL);
	assert_on_screen("Too many just now.");
}

static void a_choice_over_ssh_needs_a_name_that_resolves(void **state)
{
	(void)state;
	world.resolves = false;
	STEPS(SENDS(CHOOSE));
	assert_int_equal(authenticate_in("sshd", NULL), PAM_AUTHINFO_UNAVAIL);
	assert_int_equal(atomic_load(&world.prompts), 0);
	assert_logged("alice does not resolve inside sshd");
}

static void the_password_method_is_for_those_who_may_use_the_password(void **state)
{
	struct application application = { .service = "sshd", .user = "alice", .title = "sshd: alice [priv]" };

	(void)state;
	world.lookup = MAY_CHOOSE;
	assert_int_equal(authenticate_as(&application), PAM_AUTHINFO_UNAVAIL);
	assert_string_equal(world.looked_up, "op=lookup|name=alice|purpose=login|service=sshd");
	assert_int_equal(atomic_load(&world.logins), 0);
	assert_string_equal(world.screen, "");
	assert_string_equal(world.authtok, "");
}

static void the_password_method_is_for_nobody_else(void **state)
{
	static const char *const lookups[] = {
		NULL,
		"",
		"status=unavailable",
		"status=not_ours",
		"status=refused|reason=use_short_name|fallback=1",
		"status=entry|account=alice|uid=2000200007",
		"status=entry|account=alice|fallback=0",
		"status=entry|account=alice|fallback=1|fallback=1",
		"status=entry|account=bob|fallback=1",
		"status=entry|fallback=1",
	};
	struct application application = { .service = "sshd", .user = "alice", .title = "sshd: alice [priv]" };
	struct application email = { .service = "sshd", .user = "alice@clinic.example", .title = "sshd: a [priv]" };

	(void)state;
	for (size_t i = 0; i < sizeof(lookups) / sizeof(lookups[0]); i++) {
		world.lookup = lookups[i];
		assert_int_equal(authenticate_as(&application), PAM_AUTH_ERR);
	}
	world.lookup = MAY_CHOOSE;
	assert_int_equal(authenticate_as(&email), PAM_AUTH_ERR);
	assert_int_equal(atomic_load(&world.logins), 0);
}

static void whoever_is_expected_is_a_local_user_until_then(void **state)
{
	(void)state;
	world.standing = "status=expected";
	world.typed[0] = "correct horse";
	STEPS(SENDS(CHOOSE));
	assert_int_equal(authenticate_in("login", NULL), PAM_AUTHINFO_UNAVAIL);
	assert_int_equal(atomic_load(&world.logins), 1);
	assert_int_equal(account_of("login", "alice"), PAM_USER_UNKNOWN);
	assert_int_equal(change_password_of("alice"), PAM_USER_UNKNOWN);
}

static void who_may_use_the_password_may_change_it(void **state)
{
	(void)state;
	world.lookup = MAY_CHOOSE;
	assert_int_equal(change_password_of("alice"), PAM_USER_UNKNOWN);
	assert_string_equal(world.screen, "");
	/* A deactivated account's is not asked about. */
	world.standing = "status=deactivated";
	assert_int_equal(change_password_of("alice"), PAM_PERM_DENIED);
}

/* ---- the room ---- */

#define ROOMS "|ask=room|room=Exam 1|room=Exam 2|room=Front desk"
#define ASKED "One question before your first session: which room is yours?"
#define ANSWERED_EXAM_2 "op=answer|name=alice|uid=2000200007|room=Exam 2"

/* Signs alice in at the console, where no other prompt is; she types these. */
static int choose_room(const char *first, const char *second, const char *third)
{
	const char *typed[] = { first, second, third };

	memcpy(world.typed, typed, sizeof(typed));
	atomic_store(&world.prompts, 0);
	atomic_store(&world.answers, 0);
	world.screen[0] = world.answered[0] = '\0';
	world.said = 0;
	return authenticate_in("login", NULL);
}

static void a_room_is_chosen_by_its_number_or_its_name(void **state)
{
	static const char *const typed[] = { "2", " 2 ", "02", "Exam 2", "Exam 2\t" };

	(void)state;
	world.redeem = CONFIRMED ROOMS;
	for (size_t i = 0; i < sizeof(typed) / sizeof(typed[0]); i++) {
		assert_int_equal(choose_room(typed[i], NULL, NULL), PAM_SUCCESS);
		assert_int_equal(atomic_load(&world.prompts), 1);
		assert_int_equal(world.styles[1], PAM_PROMPT_ECHO_ON);
		assert_on_screen(ASKED "\n 1  Exam 1\n");
		assert_on_screen("Front desk\nType its number or its name: ");
		assert_string_equal(world.answered, ANSWERED_EXAM_2);
	}
}

static void there_are_three_tries(void **state)
{
	static const char again[] = "Not in the list. Type a number from 1 to 3, or a name: ";

	(void)state;
	world.redeem = CONFIRMED ROOMS;
	assert_int_equal(choose_room("4", "exam 2", "Exam 2"), PAM_SUCCESS);
	assert_int_equal(atomic_load(&world.prompts), 3);
	assert_int_equal(count_of(world.screen, again), 2);
	assert_on_screen(ASKED);
	assert_string_equal(world.answered, ANSWERED_EXAM_2);
}

static void three_wrong_answers_end_the_sign_in(void **state)
{
	(void)state;
	world.redeem = CONFIRMED ROOMS;
	assert_int_equal(choose_room("0", "", "../2"), PAM_AUTH_ERR);
	assert_int_equal(atomic_load(&world.prompts), 3);
	assert_int_equal(atomic_load(&world.answers), 0);
	assert_on_screen("No room was chosen, so you are not signed in. Start again to choose one.");
	assert_null(strstr(world.log, "signed in with Okta as"));
	/* In sshd the client would try again by itself, which costs another code. */
	assert_int_equal(authenticate_in("sshd", NULL), PAM_MAXTRIES);
	assert_int_equal(atomic_load(&world.answers), 0);
}

static void a_question_that_nobody_can_answer_ends_the_sign_in(void **state)
{
	(void)state;
	world.redeem = CONFIRMED ROOMS;
	world.no_prompt = true;
	assert_int_equal(authenticate_in("login", NULL), PAM_AUTH_ERR);
	assert_int_equal(atomic_load(&world.answers), 0);
	assert_logged("alice not signed in: the question for the room was not answered");
}

static void a_question_has_the_modules_timeout(void **state)
{
	(void)state;
	world.redeem = CONFIRMED ROOMS;
	world.typed[0] = "1";
	world.reads_ms = 5200;
	assert_int_equal(authenticate_in("login", "timeout=5"), PAM_AUTH_ERR);
	assert_int_equal(atomic_load(&world.answers), 0);
	assert_on_screen("The question was not answered in time, so you are not signed in. Start again.");
}

static void a_room_that_provisiond_does_not_take_is_refused(void **state)
{
	static const struct {
		const char *answer;
		int result;
		const char *sentence;
	} rows[] = {
		{ "status=refused|text=There is no such room any more.", PAM_PERM_DENIED, "There is no such room" },
		{ "status=refused|reason=deactivated", PAM_PERM_DENIED, "This account was deactivated." },
		{ "status=refused|reason=not_ours|text=Nobody.", PAM_PERM_DENIED, "Nobody." },
		{ "status=refused|reason=service_down", PAM_PERM_DENIED, "could not be stored" },
		{ "status=refused|text=\x1b[2J\n", PAM_PERM_DENIED, "?[2J?" },
		{ "status=active", PAM_AUTHINFO_UNAVAIL, "does not answer" },
		{ NULL, PAM_AUTHINFO_UNAVAIL, "does not answer" },
	};

	(void)state;
	world.redeem = CONFIRMED ROOMS;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		world.answer = rows[i].answer;
		assert_int_equal(choose_room("2", NULL, NULL), rows[i].result);
		assert_on_screen(rows[i].sentence);
	}
	assert_null(strstr(world.log, "signed in with Okta as"));
}

static void a_question_that_cannot_be_asked_is_no_success(void **state)
{
	static char many[4096] = CONFIRMED "|ask=room";
	static const char *const redeems[] = {
		CONFIRMED "|ask=room",
		CONFIRMED "|ask=shoe_size|room=Exam 1",
		CONFIRMED "|ask=room|ask=room|room=Exam 1",
		CONFIRMED "|ask=room|room=",
		CONFIRMED "|ask=room|room=aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggg",
		many,
	};

	(void)state;
	for (int i = 0; i < 100; i++)
		(void)strcat(many, "|room=x");
	for (size_t i = 0; i < sizeof(redeems) / sizeof(redeems[0]); i++) {
		world.redeem = redeems[i];
		assert_int_equal(choose_room("1", NULL, NULL), PAM_PERM_DENIED);
		assert_on_screen(reason_sentence(REASON_TICKET));
	}
	assert_int_equal(atomic_load(&world.answers), 0);
}

static void rooms_of_all_languages_are_shown_and_escapes_are_not(void **state)
{
	(void)state;
	world.redeem = CONFIRMED "|ask=room|room=B\u00fcro|room=\x1b[2Jx|room=\u8a3a\u5bdf";
	assert_int_equal(choose_room("2", NULL, NULL), PAM_SUCCESS);
	assert_on_screen(" 1  B\u00fcro\n");
	assert_on_screen(" 2  ?[2Jx\n");
	assert_on_screen(" 3  \u8a3a\u5bdf\n");
	assert_int_equal(choose_room("B\u00fcro", NULL, NULL), PAM_SUCCESS);
	assert_string_equal(world.answered, "op=answer|name=alice|uid=2000200007|room=B\u00fcro");
}

static void the_person_is_told_which_room_was_chosen(void **state)
{
	struct application application = { .service = "login", .user = "alice" };
	pam_handle_t *pamh = open_pam(&application);

	(void)state;
	world.redeem = CONFIRMED ROOMS;
	world.typed[0] = "3";
	assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
	assert_null(strstr(world.screen, "Your room is"));
	assert_int_equal(pam_setcred(pamh, PAM_ESTABLISH_CRED), PAM_SUCCESS);
	assert_on_screen("\nYour room is Front desk.\n");
	assert_null(pam_getenv(pamh, "PAM_OIDC_WELCOME"));
	assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
}

static void a_new_person_is_welcomed_and_told_the_room(void **state)
{
	struct application application = { .service = "login", .user = "alice" };
	pam_handle_t *pamh = open_pam(&application);

	(void)state;
	STEPS(SENDS(SHOW_FOR_100_S),
	      SENDS("status=admitted|account=alice|uid=2000200007|ticket=T|created=1|home=/home/alice"));
	world.redeem = CONFIRMED ROOMS;
	world.typed[0] = "1";
	assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
	assert_int_equal(pam_setcred(pamh, PAM_ESTABLISH_CRED), PAM_SUCCESS);
	assert_on_screen("Welcome! A local account was made for you: alice (uid 2000200007), home /home/alice. Your "
			 "room is Exam 1.");
	assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
}

static void the_account_that_is_asked_for_its_room_is_the_one_that_was_promised(void **state)
{
	(void)state;
	world.redeem = "status=confirmed|account=bob|uid=2000200007" ROOMS;
	assert_int_equal(choose_room("1", NULL, NULL), PAM_PERM_DENIED);
	world.redeem = "status=confirmed|account=alice|uid=2000200008" ROOMS;
	assert_int_equal(choose_room("1", NULL, NULL), PAM_PERM_DENIED);
	assert_int_equal(atomic_load(&world.answers) + atomic_load(&world.prompts), 0);
}

/* ---- what the session is told ---- */

static pam_handle_t *account_phase(void)
{
	struct application application = { .service = "cron", .user = "alice" };
	pam_handle_t *pamh = open_pam(&application);

	assert_int_equal(pam_acct_mgmt(pamh, 0), PAM_SUCCESS);
	return pamh;
}

static void the_session_is_told_email_and_room(void **state)
{
	pam_handle_t *pamh;

	(void)state;
	world.standing = "status=active|account=alice|uid=2000200007|email=alice@clinic.example|room=B\u00fcro 1";
	pamh = account_phase();
	assert_string_equal(pam_getenv(pamh, "OIDC_EMAIL"), "alice@clinic.example");
	assert_string_equal(pam_getenv(pamh, "OIDC_ROOM"), "B\u00fcro 1");
	assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
}

static void what_the_session_cannot_be_told_is_left_out(void **state)
{
	static const char *const facts[] = {
		"",
		"|email=|room=",
		"|email=alice|room=\x1b[2J",
		"|email=alice@clinic.example|email=bob@clinic.example|room=1|room=2",
		"|email=al ice@clinic.example|room=Exam\n1",
		"|room=aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggg",
		"|room=\xff\xfe",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		char standing[512];
		pam_handle_t *pamh;

		(void)snprintf(standing, sizeof(standing), "status=active|account=alice|uid=2000200007%s", facts[i]);
		world.standing = standing;
		pamh = account_phase();
		assert_null(pam_getenv(pamh, "OIDC_EMAIL"));
		assert_null(pam_getenv(pamh, "OIDC_ROOM"));
		assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
	}
}

static void no_memory_for_what_the_session_is_told_keeps_nobody_out(void **state)
{
	(void)state;
	world.no_putenv = true;
	world.standing = "status=active|account=alice|uid=2000200007|email=alice@clinic.example|room=Exam 1";
	assert_int_equal(account_of("sshd", "alice"), PAM_SUCCESS);
}

/* ---- ends without an answer ---- */

static void the_deadline_ends_the_wait_and_cancels(void **state)
{
	int64_t began = wire_now_ms();

	(void)state;
	STEPS(SENDS(SHOW "|expires_in=1"));
	assert_int_equal(authenticate_in("login", NULL), PAM_AUTH_ERR);
	assert_cancelled();
	assert_true(wire_now_ms() - began < 4000);
	assert_on_screen(reason_sentence(REASON_EXPIRED));
}

static void a_daemon_that_shows_nothing_ends_at_the_deadline(void **state)
{
	int64_t began = wire_now_ms();

	(void)state;
	STEPS(DOES(STEP_END));
	assert_int_equal(authenticate_in("login", "timeout=5"), PAM_AUTHINFO_UNAVAIL);
	assert_cancelled();
	assert_on_screen(reason_sentence(REASON_SERVICE_DOWN));
	assert_true(wire_now_ms() - began < 8000);
}

static void a_daemon_that_hangs_up_is_a_service_down(void **state)
{
	(void)state;
	STEPS(DOES(STEP_HANG_UP));
	assert_int_equal(authenticate_in("login", NULL), PAM_AUTHINFO_UNAVAIL);
	assert_on_screen(reason_sentence(REASON_SERVICE_DOWN));
	assert_int_equal(atomic_load(&world.logins), 2);
}

static void a_daemon_that_hangs_up_before_it_showed_anything_is_asked_again_in_silence(void **state)
{
	(void)state;
	world.hang_ups = 1;
	STEPS(SENDS(SHOW_FOR_100_S), SENDS(ADMITTED));
	assert_int_equal(authenticate_in("login", NULL), PAM_SUCCESS);
	assert_int_equal(atomic_load(&world.logins), 2);
	assert_null(strstr(world.screen, reason_sentence(REASON_SERVICE_DOWN)));
}

static void whoever_looks_at_a_code_when_the_daemon_goes_is_told_to_start_again_and_asked_for_no_password(void **state)
{
	static const char told[] = "status=refused|reason=restarted|text=Start again, please.";

	(void)state;
	STEPS(SENDS(SHOW_FOR_100_S), DOES(STEP_HANG_UP));
	assert_int_equal(authenticate_in("login", NULL), PAM_AUTH_ERR);
	assert_on_screen(reason_sentence(REASON_RESTARTED));
	assert_int_equal(atomic_load(&world.logins), 1);
	assert_int_equal(authenticate_in("sshd", NULL), PAM_MAXTRIES);
	STEPS(SENDS(SHOW_FOR_100_S), SENDS(told), DOES(STEP_HANG_UP));
	assert_int_equal(authenticate_in("login", NULL), PAM_AUTH_ERR);
	assert_on_screen("Start again, please.");
	assert_int_equal(authenticate_in("sshd", NULL), PAM_MAXTRIES);
}

static void a_daemon_that_talks_nonsense_is_cut_off(void **state)
{
	static const char *const answers[] = {
		"op=login",
		"status=",
		"status=surprise",
		"status=show",
		"status=show|url=u|code=c|host=h",
		"status=show|url=u|code=c|host=h|expires_in=-1",
		"status=show|url=u|code=c|host=h|expires_in=many",
		"status=show|url=u|code=c|host=h|expires_in=99999999999999999999",
		"status=show|url=u|url=v|code=c|host=h|expires_in=9",
		"status=show|url=u|code=c|host=h|expires_in=9|resumed=2",
		"status=show|url=u|code=c|code=d|host=h|expires_in=9",
		"status=show|url=u|code=c|expires_in=9",
		ADMITTED,
		"status=refused|reason=denied|quiet=maybe",
		"Status=show",
		"=",
		"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		world.screen[0] = '\0';
		STEPS(SENDS(answers[i]));
		assert_int_equal(authenticate_in("login", NULL), PAM_AUTHINFO_UNAVAIL);
		assert_string_equal(world.screen,
				    "Something went wrong on this machine. Tell your administrator; the system log "
				    "says what.\n");
	}
	assert_int_equal(atomic_load(&world.redeems), 0);
	assert_logged("Protocol error");
}

static void a_daemon_that_shows_twice_or_admits_nobody_is_cut_off(void **state)
{
	static const char *const answers[] = {
		"status=admitted|account=alice|uid=2000200007",
		"status=admitted|account=alice|ticket=T",
		"status=admitted|uid=2000200007|ticket=T",
		"status=admitted|account=../alice|uid=2000200007|ticket=T",
		"status=admitted|account=alice|uid=-1|ticket=T",
		"status=admitted|account=alice|uid=4294967295|ticket=T",
		"status=admitted|account=alice|uid=2000200007|ticket=T|ticket=U",
		"status=admitted|account=alice|uid=2000200007|ticket=T|created=yes",
	};

	(void)state;
	STEPS(SENDS(SHOW_FOR_100_S), SENDS(SHOW_FOR_100_S));
	assert_int_equal(authenticate_in("login", NULL), PAM_AUTHINFO_UNAVAIL);
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		STEPS(SENDS(SHOW_FOR_100_S), SENDS(answers[i]));
		assert_int_equal(authenticate_in("login", NULL), PAM_AUTHINFO_UNAVAIL);
	}
	assert_int_equal(atomic_load(&world.redeems), 0);
}

static void an_oversized_or_unended_packet_is_cut_off(void **state)
{
	static const char unended[] = { 's', 't', 'a', 't', 'u', 's', '=', 'x' };

	(void)state;
	STEPS({ .kind = STEP_SEND_BYTES, .bytes = WIRE_MAX + 4096 });
	assert_int_equal(authenticate_in("login", NULL), PAM_AUTHINFO_UNAVAIL);
	STEPS({ .kind = STEP_SEND_BYTES, .text = unended, .bytes = sizeof(unended) });
	assert_int_equal(authenticate_in("login", NULL), PAM_AUTHINFO_UNAVAIL);
	STEPS({ .kind = STEP_SEND_BYTES, .text = "\0\0\0\0", .bytes = 4 });
	assert_int_equal(authenticate_in("login", NULL), PAM_AUTHINFO_UNAVAIL);
}

static void escape_sequences_of_a_daemon_reach_neither_screen_nor_log(void **state)
{
	(void)state;
	STEPS(SENDS("status=show|url=\x1b[2Ju|complete=\x1b]0;x\a|code=\x1b#|host=\x1b[31mh|expires_in=9|qr=\x1b[7m "
		    "\x1b[0m"),
	      SENDS("status=refused|reason=denied|text=\x1b[1mBold.\r\nfake log line"));
	assert_int_equal(authenticate_in("login", NULL), PAM_PERM_DENIED);
	assert_on_screen("Sign in to ?[31mh as alice");
	assert_on_screen("?[1mBold.??fake log line");
	assert_null(strchr(world.screen, '\x1b'));
	assert_null(strstr(world.log, "\nfake"));
}

/* ---- tickets ---- */

/* What the module makes of an admission and of provisiond's word on it. */
static int redeem_as(const char *admitted, const char *confirmed)
{
	world.screen[0] = '\0';
	world.redeem = confirmed;
	STEPS(SENDS(SHOW_FOR_100_S), SENDS(admitted));
	return authenticate_in("login", NULL);
}

static void a_made_up_ticket_is_refused(void **state)
{
	(void)state;
	assert_int_equal(redeem_as(ADMITTED, "status=no"), PAM_PERM_DENIED);
	assert_on_screen(reason_sentence(REASON_TICKET));
	assert_logged("pam_oidcd admitted alice as alice (uid 2000200007), which provisiond does not confirm");
	STEPS(SENDS(SHOW_FOR_100_S), SENDS(ADMITTED));
	assert_int_equal(authenticate_in("sshd", NULL), PAM_MAXTRIES);
}

static void a_confirmation_of_anybody_else_is_refused(void **state)
{
	static const struct {
		const char *admitted, *confirmed;
	} rows[] = {
		{ "status=admitted|account=root|uid=0|ticket=T", "status=confirmed|account=root|uid=0" },
		{ "status=admitted|account=alice|uid=0|ticket=T", "status=confirmed|account=alice|uid=0" },
		{ "status=admitted|account=bob|uid=2000200007|ticket=T",
		  "status=confirmed|account=bob|uid=2000200007" },
		{ "status=admitted|account=alice|uid=2000200008|ticket=T",
		  "status=confirmed|account=alice|uid=2000200008" },
		{ ADMITTED, "status=confirmed|account=bob|uid=2000200007" },
		{ ADMITTED, "status=confirmed|account=alice|uid=2000200008" },
		{ ADMITTED, "status=confirmed|account=alice" },
		{ ADMITTED, "status=confirmed|uid=2000200007" },
		{ ADMITTED, "status=confirmed" },
		{ ADMITTED, "status=active|account=alice|uid=2000200007" },
		{ ADMITTED, "op=confirmed|account=alice|uid=2000200007" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(redeem_as(rows[i].admitted, rows[i].confirmed), PAM_PERM_DENIED);
		assert_on_screen(reason_sentence(REASON_TICKET));
	}
}

static void a_new_person_s_short_name_must_be_the_account(void **state)
{
	(void)state;
	world.resolves = false;
	assert_int_equal(
		redeem_as("status=admitted|account=bob|uid=5000|ticket=T", "status=confirmed|account=bob|uid=5000"),
		PAM_PERM_DENIED);
}

static void an_email_must_be_confirmed_as_what_was_admitted(void **state)
{
	struct application application = { .service = "login", .user = "alice@clinic.example" };

	(void)state;
	world.resolves = false;
	world.redeem = "status=confirmed|account=bob|uid=2000200007";
	assert_int_equal(authenticate_as(&application), PAM_PERM_DENIED);
	world.redeem = "status=confirmed|account=alice|uid=2000200008";
	assert_int_equal(authenticate_as(&application), PAM_PERM_DENIED);
}

static void a_provisiond_that_was_started_anew_has_the_person_start_again(void **state)
{
	(void)state;
	assert_int_equal(redeem_as(ADMITTED, "status=no|reason=restarted"), PAM_AUTH_ERR);
	assert_on_screen(reason_sentence(REASON_RESTARTED));
	/* No other reason is known there. */
	assert_int_equal(redeem_as(ADMITTED, "status=no|reason=service_down"), PAM_PERM_DENIED);
}

static void a_provisiond_that_hangs_up_is_asked_once_more(void **state)
{
	(void)state;
	world.redeem_hang_ups = 1;
	assert_int_equal(redeem_as(ADMITTED, "status=confirmed|account=alice|uid=2000200007"), PAM_SUCCESS);
	assert_int_equal(atomic_load(&world.redeems), 2);
}

static void a_provisiond_that_dies_before_it_confirms_is_unavailable(void **state)
{
	(void)state;
	assert_int_equal(redeem_as(ADMITTED, NULL), PAM_AUTHINFO_UNAVAIL);
	assert_on_screen(reason_sentence(REASON_SERVICE_DOWN));
	assert_logged("provisiond did not confirm the sign-in of alice");
}

/* ---- the session's names, and the first words ---- */

static void an_email_at_the_console_becomes_the_account(void **state)
{
	struct application application = { .service = "login", .user = "alice@clinic.example" };
	pam_handle_t *pamh = open_pam(&application);
	const void *user = NULL;

	(void)state;
	world.resolves = false;
	assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
	assert_int_equal(pam_get_item(pamh, PAM_USER, &user), PAM_SUCCESS);
	assert_string_equal(user, "alice");
	assert_null(pam_getenv(pamh, "USER"));
	assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
	assert_string_equal(world.redeemed, "op=redeem|ticket=T-5ecret|name=alice@clinic.example");
}

static void an_email_over_ssh_keeps_pam_user_and_names_the_session(void **state)
{
	struct application application = { .service = "sshd", .user = "alice@clinic.example" };
	pam_handle_t *pamh = open_pam(&application);
	const void *user = NULL;

	(void)state;
	assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
	assert_int_equal(pam_get_item(pamh, PAM_USER, &user), PAM_SUCCESS);
	assert_string_equal(user, "alice@clinic.example");
	assert_string_equal(pam_getenv(pamh, "USER"), "alice");
	assert_string_equal(pam_getenv(pamh, "LOGNAME"), "alice");
	assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
}

static void an_email_with_a_public_key_names_the_session_too(void **state)
{
	struct application application = { .service = "sshd",
					   .user = "alice@clinic.example",
					   .title = "sshd: alice [priv]" };
	pam_handle_t *pamh = open_pam(&application);

	(void)state;
	assert_int_equal(pam_acct_mgmt(pamh, 0), PAM_SUCCESS);
	assert_string_equal(pam_getenv(pamh, "USER"), "alice");
	assert_string_equal(pam_getenv(pamh, "LOGNAME"), "alice");
	assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
}

static void a_short_name_changes_nothing(void **state)
{
	struct application application = { .service = "sshd", .user = "alice" };
	pam_handle_t *pamh = open_pam(&application);

	(void)state;
	assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
	assert_null(pam_getenv(pamh, "USER"));
	assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
}

static void a_new_account_is_welcomed_once_when_the_credentials_are_set(void **state)
{
	static const char welcome[] =
		"Welcome! A local account was made for you: alice (uid 2000200007), home /home/al?ice.";
	struct application application = { .service = "login", .user = "alice" };
	pam_handle_t *pamh = open_pam(&application);

	(void)state;
	STEPS(SENDS(SHOW_FOR_100_S),
	      SENDS("status=admitted|account=alice|uid=2000200007|ticket=T|created=1|home=/home/al\x1bice"));
	assert_int_equal(pam_authenticate(pamh, 0), PAM_SUCCESS);
	assert_null(strstr(world.screen, "Welcome"));
	assert_int_equal(pam_setcred(pamh, PAM_ESTABLISH_CRED), PAM_SUCCESS);
	assert_on_screen(welcome);
	assert_null(pam_getenv(pamh, "PAM_OIDC_WELCOME"));
	assert_int_equal(pam_setcred(pamh, PAM_ESTABLISH_CRED), PAM_SUCCESS);
	assert_on_screen(welcome);
	assert_int_equal(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
}

static void enter_is_reported_once_it_is_pressed(void **state)
{
	(void)state;
	STEPS(SENDS(SHOW_FOR_100_S), DOES(STEP_AFTER_PROMPT), SENDS(ADMITTED), DOES(STEP_END));
	assert_int_equal(authenticate_in("sshd", NULL), PAM_SUCCESS);
	assert_cancelled();
	assert_int_equal(atomic_load(&world.readies), 1);
	atomic_store(&world.cancels, 0);
	STEPS(SENDS(SHOW_FOR_100_S), SENDS(ADMITTED), DOES(STEP_END));
	assert_int_equal(authenticate_in("login", NULL), PAM_SUCCESS);
	assert_cancelled();
	assert_int_equal(atomic_load(&world.readies), 1);
}

static void a_short_name_that_does_not_resolve_in_sshd_reads_why_and_sees_no_code(void **state)
{
	(void)state;
	world.resolves = false;
	world.standing = "status=promised";
	STEPS(SENDS("status=refused|reason=home_exists|text=The home is there."));
	assert_int_equal(authenticate_in("sshd", NULL), PAM_MAXTRIES);
	assert_on_screen("The home is there.");
	assert_non_null(strstr(world.login, "|must_resolve=1|"));
	STEPS(SENDS(SHOW_FOR_100_S));
	assert_int_equal(authenticate_in("sshd", NULL), PAM_AUTHINFO_UNAVAIL);
	assert_on_screen(reason_sentence(REASON_MISCONFIGURED));
	assert_logged("/etc/nsswitch.conf");
	assert_null(strstr(world.screen, "ABCDEFGH"));
}

static void an_email_that_does_not_resolve_in_sshd_is_told_the_short_name(void **state)
{
	struct application application = { .service = "sshd", .user = "alice@clinic.example" };

	(void)state;
	world.resolves = false;
	STEPS(SENDS("status=refused|reason=use_short_name|text=Use alice here."));
	assert_int_equal(authenticate_as(&application), PAM_MAXTRIES);
	assert_on_screen("Use alice here.");
	assert_cancelled();
	atomic_store(&world.cancels, 0);
	STEPS(SENDS(SHOW_FOR_100_S));
	assert_int_equal(authenticate_as(&application), PAM_AUTHINFO_UNAVAIL);
	assert_cancelled();
	assert_null(strstr(world.screen, "ABCDEFGH"));
}

/* ---- the ssh client ---- */

/* Connects over loopback; another process holds the client's end. */
static void connect_client(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	_cleanup_fd_ int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	_cleanup_fd_ int far = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(listener, (const struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	assert_int_equal(connect(far, (const struct sockaddr *)&address, size), 0);
	world.client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(world.client >= 0);
	world.far = fork();
	if (world.far == 0) {
		(void)close(world.client);
		for (;;)
			(void)pause();
	}
	assert_true(world.far > 0);
}

static int authenticate_over_ssh(const char *arguments, const char *rhost)
{
	struct application application = { .service = "sshd", .user = "alice", .arguments = arguments, .rhost = rhost };

	return authenticate_as(&application);
}

static void a_client_that_stays_is_signed_in(void **state)
{
	(void)state;
	connect_client();
	assert_int_equal(authenticate_over_ssh("wait=info", "127.0.0.1"), PAM_SUCCESS);
}

static void a_client_that_goes_cancels_within_a_moment(void **state)
{
	int64_t began;

	(void)state;
	connect_client();
	STEPS(SENDS(SHOW_FOR_100_S), SLEEPS(100), DOES(STEP_CLIENT_GOES));
	began = wire_now_ms();
	assert_int_equal(authenticate_over_ssh("wait=info", "127.0.0.1"), PAM_AUTH_ERR);
	assert_true(wire_now_ms() - began < 2000);
	assert_cancelled();
	assert_int_equal(atomic_load(&world.redeems), 0);
	assert_logged("alice not signed in: the client has gone");
}

static void a_client_that_goes_before_the_code_cancels_too(void **state)
{
	(void)state;
	connect_client();
	STEPS(DOES(STEP_CLIENT_GOES));
	assert_int_equal(authenticate_over_ssh("wait=enter", "127.0.0.1"), PAM_AUTH_ERR);
	assert_cancelled();
	assert_string_equal(world.screen, "");
}

static void nothing_is_redeemed_for_a_client_that_has_gone(void **state)
{
	(void)state;
	connect_client();
	STEPS(SENDS(SHOW_FOR_100_S), SLEEPS(50), DOES(STEP_CLIENT_GOES), SENDS(ADMITTED));
	assert_int_equal(authenticate_over_ssh("wait=info", "127.0.0.1"), PAM_AUTH_ERR);
	assert_int_equal(atomic_load(&world.redeems), 0);
}

static void nothing_is_parked_for_a_client_that_has_gone(void **state)
{
	(void)state;
	connect_client();
	STEPS(DOES(STEP_CLIENT_GOES), SENDS(SHOW_FOR_100_S), DOES(STEP_PARK));
	assert_int_equal(authenticate_over_ssh("wait=retry", "127.0.0.1"), PAM_AUTH_ERR);
	assert_int_equal(atomic_load(&world.parks), 0);
}

static void nothing_is_kept_for_a_client_that_goes_while_reading(void **state)
{
	(void)state;
	connect_client();
	world.leaves = true;
	STEPS(SENDS(SHOW_FOR_100_S), DOES(STEP_PARK));
	assert_int_equal(authenticate_over_ssh("wait=retry", "127.0.0.1"), PAM_AUTH_ERR);
	assert_cancelled();
	assert_int_equal(atomic_load(&world.parks), 0);
}

static void no_room_is_taken_from_a_client_that_goes_while_reading(void **state)
{
	(void)state;
	connect_client();
	world.redeem = CONFIRMED ROOMS;
	world.typed[1] = "1";
	world.leaves_at = 2;
	assert_int_equal(authenticate_over_ssh("wait=enter", "127.0.0.1"), PAM_AUTH_ERR);
	assert_int_equal(atomic_load(&world.prompts), 2);
	assert_int_equal(atomic_load(&world.answers), 0);
	assert_logged("the client has gone");
}

static void a_client_known_by_name_is_watched_as_well(void **state)
{
	(void)state;
	connect_client();
	STEPS(SENDS(SHOW_FOR_100_S), SLEEPS(50), DOES(STEP_CLIENT_GOES));
	assert_int_equal(authenticate_over_ssh("wait=info", "laptop.clinic.example"), PAM_AUTH_ERR);
	assert_cancelled();
}

static void somebody_else_s_connection_does_not_count(void **state)
{
	(void)state;
	connect_client();
	STEPS(SENDS(SHOW_FOR_100_S), DOES(STEP_CLIENT_GOES), SLEEPS(50), SENDS(ADMITTED));
	assert_int_equal(authenticate_over_ssh("wait=info", "192.0.2.7"), PAM_SUCCESS);
}

static void connections_of_other_programs_do_not_count(void **state)
{
	struct application application = { .service = "su", .user = "alice", .rhost = "127.0.0.1" };

	(void)state;
	connect_client();
	STEPS(SENDS(SHOW_FOR_100_S), DOES(STEP_CLIENT_GOES), SLEEPS(50), SENDS(ADMITTED));
	assert_int_equal(authenticate_as(&application), PAM_SUCCESS);
}

/* ---- inside odd programs ---- */

/* Signs in within a child in which `prepare` was called first. Returns the PAM result. */
static int authenticate_in_child(void (*prepare)(void), const char *service)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		struct application application = { .service = service, .user = "alice" };
		pam_handle_t *pamh = open_pam(&application);
		int result;

		/* libpam reads its files and loads the module first. */
		(void)pam_close_session(pamh, 0);
		prepare();
		result = pam_authenticate(pamh, 0);
		(void)pam_end(pamh, result);
		_exit(result);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void close_standard_descriptors(void)
{
	(void)close(STDIN_FILENO);
	(void)close(STDOUT_FILENO);
	(void)close(STDERR_FILENO);
}

static void it_works_with_closed_standard_descriptors(void **state)
{
	(void)state;
	world.prints = true;
	assert_int_equal(authenticate_in_child(close_standard_descriptors, "login"), PAM_SUCCESS);
	assert_cancelled();
	atomic_store(&world.cancels, 0);
	assert_int_equal(authenticate_in_child(close_standard_descriptors, "sshd"), PAM_SUCCESS);
	assert_cancelled();
	assert_int_equal(atomic_load(&world.surprises), 0);
}

static void on_alarm(int signal_number)
{
	(void)signal_number;
}

static void be_interrupted_every_millisecond(void)
{
	const struct sigaction action = { .sa_handler = on_alarm };
	const struct itimerval often = { .it_interval = { .tv_usec = 1000 }, .it_value = { .tv_usec = 1000 } };

	(void)sigaction(SIGALRM, &action, NULL);
	(void)setitimer(ITIMER_REAL, &often, NULL);
}

static void it_works_while_signals_interrupt_it(void **state)
{
	(void)state;
	world.gate_takes_ms = 50;
	STEPS(SENDS(SHOW_FOR_100_S), SLEEPS(100), SENDS(ADMITTED));
	assert_int_equal(authenticate_in_child(be_interrupted_every_millisecond, "login"), PAM_SUCCESS);
}

static void limit_descriptors_to(rlim_t count)
{
	struct rlimit limit;

	(void)getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = count;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static void be_odd(void)
{
	const struct rlimit nothing = { 0 };
	sigset_t all;

	(void)umask(0777);
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	limit_descriptors_to(16);
	(void)setrlimit(RLIMIT_FSIZE, &nothing);
	(void)setrlimit(RLIMIT_CORE, &nothing);
	(void)setenv("TZ", ":/etc/shadow", 1);
	(void)setenv("PAM_OIDC_SOCKET", "/tmp/evil", 1);
}

static void it_works_with_odd_limits_blocked_signals_and_a_hostile_environment(void **state)
{
	(void)state;
	assert_int_equal(authenticate_in_child(be_odd, "su"), PAM_SUCCESS);
}

static void have_no_descriptor_left(void)
{
	limit_descriptors_to(3);
}

static void without_descriptors_nothing_is_decided(void **state)
{
	(void)state;
	/* PAM_AUTHINFO_UNAVAIL, unless libpam itself fails for want of a descriptor. */
	assert_int_not_equal(authenticate_in_child(have_no_descriptor_left, "su"), PAM_SUCCESS);
	assert_int_equal(atomic_load(&world.standings), 0);
}

static void a_daemon_that_is_gone_raises_no_sigpipe(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_DFL);
	STEPS(SENDS(SHOW_FOR_100_S), DOES(STEP_HANG_UP));
	for (int i = 0; i < 20; i++)
		assert_int_not_equal(authenticate_in("sshd", "wait=retry"), PAM_SUCCESS);
}

static size_t open_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(folder);
	while (readdir(folder))
		count++;
	(void)closedir(folder);
	return count;
}

static void no_descriptor_is_left_behind(void **state)
{
	size_t before = open_descriptors();

	(void)state;
	assert_int_equal(authenticate_in("login", NULL), PAM_SUCCESS);
	STEPS(SENDS("x"));
	assert_int_equal(authenticate_in("login", NULL), PAM_AUTHINFO_UNAVAIL);
	/* The daemons close theirs, too. */
	for (int i = 0; i < 400 && open_descriptors() != before; i++)
		sleep_ms(5);
	assert_int_equal(open_descriptors(), before);
}

static void without_memory_nothing_is_decided(void **state)
{
	(void)state;
	world.mallocs_left = 1;
	assert_int_equal(authenticate_in("login", NULL), PAM_BUF_ERR);
	assert_int_equal(atomic_load(&world.logins), 0);
	STEPS(SENDS(SHOW_FOR_100_S));
	world.mallocs_left = 2;
	assert_int_equal(authenticate_in("login", NULL), PAM_BUF_ERR);
	assert_cancelled();
	assert_string_equal(world.screen, "");
	assert_logged("Cannot allocate memory");
}

static void debug_tells_what_a_quiet_end_was(void **state)
{
	(void)state;
	STEPS(SENDS(SHOW_FOR_100_S), DOES(STEP_PARK));
	assert_int_equal(authenticate_in("sshd", "debug wait=retry"), PAM_AUTH_ERR);
	assert_logged("alice: the code is shown; the client's next attempt waits for it");
}

static int enter_own_folder(void **state)
{
	static char folder[] = "/tmp/test_module.XXXXXX";

	if (!mkdtemp(folder) || chdir(folder) != 0)
		return -1;
	*state = folder;
	if (mkdir("pam.d", 0755) != 0)
		return -1;
	write_file("pam.d/other", "auth required pam_deny.so\n");
	return 0;
}

static int leave_own_folder(void **state)
{
	static const char *const files[] = { "pam.d/login", "pam.d/sshd", "pam.d/sshd-bastion",
					     "pam.d/su",    "pam.d/sudo", "pam.d/passwd",
					     "pam.d/other", "pam.d/cron", "title" };

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		(void)unlink(files[i]);
	(void)rmdir("pam.d");
	return rmdir(*state);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

static const struct CMUnitTest tests[] = {
	TEST(a_redeemed_ticket_is_success),
	TEST(root_is_unknown_before_any_socket),
	TEST(a_name_that_cannot_be_ours_is_unknown_in_silence),
	TEST(a_name_of_64_kib_is_unknown),
	TEST(a_local_user_is_unknown_before_arguments_are_looked_at),
	TEST(local_users_notice_nothing_with_both_daemons_stopped),
	TEST(a_silent_provisiond_costs_250_ms_at_most),
	TEST(a_provisiond_that_talks_nonsense_is_unavailable),
	TEST(a_deactivated_person_is_refused_without_a_code),
	TEST(a_lapsed_person_may_sign_in),
	TEST(wrong_arguments_are_a_service_error),
	TEST(a_refusal_is_perm_denied_and_maxtries_in_sshd),
	TEST(a_refusal_may_come_at_once),
	TEST(a_refusal_without_a_text_has_the_reason_s_sentence),
	TEST(a_quiet_refusal_is_not_said_again),
	TEST(an_expired_code_is_auth_err_and_maxtries_in_sshd),
	TEST(a_limit_is_auth_err),
	TEST(an_unreachable_issuer_is_unavailable),
	TEST(an_unknown_reason_is_unavailable),
	TEST(not_ours_from_pam_oidcd_is_unknown_in_silence),
	TEST(an_absent_pam_oidcd_is_told_to_people_who_are_ours),
	TEST(account_standings_have_their_results),
	TEST(an_account_with_another_uid_than_the_session_is_refused),
	TEST(the_account_phase_says_nothing_when_silent),
	TEST(the_account_phase_knows_wrong_arguments_of_ours_only),
	TEST(a_managed_account_s_password_is_not_changed),
	TEST(a_local_user_s_password_is_not_ours_to_refuse),
	TEST(credentials_and_sessions_are_success),
	TEST(no_name_at_all_is_auth_err),
	TEST(a_login_says_who_and_from_where),
	TEST(outside_sshd_there_is_no_parent_and_a_new_person_no_uid),
	TEST(a_renamed_sshd_service_is_sshd_all_the_same),
	TEST(enter_shows_everything_in_one_prompt),
	TEST(a_qr_that_was_not_asked_for_is_not_shown),
	TEST(enter_pressed_too_early_waits_on),
	TEST(info_shows_text_and_goes_on_by_itself),
	TEST(info_says_what_is_left_before_the_end),
	TEST(silent_info_shows_the_code_and_no_more),
	TEST(retry_shows_the_text_parks_and_fails),
	TEST(a_resumed_sign_in_waits_without_a_word),
	TEST(retry_outside_sshd_is_info),
	TEST(the_password_method_asks_nothing_of_okta),
	TEST(the_password_method_is_also_known_by_its_prompt),
	TEST(a_failing_conversation_cancels_at_once),
	TEST(a_failing_conversation_does_not_change_a_refusal),
	TEST(the_password_that_is_typed_is_for_the_next_module),
	TEST(an_empty_line_goes_on_with_okta),
	TEST(okta_may_still_refuse_whoever_chose_it),
	TEST(a_choice_that_nobody_can_make_ends_the_sign_in),
	TEST(a_password_that_pam_does_not_take_ends_the_sign_in),
	TEST(the_choice_is_offered_once_and_before_the_code),
	TEST(without_a_place_the_password_is_still_there),
	TEST(a_choice_over_ssh_needs_a_name_that_resolves),
	TEST(the_password_method_is_for_those_who_may_use_the_password),
	TEST(the_password_method_is_for_nobody_else),
	TEST(whoever_is_expected_is_a_local_user_until_then),
	TEST(who_may_use_the_password_may_change_it),
	TEST(a_room_is_chosen_by_its_number_or_its_name),
	TEST(there_are_three_tries),
	TEST(three_wrong_answers_end_the_sign_in),
	TEST(a_question_that_nobody_can_answer_ends_the_sign_in),
	TEST(a_question_has_the_modules_timeout),
	TEST(a_room_that_provisiond_does_not_take_is_refused),
	TEST(a_question_that_cannot_be_asked_is_no_success),
	TEST(rooms_of_all_languages_are_shown_and_escapes_are_not),
	TEST(the_person_is_told_which_room_was_chosen),
	TEST(a_new_person_is_welcomed_and_told_the_room),
	TEST(the_account_that_is_asked_for_its_room_is_the_one_that_was_promised),
	TEST(the_session_is_told_email_and_room),
	TEST(what_the_session_cannot_be_told_is_left_out),
	TEST(no_memory_for_what_the_session_is_told_keeps_nobody_out),
	TEST(the_deadline_ends_the_wait_and_cancels),
	TEST(a_daemon_that_shows_nothing_ends_at_the_deadline),
	TEST(a_daemon_that_hangs_up_is_a_service_down),
	TEST(a_daemon_that_hangs_up_before_it_showed_anything_is_asked_again_in_silence),
	TEST(whoever_looks_at_a_code_when_the_daemon_goes_is_told_to_start_again_and_asked_for_no_password),
	TEST(a_daemon_that_talks_nonsense_is_cut_off),
	TEST(a_daemon_that_shows_twice_or_admits_nobody_is_cut_off),
	TEST(an_oversized_or_unended_packet_is_cut_off),
	TEST(escape_sequences_of_a_daemon_reach_neither_screen_nor_log),
	TEST(a_made_up_ticket_is_refused),
	TEST(a_confirmation_of_anybody_else_is_refused),
	TEST(a_new_person_s_short_name_must_be_the_account),
	TEST(an_email_must_be_confirmed_as_what_was_admitted),
	TEST(a_provisiond_that_was_started_anew_has_the_person_start_again),
	TEST(a_provisiond_that_hangs_up_is_asked_once_more),
	TEST(a_provisiond_that_dies_before_it_confirms_is_unavailable),
	TEST(an_email_at_the_console_becomes_the_account),
	TEST(an_email_over_ssh_keeps_pam_user_and_names_the_session),
	TEST(an_email_with_a_public_key_names_the_session_too),
	TEST(a_short_name_changes_nothing),
	TEST(a_new_account_is_welcomed_once_when_the_credentials_are_set),
	TEST(enter_is_reported_once_it_is_pressed),
	TEST(a_short_name_that_does_not_resolve_in_sshd_reads_why_and_sees_no_code),
	TEST(an_email_that_does_not_resolve_in_sshd_is_told_the_short_name),
	TEST(a_client_that_stays_is_signed_in),
	TEST(a_client_that_goes_cancels_within_a_moment),
	TEST(a_client_that_goes_before_the_code_cancels_too),
	TEST(nothing_is_redeemed_for_a_client_that_has_gone),
	TEST(nothing_is_parked_for_a_client_that_has_gone),
	TEST(nothing_is_kept_for_a_client_that_goes_while_reading),
	TEST(no_room_is_taken_from_a_client_that_goes_while_reading),
	TEST(a_client_known_by_name_is_watched_as_well),
	TEST(somebody_else_s_connection_does_not_count),
	TEST(connections_of_other_programs_do_not_count),
	TEST(it_works_with_closed_standard_descriptors),
	TEST(it_works_while_signals_interrupt_it),
	TEST(it_works_with_odd_limits_blocked_signals_and_a_hostile_environment),
	TEST(without_descriptors_nothing_is_decided),
	TEST(a_daemon_that_is_gone_raises_no_sigpipe),
	TEST(no_descriptor_is_left_behind),
	TEST(without_memory_nothing_is_decided),
	TEST(debug_tells_what_a_quiet_end_was),
};

int main(void)
{
	return cmocka_run_group_tests(tests, enter_own_folder, leave_own_folder);
}
