/*
 * How homes come to be, in two steps: each is built under a temporary name; all of it is brought to the disk and moved
 * into place.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "provisiond/home.h"
#include "provisiond/home_spot.h"
#include "provisiond/home_tree.h"

#define TEMPORARY_ATTEMPTS 16

/* A home under its temporary name, which goes again unless it is moved into place. */
struct building {
	struct home_spot spot;
	char temporary[NAME_MAX + 1];
	enum { NOWHERE, UNDER_TEMPORARY_NAME, IN_PLACE } state;
	struct home_copy copy; /* with what is not synced yet, if each home is synced by itself */
};

struct home_buildings {
	struct home_making *makings;
	size_t count;
	bool together; /* one sync for all of them */
	struct building of[];
};

/* What homes that are made together share, nearly always: the directory they lie in, and the skeleton. */
struct workshop {
	const struct home_place *place;
	bool sync; /* each home by itself */
	const struct building *neighbour;
	const char *neighbour_path;
	int skeleton; /* -1: not opened yet */
	const char *skeleton_path;
};

/* What cannot be removed now is swept at the next start. */
static void building_release(const struct building *building)
{
	if (building->state == UNDER_TEMPORARY_NAME)
		(void)home_tree_remove(building->spot.parent, building->temporary);
	home_copy_release(&building->copy);
	home_spot_release(&building->spot);
}

/* ---- building ---- */

/* Makes the directory in which the home is built, for nobody but root. */
static int make_temporary(struct building *building)
{
	for (unsigned i = 0; i < TEMPORARY_ATTEMPTS; i++) {
		_cleanup_fd_ int fd = -1;

		if (!home_temporary_name(building->spot.name, building->temporary))
			return -EIO;
		if (mkdirat(building->spot.parent, building->temporary, 0700) != 0) {
			if (errno == EEXIST)
				continue;
			return -errno;
		}
		building->state = UNDER_TEMPORARY_NAME;
		fd = openat(building->spot.parent, building->temporary,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 ||
		    fchmod(fd, 0700) != 0) /* a set-group-ID parent, or a default ACL, may have added something */
			return -errno;
		return take_fd(&fd);
	}
	return -EEXIST;
}

static enum home_result open_skeleton(struct workshop *workshop, const char *path, struct home_report *report)
{
	struct trusted_root root = home_root(workshop->place);

	if (workshop->skeleton >= 0 && strcmp(workshop->skeleton_path, path) == 0)
		return HOME_DONE;
	cleanup_fd(&workshop->skeleton);
	workshop->skeleton_path = path;
	workshop->skeleton = trusted_directory_open(&root, path, false, report->fault, sizeof(report->fault));
	return workshop->skeleton < 0 ? HOME_SKELETON : HOME_DONE;
}

static enum home_result copy_skeleton(struct workshop *workshop, const struct home_request *request, int home,
				      struct home_copy *copy, struct home_report *report)
{
	enum home_result opened;
	int r;

	if (!request->skeleton || !request->skeleton[0])
		return HOME_DONE;
	opened = open_skeleton(workshop, request->skeleton, report);
	if (opened != HOME_DONE)
		return opened;
	r = home_tree_copy(copy, workshop->skeleton, home);
	report->skipped = copy->skipped;
	(void)snprintf(report->skipped_name, sizeof(report->skipped_name), "%s", copy->skipped_name);
	if (r < 0 && copy->source_is_to_blame)
		return home_fail(report, HOME_SKELETON, request->skeleton, "%s", copy->fault);
	return r < 0 ? home_fail(report, HOME_STORAGE, request->path, "%s", copy->fault) : HOME_DONE;
}

static enum home_result hand_over(const struct home_request *request, int *home, struct home_copy *copy,
				  struct home_report *report)
{
	if (fchmod(*home, request->mode & (S_IRWXU | S_IRWXG | S_IRWXO)) != 0 ||
	    fchown(*home, request->uid, request->gid) != 0)
		return home_fail_errno(report, request->path, "cannot be given to its owner", errno);
	if (copy->sync && home_tree_sync_later(copy, home) < 0)
		return home_fail(report, HOME_STORAGE, request->path, "%s", copy->fault);
	return HOME_DONE;
}

static enum home_result fill(struct workshop *workshop, const struct home_request *request, struct building *building,
			     struct home_report *report)
{
	struct home_copy *copy = &building->copy;
	_cleanup_fd_ int home = make_temporary(building);
	enum home_result result;

	if (home < 0)
		return home_fail_errno(report, request->path, "cannot be built beside its place", -home);
	*copy = (struct home_copy){ .uid = request->uid, .gid = request->gid, .sync = workshop->sync };
	result = copy_skeleton(workshop, request, home, copy, report);
	return result == HOME_DONE ? hand_over(request, &home, copy, report) : result;
}

static enum home_result open_spot(struct workshop *workshop, const char *path, struct building *building,
				  struct home_report *report)
{
	enum home_result result;

	if (workshop->neighbour &&
	    home_spot_beside(&workshop->neighbour->spot, workshop->neighbour_path, path, &building->spot))
		return HOME_DONE;
	result = home_spot_open(workshop->place, path, true, &building->spot, report);
	if (result == HOME_DONE) {
		workshop->neighbour = building;
		workshop->neighbour_path = path;
	}
	return result == HOME_MISSING ? HOME_STORAGE : result; /* removed while it was made */
}

static enum home_result build(struct workshop *workshop, const struct home_request *request, struct building *building,
			      struct home_report *report)
{
	enum home_result result = open_spot(workshop, request->path, building, report);
	struct stat st;

	if (result != HOME_DONE)
		return result;
	if (fstatat(building->spot.parent, building->spot.name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return home_fail(report, HOME_EXISTS, request->path, "exists already");
	if (errno != ENOENT)
		return home_fail_errno(report, request->path, "cannot be examined", errno);
	return fill(workshop, request, building, report);
}

/* ---- bringing to the disk, and into place ---- */

static enum home_result move_into_place(struct building *building, const char *path, struct home_report *report)
{
	const struct home_spot *spot = &building->spot;
	int r = home_rename(spot->parent, building->temporary, spot->parent, spot->name);

	if (r == -EEXIST)
		return home_fail(report, HOME_EXISTS, path, "exists already");
	if (r < 0)
		return home_fail_errno(report, path, "cannot be moved into place", -r);
	building->state = IN_PLACE;
	return HOME_DONE;
}

static void move_back(struct building *building)
{
	const struct home_spot *spot = &building->spot;

	if (home_rename(spot->parent, spot->name, spot->parent, building->temporary) == 0)
		building->state = UNDER_TEMPORARY_NAME;
}

/* Calls `sync` with the directory of each home that is fine so far; once for those in a row of which `shared` says that
 * this is enough. Homes nearly always lie in one directory. */
static void sync_all(struct home_making *makings, const struct building *buildings, size_t count, int (*sync)(int),
		     bool (*shared)(const struct stat *, const struct stat *))
{
	struct stat before = { 0 };
	bool any = false;
	int error = 0;

	for (size_t i = 0; i < count; i++) {
		struct stat now = { 0 };

		if (makings[i].result != HOME_DONE)
			continue;
		(void)fstat(buildings[i].spot.parent, &now);
		if (!any || !shared(&before, &now))
			error = sync(buildings[i].spot.parent) != 0 ? errno : 0;
		any = true;
		before = now;
		if (error != 0)
			makings[i].result = home_fail_errno(&makings[i].report, makings[i].request.path,
							    "cannot be synced to the disk", error);
	}
}

static bool share_file_system(const struct stat *one, const struct stat *other)
{
	return one->st_dev == other->st_dev;
}

static bool share_directory(const struct stat *one, const struct stat *other)
{
	return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

static void bring_into_place(struct home_making *makings, struct building *buildings, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (makings[i].result == HOME_DONE)
			makings[i].result = move_into_place(&buildings[i], makings[i].request.path, &makings[i].report);
	sync_all(makings, buildings, count, fsync, share_directory);
	for (size_t i = 0; i < count; i++)
		if (makings[i].result != HOME_DONE && buildings[i].state == IN_PLACE)
			move_back(&buildings[i]);
}

/* A home with many files may have been synced in part while it was built. */
static void sync_each(struct home_buildings *buildings)
{
	for (size_t i = 0; i < buildings->count; i++) {
		struct home_making *making = &buildings->makings[i];
		struct home_copy *copy = &buildings->of[i].copy;

		if (making->result == HOME_DONE && home_tree_sync(copy) < 0)
			making->result =
				home_fail(&making->report, HOME_STORAGE, making->request.path, "%s", copy->fault);
	}
}

static void bring_to_disk(struct home_buildings *buildings)
{
	/* Since Linux 5.8, syncfs(2) tells of what could not be written. */
	if (buildings->together)
		sync_all(buildings->makings, buildings->of, buildings->count, syncfs, share_file_system);
	else
		sync_each(buildings);
}

/* ---- the interface ---- */

static void fail_all(struct home_making *makings, size_t count)
{
	for (size_t i = 0; i < count; i++)
		makings[i].result =
			home_fail_errno(&makings[i].report, makings[i].request.path, "cannot be made", ENOMEM);
}

struct home_buildings *home_build_all(const struct home_place *place, struct home_making *makings, size_t count)
{
	struct home_buildings *buildings = calloc(1, sizeof(*buildings) + count * sizeof(buildings->of[0]));
	struct workshop workshop = { .place = place, .sync = count < HOMES_TOGETHER, .skeleton = -1 };

	if (!buildings) {
		fail_all(makings, count);
		return NULL;
	}
	buildings->makings = makings;
	buildings->count = count;
	buildings->together = !workshop.sync;
	for (size_t i = 0; i < count; i++) {
		makings[i].report = (struct home_report){ 0 };
		buildings->of[i].spot.parent = -1;
		makings[i].result = build(&workshop, &makings[i].request, &buildings->of[i], &makings[i].report);
	}
	cleanup_fd(&workshop.skeleton);
	return buildings;
}

void home_place_all(struct home_buildings *buildings)
{
	if (!buildings)
		return;
	bring_to_disk(buildings);
	bring_into_place(buildings->makings, buildings->of, buildings->count);
	for (size_t i = 0; i < buildings->count; i++)
		building_release(&buildings->of[i]);
	free(buildings);
}

enum home_result home_create(const struct home_place *place, const struct home_request *request,
			     struct home_report *ret_report)
{
	struct home_making making = { .request = *request };

	home_place_all(home_build_all(place, &making, 1));
	*ret_report = making.report;
	return making.result;
}
