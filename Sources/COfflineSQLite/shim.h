// SQLite, and the few calls of it that Swift can't make: C's casts and variable argument lists.
#ifndef OFFLINE_SQLITE_H
#define OFFLINE_SQLITE_H
#include <sqlite3.h>

/// Binds a copy of the bytes. No bytes are an empty blob, never NULL.
static inline int offline_sqlite_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, int length) {
    if (length == 0) return sqlite3_bind_zeroblob(statement, index, 0);
    return sqlite3_bind_blob(statement, index, bytes, length, SQLITE_TRANSIENT);
}

/// Binds bytes that stay where they are until the statement is reset or bound anew.
static inline int offline_sqlite_bind_blob_in_place(sqlite3_stmt *statement, int index, const void *bytes, int length) {
    if (length == 0) return sqlite3_bind_zeroblob(statement, index, 0);
    return sqlite3_bind_blob(statement, index, bytes, length, SQLITE_STATIC);
}

/// Binds a copy of a text of UTF-8.
static inline int offline_sqlite_bind_text(sqlite3_stmt *statement, int index, const char *text, int length) {
    return sqlite3_bind_text(statement, index, text, length, SQLITE_TRANSIENT);
}

/// What a database's own content may not make SQLite do: change its own tables, run functions from its schema.
static inline int offline_sqlite_distrust(sqlite3 *database) {
    int code = sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)0);
    if (code == SQLITE_OK) code = sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, (int *)0);
    return code;
}

#endif
