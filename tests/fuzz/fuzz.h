/*
 * What the fuzz targets share: how a broken property is said, inputs as text, and allocations that fail.
 *
 * A target is one file, fuzz_NAME.c. Its opening comment says which properties hold for every input, and, after
 * "Covers:", which files of the product are concerned. It aborts as soon as a property is broken.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* libFuzzer calls the first for every input and the second, where a target has it, once. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* A property of the target: aborts, saying it, when it does not hold. */
#define holds(condition, ...)                                                        \
	do {                                                                         \
		if (!(condition))                                                    \
			fuzz_broken(__FILE__, __LINE__, #condition, "" __VA_ARGS__); \
	} while (0)
_Noreturn void fuzz_broken(const char *file, int line, const char *condition, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* The input, or what is left of it. Reading past its end gives zeros and empty texts. */
struct fuzz_input {
	const uint8_t *at;
	size_t left;
};

uint8_t fuzz_byte(struct fuzz_input *input);
/* Up to and without the next byte `end`, which is taken too. Allocated with room for a NUL and nothing more, so that
 * every read beyond it is noticed. Freed by the caller. */
char *fuzz_text_until(struct fuzz_input *input, uint8_t end, size_t *ret_length);
/* All that is left. */
char *fuzz_rest(struct fuzz_input *input, size_t *ret_length);

/* The text of an account file as a stream for fgetpwent(3) and the like, to be closed by the caller; one at a time.
 * Where no newline ends a row that begins with blanks, or a NUL comes before it, glibc 2.36 reads as many of the row's
 * last characters twice: the text gets a newline at its end, and a row with a NUL loses its blanks. */
FILE *fuzz_rows_for_glibc(const char *text, size_t length);

/* True for printable ASCII, and for texts that are neither empty nor longer than max. */
bool fuzz_is_sentence(const char *text, size_t max);

/* The n-th allocation from now on fails (n counts from 1; 0: none does). Only those of the product's own code and the
 * target's count, not those of libraries. */
void fuzz_fail_allocation(unsigned n);
/* Allocations work again. Returns how many were asked for since fuzz_fail_allocation(). */
unsigned fuzz_end_failing(void);
/* Whether one of them failed. */
bool fuzz_allocation_failed(void);
/* For a target's own calls that may fail like an allocation: true when this one is to fail. */
bool fuzz_next_fails(void);

/* Has the file or folder removed when this process ends, however it does. (libFuzzer leaves by _Exit(3).) */
void fuzz_remove_at_end(const char *path);

/* A number below `bound` (not 0) that depends on nothing but the input. */
unsigned fuzz_pick(const uint8_t *bytes, size_t size, unsigned bound);

#endif
