/*
 * Computes the uid of an account name. Whether that uid is free is admission's business.
 */
#include "provisiond/account_uid.h"

#include <sha2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

uid_t account_uid(const char *domain, const char *name, unsigned generation, uid_t first, uid_t last)
{
	uint64_t size = (uint64_t)last - first + 1, remainder = 0;
	uint8_t digest[SHA256_DIGEST_LENGTH];
	char digits[16];
	SHA2_CTX hash;

	SHA256Init(&hash);
	SHA256Update(&hash, (const uint8_t *)domain, strlen(domain) + 1);
	SHA256Update(&hash, (const uint8_t *)name, strlen(name));
	if (generation > 0) {
		int n = snprintf(digits, sizeof(digits), "%u", generation);

		SHA256Update(&hash, (const uint8_t *)"", 1);
		SHA256Update(&hash, (const uint8_t *)digits, (size_t)n);
	}
	SHA256Final(digest, &hash);
	/* Long division, byte by byte: size is at most 2^32, so nothing overflows. */
	for (size_t i = 0; i < sizeof(digest); i++)
		remainder = (remainder * 256 + digest[i]) % size;
	return (uid_t)(first + remainder);
}
