/*
 * The commands that ask provisiond for one change and need nothing else: link, add, unlink, reserve, room, reactivate,
 * reassign.
 */
#include "provisiond/ctl/command.h"

#include <string.h>

#include "provisiond/ctl/change.h"

enum exit_code link_account(const struct invocation *invocation)
{
	return change_carry_out(&(struct change){ .op = "link",
						  .fields = { { "name", invocation->arguments[0] },
							      { "email", invocation->arguments[1] },
							      { "subject", invocation->subject } } },
				invocation);
}

enum exit_code add_account(const struct invocation *invocation)
{
	return change_carry_out(&(struct change){ .op = "add",
						  .fields = { { "name", invocation->arguments[0] },
							      { "email", invocation->arguments[1] } } },
				invocation);
}

enum exit_code unlink_account(const struct invocation *invocation)
{
	return change_carry_out(&(struct change){ .op = "unlink", .fields = { { "name", invocation->arguments[0] } } },
				invocation);
}

enum exit_code reserve_uid(const struct invocation *invocation)
{
	const char *uid = invocation->uid;

	if (!uid) {
		complain("which uid? For example: provisionctl reserve NAME --uid 2100000001");
		return EXIT_USAGE;
	}
	if (!*uid || strlen(uid) > 10 || uid[strspn(uid, "0123456789")])
		return complain_about(EXIT_USAGE, "\"", uid, "\" is no uid: --uid takes a number.");
	return change_carry_out(
		&(struct change){ .op = "reserve", .fields = { { "name", invocation->arguments[0] }, { "uid", uid } } },
		invocation);
}

enum exit_code set_room(const struct invocation *invocation)
{
	return change_carry_out(&(struct change){ .op = "room",
						  .fields = { { "name", invocation->arguments[0] },
							      { "room", invocation->arguments[1] } } },
				invocation);
}

enum exit_code reactivate_account(const struct invocation *invocation)
{
	return change_carry_out(
		&(struct change){ .op = "reactivate", .fields = { { "name", invocation->arguments[0] } } }, invocation);
}

enum exit_code reassign_account(const struct invocation *invocation)
{
	return change_carry_out_confirmed(
		&(struct change){ .op = "reassign", .fields = { { "name", invocation->arguments[0] } } }, invocation);
}
