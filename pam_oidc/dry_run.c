/*
 * Tries one tenant after the other. See dry_run.h. What answers mean stands in issuer_findings.c, the wait for an
 * approval in approval.c.
 */
#include "pam_oidc/dry_run.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "pam_oidc/approval.h"
#include "pam_oidc/issuer_findings.h"
#include "pam_oidc/okta_remedy.h"

/* Nobody gives such a code: it has a space. */
#define NOBODYS_CODE "pam_oidcd check"

struct dry_run {
	struct loop *loop;
	struct realm *realm;
	size_t at, end; /* indices of the tenant under way, and behind the last one */
	bool code;
	bool all_good;
	bool has_keys; /* of the tenant under way: its tokens can be verified */
	struct loop_timer next;
	struct document_waiter waiter;
	struct http_transfer *transfer;
	struct approval *approval;
	struct dry_run_events events;
};

static void try_metadata(void *context);

static struct provider *provider_of(struct dry_run *run)
{
	return realm_provider_at(run->realm, run->at);
}

static const struct tenant *tenant_of(struct dry_run *run)
{
	return provider_tenant(provider_of(run));
}

static void found(void *context, const struct finding *finding)
{
	struct dry_run *run = context;

	run->all_good = run->all_good && finding->level != FINDING_BAD;
	run->events.found(run->events.context, finding);
}

static void tell(struct dry_run *run, struct finding finding)
{
	found(run, &finding);
}

void dry_run_cancel(struct dry_run *run)
{
	if (!run)
		return;
	loop_clear_timer(run->loop, &run->next);
	document_unwait(&run->waiter);
	http_cancel(run->transfer);
	approval_cancel(run->approval);
	realm_unref(run->realm);
	free(run);
}

static void next_tenant(struct dry_run *run)
{
	struct dry_run_events events = run->events;
	bool all_good;

	run->at++;
	if (run->at < run->end) {
		try_metadata(run);
		return;
	}
	all_good = run->all_good;
	dry_run_cancel(run);
	events.done(events.context, all_good);
}

static void tell_no_memory(struct dry_run *run, const char *item)
{
	tell(run, finding_say(tenant_of(run)->name, item, FINDING_BAD, okta_remedy(REMEDY_MEMORY),
			      "the request could not be made: out of memory"));
	next_tenant(run);
}

/* ---- a code, and its approval ---- */

static void approval_over(void *context)
{
	struct dry_run *run = context;

	run->approval = NULL;
	next_tenant(run);
}

static void approval_identified(void *context, const struct tenant *tenant, const struct identity *identity)
{
	struct dry_run *run = context;

	if (run->events.identified)
		run->events.identified(run->events.context, tenant, identity);
}

/* Takes the authorization over. */
static void await_approval(struct dry_run *run, struct device_authorization *authorization)
{
	const struct approval_events events = {
		.found = found, .identified = approval_identified, .over = approval_over, .context = run
	};

	run->approval = approval_start(run->loop, provider_of(run), authorization, &events);
	if (!run->approval) {
		device_authorization_free(authorization);
		tell_no_memory(run, "approval");
		return;
	}
	run->events.show(run->events.context, tenant_of(run), authorization);
}

void dry_run_skip_approval(struct dry_run *run)
{
	if (run->approval)
		approval_skip(run->approval);
}

static void take_code(struct dry_run *run, const struct http_response *response)
{
	const struct tenant *tenant = tenant_of(run);
	struct device_authorization *authorization = NULL;
	char fault[256];

	tell(run, finding_say(tenant->name, "client", FINDING_GOOD, NULL,
			      "the issuer knows the client %s, and lets it use the device grant", tenant->client_id));
	if (!device_authorization_parse(response->body, response->length, &authorization, fault, sizeof(fault))) {
		tell(run, finding_say(tenant->name, "device_code", FINDING_BAD, okta_remedy(REMEDY_NOT_A_PROVIDER),
				      "%s", fault));
		next_tenant(run);
		return;
	}
	tell(run, finding_say(tenant->name, "device_code", FINDING_GOOD, NULL,
			      "the issuer gives codes for %s, good for %lld s", authorization->verification_uri,
			      (long long)authorization->expires_in_s));
	/* What nobody could verify need not be approved. */
	if (run->events.show && run->has_keys) {
		await_approval(run, authorization);
		return;
	}
	device_authorization_free(authorization);
	next_tenant(run);
}

static void code_answered(void *context, const struct http_response *response)
{
	struct dry_run *run = context;

	run->transfer = NULL;
	if (response->answered && response->status == 200) {
		take_code(run, response);
		return;
	}
	tell(run, find_refused_code(tenant_of(run), response));
	next_tenant(run);
}

static void try_code(struct dry_run *run)
{
	const struct discovery *metadata = provider_metadata(provider_of(run));
	_cleanup_form_ struct form form = { 0 };

	form_add(&form, "scope", tenant_of(run)->scopes);
	if (metadata)
		run->transfer = provider_post(provider_of(run), metadata->device_authorization_endpoint, &form,
					      code_answered, run);
	if (!run->transfer)
		tell_no_memory(run, "device_code");
}

/* ---- the client, without a code ---- */

static void client_answered(void *context, const struct http_response *response)
{
	struct dry_run *run = context;

	run->transfer = NULL;
	tell(run, find_client_by_token_endpoint(tenant_of(run), response));
	next_tenant(run);
}

static void try_client(struct dry_run *run)
{
	const struct discovery *metadata = provider_metadata(provider_of(run));
	_cleanup_form_ struct form form = { 0 };

	form_add(&form, "grant_type", DEVICE_GRANT_TYPE);
	form_add(&form, "device_code", NOBODYS_CODE);
	if (metadata)
		run->transfer = provider_post(provider_of(run), metadata->token_endpoint, &form, client_answered, run);
	if (!run->transfer)
		tell_no_memory(run, "client");
}

/* ---- the documents ---- */

static void keys_told(void *context, enum document_outcome outcome)
{
	struct dry_run *run = context;

	run->has_keys = outcome == DOCUMENT_READY;
	tell(run, find_keys(provider_of(run), outcome));
	if (run->code)
		try_code(run);
	else
		try_client(run);
}

/* Fetched anew, as the metadata: what was good an hour ago is no finding. */
static void try_keys(struct dry_run *run)
{
	run->waiter = (struct document_waiter){ .told = keys_told, .context = run };
	if (!provider_wait_keys(provider_of(run), false, &run->waiter))
		keys_told(run, DOCUMENT_WRONG);
}

static void metadata_told(void *context, enum document_outcome outcome)
{
	struct dry_run *run = context;
	const struct server_seen *server = provider_server(provider_of(run));

	tell(run, find_metadata(provider_of(run), outcome));
	if (server->status != 0) {
		tell(run, find_certificate(tenant_of(run), server, time(NULL)));
		tell(run, find_clock(tenant_of(run), server));
	}
	if (outcome == DOCUMENT_READY)
		try_keys(run);
	else
		next_tenant(run);
}

static void try_metadata(void *context)
{
	struct dry_run *run = context;

	run->waiter = (struct document_waiter){ .told = metadata_told, .context = run };
	provider_wait_metadata(provider_of(run), &run->waiter);
}

static size_t index_of(struct realm *realm, const char *tenant)
{
	size_t i = 0;

	while (i < realm_provider_count(realm) &&
	       strcmp(provider_tenant(realm_provider_at(realm, i))->name, tenant) != 0)
		i++;
	return i;
}

struct dry_run *dry_run_start(struct loop *loop, struct realm *realm, const struct dry_run_options *options,
			      const struct dry_run_events *events)
{
	struct dry_run *run = calloc(1, sizeof(*run));
	size_t first = options->tenant ? index_of(realm, options->tenant) : 0;

	if (!run)
		return NULL;
	*run = (struct dry_run){
		.loop = loop,
		.realm = realm_ref(realm),
		.at = first,
		.end = options->tenant ? first + 1 : realm_provider_count(realm),
		.code = options->code,
		.all_good = true,
		.events = *events,
	};
	if (!loop_set_timer(loop, &run->next, 0, try_metadata, run)) {
		dry_run_cancel(run);
		return NULL;
	}
	return run;
}
