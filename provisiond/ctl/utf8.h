/*
 * One character of UTF-8 (RFC 3629). Pure.
 */
#ifndef PROVISIOND_CTL_UTF8_H
#define PROVISIOND_CTL_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The bytes that the first character of the NUL-terminated text takes, and the character. 0 when it is not well-formed:
 * cut, overlong, a surrogate, or beyond U+10FFFF. 0 for the end of the text, too. */
size_t utf8_first(const char *text, uint32_t *ret_character);

#endif
