// What Glibc's Swift module leaves out: epoll's packed event, O_TMPFILE, variadic calls.
#ifndef OGW_CLINUX_H
#define OGW_CLINUX_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
// _GNU_SOURCE also turns on X/Open's name of a member of fd_set, which Swift's own Glibc module does without;
// a compiler that meets both definitions refuses the second.
#include <features.h>
#undef __USE_XOPEN
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

/// Opens an unnamed file in `directory`; it gets a name by linkat or vanishes at close.
static inline int clinux_open_tmpfile(const char *directory, int flags, mode_t mode) {
    return open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC | flags, mode);
}
static inline int clinux_open(const char *path, int flags, mode_t mode) {
    return open(path, flags | O_CLOEXEC, mode);
}
/// sync_file_range(2): begins the writeback of a range's dirty pages, or waits until the whole range is written.
static inline int clinux_writeback_begin(int fd, off_t offset, off_t length) {
    return sync_file_range(fd, offset, length, SYNC_FILE_RANGE_WRITE);
}
static inline int clinux_writeback_wait(int fd, off_t offset, off_t length) {
    return sync_file_range(fd, offset, length,
                           SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
}
/// fallocate(2) that keeps the file's size.
static inline int clinux_reserve(int fd, off_t offset, off_t length) {
    return fallocate(fd, FALLOC_FL_KEEP_SIZE, offset, length);
}
static inline int clinux_epoll_ctl(int epoll, int operation, int fd, uint32_t events, uint64_t data) {
    struct epoll_event event;
    event.events = events;
    event.data.u64 = data;
    return epoll_ctl(epoll, operation, fd, &event);
}
#define CLINUX_EVENTS_MAX 16
/// Waits for up to CLINUX_EVENTS_MAX events and stores their data. Returns epoll_wait's result.
static inline int clinux_epoll_wait(int epoll, uint64_t *data, int timeout_ms) {
    struct epoll_event events[CLINUX_EVENTS_MAX];
    int n = epoll_wait(epoll, events, CLINUX_EVENTS_MAX, timeout_ms);
    for (int i = 0; i < n; i++) data[i] = events[i].data.u64;
    return n;
}
/// Accepts a connection, non-blocking and close-on-exec, and stores the peer's address.
static inline int clinux_accept(int listener, struct sockaddr_storage *peer) {
    socklen_t length = sizeof *peer;
    return accept4(listener, (struct sockaddr *)peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}
/// Sets a timer descriptor to fire once, `delay_ns` from now (at least 1).
static inline int clinux_timer_set(int timer, int64_t delay_ns) {
    struct itimerspec when = {{0, 0}, {0, 1}};
    if (delay_ns > 0) {
        when.it_value.tv_sec = delay_ns / 1000000000;
        when.it_value.tv_nsec = delay_ns % 1000000000;
    }
    return timerfd_settime(timer, 0, &when, 0);
}
static inline int clinux_timer_create(void) {
    return timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
}
static inline uint64_t clinux_monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
static const uint32_t CLINUX_EPOLLET = EPOLLET;
static const uint32_t CLINUX_EPOLLIN = EPOLLIN;
static const uint32_t CLINUX_EPOLLOUT = EPOLLOUT;
static const uint32_t CLINUX_EPOLLONESHOT = EPOLLONESHOT;
#endif
