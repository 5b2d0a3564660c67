/*
 * The service manager's watchdog (WatchdogSec=, sd_watchdog_enabled(3)): it starts a daemon anew that has not been
 * heard of for so long. Only what shows that the daemon goes on may speak here: its event loop, and long work at each
 * step of its own; no thread that would do so whatever happens.
 */
#ifndef COMMON_WATCHDOG_H
#define COMMON_WATCHDOG_H

#include <stdint.h>

/* How often to call watchdog_pet(), in milliseconds: half of what the manager waits. 0 when nobody waits for it. */
int64_t watchdog_interval_ms(void);
/* Tells the manager that the daemon goes on. */
void watchdog_pet(void);
/* The same from within work that keeps the loop waiting, at a step that took little: tells the manager when it is due,
 * and while the daemon starts asks for more time (EXTEND_TIMEOUT_USEC=). For one thread of a process. */
void watchdog_progress(void);

#endif
