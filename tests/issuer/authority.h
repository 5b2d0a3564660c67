/*
 * The throw-away certificate authority and the certificate that it gives the server. Made anew at each start; the
 * authority's key is forgotten as soon as it has signed.
 */
#ifndef ISSUER_AUTHORITY_H
#define ISSUER_AUTHORITY_H

#include <stdbool.h>
#include <stddef.h>

struct server_certificate {
	char *certificate_pem;
	char *key_pem;
	char *authority_pem; /* what clients have to trust */
};

#define CERTIFICATE_DAYS 30 /* as a rule */

/* For localhost, 127.0.0.1, ::1 and the given names (addresses become IP entries), good for so many days (0 or less:
 * over already), the authority's own for as many or the rule's. False when OpenSSL refuses a name.
 * The caller frees *ret_certificate with server_certificate_free(). */
bool authority_certify(const char *const *names, size_t count, long days, struct server_certificate *ret_certificate);
void server_certificate_free(struct server_certificate *certificate);

#endif
