/*
 * What the parts of `provisionctl check` share, and nobody else includes.
 *
 * Each check runs in a process of its own: whatever hangs (a daemon, a program, a file system) costs its own findings
 * and nothing else.
 */
#ifndef PROVISIOND_CTL_HEALTH_HEALTH_H
#define PROVISIOND_CTL_HEALTH_HEALTH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "provisiond/ctl/health/findings.h"

#define HEALTH_CONF "/etc/pam_oidc.conf"
#define HEALTH_STATE "/var/lib/provisiond"
#define HEALTH_PAM_OIDC_USER "_pam_oidc"
#define HEALTH_NAME_MAX 64

/* The topics: what stands behind the level on each line. */
#define ITEM_CONFIGURATION "configuration"
#define ITEM_FILES "files"
#define ITEM_DAEMON "daemon"
#define ITEM_PAM "pam"
#define ITEM_NAMES "names"
#define ITEM_SSHD "sshd"
#define ITEM_LIMITS "limits"
#define ITEM_ACCOUNTS "accounts"
#define ITEM_CHANGES "changes"
#define ITEM_DISK "disk"

/* What all checks may need, read once. */
struct health {
	bool probe;          /* ask for a device code, too */
	char *configuration; /* the text; its grammar is provisiond's to judge */
	bool email_over_ssh;
	bool has_user; /* _pam_oidc is there */
	uid_t user;
	gid_t group;
	int64_t deadline_ms; /* of this check, wire_now_ms() */
};

/* One check: adds what it finds. Runs as root. */
typedef void health_check(const struct health *health, struct findings *findings);

health_check check_configuration, check_files, check_daemons, check_issuers, check_pam, check_names, check_sshd,
	check_accounts, check_disk;

/* Reads what `struct health` holds. False without memory. */
bool health_read(struct health *health);
void health_release(struct health *health);
#define _cleanup_health_ _cleanup_(health_release)

/* Runs all checks at once, each until its own deadline at most, and gathers what they found, in the order of the table.
 */
void health_gather(const struct health *health, struct findings *findings);

/* ---- for checks ---- */

/* A daemon, asked without a word on standard error. */
struct health_question {
	int fd;
	int64_t deadline_ms;
	char *bytes; /* of the last answer */
};

#define NO_QUESTION ((struct health_question){ .fd = -1 })

struct wire_message;

/* Connects and sends `op=<op>` with a field unless key is NULL. 0 or -errno. The caller ends the question either way.
 */
int health_ask(const char *socket, const char *op, const char *key, const char *value, int64_t deadline_ms,
	       struct health_question *question);
/* The next answer, which lives until the next one. 0 or -errno. */
int health_answer(struct health_question *question, struct wire_message *ret_answer);
void health_question_end(struct health_question *question);
#define _cleanup_health_question_ _cleanup_(health_question_end)

/* The text of a file, at most 16 MiB; "" ends it. NULL when it cannot be read (errno). The caller frees it. */
char *health_read_file(const char *path);
/* The value of a key of the configuration, or what it is without. */
void health_configured(const struct health *health, const char *section, const char *key, const char *otherwise,
		       char *ret_value, size_t size);

/* The folder that homes are made in: `home` up to the slash before %u. */
void health_home_folder(const struct health *health, char *ret_path, size_t size);

/* A file or folder that must be in certain hands. */
struct file_rule {
	const char *path;
	mode_t kind;      /* S_IFREG, S_IFDIR or S_IFSOCK */
	mode_t forbidden; /* mode bits */
	bool users_too;   /* may be _pam_oidc's as well as root's */
	bool group_reads; /* its group may read only if that is _pam_oidc's or root's */
	bool may_be_missing;
	const char *item;
	const char *missing_remedy; /* NULL: that it be put back */
	mode_t right;               /* the mode that the remedy sets; 0: what is there, without the forbidden bits */
	const char *right_group;    /* of the remedy; "root" */
};

/* Judges it; a fault becomes an error. True when there was none. */
bool file_rule_judge(const struct file_rule *rule, const struct health *health, struct findings *findings);

#endif
