/*
 * base64url: what is encoded comes back, and every text but the one an encoder makes is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/cleanup.h"
#include "pam_oidc/base64url.h"

static void assert_decodes(const char *text, const char *bytes)
{
	_cleanup_free_ uint8_t *decoded = NULL;
	size_t length = 0;

	assert_true(base64url_decode(text, strlen(text), &decoded, &length));
	assert_int_equal(length, strlen(bytes));
	assert_memory_equal(decoded, bytes, length + 1);
}

static void assert_refused(const char *text)
{
	uint8_t *decoded = NULL;
	size_t length = 99;

	assert_false(base64url_decode(text, strlen(text), &decoded, &length));
	assert_null(decoded);
	assert_int_equal(length, 99);
}

static void the_vectors_of_the_standard_come_out(void **state)
{
	const char *const vectors[][2] = {
		{ "", "" },           { "f", "Zg" },          { "fo", "Zm8" },          { "foo", "Zm9v" },
		{ "foob", "Zm9vYg" }, { "fooba", "Zm9vYmE" }, { "foobar", "Zm9vYmFy" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		_cleanup_free_ char *encoded = base64url_encode((const uint8_t *)vectors[i][0], strlen(vectors[i][0]));

		assert_string_equal(encoded, vectors[i][1]);
		assert_decodes(encoded, vectors[i][0]);
	}
}

static void all_bytes_of_all_lengths_come_back(void **state)
{
	uint8_t bytes[256];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(255 - i);
	for (size_t length = 0; length <= sizeof(bytes); length++) {
		_cleanup_free_ char *text = base64url_encode(bytes, length);
		_cleanup_free_ uint8_t *decoded = NULL;
		size_t decoded_length = 0;

		assert_true(base64url_decode(text, strlen(text), &decoded, &decoded_length));
		assert_int_equal(decoded_length, length);
		assert_memory_equal(decoded, bytes, length);
	}
}

static void the_last_two_characters_are_minus_and_underscore(void **state)
{
	(void)state;
	assert_decodes("-_-_", "\xfb\xff\xbf");
	assert_refused("+_-_");
	assert_refused("-/-_");
}

static void padding_is_refused(void **state)
{
	(void)state;
	assert_refused("Zg==");
	assert_refused("Zm8=");
	assert_refused("Zm9v=");
	assert_refused("=");
}

static void white_space_and_other_characters_are_refused(void **state)
{
	(void)state;
	assert_refused("Zm9v\n");
	assert_refused(" Zm9");
	assert_refused("Zm9v.");
	assert_refused("Zm\xc3\xbc");
	assert_refused("@Zm9");
	assert_refused("[Zm9");
	assert_refused("`Zm9");
	assert_refused("{Zm9");
	assert_refused(":Zm9");
}

static void a_NUL_byte_is_refused(void **state)
{
	uint8_t *decoded = NULL;
	size_t length;

	(void)state;
	assert_false(base64url_decode("Zm9\0", 4, &decoded, &length));
}

static void a_length_that_no_encoder_makes_is_refused(void **state)
{
	(void)state;
	assert_refused("A");
	assert_refused("Zm9vA");
}

static void bits_left_over_are_refused(void **state)
{
	(void)state;
	assert_decodes("Zg", "f");
	assert_refused("Zh");
	assert_refused("Zo");
	assert_decodes("Zm8", "fo");
	assert_refused("Zm9");
	assert_refused("Zm-");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vectors_of_the_standard_come_out),
		cmocka_unit_test(all_bytes_of_all_lengths_come_back),
		cmocka_unit_test(the_last_two_characters_are_minus_and_underscore),
		cmocka_unit_test(padding_is_refused),
		cmocka_unit_test(white_space_and_other_characters_are_refused),
		cmocka_unit_test(a_NUL_byte_is_refused),
		cmocka_unit_test(a_length_that_no_encoder_makes_is_refused),
		cmocka_unit_test(bits_left_over_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
