/*
 * Attacks on the serialization: the three segments' base64url, how many there are, and other serializations. What
 * stands before the signature is changed before it is signed, so that the signature is right for what is there.
 */
#include "tests/forged_tokens/attack.h"

#include "tests/unit/forge.h"

/* ---- changes of one segment ---- */

TEXT(one_equals_sign, "$=")
TEXT(two_equals_signs, "$==")
TEXT(escaped_equals_sign, "$%3D")
TEXT(space_behind, "$ ")
TEXT(space_before, " $")
TEXT(newline_behind, "$\n")
TEXT(crlf_behind, "$\r\n")
TEXT(tab_before, "\t$")
TEXT(nul_behind, "$%00")
TEXT(character_behind, "$A")
TEXT(four_characters_behind, "$AAAA")
TEXT(tilde_behind, "$~")
TEXT(byte_behind, "$\xff")
TEXT(no_break_space_before, "\xc2\xa0$")

static char *newline_within(char *text)
{
	size_t half = strlen(text) / 2;
	char *made = NULL;

	forge_must(asprintf(&made, "%.*s\n%s", (int)half, text, text + half) > 0);
	free(text);
	return made;
}

static char *space_within(char *text)
{
	text = newline_within(text);
	*strchr(text, '\n') = ' ';
	return text;
}

/* Another last character for the same bytes. A segment whose characters are used up to the last bit gets another first
 * character instead. */
static char *leftover_bits(char *text)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t length = strlen(text);
	const char *last;

	if (length % 4 == 0 || length == 0)
		return forgery_format(text, "$=");
	last = strchr(alphabet, text[length - 1]);
	forge_must(last);
	text[length - 1] = last[1];
	return text;
}

static char *other_alphabet(char *text)
{
	bool changed = false;

	for (char *c = text; *c; c++)
		if (*c == '-' || *c == '_') {
			*c = *c == '-' ? '+' : '/';
			changed = true;
		}
	return changed ? text : forgery_format(text, "$+");
}

static char *without_its_last(char *text)
{
	if (text[0])
		text[strlen(text) - 1] = '\0';
	return text;
}

static char *without_its_first(char *text)
{
	return text[0] ? memmove(text, text + 1, strlen(text)) : text;
}

static char *nothing(char *text)
{
	text[0] = '\0';
	return text;
}

static char *encoded_twice(char *text)
{
	char *made = forge_base64url(text, strlen(text));

	free(text);
	return made;
}

static char *in_quotes(char *text)
{
	return forgery_format(text, "\"$\"");
}

static const struct {
	const char *name;
	text_change *function;
} segment_changes[] = {
	{ "with an equals sign", one_equals_sign },
	{ "with two equals signs", two_equals_signs },
	{ "with an escaped equals sign", escaped_equals_sign },
	{ "with a space behind", space_behind },
	{ "with a space before", space_before },
	{ "with a newline behind", newline_behind },
	{ "with CRLF behind", crlf_behind },
	{ "with a tab before", tab_before },
	{ "with %00 behind", nul_behind },
	{ "with a character behind", character_behind },
	{ "with four characters behind", four_characters_behind },
	{ "with a tilde behind", tilde_behind },
	{ "with a byte of no encoding behind", byte_behind },
	{ "with a space that does not break before", no_break_space_before },
	{ "with a newline within", newline_within },
	{ "with a space within", space_within },
	{ "with bits left over", leftover_bits },
	{ "in the other alphabet", other_alphabet },
	{ "without its last character", without_its_last },
	{ "without its first character", without_its_first },
	{ "left empty", nothing },
	{ "encoded twice", encoded_twice },
	{ "in quotes", in_quotes },
};

#define CHANGES (sizeof(segment_changes) / sizeof(segment_changes[0]))

static void change_header(struct forgery *forgery, const struct attack *attack)
{
	change(forgery->of_header, segment_changes[attack->number].function);
}

static void change_payload(struct forgery *forgery, const struct attack *attack)
{
	change(forgery->of_payload, segment_changes[attack->number].function);
}

static void change_signature(struct forgery *forgery, const struct attack *attack)
{
	change(forgery->of_signature, segment_changes[attack->number].function);
}

static struct attack changed_segments[3 * CHANGES];
static char changed_names[3 * CHANGES][80];

static void make_segment_changes(void)
{
	static void (*const appliers[])(struct forgery *, const struct attack *) = { change_header, change_payload,
										     change_signature };
	static const char *const names[] = { "header", "payload", "signature" };

	for (size_t i = 0; i < 3 * CHANGES; i++) {
		(void)snprintf(changed_names[i], sizeof(changed_names[i]), "the %s's segment %s", names[i / CHANGES],
			       segment_changes[i % CHANGES].name);
		changed_segments[i] = (struct attack){
			.act = ACT_DO,
			.name = changed_names[i],
			.apply = appliers[i / CHANGES],
			.number = (int)(i % CHANGES),
		};
	}
}

/* ---- single characters ---- */

#define FLIPS 48
static struct attack flips[3 * FLIPS];
static char flip_names[3 * FLIPS][64];

/* The place is a share of the segment, so that it is within whichever segment it is. The character stays one of
 * base64url. */
static char *flip_at(char *text, int number)
{
	size_t segment = (size_t)(number / FLIPS), place = (size_t)(number % FLIPS);
	char *start = text;
	size_t length;

	for (size_t i = 0; i < segment && start; i++)
		start = strchr(start, '.') ? strchr(start, '.') + 1 : NULL;
	length = start ? strcspn(start, ".") : 0;
	if (length == 0) /* another attack has taken the segments apart */
		return forgery_format(text, "$A");
	place = place * length / FLIPS;
	start[place] = start[place] == 'A' ? 'B' : 'A';
	return text;
}

/* Two may meet in one token, at the same place even. */
static int flip_numbers[2];

static char *flip(char *text)
{
	return flip_at(text, flip_numbers[0]);
}

static char *flip_another(char *text)
{
	return flip_at(text, flip_numbers[1] == flip_numbers[0] ? (flip_numbers[0] + 1) % FLIPS : flip_numbers[1]);
}

static void flip_one(struct forgery *forgery, const struct attack *attack)
{
	bool second = false;

	for (size_t i = 0; i < CHANGES_MAX; i++)
		second |= forgery->of_compact[i] == flip;
	flip_numbers[second] = attack->number;
	change(forgery->of_compact, second ? flip_another : flip);
}

static void make_flips(void)
{
	static const char *const names[] = { "header", "payload", "signature" };

	for (int i = 0; i < 3 * FLIPS; i++) {
		(void)snprintf(flip_names[i], sizeof(flip_names[i]), "another character at %d/%d of the %s", i % FLIPS,
			       FLIPS, names[i / FLIPS]);
		flips[i] = (struct attack){ .act = ACT_DO, .name = flip_names[i], .apply = flip_one, .number = i };
	}
}

/* ---- the whole token ---- */

TEXT(fourth_segment, "$.e30")
TEXT(fourth_empty_segment, "$.")
TEXT(five_segments, "$.e30.e30")
TEXT(dot_before, ".$")
TEXT(header_before, "eyJhbGciOiJub25lIn0.$")
TEXT(bearer_before, "Bearer $")
TEXT(space_at_the_start, " $")
TEXT(space_at_the_end, "$ ")
TEXT(newline_at_the_end, "$\n")
TEXT(escape_at_the_end, "$\x1b[2J")
TEXT(fragment_at_the_end, "$#x")
TEXT(disclosure_at_the_end, "$~WyJzYWx0IiwiZW1haWwiLCJtYWxsb3J5QGV2aWwuZXhhbXBsZSJd~")
TEXT(in_brackets, "[\"$\"]")
TEXT(as_data_url, "data:application/jwt,$")

static char *twice(char *text)
{
	char *made = NULL;

	forge_must(asprintf(&made, "%s.%s", text, text) > 0);
	free(text);
	return made;
}

static char *twice_with_comma(char *text)
{
	char *made = NULL;

	forge_must(asprintf(&made, "%s,%s", text, text) > 0);
	free(text);
	return made;
}

static char *two_segments(char *text)
{
	char *dot = strrchr(text, '.');

	if (dot)
		*dot = '\0';
	return text;
}

static char *one_segment(char *text)
{
	text[strcspn(text, ".")] = '\0';
	return text;
}

static char *no_payload(char *text)
{
	char *first = strchr(text, '.'), *last = strrchr(text, '.');

	if (first && last != first)
		(void)memmove(first + 1, last, strlen(last) + 1);
	return text;
}

static char *empty(char *text)
{
	return nothing(text);
}

static char *dots_alone(char *text)
{
	free(text);
	text = strdup("..");
	forge_must(text);
	return text;
}

static char *other_dots(char *text, const char *dot)
{
	char *made = NULL;
	char *first = strchr(text, '.'), *last = strrchr(text, '.');

	if (!first || first == last)
		return text;
	*first = *last = '\0';
	forge_must(asprintf(&made, "%s%s%s%s%s", text, dot, first + 1, dot, last + 1) > 0);
	free(text);
	return made;
}

static char *escaped_dots(char *text)
{
	return other_dots(text, "%2e");
}

static char *wide_dots(char *text)
{
	return other_dots(text, "\xef\xbc\x8e");
}

static char *double_dots(char *text)
{
	return other_dots(text, "..");
}

static char *spaced_dots(char *text)
{
	return other_dots(text, " . ");
}

static char *swapped_segments(char *text)
{
	char *first = strchr(text, '.'), *last = strrchr(text, '.');
	char *made = NULL;

	if (!first || first == last)
		return text;
	*first = *last = '\0';
	forge_must(asprintf(&made, "%s.%s.%s", first + 1, text, last + 1) > 0);
	free(text);
	return made;
}

static char *upper_case(char *text)
{
	for (char *c = text; *c; c++)
		*c = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
	return text;
}

/* RFC 7515, sections 7.2.1 and 7.2.2: not what an ID token may be. The protected payload of one reading and the claims
 * of another have let people in elsewhere. */
static char *as_json(char *text, const char *before, const char *between, const char *behind)
{
	char *first = strchr(text, '.'), *last = strrchr(text, '.');
	char *made = NULL;

	if (!first || first == last)
		return forgery_format(text, "{\"payload\":\"$\"}");
	*first = *last = '\0';
	forge_must(asprintf(&made, "{\"payload\":\"%s\",%s\"protected\":\"%s\"%s,\"signature\":\"%s\"%s}", first + 1,
			    before, text, between, last + 1, behind) > 0);
	free(text);
	return made;
}

static char *flattened_json(char *text)
{
	return as_json(text, "", "", "");
}

static char *general_json(char *text)
{
	return as_json(text, "\"signatures\":[{", "", "}]");
}

static char *general_json_of_two(char *text)
{
	return as_json(text, "\"signatures\":[{\"protected\":\"eyJhbGciOiJub25lIn0\",\"signature\":\"\"},{", "", "}]");
}

static char *json_with_open_header(char *text)
{
	return as_json(text, "", ",\"header\":{\"alg\":\"none\",\"kid\":\"rsa\"}", "");
}

static char *json_with_two_payloads(char *text)
{
	return as_json(text, "\"payload\":\"e30\",", "", "");
}

/* A compact token and JSON in one text. */
static char *json_behind(char *text)
{
	char *made = NULL;
	_cleanup_free_ char *copy = strdup(text);
	_cleanup_free_ char *json = NULL;

	forge_must(copy);
	json = flattened_json(take_pointer(copy));
	forge_must(asprintf(&made, "%s%s", text, json) > 0);
	free(text);
	return made;
}

static const struct {
	const char *name;
	text_change *function;
} whole_changes[] = {
	{ "four segments", fourth_segment },
	{ "four segments, the last empty", fourth_empty_segment },
	{ "five segments", five_segments },
	{ "a dot before", dot_before },
	{ "a header of alg none before", header_before },
	{ "Bearer before", bearer_before },
	{ "a space before", space_at_the_start },
	{ "a space behind", space_at_the_end },
	{ "a newline behind", newline_at_the_end },
	{ "an escape sequence behind", escape_at_the_end },
	{ "a fragment behind", fragment_at_the_end },
	{ "a disclosure behind", disclosure_at_the_end },
	{ "in brackets", in_brackets },
	{ "as a data: URL", as_data_url },
	{ "twice over", twice },
	{ "twice, with a comma", twice_with_comma },
	{ "two segments", two_segments },
	{ "one segment", one_segment },
	{ "no payload", no_payload },
	{ "nothing", empty },
	{ "two dots alone", dots_alone },
	{ "escaped dots", escaped_dots },
	{ "full-width dots", wide_dots },
	{ "double dots", double_dots },
	{ "spaced dots", spaced_dots },
	{ "header and payload swapped", swapped_segments },
	{ "upper case", upper_case },
	{ "flattened JSON", flattened_json },
	{ "general JSON", general_json },
	{ "general JSON of two signatures", general_json_of_two },
	{ "JSON with a header that is not signed", json_with_open_header },
	{ "JSON with two payloads", json_with_two_payloads },
	{ "JSON behind", json_behind },
	{ "encoded as a whole", encoded_twice },
};

#define WHOLE_CHANGES (sizeof(whole_changes) / sizeof(whole_changes[0]))

static struct attack wholes[WHOLE_CHANGES];
static char whole_names[WHOLE_CHANGES][80];

static void change_whole(struct forgery *forgery, const struct attack *attack)
{
	change(forgery->of_compact, whole_changes[attack->number].function);
}

static void make_whole_changes(void)
{
	for (size_t i = 0; i < WHOLE_CHANGES; i++) {
		(void)snprintf(whole_names[i], sizeof(whole_names[i]), "the token: %s", whole_changes[i].name);
		wholes[i] = (struct attack){
			.act = ACT_DO, .name = whole_names[i], .apply = change_whole, .number = (int)i
		};
	}
}

const struct attack_list *segment_attacks(size_t *ret_count)
{
	static const struct attack_list lists[] = {
		LIST("one segment's text", PART_SEGMENTS, changed_segments),
		LIST("single characters", PART_SEGMENTS, flips),
		LIST("the serialization", PART_SEGMENTS, wholes),
	};

	if (!wholes[0].apply) {
		make_segment_changes();
		make_flips();
		make_whole_changes();
	}
	*ret_count = sizeof(lists) / sizeof(lists[0]);
	return lists;
}
