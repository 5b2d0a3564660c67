/*
 * QR codes as text for terminals. The only file that sees libqrencode.
 */
#ifndef PAM_OIDC_QR_H
#define PAM_OIDC_QR_H

#include <stdbool.h>

enum qr_style {
	QR_NONE,
	QR_UTF8,  /* light modules as blocks: for dark terminals */
	QR_DUAL,  /* that, and its opposite beside it: one of the two scans on any terminal */
	QR_ASCII, /* light modules as ##: where there is no UTF-8 */
};

/* The style of that name, as in the module's arguments. */
bool qr_style_named(const char *name, enum qr_style *ret_style);

/* Rows of equal width, each ended by a newline, quiet zone included; "" for QR_NONE. Error correction level L, ISO/IEC
 * 18004. The caller frees it; NULL when the text does not fit or memory ran out. */
char *qr_text(const char *text, enum qr_style style);

#endif
