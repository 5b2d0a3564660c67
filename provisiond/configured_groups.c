/*
 * Holds local_groups and group_map against /etc/group, at the start and when the configuration is read again: a
 * membership that is missing later would show too late, and one by an alias of a system group would give what nobody
 * named.
 */
#include "provisiond/configured_groups.h"

#include "common/log.h"
#include "provisiond/plan.h"

static void tell(const struct config *config, const struct tenant *tenant, const char *group, bool is_alias)
{
	const char *key = string_list_contains(&tenant->local_groups, group) ? "local_groups" : "group_map";

	if (is_alias)
		log_error("%s: `%s` in [tenant %s] names the group %s, which has the gid of a system group of another "
			  "name; name that very group, or give %s a gid of its own",
			  config->path, key, tenant->name, group, group);
	else
		log_error("%s: `%s` in [tenant %s] names the group %s, which /etc/group does not have; make it "
			  "(groupadd %s), or take it out of the line",
			  config->path, key, tenant->name, group, group);
}

bool configured_groups_are_there(const struct config *config, struct account_files *files)
{
	bool right = true;

	for (size_t i = 0; i < config->tenant_count; i++) {
		bool is_alias = false;
		const char *group = plan_missing_group(&config->tenants[i], files, &is_alias);

		if (!group)
			continue;
		right = false;
		if (account_files_fault(files)[0]) {
			log_error("%s", account_files_fault(files));
			break;
		}
		tell(config, &config->tenants[i], group, is_alias);
	}
	return right;
}
