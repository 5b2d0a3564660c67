/*
 * Reads a client secret or a private key that the administrator hands over, in a file or on standard input.
 */
#ifndef PROVISIOND_CTL_SETUP_SECRET_SOURCE_H
#define PROVISIOND_CTL_SETUP_SECRET_SOURCE_H

#include "provisiond/ctl/setup/company.h"

/* Reads it from the path ("-": standard input), without line ends behind it. False with a sentence that shows nothing
 * of it. *ret_exposed says that others can read the file. */
bool secret_source_read(const char *path, struct secret *ret_secret, bool *ret_exposed,
			char ret_fault[static COMPANY_FAULT_MAX]);

#endif
