import Bytes
import Files
import Glibc

/// What the kernel says of this process.
struct ProcessStatus {
    /// Resident memory in bytes.
    var residentSize: UInt64 = 0
    var threadCount: UInt64 = 0
    var openFileCount: UInt64 = 0
    /// Processor time used, in microseconds.
    var processorMicroseconds: UInt64 = 0

    /// Zeros where /proc is not readable.
    static func read() -> ProcessStatus {
        var status = ProcessStatus()
        if let file = try? OpenFile.open("/proc/self/status", flags: O_RDONLY),
            let text = try? file.read(at: 0, count: 16 << 10)
        {
            status.residentSize = (number(after: "VmRSS:", in: text) ?? 0) &* 1024
            status.threadCount = number(after: "Threads:", in: text) ?? 0
        }
        var usage = rusage()
        // SAFETY: the call fills the struct lent to it.
        if unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 {
            for time in [usage.ru_utime, usage.ru_stime] {
                status.processorMicroseconds &+=
                    UInt64(max(0, time.tv_sec)) &* 1_000_000 &+ UInt64(max(0, time.tv_usec))
            }
        }
        status.openFileCount = openFiles()
        return status
    }

    func render(started: Timestamp, into text: inout PrometheusText) {
        text.family("process_resident_memory_bytes", .gauge, "Resident memory.")
        text.sample("process_resident_memory_bytes", [], residentSize)
        text.family("process_cpu_seconds_total", .counter, "Processor time used.")
        text.sample("process_cpu_seconds_total", [], PrometheusText.seconds(microseconds: processorMicroseconds))
        text.family("process_open_fds", .gauge, "Open file descriptors.")
        text.sample("process_open_fds", [], openFileCount)
        text.family("process_threads", .gauge, "Threads.")
        text.sample("process_threads", [], threadCount)
        text.family("process_start_time_seconds", .gauge, "When the process started, in seconds since 1970.")
        text.sample("process_start_time_seconds", [], "\(started.seconds)")
        text.family("ogw_uptime_seconds", .gauge, "Seconds since the process started.")
        text.sample("ogw_uptime_seconds", [], UInt64(max(0, Timestamp.now().seconds - started.seconds)))
    }

    private static func number(after label: String, in text: [UInt8]) -> UInt64? {
        for line in text.split(separator: Ascii.lineFeed) where line.starts(with: label.utf8) {
            let words = line.dropFirst(label.utf8.count).split { $0 == Ascii.space || $0 == Ascii.tab }
            return words.first.flatMap { Ascii.decimal($0) }
        }
        return nil
    }

    private static func openFiles() -> UInt64 {
        // SAFETY: this function owns the stream; entries are counted and not kept.
        guard let directory = unsafe opendir("/proc/self/fd") else { return 0 }
        defer { unsafe closedir(directory) }
        var count: UInt64 = 0
        while unsafe readdir(directory) != nil { count += 1 }
        // `.`, `..` and the directory's own descriptor.
        return count >= 3 ? count - 3 : 0
    }
}
