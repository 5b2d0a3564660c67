/*
 * Makes, changes and removes accounts: the one place that knows in which order the record, the account files, the home
 * and what runs in an account's name come to be and go, and how a creation is taken back when a later step fails. Also
 * ends, at the next start, what a crash had cut: a creation is finished or undone, a change is finished.
 *
 * All work waits in one queue for the system's lock on the account files, which is asked for again and again and never
 * waited for. What has come together by then is done together: one transaction in the database, one in the files.
 */
#ifndef PROVISIOND_LIFECYCLE_H
#define PROVISIOND_LIFECYCLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "common/reason.h"
#include "provisiond/account_record.h"
#include "provisiond/home.h"
#include "provisiond/passwd.h"
#include "provisiond/planned_change.h"
#include "provisiond/store.h"

#define LIFECYCLE_LOCK_PATIENCE_MS 15000
#define LIFECYCLE_GATHER_MS 20

struct lifecycle;

enum lifecycle_decision {
	LIFECYCLE_CREATE, /* make the account of order->record */
	LIFECYCLE_CHANGE, /* carry out order->change */
	LIFECYCLE_LATER,  /* its account is just being made or changed by another piece of work: ask again after that */
	LIFECYCLE_NOTHING, /* there is nothing to do (any more) */
};

/* What decide() orders. Its strings must live until done(). */
struct lifecycle_order {
	/* With LIFECYCLE_CREATE; its state says what the account is afterwards: ACCOUNT_ACTIVE, or ACCOUNT_INCOMPLETE
	 * while a first-login question is open (its rows are closed then). `revived` brings a removed account back. */
	struct account_record record;
	const char *const *groups; /* with LIFECYCLE_CREATE: local groups that it becomes a member of */
	size_t group_count;
	struct planned_change change; /* with LIFECYCLE_CHANGE; change.record.name names the account */
};

struct lifecycle_work {
	/* Called when the files are locked and nothing can change any more. */
	enum lifecycle_decision (*decide)(void *context, struct lifecycle_order *ret_order);
	/* Called once. REASON_NONE: done, or, with `done` false, nothing was to be done. Otherwise nothing is left of
	 * what was begun, or of a change recovery finishes it; the cause was logged. Sessions may still be ending. */
	void (*done)(void *context, enum reason reason, bool done);
	bool tells; /* done() tells the event (events.h); without it, it is told here, once the record says that it is
		       done */
	void *context;
};

/* Borrows all. NULL without memory. */
struct lifecycle *lifecycle_new(struct store *store, struct account_files *files, const struct home_place *homes);
/* Tells all work that waits that nothing came of it (REASON_SERVICE_DOWN). Takes NULL. */
void lifecycle_free(struct lifecycle *lifecycle);
/* Skeleton, mode and so on; borrowed until the next call. */
void lifecycle_configure(struct lifecycle *lifecycle, const struct accounts_config *accounts);

/* Where the system keeps what is no account file and no home, and what runs: "/" and "/proc", unless the homes are not
 * the system's (then nothing there is touched). Borrowed. */
void lifecycle_use_root(struct lifecycle *lifecycle, const char *root, const char *proc);
/* Queues what the configuration changes of linked accounts (`password`), for the start and for a reload; it waits for
 * the lock for as long as it takes. The configuration is borrowed until the next call. */
void lifecycle_apply_policies(struct lifecycle *lifecycle, const struct config *config);

/* Has what a crash left behind finished or undone before any other work. For the start; it is tried again every minute
 * until it is done. */
void lifecycle_recover(struct lifecycle *lifecycle);
/* Whether work that waits for the lock would wait now: another program holds it. Asks the kernel, takes nothing. */
bool lifecycle_lock_is_foreign(const struct lifecycle *lifecycle);
/* For op=status. */
struct lifecycle_state {
	size_t waiting; /* pieces of work in the queue */
	bool recovery_due;
};

struct lifecycle_state lifecycle_state(const struct lifecycle *lifecycle);

/* More (+1) or less (-1) work is about to be queued: what is in the queue waits for it, LIFECYCLE_GATHER_MS at most, so
 * that all of it is carried out together. */
void lifecycle_expect(struct lifecycle *lifecycle, int change);
/* Queues work. done() may be called before this returns (without memory). */
void lifecycle_queue(struct lifecycle *lifecycle, const struct lifecycle_work *work, int64_t now_ms);

/* For the loop: when to run (wire_now_ms(); -1: no need), and running. The context is the lifecycle. */
int64_t lifecycle_deadline_ms(void *lifecycle);
void lifecycle_run(void *lifecycle, int64_t now_ms);

#endif
