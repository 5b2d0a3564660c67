/*
 * pam_oidcd: the daemon that runs the OIDC device sign-in for pam_oidc.so, without any privilege. This file starts,
 * reloads and stops it, and has its two commands for administrators: -t and check.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/clean_start.h"
#include "common/cleanup.h"
#include "common/config.h"
#include "common/listen.h"
#include "common/log.h"
#include "common/version.h"
#include "common/watchdog.h"
#include "common/wire.h"
#include "pam_oidc/http.h"
#include "pam_oidc/loop.h"
#include "pam_oidc/privileges.h"
#include "pam_oidc/probe.h"
#include "pam_oidc/realm.h"
#include "pam_oidc/signin_server.h"
#include "pam_oidc/wiping_memory.h"

#define RUN_FOLDER "/run/pam_oidc"

struct daemon {
	const char *config_path;
	uid_t uid;
	gid_t gid;
	struct http *http;
	struct loop *loop;
	struct realm *realm;
	struct signin_server *server;
	int signals;
	struct loop_watch *signal_watch;
	struct loop_timer watchdog;
};

static void usage(FILE *out)
{
	(void)fprintf(
		out,
		"usage: pam_oidcd [-d] [-f FILE]          serve pam_oidc.so at %s\n"
		"       pam_oidcd [-f FILE] -t            check the configuration and the secrets it names\n"
		"       pam_oidcd [-d] [-f FILE] check    dry run: every tenant's issuer, client and a device code\n"
		"       pam_oidcd [-d] [-f FILE] --probe[=TENANT] [--no-code] [--messages]\n"
		"                                         the same, and show what the token of whoever approves it "
		"says\n"
		"\n"
		"  -f FILE    configuration (%s)\n"
		"  -d         log details, to standard error\n"
		"  --no-code  ask for no device code: try the client alone\n"
		"  --messages for programs: standard output is a socket that takes messages\n"
		"  --help, --version\n"
		"\n"
		"Exit codes: 0 good, 1 something is wrong (the message says what), 2 wrong usage.\n",
		PAM_OIDC_SOCKET, PAM_OIDC_CONF);
}

static struct config *load_config(const struct daemon *daemon)
{
	struct config *config = NULL;

	return config_load(daemon->config_path, config_report_to_log, NULL, &config) ? config : NULL;
}

static bool make_realm(struct daemon *daemon)
{
	struct config *config = load_config(daemon);
	struct realm *realm =
		config ? realm_create(daemon->loop, daemon->http, config, daemon->uid, daemon->gid) : NULL;

	if (!realm)
		return false;
	realm_unref(daemon->realm);
	daemon->realm = realm;
	return true;
}

static void reload(struct daemon *daemon)
{
	notify_manager_reloading();
	if (daemon->server && make_realm(daemon)) {
		signin_server_use_realm(daemon->server, daemon->realm);
		log_notice("took up %s anew", daemon->config_path);
	} else {
		log_error("kept the configuration in force, because the new one is wrong");
	}
	notify_manager("READY=1");
}

static void signal_ready(void *context, short revents)
{
	struct daemon *daemon = context;
	struct signalfd_siginfo signal;

	(void)revents;
	if (read(daemon->signals, &signal, sizeof(signal)) != (ssize_t)sizeof(signal))
		return;
	if (signal.ssi_signo == SIGHUP)
		reload(daemon);
	else
		loop_stop(daemon->loop);
}

static bool watch_signals(struct daemon *daemon)
{
	sigset_t signals;

	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGHUP);
	if (sigprocmask(SIG_SETMASK, &signals, NULL) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return false;
	daemon->signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (daemon->signals >= 0)
		daemon->signal_watch = loop_watch(daemon->loop, daemon->signals, POLLIN, signal_ready, daemon);
	return daemon->signal_watch != NULL;
}

/* A timer of the loop: when the loop hangs, the manager hears nothing and starts the daemon anew. */
static void pet_watchdog(void *context)
{
	struct daemon *daemon = context;
	int64_t interval_ms = watchdog_interval_ms();

	if (interval_ms == 0)
		return;
	watchdog_pet();
	(void)loop_set_timer(daemon->loop, &daemon->watchdog, wire_now_ms() + interval_ms, pet_watchdog, daemon);
}

static bool start(struct daemon *daemon)
{
	daemon->http = http_create();
	if (!daemon->http) {
		log_error("cannot start: out of memory");
		return false;
	}
	daemon->loop = loop_create(http_wait, daemon->http);
	if (daemon->loop && watch_signals(daemon))
		return true;
	log_error("cannot start: waiting for events: %s", strerror(errno));
	return false;
}

static void stop(struct daemon *daemon)
{
	signin_server_free(daemon->server);
	if (daemon->loop)
		loop_clear_timer(daemon->loop, &daemon->watchdog);
	realm_unref(daemon->realm);
	loop_free(daemon->loop);
	http_free(daemon->http);
	cleanup_fd(&daemon->signals);
}

static bool serve(struct daemon *daemon)
{
	int listener = listen_at(PAM_OIDC_SOCKET);

	if (listener < 0) {
		log_error("cannot listen at %s: %s", PAM_OIDC_SOCKET,
			  listener == -EADDRINUSE ? "another pam_oidcd is running" : strerror(-listener));
		return false;
	}
	if (!make_realm(daemon)) {
		cleanup_fd(&listener);
		return false;
	}
	daemon->server = signin_server_create(daemon->loop, daemon->http, listener, daemon->realm);
	if (!daemon->server) {
		log_error("cannot start: out of memory");
		return false;
	}
	notify_manager("READY=1");
	pet_watchdog(daemon);
	log_info("pam_oidcd %s is ready for %zu tenant(s)", PAM_OIDC_VERSION, realm_provider_count(daemon->realm));
	if (!loop_run(daemon->loop)) {
		log_error("waiting for events failed: %s", strerror(errno));
		return false;
	}
	notify_manager("STOPPING=1");
	signin_server_stop(daemon->server);
	return true;
}

static bool check_configuration(const struct daemon *daemon)
{
	struct config *config = load_config(daemon);
	bool good = config && realm_check_secrets(config, daemon->uid, daemon->gid);

	if (good)
		(void)printf("%s: good, %zu tenant(s)\n", daemon->config_path, config->tenant_count);
	config_free(config);
	return good;
}

static void raise_file_limit(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return;
	files.rlim_cur = files.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &files);
}

enum command { COMMAND_SERVE, COMMAND_CHECK_CONFIGURATION, COMMAND_PROBE };

static bool run(struct daemon *daemon, enum command command, const struct probe_options *probe)
{
	bool good;

	if (!wiping_memory_use()) {
		log_error("cannot start: OpenSSL was used before its memory could be wiped");
		return false;
	}
	if (!privileges_find_user(&daemon->uid, &daemon->gid))
		return false;
	if (command == COMMAND_SERVE && geteuid() == 0 &&
	    !privileges_make_run_folder(RUN_FOLDER, daemon->uid, daemon->gid))
		return false;
	raise_file_limit();
	if (!privileges_drop(daemon->uid, daemon->gid))
		return false;
	if (command == COMMAND_CHECK_CONFIGURATION)
		return check_configuration(daemon);
	/* A daemon keeps no folder busy, unless it was given a path from there. */
	if (command == COMMAND_SERVE && daemon->config_path[0] == '/' && chdir("/") != 0) {
		log_error("cannot start: /: %s", strerror(errno));
		return false;
	}
	good = start(daemon) &&
	       (command == COMMAND_SERVE ? serve(daemon)
					 : probe_run(daemon->loop, daemon->http, probe, daemon->uid, daemon->gid));
	stop(daemon);
	return good;
}

/* The environment is gone after clean_start(). */
static bool terminal_shows_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	const char *locale = NULL;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && (!locale || locale[0] == '\0'); i++)
		locale = getenv(names[i]);
	return locale && (strcasestr(locale, "UTF-8") || strcasestr(locale, "UTF8"));
}

/* What goes wrong on the way is among the findings already. */
static void log_nothing(int priority, const char *line)
{
	if (priority <= LOG_ERR)
		(void)fprintf(stderr, "pam_oidcd: error: %s\n", line);
}

struct options {
	enum command command;
	struct probe_options probe;
	const char *config_path;
	bool debug, probe_only; /* an option that only --probe has */
};

enum long_option { OPTION_HELP = 256, OPTION_VERSION, OPTION_PROBE, OPTION_NO_CODE, OPTION_MESSAGES };

static bool take_argument(struct options *options, int argc, char **argv)
{
	bool check = optind + 1 == argc && strcmp(argv[optind], "check") == 0 && options->command == COMMAND_SERVE;

	if (check) {
		options->command = COMMAND_PROBE;
		options->probe.approval = false;
	}
	return (check || optind == argc) && (!options->probe_only || (options->command == COMMAND_PROBE && !check));
}

/* Returns -1 to go on, or the exit status. */
static int read_options(int argc, char **argv, struct options *options)
{
	static const struct option words[] = {
		{ "help", no_argument, NULL, OPTION_HELP },         { "version", no_argument, NULL, OPTION_VERSION },
		{ "probe", optional_argument, NULL, OPTION_PROBE }, { "no-code", no_argument, NULL, OPTION_NO_CODE },
		{ "messages", no_argument, NULL, OPTION_MESSAGES }, { 0 }
	};
	int option;

	while ((option = getopt_long(argc, argv, "df:t", words, NULL)) != -1) {
		switch (option) {
		case 'd':
			options->debug = true;
			break;
		case 'f':
			options->config_path = optarg;
			break;
		case 't':
			options->command = COMMAND_CHECK_CONFIGURATION;
			break;
		case OPTION_PROBE:
			options->command = COMMAND_PROBE;
			options->probe.tenant = optarg;
			break;
		case OPTION_NO_CODE:
			options->probe.code = options->probe.approval = false;
			options->probe_only = true;
			break;
		case OPTION_MESSAGES:
			options->probe.messages = options->probe_only = true;
			break;
		case OPTION_HELP:
			usage(stdout);
			return 0;
		case OPTION_VERSION:
			(void)puts("pam_oidcd " PAM_OIDC_VERSION);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (take_argument(options, argc, argv))
		return -1;
	usage(stderr);
	return 2;
}

int main(int argc, char **argv)
{
	struct options options = { .config_path = PAM_OIDC_CONF,
				   .probe = { .code = true, .approval = true, .utf8 = terminal_shows_utf8() } };
	struct daemon daemon = { .signals = -1 };
	int status;

	if (!clean_start()) {
		(void)fprintf(stderr, "pam_oidcd: cannot start: %s\n", strerror(errno));
		return 1;
	}
	status = read_options(argc, argv, &options);
	if (status >= 0)
		return status;
	daemon.config_path = options.probe.config_path = options.config_path;
	log_open("pam_oidcd", options.debug || options.command != COMMAND_SERVE ? LOG_TO_STDERR : LOG_TO_AUTO,
		 options.debug);
	if (options.command == COMMAND_PROBE && !options.debug)
		log_divert(log_nothing);
	return run(&daemon, options.command, &options.probe) ? 0 : 1;
}
