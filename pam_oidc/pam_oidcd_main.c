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
#include "common/wire.h"
#include "pam_oidc/dry_run.h"
#include "pam_oidc/http.h"
#include "pam_oidc/loop.h"
#include "pam_oidc/privileges.h"
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
	bool all_good; /* of a dry run */
};

static void usage(FILE *out)
{
	(void)fprintf(
		out,
		"usage: pam_oidcd [-d] [-f FILE]          serve pam_oidc.so at %s\n"
		"       pam_oidcd [-f FILE] -t            check the configuration and the secrets it names\n"
		"       pam_oidcd [-d] [-f FILE] check    dry run: every tenant's discovery, keys and a device code\n"
		"\n"
		"  -f FILE    configuration (%s)\n"
		"  -d         log details, to standard error\n"
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

static bool start(struct daemon *daemon)
{
	daemon->http = http_create();
	daemon->loop = daemon->http ? loop_create(http_wait, daemon->http) : NULL;
	if (daemon->loop && watch_signals(daemon))
		return true;
	log_error("cannot start: out of memory");
	return false;
}

static void stop(struct daemon *daemon)
{
	signin_server_free(daemon->server);
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
	log_info("pam_oidcd %s is ready for %zu tenant(s)", PAM_OIDC_VERSION, realm_provider_count(daemon->realm));
	if (!loop_run(daemon->loop)) {
		log_error("waiting for events failed: %s", strerror(errno));
		return false;
	}
	notify_manager("STOPPING=1");
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

static void print_finding(void *context, const char *tenant, const char *item, bool good, const char *text)
{
	(void)context;
	/* From the network: nothing but printable ASCII reaches the terminal. */
	(void)printf("%s  %-12s %-12s ", good ? "ok  " : "FAIL", tenant, item);
	for (; *text; text++)
		(void)putchar(*text >= ' ' && *text < 0x7f ? *text : '?');
	(void)putchar('\n');
	(void)fflush(stdout);
}

static void dry_run_over(void *context, bool all_good)
{
	struct daemon *daemon = context;

	daemon->all_good = all_good;
	loop_stop(daemon->loop);
}

static bool check_tenants(struct daemon *daemon)
{
	struct dry_run *run;

	if (!make_realm(daemon))
		return false;
	run = dry_run_start(daemon->loop, daemon->realm, print_finding, dry_run_over, daemon);
	if (!run) {
		log_error("cannot check: out of memory");
		return false;
	}
	return loop_run(daemon->loop) && daemon->all_good;
}

static void raise_file_limit(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return;
	files.rlim_cur = files.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &files);
}

enum command { COMMAND_SERVE, COMMAND_CHECK_CONFIGURATION, COMMAND_CHECK_TENANTS };

static bool run(struct daemon *daemon, enum command command)
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
	good = start(daemon) && (command == COMMAND_SERVE ? serve(daemon) : check_tenants(daemon));
	stop(daemon);
	return good;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "help", no_argument, NULL, 'h' },
						 { "version", no_argument, NULL, 'V' },
						 { 0 } };
	struct daemon daemon = { .config_path = PAM_OIDC_CONF, .signals = -1 };
	enum command command = COMMAND_SERVE;
	bool debug = false;
	int option;

	if (!clean_start()) {
		(void)fprintf(stderr, "pam_oidcd: cannot start: %s\n", strerror(errno));
		return 1;
	}
	while ((option = getopt_long(argc, argv, "df:t", options, NULL)) != -1) {
		switch (option) {
		case 'd':
			debug = true;
			break;
		case 'f':
			daemon.config_path = optarg;
			break;
		case 't':
			command = COMMAND_CHECK_CONFIGURATION;
			break;
		case 'h':
			usage(stdout);
			return 0;
		case 'V':
			(void)puts("pam_oidcd " PAM_OIDC_VERSION);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind + 1 == argc && strcmp(argv[optind], "check") == 0 && command == COMMAND_SERVE) {
		command = COMMAND_CHECK_TENANTS;
	} else if (optind != argc) {
		usage(stderr);
		return 2;
	}
	log_open("pam_oidcd", debug || command != COMMAND_SERVE ? LOG_TO_STDERR : LOG_TO_AUTO, debug);
	return run(&daemon, command) ? 0 : 1;
}
