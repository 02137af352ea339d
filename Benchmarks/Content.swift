/// Bytes that do not compress, the same in every run.
enum Content {
    static func bytes(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 8)
        while bytes.count < count {
            // xorshift64*
            state ^= state >> 12
            state ^= state << 25
            state ^= state >> 27
            var word = state &* 0x2545_F491_4F6C_DD1D
            for _ in 0..<8 {
                bytes.append(UInt8(truncatingIfNeeded: word))
                word >>= 8
            }
        }
        bytes.removeLast(bytes.count - count)
        return bytes
    }

    /// Writes `number` into every 64 KiB, so that pieces which change places are noticed.
    static func stamp(_ bytes: inout [UInt8], with number: Int) {
        for start in stride(from: 0, to: bytes.count - 8, by: 65_536) {
            for index in 0..<8 { bytes[start + index] = UInt8(truncatingIfNeeded: number >> (8 * index)) }
        }
    }
}
