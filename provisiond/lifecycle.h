/*
 * Makes accounts: the one place that knows in which order the record, the account files and the home come to be, and
 * how each is taken back when a later one fails. Also ends, at the next start, what a crash had cut.
 *
 * All work waits in one queue for the system's lock on the account files, which is asked for again and again and never
 * waited for. What has come together by then is done together: one transaction in the database, one in the files.
 */
#ifndef PROVISIOND_LIFECYCLE_H
#define PROVISIOND_LIFECYCLE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/config.h"
#include "common/reason.h"
#include "provisiond/account_record.h"
#include "provisiond/home.h"
#include "provisiond/passwd.h"
#include "provisiond/store.h"

#define LIFECYCLE_LOCK_PATIENCE_MS 15000

struct lifecycle;

enum lifecycle_decision {
	LIFECYCLE_CREATE,  /* make the account of *ret_record */
	LIFECYCLE_LATER,   /* its account is just being made by another piece of work: ask again after that */
	LIFECYCLE_NOTHING, /* there is nothing to make (any more) */
};

struct lifecycle_work {
	/* Called when the files are locked and nothing can change any more. Fills the record, whose strings must live
	 * until done(); its state does not matter. */
	enum lifecycle_decision (*decide)(void *context, struct account_record *ret_record);
	/* Called once. REASON_NONE: made, or, with created false, nothing was to be made. Otherwise nothing is left of
	 * what was begun, and the cause was logged. */
	void (*done)(void *context, enum reason reason, bool created);
	void *context;
};

/* Borrows all. NULL without memory. */
struct lifecycle *lifecycle_new(struct store *store, struct account_files *files, const struct home_place *homes);
/* Tells all work that waits that nothing came of it (REASON_SERVICE_DOWN). Takes NULL. */
void lifecycle_free(struct lifecycle *lifecycle);
/* Skeleton, mode and so on; borrowed until the next call. */
void lifecycle_configure(struct lifecycle *lifecycle, const struct accounts_config *accounts);

/* Has what a crash left behind finished or undone before any other work. For the start; it is tried again every minute
 * until it is done. */
void lifecycle_recover(struct lifecycle *lifecycle);
/* Queues work. done() may be called before this returns (without memory). */
void lifecycle_queue(struct lifecycle *lifecycle, const struct lifecycle_work *work, int64_t now_ms);

/* For the loop: when to run (wire_now_ms(); -1: no need), and running. The context is the lifecycle. */
int64_t lifecycle_deadline_ms(void *lifecycle);
void lifecycle_run(void *lifecycle, int64_t now_ms);

#endif
