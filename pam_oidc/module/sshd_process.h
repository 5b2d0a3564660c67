/*
 * Which of sshd's processes the module runs in. Keyboard-interactive runs PAM in a child of the connection's monitor,
 * titled "sshd: alice [pam]"; the password method runs it in the monitor itself, "sshd: alice [priv]", where no prompt
 * reaches anybody.
 */
#ifndef PAM_OIDC_MODULE_SSHD_PROCESS_H
#define PAM_OIDC_MODULE_SSHD_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

enum sshd_process {
	SSHD_PAM_CHILD,
	SSHD_MONITOR,
	SSHD_UNKNOWN, /* the title is cut off, or says something else */
};

/* Pure: by the title. */
enum sshd_process sshd_process_of_title(const char *title);
/* This process. */
enum sshd_process sshd_process_here(void);

#define SSHD_CONNECTION_KEY_MAX 64

/* Writes what tells this connection from every other, for all its attempts: the monitor's "pid:starttime" (the
 * parent's, in clock ticks since boot; proc(5)). To be called in the PAM child. False when that cannot be told. */
bool sshd_connection_key(char *ret_key, size_t size);
/* Pure: the start time in the text of /proc/PID/stat. False when it is not there. */
bool sshd_starttime_in_stat(const char *stat, unsigned long long *ret_starttime);

#endif
