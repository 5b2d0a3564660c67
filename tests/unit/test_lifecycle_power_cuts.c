/*
 * The power fails while provisiond makes, changes or removes accounts. What is on the disk then is modelled by a layer
 * of this test's own: it watches a run, and remembers of each file what it held when it was last synced, and of each
 * directory which names it had then. From that it builds, after each call that changes something, what a disk may hold
 * at the worst, and starts provisiond on it:
 *
 * - nothing that was not synced is there: no new name, no rename, no removal, no byte;
 * - all names are as they were at that moment, as with a journal that is ahead of the data; no byte is there that was
 *   not synced;
 * - all names and lengths are as they were at that moment, and what was not synced behind the old end reads as zeros.
 *
 * (Names that reach the disk one by one, in another order than that in which they were made, are not modelled.) What
 * was answered as done must have survived.
 */
#include <linux/aio_abi.h>
#include <sys/uio.h>

#include "in_parallel.h"
#include "traced.h"

#define NODES_MAX 512
#define ENTRIES_MAX 64
#define PATH_SIZE 512

struct entry {
	char name[64];
	ino_t inode;
};

/* A file, folder or link as it is on the disk for sure. tmpfs gives no inode number twice. */
struct node {
	ino_t inode;
	struct stat st;
	char *content; /* of a file; where a link leads to */
	size_t length;
	struct entry entries[ENTRIES_MAX]; /* of a folder */
	unsigned count;
};

struct disk {
	char root[64];
	struct node *nodes;
	unsigned count;
};

static struct node *find_node(const struct disk *disk, ino_t inode)
{
	for (unsigned i = 0; i < disk->count; i++)
		if (disk->nodes[i].inode == inode)
			return &disk->nodes[i];
	return NULL;
}

static struct node *node_of(struct disk *disk, ino_t inode)
{
	struct node *node = find_node(disk, inode);

	if (node)
		return node;
	must(disk->count < NODES_MAX);
	node = &disk->nodes[disk->count++];
	*node = (struct node){ .inode = inode };
	return node;
}

/* ---- syncing ---- */

static void keep_content(struct node *node, int fd)
{
	free(node->content);
	node->length = (size_t)node->st.st_size;
	node->content = malloc(node->length + 1);
	must(node->content && pread(fd, node->content, node->length, 0) == (ssize_t)node->length);
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static void keep_entries(struct node *node, int fd)
{
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = own >= 0 ? fdopendir(own) : NULL;
	const struct dirent *entry;

	must(directory);
	node->count = 0;
	while ((entry = readdir(directory)) != NULL) {
		if (is_dots(entry->d_name))
			continue;
		must(node->count < ENTRIES_MAX && strlen(entry->d_name) < sizeof(node->entries[0].name));
		(void)strcpy(node->entries[node->count].name, entry->d_name);
		node->entries[node->count++].inode = entry->d_ino;
	}
	(void)closedir(directory);
}

/* What is open there is on the disk from now on. */
static void sync_fd(struct disk *disk, int fd)
{
	struct stat st;
	struct node *node;

	must(fstat(fd, &st) == 0);
	node = node_of(disk, st.st_ino);
	node->st = st;
	if (S_ISDIR(st.st_mode))
		keep_entries(node, fd);
	else if (S_ISREG(st.st_mode))
		keep_content(node, fd);
}

static void sync_link(struct disk *disk, const char *path, const struct stat *st)
{
	struct node *node = node_of(disk, st->st_ino);

	node->st = *st;
	free(node->content);
	node->content = calloc(1, PATH_SIZE);
	must(node->content && readlink(path, node->content, PATH_SIZE - 1) > 0);
}

static struct disk *scanned;

static int sync_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	int fd;

	(void)kind;
	(void)where;
	if (S_ISLNK(st->st_mode)) {
		sync_link(scanned, path, st);
		return 0;
	}
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	must(fd >= 0);
	sync_fd(scanned, fd);
	(void)close(fd);
	return 0;
}

/* All that is there below a folder is on the disk. */
static void sync_all(struct disk *disk, const char *folder)
{
	char path[PATH_SIZE];

	(void)snprintf(path, sizeof(path), "%s%s", disk->root, folder);
	scanned = disk;
	must(nftw(path, sync_one, 16, FTW_PHYS) == 0);
}

static void disk_free(struct disk *disk)
{
	for (unsigned i = 0; i < disk->count; i++)
		free(disk->nodes[i].content);
	free(disk->nodes);
}

/* ---- what a disk may hold: a text that describes it, a line for each name ---- */

static void describe(FILE *out, const char *path, const struct stat *st, const char *content, size_t length)
{
	(void)fprintf(out, "%s %o %u %u %zu\n", path, st->st_mode, st->st_uid, st->st_gid, length);
	must(fwrite(content, 1, length, out) == length);
}

/* A file or folder that was never synced: it may have its name, and nothing else. */
static void describe_unsynced(FILE *out, const char *path, const struct stat *st)
{
	describe(out, path, st, "", 0);
}

static void describe_synced(FILE *out, const struct disk *disk, const struct node *node, const char *path)
{
	describe(out, path, &node->st, node->content ? node->content : "",
		 S_ISLNK(node->st.st_mode)   ? strlen(node->content)
		 : S_ISREG(node->st.st_mode) ? node->length
					     : 0);
	for (unsigned i = 0; i < node->count; i++) {
		const struct node *child = find_node(disk, node->entries[i].inode);
		const struct stat unknown = { .st_mode = S_IFREG | 0600 };
		char below[PATH_SIZE];

		(void)snprintf(below, sizeof(below), "%.400s/%s", path, node->entries[i].name);
		if (child)
			describe_synced(out, disk, child, below);
		else
			describe_unsynced(out, below, &unknown);
	}
}

enum variant { NOTHING_UNSYNCED, ALL_NAMES, ALL_NAMES_AND_LENGTHS, VARIANTS };

static const char *const variant_names[] = { "nothing on the disk but what was synced", "all names on the disk",
					     "all names and lengths on the disk" };

/* A file as long as it is now, with zeros behind what was synced. */
static void describe_stretched(FILE *out, const char *path, const struct stat *st, const struct node *node)
{
	size_t length = (size_t)st->st_size, known = node ? node->length : 0;
	char *text = calloc(1, length + 1);

	must(text);
	memcpy(text, node ? node->content : "", known < length ? known : length);
	describe(out, path, st, text, length);
	free(text);
}

static bool named_stretched;
static const struct disk *named;
static FILE *named_out;

static int describe_named(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	const struct node *node = find_node(named, st->st_ino);
	char target[PATH_SIZE] = "";

	(void)kind;
	(void)where;
	path += strlen(named->root);
	if (S_ISLNK(st->st_mode)) {
		char full[PATH_SIZE];

		(void)snprintf(full, sizeof(full), "%s%s", named->root, path);
		must(readlink(full, target, sizeof(target) - 1) > 0);
		describe(named_out, path, st, target, strlen(target));
	} else if (named_stretched && S_ISREG(st->st_mode)) {
		describe_stretched(named_out, path, st, node);
	} else if (node && S_ISREG(st->st_mode)) {
		describe(named_out, path, st, node->content, node->length);
	} else {
		describe_unsynced(named_out, path, st);
	}
	return 0;
}

static char *describe_disk(const struct disk *disk, enum variant variant, size_t *ret_length)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_length);

	must(out);
	if (variant == NOTHING_UNSYNCED) {
		struct stat st;

		must(stat(disk->root, &st) == 0);
		describe_synced(out, disk, find_node(disk, st.st_ino), "");
	} else {
		named = disk;
		named_out = out;
		named_stretched = variant == ALL_NAMES_AND_LENGTHS;
		must(nftw(disk->root, describe_named, 16, FTW_PHYS) == 0);
	}
	must(fclose(out) == 0);
	return text;
}

static void build_one(const char *path, mode_t mode, uid_t uid, gid_t gid, const char *content, size_t length)
{
	int fd;

	if (S_ISDIR(mode)) {
		must(mkdir(path, 0700) == 0);
	} else if (S_ISLNK(mode)) {
		char target[PATH_SIZE] = "";

		must(length < sizeof(target));
		memcpy(target, content, length);
		must(symlink(target, path) == 0);
	} else {
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		must(fd >= 0 && write(fd, content, length) == (ssize_t)length);
		(void)close(fd);
	}
	must(lchown(path, uid, gid) == 0 && (S_ISLNK(mode) || chmod(path, mode & 07777) == 0));
}

/* Makes the described disk a machine. */
static void build(const char *text, size_t length, struct small_machine *machine)
{
	const char *at = text, *end = text + length;

	*machine = (struct small_machine){ .root = "/dev/shm/small_machine.XXXXXX" };
	must(mkdtemp(machine->root) && rmdir(machine->root) == 0);
	while (at < end) {
		char path[PATH_SIZE], full[PATH_SIZE + 64];
		unsigned mode, uid, gid;
		size_t size;
		int used = 0;

		if (*at == ' ') { /* the root itself has no name */
			path[0] = '\0';
			must(sscanf(at, " %o %u %u %zu%n", &mode, &uid, &gid, &size, &used) == 4);
		} else {
			must(sscanf(at, "%511s %o %u %u %zu%n", path, &mode, &uid, &gid, &size, &used) == 5);
		}
		at += used + 1;
		(void)snprintf(full, sizeof(full), "%s%s", machine->root, path);
		build_one(full, mode, uid, gid, at, size);
		at += size;
	}
}

/* ---- the run ---- */

struct cut {
	const struct life *life;
	struct small_machine *machine;
	struct disk disk;
	bool answered[LIFE_ORDERS_MAX];
	unsigned calls, tried;
	char *last[VARIANTS]; /* what was tried before; the same again tells nothing new */
	size_t last_length[VARIANTS];
};

static int run_all(void *context)
{
	const struct cut *cut = context;
	struct small_machine machine = *cut->machine;
	struct life_run runs[LIFE_ORDERS_MAX];

	machine_open(&machine);
	life_serve(&machine, cut->life->scenario, true, runs);
	return 0;
}

static void try_disk(struct cut *cut, enum variant variant)
{
	struct small_machine machine;
	size_t length = 0;
	char *text = describe_disk(&cut->disk, variant, &length);

	if (cut->last[variant] && length == cut->last_length[variant] &&
	    memcmp(text, cut->last[variant], length) == 0) {
		free(text);
		return;
	}
	free(cut->last[variant]);
	cut->last[variant] = text;
	cut->last_length[variant] = length;
	(void)snprintf(life_where, sizeof(life_where), "%s, the power cut behind call %u (%s)",
		       cut->life->scenario->name, cut->calls, variant_names[variant]);
	build(text, length, &machine);
	life_check(cut->life, &machine, cut->answered);
	machine_remove(&machine);
	cut->tried++;
}

static bool read_child(pid_t child, uint64_t address, void *buffer, size_t length)
{
	const struct iovec here = { .iov_base = buffer, .iov_len = length };
	const struct iovec there = { .iov_base = (void *)(uintptr_t)address, .iov_len = length };

	return process_vm_readv(child, &here, 1, &there, 1, 0) == (ssize_t)length;
}

static void sync_childs(struct disk *disk, pid_t child, int number)
{
	char path[64];
	struct stat st;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)child, number);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	must(fd >= 0 && fstat(fd, &st) == 0);
	sync_fd(disk, fd);
	(void)close(fd);
}

/* What io_submit(2) has begun. Nothing is called before all of it is awaited. */
static void sync_begun(struct disk *disk, pid_t child, const struct traced_call *call)
{
	for (unsigned long i = 0; i < (unsigned long)call->result; i++) {
		uint64_t request;
		struct iocb iocb;

		must(read_child(child, call->arguments[2] + i * sizeof(request), &request, sizeof(request)));
		must(read_child(child, request, &iocb, sizeof(iocb)));
		must(iocb.aio_lio_opcode == IOCB_CMD_FSYNC);
		sync_childs(disk, child, (int)iocb.aio_fildes);
	}
}

static enum traced_next stop(void *context, pid_t child, const struct traced_call *call, bool after, int *ret_error)
{
	struct cut *cut = context;

	(void)ret_error;
	if (call->number == SYS_write && call->arguments[0] >= LIFE_ANSWER_FD) {
		cut->answered[call->arguments[0] - LIFE_ANSWER_FD] |= after;
		return TRACED_GO_ON;
	}
	if (!after)
		return TRACED_GO_ON;
	cut->calls++;
	if ((call->number == SYS_fsync || call->number == SYS_fdatasync) && call->result == 0)
		sync_childs(&cut->disk, child, (int)call->arguments[0]);
	if (call->number == SYS_io_submit && call->result > 0)
		sync_begun(&cut->disk, child, call);
	if (call->number == SYS_syncfs && call->result == 0)
		sync_all(&cut->disk, "/home"); /* as if homes were on a disk of their own */
	for (int variant = 0; variant < VARIANTS; variant++)
		try_disk(cut, (enum variant)variant);
	return TRACED_GO_ON;
}

static unsigned cut_everywhere(const struct scenario *scenario)
{
	struct life life;
	struct small_machine machine;
	struct cut cut = { .life = &life, .machine = &machine };
	const struct traced traced = { .run = run_all, .stop = stop, .context = &cut };
	int status;

	life_begin(scenario, &life);
	life_make_machine(scenario, &machine);
	machine_close(&machine);
	(void)strcpy(cut.disk.root, machine.root);
	cut.disk.nodes = calloc(NODES_MAX, sizeof(cut.disk.nodes[0]));
	must(cut.disk.nodes);
	sync_all(&cut.disk, "");
	status = traced_run(&traced);
	if (status == TRACED_NOT_ALLOWED || access("/dev/shm", W_OK) != 0)
		_exit(LIFE_SKIPPED);
	must(status == 0 && cut.tried > 10);
	for (int variant = 0; variant < VARIANTS; variant++)
		free(cut.last[variant]);
	disk_free(&cut.disk);
	machine_open(&machine);
	machine_remove(&machine);
	life_end(&life);
	return cut.tried;
}

static void a_power_cut_behind_any_call_leaves_every_account_whole(void **state)
{
	(void)state;
	all_scenarios("power cuts", cut_everywhere);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_power_cut_behind_any_call_leaves_every_account_whole),
	};

	if (geteuid() != 0) {
		print_message("skipped: only root can make homes that belong to others\n");
		return 0;
	}
	log_divert(say_nothing);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
