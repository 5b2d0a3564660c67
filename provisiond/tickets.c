/*
 * Keeps the tickets that are alive, in memory only: a restart makes all of them void.
 */
#include "provisiond/tickets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define TICKET_BYTES 32

struct ticket {
	struct ticket *next;
	int64_t ends_ms;
	uid_t uid;
	char text[TICKET_TEXT_SIZE];
	char account[ACCOUNT_NAME_MAX + 1];
	char typed[TICKET_TYPED_MAX + 1];
};

struct tickets {
	struct ticket *first;
	size_t count;
};

struct tickets *tickets_new(void)
{
	return calloc(1, sizeof(struct tickets));
}

/* Unlinks, wipes and frees the ticket that *link points to. */
static void end_ticket(struct tickets *tickets, struct ticket **link)
{
	struct ticket *ticket = *link;

	*link = ticket->next;
	tickets->count--;
	explicit_bzero(ticket, sizeof(*ticket));
	free(ticket);
}

void tickets_free(struct tickets *tickets)
{
	if (!tickets)
		return;
	while (tickets->first)
		end_ticket(tickets, &tickets->first);
	free(tickets);
}

static void end_expired(struct tickets *tickets, int64_t now_ms)
{
	struct ticket **link = &tickets->first;

	while (*link) {
		if ((*link)->ends_ms <= now_ms)
			end_ticket(tickets, link);
		else
			link = &(*link)->next;
	}
}

static int make_text(char text[TICKET_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[TICKET_BYTES];

	/* Never cut short for 256 bytes or less, once the pool is ready (getrandom(2)). */
	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return -EIO;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 0xf];
	}
	text[TICKET_TEXT_SIZE - 1] = '\0';
	explicit_bzero(bytes, sizeof(bytes));
	return 0;
}

int tickets_issue(struct tickets *tickets, const char *typed, const char *account, uid_t uid, int64_t now_ms,
		  char ret_text[TICKET_TEXT_SIZE])
{
	struct ticket *ticket;

	end_expired(tickets, now_ms);
	if (strlen(typed) > TICKET_TYPED_MAX || strlen(account) > ACCOUNT_NAME_MAX)
		return -EINVAL;
	if (tickets->count >= TICKETS_MAX)
		return -ENOSPC;
	ticket = calloc(1, sizeof(*ticket));
	if (!ticket)
		return -ENOMEM;
	if (make_text(ticket->text) != 0) {
		free(ticket);
		return -EIO;
	}
	ticket->ends_ms = now_ms + TICKET_LIFE_MS;
	ticket->uid = uid;
	(void)snprintf(ticket->typed, sizeof(ticket->typed), "%s", typed);
	(void)snprintf(ticket->account, sizeof(ticket->account), "%s", account);
	ticket->next = tickets->first;
	tickets->first = ticket;
	tickets->count++;
	memcpy(ret_text, ticket->text, TICKET_TEXT_SIZE);
	return 0;
}

/* Takes as long for every text of the right length, so that its time tells nothing about the ticket. */
static bool same_text(const char *one, const char *other)
{
	volatile unsigned char difference = 0;

	for (size_t i = 0; i < TICKET_TEXT_SIZE; i++)
		difference = (unsigned char)(difference | (one[i] ^ other[i]));
	return difference == 0;
}

static bool claim_fits(const struct ticket *ticket, const struct ticket_claim *claim)
{
	return strcmp(ticket->typed, claim->typed) == 0 && (!claim->has_uid || claim->uid == ticket->uid) &&
	       (claim->caller == 0 || claim->caller == ticket->uid);
}

bool tickets_redeem(struct tickets *tickets, const struct ticket_claim *claim, int64_t now_ms,
		    char ret_account[ACCOUNT_NAME_MAX + 1], uid_t *ret_uid)
{
	struct ticket **shown = NULL;
	bool fits;

	end_expired(tickets, now_ms);
	if (strlen(claim->text) != TICKET_TEXT_SIZE - 1)
		return false;
	for (struct ticket **link = &tickets->first; *link; link = &(*link)->next)
		if (same_text((*link)->text, claim->text))
			shown = link;
	if (!shown)
		return false;
	fits = claim_fits(*shown, claim);
	if (fits) {
		memcpy(ret_account, (*shown)->account, ACCOUNT_NAME_MAX + 1);
		*ret_uid = (*shown)->uid;
	}
	end_ticket(tickets, shown);
	return fits;
}
