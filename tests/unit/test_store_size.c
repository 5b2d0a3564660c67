/*
 * The database of a hospital, with 10,000 accounts: everybody is found, by whatever they are looked for. How long it
 * takes is printed, for information; nothing depends on it here.
 */
#include "provisiond/store.h"

#include <time.h>

#include "store_place.h"

#define PEOPLE 10000
#define STEP 7 /* people asked for one after the other are not neighbours */

static double now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

struct person {
	char name[16], subject[16], email[48];
};

static void make_person(unsigned i, struct person *ret_person)
{
	(void)snprintf(ret_person->name, sizeof(ret_person->name), "person%u", i);
	(void)snprintf(ret_person->subject, sizeof(ret_person->subject), "00u%u", i);
	(void)snprintf(ret_person->email, sizeof(ret_person->email), "Person%u@clinic.example", i);
}

static void fill(struct store *store)
{
	double begun = now_ms();

	assert_int_equal(store_begin(store), 0);
	for (unsigned i = 0; i < PEOPLE; i++) {
		struct account_record record = bob();
		struct person person;

		make_person(i, &person);
		record.name = person.name;
		record.subject = person.subject;
		record.email = person.email;
		record.uid = record.gid = 2100000000 + i;
		record.first_subid = 200000000 + i * 65536;
		add(store, &record);
	}
	assert_int_equal(store_commit(store), 0);
	print_message("%d accounts added in one transaction: %.0f ms\n", PEOPLE, now_ms() - begun);
}

enum question { BY_NAME, BY_UID, BY_SUBJECT, BY_EMAIL, QUESTIONS };

static const char *const question_names[] = {
	[BY_NAME] = "by name",
	[BY_UID] = "by uid",
	[BY_SUBJECT] = "by subject",
	[BY_EMAIL] = "by email",
};

static enum store_answer ask(struct store *store, enum question question, unsigned i, struct account_record *ret_record)
{
	struct person person;

	make_person(i, &person);
	switch (question) {
	case BY_NAME:
		return store_account_by_name(store, person.name, ret_record);
	case BY_UID:
		return store_account_by_uid(store, 2100000000 + i, ret_record);
	case BY_SUBJECT:
		return store_account_by_subject(store, "https://clinic.example", person.subject, ret_record);
	case BY_EMAIL:
		return store_account_by_email(store, "clinic", person.email, ret_record);
	case QUESTIONS:
	default:
		return STORE_FAILED;
	}
}

static int compare(const void *one, const void *other)
{
	const double *a = one, *b = other;

	return (*a > *b) - (*a < *b);
}

static void everybody_is_found(struct store *store, enum question question)
{
	static double took[PEOPLE];

	for (unsigned i = 0; i < PEOPLE; i++) {
		unsigned at = i * STEP % PEOPLE;
		struct account_record record = { 0 };
		double begun = now_ms();

		assert_int_equal(ask(store, question, at, &record), STORE_FOUND);
		took[i] = now_ms() - begun;
		assert_int_equal(record.uid, 2100000000 + at);
		account_record_clear(&record);
	}
	qsort(took, PEOPLE, sizeof(took[0]), compare);
	print_message("%s: median %.1f us, 99th percentile %.1f us\n", question_names[question], took[PEOPLE / 2] * 1e3,
		      took[PEOPLE - PEOPLE / 100] * 1e3);
}

/* As the sweep for max_signin_age does it. */
static unsigned count_idle(struct store *store, int64_t signin_before)
{
	char name[ACCOUNT_NAME_MAX + 1] = "";
	struct account_record record = { 0 };
	double begun = now_ms();
	unsigned found = 0;

	while (store_idle_after(store, name, signin_before, &record) == STORE_FOUND) {
		account_name_copy(record.name, name);
		account_record_clear(&record);
		found++;
	}
	print_message("%u idle people found: %.1f ms\n", found, now_ms() - begun);
	return found;
}

static void ten_thousand_people_are_found(void **state)
{
	struct place *place = *state;
	uint32_t first = 0;
	double begun;

	fill(place->store);
	begun = now_ms();
	open_place(place);
	print_message("closed, opened and checked whole: %.0f ms\n", now_ms() - begun);
	for (enum question question = 0; question < QUESTIONS; question++)
		everybody_is_found(place->store, question);
	assert_int_equal(count_idle(place->store, 1), 0);
	assert_int_equal(count_idle(place->store, INT64_MAX), PEOPLE);
	begun = now_ms();
	assert_int_equal(store_highest_subid(place->store, &first), STORE_FOUND);
	print_message("highest subordinate id: %.3f ms\n", now_ms() - begun);
	assert_int_equal(first, 200000000 + (PEOPLE - 1) * 65536);
	begun = now_ms();
	assert_int_equal(store_note_signin(place->store, "person5000", "p@clinic.example", "P", 1800000000), 0);
	print_message("one sign-in noted: %.2f ms\n", now_ms() - begun);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ten_thousand_people_are_found, make, unmake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
