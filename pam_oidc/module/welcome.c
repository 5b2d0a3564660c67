/*
 * Keeps the text in PAM's environment and says it later. See welcome.h.
 */
#include "pam_oidc/module/welcome.h"

#include "pam_oidc/module/conversation.h"
#include "pam_oidc/module/printable.h"
#include "pam_oidc/module/text.h"

#define WELCOME "PAM_OIDC_WELCOME"
#define WELCOME_MAX 512

void welcome_prepare(pam_handle_t *pamh, const struct signin_answer *answer, const struct account *account)
{
	char bytes[WELCOME_MAX], home[256];
	struct text text = { .bytes = bytes, .size = sizeof(bytes) };

	text_append(&text, WELCOME "=");
	if (answer->admitted.created) {
		printable_copy(answer->admitted.home ? answer->admitted.home : "", home, sizeof(home));
		text_append(&text, "Welcome! A local account was made for you: %s (uid %lu)%s%s.", account->name,
			    (unsigned long)account->uid, home[0] ? ", home " : "", home);
	}
	if (account->room[0])
		text_append(&text, "%sYour room is %s.", answer->admitted.created ? " " : "", account->room);
	if (!text.failed && text.length > sizeof(WELCOME))
		(void)pam_putenv(pamh, bytes);
}

void welcome_say(pam_handle_t *pamh, bool silent)
{
	const char *text = pam_getenv(pamh, WELCOME);

	if (!text)
		return;
	if (!silent)
		(void)conversation_info(pamh, text);
	/* So that it does not end up in the person's shell. */
	(void)pam_putenv(pamh, WELCOME);
}
