/*
 * base64url as JOSE uses it: without padding, and with exactly one spelling for each value (RFC 7515, section 2).
 */
#ifndef PAM_OIDC_BASE64URL_H
#define PAM_OIDC_BASE64URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes the canonical form only: padding, white space, the `+/` alphabet, a length that no encoder produces and bits
 * left over at the end are refused. True, and the caller frees *ret_bytes (NUL-terminated beyond *ret_length); false
 * when the text is not canonical or memory ran out. */
bool base64url_decode(const char *text, size_t length, uint8_t **ret_bytes, size_t *ret_length);

/* The encoded text; the caller frees it. NULL when memory ran out. */
char *base64url_encode(const uint8_t *bytes, size_t length);

#endif
