/*
 * Times as text: local for people, UTC for programs.
 */
#ifndef PROVISIOND_CTL_TIME_TEXT_H
#define PROVISIOND_CTL_TIME_TEXT_H

#define TIME_TEXT_MAX 32

/* "2026-11-22 15:09" in the local time zone. "never" for 0. */
void time_text_local(long long epoch_s, char ret_text[static TIME_TEXT_MAX]);
/* "2026-11-22T15:09:06Z" (RFC 3339). */
void time_text_utc(long long epoch_s, char ret_text[static TIME_TEXT_MAX]);
/* "just now", "1 minute ago", "3 hours ago", "2 days ago"; for a time that is yet to come "just now", too. */
void time_text_ago(long long epoch_s, long long now_s, char ret_text[static TIME_TEXT_MAX]);
/* "0:05", "9:59", "1:00:00". */
void time_text_duration(long long seconds, char ret_text[static TIME_TEXT_MAX]);

#endif
