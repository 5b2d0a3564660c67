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
	dev_t seen[PLACES_MAX];
	size_t count;
	char good[512];
};

static bool seen_before(struct places *places, const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return false;
	for (size_t i = 0; i < places->count; i++)
		if (places->seen[i] == st.st_dev)
			return true;
	if (places->count < PLACES_MAX)
		places->seen[places->count++] = st.st_dev;
	return false;
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

static void judge_place(const char *path, struct places *places, struct findings *findings)
{
	struct statvfs room;
	unsigned long long mib;
	enum level bytes, files;
	size_t length = strlen(places->good);

	if (seen_before(places, path))
		return;
	if (statvfs(path, &room) != 0) {
		findings_add(findings, LEVEL_ERROR, ITEM_DISK, path, "make the folder, or mount what belongs there",
			     "it cannot be looked at: %s", strerror(errno));
		return;
	}
	if (room.f_flag & ST_RDONLY) {
		findings_add(findings, LEVEL_ERROR, ITEM_DISK, path, "look in dmesg for why; then: mount -o remount,rw",
			     "it is mounted read-only");
		return;
	}
	mib = (unsigned long long)room.f_bavail * room.f_frsize / MIB;
	bytes = judge_number(mib, LITTLE_MIB, NEARLY_NONE_MIB);
	/* Some file systems make room for files as they come, and count none. */
	files = room.f_files > 0 ? judge_number(room.f_favail, LITTLE_FILES, NEARLY_NO_FILES) : LEVEL_GOOD;
	if (bytes != LEVEL_GOOD)
		say_room(path, bytes, mib, findings);
	if (files != LEVEL_GOOD)
		say_files(path, files, room.f_favail, findings);
	if (bytes == LEVEL_GOOD && files == LEVEL_GOOD)
		(void)snprintf(places->good + length, sizeof(places->good) - length, "%s%s", length > 0 ? ", " : "",
			       path);
}

/* The folder that homes are made in: up to the slash before %u. */
static void home_folder(const struct health *health, char *ret_path, size_t size)
{
	char *name;

	health_configured(health, "accounts", "home", "/home/%u", ret_path, size);
	name = strstr(ret_path, "%u");
	if (name)
		*name = '\0';
	name = strrchr(ret_path, '/');
	if (name && name > ret_path)
		*name = '\0';
}

void check_disk(const struct health *health, struct findings *findings)
{
	struct places places = { 0 };
	char homes[1024];

	home_folder(health, homes, sizeof(homes));
	/* Account files are replaced in /etc. */
	judge_place("/etc", &places, findings);
	judge_place(HEALTH_STATE, &places, findings);
	judge_place(homes, &places, findings);
	if (*places.good)
		findings_add(findings, LEVEL_GOOD, ITEM_DISK, NULL, NULL, "there is room in %s", places.good);
}
