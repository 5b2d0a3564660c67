/*
 * What checks need of the machine: the configuration, the daemons, files.
 */
#include "provisiond/ctl/health/health.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/wire.h"
#include "provisiond/ctl/setup/configuration_text.h"

#define FILE_MAX_BYTES ((size_t)16 * 1024 * 1024)

/* ---- files ---- */

char *health_read_file(const char *path)
{
	_cleanup_file_ FILE *file = fopen(path, "re");
	_cleanup_free_ char *text = NULL;
	struct stat st;
	size_t length;

	if (!file || fstat(fileno(file), &st) != 0)
		return NULL;
	if (!S_ISREG(st.st_mode) || (size_t)st.st_size > FILE_MAX_BYTES) {
		errno = EINVAL;
		return NULL;
	}
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return NULL;
	/* No copy of it stays in a buffer: there may be password hashes in it. */
	(void)setvbuf(file, NULL, _IONBF, 0);
	length = fread(text, 1, (size_t)st.st_size, file);
	text[length] = '\0';
	return take_pointer(text);
}

/* ---- what is read once ---- */

void health_configured(const struct health *health, const char *section, const char *key, const char *otherwise,
		       char *ret_value, size_t size)
{
	char value[COMPANY_VALUE_MAX];

	if (!configuration_get(health->configuration, section, key, value) || !*value)
		(void)snprintf(value, sizeof(value), "%s", otherwise);
	(void)snprintf(ret_value, size, "%s", value);
}

void health_home_folder(const struct health *health, char *ret_path, size_t size)
{
	char *name;

	health_configured(health, "accounts", "home", "/home/%u", ret_path, size);
	name = strstr(ret_path, "%u");
	if (name)
		*name = '\0';
	name = strrchr(ret_path, '/');
	if (name && name > ret_path)
		*name = '\0';
}

/* The name services are not asked: one of them may be what hangs. */
static void read_user(struct health *health)
{
	_cleanup_file_ FILE *file = fopen("/etc/passwd", "re");
	const struct passwd *user;

	while (file && !health->has_user && (user = fgetpwent(file))) {
		if (strcmp(user->pw_name, HEALTH_PAM_OIDC_USER) != 0)
			continue;
		health->has_user = true;
		health->user = user->pw_uid;
		health->group = user->pw_gid;
	}
}

bool health_read(struct health *health)
{
	char value[8];
	int fault = 0;

	health->configuration = health_read_file(HEALTH_CONF);
	if (!health->configuration) {
		fault = errno;
		health->configuration = strdup("");
	}
	if (!health->configuration)
		return false;
	health_configured(health, "accounts", "email_over_ssh", "no", value, sizeof(value));
	health->email_over_ssh = strcmp(value, "yes") == 0;
	read_user(health);
	errno = fault;
	return true;
}

void health_release(struct health *health)
{
	free(health->configuration);
	health->configuration = NULL;
}

/* ---- daemons ---- */

int health_ask(const char *socket, const char *op, const char *key, const char *value, int64_t deadline_ms,
	       struct health_question *question)
{
	char bytes[512];
	struct wire_writer writer;

	question->deadline_ms = deadline_ms;
	question->bytes = malloc(WIRE_MAX);
	if (!question->bytes)
		return -ENOMEM;
	question->fd = wire_connect(socket, deadline_ms);
	if (question->fd < 0)
		return question->fd;
	wire_begin(&writer, bytes, sizeof(bytes), "op", op);
	if (key)
		wire_put(&writer, key, value);
	return wire_send(question->fd, &writer, deadline_ms);
}

int health_answer(struct health_question *question, struct wire_message *ret_answer)
{
	ssize_t n = wire_receive(question->fd, question->bytes, WIRE_MAX, question->deadline_ms);

	if (n <= 0)
		return n == 0 ? -ECONNRESET : (int)n;
	return wire_parse(question->bytes, (size_t)n, ret_answer) && wire_kind(ret_answer, "status") ? 0 : -EPROTO;
}

void health_question_end(struct health_question *question)
{
	cleanup_fd(&question->fd);
	free(question->bytes);
	*question = NO_QUESTION;
}

/* ---- rules for files ---- */

static const char *kind_name(mode_t kind)
{
	return kind == S_IFDIR ? "folder" : kind == S_IFSOCK ? "socket" : "file";
}

static void say_mode(const struct file_rule *rule, const struct stat *st, struct findings *findings)
{
	mode_t mode = st->st_mode & 07777, right = rule->right ? rule->right : mode & ~rule->forbidden;
	char remedy[1024];

	(void)snprintf(remedy, sizeof(remedy), "chmod %04o %s", (unsigned)right, rule->path);
	findings_add(findings, LEVEL_ERROR, rule->item, rule->path, remedy, "its mode is %04o, which lets others %s",
		     (unsigned)mode, mode & rule->forbidden & 022 ? "change it" : "read it");
}

static void say_owner(const struct file_rule *rule, const struct stat *st, struct findings *findings)
{
	const char *group = rule->right_group ? rule->right_group : "root";
	char remedy[1024];

	(void)snprintf(remedy, sizeof(remedy), "chown root:%s %s", group, rule->path);
	findings_add(findings, LEVEL_ERROR, rule->item, rule->path, remedy,
		     "it belongs to uid %lu and gid %lu instead of root%s%s", (unsigned long)st->st_uid,
		     (unsigned long)st->st_gid, strcmp(group, "root") != 0 ? " and the group " : "",
		     strcmp(group, "root") != 0 ? group : "");
}

static void say_missing(const struct file_rule *rule, int fault, struct findings *findings)
{
	findings_add(findings, LEVEL_ERROR, rule->item, rule->path,
		     rule->missing_remedy ? rule->missing_remedy
					  : "put it back, for example by installing the package again",
		     fault == ENOENT ? "it is not there" : "it cannot be looked at: %s", strerror(fault));
}

bool file_rule_judge(const struct file_rule *rule, const struct health *health, struct findings *findings)
{
	struct stat st;
	bool owner, group;

	if (lstat(rule->path, &st) != 0) {
		if (errno == ENOENT && rule->may_be_missing)
			return true;
		say_missing(rule, errno, findings);
		return false;
	}
	/* Libraries and units are often links; then it counts what they lead to. */
	if (S_ISLNK(st.st_mode) && rule->kind == S_IFREG && rule->may_be_missing == false &&
	    stat(rule->path, &st) != 0) {
		say_missing(rule, errno, findings);
		return false;
	}
	if ((st.st_mode & S_IFMT) != rule->kind) {
		findings_add(findings, LEVEL_ERROR, rule->item, rule->path, "move it away, and restart the daemons",
			     "it is no %s", kind_name(rule->kind));
		return false;
	}
	owner = st.st_uid == 0 || (rule->users_too && health->has_user && st.st_uid == health->user);
	group = !rule->group_reads || !(st.st_mode & S_IRGRP) || st.st_gid == 0 ||
		(health->has_user && st.st_gid == health->group);
	if (!owner || !group)
		say_owner(rule, &st, findings);
	else if (st.st_mode & rule->forbidden)
		say_mode(rule, &st, findings);
	return owner && group && !(st.st_mode & rule->forbidden);
}
