/*
 * Tests what pam_oidc.so brings into the programs that load it: libc and libpam, its six entry points, and no call that
 * belongs to the program itself. Reads the ELF file (elf(5)).
 */
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static const char *image;

static const ElfW(Shdr) * section_of_type(unsigned type)
{
	const ElfW(Ehdr) *header = (const void *)image;
	const ElfW(Shdr) *sections = (const void *)(image + header->e_shoff);

	for (size_t i = 0; i < header->e_shnum; i++)
		if (sections[i].sh_type == type)
			return &sections[i];
	fail_msg("no section of type %u", type);
	return sections;
}

/* The string at an offset of the table that belongs to the section. */
static const char *string_in(const ElfW(Shdr) * section, size_t offset)
{
	const ElfW(Ehdr) *header = (const void *)image;
	const ElfW(Shdr) *sections = (const void *)(image + header->e_shoff);

	return image + sections[section->sh_link].sh_offset + offset;
}

static bool among(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

static void it_needs_libc_and_libpam_only(void **state)
{
	static const char *const allowed[] = { "libc.so.6", "libpam.so.0", NULL };
	const ElfW(Shdr) *section = section_of_type(SHT_DYNAMIC);
	const ElfW(Dyn) *entry = (const void *)(image + section->sh_offset);

	(void)state;
#ifdef __SANITIZE_ADDRESS__
	skip();
#endif
	for (; entry->d_tag != DT_NULL; entry++)
		if (entry->d_tag == DT_NEEDED && !among(string_in(section, entry->d_un.d_val), allowed))
			fail_msg("it needs %s", string_in(section, entry->d_un.d_val));
}

/* Calls `visit` for each dynamic symbol that the library defines, or that it takes from elsewhere. */
static size_t each_symbol(bool defined, void (*visit)(const char *name))
{
	const ElfW(Shdr) *section = section_of_type(SHT_DYNSYM);
	const ElfW(Sym) *symbols = (const void *)(image + section->sh_offset);
	size_t visited = 0;

	for (size_t i = 1; i < section->sh_size / sizeof(*symbols); i++) {
		if ((symbols[i].st_shndx != SHN_UNDEF) != defined)
			continue;
		visit(string_in(section, symbols[i].st_name));
		visited++;
	}
	return visited;
}

static void must_be_an_entry_point(const char *name)
{
	static const char *const entry_points[] = {
		"pam_sm_authenticate",
		"pam_sm_setcred",
		"pam_sm_acct_mgmt",
		"pam_sm_open_session",
		"pam_sm_close_session",
		"pam_sm_chauthtok",
		NULL,
	};

	if (!among(name, entry_points))
		fail_msg("it exports %s", name);
}

static void it_exports_its_six_entry_points_only(void **state)
{
	(void)state;
#ifdef __SANITIZE_ADDRESS__
	skip();
#endif
	assert_int_equal(each_symbol(true, must_be_an_entry_point), 6);
}

static void must_be_the_module_s_to_call(const char *name)
{
	/* The program's process, environment, streams, signals and log; and whatever keeps its answer in a static
	 * buffer. */
	static const char *const forbidden[] = {
		"exit",          "_exit",         "_Exit",        "quick_exit",
		"abort",         "atexit",        "fork",         "vfork",
		"execve",        "execv",         "system",       "popen",
		"getenv",        "secure_getenv", "setenv",       "putenv",
		"unsetenv",      "environ",       "stdin",        "stdout",
		"stderr",        "printf",        "__printf_chk", "puts",
		"putchar",       "perror",        "fprintf",      "__fprintf_chk",
		"signal",        "sigaction",     "sigprocmask",  "pthread_sigmask",
		"alarm",         "setitimer",     "sleep",        "usleep",
		"openlog",       "closelog",      "syslog",       "__syslog_chk",
		"setlogmask",    "strerror",      "strtok",       "localtime",
		"gmtime",        "ctime",         "asctime",      "inet_ntoa",
		"getpwnam",      "getpwuid",      "ttyname",      "getlogin",
		"gethostbyname", "rand",          "srand",        "random",
		"setlocale",     "umask",         "chdir",        "setuid",
		"seteuid",       "setresuid",     "setrlimit",    NULL,
	};

	if (among(name, forbidden))
		fail_msg("it calls %s", name);
}

static void it_calls_nothing_that_belongs_to_the_program(void **state)
{
	(void)state;
	assert_true(each_symbol(false, must_be_the_module_s_to_call) > 0);
}

static void it_has_no_state_of_its_own(void **state)
{
	const ElfW(Ehdr) *header = (const void *)image;
	const ElfW(Shdr) *sections = (const void *)(image + header->e_shoff);

	(void)state;
#ifdef __SANITIZE_ADDRESS__
	skip();
#endif
	/* What crt adds to .data and .bss (__dso_handle, completed.0) is a word each. */
	for (size_t i = 0; i < header->e_shnum; i++) {
		const char *name = image + sections[header->e_shstrndx].sh_offset + sections[i].sh_name;

		if (strcmp(name, ".data") == 0 || strcmp(name, ".bss") == 0)
			assert_true(sections[i].sh_size <= sizeof(void *));
	}
}

static int map_the_library(void **state)
{
	int fd = open(MODULE, O_RDONLY | O_CLOEXEC);
	struct stat status;
	void *mapped;

	(void)state;
	if (fd < 0 || fstat(fd, &status) != 0)
		return -1;
	mapped = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	(void)close(fd);
	if (mapped == MAP_FAILED)
		return -1;
	image = mapped;
	return memcmp(image, ELFMAG, SELFMAG) == 0 ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_needs_libc_and_libpam_only),
		cmocka_unit_test(it_exports_its_six_entry_points_only),
		cmocka_unit_test(it_calls_nothing_that_belongs_to_the_program),
		cmocka_unit_test(it_has_no_state_of_its_own),
	};

	return cmocka_run_group_tests(tests, map_the_library, NULL);
}
