/*
 * Reads the two variables of sd_watchdog_enabled(3). See watchdog.h.
 */
#include "common/watchdog.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/listen.h"
#include "common/wire.h"

#define PROGRESS_EVERY_MS 5000
#define MORE_TIME_US 30000000

/* False for anything but a whole number above 0. */
static bool read_number(const char *text, long long *ret_number)
{
	char *end;
	long long number;

	if (!text || text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	number = strtoll(text, &end, 10);
	if (errno != 0 || *end != '\0' || number <= 0)
		return false;
	*ret_number = number;
	return true;
}

int64_t watchdog_interval_ms(void)
{
	const char *whose = getenv("WATCHDOG_PID");
	long long patience_us, pid;

	if (!read_number(getenv("WATCHDOG_USEC"), &patience_us))
		return 0;
	/* Without it every process of the service is meant. */
	if (whose && (!read_number(whose, &pid) || pid != getpid()))
		return 0;
	return patience_us < 2000 ? 1 : patience_us / 2000;
}

void watchdog_pet(void)
{
	notify_manager("WATCHDOG=1");
}

void watchdog_progress(void)
{
	static int64_t last_ms;
	int64_t interval_ms = watchdog_interval_ms(), now_ms;
	char state[64];

	if (interval_ms == 0)
		return;
	now_ms = wire_now_ms();
	if (now_ms - last_ms < (interval_ms < PROGRESS_EVERY_MS ? interval_ms : PROGRESS_EVERY_MS))
		return;
	last_ms = now_ms;
	(void)snprintf(state, sizeof(state), "WATCHDOG=1\nEXTEND_TIMEOUT_USEC=%d", MORE_TIME_US);
	notify_manager(state);
}
