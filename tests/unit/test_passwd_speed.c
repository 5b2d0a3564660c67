/*
 * How long one account takes, among few and among many, and how long useradd(8) takes for one on the same disk. Figures
 * for people; nothing is held to them. Needs the machine of tests/sandbox.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <libgen.h>
#include <limits.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>

#include "provisiond/home.h"
#include "provisiond/passwd.h"
#include "tests/unit/scratch.h"

#define NOW 1700000000
#define TIMES 5
#define TOGETHER 200
#define USERADD "/usr/sbin/useradd"

static double now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int compare(const void *one, const void *other)
{
	const double *a = one, *b = other;

	return *a < *b ? -1 : *a > *b;
}

static double median(double times[TIMES])
{
	qsort(times, TIMES, sizeof(times[0]), compare);
	return times[TIMES / 2];
}

/* ---- a machine with so many users ---- */

/* On a disk, if the program is on one. */
static void make_scratch(struct scratch *scratch)
{
	char program[PATH_MAX] = "";
	ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
	int n = length > 0 ? snprintf(scratch->path, sizeof(scratch->path), "%s/speed-XXXXXX", dirname(program)) : -1;

	if (n < 0 || (size_t)n >= sizeof(scratch->path) || !mkdtemp(scratch->path)) {
		scratch_make(scratch);
		return;
	}
	scratch_must(chmod(scratch->path, 0755) == 0);
	scratch->fd = open(scratch->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scratch_must(scratch->fd >= 0);
}

static void put_rows(const struct scratch *scratch, const char *file, unsigned count, const char *first,
		     int (*print)(char *row, size_t size, unsigned n))
{
	char *text = malloc(count * (size_t)128 + 256);
	size_t length;

	scratch_must(text);
	length = (size_t)sprintf(text, "%s\n", first);
	for (unsigned n = 0; n < count; n++)
		length += (size_t)print(text + length, 128, n);
	scratch_write(scratch, file, text, strstr(file, "shadow") ? 0640 : 0644);
	free(text);
}

static int print_passwd(char *row, size_t size, unsigned n)
{
	return snprintf(row, size, "u%05u:x:%u:%u:User %u,,,:/home/u%05u:/bin/bash\n", n, 3000 + n, 3000 + n, n, n);
}

static int print_shadow(char *row, size_t size, unsigned n)
{
	return snprintf(row, size,
			"u%05u:$y$j9T$0123456789abcdefghijkl$0123456789abcdefghijklmnopq:19000:0:99999:7:::\n", n);
}

static int print_group(char *row, size_t size, unsigned n)
{
	return snprintf(row, size, "u%05u:x:%u:\n", n, 3000 + n);
}

static int print_gshadow(char *row, size_t size, unsigned n)
{
	return snprintf(row, size, "u%05u:!::\n", n);
}

static int print_subid(char *row, size_t size, unsigned n)
{
	return n > 5000 ? 0 : snprintf(row, size, "u%05u:%u:65536\n", n, 100000 + n * 65536);
}

static void make_machine(const struct scratch *scratch, unsigned count)
{
	char place[PATH_MAX];

	scratch_mkdir(scratch, "etc", 0755);
	scratch_mkdir(scratch, "etc/skel", 0755);
	scratch_mkdir(scratch, "home", 0755);
	scratch_write(scratch, "etc/skel/.profile", "# a profile\n", 0644);
	scratch_write(scratch, "etc/skel/.bashrc", "# settings\n", 0644);
	scratch_write(scratch, "etc/skel/.bash_logout", "# farewell\n", 0644);
	scratch_write(scratch, "etc/nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\n", 0644);
	scratch_write(scratch, "etc/login.defs", "USERGROUPS_ENAB yes\nUID_MAX 60000\nGID_MAX 60000\n", 0644);
	put_rows(scratch, "etc/passwd", count, "root:x:0:0:root:/root:/bin/bash", print_passwd);
	put_rows(scratch, "etc/shadow", count, "root:*:19000:0:99999:7:::", print_shadow);
	put_rows(scratch, "etc/group", count, "root:x:0:", print_group);
	put_rows(scratch, "etc/gshadow", count, "root:*::", print_gshadow);
	put_rows(scratch, "etc/subuid", count, "other:1:1", print_subid);
	put_rows(scratch, "etc/subgid", count, "other:1:1", print_subid);
	scratch_must(unshare(CLONE_NEWNS) == 0 && mount("", "/", "", MS_REC | MS_PRIVATE, "") == 0);
	(void)snprintf(place, sizeof(place), "%s/etc", scratch->path);
	scratch_must(mount(place, "/etc", "", MS_BIND, "") == 0);
	(void)snprintf(place, sizeof(place), "%s/home", scratch->path);
	scratch_must(mount(place, "/home", "", MS_BIND, "") == 0);
}

/* ---- making accounts ---- */

/* Rows, and homes from the skeleton, of `count` accounts at once. */
static double make_accounts(struct account_files *files, unsigned from, unsigned count, double *ret_rows)
{
	static const struct home_place place = HOME_PLACE_SYSTEM;
	static char names[TOGETHER][16], homes[TOGETHER][32];
	static struct account_entry entries[TOGETHER];
	struct home_report report;
	double begin = now_ms();

	for (unsigned i = 0; i < count; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "alice%u", from + i);
		(void)snprintf(homes[i], sizeof(homes[i]), "/home/alice%u", from + i);
		entries[i] = (struct account_entry){ .name = names[i],
						     .uid = 2000200001 + from + i,
						     .gid = 2000200001 + from + i,
						     .gecos = "Alice",
						     .home = homes[i],
						     .shell = "/bin/bash",
						     .first_subid = 1000000000 + (from + i) * SUBID_COUNT };
	}
	assert_int_equal(account_files_lock(files), 0);
	assert_int_equal(account_files_add(files, entries, count, NOW), ACCOUNT_FILES_DONE);
	account_files_unlock(files);
	*ret_rows = now_ms() - begin;
	for (unsigned i = 0; i < count; i++) {
		const struct home_request request = { .path = homes[i],
						      .skeleton = "/etc/skel",
						      .uid = entries[i].uid,
						      .gid = entries[i].gid,
						      .mode = 0700 };

		assert_int_equal(home_create(&place, &request, &report), HOME_DONE);
	}
	return now_ms() - begin;
}

static double run_useradd(unsigned n)
{
	double begin = now_ms();
	char name[16];
	int status = -1;
	pid_t child;

	(void)snprintf(name, sizeof(name), "bob%u", n);
	child = fork();
	if (child == 0) {
		(void)execl(USERADD, USERADD, "-m", "-s", "/bin/bash", name, (char *)NULL);
		_exit(127);
	}
	(void)waitpid(child, &status, 0);
	assert_int_equal(status, 0);
	return now_ms() - begin;
}

static void measure(const struct scratch *scratch, unsigned count)
{
	struct account_files *files = NULL;
	double ours[TIMES], rows[TIMES], theirs[TIMES], together, rows_together;

	make_machine(scratch, count);
	assert_int_equal(account_files_open("/", 0, &files), 0);
	for (unsigned i = 0; i < TIMES; i++) {
		ours[i] = make_accounts(files, i, 1, &rows[i]);
		theirs[i] = run_useradd(i);
	}
	together = make_accounts(files, TIMES, TOGETHER, &rows_together);
	account_files_close(files);
	print_message(
		"             %u users there: one account %.1f ms (%.1f without its home), by useradd -m %.1f ms: "
		"%.0f %% of that\n",
		count, median(ours), median(rows), median(theirs), 100 * median(ours) / median(theirs));
	print_message("             %d at once %.0f ms (%.0f without their homes): %.1f %% of so many useradd -m\n",
		      TOGETHER, together, rows_together, 100 * together / (TOGETHER * median(theirs)));
}

static void one_account_among_many_costs_what_the_files_cost(void **state)
{
	static const unsigned counts[] = { 100, 1000, 10000 };

	(void)state;
	if (geteuid() != 0 || access("/run/sandbox", F_OK) != 0 || access(USERADD, X_OK) != 0)
		skip();
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct scratch scratch;
		int status;
		pid_t child;

		make_scratch(&scratch);
		child = fork();
		if (child == 0) {
			measure(&scratch, counts[i]);
			_exit(0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		scratch_remove(&scratch);
		assert_int_equal(status, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_account_among_many_costs_what_the_files_cost),
	};

	return cmocka_run_group_tests_name("passwd, speed", tests, NULL, NULL);
}
