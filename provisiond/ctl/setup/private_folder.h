/*
 * A folder in /run for what is tried out before anything is changed; only root can look into it.
 */
#ifndef PROVISIOND_CTL_SETUP_PRIVATE_FOLDER_H
#define PROVISIOND_CTL_SETUP_PRIVATE_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#define PRIVATE_FOLDER_SIZE 64

struct private_folder {
	char path[PRIVATE_FOLDER_SIZE]; /* "" when there is none */
};

bool private_folder_make(struct private_folder *ret_folder, char *fault, size_t fault_size);
/* With all that is in it. */
void private_folder_remove(const struct private_folder *folder);

/* PATH in it, with all folders on the way; the text may be NULL for a folder. */
bool private_folder_put(const struct private_folder *folder, const char *path, const char *text, size_t length,
			char *fault, size_t fault_size);

#endif
