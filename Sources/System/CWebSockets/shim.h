// libwebsockets for Swift: macros as plain functions. Nothing else is C.
#pragma once
#include <libwebsockets.h>
#include <netdb.h>

/// The bytes that lws_write wants free in front of the payload.
static inline size_t nc_lws_pre(void) { return LWS_PRE; }

/// TLS 1.2 is the oldest that is spoken.
static inline long nc_lws_ssl_options(void) { return (long)(SSL_OP_NO_SSLv3 | SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1); }

static inline int nc_lws_log_levels(void) { return LLL_ERR; }
