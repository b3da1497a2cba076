// libwebsockets for Swift: macros as plain functions. Nothing else is C.
#pragma once
#include <libwebsockets.h>
#include <netdb.h>

/// The bytes that lws_write wants free in front of the payload.
static inline size_t nc_lws_pre(void) { return LWS_PRE; }

/// What is accepted is a stream of bytes (`listen_accept_role`), not HTTP.
static inline uint64_t nc_lws_accept_streams(void) { return LWS_SERVER_OPTION_ADOPT_APPLY_LISTEN_ACCEPT_CONFIG; }

/// TLS 1.2 is the oldest that is spoken.
static inline long nc_lws_ssl_options(void) { return (long)(SSL_OP_NO_SSLv3 | SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1); }

static inline int nc_lws_log_levels(void) { return LLL_ERR; }

/// Tells the peer that nothing more is sent: close_notify where it is TLS, then the end of the stream. What the peer sends may still be read.
static inline void nc_lws_end_of_sending(struct lws *wsi) {
    SSL *tls = lws_get_ssl(wsi);
    if (tls) SSL_shutdown(tls);
    shutdown(lws_get_socket_fd(wsi), SHUT_WR);
}
