/*
 * Which programs libnss_oidc.so.2 answers to.
 */
#ifndef PROVISIOND_NSS_GATE_H
#define PROVISIOND_NSS_GATE_H

#include <stdbool.h>
#include <sys/types.h>

/* Whether a program of this name with these user ids is the privileged part of sshd: `sshd`, from OpenSSH 9.8 on
 * `sshd-session`. (`sshd-auth` of OpenSSH 10 looks nobody up.) Pure. */
bool gate_admits(const char *program, uid_t real, uid_t effective);

/* Whether this is sshd's file, as /proc/self/exe names it. Pure. */
bool gate_admits_file(const char *path);

/* The same for this process; a setuid program must be sshd by its file, too. The name is compared first, so that other
 * programs pay for no system call. */
bool gate_admits_this_process(void);

#endif
