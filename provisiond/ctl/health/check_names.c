/*
 * Whether sshd learns about people who have no account yet: nsswitch.conf, the library, and nscd, which would answer in
 * its stead.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "provisiond/ctl/health/health.h"
#include "provisiond/ctl/health/nss_order.h"

#define NSSWITCH "/etc/nsswitch.conf"
#define LIBRARY "libnss_oidc.so.2"
#define NSCD_CONF "/etc/nscd.conf"

/* ---- nsswitch.conf ---- */

static void say_order(const char *database, const struct nss_order *order, enum nss_order_fault fault, size_t step,
		      struct findings *findings)
{
	const struct nss_step *blamed = &order->steps[step];
	char subject[64], remedy[256];

	(void)snprintf(subject, sizeof(subject), NSSWITCH " (%s)", database);
	(void)snprintf(remedy, sizeof(remedy), "put \"oidc\" at the end of the line \"%s:\" in " NSSWITCH, database);
	switch (fault) {
	case NSS_ORDER_GOOD:
		return;
	case NSS_ORDER_NO_DATABASE:
	case NSS_ORDER_MISSING:
		findings_add(findings, LEVEL_ERROR, ITEM_NAMES, subject, remedy,
			     "\"oidc\" is not in it: sshd turns away everybody who has no account yet");
		return;
	case NSS_ORDER_TWICE:
		(void)snprintf(remedy, sizeof(remedy), "leave one \"oidc\" at the end of the line \"%s:\" in " NSSWITCH,
			       database);
		findings_add(findings, LEVEL_WARNING, ITEM_NAMES, subject, remedy, "\"oidc\" stands in it twice");
		return;
	case NSS_ORDER_NOT_LAST:
		findings_add(findings, LEVEL_WARNING, ITEM_NAMES, subject, remedy,
			     "\"%s\" comes behind \"oidc\": for sshd, names of people who have no account yet hide the "
			     "names there",
			     blamed->name);
		return;
	case NSS_ORDER_NOT_REACHED:
		(void)snprintf(remedy, sizeof(remedy),
			       "take the [...=return] behind \"%s\" out of the line \"%s:\" in " NSSWITCH, blamed->name,
			       database);
		findings_add(findings, blamed->ends_when_unknown ? LEVEL_ERROR : LEVEL_WARNING, ITEM_NAMES, subject,
			     remedy, "the search ends at \"%s\"%s, before \"oidc\" is asked", blamed->name,
			     blamed->ends_when_unknown ? "" : " while that is out of reach");
		return;
	}
}

static void judge_order(const char *text, const char *database, bool demanded, struct findings *findings)
{
	struct nss_order order = { 0 };
	size_t step = 0;
	enum nss_order_fault fault = NSS_ORDER_NO_DATABASE;

	if (nss_order_parse(text, database, &order))
		fault = nss_order_judge(&order, "oidc", &step);
	else if (!demanded)
		return;
	say_order(database, &order, fault, step, findings);
}

/* ---- the library ---- */

static void judge_library(const struct health *health, struct findings *findings)
{
	static const char reinstall[] = "install the package of the library (libnss-oidc) again, then: ldconfig";
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	void *symbol = library ? dlsym(library, "_nss_oidc_getpwnam_r") : NULL;
	Dl_info info;

	if (!symbol || dladdr(symbol, &info) == 0) {
		const char *fault = dlerror();

		findings_add(findings, LEVEL_ERROR, ITEM_NAMES, LIBRARY, reinstall, "it cannot be loaded: %s",
			     fault ? fault : "there is nothing of ours in it");
	} else {
		const struct file_rule rule = {
			.path = info.dli_fname,
			.kind = S_IFREG,
			.forbidden = 022,
			.item = ITEM_NAMES,
		};

		(void)file_rule_judge(&rule, health, findings);
	}
	if (library)
		(void)dlclose(library);
}

/* ---- nscd ---- */

static bool nscd_runs(void)
{
	static const char *const sockets[] = { "/run/nscd/socket", "/var/run/nscd/socket" };

	for (size_t i = 0; i < sizeof(sockets) / sizeof(sockets[0]); i++) {
		_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		struct sockaddr_un address = { .sun_family = AF_UNIX };

		(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", sockets[i]);
		/* EAGAIN: it has more to do than it can take. */
		if (fd >= 0 && (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 || errno == EAGAIN))
			return true;
	}
	return false;
}

/* Whether nscd.conf has "enable-cache DATABASE yes"; without the line it is off. */
static bool caches(const char *text, const char *database)
{
	bool on = false;

	while (*text) {
		char key[32], name[32], value[32];
		size_t length = strcspn(text, "\n");
		char line[256];

		(void)snprintf(line, sizeof(line), "%.*s", (int)(length < 255 ? length : 255), text);
		if (sscanf(line, " %31s %31s %31s", key, name, value) == 3 && strcmp(key, "enable-cache") == 0 &&
		    strcmp(name, database) == 0)
			on = strcmp(value, "yes") == 0;
		text += length + (text[length] == '\n');
	}
	return on;
}

static void judge_nscd(struct findings *findings)
{
	_cleanup_free_ char *text = NULL;
	bool passwd, group;

	if (!nscd_runs())
		return;
	text = health_read_file(NSCD_CONF);
	passwd = text && caches(text, "passwd");
	group = text && caches(text, "group");
	if (passwd || group)
		findings_add(findings, LEVEL_ERROR, ITEM_NAMES, "nscd",
			     "systemctl disable --now nscd, or set \"enable-cache passwd no\" and \"enable-cache group "
			     "no\" in " NSCD_CONF " and restart it",
			     "it runs and caches %s: it answers in sshd's stead, and first sign-ins fail",
			     passwd && group ? "users and groups"
			     : passwd        ? "users"
					     : "groups");
}

void check_names(const struct health *health, struct findings *findings)
{
	_cleanup_free_ char *text = health_read_file(NSSWITCH);

	judge_order(text ? text : "", "passwd", true, findings);
	judge_order(text ? text : "", "group", true, findings);
	judge_order(text ? text : "", "initgroups", false, findings);
	judge_library(health, findings);
	judge_nscd(findings);
	if (findings->count == 0)
		findings_add(findings, LEVEL_GOOD, ITEM_NAMES, NULL, NULL,
			     "sshd learns about people who have no account yet: \"oidc\" is last for users and groups, "
			     "and its library loads");
}
