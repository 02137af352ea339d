// hiredis keeps the text of an error in an array of its context, which Swift sees as a tuple.
#ifndef OGW_CHIREDIS_H
#define OGW_CHIREDIS_H
#include <hiredis/hiredis.h>

static inline const char *chiredis_error(const redisContext *context) { return context->errstr; }
#endif
