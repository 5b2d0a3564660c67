/*
 * Findings as text, as messages, and as lines. See finding.h.
 */
#include "pam_oidc/finding.h"

#include <stdarg.h>
#include <string.h>

#include "common/utf8.h"

static bool is_fit(uint32_t point)
{
	return !utf8_is_control(point) && !utf8_is_invisible(point);
}

/* In place: a character that is not fit, and a byte that is of no character, becomes one '?'. What remains is never
 * longer than it was. */
static void make_fit(char *text)
{
	char *to = text;

	while (*text != '\0') {
		uint32_t point = 0;
		size_t length = utf8_decode(text, &point);

		if (length > 0 && is_fit(point)) {
			memmove(to, text, length);
			to += length;
		} else {
			*to++ = '?';
		}
		text += length > 0 ? length : 1;
	}
	*to = '\0';
}

struct finding finding_say(const char *tenant, const char *item, enum finding_level level, const char *remedy,
			   const char *format, ...)
{
	struct finding finding = {
		.tenant = tenant,
		.item = item,
		.level = level,
		.remedy = level == FINDING_GOOD ? NULL : remedy,
		.days = -1,
	};
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(finding.text, sizeof(finding.text), format, arguments);
	va_end(arguments);
	make_fit(finding.text);
	return finding;
}

const char *finding_level_name(enum finding_level level)
{
	static const char *const names[] = {
		[FINDING_GOOD] = "good",
		[FINDING_WARNING] = "warning",
		[FINDING_BAD] = "bad",
	};

	return names[level];
}

void finding_write(const struct finding *finding, char *buffer, size_t capacity, struct wire_writer *ret_writer)
{
	wire_begin(ret_writer, buffer, capacity, "status", "finding");
	wire_put(ret_writer, "tenant", finding->tenant);
	wire_put(ret_writer, "item", finding->item);
	wire_put(ret_writer, "level", finding_level_name(finding->level));
	/* For readers that know of no levels. */
	wire_put(ret_writer, "ok", finding->level == FINDING_BAD ? "0" : "1");
	wire_put(ret_writer, "text", finding->text);
	wire_put(ret_writer, "remedy", finding->remedy);
	if (finding->days >= 0)
		wire_put_number(ret_writer, "days", finding->days);
}

void finding_print_text(const char *text, bool utf8, FILE *out)
{
	while (*text != '\0') {
		uint32_t point = 0;
		size_t length = utf8_decode(text, &point);

		if (length > 0 && is_fit(point) && (utf8 || length == 1))
			(void)fwrite(text, 1, length, out);
		else
			(void)fputc('?', out);
		text += length > 0 ? length : 1;
	}
}

void finding_print(const struct finding *finding, bool utf8, FILE *out)
{
	static const char *const words[] = {
		[FINDING_GOOD] = "ok",
		[FINDING_WARNING] = "WARN",
		[FINDING_BAD] = "FAIL",
	};

	(void)fprintf(out, "%-4s  %-12s %-14s ", words[finding->level], finding->tenant, finding->item);
	finding_print_text(finding->text, utf8, out);
	(void)fputc('\n', out);
	if (finding->remedy) {
		(void)fputs("      what to do: ", out);
		finding_print_text(finding->remedy, utf8, out);
		(void)fputc('\n', out);
	}
	(void)fflush(out);
}
