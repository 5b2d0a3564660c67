/*
 * Computes the uid of an account name. Whether that uid is free is admission's business.
 */
#include "provisiond/account_uid.h"

#include <sha2.h>
#include <stdint.h>
#include <string.h>

uid_t account_uid(const char *domain, const char *name, uid_t first, uid_t last)
{
	uint64_t size = (uint64_t)last - first + 1, remainder = 0;
	uint8_t digest[SHA256_DIGEST_LENGTH];
	SHA2_CTX hash;

	SHA256Init(&hash);
	SHA256Update(&hash, (const uint8_t *)domain, strlen(domain) + 1);
	SHA256Update(&hash, (const uint8_t *)name, strlen(name));
	SHA256Final(digest, &hash);
	/* Long division, byte by byte: size is at most 2^32, so nothing overflows. */
	for (size_t i = 0; i < sizeof(digest); i++)
		remainder = (remainder * 256 + digest[i]) % size;
	return (uid_t)(first + remainder);
}
