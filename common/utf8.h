/*
 * Reads UTF-8 (RFC 3629) and tells characters that turn, hide or end other text. Pure; libc only.
 */
#ifndef COMMON_UTF8_H
#define COMMON_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads one character of a text that ends with NUL; returns its length in bytes, or 0 when the bytes are not UTF-8. */
size_t utf8_decode(const char *text, uint32_t *ret_point);
/* C0, DEL, C1. */
bool utf8_is_control(uint32_t point);
/* Line and paragraph separators, directional marks, zero-width characters, the byte order mark, tags. */
bool utf8_is_invisible(uint32_t point);

#endif
