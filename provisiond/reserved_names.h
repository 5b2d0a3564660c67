/*
 * Names that no tenant's person ever gets, whatever is installed on this machine. Pure.
 */
#ifndef PROVISIOND_RESERVED_NAMES_H
#define PROVISIOND_RESERVED_NAMES_H

#include <stdbool.h>

/* Whether the name is on the built-in list: names that packages give their system users and groups, and names by which
 * sudoers files, login banners, cloud images and mail aliases mean somebody in particular. */
bool reserved_name(const char *name);

#endif
