/*
 * The configuration: every text is either taken whole and without a word, or refused with at least one sentence that
 * names a line of the text; what was taken keeps every promise of common/config.h (a tenant at least, no domain, issuer
 * or account name shared by two, numbers and modes in range, paths absolute), is read the same through the file entry,
 * and is refused, not half-read, when memory runs out.
 *
 * Covers: common/config.c common/config_keys.c common/config_values.c common/trusted_file.c common/username_format.c
 */
#include "common/config.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/config_keys.h"
#include "common/names.h"
#include "tests/fuzz/fuzz.h"

/* What the reports say. */
struct reports {
	unsigned count;
	unsigned lines; /* in the text */
	uint32_t digest;
};

static int file = -1;
static char path[64];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	/* The file entry takes root's files alone. */
	if (geteuid() != 0)
		return 0;
	(void)strcpy(path, "/dev/shm/fuzz_config.XXXXXX");
	file = mkostemp(path, O_CLOEXEC);
	holds(file >= 0);
	fuzz_remove_at_end(path);
	return 0;
}

static void take_report(void *context, const char *where, unsigned line, const char *message)
{
	struct reports *reports = context;

	holds(strcmp(where, path[0] ? path : "test") == 0);
	holds(message[0] && strlen(message) < 4096);
	holds(line <= reports->lines, "line %u of %u", line, reports->lines);
	reports->count++;
	for (; *message; message++)
		reports->digest = (reports->digest ^ (unsigned char)*message) * 16777619u + line;
}

static unsigned lines_of(const char *text)
{
	unsigned lines = 1;

	for (; *text; text++)
		lines += *text == '\n';
	return lines;
}

static void check_texts(const struct tenant *tenant)
{
	holds(tenant->name && tenant->name[0] && tenant->client_id && tenant->client_id[0]);
	holds(tenant->issuer && strncmp(tenant->issuer, "https://", 8) == 0);
	holds(fuzz_is_sentence(tenant->issuer, 4096) && fuzz_is_sentence(tenant->client_id, 4096));
	holds(!strchr(tenant->issuer, '#') && !strchr(tenant->issuer, '?') && !strchr(tenant->issuer, ' '));
	holds(strstr(tenant->scopes, "openid"));
	holds(!tenant->client_secret_file || tenant->client_secret_file[0] == '/');
	holds(!tenant->private_key_file || tenant->private_key_file[0] == '/');
}

/* What goes into GECOS and to the person's screen, and what names local groups. */
static void check_account_rules(const struct tenant *tenant)
{
	for (size_t i = 0; i < tenant->rooms.count; i++) {
		holds(tenant->rooms.items[i][0] && strlen(tenant->rooms.items[i]) <= 64);
		holds(!strpbrk(tenant->rooms.items[i], ",:\"\n\r\t\033"));
	}
	for (size_t i = 0; i < tenant->local_groups.count; i++)
		holds(tenant->local_groups.items[i][0] && !strpbrk(tenant->local_groups.items[i], ":,\n "));
	for (size_t i = 0; i < tenant->group_map.count; i++) {
		holds(tenant->group_map.items[i].okta_group[0] && tenant->group_map.items[i].local_group[0]);
		holds(!strpbrk(tenant->group_map.items[i].local_group, ":,\n "));
	}
	holds(tenant->password == PASSWORD_NEVER || tenant->password == PASSWORD_FALLBACK);
}

static void check_tenant(const struct config *config, const struct tenant *tenant)
{
	holds(config_tenant_named(config, tenant->name) == tenant);
	check_texts(tenant);
	holds(tenant->domains.count > 0);
	for (size_t i = 0; i < tenant->domains.count; i++) {
		holds(domain_ok(tenant->domains.items[i]));
		holds(config_tenant_of_domain(config, tenant->domains.items[i]) == tenant);
		holds(strpbrk(tenant->domains.items[i], "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == NULL);
	}
	holds(tenant->id_token_signing_algs.count > 0);
	holds(!string_list_contains(&tenant->id_token_signing_algs, "none"));
	for (size_t i = 0; i < tenant->id_token_signing_algs.count; i++)
		holds(strchr("RPE", tenant->id_token_signing_algs.items[i][0]));
	holds(tenant->max_auth_age_s >= 0 && tenant->client_auth <= CLIENT_AUTH_PRIVATE_KEY_JWT);
	holds(tenant->email_verified <= EMAIL_VERIFIED_IGNORE);
	check_account_rules(tenant);
	if (tenant->username_claim)
		holds(tenant->username_claim > tenant->username && tenant->username_claim[0]);
}

static void check_apart(const struct tenant *one, const struct tenant *other)
{
	holds(strcmp(one->name, other->name) != 0);
	holds(strcmp(one->issuer, other->issuer) != 0);
	if (!one->username_claim && !other->username_claim)
		holds(!username_formats_overlap(&one->format, &other->format) ||
		      username_format_is_plain(&one->format) || username_format_is_plain(&other->format));
}

static void check_config(const struct config *config)
{
	const struct login_config *login = &config->login;
	const struct accounts_config *accounts = &config->accounts;

	holds(config->tenant_count >= 1);
	for (size_t i = 0; i < config->tenant_count; i++) {
		check_tenant(config, &config->tenants[i]);
		for (size_t j = 0; j < i; j++)
			check_apart(&config->tenants[i], &config->tenants[j]);
	}
	if (config->default_tenant)
		holds(config->default_tenant >= config->tenants &&
		      config->default_tenant < config->tenants + config->tenant_count);
	holds(login->max_pending > 0 && login->max_pending_per_address > 0 && login->max_pending_per_account > 0 &&
	      login->max_starts_per_minute > 0);
	holds(!login->ca_file || login->ca_file[0] == '/');
	holds(accounts->uid_first >= 1000 && accounts->uid_first <= accounts->uid_last &&
	      accounts->uid_last != (uid_t)-1);
	holds(accounts->home[0] == '/' && strstr(accounts->home, "%u") && !strchr(accounts->home, ':'));
	holds(accounts->shell[0] == '/' && !strchr(accounts->shell, ':') && accounts->skeleton[0] == '/');
	holds((accounts->home_mode & 022) == 0 && (accounts->home_mode & ~(mode_t)0777) == 0);
}

static struct config *parse(const char *text, struct reports *reports)
{
	struct config *config = NULL;
	bool good;

	*reports = (struct reports){ .lines = lines_of(text) };
	good = config_parse(path[0] ? path : "test", text, take_report, reports, &config);
	holds(good == (config != NULL));
	holds(good == (reports->count == 0));
	return config;
}

/* Once more, from a file. */
static void check_file(const char *text, size_t length, const struct config *read, const struct reports *reports)
{
	struct reports again = { .lines = reports->lines };
	struct config *config = NULL;

	if (file < 0)
		return;
	holds(ftruncate(file, 0) == 0 && pwrite(file, text, length, 0) == (ssize_t)length);
	holds(config_load(path, take_report, &again, &config) == (read != NULL));
	holds(again.count == reports->count && again.digest == reports->digest);
	holds(!config || config->tenant_count == read->tenant_count);
	config_free(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct fuzz_input input = { bytes, size };
	struct reports reports, without_memory;
	struct config *config;
	unsigned allocations;
	size_t length;
	char *text = fuzz_text_until(&input, '\0', &length);

	fuzz_fail_allocation(0);
	config = parse(text, &reports);
	allocations = fuzz_end_failing();
	if (config)
		check_config(config);
	check_file(text, length, config, &reports);
	config_free(config);

	fuzz_fail_allocation(1 + fuzz_pick(bytes, size, allocations + 1));
	config = parse(text, &without_memory);
	(void)fuzz_end_failing();
	holds(!config || !fuzz_allocation_failed());
	config_free(config);
	free(text);
	return 0;
}
