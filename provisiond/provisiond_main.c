/*
 * provisiond: decides which account a verified person gets on this machine, makes it, and confirms it. Here are its
 * options, start, reload and end.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clean_start.h"
#include "common/config.h"
#include "common/listen.h"
#include "common/log.h"
#include "common/version.h"
#include "common/watchdog.h"
#include "provisiond/configured_groups.h"
#include "provisiond/preview.h"
#include "provisiond/requests.h"
#include "provisiond/server.h"
#include "provisiond/service.h"
#include "provisiond/sources.h"

#define SOCKET_FOLDER "/run/provisiond"
#define STATE_FOLDER "/var/lib/provisiond"
#define DATABASE STATE_FOLDER "/accounts.db"
#define NSSWITCH_CONF "/etc/nsswitch.conf"
#define PAM_OIDC_USER "_pam_oidc"

static const struct server_limits limits = {
	.connections = 512,
	.of_privileged_user = 256,
	.of_other_user = 8,
	.of_all_other_users = 128,
	.silence_ms = 10000,
};

struct options {
	const char *config_path;
	bool only_check;
	bool preview;
	bool debug;
};

struct daemon {
	struct options options;
	struct service service;
	struct sources *sources;
	struct server *server;
	int signals;         /* signalfd(2) */
	int64_t watchdog_ms; /* when to pet it next; -1: never */
};

/* ---- options ---- */

static void print_help(FILE *out)
{
	(void)fputs("Usage: provisiond [-f FILE] [-t | --preview] [-d]\n"
		    "Makes and confirms the local accounts of people who sign in with Okta.\n"
		    "\n"
		    "  -f FILE    read this configuration instead of " PAM_OIDC_CONF "\n"
		    "  -t         check the configuration and exit\n"
		    "  -d         log to standard error, with details for debugging\n"
		    "  --preview  for programs: say which account somebody would get, and change nothing\n"
		    "  --help     show this text and exit\n"
		    "  --version  show the version and exit\n",
		    out);
}

/* Returns -1 to go on, or the exit status. */
static int read_options(int argc, char **argv, struct options *ret_options)
{
	static const struct option words[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "preview", no_argument, NULL, 'P' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	struct options options = { .config_path = PAM_OIDC_CONF };
	int option;

	while ((option = getopt_long(argc, argv, "f:tdh", words, NULL)) != -1) {
		switch (option) {
		case 'f':
			options.config_path = optarg;
			break;
		case 't':
			options.only_check = true;
			break;
		case 'P':
			options.preview = true;
			break;
		case 'd':
			options.debug = true;
			break;
		case 'h':
			print_help(stdout);
			return EXIT_SUCCESS;
		case 'V':
			(void)puts("provisiond (pam_oidc) " PAM_OIDC_VERSION);
			return EXIT_SUCCESS;
		default:
			print_help(stderr);
			return EXIT_FAILURE;
		}
	}
	if (optind != argc) {
		(void)fprintf(stderr, "provisiond: unexpected argument: %s\n", argv[optind]);
		print_help(stderr);
		return EXIT_FAILURE;
	}
	*ret_options = options;
	return -1;
}

/* ---- the parts that are read again on SIGHUP ---- */

static bool find_pam_oidc_user(struct account_files *files, uid_t *ret_uid)
{
	struct account_user user;
	int found = account_files_user_named(files, PAM_OIDC_USER, &user);

	if (found < 0)
		log_error("%s", account_files_fault(files));
	if (found == 0)
		log_error("there is no user " PAM_OIDC_USER " in /etc/passwd, as which pam_oidcd runs; make it with "
			  "systemd-sysusers, or with: useradd --system --home-dir / --shell "
			  "/usr/sbin/nologin " PAM_OIDC_USER);
	if (found > 0 && user.uid == 0) {
		log_error("the user " PAM_OIDC_USER " has uid 0 in /etc/passwd; give it a uid of its own");
		return false;
	}
	if (found > 0)
		*ret_uid = user.uid;
	return found > 0;
}

/* Reads all of them, and only then takes them over: a fault leaves what was there. */
static bool load(struct service *service, const char *config_path)
{
	struct config *config;
	struct system_names *names;
	uid_t uid;
	int loaded;

	if (!find_pam_oidc_user(service->files, &uid))
		return false;
	if (!config_load(config_path, config_report_to_log, NULL, &config))
		return false;
	if (!configured_groups_are_there(config, service->files)) {
		config_free(config);
		return false;
	}
	loaded = system_names_load(NULL, &names);
	if (loaded != 0) {
		log_error("the reserved names in sysusers.d cannot be read: %s", strerror(-loaded));
		config_free(config);
		return false;
	}
	config_free(service->config);
	system_names_free(service->system_names);
	service->config = config;
	service->system_names = names;
	service->pam_oidc_uid = uid;
	if (service->lifecycle) {
		lifecycle_configure(service->lifecycle, &config->accounts);
		lifecycle_apply_policies(service->lifecycle, config);
	}
	return true;
}

static void reload(struct daemon *daemon)
{
	notify_manager_reloading();
	if (load(&daemon->service, daemon->options.config_path)) {
		server_set_privileged_user(daemon->server, daemon->service.pam_oidc_uid);
		log_notice("the configuration was read again");
	} else {
		log_error("the configuration was not taken over; what was read before stays in force");
	}
	notify_manager("READY=1");
}

/* ---- what the loop waits for ---- */

static void run_signals(void *context, int64_t now_ms)
{
	struct daemon *daemon = context;
	struct signalfd_siginfo signal;

	(void)now_ms;
	while (read(daemon->signals, &signal, sizeof(signal)) == (ssize_t)sizeof(signal)) {
		if (signal.ssi_signo == SIGHUP)
			reload(daemon);
		else
			server_stop(daemon->server);
	}
}

static int64_t sources_deadline(void *context)
{
	return sources_next_deadline_ms(context);
}

static void run_sources(void *context, int64_t now_ms)
{
	sources_on_readable(context);
	sources_on_timer(context, now_ms);
}

static int64_t watchdog_deadline(void *context)
{
	return ((const struct daemon *)context)->watchdog_ms;
}

/* From the loop: when the loop hangs, the manager hears nothing and starts the daemon anew. */
static void run_watchdog(void *context, int64_t now_ms)
{
	struct daemon *daemon = context;
	int64_t interval_ms = watchdog_interval_ms();

	if (interval_ms > 0)
		watchdog_pet();
	daemon->watchdog_ms = interval_ms > 0 ? now_ms + interval_ms : -1;
}

static void attach_all(struct daemon *daemon)
{
	const struct server_attachment attachments[] = {
		{ .fd = daemon->signals, .run = run_signals, .context = daemon },
		{ .fd = sources_fd(daemon->sources),
		  .deadline_ms = sources_deadline,
		  .run = run_sources,
		  .context = daemon->sources },
		{ .fd = -1,
		  .deadline_ms = lifecycle_deadline_ms,
		  .run = lifecycle_run,
		  .context = daemon->service.lifecycle },
		{ .fd = -1, .deadline_ms = admit_deadline_ms, .run = admit_run, .context = &daemon->service },
		{ .fd = -1, .deadline_ms = watchdog_deadline, .run = run_watchdog, .context = daemon },
	};

	for (size_t i = 0; i < sizeof(attachments) / sizeof(attachments[0]); i++)
		server_attach(daemon->server, &attachments[i]);
}

/* ---- start and end ---- */

/* Makes the folder when it is missing, and judges it. */
static bool keep_folder(const char *path, mode_t mode)
{
	struct stat st;

	/* umask(2) is 077: the mode is set afterwards, on what was made here only. */
	if (mkdir(path, 0700) == 0) {
		if (chmod(path, mode) == 0)
			return true;
	} else if (errno == EEXIST && lstat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode) && st.st_uid == 0 && (st.st_mode & 07777 & ~mode) == 0)
			return true;
		log_error("%s must be a folder of root's, with a mode of %04o or less (chown root, chmod %04o)", path,
			  (unsigned)mode, (unsigned)mode);
		return false;
	}
	log_error("%s cannot be made: %s", path, strerror(errno));
	return false;
}

static int take_signals(void)
{
	sigset_t signals;

	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &signals, NULL) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return -1;
	return signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
}

static struct account_files *open_account_files(void)
{
	struct account_files *files = NULL;
	int opened = account_files_open("/", 0, &files);

	if (opened != 0)
		log_error("/etc cannot be used: %s", opened == -EPERM
							     ? "it must belong to root and not be writable by others"
							     : strerror(-opened));
	return files;
}

static bool open_service(struct daemon *daemon)
{
	struct service *service = &daemon->service;
	char fault[512];

	service->files = open_account_files();
	if (!service->files || !load(service, daemon->options.config_path))
		return false;
	/* Before the database: the child that asks the other name services must not have it open. */
	daemon->sources = sources_start(NSSWITCH_CONF);
	service->inquiries = daemon->sources ? inquiries_new(daemon->sources) : NULL;
	service->tickets = tickets_new();
	if (!service->inquiries || !service->tickets) {
		log_error("the other name services cannot be asked: %s", strerror(errno));
		return false;
	}
	service->store = store_open(DATABASE, fault, sizeof(fault));
	if (!service->store) {
		log_error("%s", fault);
		return false;
	}
	service->homes = HOME_PLACE_SYSTEM;
	service->lifecycle = lifecycle_new(service->store, service->files, &service->homes);
	if (!service->lifecycle) {
		log_error("out of memory");
		return false;
	}
	lifecycle_configure(service->lifecycle, &service->config->accounts);
	return true;
}

static bool open_server(struct daemon *daemon)
{
	int listener = listen_at(PROVISIOND_SOCKET);

	if (listener < 0) {
		log_error("%s cannot be listened at: %s", PROVISIOND_SOCKET,
			  listener == -EADDRINUSE ? "another provisiond is answering there" : strerror(-listener));
		return false;
	}
	daemon->server = server_new(listener, &limits, requests_handle, &daemon->service);
	if (!daemon->server) {
		log_error("out of memory");
		return false;
	}
	server_set_privileged_user(daemon->server, daemon->service.pam_oidc_uid);
	attach_all(daemon);
	return true;
}

/* Whoever still waits is told nothing that a daemon which goes on would not say, and can ask the next one. Their
 * questions are ended by what they wait for, so the server goes last. */
static void close_daemon(struct daemon *daemon)
{
	struct service *service = &daemon->service;

	if (daemon->server)
		server_hang_up(daemon->server);
	inquiries_free(service->inquiries);
	lifecycle_free(service->lifecycle);
	server_free(daemon->server);
	sources_stop(daemon->sources);
	tickets_free(service->tickets);
	store_close(service->store);
	account_files_close(service->files);
	system_names_free(service->system_names);
	config_free(service->config);
	if (daemon->signals >= 0)
		(void)close(daemon->signals);
}

static int serve(const struct options *options)
{
	struct daemon daemon = { .options = *options, .signals = take_signals() };
	int status = EXIT_FAILURE;

	if (daemon.signals < 0)
		log_error("signals cannot be taken: %s", strerror(errno));
	/* A daemon keeps no folder busy, unless it was given a path from there. */
	else if (options->config_path[0] == '/' && chdir("/") != 0)
		log_error("/: %s", strerror(errno));
	else if (keep_folder(SOCKET_FOLDER, 0755) && keep_folder(STATE_FOLDER, 0700) && open_service(&daemon)) {
		/* Another program may hold the lock on the account files: then this goes on in the loop. */
		lifecycle_recover(daemon.service.lifecycle);
		lifecycle_apply_policies(daemon.service.lifecycle, daemon.service.config);
		lifecycle_run(daemon.service.lifecycle, wire_now_ms());
		if (open_server(&daemon)) {
			notify_manager("READY=1");
			log_notice("ready");
			daemon.service.started_ms = wire_now_ms();
			run_watchdog(&daemon, daemon.service.started_ms);
			status = server_run(daemon.server) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
			notify_manager("STOPPING=1");
		}
	}
	close_daemon(&daemon);
	return status;
}

static int check_configuration(const char *path)
{
	struct account_files *files;
	struct config *config;
	bool right;

	if (!config_load(path, config_report_to_log, NULL, &config))
		return EXIT_FAILURE;
	files = open_account_files();
	right = files && configured_groups_are_there(config, files);
	account_files_close(files);
	config_free(config);
	if (right)
		(void)printf("%s: no fault found\n", path);
	return right ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int preview(const struct options *options)
{
	const struct preview_places places = {
		.config_path = options->config_path,
		.database = DATABASE,
		.nsswitch = NSSWITCH_CONF,
		.temporary = "/run",
	};

	return preview_run(&places);
}

int main(int argc, char **argv)
{
	struct options options;
	int status;

	if (!clean_start()) {
		(void)fprintf(stderr, "provisiond: cannot start: %s\n", strerror(errno));
		return EXIT_FAILURE;
	}
	status = read_options(argc, argv, &options);
	if (status >= 0)
		return status;
	log_open("provisiond", options.only_check || options.preview || options.debug ? LOG_TO_STDERR : LOG_TO_AUTO,
		 options.debug);
	if (options.only_check)
		return check_configuration(options.config_path);
	if (geteuid() != 0) {
		log_error("must be started by root: it makes accounts (provisiond -t checks the configuration as "
			  "anybody)");
		return EXIT_FAILURE;
	}
	return options.preview ? preview(&options) : serve(&options);
}
