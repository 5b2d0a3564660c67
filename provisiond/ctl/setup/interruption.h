/*
 * Ctrl-C, the end of the terminal and SIGTERM while something is under way that must be taken back: they are noted, and
 * the work ends on its ordinary way out, where everything is released.
 */
#ifndef PROVISIOND_CTL_SETUP_INTERRUPTION_H
#define PROVISIOND_CTL_SETUP_INTERRUPTION_H

#include <signal.h>
#include <stdbool.h>

/* From now on SIGINT, SIGTERM, SIGHUP and SIGQUIT are noted, and SIGPIPE is ignored. Programs that are started
 * meanwhile need an empty signal mask, and a process group of their own where the terminal shall not reach them. False,
 * with errno, when that cannot be had. */
bool interruption_begin(void);
/* Whether one has come; from then on always. */
bool interruption_came(void);
/* Readable once one has come: for poll(2). -1 before interruption_begin(). */
int interruption_fd(void);
/* Signals have their default effect again. One that has come takes effect now, and ends the process. */
void interruption_end(void);

#endif
