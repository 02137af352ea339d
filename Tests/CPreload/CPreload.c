// A library for LD_PRELOAD that makes file system calls of a program fail, on files below one folder.
//
// OGW_FAULT_FOLDER   the folder; other files are left alone
// OGW_FAULT_CALL     the call that is to fail: write pwrite pwritev fdatasync fsync link rename ftruncate fallocate open unlink
// OGW_FAULT_AT       which of these calls fails, counted from 1 over all threads
// OGW_FAULT_KIND     EIO ENOSPC EMFILE EINTR, or short: a write that takes half
// OGW_FAULT_LASTING  set: every call from that one on fails
// OGW_FAULT_REPORT   a file that gets a line when a call is made to fail; without OGW_FAULT_AT a line for every call
// OGW_FAULT_SYNC     none: fdatasync and fsync do nothing; no-directories: fsync of a directory does nothing;
//                    late: they return at once and are done 200 ms later; slow: they take 100 ms longer
//
// It stands between a program and the C library, so that raw system calls (syscall(2)) and mapped memory escape it.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { SYNC_NORMAL, SYNC_NONE, SYNC_NO_DIRECTORIES, SYNC_LATE, SYNC_SLOW };
enum { PASS = 0, FAIL = -1, SHORT = -2 };

static char folder[PATH_MAX];
static size_t folder_length;
static const char *failing_call = "";
static long failing_at;
static int failing_errno;
static int is_short, is_lasting;
static int sync_mode;
static const char *report_path;
static atomic_long calls_counted;

static void sleep_ms(long ms) {
    struct timespec left = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {}
}

__attribute__((constructor)) static void begin(void) {
    const char *text = getenv("OGW_FAULT_FOLDER");
    if (!text || strlen(text) >= sizeof folder) return;
    strcpy(folder, text);
    folder_length = strlen(folder);
    if ((text = getenv("OGW_FAULT_CALL"))) failing_call = text;
    if ((text = getenv("OGW_FAULT_AT"))) failing_at = atol(text);
    is_lasting = getenv("OGW_FAULT_LASTING") != NULL;
    report_path = getenv("OGW_FAULT_REPORT");
    if ((text = getenv("OGW_FAULT_KIND"))) {
        if (!strcmp(text, "EIO")) failing_errno = EIO;
        if (!strcmp(text, "ENOSPC")) failing_errno = ENOSPC;
        if (!strcmp(text, "EMFILE")) failing_errno = EMFILE;
        if (!strcmp(text, "EINTR")) failing_errno = EINTR;
        is_short = !strcmp(text, "short");
    }
    if ((text = getenv("OGW_FAULT_SYNC"))) {
        if (!strcmp(text, "none")) sync_mode = SYNC_NONE;
        if (!strcmp(text, "no-directories")) sync_mode = SYNC_NO_DIRECTORIES;
        if (!strcmp(text, "late")) sync_mode = SYNC_LATE;
        if (!strcmp(text, "slow")) sync_mode = SYNC_SLOW;
    }
}

static int is_below(const char *path) {
    return folder_length > 0 && path && !strncmp(path, folder, folder_length) &&
           (path[folder_length] == '/' || path[folder_length] == 0);
}

static int is_file_below(int fd) {
    if (folder_length == 0) return 0;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return is_below(path);
}

// Relative names are those of the folder that `at` names.
static int is_name_below(int at, const char *path) {
    if (path && path[0] == '/') return is_below(path);
    return at != AT_FDCWD && is_file_below(at);
}

static void report(const char *call, long number, const char *path) {
    if (!report_path) return;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, report_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) return;
    char line[PATH_MAX + 64];
    int length = snprintf(line, sizeof line, "%s %ld %s\n", call, number, path ? path : "");
    syscall(SYS_write, fd, line, (size_t)length);
    syscall(SYS_close, fd);
}

// What is to become of this call on a file below the folder. errno is set for FAIL.
static int fate(const char *call, int fd, const char *path) {
    if (failing_at == 0) {
        if (report_path) report(call, 0, path);
        return PASS;
    }
    if (strcmp(call, failing_call) != 0) return PASS;
    long number = atomic_fetch_add(&calls_counted, 1) + 1;
    if (is_lasting ? number < failing_at : number != failing_at) return PASS;
    char link[64], name[PATH_MAX] = "";
    if (!path) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t length = readlink(link, name, sizeof name - 1);
        if (length > 0) name[length] = 0;
    }
    report(call, number, path ? path : name);
    if (is_short) return SHORT;
    errno = failing_errno;
    return FAIL;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FATE_OF_FILE(call, fd) (is_file_below(fd) ? fate(call, fd, NULL) : PASS)
#define FATE_OF_NAME(call, at, path) (is_name_below(at, path) ? fate(call, -1, path) : PASS)
// Half, but something: a short write of nothing would be the end of the file.
#define HALF(count) ((count) > 1 ? (count) / 2 : (count))

ssize_t write(int fd, const void *bytes, size_t count) {
    int fated = FATE_OF_FILE("write", fd);
    if (fated == FAIL) return -1;
    return NEXT(write)(fd, bytes, fated == SHORT ? HALF(count) : count);
}
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
    int fated = FATE_OF_FILE("pwrite", fd);
    if (fated == FAIL) return -1;
    return NEXT(pwrite)(fd, bytes, fated == SHORT ? HALF(count) : count, offset);
}
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) { return pwrite(fd, bytes, count, offset); }

// The first buffer, or half of the only one.
static ssize_t write_short(int fd, const struct iovec *buffers, int count, off_t offset) {
    if (count > 1) return NEXT(pwritev)(fd, buffers, count / 2, offset);
    return NEXT(pwrite)(fd, buffers[0].iov_base, HALF(buffers[0].iov_len), offset);
}
ssize_t writev(int fd, const struct iovec *buffers, int count) {
    int fated = FATE_OF_FILE("write", fd);
    if (fated == FAIL) return -1;
    if (fated == SHORT && count == 1) return NEXT(write)(fd, buffers[0].iov_base, HALF(buffers[0].iov_len));
    return NEXT(writev)(fd, buffers, fated == SHORT ? count / 2 : count);
}
ssize_t pwritev(int fd, const struct iovec *buffers, int count, off_t offset) {
    int fated = FATE_OF_FILE("pwritev", fd);
    if (fated == FAIL) return -1;
    return fated == SHORT ? write_short(fd, buffers, count, offset) : NEXT(pwritev)(fd, buffers, count, offset);
}
ssize_t pwritev64(int fd, const struct iovec *buffers, int count, off64_t offset) {
    return pwritev(fd, buffers, count, offset);
}
ssize_t pwritev2(int fd, const struct iovec *buffers, int count, off_t offset, int flags) {
    if (sync_mode == SYNC_NONE || sync_mode == SYNC_LATE) {
        if (is_file_below(fd)) flags &= ~(RWF_DSYNC | RWF_SYNC);
    }
    int fated = FATE_OF_FILE("pwritev", fd);
    if (fated == FAIL) return -1;
    if (fated == SHORT) return write_short(fd, buffers, count, offset);
    return NEXT(pwritev2)(fd, buffers, count, offset, flags);
}

ssize_t pwritev64v2(int fd, const struct iovec *buffers, int count, off64_t offset, int flags) {
    return pwritev2(fd, buffers, count, offset, flags);
}

static void *sync_late(void *argument) {
    int fd = (int)(long)argument;
    sleep_ms(200);
    NEXT(fsync)(fd);
    close(fd);
    return NULL;
}

// True where the sync is not to be done now.
static int is_sync_skipped(int fd) {
    struct stat status;
    switch (sync_mode) {
    case SYNC_NONE: return is_file_below(fd);
    case SYNC_NO_DIRECTORIES:
        return fstat(fd, &status) == 0 && S_ISDIR(status.st_mode) && is_file_below(fd);
    case SYNC_LATE: {
        if (!is_file_below(fd)) return 0;
        pthread_t thread;
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        if (copy >= 0 && pthread_create(&thread, NULL, sync_late, (void *)(long)copy) == 0) pthread_detach(thread);
        return 1;
    }
    case SYNC_SLOW:
        if (is_file_below(fd)) sleep_ms(100);
        return 0;
    default: return 0;
    }
}

int fdatasync(int fd) {
    if (FATE_OF_FILE("fdatasync", fd) == FAIL) return -1;
    return is_sync_skipped(fd) ? 0 : NEXT(fdatasync)(fd);
}
int fsync(int fd) {
    if (FATE_OF_FILE("fsync", fd) == FAIL) return -1;
    return is_sync_skipped(fd) ? 0 : NEXT(fsync)(fd);
}
int sync_file_range(int fd, off64_t offset, off64_t count, unsigned flags) {
    if (FATE_OF_FILE("fdatasync", fd) == FAIL) return -1;
    // It makes nothing durable, but brings pages to the disk that a broken store would lose.
    if (sync_mode == SYNC_NONE && is_file_below(fd)) return 0;
    return NEXT(sync_file_range)(fd, offset, count, flags);
}

int link(const char *from, const char *to) {
    return FATE_OF_NAME("link", AT_FDCWD, to) == FAIL ? -1 : NEXT(link)(from, to);
}
int linkat(int from_at, const char *from, int to_at, const char *to, int flags) {
    return FATE_OF_NAME("link", to_at, to) == FAIL ? -1 : NEXT(linkat)(from_at, from, to_at, to, flags);
}
int rename(const char *from, const char *to) {
    return FATE_OF_NAME("rename", AT_FDCWD, to) == FAIL ? -1 : NEXT(rename)(from, to);
}
int renameat(int from_at, const char *from, int to_at, const char *to) {
    return FATE_OF_NAME("rename", to_at, to) == FAIL ? -1 : NEXT(renameat)(from_at, from, to_at, to);
}
int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags) {
    return FATE_OF_NAME("rename", to_at, to) == FAIL ? -1 : NEXT(renameat2)(from_at, from, to_at, to, flags);
}
int unlink(const char *path) {
    return FATE_OF_NAME("unlink", AT_FDCWD, path) == FAIL ? -1 : NEXT(unlink)(path);
}
int unlinkat(int at, const char *path, int flags) {
    return FATE_OF_NAME("unlink", at, path) == FAIL ? -1 : NEXT(unlinkat)(at, path, flags);
}
int ftruncate(int fd, off_t length) {
    return FATE_OF_FILE("ftruncate", fd) == FAIL ? -1 : NEXT(ftruncate)(fd, length);
}
int ftruncate64(int fd, off64_t length) { return ftruncate(fd, length); }
int fallocate(int fd, int mode, off_t offset, off_t length) {
    return FATE_OF_FILE("fallocate", fd) == FAIL ? -1 : NEXT(fallocate)(fd, mode, offset, length);
}
int fallocate64(int fd, int mode, off64_t offset, off64_t length) { return fallocate(fd, mode, offset, length); }
// Its error is the result, not errno.
int posix_fallocate(int fd, off_t offset, off_t length) {
    return FATE_OF_FILE("fallocate", fd) == FAIL ? errno : NEXT(posix_fallocate)(fd, offset, length);
}
int posix_fallocate64(int fd, off64_t offset, off64_t length) { return posix_fallocate(fd, offset, length); }

static int open_below(int at, const char *path, int flags, mode_t mode) {
    if (is_name_below(at, path)) {
        if (fate("open", -1, path) == FAIL) return -1;
        if (sync_mode == SYNC_NONE || sync_mode == SYNC_LATE) flags &= ~(O_DSYNC | (O_SYNC & ~O_DSYNC));
    }
    return NEXT(openat)(at, path, flags, mode);
}
static mode_t mode_of(int flags, va_list arguments) {
    return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? (mode_t)va_arg(arguments, int) : 0;
}
#define OPEN(at)                                  \
    va_list arguments;                            \
    va_start(arguments, flags);                   \
    mode_t mode = mode_of(flags, arguments);      \
    va_end(arguments);                            \
    return open_below(at, path, flags, mode)
int open(const char *path, int flags, ...) { OPEN(AT_FDCWD); }
int open64(const char *path, int flags, ...) { OPEN(AT_FDCWD); }
int openat(int at, const char *path, int flags, ...) { OPEN(at); }
int openat64(int at, const char *path, int flags, ...) { OPEN(at); }
