/*
 * Room on the file systems that new accounts need.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "provisiond/ctl/health/health.h"

#define MIB ((unsigned long long)1024 * 1024)
#define LITTLE_MIB 128
#define NEARLY_NONE_MIB 16
#define LITTLE_FILES 1000
#define NEARLY_NO_FILES 50
#define PLACES_MAX 8

struct places {
	struct place {
		dev_t device;
		bool good;
	} seen[PLACES_MAX];
	size_t count;
	char good[1024]; /* those with room */
};

static void note_good(struct places *places, const char *path)
{
	size_t length = strlen(places->good);

	(void)snprintf(places->good + length, sizeof(places->good) - length, "%s%s", length > 0 ? ", " : "", path);
}

/* Another folder on a file system is judged with the first one. */
static struct place *place_of(struct places *places, dev_t device)
{
	for (size_t i = 0; i < places->count; i++)
		if (places->seen[i].device == device)
			return &places->seen[i];
	return NULL;
}

static void say_room(const char *path, enum level level, unsigned long long mib, struct findings *findings)
{
	findings_add(findings, level, ITEM_DISK, path, "make room: df -h shows how full it is, du -xhd1 where it went",
		     "%llu MiB are left%s", mib,
		     level == LEVEL_ERROR ? ": accounts can hardly be made or changed any more" : "");
}

static void say_files(const char *path, enum level level, unsigned long long files, struct findings *findings)
{
	findings_add(findings, level, ITEM_DISK, path, "delete files there: df -i shows how many there are",
		     "only %llu more files can be made", files);
}

static enum level judge_number(unsigned long long left, unsigned long long little, unsigned long long nearly_none)
{
	return left < nearly_none ? LEVEL_ERROR : left < little ? LEVEL_WARNING : LEVEL_GOOD;
}

/* True when there is enough. */
static bool judge_room(const char *path, const struct statvfs *room, struct findings *findings)
{
	unsigned long long mib = (unsigned long long)room->f_bavail * room->f_frsize / MIB;
	enum level bytes = judge_number(mib, LITTLE_MIB, NEARLY_NONE_MIB);
	/* Some file systems make room for files as they come, and count none. */
	enum level files = room->f_files > 0 ? judge_number(room->f_favail, LITTLE_FILES, NEARLY_NO_FILES) : LEVEL_GOOD;

	if (room->f_flag & ST_RDONLY) {
		findings_add(findings, LEVEL_ERROR, ITEM_DISK, path, "look in dmesg for why; then: mount -o remount,rw",
			     "it is mounted read-only");
		return false;
	}
	if (bytes != LEVEL_GOOD)
		say_room(path, bytes, mib, findings);
	if (files != LEVEL_GOOD)
		say_files(path, files, room->f_favail, findings);
	return bytes == LEVEL_GOOD && files == LEVEL_GOOD;
}

static void judge_place(const char *path, struct places *places, struct findings *findings)
{
	struct statvfs room;
	struct stat st;
	struct place *place;

	if (stat(path, &st) != 0 || statvfs(path, &room) != 0) {
		findings_add(findings, LEVEL_ERROR, ITEM_DISK, path, "make the folder, or mount what belongs there",
			     "it cannot be looked at: %s", strerror(errno));
		return;
	}
	place = place_of(places, st.st_dev);
	if (!place && places->count < PLACES_MAX) {
		place = &places->seen[places->count++];
		*place = (struct place){ .device = st.st_dev, .good = judge_room(path, &room, findings) };
	}
	if (place && place->good)
		note_good(places, path);
}

void check_disk(const struct health *health, struct findings *findings)
{
	struct places places = { 0 };
	char homes[1024];

	health_home_folder(health, homes, sizeof(homes));
	/* Account files are replaced in /etc. */
	judge_place("/etc", &places, findings);
	judge_place(HEALTH_STATE, &places, findings);
	judge_place(homes, &places, findings);
	if (*places.good)
		findings_add(findings, LEVEL_GOOD, ITEM_DISK, NULL, NULL, "there is room in %s", places.good);
}
