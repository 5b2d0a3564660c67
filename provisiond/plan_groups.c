/*
 * What the tenant's rules (local_groups, group_map) say about a person's local groups, and which memberships are this
 * program's own: what it gave is taken back, and only that.
 */
#include "provisiond/plan_groups.h"

#include <errno.h>
#include <string.h>

#include "provisiond/plan.h"

#define SYSTEM_GROUPS_END 1000 /* gids below are the system's */

static struct listed_name whole(const char *name)
{
	return (struct listed_name){ .text = name, .length = strlen(name) };
}

static bool is_among(const char *const *groups, size_t count, const char *group)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(groups[i], group) == 0)
			return true;
	return false;
}

void group_rules_apply(const struct tenant *tenant, const char *const *okta_groups, size_t count, struct name_list *in,
		       struct name_list *out)
{
	const struct group_map *map = &tenant->group_map;

	for (size_t i = 0; i < tenant->local_groups.count; i++)
		name_list_add(in, whole(tenant->local_groups.items[i]));
	for (size_t i = 0; i < map->count; i++)
		if (is_among(okta_groups, count, map->items[i].okta_group))
			name_list_add(in, whole(map->items[i].local_group));
	for (size_t i = 0; i < map->count; i++)
		if (!names_contain(in->text, whole(map->items[i].local_group)))
			name_list_add(out, whole(map->items[i].local_group));
}

int plan_groups(const struct tenant *tenant, const char *const *okta_groups, size_t count, char **ret_in,
		char **ret_out)
{
	_cleanup_name_list_ struct name_list in = { 0 }, out = { 0 };
	_cleanup_free_ char *in_text = NULL, *out_text = NULL;

	group_rules_apply(tenant, okta_groups, count, &in, &out);
	in_text = strdup(name_list_text(&in));
	out_text = strdup(name_list_text(&out));
	if (in.failed || out.failed || !in_text || !out_text)
		return -ENOMEM;
	*ret_in = take_pointer(in_text);
	*ret_out = take_pointer(out_text);
	return 0;
}

void group_bookkeeping(const struct account_record *record, const char *groups_now, const struct name_list *in,
		       struct name_list *out, struct name_list *given, struct name_list *taken)
{
	/* What we gave under a rule that is gone goes too: nobody keeps what the file does not name any more. */
	for (struct listed_name at = names_first(record->groups_given); at.length > 0; at = names_next(at))
		if (!names_contain(in->text, at))
			name_list_add(out, at);
	/* Ours is what we gave before, and what is given now and nobody had given before us. */
	for (struct listed_name at = names_first(in->text); at.length > 0; at = names_next(at)) {
		bool others = names_contain(record->groups_taken, at) || names_contain(groups_now, at);

		if (names_contain(record->groups_given, at) || !others)
			name_list_add(given, at);
	}
	if (!record->linked)
		return;
	/* A local account gets back what it had before it was linked. */
	for (struct listed_name at = names_first(record->groups_taken); at.length > 0; at = names_next(at))
		if (!names_contain(in->text, at))
			name_list_add(taken, at);
	for (struct listed_name at = names_first(out->text); at.length > 0; at = names_next(at))
		if (names_contain(groups_now, at) && !names_contain(record->groups_given, at))
			name_list_add(taken, at);
}

bool groups_are_as_planned(const char *groups_now, const char *in, const char *out)
{
	for (struct listed_name at = names_first(in); at.length > 0; at = names_next(at))
		if (!names_contain(groups_now, at))
			return false;
	for (struct listed_name at = names_first(out); at.length > 0; at = names_next(at))
		if (names_contain(groups_now, at))
			return false;
	return true;
}

/* Whether a rule that names this group would give another one: root's, or a system group that goes by another name. */
static bool is_alias(struct account_files *files, const char *name, gid_t gid)
{
	struct account_group first;

	if (gid == 0)
		return strcmp(name, "root") != 0;
	return gid < SYSTEM_GROUPS_END && account_files_group_with_gid(files, gid, &first) > 0 &&
	       strcmp(first.name, name) != 0;
}

static bool is_at_fault(struct account_files *files, const char *name, bool *ret_is_alias)
{
	struct account_group group;

	*ret_is_alias = false;
	if (account_files_group_named(files, name, &group) <= 0)
		return true;
	*ret_is_alias = is_alias(files, name, group.gid);
	return *ret_is_alias;
}

const char *plan_missing_group(const struct tenant *tenant, struct account_files *files, bool *ret_is_alias)
{
	for (size_t i = 0; i < tenant->local_groups.count; i++)
		if (is_at_fault(files, tenant->local_groups.items[i], ret_is_alias))
			return tenant->local_groups.items[i];
	for (size_t i = 0; i < tenant->group_map.count; i++)
		if (is_at_fault(files, tenant->group_map.items[i].local_group, ret_is_alias))
			return tenant->group_map.items[i].local_group;
	return NULL;
}
