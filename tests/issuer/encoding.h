/*
 * Encodings of bytes as text that the endpoints share: base64url (RFC 7515, appendix C), random tokens. Allocates.
 */
#ifndef ISSUER_ENCODING_H
#define ISSUER_ENCODING_H

#include <stdbool.h>
#include <stddef.h>

/* Base64url without padding. The caller frees. */
char *base64url_encode(const void *bytes, size_t length);
/* Strict: no padding, no other characters. False when it is not base64url; else the caller frees *ret_bytes, which has
 * a NUL behind its end. */
bool base64url_decode(const char *text, size_t length, unsigned char **ret_bytes, size_t *ret_length);
/* Base64 with padding (RFC 4648, section 4), as HTTP Basic uses it; otherwise the same. */
bool base64_decode(const char *text, size_t length, unsigned char **ret_bytes, size_t *ret_length);

void random_bytes(void *bytes, size_t length);
/* `length` random characters out of the alphabet, evenly. The caller frees. */
char *random_text(const char *alphabet, size_t length);
/* A random token of 43 base64url characters (256 bits) behind a prefix. The caller frees. */
char *random_token(const char *prefix);

/* Takes time that does not depend on where the two differ. */
bool text_equal_constant_time(const char *one, const char *other);

#endif
