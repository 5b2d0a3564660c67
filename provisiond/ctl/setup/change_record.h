/*
 * The record for undo: what everything was before setup, and what it made of it, on the disk before anything is
 * changed.
 *
 * /var/lib/provisiond/setup/ (mode 0700) holds one folder for each set, numbered in order. In it: `record`, a text with
 * one value a line; `N.before` and `N.after`, the contents of the N-th change; and `applied`, once all of it was. A
 * folder without that one was left half-way. A folder appears, and goes, by renaming: it is never there in part.
 */
#ifndef PROVISIOND_CTL_SETUP_CHANGE_RECORD_H
#define PROVISIOND_CTL_SETUP_CHANGE_RECORD_H

#include <stdbool.h>
#include <stddef.h>

#include "provisiond/ctl/setup/change_inside.h"

/* The folder, locked against another setup until it is closed; made when `make` and it is not there. */
struct change_records {
	int directory; /* -1: there is none */
	unsigned last; /* the highest number; 0 when there are no sets */
};

bool change_records_open(bool make, struct change_records *ret_records, char *fault, size_t fault_size);
void change_records_close(const struct change_records *records);

/* Puts a set down as the next number, records->last then. On the disk when it returns true. */
bool change_record_write(struct change_records *records, const struct change_set *set, char *fault, size_t fault_size);
/* The set with that number; contents of secrets that were written are not known (`after.text` is NULL). */
bool change_record_read(const struct change_records *records, unsigned number, struct change_set **ret_set,
			bool *ret_applied, char *fault, size_t fault_size);
bool change_record_mark_applied(const struct change_records *records, char *fault, size_t fault_size);
/* The last set is forgotten: the one before becomes the last. */
bool change_record_forget(struct change_records *records, char *fault, size_t fault_size);

#endif
