/*
 * A day of one Okta organization whose machines all sign people in, as its token and device endpoints see it:
 *
 *   org_day SEED PEAK [mute]
 *
 * PEAK is the busiest moment's share of the mean, from 1 (an even day) on, in hundredths; `mute`: its answers do not
 * say how much of the rate limit remains, for comparison. The machines are the product's own: what an answer means is
 * read by endpoint_response_read() and endpoint_judge(), when to ask next is said by device_poll_start() and
 * device_poll_next(). Played are the people, the network and the organization, from the seed. Prints names with
 * numbers.
 */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pam_oidc/device_grant.h"
#include "pam_oidc/endpoint_response.h"
#include "tests/bench/stopwatch.h"

#define MACHINES 10000
#define SIGN_INS_A_DAY 50
#define COUNT (MACHINES * SIGN_INS_A_DAY)
#define DAY_MS INT64_C(86400000)
#define MINUTE_MS INT64_C(60000)
#define MINUTES 1500 /* sign-ins that begin at the day's end go on after it */
#define SECONDS (MINUTES * 60)
#define BUCKET 2000   /* a minute, for each of the two endpoints (Okta's published limits for workforces) */
#define INTERVAL_S 5  /* Okta's */
#define NETWORK_MS 80 /* there and back */
#define BEGAN_S INT64_C(1700000040) /* a full minute */

/* People: a phone is at hand after some seconds, and a few never approve and close the window. */
#define PERSON_LEAST_MS 4000.0
#define PERSON_MEAN_MORE_MS 8000.0
#define GIVES_UP_ONE_OF 20
#define GIVES_UP_AFTER_MS (60 * 1000)

struct signin {
	int64_t begin_ms;
	int64_t approved_ms; /* or, of one who gives up, far away */
	int64_t given_up_ms;
	struct device_poll poll;
};

struct bucket {
	unsigned minutes[MINUTES];
	unsigned seconds[SECONDS];
	unsigned long asked, refused;
};

static struct signin signins[COUNT];
static unsigned heap[COUNT]; /* of sign-ins that wait, by the time of the next poll */
static size_t waiting, most_waiting;
static struct bucket tokens, devices;
static bool mute;
static int64_t let_in[COUNT]; /* from the approval to the answer that brings the token, in milliseconds */
static size_t let_in_count;
static unsigned long delays[DEVICE_POLL_JITTER_MAX_MS + 1]; /* beyond the interval, in milliseconds */

/* ---- chance (splitmix64) ---- */

static uint64_t chance_state;

static uint64_t chance(void)
{
	uint64_t z = chance_state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* At least 0, below 1. */
static double share(void)
{
	return (double)(chance() >> 11) / 9007199254740992.0;
}

static unsigned chance_of_poll(void)
{
	return (unsigned)(chance() % (DEVICE_CHANCE_MAX + 1));
}

/* A moment of the day: a wave between the busiest and the quietest hour. */
static int64_t moment_ms(double peak)
{
	for (;;) {
		double at = share();

		if (share() * peak <= 1 + (peak - 1) * sin(at * 2 * M_PI))
			return (int64_t)(at * (double)DAY_MS);
	}
}

/* ---- the people ---- */

static int by_begin(const void *one, const void *other)
{
	const struct signin *a = one, *b = other;

	return a->begin_ms < b->begin_ms ? -1 : a->begin_ms > b->begin_ms;
}

static void make_people(double peak)
{
	for (size_t i = 0; i < COUNT; i++) {
		struct signin *signin = &signins[i];
		double more = -log(1 - share()) * PERSON_MEAN_MORE_MS;
		bool approves = chance() % GIVES_UP_ONE_OF != 0;

		signin->begin_ms = moment_ms(peak);
		signin->approved_ms = approves ? signin->begin_ms + (int64_t)(PERSON_LEAST_MS + more) : INT64_MAX;
		signin->given_up_ms = approves ? INT64_MAX : signin->begin_ms + GIVES_UP_AFTER_MS;
	}
	qsort(signins, COUNT, sizeof(signins[0]), by_begin);
}

/* ---- the organization ---- */

/* True when the request has room in this minute. */
static bool admits(struct bucket *bucket, int64_t now_ms)
{
	bucket->asked++;
	bucket->seconds[now_ms / 1000]++;
	if (bucket->minutes[now_ms / MINUTE_MS]++ < BUCKET)
		return true;
	bucket->refused++;
	return false;
}

static struct http_response answer_of(const struct bucket *bucket, long status, const char *body, int64_t now_ms)
{
	unsigned used = bucket->minutes[now_ms / MINUTE_MS];
	struct rate_limit said = { .limit = BUCKET,
				   .remaining = used < BUCKET ? BUCKET - used : 0,
				   .reset_s = BEGAN_S + (now_ms / MINUTE_MS + 1) * 60 };

	return (struct http_response){
		.answered = true,
		.status = status,
		.body = body,
		.length = strlen(body),
		.max_age_s = -1,
		.date_s = BEGAN_S + now_ms / 1000,
		.rate_limit = mute ? (struct rate_limit){ 0 } : said,
	};
}

static struct http_response too_many(int64_t now_ms)
{
	return answer_of(&tokens, 429,
			 "{\"error\":\"invalid_grant\",\"error_description\":"
			 "\"API call exceeded rate limit due to too many requests.\"}",
			 now_ms);
}

static struct http_response token_answer(const struct signin *signin, int64_t now_ms)
{
	if (!admits(&tokens, now_ms))
		return too_many(now_ms);
	if (now_ms >= signin->approved_ms)
		return answer_of(&tokens, 200, "{}", now_ms);
	return answer_of(&tokens, 400,
			 "{\"error\":\"authorization_pending\",\"error_description\":"
			 "\"The device authorization is pending. Please try again later.\"}",
			 now_ms);
}

/* ---- the machines ---- */

/* What the machine makes of the answer; its texts are not kept. */
static enum endpoint_verdict read_answer(const struct http_response *response, int64_t now_ms,
					 struct endpoint_answer *ret_answer)
{
	enum reason reason = REASON_NONE;
	struct endpoint_response read;
	enum endpoint_verdict verdict;

	endpoint_response_read(response, BEGAN_S + now_ms / 1000, &read);
	verdict = endpoint_judge(&read.answer, &reason);
	*ret_answer = read.answer;
	ret_answer->error = ret_answer->description = NULL;
	endpoint_response_clear(&read);
	return verdict;
}

static int64_t due_ms(size_t place)
{
	return signins[heap[place]].poll.next_ms;
}

static void swap(size_t one, size_t other)
{
	unsigned kept = heap[one];

	heap[one] = heap[other];
	heap[other] = kept;
}

static void sink(size_t place)
{
	for (;;) {
		size_t least = place, left = 2 * place + 1;

		for (size_t child = left; child < left + 2 && child < waiting; child++)
			if (due_ms(child) < due_ms(least))
				least = child;
		if (least == place)
			return;
		swap(place, least);
		place = least;
	}
}

static void wait_for_poll(unsigned index)
{
	size_t place = waiting++;

	heap[place] = index;
	for (; place > 0 && due_ms(place) < due_ms((place - 1) / 2); place = (place - 1) / 2)
		swap(place, (place - 1) / 2);
	if (waiting > most_waiting)
		most_waiting = waiting;
}

static void note_delay(const struct device_poll *poll, int64_t now_ms)
{
	int64_t delay = poll->next_ms - now_ms - poll->interval_ms;

	if (delay >= 0 && delay <= DEVICE_POLL_JITTER_MAX_MS)
		delays[delay]++;
}

static void begin(unsigned index)
{
	struct signin *signin = &signins[index];
	struct endpoint_answer answer;
	struct http_response response;

	/* Whoever is refused here reads so and comes again; that is another sign-in of the fifty. */
	if (!admits(&devices, signin->begin_ms))
		return;
	response = answer_of(&devices, 200, "{}", signin->begin_ms);
	(void)read_answer(&response, signin->begin_ms + NETWORK_MS, &answer);
	device_poll_start(&signin->poll, INTERVAL_S, answer.load, signin->begin_ms + NETWORK_MS, chance_of_poll());
	note_delay(&signin->poll, signin->begin_ms + NETWORK_MS);
	wait_for_poll(index);
}

/* The sign-in whose poll is due. */
static void poll_next(void)
{
	struct signin *signin = &signins[heap[0]];
	int64_t now_ms = signin->poll.next_ms;
	enum endpoint_verdict verdict = ENDPOINT_END;
	struct endpoint_answer answer = { 0 };

	if (now_ms < signin->given_up_ms) {
		struct http_response response = token_answer(signin, now_ms);

		now_ms += NETWORK_MS;
		verdict = read_answer(&response, now_ms, &answer);
	}
	if (verdict == ENDPOINT_SUCCESS)
		let_in[let_in_count++] = now_ms - signin->approved_ms;
	if (verdict == ENDPOINT_SUCCESS || verdict == ENDPOINT_END) {
		heap[0] = heap[--waiting];
	} else {
		device_poll_next(&signin->poll, verdict, &answer, now_ms, chance_of_poll());
		note_delay(&signin->poll, now_ms);
	}
	sink(0);
}

static void live_through_the_day(void)
{
	for (unsigned next = 0; next < COUNT || waiting > 0;)
		if (next < COUNT && (waiting == 0 || signins[next].begin_ms <= due_ms(0)))
			begin(next++);
		else
			poll_next();
}

/* ---- what is told ---- */

static unsigned most(const unsigned *counts, size_t count)
{
	unsigned found = 0;

	for (size_t i = 0; i < count; i++)
		if (counts[i] > found)
			found = counts[i];
	return found;
}

static unsigned delay_at(double part)
{
	unsigned long all = 0, seen = 0;
	unsigned delay = 0;

	for (size_t i = 0; i <= DEVICE_POLL_JITTER_MAX_MS; i++)
		all += delays[i];
	while (delay < DEVICE_POLL_JITTER_MAX_MS && (double)(seen += delays[delay]) < part * (double)all)
		delay++;
	return delay;
}

static void tell(const char *name, const struct bucket *bucket)
{
	(void)printf("%s_minute %u\n%s_second %u\n", name, most(bucket->minutes, MINUTES), name,
		     most(bucket->seconds, SECONDS));
	(void)printf("%s_asked %lu\n%s_refused %lu\n", name, bucket->asked, name, bucket->refused);
}

static int by_length(const void *one, const void *other)
{
	const int64_t *a = one, *b = other;

	return *a < *b ? -1 : *a > *b;
}

static void tell_let_in(void)
{
	qsort(let_in, let_in_count, sizeof(let_in[0]), by_length);
	(void)printf("let_in_median_ms %lld\nlet_in_p99_ms %lld\n", (long long)let_in[let_in_count / 2],
		     (long long)let_in[let_in_count * 99 / 100]);
}

int main(int argc, char *argv[])
{
	if (argc != 3 && (argc != 4 || strcmp(argv[3], "mute") != 0))
		stopwatch_die("SEED PEAK [mute]");
	mute = argc == 4;
	chance_state = stopwatch_count(argv[1]);
	make_people(stopwatch_count(argv[2]) / 100.0);
	live_through_the_day();
	tell("token", &tokens);
	tell("device", &devices);
	tell_let_in();
	(void)printf("waiting %zu\ndelay_median_ms %u\ndelay_p99_ms %u\n", most_waiting, delay_at(0.5), delay_at(0.99));
	return 0;
}
