// libbson's document and iterator are over-aligned, which Swift does not import by value: reads go through these.
#ifndef OGW_CMONGO_H
#define OGW_CMONGO_H
#include <mongoc/mongoc.h>

static inline uint32_t cmongo_length(const bson_t *document) { return document->len; }

static inline bool cmongo_find_integer(const bson_t *document, const char *key, int64_t *value) {
    bson_iter_t i;
    if (!bson_iter_init_find(&i, document, key) || !(BSON_ITER_HOLDS_INT64(&i) || BSON_ITER_HOLDS_INT32(&i))) return false;
    *value = bson_iter_as_int64(&i);
    return true;
}
/// NULL where `key` is missing or is no text. The bytes belong to the document.
static inline const uint8_t *cmongo_find_text(const bson_t *document, const char *key, uint32_t *count) {
    bson_iter_t i;
    if (!bson_iter_init_find(&i, document, key) || !BSON_ITER_HOLDS_UTF8(&i)) return NULL;
    return (const uint8_t *)bson_iter_utf8(&i, count);
}
/// NULL where `key` is missing or is not binary. The bytes belong to the document.
static inline const uint8_t *cmongo_find_bytes(const bson_t *document, const char *key, uint32_t *count) {
    bson_iter_t i;
    const uint8_t *bytes = NULL;
    if (!bson_iter_init_find(&i, document, key) || !BSON_ITER_HOLDS_BINARY(&i)) return NULL;
    bson_iter_binary(&i, NULL, count, &bytes);
    return bytes;
}
#endif
