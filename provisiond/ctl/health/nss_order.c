/*
 * Reads one line of nsswitch.conf(5).
 */
#include "provisiond/ctl/health/nss_order.h"

#include <string.h>
#include <strings.h>

#define BLANKS " \t\v\f\r"

static bool is(const char *word, size_t length, const char *text)
{
	return strlen(text) == length && strncasecmp(word, text, length) == 0;
}

/* What one STATUS=ACTION between brackets means for the search. */
static void take_action(const char *status, size_t status_length, bool returns, struct nss_step *step)
{
	bool others = *status == '!';

	if (others) {
		status++;
		status_length--;
	}
	if (is(status, status_length, "notfound")) {
		*(others ? &step->ends_when_away : &step->ends_when_unknown) = returns;
	} else if (is(status, status_length, "unavail") || is(status, status_length, "tryagain")) {
		if (others)
			step->ends_when_unknown = returns;
		if (!others || returns)
			step->ends_when_away = returns;
	} else if (others && is(status, status_length, "success")) {
		step->ends_when_unknown = step->ends_when_away = returns;
	}
}

/* "[NOTFOUND=return !UNAVAIL=continue]", without the brackets. */
static void take_actions(const char *at, const char *end, struct nss_step *step)
{
	while (at < end) {
		const char *status, *word;
		size_t status_length, length;

		at += strspn(at, BLANKS);
		if (at >= end)
			return;
		status = at;
		status_length = strcspn(at, "=]" BLANKS);
		word = status + status_length + strspn(status + status_length, BLANKS);
		if (word >= end || *word != '=')
			return;
		word += 1 + strspn(word + 1, BLANKS);
		length = strcspn(word, "]" BLANKS);
		take_action(status, status_length, is(word, length, "return"), step);
		at = word + length;
	}
}

static bool take_steps(const char *at, const char *end, struct nss_order *order)
{
	while (at < end) {
		struct nss_step *step;
		size_t length;

		at += strspn(at, BLANKS);
		if (at >= end)
			break;
		if (*at == '[') {
			const char *close = memchr(at, ']', (size_t)(end - at));

			if (order->count > 0)
				take_actions(at + 1, close ? close : end, &order->steps[order->count - 1]);
			at = close ? close + 1 : end;
			continue;
		}
		length = strcspn(at, BLANKS "[#\n");
		if (length > NSS_ORDER_NAME_MAX || order->count == NSS_ORDER_MAX)
			return false;
		step = &order->steps[order->count++];
		*step = (struct nss_step){ 0 };
		memcpy(step->name, at, length);
		at += length;
	}
	return true;
}

bool nss_order_parse(const char *text, const char *database, struct nss_order *ret_order)
{
	struct nss_order order = { 0 };
	bool found = false;

	for (unsigned line = 1; *text; line++) {
		size_t length = strcspn(text, "\n");
		const char *name = text + strspn(text, BLANKS), *end = text + strcspn(text, "#\n");
		size_t name_length = strcspn(name, BLANKS ":#\n");
		const char *colon = name + name_length + strspn(name + name_length, BLANKS);

		if (colon < end && *colon == ':' && name_length == strlen(database) &&
		    strncmp(name, database, name_length) == 0) {
			order = (struct nss_order){ .line = line };
			found = take_steps(colon + 1, end, &order);
		}
		text += length + (text[length] == '\n');
	}
	if (found)
		*ret_order = order;
	return found;
}

enum nss_order_fault nss_order_judge(const struct nss_order *order, const char *source, size_t *ret_step)
{
	size_t at = order->count;

	*ret_step = 0;
	for (size_t i = 0; i < order->count; i++) {
		if (strcmp(order->steps[i].name, source) != 0)
			continue;
		if (at < order->count)
			return NSS_ORDER_TWICE;
		at = i;
	}
	if (at == order->count)
		return NSS_ORDER_MISSING;
	for (size_t i = 0; i < at; i++) {
		if (!order->steps[i].ends_when_unknown && !order->steps[i].ends_when_away)
			continue;
		*ret_step = i;
		return NSS_ORDER_NOT_REACHED;
	}
	if (at + 1 < order->count) {
		*ret_step = at + 1;
		return NSS_ORDER_NOT_LAST;
	}
	return NSS_ORDER_GOOD;
}
