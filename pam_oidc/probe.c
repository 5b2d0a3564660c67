/*
 * Runs a dry run for an administrator. See probe.h. How a person is told stands in probe_screen.c.
 */
#include "pam_oidc/probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/config.h"
#include "common/log.h"
#include "common/version.h"
#include "common/wire.h"
#include "pam_oidc/dry_run.h"
#include "pam_oidc/identity_message.h"
#include "pam_oidc/okta_remedy.h"
#include "pam_oidc/probe_screen.h"
#include "pam_oidc/qr.h"
#include "pam_oidc/realm.h"

#define SEND_PATIENCE_MS 5000
#define SHOW_MAX 16384
#define REQUEST_MAX 4096

struct probe {
	const struct probe_options *options;
	struct loop *loop;
	struct dry_run *run; /* NULL before and after */
	struct loop_watch *input, *output;
	bool all_good;
	char buffer[WIRE_MAX];
};

static void cancel(struct probe *probe)
{
	probe->all_good = false;
	loop_stop(probe->loop);
}

static void send_message(struct probe *probe, const struct wire_writer *writer)
{
	if (wire_send(STDOUT_FILENO, writer, wire_now_ms() + SEND_PATIENCE_MS) != 0)
		cancel(probe);
}

static void tell(void *context, const struct finding *finding)
{
	struct probe *probe = context;
	struct wire_writer writer;

	probe->all_good = probe->all_good && finding->level != FINDING_BAD;
	if (!probe->options->messages) {
		finding_print(finding, probe->options->utf8, stdout);
		return;
	}
	finding_write(finding, probe->buffer, sizeof(probe->buffer), &writer);
	send_message(probe, &writer);
}

/* ---- while a code is shown ---- */

static void show_in_message(struct probe *probe, const struct tenant *tenant,
			    const struct device_authorization *authorization)
{
	_cleanup_secret_text_ char *qr = qr_text(authorization->verification_uri_complete, QR_UTF8);
	char buffer[SHOW_MAX];
	struct wire_writer writer;

	wire_begin(&writer, buffer, sizeof(buffer), "status", "show");
	wire_put(&writer, "tenant", tenant->name);
	wire_put(&writer, "url", authorization->verification_uri);
	wire_put(&writer, "complete", authorization->verification_uri_complete);
	wire_put(&writer, "code", authorization->user_code);
	wire_put_number(&writer, "expires_in", authorization->expires_in_s);
	wire_put(&writer, "qr", qr ? qr : "");
	send_message(probe, &writer);
	explicit_bzero(buffer, sizeof(buffer));
}

static void show(void *context, const struct tenant *tenant, const struct device_authorization *authorization)
{
	struct probe *probe = context;

	if (probe->options->messages)
		show_in_message(probe, tenant, authorization);
	else
		probe_screen_show(authorization, probe->options->utf8, stdout);
}

static void identified(void *context, const struct tenant *tenant, const struct identity *identity)
{
	struct probe *probe = context;
	struct wire_writer writer;

	if (!probe->options->messages) {
		probe_screen_identity(identity, probe->options->utf8, stdout);
		return;
	}
	wire_begin(&writer, probe->buffer, sizeof(probe->buffer), "status", "identity");
	wire_put(&writer, "tenant", tenant->name);
	identity_write(identity, &writer);
	send_message(probe, &writer);
}

/* What the parent says: EOF, or a request. */
static void hear(struct probe *probe, int fd)
{
	char request[REQUEST_MAX];
	struct wire_message message;
	ssize_t n = read(fd, request, sizeof(request));
	const char *op = n > 0 && wire_parse(request, (size_t)n, &message) ? wire_kind(&message, "op") : NULL;

	if (op && strcmp(op, "skip") == 0 && probe->run)
		dry_run_skip_approval(probe->run);
	else if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
		cancel(probe);
}

static void input_ready(void *context, short revents)
{
	(void)revents;
	hear(context, STDIN_FILENO);
}

static void output_ready(void *context, short revents)
{
	(void)revents;
	hear(context, STDOUT_FILENO);
}

/* Whether closing it means something: a file, a terminal and /dev/null are no line to the parent. */
static bool is_line(int fd, struct stat *ret_st)
{
	return fstat(fd, ret_st) == 0 && (S_ISFIFO(ret_st->st_mode) || S_ISSOCK(ret_st->st_mode));
}

static bool watch_parent(struct probe *probe)
{
	struct stat input, output;
	int type = 0;
	socklen_t size = sizeof(type);

	if (!is_line(STDOUT_FILENO, &output) || getsockopt(STDOUT_FILENO, SOL_SOCKET, SO_TYPE, &type, &size) != 0 ||
	    type != SOCK_SEQPACKET) {
		log_error("standard output must be a SOCK_SEQPACKET socket for --messages; leave it out at a terminal");
		return false;
	}
	probe->output = loop_watch(probe->loop, STDOUT_FILENO, POLLIN, output_ready, probe);
	if (is_line(STDIN_FILENO, &input) && (input.st_dev != output.st_dev || input.st_ino != output.st_ino))
		probe->input = loop_watch(probe->loop, STDIN_FILENO, POLLIN, input_ready, probe);
	return probe->output != NULL;
}

/* ---- the configuration ---- */

static void tell_fault(void *context, const char *path, unsigned line, const char *message)
{
	struct finding finding =
		line > 0 ? finding_say("", "configuration", FINDING_BAD, okta_remedy(REMEDY_CONFIGURATION), "%s:%u: %s",
				       path, line, message)
			 : finding_say("", "configuration", FINDING_BAD, okta_remedy(REMEDY_CONFIGURATION), "%s: %s",
				       path, message);

	tell(context, &finding);
}

/* A tenant that is not to be tried is told about only when it would keep the daemon from starting. */
static void tell_secret(struct probe *probe, const struct tenant *tenant, uid_t uid, gid_t gid)
{
	bool asked_for = !probe->options->tenant || strcmp(probe->options->tenant, tenant->name) == 0;
	const char *path = NULL;
	char fault[512];
	struct finding finding;

	if (!realm_check_secret(tenant, uid, gid, &path, fault, sizeof(fault)))
		finding =
			finding_say(tenant->name, "secret", FINDING_BAD, okta_remedy(REMEDY_SECRET_FILE), "%s", fault);
	else if (path && asked_for)
		finding = finding_say(tenant->name, "secret", FINDING_GOOD, NULL, "%s can be read and used", path);
	else
		return;
	tell(probe, &finding);
}

static bool tenant_is_there(struct probe *probe, const struct config *config)
{
	const char *tenant = probe->options->tenant;
	struct finding finding;

	if (!tenant || config_tenant_named(config, tenant))
		return true;
	finding = finding_say("", "configuration", FINDING_BAD, okta_remedy(REMEDY_TENANT_NAME),
			      "%s: has no [tenant %s]", config->path, tenant);
	tell(probe, &finding);
	return false;
}

/* NULL when anything is wrong, which was told. */
static struct config *read_configuration(struct probe *probe, uid_t uid, gid_t gid)
{
	struct config *config = NULL;
	struct finding finding;

	if (!config_load(probe->options->config_path, tell_fault, probe, &config))
		return NULL;
	if (tenant_is_there(probe, config)) {
		finding = finding_say("", "configuration", FINDING_GOOD, NULL, "%s: no fault found", config->path);
		tell(probe, &finding);
		for (size_t i = 0; i < config->tenant_count; i++)
			tell_secret(probe, &config->tenants[i], uid, gid);
	}
	if (probe->all_good)
		return config;
	config_free(config);
	return NULL;
}

/* ---- the story ---- */

static void done(void *context, bool all_good)
{
	struct probe *probe = context;

	probe->run = NULL;
	probe->all_good = probe->all_good && all_good;
	loop_stop(probe->loop);
}

static void try_issuers(struct probe *probe, struct realm *realm)
{
	const struct dry_run_options options = { .tenant = probe->options->tenant, .code = probe->options->code };
	const struct dry_run_events events = {
		.found = tell,
		.show = probe->options->approval ? show : NULL,
		.identified = identified,
		.done = done,
		.context = probe,
	};

	probe->run = dry_run_start(probe->loop, realm, &options, &events);
	if (!probe->run) {
		log_error("cannot check: out of memory");
		probe->all_good = false;
		return;
	}
	if (!loop_run(probe->loop) || probe->run)
		probe->all_good = false;
	dry_run_cancel(probe->run);
	probe->run = NULL;
}

static void tell_end(struct probe *probe)
{
	struct wire_writer writer;

	if (!probe->options->messages)
		return;
	wire_begin(&writer, probe->buffer, sizeof(probe->buffer), "status", "end");
	wire_put_number(&writer, "good", probe->all_good);
	wire_put(&writer, "version", PAM_OIDC_VERSION);
	send_message(probe, &writer);
}

bool probe_run(struct loop *loop, struct http *http, const struct probe_options *options, uid_t uid, gid_t gid)
{
	_cleanup_free_ struct probe *probe = calloc(1, sizeof(*probe));
	struct config *config;
	struct realm *realm;

	if (!probe) {
		log_error("cannot check: out of memory");
		return false;
	}
	*probe = (struct probe){ .options = options, .loop = loop, .all_good = true };
	if (options->messages && !watch_parent(probe))
		return false;
	config = read_configuration(probe, uid, gid);
	realm = config ? realm_create(loop, http, config, uid, gid) : NULL;
	if (realm)
		try_issuers(probe, realm);
	else
		probe->all_good = false;
	realm_unref(realm);
	tell_end(probe);
	loop_unwatch(loop, probe->input);
	loop_unwatch(loop, probe->output);
	return probe->all_good;
}
