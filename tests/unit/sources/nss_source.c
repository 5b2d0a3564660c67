/*
 * A name service for test_sources: what it answers hangs on the name that it is asked for. SOURCE is its name.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define JOIN_(one, two, three) one##two##three
#define JOIN(one, two, three) JOIN_(one, two, three)
#define FUNCTION(name) JOIN(JOIN(_nss_, SOURCE, _), name, )
#define TEXT_(name) #name
#define TEXT(name) TEXT_(name)

enum nss_status FUNCTION(getpwnam_r)(const char *name, struct passwd *user, char *buffer, size_t size, int *error);
enum nss_status FUNCTION(getpwuid_r)(uid_t uid, struct passwd *user, char *buffer, size_t size, int *error);
enum nss_status FUNCTION(getgrnam_r)(const char *name, struct group *group, char *buffer, size_t size, int *error);
enum nss_status FUNCTION(getgrgid_r)(gid_t gid, struct group *group, char *buffer, size_t size, int *error);

static enum nss_status failed(int *error, int code, enum nss_status status)
{
	*error = code;
	return status;
}

/* Whether any descriptor but the standard ones and the child's socket is open. */
static int has_more_descriptors(void)
{
	for (int fd = 4; fd < 256; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return 1;
	return 0;
}

enum nss_status FUNCTION(getpwnam_r)(const char *name, struct passwd *user, char *buffer, size_t size, int *error)
{
	(void)user;
	(void)buffer;
	if (strcmp(name, "known") == 0 || strcmp(name, "known-to-" TEXT(SOURCE)) == 0)
		return NSS_STATUS_SUCCESS;
	if (strcmp(name, "down") == 0 || strcmp(name, "down-in-" TEXT(SOURCE)) == 0)
		return failed(error, ECONNREFUSED, NSS_STATUS_UNAVAIL);
	if (strcmp(name, "busy") == 0)
		return failed(error, EAGAIN, NSS_STATUS_TRYAGAIN);
	if (strcmp(name, "large") == 0)
		return size < 1000000 ? failed(error, ERANGE, NSS_STATUS_TRYAGAIN) : NSS_STATUS_SUCCESS;
	if (strcmp(name, "endless") == 0)
		return failed(error, ERANGE, NSS_STATUS_TRYAGAIN);
	if (strcmp(name, "hangs") == 0 || strcmp(name, "hangs-in-" TEXT(SOURCE)) == 0)
		for (;;)
			(void)pause();
	if (strcmp(name, "crashes") == 0)
		_exit(3);
	if (strcmp(name, "has-environment") == 0)
		return getenv("PATH") ? NSS_STATUS_SUCCESS : NSS_STATUS_NOTFOUND;
	if (strcmp(name, "has-descriptors") == 0)
		return has_more_descriptors() ? NSS_STATUS_SUCCESS : NSS_STATUS_NOTFOUND;
	return NSS_STATUS_NOTFOUND;
}

enum nss_status FUNCTION(getpwuid_r)(uid_t uid, struct passwd *user, char *buffer, size_t size, int *error)
{
	(void)user;
	(void)buffer;
	(void)size;
	(void)error;
	return uid == 4242 ? NSS_STATUS_SUCCESS : NSS_STATUS_NOTFOUND;
}

enum nss_status FUNCTION(getgrnam_r)(const char *name, struct group *group, char *buffer, size_t size, int *error)
{
	(void)group;
	(void)buffer;
	(void)size;
	(void)error;
	return strcmp(name, "known-group") == 0 ? NSS_STATUS_SUCCESS : NSS_STATUS_NOTFOUND;
}

enum nss_status FUNCTION(getgrgid_r)(gid_t gid, struct group *group, char *buffer, size_t size, int *error)
{
	(void)group;
	(void)buffer;
	(void)size;
	(void)error;
	return gid == 4343 ? NSS_STATUS_SUCCESS : NSS_STATUS_NOTFOUND;
}
