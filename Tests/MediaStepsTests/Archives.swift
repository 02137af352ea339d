@testable import MediaSteps

/// ZIP archives made here, of stored entries, whose directory may lie.
enum Archives {
    static func zip(_ files: [(name: String, content: [UInt8])], claiming size: Int? = nil) -> [UInt8] {
        zip(files.map { (name: $0.name, packed: $0.content, method: 0, size: size ?? $0.content.count) })
    }

    static func zip(_ files: [(name: String, packed: [UInt8], method: Int, size: Int)]) -> [UInt8] {
        var body: [UInt8] = []
        var directory: [UInt8] = []
        for file in files {
            let name = Array(file.name.utf8)
            let common =
                little(file.method, 2) + little(0, 2) + little(0x21, 2) + little(0, 4)
                + little(file.packed.count, 4) + little(file.size, 4) + little(name.count, 2)
            directory +=
                little(0x0201_4b50, 4) + little(20, 2) + little(20, 2) + little(0, 2) + common
                + little(0, 2) + little(0, 2) + little(0, 2) + little(0, 2) + little(0, 4) + little(body.count, 4)
                + name
            body += little(0x0403_4b50, 4) + little(20, 2) + little(0, 2) + common + little(0, 2) + name + file.packed
        }
        return body + directory + little(0x0605_4b50, 4) + little(0, 2) + little(0, 2) + little(files.count, 2)
            + little(files.count, 2) + little(directory.count, 4) + little(body.count, 4) + little(0, 2)
    }

    /// A raw deflate stream of `count` equal bytes (RFC 1951 with fixed codes): the byte, then runs of 258 that repeat it.
    static func deflatedRun(of byte: UInt8, count: Int) -> [UInt8] {
        var bits = BitWriter()
        bits.put(0b011, 3)  // last block, fixed codes
        // Literals 0 to 143 have codes of eight bits from 0x30.
        bits.putCode(0x30 + Int(byte), 8)
        var left = count - 1
        while left >= 258 {
            bits.putCode(0xc0 + 285 - 280, 8)  // length 258
            bits.putCode(0, 5)  // distance 1
            left -= 258
        }
        for _ in 0..<left { bits.putCode(0x30 + Int(byte), 8) }
        bits.putCode(0, 7)  // end of block
        return bits.bytes
    }

    private struct BitWriter {
        var bytes: [UInt8] = []
        private var used = 8

        mutating func put(_ value: Int, _ count: Int) {
            for place in 0..<count {
                if used == 8 {
                    bytes.append(0)
                    used = 0
                }
                bytes[bytes.count - 1] |= UInt8(value >> place & 1) << UInt8(used)
                used += 1
            }
        }

        /// Huffman codes are written from their highest bit.
        mutating func putCode(_ value: Int, _ count: Int) {
            for place in (0..<count).reversed() { put(value >> place & 1, 1) }
        }
    }

    static func little(_ value: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
}
