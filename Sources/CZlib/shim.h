#ifndef OGW_CZLIB_H
#define OGW_CZLIB_H
#include <zlib.h>

/// inflateInit2 is a macro. Reads a raw stream (RFC 1951), as the entries of a ZIP archive are.
static inline int czlib_inflate_raw(z_stream *stream) { return inflateInit2(stream, -15); }
#endif
