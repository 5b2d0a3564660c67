/*
 * Tests what libnss_oidc.so.2 brings into every program that looks a user up: libc alone, and its two entry points.
 */
#include <elf.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/cleanup.h"

#define LIBRARY_MAX ((size_t)4 * 1024 * 1024)

static _Alignas(max_align_t) char library[LIBRARY_MAX];

static const ElfW(Shdr) * section(unsigned type)
{
	const ElfW(Ehdr) *header = (const void *)library;
	const ElfW(Shdr) *sections = (const void *)(library + header->e_shoff);

	for (size_t i = 0; i < header->e_shnum; i++)
		if (sections[i].sh_type == type)
			return &sections[i];
	fail_msg("no section of type %u", type);
	return NULL;
}

/* A name from the table of strings that goes with the section. */
static const char *name_at(const ElfW(Shdr) * of, size_t offset)
{
	const ElfW(Ehdr) *header = (const void *)library;
	const ElfW(Shdr) *sections = (const void *)(library + header->e_shoff);

	return library + sections[of->sh_link].sh_offset + offset;
}

static void it_needs_libc_only(void **state)
{
	const ElfW(Shdr) *dynamic = section(SHT_DYNAMIC);
	int needed = 0;

	(void)state;
	for (const ElfW(Dyn) *entry = (const void *)(library + dynamic->sh_offset); entry->d_tag != DT_NULL; entry++) {
		if (entry->d_tag != DT_NEEDED)
			continue;
		assert_string_equal(name_at(dynamic, entry->d_un.d_val), "libc.so.6");
		needed++;
	}
	assert_int_equal(needed, 1);
}

static void it_is_named_as_the_c_library_looks_for_it(void **state)
{
	const ElfW(Shdr) *dynamic = section(SHT_DYNAMIC);
	const ElfW(Dyn) *entry = (const void *)(library + dynamic->sh_offset);

	(void)state;
	while (entry->d_tag != DT_NULL && entry->d_tag != DT_SONAME)
		entry++;
	assert_int_equal(entry->d_tag, DT_SONAME);
	assert_string_equal(name_at(dynamic, entry->d_un.d_val), "libnss_oidc.so.2");
}

static void it_exports_its_two_entry_points_only(void **state)
{
	const ElfW(Shdr) *dynsym = section(SHT_DYNSYM);
	const ElfW(Sym) *symbols = (const void *)(library + dynsym->sh_offset);
	int exported = 0;

	(void)state;
	for (size_t i = 1; i < dynsym->sh_size / sizeof(*symbols); i++) {
		const char *name = name_at(dynsym, symbols[i].st_name);

		if (symbols[i].st_shndx == SHN_UNDEF)
			continue;
		if (strcmp(name, "_nss_oidc_getpwnam_r") != 0 && strcmp(name, "_nss_oidc_initgroups_dyn") != 0)
			fail_msg("it exports %s", name);
		exported++;
	}
	assert_int_equal(exported, 2);
}

static int read_library(void **state)
{
	_cleanup_file_ FILE *file = fopen(NSS_LIBRARY, "re");
	size_t n = file ? fread(library, 1, sizeof(library), file) : 0;

	(void)state;
	return n > sizeof(ElfW(Ehdr)) && n < sizeof(library) && memcmp(library, ELFMAG, SELFMAG) == 0 ? 0 : -1;
}

int main(void)
{
#ifdef __SANITIZE_ADDRESS__
	/* It brings libraries and symbols of its own. */
	(void)puts("[  SKIPPED ] what a library of the sanitizers' needs and exports is not ours");
	(void)it_needs_libc_only, (void)it_is_named_as_the_c_library_looks_for_it;
	(void)it_exports_its_two_entry_points_only, (void)read_library;
	return 0;
#else
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_needs_libc_only),
		cmocka_unit_test(it_is_named_as_the_c_library_looks_for_it),
		cmocka_unit_test(it_exports_its_two_entry_points_only),
	};

	return cmocka_run_group_tests(tests, read_library, NULL);
#endif
}
