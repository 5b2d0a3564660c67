/*
 * The version that every program and message shows.
 */
#ifndef COMMON_VERSION_H
#define COMMON_VERSION_H

#define PAM_OIDC_VERSION "0.1.0"

#endif
