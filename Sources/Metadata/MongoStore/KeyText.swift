/// Keys and other opaque bytes as BSON text: each byte is the character of the same number (Latin-1), in UTF-8.
///
/// BSON compares binary values by their length first, and text by its bytes, NULs included, as indexes do. UTF-8 orders as the
/// numbers of its characters, so this text orders as the bytes do, whatever they are, and a key of ASCII reads as itself.
/// It takes at most twice the bytes.
enum KeyText {
    static func encode(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.contains(where: { $0 >= 0x80 }) else { return bytes }
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            if byte < 0x80 {
                text.append(byte)
            } else {
                text.append(0xC0 | byte >> 6)
                text.append(0x80 | byte & 0x3F)
            }
        }
        return text
    }

    /// Nil for text that `encode` does not make.
    static func decode(_ text: [UInt8]) -> [UInt8]? {
        guard text.contains(where: { $0 >= 0x80 }) else { return text }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var index = 0
        while index < text.count {
            let first = text[index]
            if first < 0x80 {
                bytes.append(first)
                index += 1
                continue
            }
            guard first == 0xC2 || first == 0xC3, index + 1 < text.count, text[index + 1] & 0xC0 == 0x80 else {
                return nil
            }
            bytes.append(first << 6 | text[index + 1] & 0x3F)
            index += 2
        }
        return bytes
    }
}
