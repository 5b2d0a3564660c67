/*
 * Loads each source's library by itself and calls its functions, as glibc does inside getpwnam(3), but keeps what each
 * one says apart: found, not found, or no answer.
 */
#include "provisiond/source_child.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <locale.h>
#include <nss.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "provisiond/sources.h"

#define BUFFER_FIRST ((size_t)16 * 1024)
#define BUFFER_LAST ((size_t)16 * 1024 * 1024) /* a group with a million members */

typedef enum nss_status getpwnam_function(const char *, struct passwd *, char *, size_t, int *);
typedef enum nss_status getpwuid_function(uid_t, struct passwd *, char *, size_t, int *);
typedef enum nss_status getgrnam_function(const char *, struct group *, char *, size_t, int *);
typedef enum nss_status getgrgid_function(gid_t, struct group *, char *, size_t, int *);

enum library_state { LIBRARY_UNTRIED, LIBRARY_LOADED, LIBRARY_MISSING, LIBRARY_BROKEN };

struct library {
	enum library_state state;
	getpwnam_function *getpwnam;
	getpwuid_function *getpwuid;
	getgrnam_function *getgrnam;
	getgrgid_function *getgrgid;
};

/* What the child works with. */
struct asker {
	const struct nss_sources *sources;
	struct library libraries[NSS_SOURCES_MAX];
	atomic_int *current;
	char *buffer;
	size_t size;
};

/*
 * Sources that are often named in nsswitch.conf without ever having been set up. While none of these files exists,
 * their silence means that they know nobody. libnss_systemd needs no such row: without systemd it says "not found"
 * (measured with systemd 252).
 */
static const struct {
	const char *source;
	const char *set_up[3]; /* patterns */
} never_set_up[] = {
	{ "sss", { "/etc/sssd/sssd.conf", "/etc/sssd/conf.d/*.conf", "/var/lib/sss/pipes/nss" } },
};

static bool exists(const char *pattern)
{
	glob_t found;
	int r = glob(pattern, GLOB_NOSORT, NULL, &found);

	if (r == 0)
		globfree(&found);
	return r != GLOB_NOMATCH;
}

static bool can_know_anybody(const char *source)
{
	for (size_t i = 0; i < sizeof(never_set_up) / sizeof(never_set_up[0]); i++) {
		if (strcmp(never_set_up[i].source, source) != 0)
			continue;
		for (size_t n = 0; n < 3; n++)
			if (exists(never_set_up[i].set_up[n]))
				return true;
		return false;
	}
	return true;
}

static void find_function(void *handle, const char *source, const char *name, void *ret_function, size_t size)
{
	char symbol[NSS_SOURCE_NAME_MAX + 32];
	void *found;

	(void)snprintf(symbol, sizeof(symbol), "_nss_%s_%s", source, name);
	found = dlsym(handle, symbol);
	memcpy(ret_function, &found, size); /* dlsym(3): a function's address comes as an object's */
}

/* The library itself is missing; not one that it needs in turn. */
static bool library_is_missing(const char *file, const char *error)
{
	return error && strncmp(error, file, strlen(file)) == 0 && error[strlen(file)] == ':' &&
	       strstr(error, strerror(ENOENT));
}

/* Tried again at each question until it works: the package may be installed while we run. */
static void load(struct library *library, const char *source)
{
	char file[NSS_SOURCE_NAME_MAX + 16];
	void *handle;

	if (library->state == LIBRARY_LOADED)
		return;
	(void)snprintf(file, sizeof(file), "libnss_%s.so.2", source);
	handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	if (!handle) {
		library->state = library_is_missing(file, dlerror()) ? LIBRARY_MISSING : LIBRARY_BROKEN;
		return;
	}
	find_function(handle, source, "getpwnam_r", &library->getpwnam, sizeof(library->getpwnam));
	find_function(handle, source, "getpwuid_r", &library->getpwuid, sizeof(library->getpwuid));
	find_function(handle, source, "getgrnam_r", &library->getgrnam, sizeof(library->getgrnam));
	find_function(handle, source, "getgrgid_r", &library->getgrgid, sizeof(library->getgrgid));
	library->state = LIBRARY_LOADED;
}

enum asked { ASKED_USER_NAMED, ASKED_GROUP_NAMED, ASKED_USER_NUMBERED, ASKED_GROUP_NUMBERED, ASKED_COUNT };

/* A function that a library does not have cannot know anybody. */
static enum nss_status call(const struct library *library, enum asked asked, const struct source_question *question,
			    char *buffer, size_t size, int *error)
{
	struct passwd user;
	struct group group;

	switch (asked) {
	case ASKED_USER_NAMED:
		return library->getpwnam ? library->getpwnam(question->name, &user, buffer, size, error)
					 : NSS_STATUS_NOTFOUND;
	case ASKED_GROUP_NAMED:
		return library->getgrnam ? library->getgrnam(question->name, &group, buffer, size, error)
					 : NSS_STATUS_NOTFOUND;
	case ASKED_USER_NUMBERED:
		return library->getpwuid ? library->getpwuid(question->uid, &user, buffer, size, error)
					 : NSS_STATUS_NOTFOUND;
	case ASKED_GROUP_NUMBERED:
		return library->getgrgid ? library->getgrgid(question->uid, &group, buffer, size, error)
					 : NSS_STATUS_NOTFOUND;
	case ASKED_COUNT:
	default:
		return NSS_STATUS_UNAVAIL;
	}
}

static bool enlarge(struct asker *asker)
{
	size_t size = asker->size * 4;
	char *larger = size <= BUFFER_LAST ? realloc(asker->buffer, size) : NULL;

	if (!larger)
		return false;
	asker->buffer = larger;
	asker->size = size;
	return true;
}

static enum source_answer ask_one(struct asker *asker, size_t at, enum asked asked,
				  const struct source_question *question)
{
	enum nss_status status;
	int error;

	do {
		error = 0;
		status = call(&asker->libraries[at], asked, question, asker->buffer, asker->size, &error);
	} while (status == NSS_STATUS_TRYAGAIN && error == ERANGE && enlarge(asker));
	if (status == NSS_STATUS_SUCCESS)
		return SOURCE_KNOWN;
	if (status == NSS_STATUS_NOTFOUND || !can_know_anybody(asker->sources->items[at].name))
		return SOURCE_UNKNOWN;
	return SOURCE_UNAVAILABLE;
}

static bool is_asked(const struct nss_source *source, enum asked asked)
{
	return asked == ASKED_USER_NAMED || asked == ASKED_USER_NUMBERED ? source->users : source->groups;
}

/* A user or a group of that name, or of that number, in one source; what is known outweighs what is not answered. */
static enum source_answer ask_source(struct asker *asker, size_t at, bool named, const struct source_question *question)
{
	const enum asked asked[] = { named ? ASKED_USER_NAMED : ASKED_USER_NUMBERED,
				     named ? ASKED_GROUP_NAMED : ASKED_GROUP_NUMBERED };
	const size_t kinds = named && question->user_only ? 1 : 2;
	enum source_answer answer = SOURCE_UNKNOWN;

	load(&asker->libraries[at], asker->sources->items[at].name);
	if (asker->libraries[at].state != LIBRARY_LOADED)
		return asker->libraries[at].state == LIBRARY_MISSING ? SOURCE_UNKNOWN : SOURCE_UNAVAILABLE;
	for (size_t i = 0; i < kinds && answer != SOURCE_KNOWN; i++) {
		enum source_answer one = is_asked(&asker->sources->items[at], asked[i])
						 ? ask_one(asker, at, asked[i], question)
						 : SOURCE_UNKNOWN;

		if (one != SOURCE_UNKNOWN)
			answer = one;
	}
	return answer;
}

static void ask_about(struct asker *asker, size_t at, bool named, const struct source_question *question,
		      struct source_finding *finding)
{
	enum source_answer answer;

	if (finding->answer == SOURCE_KNOWN || !(named ? question->name[0] != '\0' : question->with_uid))
		return;
	answer = ask_source(asker, at, named, question);
	if (answer == SOURCE_KNOWN || (answer == SOURCE_UNAVAILABLE && finding->answer == SOURCE_UNKNOWN))
		*finding = (struct source_finding){ .answer = (int32_t)answer, .source = (int32_t)at };
}

static struct source_reply ask_all(struct asker *asker, const struct source_question *question)
{
	static const struct source_finding none = { .answer = SOURCE_UNKNOWN, .source = SOURCE_NONE };
	struct source_reply reply = { .id = question->id, .name = none, .uid = none };

	for (size_t i = 0; i < asker->sources->count; i++) {
		atomic_store(asker->current, (int)i);
		ask_about(asker, i, true, question, &reply.name);
		ask_about(asker, i, false, question, &reply.uid);
		reply.missing |= (uint32_t)(asker->libraries[i].state == LIBRARY_MISSING) << i;
		reply.broken |= (uint32_t)(asker->libraries[i].state == LIBRARY_BROKEN) << i;
	}
	atomic_store(asker->current, SOURCE_NONE);
	return reply;
}

_Noreturn static void answer_questions(struct asker *asker, int socket)
{
	for (;;) {
		struct source_question question;
		struct source_reply reply;
		ssize_t n = recv(socket, &question, sizeof(question), 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n != (ssize_t)sizeof(question))
			_exit(0);
		reply = ask_all(asker, &question);
		if (send(socket, &reply, sizeof(reply), MSG_NOSIGNAL) != (ssize_t)sizeof(reply))
			_exit(1);
	}
}

/* The libraries get a process as plain as a freshly started one. */
static void forget_parent(int socket)
{
	struct sigaction plain = { .sa_handler = SIG_DFL };
	sigset_t none;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int signal_number = 1; signal_number < NSIG; signal_number++)
		(void)sigaction(signal_number, &plain, NULL);
	plain.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &plain, NULL); /* a service that hangs up is no reason to die */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	closelog();
	(void)dup2(null, STDIN_FILENO);
	(void)dup2(null, STDOUT_FILENO);
	(void)dup2(socket, STDERR_FILENO + 1);
	if (close_range(STDERR_FILENO + 2, ~0u, 0) != 0)
		for (int fd = STDERR_FILENO + 2; fd < 1024; fd++)
			(void)close(fd);
	(void)clearenv();
	(void)setlocale(LC_ALL, "C");
	(void)prctl(PR_SET_NAME, "nss-sources");
}

_Noreturn static void run(const struct nss_sources *sources, atomic_int *current, int socket, pid_t parent)
{
	struct asker asker = { .sources = sources, .current = current, .size = BUFFER_FIRST };

	/* The parent may have died before this took effect. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
		_exit(1);
	forget_parent(socket);
	asker.buffer = malloc(asker.size);
	if (!asker.buffer)
		_exit(1);
	answer_questions(&asker, STDERR_FILENO + 1);
}

/* One that has not been asked anything yet. */
static void end_child(pid_t child)
{
	if (child <= 0)
		return;
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
}

pid_t source_child_start(const struct nss_sources *sources, atomic_int *current, int *ret_socket)
{
	pid_t parent = getpid(), child;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return -errno;
	atomic_store(current, SOURCE_NONE);
	child = fork();
	if (child == 0)
		run(sources, current, pair[1], parent);
	if (child < 0 || fcntl(pair[0], F_SETFL, O_NONBLOCK) != 0) {
		int error = errno;

		end_child(child);
		(void)close(pair[0]);
		(void)close(pair[1]);
		return -error;
	}
	(void)close(pair[1]);
	*ret_socket = pair[0];
	return child;
}
