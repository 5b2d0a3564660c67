/*
 * An HTTP answer before it is sent: status, headers, body, and what a fault does to it on its way.
 */
#ifndef ISSUER_ANSWER_H
#define ISSUER_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#define ANSWER_HEADERS_MAX 24

struct answer {
	unsigned status;
	char *body;
	size_t length;
	struct {
		char *name;
		char *value;
	} headers[ANSWER_HEADERS_MAX];
	size_t header_count;
	/* faults */
	bool reset;     /* no answer: the TCP connection is reset */
	bool truncated; /* the connection is closed after truncate_to bytes of the body */
	size_t truncate_to;
	int delay_ms; /* before anything of the answer is sent */
	int drip_ms;  /* between single bytes of the body */
};

/* Replaces whatever body there was. The body is taken over. */
void answer_set_body(struct answer *answer, char *body, size_t length);
/* Sets a header; one of the same name is replaced. A NULL value removes it. */
void answer_set_header(struct answer *answer, const char *name, const char *value);
void answer_set_headerf(struct answer *answer, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* A whole JSON answer that nobody may cache, as Okta's endpoints give it. Takes the reference to `json`. */
void answer_json(struct answer *answer, unsigned status, json_t *json);
void answer_html(struct answer *answer, unsigned status, char *html);
void answer_free(struct answer *answer);

#endif
