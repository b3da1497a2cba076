// libpq for Swift, the non-blocking part. Nothing of ours is C here.
#pragma once
#include <libpq-fe.h>

// Notices of the server (such as "relation exists, skipping") go nowhere: what matters comes as a result or an error.
static inline void nc_pq_drop_notice(void *argument, const PGresult *result) { (void)argument; (void)result; }
static inline void nc_pq_drop_notices(PGconn *connection) { PQsetNoticeReceiver(connection, nc_pq_drop_notice, 0); }
