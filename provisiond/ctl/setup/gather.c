/*
 * Asks for what is missing. One question is one function, in the order in which they are asked.
 */
#include "provisiond/ctl/setup/gather.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "provisiond/ctl/setup/ask.h"
#include "provisiond/ctl/setup/configuration_text.h"
#include "provisiond/ctl/setup/printed.h"
#include "provisiond/ctl/setup/report.h"
#include "provisiond/ctl/setup/secret_source.h"
#include "provisiond/ctl/terminal.h"

struct gathering {
	const struct invocation *invocation; /* NULL when everything is asked again */
	const char *before;                  /* NULL: none, or it is replaced as a whole */
	bool interactive;
	bool known; /* the tenant is in `before` already */
	struct gathered gathered;
};

static void release(struct gathering *gathering)
{
	company_release(&gathering->gathered.company);
}

/* ---- sentences ---- */

/* To somebody who is asked: the sentence begins like one. */
static void say(const char *fault)
{
	_cleanup_free_ char *shown = terminal_text(fault);

	if (!shown)
		return;
	*shown = (char)toupper((unsigned char)*shown);
	(void)fprintf(stderr, "  %s\n", shown);
}

/* To somebody who gave options. */
static enum exit_code refuse_option(const char *option, const char *fault)
{
	_cleanup_free_ char *before = printed("%s: ", option);

	return before ? complain_about(EXIT_USAGE, before, fault, "") : complain_of_memory();
}

static enum exit_code refuse_missing(const char *option, const char *what)
{
	complain("%s is missing: %s. Give it, or run setup at a terminal without --yes, where it asks.", option, what);
	return EXIT_USAGE;
}

/* ---- one value ---- */

struct question {
	const char *text;
	const char *hint; /* where it stands in Okta; shown before the question */
	const char *option;
	judge_answer *judge;
	const char *fallback; /* where neither the person nor the configuration says anything; NULL: it must be said */
};

static enum exit_code ask_until_good(const struct question *question, const char *otherwise,
				     char value[static COMPANY_VALUE_MAX])
{
	char line[ANSWER_MAX], fault[COMPANY_FAULT_MAX];

	(void)fprintf(stderr, "\n%s%s", question->hint ? question->hint : "", question->hint ? "\n" : "");
	for (;;) {
		const char *answer = line;

		if (ask(question->text, otherwise, line) != ASKED_ANSWER)
			return EXIT_NOTHING;
		if (!*line && otherwise)
			answer = otherwise;
		if (question->judge(answer, value, fault))
			return EXIT_DONE;
		say(fault);
	}
}

/* `value` holds what is known so far, or "". */
static enum exit_code settle(const struct gathering *gathering, const struct question *question, const char *given,
			     char value[static COMPANY_VALUE_MAX])
{
	char known[COMPANY_VALUE_MAX] = "", fault[COMPANY_FAULT_MAX];

	if (given)
		return question->judge(given, value, fault) ? EXIT_DONE : refuse_option(question->option, fault);
	/* A placeholder of the example is no answer. */
	if (!*value || !question->judge(value, known, fault))
		(void)snprintf(known, sizeof(known), "%s", question->fallback ? question->fallback : "");
	if (gathering->interactive)
		return ask_until_good(question, *known ? known : NULL, value);
	if (!*known)
		return refuse_missing(question->option, question->text);
	(void)snprintf(value, COMPANY_VALUE_MAX, "%s", known);
	return EXIT_DONE;
}

/* The same for what is never asked: an option, or what is known already. */
static enum exit_code settle_option(const char *option, const char *given, judge_answer *judge,
				    char value[static COMPANY_VALUE_MAX])
{
	char fault[COMPANY_FAULT_MAX];

	if (given && !judge(given, value, fault))
		return refuse_option(option, fault);
	return EXIT_DONE;
}

/* ---- the company ---- */

static enum exit_code settle_issuer(struct gathering *gathering)
{
	static const struct question url = { "Issuer", NULL, "--issuer", judge_issuer, NULL };
	static const struct question org = { "Okta domain", NULL, "--org", judge_org, NULL };
	static const struct question either = {
		.text = "Okta domain, or issuer URL",
		.hint = "  The domain stands in the top right menu of Okta's Admin Console, such as\n"
			"  clinic.okta.com. Where the application's Sign On tab has \"OpenID Provider\n"
			"  Metadata\", give the issuer that is named there.",
		.option = "--org or --issuer",
		.judge = judge_either,
	};
	const struct invocation *invocation = gathering->invocation;
	struct company *company = &gathering->gathered.company;
	enum exit_code code;

	if (invocation && invocation->issuer && invocation->org) {
		complain("--issuer and --org are two ways to say the same. Give the one that Okta shows.");
		return EXIT_USAGE;
	}
	if (invocation && invocation->issuer)
		code = settle(gathering, &url, invocation->issuer, company->issuer);
	else if (invocation && invocation->org)
		code = settle(gathering, &org, invocation->org, company->issuer);
	else
		code = settle(gathering, &either, NULL, company->issuer);
	company->is_org = !strstr(company->issuer, "://");
	return code;
}

static enum exit_code settle_client_id(struct gathering *gathering)
{
	static const struct question question = {
		.text = "Client ID",
		.hint = "  In Okta: Applications > the application > General > Client Credentials.",
		.option = "--client-id",
		.judge = judge_client_id,
	};

	return settle(gathering, &question, gathering->invocation ? gathering->invocation->client_id : NULL,
		      gathering->gathered.company.client_id);
}

/* All that were given, as one list. NULL without memory. */
static char *join_domains(const struct invocation *invocation)
{
	char *list = strdup("");

	for (size_t i = 0; list && invocation->domains[i]; i++) {
		char *longer = printed("%s%s%s", list, i > 0 ? "," : "", invocation->domains[i]);

		free(list);
		list = longer;
	}
	return list;
}

/* Another company of this machine that has one of the domains. */
static bool belongs_to_another(const struct gathering *gathering, char ret_fault[static COMPANY_FAULT_MAX])
{
	const struct company *company = &gathering->gathered.company;
	char domain[COMPANY_VALUE_MAX], owner[COMPANY_VALUE_MAX];

	for (const char *at = company->domains; gathering->before && *at; at += strspn(at, ", ")) {
		first_domain(at, domain);
		at += strlen(domain);
		if (!configuration_tenant_of(gathering->before, domain, owner) || strcmp(owner, company->tenant) == 0)
			continue;
		(void)snprintf(ret_fault, COMPANY_FAULT_MAX, "%.253s is a domain of the tenant %.32s already.", domain,
			       owner);
		return true;
	}
	return false;
}

static enum exit_code settle_domains(struct gathering *gathering)
{
	static const struct question question = {
		.text = "Email domains",
		.hint = "  Only people with an email address of exactly these domains get in, such as\n"
			"  clinic.example. The first one takes part in computing user ids: never change\n"
			"  it once there are accounts.",
		.option = "--domain",
		.judge = judge_domains,
	};
	struct company *company = &gathering->gathered.company;
	bool given = gathering->invocation && gathering->invocation->domains[0];
	_cleanup_free_ char *list = given ? join_domains(gathering->invocation) : NULL;
	char fault[COMPANY_FAULT_MAX];

	if (given && !list)
		return complain_of_memory();
	for (;;) {
		enum exit_code code = settle(gathering, &question, list, company->domains);

		if (code != EXIT_DONE || !belongs_to_another(gathering, fault))
			return code;
		if (given || !gathering->interactive)
			return refuse_option(question.option, fault);
		say(fault);
		company->domains[0] = '\0';
	}
}

/* ---- which company ---- */

static bool judge_change(const char *text, char ret_value[static COMPANY_VALUE_MAX],
			 char ret_fault[static COMPANY_FAULT_MAX])
{
	if (strcmp(text, "change") != 0 && strcmp(text, "add") != 0 && strcmp(text, "new") != 0) {
		(void)snprintf(ret_fault, COMPANY_FAULT_MAX, "type change, add or new.");
		return false;
	}
	(void)snprintf(ret_value, COMPANY_VALUE_MAX, "%s", text);
	return true;
}

static void show_tenants(const char *text)
{
	char name[COMPANY_VALUE_MAX];

	report_heading("This machine is configured already, for");
	for (size_t place = 0; configuration_tenant(text, place, name); place++) {
		_cleanup_free_ char *line = NULL;
		_cleanup_free_ char *shown = NULL;
		struct company company = { 0 };

		(void)snprintf(company.tenant, sizeof(company.tenant), "%s", name);
		configuration_company(text, &company);
		line = printed("%s: %s, for emails of %s", name, company.issuer, company.domains);
		shown = line ? terminal_text(line) : NULL;
		(void)printf("  %s\n", shown ? shown : "");
		company_release(&company);
	}
	(void)fflush(stdout);
}

static enum exit_code ask_for_tenant_to_change(struct gathering *gathering)
{
	static const struct question question = { "Which one", NULL, "--tenant", judge_tenant, NULL };
	struct company *company = &gathering->gathered.company;
	char first[COMPANY_VALUE_MAX] = "";

	(void)configuration_tenant(gathering->before, 0, first);
	(void)snprintf(company->tenant, sizeof(company->tenant), "%s", first);
	while (configuration_tenant_count(gathering->before) > 1) {
		enum exit_code code = ask_until_good(&question, first, company->tenant);

		if (code != EXIT_DONE || configuration_has_tenant(gathering->before, company->tenant))
			return code;
		say("none of these is called so.");
	}
	return EXIT_DONE;
}

static enum exit_code ask_what_to_do(struct gathering *gathering)
{
	static const struct question question = {
		.text = "Change it, add another company, or begin a new configuration (change, add, new)",
		.judge = judge_change,
	};
	char answer[COMPANY_VALUE_MAX] = "";
	enum exit_code code;

	show_tenants(gathering->before);
	code = ask_until_good(&question, "change", answer);
	if (code != EXIT_DONE)
		return code;
	if (strcmp(answer, "new") == 0) {
		gathering->gathered.anew = true;
		gathering->before = NULL;
	}
	return strcmp(answer, "change") == 0 ? ask_for_tenant_to_change(gathering) : EXIT_DONE;
}

/* Without a word on it and nobody to ask: the company that the domains or the issuer belong to. */
static enum exit_code find_company(struct gathering *gathering)
{
	const struct invocation *invocation = gathering->invocation;
	struct company *company = &gathering->gathered.company;
	char domain[COMPANY_VALUE_MAX];

	for (size_t i = 0; invocation->domains[i]; i++) {
		first_domain(invocation->domains[i], domain);
		if (configuration_tenant_of(gathering->before, domain, company->tenant))
			return EXIT_DONE;
	}
	if (!invocation->domains[0] && configuration_tenant_count(gathering->before) == 1) {
		(void)configuration_tenant(gathering->before, 0, company->tenant);
		return EXIT_DONE;
	}
	(void)configuration_tenant(gathering->before, 0, company->tenant);
	(void)complain_about(EXIT_USAGE, "this machine is configured already, for \"", company->tenant,
			     "\". Say with --tenant NAME which one to change, or what to call another company.");
	return EXIT_USAGE;
}

static enum exit_code settle_which(struct gathering *gathering)
{
	const char *given = gathering->invocation->tenant;
	struct company *company = &gathering->gathered.company;
	enum exit_code code = settle_option("--tenant", given, judge_tenant, company->tenant);

	if (code == EXIT_DONE && !given && gathering->before && configuration_tenant_count(gathering->before) > 0)
		code = gathering->interactive ? ask_what_to_do(gathering) : find_company(gathering);
	gathering->known = code == EXIT_DONE && gathering->before && *company->tenant &&
			   configuration_has_tenant(gathering->before, company->tenant);
	if (gathering->known)
		configuration_company(gathering->before, company);
	return code;
}

/* A name for a company that is new here. */
static enum exit_code settle_name(struct gathering *gathering)
{
	static const struct question question = {
		.text = "A short name for this company",
		.hint = "  It stands in the configuration, in the log, and behind the dot of its people's\n"
			"  account names.",
		.option = "--tenant",
		.judge = judge_tenant,
	};
	struct company *company = &gathering->gathered.company;

	if (*company->tenant)
		return EXIT_DONE;
	tenant_name_for(company->domains, company->tenant);
	while (gathering->before && configuration_tenant_count(gathering->before) > 0 && gathering->interactive) {
		enum exit_code code = settle(gathering, &question, NULL, company->tenant);

		if (code != EXIT_DONE || !configuration_has_tenant(gathering->before, company->tenant))
			return code;
		say("another company is called so already.");
	}
	return EXIT_DONE;
}

/* ---- how the application proves itself ---- */

static bool judge_auth(const char *text, char ret_value[static COMPANY_VALUE_MAX],
		       char ret_fault[static COMPANY_FAULT_MAX])
{
	const char *word = strcmp(text, "secret") == 0 ? "basic" : strcmp(text, "key") == 0 ? "private_key_jwt" : text;
	enum client_auth auth = CLIENT_AUTH_NONE;

	if (!client_auth_from_word(word, &auth)) {
		(void)snprintf(ret_fault, COMPANY_FAULT_MAX,
			       "the choice is between none, a client secret (basic or post) and private_key_jwt.");
		return false;
	}
	(void)snprintf(ret_value, COMPANY_VALUE_MAX, "%s", word);
	return true;
}

static enum exit_code settle_auth(struct gathering *gathering)
{
	static const struct question question = {
		.text = "Client authentication (none, secret, key)",
		.hint = "  In Okta, on the same page: Client authentication. It is none, a client secret,\n"
			"  or a private key.",
		.option = "--client-auth",
		.judge = judge_auth,
		.fallback = "none",
	};
	const struct invocation *invocation = gathering->invocation;
	const char *given = invocation ? invocation->client_auth : NULL;
	struct company *company = &gathering->gathered.company;
	char word[COMPANY_VALUE_MAX] = "";
	enum exit_code code;

	if (invocation && invocation->secret_file && invocation->key_file) {
		complain("--secret-file and --key-file go with different ways of client authentication. Give one of "
			 "them.");
		return EXIT_USAGE;
	}
	if (invocation && !given)
		given = invocation->secret_file ? (company->auth == CLIENT_AUTH_POST ? "post" : "basic")
			: invocation->key_file  ? "private_key_jwt"
						: NULL;
	(void)snprintf(word, sizeof(word), "%s", client_auth_word(company->auth));
	code = settle(gathering, &question, given, word);
	if (code != EXIT_DONE)
		return code;
	(void)client_auth_from_word(word, &company->auth);
	return EXIT_DONE;
}

/* Whether the configuration names a file with a secret of that kind for this company. */
static bool has_secret(const struct gathering *gathering, const char *needs)
{
	char section[COMPANY_VALUE_MAX + sizeof("tenant ")], path[COMPANY_VALUE_MAX];

	(void)snprintf(section, sizeof(section), "tenant %s", gathering->gathered.company.tenant);
	return gathering->known &&
	       configuration_get(gathering->before, section,
				 strcmp(needs, "key") == 0 ? "private_key_file" : "client_secret_file", path);
}

static bool judge_secret(const struct company *company, const struct secret *secret,
			 char fault[static COMPANY_FAULT_MAX])
{
	return strcmp(client_auth_needs(company->auth), "key") == 0 ? judge_private_key(secret, fault)
								    : judge_client_secret(secret, fault);
}

/* From a file into the company. False with a sentence. */
static bool take_file(struct company *company, const char *path, char fault[static COMPANY_FAULT_MAX])
{
	_cleanup_secret_ struct secret secret = { 0 };
	bool exposed = false;

	if (!secret_source_read(path, &secret, &exposed, fault) || !judge_secret(company, &secret, fault))
		return false;
	if (exposed)
		report_line(
			REPORT_WARNING, NULL,
			"others on this machine can read that file. Delete it, or make it yours alone (chmod 600), and "
			"consider a new one.",
			NULL);
	secret_wipe(&company->secret);
	company->secret = secret;
	secret = (struct secret){ 0 };
	return true;
}

static enum exit_code ask_for_secret(struct gathering *gathering, bool there)
{
	struct company *company = &gathering->gathered.company;
	char fault[COMPANY_FAULT_MAX];

	(void)fputc('\n', stderr);
	for (;;) {
		_cleanup_secret_ struct secret secret = { 0 };

		if (ask_secret(there ? "Client secret (not shown; Enter keeps the one that is there)"
				     : "Client secret (not shown while you type)",
			       &secret) != ASKED_ANSWER)
			return EXIT_NOTHING;
		if (there && secret.length == 0)
			return EXIT_DONE;
		if (judge_client_secret(&secret, fault)) {
			secret_wipe(&company->secret);
			company->secret = secret;
			secret = (struct secret){ 0 };
			return EXIT_DONE;
		}
		say(fault);
	}
}

static enum exit_code ask_for_key(struct gathering *gathering, bool there)
{
	char path[ANSWER_MAX], fault[COMPANY_FAULT_MAX];

	(void)fputc('\n', stderr);
	for (;;) {
		if (ask(there ? "File with the private key (PEM; Enter keeps the one that is there)"
			      : "File with the private key (PEM)",
			NULL, path) != ASKED_ANSWER)
			return EXIT_NOTHING;
		if (there && !*path)
			return EXIT_DONE;
		if (*path && strcmp(path, "-") != 0 && take_file(&gathering->gathered.company, path, fault))
			return EXIT_DONE;
		say(*path && strcmp(path, "-") != 0 ? fault : "the name of a file is wanted.");
	}
}

static enum exit_code settle_secret(struct gathering *gathering)
{
	const struct invocation *invocation = gathering->invocation;
	struct company *company = &gathering->gathered.company;
	const char *needs = client_auth_needs(company->auth),
		   *secret_file = invocation ? invocation->secret_file : NULL,
		   *key_file = invocation ? invocation->key_file : NULL;
	bool key = needs && strcmp(needs, "key") == 0, there;
	char fault[COMPANY_FAULT_MAX];

	if ((secret_file && (!needs || key)) || (key_file && !key)) {
		complain("%s does not go with --client-auth %s.", secret_file ? "--secret-file" : "--key-file",
			 client_auth_word(company->auth));
		return EXIT_USAGE;
	}
	if (!needs) {
		secret_wipe(&company->secret);
		return EXIT_DONE;
	}
	if (secret_file || key_file)
		return take_file(company, key ? key_file : secret_file, fault)
			       ? EXIT_DONE
			       : refuse_option(key ? "--key-file" : "--secret-file", fault);
	/* One that was given before, and was a secret where a key is wanted now, or the other way round. */
	if (company->secret.length > 0 && !judge_secret(company, &company->secret, fault))
		secret_wipe(&company->secret);
	there = has_secret(gathering, needs) || company->secret.length > 0;
	if (gathering->interactive)
		return key ? ask_for_key(gathering, there) : ask_for_secret(gathering, there);
	return there ? EXIT_DONE
		     : refuse_missing(key ? "--key-file" : "--secret-file", "a file, or - for standard input");
}

/* ---- what is seldom needed, and never asked ---- */

/* pam_oidcd reads it as a user without any right. */
static bool ca_file_is_there(const char *path, char fault[static COMPANY_FAULT_MAX])
{
	struct stat st;

	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
		(void)snprintf(fault, COMPANY_FAULT_MAX, "there is no file %s", path);
	else if (!(st.st_mode & S_IROTH))
		(void)snprintf(fault, COMPANY_FAULT_MAX, "%s must be readable for everybody (chmod a+r).", path);
	else
		return true;
	return false;
}

static enum exit_code settle_ca_file(struct gathering *gathering)
{
	struct company *company = &gathering->gathered.company;
	char before[COMPANY_VALUE_MAX] = "", fault[COMPANY_FAULT_MAX];
	const char *given = gathering->invocation ? gathering->invocation->ca_file : NULL;
	enum exit_code code = settle_option("--ca-file", given, judge_ca_file, company->ca_file);

	if (code != EXIT_DONE || !given)
		return code;
	if (!ca_file_is_there(company->ca_file, fault))
		return refuse_option("--ca-file", fault);
	if (!gathering->known && gathering->before &&
	    configuration_get(gathering->before, "login", "ca_file", before) && strcmp(before, company->ca_file) != 0)
		return complain_about(EXIT_USAGE, "--ca-file is for all companies of this machine, and there is ",
				      before, " already. Put the certificates of both into one file.");
	return EXIT_DONE;
}

static enum exit_code settle_rest(struct gathering *gathering)
{
	const struct invocation *invocation = gathering->invocation;
	struct company *company = &gathering->gathered.company;
	enum exit_code code = settle_option("--scopes", invocation->scopes, judge_scopes, company->scopes);

	if (code == EXIT_DONE)
		code = settle_option("--email-verified", invocation->email_verified, judge_email_verified,
				     company->email_verified);
	return code == EXIT_DONE ? settle_ca_file(gathering) : code;
}

static enum exit_code settle_ssh_passwords(struct gathering *gathering)
{
	const char *given = gathering->invocation->ssh_passwords;
	bool keep = true;

	if (given && strcmp(given, "keep") != 0 && strcmp(given, "off") != 0)
		return refuse_option("--ssh-passwords", "the choice is between keep and off.");
	if (given) {
		gathering->gathered.ssh_passwords_off = strcmp(given, "off") == 0;
		return EXIT_DONE;
	}
	if (gathering->interactive) {
		(void)fputs("\n  Root and people with a local password may need one to come in over SSH. It\n"
			    "  can be turned off later.\n",
			    stderr);
		if (ask_yes("Let sshd go on taking passwords, too", true, &keep) != ASKED_ANSWER)
			return EXIT_NOTHING;
	}
	gathering->gathered.ssh_passwords_off = !keep;
	return EXIT_DONE;
}

/* ---- the order of it ---- */

typedef enum exit_code settle_step(struct gathering *gathering);

static settle_step *const steps[] = {
	settle_issuer, settle_client_id, settle_auth, settle_secret, settle_domains, settle_name,
};

static enum exit_code settle_company(struct gathering *gathering)
{
	enum exit_code code = EXIT_DONE;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && code == EXIT_DONE; i++)
		code = steps[i](gathering);
	return code;
}

enum exit_code gather(const struct invocation *invocation, const char *before, bool interactive,
		      struct gathered *ret_gathered)
{
	_cleanup_(release) struct gathering gathering = {
		.invocation = invocation,
		.before = before,
		.interactive = interactive,
	};
	enum exit_code code = settle_which(&gathering);

	if (code == EXIT_DONE)
		code = settle_rest(&gathering);
	if (code == EXIT_DONE)
		code = settle_company(&gathering);
	if (code == EXIT_DONE)
		code = settle_ssh_passwords(&gathering);
	if (code != EXIT_DONE)
		return code;
	*ret_gathered = gathering.gathered;
	gathering.gathered = (struct gathered){ 0 };
	return EXIT_DONE;
}

enum exit_code gather_again(const char *before, struct gathered *gathered)
{
	struct gathering gathering = { .before = gathered->anew ? NULL : before,
				       .interactive = true,
				       .gathered = *gathered };
	enum exit_code code;

	gathering.known = gathering.before && configuration_has_tenant(gathering.before, gathered->company.tenant);
	code = settle_company(&gathering);
	*gathered = gathering.gathered;
	return code;
}
