/*
 * The making of Alice's account on a small machine, and what must be true afterwards whatever went wrong: the account
 * is there as a whole, or nothing of it is.
 */
#ifndef TESTS_UNIT_ALICES_ACCOUNT_H
#define TESTS_UNIT_ALICES_ACCOUNT_H

#include <dirent.h>
#include <stdint.h>
#include <string.h>

#include "common/log.h"
#include "provisiond/lifecycle.h"
#include "small_machine.h"

#define ALICE_UID 2022975774U

static const char *const account_file_paths[] = { "/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow" };

static inline void say_nothing(int priority, const char *line)
{
	(void)priority;
	(void)line;
}

struct order {
	struct small_machine *machine;
	unsigned answers;
	bool made;
	enum reason reason;
};

static inline enum lifecycle_decision decide(void *context, struct lifecycle_order *ret_order)
{
	struct order *order = context;
	struct account_record there = { 0 };
	enum store_answer found = store_account_by_name(order->machine->store, "alice", &there);

	account_record_clear(&there);
	if (found != STORE_NONE)
		return LIFECYCLE_NOTHING;
	ret_order->record = (struct account_record){
		.state = ACCOUNT_ACTIVE,
		.name = "alice",
		.uid = ALICE_UID,
		.gid = ALICE_UID,
		.tenant = "clinic",
		.issuer = "https://clinic.example",
		.subject = "00ualice",
		.email = "alice@clinic.example",
		.full_name = "Alice Example",
		.home = "/home/alice",
		.shell = "/bin/bash",
		.created_at = 1700000000,
		.last_signin_at = 1700000000,
	};
	return LIFECYCLE_CREATE;
}

static inline void done(void *context, enum reason reason, bool created)
{
	struct order *order = context;

	order->answers++;
	order->made = created;
	order->reason = reason;
}

/* One start of provisiond: recovery, then Alice's account. */
static inline struct order serve(struct small_machine *machine, bool create)
{
	struct order order = { .machine = machine };
	const struct lifecycle_work work = { .decide = decide, .done = done, .context = &order };
	struct lifecycle *lifecycle = lifecycle_new(machine->store, machine->files, &machine->homes);

	lifecycle_configure(lifecycle, &machine->accounts);
	lifecycle_recover(lifecycle);
	if (create)
		lifecycle_queue(lifecycle, &work, 0);
	lifecycle_run(lifecycle, 0);
	lifecycle_free(lifecycle);
	return order;
}

static inline unsigned count_entries(const struct small_machine *machine, const char *path)
{
	char full[256];
	unsigned count = 0;
	DIR *folder;

	machine_path(machine, path, full);
	folder = opendir(full);
	assert_non_null(folder);
	while (readdir(folder))
		count++;
	(void)closedir(folder);
	return count - 2;
}

/* In /etc are the files, the copies before the last change that other tools keep too, and nothing else. */
static inline void assert_nothing_temporary(const struct small_machine *machine)
{
	static const char *const names[] = { ".",     "..",      ".pwd.lock", "skel",    "passwd", "shadow",
					     "group", "gshadow", "passwd-",   "shadow-", "group-", "gshadow-" };
	const struct dirent *entry;
	char full[256];
	DIR *folder;

	machine_path(machine, "/etc", full);
	folder = opendir(full);
	assert_non_null(folder);
	while ((entry = readdir(folder)) != NULL) {
		bool known = false;

		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			known |= strcmp(entry->d_name, names[i]) == 0;
		if (!known)
			fail_msg("%s was left in /etc", entry->d_name);
	}
	(void)closedir(folder);
}

/* Whole or not there; nothing in between, and nothing beside. Returns whether it is there. */
static inline bool assert_whole_or_none(const struct small_machine *machine)
{
	struct account_record record = { 0 };
	bool there = store_account_by_name(machine->store, "alice", &record) == STORE_FOUND;

	if (there)
		assert_int_equal(record.state, ACCOUNT_ACTIVE);
	account_record_clear(&record);
	for (size_t i = 0; i < sizeof(account_file_paths) / sizeof(account_file_paths[0]); i++)
		assert_int_equal(machine_has_row(machine, account_file_paths[i], "alice"), there);
	assert_int_equal(machine_has(machine, "/home/alice"), there);
	assert_int_equal(machine_has(machine, "/home/alice/.profile"), there);
	assert_int_equal(count_entries(machine, "/home"), there);
	assert_nothing_temporary(machine);
	assert_true(machine_has_row(machine, "/etc/passwd", "root"));
	assert_true(machine_has_row(machine, "/etc/shadow", "local"));
	return there;
}

#endif
