#ifndef OGW_CEXT4_H
#define OGW_CEXT4_H
#include <stdint.h>

/// Shuts the ext4 file system of `path` down, as a power cut does. `mode`: 0 writes everything out first, 1 writes the
/// journal only, 2 writes nothing. Returns 0 or an errno.
int cext4_shutdown(const char *path, uint32_t mode);
#endif
