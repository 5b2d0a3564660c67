/*
 * The issuer: a local OpenID provider that stands in for Okta in the tests and in the demo. Reads its options, makes
 * its certificates and serves until it is told to stop. Not for anything real: nobody needs a password here.
 */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "tests/issuer/authority.h"
#include "tests/issuer/must.h"
#include "tests/issuer/provider.h"
#include "tests/issuer/server.h"
#include "tests/issuer/users.h"

#define NAMES_MAX 16

struct options {
	const char *directory;
	const char *address;
	const char *port;
	const char *names[NAMES_MAX];
	size_t name_count;
	const char *users_path;
	long certificate_days;
	bool verbose;
	bool die_with_parent;
};

static const char USAGE[] =
	"usage: issuer --dir DIR [--port N] [--address ADDRESS] [--host NAME]... [--users FILE.json]\n"
	"              [--certificate-days N] [--die-with-parent] [--verbose]\n"
	"Serves a local OpenID provider over HTTPS for tests and demos. Writes ca.pem and url into DIR.\n";

static bool parse_options(int argc, char **argv, struct options *ret_options)
{
	static const struct option OPTIONS[] = {
		{ "dir", required_argument, NULL, 'd' },
		{ "port", required_argument, NULL, 'p' },
		{ "address", required_argument, NULL, 'a' },
		{ "host", required_argument, NULL, 'h' },
		{ "users", required_argument, NULL, 'u' },
		{ "certificate-days", required_argument, NULL, 'c' },
		{ "die-with-parent", no_argument, NULL, 'x' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, '?' },
		{ NULL, 0, NULL, 0 },
	};
	struct options options = { .address = "127.0.0.1", .port = "0", .certificate_days = CERTIFICATE_DAYS };
	int option;

	while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1) {
		switch (option) {
		case 'd':
			options.directory = optarg;
			break;
		case 'p':
			options.port = optarg;
			break;
		case 'a':
			options.address = optarg;
			break;
		case 'h':
			if (options.name_count == NAMES_MAX)
				return false;
			options.names[options.name_count++] = optarg;
			break;
		case 'u':
			options.users_path = optarg;
			break;
		case 'c':
			options.certificate_days = strtol(optarg, NULL, 10);
			break;
		case 'x':
			options.die_with_parent = true;
			break;
		case 'v':
			options.verbose = true;
			break;
		default:
			return false;
		}
	}
	if (!options.directory || optind != argc)
		return false;
	*ret_options = options;
	return true;
}

static bool complain(const char *what, const char *which)
{
	fprintf(stderr, "issuer: %s %s: %s\n", what, which, strerror(errno));
	return false;
}

static bool write_file(const char *directory, const char *name, const char *text)
{
	_cleanup_free_ char *path = must_format("%s/%s", directory, name);
	_cleanup_free_ char *fresh = must_format("%s/%s.new", directory, name);
	FILE *file = fopen(fresh, "we");
	bool written;

	if (!file)
		return complain("cannot create", fresh);
	written = fputs(text, file) >= 0;
	written = fclose(file) == 0 && written;
	if (!written || rename(fresh, path) != 0)
		return complain("cannot write", path);
	return true;
}

static int listen_on(const char *address, const char *port)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	_cleanup_fd_ int fd = -1;
	const int on = 1;

	if (getaddrinfo(address, port, &hints, &found) != 0) {
		fprintf(stderr, "issuer: %s, port %s, is no address\n", address, port);
		return -1;
	}
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
	    bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, SOMAXCONN) != 0) {
		freeaddrinfo(found);
		complain("cannot listen on", address);
		return -1;
	}
	freeaddrinfo(found);
	return take_fd(&fd);
}

/* The caller frees; NULL when the socket has no port. */
static char *url_of(int listener, const struct options *options)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof address;
	char port[NI_MAXSERV];
	const char *name = options->name_count > 0 ? options->names[0] : "localhost";

	if (getsockname(listener, (struct sockaddr *)&address, &length) != 0 ||
	    getnameinfo((struct sockaddr *)&address, length, NULL, 0, port, sizeof port, NI_NUMERICSERV) != 0)
		return NULL;
	/* The usual port is left out, as Okta's addresses leave it out: an issuer is compared byte for byte. */
	return must_format(strchr(name, ':') ? "https://[%s]%s%s" : "https://%s%s%s", name,
			   strcmp(port, "443") == 0 ? "" : ":", strcmp(port, "443") == 0 ? "" : port);
}

static bool read_users(const char *path, json_t **ret_users)
{
	json_t *users = users_builtin();
	json_error_t error;
	json_t *more = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	_cleanup_free_ char *fault = more ? users_add(users, more) : must_format("line %d: %s", error.line, error.text);

	json_decref(users);
	if (fault) {
		fprintf(stderr, "issuer: %s: %s\n", path, fault);
		json_decref(more);
		return false;
	}
	*ret_users = more;
	return true;
}

static void allow_many_connections(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* SIGTERM and SIGINT as a readable descriptor. Must come before anything that takes time, so that no signal is lost. */
static int watch_signals(const struct options *options)
{
	pid_t parent = getppid();
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (options->die_with_parent) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != parent)
			raise(SIGTERM);
	}
	return signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
}

static bool serve(const struct options *options, int listener, int stop_fd)
{
	struct server_certificate certificate = { NULL, NULL, NULL };
	struct provider *provider;
	json_t *users = NULL;
	struct server *server;
	char *url = url_of(listener, options);

	if (!url || (options->users_path && !read_users(options->users_path, &users))) {
		free(url);
		close(listener);
		return false;
	}
	if (!authority_certify(options->names, options->name_count, options->certificate_days, &certificate))
		fputs("issuer: a --host name cannot stand in a certificate\n", stderr);
	provider = provider_new(url, must_format("%s/client-jwt.pem", options->directory), users);
	server = certificate.key_pem ? server_start(listener, &certificate, provider, options->verbose) : NULL;
	if (server && write_file(options->directory, "ca.pem", certificate.authority_pem) &&
	    write_file(options->directory, "url", url)) {
		printf("ready %s\n", url);
		fflush(stdout);
		server_run(server, stop_fd);
	} else {
		stop_fd = -1;
	}
	server_free(server);
	provider_free(provider);
	server_certificate_free(&certificate);
	return stop_fd >= 0;
}

int main(int argc, char **argv)
{
	struct options options;
	_cleanup_fd_ int stop_fd = -1;
	int listener;

	if (!parse_options(argc, argv, &options)) {
		fputs(USAGE, stderr);
		return 2;
	}
	stop_fd = watch_signals(&options);
	allow_many_connections();
	if (mkdir(options.directory, 0755) != 0 && errno != EEXIST) {
		complain("cannot create", options.directory);
		return 1;
	}
	listener = listen_on(options.address, options.port);
	if (listener < 0)
		return 1;
	return serve(&options, listener, stop_fd) ? 0 : 1;
}
