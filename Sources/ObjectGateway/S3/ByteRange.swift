import Bytes

/// One range of a `Range` or `x-amz-copy-source-range` field, before the object's size is known.
package enum ByteRange: Sendable, Equatable {
    /// `bytes=first-` or `bytes=first-last`, both inclusive.
    case from(UInt64, through: UInt64?)
    /// `bytes=-count`: the last `count` bytes.
    case suffix(UInt64)

    /// Reads `bytes=...`. Nil for several ranges, another unit or a broken form: such a field is ignored on a GET
    /// (RFC 9110 section 14.2).
    package static func parse(_ text: some Collection<UInt8>) -> ByteRange? {
        let bytes = [UInt8](text)
        guard bytes.count > 6, Ascii.equalIgnoringCase(bytes[0..<6], Array("bytes=".utf8)) else { return nil }
        let spec = Ascii.trimmed(bytes[6...])
        guard let dash = spec.firstIndex(of: Ascii.dash) else { return nil }
        let first = spec[..<dash]
        let last = spec[(dash + 1)...]
        if first.isEmpty { return Ascii.decimal(last).map { .suffix($0) } }
        guard let start = Ascii.decimal(first) else { return nil }
        if last.isEmpty { return .from(start, through: nil) }
        guard let end = Ascii.decimal(last), end >= start else { return nil }
        return .from(start, through: end)
    }

    /// The bytes meant of `size` bytes; nil when there are none (416).
    package func resolve(size: UInt64) -> Range<UInt64>? {
        switch self {
        case .from(let first, let last):
            guard first < size else { return nil }
            let end = last.map { $0 >= size ? size : $0 + 1 } ?? size
            return first..<end
        case .suffix(let count):
            guard count > 0, size > 0 else { return nil }
            return (count >= size ? 0 : size - count)..<size
        }
    }
}
