/// Text of unknown encoding.
enum PlainText {
    /// No control characters but white space, and UTF-8, UTF-16 with its mark, or single bytes.
    static func looksLikeText(_ head: [UInt8]) -> Bool {
        guard !head.isEmpty else { return false }
        if head.starts(with: [0xff, 0xfe]) || head.starts(with: [0xfe, 0xff]) { return true }
        return head.allSatisfy { $0 >= 0x20 && $0 != 0x7f || (0x09...0x0d).contains($0) || $0 == 0x1b }
    }

    /// As UTF-8, at most `bytesMax` bytes of it, cut at a character. `isPart` says that the bytes may end amid a character.
    static func decode(_ bytes: [UInt8], bytesMax: Int, isPart: Bool = false) -> String {
        if bytes.starts(with: [0xff, 0xfe]) || bytes.starts(with: [0xfe, 0xff]) {
            let isLittle = bytes[0] == 0xff
            let units = stride(from: 2, to: bytes.count - 1, by: 2).map { place -> UInt16 in
                let (first, second) = (UInt16(bytes[place]), UInt16(bytes[place + 1]))
                return isLittle ? second << 8 | first : first << 8 | second
            }
            return cut(String(decoding: units, as: UTF16.self), bytesMax: bytesMax)
        }
        let content = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? bytes[3...] : bytes[...]
        for drop in 0..<(isPart ? min(4, content.count + 1) : 1) {
            if let text = String(validating: content.dropLast(drop), as: UTF8.self) {
                return cut(text, bytesMax: bytesMax)
            }
        }
        return cut(String(String.UnicodeScalarView(content.map { Unicode.Scalar($0) })), bytesMax: bytesMax)
    }

    static func cut(_ text: String, bytesMax: Int) -> String {
        guard text.utf8.count > bytesMax else { return text }
        var end = text.utf8.index(text.startIndex, offsetBy: max(0, bytesMax))
        while end > text.startIndex, end.samePosition(in: text.unicodeScalars) == nil {
            end = text.utf8.index(before: end)
        }
        return String(text[..<end])
    }

    /// Runs of white space become one space; control characters go. For an index, not for reading.
    static func squeezed(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        var spaced = true
        for scalar in text.unicodeScalars {
            if scalar.properties.isWhitespace || scalar.value < 0x20 || scalar.value == 0x7f {
                if !spaced { scalars.append(" ") }
                spaced = true
            } else {
                scalars.append(scalar)
                spaced = false
            }
        }
        if spaced, !scalars.isEmpty { scalars.removeLast() }
        return String(scalars)
    }
}
