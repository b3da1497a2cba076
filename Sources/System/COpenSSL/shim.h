// OpenSSL for Swift: function-like macros as plain functions. Nothing else is C.
#pragma once
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

/// An ECDSA P-256 key; NULL where the generator fails. `EVP_EC_gen` is a variadic macro.
static inline EVP_PKEY *nc_p256_generate(void) { return EVP_EC_gen("P-256"); }
/// The options of every DTLS context: the MTU is told, never asked for; no tickets; no renegotiation.
static inline void nc_dtls_set_options(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
}
/// HMAC-SHA1 (RFC 2104) of a short message on the stack: OpenSSL's own one-shot call allocates eight times, and each consent check of each site makes one.
static inline int nc_hmac_sha1(const unsigned char *key, size_t key_length, const unsigned char *data, size_t length, unsigned char *digest) {
    unsigned char block[64] = {0};
    SHA_CTX state;
    int done = 1;
    if (key_length > sizeof block) {
        if (!SHA1(key, key_length, block)) return 0;
    } else {
        for (size_t i = 0; i < key_length; i++) block[i] = key[i];
    }
    for (int i = 0; i < 64; i++) block[i] ^= 0x36;
    done &= SHA1_Init(&state) & SHA1_Update(&state, block, sizeof block) & SHA1_Update(&state, data, length);
    done &= SHA1_Final(digest, &state);
    for (int i = 0; i < 64; i++) block[i] ^= 0x36 ^ 0x5c;
    done &= SHA1_Init(&state) & SHA1_Update(&state, block, sizeof block) & SHA1_Update(&state, digest, SHA_DIGEST_LENGTH);
    done &= SHA1_Final(digest, &state);
    OPENSSL_cleanse(block, sizeof block);
    OPENSSL_cleanse(&state, sizeof state);
    return done;
}
/// Gives an HMAC context its key and SHA-1; 1 where it took them.
static inline int nc_hmac_sha1_init(EVP_MAC_CTX *context, const unsigned char *key, size_t length) {
    OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA1", 0), OSSL_PARAM_construct_end()};
    return EVP_MAC_init(context, key, length, parameters);
}
/// AES-GCM (SP 800-38D) of one packet in place: the first `header` of `length` bytes are authenticated only, the tag of 16 bytes goes behind them all.
/// The context has its key. The tag is asked for by its parameter, since the older control call looks through all of them. 1 where it is done.
static inline int nc_gcm_seal(EVP_CIPHER_CTX *context, const unsigned char *vector, unsigned char *packet, int header, int length) {
    int written = 0, rest = 0;
    OSSL_PARAM tag[] = {OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, packet + length, 16), OSSL_PARAM_END};
    return EVP_EncryptInit_ex2(context, NULL, NULL, vector, NULL) == 1 && EVP_EncryptUpdate(context, NULL, &written, packet, header) == 1
        && EVP_EncryptUpdate(context, packet + header, &written, packet + header, length - header) == 1
        && EVP_EncryptFinal_ex(context, packet + header + written, &rest) == 1
        && EVP_CIPHER_CTX_get_params(context, tag) == 1;
}
