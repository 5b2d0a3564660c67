/*
 * The request table of provisiond: which operations there are, and who may ask for them.
 */
#ifndef PROVISIOND_REQUESTS_H
#define PROVISIOND_REQUESTS_H

#include "provisiond/server.h"
#include "provisiond/service.h"

/* Answers one message, now or later. A message that is not in the table, that this caller may not send, or that is
 * malformed ends its connection. `context` is the struct service. For server_new(). */
question_handler requests_handle;

/* What the handlers in the files named after them do with a message whose sender may ask. Each ends the question. */
typedef void request_handler(struct service *service, struct question *question, const struct wire_message *message);

request_handler handle_lookup;   /* lookup.c */
request_handler handle_standing; /* ask_standing.c */
request_handler handle_admit;    /* admit.c */
request_handler handle_manage;   /* manage.c */
request_handler handle_list;     /* list.c, as the next */
request_handler handle_show;
request_handler handle_status;
request_handler handle_redeem;  /* redeem.c */
request_handler handle_answer;  /* ask_answer.c */
request_handler handle_refused; /* note_refusal.c */

/* For the loop: somebody who has an account waits no more than so long for a lock on the account files that another
 * program holds. The context is the struct service. */
int64_t admit_deadline_ms(void *service);
void admit_run(void *service, int64_t now_ms);

#endif
