/*
 * Shows what a verified token holds, and which account `provisiond --preview` says it would give.
 */
#ifndef PROVISIOND_CTL_SETUP_PREVIEW_H
#define PROVISIOND_CTL_SETUP_PREVIEW_H

#include "provisiond/ctl/command.h"
#include "provisiond/ctl/setup/company.h"
#include "provisiond/ctl/setup/probing.h"

/* Shows the identity (there is one in `probed`), and asks provisiond what the candidate would make of it. EXIT_DONE
 * when it gives an account, whose name is in ret_account; EXIT_REFUSED when it gives none, after saying why, with
 * *ret_matters false where that is this person's own matter (a local user of that name, say) and other people are not
 * concerned; or another code after a sentence. */
enum exit_code preview_show(const struct probed *probed, char ret_account[static COMPANY_VALUE_MAX], bool *ret_matters);

#endif
