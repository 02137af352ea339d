// libbson's document is over-aligned, which Swift does not import by value: documents cross as plain bytes.
#ifndef OGW_CMONGO_H
#define OGW_CMONGO_H
#include <mongoc/mongoc.h>

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
#endif
