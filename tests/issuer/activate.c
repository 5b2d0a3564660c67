/*
 * The activation page (RFC 8628, 3.3): a person types the code, says who they are, and approves or denies.
 *
 * Each form carries what was said so far, bound to this browser's cookie by a keyed hash, so that the server keeps no
 * state and no other site can post it.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "common/cleanup.h"
#include "tests/issuer/clients.h"
#include "tests/issuer/encoding.h"
#include "tests/issuer/endpoints.h"
#include "tests/issuer/errors.h"
#include "tests/issuer/must.h"
#include "tests/issuer/page.h"
#include "tests/issuer/users.h"

#define COOKIE "activation="
#define COOKIE_LENGTH 43 /* of a random_token("") */

/* One visit to the page: the request, and who is asking from which browser. */
struct visit {
	struct provider *provider;
	const struct request *request;
	struct answer *answer;
	char *browser; /* value of the cookie */
};

static char *cookie_value(const char *cookies)
{
	const char *found = cookies ? strstr(cookies, COOKIE) : NULL;

	if (!found || strspn(found + strlen(COOKIE),
			     "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != COOKIE_LENGTH)
		return NULL;
	return must(strndup(found + strlen(COOKIE), COOKIE_LENGTH));
}

/* Binds a form to the browser that it was made for. The caller frees. */
static char *form_seal(const struct visit *visit, const char *step, const char *user_code, const char *user)
{
	_cleanup_free_ char *text = must_format("%s\n%s\n%s\n%s", visit->browser, step, user_code, user);
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned length = 0;

	must(HMAC(EVP_sha256(), visit->provider->page_key, sizeof visit->provider->page_key, (unsigned char *)text,
		  strlen(text), hash, &length));
	return base64url_encode(hash, length);
}

static void print_form_start(struct page *page, const struct visit *visit, const char *step, const char *user_code,
			     const char *user)
{
	_cleanup_free_ char *seal = form_seal(visit, step, user_code, user);

	page_print(page,
		   "<form method=\"post\" action=\"/activate\">\n<input type=\"hidden\" name=\"step\" value=\"%s\">\n"
		   "<input type=\"hidden\" name=\"seal\" value=\"%s\">\n",
		   step, seal);
	if (*user_code)
		page_print(page, "<input type=\"hidden\" name=\"user_code\" value=\"%s\">\n", user_code);
	if (*user)
		page_print(page, "<input type=\"hidden\" name=\"user\" value=\"%s\">\n", user);
}

/* ABCDEFGH as ABCD-EFGH, which is easier to compare. The caller frees. */
static char *code_for_eyes(const struct device_code *code)
{
	if (strlen(code->user_code) == 8 && !strchr(code->user_code, '-'))
		return must_format("%.4s-%s", code->user_code, code->user_code + 4);
	return must_copy(code->user_code);
}

static const char *application_name(const struct visit *visit, const struct device_code *code)
{
	const json_t *client = json_object_get(visit->provider->clients, code->client_id);

	return client ? client_text(client, "name") : code->client_id;
}

static void show_code_form(const struct visit *visit, unsigned status, const char *typed, const char *fault)
{
	struct page page;

	page_begin(&page, "Activate your device");
	if (fault)
		page_print(&page, "<p class=\"fault\" role=\"alert\">%s</p>\n", fault);
	print_form_start(&page, visit, "code", "", "");
	page_print(&page,
		   "<label for=\"user_code\">Code shown on your device</label>\n"
		   "<input class=\"code\" type=\"text\" id=\"user_code\" name=\"user_code\" value=\"%s\" required "
		   "maxlength=\"32\" autocomplete=\"off\" autocapitalize=\"characters\" spellcheck=\"false\">\n"
		   "<button>Next</button>\n</form>\n",
		   typed);
	page_end(&page, status, visit->answer);
}

/* What makes a person of the list a case worth trying, so that whoever sees the demo need not read the manual. */
static const char *remark_on(const json_t *user)
{
	if (!user_is_assigned(user))
		return " \xc2\xb7 not assigned to the application";
	if (user_is_policy_denied(user))
		return " \xc2\xb7 refused by policy";
	if (json_is_false(json_object_get(user, "email_verified")))
		return " \xc2\xb7 email not verified";
	return "";
}

static void print_people(struct page *page, json_t *users)
{
	const char *name;
	json_t *user;

	json_object_foreach (users, name, user)
		if (json_is_true(json_object_get(user, "listed")))
			page_print(
				page,
				"<button class=\"person\" name=\"user\" value=\"%s\">%s<small>%s%s</small></button>\n",
				name, user_text(user, "name"), user_text(user, "login"), remark_on(user));
}

static void show_sign_in_form(const struct visit *visit, const struct device_code *code, const char *fault)
{
	struct page page;

	page_begin(&page, "Sign in");
	if (fault)
		page_print(&page, "<p class=\"fault\" role=\"alert\">%s</p>\n", fault);
	page_print(&page, "<p>to continue to <strong>%s</strong></p>\n", application_name(visit, code));
	print_form_start(&page, visit, "sign-in", code->user_code, "");
	print_people(&page, visit->provider->users);
	page_print(&page, "</form>\n<h2>Someone else</h2>\n");
	print_form_start(&page, visit, "sign-in", code->user_code, "");
	page_print(&page,
		   "<label for=\"user\">Username</label>\n"
		   "<input type=\"text\" id=\"user\" name=\"user\" required maxlength=\"254\" autocomplete=\"off\" "
		   "autocapitalize=\"none\" spellcheck=\"false\">\n"
		   "<button class=\"second\">Sign in</button>\n</form>\n");
	page_end(&page, fault ? 400 : 200, visit->answer);
}

static void show_decision_form(const struct visit *visit, const struct device_code *code, const char *name,
			       const json_t *user)
{
	_cleanup_free_ char *shown = code_for_eyes(code);
	struct page page;

	page_begin(&page, "Allow this sign-in?");
	page_print(
		&page,
		"<p>A device asks to sign you in. Approve only if you started this yourself and your device shows this "
		"code.</p>\n<dl>\n<dt>Application</dt><dd>%s</dd>\n<dt>Code</dt><dd class=\"code\">%s</dd>\n"
		"<dt>You</dt><dd>%s<br>%s</dd>\n</dl>\n",
		application_name(visit, code), shown, user_text(user, "name"), user_text(user, "login"));
	print_form_start(&page, visit, "decide", code->user_code, name);
	page_print(&page, "<button name=\"decision\" value=\"approve\">Approve</button>\n"
			  "<button class=\"deny\" name=\"decision\" value=\"deny\">Deny</button>\n</form>\n");
	page_end(&page, 200, visit->answer);
}

static void show_end(const struct visit *visit, const char *title, const char *class, const char *sentence)
{
	struct page page;

	page_begin(&page, title);
	page_print(&page, "<p class=\"%s\" role=\"status\">%s</p>\n", class, sentence);
	page_end(&page, 200, visit->answer);
}

static void decide(const struct visit *visit, struct device_code *code, const char *name, const json_t *user)
{
	const char *decision = form_get(&visit->request->form, "decision");
	bool approve = decision && strcmp(decision, "approve") == 0;

	code_decide(code, approve ? CODE_APPROVED : CODE_DENIED, name, visit->request->now_ms);
	if (!approve)
		show_end(visit, "Sign-in denied", "fault",
			 "The device was told that you denied it. You can close this page.");
	else if (!user_is_assigned(user))
		show_end(visit, "Not assigned", "fault",
			 "User is not assigned to the client application. Ask your administrator for access.");
	else if (user_is_policy_denied(user))
		show_end(visit, "Not allowed", "fault", "Your organization's policy does not allow this sign-in.");
	else
		show_end(visit, "Device activated", "good", "Go back to your device. You can close this page.");
}

static bool seal_holds(const struct visit *visit, const char *step, const char *user_code, const char *user)
{
	_cleanup_free_ char *expected = form_seal(visit, step, user_code, user);
	const char *given = form_get(&visit->request->form, "seal");

	return given && text_equal_constant_time(given, expected);
}

/* What the form's own step was sealed with: the code is free to choose in the first form, the user in the second. */
static bool form_is_ours(const struct visit *visit, const char *step, const char *user_code, const char *user)
{
	if (strcmp(step, "code") == 0)
		return seal_holds(visit, step, "", "");
	if (strcmp(step, "sign-in") == 0)
		return seal_holds(visit, step, user_code, "");
	return strcmp(step, "decide") == 0 && seal_holds(visit, step, user_code, user);
}

static const char *form_text(const struct visit *visit, const char *name)
{
	const char *text = form_get(&visit->request->form, name);

	return text ? text : "";
}

static void take_step(const struct visit *visit)
{
	const char *step = form_text(visit, "step"), *user_code = form_text(visit, "user_code");
	const char *who = form_text(visit, "user"), *name = NULL;
	struct device_code *code = codes_by_user_code(visit->provider->codes, user_code);
	const json_t *user = users_find(visit->provider->users, who, &name);

	if (!form_is_ours(visit, step, user_code, who))
		show_code_form(visit, 403, user_code,
			       "This page was open for too long or belongs to another browser. Try again.");
	else if (!code || !code_is_pending(code, visit->request->now_ms))
		show_code_form(visit, 400, user_code,
			       "This code is not valid, was used already or has expired. Check it, or start again on "
			       "your device.");
	else if (strcmp(step, "code") == 0)
		show_sign_in_form(visit, code, NULL);
	else if (!user)
		show_sign_in_form(visit, code, "Unable to sign in: there is no such user.");
	else if (strcmp(step, "sign-in") == 0)
		show_decision_form(visit, code, name, user);
	else
		decide(visit, code, name, user);
}

static bool posted_from_elsewhere(const struct request *request)
{
	_cleanup_free_ char *own = must_format("https://%s", request->host ? request->host : "");

	return request->origin && strcmp(request->origin, own) != 0;
}

void answer_activate(struct provider *provider, const struct request *request, struct answer *answer)
{
	struct visit visit = { provider, request, answer, cookie_value(request->cookie) };
	const char *user_code = form_get(&request->query, "user_code");
	bool new_browser = !visit.browser;

	if (new_browser)
		visit.browser = random_token("");
	if (strcmp(request->method, "POST") != 0)
		show_code_form(&visit, 200, user_code ? user_code : "", NULL);
	else if (!request->form_valid || posted_from_elsewhere(request))
		show_code_form(&visit, 403, "", "This form came from another site. Type the code here.");
	else
		take_step(&visit);
	if (new_browser)
		answer_set_headerf(answer, "Set-Cookie", COOKIE "%s; Path=/activate; Secure; HttpOnly; SameSite=Strict",
				   visit.browser);
	free(visit.browser);
}

void answer_stylesheet(struct provider *provider, const struct request *request, struct answer *answer)
{
	(void)provider;
	(void)request;
	answer->status = 200;
	answer_set_body(answer, must_copy(page_stylesheet()), strlen(page_stylesheet()));
	answer_set_header(answer, "Content-Type", "text/css;charset=UTF-8");
	answer_set_header(answer, "Cache-Control", "max-age=3600");
}
