/*
 * Asks the person at the terminal before something is done that cannot be taken back.
 */
#ifndef PROVISIOND_CTL_CONFIRM_H
#define PROVISIOND_CTL_CONFIRM_H

#include <stdbool.h>

/* Whether there is somebody to ask: standard input and standard error are a terminal. */
bool confirm_possible(void);
/* Shows the question on standard error. Only the word "yes" is a yes. */
bool confirm(const char *question);

#endif
