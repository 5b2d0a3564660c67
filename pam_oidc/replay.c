/*
 * A bounded table of digests of (issuer, jti). See replay.h.
 */
#include "pam_oidc/replay.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define DIGEST_SIZE 32

struct seen {
	unsigned char digest[DIGEST_SIZE];
	int64_t until; /* 0: free */
};

struct replay {
	unsigned capacity, used; /* slots below `used` may be taken */
	struct seen *slots;
};

struct replay *replay_create(unsigned capacity)
{
	struct replay *replay = calloc(1, sizeof(*replay));

	if (!replay)
		return NULL;
	*replay = (struct replay){ .capacity = capacity, .slots = calloc(capacity, sizeof(struct seen)) };
	if (!replay->slots) {
		free(replay);
		return NULL;
	}
	return replay;
}

void replay_free(struct replay *replay)
{
	if (!replay)
		return;
	free(replay->slots);
	free(replay);
}

/* The NUL between the two keeps one pair from reading like another. */
static bool digest(const char *issuer, const char *jti, unsigned char *ret_digest)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
		    EVP_DigestUpdate(context, issuer, strlen(issuer) + 1) == 1 &&
		    EVP_DigestUpdate(context, jti, strlen(jti)) == 1 &&
		    EVP_DigestFinal_ex(context, ret_digest, NULL) == 1;

	EVP_MD_CTX_free(context);
	return good;
}

bool replay_remember(struct replay *replay, const char *issuer, const char *jti, int64_t until, int64_t now)
{
	struct seen *vacant = NULL;
	unsigned char wanted[DIGEST_SIZE];

	if (!digest(issuer, jti, wanted))
		return false;
	for (unsigned i = 0; i < replay->used; i++) {
		struct seen *slot = &replay->slots[i];

		if (slot->until >= now && memcmp(slot->digest, wanted, DIGEST_SIZE) == 0)
			return false;
		if (slot->until < now && !vacant)
			vacant = slot;
	}
	if (!vacant && replay->used < replay->capacity)
		vacant = &replay->slots[replay->used++];
	if (!vacant)
		return false;
	memcpy(vacant->digest, wanted, DIGEST_SIZE);
	vacant->until = until;
	return true;
}
