/*
 * Tries every attack alone and every kind of attack with every other one, in front of the product's own chain, and then
 * every valid variant. Prints a line for each kind, what was tried in all, and each surprise.
 *
 *   forged_tokens              everything
 *   forged_tokens --alone      without the pairs, up to the first surprise: for tests that break a judge and look on
 *   forged_tokens --list       the names of all cases
 *   forged_tokens --case NAME  these cases alone (all whose name begins so), with what the product says to them
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "tests/forged_tokens/sign_in.h"
#include "tests/unit/forge.h"

#define NAME_MAX_SIZE 512
#define LISTS_MAX 64
#define PAIRS_WITH_EACH_KIND 1

/* One attack, or two of them, in one situation. */
struct trial {
	const struct attack_list *list, *second_list;
	const struct attack *attack, *second; /* second: NULL, or applied after the first */
	enum kind_of_key key;
	enum on_record record;
	enum tenant_kind tenant;
	bool old_signature;
	bool valid;
};

struct tally {
	unsigned long tried, refused, admitted, wrong;
};

static const struct attack_list *lists[LISTS_MAX];
static size_t list_count;
static const char *wanted; /* of --case */
static bool only_names, only_alone;
static struct tally attacks_tally, control_tally;

/* ---- attacks ---- */

static struct members *members_of(enum part part, struct forgery *forgery)
{
	switch (part) {
	case PART_HEADER:
		return &forgery->header;
	case PART_ANSWER:
		return &forgery->answer;
	case PART_USERINFO:
		return &forgery->userinfo;
	case PART_PAYLOAD:
	case PART_SIGNATURE:
	case PART_SEGMENTS:
		break;
	}
	return &forgery->payload;
}

void attack_apply(const struct attack_list *list, const struct attack *attack, struct forgery *forgery)
{
	struct members *members = members_of(list->part, forgery);

	switch (attack->act) {
	case ACT_SET:
		member_set(members, attack->member, attack->value);
		return;
	case ACT_ADD:
		member_add(members, attack->member, attack->value);
		return;
	case ACT_ADD_FIRST:
		member_add_first(members, attack->member, attack->value);
		return;
	case ACT_DROP:
		member_drop(members, attack->member);
		return;
	case ACT_RENAME:
		member_rename(members, attack->member, attack->value);
		return;
	case ACT_DO:
		attack->apply(forgery, attack);
		return;
	}
}

/* Made from the table's row where it has none, in printable ASCII. */
static void attack_name(const struct attack *attack, char *ret_name, size_t size)
{
	static const char *const words[] = { "is", "also", "first", "", "called", "" };
	char text[256];
	size_t used = 0;

	if (attack->name)
		(void)snprintf(text, sizeof(text), "%s", attack->name);
	else if (attack->act == ACT_DROP)
		(void)snprintf(text, sizeof(text), "no %s", attack->member);
	else
		(void)snprintf(text, sizeof(text), "%s %s %.150s", attack->member, words[attack->act], attack->value);
	for (size_t i = 0; text[i] && used + 5 < size; i++) {
		unsigned char c = (unsigned char)text[i];

		used += (size_t)snprintf(ret_name + used, size - used, c < ' ' || c > '~' ? "\\x%02x" : "%c", c);
	}
	ret_name[used] = '\0';
}

static void trial_name(const struct trial *trial, char *ret_name, size_t size)
{
	static const char *const tenants[TENANT_KINDS] = {
		[TENANT_STRICT] = "",
		[TENANT_CLAIM] = " claim",
		[TENANT_IF_PRESENT] = " if-present",
		[TENANT_EVERY_ALG] = " every-alg",
		[TENANT_LAX] = " lax",
	};
	char one[200], other[200] = "";

	attack_name(trial->attack, one, sizeof(one));
	if (trial->second)
		attack_name(trial->second, other, sizeof(other));
	(void)snprintf(ret_name, size, "%s%s %s%s: %s%s%s%s", trial->valid ? "valid " : "",
		       trial->key == KEY_RSA ? "RS256" : "ES256", trial->record == RECORD_WITH_ALICE ? "known" : "new",
		       tenants[trial->tenant], one, trial->second ? " + " : "", other,
		       trial->old_signature ? ", the old signature" : "");
}

/* ---- judging ---- */

static void sign_in_with(const struct trial *trial, const struct forgery *forgery, struct replay *replay,
			 struct sign_in_end *ret_end)
{
	_cleanup_free_ char *compact = forgery_compact(forgery);
	_cleanup_free_ char *token_answer = forgery_answer(forgery, compact);
	_cleanup_free_ char *userinfo = forgery_userinfo(forgery);
	struct issuer_answers answers = {
		.token_answer = token_answer,
		.userinfo = userinfo,
		.userinfo_status = forgery->userinfo_status,
		.keys = forgery->keys,
	};

	sign_in_alice(&answers, trial->record, trial->tenant, trial->key, forgery->now_s, replay, ret_end);
}

/* The token as it was makes a sign-in first. */
static void use_up(const struct trial *trial, bool without_jti, struct replay *replay)
{
	struct forgery *sound = forgery_of_sound(trial->key);
	struct sign_in_end end;

	if (without_jti)
		member_drop(&sound->payload, "jti");
	sign_in_with(trial, sound, replay, &end);
	forge_must(end.admitted);
	forgery_free(sound);
}

static void run(const struct trial *trial, struct sign_in_end *ret_end)
{
	struct forgery *forgery = forgery_of_sound(trial->key);
	struct replay *replay = replay_create(16);

	forge_must(replay);
	attack_apply(trial->list, trial->attack, forgery);
	if (trial->second)
		attack_apply(trial->second_list, trial->second, forgery);
	if (trial->old_signature)
		forgery->old_signature = true;
	if (forgery->used_before)
		use_up(trial, forgery->without_jti, replay);
	sign_in_with(trial, forgery, replay, ret_end);
	replay_free(replay);
	forgery_free(forgery);
}

static bool holds_secret(const char *log)
{
	return strstr(log, ACCESS_TOKEN) || strstr(log, "eyJ") || strstr(log, "d-1");
}

static bool is_printable(const char *text)
{
	for (; *text; text++)
		if ((*text < ' ' && *text != '\n') || *text > '~')
			return false;
	return true;
}

static bool is_sentence(const char *text)
{
	size_t length = strlen(text);

	return length > 20 && text[0] >= 'A' && text[0] <= 'Z' && text[length - 1] == '.' && is_printable(text);
}

/* What the attack's row and its list say about how it is answered. */
static bool answered_as(const struct attack_list *list, const struct attack *attack, const struct sign_in_end *end)
{
	enum reason reason = attack->reason != REASON_NONE ? attack->reason : list->reason;
	const char *because = attack->because ? attack->because : list->because;

	if (reason == REASON_NONE)
		reason = REASON_TOKEN_INVALID;
	if (reason == REASON_WHICHEVER)
		return reason_class(end->reason) == REASON_CLASS_DENIED;
	return end->reason == reason && (reason != REASON_TOKEN_INVALID || !because || strstr(end->log, because));
}

/* NULL when the attack came to nothing, and the person and the administrator were told so as they should be. */
static const char *fault_of_attack(const struct trial *trial, const struct sign_in_end *end)
{
	if (end->admitted)
		return "admitted";
	if (!is_sentence(end->text))
		return "the person is told no sentence";
	if (!end->asked_to_admit && !strstr(end->log, "tenant clinic"))
		return "the log does not tell";
	if (holds_secret(end->log) || !is_printable(end->log))
		return "the log has something that must not be there";
	if (end->key_fetches > 1)
		return "the issuer was asked for its keys more than once";
	if (trial->old_signature || trial->second) {
		if (reason_class(end->reason) == REASON_CLASS_DENIED)
			return NULL;
		/* One of the two may have another end in its row. */
		return trial->second && (answered_as(trial->list, trial->attack, end) ||
					 answered_as(trial->second_list, trial->second, end))
			       ? NULL
			       : "not denied";
	}
	return answered_as(trial->list, trial->attack, end) ? NULL : "refused for another reason than expected";
}

static const char *fault_of_valid(const struct sign_in_end *end)
{
	if (!end->admitted)
		return "refused";
	return strcmp(end->account, "alice") == 0 ? NULL : "admitted as somebody else";
}

static void tell(const char *name, const char *fault, const struct sign_in_end *end)
{
	(void)printf("%s forged: %s%s%s\n", fault ? "not ok" : "ok", name, fault ? ": " : "", fault ? fault : "");
	(void)printf("  | %s: %s\n", end->admitted ? "admitted" : reason_name(end->reason), end->text);
	if (end->log[0])
		(void)printf("  | log: %s\n", end->log);
}

static void try(const struct trial *trial, struct tally *kind)
{
	struct tally *all = trial->valid ? &control_tally : &attacks_tally;
	char name[NAME_MAX_SIZE];
	struct sign_in_end end;
	const char *fault;

	if (wanted || only_names)
		trial_name(trial, name, sizeof(name));
	if (only_names) {
		(void)puts(name);
		return;
	}
	if (wanted && strncmp(wanted, name, strlen(wanted)) != 0)
		return;
	run(trial, &end);
	fault = trial->valid ? fault_of_valid(&end) : fault_of_attack(trial, &end);
	kind->tried++;
	all->tried++;
	if (end.admitted || (fault && !trial->valid)) {
		kind->admitted++;
		all->admitted++;
	} else {
		kind->refused++;
		all->refused++;
	}
	kind->wrong += fault != NULL;
	all->wrong += fault != NULL;
	if (!fault && !wanted)
		return;
	trial_name(trial, name, sizeof(name));
	tell(name, fault, &end);
	if (only_alone)
		exit(1);
}

/* ---- situations ---- */

static enum on_record record_of(const struct attack_list *list, const struct attack *attack)
{
	return attack->record != RECORD_EITHER ? attack->record : list->record;
}

static enum tenant_kind tenant_of(const struct attack_list *list, const struct attack *attack)
{
	return attack->tenant != TENANT_STRICT ? attack->tenant : list->tenant;
}

static bool fits(const struct attack *attack, enum kind_of_key key)
{
	return key == KEY_RSA ? !attack->ec_only : !attack->rsa_only;
}

/* The old signature belongs to another text only when the attack changes the text that is signed. */
static bool changes_what_is_signed(const struct attack_list *list)
{
	return list->part == PART_HEADER || list->part == PART_PAYLOAD;
}

static void try_alone(const struct attack_list *list, const struct attack *attack, bool valid, struct tally *kind)
{
	enum on_record asked = record_of(list, attack);
	struct trial trial = {
		.list = list,
		.attack = attack,
		.tenant = tenant_of(list, attack),
		.valid = valid,
	};

	for (trial.key = KEY_RSA; trial.key < KEY_KINDS; trial.key++)
		for (trial.record = RECORD_WITHOUT_ALICE; trial.record <= RECORD_WITH_ALICE; trial.record++) {
			if (!fits(attack, trial.key) || (asked != RECORD_EITHER && asked != trial.record))
				continue;
			trial.old_signature = false;
			try(&trial, kind);
			trial.old_signature = true;
			if (!valid && changes_what_is_signed(list) && trial.record != RECORD_WITH_ALICE)
				try(&trial, kind);
		}
}

/* ---- pairs ---- */

/* Pairs that are sound again, because the second makes up for the first, or takes away what made it an attack. They are
 * tried as valid. */
static const struct {
	const char *first, *second;
} sound_together[] = {
	{ "kid of another of the issuer's keys", "signed by another of the issuer's keys than kid names" },
	{ "a zero behind the signature", "the signature's segment without its last character" },
	{ "2,000 audiences", "ours and another audience, without azp" },
	{ "userinfo without email_verified", "email_verified {}, if-present" },
	{ "userinfo without email_verified", "email_verified 0, if-present" },
	{ "userinfo says email_verified null", "email_verified {}, if-present" },
	{ "userinfo says email_verified null", "email_verified 0, if-present" },
	{ "verified in the token, email in userinfo", "email_verified \"false\", if-present" },
	{ "verified in the token, email in userinfo", "email_verified {}, if-present" },
	{ "unverified in the token, verified in userinfo", "email_verified called emailVerified" },
	{ "sub twice, another one first, with an escape in its name", "sub called uid" },
	{ "a number as email in the token, the right one in userinfo", "no email" },
	{ "jti twice, another one first, with an escape in its name", "a used token without jti" },
	{ "the payload with a control character behind", "the payload without its last brace" },
	{ "the header's segment without its last character", "the header with a control character behind" },
	{ "access_token is 1", "an access token for this client" },
};

static bool is_sound_together(const struct attack *first, const struct attack *second)
{
	char one[200], other[200];

	attack_name(first, one, sizeof(one));
	attack_name(second, other, sizeof(other));
	for (size_t i = 0; i < sizeof(sound_together) / sizeof(sound_together[0]); i++)
		if (strcmp(one, sound_together[i].first) == 0 && strcmp(other, sound_together[i].second) == 0)
			return true;
	return false;
}

/* The second one in its own situation, after the first. RSA signatures take long, so most pairs are signed with EC. */
static void try_pair(const struct attack_list *list, const struct attack *attack, const struct attack_list *second_list,
		     const struct attack *second, unsigned turn, struct tally *tally)
{
	struct trial trial = {
		.list = list,
		.attack = attack,
		.second_list = second_list,
		.second = second,
		.tenant = tenant_of(second_list, second),
		.record = record_of(second_list, second),
		.key = turn % 8 == 0 ? KEY_RSA : KEY_EC,
	};

	if (list == second_list && strcmp(list->kind, USED_TOKENS) == 0)
		return; /* both say which token was used */
	if (strcmp(second_list->kind, USED_TOKENS) == 0 && tenant_of(list, attack) != TENANT_STRICT)
		return; /* where the first one is none, it makes another token, which was not used */
	if (!fits(attack, trial.key) || !fits(second, trial.key))
		trial.key = trial.key == KEY_RSA ? KEY_EC : KEY_RSA;
	if (!fits(attack, trial.key) || !fits(second, trial.key))
		return; /* one is about RSA, the other about EC */
	if (trial.record == RECORD_EITHER)
		trial.record = record_of(list, attack);
	if (trial.record == RECORD_EITHER)
		trial.record = turn % 2 ? RECORD_WITHOUT_ALICE : RECORD_WITH_ALICE;
	if (is_sound_together(attack, second))
		trial.valid = true;
	try(&trial, tally);
}

/* Every attack with some of every kind, in turn, so that every pair of kinds is tried and every attack in many pairs.
 */
static void try_pairs(struct tally *tally)
{
	unsigned turn = 0;

	for (size_t i = 0; i < list_count; i++)
		for (size_t a = 0; a < lists[i]->count; a++)
			for (size_t k = 0; k < list_count; k++)
				for (unsigned n = 0; n < PAIRS_WITH_EACH_KIND; n++, turn++) {
					size_t b = (a * 7 + n * 11 + i * 3) % lists[k]->count;

					if (i != k || a != b)
						try_pair(lists[i], &lists[i]->attacks[a], lists[k],
							 &lists[k]->attacks[b], turn, tally);
				}
}

/* ---- the story ---- */

static void gather_attacks(void)
{
	const struct attack_list *(*const files[])(size_t *) = {
		header_attacks, signature_attacks, payload_attacks, identity_attacks,
		type_attacks,   segment_attacks,   answer_attacks,
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		size_t count;
		const struct attack_list *some = files[i](&count);

		forge_must(list_count + count <= LISTS_MAX);
		for (size_t k = 0; k < count; k++)
			lists[list_count++] = &some[k];
	}
}

static void sum_up(const char *what, const char *kind, const struct tally *tally)
{
	if (!only_names && !wanted)
		(void)printf("%s forged: %s%s (%lu)\n", tally->wrong ? "not ok" : "ok", what, kind, tally->tried);
}

static void try_attacks(void)
{
	struct tally pairs = { 0 };

	for (size_t i = 0; i < list_count; i++) {
		struct tally kind = { 0 };

		for (size_t a = 0; a < lists[i]->count; a++)
			try_alone(lists[i], &lists[i]->attacks[a], false, &kind);
		sum_up("", lists[i]->kind, &kind);
	}
	if (only_alone)
		return;
	try_pairs(&pairs);
	sum_up("two at once, ", "every kind with every other", &pairs);
}

static void try_valid_variants(void)
{
	size_t count;
	const struct attack_list *variants = valid_variants(&count);

	for (size_t i = 0; i < count; i++) {
		struct tally kind = { 0 };

		for (size_t a = 0; a < variants[i].count; a++)
			try_alone(&variants[i], &variants[i].attacks[a], true, &kind);
		sum_up("control: ", variants[i].kind, &kind);
	}
}

static void count(const char *section, const struct tally *tally)
{
	(void)printf("count: %s: %lu tried, %lu refused, %lu admitted, 0 skipped\n", section, tally->tried,
		     tally->refused, tally->admitted);
}

static int usage(void)
{
	(void)fputs("forged_tokens [--alone | --list | --case NAME]\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	only_names = argc == 2 && strcmp(argv[1], "--list") == 0;
	only_alone = argc == 2 && strcmp(argv[1], "--alone") == 0;
	wanted = argc == 3 && strcmp(argv[1], "--case") == 0 ? argv[2] : NULL;
	if (argc != 1 && !only_names && !only_alone && !wanted)
		return usage();
	(void)keys_make();
	machine_set_up();
	gather_attacks();
	try_attacks();
	try_valid_variants();
	machine_take_down();
	keys_free();
	if (only_names)
		return 0;
	if (wanted && attacks_tally.tried + control_tally.tried == 0) {
		(void)fprintf(stderr, "There is no such case; --list names them.\n");
		return 2;
	}
	if (!wanted) {
		count("forged tokens", &attacks_tally);
		count("forged tokens, control", &control_tally);
	}
	return attacks_tally.wrong == 0 && control_tally.wrong == 0 ? 0 : 1;
}
