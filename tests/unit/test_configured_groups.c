/*
 * Groups that the configuration names: one that is missing, or that is another name of a system group, is told with
 * file, tenant, key and name.
 */
#include "provisiond/configured_groups.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "small_machine.h"
#include "two_tenants.h"

static char said[4096];

static void note(int priority, const char *line)
{
	size_t used = strlen(said);

	assert_int_equal(priority, LOG_ERR);
	(void)snprintf(said + used, sizeof(said) - used, "%s\n", line);
}

static bool judged(struct small_machine *machine, const char *rules, const char *etc_group)
{
	char text[1024];
	struct config *config;
	bool right;

	(void)snprintf(text, sizeof(text), CLINIC "%s", rules);
	config = config_of(text);
	machine_write(machine, "/etc/group", 0644, etc_group);
	said[0] = '\0';
	right = configured_groups_are_there(config, machine->files);
	config_free(config);
	return right;
}

#define GROUPS "root:x:0:\nadm:x:4:\nsudo:x:27:\nradiology:x:2000:\n"
#define RULES "local_groups = radiology\ngroup_map = Clinic IT:sudo, Ops:root\n"

static int set_up(void **state)
{
	static struct small_machine machine;

	log_divert(note);
	machine_make(&machine);
	*state = &machine;
	return 0;
}

static int tear_down(void **state)
{
	machine_remove(*state);
	return 0;
}

static void groups_that_are_there_are_right(void **state)
{
	assert_true(judged(*state, "", GROUPS));
	assert_true(judged(*state, RULES, GROUPS));
	assert_string_equal(said, "");
}

static void a_missing_group_is_told_with_all_that_is_needed(void **state)
{
	assert_false(judged(*state, RULES, "root:x:0:\nsudo:x:27:\nradiology2:x:2000:\n"));
	assert_string_equal(said,
			    "test: `local_groups` in [tenant clinic] names the group radiology, which /etc/group does "
			    "not have; make it (groupadd radiology), or take it out of the line\n");
	assert_false(judged(*state, RULES, "root:x:0:\nradiology:x:2000:\n"));
	assert_non_null(
		strstr(said, "test: `group_map` in [tenant clinic] names the group sudo, which /etc/group does not"));
}

static void another_name_of_a_system_group_is_not_taken(void **state)
{
	static const char *const aliases[] = {
		"root:x:0:\nradiology:x:0:\nsudo:x:27:\n",
		"radiology:x:0:\nroot:x:0:\nsudo:x:27:\n",
		"root:x:0:\ndisk:x:6:\nradiology:x:6:\nsudo:x:27:\n",
	};

	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
		assert_false(judged(*state, RULES, aliases[i]));
		assert_non_null(strstr(said,
				       "`local_groups` in [tenant clinic] names the group radiology, which has the "
				       "gid of a system group of another name"));
	}
	/* Two names of a group that is no system's give nobody more than it says. */
	assert_true(judged(*state, RULES, GROUPS "xray:x:2000:\n"));
	assert_true(judged(*state, RULES, "xray:x:2000:\n" GROUPS));
}

static void a_file_that_cannot_be_read_is_no_missing_group(void **state)
{
	char path[256];

	machine_path(*state, "/etc/group", path);
	assert_int_equal(unlink(path), 0);
	machine_write(*state, "/etc/group.real", 0644, GROUPS);
	assert_int_equal(symlink("group.real", path), 0);
	said[0] = '\0';
	{
		struct config *config = config_of(CLINIC RULES);

		assert_false(configured_groups_are_there(config, ((struct small_machine *)*state)->files));
		config_free(config);
	}
	assert_non_null(strstr(said, "/etc/group"));
	assert_null(strstr(said, "groupadd"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(groups_that_are_there_are_right, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_missing_group_is_told_with_all_that_is_needed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(another_name_of_a_system_group_is_not_taken, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_file_that_cannot_be_read_is_no_missing_group, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
