#include "tests/issuer/journal.h"

#include <stdio.h>
#include <string.h>

#include "tests/issuer/must.h"

static const char *const ENDPOINT_NAMES[ENDPOINT_COUNT] = {
	[ENDPOINT_DISCOVERY] = "discovery", [ENDPOINT_KEYS] = "keys",         [ENDPOINT_DEVICE] = "device",
	[ENDPOINT_TOKEN] = "token",         [ENDPOINT_USERINFO] = "userinfo", [ENDPOINT_INTROSPECT] = "introspect",
	[ENDPOINT_REVOKE] = "revoke",       [ENDPOINT_ACTIVATE] = "activate", [ENDPOINT_CONTROL] = "control",
	[ENDPOINT_OTHER] = "other",
};

const char *endpoint_name(enum endpoint endpoint)
{
	return ENDPOINT_NAMES[endpoint];
}

enum endpoint endpoint_named(const char *name)
{
	for (enum endpoint endpoint = 0; endpoint < ENDPOINT_COUNT; endpoint++)
		if (strcmp(ENDPOINT_NAMES[endpoint], name) == 0)
			return endpoint;
	return ENDPOINT_COUNT;
}

/* Clients may send any bytes; JSON takes text only. */
static void keep_printable(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

/* Appends what fits; names are cut rather than refused. */
static void note_fields(struct journal_entry *entry, const struct form *form)
{
	size_t used = 0;

	for (size_t i = 0; i < form->count && used < sizeof entry->fields; i++)
		used += (size_t)snprintf(entry->fields + used, sizeof entry->fields - used, "%s%s", i ? " " : "",
					 form->fields[i].name);
}

uint64_t journal_arrival(struct journal *journal, const struct request *request)
{
	uint64_t number = ++journal->numbers;
	struct journal_entry *entry = &journal->last[number % JOURNAL_LAST];

	journal->endpoints[request->endpoint].requests++;
	if (request->endpoint == ENDPOINT_CONTROL)
		return 0;
	memset(entry, 0, sizeof *entry);
	entry->number = number;
	entry->endpoint = request->endpoint;
	entry->time_ms = request->now_ms;
	snprintf(entry->method, sizeof entry->method, "%s", request->method);
	snprintf(entry->path, sizeof entry->path, "%s", request->path);
	if (request->authorization)
		snprintf(entry->credentials, sizeof entry->credentials, "%.*s",
			 (int)strcspn(request->authorization, " "), request->authorization);
	note_fields(entry, &request->form);
	keep_printable(entry->method);
	keep_printable(entry->path);
	keep_printable(entry->credentials);
	keep_printable(entry->fields);
	return number;
}

static struct journal_entry *entry_of(struct journal *journal, uint64_t number)
{
	struct journal_entry *entry = &journal->last[number % JOURNAL_LAST];

	return number != 0 && entry->number == number ? entry : NULL;
}

void journal_status(struct journal *journal, uint64_t number, unsigned status)
{
	struct journal_entry *entry = entry_of(journal, number);

	if (entry)
		entry->status = status;
}

void journal_served(struct journal *journal, uint64_t number, enum endpoint endpoint, int64_t service_us)
{
	struct journal_entry *entry = entry_of(journal, number);

	if (entry)
		entry->service_us = service_us;
	journal->endpoints[endpoint].served++;
	journal->endpoints[endpoint].last_us = service_us;
	journal->endpoints[endpoint].total_us += service_us;
	if (service_us > journal->endpoints[endpoint].max_us)
		journal->endpoints[endpoint].max_us = service_us;
}

void journal_reset(struct journal *journal)
{
	uint64_t open = journal->open_connections;
	uint64_t numbers = journal->numbers;

	memset(journal, 0, sizeof *journal);
	journal->open_connections = open;
	journal->numbers = numbers;
}

static json_t *describe_last(const struct journal *journal)
{
	json_t *list = must(json_array());
	uint64_t first = journal->numbers >= JOURNAL_LAST ? journal->numbers - JOURNAL_LAST + 1 : 1;

	for (uint64_t number = first; number <= journal->numbers; number++) {
		const struct journal_entry *entry = &journal->last[number % JOURNAL_LAST];

		if (entry->number != number)
			continue;
		json_array_append_new(
			list, must(json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:s, s:s}", "endpoint",
					     endpoint_name(entry->endpoint), "method", entry->method, "path",
					     entry->path, "time_ms", (json_int_t)entry->time_ms, "status",
					     (json_int_t)entry->status, "service_us", (json_int_t)entry->service_us,
					     "credentials", entry->credentials, "fields", entry->fields)));
	}
	return list;
}

json_t *journal_describe(const struct journal *journal)
{
	json_t *requests = must(json_object());
	json_t *service = must(json_object());

	for (enum endpoint endpoint = 0; endpoint < ENDPOINT_COUNT; endpoint++) {
		const char *name = endpoint_name(endpoint);

		json_object_set_new(requests, name, json_integer((json_int_t)journal->endpoints[endpoint].requests));
		json_object_set_new(
			service, name,
			must(json_pack("{s:I, s:I, s:I, s:I}", "count", (json_int_t)journal->endpoints[endpoint].served,
				       "last", (json_int_t)journal->endpoints[endpoint].last_us, "total",
				       (json_int_t)journal->endpoints[endpoint].total_us, "max",
				       (json_int_t)journal->endpoints[endpoint].max_us)));
	}
	return must(json_pack("{s:o, s:o, s:I, s:I, s:I, s:I, s:o}", "requests", requests, "service_us", service,
			      "connections", (json_int_t)journal->connections, "control_connections",
			      (json_int_t)journal->control_connections, "client_connections",
			      (json_int_t)(journal->connections - journal->control_connections), "open_connections",
			      (json_int_t)journal->open_connections, "last_requests", describe_last(journal)));
}
