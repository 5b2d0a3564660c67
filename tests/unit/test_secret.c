/*
 * Secrets: whatever frees one wipes it first. free(3) is wrapped, so that the bytes can be looked at when they are
 * given back.
 */
#include "common/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pam_oidc/device_grant.h"
#include "pam_oidc/endpoint_response.h"
#include "pam_oidc/form.h"
#include "pam_oidc/wiping_memory.h"

void __real_free(void *pointer);
void __wrap_free(void *pointer);

/* Blocks of interest, with what was in them when they were freed. */
static struct {
	const void *pointer;
	size_t length;
	bool freed, wiped;
} watched[4];
static size_t watched_count;

void __wrap_free(void *pointer)
{
	for (size_t i = 0; i < watched_count; i++) {
		const char *bytes = pointer;

		if (!pointer || watched[i].pointer != pointer || watched[i].freed)
			continue;
		watched[i].freed = watched[i].wiped = true;
		for (size_t at = 0; at < watched[i].length; at++)
			watched[i].wiped = watched[i].wiped && bytes[at] == '\0';
	}
	__real_free(pointer);
}

static void watch(const void *pointer, size_t length)
{
	assert_non_null(pointer);
	watched[watched_count].pointer = pointer;
	watched[watched_count].length = length;
	watched[watched_count].freed = watched[watched_count].wiped = false;
	watched_count++;
}

static int forget(void **state)
{
	(void)state;
	watched_count = 0;
	return 0;
}

static void all_were_wiped(void)
{
	assert_true(watched_count > 0);
	for (size_t i = 0; i < watched_count; i++) {
		assert_true(watched[i].freed);
		assert_true(watched[i].wiped);
	}
}

static void a_secret_is_a_copy_that_ends_with_nul(void **state)
{
	char bytes[] = { 's', '3', 'c', 'r', 'e', 't' };
	struct secret secret = { 0 };

	(void)state;
	assert_int_equal(secret_from_bytes(bytes, sizeof(bytes), &secret), 0);
	bytes[0] = 'X';
	assert_string_equal(secret.bytes, "s3cret");
	assert_int_equal(secret.length, 6);
	secret_wipe(&secret);
}

static void wiping_leaves_an_empty_secret_and_can_be_repeated(void **state)
{
	struct secret secret = { 0 };

	(void)state;
	secret_wipe(&secret);
	assert_int_equal(secret_from_bytes("abc", 3, &secret), 0);
	secret_wipe(&secret);
	assert_null(secret.bytes);
	assert_int_equal(secret.length, 0);
	secret_wipe(&secret);
	secret_wipe(NULL);
	secret_free_text(NULL);
}

static void a_secret_is_wiped_before_it_is_freed(void **state)
{
	struct secret secret = { 0 };

	(void)state;
	assert_int_equal(secret_from_bytes("s3cret", 6, &secret), 0);
	watch(secret.bytes, secret.length);
	secret_wipe(&secret);
	all_were_wiped();
}

static void a_secret_is_wiped_at_the_end_of_its_scope(void **state)
{
	(void)state;
	{
		_cleanup_secret_ struct secret secret = { 0 };
		_cleanup_secret_text_ char *text = strdup("Bearer s3cret");

		assert_int_equal(secret_from_bytes("s3cret", 6, &secret), 0);
		watch(secret.bytes, secret.length);
		assert_non_null(text);
		watch(text, strlen(text));
	}
	all_were_wiped();
}

static void a_device_authorization_is_wiped(void **state)
{
	static const char json[] =
		"{\"device_code\":\"dddddddd\",\"user_code\":\"RGTCFDTL\",\"expires_in\":600,"
		"\"verification_uri\":\"https://clinic.okta.com/activate\","
		"\"verification_uri_complete\":\"https://clinic.okta.com/activate?user_code=RGTCFDTL\"}";
	struct device_authorization *authorization = NULL;
	char fault[128];

	(void)state;
	assert_true(device_authorization_parse(json, strlen(json), &authorization, fault, sizeof(fault)));
	watch(authorization->device_code.bytes, 8);
	watch(authorization->user_code, 8);
	watch(authorization->verification_uri_complete, strlen(authorization->verification_uri_complete));
	device_authorization_free(authorization);
	all_were_wiped();
}

static void tokens_are_wiped(void **state)
{
	static const char json[] =
		"{\"id_token\":\"xx.yy.zz\",\"access_token\":\"aaaaaaaa\",\"token_type\":\"Bearer\"}";
	struct tokens tokens = { 0 };
	char fault[128];

	(void)state;
	assert_true(tokens_parse(json, strlen(json), &tokens, fault, sizeof(fault)));
	watch(tokens.id_token.bytes, 8);
	watch(tokens.access_token.bytes, 8);
	tokens_wipe(&tokens);
	all_were_wiped();
}

static void a_form_is_wiped(void **state)
{
	struct form form = { 0 };

	(void)state;
	form_add(&form, "device_code", "dddddddd");
	watch(form.text, form.length);
	form_wipe(&form);
	all_were_wiped();
}

static void texts_are_joined_into_a_new_one(void **state)
{
	_cleanup_secret_text_ char *text = secret_join_texts("Bearer ", "s3cret");

	(void)state;
	assert_string_equal(text, "Bearer s3cret");
	watch(text, strlen(text));
	secret_free_text(take_pointer(text));
	all_were_wiped();
}

static void memory_of_a_library_is_wiped_when_it_is_given_back(void **state)
{
	char *plain = malloc(100), *ours = wiping_malloc(5000), *zeroed = wiping_calloc(10, 10);

	(void)state;
	memset(plain, 'x', 100);
	memset(ours, 'x', 5000);
	memset(zeroed, 'x', 100);
	watch(plain, 100);
	watch(ours, 5000);
	watch(zeroed, 100);
	wiping_free(plain);
	wiping_free(ours);
	wiping_free(zeroed);
	wiping_free(NULL);
	all_were_wiped();
}

static void memory_that_grows_or_shrinks_leaves_no_copy(void **state)
{
	char *text = wiping_strdup("s3cret"), *larger, *smaller;

	(void)state;
	watch(text, strlen(text));
	larger = wiping_realloc(text, 5000);
	assert_string_equal(larger, "s3cret");
	all_were_wiped();
	memset(larger, 'x', 5000);
	watch(larger, 5000);
	smaller = wiping_realloc(larger, 24);
	assert_memory_equal(smaller, "xxxxxxxxxx", 10);
	all_were_wiped();
	assert_ptr_equal(wiping_realloc(smaller, 20), smaller);
	wiping_free(smaller);
	larger = wiping_realloc(NULL, 10);
	assert_non_null(larger);
	wiping_free(larger);
}

/* Returns where its secret was. Not inlined, so that it has a frame of its own to leave behind. */
__attribute__((noinline)) static const volatile char *leave_on_stack(void)
{
	volatile char secret[64];
	const volatile char *volatile place = secret;

	for (size_t i = 0; i < sizeof(secret); i++)
		secret[i] = 'x';
	return place;
}

static void the_stack_below_is_overwritten(void **state)
{
	const volatile char *secret = leave_on_stack();
	unsigned left = 0;

	(void)state;
#ifdef __SANITIZE_ADDRESS__
	skip(); /* which lays out frames in a way of its own */
#endif
	wiping_memory_clear_stack();
	for (size_t i = 0; i < 64; i++)
		left += secret[i] == 'x';
	assert_int_equal(left, 0);
}

#define TEST(name) cmocka_unit_test_setup(name, forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(texts_are_joined_into_a_new_one),
		TEST(memory_of_a_library_is_wiped_when_it_is_given_back),
		TEST(memory_that_grows_or_shrinks_leaves_no_copy),
		TEST(the_stack_below_is_overwritten),
		TEST(a_secret_is_a_copy_that_ends_with_nul),
		TEST(wiping_leaves_an_empty_secret_and_can_be_repeated),
		TEST(a_secret_is_wiped_before_it_is_freed),
		TEST(a_secret_is_wiped_at_the_end_of_its_scope),
		TEST(a_device_authorization_is_wiped),
		TEST(tokens_are_wiped),
		TEST(a_form_is_wiped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
