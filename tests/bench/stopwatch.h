/*
 * Taking time, for the programs of this folder: a clock, a program run to its end, and samples as text. Each of them
 * prints one line for each round: what ours took and what the other took, in microseconds.
 *
 * A benchmark that cannot measure what it is for has nothing to say, so failures end the program.
 */
#ifndef TESTS_BENCH_STOPWATCH_H
#define TESTS_BENCH_STOPWATCH_H

#include <stdint.h>

/* Microseconds of CLOCK_MONOTONIC. */
double stopwatch_now_us(void);

/* Microseconds from before the program is started until it has ended, its output thrown away. It must end with status
 * 0. */
double stopwatch_run(char *const argv[]);

/* The words with every %s replaced by the name; the caller owns the list and its words. */
char **stopwatch_words(char *const argv[], const char *name);
void stopwatch_words_free(char **words);

/* The argument as a whole number from 1 on. */
unsigned stopwatch_count(const char *argument);

void stopwatch_print(double ours_us, double peer_us);

/* Prints the sentence, and the system's error when there is one, and ends the program with status 1. */
void stopwatch_die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

#endif
