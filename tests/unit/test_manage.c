/*
 * The administrator's orders as provisiond answers them: every refusal, every sentence about what is done, and that
 * neither a refusal nor dry=1 changes anything.
 */
#include <time.h>

#include "daemon_bench.h"
#include "tests/unit/own_libraries.h"

#define CLINIC_WITH_ROOMS CLINIC "rooms = Exam 1, Exam 2\n"
#define RESERVING "[accounts]\nreserved_names = porter\ndefault_tenant = clinic\n"
#define ORDERS_MAX 6

/* ---- who is there ---- */

#define PASSWD                                                                                             \
	"root:x:0:0:root:/root:/bin/bash\nsecond:x:0:0::/root:/bin/sh\nwww:x:33:33::/var/www:/bin/false\n" \
	"local:x:1000:1000:Lo Cal,12:/home/local:/bin/sh\ntwin:x:1000:1000::/home/twin:/bin/sh\n"          \
	"rooted:x:1010:0::/home/rooted:/bin/sh\nscanner:x:1011:1011::/home/scanner:/bin/sh\n"              \
	"Capital:x:1012:1012::/home/capital:/bin/sh\nporter:x:1013:1013::/home/porter:/bin/sh\n"           \
	"older:x:1014:1014::/home/older:/bin/sh\nformerly:x:2000900009:1000::/home/f:/bin/sh\n"            \
	"nobody:x:65534:65534::/:/bin/false\n"                                                             \
	"alice:x:2000200007:2000200007:Alice Example:/home/alice:/bin/bash\n"                              \
	"carol:x:2000200008:2000200008:Carol:/home/carol:/bin/bash\n"                                      \
	"dave:x:2000200009:2000200009:Dave:/home/dave:/bin/bash\n"                                         \
	"lina:x:1020:1020:Lina Local:/home/lina:/bin/bash\n"                                               \
	"linus:x:1021:1021::/home/linus:/bin/bash\n"                                                       \
	"taken:x:2500:2500::/home/taken:/bin/sh\n"                                                         \
	"moved:x:2501:2501::/home/moved:/bin/sh\n"
#define SHADOW                                                                                                 \
	"root:*:19000:0:99999:7:::\nlocal:$6$hash:19000:0:99999:7:::\nolder:!$6$hash:19000:1:90:7:10:30000:\n" \
	"alice:*:19000::::::\ncarol:!*:19000:::::1:\ndave:!*:19000:::::1:\nlina:!$6$lina:19000::::::\n"        \
	"linus:!!$6$linus:19000:::::1:\n"
#define GROUP                                                                                                       \
	"root:x:0:\nlocal:x:1000:\nradiology:x:2000:alice,dora\nlina:x:1020:\nlinus:x:1021:\nalice:x:2000200007:\n" \
	"carol:x:2000200008:\ndave:x:2000200009:\nradiographers:x:2002:\nscanner:x:104:\n"
#define GSHADOW "root:*::\nlocal:!::\nradiology:!::alice,dora\n"

static struct account_record record_of(const char *name, uid_t uid, enum account_state state)
{
	static char storage[32][96];
	static unsigned next;
	char *email = storage[next++ % 32], *subject = storage[next++ % 32], *home = storage[next++ % 32];

	(void)snprintf(email, 96, "%s@clinic.example", name);
	(void)snprintf(subject, 96, "00u%s", name);
	(void)snprintf(home, 96, "/home/%s", name);
	return (struct account_record){
		.name = name,
		.uid = uid,
		.gid = uid,
		.tenant = "clinic",
		.issuer = "https://clinic.example",
		.subject = subject,
		.email = email,
		.full_name = "Some Body",
		.home = home,
		.shell = "/bin/bash",
		.state = state,
		.created_at = 1700000000,
		.last_signin_at = 1700000000,
		.state_at = 1700000000,
	};
}

static void put(const struct small_machine *machine, const struct account_record *record)
{
	assert_int_equal(store_add(machine->store, record), 0);
	if (record->state != ACCOUNT_CREATING)
		assert_int_equal(store_set_state(machine->store, record->name, record->state), 0);
}

static void put_home(const struct small_machine *machine, const char *path, uid_t uid)
{
	char full[256];

	machine_folder(machine, path, 0700);
	machine_path(machine, path, full);
	assert_int_equal(chown(full, uid, uid), 0);
}

/* Somebody whose account went to a successor. */
static void put_former(const struct small_machine *machine, const char *name, uid_t uid)
{
	struct account_record record = record_of(name, uid, ACCOUNT_REMOVED);
	struct planned_change change;

	put(machine, &record);
	change = planned_change_none(CHANGE_REASSIGN, &record);
	change.next_uid = uid + 1;
	change.state_after = ACCOUNT_REMOVED;
	assert_int_equal(store_begin_change(machine->store, &change), 0);
	assert_int_equal(store_end_change(machine->store, &change, 1700000000), 0);
}

static void put_linked(const struct small_machine *machine, const char *name, uid_t uid, enum account_state state)
{
	struct account_record record = record_of(name, uid, state);

	record.linked = true;
	record.locked = true;
	record.ageing_before = "19000:0:99999:7:";
	record.groups_given = "radiographers";
	put(machine, &record);
}

static void seed(struct small_machine *machine)
{
	struct account_record alice = record_of("alice", 2000200007, ACCOUNT_ACTIVE);
	struct account_record carol = record_of("carol", 2000200008, ACCOUNT_DEACTIVATED);
	struct account_record dave = record_of("dave", 2000200009, ACCOUNT_INCOMPLETE);
	struct account_record erin = record_of("erin", 2000200010, ACCOUNT_REMOVED);
	struct account_record gone = record_of("gone", 2000200011, ACCOUNT_ACTIVE);
	struct account_record moved = record_of("moved", 2000200012, ACCOUNT_ACTIVE);
	struct account_record renamed = record_of("renamed", 2000200013, ACCOUNT_REMOVED);
	struct account_record astray = record_of("astray", 2000200014, ACCOUNT_REMOVED);
	const struct expected dora = {
		.kind = EXPECTED_LINK,
		.name = "older",
		.tenant = "clinic",
		.email = "dora@clinic.example",
		.subject = "",
		.uid = 1014,
		.made_at = (int64_t)time(NULL),
		.expires_at = (int64_t)time(NULL) + 1000,
	};
	struct expected late = dora;

	machine_write(machine, "/etc/passwd", 0644, PASSWD);
	machine_write(machine, "/etc/shadow", 0640, SHADOW);
	machine_write(machine, "/etc/group", 0644, GROUP);
	machine_write(machine, "/etc/gshadow", 0640, GSHADOW);
	machine_write(machine, "/etc/nsswitch.conf", 0644, "passwd: files first\ngroup: files\n");
	put_home(machine, "/home/alice", 2000200007);
	put_home(machine, "/home/erin", 2000200010);
	put_home(machine, "/home/astray", 1000);
	alice.room = "Exam 1";
	carol.locked = dave.locked = true;
	carol.expiry_before = "";
	renamed.email = "married@clinic.example";
	astray.tenant = "lost";
	astray.issuer = "https://lost.example";
	put(machine, &alice);
	put(machine, &carol);
	put(machine, &dave);
	put(machine, &erin);
	put(machine, &gone);
	put(machine, &moved);
	put(machine, &renamed);
	put(machine, &astray);
	put_linked(machine, "lina", 1020, ACCOUNT_ACTIVE);
	put_linked(machine, "linus", 1021, ACCOUNT_DEACTIVATED);
	put_former(machine, "frida", 2000900009);
	put_former(machine, "fred", 2000900019);
	assert_int_equal(store_expect(machine->store, &dora), 0);
	late.name = "late";
	late.email = "late@clinic.example";
	late.expires_at = (int64_t)time(NULL) - 10;
	assert_int_equal(store_expect(machine->store, &late), 0);
	late.kind = EXPECTED_ADD;
	late.name = "odd";
	late.email = "o.d.d@clinic.example";
	late.expires_at = 0;
	late.uid = 0;
	assert_int_equal(store_expect(machine->store, &late), 0);
	assert_int_equal(store_reserve(machine->store, "kept", 2100000001, 1700000000), 0);
}

/* ---- what there was ---- */

/* All files and all of the record, for comparison. */
struct picture {
	char bytes[128 * 1024];
	size_t length;
};

static void add_file(struct picture *picture, const struct bench *bench, const char *path)
{
	char full[256];
	FILE *file;

	machine_path(&bench->machine, path, full);
	file = fopen(full, "re");
	assert_non_null(file);
	picture->length += fread(picture->bytes + picture->length, 1, sizeof(picture->bytes) - picture->length, file);
	(void)fclose(file);
}

/* Every answer to `list`. */
static void add_list(struct picture *picture, const struct bench *bench)
{
	int fd = wire_connect(bench->socket, wire_now_ms() + 1000);
	const char question[] = "op=list";
	ssize_t n;

	assert_int_equal(send(fd, question, sizeof(question), 0), sizeof(question));
	do {
		n = wire_receive(fd, picture->bytes + picture->length, sizeof(picture->bytes) - picture->length,
				 wire_now_ms() + 5000);
		assert_true(n > 0);
		picture->length += (size_t)n;
	} while (strcmp(picture->bytes + picture->length - (size_t)n, "status=end") != 0);
	(void)close(fd);
}

static struct picture *take_picture(const struct bench *bench)
{
	static const char *const paths[] = { "/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow" };
	struct picture *picture = calloc(1, sizeof(*picture));

	assert_non_null(picture);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		add_file(picture, bench, paths[i]);
	add_list(picture, bench);
	return picture;
}

static void assert_same(struct picture *before, const struct bench *bench)
{
	struct picture *after = take_picture(bench);

	assert_int_equal(before->length, after->length);
	assert_memory_equal(before->bytes, after->bytes, before->length);
	free(before);
	free(after);
}

/* Whether the file has exactly this line. */
static bool has_line(const struct bench *bench, const char *path, const char *line)
{
	struct picture *picture = calloc(1, sizeof(*picture));
	size_t length = strlen(line);
	bool found = false;

	assert_non_null(picture);
	add_file(picture, bench, path);
	for (const char *at = picture->bytes; *at && !found; at += strcspn(at, "\n") + 1)
		found = strncmp(at, line, length) == 0 && at[length] == '\n';
	free(picture);
	return found;
}

/* ---- asking ---- */

struct expectation {
	const char *fields[ORDERS_MAX]; /* op= first */
	const char *reason;             /* of a refusal */
	const char *text;               /* that is in the sentence */
};

static const char *order(struct bench *bench, const char *const *fields, bool dry)
{
	const char *all[ORDERS_MAX + 2] = { NULL };
	size_t n = 0;

	for (; fields[n]; n++)
		all[n] = fields[n];
	if (dry)
		all[n] = "dry=1";
	return ask_as(bench, 0, all);
}

static void assert_in(const char *text, const char *part)
{
	if (!text || !strstr(text, part))
		fail_msg("\"%s\" is not in \"%s\"", part, text ? text : "(nothing)");
}

static void assert_refusal(struct bench *bench, const struct expectation *expectation)
{
	for (int dry = 0; dry < 2; dry++) {
		const char *status = order(bench, expectation->fields, dry);

		if (!status || strcmp(status, "refused") != 0)
			fail_msg("%s %s: %s", expectation->fields[0], expectation->fields[1],
				 status ? status : "hung up");
		assert_in(wire_get(&bench->answer, "text"), expectation->text);
		assert_field(bench, "reason", expectation->reason);
	}
}

static void assert_refusals(struct bench *bench, const struct expectation *expectations, size_t count)
{
	struct picture *before = take_picture(bench);

	for (size_t i = 0; i < count; i++)
		assert_refusal(bench, &expectations[i]);
	assert_same(before, bench);
}

#define ASSERT_REFUSALS(state, rows) assert_refusals(state, rows, sizeof(rows) / sizeof((rows)[0]))

/* The sentences of the answer, each of which ends with a newline here. */
static const char *sentences(struct bench *bench)
{
	static char all[8192];
	const char *did;
	size_t cursor = 0, length = 0;

	all[0] = '\0';
	while ((did = wire_next(&bench->answer, "did", &cursor)) != NULL)
		length += (size_t)snprintf(all + length, sizeof(all) - length, "%s\n", did);
	return all;
}

/* Asks with dry=1, which changes nothing, and then in earnest: the same sentences both times. */
static void assert_does(struct bench *bench, const char *const *fields, const char *expected)
{
	struct picture *before = take_picture(bench);
	const char *status = order(bench, fields, true);

	if (!status || strcmp(status, "done") != 0)
		fail_msg("%s %s (dry): %s: %s", fields[0], fields[1], status ? status : "hung up",
			 status ? wire_get(&bench->answer, "text") : "");
	assert_string_equal(sentences(bench), expected);
	assert_same(before, bench);
	status = order(bench, fields, false);
	if (!status || strcmp(status, "done") != 0)
		fail_msg("%s %s: %s: %s", fields[0], fields[1], status ? status : "hung up",
			 status ? wire_get(&bench->answer, "text") : "");
	assert_string_equal(sentences(bench), expected);
}

#define FIELDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static const char *state_of(struct bench *bench, const char *name)
{
	char field[64];

	(void)snprintf(field, sizeof(field), "name=%s", name);
	return strcmp(ASK(bench, 0, "op=show", field), "account") == 0 ? wire_get(&bench->answer, "state") : "none";
}

/* ---- who may, and what is malformed ---- */

static const char *const every_op[] = { "op=link",       "op=add",        "op=unlink",   "op=reserve", "op=room",
					"op=deactivate", "op=reactivate", "op=reassign", "op=remove" };

static void only_root_may_order_anything(void **state)
{
	for (size_t i = 0; i < sizeof(every_op) / sizeof(every_op[0]); i++) {
		assert_null(ASK(*state, PAM_OIDC_UID, every_op[i], "name=alice", "email=x@clinic.example", "uid=3000",
				"room=Exam 1"));
		assert_null(ASK(*state, 2000200007, every_op[i], "name=alice", "email=x@clinic.example", "uid=3000",
				"room=Exam 1"));
	}
	assert_null(ASK(*state, PAM_OIDC_UID, "op=status"));
	assert_null(ASK(*state, MALLORY, "op=status"));
	assert_string_equal(state_of(*state, "alice"), "active");
}

static void a_malformed_order_ends_the_connection(void **state)
{
	for (size_t i = 0; i < sizeof(every_op) / sizeof(every_op[0]); i++) {
		assert_null(ASK(*state, 0, every_op[i]));
		assert_null(ASK(*state, 0, every_op[i], "name=", "email=x@clinic.example", "uid=3000", "room=Exam 1"));
		assert_null(ASK(*state, 0, every_op[i], "name=alice", "name=carol", "email=x@clinic.example",
				"uid=3000", "room=Exam 1"));
		assert_null(ASK(*state, 0, every_op[i], "name=alice", "email=x@clinic.example", "uid=3000",
				"room=Exam 1", "dry=yes"));
	}
	assert_null(ASK(*state, 0, "op=link", "name=local"));
	assert_null(ASK(*state, 0, "op=link", "name=local", "email=a@clinic.example", "subject=1", "subject=2"));
	assert_null(ASK(*state, 0, "op=add", "name=carla"));
	assert_null(ASK(*state, 0, "op=reserve", "name=carla"));
	assert_null(ASK(*state, 0, "op=reserve", "name=carla", "uid=-1"));
	assert_null(ASK(*state, 0, "op=room", "name=alice"));
	assert_null(ASK(*state, 0, "op=remove", "name=alice", "home=burn"));
	assert_null(ASK(*state, 0, "op=reassign", "name=alice", "confirmed=0"));
	assert_string_equal(state_of(*state, "alice"), "active");
}

/* ---- link ---- */

static void what_is_no_text_is_refused_and_not_repeated(void **state)
{
	static const struct expectation rows[] = {
		{ { "op=remove", "name=ali\xff" }, "unfit", "is no UTF-8 text" },
		{ { "op=deactivate", "name=\x1b[2J" }, "unfit", "holds control characters" },
		{ { "op=add", "name=sean", "email=s\xc2\x9b@clinic.example" }, "unfit", "holds control characters" },
		{ { "op=room", "name=alice", "room=\xe2\x82" }, "unfit", "is no UTF-8 text" },
	};

	ASSERT_REFUSALS(*state, rows);
}

static void what_cannot_be_linked_is_refused_with_what_to_do(void **state)
{
	static const struct expectation rows[] = {
		{ { "op=link", "name=root", "email=r@clinic.example" }, "conflict", "Nobody can be linked to root." },
		{ { "op=link", "name=second", "email=r@clinic.example" }, "conflict", "second is root" },
		{ { "op=link", "name=www", "email=w@clinic.example" }, "conflict", "has a uid below 1000" },
		{ { "op=link", "name=nobody", "email=n@clinic.example" }, "conflict", "has a uid that is nobody's" },
		{ { "op=link", "name=rooted", "email=r@clinic.example" }, "conflict", "has root's group as its own" },
		{ { "op=link", "name=twin", "email=t@clinic.example" },
		  "conflict",
		  "has the same uid as local in /etc/passwd" },
		{ { "op=link", "name=formerly", "email=t@clinic.example" },
		  "conflict",
		  "has a uid that is another account's on record" },
		{ { "op=link", "name=scanner", "email=a@clinic.example" },
		  "conflict",
		  "is the name of a group of the system, so no person gets it" },
		{ { "op=link", "name=porter", "email=a@clinic.example" }, "conflict", "is in reserved_names" },
		{ { "op=link", "name=Capital", "email=a@clinic.example" }, "unfit", "cannot be an account's name: it" },
		{ { "op=link", "name=ghost", "email=g@clinic.example" },
		  "not_found",
		  "is no user in /etc/passwd, and only such users can be linked. For an account that is yet to be "
		  "made: provisionctl add ghost g@clinic.example" },
		{ { "op=link", "name=alice", "email=a@clinic.example" },
		  "conflict",
		  "alice is an account that provisiond made, for alice@clinic.example" },
		{ { "op=link", "name=lina", "email=a@clinic.example" },
		  "conflict",
		  "lina is linked already, to lina@clinic.example. To link it to somebody else, first: provisionctl "
		  "unlink lina" },
		{ { "op=link", "name=erin", "email=a@clinic.example" },
		  "conflict",
		  "is kept for its owner (erin@clinic.example). To free it for somebody else: provisionctl reassign "
		  "erin" },
		{ { "op=link", "name=local", "email=local" }, "unfit", "\"local\" is not an email address" },
		{ { "op=link", "name=local", "email=local@evil.example" },
		  "unfit",
		  "evil.example is in no tenant's `domains` in test" },
		{ { "op=link", "name=local", "email=local@sub.clinic.example" },
		  "unfit",
		  "sub.clinic.example is in no" },
		{ { "op=link", "name=local", "email=ALICE@clinic.example" },
		  "conflict",
		  "has an account already: alice (active)" },
		{ { "op=link", "name=local", "email=dora@clinic.example" },
		  "conflict",
		  "is expected under the name older already. End that first: provisionctl unlink older" },
		{ { "op=link", "name=local", "email=l@clinic.example", "subject=00ucarol" },
		  "conflict",
		  "The Okta user 00ucarol has an account already: carol (deactivated)" },
		{ { "op=link", "name=local", "email=l@clinic.example", "subject=00ufrida" },
		  "conflict",
		  "had the account frida until a successor got it" },
		{ { "op=link", "name=local", "email=l@clinic.example", "subject=a b" },
		  "unfit",
		  "That is no Okta user's id" },
	};

	ASSERT_REFUSALS(*state, rows);
}

/* The sentences with today's end of the seven days in them. */
static const char *link_sentences(const char *email, const char *by, const char *name, unsigned uid)
{
	static char text[1024];
	time_t end = time(NULL) + EXPECTED_LINK_LIFE_S;
	char until[32];
	struct tm when;

	assert_non_null(localtime_r(&end, &when));
	assert_true(strftime(until, sizeof(until), "%Y-%m-%d %H:%M", &when) > 0);
	(void)snprintf(text, sizeof(text),
		       "The next sign-in with Okta as %s%s takes %s (uid %u), until %s; its uid, home and files stay.\n"
		       "Until then %s is a local user as before, with the local password.\n",
		       email, by, name, uid, until, name);
	return text;
}

static void link_expects_the_owner_and_changes_nothing_else(void **state)
{
	struct bench *bench = *state;
	char expected[2048];

	(void)snprintf(expected, sizeof(expected), "%s%s", link_sentences("local@clinic.example", "", "local", 1000),
		       "From then on the local password no longer works; unlink brings it back.\n");
	assert_does(bench, FIELDS("op=link", "name=local", "email=local@clinic.example"), expected);
	assert_true(has_line(bench, "/etc/passwd", "local:x:1000:1000:Lo Cal,12:/home/local:/bin/sh"));
	assert_string_equal(ASK(bench, 0, "op=show", "name=local"), "expected");
	assert_field(bench, "kind", "link");
	assert_field(bench, "email", "local@clinic.example");
	assert_true(atoll(wire_get(&bench->answer, "expires")) > time(NULL) + EXPECTED_LINK_LIFE_S - 100);
	assert_null(ASK(bench, 0, "op=show"));
}

static void a_second_link_replaces_the_first_and_says_so(void **state)
{
	struct bench *bench = *state;
	char expected[2048];

	(void)snprintf(expected, sizeof(expected), "%s%s",
		       link_sentences("dora.d@clinic.example", " by the Okta user 00u1", "older", 1014),
		       "From then on the local password no longer works; unlink brings it back.\n"
		       "dora@clinic.example, who was expected under this name until now, no longer is.\n");
	assert_does(bench, FIELDS("op=link", "name=older", "email=dora.d@clinic.example", "subject=00u1"), expected);
	assert_string_equal(ASK(bench, 0, "op=show", "name=older"), "expected");
	assert_field(bench, "email", "dora.d@clinic.example");
	assert_field(bench, "subject", "00u1");
}

static void a_link_whose_time_is_over_is_in_nobodys_way(void **state)
{
	assert_string_equal(ASK(*state, 0, "op=link", "name=local", "email=late@clinic.example"), "done");
	assert_string_equal(ASK(*state, 0, "op=show", "name=late"), "unknown");
}

static void with_fallback_the_local_password_goes_on_working(void **state)
{
	assert_string_equal(ASK(*state, 0, "op=link", "name=local", "email=local@clinic.example"), "done");
	assert_in(sentences(*state), "the local password still works beside Okta (password = fallback).\n");
}

/* ---- add ---- */

static void what_cannot_be_added_is_refused_with_what_to_do(void **state)
{
	static const struct expectation rows[] = {
		{ { "op=add", "name=root", "email=r@clinic.example" },
		  "conflict",
		  "root is a local user already, and root can be nobody else's. Choose another name" },
		{ { "op=add", "name=local", "email=l@clinic.example" },
		  "conflict",
		  "local is a local user already. To give that one to l@clinic.example: provisionctl link local "
		  "l@clinic.example" },
		{ { "op=add", "name=radiology", "email=l@clinic.example" }, "conflict", "taken by a local group" },
		{ { "op=add", "name=dora", "email=l@clinic.example" }, "conflict", "list of members of a local group" },
		{ { "op=add", "name=wheel", "email=l@clinic.example" }, "conflict", "built-in list" },
		{ { "op=add", "name=Porter", "email=l@clinic.example" }, "unfit", "cannot be an account's name: it" },
		{ { "op=add", "name=alice", "email=l@clinic.example" },
		  "conflict",
		  "alice is an account that provisiond made, for alice@clinic.example. See: provisionctl show alice" },
		{ { "op=add", "name=erin", "email=l@clinic.example" }, "conflict", "provisionctl reassign erin" },
		{ { "op=add", "name=freya", "email=f@evil.example" }, "unfit", "in no tenant's `domains`" },
		{ { "op=add", "name=freya", "email=carol@clinic.example" },
		  "conflict",
		  "has an account already: carol (deactivated). One person has one account; see: provisionctl show "
		  "carol" },
		{ { "op=add", "name=freya", "email=dora@clinic.example" },
		  "conflict",
		  "is expected under the name older already" },
		{ { "op=add", "name=known", "email=k@clinic.example" }, "conflict", "name service first" },
		{ { "op=add", "name=down", "email=k@clinic.example" }, "unavailable", "first does not answer" },
	};

	ASSERT_REFUSALS(*state, rows);
}

static void a_name_that_reads_like_another_tenants_is_not_added(void **state)
{
	static const struct expectation rows[] = {
		{ { "op=add", "name=freya.lab", "email=f@clinic.example" },
		  "conflict",
		  "would read like a name of the tenant lab, and f@clinic.example is of the tenant clinic" },
		{ { "op=add", "name=freya", "email=f@lab.example" },
		  "conflict",
		  "would read like a name of the tenant clinic" },
	};

	ASSERT_REFUSALS(*state, rows);
	assert_string_equal(ASK(*state, 0, "op=add", "name=freya.lab", "email=f@lab.example", "dry=1"), "done");
}

static void add_keeps_the_name_for_its_person(void **state)
{
	struct bench *bench = *state;
	const char *uid;
	char expected[512];

	assert_string_equal(ASK(bench, 0, "op=lookup", "name=obrien", "purpose=login"), "entry");
	uid = wire_get(&bench->answer, "uid");
	(void)snprintf(
		expected, sizeof(expected),
		"The first sign-in with Okta as o'brien@clinic.example makes the account obrien (uid %s) for its "
		"person.\n",
		uid);
	assert_does(bench, FIELDS("op=add", "name=obrien", "email=o'brien@clinic.example"), expected);
	assert_string_equal(ASK(bench, 0, "op=show", "name=obrien"), "expected");
	assert_field(bench, "kind", "add");
	assert_field(bench, "expires", "0");
	assert_string_equal(ASK(bench, 0, "op=add", "name=obrien", "email=paddy@clinic.example"), "done");
	assert_in(sentences(bench),
		  "o'brien@clinic.example, who was expected under this name until now, no longer is.");
}

/* ---- unlink ---- */

static void what_cannot_be_unlinked_is_refused_with_what_to_do(void **state)
{
	static const struct expectation rows[] = {
		{ { "op=unlink", "name=alice" },
		  "conflict",
		  "alice was made by provisiond and never was a local user, so there is nothing to give back. To end "
		  "it: provisionctl remove alice" },
		{ { "op=unlink", "name=erin" }, "conflict", "To end it: provisionctl reassign erin" },
		{ { "op=unlink", "name=linus" }, "conflict", "provisionctl reactivate linus" },
		{ { "op=unlink", "name=local" },
		  "not_found",
		  "local is a local user, whom provisiond does not look after" },
		{ { "op=unlink", "name=ghost" }, "not_found", "There is no account ghost on record" },
	};

	ASSERT_REFUSALS(*state, rows);
}

static void unlink_gives_the_account_back_as_it_was(void **state)
{
	struct bench *bench = *state;

	assert_does(bench, FIELDS("op=unlink", "name=lina"),
		    "lina (uid 1020) is a local user again, with the password and the ageing that it had before; home "
		    "and files stay.\n"
		    "lina@clinic.example has no account here any more.\n"
		    "The memberships that came with Okta end: radiographers.\n");
	assert_true(has_line(bench, "/etc/shadow", "lina:$6$lina:19000:0:99999:7:::"));
	assert_string_equal(ASK(bench, 0, "op=show", "name=lina"), "unknown");
}

static void unlink_ends_an_expectation(void **state)
{
	struct bench *bench = *state;

	assert_does(bench, FIELDS("op=unlink", "name=older"),
		    "dora@clinic.example is no longer expected under the name older.\n"
		    "older stays the local user that it is.\n");
	assert_does(bench, FIELDS("op=unlink", "name=odd"),
		    "o.d.d@clinic.example is no longer expected under the name odd.\n");
	assert_string_equal(ASK(bench, 0, "op=show", "name=older"), "unknown");
	assert_string_equal(ASK(bench, 0, "op=show", "name=odd"), "unknown");
}

/* ---- reserve ---- */

static void what_cannot_be_reserved_is_refused_with_what_to_do(void **state)
{
	static const struct expectation rows[] = {
		{ { "op=reserve", "name=freya", "uid=33" }, "conflict", "uid 33 is the system's" },
		{ { "op=reserve", "name=freya", "uid=999" }, "conflict", "uid 999 is the system's" },
		{ { "op=reserve", "name=freya", "uid=2500" }, "conflict", "uid 2500 is the local user taken" },
		{ { "op=reserve", "name=freya", "uid=2002" }, "conflict", "uid 2002 is the local group radiographers" },
		{ { "op=reserve", "name=freya", "uid=2000200010" },
		  "conflict",
		  "uid 2000200010 is the account on record erin. Choose another one." },
		{ { "op=reserve", "name=freya", "uid=2000900019" }, "conflict", "is a former account's" },
		{ { "op=reserve", "name=freya", "uid=2100000001" }, "conflict", "is reserved for kept" },
		{ { "op=reserve", "name=freya", "uid=65534" }, "conflict", "is not for persons" },
		{ { "op=reserve", "name=freya", "uid=65535" }, "conflict", "is not for persons" },
		{ { "op=reserve", "name=freya", "uid=4294967294" }, "conflict", "is not for persons" },
		{ { "op=reserve", "name=freya", "uid=4242" }, "conflict", "of the name service first. Choose another" },
		{ { "op=reserve", "name=alice", "uid=2100000002" },
		  "conflict",
		  "alice has an account with uid 2000200007 already (active), and an account's uid never changes" },
		{ { "op=reserve", "name=local", "uid=2100000002" }, "conflict", "provisionctl link local EMAIL" },
		{ { "op=reserve", "name=wheel", "uid=2100000002" }, "conflict", "so no person gets it" },
		{ { "op=reserve", "name=a:b", "uid=2100000002" }, "unfit", "cannot be an account's name" },
	};

	ASSERT_REFUSALS(*state, rows);
}

static void reserve_keeps_the_uid_for_the_name(void **state)
{
	struct bench *bench = *state;

	assert_does(bench, FIELDS("op=reserve", "name=freya", "uid=2100000002"),
		    "freya gets uid 2100000002 when its account is made, and nobody else gets that one.\n");
	assert_string_equal(ASK(bench, 0, "op=lookup", "name=freya", "purpose=login"), "entry");
	assert_field(bench, "uid", "2100000002");
	assert_does(bench, FIELDS("op=reserve", "name=freya", "uid=2100000002"),
		    "uid 2100000002 is reserved for freya already.\n");
	assert_does(bench, FIELDS("op=reserve", "name=freya", "uid=2100000003"),
		    "freya gets uid 2100000003 when its account is made, and nobody else gets that one.\n"
		    "uid 2100000002, which was reserved for it until now, no longer is.\n");
}

/* ---- room ---- */

static void what_room_cannot_be_given_is_refused_with_what_to_do(void **state)
{
	static const struct expectation rows[] = {
		{ { "op=room", "name=alice", "room=Exam 3" },
		  "unfit",
		  "\"Exam 3\" is none of the rooms of the tenant clinic. Choose one of: Exam 1, Exam 2" },
		{ { "op=room", "name=alice", "room=exam 1" }, "unfit", "none of the rooms" },
		{ { "op=room", "name=alice", "room=" }, "unfit", "none of the rooms" },
		{ { "op=room", "name=carol", "room=Exam 1" }, "conflict", "First: provisionctl reactivate carol" },
		{ { "op=room", "name=erin", "room=Exam 1" },
		  "conflict",
		  "erin was removed, so there is nothing to give a room to. Its owner gets it back by signing in "
		  "again" },
		{ { "op=room", "name=ghost", "room=Exam 1" }, "not_found", "There is no account ghost on record" },
	};

	ASSERT_REFUSALS(*state, rows);
}

static void without_rooms_there_is_none_to_give(void **state)
{
	static const struct expectation rows[] = {
		{ { "op=room", "name=alice", "room=Exam 1" }, "conflict", "`rooms` is not set in test" },
	};

	ASSERT_REFUSALS(*state, rows);
}

static void room_changes_gecos_and_ends_the_question(void **state)
{
	struct bench *bench = *state;

	assert_does(bench, FIELDS("op=room", "name=alice", "room=Exam 1"), "alice has the room Exam 1 already.\n");
	assert_does(bench, FIELDS("op=room", "name=alice", "room=Exam 2"),
		    "alice has the room Exam 2 now, instead of Exam 1.\n");
	assert_true(
		has_line(bench, "/etc/passwd", "alice:x:2000200007:2000200007:Some Body,Exam 2:/home/alice:/bin/bash"));
	assert_does(bench, FIELDS("op=room", "name=dave", "room=Exam 1"),
		    "dave has the room Exam 1 now.\nThe account is complete, and its owner is not asked any more.\n");
	assert_string_equal(state_of(bench, "dave"), "active");
}

/* ---- deactivate, reactivate ---- */

static void who_cannot_be_deactivated_or_reactivated_is_refused_with_what_to_do(void **state)
{
	static const struct expectation rows[] = {
		{ { "op=deactivate", "name=erin" }, "conflict", "erin was removed, so there is nothing to deactivate" },
		{ { "op=reactivate", "name=erin" }, "conflict", "Its owner gets it back by signing in again" },
		{ { "op=deactivate", "name=local" }, "not_found", "For local users there are usermod and userdel" },
		{ { "op=deactivate", "name=older" },
		  "not_found",
		  "older has not signed in with Okta yet; dora@clinic.example is only expected under that name. To end "
		  "that: provisionctl unlink older" },
		{ { "op=deactivate", "name=gone" },
		  "conflict",
		  "gone is on record with uid 2000200011, but no longer in /etc/passwd" },
		{ { "op=deactivate", "name=moved" },
		  "conflict",
		  "in /etc/passwd the name is another user's now, with uid 2501" },
		{ { "op=reactivate", "name=ghost" }, "not_found", "provisionctl list" },
		{ { "op=deactivate", "name=alice@clinic.example" }, "not_found", "There is no account" },
	};

	ASSERT_REFUSALS(*state, rows);
}

static void deactivate_closes_the_rows_and_reactivate_opens_them_as_they_were(void **state)
{
	struct bench *bench = *state;

	assert_does(bench, FIELDS("op=deactivate", "name=alice"),
		    "alice is deactivated: sign-ins, SSH keys, cron, su and sudo are refused from now on.\n"
		    "What runs as alice (uid 2000200007) is ended.\n");
	assert_true(has_line(bench, "/etc/shadow", "alice:!*:19000:::::1:"));
	assert_string_equal(state_of(bench, "alice"), "deactivated");
	assert_does(bench, FIELDS("op=deactivate", "name=alice"),
		    "alice is deactivated already.\nWhat runs as alice (uid 2000200007) is ended.\n");
	assert_does(bench, FIELDS("op=deactivate", "name=alice", "keep_sessions=1"), "alice is deactivated already.\n");
	assert_does(bench, FIELDS("op=reactivate", "name=alice"), "alice is active again.\n");
	assert_true(has_line(bench, "/etc/shadow", "alice:*:19000::::::"));
	assert_string_equal(state_of(bench, "alice"), "active");
	assert_does(bench, FIELDS("op=reactivate", "name=alice"), "alice is not deactivated: it is active.\n");
	assert_does(bench, FIELDS("op=deactivate", "name=alice", "keep_sessions=1"),
		    "alice is deactivated: sign-ins, SSH keys, cron, su and sudo are refused from now on.\n"
		    "What runs as alice goes on.\n");
}

static void who_never_chose_a_room_is_asked_after_reactivation(void **state)
{
	assert_does(*state, FIELDS("op=reactivate", "name=carol"),
		    "carol may sign in again, and is asked for the room then.\n");
	assert_string_equal(state_of(*state, "carol"), "incomplete");
}

/* ---- reassign ---- */

static void who_cannot_be_reassigned_is_refused_with_what_to_do(void **state)
{
	static const struct expectation rows[] = {
		{ { "op=reassign", "name=lina" },
		  "conflict",
		  "lina was a local user before it was linked, and its uid stays with it. Give it back first "
		  "(provisionctl unlink lina)" },
		{ { "op=reassign", "name=astray" },
		  "conflict",
		  "belongs to the tenant lost, which is not in test any more" },
		{ { "op=reassign", "name=ghost" }, "not_found", "There is no account ghost on record" },
	};

	ASSERT_REFUSALS(*state, rows);
}

static void reassign_ends_the_account_for_good(void **state)
{
	struct bench *bench = *state;
	unsigned long uid;
	char expected[1024];

	assert_string_equal(ASK(bench, 0, "op=reassign", "name=alice", "dry=1"), "done");
	assert_int_equal(sscanf(strstr(sentences(bench), "a new account alice, with uid "),
				"a new account alice, with uid %lu.", &uid),
			 1);
	assert_int_not_equal(uid, 2000200007);
	(void)snprintf(expected, sizeof(expected),
		       "The account alice of alice@clinic.example has ended for good; uid 2000200007 is never used "
		       "again.\n"
		       "Its home is kept as /home/alice.2000200007, and belongs to nobody who can sign in.\n"
		       "The next one to sign in with Okta under that name gets a new account alice, with uid %lu.\n"
		       "What runs as uid 2000200007 is ended; crontab and mailbox are put away.\n",
		       uid);
	assert_does(bench, FIELDS("op=reassign", "name=alice"), expected);
	assert_string_equal(ASK(bench, 0, "op=show", "name=alice"), "unknown");
	assert_false(machine_has_row(&bench->machine, "/etc/passwd", "alice"));
	assert_true(machine_has(&bench->machine, "/home/alice.2000200007"));
	assert_string_equal(ASK(bench, 0, "op=lookup", "name=alice", "purpose=login"), "entry");
	assert_int_equal(strtoul(wire_get(&bench->answer, "uid"), NULL, 10), uid);
}

static void reassign_asks_back_when_the_owner_was_only_renamed(void **state)
{
	struct bench *bench = *state;
	struct picture *before = take_picture(bench);

	assert_string_equal(ASK(bench, 0, "op=reassign", "name=renamed"), "ask");
	assert_in(wire_get(&bench->answer, "text"),
		  "The owner of renamed signed in last as married@clinic.example, which looks like a new name");
	assert_string_equal(ASK(bench, 0, "op=reassign", "name=renamed", "dry=1"), "ask");
	assert_same(before, bench);
	assert_string_equal(ASK(bench, 0, "op=reassign", "name=renamed", "confirmed=1"), "done");
	assert_in(sentences(bench), "The account renamed of married@clinic.example has ended for good");
	assert_null(strstr(sentences(bench), "home"));
	assert_string_equal(ASK(bench, 0, "op=show", "name=renamed"), "unknown");
}

/* ---- remove ---- */

static void who_cannot_be_removed_is_refused_with_what_to_do(void **state)
{
	static const struct expectation rows[] = {
		{ { "op=remove", "name=lina" },
		  "conflict",
		  "lina was a local user before it was linked, and is not provisiond's to remove. Give it back first "
		  "(provisionctl unlink lina); then there is userdel" },
		{ { "op=remove", "name=local" }, "not_found", "local is a local user" },
		{ { "op=remove", "name=ghost", "home=delete" }, "not_found", "There is no account ghost on record" },
	};

	ASSERT_REFUSALS(*state, rows);
}

#define REMOVED(name, uid)                                  \
	name " is removed from the account files; uid " uid \
	     " stays its owner's, who gets it back by signing in again.\n"
#define ENDED(name) "What runs as " name " is ended; crontab and mailbox are put away.\n"

static void remove_keeps_the_home_until_it_is_told_to_delete_it(void **state)
{
	struct bench *bench = *state;

	assert_does(
		bench, FIELDS("op=remove", "name=alice"),
		REMOVED("alice", "2000200007") "Its home /home/alice is kept. To delete it: provisionctl remove alice "
					       "--delete-home\n" ENDED("alice"));
	assert_false(machine_has_row(&bench->machine, "/etc/passwd", "alice"));
	assert_true(has_line(bench, "/etc/group", "radiology:x:2000:dora"));
	assert_true(machine_has(&bench->machine, "/home/alice"));
	assert_string_equal(state_of(bench, "alice"), "removed");
	assert_does(bench, FIELDS("op=remove", "name=alice"),
		    "alice was removed already.\nIts home /home/alice is kept. To delete it: provisionctl remove alice "
		    "--delete-home\n");
	assert_does(bench, FIELDS("op=remove", "name=alice", "home=delete"),
		    "alice was removed already.\nIts home /home/alice is deleted.\n");
	assert_false(machine_has(&bench->machine, "/home/alice"));
	assert_does(bench, FIELDS("op=remove", "name=alice", "home=delete"),
		    "alice was removed already.\nIt has no home: there is no /home/alice.\n");
	assert_string_equal(state_of(bench, "alice"), "removed");
}

static void remove_deletes_the_home_and_nobody_elses(void **state)
{
	struct bench *bench = *state;

	assert_does(bench, FIELDS("op=remove", "name=alice", "home=delete"),
		    REMOVED("alice", "2000200007") "Its home /home/alice is deleted.\n" ENDED("alice"));
	assert_false(machine_has(&bench->machine, "/home/alice"));
	assert_does(bench, FIELDS("op=remove", "name=astray", "home=delete"),
		    "astray was removed already.\n/home/astray is not the account's own directory, and is left as it "
		    "is.\n");
	assert_true(machine_has(&bench->machine, "/home/astray"));
	assert_does(bench, FIELDS("op=remove", "name=dave"),
		    REMOVED("dave", "2000200009") "It has no home: there is no /home/dave.\n" ENDED("dave"));
}

static void an_account_whose_row_is_gone_can_be_removed(void **state)
{
	assert_does(*state, FIELDS("op=remove", "name=gone"),
		    REMOVED("gone", "2000200011") "It has no home: there is no /home/gone.\n" ENDED("gone"));
	assert_string_equal(state_of(*state, "gone"), "removed");
}

/* ---- under the lock ---- */

/* Takes the system's lock as vipw would. */
static int hold_lock(const struct bench *bench)
{
	const struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[256];
	int fd;

	machine_path(&bench->machine, "/etc/.pwd.lock", path);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_SETLK, &whole), 0);
	return fd;
}

static void wait_until_it_waits(struct bench *bench)
{
	for (int i = 0; i < 1000; i++) {
		assert_string_equal(ASK(bench, 0, "op=status"), "status");
		if (strcmp(wire_get(&bench->answer, "waiting"), "1") == 0)
			return;
		(void)poll(NULL, 0, 5);
	}
	fail_msg("nothing waits for the lock");
}

static void what_became_untrue_while_the_lock_was_waited_for_is_refused(void **state)
{
	static const char question[] = "op=deactivate\0name=alice";
	struct bench *bench = *state;
	int lock = hold_lock(bench), fd = wire_connect(bench->socket, wire_now_ms() + 1000);
	ssize_t n;

	assert_int_equal(send(fd, question, sizeof(question), 0), sizeof(question));
	wait_until_it_waits(bench);
	assert_field(bench, "lock", "held");
	machine_write(&bench->machine, "/etc/passwd", 0644, "root:x:0:0:root:/root:/bin/bash\n");
	(void)close(lock);
	n = wire_receive(fd, bench->bytes, sizeof(bench->bytes), wire_now_ms() + 10000);
	assert_true(n > 0 && wire_parse(bench->bytes, (size_t)n, &bench->answer));
	assert_refused(bench, wire_kind(&bench->answer, "status"), "conflict");
	assert_in(wire_get(&bench->answer, "text"), "but no longer in /etc/passwd");
	(void)close(fd);
	assert_string_equal(state_of(bench, "alice"), "active");
}

static void an_order_that_nobody_waits_for_any_more_is_not_carried_out(void **state)
{
	static const char question[] = "op=deactivate\0name=alice";
	struct bench *bench = *state;
	int lock = hold_lock(bench), fd = wire_connect(bench->socket, wire_now_ms() + 1000);

	assert_int_equal(send(fd, question, sizeof(question), 0), sizeof(question));
	wait_until_it_waits(bench);
	(void)close(fd);
	/* The next question is answered after the daemon has seen the end of that connection. */
	assert_string_equal(ASK(bench, 0, "op=status"), "status");
	(void)close(lock);
	assert_string_equal(ASK(bench, 0, "op=reserve", "name=freya", "uid=2100000002"), "done");
	assert_string_equal(state_of(bench, "alice"), "active");
}

static void an_account_that_is_just_being_made_is_left_in_peace(void **state)
{
	static const char *const ops[] = { "op=unlink",     "op=room",     "op=deactivate",
					   "op=reactivate", "op=reassign", "op=remove" };

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		assert_refused(*state, ASK(*state, 0, ops[i], "name=making", "room=Exam 1", "dry=1"), "conflict");
		assert_in(wire_get(&((struct bench *)*state)->answer, "text"), "making is just being made");
	}
	assert_string_equal(state_of(*state, "making"), "creating");
}

/* ---- status, list ---- */

static void status_counts_accounts_by_state(void **state)
{
	static const char *const numbers[][2] = {
		{ "accounts", "10" }, { "active", "4" },      { "incomplete", "1" },      { "deactivated", "2" },
		{ "removed", "3" },   { "creating", "0" },    { "expected", "3" },        { "waiting", "0" },
		{ "lock", "free" },   { "recovery", "none" }, { "database", "readable" },
	};

	assert_string_equal(ASK(*state, 0, "op=status"), "status");
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		assert_field(*state, numbers[i][0], numbers[i][1]);
	assert_non_null(wire_get(&((struct bench *)*state)->answer, "version"));
}

static void list_tells_of_rooms_links_and_who_is_expected(void **state)
{
	struct picture *picture = calloc(1, sizeof(*picture));
	size_t accounts = 0, expected = 0;

	assert_non_null(picture);
	add_list(picture, *state);
	for (size_t at = 0; at < picture->length; at += strlen(picture->bytes + at) + 1) {
		accounts += strcmp(picture->bytes + at, "status=account") == 0;
		expected += strcmp(picture->bytes + at, "status=expected") == 0;
	}
	assert_int_equal(accounts, 10);
	assert_int_equal(expected, 3);
	free(picture);
	assert_string_equal(ASK(*state, 0, "op=show", "name=alice"), "account");
	assert_field(*state, "room", "Exam 1");
	assert_field(*state, "linked", "0");
	assert_field(*state, "state_at", "1700000000");
	assert_string_equal(ASK(*state, 0, "op=show", "name=lina"), "account");
	assert_field(*state, "linked", "1");
	assert_field(*state, "groups_given", "radiographers");
}

static void seed_half(struct small_machine *machine)
{
	struct account_record making = record_of("making", 2000200020, ACCOUNT_CREATING);

	put(machine, &making);
}

static const struct bench_setting while_one_is_made = { CLINIC_WITH_ROOMS, seed_half };
static const struct bench_setting plain = { RESERVING CLINIC_WITH_ROOMS, seed };
static const struct bench_setting without_rooms = { CLINIC, seed };
static const struct bench_setting with_fallback = { CLINIC "password = fallback\n", seed };
static const struct bench_setting with_two_tenants = { TWO_TENANTS, seed };

#define TEST(name) TEST_WITH(name, &plain)

int main(int count, char **arguments)
{
	const struct CMUnitTest tests[] = {
		TEST(only_root_may_order_anything),
		TEST(a_malformed_order_ends_the_connection),
		TEST(what_is_no_text_is_refused_and_not_repeated),
		TEST(what_cannot_be_linked_is_refused_with_what_to_do),
		TEST(link_expects_the_owner_and_changes_nothing_else),
		TEST(a_second_link_replaces_the_first_and_says_so),
		TEST(a_link_whose_time_is_over_is_in_nobodys_way),
		TEST_WITH(with_fallback_the_local_password_goes_on_working, &with_fallback),
		TEST(what_cannot_be_added_is_refused_with_what_to_do),
		TEST_WITH(a_name_that_reads_like_another_tenants_is_not_added, &with_two_tenants),
		TEST(add_keeps_the_name_for_its_person),
		TEST(what_cannot_be_unlinked_is_refused_with_what_to_do),
		TEST(unlink_gives_the_account_back_as_it_was),
		TEST(unlink_ends_an_expectation),
		TEST(what_cannot_be_reserved_is_refused_with_what_to_do),
		TEST(reserve_keeps_the_uid_for_the_name),
		TEST(what_room_cannot_be_given_is_refused_with_what_to_do),
		TEST_WITH(without_rooms_there_is_none_to_give, &without_rooms),
		TEST(room_changes_gecos_and_ends_the_question),
		TEST(who_cannot_be_deactivated_or_reactivated_is_refused_with_what_to_do),
		TEST(deactivate_closes_the_rows_and_reactivate_opens_them_as_they_were),
		TEST(who_never_chose_a_room_is_asked_after_reactivation),
		TEST(who_cannot_be_reassigned_is_refused_with_what_to_do),
		TEST(reassign_ends_the_account_for_good),
		TEST(reassign_asks_back_when_the_owner_was_only_renamed),
		TEST(who_cannot_be_removed_is_refused_with_what_to_do),
		TEST(remove_keeps_the_home_until_it_is_told_to_delete_it),
		TEST(remove_deletes_the_home_and_nobody_elses),
		TEST(an_account_whose_row_is_gone_can_be_removed),
		TEST(what_became_untrue_while_the_lock_was_waited_for_is_refused),
		TEST(an_order_that_nobody_waits_for_any_more_is_not_carried_out),
		TEST_WITH(an_account_that_is_just_being_made_is_left_in_peace, &while_one_is_made),
		TEST(status_counts_accounts_by_state),
		TEST(list_tells_of_rooms_links_and_who_is_expected),
	};

	(void)count;
	if (geteuid() != 0) {
		print_message("skipped: only root can make accounts, and connect as other users\n");
		return 0;
	}
	look_for_libraries_here_too(arguments);
	log_divert(say_nothing);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
