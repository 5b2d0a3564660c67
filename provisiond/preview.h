/*
 * `provisiond --preview`: which account somebody would get who signed in now, told without changing anything and
 * without a daemon. For administrators who are setting it up.
 */
#ifndef PROVISIOND_PREVIEW_H
#define PROVISIOND_PREVIEW_H

struct preview_places {
	const char *config_path;
	const char *database;  /* may be missing, or in use */
	const char *nsswitch;  /* see sources_start() */
	const char *temporary; /* for a copy of the database, see store_open_copy() */
};

/* Reads one message from standard input (a SOCK_SEQPACKET socket, or a pipe up to its end): the fields of `op=admit`
 * that say who it is and the tenant, without a name. Writes one to standard output:
 *     status=would account= uid= home= created=0|1 room=0|1 and any number of group=
 *     status=refused reason= text= [remedy=]      remedy is for the administrator
 * Returns the exit status: EXIT_SUCCESS when it was answered either way, else EXIT_FAILURE with a line in the log. */
int preview_run(const struct preview_places *places);

#endif
