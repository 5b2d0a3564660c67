/*
 * The names of sysusers.d, read from a directory of the test's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "provisiond/system_names.h"
#include "tests/unit/scratch.h"

struct fixture {
	struct scratch scratch;
	char directories[2][96];
	const char *list[3];
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	scratch_must(fixture);
	scratch_make(&fixture->scratch);
	scratch_mkdir(&fixture->scratch, "lib", 0755);
	(void)snprintf(fixture->directories[0], sizeof(fixture->directories[0]), "%s/lib", fixture->scratch.path);
	(void)snprintf(fixture->directories[1], sizeof(fixture->directories[1]), "%s/etc", fixture->scratch.path);
	fixture->list[0] = fixture->directories[0];
	fixture->list[1] = fixture->directories[1]; /* missing, unless a test makes it */
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	scratch_remove(&fixture->scratch);
	free(fixture);
	return 0;
}

static struct system_names *load(struct fixture *fixture)
{
	struct system_names *names = NULL;

	assert_int_equal(system_names_load(fixture->list, &names), 0);
	return names;
}

static void each_kind_of_line_gives_its_names(void **state)
{
	struct fixture *fixture = *state;
	const char *const found[] = { "httpd", "locked", "input", "authd", "wheel", "www", "quoted", "tabbed", "last" };
	struct system_names *names;

	scratch_write(&fixture->scratch, "lib/a.conf",
		      "# u commented - x\n"
		      "u httpd 404 \"HTTP User\"\n"
		      "u! locked - -\n"
		      "g input - -\n"
		      "m authd wheel\n"
		      "u httpd 404:www - /var/www\n"
		      "  u\t\"quoted\" -\n"
		      "g\ttabbed\t-\r\n"
		      "r - 500-900\n"
		      "\n"
		      "g last",
		      0644);
	names = load(fixture);
	for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++)
		assert_true(system_names_contains(names, found[i]));
	assert_int_equal(system_names_count(names), sizeof(found) / sizeof(found[0]));
	assert_false(system_names_contains(names, "commented"));
	assert_false(system_names_contains(names, "http"));
	assert_false(system_names_contains(names, "404"));
	assert_false(system_names_contains(names, "-"));
	system_names_free(names);
}

static void lines_that_say_nothing_to_us_are_skipped(void **state)
{
	struct fixture *fixture = *state;
	struct system_names *names;
	char text[2000];
	size_t length = (size_t)snprintf(text, sizeof(text),
					 "u\nx name -\nu%% name2 -\nu %%b-user -\nu a:b -\ng \"\" -\n\"\" name3 -\n"
					 "u \"open -\nu \xff\xfe -\nm only\nu ok -\ng ");

	memset(text + length, 'n', 1000);
	text[length + 1000] = '\0';
	scratch_write(&fixture->scratch, "lib/a.conf", text, 0644);
	names = load(fixture);
	assert_true(system_names_contains(names, "ok"));
	assert_true(system_names_contains(names, "only"));
	assert_int_equal(system_names_count(names), 2);
	system_names_free(names);
}

static void all_directories_count_and_only_conf_files(void **state)
{
	struct fixture *fixture = *state;
	struct system_names *names;

	scratch_mkdir(&fixture->scratch, "etc", 0755);
	scratch_write(&fixture->scratch, "lib/a.conf", "u one -\nu one -\n", 0644);
	scratch_write(&fixture->scratch, "lib/a.conf.dpkg-old", "u backup -\n", 0644);
	scratch_write(&fixture->scratch, "lib/.hidden.conf", "u hidden -\n", 0644);
	scratch_write(&fixture->scratch, "etc/b.conf", "u two -\n", 0644);
	scratch_must(symlinkat("/dev/null", fixture->scratch.fd, "etc/a.conf") ==
		     0); /* masks, but takes no name away */
	scratch_must(symlinkat("nowhere", fixture->scratch.fd, "etc/c.conf") == 0);
	names = load(fixture);
	assert_int_equal(system_names_count(names), 2);
	assert_true(system_names_contains(names, "one"));
	assert_true(system_names_contains(names, "two"));
	system_names_free(names);
}

static void no_directories_mean_no_names(void **state)
{
	struct fixture *fixture = *state;
	struct system_names *names;

	fixture->list[0] = fixture->directories[1];
	fixture->list[1] = NULL;
	names = load(fixture);
	assert_int_equal(system_names_count(names), 0);
	assert_false(system_names_contains(names, "root"));
	system_names_free(names);
	system_names_free(NULL);
}

static void a_file_that_is_too_large_is_an_error(void **state)
{
	struct fixture *fixture = *state;
	struct system_names *names = NULL;
	int fd = openat(fixture->scratch.fd, "lib/a.conf", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	scratch_must(ftruncate(fd, 2 << 20) == 0);
	(void)close(fd);
	assert_int_equal(system_names_load(fixture->list, &names), -EFBIG);
	assert_null(names);
}

static void this_machines_own_names_load(void **state)
{
	struct system_names *names = NULL;

	(void)state;
	assert_int_equal(system_names_load(NULL, &names), 0);
	system_names_free(names);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(each_kind_of_line_gives_its_names),         CASE(lines_that_say_nothing_to_us_are_skipped),
		CASE(all_directories_count_and_only_conf_files), CASE(no_directories_mean_no_names),
		CASE(a_file_that_is_too_large_is_an_error),      CASE(this_machines_own_names_load),
	};

	return cmocka_run_group_tests_name("system_names", tests, NULL, NULL);
}
