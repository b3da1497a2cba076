// SQLite for Swift: the destructor macro, which is a cast, as a function. Nothing else is C.
#pragma once
#include <sqlite3.h>

static inline int nc_sqlite3_bind_text_copy(sqlite3_stmt *statement, int index, const char *text, int bytes) {
    return sqlite3_bind_text(statement, index, text, bytes, SQLITE_TRANSIENT);
}
