/*
 * What a file is to become when a change of it is taken back, given what it is now. Pure.
 */
#ifndef PROVISIOND_CTL_SETUP_CHANGE_TAKE_BACK_H
#define PROVISIOND_CTL_SETUP_CHANGE_TAKE_BACK_H

#include "provisiond/ctl/setup/change_inside.h"

enum take_back {
	TAKE_BACK_NOTHING, /* it is what it was before: nothing to do */
	TAKE_BACK_WHOLE,   /* what it was before */
	TAKE_BACK_LINES,   /* edited since: what setup put in is out, the rest stays */
	TAKE_BACK_CLEAN,   /* edited since, and nothing of setup's is left in it: nothing to do */
	TAKE_BACK_ASIDE,   /* edited since: what it was before, and what it is now is to be kept beside */
	TAKE_BACK_STAYS,   /* edited since, and cannot be told apart: it stays */
	TAKE_BACK_NO_MEMORY,
};

/* *ret_text is set with TAKE_BACK_WHOLE, _LINES and _ASIDE; change_content_free() releases it. */
enum take_back change_take_back(const struct change *change, const struct change_content *now,
				struct change_content *ret_text);

#endif
