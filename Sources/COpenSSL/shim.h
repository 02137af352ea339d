#ifndef OGW_COPENSSL_H
#define OGW_COPENSSL_H
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

/// Accepts `http/1.1` where the client offers protocols at all; a client that offers others only is refused (RFC 7301).
static int copenssl_select_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_length,
                                    const unsigned char *offered, unsigned int offered_length, void *unused) {
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen = 0;
    (void)ssl;
    (void)unused;
    if (SSL_select_next_proto(&chosen, out_length, ours, sizeof ours - 1, offered, offered_length) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}
/// Settings of a server's context, most of which are macros. Returns 1 on success.
static inline int copenssl_prepare_server(SSL_CTX *context) {
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(context, copenssl_select_protocol, 0);
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
}
/// SHA-256 without a context of EVP, which takes five allocations: for a few hundred bytes these cost more than the hashing.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-declarations"
static inline void copenssl_sha256(const void *bytes, size_t count, unsigned char *digest) {
    SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Update(&context, bytes, count);
    SHA256_Final(digest, &context);
}
/// The state after one block.
static inline void copenssl_sha256_begin(SHA256_CTX *context, const unsigned char *block) {
    SHA256_Init(context);
    SHA256_Update(context, block, 64);
}
/// The digest of the bytes that follow a state, which stays as it is.
static inline void copenssl_sha256_continue(const SHA256_CTX *state, const void *bytes, size_t count,
                                            unsigned char *digest) {
    SHA256_CTX context = *state;
    SHA256_Update(&context, bytes, count);
    SHA256_Final(digest, &context);
}
#pragma clang diagnostic pop
#endif
