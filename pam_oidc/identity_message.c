/*
 * Writes identities into messages. See identity_message.h.
 */
#include "pam_oidc/identity_message.h"

void identity_write(const struct identity *identity, struct wire_writer *writer)
{
	wire_put(writer, "issuer", identity->issuer);
	wire_put(writer, "client_id", identity->client_id);
	wire_put(writer, "subject", identity->subject);
	wire_put(writer, "email", identity->email);
	if (identity->email_verified != EMAIL_VERIFICATION_ABSENT)
		wire_put(writer, "email_verified",
			 identity->email_verified == EMAIL_VERIFICATION_TRUE ? "true" : "false");
	wire_put(writer, "full_name", identity->full_name);
	wire_put(writer, "username", identity->username);
	if (identity->auth_time > 0)
		wire_put_number(writer, "auth_time", identity->auth_time);
	for (size_t i = 0; i < identity->groups.count; i++)
		wire_put(writer, "group", identity->groups.items[i]);
	for (size_t i = 0; i < identity->amr.count; i++)
		wire_put(writer, "amr", identity->amr.items[i]);
}
