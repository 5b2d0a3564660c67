/*
 * Runs pam_oidc/signin.c with its edges played. See sign_in.h. The functions below from loop.h, http.h, question.h,
 * document.h, realm.h and provider.h stand in for the product's own, which are not linked; time stands still but when a
 * timer is due.
 */
#include "tests/forged_tokens/sign_in.h"

#include <time.h>

#include "common/log.h"
#include "pam_oidc/question.h"
#include "pam_oidc/signin.h"
#include "tests/unit/forge.h"

#define DEVICE_ENDPOINT ISSUER "/oauth2/v1/device/authorize"
#define TOKEN_ENDPOINT ISSUER "/oauth2/v1/token"
#define USERINFO_ENDPOINT ISSUER "/oauth2/v1/userinfo"
#define BOOT_MS 1000000
#define STEPS_MAX 1000

struct realm {
	const struct config *config;
};

struct provider {
	const struct tenant *tenant;
	const struct discovery *metadata;
	const struct jwks *keys;
	struct back_off back_off;
};

struct http_transfer {
	http_answered *answered; /* NULL: nothing is under way */
	void *context;
	const char *body;
	long status;
};

struct question {
	question_answered *answered; /* NULL: none is open */
	void *context;
};

/* The sign-in that is under way. There is one at a time. */
static struct {
	const struct issuer_answers *issuer;
	const struct config *config;
	enum on_record record;
	int64_t now_s, now_ms;
	struct loop_timer *timer;
	struct http_transfer transfer;
	struct question question;
	char answer[WIRE_MAX];
	size_t answer_length;
	struct document_waiter *waiter;
	bool keys_were_fetched_again;
	struct realm realm;
	struct provider provider;
	struct sign_in_end *end;
	bool ended;
} scene;

/* ---- the clock ---- */

int __real_clock_gettime(clockid_t clock, struct timespec *ret_time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_time);
time_t __wrap_time(time_t *ret_time);

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_time)
{
	if (clock != CLOCK_BOOTTIME)
		return __real_clock_gettime(clock, ret_time);
	ret_time->tv_sec = scene.now_ms / 1000;
	ret_time->tv_nsec = scene.now_ms % 1000 * 1000000;
	return 0;
}

time_t __wrap_time(time_t *ret_time)
{
	forge_must(!ret_time);
	return (time_t)scene.now_s;
}

/* ---- the loop ---- */

bool loop_set_timer(struct loop *loop, struct loop_timer *timer, int64_t due_ms, void (*fire)(void *context),
		    void *context)
{
	(void)loop;
	*timer = (struct loop_timer){ .due_ms = due_ms, .fire = fire, .context = context, .place = 1 };
	scene.timer = timer;
	return true;
}

void loop_clear_timer(struct loop *loop, struct loop_timer *timer)
{
	(void)loop;
	timer->place = 0;
	scene.timer = NULL;
}

/* ---- provisiond ---- */

static void play_lookup(struct wire_writer *answer)
{
	wire_begin(answer, scene.answer, sizeof(scene.answer), "status", "entry");
	wire_put(answer, "kind", "promised");
	wire_put(answer, "account", "alice");
	wire_put(answer, "tenant", "clinic");
	wire_put_number(answer, "uid", machine_promises_uid(scene.config));
}

struct question *question_ask(struct loop *loop, const struct wire_writer *message, int64_t timeout_ms,
			      question_answered *answered, void *context)
{
	struct wire_writer answer = { .buffer = scene.answer, .capacity = sizeof(scene.answer) };
	struct wire_message asked;
	const char *op;

	(void)loop;
	(void)timeout_ms;
	if (message->failed)
		return NULL;
	forge_must(wire_parse(message->buffer, message->length, &asked));
	op = wire_kind(&asked, "op");
	if (strcmp(op, "lookup") == 0) {
		play_lookup(&answer);
	} else {
		forge_must(strcmp(op, "admit") == 0);
		scene.end->asked_to_admit = true;
		machine_judges(scene.config, scene.record, &asked, &answer);
	}
	forge_must(!answer.failed);
	scene.answer_length = answer.length;
	scene.question = (struct question){ answered, context };
	return &scene.question;
}

struct question *question_ask_again(struct loop *loop, const struct wire_writer *message, int64_t timeout_ms,
				    question_answered *answered, void *context)
{
	return question_ask(loop, message, timeout_ms, answered, context);
}

void question_cancel(struct question *question)
{
	if (question)
		question->answered = NULL;
}

/* ---- the issuer ---- */

static struct http_transfer *start(const char *body, long status, http_answered *answered, void *context)
{
	scene.transfer = (struct http_transfer){ answered, context, body, status };
	return &scene.transfer;
}

struct http_transfer *provider_post(struct provider *provider, const char *endpoint, struct form *form,
				    http_answered *answered, void *context)
{
	static const char device[] =
		"{\"device_code\":\"d-1\",\"user_code\":\"ABCDEFGH\",\"verification_uri\":\"" ISSUER "/activate\","
		"\"expires_in\":600,\"interval\":5}";

	(void)provider;
	(void)form;
	if (strcmp(endpoint, DEVICE_ENDPOINT) == 0)
		return start(device, 200, answered, context);
	forge_must(strcmp(endpoint, TOKEN_ENDPOINT) == 0);
	return start(scene.issuer->token_answer, 200, answered, context);
}

struct http_transfer *provider_get(struct provider *provider, const char *endpoint, const char *access_token,
				   http_answered *answered, void *context)
{
	(void)provider;
	forge_must(strcmp(endpoint, USERINFO_ENDPOINT) == 0);
	scene.end->asked_userinfo = true;
	scene.end->asked_userinfo_with_token = strcmp(access_token, ACCESS_TOKEN) == 0;
	return start(scene.issuer->userinfo, scene.issuer->userinfo_status, answered, context);
}

void http_cancel(struct http_transfer *transfer)
{
	if (transfer)
		transfer->answered = NULL;
}

const struct tenant *provider_tenant(const struct provider *provider)
{
	return provider->tenant;
}

struct back_off *provider_back_off(struct provider *provider)
{
	return &provider->back_off;
}

const struct discovery *provider_metadata(const struct provider *provider)
{
	return provider->metadata;
}

void provider_wait_metadata(struct provider *provider, struct document_waiter *waiter)
{
	(void)provider;
	(void)waiter;
	forge_must(false); /* they are always there */
}

const struct jwks *provider_keys(const struct provider *provider)
{
	return provider->keys;
}

/* The issuer publishes what it published before; and it is asked again once only. */
bool provider_wait_keys(struct provider *provider, bool again, struct document_waiter *waiter)
{
	(void)provider;
	forge_must(again);
	if (scene.keys_were_fetched_again)
		return false;
	scene.keys_were_fetched_again = true;
	scene.end->key_fetches++;
	scene.waiter = waiter;
	waiter->link = &scene.waiter;
	return true;
}

void document_unwait(struct document_waiter *waiter)
{
	waiter->link = NULL;
	scene.waiter = NULL;
}

struct realm *realm_ref(struct realm *realm)
{
	return realm;
}

void realm_unref(struct realm *realm)
{
	(void)realm;
}

struct provider *realm_provider(struct realm *realm, const char *tenant)
{
	(void)realm;
	return strcmp(tenant, "clinic") == 0 ? &scene.provider : NULL;
}

/* ---- who watches ---- */

static bool may_go_on(void *context, struct signin *signin)
{
	(void)context;
	(void)signin;
	return true;
}

static void show(void *context, struct signin *signin)
{
	(void)context;
	forge_must(signin_authorization(signin));
}

static void ended(void *context, struct signin *signin, const struct signin_end *end)
{
	(void)context;
	scene.ended = true;
	scene.end->admitted = end->reason == REASON_NONE;
	scene.end->reason = end->reason;
	(void)snprintf(scene.end->text, sizeof(scene.end->text), "%s", end->text);
	(void)snprintf(scene.end->account, sizeof(scene.end->account), "%s", end->account ? end->account : "");
	signin_free(signin);
}

static void keep_log(int priority, const char *line)
{
	size_t used = strlen(scene.end->log);

	(void)priority;
	(void)snprintf(scene.end->log + used, sizeof(scene.end->log) - used, "%s%s", used ? "\n" : "", line);
}

/* ---- one step after the other ---- */

static void answer_question(void)
{
	struct question question = scene.question;
	struct wire_message message;
	bool whole = wire_parse(scene.answer, scene.answer_length, &message);

	scene.question.answered = NULL;
	question.answered(question.context, whole ? &message : NULL);
}

static void answer_request(void)
{
	struct http_transfer transfer = scene.transfer;
	struct http_response response = {
		.answered = true,
		.error = "",
		.status = transfer.status,
		.body = transfer.body,
		.length = strlen(transfer.body),
		.max_age_s = -1,
	};

	scene.transfer.answered = NULL;
	transfer.answered(transfer.context, &response);
}

static void tell_of_keys(void)
{
	struct document_waiter *waiter = scene.waiter;

	scene.waiter = NULL;
	waiter->link = NULL;
	waiter->told(waiter->context, DOCUMENT_READY);
}

static void ring(void)
{
	struct loop_timer timer = *scene.timer;

	loop_clear_timer(NULL, scene.timer);
	if (timer.due_ms > scene.now_ms)
		scene.now_ms = timer.due_ms;
	timer.fire(timer.context);
}

static void run(void)
{
	for (int step = 0; !scene.ended; step++) {
		forge_must(step < STEPS_MAX);
		if (scene.question.answered)
			answer_question();
		else if (scene.transfer.answered)
			answer_request();
		else if (scene.waiter)
			tell_of_keys();
		else {
			forge_must(scene.timer);
			ring();
		}
	}
}

/* ---- configurations ---- */

static struct config *configs[TENANT_KINDS][KEY_KINDS];

static void fault(void *context, const char *path, unsigned line, const char *message)
{
	(void)context;
	(void)fprintf(stderr, "%s:%u: %s\n", path, line, message);
}

static struct config *configuration(const char *algs, const char *lines)
{
	_cleanup_free_ char *text = NULL;
	struct config *config = NULL;

	forge_must(asprintf(&text,
			    "[accounts]\ndefault_tenant = clinic\n"
			    "[tenant clinic]\nissuer = " ISSUER "\nclient_id = " CLIENT "\ndomains = clinic.example\n"
			    "id_token_signing_algs = %s\n%s\n"
			    "[tenant hospital]\nissuer = " HOSPITAL_ISSUER "\nclient_id = " HOSPITAL_CLIENT "\n"
			    "domains = hospital.example\nusername = %%l.h\n",
			    algs, lines) > 0);
	forge_must(config_parse("pam_oidc.conf", text, fault, NULL, &config));
	return config;
}

void machine_set_up(void)
{
	static const char strict[] = "required_amr = mfa\nmax_auth_age = 12h\nallowed_groups = Clinic IT\n";
	static const char *const algs[KEY_KINDS] = { [KEY_RSA] = "RS256", [KEY_EC] = "ES256" };
	static const char *const more[TENANT_KINDS] = {
		[TENANT_STRICT] = "",
		[TENANT_CLAIM] = "username = claim:linux_name\n",
		[TENANT_IF_PRESENT] = "email_verified = if-present\n",
		[TENANT_EVERY_ALG] = "",
		[TENANT_LAX] = "email_verified = ignore\n",
	};

	for (int tenant = 0; tenant < TENANT_KINDS; tenant++)
		for (int kind = 0; kind < KEY_KINDS; kind++) {
			_cleanup_free_ char *lines = NULL;

			forge_must(asprintf(&lines, "%s%s", tenant == TENANT_LAX ? "" : strict, more[tenant]) > 0);
			configs[tenant][kind] =
				configuration(tenant == TENANT_EVERY_ALG ? "RS256, RS384, RS512, PS256, PS384, PS512, "
									   "ES256, ES384, ES512"
									 : algs[kind],
					      lines);
		}
	log_divert(keep_log);
}

void machine_take_down(void)
{
	for (int tenant = 0; tenant < TENANT_KINDS; tenant++)
		for (int kind = 0; kind < KEY_KINDS; kind++)
			config_free(configs[tenant][kind]);
}

/* ---- the story ---- */

void sign_in_alice(const struct issuer_answers *answers, enum on_record record, enum tenant_kind tenant,
		   enum kind_of_key kind, int64_t now_s, struct replay *replay, struct sign_in_end *ret_end)
{
	static char device_endpoint[] = DEVICE_ENDPOINT, token_endpoint[] = TOKEN_ENDPOINT,
		    userinfo_endpoint[] = USERINFO_ENDPOINT;
	const struct discovery metadata = {
		.device_authorization_endpoint = device_endpoint,
		.token_endpoint = token_endpoint,
		.userinfo_endpoint = userinfo_endpoint,
	};
	const struct signin_surroundings around = { .replay = replay };
	const struct signin_events events = {
		.may_wait = may_go_on, .may_start = may_go_on, .show = show, .ended = ended
	};
	struct signin_request request = {
		.name = "alice",
		.resolved = true,
		.must_resolve = true,
		.service = "sshd",
		.tty = "ssh",
		.rhost = "198.51.100.7",
		.deadline_ms = BOOT_MS + 110 * 1000,
	};

	*ret_end = (struct sign_in_end){ 0 };
	scene.issuer = answers;
	scene.config = configs[tenant][kind];
	scene.record = record;
	scene.now_s = now_s;
	scene.now_ms = BOOT_MS;
	scene.keys_were_fetched_again = false;
	scene.ended = false;
	scene.end = ret_end;
	scene.realm.config = scene.config;
	scene.provider = (struct provider){
		.tenant = config_tenant_named(scene.config, "clinic"),
		.metadata = &metadata,
		.keys = answers->keys,
	};
	request.uid = machine_promises_uid(scene.config);
	forge_must(signin_start(&around, &scene.realm, &request, &events));
	run();
}
