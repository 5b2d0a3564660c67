/*
 * Home directories: every promise of provisiond/home.h, below a directory of the test's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "provisiond/home.h"
#include "tests/unit/failing_calls.h"
#include "tests/unit/scratch.h"

#define OTHER_UID 2000200001u

struct fixture {
	struct scratch scratch;
	struct home_place place;
	struct home_request request;
	struct home_report report;
};

/* Root gives the home to somebody else; others can only keep it. */
static uid_t home_uid(void)
{
	return geteuid() == 0 ? OTHER_UID : geteuid();
}

static gid_t home_gid(void)
{
	return geteuid() == 0 ? OTHER_UID : getegid();
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	scratch_must(fixture);
	scratch_make(&fixture->scratch);
	scratch_mkdir(&fixture->scratch, "home", 0755);
	scratch_mkdir(&fixture->scratch, "etc", 0755);
	scratch_mkdir(&fixture->scratch, "etc/skel", 0755);
	scratch_mkdir(&fixture->scratch, "etc/skel/.config", 0750);
	scratch_write(&fixture->scratch, "etc/skel/.bashrc", "alias ll='ls -l'\n", 0644);
	scratch_write(&fixture->scratch, "etc/skel/.config/run", "#!/bin/sh\n", 06755);
	scratch_must(symlinkat("/etc/shadow", fixture->scratch.fd, "etc/skel/link") == 0);
	fixture->place = (struct home_place){ .root_fd = fixture->scratch.fd, .owner = geteuid(), .group = getegid() };
	fixture->request = (struct home_request){
		.path = "/home/alice", .skeleton = "/etc/skel", .uid = home_uid(), .gid = home_gid(), .mode = 0700
	};
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	memset(&calls, 0, sizeof(calls));
	scratch_remove(&fixture->scratch);
	free(fixture);
	return 0;
}

static enum home_result create(struct fixture *fixture)
{
	return home_create(&fixture->place, &fixture->request, &fixture->report);
}

static enum home_result remove_home(struct fixture *fixture)
{
	return home_remove(&fixture->place, fixture->request.path, fixture->request.uid, &fixture->report);
}

static struct stat status_of(struct fixture *fixture, const char *name)
{
	struct stat st;

	scratch_must(fstatat(fixture->scratch.fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0);
	return st;
}

static bool exists(struct fixture *fixture, const char *name)
{
	struct stat st;

	return fstatat(fixture->scratch.fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void assert_owned(struct fixture *fixture, const char *name, mode_t mode)
{
	struct stat st = status_of(fixture, name);

	assert_int_equal(st.st_uid, home_uid());
	assert_int_equal(st.st_gid, home_gid());
	assert_int_equal(st.st_mode & 07777, mode);
}

static void assert_fault(struct fixture *fixture, const char *part)
{
	if (!strstr(fixture->report.fault, part))
		fail_msg("the fault is '%s' and lacks '%s'", fixture->report.fault, part);
}

static void assert_complete(struct fixture *fixture)
{
	char target[64] = { 0 };

	assert_owned(fixture, "home/alice", 0700);
	assert_owned(fixture, "home/alice/.bashrc", 0644);
	assert_owned(fixture, "home/alice/.config", 0750);
	assert_owned(fixture, "home/alice/.config/run", 0755);
	assert_owned(fixture, "home/alice/link", 0777);
	assert_true(readlinkat(fixture->scratch.fd, "home/alice/link", target, sizeof(target) - 1) > 0);
	assert_string_equal(target, "/etc/shadow");
	assert_int_equal(scratch_count(&fixture->scratch, "home", ""), 1);
}

static void a_home_is_copied_from_the_skeleton(void **state)
{
	struct fixture *fixture = *state;
	mode_t old = umask(077);

	assert_int_equal(create(fixture), HOME_DONE);
	(void)umask(old);
	assert_complete(fixture);
	assert_true(scratch_has(&fixture->scratch, "home/alice/.bashrc", "alias ll='ls -l'\n") || geteuid() != 0);
	assert_string_equal(fixture->report.fault, "");
	assert_int_equal(fixture->report.skipped, 0);
}

static void the_mode_is_the_one_asked_for(void **state)
{
	struct fixture *fixture = *state;

	fixture->request.mode = 06751;
	assert_int_equal(create(fixture), HOME_DONE);
	assert_owned(fixture, "home/alice", 0751);
}

static void a_home_without_skeleton_is_empty(void **state)
{
	struct fixture *fixture = *state;

	fixture->request.skeleton = NULL;
	assert_int_equal(create(fixture), HOME_DONE);
	assert_owned(fixture, "home/alice", 0700);
	assert_int_equal(scratch_count(&fixture->scratch, "home/alice", ""), 0);
}

static void missing_directories_above_it_are_made(void **state)
{
	struct fixture *fixture = *state;
	struct stat st;

	fixture->request.path = "/home/clinic/ward/alice";
	assert_int_equal(create(fixture), HOME_DONE);
	st = status_of(fixture, "home/clinic");
	assert_int_equal(st.st_uid, geteuid());
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_owned(fixture, "home/clinic/ward/alice", 0700);
}

static void what_is_there_already_is_left_alone(void **state)
{
	struct fixture *fixture = *state;

	scratch_mkdir(&fixture->scratch, "home/alice", 0755);
	assert_int_equal(create(fixture), HOME_EXISTS);
	assert_fault(fixture, "/home/alice: exists already");
	assert_int_equal(scratch_count(&fixture->scratch, "home/alice", ""), 0);
	assert_int_equal(unlinkat(fixture->scratch.fd, "home/alice", AT_REMOVEDIR), 0);
	assert_int_equal(symlinkat("/nowhere", fixture->scratch.fd, "home/alice"), 0);
	assert_int_equal(create(fixture), HOME_EXISTS);
	assert_int_equal(scratch_count(&fixture->scratch, "home", ""), 1);
}

static const struct scratch *racing;

static void somebody_makes_it_meanwhile(void)
{
	calls.before_rename = NULL;
	scratch_mkdir(racing, "home/alice", 0755);
	scratch_write(racing, "home/alice/precious", "", 0600);
}

static void a_home_that_appears_meanwhile_is_not_replaced(void **state)
{
	struct fixture *fixture = *state;

	racing = &fixture->scratch;
	for (unsigned i = 0; i < 2; i++) {
		calls.no_noreplace = i == 1;
		calls.before_rename = somebody_makes_it_meanwhile;
		assert_int_equal(create(fixture), HOME_EXISTS);
		assert_true(exists(fixture, "home/alice/precious"));
		assert_int_equal(scratch_count(&fixture->scratch, "home", ""), 1);
		assert_int_equal(unlinkat(fixture->scratch.fd, "home/alice/precious", 0), 0);
		assert_int_equal(unlinkat(fixture->scratch.fd, "home/alice", AT_REMOVEDIR), 0);
	}
}

static void it_works_where_a_rename_cannot_refuse_to_replace(void **state)
{
	struct fixture *fixture = *state;

	calls.no_noreplace = true;
	assert_int_equal(create(fixture), HOME_DONE);
	assert_complete(fixture);
}

static void paths_that_lead_elsewhere_are_refused(void **state)
{
	struct fixture *fixture = *state;
	const char *const paths[] = {
		"home/alice",    "",         "/",      "/home/../etc/alice", "/home//alice", "/home/alice/",
		"/home/./alice", "/home/..", "/home/."
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		fixture->request.path = paths[i];
		assert_int_equal(create(fixture), HOME_INVALID);
	}
	fixture->request.path = NULL;
	assert_int_equal(create(fixture), HOME_INVALID);
}

static void a_parent_that_others_can_write_is_refused(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(fchmodat(fixture->scratch.fd, "home", 0775, 0), 0);
	assert_int_equal(create(fixture), HOME_PARENT);
	assert_fault(fixture, "the directory home on the way there is writable by group or others (chmod go-w)");
	assert_int_equal(fchmodat(fixture->scratch.fd, "home", 01777, 0), 0);
	assert_int_equal(create(fixture), HOME_PARENT);
	assert_int_equal(scratch_count(&fixture->scratch, "home", ""), 0);
}

static void a_parent_of_somebody_else_is_refused(void **state)
{
	struct fixture *fixture = *state;

	if (geteuid() != 0)
		skip(); /* only root can give directories away */
	scratch_mkdir(&fixture->scratch, "home/mallory", 0755);
	assert_int_equal(fchownat(fixture->scratch.fd, "home/mallory", 1234, 1234, 0), 0);
	fixture->request.path = "/home/mallory/alice";
	assert_int_equal(create(fixture), HOME_PARENT);
	assert_fault(fixture, "the directory mallory on the way there does not belong to root");
	fixture->request.path = "/home/mallory/deeper/alice";
	assert_int_equal(create(fixture), HOME_PARENT);
	assert_int_equal(scratch_count(&fixture->scratch, "home/mallory", ""), 0);
}

static void links_of_roots_above_a_home_are_followed(void **state)
{
	struct fixture *fixture = *state;

	scratch_mkdir(&fixture->scratch, "srv", 0755);
	scratch_mkdir(&fixture->scratch, "srv/homes", 0755);
	assert_int_equal(symlinkat("/srv/homes", fixture->scratch.fd, "absolute"), 0);
	assert_int_equal(symlinkat("srv/../absolute", fixture->scratch.fd, "relative"), 0);
	fixture->request.path = "/relative/alice";
	assert_int_equal(create(fixture), HOME_DONE);
	assert_owned(fixture, "srv/homes/alice", 0700);
}

static void a_link_into_a_directory_of_others_is_refused(void **state)
{
	struct fixture *fixture = *state;

	scratch_mkdir(&fixture->scratch, "open", 0777);
	scratch_mkdir(&fixture->scratch, "open/homes", 0755);
	assert_int_equal(symlinkat("open/homes", fixture->scratch.fd, "link"), 0);
	fixture->request.path = "/link/alice";
	assert_int_equal(create(fixture), HOME_PARENT);
	assert_int_equal(symlinkat("loop", fixture->scratch.fd, "loop"), 0);
	fixture->request.path = "/loop/alice";
	assert_int_equal(create(fixture), HOME_PARENT);
	scratch_write(&fixture->scratch, "file", "", 0644);
	fixture->request.path = "/file/alice";
	assert_int_equal(create(fixture), HOME_PARENT);
}

static void sockets_pipes_and_devices_in_the_skeleton_are_skipped(void **state)
{
	struct fixture *fixture = *state;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	unsigned devices = geteuid() == 0;

	assert_int_equal(mkfifoat(fixture->scratch.fd, "etc/skel/pipe", 0644), 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/etc/skel/socket", fixture->scratch.path);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	(void)close(fd);
	if (devices)
		assert_int_equal(mknodat(fixture->scratch.fd, "etc/skel/device", S_IFCHR | 0666, makedev(1, 3)), 0);
	assert_int_equal(create(fixture), HOME_DONE);
	assert_int_equal(fixture->report.skipped, 2 + devices);
	assert_true(strlen(fixture->report.skipped_name) > 0);
	assert_complete(fixture);
	assert_false(exists(fixture, "home/alice/pipe"));
}

static void a_skeleton_that_cannot_be_trusted_is_refused(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(fchmodat(fixture->scratch.fd, "etc/skel", 0777, 0), 0);
	assert_int_equal(create(fixture), HOME_SKELETON);
	assert_int_equal(fchmodat(fixture->scratch.fd, "etc/skel", 0755, 0), 0);
	fixture->request.skeleton = "/etc/nothing";
	assert_int_equal(create(fixture), HOME_SKELETON);
	assert_fault(fixture, "/etc/nothing");
	assert_int_equal(scratch_count(&fixture->scratch, "home", ""), 0);
}

static void a_skeleton_that_is_too_deep_is_refused_and_leaves_nothing(void **state)
{
	struct fixture *fixture = *state;
	char path[512] = "etc/skel";

	for (unsigned i = 0; i < 40; i++) {
		(void)strcat(path, "/d");
		scratch_mkdir(&fixture->scratch, path, 0755);
	}
	assert_int_equal(create(fixture), HOME_SKELETON);
	assert_fault(fixture, "more than 32 directories deep");
	assert_int_equal(scratch_count(&fixture->scratch, "home", ""), 0);
}

/* ---- failures and crashes at every step ---- */

static void a_failure_at_any_step_leaves_nothing(void **state)
{
	struct fixture *fixture = *state;
	bool was_hit = true;
	unsigned failures = 0;

	for (unsigned n = 1; was_hit; n++) {
		enum home_result result;

		calls_arm(CALLS_FAIL_ONCE, n, ENOSPC);
		result = create(fixture);
		was_hit = calls.mode == CALLS_WORK;
		calls_arm(CALLS_WORK, 0, 0);
		if (result == HOME_DONE) {
			assert_complete(fixture);
			assert_int_equal(remove_home(fixture), HOME_DONE);
		} else {
			assert_int_equal(result, HOME_STORAGE);
			assert_fault(fixture, strerror(ENOSPC));
			failures++;
		}
		assert_int_equal(scratch_count(&fixture->scratch, "home", ""), 0);
	}
	assert_true(failures > 15);
}

/* False when there were fewer calls. */
static bool killed_at(struct fixture *fixture, enum home_result (*change)(struct fixture *), unsigned n)
{
	unsigned swept = 0;
	int status;
	pid_t child = fork();

	if (child == 0) {
		calls_arm(CALLS_KILL, n, 0);
		_exit(change(fixture) == HOME_DONE ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (exists(fixture, "home/alice"))
		assert_int_equal(status_of(fixture, "home/alice/.config/run").st_size, 10); /* complete */
	assert_int_equal(home_sweep(&fixture->place, "/home", &swept, &fixture->report), HOME_DONE);
	assert_int_equal(scratch_count(&fixture->scratch, "home", "provisiond"), 0);
	if (exists(fixture, "home/alice")) {
		assert_int_equal(home_examine(&fixture->place, "/home/alice", home_uid(), &fixture->report), HOME_DONE);
		assert_complete(fixture);
	} else {
		assert_int_equal(scratch_count(&fixture->scratch, "home", ""), 0);
	}
	return WIFSIGNALED(status);
}

static void a_kill_while_creating_leaves_a_whole_home_or_what_is_swept(void **state)
{
	struct fixture *fixture = *state;
	unsigned n = 1;

	while (killed_at(fixture, create, n)) {
		if (exists(fixture, "home/alice"))
			assert_int_equal(remove_home(fixture), HOME_DONE);
		n++;
	}
	assert_true(n > 15);
}

static void a_kill_while_removing_leaves_a_whole_home_or_what_is_swept(void **state)
{
	struct fixture *fixture = *state;
	unsigned n = 1;

	assert_int_equal(create(fixture), HOME_DONE);
	while (killed_at(fixture, remove_home, n)) {
		if (!exists(fixture, "home/alice"))
			assert_int_equal(create(fixture), HOME_DONE);
		n++;
	}
	assert_true(n > 5);
}

/* Runs in a mount namespace of its own. False when that is not allowed here. */
static bool in_own_mount(struct fixture *fixture, const char *name, const char *options, void (*body)(struct fixture *))
{
	char path[128];
	int status;
	pid_t child = fork();

	if (child == 0) {
		(void)snprintf(path, sizeof(path), "%s/%s", fixture->scratch.path, name);
		if (unshare(CLONE_NEWNS) != 0 || mount("", "/", "", MS_REC | MS_PRIVATE, "") != 0 ||
		    mount("tmpfs", path, "tmpfs", 0, options) != 0)
			_exit(77);
		/* The old descriptor leads below the mount. */
		fixture->scratch.fd = open(fixture->scratch.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		fixture->place.root_fd = fixture->scratch.fd;
		body(fixture);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		return false;
	assert_int_equal(WEXITSTATUS(status), 0);
	return true;
}

static void check_full_disk(struct fixture *fixture)
{
	char block[4096] = { 0 };
	int fd = openat(fixture->scratch.fd, "etc/skel/large", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	for (unsigned i = 0; i < 64; i++)
		(void)syscall(SYS_write, fd, block, sizeof(block));
	if (create(fixture) != HOME_STORAGE || !strstr(fixture->report.fault, strerror(ENOSPC)))
		_exit(1);
	if (scratch_count(&fixture->scratch, "home", "") != 0)
		_exit(2);
}

static void a_full_disk_leaves_nothing(void **state)
{
	if (!in_own_mount(*state, "home", "size=128k,mode=0755", check_full_disk))
		skip(); /* needs root */
}

/* ---- examining and removing ---- */

static void a_home_is_examined_by_its_owner(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(home_examine(&fixture->place, "/home/alice", home_uid(), &fixture->report), HOME_MISSING);
	assert_int_equal(home_examine(&fixture->place, "/nowhere/alice", home_uid(), &fixture->report), HOME_MISSING);
	assert_int_equal(create(fixture), HOME_DONE);
	assert_int_equal(home_examine(&fixture->place, "/home/alice", home_uid(), &fixture->report), HOME_DONE);
	assert_int_equal(home_examine(&fixture->place, "/home/alice", home_uid() + 1, &fixture->report), HOME_EXISTS);
}

static void removing_takes_the_home_and_nothing_else(void **state)
{
	struct fixture *fixture = *state;

	scratch_mkdir(&fixture->scratch, "outside", 0755);
	scratch_write(&fixture->scratch, "outside/precious", "keep me\n", 0644);
	assert_int_equal(create(fixture), HOME_DONE);
	assert_int_equal(symlinkat("../../outside", fixture->scratch.fd, "home/alice/way-out"), 0);
	assert_int_equal(symlinkat("../../outside/precious", fixture->scratch.fd, "home/alice/file-out"), 0);
	assert_int_equal(remove_home(fixture), HOME_DONE);
	assert_true(scratch_has(&fixture->scratch, "outside/precious", "keep me\n"));
	assert_int_equal(scratch_count(&fixture->scratch, "home", ""), 0);
	assert_int_equal(remove_home(fixture), HOME_MISSING);
}

static void a_home_of_somebody_else_is_not_removed(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(create(fixture), HOME_DONE);
	assert_int_equal(home_remove(&fixture->place, "/home/alice", home_uid() + 1, &fixture->report), HOME_EXISTS);
	assert_complete(fixture);
	assert_int_equal(renameat(fixture->scratch.fd, "home/alice", fixture->scratch.fd, "home/real"), 0);
	assert_int_equal(symlinkat("real", fixture->scratch.fd, "home/alice"), 0);
	assert_int_equal(remove_home(fixture), HOME_EXISTS);
	assert_true(exists(fixture, "home/real/.bashrc"));
}

static void a_home_deeper_than_our_stack_and_locked_inside_is_removed(void **state)
{
	struct fixture *fixture = *state;
	int at;

	assert_int_equal(create(fixture), HOME_DONE);
	at = openat(fixture->scratch.fd, "home/alice", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (unsigned i = 0; i < 500; i++) {
		int next;

		scratch_must(mkdirat(at, "d", 0755) == 0 && mkdirat(at, "e", 0755) == 0);
		next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		scratch_must(fchmodat(at, "e", 0000, 0) == 0);
		scratch_must(next >= 0);
		(void)close(at);
		at = next;
	}
	(void)close(at);
	assert_int_equal(remove_home(fixture), HOME_DONE);
	assert_int_equal(scratch_count(&fixture->scratch, "home", ""), 0);
}

static void check_mount_inside(struct fixture *fixture)
{
	char from[128], to[128];

	if (create(fixture) != HOME_DONE)
		_exit(1);
	scratch_mkdir(&fixture->scratch, "home/alice/shared", 0755);
	scratch_mkdir(&fixture->scratch, "home/outside", 0755);
	scratch_write(&fixture->scratch, "home/outside/precious", "keep me\n", 0644);
	(void)snprintf(from, sizeof(from), "%s/home/outside", fixture->scratch.path);
	(void)snprintf(to, sizeof(to), "%s/home/alice/shared", fixture->scratch.path);
	if (mount(from, to, "", MS_BIND, "") != 0)
		_exit(2);
	if (remove_home(fixture) != HOME_STORAGE ||
	    !scratch_has(&fixture->scratch, "home/outside/precious", "keep me\n"))
		_exit(3);
	if (status_of(fixture, "home/outside").st_mode != (S_IFDIR | 0755))
		_exit(4);
	if (exists(fixture, "home/alice"))
		_exit(5);
}

static void what_is_mounted_inside_a_home_is_not_emptied(void **state)
{
	if (!in_own_mount(*state, "home", "mode=0755", check_mount_inside))
		skip(); /* needs root */
}

static void only_our_leftovers_are_swept(void **state)
{
	struct fixture *fixture = *state;
	unsigned swept = 0;
	const char *const kept[] = { "home/.config.backup",           "home/alice.provisiond-abcdef",
				     "home/.provisiond-abcdef",       "home/.alice.provisiond-abcde",
				     "home/.alice.provisiond-abcd.f", "home/bob" };

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		scratch_mkdir(&fixture->scratch, kept[i], 0700);
	scratch_mkdir(&fixture->scratch, "home/.alice.provisiond-aB3dEf", 0700);
	scratch_write(&fixture->scratch, "home/.alice.provisiond-aB3dEf/.bashrc", "", 0644);
	assert_int_equal(home_sweep(&fixture->place, "/home", &swept, &fixture->report), HOME_DONE);
	assert_int_equal(swept, 1);
	assert_int_equal(scratch_count(&fixture->scratch, "home", ""), sizeof(kept) / sizeof(kept[0]));
	assert_int_equal(home_sweep(&fixture->place, "/nowhere", &swept, &fixture->report), HOME_DONE);
	assert_int_equal(swept, 0);
}

static enum home_result move_home(struct fixture *fixture, const char *to)
{
	return home_move(&fixture->place, fixture->request.path, to, fixture->request.uid, &fixture->report);
}

static void a_home_is_moved_with_all_that_is_in_it_and_closed_to_others(void **state)
{
	struct fixture *fixture = *state;

	fixture->request.mode = 0755;
	assert_int_equal(create(fixture), HOME_DONE);
	assert_int_equal(move_home(fixture, "/home/alice.2000"), HOME_DONE);
	assert_int_equal(scratch_count(&fixture->scratch, "home", ""), 1);
	assert_owned(fixture, "home/alice.2000", 0700);
	assert_int_equal(scratch_count(&fixture->scratch, "home/alice.2000", ".bashrc"), 1);
	/* After a crash it is asked for once more. */
	assert_int_equal(move_home(fixture, "/home/alice.2000"), HOME_DONE);
	assert_string_equal(fixture->report.fault, "");
}

static void a_home_is_never_moved_over_anything(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(move_home(fixture, "/home/alice.2000"), HOME_MISSING);
	assert_int_equal(create(fixture), HOME_DONE);
	scratch_write(&fixture->scratch, "home/file", "", 0644);
	assert_int_equal(move_home(fixture, "/home/file"), HOME_EXISTS);
	assert_int_equal(symlinkat("/nowhere", fixture->scratch.fd, "home/link"), 0);
	assert_int_equal(move_home(fixture, "/home/link"), HOME_EXISTS);
	assert_int_equal(move_home(fixture, "/home/alice"), HOME_EXISTS);
	assert_int_equal(move_home(fixture, "/nowhere/alice"), HOME_MISSING);
	assert_int_equal(move_home(fixture, "/home/../alice"), HOME_INVALID);
	assert_int_equal(scratch_count(&fixture->scratch, "home", ""), 3);
	assert_int_equal(scratch_count(&fixture->scratch, "home/alice", ".bashrc"), 1);
}

static void a_home_of_somebody_else_is_not_moved(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(create(fixture), HOME_DONE);
	fixture->request.uid++;
	assert_int_equal(move_home(fixture, "/home/alice.2000"), HOME_EXISTS);
	assert_fault(fixture, "belongs to uid");
	fixture->request.uid--;
	assert_int_equal(scratch_count(&fixture->scratch, "home", ""), 1);
	assert_true(exists(fixture, "home/alice"));
}

static void a_home_is_moved_where_a_rename_cannot_refuse_to_replace(void **state)
{
	struct fixture *fixture = *state;

	calls.no_noreplace = true;
	assert_int_equal(create(fixture), HOME_DONE);
	assert_int_equal(move_home(fixture, "/home/alice.2000"), HOME_DONE);
	assert_int_equal(create(fixture), HOME_DONE);
	assert_int_equal(move_home(fixture, "/home/alice.2000"), HOME_EXISTS);
	assert_int_equal(scratch_count(&fixture->scratch, "home", ""), 2);
}

static void every_result_has_its_text(void **state)
{
	(void)state;
	for (enum home_result result = 0; result < HOME_RESULT_COUNT; result++)
		assert_true(strlen(home_result_text(result)) > 10);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_home_is_copied_from_the_skeleton),
		CASE(the_mode_is_the_one_asked_for),
		CASE(a_home_without_skeleton_is_empty),
		CASE(missing_directories_above_it_are_made),
		CASE(what_is_there_already_is_left_alone),
		CASE(a_home_that_appears_meanwhile_is_not_replaced),
		CASE(it_works_where_a_rename_cannot_refuse_to_replace),
		CASE(paths_that_lead_elsewhere_are_refused),
		CASE(a_parent_that_others_can_write_is_refused),
		CASE(a_parent_of_somebody_else_is_refused),
		CASE(links_of_roots_above_a_home_are_followed),
		CASE(a_link_into_a_directory_of_others_is_refused),
		CASE(sockets_pipes_and_devices_in_the_skeleton_are_skipped),
		CASE(a_skeleton_that_cannot_be_trusted_is_refused),
		CASE(a_skeleton_that_is_too_deep_is_refused_and_leaves_nothing),
		CASE(a_failure_at_any_step_leaves_nothing),
		CASE(a_kill_while_creating_leaves_a_whole_home_or_what_is_swept),
		CASE(a_kill_while_removing_leaves_a_whole_home_or_what_is_swept),
		CASE(a_full_disk_leaves_nothing),
		CASE(a_home_is_examined_by_its_owner),
		CASE(removing_takes_the_home_and_nothing_else),
		CASE(a_home_of_somebody_else_is_not_removed),
		CASE(a_home_deeper_than_our_stack_and_locked_inside_is_removed),
		CASE(what_is_mounted_inside_a_home_is_not_emptied),
		CASE(only_our_leftovers_are_swept),
		CASE(a_home_is_moved_with_all_that_is_in_it_and_closed_to_others),
		CASE(a_home_is_never_moved_over_anything),
		CASE(a_home_of_somebody_else_is_not_moved),
		CASE(a_home_is_moved_where_a_rename_cannot_refuse_to_replace),
		CASE(every_result_has_its_text),
	};

	return cmocka_run_group_tests_name("home", tests, NULL, NULL);
}
