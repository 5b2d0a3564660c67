/*
 * Asking other name services: every promise of provisiond/sources.h, with services of the test's own
 * (tests/unit/sources).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "common/log.h"
#include "common/wire.h"
#include "provisiond/nsswitch.h"
#include "provisiond/sources.h"
#include "tests/unit/scratch.h"
#include "tests/unit/own_libraries.h"

#define LONG_MS 5000
#define ANSWERS_MAX 64

struct fixture {
	struct scratch scratch;
	char nsswitch[96];
	struct sources *sources;
};

/* What came of one question: the weightier of what was found out about the name and about the number, and both. */
struct heard {
	unsigned times;
	enum source_answer answer;
	char source[32];
	enum source_answer name, uid;
};

static char logged[4096];

static void keep_line(int priority, const char *line)
{
	(void)priority;
	(void)strncat(logged, line, sizeof(logged) - strlen(logged) - 1);
	(void)strncat(logged, "\n", sizeof(logged) - strlen(logged) - 1);
}

static void hear(void *context, const struct source_verdict *name, const struct source_verdict *uid)
{
	bool of_uid = uid->answer == SOURCE_KNOWN || name->answer == SOURCE_UNKNOWN;
	const struct source_verdict *weightier = name->answer == SOURCE_KNOWN || !of_uid ? name : uid;
	struct heard *heard = context;

	heard->times++;
	heard->name = name->answer;
	heard->uid = uid->answer;
	heard->answer = weightier->answer;
	(void)snprintf(heard->source, sizeof(heard->source), "%s", weightier->source ? weightier->source : "");
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	scratch_must(fixture);
	scratch_make(&fixture->scratch);
	(void)snprintf(fixture->nsswitch, sizeof(fixture->nsswitch), "%s/nsswitch.conf", fixture->scratch.path);
	logged[0] = '\0';
	log_divert(keep_line);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	sources_stop(fixture->sources);
	log_divert(NULL);
	(void)unlink(SOURCES_TEST "/libnss_late.so.2");
	scratch_remove(&fixture->scratch);
	free(fixture);
	return 0;
}

static void start(struct fixture *fixture, const char *nsswitch)
{
	scratch_write(&fixture->scratch, "nsswitch.conf", nsswitch, 0644);
	fixture->sources = sources_start(fixture->nsswitch);
	assert_non_null(fixture->sources);
}

/* One turn of a daemon's loop. */
static void turn(struct sources *sources)
{
	struct pollfd polled = { .fd = sources_fd(sources), .events = POLLIN };
	int64_t deadline = sources_next_deadline_ms(sources), now = wire_now_ms();
	int timeout = deadline < 0 ? 0 : deadline < now ? 0 : (int)(deadline - now);

	if (poll(&polled, 1, timeout) > 0)
		sources_on_readable(sources);
	else
		sources_on_timer(sources, wire_now_ms());
}

static void wait_for(struct sources *sources, const struct heard *heard)
{
	int64_t end = wire_now_ms() + 2 * LONG_MS;

	while (heard->times == 0 && wire_now_ms() < end)
		turn(sources);
	assert_int_equal(heard->times, 1);
}

static struct heard ask_until(struct fixture *fixture, const char *name, bool with_uid, uid_t uid, int64_t timeout_ms)
{
	struct heard heard = { 0 };

	assert_int_equal(sources_ask(fixture->sources, name, with_uid, uid, wire_now_ms() + timeout_ms, hear, &heard),
			 0);
	wait_for(fixture->sources, &heard);
	return heard;
}

static struct heard ask(struct fixture *fixture, const char *name, bool with_uid, uid_t uid)
{
	return ask_until(fixture, name, with_uid, uid, LONG_MS);
}

static void assert_heard(struct heard heard, enum source_answer answer, const char *source)
{
	assert_int_equal(heard.answer, answer);
	assert_string_equal(heard.source, source);
}

static int children(void)
{
	/* ECHILD: none at all, not even one that is dead and not waited for. */
	return waitid(P_ALL, 0, &(siginfo_t){ 0 }, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* ---- nsswitch.conf ---- */

static void the_sources_of_users_and_groups_are_read(void **state)
{
	struct nss_sources sources;

	(void)state;
	assert_true(nsswitch_parse("# passwd: commented\n"
				   "passwd:\tfiles [!UNAVAIL=return] sss [ NOTFOUND = return ] systemd # winbind\n"
				   "  group : oidc systemd ldap[SUCCESS=merge]db\n"
				   "shadow: files nothing\n"
				   "hosts: dns\n"
				   "passwd_compat: nis\n",
				   &sources));
	assert_int_equal(sources.count, 4);
	assert_string_equal(sources.items[0].name, "sss");
	assert_true(sources.items[0].users && !sources.items[0].groups);
	assert_string_equal(sources.items[1].name, "systemd");
	assert_true(sources.items[1].users && sources.items[1].groups);
	assert_string_equal(sources.items[2].name, "ldap");
	assert_string_equal(sources.items[3].name, "db");
	assert_true(!sources.items[3].users && sources.items[3].groups);
}

static void odd_lines_are_read_safely(void **state)
{
	struct nss_sources sources;

	(void)state;
	assert_true(nsswitch_parse("", &sources));
	assert_int_equal(sources.count, 0);
	assert_true(nsswitch_parse("passwd:", &sources));
	assert_true(nsswitch_parse("passwd", &sources));
	assert_true(nsswitch_parse("passwd: files [NOTFOUND=return sss\ngroup: files", &sources));
	assert_int_equal(sources.count, 0);
	assert_true(nsswitch_parse("\n\n \npasswd:files\tfirst", &sources));
	assert_int_equal(sources.count, 1);
	assert_true(nsswitch_parse("passwd: # nothing\nfirst\n", &sources));
	assert_int_equal(sources.count, 0);
	assert_false(nsswitch_parse("passwd: ../../tmp/evil", &sources));
	assert_false(nsswitch_parse("passwd: a-name-of-far-more-than-thirty-one-bytes", &sources));
	assert_false(nsswitch_parse("passwd: a b c d e f g h i j k l m n o p q", &sources));
}

static void without_other_sources_the_answer_comes_at_once_and_without_a_child(void **state)
{
	struct fixture *fixture = *state;
	struct heard heard = { 0 };

	start(fixture, "passwd: files oidc\ngroup: files\n");
	assert_int_equal(sources_ask(fixture->sources, "alice", true, 5, wire_now_ms(), hear, &heard), 0);
	assert_int_equal(heard.times, 1);
	assert_heard(heard, SOURCE_UNKNOWN, "");
	assert_false(children());
	assert_int_equal(sources_next_deadline_ms(fixture->sources), -1);
}

static void a_missing_file_means_no_other_source(void **state)
{
	struct fixture *fixture = *state;

	fixture->sources = sources_start(fixture->nsswitch);
	assert_heard(ask(fixture, "known", false, 0), SOURCE_UNKNOWN, "");
}

static void a_file_that_cannot_be_understood_makes_everything_unavailable(void **state)
{
	struct fixture *fixture = *state;

	start(fixture, "passwd: ../evil\n");
	assert_heard(ask(fixture, "alice", false, 0), SOURCE_UNAVAILABLE, "");
	assert_non_null(strstr(logged, "nsswitch.conf cannot be read or understood"));
	scratch_write(&fixture->scratch, "nsswitch.conf", "passwd: files\n", 0644);
	assert_heard(ask(fixture, "alice", false, 0), SOURCE_UNKNOWN, "");
}

/* ---- answers ---- */

static void names_and_numbers_are_asked_as_users_and_groups(void **state)
{
	struct fixture *fixture = *state;
	struct heard both;

	start(fixture, "passwd: files first\ngroup: files first\n");
	assert_heard(ask(fixture, "alice", true, 5), SOURCE_UNKNOWN, "");
	assert_heard(ask(fixture, "known", false, 0), SOURCE_KNOWN, "first");
	assert_heard(ask(fixture, "known-group", false, 0), SOURCE_KNOWN, "first");
	assert_heard(ask(fixture, NULL, true, 4242), SOURCE_KNOWN, "first");
	assert_heard(ask(fixture, NULL, true, 4343), SOURCE_KNOWN, "first");
	assert_heard(ask(fixture, "alice", false, 4242), SOURCE_UNKNOWN, "");
	assert_heard(ask(fixture, "alice", true, 4242), SOURCE_KNOWN, "first");
	both = ask(fixture, "alice", true, 4242);
	assert_true(both.name == SOURCE_UNKNOWN && both.uid == SOURCE_KNOWN);
	both = ask(fixture, "known", true, 5);
	assert_true(both.name == SOURCE_KNOWN && both.uid == SOURCE_UNKNOWN);
}

static void a_user_can_be_asked_for_alone(void **state)
{
	static const char *const names[] = { "alice", "known", "known-group", "down" };
	static const enum source_answer answers[] = { SOURCE_UNKNOWN, SOURCE_KNOWN, SOURCE_UNKNOWN,
						      SOURCE_UNAVAILABLE };
	struct fixture *fixture = *state;

	start(fixture, "passwd: files first\ngroup: files first\n");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct heard heard = { 0 };

		assert_int_equal(
			sources_ask_for_user(fixture->sources, names[i], wire_now_ms() + LONG_MS, hear, &heard), 0);
		wait_for(fixture->sources, &heard);
		assert_int_equal(heard.name, answers[i]);
		assert_int_equal(heard.uid, SOURCE_UNKNOWN);
	}
}

static void a_source_is_asked_for_what_its_line_says_only(void **state)
{
	struct fixture *fixture = *state;

	start(fixture, "passwd: first\ngroup: second\n");
	assert_heard(ask(fixture, "known-group", false, 0), SOURCE_KNOWN, "second");
	assert_heard(ask(fixture, "known", false, 0), SOURCE_KNOWN, "first");
	assert_heard(ask(fixture, "known-to-second", false, 0), SOURCE_UNKNOWN, "");
}

static void not_found_and_no_answer_are_told_apart(void **state)
{
	struct fixture *fixture = *state;

	start(fixture, "passwd: first second\n");
	assert_heard(ask(fixture, "alice", false, 0), SOURCE_UNKNOWN, "");
	assert_heard(ask(fixture, "down", false, 0), SOURCE_UNAVAILABLE, "first");
	assert_heard(ask(fixture, "down-in-second", false, 0), SOURCE_UNAVAILABLE, "second");
	assert_heard(ask(fixture, "busy", false, 0), SOURCE_UNAVAILABLE, "first");
}

static void a_source_that_knows_outweighs_one_that_is_silent(void **state)
{
	struct fixture *fixture = *state;

	start(fixture, "passwd: broken first second\n");
	assert_heard(ask(fixture, "known-to-second", false, 0), SOURCE_KNOWN, "second");
	assert_heard(ask(fixture, "alice", false, 0), SOURCE_UNAVAILABLE, "broken");
}

static void a_large_entry_gets_a_larger_buffer(void **state)
{
	struct fixture *fixture = *state;

	start(fixture, "passwd: first\n");
	assert_heard(ask(fixture, "large", false, 0), SOURCE_KNOWN, "first");
	assert_heard(ask(fixture, "endless", false, 0), SOURCE_UNAVAILABLE, "first");
}

static void a_source_without_library_knows_nobody_and_is_reported_once(void **state)
{
	struct fixture *fixture = *state;
	const char *first;

	start(fixture, "passwd: nosuchsource hollow\n");
	for (unsigned i = 0; i < 3; i++)
		assert_heard(ask(fixture, "alice", true, 5), SOURCE_UNKNOWN, "");
	first = strstr(logged, "names the source 'nosuchsource', but there is no libnss_nosuchsource.so.2");
	assert_non_null(first);
	assert_null(strstr(first + strlen("names the source"), "names the source 'nosuch"));
	assert_null(strstr(logged, "hollow"));
}

static void a_library_that_cannot_be_loaded_is_unavailable_and_reported_once(void **state)
{
	struct fixture *fixture = *state;
	const char *first;

	start(fixture, "passwd: broken\n");
	for (unsigned i = 0; i < 3; i++)
		assert_heard(ask(fixture, "alice", true, 5), SOURCE_UNAVAILABLE, "broken");
	first = strstr(logged, "libnss_broken.so.2 cannot be loaded");
	assert_non_null(first);
	assert_null(strstr(first + 1, "libnss_broken.so.2 cannot be loaded"));
}

static void a_library_that_is_installed_later_is_asked(void **state)
{
	struct fixture *fixture = *state;

	if (access(SOURCES_TEST, W_OK) != 0)
		skip(); /* built by another user */
	start(fixture, "passwd: late\n");
	assert_heard(ask(fixture, "known", false, 0), SOURCE_UNKNOWN, "");
	assert_int_equal(symlink("late.so", SOURCES_TEST "/libnss_late.so.2"), 0);
	assert_heard(ask(fixture, "known", false, 0), SOURCE_KNOWN, "late");
}

static void an_sss_that_was_never_set_up_knows_nobody(void **state)
{
	struct fixture *fixture = *state;

	/* Without sssd on this machine there is neither library nor configuration; with it, it answers for itself. */
	if (access("/etc/sssd", F_OK) == 0)
		skip();
	start(fixture, "passwd: files sss\n");
	assert_heard(ask(fixture, "alice", true, 2000200001), SOURCE_UNKNOWN, "");
}

static void systemd_answers_without_systemd_running(void **state)
{
	struct fixture *fixture = *state;
	struct heard heard;

	start(fixture, "passwd: files systemd\ngroup: files systemd\n");
	heard = ask(fixture, "nobody-of-that-name", true, 2000200001);
	assert_heard(heard, SOURCE_UNKNOWN, "");
}

static void questions_that_ask_nothing_are_refused(void **state)
{
	struct fixture *fixture = *state;
	struct heard heard = { 0 };
	char name[300];

	memset(name, 'a', sizeof(name));
	name[256] = '\0';
	start(fixture, "passwd: first\n");
	assert_int_equal(sources_ask(fixture->sources, NULL, false, 0, 0, hear, &heard), -EINVAL);
	assert_int_equal(sources_ask(fixture->sources, "", true, 1, 0, hear, &heard), -EINVAL);
	assert_int_equal(sources_ask(fixture->sources, name, false, 0, 0, hear, &heard), -EINVAL);
	assert_int_equal(sources_ask_for_user(fixture->sources, "", 0, hear, &heard), -EINVAL);
	assert_int_equal(sources_ask_for_user(fixture->sources, name, 0, hear, &heard), -EINVAL);
	name[255] = '\0';
	assert_heard(ask(fixture, name, false, 0), SOURCE_UNKNOWN, "");
	assert_int_equal(heard.times, 0);
}

/* ---- sources that hang or die ---- */

static void a_source_that_hangs_is_abandoned_at_the_deadline(void **state)
{
	struct fixture *fixture = *state;
	int64_t begin = wire_now_ms();

	start(fixture, "passwd: first\n");
	assert_heard(ask_until(fixture, "hangs", false, 0, 100), SOURCE_UNAVAILABLE, "first");
	assert_true(wire_now_ms() - begin >= 100 && wire_now_ms() - begin < 2000);
	assert_heard(ask(fixture, "known", false, 0), SOURCE_KNOWN, "first"); /* by a new child */
}

/* The one that hangs is named to the admin, wherever in the list it stands. */
static void the_source_that_hangs_is_the_one_that_is_told(void **state)
{
	struct fixture *fixture = *state;

	start(fixture, "passwd: hollow first second\n");
	assert_heard(ask(fixture, "alice", false, 0), SOURCE_UNKNOWN, "");
	assert_heard(ask_until(fixture, "hangs-in-second", false, 0, 1000), SOURCE_UNAVAILABLE, "second");
}

static void asking_never_blocks_while_a_source_hangs(void **state)
{
	struct fixture *fixture = *state;
	struct heard heard[ANSWERS_MAX] = { 0 };
	struct timespec begin, end;

	start(fixture, "passwd: first\n");
	(void)clock_gettime(CLOCK_MONOTONIC, &begin);
	for (unsigned i = 0; i < ANSWERS_MAX; i++)
		assert_int_equal(sources_ask(fixture->sources, i == 0 ? "hangs" : "known", false, 0,
					     wire_now_ms() + 300, hear, &heard[i]),
				 0);
	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	assert_true((end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000 < 200);
	wait_for(fixture->sources, &heard[0]);
	/* What waits behind it, waits for the same source. */
	for (unsigned i = 0; i < ANSWERS_MAX; i++) {
		assert_int_equal(heard[i].times, 1);
		assert_heard(heard[i], SOURCE_UNAVAILABLE, "first");
	}
	assert_int_equal(sources_next_deadline_ms(fixture->sources), -1);
}

static void a_waiting_question_with_an_earlier_deadline_ends_alone(void **state)
{
	struct fixture *fixture = *state;
	struct heard hangs = { 0 }, early = { 0 }, later = { 0 };
	int64_t now = wire_now_ms();

	start(fixture, "passwd: first\n");
	assert_int_equal(sources_ask(fixture->sources, "hangs", false, 0, now + 400, hear, &hangs), 0);
	assert_int_equal(sources_ask(fixture->sources, "known", false, 0, now + 100, hear, &early), 0);
	assert_int_equal(sources_ask(fixture->sources, "known", false, 0, now + 5000, hear, &later), 0);
	assert_int_equal(sources_next_deadline_ms(fixture->sources), now + 100);
	wait_for(fixture->sources, &early);
	assert_heard(early, SOURCE_UNAVAILABLE, "");
	assert_int_equal(hangs.times + later.times, 0);
	wait_for(fixture->sources, &hangs);
	assert_int_equal(later.times, 1);
}

static void a_source_that_crashes_costs_its_question_only(void **state)
{
	struct fixture *fixture = *state;
	struct heard crashed = { 0 }, next = { 0 };

	start(fixture, "passwd: second first\n");
	assert_int_equal(sources_ask(fixture->sources, "crashes", false, 0, wire_now_ms() + LONG_MS, hear, &crashed),
			 0);
	assert_int_equal(sources_ask(fixture->sources, "known", false, 0, wire_now_ms() + LONG_MS, hear, &next), 0);
	wait_for(fixture->sources, &crashed);
	assert_heard(crashed, SOURCE_UNAVAILABLE, "second");
	wait_for(fixture->sources, &next);
	assert_heard(next, SOURCE_KNOWN, "second");
}

static pid_t child_of_ours(void)
{
	char path[64], text[32] = { 0 };
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	(void)fclose(file);
	return (pid_t)strtol(text, NULL, 10);
}

static void a_child_that_died_while_idle_is_replaced_unnoticed(void **state)
{
	struct fixture *fixture = *state;
	pid_t child;

	start(fixture, "passwd: first\n");
	assert_heard(ask(fixture, "known", false, 0), SOURCE_KNOWN, "first");
	child = child_of_ours();
	if (child <= 0)
		skip(); /* a kernel without CONFIG_PROC_CHILDREN */
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, (id_t)child, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	assert_heard(ask(fixture, "known", false, 0), SOURCE_KNOWN, "first");
	assert_true(child_of_ours() != child);
}

static void stopping_leaves_no_child_and_answers_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct heard heard = { 0 };

	start(fixture, "passwd: first\n");
	assert_int_equal(sources_ask(fixture->sources, "hangs", false, 0, wire_now_ms() + LONG_MS, hear, &heard), 0);
	assert_int_equal(sources_ask(fixture->sources, "known", false, 0, wire_now_ms() + LONG_MS, hear, &heard), 0);
	sources_stop(fixture->sources);
	fixture->sources = NULL;
	assert_int_equal(heard.times, 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void the_child_dies_with_its_parent(void **state)
{
	struct fixture *fixture = *state;
	siginfo_t died;
	pid_t parent, orphan = 0;
	int pair[2];

	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0); /* so that we see it */
	assert_int_equal(pipe(pair), 0);
	scratch_write(&fixture->scratch, "nsswitch.conf", "passwd: first\n", 0644);
	parent = fork();
	if (parent == 0) {
		struct heard heard = { 0 };

		fixture->sources = sources_start(fixture->nsswitch);
		(void)sources_ask(fixture->sources, "known", false, 0, wire_now_ms() + LONG_MS, hear, &heard);
		while (heard.times == 0)
			turn(fixture->sources);
		(void)sources_ask(fixture->sources, "hangs", false, 0, wire_now_ms() + LONG_MS, hear, &heard);
		orphan = child_of_ours();
		(void)!write(pair[1], &orphan, sizeof(orphan));
		(void)kill(getpid(), SIGKILL);
	}
	assert_int_equal(read(pair[0], &orphan, sizeof(orphan)), sizeof(orphan));
	assert_int_equal(waitpid(parent, NULL, 0), parent);
	if (orphan > 0) {
		assert_int_equal(waitid(P_PID, (id_t)orphan, &died, WEXITED), 0);
		assert_int_equal(died.si_status, SIGKILL);
	}
	(void)close(pair[0]);
	(void)close(pair[1]);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 0);
}

static void the_child_inherits_no_descriptors_and_no_environment(void **state)
{
	struct fixture *fixture = *state;

	start(fixture, "passwd: first\n");
	assert_heard(ask(fixture, "has-environment", false, 0), SOURCE_UNKNOWN, "");
	assert_heard(ask(fixture, "has-descriptors", false, 0), SOURCE_UNKNOWN, "");
}

/* ---- cancelling, asking again, changing the configuration ---- */

static void a_cancelled_question_is_never_answered(void **state)
{
	struct fixture *fixture = *state;
	struct heard asked = { 0 }, waiting = { 0 }, last = { 0 };

	start(fixture, "passwd: first\n");
	assert_int_equal(sources_ask(fixture->sources, "hangs", false, 0, wire_now_ms() + 100, hear, &asked), 0);
	assert_int_equal(sources_ask(fixture->sources, "known", false, 0, wire_now_ms() + LONG_MS, hear, &waiting), 0);
	sources_cancel(fixture->sources, &asked);
	sources_cancel(fixture->sources, &waiting);
	assert_int_equal(sources_ask(fixture->sources, "known", false, 0, wire_now_ms() + LONG_MS, hear, &last), 0);
	wait_for(fixture->sources, &last); /* the hanging one still measures the child */
	assert_int_equal(asked.times + waiting.times, 0);
	assert_heard(ask(fixture, "known", false, 0), SOURCE_KNOWN, "first");
}

struct chain {
	struct fixture *fixture;
	struct heard cancelled, asked;
};

static void ask_and_cancel(void *context, const struct source_verdict *name, const struct source_verdict *uid)
{
	struct chain *chain = context;

	(void)name;
	(void)uid;
	sources_cancel(chain->fixture->sources, &chain->cancelled);
	assert_int_equal(
		sources_ask(chain->fixture->sources, "known", false, 0, wire_now_ms() + LONG_MS, hear, &chain->asked),
		0);
}

static void whoever_is_told_may_ask_and_cancel(void **state)
{
	struct fixture *fixture = *state;
	struct chain chain = { .fixture = fixture };

	start(fixture, "passwd: first\n");
	assert_int_equal(sources_ask(fixture->sources, "hangs", false, 0, wire_now_ms() + 100, ask_and_cancel, &chain),
			 0);
	assert_int_equal(sources_ask(fixture->sources, "known", false, 0, wire_now_ms() + 100, hear, &chain.cancelled),
			 0);
	wait_for(fixture->sources, &chain.asked);
	assert_heard(chain.asked, SOURCE_KNOWN, "first");
	assert_int_equal(chain.cancelled.times, 0);
}

static void a_changed_file_counts_for_the_next_question(void **state)
{
	struct fixture *fixture = *state;
	int fd;

	start(fixture, "passwd: first\n");
	fd = sources_fd(fixture->sources);
	assert_heard(ask(fixture, "known-to-second", false, 0), SOURCE_UNKNOWN, "");
	scratch_write(&fixture->scratch, "nsswitch.conf", "passwd: secon2\n", 0644);
	scratch_write(&fixture->scratch, "nsswitch.conf", "passwd: second\n", 0644);
	assert_heard(ask(fixture, "known-to-second", false, 0), SOURCE_KNOWN, "second");
	scratch_write(&fixture->scratch, "nsswitch.conf", "passwd: files\n", 0644);
	assert_heard(ask(fixture, "known-to-second", false, 0), SOURCE_UNKNOWN, "");
	assert_int_equal(sources_fd(fixture->sources), fd);
}

static void a_question_under_way_is_asked_again_after_a_change(void **state)
{
	struct fixture *fixture = *state;
	struct heard under_way = { 0 }, next = { 0 };

	start(fixture, "passwd: first\n");
	assert_int_equal(sources_ask(fixture->sources, "hangs", false, 0, wire_now_ms() + LONG_MS, hear, &under_way),
			 0);
	scratch_write(&fixture->scratch, "nsswitch.conf", "group: first\n", 0644);
	assert_int_equal(sources_ask(fixture->sources, "known-group", false, 0, wire_now_ms() + LONG_MS, hear, &next),
			 0);
	wait_for(fixture->sources, &under_way);
	assert_heard(under_way, SOURCE_UNKNOWN, "");
	wait_for(fixture->sources, &next);
	assert_heard(next, SOURCE_KNOWN, "first");
}

static void many_questions_are_answered_in_turn(void **state)
{
	struct fixture *fixture = *state;
	struct timespec begin, end;

	start(fixture, "passwd: first\ngroup: first\n");
	(void)ask(fixture, "alice", true, 5);
	(void)clock_gettime(CLOCK_MONOTONIC, &begin);
	for (unsigned i = 0; i < 1000; i++)
		assert_heard(ask(fixture, i % 2 ? "known" : "alice", false, 0), i % 2 ? SOURCE_KNOWN : SOURCE_UNKNOWN,
			     i % 2 ? "first" : "");
	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	print_message("             one question to another name service: %.1f us\n",
		      (double)(end.tv_sec - begin.tv_sec) * 1e3 + (double)(end.tv_nsec - begin.tv_nsec) / 1e6);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(int count, char **arguments)
{
	(void)count;
	const struct CMUnitTest tests[] = {
		CASE(the_sources_of_users_and_groups_are_read),
		CASE(odd_lines_are_read_safely),
		CASE(without_other_sources_the_answer_comes_at_once_and_without_a_child),
		CASE(a_missing_file_means_no_other_source),
		CASE(a_file_that_cannot_be_understood_makes_everything_unavailable),
		CASE(names_and_numbers_are_asked_as_users_and_groups),
		CASE(a_user_can_be_asked_for_alone),
		CASE(a_source_is_asked_for_what_its_line_says_only),
		CASE(not_found_and_no_answer_are_told_apart),
		CASE(a_source_that_knows_outweighs_one_that_is_silent),
		CASE(a_large_entry_gets_a_larger_buffer),
		CASE(a_source_without_library_knows_nobody_and_is_reported_once),
		CASE(a_library_that_cannot_be_loaded_is_unavailable_and_reported_once),
		CASE(a_library_that_is_installed_later_is_asked),
		CASE(an_sss_that_was_never_set_up_knows_nobody),
		CASE(systemd_answers_without_systemd_running),
		CASE(questions_that_ask_nothing_are_refused),
		CASE(a_source_that_hangs_is_abandoned_at_the_deadline),
		CASE(the_source_that_hangs_is_the_one_that_is_told),
		CASE(asking_never_blocks_while_a_source_hangs),
		CASE(a_waiting_question_with_an_earlier_deadline_ends_alone),
		CASE(a_source_that_crashes_costs_its_question_only),
		CASE(a_child_that_died_while_idle_is_replaced_unnoticed),
		CASE(stopping_leaves_no_child_and_answers_nothing),
		CASE(the_child_dies_with_its_parent),
		CASE(the_child_inherits_no_descriptors_and_no_environment),
		CASE(a_cancelled_question_is_never_answered),
		CASE(whoever_is_told_may_ask_and_cancel),
		CASE(a_changed_file_counts_for_the_next_question),
		CASE(a_question_under_way_is_asked_again_after_a_change),
		CASE(many_questions_are_answered_in_turn),
	};

	look_for_libraries_here_too(arguments);
	return cmocka_run_group_tests_name("sources", tests, NULL, NULL);
}
