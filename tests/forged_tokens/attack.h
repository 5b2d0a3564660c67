/*
 * The attacks: tables of single changes to a sound token, in lists by kind. Each alone makes a token that must not be
 * admitted, and so does each after any other one, but for the pairs that main knows to be sound again.
 */
#ifndef TESTS_FORGED_TOKENS_ATTACK_H
#define TESTS_FORGED_TOKENS_ATTACK_H

#include "common/reason.h"
#include "tests/forged_tokens/forgery.h"

/* Who has an account on the machine already; Bob always has. */
enum on_record { RECORD_EITHER, RECORD_WITHOUT_ALICE, RECORD_WITH_ALICE };

/* How the tenant is configured: strictly, but for what the name says. */
enum tenant_kind { TENANT_STRICT, TENANT_CLAIM, TENANT_IF_PRESENT, TENANT_EVERY_ALG, TENANT_LAX, TENANT_KINDS };

enum part { PART_HEADER, PART_PAYLOAD, PART_SIGNATURE, PART_SEGMENTS, PART_ANSWER, PART_USERINFO };

enum act { ACT_SET, ACT_ADD, ACT_ADD_FIRST, ACT_DROP, ACT_RENAME, ACT_DO };

#define REASON_WHICHEVER REASON_COUNT /* denied, for whichever reason */

struct attack {
	enum act act;
	const char *name;   /* NULL: made from member and value */
	const char *member; /* raw, as value */
	const char *value;
	void (*apply)(struct forgery *forgery, const struct attack *attack);
	int number;            /* for apply */
	enum reason reason;    /* what the person is told; REASON_NONE: what the list says */
	const char *because;   /* in the log, when it is the token that is refused; NULL: what the list says */
	enum on_record record; /* where it is an attack; RECORD_EITHER: what the list says */
	enum tenant_kind tenant;
	bool rsa_only, ec_only;
};

struct attack_list {
	const char *kind;
	enum part part;
	const struct attack *attacks;
	size_t count;
	enum reason reason; /* REASON_NONE: token_invalid */
	const char *because;
	enum on_record record;
	enum tenant_kind tenant;
};

#define USED_TOKENS "used tokens" /* the kind of these */

#define LIST(kind_, part_, array, ...)                                                                       \
	{                                                                                                    \
		.kind = kind_, .part = part_, .attacks = array, .count = sizeof(array) / sizeof((array)[0]), \
		__VA_ARGS__                                                                                  \
	}
#define SET(member_, value_, ...)                                               \
	{                                                                       \
		.act = ACT_SET, .member = member_, .value = value_, __VA_ARGS__ \
	}
#define ADD(member_, value_, ...)                                               \
	{                                                                       \
		.act = ACT_ADD, .member = member_, .value = value_, __VA_ARGS__ \
	}
#define ADD_FIRST(member_, value_, ...)                                               \
	{                                                                             \
		.act = ACT_ADD_FIRST, .member = member_, .value = value_, __VA_ARGS__ \
	}
#define DROP(member_, ...)                                      \
	{                                                       \
		.act = ACT_DROP, .member = member_, __VA_ARGS__ \
	}
#define RENAME(member_, value_, ...)                                               \
	{                                                                          \
		.act = ACT_RENAME, .member = member_, .value = value_, __VA_ARGS__ \
	}
#define DO(name_, apply_, ...)                                             \
	{                                                                  \
		.act = ACT_DO, .name = name_, .apply = apply_, __VA_ARGS__ \
	}

/* A change of a text (see forgery_format()), to be named in DO(). */
#define TEXT(name_, format_)                          \
	static char *name_(char *text)                \
	{                                             \
		return forgery_format(text, format_); \
	}

/* Each file's lists. */
const struct attack_list *header_attacks(size_t *ret_count);
const struct attack_list *signature_attacks(size_t *ret_count);
const struct attack_list *payload_attacks(size_t *ret_count);
const struct attack_list *identity_attacks(size_t *ret_count);
const struct attack_list *type_attacks(size_t *ret_count);
const struct attack_list *segment_attacks(size_t *ret_count);
const struct attack_list *answer_attacks(size_t *ret_count);

/* Tokens that must be admitted, in the same form. */
const struct attack_list *valid_variants(size_t *ret_count);

/* What happens to the part of the forgery that the list is about. */
void attack_apply(const struct attack_list *list, const struct attack *attack, struct forgery *forgery);

#endif
