/*
 * Tells tests/documents/check what the program knows: keys of the configuration, arguments of the PAM module, paths.
 * One fact a line, fields separated by tabs.
 *
 *   facts keys                   section, key, default, required or not, least, most, words, what is expected
 *   facts sections               as they are called in documents
 *   facts defaults               of the module's arguments: application, wait, timeout, qr
 *   facts arguments ARGUMENT...  nothing, or what is expected instead of the first that is wrong
 *   facts configuration          nothing, or the faults of the configuration on standard input
 *   facts paths                  of the sockets and the configuration
 *   facts reasons                for refusing
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/config.h"
#include "common/config_keys.h"
#include "common/reason.h"
#include "common/wire.h"
#include "pam_oidc/module/arguments.h"

#define TEXT_MAX ((size_t)256 * 1024)
#define ARGUMENTS_MAX 16

static void tell_keys(void)
{
	for (size_t i = 0; i < config_key_count; i++) {
		const struct config_key *key = &config_keys[i];

		(void)printf("%s\t%s\t%s\t%s\t%lld\t%lld\t", config_section_title(key->section), key->name,
			     key->fallback ? key->fallback : "", key->required ? "required" : "", key->min, key->max);
		for (const char *const *word = key->words; word && *word; word++)
			(void)printf("%s%s", word == key->words ? "" : " ", *word);
		(void)printf("\t%s\n", key->expected);
	}
}

static void tell_sections(void)
{
	for (int section = SECTION_LOGIN; section <= SECTION_TENANT; section++)
		(void)puts(config_section_title((enum config_section)section));
}

static void tell_defaults(void)
{
	static const char *const applications[] = {
		[APPLICATION_SSHD] = "sshd",
		[APPLICATION_LOGIN] = "login",
		[APPLICATION_SUDO] = "sudo",
		[APPLICATION_OTHER] = "anything else",
	};
	static const char *const waits[] = {
		[WAIT_ENTER] = "enter",
		[WAIT_INFO] = "info",
		[WAIT_RETRY] = "retry",
	};

	for (size_t i = 0; i < sizeof(applications) / sizeof(applications[0]); i++) {
		const char *wrong, *expected;
		struct arguments arguments;

		if (arguments_parse(0, NULL, (enum application_kind)i, &arguments, &wrong, &expected))
			(void)printf("%s\t%s\t%u\t%s\n", applications[i], waits[arguments.wait], arguments.timeout_s,
				     arguments.qr);
	}
}

static void tell_arguments(int argc, char **argv)
{
	const char *wrong, *expected, *words[ARGUMENTS_MAX];
	struct arguments arguments;
	int count = argc < ARGUMENTS_MAX ? argc : ARGUMENTS_MAX;

	for (int i = 0; i < count; i++)
		words[i] = argv[i];
	if (!arguments_parse(count, words, APPLICATION_SSHD, &arguments, &wrong, &expected))
		(void)puts(expected);
}

static void tell_fault(void *context, const char *path, unsigned line, const char *message)
{
	(void)context;
	(void)printf("%s:%u: %s\n", path, line, message);
}

static void tell_configuration(void)
{
	_cleanup_free_ char *text = calloc(1, TEXT_MAX);
	struct config *config = NULL;

	if (!text || fread(text, 1, TEXT_MAX - 1, stdin) == 0)
		(void)puts("it could not be read");
	else if (config_parse("standard input", text, tell_fault, NULL, &config))
		config_free(config);
}

static void tell_paths(void)
{
	(void)puts(PAM_OIDC_CONF "\n" PAM_OIDC_SOCKET "\n" PROVISIOND_SOCKET);
}

static void tell_reasons(void)
{
	for (int reason = REASON_NONE + 1; reason < REASON_COUNT; reason++)
		(void)puts(reason_name((enum reason)reason));
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "keys") == 0)
		tell_keys();
	else if (strcmp(what, "sections") == 0)
		tell_sections();
	else if (strcmp(what, "defaults") == 0)
		tell_defaults();
	else if (strcmp(what, "arguments") == 0)
		tell_arguments(argc - 2, argv + 2);
	else if (strcmp(what, "configuration") == 0)
		tell_configuration();
	else if (strcmp(what, "paths") == 0)
		tell_paths();
	else if (strcmp(what, "reasons") == 0)
		tell_reasons();
	else
		return 2;
	return 0;
}
