/*
 * Copies and frees what is known of an expected person.
 */
#include "provisiond/expected.h"

#include <stddef.h>

#include "provisiond/string_block.h"

static const size_t strings[] = {
	offsetof(struct expected, name),
	offsetof(struct expected, tenant),
	offsetof(struct expected, email),
	offsetof(struct expected, subject),
};

int expected_copy(const struct expected *expected, struct expected *ret_copy)
{
	struct expected copy = *expected;
	int r = string_block_own_all(&copy, strings, sizeof(strings) / sizeof(strings[0]), &copy.storage);

	if (r == 0)
		*ret_copy = copy;
	return r;
}

void expected_clear(struct expected *expected)
{
	free(expected->storage);
	*expected = (struct expected){ 0 };
}
