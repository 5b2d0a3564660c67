/*
 * What a file has besides owner, mode and content: ACL, security label and other extended attributes. A file that takes
 * another one's place takes these over. Shared by provisiond and provisionctl.
 */
#ifndef PROVISIOND_FILE_ATTRIBUTES_H
#define PROVISIOND_FILE_ATTRIBUTES_H

/* From one open file to another; those that vouch for the content (IMA, EVM) are left to the kernel. An ACL changes the
 * mode, so that comes afterwards. 0, also where the file system knows no attributes, or -errno. */
int file_attributes_copy(int from, int to);

#endif
