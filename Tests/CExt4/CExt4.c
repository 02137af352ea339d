#include "CExt4.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

int cext4_shutdown(const char *path, uint32_t mode) {
    // EXT4_IOC_SHUTDOWN, which the headers of Debian 12 leave out.
    const unsigned long request = _IOR('X', 125, uint32_t);
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return errno;
    int error = ioctl(folder, request, &mode) == 0 ? 0 : errno;
    close(folder);
    return error;
}
