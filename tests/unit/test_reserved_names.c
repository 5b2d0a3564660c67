/*
 * The built-in list of reserved names.
 */
#include "provisiond/reserved_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void names_with_power_are_reserved(void **state)
{
	static const char *const names[] = {
		"root",     "admin", "wheel",  "sudo", "docker", "lxd",       "libvirt",
		"adm",      "disk",  "shadow", "kvm",  "video",  "audio",     "www-data",
		"nobody",   "sshd",  "daemon", "bin",  "_apt",   "zookeeper", "systemd-anything",
		"_pam_oidc"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_true(reserved_name(names[i]));
}

static void names_of_people_are_not(void **state)
{
	static const char *const names[] = {
		"alice", "bob", "carol", "admin2", "rooty", "roo", "", "systemd", "zz", "a"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_false(reserved_name(names[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_with_power_are_reserved),
		cmocka_unit_test(names_of_people_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
