/*
 * The manager's watchdog: how often it wants to hear of the daemon, and that work which goes on says so without
 * flooding it.
 */
#include "common/watchdog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/test_watchdog.XXXXXX";
static char path[64];
static int manager = -1;

static int listen_as_manager(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)state;
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/notify", folder);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return manager < 0 || bind(manager, (struct sockaddr *)&address, sizeof(address)) != 0 ||
			       setenv("NOTIFY_SOCKET", path, 1) != 0
		       ? -1
		       : 0;
}

static int hear_no_more(void **state)
{
	(void)state;
	(void)close(manager);
	(void)unlink(path);
	return rmdir(folder);
}

static void wants(const char *microseconds, const char *pid)
{
	assert_int_equal(microseconds ? setenv("WATCHDOG_USEC", microseconds, 1) : unsetenv("WATCHDOG_USEC"), 0);
	assert_int_equal(pid ? setenv("WATCHDOG_PID", pid, 1) : unsetenv("WATCHDOG_PID"), 0);
}

/* What the manager was told next, "" for nothing. */
static const char *told(void)
{
	static char text[256];
	ssize_t n = recv(manager, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void without_a_watchdog_there_is_nothing_to_do(void **state)
{
	(void)state;
	wants(NULL, NULL);
	assert_int_equal(watchdog_interval_ms(), 0);
	watchdog_progress();
	assert_string_equal(told(), "");
}

static void it_is_petted_twice_as_often_as_it_wants(void **state)
{
	char pid[16];

	(void)state;
	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	wants("30000000", pid);
	assert_int_equal(watchdog_interval_ms(), 15000);
	wants("30000000", NULL);
	assert_int_equal(watchdog_interval_ms(), 15000);
	wants("1", pid);
	assert_int_equal(watchdog_interval_ms(), 1);
}

static void another_process_or_nonsense_is_no_watchdog_of_ours(void **state)
{
	static const char *const nonsense[] = { "", "0", "-5", " 5", "5s", "99999999999999999999" };

	(void)state;
	wants("30000000", "1");
	assert_int_equal(watchdog_interval_ms(), 0);
	wants("30000000", "me");
	assert_int_equal(watchdog_interval_ms(), 0);
	for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
		wants(nonsense[i], NULL);
		assert_int_equal(watchdog_interval_ms(), 0);
	}
}

static void the_manager_hears_that_the_daemon_goes_on(void **state)
{
	(void)state;
	watchdog_pet();
	assert_string_equal(told(), "WATCHDOG=1");
}

static void long_work_tells_it_now_and_then(void **state)
{
	(void)state;
	wants("600000000", NULL);
	for (int i = 0; i < 1000; i++)
		watchdog_progress();
	assert_string_equal(told(), "WATCHDOG=1\nEXTEND_TIMEOUT_USEC=30000000");
	assert_string_equal(told(), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_watchdog_there_is_nothing_to_do),
		cmocka_unit_test(it_is_petted_twice_as_often_as_it_wants),
		cmocka_unit_test(another_process_or_nonsense_is_no_watchdog_of_ours),
		cmocka_unit_test(the_manager_hears_that_the_daemon_goes_on),
		cmocka_unit_test(long_work_tells_it_now_and_then),
	};

	return cmocka_run_group_tests(tests, listen_as_manager, hear_no_more);
}
