#include "tests/issuer/authority.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "common/cleanup.h"
#include "tests/issuer/must.h"

#define AUTHORITY_NAME "Throw-away CA of the pam_oidc test issuer"
#define DAY_S (24L * 3600)
/* Clocks are set back in some tests; the certificate must hold then too. */
#define BACKDATED_S (400L * 24 * 3600)

static char *pem_text(BIO *bio)
{
	char *start;
	long length = BIO_get_mem_data(bio, &start);
	char *text = must(strndup(start, (size_t)length));

	BIO_free(bio);
	return text;
}

static char *certificate_text(X509 *certificate)
{
	BIO *bio = must(BIO_new(BIO_s_mem()));

	PEM_write_bio_X509(bio, certificate);
	return pem_text(bio);
}

static char *key_text(EVP_PKEY *key)
{
	BIO *bio = must(BIO_new(BIO_s_mem()));

	PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
	return pem_text(bio);
}

static bool add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;
	bool added;

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	added = extension && X509_add_ext(certificate, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return added;
}

static X509 *blank_certificate(const char *common_name, EVP_PKEY *key, long days)
{
	X509 *certificate = must(X509_new());
	uint64_t serial;

	RAND_bytes((unsigned char *)&serial, sizeof serial);
	X509_set_version(certificate, X509_VERSION_3);
	ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -BACKDATED_S);
	X509_gmtime_adj(X509_getm_notAfter(certificate), days * DAY_S);
	X509_set_pubkey(certificate, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
				   (const unsigned char *)common_name, -1, -1, 0);
	return certificate;
}

static X509 *make_authority(EVP_PKEY *key, long days)
{
	X509 *authority = blank_certificate(AUTHORITY_NAME, key, days);

	X509_set_issuer_name(authority, X509_get_subject_name(authority));
	add_extension(authority, authority, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
	add_extension(authority, authority, NID_key_usage, "critical,keyCertSign,cRLSign");
	add_extension(authority, authority, NID_subject_key_identifier, "hash");
	X509_sign(authority, key, EVP_sha256());
	return authority;
}

static bool is_address(const char *name)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

static char *alternative_names(const char *const *names, size_t count)
{
	char *list = must_copy("DNS:localhost,IP:127.0.0.1,IP:::1");

	for (size_t i = 0; i < count; i++) {
		char *longer = must_format("%s,%s:%s", list, is_address(names[i]) ? "IP" : "DNS", names[i]);

		free(list);
		list = longer;
	}
	return list;
}

bool authority_certify(const char *const *names, size_t count, long days, struct server_certificate *ret_certificate)
{
	_cleanup_free_ char *list = alternative_names(names, count);
	EVP_PKEY *authority_key = must(EVP_EC_gen("P-256"));
	EVP_PKEY *server_key = must(EVP_EC_gen("P-256"));
	X509 *authority = make_authority(authority_key, days > CERTIFICATE_DAYS ? days : CERTIFICATE_DAYS);
	X509 *server = blank_certificate(count > 0 ? names[0] : "localhost", server_key, days);
	bool ok;

	X509_set_issuer_name(server, X509_get_subject_name(authority));
	ok = add_extension(server, authority, NID_basic_constraints, "critical,CA:FALSE") &&
	     add_extension(server, authority, NID_key_usage, "critical,digitalSignature") &&
	     add_extension(server, authority, NID_ext_key_usage, "serverAuth") &&
	     add_extension(server, authority, NID_authority_key_identifier, "keyid") &&
	     add_extension(server, authority, NID_subject_alt_name, list) &&
	     X509_sign(server, authority_key, EVP_sha256()) > 0;
	if (ok) {
		ret_certificate->certificate_pem = certificate_text(server);
		ret_certificate->key_pem = key_text(server_key);
		ret_certificate->authority_pem = certificate_text(authority);
	}
	X509_free(server);
	X509_free(authority);
	EVP_PKEY_free(server_key);
	EVP_PKEY_free(authority_key);
	return ok;
}

void server_certificate_free(struct server_certificate *certificate)
{
	free(certificate->certificate_pem);
	free(certificate->key_pem);
	free(certificate->authority_pem);
	*certificate = (struct server_certificate){ NULL, NULL, NULL };
}
