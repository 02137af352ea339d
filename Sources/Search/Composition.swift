/// Scalars of text in which Hangul jamo and kana with a separate sound mark are composed, as names from file systems that
/// decompose them need it (Unicode 15 section 3.12). Other marks are `Folding`'s affair.
enum Composition {
    /// What is not UTF-8 becomes U+FFFD, which separates words.
    static func scalars(of text: some Collection<UInt8>) -> [Unicode.Scalar] {
        var out: [Unicode.Scalar] = []
        out.reserveCapacity(text.count)
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
            if scalar.value >= 0x1161, let last = out.last, let composed = compose(last.value, scalar.value) {
                out[out.count - 1] = composed
            } else {
                out.append(scalar)
            }
        }
        return out
    }

    private static func compose(_ first: UInt32, _ second: UInt32) -> Unicode.Scalar? {
        switch (first, second) {
        case (0x1100...0x1112, 0x1161...0x1175):
            return Unicode.Scalar(0xAC00 + ((first - 0x1100) * 21 + second - 0x1161) * 28)
        case (0xAC00...0xD7A3, 0x11A8...0x11C2):
            guard (first - 0xAC00).isMultiple(of: 28) else { return nil }
            return Unicode.Scalar(first + second - 0x11A7)
        // The voiced kana follows its plain one, and the half-voiced one that.
        case (0x304B...0x307B, 0x3099), (0x30AB...0x30DB, 0x3099): return Unicode.Scalar(first + 1)
        case (0x306F...0x307B, 0x309A), (0x30CF...0x30DB, 0x309A): return Unicode.Scalar(first + 2)
        default: return nil
        }
    }
}
