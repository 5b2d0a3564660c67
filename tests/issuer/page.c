#include "tests/issuer/page.h"

#include <stdarg.h>
#include <string.h>

#include "tests/issuer/must.h"

static const char STYLESHEET[] =
	"*{box-sizing:border-box}\n"
	"html{color-scheme:light;-webkit-text-size-adjust:100%}\n"
	"body{margin:0;background:#eef1f5;color:#16202c;font:1.0625rem/1.5 system-ui,-apple-system,'Segoe UI',Roboto,"
	"'Noto Sans','DejaVu Sans',sans-serif}\n"
	"main{max-width:27rem;margin:0 auto;padding:1.25rem;background:#fff;min-height:100vh}\n"
	"@media(min-width:30rem){main{margin:2rem auto;min-height:0;border:1px solid #c9d1db;border-radius:.75rem;"
	"padding:2rem}}\n"
	"h1{font-size:1.5rem;line-height:1.25;margin:.25rem 0 1rem}\n"
	"h2{font-size:1.0625rem;margin:1.75rem 0 .5rem}\n"
	"p{margin:0 0 1rem}\n"
	"label{display:block;font-weight:600;margin-bottom:.375rem}\n"
	"input[type=text]{width:100%;min-height:3rem;padding:.5rem .75rem;font:inherit;color:inherit;background:#fff;"
	"border:2px solid #5b6b7f;border-radius:.5rem;margin-bottom:1rem}\n"
	"input.code{font:600 1.5rem/1.2 ui-monospace,'DejaVu Sans Mono',monospace;letter-spacing:.15em;"
	"text-transform:uppercase}\n"
	"button{display:block;width:100%;min-height:3.25rem;padding:.625rem 1rem;margin:0 0 .75rem;font:inherit;"
	"font-weight:600;text-align:center;border-radius:.5rem;border:2px solid #0b4f9e;background:#0b4f9e;color:#fff;"
	"cursor:pointer}\n"
	"button:hover{background:#083a75;border-color:#083a75}\n"
	"button.second{background:#fff;color:#0b4f9e}\n"
	"button.second:hover{background:#e6effa}\n"
	"button.deny{background:#fff;color:#9c1c1c;border-color:#9c1c1c}\n"
	"button.deny:hover{background:#fcecec}\n"
	"button.person{text-align:left;background:#fff;color:inherit;border-color:#8795a6}\n"
	"button.person:hover{background:#e6effa}\n"
	"button small{display:block;font-weight:400;font-size:.9375rem;color:#44525f;overflow-wrap:anywhere}\n"
	":focus-visible{outline:3px solid #e08600;outline-offset:2px}\n"
	"dl{margin:0 0 1.25rem;padding:.875rem 1rem;background:#eef1f5;border-radius:.5rem}\n"
	"dt{font-size:.9375rem;color:#44525f}\n"
	"dd{margin:0 0 .625rem;font-weight:600;overflow-wrap:anywhere}\n"
	"dd:last-child{margin:0}\n"
	"dd.code{font:600 1.5rem/1.3 ui-monospace,'DejaVu Sans Mono',monospace;letter-spacing:.15em}\n"
	".fault{padding:.75rem 1rem;border-left:.375rem solid #9c1c1c;background:#fcecec}\n"
	".good{padding:.75rem 1rem;border-left:.375rem solid #1c6b36;background:#e7f5ec}\n"
	".note{font-size:.9375rem;color:#44525f;border-top:1px solid #c9d1db;margin:1.5rem 0 0;padding-top:.875rem}\n";

const char *page_stylesheet(void)
{
	return STYLESHEET;
}

static void print_escaped(FILE *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		default:
			fputc(*text, out);
		}
	}
}

void page_print(struct page *page, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	for (; *format; format++) {
		if (*format != '%')
			fputc(*format, page->out);
		else if (*++format == 's')
			print_escaped(page->out, va_arg(arguments, const char *));
		else
			fputc('%', page->out);
	}
	va_end(arguments);
}

void page_begin(struct page *page, const char *title)
{
	page->out = must(open_memstream(&page->text, &page->length));
	page_print(page,
		   "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>%s</title>\n"
		   "<link rel=\"icon\" href=\"data:,\">\n<link rel=\"stylesheet\" "
		   "href=\"/activate.css\">\n</head>\n<body>\n"
		   "<main>\n<h1>%s</h1>\n",
		   title, title);
}

void page_end(struct page *page, unsigned status, struct answer *answer)
{
	page_print(page,
		   "<p class=\"note\">This is the demo provider of pam_oidc. It asks for no password and knows no real "
		   "people.</p>\n</main>\n</body>\n</html>\n");
	fclose(page->out);
	answer_html(answer, status, must(page->text));
	answer_set_header(answer, "Content-Security-Policy",
			  "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; "
			  "frame-ancestors 'none'");
	answer_set_header(answer, "X-Frame-Options", "DENY");
	answer_set_header(answer, "X-Content-Type-Options", "nosniff");
	answer_set_header(answer, "Referrer-Policy", "same-origin");
}
