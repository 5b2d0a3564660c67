/*
 * The configuration while memory or the disk fails: it is read as it stands, or refused with a word; never read in
 * part.
 */
#include "common/config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/secret.h"
#include "common/trusted_file.h"
#include "failing_each.h"

static const char text[] =
	"[login]\nproxy = http://proxy.clinic.example:3128\nunlimited_from = 10.0.0.0/8, 2001:db8::/32\n"
	"[accounts]\ndefault_tenant = clinic\nreserved_names = frontdesk, reception\n"
	"[tenant clinic]\nissuer = https://clinic.okta.com/oauth2/default\nclient_id = 0oa1\n"
	"domains = clinic.example, hospital.example\nallowed_groups = Radiology, \"Clinic IT\"\n"
	"required_amr = mfa, hwk\nmax_auth_age = 12h\nremote_from = 10.0.0.0/8\n"
	"[tenant lab]\norg = lab.okta.com\nclient_id = 0oa2\ndomains = lab.example\nusername = %l.%t\n";

static const struct failing_manner manners[] = {
	{ "no memory, once", FAILING_MEMORY, ENOMEM, FAILING_ONCE },
	{ "no memory any more", FAILING_MEMORY, ENOMEM, FAILING_FOREVER },
	{ "an I/O error, once", FAILING_CALLS, EIO, FAILING_ONCE },
	{ "an interruption, once", FAILING_CALLS, EINTR, FAILING_ONCE },
};

static unsigned reports;

static void report(void *context, const char *path, unsigned line, const char *message)
{
	(void)context, (void)path, (void)line;
	assert_string_not_equal(message, "");
	reports++;
}

static void assert_whole(const struct config *config)
{
	assert_int_equal(config->tenant_count, 2);
	assert_non_null(config->default_tenant);
	assert_string_equal(config->default_tenant->name, "clinic");
	assert_string_equal(config->login.proxy, "http://proxy.clinic.example:3128");
	assert_int_equal(config->login.unlimited_from.count, 2);
	assert_true(string_list_contains(&config->accounts.reserved_names, "frontdesk"));
	assert_true(string_list_contains(&config->accounts.reserved_names, "reception"));
	assert_int_equal(config->default_tenant->allowed_groups.count, 2);
	assert_int_equal(config->default_tenant->required_amr.count, 2);
	assert_int_equal(config->default_tenant->remote_from.count, 1);
	assert_int_equal(config->default_tenant->max_auth_age_s, 12 * 3600);
	assert_ptr_equal(config_tenant_of_domain(config, "hospital.example"), config->default_tenant);
	assert_string_equal(config_tenant_of_domain(config, "lab.example")->issuer, "https://lab.okta.com");
}

static bool load_while_failing(void *context, const struct failing_manner *manner, unsigned n)
{
	struct config *config = NULL;
	bool failed, loaded;

	reports = 0;
	failing_arm(manner->kinds, n, manner->error, manner->times);
	loaded = config_load(context, report, NULL, &config);
	failed = failing_disarm();
	assert_int_equal(loaded, config != NULL);
	assert_int_equal(loaded, reports == 0);
	if (loaded)
		assert_whole(config);
	config_free(config);
	return failed;
}

static bool read_secret_while_failing(void *context, const struct failing_manner *manner, unsigned n)
{
	struct secret secret = { 0 };
	char fault[256] = "";
	bool failed, loaded;

	failing_arm(manner->kinds, n, manner->error, manner->times);
	loaded = trusted_file_read_secret(context, 4096, geteuid(), getegid(), &secret, fault, sizeof(fault));
	failed = failing_disarm();
	assert_int_equal(loaded, fault[0] == '\0');
	if (loaded)
		assert_int_equal(secret.length, strcspn(text, "") - 1);
	secret_wipe(&secret);
	return failed;
}

static void a_configuration_is_read_whole_or_refused_with_a_word(void **state)
{
	char path[] = "/tmp/test_failing_config.XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	(void)close(fd);
	for (size_t i = 0; i < sizeof(manners) / sizeof(manners[0]); i++) {
		assert_in_range(failing_each(load_while_failing, path, &manners[i]), 1, FAILING_N_MAX - 1);
		assert_in_range(failing_each(read_secret_while_failing, path, &manners[i]), 1, FAILING_N_MAX - 1);
	}
	(void)unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_configuration_is_read_whole_or_refused_with_a_word, say_where),
	};

	if (geteuid() != 0) {
		print_message("skipped: only a file of root's is a configuration\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
