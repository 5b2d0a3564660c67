/*
 * The life of accounts on a small machine, one scenario for each kind of change: what is there before it, the order,
 * and what there is to be compared afterwards. An account must be found as it was before or as it is to be after, never
 * in between; and nothing of anybody else may differ. For the tests that stop, starve or cut provisiond short.
 */
#ifndef TESTS_UNIT_ACCOUNT_LIVES_H
#define TESTS_UNIT_ACCOUNT_LIVES_H

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>

#include "common/log.h"
#include "provisiond/home.h"
#include "provisiond/lifecycle.h"
#include "small_machine.h"

#define LIFE_ORDERS_MAX 4
#define LIFE_ANSWER_FD 100 /* a byte on this descriptor, or a following one: that order was answered as done */
#define ALICES_UID 2022975774U
#define BOBS_UID 2073203076U
#define CAROLS_UID 2001234567U
#define LOCUMS_UID 1003U
#define NEXT_UID 2011111111U

#define must(condition)                                                                                               \
	do {                                                                                                          \
		if (!(condition)) {                                                                                   \
			(void)fprintf(stderr, "%s:%d: %s: not so: %s\n", __FILE__, __LINE__, life_where, #condition); \
			_exit(1);                                                                                     \
		}                                                                                                     \
	} while (0)

/* Where the test is, for must(). */
static char life_where[256] = "at the start";

__attribute__((unused)) static void say_nothing(int priority, const char *line)
{
	if (getenv("LIFE_LOG"))
		(void)fprintf(stderr, "<%d> %s\n", priority, line);
}

/* ---- one order ---- */

struct life_order {
	const char *account;
	/* Whether this is how it is to be. */
	bool (*is_done)(struct store *store, const struct account_record *record_or_null);
	void (*make)(struct lifecycle_order *order);
	enum lifecycle_decision decision;
};

struct scenario {
	const char *name;
	void (*prepare)(const struct small_machine *machine);
	struct life_order orders[LIFE_ORDERS_MAX];
	unsigned count;
	bool runs; /* alice has something running */
};

static struct account_record life_record(const char *name, uid_t uid, const char *home, enum account_state state)
{
	return (struct account_record){
		.name = name,
		.uid = uid,
		.gid = uid,
		.tenant = "clinic",
		.issuer = "https://clinic.example",
		.subject = name,
		.email = "somebody@clinic.example",
		.full_name = "Alice Example",
		.home = home,
		.shell = "/bin/bash",
		.state = state,
		.created_at = 1700000000,
		.last_signin_at = 1700000000,
		.room = "",
		.groups_given = "",
		.groups_taken = "",
		.gecos_before = "",
		.ageing_before = "",
		.expiry_before = "",
		.expiry_given = "",
		.refusal = "",
	};
}

static struct account_record alices_record(enum account_state state)
{
	struct account_record record = life_record("alice", ALICES_UID, "/home/alice", state);

	record.email = "alice@clinic.example";
	record.groups_given = "radiology";
	record.first_subid = 300000;
	return record;
}

static struct account_record locums_record(void)
{
	struct account_record record = life_record("locum", LOCUMS_UID, "/home/locum", ACCOUNT_ACTIVE);

	record.gid = 1000;
	record.email = "locum@clinic.example";
	record.linked = true;
	record.locked = true;
	record.groups_given = "radiology";
	record.gecos_before = "Old Locum";
	record.ageing_before = "19000:0:99999:7:";
	return record;
}

/* ---- before ---- */

static void life_append(const struct small_machine *machine, const char *path, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void life_append(const struct small_machine *machine, const char *path, const char *format, ...)
{
	char full[256];
	va_list arguments;
	FILE *file;

	machine_path(machine, path, full);
	file = fopen(full, "ae");
	must(file);
	va_start(arguments, format);
	(void)vfprintf(file, format, arguments);
	va_end(arguments);
	must(fclose(file) == 0);
}

static void life_home(const struct small_machine *machine, const char *path, uid_t uid, gid_t gid)
{
	char full[256], file[128];

	machine_folder(machine, path, 0700);
	machine_path(machine, path, full);
	(void)snprintf(file, sizeof(file), "%s/letter", path);
	machine_write(machine, file, 0600, "Dear all\n");
	must(chown(full, uid, gid) == 0);
}

/* What every scenario begins with: foreign rows of all kinds, lines that nobody can parse, and Carol's account. */
static void life_machine(const struct small_machine *machine)
{
	static const char *const folders[] = { "/var/lib",   "/var/lib/systemd", "/var/lib/systemd/linger",
					       "/var/spool", "/var/spool/cron",  "/var/spool/cron/crontabs",
					       "/proc" };

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		machine_folder(machine, folders[i], 0755);
	machine_write(machine, "/etc/passwd", 0644,
		      "root:x:0:0:root:/root:/bin/bash\nlocal:x:1000:1000::/home/local:/bin/sh\n"
		      "locum:x:1003:1000:Old Locum:/home/locum:/bin/sh\n");
	machine_write(machine, "/etc/shadow", 0640,
		      "root:*:19000:0:99999:7:::\nlocal:$y$local:19000:0:99999:7:::\n"
		      "locum:$y$locum:19000:0:99999:7:::\n");
	machine_write(machine, "/etc/group", 0644,
		      "root:x:0:\nlocal:x:1000:\nradiology:x:2000:mallory,local\nwards:x:2001:\n");
	machine_write(machine, "/etc/gshadow", 0640,
		      "root:*::\nlocal:!::\nradiology:!:root:mallory,local\nwards:!::\n");
	machine_write(machine, "/etc/subuid", 0644, "local:100000:65536\n");
	machine_write(machine, "/etc/subgid", 0644, "local:100000:65536\n");
	life_home(machine, "/home/locum", LOCUMS_UID, 1000);
}

/* An account of ours in the files, whose shadow row has this password and this expiry. */
static void life_rows(const struct small_machine *machine, const char *name, uid_t uid, const char *password,
		      const char *expiry)
{
	life_append(machine, "/etc/passwd", "%s:x:%u:%u:Alice Example:/home/%s:/bin/bash\n", name, uid, uid, name);
	life_append(machine, "/etc/shadow", "%s:%s:19000:::::%s:\n", name, password, expiry);
	life_append(machine, "/etc/group", "%s:x:%u:\n", name, uid);
	life_append(machine, "/etc/gshadow", "%s:!::\n", name);
}

static void life_put_on_record(const struct small_machine *machine, const struct account_record *record)
{
	must(store_add(machine->store, record) == 0);
	must(store_set_state(machine->store, record->name, record->state) == 0);
}

static void life_alice(const struct small_machine *machine, enum account_state state, const char *password,
		       const char *expiry)
{
	const struct account_record record = alices_record(state);

	life_rows(machine, "alice", ALICES_UID, password, expiry);
	life_append(machine, "/etc/subuid", "alice:300000:65536\n");
	life_append(machine, "/etc/subgid", "alice:300000:65536\n");
	machine_write(machine, "/etc/group", 0644,
		      "root:x:0:\nlocal:x:1000:\nradiology:x:2000:mallory,local,alice\nwards:x:2001:\n"
		      "alice:x:2022975774:\n");
	machine_write(machine, "/etc/gshadow", 0640,
		      "root:*::\nlocal:!::\nradiology:!:root:mallory,local,alice\nwards:!::\nalice:!::\n");
	machine_write(machine, "/var/lib/systemd/linger/alice", 0644, "");
	machine_write(machine, "/var/spool/cron/crontabs/alice", 0600, "@daily true\n");
	life_home(machine, "/home/alice", ALICES_UID, ALICES_UID);
	life_put_on_record(machine, &record);
}

static void before_creation(const struct small_machine *machine)
{
	life_machine(machine);
}

static void before_return(const struct small_machine *machine)
{
	const struct account_record record = alices_record(ACCOUNT_REMOVED);

	life_machine(machine);
	life_put_on_record(machine, &record);
	life_home(machine, "/home/alice", ALICES_UID, ALICES_UID);
}

static void alice_is_active(const struct small_machine *machine)
{
	life_machine(machine);
	life_alice(machine, ACCOUNT_ACTIVE, "*", "");
}

static void alice_is_incomplete(const struct small_machine *machine)
{
	life_machine(machine);
	life_alice(machine, ACCOUNT_INCOMPLETE, "!*", "1");
}

static void alice_is_deactivated(const struct small_machine *machine)
{
	life_machine(machine);
	life_alice(machine, ACCOUNT_DEACTIVATED, "!*", "1");
}

static void locum_is_expected(const struct small_machine *machine)
{
	const struct expected expected = { .kind = EXPECTED_LINK,
					   .name = "locum",
					   .tenant = "clinic",
					   .email = "locum@clinic.example",
					   .subject = "",
					   .uid = LOCUMS_UID,
					   .made_at = 1700000000,
					   .expires_at = 0 };

	life_machine(machine);
	must(store_expect(machine->store, &expected) == 0);
}

static void locum_is_linked(const struct small_machine *machine)
{
	const struct account_record record = locums_record();

	life_machine(machine);
	machine_write(machine, "/etc/shadow", 0640,
		      "root:*:19000:0:99999:7:::\nlocal:$y$local:19000:0:99999:7:::\nlocum:!$y$locum:19000::::::\n");
	machine_write(machine, "/etc/group", 0644,
		      "root:x:0:\nlocal:x:1000:\nradiology:x:2000:mallory,local,locum\nwards:x:2001:\n");
	life_put_on_record(machine, &record);
}

static void before_several(const struct small_machine *machine)
{
	const struct account_record carol = life_record("carol", CAROLS_UID, "/home/carol", ACCOUNT_ACTIVE);

	alice_is_active(machine);
	life_rows(machine, "carol", CAROLS_UID, "*", "");
	life_home(machine, "/home/carol", CAROLS_UID, CAROLS_UID);
	life_put_on_record(machine, &carol);
}

/* ---- orders ---- */

static bool is_usable(struct store *store, const struct account_record *record)
{
	(void)store;
	return record && (record->state == ACCOUNT_ACTIVE || record->state == ACCOUNT_INCOMPLETE);
}

static bool is_updated(struct store *store, const struct account_record *record)
{
	(void)store;
	return record && strcmp(record->email, "alice.new@clinic.example") == 0;
}

static bool is_active(struct store *store, const struct account_record *record)
{
	(void)store;
	return record && record->state == ACCOUNT_ACTIVE;
}

static bool is_deactivated(struct store *store, const struct account_record *record)
{
	(void)store;
	return record && record->state == ACCOUNT_DEACTIVATED;
}

static bool is_removed(struct store *store, const struct account_record *record)
{
	(void)store;
	return record && record->state == ACCOUNT_REMOVED;
}

static bool is_gone(struct store *store, const struct account_record *record)
{
	(void)store;
	return !record;
}

static const char *const radiology[] = { "radiology" };

static void make_creation(struct lifecycle_order *order)
{
	order->record = alices_record(ACCOUNT_ACTIVE);
	order->record.first_subid = 0;
	order->groups = radiology;
	order->group_count = 1;
}

static void make_incomplete_creation(struct lifecycle_order *order)
{
	make_creation(order);
	order->record.state = ACCOUNT_INCOMPLETE;
}

static void make_return(struct lifecycle_order *order)
{
	make_creation(order);
	order->record.first_subid = 300000;
	order->record.revived = true;
}

static void make_bob(struct lifecycle_order *order)
{
	order->record = life_record("bob", BOBS_UID, "/home/bob", ACCOUNT_ACTIVE);
	order->record.email = "bob@clinic.example";
}

/* Several who come together. Their subordinate ids are settled: else they depended on who fails and comes again. */

static void make_alice_of_many(struct lifecycle_order *order)
{
	make_creation(order);
	order->record.first_subid = 300000;
}

static void make_bob_of_many(struct lifecycle_order *order)
{
	make_bob(order);
	order->record.first_subid = 400000;
}

static void make_first_nurse(struct lifecycle_order *order)
{
	order->record = life_record("nurse1", BOBS_UID + 1, "/home/nurse1", ACCOUNT_ACTIVE);
	order->record.first_subid = 500000;
}

static void make_second_nurse(struct lifecycle_order *order)
{
	order->record = life_record("nurse2", BOBS_UID + 2, "/home/nurse2", ACCOUNT_ACTIVE);
	order->record.first_subid = 600000;
}

static void make_update(struct lifecycle_order *order)
{
	struct account_record record = alices_record(ACCOUNT_ACTIVE);

	record.email = "alice.new@clinic.example";
	record.full_name = "Alice New";
	record.groups_given = "wards";
	order->change = planned_change_none(CHANGE_UPDATE, &record);
	order->change.gecos = "Alice New";
	order->change.groups_in = "wards";
	order->change.groups_out = "radiology";
}

static void make_answer(struct lifecycle_order *order)
{
	struct account_record record = alices_record(ACCOUNT_INCOMPLETE);

	record.room = "Exam 1";
	order->change = planned_change_none(CHANGE_UPDATE, &record);
	order->change.state_after = ACCOUNT_ACTIVE;
	order->change.gecos = "Alice Example,Exam 1";
	order->change.locks = 0;
	order->change.expiry = "";
}

static void make_link(struct lifecycle_order *order)
{
	const struct account_record record = locums_record();

	order->change = planned_change_none(CHANGE_LINK, &record);
	order->change.gecos = "New Locum";
	order->change.locks = 1;
	order->change.ageing = "19000::::";
	order->change.groups_in = "radiology";
}

static void make_unlink(struct lifecycle_order *order)
{
	const struct account_record record = locums_record();

	order->change = planned_change_none(CHANGE_UNLINK, &record);
	order->change.gecos = "Old Locum";
	order->change.locks = 0;
	order->change.ageing = "19000:0:99999:7:";
	order->change.expiry = "";
	order->change.groups_out = "radiology";
}

static void make_deactivation(struct lifecycle_order *order)
{
	struct account_record record = alices_record(ACCOUNT_DEACTIVATED);

	record.locked = true;
	order->change = planned_change_none(CHANGE_DEACTIVATE, &record);
	order->change.locks = 1;
	order->change.expiry = "1";
	order->change.end_sessions = true;
}

static void make_reactivation(struct lifecycle_order *order)
{
	const struct account_record record = alices_record(ACCOUNT_DEACTIVATED);

	order->change = planned_change_none(CHANGE_REACTIVATE, &record);
	order->change.state_after = ACCOUNT_ACTIVE;
	order->change.locks = 0;
	order->change.expiry = "";
}

static void make_removal(struct lifecycle_order *order)
{
	struct account_record record = alices_record(ACCOUNT_REMOVED);

	record.groups_given = "";
	order->change = planned_change_none(CHANGE_REMOVE, &record);
	order->change.locks = 1;
	order->change.expiry = "1";
	order->change.groups_out = "*";
	order->change.end_sessions = true;
	order->change.home = HOME_IS_REMOVED;
}

static void make_carols_removal(struct lifecycle_order *order)
{
	const struct account_record record = life_record("carol", CAROLS_UID, "/home/carol", ACCOUNT_REMOVED);

	order->change = planned_change_none(CHANGE_REMOVE, &record);
	order->change.groups_out = "*";
}

static void make_linked_removal(struct lifecycle_order *order)
{
	struct account_record record = locums_record();

	record.state = ACCOUNT_REMOVED;
	order->change = planned_change_none(CHANGE_REMOVE, &record);
	order->change.locks = 2;
	order->change.groups_out = "*";
}

static void make_reassignment(struct lifecycle_order *order)
{
	const struct account_record record = alices_record(ACCOUNT_REMOVED);

	order->change = planned_change_none(CHANGE_REASSIGN, &record);
	order->change.groups_out = "*";
	order->change.end_sessions = true;
	order->change.home = HOME_IS_MOVED;
	order->change.home_to = "/home/alice.2022975774";
	order->change.next_uid = NEXT_UID;
}

#define CREATE(account, is_done, make)                   \
	{                                                \
		account, is_done, make, LIFECYCLE_CREATE \
	}
#define CHANGE(account, is_done, make)                   \
	{                                                \
		account, is_done, make, LIFECYCLE_CHANGE \
	}

_Static_assert(HOMES_TOGETHER <= LIFE_ORDERS_MAX, "a scenario with homes that are made together");

static const struct scenario scenarios[] = {
	{ "creation", before_creation, { CREATE("alice", is_usable, make_creation) }, 1, false },
	{ "creation with an open question",
	  before_creation,
	  { CREATE("alice", is_usable, make_incomplete_creation) },
	  1,
	  false },
	{ "return", before_return, { CREATE("alice", is_usable, make_return) }, 1, false },
	{ "update", alice_is_active, { CHANGE("alice", is_updated, make_update) }, 1, false },
	{ "answer", alice_is_incomplete, { CHANGE("alice", is_active, make_answer) }, 1, false },
	{ "link", locum_is_expected, { CHANGE("locum", is_usable, make_link) }, 1, false },
	{ "unlink", locum_is_linked, { CHANGE("locum", is_gone, make_unlink) }, 1, false },
	{ "deactivation", alice_is_active, { CHANGE("alice", is_deactivated, make_deactivation) }, 1, true },
	{ "reactivation", alice_is_deactivated, { CHANGE("alice", is_active, make_reactivation) }, 1, false },
	{ "removal", alice_is_active, { CHANGE("alice", is_removed, make_removal) }, 1, true },
	{ "removal of a linked account",
	  locum_is_linked,
	  { CHANGE("locum", is_removed, make_linked_removal) },
	  1,
	  false },
	{ "reassignment", alice_is_active, { CHANGE("alice", is_gone, make_reassignment) }, 1, true },
	{ "several in one round",
	  before_several,
	  { CREATE("bob", is_usable, make_bob), CHANGE("alice", is_updated, make_update),
	    CHANGE("carol", is_removed, make_carols_removal) },
	  3,
	  false },
	{ "homes made together",
	  before_creation,
	  { CREATE("alice", is_usable, make_alice_of_many), CREATE("bob", is_usable, make_bob_of_many),
	    CREATE("nurse1", is_usable, make_first_nurse), CREATE("nurse2", is_usable, make_second_nurse) },
	  4,
	  false },
};

#define SCENARIOS (sizeof(scenarios) / sizeof(scenarios[0]))

/* ---- one run of provisiond ---- */

struct life_run {
	struct small_machine *machine;
	const struct life_order *order;
	unsigned number;
	unsigned answers;
	bool done;
	enum reason reason;
};

static enum lifecycle_decision life_decide(void *context, struct lifecycle_order *ret_order)
{
	struct life_run *run = context;
	_cleanup_record_ struct account_record record = { 0 };
	enum store_answer found = store_account_by_name(run->machine->store, run->order->account, &record);

	if (found == STORE_FAILED || run->order->is_done(run->machine->store, found == STORE_FOUND ? &record : NULL))
		return LIFECYCLE_NOTHING;
	if (found == STORE_FOUND && record.state == ACCOUNT_CREATING)
		return LIFECYCLE_LATER;
	run->order->make(ret_order);
	return run->order->decision;
}

static void life_done(void *context, enum reason reason, bool done)
{
	struct life_run *run = context;

	run->answers++;
	run->reason = reason;
	run->done = done;
	if (done)
		(void)!write(LIFE_ANSWER_FD + (int)run->number, "", 1);
}

/* Starts provisiond, which recovers; carries the orders out, if asked; and lets the sessions end, with a clock that is
 * put forward. */
static void life_serve(struct small_machine *machine, const struct scenario *scenario, bool order,
		       struct life_run runs[LIFE_ORDERS_MAX])
{
	struct lifecycle *lifecycle = lifecycle_new(machine->store, machine->files, &machine->homes);
	char proc[256];
	int64_t now_ms = 0;

	must(lifecycle);
	machine_path(machine, "/proc", proc);
	lifecycle_configure(lifecycle, &machine->accounts);
	lifecycle_use_root(lifecycle, machine->root, proc);
	lifecycle_recover(lifecycle);
	for (unsigned i = 0; i < scenario->count && order; i++) {
		const struct lifecycle_work work = { .decide = life_decide, .done = life_done, .context = &runs[i] };

		runs[i] = (struct life_run){ .machine = machine, .order = &scenario->orders[i], .number = i };
		lifecycle_queue(lifecycle, &work, 0);
	}
	while (now_ms >= 0 && now_ms < 65000) {
		int64_t due_ms;

		lifecycle_run(lifecycle, now_ms);
		due_ms = lifecycle_deadline_ms(lifecycle);
		if (due_ms > now_ms)
			(void)usleep(300); /* for what was signalled */
		now_ms = due_ms < 0 ? -1 : due_ms > now_ms ? due_ms : now_ms + 1;
	}
	lifecycle_free(lifecycle);
}

/* ---- what alice has running ---- */

/* Shuts its ears to SIGTERM. The machine's /proc shows it alone. */
static pid_t life_start_session(const struct small_machine *machine)
{
	char full[256], path[64], link[64];
	int ready[2];
	char byte;
	pid_t child;

	must(pipe(ready) == 0);
	child = fork();
	must(child >= 0);
	if (child == 0) {
		(void)signal(SIGTERM, SIG_IGN);
		if (setresgid(ALICES_UID, ALICES_UID, ALICES_UID) != 0 ||
		    setresuid(ALICES_UID, ALICES_UID, ALICES_UID) != 0 || write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			(void)pause();
	}
	must(read(ready[0], &byte, 1) == 1);
	(void)close(ready[0]);
	(void)close(ready[1]);
	(void)snprintf(path, sizeof(path), "/proc/%d", (int)child);
	(void)snprintf(link, sizeof(link), "/proc/%d", (int)child);
	machine_path(machine, path, full);
	must(symlink(link, full) == 0);
	return child;
}

/* Whether it had been ended; the kernel may still be at it. It is now. */
static bool life_end_session(pid_t session)
{
	bool ended = false;

	for (int i = 0; i < 5000 && !ended; i++) {
		ended = waitpid(session, NULL, WNOHANG) == session;
		if (!ended)
			(void)usleep(1000);
	}
	if (!ended) {
		(void)kill(session, SIGKILL);
		(void)waitpid(session, NULL, 0);
	}
	return ended;
}

/* ---- what is there ---- */

static const char *const life_files[] = { "/etc/passwd",  "/etc/shadow", "/etc/group",
					  "/etc/gshadow", "/etc/subuid", "/etc/subgid" };
static const unsigned life_fields[] = { 7, 9, 4, 4, 3, 3 };

#define LIFE_FILES (sizeof(life_files) / sizeof(life_files[0]))

static char *life_read(const struct small_machine *machine, const char *path)
{
	char full[256];
	struct stat st;
	char *text;
	int fd;

	machine_path(machine, path, full);
	fd = open(full, O_RDONLY | O_CLOEXEC);
	must(fd >= 0 && fstat(fd, &st) == 0);
	text = calloc(1, (size_t)st.st_size + 1);
	must(text && read(fd, text, (size_t)st.st_size) == st.st_size);
	(void)close(fd);
	return text;
}

static bool is_one_of(const char *name, const struct scenario *scenario)
{
	for (unsigned i = 0; i < scenario->count; i++)
		if (strcmp(name, scenario->orders[i].account) == 0)
			return true;
	return false;
}

/* The line's fields, its own copy cut into pieces. */
static unsigned life_split(char *line, char *fields[16])
{
	unsigned count = 0;

	for (char *at = line; at && count < 16;) {
		fields[count++] = strsep(&at, ":");
	}
	return count;
}

static void print_members(FILE *out, const char *group, char *members, const struct scenario *scenario,
			  const char *account)
{
	for (char *member; (member = strsep(&members, ",")) != NULL;) {
		if (account ? strcmp(member, account) == 0 : *member && !is_one_of(member, scenario))
			(void)fprintf(out, account ? "in %s%.0s\n" : " %.0s%s", group, member);
	}
}

/* Prints one line of a file: for an account, what concerns it; without one, what concerns nobody of the scenario. The
 * day of the password's last change is left out: it is today's. */
static void print_line(FILE *out, size_t file, const char *line, const struct scenario *scenario, const char *account)
{
	char copy[512], *fields[16];
	unsigned count;

	must(strlen(line) < sizeof(copy));
	(void)strcpy(copy, line);
	count = life_split(copy, fields);
	must(count == life_fields[file]);
	if (account ? strcmp(fields[0], account) == 0 : !is_one_of(fields[0], scenario)) {
		(void)fprintf(out, "%s ", life_files[file]);
		for (unsigned i = 0; i < count - 1; i++)
			(void)fprintf(out, "%s:", file == 1 && i == 2 ? "DAY" : fields[i]);
		if (file != 2 && file != 3)
			(void)fprintf(out, "%s", fields[count - 1]);
		else if (!account)
			print_members(out, fields[0], fields[3], scenario, NULL);
		else
			(void)fprintf(out, "%s", fields[3]);
		(void)fprintf(out, "\n");
	} else if (account && (file == 2 || file == 3)) {
		print_members(out, fields[0], fields[3], scenario, account);
	}
}

static void print_file(FILE *out, const struct small_machine *machine, size_t file, const struct scenario *scenario,
		       const char *account)
{
	char *text = life_read(machine, life_files[file]), *rest = text, *line;

	must(*text && text[strlen(text) - 1] == '\n');
	text[strlen(text) - 1] = '\0';
	while ((line = strsep(&rest, "\n")) != NULL)
		print_line(out, file, line, scenario, account);
	free(text);
}

static void print_record(FILE *out, struct store *store, const char *account)
{
	_cleanup_record_ struct account_record record = { 0 };
	_cleanup_planned_change_ struct planned_change change = { 0 };
	_cleanup_expected_ struct expected expected = { 0 };
	char name[64] = "";
	uid_t uid = 0;
	enum store_answer found = store_account_by_name(store, account, &record);

	must(found != STORE_FAILED);
	if (found == STORE_FOUND)
		(void)fprintf(out,
			      "record %s %u:%u %s <%s> %s %s groups [%s] subid %u linked %d locked %d room [%s]%s\n",
			      account_state_name(record.state), record.uid, record.gid, record.full_name, record.email,
			      record.home, record.shell, record.groups_given, record.first_subid, record.linked,
			      record.locked, record.room, record.revived ? " revived" : "");
	if (store_change_of(store, account, &change) == STORE_FOUND)
		(void)fprintf(out, "an unfinished change: %s\n", change_kind_name(change.kind));
	if (store_expected_named(store, account, &expected) == STORE_FOUND)
		(void)fprintf(out, "expected\n");
	if (store_reserved_uid(store, account, &uid) == STORE_FOUND)
		(void)fprintf(out, "reserved %u\n", uid);
	if (store_former_uid(store, ALICES_UID, name, sizeof(name)) == STORE_FOUND && strcmp(name, account) == 0)
		(void)fprintf(out, "former\n");
}

static int by_name(const struct dirent **one, const struct dirent **other)
{
	return strcmp((*one)->d_name, (*other)->d_name);
}

/* The entries of a folder that an account's name is in; or, without one, those that nobody's of the scenario is in. */
static void print_folder(FILE *out, const struct small_machine *machine, const char *path,
			 const struct scenario *scenario, const char *account)
{
	struct dirent **entries;
	char full[256], entry[600];
	int count;

	machine_path(machine, path, full);
	count = scandir(full, &entries, NULL, by_name);
	must(count >= 0);
	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		bool ours = false;
		struct stat st;

		for (unsigned n = 0; n < scenario->count; n++)
			ours |= strstr(name, scenario->orders[n].account) != NULL;
		(void)snprintf(entry, sizeof(entry), "%s/%s", full, name);
		must(lstat(entry, &st) == 0);
		if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
		    (account ? strstr(name, account) != NULL : !ours))
			(void)fprintf(out, "%s/%s %o %u:%u %ld\n", path, name, st.st_mode, st.st_uid, st.st_gid,
				      S_ISREG(st.st_mode) ? (long)st.st_size : 0L);
		free(entries[i]);
	}
	free(entries);
}

static void print_homes(FILE *out, const struct small_machine *machine, const struct scenario *scenario,
			const char *account)
{
	static const char *const homes[] = { "/home/alice", "/home/bob", "/home/carol", "/home/locum",
					     "/home/alice.2022975774" };

	for (size_t i = 0; i < sizeof(homes) / sizeof(homes[0]); i++)
		if (strstr(homes[i], account) && machine_has(machine, homes[i])) {
			static const struct scenario nobody = { .count = 0 };

			(void)scenario;
			print_folder(out, machine, homes[i], &nobody, NULL);
		}
}

/* All that there is of one account; or, without one, all that is nobody's of the scenario. Freed by the caller. */
static char *life_dump(const struct small_machine *machine, const struct scenario *scenario, const char *account)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	must(out);
	for (size_t file = 0; file < LIFE_FILES; file++)
		print_file(out, machine, file, scenario, account);
	print_folder(out, machine, "/home", scenario, account);
	print_folder(out, machine, "/var/lib/systemd/linger", scenario, account);
	print_folder(out, machine, "/var/spool/cron/crontabs", scenario, account);
	if (account) {
		print_homes(out, machine, scenario, account);
		print_record(out, machine->store, account);
	}
	must(fclose(out) == 0);
	return text;
}

/* Beside the files are their copies from before the last change, and nothing temporary. */
static void life_assert_tidy(const struct small_machine *machine)
{
	static const char *const names[] = { "passwd", "shadow", "group", "gshadow", "subuid", "subgid" };
	char full[256];
	struct dirent **entries;
	int count;

	machine_path(machine, "/etc", full);
	count = scandir(full, &entries, NULL, by_name);
	must(count >= 0);
	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		bool known = strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, ".pwd.lock") == 0 ||
			     strcmp(name, "skel") == 0;

		for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++)
			known |= strncmp(name, names[n], strlen(names[n])) == 0 &&
				 (name[strlen(names[n])] == '\0' || strcmp(name + strlen(names[n]), "-") == 0);
		if (!known)
			(void)fprintf(stderr, "%s was left in /etc\n", name);
		must(known);
		free(entries[i]);
	}
	free(entries);
}

/* What a scenario begins with and leads to. */
struct life {
	const struct scenario *scenario;
	char *before[LIFE_ORDERS_MAX], *after[LIFE_ORDERS_MAX], *others;
};

static void life_make_machine(const struct scenario *scenario, struct small_machine *machine)
{
	machine_make(machine);
	scenario->prepare(machine);
}

static void life_begin(const struct scenario *scenario, struct life *life)
{
	struct small_machine machine;
	struct life_run runs[LIFE_ORDERS_MAX];
	pid_t session;
	char *others;

	(void)snprintf(life_where, sizeof(life_where), "%s, undisturbed", scenario->name);
	*life = (struct life){ .scenario = scenario };
	life_make_machine(scenario, &machine);
	session = scenario->runs ? life_start_session(&machine) : 0;
	for (unsigned i = 0; i < scenario->count; i++)
		life->before[i] = life_dump(&machine, scenario, scenario->orders[i].account);
	life->others = life_dump(&machine, scenario, NULL);
	life_serve(&machine, scenario, true, runs);
	for (unsigned i = 0; i < scenario->count; i++) {
		must(runs[i].answers == 1 && runs[i].done && runs[i].reason == REASON_NONE);
		life->after[i] = life_dump(&machine, scenario, scenario->orders[i].account);
		must(strcmp(life->before[i], life->after[i]) != 0);
		must(!strstr(life->after[i], "unfinished"));
	}
	others = life_dump(&machine, scenario, NULL);
	must(strcmp(others, life->others) == 0);
	free(others);
	life_assert_tidy(&machine);
	must(session == 0 || life_end_session(session));
	machine_remove(&machine);
}

static void life_end(const struct life *life)
{
	for (unsigned i = 0; i < life->scenario->count; i++) {
		free(life->before[i]);
		free(life->after[i]);
	}
	free(life->others);
}

static void life_compare(const struct life *life, const struct small_machine *machine, unsigned number, bool after)
{
	const char *account = life->scenario->orders[number].account;
	char *now = life_dump(machine, life->scenario, account);
	bool was = strcmp(now, life->before[number]) == 0, is = strcmp(now, life->after[number]) == 0;

	if (after ? !is : !was && !is)
		(void)fprintf(stderr, "%s: %s is\n%sand should be\n%s%s%s", life_where, account, now,
			      life->after[number], after ? "" : "or\n", after ? "" : life->before[number]);
	must(after ? is : was || is);
	free(now);
}

/* Starts provisiond on what is there: every account is as it was before or as it is to be, and as it is to be if that
 * was answered; the order, given again, succeeds; nobody else has changed. */
__attribute__((unused)) static void life_check(const struct life *life, struct small_machine *machine,
					       const bool answered[LIFE_ORDERS_MAX])
{
	struct life_run runs[LIFE_ORDERS_MAX];
	char *others;

	machine_open(machine);
	life_serve(machine, life->scenario, false, runs);
	life_assert_tidy(machine);
	for (unsigned i = 0; i < life->scenario->count; i++)
		life_compare(life, machine, i, answered[i]);
	life_serve(machine, life->scenario, true, runs);
	for (unsigned i = 0; i < life->scenario->count; i++) {
		must(runs[i].answers == 1 && runs[i].reason == REASON_NONE);
		life_compare(life, machine, i, true);
	}
	others = life_dump(machine, life->scenario, NULL);
	if (strcmp(others, life->others) != 0)
		(void)fprintf(stderr, "%s: the others are\n%sand were\n%s", life_where, others, life->others);
	must(strcmp(others, life->others) == 0);
	free(others);
	life_assert_tidy(machine);
}

#endif
