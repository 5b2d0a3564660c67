/*
 * Collects changes. Reads what files are now; writes nothing.
 */
#include "provisiond/ctl/setup/change_set.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "provisiond/ctl/setup/change_inside.h"
#include "provisiond/ctl/setup/file_install.h"

struct change_set *change_set_new(void)
{
	return calloc(1, sizeof(struct change_set));
}

static void change_free(struct change *change)
{
	free(change->path);
	change_content_free(&change->before);
	change_content_free(&change->after);
	free(change->says);
	free(change->remedy);
	free(change->apply_words);
	free(change->undo_words);
}

void change_set_free(struct change_set *set)
{
	for (size_t i = 0; set && i < set->count; i++)
		change_free(&set->items[i]);
	if (set)
		free(set->items);
	free(set);
}

/* The record holds a line for each; what cannot stand on one has no place in /etc either. */
static bool one_line(const char *text, char *fault, size_t fault_size)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return change_fault(fault, fault_size, "a path or a word with a control character in it");
	return true;
}

/* Where the path leads: what a link leads to, or the path itself when there is nothing yet. */
static char *where_it_leads(const char *path, char *fault, size_t fault_size)
{
	char *place;

	if (*path != '/' || !one_line(path, fault, fault_size)) {
		(void)change_fault(fault, fault_size, "\"%s\" is no absolute path", path);
		return NULL;
	}
	place = realpath(path, NULL);
	if (!place && errno == ENOENT) {
		struct stat link;

		if (lstat(path, &link) == 0) {
			(void)change_fault(fault, fault_size,
					   "%s is a symbolic link that leads nowhere. Remove it and start again.",
					   path);
			return NULL;
		}
		place = strdup(path);
	}
	if (!place)
		(void)change_fault(fault, fault_size, "%s cannot be found: %s", path, strerror(errno));
	return place;
}

static struct change *change_of(const struct change_set *set, enum change_kind kind, const char *path)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->items[i].kind == kind && strcmp(set->items[i].path, path) == 0)
			return &set->items[i];
	return NULL;
}

static bool finish_file(struct change *change, const struct change_file *file, char *fault, size_t fault_size)
{
	if (!change_content_set(&change->after, file->after, file->after ? file->after_length : 0))
		return change_fault_memory(fault, fault_size);
	change->secret = change->secret || file->secret;
	change->summary = file->summary;
	change->undo = file->undo;
	change->set_owner = !change->before.exists || file->set_owner_and_mode;
	change->becomes =
		change->set_owner ? (struct change_owner){ file->mode, file->owner, file->group } : change->was;
	if (change->secret && file->after && !change_digest_make(change, file->after, file->after_length))
		return change_fault(fault, fault_size, "the kernel gives no random numbers: %s", strerror(errno));
	return true;
}

static bool would_change(const struct change_content *before, const struct change_owner *was,
			 const struct change_file *file)
{
	if (!before->exists || !file->after)
		return before->exists || file->after;
	if (file->set_owner_and_mode &&
	    (was->mode != file->mode || was->user != file->owner || was->group != file->group))
		return true;
	return before->length != file->after_length || memcmp(before->text, file->after, before->length) != 0;
}

bool change_set_add_file(struct change_set *set, const struct change_file *file, char *fault, size_t fault_size)
{
	_cleanup_free_ char *path = where_it_leads(file->path, fault, fault_size);
	_cleanup_(change_content_free) struct change_content before = { 0 };
	struct change_owner was = { 0 };
	struct change *change;

	if (!path)
		return false;
	if (file->after && file->after_length > CHANGE_FILE_MAX)
		return change_fault(fault, fault_size, "%s would be larger than 1 MiB", path);
	change = change_of(set, CHANGE_KIND_FILE, path);
	if (change)
		return finish_file(change, file, fault, fault_size);
	if (!file_read(path, &before, &was, fault, fault_size))
		return false;
	if (!would_change(&before, &was, file))
		return true;
	change = change_set_append(set);
	if (!change)
		return change_fault_memory(fault, fault_size);
	change->kind = CHANGE_KIND_FILE;
	change->path = take_pointer(path);
	change->before = before;
	before = (struct change_content){ 0 };
	change->was = was;
	return finish_file(change, file, fault, fault_size);
}

bool change_set_add_directory(struct change_set *set, const char *path, mode_t mode, uid_t owner, gid_t group,
			      char *fault, size_t fault_size)
{
	struct change *change;
	struct stat seen;

	if (*path != '/' || !one_line(path, fault, fault_size))
		return change_fault(fault, fault_size, "\"%s\" is no absolute path", path);
	if (stat(path, &seen) == 0 && S_ISDIR(seen.st_mode))
		return true;
	if (lstat(path, &seen) == 0)
		return change_fault(fault, fault_size, "%s is there and is no folder. Move it away and start again.",
				    path);
	if (change_of(set, CHANGE_KIND_DIRECTORY, path))
		return true;
	change = change_set_append(set);
	if (change)
		change->path = strdup(path);
	if (!change || !change->path)
		return change_fault_memory(fault, fault_size);
	change->kind = CHANGE_KIND_DIRECTORY;
	change->becomes = (struct change_owner){ mode, owner, group };
	return true;
}

static bool words_set(char **words, const char *const *argv, char *fault, size_t fault_size)
{
	if (!argv)
		return true;
	for (size_t i = 0; argv[i]; i++)
		if (!one_line(argv[i], fault, fault_size))
			return false;
	*words = change_words_join(argv);
	return *words || change_fault_memory(fault, fault_size);
}

bool change_set_add_step(struct change_set *set, const struct change_step *step, char *fault, size_t fault_size)
{
	struct change *change = change_set_append(set);

	if (!change)
		return change_fault_memory(fault, fault_size);
	change->kind = CHANGE_KIND_STEP;
	change->may_fail = step->may_fail;
	change->says = strdup(step->says);
	change->remedy = step->remedy ? strdup(step->remedy) : NULL;
	if (!change->says || (step->remedy && !change->remedy))
		return change_fault_memory(fault, fault_size);
	return one_line(step->says, fault, fault_size) &&
	       words_set(&change->apply_words, step->apply, fault, fault_size) &&
	       words_set(&change->undo_words, step->undo, fault, fault_size);
}

bool change_set_add_note(struct change_set *set, const char *sentence, char *fault, size_t fault_size)
{
	struct change *change = change_set_append(set);

	if (change) {
		change->kind = CHANGE_KIND_NOTE;
		change->says = strdup(sentence);
	}
	return (change && change->says) || change_fault_memory(fault, fault_size);
}

bool change_set_read(const struct change_set *set, const char *path, char **ret_text, size_t *ret_length,
		     bool *ret_exists, char *fault, size_t fault_size)
{
	_cleanup_free_ char *place = where_it_leads(path, fault, fault_size);
	_cleanup_(change_content_free) struct change_content content = { 0 };
	const struct change *change;

	if (!place)
		return false;
	change = change_of(set, CHANGE_KIND_FILE, place);
	if (change ? !change_content_set(&content, change->after.text, change->after.length)
		   : !file_read(place, &content, NULL, fault, fault_size))
		return change ? change_fault_memory(fault, fault_size) : false;
	*ret_exists = content.exists;
	*ret_length = content.length;
	*ret_text = content.text ? take_pointer(content.text) : strdup("");
	return *ret_text || change_fault_memory(fault, fault_size);
}

bool change_set_is_empty(const struct change_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->items[i].kind != CHANGE_KIND_NOTE)
			return false;
	return true;
}
