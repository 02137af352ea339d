// What a process does to itself before it reads foreign bytes: seccomp and Landlock have no functions in the C library,
// and their filters and rules are structures of macros.
#ifndef OGW_CSANDBOX_H
#define OGW_CSANDBOX_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
// _GNU_SOURCE also turns on X/Open's name of a member of fd_set, which Swift's own Glibc module does without.
#include <features.h>
#undef __USE_XOPEN
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define CSANDBOX_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define CSANDBOX_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

/// No program started from here on gains rights by its file.
static inline int csandbox_no_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }
/// Nobody of the same user can attach to this process or read its memory; no core is written.
static inline int csandbox_not_dumpable(void) { return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); }
/// Closes every descriptor from `first` on.
static inline int csandbox_close_from(unsigned first) { return (int)syscall(436 /* close_range */, first, ~0u, 0u); }

/// Calls that no decoder needs. They fail with EPERM, so that a library that only tries goes on.
static const int csandbox_denied[] = {
    __NR_socket, __NR_socketpair, __NR_connect, __NR_bind, __NR_listen, __NR_accept, __NR_accept4,
    __NR_ptrace, __NR_process_vm_readv, __NR_process_vm_writev, __NR_kcmp, __NR_perf_event_open, __NR_bpf,
    __NR_userfaultfd, __NR_keyctl, __NR_add_key, __NR_request_key, __NR_mount, __NR_umount2, __NR_pivot_root,
    __NR_chroot, __NR_unshare, __NR_setns, __NR_swapon, __NR_swapoff, __NR_reboot, __NR_kexec_load, __NR_init_module,
    __NR_finit_module, __NR_delete_module, __NR_acct, __NR_quotactl, __NR_settimeofday, __NR_clock_settime,
    __NR_adjtimex, __NR_clock_adjtime, __NR_sethostname, __NR_setdomainname, __NR_syslog, __NR_personality,
    __NR_name_to_handle_at, __NR_open_by_handle_at, __NR_fanotify_init, __NR_memfd_create, __NR_mknodat,
    __NR_setuid, __NR_setgid, __NR_setreuid, __NR_setregid, __NR_setresuid, __NR_setresgid, __NR_setgroups,
    __NR_capset, __NR_fchmodat, __NR_fchownat, __NR_linkat, __NR_symlinkat,
    // io_uring makes calls that no filter sees; pidfd_open, pidfd_getfd and the new mount calls.
    425, 426, 427, 428, 429, 430, 431, 432, 433, 434, 438, 442,
#if defined(__x86_64__)
    __NR_mknod, __NR_chmod, __NR_chown, __NR_lchown, __NR_link, __NR_symlink, __NR_iopl, __NR_ioperm, __NR_modify_ldt,
    __NR_kexec_file_load,
#endif
};
/// What only a process needs that runs other programs. kill is in it: a process alone signals its own threads by tgkill.
static const int csandbox_denied_alone[] = {
    __NR_execve, __NR_execveat, __NR_kill, __NR_tkill, __NR_setpgid, __NR_setsid,
#if defined(__x86_64__)
    __NR_fork, __NR_vfork,
#endif
};

/// Installs the filter for all threads, and for programs that are run from here on. 0, or -1 with errno.
static inline int csandbox_filter(int runs_programs) {
#ifndef CSANDBOX_ARCHITECTURE
    errno = ENOSYS;
    return -1;
#else
    enum { denied = sizeof csandbox_denied / sizeof *csandbox_denied,
           alone = sizeof csandbox_denied_alone / sizeof *csandbox_denied_alone };
    struct sock_filter code[2 * (denied + alone) + 24];
    int n = 0;
#define CSANDBOX_EMIT(...) code[n++] = (struct sock_filter)__VA_ARGS__
#define CSANDBOX_REFUSE(error) CSANDBOX_EMIT(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error)))
    CSANDBOX_EMIT(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)));
    CSANDBOX_EMIT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CSANDBOX_ARCHITECTURE, 1, 0));
    CSANDBOX_EMIT(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
    CSANDBOX_EMIT(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
#if defined(__x86_64__)
    // The numbers of the x32 interface name the same calls.
    CSANDBOX_EMIT(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1));
    CSANDBOX_REFUSE(EPERM);
#endif
    for (int i = 0; i < denied; i++) {
        CSANDBOX_EMIT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)csandbox_denied[i], 0, 1));
        CSANDBOX_REFUSE(EPERM);
    }
    if (!runs_programs) {
        for (int i = 0; i < alone; i++) {
            CSANDBOX_EMIT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)csandbox_denied_alone[i], 0, 1));
            CSANDBOX_REFUSE(EPERM);
        }
        // clone3 keeps its flags in memory, where a filter cannot read; without it the C library takes clone.
        CSANDBOX_EMIT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 435, 0, 1));
        CSANDBOX_REFUSE(ENOSYS);
        // A clone that is no thread (CLONE_THREAD) is a fork.
        CSANDBOX_EMIT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_clone, 0, 3));
        CSANDBOX_EMIT(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])));
        CSANDBOX_EMIT(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x10000, 1, 0));
        CSANDBOX_REFUSE(EPERM);
    }
    CSANDBOX_EMIT(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
#undef CSANDBOX_REFUSE
#undef CSANDBOX_EMIT
    struct sock_fprog program = {(unsigned short)n, code};
    return (int)syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
#endif
}

// Landlock's numbers (linux/landlock.h); Debian 12's header ends before the newer ones.
static const uint64_t CSANDBOX_EXECUTE = 1 << 0;
static const uint64_t CSANDBOX_WRITE = 1 << 1 | 1 << 5 | 1 << 8 | 1 << 14;  // write, remove, make and truncate files
static const uint64_t CSANDBOX_READ = 1 << 2 | 1 << 3;                      // files and folders

/// The interface's version, 0 where the kernel has no Landlock.
static inline int csandbox_landlock_version(void) {
    long version = syscall(444, NULL, 0, 1);
    return version > 0 ? (int)version : 0;
}
static inline uint64_t csandbox_landlock_known(int version) {
    uint64_t known = (1 << 13) - 1;
    if (version >= 2) known |= 1 << 13;
    if (version >= 3) known |= 1 << 14;
    if (version >= 5) known |= 1 << 15;
    return known;
}
/// A set of rules that refuses all access to files, TCP, and signals and abstract sockets of others. A descriptor, or -1.
static inline int csandbox_landlock_create(int version) {
    uint64_t attributes[3] = {csandbox_landlock_known(version), 3, 3};
    size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
    return (int)syscall(444, attributes, size, 0);
}
/// Allows access to what lies at or below `path`. 0, or -1 with errno.
static inline int csandbox_landlock_allow(int rules, const char *path, uint64_t access, int version) {
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0) return -1;
    struct stat status;
    if (fstat(fd, &status) == 0 && !S_ISDIR(status.st_mode)) access &= 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14;
    struct { uint64_t access; int32_t fd; } __attribute__((packed)) rule = {access & csandbox_landlock_known(version), fd};
    int failed = (int)syscall(445, rules, 1, &rule, 0);
    close(fd);
    return failed;
}
/// From here on the rules bind this thread and those that it starts.
static inline int csandbox_landlock_restrict(int rules) { return (int)syscall(446, rules, 0); }

// For the report of what is refused.
static inline int csandbox_try_io_uring(void) { char zero[256] = {0}; return (int)syscall(425, 1, zero); }
#endif
