/*
 * The back-off of one tenant's client. See back_off.h.
 */
#include "pam_oidc/back_off.h"

int64_t back_off_left_ms(const struct back_off *back_off, int64_t now_ms)
{
	return back_off->refusals > 0 && back_off->until_ms > now_ms ? back_off->until_ms - now_ms : 0;
}

int64_t back_off_take_turn(struct back_off *back_off, int64_t now_ms)
{
	int64_t left_ms = back_off_left_ms(back_off, now_ms);

	if (left_ms > 0 || back_off->refusals == 0)
		return left_ms;
	back_off->trial = true;
	back_off->until_ms = now_ms + BACK_OFF_TRIAL_MS;
	return 0;
}

static int64_t length_ms(unsigned refusals)
{
	int64_t length = BACK_OFF_FIRST_MS;

	for (unsigned i = 1; i < refusals && length < BACK_OFF_LONGEST_MS; i++)
		length *= 2;
	return length;
}

void back_off_refused(struct back_off *back_off, int64_t wish_ms, int64_t now_ms)
{
	bool known = back_off_left_ms(back_off, now_ms) > 0 && !back_off->trial;
	int64_t wait_ms;

	if (!known)
		back_off->refusals++;
	wait_ms = known ? back_off->until_ms - now_ms : length_ms(back_off->refusals);
	if (wish_ms > wait_ms)
		wait_ms = wish_ms;
	back_off->until_ms = now_ms + (wait_ms < BACK_OFF_LONGEST_MS ? wait_ms : BACK_OFF_LONGEST_MS);
	back_off->trial = false;
}

bool back_off_succeeded(struct back_off *back_off, int64_t now_ms)
{
	/* The answer to a request from before the back-off says nothing about now. */
	if (back_off->refusals == 0 || (back_off_left_ms(back_off, now_ms) > 0 && !back_off->trial))
		return false;
	*back_off = (struct back_off){ 0 };
	return true;
}
