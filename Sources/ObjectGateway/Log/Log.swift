import Bytes
import Glibc
import Synchronization
import Threads

/// The log of the process: events with fields, one line each, on a file descriptor.
///
/// Events are written at once. Access lines are gathered and written when 64 KiB have come together or `flush` is called;
/// `flush` belongs on a timer of a second. Where the descriptor does not take them, at most 1 MiB is kept and the rest is
/// dropped and counted. Safe from any thread; only one thread writes, the others never wait for it.
public final class Log: Sendable {
    public let level: LogLevel
    public let format: LogFormat
    /// Whether access lines are written at all.
    public let writesAccess: Bool
    private let descriptor: Int32
    private let pending = Lock<[UInt8]>([])
    private let isWriting = Atomic(false)
    private let droppedCount = Atomic<UInt64>(0)

    private static let flushSize = 64 << 10
    private static let pendingSizeMax = 1 << 20

    /// `descriptor`, standard error unless told, stays open as long as the log is used; it is not closed by it.
    public init(
        format: LogFormat = .text, level: LogLevel = .info, writesAccess: Bool = true,
        descriptor: Int32 = 2
    ) {
        self.format = format
        self.level = level
        self.writesAccess = writesAccess
        self.descriptor = descriptor
    }

    /// Lines that were lost because the descriptor was too slow.
    public var dropped: UInt64 { droppedCount.load(ordering: .relaxed) }

    /// `name` and the fields' names are lower-case words joined by `_`.
    public func event(
        _ name: StaticString, level: LogLevel = .info, _ fields: KeyValuePairs<StaticString, LogValue> = [:]
    ) {
        guard level >= self.level else { return }
        var line = LogLine(name, level: level, at: .now(), format: format)
        for (name, value) in fields { line.add(name, value) }
        line.end()
        keep(line.bytes)
        flush()
    }

    public func access(_ event: borrowing AccessEvent) {
        guard writesAccess, level <= .info else { return }
        var line = LogLine("request", level: .info, at: .now(), format: format)
        line.add("request_id", .bytes(event.requestID[...]))
        line.add("peer", .text(event.peer))
        if let user = event.user { line.add("user", .text(user)) }
        line.add("operation", .literal(event.operation))
        line.add("method", .bytes(event.method))
        line.add("path", .bytes(event.path))
        line.add("status", .integer(event.status))
        if let code = event.errorCode { line.add("error", .text(code)) }
        line.add("bytes_in", .unsigned(event.bytesIn))
        line.add("bytes_out", .unsigned(event.bytesOut))
        line.add("duration_us", .duration(event.duration))
        line.end()
        if keep(line.bytes) >= Self.flushSize { flush() }
    }

    /// Writes what has been gathered, unless another thread is writing it already.
    public func flush() {
        while true {
            guard isWriting.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged else {
                return
            }
            let lines = pending.withLock { pending in
                let taken = pending
                pending = []
                return taken
            }
            if !lines.isEmpty { write(lines) }
            isWriting.store(false, ordering: .releasing)
            // A line kept while this thread was writing found it so, and relies on this look.
            if pending.withLock({ $0.isEmpty }) { return }
        }
    }

    /// Writes what has been gathered and waits until it is written, for the end of the process. At most a second.
    public func drain() {
        for _ in 0..<1000 {
            flush()
            if !isWriting.load(ordering: .acquiring), pending.withLock({ $0.isEmpty }) { return }
            usleep(1000)
        }
    }

    /// The count of bytes kept.
    @discardableResult
    private func keep(_ line: [UInt8]) -> Int {
        pending.withLock { pending in
            if pending.count + line.count > Self.pendingSizeMax {
                droppedCount.add(1, ordering: .relaxed)
            } else {
                pending += line
            }
            return pending.count
        }
    }

    private func write(_ lines: [UInt8]) {
        var rest = lines.span
        while !rest.isEmpty {
            // SAFETY: the pointer is used within the closure only.
            let written = unsafe rest.withUnsafeBufferPointer {
                unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            if written > 0 {
                rest = rest.extracting(written...)
            } else if errno == EAGAIN {
                var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                if unsafe poll(&wait, 1, 100) == 0 { droppedCount.add(1, ordering: .relaxed); return }
            } else if errno != EINTR {
                droppedCount.add(1, ordering: .relaxed)
                return
            }
        }
    }
}
