import Bytes
import Synchronization

/// Names one request in answers and logs: 16 upper-case hexadecimal digits, distinct within a process and
/// practically so between processes.
struct RequestID: Sendable {
    let text: [UInt8]

    private static let start = UInt64.random(in: 0...UInt64.max)
    private static let counter = Atomic<UInt64>(0)

    static func next() -> RequestID {
        let count = counter.add(1, ordering: .relaxed).newValue
        // An odd multiplier permutes the 64-bit numbers, so ids differ as long as counts do.
        let mixed = (start &+ count) &* 0x9E37_79B9_7F4A_7C15
        var text: [UInt8] = []
        text.reserveCapacity(16)
        for place in 0..<16 {
            let nibble = UInt8(truncatingIfNeeded: mixed >> UInt64(60 - 4 * place)) & 15
            text.append(nibble < 10 ? nibble + Ascii.zero : nibble + 0x37)
        }
        return RequestID(text: text)
    }
}
