/*
 * Creates a home directory from the skeleton, and takes it away again when the account did not come to be. A home
 * appears under its name complete or not at all, and no symbolic link is ever followed below a directory that others
 * than root can write to.
 */
#ifndef PROVISIOND_HOME_H
#define PROVISIOND_HOME_H

#include <fcntl.h>
#include <stddef.h>
#include <sys/types.h>

/* Nothing is left behind by any result but HOME_DONE. */
enum home_result {
	HOME_DONE,     /* in place, and on the disk (removed: gone) */
	HOME_EXISTS,   /* something has that name already, or it belongs to somebody else; untouched */
	HOME_MISSING,  /* nothing has that name */
	HOME_INVALID,  /* the path is not absolute, or has empty, `.` or `..` parts */
	HOME_PARENT,   /* a directory above it is not root's alone, or no directory */
	HOME_SKELETON, /* the skeleton is missing, not root's alone, or too deep or too large */
	HOME_STORAGE,  /* full, read-only or failing disk, quota, or no memory */
	HOME_RESULT_COUNT
};

/* Where paths begin and who "root" is: HOME_PLACE_SYSTEM in production, a temporary directory and its owner in tests.
 * Absolute symbolic links above the home start at root_fd too. */
struct home_place {
	int root_fd; /* a directory, borrowed; AT_FDCWD means "/" */
	uid_t owner; /* of every directory above a home, and of the skeleton */
	gid_t group; /* of directories created above a home */
};

#define HOME_PLACE_SYSTEM ((struct home_place){ .root_fd = AT_FDCWD, .owner = 0, .group = 0 })

struct home_request {
	const char *path;     /* absolute, for example /home/alice */
	const char *skeleton; /* absolute; NULL or "" makes an empty home */
	uid_t uid;
	gid_t gid;
	mode_t mode; /* of the home itself; permission bits only */
};

struct home_report {
	char fault[512];        /* what is wrong, naming the path; empty after HOME_DONE */
	unsigned skipped;       /* sockets, pipes and devices in the skeleton, which are not copied */
	char skipped_name[256]; /* the first of them, below the skeleton */
};

/* Builds the home beside its place, as `.NAME.provisiond-XXXXXX`, root's and 0700; copies directories, regular files
 * and symbolic links (as links) from the skeleton, owned by uid and gid, without set-id and sticky bits; syncs; and
 * moves it into place without ever replacing anything. Missing directories above it are made 0755. */
enum home_result home_create(const struct home_place *place, const struct home_request *request,
			     struct home_report *ret_report);

/* One of several homes that are made together. */
struct home_making {
	struct home_request request;
	enum home_result result;
	struct home_report report;
};

/* From so many on, one sync of the whole file system costs less than one for each file of each home. With fewer it
 * could cost more: what other programs wrote goes to the disk with it. */
#define HOMES_TOGETHER 4

/* home_create() in two steps, for several homes, whatever becomes of the others: what can fail for want of space, of
 * rights or of a good skeleton fails in the first, with nothing in place yet. What was built is on its way to the disk
 * meanwhile. Each step writes results and reports; between the two, the caller may set a result of HOME_DONE to
 * anything else, and that home goes again. The makings are borrowed from the first to the second, which frees what the
 * first returned; that is NULL when there was no memory for any. */
struct home_buildings;
struct home_buildings *home_build_all(const struct home_place *place, struct home_making *makings, size_t count);
void home_place_all(struct home_buildings *buildings);

/* Who has that path: HOME_DONE for a directory (no link) of this uid, HOME_EXISTS for anything else, HOME_MISSING, or
 * what keeps us from knowing. A home of ours that is in place is complete. Creates nothing. */
enum home_result home_examine(const struct home_place *place, const char *path, uid_t uid,
			      struct home_report *ret_report);
/* Removes the home with all that is in it, if the directory belongs to uid (HOME_EXISTS otherwise), without crossing
 * into another file system: what is not removed then (HOME_STORAGE) waits under the temporary name for home_sweep().
 * Directories above it stay. */
enum home_result home_remove(const struct home_place *place, const char *path, uid_t uid,
			     struct home_report *ret_report);
/* Renames a home to another path of the same file system, if the directory belongs to uid, and closes it to all others
 * (0700). Never over anything: HOME_EXISTS when something has the other path, or this one is somebody else's. A home of
 * uid's that is there already, with nothing of uid's left here, is HOME_DONE: the call can be repeated after a crash.
 */
enum home_result home_move(const struct home_place *place, const char *from, const char *to, uid_t uid,
			   struct home_report *ret_report);
/* Removes what a crash left behind in the directory that holds homes: `.NAME.provisiond-XXXXXX`. A missing directory is
 * fine. *ret_swept counts them. */
enum home_result home_sweep(const struct home_place *place, const char *parent, unsigned *ret_swept,
			    struct home_report *ret_report);

/* What the result means, as a sentence. Lives for ever. */
const char *home_result_text(enum home_result result);

#endif
