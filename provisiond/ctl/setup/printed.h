/*
 * Text made by a format, on the heap.
 */
#ifndef PROVISIOND_CTL_SETUP_PRINTED_H
#define PROVISIOND_CTL_SETUP_PRINTED_H

/* As printf(3) would print it. The caller frees it; NULL without memory. */
char *printed(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
