/*
 * From the configuration to the verifier. See tenant_rules.h.
 */
#include "pam_oidc/tenant_rules.h"

struct id_token_expectations tenant_expectations(const struct tenant *tenant, const char *access_token, int64_t now_s)
{
	return (struct id_token_expectations){
		.issuer = tenant->issuer,
		.client_id = tenant->client_id,
		.algs = (const char *const *)tenant->id_token_signing_algs.items,
		.alg_count = tenant->id_token_signing_algs.count,
		.access_token = access_token,
		.now = now_s,
		.max_clock_skew_s = ID_TOKEN_CLOCK_SKEW_S,
		.max_auth_age_s = tenant->max_auth_age_s,
		.required_amr = (const char *const *)tenant->required_amr.items,
		.required_amr_count = tenant->required_amr.count,
	};
}

struct identity_needs tenant_needs(const struct tenant *tenant)
{
	return (struct identity_needs){
		.email_verified = tenant->email_verified == EMAIL_VERIFIED_REQUIRE,
		/* Where only memberships hang on them, too: without them, some would be taken away. */
		.groups = tenant->allowed_groups.count > 0 || tenant->group_map.count > 0,
		.username_claim = tenant->username_claim,
	};
}
