/*
 * What setup would change on this machine: files, folders and programs to run, in order, as one thing that can be
 * shown, applied and taken back. It knows nothing of PAM, sshd or any other format.
 *
 * Nothing of the machine is touched before change_set_apply(). That first puts down, on the disk, what everything was
 * and what it is to become (change_record.h); so a machine that loses its power half-way is put right by
 * change_set_undo(), at the next start of setup or by `setup --undo`. Each file is replaced as a whole, by renaming.
 */
#ifndef PROVISIOND_CTL_SETUP_CHANGE_SET_H
#define PROVISIOND_CTL_SETUP_CHANGE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

/* A sentence about what went wrong and what to do; longer ones are cut. */
#define CHANGE_FAULT_SIZE 1024

struct change_set;

/* NULL without memory. */
struct change_set *change_set_new(void);
/* Wipes what was secret. NULL is fine. */
void change_set_free(struct change_set *set);

/* How a file that was edited after setup wrote it is taken back. One that was not is what it was before, whatever this
 * says. */
enum change_undo {
	CHANGE_UNDO_LINES, /* line by line: what setup added goes, what others wrote stays */
	CHANGE_UNDO_WHOLE, /* the whole is what it was before; what it was edited to is kept beside, as PATH.undone */
	CHANGE_UNDO_PAM,   /* lines of pam_oidc go, and jumps over them are shortened */
	CHANGE_UNDO_NSSWITCH, /* the word oidc goes */
	CHANGE_UNDO_STAYS,    /* it stays as it was edited, and undo says so */
};

struct change_file {
	const char *path;  /* absolute; a symbolic link is followed, and what it leads to is replaced */
	const char *after; /* the new content; NULL to remove the file */
	size_t after_length;
	bool secret;  /* the content is never shown; of the new one only a digest is kept */
	bool summary; /* shown as one line: what a program keeps for itself */
	/* Of a file that is not there yet. One that is keeps owner, mode, ACL and security label. */
	mode_t mode;
	uid_t owner;
	gid_t group;
	/* Gives an existing file this owner and mode, too. */
	bool set_owner_and_mode;
	enum change_undo undo;
};

/* All of these copy what they are given, and return false with a sentence in `fault` when that cannot be (no memory, a
 * file that cannot be read, is not regular or larger than 1 MiB). */

/* Reads what the file is now. One that is so already adds nothing. */
bool change_set_add_file(struct change_set *set, const struct change_file *file, char *fault, size_t fault_size);
/* Makes the folder if it is not there; its parent must be, or be in the set before it. Undone when it is empty. */
bool change_set_add_directory(struct change_set *set, const char *path, mode_t mode, uid_t owner, gid_t group,
			      char *fault, size_t fault_size);

/* A program to be run, without a shell, with a clean environment, standard input /dev/null, and a time limit of 90 s.
 */
struct change_step {
	const char *says;         /* "start provisiond and pam_oidcd": shown before and while applying */
	const char *const *apply; /* NULL-terminated, the program by its whole path; NULL: nothing to run */
	const char *const *undo;  /* the same for undoing. Must do no harm when `apply` was never run */
	const char *remedy;       /* what to do when `apply` fails; may be NULL */
	bool may_fail;            /* a failure is told, and undoes nothing */
};
bool change_set_add_step(struct change_set *set, const struct change_step *step, char *fault, size_t fault_size);
/* A sentence for whoever decides: shown with the changes, such as what cannot be done here and must be done by hand. */
bool change_set_add_note(struct change_set *set, const char *sentence, char *fault, size_t fault_size);

/* What a file will hold once the set is applied, for whoever plans the next change of it: from the set, or from the
 * disk. *ret_text is NUL-terminated (also when it is empty because there is no such file: then *ret_exists is false);
 * the caller frees it. */
bool change_set_read(const struct change_set *set, const char *path, char **ret_text, size_t *ret_length,
		     bool *ret_exists, char *fault, size_t fault_size);

/* Whether there is nothing to change. Notes do not count. */
bool change_set_is_empty(const struct change_set *set);
/* Everything as a unified diff, then the steps, then the notes; harmless for a terminal. */
void change_set_print(const struct change_set *set, FILE *file, bool colour);

/* How a person is told, while it happens, what is being done: whole sentences, no line end. */
enum change_tell { CHANGE_TELL_DONE, CHANGE_TELL_WARNING, CHANGE_TELL_ERROR };
typedef void change_teller(void *context, enum change_tell level, const char *sentence);

enum change_result {
	CHANGE_DONE,
	CHANGE_UNDONE, /* failed, as `fault` says; everything is as it was before */
	CHANGE_FAILED, /* failed, and could not be taken back in full: `fault` says both. `setup --undo` tries again */
};

/* Applies the set in its order, and takes it back when anything of it fails. `stop`, if any, is asked between changes:
 * true takes everything back as well. Signals are the caller's: nothing here is harmed by being killed. */
enum change_result change_set_apply(struct change_set *set, change_teller *tell, void *context, bool (*stop)(void),
				    char *fault, size_t fault_size);
/* Takes back the set that was applied last, as when a check after it failed. */
enum change_result change_set_undo_last(change_teller *tell, void *context, char *fault, size_t fault_size);
/* Takes back everything that setup ever did on this machine, the last set first. CHANGE_UNDONE when it is (or when
 * there is nothing); what was edited since and had to stay was told. */
enum change_result change_set_undo_all(change_teller *tell, void *context, char *fault, size_t fault_size);

enum change_history {
	CHANGE_HISTORY_NONE, /* setup has done nothing here, or everything was taken back */
	CHANGE_HISTORY_APPLIED,
	CHANGE_HISTORY_UNFINISHED, /* the last set was applied or taken back in part: the machine or setup was stopped
				    */
	CHANGE_HISTORY_UNREADABLE,
};
enum change_history change_set_history(char *fault, size_t fault_size);

#endif
