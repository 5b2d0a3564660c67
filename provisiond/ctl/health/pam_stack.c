/*
 * Reads stacks as libpam does: lines, control fields, and what is included.
 */
#include "provisiond/ctl/health/pam_stack.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* gcc's analyzer loses what is reached through an array, and calls it leaked; the leak checks of the tests see it
 * freed. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wanalyzer-malloc-leak"
#endif

#define BLANKS " \t"
#define INCLUDES_MAX 32
#define LEVELS_MAX 16
#define FILE_MAX_BYTES ((size_t)1024 * 1024)
#define LINES_MAX 4096 /* with all that is included */

static const char *const phase_names[PAM_PHASE_COUNT] = {
	[PAM_PHASE_AUTH] = "auth",
	[PAM_PHASE_ACCOUNT] = "account",
	[PAM_PHASE_PASSWORD] = "password",
	[PAM_PHASE_SESSION] = "session",
};

const char *pam_phase_name(enum pam_phase phase)
{
	return phase_names[phase];
}

/* ---- files ---- */

static int read_whole(const char *path, char **ret_text)
{
	_cleanup_file_ FILE *file = fopen(path, "re");
	_cleanup_free_ char *text = NULL;
	struct stat st;
	size_t length;

	if (!file || fstat(fileno(file), &st) != 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size < 0 || (size_t)st.st_size > FILE_MAX_BYTES)
		return -EINVAL;
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;
	length = fread(text, 1, (size_t)st.st_size, file);
	if (ferror(file))
		return -EIO;
	text[length] = '\0';
	*ret_text = take_pointer(text);
	return 0;
}

int pam_read_system_file(void *root, const char *name, char **ret_text, char **ret_path)
{
	static const char *const folders[] = { "/etc/pam.d/", "/usr/lib/pam.d/" };
	bool absolute = name[0] == '/';
	int r = -ENOENT;

	if (!absolute && (strchr(name, '/') || name[0] == '\0'))
		return -EINVAL;
	for (size_t i = 0; i < (absolute ? 1 : sizeof(folders) / sizeof(folders[0])); i++) {
		_cleanup_free_ char *path = NULL;

		if (asprintf(&path, "%s%s%s", (const char *)root, absolute ? "" : folders[i], name) < 0) {
			path = NULL;
			return -ENOMEM;
		}
		r = read_whole(path, ret_text);
		if (r == 0)
			*ret_path = take_pointer(path);
		if (r != -ENOENT)
			break;
	}
	return r;
}

/* ---- control fields ---- */

static const struct {
	const char *name;
	int result;
} result_names[] = {
	{ "success", PAM_SUCCESS },
	{ "open_err", PAM_OPEN_ERR },
	{ "symbol_err", PAM_SYMBOL_ERR },
	{ "service_err", PAM_SERVICE_ERR },
	{ "system_err", PAM_SYSTEM_ERR },
	{ "buf_err", PAM_BUF_ERR },
	{ "perm_denied", PAM_PERM_DENIED },
	{ "auth_err", PAM_AUTH_ERR },
	{ "cred_insufficient", PAM_CRED_INSUFFICIENT },
	{ "authinfo_unavail", PAM_AUTHINFO_UNAVAIL },
	{ "user_unknown", PAM_USER_UNKNOWN },
	{ "maxtries", PAM_MAXTRIES },
	{ "new_authtok_reqd", PAM_NEW_AUTHTOK_REQD },
	{ "acct_expired", PAM_ACCT_EXPIRED },
	{ "session_err", PAM_SESSION_ERR },
	{ "cred_unavail", PAM_CRED_UNAVAIL },
	{ "cred_expired", PAM_CRED_EXPIRED },
	{ "cred_err", PAM_CRED_ERR },
	{ "no_module_data", PAM_NO_MODULE_DATA },
	{ "conv_err", PAM_CONV_ERR },
	{ "authtok_err", PAM_AUTHTOK_ERR },
	{ "authtok_recover_err", PAM_AUTHTOK_RECOVERY_ERR },
	{ "authtok_lock_busy", PAM_AUTHTOK_LOCK_BUSY },
	{ "authtok_disable_aging", PAM_AUTHTOK_DISABLE_AGING },
	{ "try_again", PAM_TRY_AGAIN },
	{ "ignore", PAM_IGNORE },
	{ "abort", PAM_ABORT },
	{ "authtok_expired", PAM_AUTHTOK_EXPIRED },
	{ "module_unknown", PAM_MODULE_UNKNOWN },
	{ "bad_item", PAM_BAD_ITEM },
	{ "conv_again", PAM_CONV_AGAIN },
	{ "incomplete", PAM_INCOMPLETE },
};

static const struct {
	const char *name;
	int action;
} action_names[] = {
	{ "ignore", PAM_ACTION_IGNORE }, { "ok", PAM_ACTION_OK },   { "done", PAM_ACTION_DONE },
	{ "bad", PAM_ACTION_BAD },       { "die", PAM_ACTION_DIE }, { "reset", PAM_ACTION_RESET },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void set_all(int *actions, int action)
{
	for (size_t i = 0; i < _PAM_RETURN_VALUES; i++)
		actions[i] = action;
}

static void set_unset(int *actions, int action)
{
	for (size_t i = 0; i < _PAM_RETURN_VALUES; i++)
		if (actions[i] == PAM_ACTION_UNSET)
			actions[i] = action;
}

static bool equals(const char *word, size_t length, const char *name)
{
	return strlen(name) == length && strncasecmp(word, name, length) == 0;
}

static bool action_of(const char *word, size_t length, int *ret_action)
{
	int number = 0;

	for (size_t i = 0; i < COUNT(action_names); i++) {
		if (equals(word, length, action_names[i].name)) {
			*ret_action = action_names[i].action;
			return true;
		}
	}
	for (size_t i = 0; i < length; i++) {
		if (word[i] < '0' || word[i] > '9' || number > LINES_MAX)
			return false;
		number = number * 10 + (word[i] - '0');
	}
	*ret_action = number;
	/* "0" is no number of lines to skip. */
	return number > 0;
}

/* One `value=action`. */
static bool take_pair(const char *name, size_t name_length, int action, int *actions)
{
	if (equals(name, name_length, "default")) {
		set_unset(actions, action);
		return true;
	}
	for (size_t i = 0; i < COUNT(result_names); i++) {
		if (!equals(name, name_length, result_names[i].name))
			continue;
		actions[result_names[i].result] = action;
		return true;
	}
	return false;
}

/* What stands between the brackets. False when it makes no sense; what is not said then counts as bad. */
static bool parse_pairs(const char *text, int *actions)
{
	set_all(actions, PAM_ACTION_UNSET);
	for (;;) {
		const char *name = text + strspn(text, BLANKS), *word;
		size_t name_length = strcspn(name, "=" BLANKS), length;
		int action;

		if (*name == '\0')
			return true;
		word = name + name_length + strspn(name + name_length, BLANKS);
		if (*word != '=')
			break;
		word += 1 + strspn(word + 1, BLANKS);
		length = strcspn(word, BLANKS);
		if (!action_of(word, length, &action) || !take_pair(name, name_length, action, actions))
			break;
		text = word + length;
	}
	set_unset(actions, PAM_ACTION_BAD);
	return false;
}

static bool parse_control(const char *control, int *actions)
{
	static const struct {
		const char *name;
		int success, ignore, others;
	} words[] = {
		{ "required", PAM_ACTION_OK, PAM_ACTION_IGNORE, PAM_ACTION_BAD },
		{ "requisite", PAM_ACTION_OK, PAM_ACTION_IGNORE, PAM_ACTION_DIE },
		{ "optional", PAM_ACTION_OK, PAM_ACTION_IGNORE, PAM_ACTION_IGNORE },
		{ "sufficient", PAM_ACTION_DONE, PAM_ACTION_IGNORE, PAM_ACTION_IGNORE },
	};

	for (size_t i = 0; i < COUNT(words); i++) {
		if (strcasecmp(control, words[i].name) != 0)
			continue;
		set_all(actions, words[i].others);
		actions[PAM_SUCCESS] = actions[PAM_NEW_AUTHTOK_REQD] = words[i].success;
		actions[PAM_IGNORE] = words[i].ignore;
		return true;
	}
	return parse_pairs(control, actions);
}

/* ---- words ---- */

/* The next word, ended in place; "[...]" is one word without its brackets, and "\]" in it is a bracket. NULL at the
 * end. *text moves behind it. */
static char *next_word(char **text, bool *ret_bracketed)
{
	char *word = *text + strspn(*text, BLANKS), *to, *from;

	*ret_bracketed = *word == '[';
	if (*word == '\0') {
		*text = word;
		return NULL;
	}
	if (*word != '[') {
		size_t length = strcspn(word, BLANKS);

		*text = word + length + (word[length] != '\0');
		word[length] = '\0';
		return word;
	}
	for (to = word, from = word + 1; *from && *from != ']'; *to++ = *from++)
		if (from[0] == '\\' && from[1] == ']')
			from++;
	*text = from + (*from != '\0');
	*to = '\0';
	return word;
}

/* ---- loading ---- */

struct loading {
	struct pam_stack *stack;
	pam_read_file *read;
	void *context;
	unsigned includes; /* how deep */
};

/* Where a line stands. */
struct place {
	const char *path;
	unsigned number;
	unsigned level;
};

#define ANY_PHASE PAM_PHASE_COUNT

static int load_file(struct loading *loading, const char *name, enum pam_phase only, unsigned level);

static bool reserve(struct pam_stack *stack)
{
	size_t capacity = stack->capacity ? stack->capacity * 2 : 32;
	struct pam_line *grown;

	if (stack->count < stack->capacity)
		return true;
	if (stack->count >= LINES_MAX)
		return false;
	grown = reallocarray(stack->lines, capacity, sizeof(*grown));
	if (!grown)
		return false;
	stack->lines = grown;
	stack->capacity = capacity;
	return true;
}

static int take_arguments(struct pam_line *line, char *text)
{
	bool bracketed;
	char *word;

	for (;;) {
		char **grown = reallocarray(line->arguments, line->argument_count + 2, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		line->arguments = grown;
		line->arguments[line->argument_count] = NULL;
		word = text ? next_word(&text, &bracketed) : NULL;
		if (!word)
			return 0;
		line->arguments[line->argument_count] = strdup(word);
		if (!line->arguments[line->argument_count])
			return -ENOMEM;
		line->arguments[++line->argument_count] = NULL;
	}
}

/* Adds a line; what it owns is released with the stack, also when this fails. */
static int add_line(struct pam_stack *stack, const struct pam_line *described, const char *module, char *arguments,
		    const struct place *place)
{
	struct pam_line *line;

	if (!reserve(stack))
		return -ENOMEM;
	line = &stack->lines[stack->count++];
	*line = *described;
	line->level = place->level;
	line->number = place->number;
	line->path = strdup(place->path);
	line->module = strdup(module);
	if (!line->path || !line->module)
		return -ENOMEM;
	return take_arguments(line, arguments);
}

static int add_broken(struct pam_stack *stack, enum pam_phase phase, const char *fault, const struct place *place)
{
	struct pam_line line = { .phase = phase, .kind = PAM_LINE_BROKEN, .fault = fault };

	set_all(line.actions, PAM_ACTION_BAD);
	return add_line(stack, &line, "", NULL, place);
}

/* The same in the phase that is read, or where all are, in each. */
static int add_broken_in(struct pam_stack *stack, enum pam_phase only, const char *fault, const struct place *place)
{
	if (only != ANY_PHASE)
		return add_broken(stack, only, fault, place);
	for (int phase = 0; phase < PAM_PHASE_COUNT; phase++) {
		int r = add_broken(stack, (enum pam_phase)phase, fault, place);

		if (r != 0)
			return r;
	}
	return 0;
}

/* What a line includes. What cannot be read fails whoever asks. */
static int include(struct loading *loading, const char *name, enum pam_phase only, const struct place *place)
{
	int r = loading->includes >= INCLUDES_MAX || place->level >= LEVELS_MAX
			? -ELOOP
			: load_file(loading, name, only, place->level);

	if (r == 0 || r == -ENOMEM)
		return r;
	return add_broken_in(loading->stack, only, "includes a file that cannot be read", place);
}

static int take_included(struct loading *loading, enum pam_phase phase, bool substack, const char *name,
			 const struct place *place)
{
	struct pam_line marker = { .phase = phase, .kind = PAM_LINE_SUBSTACK };
	struct place inside = *place;
	int r;

	if (!name)
		return add_broken(loading->stack, phase, "includes nothing", place);
	if (substack) {
		r = add_line(loading->stack, &marker, "", NULL, place);
		if (r != 0)
			return r;
		inside.level++;
	}
	return include(loading, name, phase, &inside);
}

static int take_module(struct loading *loading, enum pam_phase phase, const char *control, char *rest,
		       const struct place *place)
{
	struct pam_line line = { .phase = phase, .kind = PAM_LINE_MODULE };
	bool understood = parse_control(control, line.actions), bracketed;
	const char *module = next_word(&rest, &bracketed);

	if (!module)
		return add_broken(loading->stack, phase, "names no module", place);
	if (!understood)
		line.fault = "has a control field that libpam does not understand";
	return add_line(loading->stack, &line, module, rest, place);
}

static enum pam_phase phase_named(const char *word)
{
	int phase = 0;

	while (phase < PAM_PHASE_COUNT && strcasecmp(word, phase_names[phase]) != 0)
		phase++;
	return (enum pam_phase)phase;
}

/* One line, joined and without its comment. */
static int take_line(struct loading *loading, char *text, enum pam_phase only, const struct place *place)
{
	bool bracketed;
	char *type = next_word(&text, &bracketed), *control;
	enum pam_phase phase;

	if (!type)
		return 0;
	if (strcasecmp(type, "@include") == 0) {
		const char *name = next_word(&text, &bracketed);

		return name ? include(loading, name, only, place)
			    : add_broken_in(loading->stack, only, "includes nothing", place);
	}
	phase = phase_named(type[0] == '-' ? type + 1 : type);
	if (phase == PAM_PHASE_COUNT)
		return add_broken(loading->stack, only != ANY_PHASE ? only : PAM_PHASE_AUTH,
				  "begins with a word that libpam does not know", place);
	if (only != ANY_PHASE && phase != only)
		return 0;
	control = next_word(&text, &bracketed);
	if (!control)
		return add_broken(loading->stack, phase, "ends before its control field", place);
	if (!bracketed && (strcasecmp(control, "include") == 0 || strcasecmp(control, "substack") == 0))
		return take_included(loading, phase, strcasecmp(control, "substack") == 0, next_word(&text, &bracketed),
				     place);
	return take_module(loading, phase, control, text, place);
}

/* Ends the line at `line` in place: without its comment, and joined with those behind it while it ends with a
 * backslash. Returns where the next one begins; *number counts them. */
static char *join_line(char *line, unsigned *number)
{
	char *to = line, *from = line;

	for (;;) {
		size_t length = strcspn(from, "\n"), kept = strcspn(from, "#\n");
		bool last = from[length] == '\0', comment = kept < length;

		while (!comment && kept > 0 && strchr(" \t\r", from[kept - 1]))
			kept--;
		if (comment || kept == 0 || from[kept - 1] != '\\' || last) {
			char *next = from + length + !last;

			memmove(to, from, kept);
			to[kept] = '\0';
			return next;
		}
		memmove(to, from, kept);
		to[kept - 1] = ' ';
		to += kept;
		from += length + 1;
		(*number)++;
	}
}

static int load_text(struct loading *loading, char *text, const char *path, enum pam_phase only, unsigned level)
{
	struct place place = { .path = path, .level = level };
	int r = 0;

	while (*text && r == 0) {
		unsigned number = place.number + 1;
		char *next = join_line(text, &number);

		place.number++;
		r = take_line(loading, text, only, &place);
		place.number = number;
		text = next;
	}
	return r;
}

static int load_file(struct loading *loading, const char *name, enum pam_phase only, unsigned level)
{
	_cleanup_free_ char *text = NULL, *path = NULL;
	int r = loading->read(loading->context, name, &text, &path);

	if (r != 0)
		return r;
	loading->includes++;
	r = load_text(loading, text, path, only, level);
	loading->includes--;
	return r;
}

static bool has_phase(const struct pam_stack *stack, enum pam_phase phase)
{
	for (size_t i = 0; i < stack->count; i++)
		if (stack->lines[i].phase == phase)
			return true;
	return false;
}

int pam_stack_load(const char *service, pam_read_file *read, void *context, struct pam_stack *ret_stack)
{
	_cleanup_pam_stack_ struct pam_stack stack = { 0 };
	struct loading loading = { .stack = &stack, .read = read, .context = context };
	int r = load_file(&loading, service, ANY_PHASE, 0);

	for (int phase = 0; r == 0 && phase < PAM_PHASE_COUNT; phase++) {
		if (has_phase(&stack, (enum pam_phase)phase) || strcmp(service, "other") == 0)
			continue;
		r = load_file(&loading, "other", (enum pam_phase)phase, 0);
		if (r == -ENOENT)
			r = 0;
	}
	if (r != 0)
		return r;
	*ret_stack = stack;
	stack = (struct pam_stack){ 0 };
	return 0;
}

void pam_stack_release(struct pam_stack *stack)
{
	for (size_t i = 0; i < stack->count; i++) {
		struct pam_line *line = &stack->lines[i];

		for (size_t j = 0; j < line->argument_count; j++)
			free(line->arguments[j]);
		free(line->arguments);
		free(line->module);
		free(line->path);
	}
	free(stack->lines);
	*stack = (struct pam_stack){ 0 };
}

/* ---- finding lines ---- */

bool pam_line_is(const struct pam_line *line, const char *module)
{
	const char *slash = strrchr(line->module, '/');

	return line->kind == PAM_LINE_MODULE && strcmp(slash ? slash + 1 : line->module, module) == 0;
}

const struct pam_line *pam_stack_find(const struct pam_stack *stack, enum pam_phase phase, const char *module,
				      const struct pam_line *from)
{
	for (size_t i = from ? (size_t)(from - stack->lines) : 0; i < stack->count; i++)
		if (stack->lines[i].phase == phase && pam_line_is(&stack->lines[i], module))
			return &stack->lines[i];
	return NULL;
}
