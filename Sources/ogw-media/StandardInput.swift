import Glibc

/// Reads the process's standard input; blocks.
final class StandardInput {
    private var buffered: ArraySlice<UInt8> = []
    private(set) var reachedEnd = false

    /// A line without its line feed. Nil at the end of input, and for a line longer than `bytesMax`.
    func readLine(bytesMax: Int) -> [UInt8]? {
        var line: [UInt8] = []
        while true {
            if let end = buffered.firstIndex(of: 0x0a) {
                line += buffered[..<end]
                buffered = buffered[(end + 1)...]
                return line.count <= bytesMax ? line : nil
            }
            line += buffered
            buffered = []
            guard line.count <= bytesMax, fill(wanted: 4096) else { return nil }
        }
    }

    /// Exactly `count` bytes; nil when the input ends before.
    func read(_ count: Int) -> [UInt8]? {
        var bytes = Array(buffered.prefix(count))
        buffered = buffered.dropFirst(bytes.count)
        while bytes.count < count {
            guard fill(wanted: min(count - bytes.count, 1 << 20)) else { return nil }
            bytes += buffered
            buffered = []
        }
        return bytes
    }

    /// Reads at most `wanted` bytes into the empty buffer.
    private func fill(wanted: Int) -> Bool {
        var got = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: wanted) { buffer, filled in
            // SAFETY: the buffer holds `wanted` bytes.
            repeat { got = unsafe Glibc.read(STDIN_FILENO, buffer.baseAddress, wanted) } while got < 0 && errno == EINTR
            filled = max(0, got)
        }
        buffered = bytes[...]
        if got <= 0 { reachedEnd = true }
        return got > 0
    }
}
