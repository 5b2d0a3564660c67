/*
 * What sshd says about itself, and rules by user name that emails would slip past: sshd's own and those of limits.conf.
 */
#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire.h"
#include "provisiond/ctl/health/health.h"
#include "provisiond/ctl/health/pam_verdict.h"
#include "provisiond/ctl/health/people.h"
#include "provisiond/ctl/health/sshd_settings.h"
#include "provisiond/ctl/health/timed_program.h"
#include "provisiond/ctl/setup/configuration_text.h"

#define SSHD "/usr/sbin/sshd"
#define SSHD_CONFIG "/etc/ssh/sshd_config"
#define RELOAD "; then: sshd -t && systemctl reload ssh (sshd on Fedora)"
#define TIMEOUT_IN_SSHD_S 110 /* of pam_oidc.so, unless it is told otherwise */
#define GRACE_MARGIN_S 10     /* for pam_oidc to say why it ends */
#define FEWEST_STARTUPS 10
#define SAMPLES 4
#define INCLUDES_MAX 64

/* ---- asking sshd ---- */

static void first_line(const char *text, char *ret_line, size_t size)
{
	(void)snprintf(ret_line, size, "%.*s", (int)strcspn(text, "\n"), text);
}

/* Its settings, for somebody unless name is NULL. 0, -ENOENT without sshd, or -EINVAL after a finding. */
static int ask_sshd(const struct health *health, const char *name, struct findings *findings,
		    struct sshd_settings *ret_settings)
{
	char connection[128], fault[512];
	const char *argv[] = { SSHD, "-T", name ? "-C" : NULL, connection, NULL };
	_cleanup_program_output_ struct program_output output = { 0 };
	int r;

	(void)snprintf(connection, sizeof(connection),
		       "user=%s,host=client.invalid,addr=192.0.2.1,laddr=192.0.2.2,lport=22", name ? name : "");
	r = timed_program_run(argv, health->deadline_ms, &output);
	if (r == -ENOENT)
		return r;
	if (r == 0 && !output.timed_out && output.exit_status == 0 && sshd_settings_parse(output.text, ret_settings))
		return 0;
	first_line(r == 0 ? output.text : strerror(-r), fault, sizeof(fault));
	findings_add(findings, LEVEL_ERROR, ITEM_SSHD, SSHD_CONFIG, "correct it; sshd -t shows the same",
		     r == 0 && output.timed_out ? "sshd -T does not end%.0s"
						: "sshd does not accept its configuration: %s",
		     fault);
	return -EINVAL;
}

/* ---- settings ---- */

/* What our auth line in sshd's stack says. */
struct module_line {
	unsigned timeout_s;
	bool waits_silently; /* wait=info */
};

static struct module_line read_module_line(void)
{
	struct module_line said = { .timeout_s = TIMEOUT_IN_SSHD_S };
	_cleanup_pam_stack_ struct pam_stack stack = { 0 };
	char root[] = "";
	const struct pam_line *line;

	if (pam_stack_load("sshd", pam_read_system_file, root, &stack) != 0)
		return said;
	line = pam_stack_find(&stack, PAM_PHASE_AUTH, PAM_OIDC_MODULE, NULL);
	if (line && pam_oidc_timeout_s(line) > 0)
		said.timeout_s = pam_oidc_timeout_s(line);
	for (size_t i = 0; line && i < line->argument_count; i++)
		said.waits_silently |= strcmp(line->arguments[i], "wait=info") == 0;
	return said;
}

/* Whether a key has a value in any tenant's section. */
static bool any_tenant_has(const struct health *health, const char *key)
{
	char name[COMPANY_VALUE_MAX], section[COMPANY_VALUE_MAX + 8], value[COMPANY_VALUE_MAX];

	for (size_t i = 0; configuration_tenant(health->configuration, i, name); i++) {
		(void)snprintf(section, sizeof(section), "tenant %s", name);
		health_configured(health, section, key, "", value, sizeof(value));
		if (*value)
			return true;
	}
	return false;
}

static void judge_methods(const struct sshd_settings *settings, const char *subject, struct findings *findings)
{
	if (!settings->keyboard_interactive)
		findings_add(findings, LEVEL_ERROR, ITEM_SSHD, subject,
			     "set \"KbdInteractiveAuthentication yes\"" RELOAD,
			     "KbdInteractiveAuthentication is no: nobody can be shown a code");
	else if (!sshd_methods_allow_keyboard(settings->authentication_methods))
		findings_add(findings, LEVEL_ERROR, ITEM_SSHD, subject,
			     "add a list that ends with keyboard-interactive to AuthenticationMethods" RELOAD,
			     "AuthenticationMethods is \"%s\": nobody can be shown a code",
			     settings->authentication_methods);
}

static void judge_grace(const struct sshd_settings *settings, unsigned timeout_s, struct findings *findings)
{
	long grace_s = settings->login_grace_time_s;
	char remedy[256];

	if (grace_s == 0 || grace_s >= (long)timeout_s + GRACE_MARGIN_S)
		return;
	(void)snprintf(
		remedy, sizeof(remedy),
		"set \"LoginGraceTime %u\" or more, or a smaller timeout= on the auth line in /etc/pam.d/sshd" RELOAD,
		timeout_s + GRACE_MARGIN_S);
	findings_add(findings, grace_s <= (long)timeout_s ? LEVEL_ERROR : LEVEL_WARNING, ITEM_SSHD, NULL, remedy,
		     "LoginGraceTime is %ld s, and pam_oidc waits for %u s: sshd ends sign-ins without a word", grace_s,
		     timeout_s);
}

/* "OpenSSH_9.2p1". False when that is not in the text. */
static bool read_version(const char *text, unsigned long *ret_major, unsigned long *ret_minor)
{
	static const char name[] = "OpenSSH_";
	const char *version = strstr(text, name);
	char *end;

	if (!version)
		return false;
	*ret_major = strtoul(version + sizeof(name) - 1, &end, 10);
	if (*end != '.')
		return false;
	*ret_minor = strtoul(end + 1, NULL, 10);
	return true;
}

/* sshd up to 10.2 shows a text only when what it came from has ended. Every sshd says its version when asked wrongly.
 */
static void judge_text(const struct health *health, struct findings *findings)
{
	const char *argv[] = { SSHD, "-V", NULL };
	_cleanup_program_output_ struct program_output output = { 0 };
	unsigned long major, minor;

	if (timed_program_run(argv, health->deadline_ms, &output) != 0 || !read_version(output.text, &major, &minor) ||
	    major > 10 || (major == 10 && minor >= 3))
		return;
	findings_add(
		findings, LEVEL_ERROR, ITEM_SSHD, "/etc/pam.d/sshd",
		"take wait=info away from the auth line of pam_oidc.so, or say wait=retry there",
		"wait=info shows no code with OpenSSH %lu.%lu: before 10.3, sshd keeps the text until the wait is over",
		major, minor);
}

static void judge_settings(const struct health *health, const struct sshd_settings *settings, struct findings *findings)
{
	char spared[COMPANY_VALUE_MAX];
	const struct module_line line = read_module_line();

	if (!settings->use_pam)
		findings_add(findings, LEVEL_ERROR, ITEM_SSHD, NULL, "set \"UsePAM yes\"" RELOAD,
			     "UsePAM is no: pam_oidc is not asked at all");
	judge_methods(settings, NULL, findings);
	if (settings->use_dns)
		findings_add(findings, any_tenant_has(health, "remote_from") ? LEVEL_ERROR : LEVEL_WARNING, ITEM_SSHD,
			     NULL, "set \"UseDNS no\"" RELOAD,
			     "UseDNS is yes: people appear under names that whoever owns their address chooses%s",
			     any_tenant_has(health, "remote_from") ? ", and remote_from refuses them" : "");
	judge_grace(settings, line.timeout_s, findings);
	if (line.waits_silently)
		judge_text(health, findings);
	if (settings->startups_begin < FEWEST_STARTUPS)
		findings_add(findings, LEVEL_WARNING, ITEM_SSHD, NULL, "set \"MaxStartups 100:30:300\"" RELOAD,
			     "MaxStartups is %ld:%ld:%ld: from %ld people on who are reading their code, others are "
			     "turned away",
			     settings->startups_begin, settings->startups_rate, settings->startups_full,
			     settings->startups_begin);
	health_configured(health, "login", "unlimited_from", "", spared, sizeof(spared));
	if (settings->penalties && *spared && !*settings->penalty_exempt)
		findings_add(findings, LEVEL_WARNING, ITEM_SSHD, NULL,
			     "set PerSourcePenaltyExemptList to the networks of unlimited_from" RELOAD,
			     "PerSourcePenalties blocks a whole address after a few refusals, also those that "
			     "unlimited_from spares (%s)",
			     spared);
}

/* Match blocks may say something else for some: a few people stand for all. */
static void judge_people(const struct health *health, const struct people *people, struct findings *findings)
{
	size_t asked = 0;

	for (size_t i = 0; i < people->count && asked < SAMPLES; i++) {
		_cleanup_sshd_settings_ struct sshd_settings settings = { 0 };
		char subject[ACCOUNT_NAME_MAX + 16];

		if (strcmp(people->accounts[i].state, "active") != 0)
			continue;
		asked++;
		if (ask_sshd(health, people->accounts[i].name, findings, &settings) != 0)
			return;
		(void)snprintf(subject, sizeof(subject), "for %s", people->accounts[i].name);
		judge_methods(&settings, subject, findings);
	}
}

/* ---- rules by user name ---- */

struct rules {
	const struct people *people;
	struct findings *findings;
	char *pending[INCLUDES_MAX]; /* files yet to be read */
	size_t pending_count, read_count;
	const char *path;
};

/* Somebody to whom the rule does one thing under the account's name and another under the email; NULL: nobody. */
static const struct people_account *slips_past(const struct people *people, const char *patterns,
					       bool (*matches)(const char *patterns, const char *name))
{
	for (size_t i = 0; i < people->count; i++) {
		const struct people_account *account = &people->accounts[i];

		if (people_is_active(account) && *account->email &&
		    matches(patterns, account->name) != matches(patterns, account->email))
			return account;
	}
	return NULL;
}

static void say_slips(const char *item, const char *subject, const char *rule, const struct people_account *account,
		      struct findings *findings)
{
	findings_add(findings, LEVEL_ERROR, item, subject,
		     "use groups in the rule (DenyGroups, AllowGroups, Match Group; @group), or set email_over_ssh = "
		     "no in " HEALTH_CONF " and: systemctl reload provisiond pam_oidcd",
		     "%s is by user name, and who types an email slips past it: %s is %s there", rule, account->name,
		     account->email);
}

static void judge_patterns(const struct sshd_patterns *patterns, const char *keyword, const struct people *people,
			   struct findings *findings)
{
	for (size_t i = 0; i < patterns->count; i++) {
		const struct people_account *account = slips_past(people, patterns->items[i], sshd_pattern_matches);
		char rule[512];

		if (!account)
			continue;
		(void)snprintf(rule, sizeof(rule), "%s %s", keyword, patterns->items[i]);
		say_slips(ITEM_SSHD, NULL, rule, account, findings);
	}
}

static void take_match(void *context, const char *patterns, unsigned line)
{
	struct rules *rules = context;
	const struct people_account *account = slips_past(rules->people, patterns, sshd_list_matches);
	char subject[512], rule[512];

	if (!account)
		return;
	(void)snprintf(subject, sizeof(subject), "%s:%u", rules->path, line);
	(void)snprintf(rule, sizeof(rule), "Match User %s", patterns);
	say_slips(ITEM_SSHD, subject, rule, account, rules->findings);
}

static void take_include(void *context, const char *pattern)
{
	struct rules *rules = context;
	_cleanup_free_ char *whole = NULL;
	glob_t found;

	if (asprintf(&whole, "%s%s", pattern[0] == '/' ? "" : "/etc/ssh/", pattern) < 0) {
		whole = NULL;
		return;
	}
	if (glob(whole, 0, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc && rules->pending_count < INCLUDES_MAX; i++) {
		rules->pending[rules->pending_count] = strdup(found.gl_pathv[i]);
		if (rules->pending[rules->pending_count])
			rules->pending_count++;
	}
	globfree(&found);
}

static void judge_matches(const struct people *people, struct findings *findings)
{
	struct rules rules = { .people = people, .findings = findings };

	take_include(&rules, SSHD_CONFIG);
	for (; rules.read_count < rules.pending_count; rules.read_count++) {
		_cleanup_free_ char *text = health_read_file(rules.pending[rules.read_count]);

		rules.path = rules.pending[rules.read_count];
		if (text)
			sshd_config_read(text, take_match, take_include, &rules);
	}
	for (size_t i = 0; i < rules.pending_count; i++)
		free(rules.pending[i]);
}

static bool is_name(const char *word, const char *name)
{
	return strcmp(word, name) == 0;
}

static void judge_limits_file(const char *path, const struct people *people, struct findings *findings)
{
	_cleanup_free_ char *text = health_read_file(path);
	char *rest = text, *line;

	for (unsigned number = 1; rest && (line = strsep(&rest, "\n")); number++) {
		const struct people_account *account;
		char domain[128], subject[512], rule[256];

		if (sscanf(line, " %127s", domain) != 1 || strchr("#@%*:", domain[0]))
			continue;
		account = slips_past(people, domain, is_name);
		if (!account)
			continue;
		(void)snprintf(subject, sizeof(subject), "%s:%u", path, number);
		(void)snprintf(rule, sizeof(rule), "the limit of %s", domain);
		say_slips(ITEM_LIMITS, subject, rule, account, findings);
	}
}

static void judge_limits(const struct people *people, struct findings *findings)
{
	glob_t found;

	judge_limits_file("/etc/security/limits.conf", people, findings);
	if (glob("/etc/security/limits.d/*.conf", 0, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		judge_limits_file(found.gl_pathv[i], people, findings);
	globfree(&found);
}

/* ---- all ---- */

void check_sshd(const struct health *health, struct findings *findings)
{
	_cleanup_sshd_settings_ struct sshd_settings settings = { 0 };
	_cleanup_people_ struct people people = { 0 };
	int r = ask_sshd(health, NULL, findings, &settings);

	if (r == -ENOENT)
		return;
	/* Without provisiond nobody is known, which is said elsewhere. */
	(void)people_list(wire_now_ms() + (health->deadline_ms - wire_now_ms()) / 2, &people);
	if (r == 0) {
		judge_settings(health, &settings, findings);
		if (findings->count == 0)
			judge_people(health, &people, findings);
	}
	if (r == 0 && health->email_over_ssh) {
		judge_patterns(&settings.deny_users, "DenyUsers", &people, findings);
		judge_patterns(&settings.allow_users, "AllowUsers", &people, findings);
		judge_matches(&people, findings);
	}
	if (health->email_over_ssh)
		judge_limits(&people, findings);
	if (findings->count == 0)
		findings_add(findings, LEVEL_GOOD, ITEM_SSHD, NULL, NULL,
			     "keyboard-interactive through PAM, LoginGraceTime %ld s, MaxStartups %ld:%ld:%ld%s",
			     settings.login_grace_time_s, settings.startups_begin, settings.startups_rate,
			     settings.startups_full, settings.penalties ? ", PerSourcePenalties on" : "");
}
