/*
 * How both daemons begin: as if nothing had been handed down by whoever started them.
 */
#ifndef COMMON_CLEAN_START_H
#define COMMON_CLEAN_START_H

#include <stdbool.h>

/*
 * For main(), before anything else. No core dumps, and no tracing by the user's other processes. Descriptors 0 to 2 are
 * open, and no other but a socket that the service manager passed (LISTEN_FDS). Every signal has its default effect and
 * none is blocked. umask(2) is 077. Of the environment only what the manager says (LISTEN_*, NOTIFY_SOCKET,
 * WATCHDOG_*), PATH and TZ are left: no proxy, no CA file, no key log, no configuration of OpenSSL's, libcurl's or the
 * resolver's comes from there; what there is to configure stands in pam_oidc.conf. False, with errno, when any of it
 * cannot be had.
 */
bool clean_start(void);

#endif
