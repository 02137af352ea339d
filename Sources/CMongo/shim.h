// libbson's document is over-aligned, which Swift does not import by value: documents cross as plain bytes.
#ifndef OGW_CMONGO_H
#define OGW_CMONGO_H
#include <mongoc/mongoc.h>
#include <unistd.h>

/// Runs one command on the primary. `reply` is what the server answered, also where the call is false; it is the caller's and
/// is freed by `bson_free`. It is null where nothing came back.
static inline bool cmongo_run(mongoc_client_t *client, const char *database, const uint8_t *command, size_t command_count,
                              uint8_t **reply, uint32_t *reply_count, bson_error_t *error) {
    bson_t question, answer;
    *reply = NULL;
    *reply_count = 0;
    if (!bson_init_static(&question, command, command_count)) {
        bson_set_error(error, MONGOC_ERROR_BSON, MONGOC_ERROR_BSON_INVALID, "the command is no document");
        return false;
    }
    bool done = mongoc_client_command_simple(client, database, &question, NULL, &answer, error);
    *reply = bson_destroy_with_steal(&answer, true, reply_count);
    return done;
}

/// How a transaction ended.
enum cmongo_ending {
    CMONGO_DONE,
    /// Nothing was done, for certain.
    CMONGO_NOT_DONE,
    /// Nothing was done: a command had other than the expected count of documents.
    CMONGO_UNEXPECTED,
    /// It may have been done, or be done later.
    CMONGO_UNKNOWN
};

/// Runs `command_count` commands, one document behind the other, in one transaction that a majority has where the answer is CMONGO_DONE.
/// `expected` has for each command how many documents it has to insert, match or remove, or -1; where one has another number, `place` is
/// its number. `time` is what the server told the session, seconds in the high half.
static inline int cmongo_transact(mongoc_client_t *client, const char *database, const uint8_t *commands, size_t count,
                                  const int32_t *expected, size_t command_count, size_t *place, uint64_t *time,
                                  bson_error_t *error) {
    int ending = CMONGO_NOT_DONE;
    *place = 0;
    *time = 0;
    mongoc_client_session_t *session = mongoc_client_start_session(client, NULL, error);
    if (!session) return ending;
    mongoc_write_concern_t *concern = mongoc_write_concern_new();
    mongoc_write_concern_set_wmajority(concern, 5000);
    mongoc_write_concern_set_journal(concern, true);
    mongoc_transaction_opt_t *options = mongoc_transaction_opts_new();
    mongoc_transaction_opts_set_write_concern(options, concern);
    bson_t opts = BSON_INITIALIZER;
    bool done = mongoc_client_session_start_transaction(session, options, error)
        && mongoc_client_session_append(session, &opts, error);
    size_t position = 0;
    for (; done && *place < command_count; ++*place) {
        uint32_t length = 0;
        bson_t command, reply;
        if (count - position >= 5) {
            memcpy(&length, commands + position, sizeof length);
            length = BSON_UINT32_FROM_LE(length);
        }
        if (length < 5 || length > count - position || !bson_init_static(&command, commands + position, length)) {
            bson_set_error(error, MONGOC_ERROR_BSON, MONGOC_ERROR_BSON_INVALID, "a command is no document");
            done = false;
            break;
        }
        done = mongoc_client_command_with_opts(client, database, &command, NULL, &opts, &reply, error);
        if (done && expected[*place] >= 0) {
            bson_iter_t field;
            int64_t found = bson_iter_init_find(&field, &reply, "n") ? bson_iter_as_int64(&field) : -1;
            if (found != expected[*place]) {
                ending = CMONGO_UNEXPECTED;
                done = false;
            }
        }
        bson_destroy(&reply);
        if (!done) break;
        position += length;
    }
    if (done) {
        // A commit may be asked for again, and is, as long as its outcome is not known: given up, it would hold its documents for a minute.
        for (unsigned attempt = 0; attempt < 6; ++attempt) {
            bson_t reply;
            if (attempt) usleep(25000u << attempt);
            done = mongoc_client_session_commit_transaction(session, &reply, error);
            // A label says where the server gave the transaction up instead.
            ending = done ? CMONGO_DONE
                : mongoc_error_has_label(&reply, "TransientTransactionError") ? CMONGO_NOT_DONE : CMONGO_UNKNOWN;
            bson_destroy(&reply);
            if (ending != CMONGO_UNKNOWN) break;
        }
    } else {
        // Where the server ended it already this fails, which changes nothing.
        mongoc_client_session_abort_transaction(session, NULL);
    }
    uint32_t seconds, increment;
    mongoc_client_session_get_operation_time(session, &seconds, &increment);
    *time = (uint64_t) seconds << 32 | increment;
    bson_destroy(&opts);
    mongoc_transaction_opts_destroy(options);
    mongoc_write_concern_destroy(concern);
    mongoc_client_session_destroy(session);
    return ending;
}
#endif
