/// Files that are small and claim to be large.
enum Bombs {
    /// A PNG whose header alone is true to the format.
    static func png(width: Int, height: Int) -> [UInt8] {
        let header = big(width) + big(height) + [8, 2, 0, 0, 0]
        return [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] + chunk("IHDR", header)
            + chunk("IDAT", [0x78, 0x01] + [UInt8](repeating: 0, count: 64)) + chunk("IEND", [])
    }

    /// A GIF of one pixel and many frames (GIF89a).
    static func gif(frames: Int) -> [UInt8] {
        let frame: [UInt8] =
            [0x21, 0xf9, 4, 0, 1, 0, 0, 0] + [0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0] + [2, 2, 0x44, 1, 0]
        var file: [UInt8] = Array("GIF89a".utf8) + [1, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 255, 255, 255]
        for _ in 0..<frames { file += frame }
        return file + [0x3b]
    }

    private static func chunk(_ type: String, _ content: [UInt8]) -> [UInt8] {
        let checked = Array(type.utf8) + content
        var crc = ~UInt32(0)
        for byte in checked {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0xedb8_8320 : crc >> 1 }
        }
        return big(content.count) + checked + big(Int(~crc))
    }

    private static func big(_ value: Int) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) } }
}
