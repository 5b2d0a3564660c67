/*
 * In place of the product's: files are synced one after the other, so that each fsync(2) can be made to fail, or be the
 * last call. Include it in one test program's file only.
 */
#ifndef TESTS_UNIT_UNSYNCED_H
#define TESTS_UNIT_UNSYNCED_H

#include "provisiond/sync_together.h"

bool sync_together(const int *fds, size_t count, int *ret_errors)
{
	(void)fds;
	(void)count;
	(void)ret_errors;
	return false;
}

#endif
