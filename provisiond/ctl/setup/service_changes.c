/*
 * Each unit is asked what it is now, so that undoing makes it that again: packages enable units that wait for a
 * configuration, and their sockets may be open already.
 */
#include "provisiond/ctl/setup/service_changes.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "provisiond/ctl/setup/change_inside.h"
#include "provisiond/ctl/setup/program.h"

/* Sockets first: a service that starts finds its own. */
static const char *const units[] = { "provisiond.socket", "pam_oidcd.socket", "provisiond.service",
				     "pam_oidcd.service" };
#define UNITS (sizeof(units) / sizeof(units[0]))

bool service_systemd_runs(void)
{
	return access("/run/systemd/system", F_OK) == 0 && program_exists(SYSTEMCTL);
}

/* Whether `systemctl QUESTION --quiet UNIT` says yes. */
static bool unit_is(const char *question, const char *unit)
{
	const char *const argv[] = { SYSTEMCTL, question, "--quiet", unit, NULL };
	char fault[CHANGE_FAULT_SIZE];

	return program_succeeds(argv, fault, sizeof(fault));
}

const char *service_sshd_unit(void)
{
	static const char *const names[] = { "ssh.service", "sshd.service" };

	for (size_t i = 0; service_systemd_runs() && i < sizeof(names) / sizeof(names[0]); i++) {
		const char *const argv[] = { SYSTEMCTL, "cat", names[i], NULL };
		char fault[CHANGE_FAULT_SIZE];

		if (program_succeeds(argv, fault, sizeof(fault)))
			return names[i];
	}
	return NULL;
}

struct order {
	const char *words[UNITS + 3];
	size_t count;
};

static void order_begin(struct order *order, const char *verb)
{
	*order = (struct order){ { SYSTEMCTL, verb }, 2 };
}

static const char *const *order_words(const struct order *order)
{
	return order->count > 2 ? order->words : NULL;
}

static bool add_order(struct change_set *set, const char *says, const struct order *apply, const struct order *undo,
		      char *fault, size_t fault_size)
{
	const struct change_step step = {
		.says = says,
		.apply = order_words(apply),
		.undo = undo ? order_words(undo) : NULL,
		.remedy = "Why is in the journal: journalctl -n 30 -u provisiond -u pam_oidcd",
	};

	return !step.apply || change_set_add_step(set, &step, fault, fault_size);
}

/* After everything else is taken back, the daemons that go on running read the configuration that they had. */
static bool undo_with_reload(struct change_set *set, char *fault, size_t fault_size)
{
	static const char *const again[] = { SYSTEMCTL, "try-reload-or-restart", "provisiond.service",
					     "pam_oidcd.service", NULL };
	const struct change_step step = { .says = "let the daemons read their configuration again", .undo = again };
	struct change last;

	if (!change_set_add_step(set, &step, fault, fault_size))
		return false;
	last = set->items[set->count - 1];
	memmove(set->items + 1, set->items, (set->count - 1) * sizeof(*set->items));
	set->items[0] = last;
	return true;
}

static bool plan_units(const struct system_choice *choice, struct change_set *set, char *fault, size_t fault_size)
{
	struct order enable, disable, start, stop, reload;
	bool were_active = false;

	order_begin(&enable, "enable");
	order_begin(&disable, "disable");
	order_begin(&start, "start");
	order_begin(&stop, "stop");
	order_begin(&reload, "reload-or-restart");
	for (size_t i = 0; i < UNITS; i++) {
		bool service = strstr(units[i], ".service") != NULL;

		if (!unit_is("is-enabled", units[i]))
			enable.words[enable.count++] = disable.words[disable.count++] = units[i];
		if (!unit_is("is-active", units[i]))
			start.words[start.count++] = stop.words[stop.count++] = units[i];
		else if (service && choice->configuration_changes) {
			reload.words[reload.count++] = units[i];
			were_active = true;
		}
	}
	return (!were_active || undo_with_reload(set, fault, fault_size)) &&
	       add_order(set, "enable the daemons, so that they run after the next start of the machine", &enable,
			 &disable, fault, fault_size) &&
	       add_order(set, "let the daemons read their configuration again", &reload, NULL, fault, fault_size) &&
	       add_order(set, "start the daemons", &start, &stop, fault, fault_size);
}

bool service_changes_plan(const struct system_choice *choice, struct change_set *set, char *fault, size_t fault_size)
{
	if (service_systemd_runs())
		return plan_units(choice, set, fault, fault_size);
	return change_set_add_note(
		set,
		"This machine is not run by systemd. Start the daemons yourself, now and whenever the "
		"machine starts: " SBINDIR "/provisiond as root, then " SBINDIR
		"/pam_oidcd as root, which becomes _pam_oidc. If they run already, send both SIGHUP.",
		fault, fault_size);
}
