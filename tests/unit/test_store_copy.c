/*
 * A copy of the database: whole while a daemon has the original open, apart from it, and without a trace.
 */
#include "provisiond/store_copy.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "store_place.h"

/* What is in the place besides the database's own files. */
static size_t strangers(const struct place *place)
{
	DIR *folder = opendir(place->folder);
	size_t found = 0;

	assert_non_null(folder);
	for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
		found += entry->d_name[0] != '.' && strncmp(entry->d_name, "accounts.db", strlen("accounts.db")) != 0;
	(void)closedir(folder);
	return found;
}

static struct store *copy_of(const struct place *place)
{
	char fault[512] = "";
	struct store *copy = store_open_copy(place->path, place->folder, fault, sizeof(fault));

	if (!copy)
		print_error("%s\n", fault);
	assert_int_equal(strangers(place), 0);
	return copy;
}

static void it_has_what_the_daemon_wrote_last(void **state)
{
	struct place *place = *state;
	struct account_record one = alice(), other = bob();
	struct store *copy;

	/* In the log still: nothing has moved it into the database. */
	add(place->store, &one);
	add(place->store, &other);
	copy = copy_of(place);
	assert_non_null(copy);
	assert_on_record(copy, &one);
	assert_on_record(copy, &other);
	store_close(copy);
}

static void it_and_the_original_do_not_know_of_each_other(void **state)
{
	struct place *place = *state;
	struct account_record one = alice(), other = bob();
	struct store *copy;

	add(place->store, &one);
	copy = copy_of(place);
	assert_non_null(copy);
	add(copy, &other);
	assert_not_on_record(place->store, "bob");
	add(place->store, &other);
	store_close(copy);
	assert_on_record(place->store, &one);
	assert_on_record(place->store, &other);
	close_place(place);
	open_place(place);
	assert_on_record(place->store, &other);
}

static void one_of_a_database_that_is_closed_is_the_same(void **state)
{
	struct place *place = *state;
	struct account_record one = alice();
	char *before, *after;
	struct store *copy;

	add(place->store, &one);
	close_place(place);
	before = dump(place);
	copy = copy_of(place);
	assert_non_null(copy);
	assert_on_record(copy, &one);
	store_close(copy);
	after = dump(place);
	assert_string_equal(before, after);
	free(before);
	free(after);
}

static void one_of_no_database_is_empty_and_makes_none(void **state)
{
	struct place *place = *state;
	struct store *copy = copy_of(place);

	assert_non_null(copy);
	assert_not_on_record(copy, "alice");
	store_close(copy);
	assert_int_equal(access(place->path, F_OK), -1);
}

static void what_is_no_database_is_not_copied(void **state)
{
	struct place *place = *state;
	char fault[512] = "";
	static const char text[100] = "not a database, and longer than a header of one";
	int fd = open(place->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, text, sizeof(text)), sizeof(text));
	(void)close(fd);
	assert_null(store_open_copy(place->path, place->folder, fault, sizeof(fault)));
	assert_string_not_equal(fault, "");
	assert_int_equal(strangers(place), 0);
	(void)unlink(place->path);
	assert_int_equal(symlink("/etc/passwd", place->path), 0);
	assert_null(store_open_copy(place->path, place->folder, fault, sizeof(fault)));
	assert_int_equal(strangers(place), 0);
}

static void without_a_place_there_is_none(void **state)
{
	struct place *place = *state;
	char fault[512] = "";

	assert_null(store_open_copy(place->path, "/nonexistent", fault, sizeof(fault)));
	assert_non_null(strstr(fault, "/nonexistent"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_has_what_the_daemon_wrote_last, make, unmake),
		cmocka_unit_test_setup_teardown(it_and_the_original_do_not_know_of_each_other, make, unmake),
		cmocka_unit_test_setup_teardown(one_of_a_database_that_is_closed_is_the_same, make, unmake),
		cmocka_unit_test_setup_teardown(one_of_no_database_is_empty_and_makes_none, make_folder, unmake),
		cmocka_unit_test_setup_teardown(what_is_no_database_is_not_copied, make_folder, unmake),
		cmocka_unit_test_setup_teardown(without_a_place_there_is_none, make_folder, unmake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
