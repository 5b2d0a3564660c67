/*
 * Tries every tenant in turn without a person. See dry_run.h.
 */
#include "pam_oidc/dry_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/wire.h"
#include "pam_oidc/device_grant.h"
#include "pam_oidc/endpoint_response.h"

struct dry_run {
	struct loop *loop;
	struct realm *realm;
	size_t at; /* index of the tenant under way */
	bool all_good;
	struct loop_timer next;
	struct document_waiter waiter;
	struct http_transfer *transfer;
	dry_run_found *found;
	dry_run_done *done;
	void *context;
};

static void try_metadata(void *context);

static struct provider *provider_of(struct dry_run *run)
{
	return realm_provider_at(run->realm, run->at);
}

static void found(struct dry_run *run, const char *item, bool good, const char *text)
{
	run->all_good = run->all_good && good;
	run->found(run->context, provider_tenant(provider_of(run))->name, item, good, text);
}

void dry_run_cancel(struct dry_run *run)
{
	if (!run)
		return;
	loop_clear_timer(run->loop, &run->next);
	document_unwait(&run->waiter);
	http_cancel(run->transfer);
	realm_unref(run->realm);
	free(run);
}

static void next_tenant(struct dry_run *run)
{
	dry_run_done *done = run->done;
	void *context = run->context;
	bool all_good;

	run->at++;
	if (run->at < realm_provider_count(run->realm)) {
		try_metadata(run);
		return;
	}
	all_good = run->all_good;
	dry_run_cancel(run);
	done(context, all_good);
}

/* What to do about it, for the refusals that an administrator can mend in Okta. */
static const char *remedy(const struct endpoint_answer *answer)
{
	const char *error = answer->error ? answer->error : "";

	if (strcmp(error, "invalid_client") == 0)
		return "check client_id, client_auth and the secret against the application's General tab in Okta";
	if (strcmp(error, "unauthorized_client") == 0)
		return "tick Device Authorization under Grant type in the application's General tab in Okta";
	if (strcmp(error, "invalid_scope") == 0)
		return "remove the scope that the issuer does not know, or add it to the authorization server in Okta";
	if (strcmp(error, "too_many_user_codes") == 0 || answer->status == 429)
		return "wait a minute and try again";
	return "see the description that the issuer gave";
}

static void describe_refusal(const struct http_response *response, char *text, size_t size)
{
	struct endpoint_response read;

	endpoint_response_read(response, time(NULL), &read);
	if (!response->answered)
		(void)snprintf(text, size, "no answer: %s", response->error);
	else
		(void)snprintf(
			text, size, "HTTP %ld %s: %s; %s", response->status, read.answer.error ? read.answer.error : "",
			read.answer.description ? read.answer.description : "no description", remedy(&read.answer));
	endpoint_response_clear(&read);
}

static void code_answered(void *context, const struct http_response *response)
{
	struct dry_run *run = context;
	struct device_authorization *authorization = NULL;
	char text[512];
	bool good = response->answered && response->status == 200 &&
		    device_authorization_parse(response->body, response->length, &authorization, text, sizeof(text));

	run->transfer = NULL;
	if (good)
		(void)snprintf(text, sizeof(text), "the issuer gives codes for %s, good for %lld s",
			       authorization->verification_uri, (long long)authorization->expires_in_s);
	else if (!response->answered || response->status != 200)
		describe_refusal(response, text, sizeof(text));
	device_authorization_free(authorization);
	found(run, "device_code", good, text);
	next_tenant(run);
}

static void try_code(struct dry_run *run)
{
	struct provider *provider = provider_of(run);
	const struct discovery *metadata = provider_metadata(provider);
	_cleanup_form_ struct form form = { 0 };

	form_add(&form, "scope", provider_tenant(provider)->scopes);
	if (metadata)
		run->transfer =
			provider_post(provider, metadata->device_authorization_endpoint, &form, code_answered, run);
	if (run->transfer)
		return;
	found(run, "device_code", false, "the request could not be made: out of memory");
	next_tenant(run);
}

static void keys_told(void *context, enum document_outcome outcome)
{
	struct dry_run *run = context;
	char text[300];

	if (outcome == DOCUMENT_READY)
		(void)snprintf(text, sizeof(text), "%zu keys that can verify a token",
			       jwks_count(provider_keys(provider_of(run))));
	else
		(void)snprintf(text, sizeof(text), "%s", provider_keys_fault(provider_of(run)));
	found(run, "keys", outcome == DOCUMENT_READY, text);
	try_code(run);
}

static void try_keys(struct dry_run *run)
{
	if (provider_keys(provider_of(run))) {
		keys_told(run, DOCUMENT_READY);
		return;
	}
	run->waiter = (struct document_waiter){ .told = keys_told, .context = run };
	if (!provider_wait_keys(provider_of(run), false, &run->waiter))
		keys_told(run, DOCUMENT_WRONG);
}

static void metadata_told(void *context, enum document_outcome outcome)
{
	struct dry_run *run = context;
	char text[300];

	if (outcome != DOCUMENT_READY) {
		(void)snprintf(text, sizeof(text), "%s", provider_metadata_fault(provider_of(run)));
		found(run, "discovery", false, text);
		next_tenant(run);
		return;
	}
	(void)snprintf(text, sizeof(text), "%s offers the device grant", provider_tenant(provider_of(run))->issuer);
	found(run, "discovery", true, text);
	try_keys(run);
}

static void try_metadata(void *context)
{
	struct dry_run *run = context;

	if (provider_metadata(provider_of(run))) {
		metadata_told(run, DOCUMENT_READY);
		return;
	}
	run->waiter = (struct document_waiter){ .told = metadata_told, .context = run };
	provider_wait_metadata(provider_of(run), &run->waiter);
}

struct dry_run *dry_run_start(struct loop *loop, struct realm *realm, dry_run_found *found_one, dry_run_done *done,
			      void *context)
{
	struct dry_run *run = calloc(1, sizeof(*run));

	if (!run)
		return NULL;
	*run = (struct dry_run){
		.loop = loop,
		.realm = realm_ref(realm),
		.all_good = true,
		.found = found_one,
		.done = done,
		.context = context,
	};
	if (!loop_set_timer(loop, &run->next, 0, try_metadata, run)) {
		dry_run_cancel(run);
		return NULL;
	}
	return run;
}
