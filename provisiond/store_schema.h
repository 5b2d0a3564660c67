/*
 * The tables of the database, and how those of an earlier version become them. Only the store's files see SQLite.
 */
#ifndef PROVISIOND_STORE_SCHEMA_H
#define PROVISIOND_STORE_SCHEMA_H

#include <sqlite3.h>
#include <stdbool.h>

/* Makes the tables in an empty database, and brings those of an earlier version up to date: one transaction, so that a
 * crash leaves the database as it was. SQLITE_OK and *ret_foreign says whether the database is another program's or a
 * newer version's (and was left alone), or SQLite's error. */
int store_adopt_schema(sqlite3 *database, bool *ret_foreign);

#endif
