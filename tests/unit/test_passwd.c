/*
 * The account files: every promise of provisiond/passwd.h, on copies in a directory of the test's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <grp.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>

#include "provisiond/passwd.h"
#include "tests/unit/failing_calls.h"
#include "tests/unit/scratch.h"

#define NOW 1700000000 /* day 19675 */

static const char passwd_before[] = "root:x:0:0:root:/root:/bin/bash\n"
				    "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
				    "bob:x:1000:1000:Bob,,,:/home/bob:/bin/bash\n";
static const char shadow_before[] = "root:*:19000:0:99999:7:::\n"
				    "daemon:!*:19000:0:99999:7:::\n"
				    "bob:$y$j9T$abc$def:19000:0:99999:7::20000:\n";
static const char group_before[] = "root:x:0:\n"
				   "daemon:x:1:\n"
				   "sudo:x:27:bob,carol\n"
				   "bob:x:1000:\n";
static const char gshadow_before[] = "root:*::\n"
				     "daemon:*::\n"
				     "sudo:*::bob,carol\n"
				     "bob:!::\n";

static const char passwd_row[] = "alice:x:2000200001:2000200001:Alice Ärztin:/home/alice:/bin/bash\n";
static const char shadow_row[] = "alice:*:19675::::::\n";
static const char group_row[] = "alice:x:2000200001:\n";
static const char gshadow_row[] = "alice:!::\n";

static const struct account_entry alice = { .name = "alice",
					    .uid = 2000200001,
					    .gid = 2000200001,
					    .gecos = "Alice Ärztin",
					    .home = "/home/alice",
					    .shell = "/bin/bash" };
static const struct account_identity alice_identity = { .name = "alice", .uid = 2000200001, .gid = 2000200001 };

struct fixture {
	struct scratch scratch;
	struct account_files *files;
};

static void put_files(const struct scratch *scratch)
{
	scratch_write(scratch, "etc/passwd", passwd_before, 0644);
	scratch_write(scratch, "etc/shadow", shadow_before, 0640);
	scratch_write(scratch, "etc/group", group_before, 0644);
	scratch_write(scratch, "etc/gshadow", gshadow_before, 0640);
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	scratch_must(fixture);
	scratch_make(&fixture->scratch);
	scratch_mkdir(&fixture->scratch, "etc", 0755);
	put_files(&fixture->scratch);
	assert_int_equal(account_files_open(fixture->scratch.path, geteuid(), &fixture->files), 0);
	assert_int_equal(account_files_lock(fixture->files), 0);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	memset(&calls, 0, sizeof(calls));
	account_files_close(fixture->files);
	scratch_remove(&fixture->scratch);
	free(fixture);
	return 0;
}

static enum account_files_result add(struct fixture *fixture)
{
	return account_files_add(fixture->files, &alice, 1, NOW);
}

static enum account_files_result remove_alice(struct fixture *fixture)
{
	return account_files_remove(fixture->files, &alice_identity, 1);
}

static bool is_joined(const struct scratch *scratch, const char *name, const char *before, const char *row)
{
	char text[4096];

	(void)snprintf(text, sizeof(text), "%s%s", before, row);
	return scratch_has(scratch, name, text);
}

static void assert_all_old(struct fixture *fixture)
{
	assert_true(is_joined(&fixture->scratch, "etc/passwd", passwd_before, ""));
	assert_true(is_joined(&fixture->scratch, "etc/shadow", shadow_before, ""));
	assert_true(is_joined(&fixture->scratch, "etc/group", group_before, ""));
	assert_true(is_joined(&fixture->scratch, "etc/gshadow", gshadow_before, ""));
}

static void assert_all_new(struct fixture *fixture)
{
	assert_true(is_joined(&fixture->scratch, "etc/passwd", passwd_before, passwd_row));
	assert_true(is_joined(&fixture->scratch, "etc/shadow", shadow_before, shadow_row));
	assert_true(is_joined(&fixture->scratch, "etc/group", group_before, group_row));
	assert_true(is_joined(&fixture->scratch, "etc/gshadow", gshadow_before, gshadow_row));
}

/* When the lock is given back; until then the old files wait to become backups. */
static unsigned leftovers(struct fixture *fixture)
{
	account_files_unlock(fixture->files);
	assert_int_equal(account_files_lock(fixture->files), 0);
	return scratch_count(&fixture->scratch, "etc", ".provisiond");
}

static void assert_fault(struct fixture *fixture, const char *part)
{
	if (!strstr(account_files_fault(fixture->files), part))
		fail_msg("the fault is '%s' and lacks '%s'", account_files_fault(fixture->files), part);
}

/* ---- adding ---- */

static void an_account_gets_its_four_rows(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(add(fixture), ACCOUNT_FILES_DONE);
	assert_all_new(fixture);
	assert_string_equal(account_files_fault(fixture->files), "");
	assert_int_equal(leftovers(fixture), 0);
}

static void everything_is_on_the_disk_before_anything_is_replaced(void **state)
{
	struct fixture *fixture = *state;

	memset(&calls, 0, sizeof(calls));
	assert_int_equal(add(fixture), ACCOUNT_FILES_DONE);
	assert_int_equal(calls.fsyncs_before_rename, 4);
	assert_int_equal(calls.fsyncs, 5); /* and the directory */
	assert_int_equal(add(fixture), ACCOUNT_FILES_DONE);
	assert_int_equal(calls.fsyncs, 6); /* a killed attempt may have left that to us */
}

static void several_accounts_are_added_together(void **state)
{
	struct fixture *fixture = *state;
	struct account_entry both[2] = { alice, alice };

	both[1].name = "dora";
	both[1].uid = both[1].gid = 2000200002;
	assert_int_equal(account_files_add(fixture->files, both, 2, NOW), ACCOUNT_FILES_DONE);
	assert_true(
		is_joined(&fixture->scratch, "etc/group", group_before, "alice:x:2000200001:\ndora:x:2000200002:\n"));
}

static void adding_again_changes_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct stat before, after;

	assert_int_equal(add(fixture), ACCOUNT_FILES_DONE);
	assert_int_equal(fstatat(fixture->scratch.fd, "etc/passwd", &before, 0), 0);
	assert_int_equal(account_files_add(fixture->files, &alice, 1, NOW + 86400 * 3), ACCOUNT_FILES_DONE);
	assert_int_equal(fstatat(fixture->scratch.fd, "etc/passwd", &after, 0), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_all_new(fixture);
}

static void a_clock_at_the_epoch_does_not_ask_for_a_new_password(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(account_files_add(fixture->files, &alice, 1, -5), ACCOUNT_FILES_DONE);
	assert_true(is_joined(&fixture->scratch, "etc/shadow", shadow_before, "alice:*:1::::::\n"));
}

static void owner_and_mode_stay_and_the_old_file_is_kept(void **state)
{
	struct fixture *fixture = *state;
	struct stat st;
	mode_t old_umask = umask(077);

	assert_int_equal(add(fixture), ACCOUNT_FILES_DONE);
	(void)umask(old_umask);
	assert_int_equal(fstatat(fixture->scratch.fd, "etc/shadow", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(fstatat(fixture->scratch.fd, "etc/passwd", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(leftovers(fixture), 0);
	assert_true(scratch_has(&fixture->scratch, "etc/shadow-", shadow_before));
	assert_int_equal(fstatat(fixture->scratch.fd, "etc/shadow-", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
}

static void extended_attributes_stay(void **state)
{
	struct fixture *fixture = *state;
	/* user::rw- user:65533:r-- group::r-- mask::r-- other::--- (the kernel's acl_ea format, version 2) */
	static const unsigned char acl[] = { 2, 0,   0,   0,   1,   0,   6,  0, 255, 255, 255, 255, 2,   0,  4,
					     0, 253, 255, 0,   0,   4,   0,  4, 0,   255, 255, 255, 255, 16, 0,
					     4, 0,   255, 255, 255, 255, 32, 0, 0,   0,   255, 255, 255, 255 };
	unsigned char there[sizeof(acl)];
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/etc/shadow", fixture->scratch.path);
	if (setxattr(path, "system.posix_acl_access", acl, sizeof(acl), 0) != 0)
		skip(); /* a file system without ACLs */
	assert_int_equal(add(fixture), ACCOUNT_FILES_DONE);
	assert_true(is_joined(&fixture->scratch, "etc/shadow", shadow_before, shadow_row));
	assert_int_equal(getxattr(path, "system.posix_acl_access", there, sizeof(there)), sizeof(acl));
	assert_memory_equal(there, acl, sizeof(acl));
}

static void foreign_lines_stay_byte_for_byte(void **state)
{
	struct fixture *fixture = *state;
	static const char odd[] = "# a comment: with a colon\n"
				  "\n"
				  "no colons at all\n"
				  "::::::\n"
				  "half:x:12\n"
				  "\xff\xfe:x:77:77::/:\r\n"
				  "   blanks:x:78:78::/:/bin/sh  \n"
				  "number:x:4x2:1::/:/bin/sh\n"
				  "root:x:0:0:root:/root:/bin/bash\n";

	scratch_write(&fixture->scratch, "etc/passwd", odd, 0644);
	assert_int_equal(add(fixture), ACCOUNT_FILES_DONE);
	assert_true(is_joined(&fixture->scratch, "etc/passwd", odd, passwd_row));
	assert_int_equal(remove_alice(fixture), ACCOUNT_FILES_DONE);
	assert_true(is_joined(&fixture->scratch, "etc/passwd", odd, ""));
}

static void a_last_line_without_newline_gets_one(void **state)
{
	struct fixture *fixture = *state;

	scratch_write(&fixture->scratch, "etc/passwd", "root:x:0:0:root:/root:/bin/bash", 0644);
	assert_int_equal(add(fixture), ACCOUNT_FILES_DONE);
	assert_true(is_joined(&fixture->scratch, "etc/passwd", "root:x:0:0:root:/root:/bin/bash\n", passwd_row));
}

static void an_empty_file_is_a_file(void **state)
{
	struct fixture *fixture = *state;

	scratch_write(&fixture->scratch, "etc/gshadow", "", 0640);
	assert_int_equal(add(fixture), ACCOUNT_FILES_DONE);
	assert_true(is_joined(&fixture->scratch, "etc/gshadow", "", gshadow_row));
}

static void nis_lines_stay_last(void **state)
{
	struct fixture *fixture = *state;
	char expected[1024];

	scratch_write(&fixture->scratch, "etc/passwd",
		      "root:x:0:0:root:/root:/bin/bash\n-mallory::::::\n+@admins::::::\n+::::::", 0644);
	assert_int_equal(add(fixture), ACCOUNT_FILES_DONE);
	(void)snprintf(expected, sizeof(expected),
		       "root:x:0:0:root:/root:/bin/bash\n%s-mallory::::::\n+@admins::::::\n+::::::\n", passwd_row);
	assert_true(scratch_has(&fixture->scratch, "etc/passwd", expected));
}

static void a_missing_gshadow_stays_missing(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(unlinkat(fixture->scratch.fd, "etc/gshadow", 0), 0);
	assert_int_equal(add(fixture), ACCOUNT_FILES_DONE);
	assert_int_equal(faccessat(fixture->scratch.fd, "etc/gshadow", F_OK, 0), -1);
	assert_true(is_joined(&fixture->scratch, "etc/passwd", passwd_before, passwd_row));
	assert_int_equal(remove_alice(fixture), ACCOUNT_FILES_DONE);
	assert_true(is_joined(&fixture->scratch, "etc/group", group_before, ""));
}

/* ---- what stands against an account ---- */

static const struct {
	const char *file, *row, *fault;
} taken_rows[] = {
	{ "etc/passwd", "alice:x:1500:1500::/home/alice:/bin/sh\n", "etc/passwd:4: the row of alice" },
	{ "etc/passwd", "other:x:2000200001:100::/:/bin/sh\n", "etc/passwd:4: the row of other" },
	{ "etc/passwd", "other:x:  002000200001:100::/:/bin/sh\n", "etc/passwd:4: the row of other" },
	{ "etc/passwd", "other:x:1500:2000200001::/:/bin/sh\n", "etc/passwd:4: the row of other" },
	{ "etc/passwd", ":x:2000200001:100::/:/bin/sh\n", "etc/passwd:4:" },
	{ "etc/passwd", " alice:x:1500:1500::/home/alice:/bin/sh\n", "etc/passwd:4:" },
	{ "etc/passwd", "alice\n", "etc/passwd:4: the row of alice" },
	{ "etc/passwd", "alice:x:2000200001:2000200001:Alice Other:/home/alice:/bin/bash\n", "etc/passwd:4:" },
	{ "etc/shadow", "alice:$y$hash:19000:0:99999:7:::\n", "etc/shadow:4: the row of alice" },
	{ "etc/shadow", "alice:*:19000:0:90:7:::\n", "etc/shadow:4:" },
	{ "etc/shadow", "alice:*:99999999999::::::\n", "etc/shadow:4:" },
	{ "etc/group", "alice:x:1500:\n", "etc/group:5: the row of alice" },
	{ "etc/group", "alice:x:2000200001:mallory\n", "etc/group:5:" },
	{ "etc/group", "other:x:2000200001:\n", "etc/group:5: the row of other" },
	{ "etc/group", ":x:2000200001:\n", "etc/group:5:" },
	{ "etc/gshadow", "alice:!::mallory\n", "etc/gshadow:5: the row of alice" },
};

static void a_name_or_number_that_is_taken_is_refused_with_its_line(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(taken_rows) / sizeof(taken_rows[0]); i++) {
		char text[2048], *before;

		put_files(&fixture->scratch);
		before = scratch_read(&fixture->scratch, taken_rows[i].file);
		(void)snprintf(text, sizeof(text), "%s%s", before, taken_rows[i].row);
		free(before);
		scratch_write(&fixture->scratch, taken_rows[i].file, text, 0640);
		assert_int_equal(add(fixture), ACCOUNT_FILES_TAKEN);
		assert_fault(fixture, taken_rows[i].fault);
		assert_true(scratch_has(&fixture->scratch, taken_rows[i].file, text));
		assert_int_equal(leftovers(fixture), 0);
	}
}

static void fields_that_would_break_a_row_are_refused(void **state)
{
	struct fixture *fixture = *state;
	struct account_entry bad[18];
	size_t count = 0;
	char long_gecos[600];

	memset(long_gecos, 'a', sizeof(long_gecos) - 1);
	long_gecos[sizeof(long_gecos) - 1] = '\0';
	for (size_t i = 0; i < 18; i++)
		bad[i] = alice;
	bad[count++].name = "al:ice";
	bad[count++].name = "";
	bad[count++].name = "-alice";
	bad[count++].name = "alice\nroot::0:0:::";
	bad[count++].name = NULL;
	bad[count++].uid = 0;
	bad[count++].uid = 999;
	bad[count++].gid = 0;
	bad[count++].uid = UINT32_MAX;
	bad[count++].uid = 65534;
	bad[count++].gecos = "Alice:x";
	bad[count++].gecos = "Alice\nroot::0:0::/:/bin/sh";
	bad[count++].gecos = "Alice \x1b[2J";
	bad[count++].gecos = "Alice \xc2\x9b"
			     "2J";             /* CSI as one character */
	bad[count++].gecos = "Alice \xc0\xba"; /* an overlong colon */
	bad[count++].gecos = long_gecos;
	bad[count++].home = "home/alice";
	bad[count++].shell = "/bin/sh\n";
	assert_int_equal(count, 18);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(account_files_add(fixture->files, &bad[i], 1, NOW), ACCOUNT_FILES_INVALID);
		assert_fault(fixture, "cannot be written");
	}
	assert_all_old(fixture);
}

static void two_entries_with_one_number_are_refused(void **state)
{
	struct fixture *fixture = *state;
	struct account_entry both[2] = { alice, alice };

	both[1].name = "dora";
	assert_int_equal(account_files_add(fixture->files, both, 2, NOW), ACCOUNT_FILES_INVALID);
	assert_all_old(fixture);
}

static void one_taken_account_keeps_the_others_out_too(void **state)
{
	struct fixture *fixture = *state;
	struct account_entry both[2] = { alice, alice };

	both[1].name = "bob";
	both[1].uid = both[1].gid = 2000200002;
	assert_int_equal(account_files_add(fixture->files, both, 2, NOW), ACCOUNT_FILES_TAKEN);
	assert_fault(fixture, "etc/group:4: the row of bob");
	assert_all_old(fixture);
}

/* ---- files that are not to be trusted ---- */

static void a_linked_file_is_refused(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(renameat(fixture->scratch.fd, "etc/passwd", fixture->scratch.fd, "etc/passwd.real"), 0);
	assert_int_equal(symlinkat("passwd.real", fixture->scratch.fd, "etc/passwd"), 0);
	assert_int_equal(add(fixture), ACCOUNT_FILES_UNTRUSTED);
	assert_fault(fixture, "etc/passwd: is a symbolic link");
	assert_true(scratch_has(&fixture->scratch, "etc/passwd.real", passwd_before));
	assert_true(scratch_has(&fixture->scratch, "etc/group", group_before));
}

static void a_file_that_others_can_write_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct account_user user;

	assert_int_equal(fchmodat(fixture->scratch.fd, "etc/passwd", 0664, 0), 0);
	assert_int_equal(add(fixture), ACCOUNT_FILES_UNTRUSTED);
	assert_fault(fixture, "etc/passwd: must not be writable");
	assert_int_equal(account_files_user_named(fixture->files, "bob", &user), -EPERM);
}

static void a_file_of_somebody_else_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct account_files *files;

	/* etc is not the owner's either, so the whole folder is refused. */
	assert_int_equal(account_files_open(fixture->scratch.path, geteuid() + 1, &files), -EPERM);
	if (geteuid() != 0)
		return;
	assert_int_equal(fchownat(fixture->scratch.fd, "etc/group", 12345, 0, 0), 0);
	assert_int_equal(add(fixture), ACCOUNT_FILES_UNTRUSTED);
	assert_fault(fixture, "etc/group: must belong to uid 0");
}

static void a_pipe_in_the_place_of_a_file_is_refused_without_waiting(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(unlinkat(fixture->scratch.fd, "etc/shadow", 0), 0);
	assert_int_equal(mkfifoat(fixture->scratch.fd, "etc/shadow", 0600), 0);
	assert_int_equal(add(fixture), ACCOUNT_FILES_UNTRUSTED);
	assert_fault(fixture, "etc/shadow: is not a regular file");
}

static void a_missing_shadow_is_refused(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(unlinkat(fixture->scratch.fd, "etc/shadow", 0), 0);
	assert_int_equal(add(fixture), ACCOUNT_FILES_UNTRUSTED);
	assert_fault(fixture, "etc/shadow: cannot be opened");
}

static void nothing_is_written_without_the_lock(void **state)
{
	struct fixture *fixture = *state;

	account_files_unlock(fixture->files);
	assert_int_equal(add(fixture), ACCOUNT_FILES_NOT_LOCKED);
	assert_int_equal(remove_alice(fixture), ACCOUNT_FILES_NOT_LOCKED);
	assert_int_equal(account_files_sweep(fixture->files), -ENOLCK);
	assert_all_old(fixture);
}

/* ---- the lock ---- */

static pid_t lock_elsewhere(const struct scratch *scratch, int *ret_release)
{
	int ready[2], release[2];
	char byte;
	pid_t child;

	scratch_must(pipe(ready) == 0 && pipe(release) == 0);
	child = fork();
	if (child == 0) {
		/* As lckpwdf(3) does it: a POSIX lock. */
		struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
		int fd = openat(scratch->fd, "etc/.pwd.lock", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		char result = fd >= 0 && fcntl(fd, F_SETLK, &whole) == 0 ? 'y' : 'n';

		(void)syscall(SYS_write, ready[1], &result, 1);
		(void)close(release[1]);
		(void)!read(release[0], &result, 1);
		_exit(0);
	}
	scratch_must(read(ready[0], &byte, 1) == 1);
	(void)close(ready[0]);
	(void)close(ready[1]);
	(void)close(release[0]);
	*ret_release = release[1];
	return byte == 'y' ? child : -child;
}

static void end_elsewhere(pid_t child, int release)
{
	(void)close(release);
	(void)waitpid(child < 0 ? -child : child, NULL, 0);
}

static void the_systems_lock_keeps_us_out_without_waiting(void **state)
{
	struct fixture *fixture = *state;
	pid_t child;
	int release;

	account_files_unlock(fixture->files);
	child = lock_elsewhere(&fixture->scratch, &release);
	assert_true(child > 0);
	assert_int_equal(account_files_lock(fixture->files), -EAGAIN);
	end_elsewhere(child, release);
	assert_int_equal(account_files_lock(fixture->files), 0);
}

static void our_lock_keeps_the_others_out(void **state)
{
	struct fixture *fixture = *state;
	pid_t child;
	int release;

	assert_int_equal(account_files_lock(fixture->files), 0); /* once more is fine */
	child = lock_elsewhere(&fixture->scratch, &release);
	assert_true(child < 0);
	end_elsewhere(child, release);
	account_files_unlock(fixture->files);
	child = lock_elsewhere(&fixture->scratch, &release);
	assert_true(child > 0);
	end_elsewhere(child, release);
}

/* Until it is ours: asks as the daemon does. */
static void assert_lock_comes(struct fixture *fixture)
{
	int r = -EAGAIN;

	for (int i = 0; i < 5000 && r == -EAGAIN; i++) {
		(void)poll(NULL, 0, 2);
		r = account_files_lock(fixture->files);
	}
	assert_int_equal(r, 0);
}

/* It does not take luck to meet a moment in which nobody has it. */
static void who_stands_in_line_has_the_lock_as_soon_as_it_is_free(void **state)
{
	struct fixture *fixture = *state;
	pid_t child, late = 1;
	int release;

	account_files_unlock(fixture->files);
	child = lock_elsewhere(&fixture->scratch, &release);
	assert_true(child > 0);
	assert_int_equal(account_files_lock(fixture->files), -EAGAIN);
	assert_int_equal(account_files_stand_in_line(fixture->files), 0);
	assert_int_equal(account_files_stand_in_line(fixture->files), 0); /* once more is fine */
	assert_int_equal(account_files_lock(fixture->files), -EAGAIN);
	(void)poll(NULL, 0, 100);
	end_elsewhere(child, release);
	/* We do not ask now; nobody else gets it all the same. */
	for (int i = 0; i < 5000 && late > 0; i++) {
		late = lock_elsewhere(&fixture->scratch, &release);
		end_elsewhere(late, release);
		(void)poll(NULL, 0, 2);
	}
	assert_true(late < 0);
	assert_lock_comes(fixture);
	assert_int_equal(add(fixture), ACCOUNT_FILES_DONE);
}

static void who_leaves_the_line_keeps_nobody_out(void **state)
{
	struct fixture *fixture = *state;
	pid_t child;
	int release;

	account_files_unlock(fixture->files);
	for (int granted = 0; granted <= 1; granted++) {
		child = lock_elsewhere(&fixture->scratch, &release);
		assert_true(child > 0);
		assert_int_equal(account_files_lock(fixture->files), -EAGAIN);
		assert_int_equal(account_files_stand_in_line(fixture->files), 0);
		if (granted) {
			end_elsewhere(child, release);
			(void)poll(NULL, 0, 100);
			account_files_unlock(fixture->files);
		} else {
			account_files_unlock(fixture->files);
			end_elsewhere(child, release);
			(void)poll(NULL, 0, 100);
		}
		child = lock_elsewhere(&fixture->scratch, &release);
		assert_true(child > 0);
		end_elsewhere(child, release);
	}
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no process is left */
	assert_int_equal(errno, ECHILD);
	assert_int_equal(account_files_lock(fixture->files), 0);
}

static void unlocking_works_while_a_child_has_our_descriptors(void **state)
{
	struct fixture *fixture = *state;
	pid_t child = fork(), other;
	int release;

	if (child == 0) {
		(void)pause();
		_exit(0);
	}
	account_files_unlock(fixture->files);
	other = lock_elsewhere(&fixture->scratch, &release);
	assert_true(other > 0);
	end_elsewhere(other, release);
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
}

/* ---- removing ---- */

static void removing_leaves_the_files_as_they_were(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(add(fixture), ACCOUNT_FILES_DONE);
	assert_int_equal(remove_alice(fixture), ACCOUNT_FILES_DONE);
	assert_all_old(fixture);
	assert_int_equal(remove_alice(fixture), ACCOUNT_FILES_DONE);
	assert_all_old(fixture);
	assert_int_equal(leftovers(fixture), 0);
}

static void another_uid_is_another_account(void **state)
{
	struct fixture *fixture = *state;
	struct account_identity bob = { .name = "bob", .uid = 1001, .gid = 1000 };

	assert_int_equal(account_files_remove(fixture->files, &bob, 1), ACCOUNT_FILES_TAKEN);
	assert_fault(fixture, "etc/passwd:3: the row of bob");
	assert_all_old(fixture);
}

static void a_group_of_the_same_name_with_another_number_stays(void **state)
{
	struct fixture *fixture = *state;
	struct account_identity bob = { .name = "bob", .uid = 1000, .gid = 100 };

	assert_int_equal(account_files_remove(fixture->files, &bob, 1), ACCOUNT_FILES_DONE);
	assert_true(scratch_has(&fixture->scratch, "etc/group", group_before));
	assert_true(scratch_has(&fixture->scratch, "etc/gshadow", gshadow_before));
}

static void rows_that_somebody_else_wrote_stay_when_the_account_is_not_there(void **state)
{
	struct fixture *fixture = *state;

	scratch_write(&fixture->scratch, "etc/shadow", "alice:$y$hash:19000:0:99999:7:::\n", 0640);
	scratch_write(&fixture->scratch, "etc/gshadow", "alice:!::bob\n", 0640);
	assert_int_equal(remove_alice(fixture), ACCOUNT_FILES_DONE);
	assert_true(scratch_has(&fixture->scratch, "etc/shadow", "alice:$y$hash:19000:0:99999:7:::\n"));
	assert_true(scratch_has(&fixture->scratch, "etc/gshadow", "alice:!::bob\n"));
}

static void a_group_that_others_use_stays(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(add(fixture), ACCOUNT_FILES_DONE);
	scratch_write(&fixture->scratch, "etc/group", "sudo:x:27:alice\nalice:x:2000200001:bob\n", 0644);
	assert_int_equal(remove_alice(fixture), ACCOUNT_FILES_DONE);
	assert_true(scratch_has(&fixture->scratch, "etc/group", "sudo:x:27:alice\nalice:x:2000200001:bob\n"));
	assert_true(is_joined(&fixture->scratch, "etc/gshadow", gshadow_before, gshadow_row));
	assert_true(is_joined(&fixture->scratch, "etc/passwd", passwd_before, ""));
}

static void a_primary_group_of_another_user_stays(void **state)
{
	struct fixture *fixture = *state;
	char text[1024];

	assert_int_equal(add(fixture), ACCOUNT_FILES_DONE);
	(void)snprintf(text, sizeof(text), "%s%sguest:x:1700:2000200001::/:/bin/sh\n", passwd_before, passwd_row);
	scratch_write(&fixture->scratch, "etc/passwd", text, 0644);
	assert_int_equal(remove_alice(fixture), ACCOUNT_FILES_DONE);
	assert_true(is_joined(&fixture->scratch, "etc/group", group_before, group_row));
	assert_true(is_joined(&fixture->scratch, "etc/passwd", passwd_before, "guest:x:1700:2000200001::/:/bin/sh\n"));
}

/* ---- failures and crashes at every step ---- */

typedef enum account_files_result change_function(struct fixture *);

/* Whether the file is one of its two states, whole. Returns 0 for the old one, 1 for the new one. */
static unsigned state_of(struct fixture *fixture, const char *name, const char *before, const char *row)
{
	char *text = scratch_read(&fixture->scratch, name), joined[4096];
	bool old, new;

	assert_non_null(text);
	(void)snprintf(joined, sizeof(joined), "%s%s", before, row);
	old = strcmp(text, before) == 0;
	new = strcmp(text, joined) == 0;
	free(text);
	assert_true(old || new);
	return new;
}

/* Each file is whole, and an account in a file has its rows in the files before it. */
static void assert_state_is_harmless(struct fixture *fixture)
{
	unsigned group = state_of(fixture, "etc/group", group_before, group_row);
	unsigned gshadow = state_of(fixture, "etc/gshadow", gshadow_before, gshadow_row);
	unsigned shadow = state_of(fixture, "etc/shadow", shadow_before, shadow_row);
	unsigned passwd = state_of(fixture, "etc/passwd", passwd_before, passwd_row);

	assert_true(passwd <= shadow && shadow <= gshadow && gshadow <= group);
}

/* Starts from old or new files, dies before the n-th call, and recovers both ways. False when there were fewer calls.
 */
static bool killed_at(struct fixture *fixture, change_function *change, bool from_new, unsigned n)
{
	int status;
	pid_t child;

	put_files(&fixture->scratch);
	if (from_new)
		assert_int_equal(add(fixture), ACCOUNT_FILES_DONE);
	child = fork();
	if (child == 0) {
		calls_arm(CALLS_KILL, n, 0);
		_exit(change(fixture) == ACCOUNT_FILES_DONE ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_state_is_harmless(fixture);
	if (!WIFSIGNALED(status)) {
		assert_int_equal(WEXITSTATUS(status), 0);
		return false;
	}
	assert_int_equal(account_files_sweep(fixture->files), 0);
	assert_int_equal(leftovers(fixture), 0);
	assert_state_is_harmless(fixture);
	if (n % 2) {
		assert_int_equal(remove_alice(fixture), ACCOUNT_FILES_DONE);
		assert_all_old(fixture);
	}
	assert_int_equal(add(fixture), ACCOUNT_FILES_DONE);
	assert_all_new(fixture);
	assert_int_equal(remove_alice(fixture), ACCOUNT_FILES_DONE);
	assert_all_old(fixture);
	return true;
}

static void assert_every_kill_is_survived(struct fixture *fixture)
{
	unsigned n = 1;

	while (killed_at(fixture, add, false, n))
		n++;
	assert_true(n > 20);
	for (n = 1; killed_at(fixture, remove_alice, true, n);)
		n++;
	assert_true(n > 20);
}

static void a_kill_at_any_step_leaves_whole_files_that_can_be_finished_or_undone(void **state)
{
	assert_every_kill_is_survived(*state);
}

static void so_does_one_where_files_cannot_be_exchanged(void **state)
{
	calls.no_exchange = true;
	assert_every_kill_is_survived(*state);
}

/* A call that fails once: either it did not matter, or nothing has changed. */
static bool failed_at(struct fixture *fixture, change_function *change, bool from_new, unsigned n, int error)
{
	enum account_files_result result;
	bool was_hit;

	put_files(&fixture->scratch);
	if (from_new)
		assert_int_equal(add(fixture), ACCOUNT_FILES_DONE);
	calls_arm(CALLS_FAIL_ONCE, n, error);
	result = change(fixture);
	was_hit = calls.mode == CALLS_WORK;
	calls_arm(CALLS_WORK, 0, 0);
	if (result == ACCOUNT_FILES_DONE) {
		from_new ? assert_all_old(fixture) : assert_all_new(fixture);
		return was_hit;
	}
	assert_int_equal(result, ACCOUNT_FILES_STORAGE);
	assert_fault(fixture, strerror(error));
	from_new ? assert_all_new(fixture) : assert_all_old(fixture);
	assert_int_equal(account_files_sweep(fixture->files), 0);
	assert_int_equal(leftovers(fixture), 0);
	return true;
}

static void a_failure_at_any_step_changes_nothing(void **state)
{
	for (unsigned n = 1; failed_at(*state, add, false, n, ENOSPC);)
		n++;
	for (unsigned n = 1; failed_at(*state, remove_alice, true, n, EROFS);)
		n++;
}

static void nor_does_one_where_files_cannot_be_exchanged(void **state)
{
	calls.no_exchange = true;
	for (unsigned n = 1; failed_at(*state, add, false, n, ENOSPC);)
		n++;
	for (unsigned n = 1; failed_at(*state, remove_alice, true, n, EIO);)
		n++;
}

/* From the n-th call on, nothing works any more: not even putting back. */
static void a_disk_that_dies_half_way_is_told_and_finished_later(void **state)
{
	struct fixture *fixture = *state;
	unsigned partial = 0;
	bool was_hit = true;

	for (unsigned n = 1; was_hit; n++) {
		enum account_files_result result;

		put_files(&fixture->scratch);
		calls_arm(CALLS_FAIL_FOREVER, n, EIO);
		result = add(fixture);
		was_hit = calls.n == 1;
		calls_arm(CALLS_WORK, 0, 0);
		assert_state_is_harmless(fixture);
		if (result == ACCOUNT_FILES_STORAGE)
			assert_all_old(fixture);
		partial += result == ACCOUNT_FILES_PARTIAL;
		if (result == ACCOUNT_FILES_PARTIAL)
			assert_fault(fixture, "cannot be put back");
		assert_int_equal(add(fixture), ACCOUNT_FILES_DONE);
		assert_all_new(fixture);
		assert_int_equal(leftovers(fixture), 0);
	}
	assert_true(partial >= 4);
}

static const struct scratch *edited;

static void edit_passwd_meanwhile(void)
{
	calls.before_rename = NULL;
	scratch_write(edited, "etc/passwd", "root:x:0:0:root:/root:/bin/zsh\n", 0644);
}

static void replace_passwd_meanwhile(void)
{
	calls.before_rename = NULL;
	scratch_write(edited, "etc/new", "root:x:0:0:root:/root:/bin/zsh\n", 0644);
	scratch_must(renameat(edited->fd, "etc/new", edited->fd, "etc/passwd") == 0);
}

static void an_edit_by_a_program_without_the_lock_is_not_lost(void **state)
{
	struct fixture *fixture = *state;
	void (*const edits[])(void) = { edit_passwd_meanwhile, replace_passwd_meanwhile };

	edited = &fixture->scratch;
	for (size_t i = 0; i < 2; i++) {
		put_files(&fixture->scratch);
		calls.before_rename = edits[i]; /* after everything was read and written, before the first exchange */
		assert_int_equal(add(fixture), ACCOUNT_FILES_CHANGED);
		assert_fault(fixture, "etc/passwd: was changed meanwhile");
		assert_true(scratch_has(&fixture->scratch, "etc/passwd", "root:x:0:0:root:/root:/bin/zsh\n"));
		assert_true(scratch_has(&fixture->scratch, "etc/group", group_before));
		assert_int_equal(leftovers(fixture), 0);
		assert_int_equal(add(fixture), ACCOUNT_FILES_DONE);
	}
}

static void a_directory_without_write_permission_changes_nothing(void **state)
{
	struct fixture *fixture = *state;

	if (geteuid() == 0)
		skip(); /* root is not bound by it; see the read-only mount */
	assert_int_equal(fchmodat(fixture->scratch.fd, "etc", 0555, 0), 0);
	assert_int_equal(add(fixture), ACCOUNT_FILES_STORAGE);
	assert_int_equal(fchmodat(fixture->scratch.fd, "etc", 0755, 0), 0);
	assert_all_old(fixture);
}

/* Runs `body` in a mount namespace of its own, with a tmpfs of those options on etc. False when that is not allowed
 * here. */
static bool in_own_mount(struct fixture *fixture, const char *options, void (*body)(struct fixture *, const char *etc))
{
	char etc[128];
	int status;
	pid_t child;

	(void)snprintf(etc, sizeof(etc), "%s/etc", fixture->scratch.path);
	child = fork();
	if (child == 0) {
		if (unshare(CLONE_NEWNS) != 0 || mount("", "/", "", MS_REC | MS_PRIVATE, "") != 0 ||
		    mount("tmpfs", etc, "tmpfs", 0, options) != 0 || chmod(etc, 0755) != 0)
			_exit(77);
		/* The old descriptor leads below the mount. */
		fixture->scratch.fd = open(fixture->scratch.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		put_files(&fixture->scratch);
		account_files_close(fixture->files);
		if (account_files_open(fixture->scratch.path, geteuid(), &fixture->files) != 0 ||
		    account_files_lock(fixture->files) != 0)
			_exit(78);
		body(fixture, etc);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		return false;
	assert_int_equal(WEXITSTATUS(status), 0);
	return true;
}

static void check_full_disk(struct fixture *fixture, const char *etc)
{
	char block[4096] = { 0 };
	int fd = openat(fixture->scratch.fd, "etc/ballast", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)etc;
	while (syscall(SYS_write, fd, block, sizeof(block)) > 0)
		;
	if (add(fixture) != ACCOUNT_FILES_STORAGE || !strstr(account_files_fault(fixture->files), strerror(ENOSPC)))
		_exit(1);
	if (!scratch_has(&fixture->scratch, "etc/passwd", passwd_before) || leftovers(fixture) != 0)
		_exit(2);
	(void)close(fd);
	(void)unlinkat(fixture->scratch.fd, "etc/ballast", 0);
	if (add(fixture) != ACCOUNT_FILES_DONE)
		_exit(3);
}

static void a_full_disk_changes_nothing(void **state)
{
	if (!in_own_mount(*state, "size=64k", check_full_disk))
		skip(); /* needs root */
}

static void check_read_only(struct fixture *fixture, const char *etc)
{
	account_files_unlock(fixture->files);
	if (mount("", etc, "", MS_REMOUNT | MS_RDONLY, "") != 0)
		_exit(1);
	if (account_files_lock(fixture->files) != -EROFS || add(fixture) != ACCOUNT_FILES_NOT_LOCKED)
		_exit(2);
	if (!scratch_has(&fixture->scratch, "etc/passwd", passwd_before))
		_exit(3);
}

static void a_read_only_etc_changes_nothing(void **state)
{
	if (!in_own_mount(*state, "size=1m", check_read_only))
		skip(); /* needs root */
}

static void check_mounted_file(struct fixture *fixture, const char *etc)
{
	char file[160];

	(void)snprintf(file, sizeof(file), "%s/passwd", etc);
	if (mount(file, file, "", MS_BIND, "") != 0)
		_exit(1);
	if (add(fixture) != ACCOUNT_FILES_UNTRUSTED ||
	    !strstr(account_files_fault(fixture->files), "is mounted by itself"))
		_exit(2);
	if (!scratch_has(&fixture->scratch, "etc/group", group_before))
		_exit(3);
}

static void a_file_that_is_mounted_by_itself_is_refused_before_anything_changes(void **state)
{
	if (!in_own_mount(*state, "size=1m", check_mounted_file))
		skip(); /* needs root */
}

/* ---- looking up ---- */

static void users_are_found_by_name_uid_and_primary_group(void **state)
{
	struct fixture *fixture = *state;
	struct account_user user;

	assert_int_equal(account_files_user_named(fixture->files, "bob", &user), 1);
	assert_string_equal(user.name, "bob");
	assert_int_equal(user.uid, 1000);
	assert_string_equal(user.gecos, "Bob,,,");
	assert_string_equal(user.home, "/home/bob");
	assert_string_equal(user.shell, "/bin/bash");
	assert_int_equal(user.line, 3);
	assert_int_equal(account_files_user_with_uid(fixture->files, 1, &user), 1);
	assert_string_equal(user.name, "daemon");
	assert_int_equal(account_files_user_with_gid(fixture->files, 1000, &user), 1);
	assert_string_equal(user.name, "bob");
	assert_int_equal(account_files_user_named(fixture->files, "alice", &user), 0);
	assert_int_equal(account_files_user_with_uid(fixture->files, 2000200001, &user), 0);
	assert_int_equal(account_files_user_named(fixture->files, "", &user), 0);
}

static void odd_rows_are_read_as_glibc_reads_them(void **state)
{
	struct fixture *fixture = *state;
	struct account_user user;

	scratch_write(&fixture->scratch, "etc/passwd",
		      "#carol:x:5:5:::\n+carol:x:6:6:::\ncarol:x:nan:1:::\n \tcarol:x: "
		      "007:8\ncarol:x:9:9:::\nlong:x:99999999999:1:::\n",
		      0644);
	assert_int_equal(account_files_user_named(fixture->files, "carol", &user), 1);
	assert_int_equal(user.uid, 7);
	assert_int_equal(user.gid, 8);
	assert_string_equal(user.name, "carol");
	assert_string_equal(user.shell, "");
	assert_int_equal(account_files_user_with_uid(fixture->files, 5, &user), 0);
	assert_int_equal(account_files_user_with_uid(fixture->files, 6, &user), 0);
	assert_int_equal(account_files_user_with_uid(fixture->files, UINT32_MAX, &user), 1);
}

/* As glibc has it: the list of members is the rest of the row, and a row ends at a NUL. */
static void a_row_is_read_as_glibc_reads_it(void **state)
{
	static const char behind_a_colon[] = "radiology:x:2000::,alice\n";
	static const char with_nul[] = "other:x:2000200001\0x:\n";
	struct fixture *fixture = *state;
	const gid_t *gids;
	size_t count;
	int fd;

	scratch_write(&fixture->scratch, "etc/group", behind_a_colon, 0644);
	assert_int_equal(account_files_groups_of(fixture->files, "alice", &gids, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(gids[0], 2000);
	fd = openat(fixture->scratch.fd, "etc/group", O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_int_equal(write(fd, with_nul, sizeof(with_nul) - 1), sizeof(with_nul) - 1);
	assert_int_equal(close(fd), 0);
	assert_int_equal(add(fixture), ACCOUNT_FILES_TAKEN);
	assert_fault(fixture, "etc/group:1: the row of other");
}

/* Blanks before a name do not count for glibc; those behind it are part of the name. */
static void a_member_is_who_is_one_for_glibc(void **state)
{
	static const struct {
		const char *members;
		size_t groups;
	} cases[] = {
		{ "alice", 1 },    { " alice", 1 }, { "bob, alice", 1 }, { "\talice,bob", 1 }, { ",\v alice", 1 },
		{ "alice,\f", 1 }, { "alice ", 0 }, { "bob,alice ", 0 }, { "alice ,bob", 0 },  { "alice\t,bob", 0 },
		{ "alice\r", 0 },  { "al ice", 0 }, { "alice:", 0 },     { "a:alice", 0 },
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_file_ FILE *stream = NULL;
		size_t count, for_glibc = 0;
		const struct group *row;
		const gid_t *gids;
		char text[64];

		(void)snprintf(text, sizeof(text), "radiology:x:2000:%s\n", cases[i].members);
		stream = fmemopen(text, strlen(text), "re");
		row = fgetgrent(stream);
		for (char **member = row->gr_mem; *member; member++)
			for_glibc += strcmp(*member, "alice") == 0;
		scratch_write(&fixture->scratch, "etc/group", text, 0644);
		assert_int_equal(account_files_groups_of(fixture->files, "alice", &gids, &count), 0);
		if (count != cases[i].groups || for_glibc != cases[i].groups)
			fail_msg("\"%s\": in %zu groups, for glibc in %zu", cases[i].members, count, for_glibc);
	}
}

static void nobody_is_in_a_group_whose_gid_is_too_large(void **state)
{
	struct fixture *fixture = *state;
	const gid_t *gids;
	size_t count;

	scratch_write(&fixture->scratch, "etc/group",
		      "a:x:4294967295:alice\nb:x:99999999999:alice\nc:x:-1:alice\nd:x:4294967294:alice\n", 0644);
	assert_int_equal(account_files_groups_of(fixture->files, "alice", &gids, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(gids[0], 4294967294);
}

static void groups_are_found_by_name_gid_and_member(void **state)
{
	struct fixture *fixture = *state;
	struct account_group group;
	const gid_t *gids;
	size_t count;

	scratch_write(&fixture->scratch, "etc/group",
		      "sudo:x:27:bob,carol\ndocker:x:999: carol,bobby\nagain:x:27:bob\nbob:x:1000:\ncaro:x:5:caro\n",
		      0644);
	assert_int_equal(account_files_group_named(fixture->files, "docker", &group), 1);
	assert_int_equal(group.gid, 999);
	assert_int_equal(account_files_group_with_gid(fixture->files, 27, &group), 1);
	assert_string_equal(group.name, "sudo");
	assert_int_equal(group.line, 1);
	assert_int_equal(account_files_group_named(fixture->files, "alice", &group), 0);
	assert_int_equal(account_files_groups_of(fixture->files, "bob", &gids, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(gids[0], 27);
	assert_int_equal(account_files_groups_of(fixture->files, "carol", &gids, &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(gids[1], 999);
	assert_int_equal(account_files_groups_of(fixture->files, "car", &gids, &count), 0);
	assert_int_equal(count, 0);
}

static void shadow_tells_lock_and_expiry(void **state)
{
	struct fixture *fixture = *state;
	struct account_shadow shadow;

	assert_int_equal(account_files_shadow_named(fixture->files, "bob", &shadow), 1);
	assert_false(shadow.locked);
	assert_true(shadow.has_expiry);
	assert_int_equal(shadow.expires_day, 20000);
	assert_int_equal(account_files_shadow_named(fixture->files, "daemon", &shadow), 1);
	assert_true(shadow.locked);
	assert_false(shadow.has_expiry);
	assert_int_equal(account_files_shadow_named(fixture->files, "alice", &shadow), 0);
}

static void a_change_in_place_is_seen_at_once(void **state)
{
	struct fixture *fixture = *state;
	struct account_user user;

	/* Same length, same inode, and most of the time the same tick of the clock. */
	for (unsigned i = 0; i < 200; i++) {
		char text[64];

		(void)snprintf(text, sizeof(text), "eve:x:%u:100::/home/eve:/bin/sh\n", 3000 + i);
		scratch_write(&fixture->scratch, "etc/passwd", text, 0644);
		assert_int_equal(account_files_user_named(fixture->files, "eve", &user), 1);
		assert_int_equal(user.uid, 3000 + i);
	}
}

static void what_is_held_answers_by_one_state_until_the_release(void **state)
{
	struct fixture *fixture = *state;
	struct account_user user;

	scratch_write(&fixture->scratch, "etc/passwd", "eve:x:3000:100::/home/eve:/bin/sh\n", 0644);
	assert_int_equal(account_files_user_named(fixture->files, "eve", &user), 1);
	scratch_write(&fixture->scratch, "etc/passwd", "eve:x:3001:100::/home/eve:/bin/sh\n", 0644);
	for (unsigned round = 0; round < 2; round++) {
		account_files_hold(fixture->files);
		/* The first call looks, */
		assert_int_equal(account_files_user_named(fixture->files, "eve", &user), 1);
		assert_int_equal(user.uid, 3001 + round);
		scratch_write(&fixture->scratch, "etc/passwd", "eve:x:3002:100::/home/eve:/bin/sh\n", 0644);
		/* and the next does not. */
		assert_int_equal(account_files_user_named(fixture->files, "eve", &user), 1);
		assert_int_equal(user.uid, 3001 + round);
		account_files_release(fixture->files);
	}
	assert_int_equal(account_files_user_named(fixture->files, "eve", &user), 1);
	assert_int_equal(user.uid, 3002);
}

static void a_file_is_read_again_only_while_a_change_could_hide(void **state)
{
	struct fixture *fixture = *state;
	struct account_user user;

	put_files(&fixture->scratch);
	calls.opens = 0;
	for (unsigned i = 0; i < 2; i++) /* within a tick of the kernel's file clock */
		assert_int_equal(account_files_user_named(fixture->files, "bob", &user), 1);
	assert_int_equal(calls.opens, 2);
	(void)nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(account_files_user_named(fixture->files, "bob", &user), 1);
	assert_int_equal(calls.opens, 3);
}

static void a_file_that_goes_away_makes_everything_unknown(void **state)
{
	struct fixture *fixture = *state;
	struct account_user user;

	assert_int_equal(account_files_user_named(fixture->files, "bob", &user), 1);
	assert_int_equal(unlinkat(fixture->scratch.fd, "etc/passwd", 0), 0);
	assert_int_equal(account_files_user_named(fixture->files, "bob", &user), -ENOENT);
	assert_fault(fixture, "etc/passwd: cannot be opened");
	put_files(&fixture->scratch);
	assert_int_equal(account_files_user_named(fixture->files, "bob", &user), 1);
}

/* ---- size ---- */

static double milliseconds_since(const struct timespec *begin)
{
	struct timespec end;

	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	return (double)(end.tv_sec - begin->tv_sec) * 1e3 + (double)(end.tv_nsec - begin->tv_nsec) / 1e6;
}

#define MANY 10000

static void put_many(const struct scratch *scratch)
{
	static const struct {
		const char *file, *format;
	} rows[] = { { "etc/passwd", "user%05u:x:%u:%u:User %u:/home/user:/bin/bash\n" },
		     { "etc/shadow", "user%05u:$y$j9T$0123456789abcdefghijkl$"
				     "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGH:19000:0:99999:7:::\n" },
		     { "etc/group", "user%05u:x:%u:\n" },
		     { "etc/gshadow", "user%05u:!::\n" } };
	char *text = malloc(MANY * 160);

	scratch_must(text);
	for (size_t i = 0; i < 4; i++) {
		size_t length = 0;

		for (unsigned n = 0; n < MANY; n++) {
			char row[160];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			(void)snprintf(row, sizeof(row), rows[i].format, n, 100000 + n, 100000 + n, n);
#pragma GCC diagnostic pop
			memcpy(text + length, row, strlen(row) + 1);
			length += strlen(row);
		}
		scratch_write(scratch, rows[i].file, text, 0640);
	}
	free(text);
}

static void ten_thousand_users_are_rewritten_in_milliseconds(void **state)
{
	struct fixture *fixture = *state;
	struct account_user user;
	struct timespec begin;
	double first, lookups;

	put_many(&fixture->scratch);
	calls.fsync_ms = 0;
	(void)clock_gettime(CLOCK_MONOTONIC, &begin);
	assert_int_equal(add(fixture), ACCOUNT_FILES_DONE);
	first = milliseconds_since(&begin);
	assert_int_equal(account_files_user_named(fixture->files, "user09999", &user), 1);
	(void)nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
	assert_int_equal(account_files_user_named(fixture->files, "user09999", &user), 1);
	(void)clock_gettime(CLOCK_MONOTONIC, &begin);
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(account_files_user_named(fixture->files, "user09999", &user), 1);
	lookups = milliseconds_since(&begin);
	print_message(
		"             one account added to %d: %.1f ms, %.1f ms of it in fsync; a lookup among them: %.1f us\n",
		MANY, first, calls.fsync_ms, lookups);
	assert_true(lookups < 1000);
	assert_int_equal(remove_alice(fixture), ACCOUNT_FILES_DONE);
}

static void every_result_has_its_text(void **state)
{
	(void)state;
	for (enum account_files_result result = 0; result < ACCOUNT_FILES_RESULT_COUNT; result++)
		assert_true(strlen(account_files_result_text(result)) > 10);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_account_gets_its_four_rows),
		CASE(everything_is_on_the_disk_before_anything_is_replaced),
		CASE(several_accounts_are_added_together),
		CASE(adding_again_changes_nothing),
		CASE(a_clock_at_the_epoch_does_not_ask_for_a_new_password),
		CASE(owner_and_mode_stay_and_the_old_file_is_kept),
		CASE(extended_attributes_stay),
		CASE(foreign_lines_stay_byte_for_byte),
		CASE(a_last_line_without_newline_gets_one),
		CASE(an_empty_file_is_a_file),
		CASE(nis_lines_stay_last),
		CASE(a_missing_gshadow_stays_missing),
		CASE(a_name_or_number_that_is_taken_is_refused_with_its_line),
		CASE(fields_that_would_break_a_row_are_refused),
		CASE(two_entries_with_one_number_are_refused),
		CASE(one_taken_account_keeps_the_others_out_too),
		CASE(a_linked_file_is_refused),
		CASE(a_file_that_others_can_write_is_refused),
		CASE(a_file_of_somebody_else_is_refused),
		CASE(a_pipe_in_the_place_of_a_file_is_refused_without_waiting),
		CASE(a_missing_shadow_is_refused),
		CASE(nothing_is_written_without_the_lock),
		CASE(the_systems_lock_keeps_us_out_without_waiting),
		CASE(our_lock_keeps_the_others_out),
		CASE(who_stands_in_line_has_the_lock_as_soon_as_it_is_free),
		CASE(who_leaves_the_line_keeps_nobody_out),
		CASE(unlocking_works_while_a_child_has_our_descriptors),
		CASE(removing_leaves_the_files_as_they_were),
		CASE(another_uid_is_another_account),
		CASE(a_group_of_the_same_name_with_another_number_stays),
		CASE(rows_that_somebody_else_wrote_stay_when_the_account_is_not_there),
		CASE(a_group_that_others_use_stays),
		CASE(a_primary_group_of_another_user_stays),
		CASE(a_kill_at_any_step_leaves_whole_files_that_can_be_finished_or_undone),
		CASE(so_does_one_where_files_cannot_be_exchanged),
		CASE(a_failure_at_any_step_changes_nothing),
		CASE(nor_does_one_where_files_cannot_be_exchanged),
		CASE(a_disk_that_dies_half_way_is_told_and_finished_later),
		CASE(an_edit_by_a_program_without_the_lock_is_not_lost),
		CASE(a_directory_without_write_permission_changes_nothing),
		CASE(a_full_disk_changes_nothing),
		CASE(a_read_only_etc_changes_nothing),
		CASE(a_file_that_is_mounted_by_itself_is_refused_before_anything_changes),
		CASE(users_are_found_by_name_uid_and_primary_group),
		CASE(odd_rows_are_read_as_glibc_reads_them),
		CASE(a_row_is_read_as_glibc_reads_it),
		CASE(a_member_is_who_is_one_for_glibc),
		CASE(nobody_is_in_a_group_whose_gid_is_too_large),
		CASE(groups_are_found_by_name_gid_and_member),
		CASE(shadow_tells_lock_and_expiry),
		CASE(a_change_in_place_is_seen_at_once),
		CASE(what_is_held_answers_by_one_state_until_the_release),
		CASE(a_file_is_read_again_only_while_a_change_could_hide),
		CASE(a_file_that_goes_away_makes_everything_unknown),
		CASE(ten_thousand_users_are_rewritten_in_milliseconds),
		CASE(every_result_has_its_text),
	};

	return cmocka_run_group_tests_name("passwd", tests, NULL, NULL);
}
