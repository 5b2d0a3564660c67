/*
 * The PAM stacks of this machine's services, each judged by pam_verdict.h, and the module files that they name.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "provisiond/ctl/health/health.h"
#include "provisiond/ctl/health/pam_verdict.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define RESULTS "user_unknown=ignore authinfo_unavail=ignore module_unknown=ignore default=die"
#define AUTH_LINE "auth [success=done " RESULTS "] pam_oidc.so"
#define ACCOUNT_LINE "account [success=ok " RESULTS "] pam_oidc.so"
#define SESSION_LINE "session optional pam_oidc.so"
#define PATH_SIZE 512
#define NAMES_SIZE 512

/* What a service needs. Those that are not listed are judged when pam_oidc.so stands in their stack. */
static const struct expected_service {
	const char *name;
	bool account_only;  /* it starts something for people without asking who they are */
	enum level without; /* where no line of ours is in it */
} expected_services[] = {
	{ "sshd", false, LEVEL_ERROR },           { "login", false, LEVEL_WARNING },
	{ "su", false, LEVEL_WARNING },           { "su-l", false, LEVEL_WARNING },
	{ "sudo", false, LEVEL_WARNING },         { "sudo-i", false, LEVEL_WARNING },
	{ "cron", true, LEVEL_WARNING },          { "crond", true, LEVEL_WARNING },
	{ "atd", true, LEVEL_WARNING },           { "gdm-password", false, LEVEL_WARNING },
	{ "lightdm", false, LEVEL_WARNING },      { "sddm", false, LEVEL_WARNING },
	{ "xscreensaver", false, LEVEL_WARNING }, { "vlock", false, LEVEL_WARNING },
	{ "swaylock", false, LEVEL_WARNING },     { "i3lock", false, LEVEL_WARNING },
};

/* What a remedy ends with. */
enum suggestion { SUGGEST_NOTHING, SUGGEST_CONTROL, SUGGEST_AUTH, SUGGEST_ACCOUNT, SUGGEST_BOTH, SUGGEST_SESSION };

static const struct {
	enum level level;
	const char *text;   /* the end of a sentence about the line or the phase */
	const char *remedy; /* without the file, which follows it */
	enum suggestion suggestion;
} faults[PAM_FAULT_COUNT] = {
	[PAM_FAULT_NO_AUTH_LINE] = { LEVEL_WARNING,
				     "pam_oidc is not asked who somebody is: people cannot sign in with Okta here",
				     "put this line before those that ask for a password", SUGGEST_AUTH },
	[PAM_FAULT_NO_ACCOUNT_LINE] = { LEVEL_ERROR,
					"pam_oidc is not asked whether an account may be used: keys and jobs of people "
					"who left may go on",
					"put this line before the other account lines", SUGGEST_ACCOUNT },
	[PAM_FAULT_NO_LINE_AT_ALL] = { LEVEL_WARNING, "pam_oidc is not in it: people cannot sign in with Okta here",
				       "provisionctl setup, or put these lines before those of pam_unix.so",
				       SUGGEST_BOTH },
	[PAM_FAULT_NO_SESSION_LINE] = { LEVEL_WARNING, "sessions do not learn OIDC_EMAIL and OIDC_ROOM",
					"put this line behind the other session lines", SUGGEST_SESSION },
	[PAM_FAULT_FALLS_THROUGH] = { LEVEL_ERROR,
				      "a denial of pam_oidc's can end in success: lines behind it may let people in",
				      "use this control field for pam_oidc.so", SUGGEST_CONTROL },
	[PAM_FAULT_BEHIND_PASSWORD] = { LEVEL_ERROR, "another module lets people in before pam_oidc is asked",
					"move the line of pam_oidc.so before pam_unix.so and whatever is sufficient",
					SUGGEST_NOTHING },
	[PAM_FAULT_NEVER_SUCCEEDS] = { LEVEL_ERROR,
				       "whom pam_oidc lets in is refused all the same by the lines behind it",
				       "use this control field for pam_oidc.so", SUGGEST_CONTROL },
	[PAM_FAULT_SKIPS_ACCOUNT] = { LEVEL_WARNING,
				      "whom pam_oidc lets pass is not judged by pam_unix any more: an expiry in "
				      "/etc/shadow has no effect",
				      "use this control field for pam_oidc.so", SUGGEST_CONTROL },
	[PAM_FAULT_LOCKS_OUT_LOCALS] = { LEVEL_ERROR,
					 "root and local users are locked out: pam_oidc does not know them, and the "
					 "line makes a refusal of that",
					 "use this control field for pam_oidc.so", SUGGEST_CONTROL },
	[PAM_FAULT_LOCKS_OUT_WHEN_DOWN] = { LEVEL_ERROR,
					    "root and local users are locked out while a daemon of pam_oidc is down",
					    "use this control field for pam_oidc.so", SUGGEST_CONTROL },
	[PAM_FAULT_LOCKS_OUT_WHEN_MISSING] = { LEVEL_ERROR,
					       "everybody, root too, is locked out when the file pam_oidc.so is "
					       "missing",
					       "use this control field for pam_oidc.so", SUGGEST_CONTROL },
	[PAM_FAULT_NEVER_ASKS] = { LEVEL_ERROR,
				   "pam_unix relies on a password that no line before it asks for: local users are "
				   "refused",
				   "take this argument away from pam_unix.so", SUGGEST_NOTHING },
	[PAM_FAULT_ARGUMENT] = { LEVEL_ERROR, "pam_oidc.so does not take an argument, and refuses people",
				 "correct the arguments of pam_oidc.so", SUGGEST_NOTHING },
	[PAM_FAULT_MODULE_MISSING] = { LEVEL_ERROR, "a module is not there, which locks everybody out",
				       "install the package of the module, or take its line away", SUGGEST_NOTHING },
	[PAM_FAULT_BROKEN_LINE] = { LEVEL_ERROR, "libpam cannot read the line, and takes it for a refusal",
				    "correct the line", SUGGEST_NOTHING },
};

/* ---- modules ---- */

static void module_path(const char *module, char ret_path[static PATH_SIZE])
{
	(void)snprintf(ret_path, PATH_SIZE, "%s%s", module[0] == '/' ? "" : PAMDIR "/", module);
}

static bool module_is_there(void *context, const char *module)
{
	char path[PATH_SIZE];

	(void)context;
	/* "$ISA" is replaced by libpam as it was built. */
	if (strstr(module, "$ISA"))
		return true;
	module_path(module, path);
	return access(path, R_OK) == 0;
}

/* ---- the report ---- */

/* The same fault of the same line in several services is one finding. */
struct told {
	enum pam_fault fault;
	enum pam_phase phase;
	char *path; /* "" without a line */
	unsigned number;
	char *detail;
	char services[NAMES_SIZE];
	enum level level;
};

struct report {
	const struct health *health;
	struct findings *findings;
	struct told *told;
	size_t count, capacity;
	char good[NAMES_SIZE];      /* services without a fault */
	char modules[8][PATH_SIZE]; /* where pam_oidc.so is taken from */
	size_t module_count;
};

static void append_name(char names[static NAMES_SIZE], const char *name)
{
	size_t length = strlen(names);

	(void)snprintf(names + length, NAMES_SIZE - length, "%s%s", length > 0 ? ", " : "", name);
}

static struct told *told_before(struct report *report, const struct pam_finding *finding, const char *path)
{
	for (size_t i = 0; i < report->count; i++) {
		struct told *told = &report->told[i];

		if (finding->line && told->fault == finding->fault && told->phase == finding->phase &&
		    strcmp(told->path, path) == 0 && told->number == finding->line->number)
			return told;
	}
	return NULL;
}

static void tell(struct report *report, const char *service, const struct pam_finding *finding, enum level level)
{
	const char *path = finding->line ? finding->line->path : "";
	struct told *told = told_before(report, finding, path);

	if (!told && report->count == report->capacity) {
		size_t capacity = report->capacity ? report->capacity * 2 : 16;
		struct told *grown = reallocarray(report->told, capacity, sizeof(*grown));

		report->findings->failed |= !grown;
		if (!grown)
			return;
		report->told = grown;
		report->capacity = capacity;
	}
	if (!told) {
		told = &report->told[report->count++];
		*told = (struct told){
			.fault = finding->fault,
			.phase = finding->phase,
			.path = strdup(path),
			.number = finding->line ? finding->line->number : 0,
			.detail = strdup(finding->detail ? finding->detail : ""),
			.level = level,
		};
		if (!told->path || !told->detail) {
			free(told->path);
			free(told->detail);
			report->count--;
			report->findings->failed = true;
			return;
		}
	}
	if (level > told->level)
		told->level = level;
	append_name(told->services, service);
}

static void suggest(const struct told *told, char *ret_text, size_t size)
{
	bool auth = told->phase == PAM_PHASE_AUTH || told->phase == PAM_PHASE_PASSWORD;

	ret_text[0] = '\0';
	switch (faults[told->fault].suggestion) {
	case SUGGEST_NOTHING:
		break;
	case SUGGEST_CONTROL:
		(void)snprintf(ret_text, size,
			       told->phase == PAM_PHASE_SESSION ? ": optional" : ": [success=%s " RESULTS "]",
			       auth ? "done" : "ok");
		break;
	case SUGGEST_AUTH:
		(void)snprintf(ret_text, size, ": " AUTH_LINE);
		break;
	case SUGGEST_ACCOUNT:
		(void)snprintf(ret_text, size, ": " ACCOUNT_LINE);
		break;
	case SUGGEST_BOTH:
		(void)snprintf(ret_text, size, ": " AUTH_LINE "; " ACCOUNT_LINE);
		break;
	case SUGGEST_SESSION:
		(void)snprintf(ret_text, size, ": " SESSION_LINE);
		break;
	}
}

static void print_told(struct report *report, const struct told *told)
{
	char subject[PATH_SIZE + NAMES_SIZE], file[PATH_SIZE + NAMES_SIZE], detail[256] = "", lines[512], remedy[2048];
	bool line = *told->path;

	(void)snprintf(file, sizeof(file), "%s%s", line ? told->path : "/etc/pam.d/", line ? "" : told->services);
	(void)snprintf(subject, sizeof(subject), line ? "%.1000s:%u" : "%.1000s", file, told->number);
	if (*told->detail)
		(void)snprintf(detail, sizeof(detail), ": %s", told->detail);
	suggest(told, lines, sizeof(lines));
	(void)snprintf(remedy, sizeof(remedy), "%s in %s%s", faults[told->fault].remedy, file, lines);
	findings_add(report->findings, told->level, ITEM_PAM, subject, remedy, "%s: %s%s%s%s%s",
		     pam_phase_name(told->phase), faults[told->fault].text, detail, line ? " (in " : "",
		     line ? told->services : "", line ? ")" : "");
}

/* ---- services ---- */

static const struct expected_service *expected_service(const char *name)
{
	for (size_t i = 0; i < COUNT(expected_services); i++)
		if (strcmp(expected_services[i].name, name) == 0)
			return &expected_services[i];
	return NULL;
}

/* Whether the finding counts for this service, and how much. */
static bool concerns(const struct expected_service *expected, const struct pam_finding *finding, enum level *ret_level)
{
	*ret_level = faults[finding->fault].level;
	switch (finding->fault) {
	case PAM_FAULT_NO_LINE_AT_ALL:
		if (expected)
			*ret_level = expected->without;
		return expected;
	case PAM_FAULT_NO_AUTH_LINE:
		if (expected && strcmp(expected->name, "sshd") == 0)
			*ret_level = LEVEL_ERROR;
		return expected && !expected->account_only;
	case PAM_FAULT_NO_SESSION_LINE:
		return expected && !expected->account_only;
	default:
		return true;
	}
}

/* What is expected of those that only start something is the account line. */
static struct pam_finding as_expected(const struct expected_service *expected, const struct pam_finding *finding)
{
	struct pam_finding changed = *finding;

	if (expected && expected->account_only && finding->fault == PAM_FAULT_NO_LINE_AT_ALL) {
		changed.fault = PAM_FAULT_NO_ACCOUNT_LINE;
		changed.phase = PAM_PHASE_ACCOUNT;
	}
	return changed;
}

static void note_modules(struct report *report, const struct pam_stack *stack)
{
	for (size_t i = 0; i < stack->count; i++) {
		char path[PATH_SIZE];
		size_t known = 0;

		if (!pam_line_is(&stack->lines[i], PAM_OIDC_MODULE))
			continue;
		module_path(stack->lines[i].module, path);
		while (known < report->module_count && strcmp(report->modules[known], path) != 0)
			known++;
		if (known < COUNT(report->modules) && known == report->module_count)
			(void)snprintf(report->modules[report->module_count++], PATH_SIZE, "%s", path);
	}
}

static void judge_service(struct report *report, const char *name)
{
	const struct expected_service *expected = expected_service(name);
	_cleanup_pam_stack_ struct pam_stack stack = { 0 };
	char root[] = "";
	struct pam_findings found;
	bool good = true;
	int r = pam_stack_load(name, pam_read_system_file, root, &stack);

	if (r == -ENOENT)
		return;
	if (r == 0)
		r = pam_verdict(&stack, module_is_there, NULL, &found);
	if (r != 0) {
		findings_add(report->findings, LEVEL_WARNING, ITEM_PAM, name, "make its file in /etc/pam.d readable",
			     "its stack cannot be read: %s", strerror(-r));
		return;
	}
	note_modules(report, &stack);
	for (size_t i = 0; i < found.count; i++) {
		struct pam_finding finding = as_expected(expected, &found.items[i]);
		enum level level;

		if (!concerns(expected, &found.items[i], &level))
			continue;
		good = false;
		tell(report, name, &finding, level);
	}
	if (good && pam_stack_find(&stack, PAM_PHASE_ACCOUNT, PAM_OIDC_MODULE, NULL))
		append_name(report->good, name);
}

/* Files that are no services: what packages and editors leave, and parts that others include. */
static int is_service(const struct dirent *entry)
{
	const char *name = entry->d_name;
	size_t length = strlen(name);

	return name[0] != '.' && name[length - 1] != '~' && !strstr(name, ".dpkg-") && !strstr(name, ".rpm") &&
	       !strstr(name, ".ucf-") && strncmp(name, "README", 6) != 0 && strncmp(name, "common-", 7) != 0 &&
	       strcmp(name, "system-auth") != 0 && strcmp(name, "password-auth") != 0 &&
	       strcmp(name, "postlogin") != 0 && !strstr(name, "-auth-ac") && !strstr(name, ".bak") &&
	       !strstr(name, ".orig") && !strstr(name, ".pam-old");
}

static void judge_folder(struct report *report, const char *folder, const char *unless_in)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, is_service, alphasort);

	for (int i = 0; i < count; i++) {
		char path[PATH_SIZE];

		(void)snprintf(path, sizeof(path), "%s/%s", unless_in ? unless_in : "", entries[i]->d_name);
		if (!unless_in || access(path, F_OK) != 0)
			judge_service(report, entries[i]->d_name);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

static void judge_modules(struct report *report)
{
	for (size_t i = 0; i < report->module_count; i++) {
		const struct file_rule rule = {
			.path = report->modules[i],
			.kind = S_IFREG,
			.forbidden = 022,
			.item = ITEM_PAM,
			.missing_remedy = "install the package of pam_oidc.so (libpam-oidc) again",
		};

		(void)file_rule_judge(&rule, report->health, report->findings);
	}
}

void check_pam(const struct health *health, struct findings *findings)
{
	struct report report = { .health = health, .findings = findings };

	judge_folder(&report, "/etc/pam.d", NULL);
	judge_folder(&report, "/usr/lib/pam.d", "/etc/pam.d");
	if (*report.good)
		findings_add(findings, LEVEL_GOOD, ITEM_PAM, NULL, NULL,
			     "pam_oidc is asked first, its denial is final, and root and local users reach their own "
			     "way in: %s",
			     report.good);
	for (size_t i = 0; i < report.count; i++) {
		print_told(&report, &report.told[i]);
		free(report.told[i].path);
		free(report.told[i].detail);
	}
	free(report.told);
	judge_modules(&report);
}
