/*
 * From what went wrong to the page in Okta, by tables. Where pages and fields are was read from Okta's own
 * documentation of its Admin Console.
 */
#include "pam_oidc/okta_remedy.h"

#include <string.h>
#include <strings.h>

#define APP "Okta Admin Console: Applications > Applications > your app > "
#define SERVER "Security > API > Authorization Servers > your server > "

static const char *const sentences[] = {
	[REMEDY_CONFIGURATION] = "Correct that line; `pam_oidcd -t` says whether the file is right.",
	[REMEDY_SECRET_FILE] =
		"Set right the file that client_secret_file or private_key_file names: it belongs to root, "
		"with the group _pam_oidc and mode 0640, and so that _pam_oidc can pass its folder.",
	[REMEDY_TENANT_NAME] = "Name a tenant as the configuration has it, [tenant NAME], or none for all of them.",
	[REMEDY_MEMORY] = "Make room in memory and try again.",
	[REMEDY_CLOCK] =
		"Set this machine's clock and keep it right: `timedatectl set-ntp true`, or chrony. Sign-ins end "
		"where it is off by more than two minutes.",
	[REMEDY_NAME_SERVICE] = "Check the spelling of issuer or org (and of proxy, where there is one), and that this "
				"machine can resolve names: `getent hosts HOST`.",
	[REMEDY_WAY_OUT] =
		"Let this machine out to port 443 of that host, in the firewall, or name the proxy that leads "
		"there: proxy in [login].",
	[REMEDY_CA_FILE] =
		"Let ca_file in [login] name a file of certificates in PEM that _pam_oidc can read; for Okta "
		"itself leave it out and install the package ca-certificates.",
	[REMEDY_UNTRUSTED] =
		"For Okta itself leave ca_file out of [login] and install the package ca-certificates. Where "
		"your network opens TLS on the way, or the issuer is your own, ca_file must name the "
		"certificate of the authority that signs there.",
	[REMEDY_EXPIRED_CERTIFICATE] =
		"Look at this machine's clock first (`timedatectl`); when it is right, whoever runs "
		"that host must renew its certificate.",
	[REMEDY_CERTIFICATE_NOT_YET] = "Look at this machine's clock (`timedatectl`): it seems to be behind.",
	[REMEDY_CERTIFICATE_ENDS_SOON] = "Have it renewed before then by whoever runs that host, or the authority that "
					 "signed it; nobody can sign in afterwards.",
	[REMEDY_OTHER_HOST] =
		"Check the spelling of issuer or org: the certificate there is for another name. A custom "
		"domain's certificate is under Okta Admin Console: Customizations > Brands > Domains.",
	[REMEDY_TLS] = "Whatever answers there must speak TLS 1.2 with ECDHE, or 1.3. Okta does: look for a proxy or "
		       "another program between.",
	[REMEDY_STRANGE_ANSWER] =
		"Something else than Okta seems to answer: check issuer or org, and the proxy between.",
	[REMEDY_SERVER_DOWN] = "Try again in a while; https://status.okta.com tells whether Okta has a disturbance.",
	[REMEDY_RATE_LIMIT] =
		"Wait a minute and try again; Okta Admin Console: Reports > Rate Limits shows who asks so "
		"much.",
	[REMEDY_NO_SUCH_ISSUER] = "Okta has no issuer of that address. Copy it: " APP
				  "Sign On > OpenID Connect ID Token > Issuer, or " SERVER
				  "Settings > Issuer. With your Okta domain alone write org = DOMAIN instead.",
	[REMEDY_OTHER_ISSUER] =
		"Set issuer to what the document names, if that is yours. Okta Admin Console: " SERVER
		"Settings > Issuer chooses between the Okta URL and a custom domain; org = DOMAIN is the "
		"domain without -admin.",
	[REMEDY_NO_DEVICE_ENDPOINT] =
		"Use the issuer of an Okta org with Device Authorization: org = DOMAIN, or a server of "
		"Security > API > Authorization Servers whose Access Policies have a rule with that "
		"grant; or ask Okta to enable Device Authorization for your org.",
	[REMEDY_NOT_A_PROVIDER] =
		"Check issuer or org: what answers there is no OpenID provider that can be used, or a "
		"proxy changes what it says.",
	[REMEDY_KEYS] = "Okta Admin Console: " SERVER
			"Settings > Signing Keys must have an active RSA key; else a proxy between changes what comes.",
	[REMEDY_CLIENT_ID] = "Copy Client ID into client_id: " APP
			     "General > Client Credentials. The app must be active and of this very org.",
	[REMEDY_CLIENT_SECRET] =
		"Compare with " APP
		"General > Client Credentials: client_auth is `none` where Client authentication is None, "
		"`basic` or `post` with a Client secret (an active one), `private_key_jwt` with the "
		"public key of private_key_file.",
	[REMEDY_DEVICE_GRANT] =
		"Tick Device Authorization: " APP
		"General > General Settings > Grant type (the app is an OIDC Native Application). With a "
		"custom authorization server also: " SERVER "Access Policies > the rule > Grant type is.",
	[REMEDY_SCOPE] = "Take the scope out of scopes, or add it: Okta Admin Console: " SERVER
			 "Scopes, and let a rule of Access Policies permit it.",
	[REMEDY_REFUSED] = "See what the issuer says, and Okta Admin Console: Reports > System Log.",
	[REMEDY_NOT_ASSIGNED] = "Assign the person, or better one of their groups: " APP "Assignments.",
	[REMEDY_POLICY] =
		"Look at the rules that refused: Okta Admin Console: Security > Authentication Policies (the app's "
		"is named under Sign On > User authentication), and with a custom authorization server " SERVER
		"Access Policies. Reports > System Log names the rule.",
	[REMEDY_NETWORK_ZONE] =
		"Permit this machine's address: Okta Admin Console: Security > Networks, and the network "
		"zones of your app's General tab.",
	[REMEDY_DENIED] =
		"Start again and approve it; if somebody did, Okta Admin Console: Reports > System Log says who or "
		"what refused.",
	[REMEDY_TOO_LATE] = "Start again, and approve the code while it is shown.",
	[REMEDY_NOT_APPROVED] = "Run `pam_oidcd --probe` and approve the code, to see what a person's token contains.",
	[REMEDY_NO_ID_TOKEN] = "Let scopes contain openid; the default is `openid profile email`.",
	[REMEDY_TOKEN_ALGORITHM] =
		"Okta signs with RS256. Where your issuer uses another algorithm with a public key, name "
		"it in id_token_signing_algs; HS256 and none cannot be trusted and are never taken.",
	[REMEDY_TOKEN_KEY] =
		"The issuer signs with a key that it does not publish, or something between changes what comes: "
		"Okta Admin Console: " SERVER "Settings > Signing Keys.",
	[REMEDY_TOKEN_ISSUER] = "Let the token name the configured issuer: " APP
				"Sign On > OpenID Connect ID Token > Issuer (Okta URL or custom URL), or set issuer to "
				"that one.",
	[REMEDY_TOKEN_AUDIENCE] =
		"The token's audience must be client_id: " APP "Sign On > OpenID Connect ID Token > Audience.",
	[REMEDY_TOKEN_OTHER] =
		"Okta's own tokens are right in this: look for a product between, or an inline hook (Workflow "
		"> Inline Hooks) that changes tokens.",
	[REMEDY_AMR] =
		"Let Okta ask for that method: Okta Admin Console: Security > Authentication Policies > the app's "
		"policy > the rule > User must authenticate with; or take it out of required_amr.",
	[REMEDY_AUTH_AGE] =
		"Let Okta ask again in time: Okta Admin Console: Security > Authentication Policies > the app's "
		"policy > the rule > re-authentication frequency; or raise max_auth_age.",
	[REMEDY_USERINFO] = "Okta's userinfo endpoint completes a token that lacks email or groups: let scopes contain "
			    "profile and email, and look at Reports > System Log.",
	[REMEDY_TOO_MANY_GROUPS] = "Narrow the filter, so that it matches 100 groups at most: " APP
				   "Sign On > OpenID Connect ID Token > Group claims filter.",
	[REMEDY_EMAIL] =
		"Let scopes contain email, and give the person a primary email: Okta Admin Console: Directory > "
		"People > the person > Profile.",
	[REMEDY_EMAIL_DOMAIN] =
		"Approve with an account of the company, or add the domain to domains if it is the company's.",
	[REMEDY_EMAIL_VERIFIED] =
		"Okta says so of people who come from a directory, too. Have the person verify the address "
		"(Okta: Settings > Personal Information), or, if only administrators can change "
		"addresses in your Okta, set email_verified = if-present or ignore.",
	[REMEDY_GROUPS_CLAIM] =
		"Add the claim: " APP
		"Sign On > OpenID Connect ID Token > Group claim type Filter, Group claims filter: groups, "
		"Matches regex, .* (with a custom authorization server: " SERVER "Claims), and add groups to scopes.",
	[REMEDY_NOT_IN_GROUPS] =
		"Put the person into one of allowed_groups: Okta Admin Console: Directory > Groups; names "
		"compare letter for letter, and the claim's filter must let them through.",
	[REMEDY_USERNAME_CLAIM] =
		"Add the claim that username names: Okta Admin Console: " SERVER
		"Claims > Add Claim (ID Token, Always), from an attribute of Directory > Profile Editor "
		"that the person has.",
};

_Static_assert(sizeof(sentences) / sizeof(sentences[0]) == REMEDY_COUNT, "every remedy has its sentence");

const char *okta_remedy(enum remedy remedy)
{
	return sentences[remedy];
}

enum remedy remedy_for_trouble(enum http_trouble trouble)
{
	static const enum remedy remedies[] = {
		[HTTP_TROUBLE_NAME] = REMEDY_NAME_SERVICE,
		[HTTP_TROUBLE_CONNECT] = REMEDY_WAY_OUT,
		[HTTP_TROUBLE_TIMEOUT] = REMEDY_WAY_OUT,
		[HTTP_TROUBLE_CA_FILE] = REMEDY_CA_FILE,
		[HTTP_TROUBLE_UNTRUSTED] = REMEDY_UNTRUSTED,
		[HTTP_TROUBLE_EXPIRED] = REMEDY_EXPIRED_CERTIFICATE,
		[HTTP_TROUBLE_NOT_YET] = REMEDY_CERTIFICATE_NOT_YET,
		[HTTP_TROUBLE_HOST] = REMEDY_OTHER_HOST,
		[HTTP_TROUBLE_TLS] = REMEDY_TLS,
		[HTTP_TROUBLE_ANSWER] = REMEDY_STRANGE_ANSWER,
	};

	_Static_assert(sizeof(remedies) / sizeof(remedies[0]) == HTTP_TROUBLE_COUNT, "every trouble has its remedy");
	return remedies[trouble];
}

enum remedy remedy_for_discovery(long status, enum discovery_problem problem)
{
	static const enum remedy remedies[] = {
		[DISCOVERY_GOOD] = REMEDY_MEMORY,
		[DISCOVERY_NOT_JSON] = REMEDY_NOT_A_PROVIDER,
		[DISCOVERY_OTHER_ISSUER] = REMEDY_OTHER_ISSUER,
		[DISCOVERY_NO_DEVICE_ENDPOINT] = REMEDY_NO_DEVICE_ENDPOINT,
		[DISCOVERY_BAD_ENDPOINT] = REMEDY_NOT_A_PROVIDER,
		[DISCOVERY_NO_MEMORY] = REMEDY_MEMORY,
	};

	if (status == 200)
		return remedies[problem];
	if (status == 404)
		return REMEDY_NO_SUCH_ISSUER;
	if (status == 429)
		return REMEDY_RATE_LIMIT;
	return status >= 500 ? REMEDY_SERVER_DOWN : REMEDY_NOT_A_PROVIDER;
}

/* A row matches when everything it names is so. The first one counts. As in device_grant.c, status before body. */
static const struct row {
	long status;             /* 0: any */
	const char *error;       /* NULL: any, none too */
	const char *description; /* part of it; NULL: any */
	enum remedy remedy;
} rows[] = {
	{ 429, NULL, NULL, REMEDY_RATE_LIMIT },
	{ 0, "too_many_user_codes", NULL, REMEDY_RATE_LIMIT },
	{ 0, "invalid_client", "client_id", REMEDY_CLIENT_ID },
	{ 0, "invalid_client", NULL, REMEDY_CLIENT_SECRET },
	{ 0, "unauthorized_client", NULL, REMEDY_DEVICE_GRANT },
	{ 0, "unsupported_grant_type", NULL, REMEDY_DEVICE_GRANT },
	{ 0, "invalid_scope", NULL, REMEDY_SCOPE },
	{ 0, "access_denied", "not assigned", REMEDY_NOT_ASSIGNED },
	{ 0, "access_denied", "network zone", REMEDY_NETWORK_ZONE },
	{ 0, "access_denied", "policy evaluation", REMEDY_POLICY },
	{ 401, "access_denied", NULL, REMEDY_POLICY },
	{ 0, "access_denied", NULL, REMEDY_DENIED },
	{ 0, "expired_token", NULL, REMEDY_TOO_LATE },
	{ 0, "invalid_grant", NULL, REMEDY_TOO_LATE },
	{ 0, "server_error", "groups claim", REMEDY_TOO_MANY_GROUPS },
	{ 0, "server_error", NULL, REMEDY_SERVER_DOWN },
	{ 0, "temporarily_unavailable", NULL, REMEDY_SERVER_DOWN },
};

static bool row_matches(const struct row *row, const struct endpoint_answer *answer)
{
	return (row->status == 0 || row->status == answer->status) &&
	       (!row->error || (answer->error && strcmp(row->error, answer->error) == 0)) &&
	       (!row->description || (answer->description && strcasestr(answer->description, row->description)));
}

enum remedy remedy_for_answer(const struct endpoint_answer *answer)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (row_matches(&rows[i], answer))
			return rows[i].remedy;
	return answer->status >= 500 ? REMEDY_SERVER_DOWN : REMEDY_REFUSED;
}

enum remedy remedy_for_token(enum id_token_result result, const char *fault)
{
	static const struct {
		const char *claim;
		enum remedy remedy;
	} claims[] = {
		{ "alg:", REMEDY_TOKEN_ALGORITHM },
		{ "kid:", REMEDY_TOKEN_KEY },
		{ "the signature", REMEDY_TOKEN_KEY },
		{ "iss:", REMEDY_TOKEN_ISSUER },
		{ "aud:", REMEDY_TOKEN_AUDIENCE },
		{ "azp:", REMEDY_TOKEN_AUDIENCE },
		{ "amr:", REMEDY_AMR },
	};

	if (result == ID_TOKEN_UNKNOWN_KID)
		return REMEDY_TOKEN_KEY;
	if (result == ID_TOKEN_AUTH_TOO_OLD)
		return REMEDY_AUTH_AGE;
	if (strstr(fault, "this machine's clock"))
		return REMEDY_CLOCK;
	for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++)
		if (strncmp(fault, claims[i].claim, strlen(claims[i].claim)) == 0)
			return claims[i].remedy;
	return REMEDY_TOKEN_OTHER;
}
