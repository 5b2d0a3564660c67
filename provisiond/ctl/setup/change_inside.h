/*
 * What a change set is made of, for the files that apply it, take it back, show it and put it down on the disk.
 */
#ifndef PROVISIOND_CTL_SETUP_CHANGE_INSIDE_H
#define PROVISIOND_CTL_SETUP_CHANGE_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "provisiond/ctl/setup/change_set.h"

#define CHANGE_FILE_MAX ((size_t)1 << 20)
#define CHANGE_DIGEST_SIZE ((size_t)98) /* hexadecimal: 16 bytes of salt, 32 of SHA-256, NUL and one to spare */

enum change_kind {
	CHANGE_KIND_FILE,
	CHANGE_KIND_DIRECTORY,
	CHANGE_KIND_STEP,
	CHANGE_KIND_NOTE,
};

/* The content of a file. text is NUL-terminated whenever it is not NULL. */
struct change_content {
	bool exists;
	char *text; /* NULL also for what is known by its digest only */
	size_t length;
};

struct change_owner {
	mode_t mode;
	uid_t user;
	gid_t group;
};

struct change {
	enum change_kind kind;
	char *path;
	struct change_content before, after;
	struct change_owner was, becomes; /* `was` when before.exists */
	bool secret;
	bool summary;
	bool set_owner;
	char digest[CHANGE_DIGEST_SIZE]; /* of a secret's `after` */
	enum change_undo undo;
	/* Steps; `says` is a note's sentence, too. */
	char *says;
	char *remedy;
	char *apply_words; /* each ends with a line end; NULL: nothing to run */
	char *undo_words;
	bool may_fail;
};

struct change_set {
	struct change *items;
	size_t count;
};

/* Puts the sentence into `fault`. */
void change_fault_put(char *fault, size_t fault_size, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same, and is false, for the caller to return. */
#define change_fault(...) (change_fault_put(__VA_ARGS__), false)

static inline bool change_fault_memory(char *fault, size_t fault_size)
{
	return change_fault(fault, fault_size, "there is not enough memory for this. Free some and try again.");
}

/* A new item at the end, all zero; NULL without memory. Valid until the next. */
struct change *change_set_append(struct change_set *set);
/* The words, each with a line end behind it, which none of them may hold. NULL without memory. The caller frees it. */
char *change_words_join(const char *const *argv);
/* Runs them. As program_succeeds(). */
bool change_words_run(const char *words, char *fault, size_t fault_size);
/* Frees text after wiping it. */
void change_wipe(char *text, size_t length);

/* Fills change->digest with a fresh salt, from the text. False when no randomness is to be had. */
bool change_digest_make(struct change *change, const char *text, size_t length);
bool change_digest_fits(const struct change *change, const char *text, size_t length);

/* What is not known, as the content of a secret that was written, is never the same. */
bool change_content_same(const struct change_content *one, const struct change_content *other);
/* Whether the content is what the set found, and what it wrote. */
bool change_is_before(const struct change *change, const struct change_content *now);
bool change_is_after(const struct change *change, const struct change_content *now);
/* A copy of the text in its place; NULL is a file that is not there. False, and nothing is changed, without memory. */
bool change_content_set(struct change_content *content, const char *text, size_t length);
void change_content_free(struct change_content *content);

#endif
