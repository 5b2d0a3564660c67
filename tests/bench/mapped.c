/*
 * What a PAM module and an NSS module add to the memory map of a program that has other libraries already:
 *
 *   mapped BASE_SERVICE SERVICE NSS_SERVICES [LIBRARY...]
 *
 * The libraries are loaded first, sshd's own, and what PAM itself and the base service bring along. Prints KiB mapped,
 * and KiB of these resident.
 */
#include <dlfcn.h>
#include <nss.h>
#include <pwd.h>
#include <security/pam_appl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/stopwatch.h"

struct mapped {
	unsigned long size_kib, resident_kib;
};

/* The number in a line such as "Rss:        4 kB"; 0 when the line is another one. */
static unsigned long kib_of(const char *line, const char *key)
{
	size_t length = strlen(key);

	return strncmp(line, key, length) == 0 ? strtoul(line + length, NULL, 10) : 0;
}

/* Everything that belongs to a library's file. */
static struct mapped libraries(void)
{
	struct mapped mapped = { 0 };
	FILE *maps = fopen("/proc/self/smaps", "re");
	bool library = false;
	char line[1024];

	if (!maps)
		stopwatch_die("/proc/self/smaps cannot be read");
	while (fgets(line, sizeof(line), maps)) {
		/* A mapping begins with its addresses in lower case, each of its figures with a capital letter. */
		if (line[0] < 'A' || line[0] > 'Z')
			library = strstr(line, ".so") != NULL;
		else if (library) {
			mapped.size_kib += kib_of(line, "Size:");
			mapped.resident_kib += kib_of(line, "Rss:");
		}
	}
	(void)fclose(maps);
	return mapped;
}

static int say_nothing(int count, const struct pam_message **messages, struct pam_response **responses, void *context)
{
	(void)count;
	(void)messages;
	(void)responses;
	(void)context;
	return PAM_CONV_ERR;
}

int main(int argc, char *argv[])
{
	struct pam_conv conversation = { say_nothing, NULL };
	pam_handle_t *base = NULL, *pam = NULL;
	struct mapped before, after;

	if (argc < 4)
		stopwatch_die("BASE_SERVICE SERVICE NSS_SERVICES [LIBRARY...]");
	for (char **library = argv + 4; *library; library++)
		if (!dlopen(*library, RTLD_NOW))
			stopwatch_die("%s cannot be loaded", *library);
	if (__nss_configure_lookup("passwd", "files") != 0)
		stopwatch_die("the name service switch takes nothing");
	(void)getpwnam("nobody-of-that-name");
	if (pam_start(argv[1], "nobody-of-that-name", &conversation, &base) != PAM_SUCCESS)
		stopwatch_die("there is no service %s", argv[1]);
	before = libraries();
	if (pam_start(argv[2], "nobody-of-that-name", &conversation, &pam) != PAM_SUCCESS)
		stopwatch_die("there is no service %s", argv[2]);
	(void)__nss_configure_lookup("passwd", argv[3]);
	(void)getpwnam("nobody-of-that-name");
	after = libraries();
	(void)printf("%lu %lu\n", after.size_kib - before.size_kib, after.resident_kib - before.resident_kib);
	(void)pam_end(pam, PAM_SUCCESS);
	return pam_end(base, PAM_SUCCESS) == PAM_SUCCESS ? 0 : 1;
}
