#ifndef CPAGECHECKS_H
#define CPAGECHECKS_H
#include <stdint.h>

struct sqlite3;

/* A file system for SQLite, over the default one, in which each page of a database carries a check value in its last 8 bytes:
   computed when the page is written to the file, compared when it is read. Pages that lie in the write-ahead log are compared
   with the check values of their frames, which SQLite itself looks at after a crash only.

   A page that does not check is SQLITE_IOERR_DATA. A file that has no room for check values (byte 20 of its header is 0) is read
   and written as it is. */

/* The name under which the file system is known after `cpagechecks_register`. */
#define CPAGECHECKS_NAME "ogw-page-checks"
#define CPAGECHECKS_PAGE_SIZE 4096
/* Bytes at the end of each page that the database leaves alone. */
#define CPAGECHECKS_RESERVED 8

/* A code of SQLite. May be called any number of times, on one thread. */
int cpagechecks_register(void);

/* What is known of the main database of a connection. */
typedef struct {
    /* Whether its pages carry check values. */
    int has_checks;
    /* The page that did not check at the last read that failed; 0 where none did. */
    int64_t damaged_page;
    /* Whether it was found in the write-ahead log. */
    int is_in_log;
} cpagechecks_state;

/* SQLITE_NOTFOUND where the database is not a file of this file system. */
int cpagechecks_get(struct sqlite3 *connection, cpagechecks_state *state);

/* Makes room in the pages of a database that is empty yet, and of copies that VACUUM INTO makes of any. */
int cpagechecks_make_room(struct sqlite3 *connection);

/* Says whether the pages that are about to replace all those of the main database have room. */
int cpagechecks_set(struct sqlite3 *connection, int has_checks);

/* Whether a page carries the check value of its bytes as page `number`, counted from 1. */
int cpagechecks_is_whole(const uint8_t page[CPAGECHECKS_PAGE_SIZE], int64_t number);

#endif
