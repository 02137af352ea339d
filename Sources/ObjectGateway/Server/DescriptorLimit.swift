import Glibc

/// How many descriptors this process may have open.
enum DescriptorLimit {
    /// Below this a gateway does not start.
    static let countMin = 1024
    /// For the store's files, the log, the workers and what libraries open.
    static let reserved = 256
    /// A connection's socket, and the two files that a copy has open.
    static let perConnection = 3

    /// Raises the process's limit as far as it may go, and returns it. Throws where that is too little to serve with.
    static func raise() throws(StartError) -> Int {
        var limit = rlimit()
        // SAFETY: both calls touch the struct lent to them, during the call only.
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            throw StartError("The limit of open files cannot be read (errno \(errno)).")
        }
        if limit.rlim_cur < limit.rlim_max {
            var raised = limit
            raised.rlim_cur = limit.rlim_max
            if unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
        }
        return try check(Int(clamping: limit.rlim_cur))
    }

    static func check(_ count: Int) throws(StartError) -> Int {
        guard count >= countMin else {
            throw StartError(
                "This process may open \(count) files: wanted \(countMin) or more (raise it with `ulimit -Hn`, LimitNOFILE= of systemd, or --ulimit nofile= of the container)."
            )
        }
        return count
    }

    /// How many of `wanted` connections at once the limit allows.
    static func connections(_ wanted: Int, of count: Int) -> Int {
        min(wanted, max(1, (count - reserved) / perConnection))
    }
}
