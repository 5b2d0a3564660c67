/*
 * Files that the daemons rely on: taken only when owner, mode, kind and size are right, and whole or not at all. The
 * parts about owners need root.
 */
#include "common/trusted_file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define MAX_BYTES 64
#define OWNER 4242 /* stands for _pam_oidc */
#define GROUP 4343
#define STRANGER 4444

static char folder[] = "/tmp/test_trusted_file.XXXXXX";
static char path[64], other[64], fault[256];

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/file", folder);
	(void)snprintf(other, sizeof(other), "%s/other", folder);
	return 0;
}

static int remove_files(void **state)
{
	(void)state;
	(void)unlink(path);
	(void)unlink(other);
	return 0;
}

static int remove_folder(void **state)
{
	(void)remove_files(state);
	return rmdir(folder);
}

static void write_file(const char *bytes, size_t length, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, length), length);
	assert_int_equal(fchmod(fd, mode), 0);
	(void)close(fd);
}

static void need_root(void)
{
	if (geteuid() == 0)
		return;
	(void)fprintf(stderr, "SKIPPED without root: owners of files cannot be tried\n");
	skip();
}

/* The text, which the caller frees, or NULL. */
static char *read_text(void)
{
	char untouched[] = "untouched", *text = untouched;

	fault[0] = '\0';
	if (trusted_file_read(path, MAX_BYTES, &text, fault, sizeof(fault)))
		return text;
	assert_ptr_equal(text, untouched);
	assert_string_not_equal(fault, "");
	return NULL;
}

static void text_refused(const char *complaint)
{
	char *text = read_text();

	if (text || !strstr(fault, complaint))
		fail_msg("expected: %s; got: %s", complaint, text ? text : fault);
}

static bool read_secret(struct secret *ret_secret)
{
	fault[0] = '\0';
	return trusted_file_read_secret(path, MAX_BYTES, OWNER, GROUP, ret_secret, fault, sizeof(fault));
}

static void secret_refused(const char *complaint)
{
	struct secret secret = { 0 };

	if (read_secret(&secret) || !strstr(fault, complaint))
		fail_msg("expected: %s; got: %s", complaint, secret.bytes ? secret.bytes : fault);
	assert_null(secret.bytes);
}

static void roots_file_is_read_whole(void **state)
{
	char *text;

	(void)state;
	need_root();
	write_file("[login]\n", 8, 0644);
	text = read_text();
	assert_non_null(text);
	assert_string_equal(text, "[login]\n");
	free(text);
	write_file("", 0, 0644);
	text = read_text();
	assert_non_null(text);
	assert_string_equal(text, "");
	free(text);
}

static void a_file_of_the_longest_size_is_read_and_one_byte_more_is_not(void **state)
{
	char bytes[MAX_BYTES + 1], *text;

	(void)state;
	need_root();
	memset(bytes, 'x', sizeof(bytes));
	write_file(bytes, MAX_BYTES, 0644);
	text = read_text();
	assert_non_null(text);
	assert_int_equal(strlen(text), MAX_BYTES);
	free(text);
	write_file(bytes, MAX_BYTES + 1, 0644);
	text_refused("too large");
	secret_refused("too large");
}

static void another_users_configuration_is_refused(void **state)
{
	(void)state;
	need_root();
	write_file("x", 1, 0644);
	assert_int_equal(chown(path, STRANGER, 0), 0);
	text_refused("must belong to root");
	assert_int_equal(chown(path, OWNER, 0), 0);
	text_refused("must belong to root");
}

static void a_configuration_that_others_can_write_is_refused(void **state)
{
	static const mode_t modes[] = { 0664, 0646, 0666, 0620, 0602 };

	(void)state;
	need_root();
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		write_file("x", 1, modes[i]);
		text_refused("must not be writable");
	}
}

static void a_link_is_not_followed(void **state)
{
	(void)state;
	write_file("x", 1, 0600);
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(symlink(other, path), 0);
	text_refused("is a symbolic link");
	secret_refused("is a symbolic link");
}

static void what_is_no_regular_file_is_refused_without_waiting(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	text_refused("is not a regular file");
	secret_refused("is not a regular file");
	(void)unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	text_refused("is not a regular file");
	assert_int_equal(rmdir(path), 0);
	assert_false(trusted_file_read_secret("/dev/zero", MAX_BYTES, OWNER, GROUP, &(struct secret){ 0 }, fault,
					      sizeof(fault)));
	assert_non_null(strstr(fault, "is not a regular file"));
}

static void a_missing_file_is_named_so(void **state)
{
	(void)state;
	text_refused("cannot be opened: No such file");
	secret_refused("cannot be opened: No such file");
}

static void a_nul_byte_is_refused(void **state)
{
	(void)state;
	need_root();
	write_file("ab\0cd", 5, 0600);
	text_refused("NUL byte");
	secret_refused("NUL byte");
	write_file("abc\0", 4, 0600);
	secret_refused("NUL byte");
}

static void a_secret_loses_its_line_ends_alone(void **state)
{
	struct secret secret = { 0 };

	(void)state;
	need_root();
	write_file(" a\nb \r\n\n", 8, 0600);
	assert_true(read_secret(&secret));
	assert_string_equal(secret.bytes, " a\nb ");
	assert_int_equal(secret.length, 5);
	secret_wipe(&secret);
}

static void an_empty_secret_is_refused(void **state)
{
	(void)state;
	need_root();
	write_file("", 0, 0600);
	secret_refused("is empty");
	write_file("\r\n\n", 3, 0600);
	secret_refused("is empty");
}

/* Whether a secret of this owner, group and mode is taken. */
static bool secret_taken(uid_t uid, gid_t gid, mode_t mode)
{
	struct secret secret = { 0 };
	bool taken;

	write_file("x", 1, 0600);
	assert_int_equal(chown(path, uid, gid), 0);
	assert_int_equal(chmod(path, mode), 0);
	taken = read_secret(&secret);
	secret_wipe(&secret);
	return taken;
}

static void a_secret_belongs_to_root_or_the_daemon(void **state)
{
	(void)state;
	need_root();
	assert_true(secret_taken(0, 0, 0600));
	assert_true(secret_taken(OWNER, GROUP, 0600));
	assert_true(secret_taken(OWNER, STRANGER, 0400));
	assert_false(secret_taken(STRANGER, GROUP, 0600));
	assert_non_null(strstr(fault, "must belong to root or _pam_oidc"));
}

static void a_secret_is_open_to_the_daemons_group_at_most(void **state)
{
	(void)state;
	need_root();
	assert_true(secret_taken(0, GROUP, 0640));
	assert_true(secret_taken(0, 0, 0640));
	assert_false(secret_taken(0, STRANGER, 0640));
	assert_non_null(strstr(fault, "readable by no group but"));
	assert_true(secret_taken(0, STRANGER, 0600));
}

static void a_secret_that_others_can_reach_is_refused(void **state)
{
	static const mode_t modes[] = { 0604, 0602, 0601, 0644, 0660, 0620, 0610, 0666, 0777 };

	(void)state;
	need_root();
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		assert_false(secret_taken(0, GROUP, modes[i]));
		assert_non_null(strstr(fault, "must not be open to others"));
	}
}

static void the_daemon_itself_can_read_a_secret_of_its_own(void **state)
{
	struct secret secret = { 0 };
	bool taken;

	(void)state;
	need_root();
	write_file("s3cret\n", 7, 0600);
	assert_int_equal(chown(path, OWNER, GROUP), 0);
	assert_int_equal(chmod(folder, 0711), 0);
	assert_int_equal(seteuid(STRANGER), 0);
	taken = read_secret(&secret);
	assert_int_equal(seteuid(0), 0);
	assert_false(taken);
	assert_non_null(strstr(fault, "cannot be opened: Permission denied"));
	assert_int_equal(seteuid(OWNER), 0);
	taken = read_secret(&secret);
	assert_int_equal(seteuid(0), 0);
	assert_true(taken);
	assert_string_equal(secret.bytes, "s3cret");
	secret_wipe(&secret);
}

#define TEST(name) cmocka_unit_test_teardown(name, remove_files)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(roots_file_is_read_whole),
		TEST(a_file_of_the_longest_size_is_read_and_one_byte_more_is_not),
		TEST(another_users_configuration_is_refused),
		TEST(a_configuration_that_others_can_write_is_refused),
		TEST(a_link_is_not_followed),
		TEST(what_is_no_regular_file_is_refused_without_waiting),
		TEST(a_missing_file_is_named_so),
		TEST(a_nul_byte_is_refused),
		TEST(a_secret_loses_its_line_ends_alone),
		TEST(an_empty_secret_is_refused),
		TEST(a_secret_belongs_to_root_or_the_daemon),
		TEST(a_secret_is_open_to_the_daemons_group_at_most),
		TEST(a_secret_that_others_can_reach_is_refused),
		TEST(the_daemon_itself_can_read_a_secret_of_its_own),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
