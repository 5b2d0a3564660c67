/*
 * Finds out what setup must know: from the options, from the configuration that is there, and from the person at the
 * terminal, who is asked again after a bad answer and told what is wrong with it.
 */
#ifndef PROVISIOND_CTL_SETUP_GATHER_H
#define PROVISIOND_CTL_SETUP_GATHER_H

#include <stdbool.h>

#include "provisiond/ctl/command.h"
#include "provisiond/ctl/setup/company.h"

struct gathered {
	struct company company;
	bool anew;              /* the configuration that is there is replaced as a whole */
	bool ssh_passwords_off; /* from now on sshd takes no passwords */
};

/* `before` is the configuration that is there, or NULL. EXIT_DONE, and the caller releases *ret_gathered; or another
 * code after a sentence: EXIT_USAGE for an option that is wrong, or missing where nobody can be asked. An interruption
 * ends it as EXIT_NOTHING, without a sentence. */
enum exit_code gather(const struct invocation *invocation, const char *before, bool interactive,
		      struct gathered *ret_gathered);
/* Asks everything again, with what is known as what Enter alone means. For a terminal. */
enum exit_code gather_again(const char *before, struct gathered *gathered);

#endif
