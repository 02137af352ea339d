import Glibc
import Threads

/// A piece of memory that bytes are received into: `start ..< end` are there and not yet consumed.
// @unchecked: a buffer has one owner at a time, a connection or the free list.
@safe final class ByteBuffer: @unchecked Sendable {
    let capacity: Int
    private let base: UnsafeMutableRawPointer
    private(set) var start = 0
    private(set) var end = 0

    init(capacity: Int) {
        self.capacity = capacity
        // SAFETY: freed in deinit only.
        unsafe base = .allocate(byteCount: capacity, alignment: 64)
    }

    deinit { unsafe base.deallocate() }

    var count: Int { end - start }
    var isEmpty: Bool { start == end }

    /// Lends the first `count` bytes, at most those that are there.
    func withBytes<Result, Failure: Error>(
        first count: Int = .max, _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        // SAFETY: start <= end <= capacity, and the buffer is not written to while `body` runs.
        let bytes = unsafe UnsafeRawBufferPointer(start: base + start, count: min(max(count, 0), end - start))
        return unsafe try body(bytes.bindMemory(to: UInt8.self).span)
    }

    func consume(_ count: Int) {
        start += min(max(count, 0), end - start)
        if start == end { (start, end) = (0, 0) }
    }

    func removeAll() { (start, end) = (0, 0) }

    /// Calls `receive` with the free space, at most `limit` bytes of it, and takes over as many bytes as it returns.
    func fill(limit: Int = .max, _ receive: (UnsafeMutableRawBufferPointer) -> Int) -> Int {
        if start > 0, end == capacity { moveToFront() }
        let room = min(capacity - end, max(limit, 0))
        // SAFETY: end + room <= capacity.
        let got = unsafe receive(UnsafeMutableRawBufferPointer(start: base + end, count: room))
        if got > 0 { end += min(got, room) }
        return got
    }

    private func moveToFront() {
        unsafe memmove(base, base + start, end - start)
        (start, end) = (0, end - start)
    }
}

/// Buffers of one size for reuse. Keeps at most `keep` of them.
final class BufferList: Sendable {
    let capacity: Int
    private let keep: Int
    private let free = Lock<[ByteBuffer]>([])

    init(capacity: Int, keep: Int) {
        self.capacity = capacity
        self.keep = keep
    }

    func take() -> ByteBuffer { free.withLock { $0.popLast() } ?? ByteBuffer(capacity: capacity) }

    func give(_ buffer: ByteBuffer) {
        buffer.removeAll()
        free.withLock { if $0.count < keep { $0.append(buffer) } }
    }
}
