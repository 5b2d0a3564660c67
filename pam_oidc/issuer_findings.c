/*
 * Judges an issuer's server by its answers. See issuer_findings.h.
 */
#include "pam_oidc/issuer_findings.h"

#include <string.h>
#include <time.h>

#include "pam_oidc/id_token.h"
#include "pam_oidc/okta_remedy.h"

#define SECONDS_A_DAY 86400

static bool is_about_certificates(enum http_trouble trouble)
{
	switch (trouble) {
	case HTTP_TROUBLE_CA_FILE:
	case HTTP_TROUBLE_UNTRUSTED:
	case HTTP_TROUBLE_EXPIRED:
	case HTTP_TROUBLE_NOT_YET:
	case HTTP_TROUBLE_HOST:
	case HTTP_TROUBLE_TLS:
		return true;
	default:
		return false;
	}
}

static const char *remedy_of_fetch(const struct server_seen *server, enum discovery_problem problem)
{
	return okta_remedy(server->trouble != HTTP_TROUBLE_NONE ? remedy_for_trouble(server->trouble)
								: remedy_for_discovery(server->status, problem));
}

struct finding find_metadata(const struct provider *provider, enum document_outcome outcome)
{
	const struct tenant *tenant = provider_tenant(provider);
	const struct server_seen *server = provider_server(provider);

	if (outcome == DOCUMENT_READY)
		return finding_say(tenant->name, "discovery", FINDING_GOOD, NULL, "%s offers the device grant",
				   tenant->issuer);
	return finding_say(tenant->name, is_about_certificates(server->trouble) ? "tls" : "discovery", FINDING_BAD,
			   remedy_of_fetch(server, provider_metadata_problem(provider)),
			   "%s/.well-known/openid-configuration: %s", tenant->issuer,
			   provider_metadata_fault(provider));
}

static void write_date(int64_t seconds, char *ret_date, size_t size)
{
	time_t when = seconds;
	struct tm parts;

	if (!gmtime_r(&when, &parts) || strftime(ret_date, size, "%Y-%m-%d", &parts) == 0)
		ret_date[0] = '\0';
}

struct finding find_certificate(const struct tenant *tenant, const struct server_seen *server, int64_t now_s)
{
	int64_t until_s = server->certificate_until_s;
	int64_t days = until_s > now_s ? (until_s - now_s) / SECONDS_A_DAY : 0;
	struct finding finding;
	char date[16];

	if (until_s == 0)
		return finding_say(tenant->name, "tls", FINDING_GOOD, NULL,
				   "the certificate is trusted; until when cannot be told here");
	write_date(until_s, date, sizeof(date));
	if (days < CERTIFICATE_WARNING_DAYS)
		finding = finding_say(tenant->name, "tls", FINDING_WARNING, okta_remedy(REMEDY_CERTIFICATE_ENDS_SOON),
				      "the certificate of %s is good for %lld more day%s only, until %s",
				      tenant->issuer, (long long)days, days == 1 ? "" : "s", date);
	else
		finding = finding_say(tenant->name, "tls", FINDING_GOOD, NULL,
				      "the certificate is trusted, and good for %lld more days, until %s",
				      (long long)days, date);
	finding.days = days > INT32_MAX ? INT32_MAX : (int)days;
	return finding;
}

struct finding find_clock(const struct tenant *tenant, const struct server_seen *server)
{
	long long off = server->clock_ahead_s < 0 ? -server->clock_ahead_s : server->clock_ahead_s;
	enum finding_level level = off > ID_TOKEN_CLOCK_SKEW_S       ? FINDING_BAD
				   : off > ID_TOKEN_CLOCK_SKEW_S / 2 ? FINDING_WARNING
								     : FINDING_GOOD;

	if (!server->has_clock)
		return finding_say(tenant->name, "clock", FINDING_GOOD, NULL,
				   "the issuer does not tell its time, so this machine's was compared with nothing");
	if (level == FINDING_GOOD)
		return finding_say(tenant->name, "clock", level, NULL,
				   "this machine and the issuer agree about the time to %lld s", off);
	return finding_say(tenant->name, "clock", level, okta_remedy(REMEDY_CLOCK),
			   "this machine's clock is %lld s %s the issuer's; %d s are tolerated", off,
			   server->clock_ahead_s > 0 ? "behind" : "ahead of", ID_TOKEN_CLOCK_SKEW_S);
}

struct finding find_keys(const struct provider *provider, enum document_outcome outcome)
{
	const struct tenant *tenant = provider_tenant(provider);
	const struct server_seen *server = provider_keys_server(provider);
	enum remedy remedy = REMEDY_KEYS;

	if (outcome == DOCUMENT_READY)
		return finding_say(tenant->name, "keys", FINDING_GOOD, NULL, "%zu key%s that can verify a token",
				   jwks_count(provider_keys(provider)),
				   jwks_count(provider_keys(provider)) == 1 ? "" : "s");
	if (server && server->trouble != HTTP_TROUBLE_NONE)
		remedy = remedy_for_trouble(server->trouble);
	else if (server && (server->status >= 500 || server->status == 429))
		remedy = remedy_for_discovery(server->status, DISCOVERY_GOOD);
	return finding_say(tenant->name, "keys", FINDING_BAD, okta_remedy(remedy), "the issuer's keys: %s",
			   provider_keys_fault(provider));
}

/* ---- the application ---- */

static struct finding no_answer(const struct tenant *tenant, const char *item, const struct http_response *response)
{
	return finding_say(tenant->name, item, FINDING_BAD, okta_remedy(remedy_for_trouble(response->trouble)),
			   "no answer: %s", response->error);
}

static struct finding refused(const struct tenant *tenant, const char *item, enum finding_level level,
			      const struct endpoint_answer *answer)
{
	return finding_say(tenant->name, item, level, okta_remedy(remedy_for_answer(answer)), "HTTP %ld %s: %s",
			   answer->status, answer->error ? answer->error : "without an error code",
			   answer->description ? answer->description : "no description");
}

static bool says(const struct endpoint_answer *answer, const char *error)
{
	return answer->error && strcmp(answer->error, error) == 0;
}

static bool is_about_client(const struct endpoint_answer *answer)
{
	return says(answer, "invalid_client") || says(answer, "unauthorized_client") ||
	       says(answer, "unsupported_grant_type");
}

static struct finding judge_client(const struct tenant *tenant, const struct endpoint_answer *answer)
{
	/* Status first: Okta says invalid_grant with a rate limit, too. */
	if (answer->status == 429 || answer->status >= 500)
		return refused(tenant, "client", answer->status == 429 ? FINDING_WARNING : FINDING_BAD, answer);
	if (answer->status == 400 && (says(answer, "invalid_grant") || says(answer, "expired_token")))
		return finding_say(tenant->name, "client", FINDING_GOOD, NULL,
				   "the issuer knows the client %s, and lets it use the device grant",
				   tenant->client_id);
	if (answer->status == 400 && says(answer, "invalid_request"))
		return finding_say(tenant->name, "client", FINDING_WARNING, okta_remedy(REMEDY_NOT_APPROVED),
				   "only a device code will tell whether the client %s may have one: HTTP 400 "
				   "invalid_request: %s",
				   tenant->client_id, answer->description ? answer->description : "no description");
	return refused(tenant, "client", FINDING_BAD, answer);
}

struct finding find_client_by_token_endpoint(const struct tenant *tenant, const struct http_response *response)
{
	struct endpoint_response read;
	struct finding finding;

	if (!response->answered)
		return no_answer(tenant, "client", response);
	endpoint_response_read(response, 0, &read);
	finding = judge_client(tenant, &read.answer);
	endpoint_response_clear(&read);
	return finding;
}

struct finding find_refused_code(const struct tenant *tenant, const struct http_response *response)
{
	struct endpoint_response read;
	struct finding finding;

	if (!response->answered)
		return no_answer(tenant, "device_code", response);
	endpoint_response_read(response, 0, &read);
	finding = refused(tenant, is_about_client(&read.answer) ? "client" : "device_code", FINDING_BAD, &read.answer);
	endpoint_response_clear(&read);
	return finding;
}

struct finding find_refused_approval(const struct tenant *tenant, const struct endpoint_answer *answer)
{
	return refused(tenant, is_about_client(answer) ? "client" : "approval", FINDING_BAD, answer);
}
