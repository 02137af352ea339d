import CLinux
import Glibc
import LoadClient
import Synchronization
import Threads

/// What a durable write costs at least: records appended to one file, with nothing else around them.
enum Floor {
    /// `--writers` threads hand over records of `bytes`, one at a time each, to one committer that appends all that is queued
    /// with one pwrite and makes it durable with one fdatasync. `--serial yes`: one thread, each record with its own sync.
    static func run(_ arguments: Arguments) throws {
        let folder = try arguments.text("folder")
        // An object of 4 KiB and what a log says about it.
        let size = try arguments.number("bytes", default: 4096 + 500)
        let seconds = try arguments.number("seconds")
        let file = try DurableFile(in: folder)
        let start = Monotonic.nanoseconds
        let end = start + UInt64(seconds) * 1_000_000_000
        if try arguments.text("serial", default: "no") == "yes" {
            let record = Content.bytes(size)
            var timings = Timings()
            while Monotonic.nanoseconds < end {
                try timings.measure {
                    try file.reserve(size)
                    try file.append(record.span)
                    try file.sync()
                }
            }
            print(timings.report(seconds: Loads.elapsed(since: start), bytesEach: size))
            return
        }
        let writers = try arguments.number("writers", default: 1)
        let committer = GroupCommitter(file: file, recordBytes: size, writers: writers)
        let all = try ClientThreads.run(writers + 1) { index in
            var timings = Timings()
            if index == writers {
                try committer.run()
                return timings
            }
            defer { committer.leave() }
            while Monotonic.nanoseconds < end {
                try timings.measure { try committer.commit(by: index) }
            }
            return timings
        }
        print(Timings.joined(all).report(seconds: Loads.elapsed(since: start), bytesEach: size))
        print("{\"groups\": \(committer.groups)}")
    }
}

/// Takes what is queued as one group, again and again, until the last writer has left.
// @unchecked: `file` and `content` are used by the thread of `run` alone; the rest is a lock, atomics and semaphores.
private final class GroupCommitter: @unchecked Sendable {
    private let file: DurableFile
    private let recordBytes: Int
    private let content: [UInt8]
    private let queue = Lock<[Int]>([])
    private let present: Atomic<Int>
    private let groupCount = Atomic<Int>(0)
    private let isBroken = Atomic<Bool>(false)
    private let wake = Semaphore()
    private let done: [Semaphore]

    init(file: DurableFile, recordBytes: Int, writers: Int) {
        (self.file, self.recordBytes) = (file, recordBytes)
        content = Content.bytes(recordBytes * writers)
        present = Atomic(writers)
        done = (0..<writers).map { _ in Semaphore() }
    }

    var groups: Int { groupCount.load(ordering: .relaxed) }

    /// Returns when a record of this writer is durable.
    func commit(by writer: Int) throws(ClientError) {
        queue.withLock { $0.append(writer) }
        wake.post()
        done[writer].wait()
        if isBroken.load(ordering: .acquiring) { throw ClientError("the committer could not write") }
    }

    func leave() {
        present.subtract(1, ordering: .acquiringAndReleasing)
        wake.post()
    }

    func run() throws(ClientError) {
        let content = content
        while true {
            wake.wait()
            let group = queue.withLock { queue in
                let taken = queue
                queue.removeAll(keepingCapacity: true)
                return taken
            }
            if group.isEmpty {
                if present.load(ordering: .acquiring) == 0 { return }
                continue
            }
            defer { for writer in group { done[writer].post() } }
            do throws(ClientError) {
                try file.reserve(group.count * recordBytes)
                try file.append(content.span.extracting(first: group.count * recordBytes))
                try file.sync()
                groupCount.add(1, ordering: .relaxed)
            } catch {
                isBroken.store(true, ordering: .releasing)
                throw error
            }
        }
    }
}

/// A counting semaphore between threads.
// @unchecked: sem_t is made to be used by several threads.
@safe private final class Semaphore: @unchecked Sendable {
    private let raw: UnsafeMutablePointer<sem_t>

    init() {
        // SAFETY: initialised before any use, destroyed and freed in deinit only.
        unsafe raw = .allocate(capacity: 1)
        unsafe raw.initialize(to: sem_t())
        unsafe sem_init(raw, 0, 0)
    }

    deinit {
        // SAFETY: no reference is left, so nobody waits.
        unsafe sem_destroy(raw)
        unsafe raw.deallocate()
    }

    func post() { unsafe sem_post(raw) }

    /// Interrupted waits are begun again.
    func wait() { while unsafe sem_wait(raw) != 0 {} }
}
